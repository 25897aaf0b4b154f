// SPDX-License-Identifier: Apache-2.0
// browse.js - the second view: the list of keys, and beside it (or in its place, on a phone) the entry or the form.

import { ask } from "./dialogs.js";
import { button, choice, el, fill } from "./dom.js";
import { Editor } from "./editor.js";
import { EntryPane } from "./entry-pane.js";
import { KeyInput } from "./key-text.js";
import { KeyList } from "./key-list.js";
import { makeHash } from "./router.js";

const LIMITS = [10, 50, 200, 1000];
const TYPING_MS = 250;
const NOTHING = new Uint8Array();

export class Browse {
	/* limit(): the largest value that the server takes */
	constructor(limit) {
		this.limit = limit;
		this.router = null;                           /* app.js has it */
		this.place = { prefix: NOTHING, order: "", limit: "", key: null };
		this.editor = null;
		this.typing = null;
		this.list = new KeyList((key) => this.hash({ key }));
		this.pane = new EntryPane({
			onedit: (entry) => this.edit(entry), onclose: () => this.leave(),
			ongone: (key) => {
				this.gone = key;
				this.leave();
			},
		});
		this.prefix = new KeyInput("Keys that begin with", { oninput: () => this.later(), type: "search" });
		this.order = choice("Order", [["", "A to Z"], ["desc", "Z to A"]], "", (order) => this.turn({ order }));
		this.size = el("select", { "aria-label": "Keys a page", onchange: () => this.turn({ limit: this.size.value === "50" ? "" : this.size.value }) },
			LIMITS.map((n) => el("option", { value: n }, `${n} a page`)));
		this.done = el("p", { class: "unseen", role: "status" });
		this.form = el("div", { class: "form" });
		this.none = el("p", { class: "none note" }, "Choose a key to see its value.");
		this.node = el("div", { class: "browse" },
			el("div", { class: "head" }, el("h1", {}, "Keys"), button("New key", () => this.edit(null), { class: "primary" })), this.done,
			el("search", { class: "filter card" }, this.prefix.node, this.order, this.size),
			el("div", { class: "panes" }, this.list.node, el("div", { class: "pane" }, this.none, this.pane.node, this.form)));
	}

	hash(change) {
		return makeHash("keys", { ...this.place, ...change });
	}

	turn(change) {
		this.router.replace(this.hash(change));
	}

	later() {
		clearTimeout(this.typing);
		this.typing = setTimeout(() => this.prefix.value !== null && this.turn({ prefix: this.prefix.value }), TYPING_MS);
	}

	/* Another view: what was typed here last must not lead back. */
	hide() {
		clearTimeout(this.typing);
	}

	show({ bytes, text }, first) {
		const before = this.place;
		this.place = { prefix: bytes.prefix ?? NOTHING, order: text.order === "desc" ? "desc" : "", limit: LIMITS.includes(Number(text.limit)) ? text.limit : "", key: bytes.key ?? null };
		if (!this.prefix.node.contains(document.activeElement))
			this.prefix.value = this.place.prefix;
		this.order.querySelector(`input[value="${this.place.order}"]`).checked = true;
		this.size.value = this.place.limit || "50";
		for (const a of this.list.body.querySelectorAll("a"))
			a.href = this.hash({ key: a.key });
		this.list.show({ prefix: this.place.prefix, reverse: this.place.order === "desc", limit: Number(this.place.limit) || 50 }, this.place.key);
		this.showEntry(before.key, first);
	}

	showEntry(before, first) {
		const key = this.place.key;
		const same = key && before && makeHash("", { key }) === makeHash("", { key: before });
		this.settle();
		if (key === null) {
			this.pane.close();
			if (before)
				this.list.focusOn(before);
		} else if (!same) {
			this.endEdit();
			this.pane.open(key, !first);
		}
	}

	leave() {
		location.hash = this.hash({ key: null });
		if (this.gone) {
			this.tell("Deleted.");
			this.gone = null;
			this.list.load();
		}
	}

	tell(words) {
		fill(this.done, words);
	}

	/* ---- the form ---- */

	endEdit() {
		this.editor = null;
		fill(this.form);
		this.pane.node.hidden = false;
		this.settle();
	}

	/* What stands beside the list, or on a phone in its place. */
	settle() {
		const opened = this.place.key !== null || this.editor !== null;
		this.node.classList.toggle("opened", opened);
		this.none.hidden = opened;
	}

	async edit(entry) {
		if (!this.mayLeaveNow() && !await this.askLeave())
			return;
		this.editor = new Editor(entry, {
			limit: this.limit(), prefix: this.place.prefix,
			oncancel: () => this.cancel(), onopen: (key) => this.reopen(key),
			onsaved: (key) => {
				this.tell(entry ? "Saved." : "Created.");
				this.list.load();
				this.reopen(key);
			},
		});
		fill(this.form, this.editor.node);
		this.pane.node.hidden = true;
		this.settle();
		this.editor.focus();
	}

	async cancel() {
		if (!this.mayLeaveNow() && !await this.askLeave())
			return;
		this.endEdit();
		if (this.place.key)
			this.pane.title.focus();
		else
			this.node.querySelector(".head button").focus();
	}

	reopen(key) {
		this.endEdit();
		const hash = this.hash({ key });
		if (location.hash === hash)
			this.pane.open(key, true);
		else
			location.hash = hash;
	}

	mayLeaveNow() {
		return !this.editor?.dirty;
	}

	async askLeave() {
		if (await ask("Leave what you wrote?", el("p", {}, "It is not stored yet."), [["stay", "Go on editing"], ["leave", "Throw it away", "danger"]]) !== "leave")
			return false;
		this.endEdit();
		return true;
	}
}
