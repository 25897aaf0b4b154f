// SPDX-License-Identifier: Apache-2.0
// history.js - the points of the last minutes, a column a field, as the charts want them. Times in seconds; a gap is a row of nulls.

import { FIELDS } from "./sample.js";

const MOST = 1000;                                    /* above half an hour */

export class History {
	constructor() {
		this.time = [];
		this.columns = Object.fromEntries(FIELDS.map((f) => [f, []]));
	}

	add(at, point) {
		this.time.push(at / 1000);
		for (const field of FIELDS)
			this.columns[field].push(point?.[field] ?? null);
		if (this.time.length > MOST) {
			this.time.shift();
			FIELDS.forEach((f) => this.columns[f].shift());
		}
	}

	/* Nothing is known from here on, until the next point. */
	gap(at) {
		if (this.last("writes") !== null)
			this.add(at, null);
	}

	data(fields, from) {
		let first = this.time.findIndex((t) => t >= from);
		first = first < 0 ? this.time.length : Math.max(0, first - 1);
		return [this.time.slice(first), ...fields.map((f) => this.columns[f].slice(first))];
	}

	last(field) {
		return this.columns[field].at(-1) ?? null;
	}

	/* The newest that there is among the last points: percentiles are known only where something happened. */
	recent(field) {
		return this.columns[field].slice(-15).findLast((v) => v !== null) ?? null;
	}
}
