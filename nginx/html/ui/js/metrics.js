// SPDX-License-Identifier: Apache-2.0
// metrics.js - Prometheus' text form: families of samples with labels, and histograms over several of them.

const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g;
const NO_LABELS = Object.freeze({});

function labelsOf(text) {
	if (!text)
		return NO_LABELS;
	const labels = {};
	for (const [, name, value] of text.matchAll(LABEL))
		labels[name] = value.replace(/\\(.)/g, (_, c) => (c === "n" ? "\n" : c));
	return labels;
}

const numberOf = (text) => (text === "+Inf" ? Infinity : text === "-Inf" ? -Infinity : Number(text));

export class Metrics {
	constructor(text) {
		this.families = new Map();
		for (const line of text.split("\n")) {
			const found = line.startsWith("#") ? null : LINE.exec(line);
			if (!found)
				continue;
			const [, name, labels, value] = found;
			if (!this.families.has(name))
				this.families.set(name, []);
			this.families.get(name).push({ labels: labelsOf(labels), value: numberOf(value) });
		}
	}

	all(name) {
		return this.families.get(name) ?? [];
	}

	/* null where this server has no such metric. */
	sum(name, where = () => true) {
		const samples = this.all(name);
		return samples.length === 0 ? null : samples.reduce((n, s) => (where(s.labels) ? n + s.value : n), 0);
	}

	/* { VALUE OF LABEL: number } */
	by(name, label) {
		return Object.fromEntries(this.all(name).map((s) => [s.labels[label], s.value]));
	}

	/* [[upper bound, how many up to it]...] over all label sets that are wanted. */
	histogram(name, where = () => true) {
		const sums = new Map();
		for (const { labels, value } of this.all(`${name}_bucket`)) {
			if (where(labels)) {
				const bound = numberOf(labels.le);
				sums.set(bound, (sums.get(bound) ?? 0) + value);
			}
		}
		return [...sums].sort((a, b) => a[0] - b[0]);
	}
}

/* What came between two readings of one histogram; a family that is new counts from nothing. */
export function histogramDelta(before, after) {
	const old = new Map(before);
	return after.map(([bound, n]) => [bound, n - (old.get(bound) ?? 0)]);
}

/* The share q of what the histogram counts lies below this; within a bucket evenly spread. null where it counts nothing. */
export function quantile(histogram, q) {
	const total = histogram.at(-1)?.[1] ?? 0;
	if (total <= 0)
		return null;
	let lower = 0;
	let below = 0;
	for (const [bound, n] of histogram) {
		if (n >= q * total)
			return bound === Infinity ? lower : lower + (bound - lower) * ((q * total - below) / (n - below || 1));
		lower = bound;
		below = n;
	}
	return lower;
}
