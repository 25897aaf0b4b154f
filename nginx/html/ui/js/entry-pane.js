// SPDX-License-Identifier: Apache-2.0
// entry-pane.js - one entry: what it is, its value, and what can be done with it.

import { percentEncode } from "./bytes.js";
import { ask } from "./dialogs.js";
import { button, el, fill } from "./dom.js";
import { addressOf, isAbsent, isConflict, read, remove } from "./entries.js";
import { bytes, expiry, integer, moment } from "./format.js";
import { describe } from "./http.js";
import { keyText } from "./key-text.js";
import { ValueView } from "./value-view.js";

const fileName = (key) => percentEncode(key).replaceAll("%2F", "_").slice(0, 120);

export class EntryPane {
	/* onedit(entry), ongone(key), onclose() */
	constructor({ onedit, ongone, onclose }) {
		Object.assign(this, { onedit, ongone, onclose });
		this.node = el("section", { class: "entry", "aria-label": "Entry" });
		this.asked = null;
		this.ticker = null;
	}

	close() {
		this.asked?.abort();
		clearInterval(this.ticker);
		fill(this.node);
	}

	frame(key, ...content) {
		this.title = el("h2", { tabindex: -1 }, keyText(key));
		fill(this.node, el("div", { class: "card" }, el("div", { class: "entry-head" }, button("Back to the list", () => this.onclose(), { class: "back" }), this.title), content));
	}

	/* focus: someone chose it, so that is where they are now. */
	async open(key, focus) {
		this.close();
		const mine = new AbortController();
		this.asked = mine;
		const waiting = el("p", { class: "note", role: "status" }, "Reading…");
		this.frame(key, waiting);
		if (focus)
			this.title.focus();
		try {
			const entry = await read(key, { signal: mine.signal, onslow: () => fill(waiting, "The server is slow; still waiting.") });
			if (this.asked === mine)
				this.show(entry);
		} catch (problem) {
			if (this.asked === mine && problem.name !== "AbortError")
				this.trouble(key, problem);
		}
	}

	trouble(key, problem) {
		const had = this.node.contains(document.activeElement);
		this.frame(key, el("p", { class: "trouble", role: "alert" }, isAbsent(problem) ? "There is no such key, or not any more." : describe(problem)),
			el("div", { class: "buttons" }, button("Read again", () => this.open(key, true))));
		if (had)
			this.title.focus();
	}

	show(entry) {
		const had = this.node.contains(document.activeElement);
		clearInterval(this.ticker);
		const left = el("dd");
		const facts = el("dl", { class: "facts" }, [
			["Version", el("dd", {}, el("code", {}, entry.version))], ["Size", el("dd", { title: `${integer(entry.size)} bytes` }, bytes(entry.size))],
			["Content-Type", el("dd", {}, el("code", {}, entry.type))], ["Expires", left],
		].map(([name, dd]) => el("div", {}, el("dt", {}, name), dd)));
		const count = () => fill(left, entry.expires ? `${expiry(entry.expires)} (${moment(entry.expires)})` : "never");
		this.status = el("div", { class: "form-status", role: "alert" });
		this.frame(entry.key, facts, new ValueView(entry).node, this.status, el("div", { class: "buttons" },
			button("Edit", () => this.onedit(entry)), el("a", { class: "button", href: addressOf(entry.key), download: fileName(entry.key) }, "Download"),
			button("Read again", () => this.open(entry.key, true)), button("Delete…", () => this.askDelete(entry), { class: "danger" })));
		count();
		if (entry.expires)
			this.ticker = setInterval(count, 1000);
		if (had)
			this.title.focus();
	}

	async askDelete(entry, changed = false) {
		const answer = await ask(changed ? "It has changed. Delete it all the same?" : "Delete this entry?", [
			el("p", {}, keyText(entry.key)),
			el("p", { class: "note" }, `Version ${entry.version}, ${bytes(entry.size)}. ${changed ? "This is what is stored now." : "It can't be brought back."}`),
		], [["keep", "Keep it"], ["delete", "Delete", "danger"]]);
		if (answer !== "delete")
			return;
		try {
			await remove(entry.key, entry.etag, () => fill(this.status, el("p", {}, "The server is slow; still waiting.")));
			this.ongone(entry.key);
		} catch (problem) {
			await this.notDeleted(entry, problem);
		}
	}

	async notDeleted(entry, problem) {
		if (isAbsent(problem)) {
			this.ongone(entry.key);
		} else if (isConflict(problem)) {
			try {
				const now = await read(entry.key);
				this.show(now);
				await this.askDelete(now, true);
			} catch (again) {
				this.trouble(entry.key, again);
			}
		} else {
			fill(this.status, el("p", {}, describe(problem) + (problem.unknown ? " Whether it was deleted is not known: read it again." : "")));
		}
	}
}
