// SPDX-License-Identifier: Apache-2.0
// format.js - numbers, sizes and times as people read them.

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

export const integer = (n) => n.toLocaleString("en-US", { maximumFractionDigits: 0 });

export const many = (n, noun) => `${integer(n)} ${noun}${n === 1 ? "" : "s"}`;

/* Three figures that count: 0.123, 1.23, 12.3, 123, 1,234. */
export function figures(n) {
	if (n === null || n === undefined || !Number.isFinite(n))
		return "–";
	if (n === 0)
		return "0";
	const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(n))));
	return n.toLocaleString("en-US", { maximumFractionDigits: Math.min(digits, 6) });
}

export function bytes(n) {
	if (n === null || n === undefined || !Number.isFinite(n))
		return "–";
	let unit = 0;
	while (n >= 1000 && unit < UNITS.length - 1) {
		n /= 1024;
		unit++;
	}
	return `${unit === 0 ? integer(n) : figures(n)} ${UNITS[unit]}`;
}

/* Seconds, short ones: 12.3 µs, 4.56 ms, 1.2 s. */
export function seconds(s) {
	if (s === null || s === undefined || !Number.isFinite(s))
		return "–";
	if (s === 0)
		return "0 s";
	if (s < 1e-3)
		return `${figures(s * 1e6)} µs`;
	if (s < 1)
		return `${figures(s * 1e3)} ms`;
	return `${figures(s)} s`;
}

export const percent = (share) => (share === null || share === undefined || !Number.isFinite(share) ? "–" : `${figures(share * 100)} %`);

/* Long ones, in their two largest parts: 3 d 4 h, 5 min 6 s. */
export function span(s) {
	const parts = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
	s = Math.max(0, Math.round(s));
	const first = parts.findIndex(([, size]) => s >= size);
	if (first < 0)
		return "0 s";
	const [unit, size] = parts[first];
	const head = `${integer(Math.floor(s / size))} ${unit}`;
	if (first === parts.length - 1)
		return head;
	const [unit2, size2] = parts[first + 1];
	const rest = Math.floor((s % size) / size2);
	return rest > 0 ? `${head} ${rest} ${unit2}` : head;
}

/* A moment, local time; the date only where it is another day. */
export function moment(ms) {
	const at = new Date(ms);
	if (Number.isNaN(at.getTime()))
		return "far from now";
	const time = at.toLocaleTimeString("en-GB");
	if (at.toDateString() === new Date().toDateString())
		return time;
	return `${at.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" })} ${time}`;
}

/* When something expires, seen from now. */
export function expiry(ms) {
	const left = (ms - Date.now()) / 1000;
	return left <= 0 ? "expired" : `in ${span(left)}`;
}
