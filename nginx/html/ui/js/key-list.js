// SPDX-License-Identifier: Apache-2.0
// key-list.js - the keys under a prefix, a page at a time. A cursor leads on; those that led here lead back.

import { equal } from "./bytes.js";
import { button, el, fill } from "./dom.js";
import { count, page } from "./entries.js";
import { expiry, integer, moment } from "./format.js";
import { describe } from "./http.js";
import { keyText } from "./key-text.js";

export class KeyList {
	/* hrefOf(key): where a click on it leads */
	constructor(hrefOf) {
		this.hrefOf = hrefOf;
		this.query = null;
		this.cursors = [null];                        /* of the pages up to this one */
		this.next = null;
		this.open = null;
		this.asked = null;
		this.caption = el("h2", { tabindex: -1, id: "list-title" }, "Keys");
		this.counted = el("span", { class: "when", "aria-live": "polite" });
		this.body = el("tbody", { onkeydown: (e) => this.arrows(e) });
		this.status = el("div", { class: "list-status", role: "status" });
		this.first = button("First", () => this.go(1));
		this.back = button("Previous", () => this.go(this.cursors.length - 1));
		this.on = button("Next", () => this.go(this.cursors.length + 1));
		this.table = el("table", { "aria-labelledby": "list-title" }, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Key"),
			el("th", { scope: "col", class: "number" }, "Version"), el("th", { scope: "col" }, "Expires"))), this.body);
		this.node = el("section", { class: "list card", "aria-labelledby": "list-title" },
			el("header", {}, this.caption, this.counted, button("Count", () => this.count(), { class: "small" }), button("Refresh", () => this.load(), { class: "small" })),
			this.table, this.status, el("nav", { class: "pager", "aria-label": "Pages" }, this.first, this.back, this.on));
	}

	/* { prefix, reverse, limit }; another one begins at the first page */
	show(query, open) {
		this.open = open;
		const same = this.query && equal(query.prefix, this.query.prefix) && query.reverse === this.query.reverse && query.limit === this.query.limit;
		this.query = query;
		if (same)
			return this.mark();
		this.cursors = [null];
		fill(this.counted);
		return this.load();
	}

	go(number) {
		if (number > this.cursors.length && this.next === null)
			return;
		this.cursors = number > this.cursors.length ? [...this.cursors, this.next] : this.cursors.slice(0, Math.max(1, number));
		this.load();
	}

	async load() {
		this.asked?.abort();
		const mine = new AbortController();
		this.asked = mine;
		this.node.setAttribute("aria-busy", "true");
		try {
			const found = await page({ ...this.query, cursor: this.cursors.at(-1) }, { signal: mine.signal, onslow: () => this.say("The server is slow; still waiting.") });
			if (this.asked === mine)
				this.fill(found);
		} catch (problem) {
			if (this.asked === mine && problem.name !== "AbortError") {
				fill(this.body);
				this.table.hidden = true;
				this.next = null;
				this.pager();
				this.say(describe(problem), button("Try again", () => this.load(), { class: "small" }));
			}
		} finally {
			if (this.asked === mine)
				this.node.removeAttribute("aria-busy");
		}
	}

	say(words, ...rest) {
		this.status.hidden = words === "";
		fill(this.status, words && el("p", {}, words), rest);
	}

	fill({ items, cursor }) {
		const links = () => [...this.body.querySelectorAll("a")];
		const at = links().indexOf(document.activeElement);
		const had = document.activeElement.key;
		this.next = cursor;
		fill(this.body, items.map((i) => el("tr", {},
			el("th", { scope: "row" }, Object.assign(el("a", { href: this.hrefOf(i.key) }, keyText(i.key)), { key: i.key })),
			el("td", { class: "number" }, i.version),
			el("td", { title: i.expires ? moment(i.expires) : null }, i.expires ? expiry(i.expires) : "never"))));
		this.table.hidden = items.length === 0;
		this.say(items.length > 0 ? "" : this.cursors.length > 1 ? "There is nothing behind the page before." : this.query.prefix.length > 0 ? "No key begins with this." : "The store is empty.");
		this.mark();
		this.pager();
		if (at >= 0)                                  /* what had the focus is another element now, or the one in its place */
			(links().find((a) => equal(a.key, had)) ?? links()[Math.min(at, items.length - 1)] ?? this.caption).focus();
	}

	/* A button that has had its day hands the focus on. */
	pager() {
		const number = this.cursors.length;
		fill(this.caption, number > 1 || this.next ? `Keys, page ${integer(number)}` : "Keys");
		for (const [b, off] of [[this.first, number === 1], [this.back, number === 1], [this.on, this.next === null]]) {
			if (off && document.activeElement === b)
				this.caption.focus();
			b.disabled = off;
		}
	}

	mark() {
		for (const a of this.body.querySelectorAll("a")) {
			if (this.open && equal(a.key, this.open))
				a.setAttribute("aria-current", "true");
			else
				a.removeAttribute("aria-current");
		}
	}

	focusOn(key) {
		const links = [...this.body.querySelectorAll("a")];
		(links.find((a) => equal(a.key, key)) ?? this.caption).focus();
	}

	arrows(event) {
		const links = [...this.body.querySelectorAll("a")];
		const here = links.indexOf(document.activeElement);
		const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: links.length - 1 }[event.key];
		if (to === undefined || here < 0)
			return;
		event.preventDefault();
		links[Math.min(links.length - 1, Math.max(0, to))].focus();
	}

	async count() {
		const query = this.query;
		fill(this.counted, "counting…");
		try {
			const n = await count(query.prefix);
			if (query === this.query || equal(query.prefix, this.query.prefix))
				fill(this.counted, `${integer(n)} in all`);
		} catch (problem) {
			fill(this.counted, problem.title);
		}
	}
}
