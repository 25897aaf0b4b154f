// SPDX-License-Identifier: Apache-2.0
// stalls.js - what writes have waited for since the server began, reason by reason, and what they wait for now.

import { el, fill } from "./dom.js";
import { integer, seconds } from "./format.js";
import { STALL_REASONS } from "./sample.js";

export class Stalls {
	constructor() {
		this.now = el("p", { class: "now" });
		this.body = el("tbody");
		this.node = el("section", { class: "card stalls", "aria-labelledby": "stalls-title" },
			el("header", {}, el("h2", { id: "stalls-title" }, "What writes waited for")), this.now,
			el("table", { "aria-labelledby": "stalls-title" },
				el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Reason"), el("th", { scope: "col", class: "number" }, "Waits"),
					el("th", { scope: "col", class: "number" }, "In all"))), this.body),
			el("p", { class: "note" }, "Since the server started."));
	}

	update(metrics, stats) {
		const waits = metrics.by("siltstone_write_stalls_total", "reason");
		const times = metrics.by("siltstone_write_stall_seconds_total", "reason");
		this.now.dataset.state = stats.stall_reason ? "slow" : "live";
		fill(this.now, stats.stall_reason ? `Now: ${stats.stall_reason}` : "Now: writes do not wait");
		fill(this.body, Object.keys(waits).map((reason) => el("tr", {},
			el("th", { scope: "row" }, el("code", {}, reason), el("small", {}, STALL_REASONS[reason] ?? "")),
			el("td", { class: "number" }, integer(waits[reason])), el("td", { class: "number" }, seconds(times[reason])))));
	}
}
