// SPDX-License-Identifier: Apache-2.0
// levels.js - the store as a picture of its layers, youngest on top: memtables, then each level, a brick a table. A table for whoever
// reads it as one.

import { el, fill } from "./dom.js";
import { bytes, integer } from "./format.js";

const BRICK_PX = 4;                                   /* tables that would be narrower are drawn together */
const narrow = matchMedia("(max-width: 34rem)");

function rowsOf(metrics) {
	const tables = metrics.by("siltstone_tables", "level");
	const size = metrics.by("siltstone_table_bytes", "level");
	const entries = metrics.by("siltstone_table_entries", "level");
	const deletes = metrics.by("siltstone_table_tombstones", "level");
	const memory = {
		name: "Memory", kind: "memory", pieces: 1 + (metrics.sum("siltstone_memtables_sealed") ?? 0), size: metrics.sum("siltstone_memtable_bytes") ?? 0,
		entries: metrics.sum("siltstone_memtable_entries") ?? 0, deletes: null,
	};
	const levels = Object.keys(tables).sort((a, b) => a - b).map((l) => ({
		name: `Level ${l}`, number: l, kind: `level${Math.min(6, Number(l))}`, pieces: tables[l], size: size[l] ?? 0, entries: entries[l] ?? 0, deletes: deletes[l] ?? 0,
	}));
	return [memory, ...levels];
}

/* Empty levels that follow each other are one row. */
function gathered(rows) {
	const out = [];
	for (const r of rows) {
		const last = out.at(-1);
		if (r.kind === "memory" || r.pieces > 0)
			out.push(r);
		else if (last?.empty)
			Object.assign(last, { name: `Levels ${last.from}–${r.number}` });
		else
			out.push({ empty: true, from: r.number, name: r.name });
	}
	return out;
}

/* A layer's width is the root of its size: each level is ten times the one above, and all are to be seen. */
function layer(row, largest) {
	const width = row.size === 0 ? 0 : Math.max(2, 100 * Math.sqrt(row.size / largest));
	const room = (width / 100) * (narrow.matches ? 48 : 200) / BRICK_PX;
	const bricks = row.size === 0 ? 0 : Math.max(1, Math.floor(Math.min(room, row.pieces)));
	return el("div", { class: "layer", "data-kind": row.kind, "aria-hidden": "true" },
		el("div", { class: "bricks", style: { width: `${width}%` } }, Array.from({ length: bricks }, () => el("i"))));
}

export class Levels {
	constructor() {
		this.body = el("tbody");
		this.foot = el("tfoot");
		this.node = el("section", { class: "card levels", "aria-labelledby": "levels-title" },
			el("header", {}, el("h2", { id: "levels-title" }, "Layers")),
			el("table", { "aria-labelledby": "levels-title" },
				el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Layer"), el("th", { class: "picture", "aria-hidden": "true" }),
					["Tables", "Bytes", "Entries", "Deletes"].map((h) => el("th", { scope: "col", class: "number" }, h)))),
				this.body, this.foot),
			el("p", { class: "note" }, "New writes enter at the top and sink as they are merged. A brick is a table, where there is room; widths are the square roots of the bytes."));
	}

	update(metrics) {
		const rows = rowsOf(metrics);
		const largest = Math.max(1, ...rows.map((r) => r.size));
		const total = (field) => rows.reduce((n, r) => n + (r[field] ?? 0), 0);
		const row = (r, picture) => el("tr", {}, el("th", { scope: "row" }, r.name), el("td", { class: "picture" }, picture),
			el("td", { class: "number" }, r.kind === "memory" ? "–" : integer(r.pieces)), el("td", { class: "number" }, bytes(r.size)),
			el("td", { class: "number" }, integer(r.entries)), el("td", { class: "number" }, r.deletes === null ? "–" : integer(r.deletes)));
		fill(this.body, gathered(rows).map((r) => (r.empty ? el("tr", { class: "empty" }, el("th", { scope: "row" }, r.name), el("td", { class: "picture" }),
			el("td", { class: "number" }, "0"), el("td", { class: "number" }, "empty"), el("td"), el("td")) : row(r, layer(r, largest)))));
		fill(this.foot, row({ name: "All", pieces: total("pieces") - rows[0].pieces, size: total("size"), entries: total("entries"), deletes: total("deletes") }, null));
	}
}
