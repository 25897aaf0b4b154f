// SPDX-License-Identifier: Apache-2.0
// content-input.js - a value being written: as text, as hex, from a file, or left as it is. What text can't hold unchanged is not offered
// as text: a textarea makes every line end a line feed, and has no control characters.

import { decode, encode, fromHex, toHex } from "./bytes.js";
import { choice, el, field } from "./dom.js";
import { bytes } from "./format.js";

const rows = (hex) => (hex.match(/.{1,32}/g) ?? []).map((line) => line.match(/../g).join(" ")).join("\n");

/* "\n", "\r\n", or null where the text has both kinds or others. */
function lineEnd(text) {
	if (!text.includes("\r"))
		return "\n";
	return /\r(?!\n)|(^|[^\r])\n/.test(text) ? null : "\r\n";
}

const textSafe = (text) => text !== null && !/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text) && lineEnd(text) !== null;

export class ContentInput {
	/* entry: what is there now, or null. */
	constructor(entry, onchange) {
		this.entry = entry;
		this.onchange = onchange;
		const text = entry?.whole !== false ? decode(entry?.data ?? new Uint8Array()) : null;
		this.asText = textSafe(text);
		this.end = this.asText ? lineEnd(text) : "\n";
		const whole = !entry || entry.whole;
		this.kind = !whole ? "keep" : this.asText ? "text" : "hex";
		this.mode = this.asText ? "text" : "hex";     /* what the area holds */
		const kinds = [["keep", "Leave it"], ["text", "Text"], ["hex", "Hex"], ["file", "A file"]]
			.filter(([k]) => (k !== "keep" || !whole) && (k !== "hex" || whole) && (k !== "text" || (whole && this.asText)));
		this.area = el("textarea", { rows: 12, spellcheck: "false", autocapitalize: "off", oninput: () => this.typing() });
		if (whole && entry)
			this.area.value = this.mode === "hex" ? rows(toHex(entry.data)) : text;
		this.file = el("input", { type: "file", onchange });
		this.areaField = field("Value", this.area);
		this.fileField = field("File", this.file);
		this.pick = choice("Write the value as", kinds, this.kind, (k) => this.turn(k));
		this.node = el("div", { class: "content-input" }, this.pick,
			whole ? null : el("p", { class: "note" }, `${bytes(entry.size)} are too much to be edited here; a file can take their place.`),
			this.areaField, this.fileField);
		this.show();
	}

	show() {
		this.areaField.hidden = this.kind !== "text" && this.kind !== "hex";
		this.fileField.hidden = this.kind !== "file";
		this.area.classList.toggle("hex", this.kind === "hex");
	}

	/* From text to hex and back, with what was typed; bytes that text can't hold stay hex. */
	turn(kind) {
		const data = this.typed();
		const bad = (kind === "text" || kind === "hex") && kind !== this.mode && (data === null || (kind === "text" && !textSafe(decode(data))));
		this.area.setCustomValidity(bad ? "These bytes can't be written this way" : "");
		if (bad) {
			this.pick.querySelector(`input[value=${this.mode}]`).checked = true;
			this.area.reportValidity();
			return;
		}
		if (kind === "hex" && this.mode === "text")
			this.area.value = rows(toHex(data));
		if (kind === "text" && this.mode === "hex") {
			this.end = lineEnd(decode(data));
			this.area.value = decode(data);
		}
		if (kind === "text" || kind === "hex")
			this.mode = kind;
		this.kind = kind;
		this.show();
		this.onchange();
	}

	typing() {
		this.area.setCustomValidity("");
		this.onchange();
	}

	/* The area's bytes, null where it holds hex that is not whole. */
	typed() {
		if (this.mode === "hex")
			return fromHex(this.area.value);
		return encode(this.end === "\n" ? this.area.value : this.area.value.replaceAll("\n", this.end));
	}

	/* null: as it is. Throws an Error in words where there is nothing to write. */
	async data() {
		if (this.kind === "keep")
			return null;
		if (this.kind === "file") {
			if (this.file.files.length === 0)
				throw new Error("No file is chosen.");
			return new Uint8Array(await this.file.files[0].arrayBuffer());
		}
		const data = this.typed();
		if (data === null)
			throw new Error("The hex is not whole: two digits a byte, 0 to 9 and a to f.");
		return data;
	}
}
