// SPDX-License-Identifier: Apache-2.0
// expiry-input.js - when an entry is to expire: never, as it has it now, or after a time from now.

import { choice, el, field } from "./dom.js";
import { expiry, moment } from "./format.js";

const UNITS = [[1, "seconds"], [60, "minutes"], [3600, "hours"], [86400, "days"]];
const MOST_S = 3155760000;

export class ExpiryInput {
	constructor(expires, onchange) {
		this.expires = expires;
		this.kind = expires ? "keep" : "never";
		this.number = el("input", { type: "number", min: 1, max: MOST_S, step: 1, value: 60, inputmode: "numeric", oninput: onchange });
		this.unit = el("select", { "aria-label": "Unit", onchange }, UNITS.map(([size, name]) => el("option", { value: size }, name)));
		this.unit.value = "60";
		this.after = el("div", { class: "after", hidden: true }, field("After", this.number), this.unit);
		const choices = [["never", "Never"], ["after", "After a time"]];
		if (expires)
			choices.unshift(["keep", `As now: ${moment(expires)} (${expiry(expires)})`]);
		this.node = el("div", { class: "expiry" }, choice("Expires", choices, this.kind, (v) => {
			this.kind = v;
			this.after.hidden = v !== "after";
			onchange();
		}, true), this.after);
	}

	/* As now, and that was before now. */
	get isOver() {
		return this.kind === "keep" && this.expires <= Date.now();
	}

	/* What the query of a write says of it: { ttl } in seconds, { expires_at } as it is now, to the millisecond and whatever this machine's
	   clock says, {} for never; null where what was typed is no time. */
	get query() {
		if (this.kind === "never")
			return {};
		if (this.kind === "keep")
			return { expires_at: this.expires };
		const s = Number(this.number.value) * Number(this.unit.value);
		return Number.isInteger(s) && s >= 1 && s <= MOST_S ? { ttl: s } : null;
	}
}
