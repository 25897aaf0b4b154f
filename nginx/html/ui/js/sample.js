// SPDX-License-Identifier: Apache-2.0
// sample.js - two readings of /metrics, one after the other, made into one point of every chart.

import { histogramDelta, quantile } from "./metrics.js";

const KEY_ROUTES = new Set(["/get", "/get/", "/set", "/put", "/del", "/del/", "/delete", "/delete/", "/v1/kv", "/v1/kv/", "/v1/batch"]);
const READING = new Set(["GET", "HEAD"]);

/* What clients do with keys; what this page asks for itself every other second is none of it. */
const isOperation = (l) => KEY_ROUTES.has(l.route);
const isRead = (l) => isOperation(l) && READING.has(l.method);
const isWrite = (l) => isOperation(l) && !READING.has(l.method) && l.method !== "OPTIONS";
const isFailure = (l) => isOperation(l) && l.code >= "500";

export const STALL_REASONS = {
	pace: "Paced: a short delay, because flushes or compaction are behind",
	memtable: "Too many memtables wait for their flush",
	level0: "Too many tables in level 0",
	debt: "Compaction is too far behind",
	segment: "The next log segment is not made yet",
};

/* All that is charted, so that a gap can be one in each. */
export const FIELDS = [
	"reads", "writes", "failures", "read50", "read95", "read99", "write50", "write95", "write99", "sync50", "sync99", "syncs",
	"cache", "filter", "writeAmp", "spaceAmp", "readAmp", ...Object.keys(STALL_REASONS).map((r) => `stall_${r}`),
];

export class Reading {
	constructor(metrics, at) {
		this.metrics = metrics;
		this.at = at;                                 /* ms */
		this.begun = metrics.sum("process_start_time_seconds");
	}
}

function share(part, whole) {
	return whole > 0 ? Math.min(1, Math.max(0, part / whole)) : null;
}

function percentiles(before, after, name, where, fields) {
	const delta = histogramDelta(before.metrics.histogram(name, where), after.metrics.histogram(name, where));
	return Object.fromEntries(fields.map(([field, q]) => [field, quantile(delta, q)]));
}

/* The point between two readings of one process; null where there was another process before, or none. */
export function derive(before, after) {
	const s = (after.at - (before?.at ?? 0)) / 1000;
	if (!before || s <= 0 || Math.abs(before.begun - after.begun) > 2)
		return null;
	const gained = (name, where) => Math.max(0, (after.metrics.sum(name, where) ?? 0) - (before.metrics.sum(name, where) ?? 0));
	const requests = (where) => gained("siltstone_http_requests_total", where) / s;
	const hits = gained("siltstone_cache_hits_total");
	const point = {
		reads: requests(isRead), writes: requests(isWrite), failures: requests(isFailure),
		...percentiles(before, after, "siltstone_http_request_duration_seconds", isRead, [["read50", 0.5], ["read95", 0.95], ["read99", 0.99]]),
		...percentiles(before, after, "siltstone_http_request_duration_seconds", isWrite, [["write50", 0.5], ["write95", 0.95], ["write99", 0.99]]),
		...percentiles(before, after, "siltstone_wal_sync_duration_seconds", undefined, [["sync50", 0.5], ["sync99", 0.99]]),
		syncs: gained("siltstone_wal_syncs_total") / s,
		cache: share(hits, hits + gained("siltstone_cache_misses_total")),
		filter: share(gained("siltstone_filter_negatives_total"), gained("siltstone_filter_checks_total")),
		writeAmp: after.metrics.sum("siltstone_write_amplification_ratio") || null,
		spaceAmp: after.metrics.sum("siltstone_space_amplification_ratio") || null,
		readAmp: after.metrics.sum("siltstone_read_amplification_ratio") || null,
	};
	for (const reason of Object.keys(STALL_REASONS))
		point[`stall_${reason}`] = gained("siltstone_write_stall_seconds_total", (l) => l.reason === reason) / s;
	return point;
}
