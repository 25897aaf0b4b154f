// SPDX-License-Identifier: Apache-2.0
// key-text.js - keys on the screen, and the input that they are typed into: as text, or with %XX for any byte.

import { decode, encode, keyPieces, percentDecode, percentEncode } from "./bytes.js";
import { el, field, uniqueId } from "./dom.js";

/* Isolated, so that no key changes the order of what stands beside it. */
export function keyText(key) {
	return el("bdi", { class: "key" }, keyPieces(key).map((p) => (p.escaped ? el("span", { class: "escaped" }, p.text) : p.text)));
}

/* An input for a key or a prefix. .value is its bytes, or null where what stands there is none. */
export class KeyInput {
	constructor(label, { oninput = () => {}, hint = null, type = "text" } = {}) {
		this.input = el("input", { type, autocomplete: "off", autocapitalize: "off", spellcheck: "false", maxlength: 12288, oninput: () => this.changed(oninput) });
		this.coded = el("input", { type: "checkbox", id: uniqueId("coded"), onchange: () => this.recode(oninput) });
		this.node = el("div", { class: "key-input" }, field(label, this.input, hint),
			el("div", { class: "check" }, this.coded, el("label", { for: this.coded.id, title: "Any byte can be written as % and two hex digits" }, "%XX for bytes")));
	}

	get value() {
		return this.coded.checked ? percentDecode(this.input.value) : encode(this.input.value);
	}

	set value(key) {
		const text = decode(key);
		this.coded.checked = text === null || /[\p{Cc}\p{Cf}]/u.test(text);
		this.input.value = this.coded.checked ? percentEncode(key) : text;
	}

	changed(oninput) {
		const bad = this.value === null;
		this.input.setCustomValidity(bad ? "A percent sign needs two hex digits behind it" : "");
		this.input.setAttribute("aria-invalid", String(bad));
		if (!bad)
			oninput();
	}

	/* The same bytes in the other notation, where it has one for them. */
	recode(oninput) {
		const bytes = this.coded.checked ? encode(this.input.value) : percentDecode(this.input.value);
		const text = bytes && decode(bytes);
		if (this.coded.checked)
			this.input.value = percentEncode(bytes).replaceAll("%2F", "/").replaceAll("%3A", ":");
		else if (text !== null && text !== undefined)
			this.input.value = text;
		else
			this.coded.checked = true;
		this.changed(oninput);
	}
}
