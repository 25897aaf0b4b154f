// SPDX-License-Identifier: Apache-2.0
// value-view.js - a value as text, as JSON with indentation, or as hex. Whatever it is, it is shown, never run: textContent alone.

import { decode, decodeHead, hexDump } from "./bytes.js";
import { choice, el, fill } from "./dom.js";
import { bytes } from "./format.js";
import { jsonPretty } from "./json-pretty.js";

const VIEWS = [["text", "Text"], ["json", "JSON"], ["hex", "Hex"]];
const narrow = matchMedia("(max-width: 34rem)");

/* What it looks like: braces or a type that says JSON; UTF-8 without control characters; else bytes. */
function best(entry, text) {
	if (text === null || /[\x00-\x08\x0b\x0c\x0e-\x1f]/.test(text))
		return "hex";
	return entry.whole && /^\s*[{[]/.test(text) && jsonPretty(text) !== null ? "json" : "text";
}

export class ValueView {
	constructor(entry) {
		this.entry = entry;
		this.text = entry.whole ? decode(entry.data) : decodeHead(entry.data);
		this.note = el("p", { class: "note" });
		this.body = el("pre", { class: "value", tabindex: 0, role: "region", "aria-label": "Value" });
		this.view = best(entry, this.text);
		this.node = el("div", { class: "value-view" },
			choice("Show the value as", VIEWS, this.view, (v) => {
				this.view = v;
				this.draw();
			}), this.note, this.body);
		this.draw();
	}

	draw() {
		const [words, note] = this.words();
		this.body.dataset.view = this.view;
		fill(this.body, words);
		fill(this.note, [note, this.entry.whole ? "" : `The first ${bytes(this.entry.data.length)} of ${bytes(this.entry.size)} are shown.`].filter(Boolean).join(" "));
		this.note.hidden = this.note.textContent === "";
	}

	words() {
		if (this.entry.size === 0)
			return ["", "The value is empty."];
		if (this.view === "hex")
			return [hexDump(this.entry.data, narrow.matches ? 8 : 16), ""];
		if (this.text === null)
			return [new TextDecoder().decode(this.entry.data), "These bytes are not UTF-8: what can't be shown is \ufffd."];
		if (this.view === "text")
			return [this.text, ""];
		if (!this.entry.whole)
			return [this.text, "Not all of it is here, so that it can't be indented."];
		const pretty = jsonPretty(this.text);
		return pretty === null ? [this.text, "This is not JSON."] : [pretty, ""];
	}
}
