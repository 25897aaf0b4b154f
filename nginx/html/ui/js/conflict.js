// SPDX-License-Identifier: Apache-2.0
// conflict.js - someone else wrote first: both sides, and the choice between them.

import { decode, decodeHead, hexDump } from "./bytes.js";
import { ask } from "./dialogs.js";
import { el } from "./dom.js";
import { bytes } from "./format.js";

const SHOWN = 4096;

export function words(data) {
	const head = data.subarray(0, SHOWN);
	const text = data.length > SHOWN ? decodeHead(head) : decode(head);
	return text === null ? hexDump(head, 8) : text;
}

function side(title, data, size) {
	return el("section", { class: "side" }, el("h3", {}, title), el("p", { class: "note" }, bytes(size)),
		el("pre", { class: "value", tabindex: 0, "aria-label": title }, data === null ? "" : words(data)));
}

/* mine: the bytes, null where the value was to stay as it was. theirs: the entry, null where it is gone. "back", "theirs" or "mine". */
export function askConflict(mine, size, theirs) {
	const content = [
		el("p", {}, theirs ? `Version ${theirs.version} was written after the one that you edited. Nothing of yours is stored yet.`
			: "The key was deleted, or has expired, after you read it. Nothing of yours is stored yet."),
		el("div", { class: "sides" }, side("Yours", mine, size),
			theirs ? side(`On the server, version ${theirs.version}`, theirs.data, theirs.size)
				: el("section", { class: "side" }, el("h3", {}, "On the server"), el("p", { class: "note" }, "No such key"))),
	];
	return ask("Someone else was faster", content, [
		["back", "Go on editing"],
		["theirs", theirs ? "Take the server's" : "Let it be gone"],
		["mine", theirs ? "Write mine over it" : "Write mine as a new key", "danger"],
	], { wide: true });
}
