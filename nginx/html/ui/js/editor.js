// SPDX-License-Identifier: Apache-2.0
// editor.js - the form for a new entry or a changed one. Every write is bound to what was seen: If-None-Match: * or If-Match.

import { askConflict } from "./conflict.js";
import { ContentInput } from "./content-input.js";
import { button, el, field, fill, uniqueId } from "./dom.js";
import { isAbsent, isConflict, read, readWhole, write } from "./entries.js";
import { ExpiryInput } from "./expiry-input.js";
import { bytes } from "./format.js";
import { describe, Problem } from "./http.js";
import { KeyInput, keyText } from "./key-text.js";

const TEXT_TYPE = "text/plain; charset=utf-8";
const TYPES = [TEXT_TYPE, "application/json", "text/html; charset=utf-8", "application/octet-stream", "image/png"];

export class Editor {
	/* entry: what is edited, or null for a new key. onsaved(key), oncancel(), onopen(key): another one is to be looked at instead. */
	constructor(entry, { limit, onsaved, oncancel, onopen, prefix }) {
		Object.assign(this, { entry, limit, onsaved, oncancel, onopen });
		this.dirty = false;
		const touched = () => {
			this.dirty = true;
			this.hint();
		};
		this.key = entry ? null : new KeyInput("Key", { oninput: touched });
		if (this.key && prefix.length > 0)
			this.key.value = prefix;
		this.content = new ContentInput(entry, touched);
		this.type = el("input", { type: "text", list: uniqueId("types"), value: entry ? entry.type : TEXT_TYPE, autocomplete: "off", spellcheck: "false", oninput: touched });
		this.expiry = new ExpiryInput(entry?.expires ?? null, touched);
		this.note = el("p", { class: "note", "aria-live": "polite" });
		this.status = el("div", { class: "form-status", role: "alert" });
		this.save = el("button", { type: "submit", class: "primary" }, entry ? "Save" : "Create");
		this.title = el("h2", { tabindex: -1 }, entry ? ["Edit ", keyText(entry.key)] : "New key");
		this.node = el("form", { class: "editor card", "aria-label": entry ? "Edit an entry" : "New key", onsubmit: (e) => this.submit(e), onkeydown: (e) => this.keys(e) },
			this.title, this.key?.node, this.content.node, this.note,
			el("div", { class: "pair" }, field("Content-Type", this.type), this.expiry.node),
			el("datalist", { id: this.type.getAttribute("list") }, TYPES.map((t) => el("option", { value: t }))),
			this.status, el("div", { class: "buttons" }, button("Cancel", () => this.oncancel()), this.save));
	}

	focus() {
		(this.key ? this.key.input : this.content.kind === "text" || this.content.kind === "hex" ? this.content.area : this.title).focus();
	}

	keys(event) {
		if (event.key === "Enter" && (event.ctrlKey || event.metaKey))
			this.node.requestSubmit();
		else if (event.key === "Escape")
			this.oncancel();
	}

	/* What is not wrong, but may not be meant. */
	hint() {
		let words = "";
		if (this.content.kind === "text" && /json/i.test(this.type.value)) {
			try {
				JSON.parse(this.content.area.value);
			} catch {
				words = "This is not JSON, though its type says so.";
			}
		}
		if (this.note.textContent !== words)
			fill(this.note, words);
	}

	say(text, ...actions) {
		fill(this.status, text ? el("p", {}, text) : null, actions);
	}

	async submit(event) {
		event.preventDefault();
		if (this.busy)
			return;
		this.busy = true;
		this.save.setAttribute("aria-disabled", "true");
		this.say("");
		try {
			await this.put(this.entry?.etag ?? null);
		} catch (error) {
			this.failed(error);
		} finally {
			this.busy = false;
			this.save.removeAttribute("aria-disabled");
		}
	}

	/* What is to be written, or an Error in words. */
	async gather() {
		const key = this.entry ? this.entry.key : this.key.value;
		if (key === null || key.length === 0)
			throw new Error(key === null ? "A percent sign in the key needs two hex digits behind it." : "A key has at least one byte.");
		if (key.length > 4096)
			throw new Error(`A key has at most 4,096 bytes; this one has ${key.length}.`);
		const type = this.type.value.trim();
		if (!/^[\x20-\x7e]{0,255}$/.test(type))
			throw new Error("A Content-Type has at most 255 characters, each of visible ASCII.");
		const until = this.expiry.query;
		if (until === null)
			throw new Error("The time is a whole number of seconds, from one to a hundred years.");
		const data = await this.content.data();
		if (data !== null && data.length > this.limit)
			throw new Error(`A value has at most ${bytes(this.limit)}; this one has ${bytes(data.length)}.`);
		return { key, type, until, data };
	}

	async put(etag) {
		const { key, type, until, data } = await this.gather();
		try {
			const body = data ?? await readWhole(this.entry);
			await write(key, body, { etag, type, until, onslow: () => this.say("The server is slow; still waiting.") });
		} catch (problem) {
			if (!isConflict(problem) && !(isAbsent(problem) && this.entry))
				throw problem;
			return this.entry ? this.conflict(key, data) : this.taken(key);
		}
		this.dirty = false;
		this.onsaved(key);
	}

	taken(key) {
		this.say("There is such a key already, and it was left as it is.", button("Open it", () => {
			this.dirty = false;
			this.onopen(key);
		}, { class: "small" }));
	}

	async conflict(key, data) {
		let theirs = null;
		try {
			theirs = await read(key);
		} catch (problem) {
			if (!isAbsent(problem))
				throw problem;
		}
		const choice = await askConflict(data, data?.length ?? this.entry.size, theirs);
		if (choice === "theirs") {
			this.dirty = false;
			this.onopen(key);
		} else if (choice === "mine") {
			if (data === null && !theirs)
				throw new Error("The value that was to stay is gone: there is nothing to write.");
			if (!theirs && this.expiry.isOver)
				throw new Error("The time that it had is over: choose when it is to expire.");
			this.entry = theirs ?? { ...this.entry, etag: null };
			await this.put(theirs?.etag ?? null);
		}
	}

	failed(error) {
		if (error instanceof Problem && error.unknown)
			this.say(`${describe(error)} Whether this was stored is not known.`, button("See what is stored", () => {
				this.dirty = false;
				this.onopen(this.entry ? this.entry.key : this.key.value);
			}, { class: "small" }));
		else
			this.say(error instanceof Problem ? describe(error) : error.message);
	}
}
