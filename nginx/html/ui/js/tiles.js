// SPDX-License-Identifier: Apache-2.0
// tiles.js - the numbers that one looks at first.

import { el, fill } from "./dom.js";
import { bytes, figures, integer, many, seconds, span } from "./format.js";

const TILES = [
	["Operations a second", (m, s, h) => figures((h.last("reads") ?? 0) + (h.last("writes") ?? 0)),
		(m, s, h) => `${figures(h.last("reads") ?? 0)} reads, ${figures(h.last("writes") ?? 0)} writes`],
	["Write latency, p99", (m, s, h) => seconds(h.recent("write99")), (m, s, h) => `reads ${seconds(h.recent("read99"))}`],
	["Stored", (m) => bytes(m.sum("siltstone_table_bytes")), (m) => `${bytes(m.sum("siltstone_memtable_bytes"))} more in memory`],
	["Free on the disk", (m) => bytes(m.sum("siltstone_disk_free_bytes")), (m) => `${many(m.sum("siltstone_wal_segments") ?? 0, "log segment")}`],
	["Memory in use", (m) => bytes(m.sum("process_resident_memory_bytes")),
		(m) => `cache ${bytes(m.sum("siltstone_cache_bytes"))} of ${bytes(m.sum("siltstone_cache_capacity_bytes"))}`],
	["Newest version", (m, s) => integer(s.version), (m, s) => (s.version === s.durable_version ? `up ${span(s.uptime_s)}` : `on the disk to ${integer(s.durable_version)}`)],
];

export class Tiles {
	constructor() {
		this.values = TILES.map(() => [el("dd", { class: "value" }, "–"), el("dd", { class: "aside" }, "\u00a0")]);
		this.node = el("dl", { class: "tiles" }, TILES.map(([name], i) => el("div", { class: "tile" }, el("dt", {}, name), this.values[i])));
	}

	update(metrics, stats, history) {
		TILES.forEach(([, value, aside], i) => {
			fill(this.values[i][0], value(metrics, stats, history));
			fill(this.values[i][1], aside(metrics, stats, history));
		});
	}
}
