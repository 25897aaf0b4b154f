// SPDX-License-Identifier: Apache-2.0
// chart.js - one chart of lines over time: uPlot on a canvas, a legend in words beside it, and the arrow keys as a pointer.

import uPlot from "../vendor/uplot/uPlot.js";
import { el, fill, uniqueId } from "./dom.js";
import { colour, onThemeChange } from "./theme.js";

const DECADE_STEPS = 12;
const EDGE = 24;                                      /* half a label: nearer to an end there is none */
const clock = (t) => new Date(t * 1000).toLocaleTimeString("en-GB");
const clockShort = (t) => clock(t).slice(0, 5);

function timeTicks(u, splits) {
	const step = splits.length > 1 ? splits[1] - splits[0] : 60;
	const width = u.bbox.width / devicePixelRatio;
	const fits = (t) => u.valToPos(t, "x") > EDGE && u.valToPos(t, "x") < width - EDGE;
	return splits.map((t) => (!fits(t) ? "" : step < 60 ? clock(t) : clockShort(t)));
}

/* The range of y: from zero, or for logarithms whole powers of ten around what there is. */
function linearRange(least) {
	return (u, low, high) => [0, Math.max(high === null ? least : high * 1.08, least)];
}
function logRange(u, low, high) {
	if (low === null || high === null || low <= 0)
		return [1e-4, 1e-1];
	return [10 ** Math.floor(Math.log10(low)), 10 ** Math.ceil(Math.log10(high * 1.0001))];
}

function decades(u, axis, low, high) {
	const first = Math.round(Math.log10(low));
	const last = Math.min(Math.round(Math.log10(high)), first + DECADE_STEPS);
	return Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
}

/* What no line leads to or from: without a dot it would not be seen. */
export function alone(column) {
	const there = (i) => column[i] !== null && column[i] !== undefined;
	return column.flatMap((v, i) => (there(i) && !there(i - 1) && !there(i + 1) ? [i] : []));
}

const dots = (u, index, all) => (all ? null : alone(u.data[index]));

const SCALES = {
	linear: (spec) => ({ range: linearRange(spec.least ?? 1) }),
	share: () => ({ range: () => [0, 1] }),
	log: () => ({ distr: 3, range: logRange }),
};

/* spec: { title, note?, third?, scale, least?, format, series: [{ field, label, colour }] } */
export class Chart {
	constructor(spec) {
		this.spec = spec;
		this.plot = null;
		this.data = [[], ...spec.series.map(() => [])];
		this.range = [0, 1];
		const title = uniqueId("chart");
		this.values = spec.series.map(() => el("output", {}, "–"));
		this.when = el("span", { class: "when" });
		this.legend = el("ul", { class: "legend" }, spec.series.map((s, i) =>
			el("li", {}, el("i", { class: "swatch", style: { background: `var(${s.colour})` } }), el("span", {}, s.label), this.values[i])));
		this.canvas = el("div", { class: "plot", tabindex: 0, role: "group", "aria-roledescription": "chart", "aria-labelledby": title,
			onkeydown: (e) => this.key(e), onblur: () => this.point(null) });
		this.nothing = el("p", { class: "nothing", hidden: true }, "Nothing in this time");
		this.spoken = el("p", { class: "unseen", "aria-live": "polite" });
		this.node = el("section", { class: spec.third ? "card chart third" : "card chart", "aria-labelledby": title },
			el("header", {}, el("h2", { id: title }, spec.title), this.when), this.legend, el("div", { class: "frame" }, this.canvas, this.nothing),
			spec.note ? el("p", { class: "note" }, spec.note) : null, this.spoken);
		new ResizeObserver(() => this.fit()).observe(this.canvas);
		onThemeChange(() => this.build());
	}

	axes() {
		const ink = colour("--ink-soft");
		const line = colour("--line");
		const font = `11px ${getComputedStyle(document.body).fontFamily}`;
		const common = { stroke: ink, font, grid: { stroke: line, width: 1 }, ticks: { show: false } };
		return [
			{ ...common, grid: { show: false }, values: timeTicks, space: 76, size: 24, gap: 4 },
			{ ...common, values: (u, splits) => splits.map((v) => (v === null ? "" : this.spec.format(v))), size: 62, gap: 6, space: 40,
				...(this.spec.scale === "log" ? { splits: decades, filter: (u, splits) => splits } : {}) },
		];
	}

	build() {
		const { clientWidth: width, clientHeight: height } = this.canvas;
		this.plot?.destroy();
		this.plot = null;
		if (width === 0)
			return;
		this.plot = new uPlot({
			width, height, legend: { show: false }, padding: [8, 8, 0, 0],
			cursor: { y: false, drag: { x: false, y: false }, sync: { key: "overview" }, points: { size: 6 } },
			scales: { x: { time: true, range: () => this.range }, y: SCALES[this.spec.scale](this.spec) },
			axes: this.axes(),
			series: [{}, ...this.spec.series.map((s) => ({ label: s.label, stroke: colour(s.colour), width: 1.5, spanGaps: false, points: { size: 4, filter: dots } }))],
			hooks: { setCursor: [(u) => this.words(u.cursor.idx)] },
		}, this.data, this.canvas);
	}

	fit() {
		const { clientWidth: width, clientHeight: height } = this.canvas;
		if (this.plot === null)
			this.build();
		else if (width > 0 && (this.plot.width !== width || this.plot.height !== height))
			this.plot.setSize({ width, height });
	}

	update(history, from, to) {
		this.data = history.data(this.spec.series.map((s) => s.field), from);
		this.range = [from, to];
		this.plot?.setData(this.data);
		this.nothing.hidden = this.data.slice(1).some((column) => column.some((v) => v !== null));
		this.words(this.plot?.cursor.idx ?? null);
	}

	/* The legend says what is under the pointer, else what is now. */
	words(index) {
		const pointed = index !== null && index !== undefined && this.plot?.cursor.left >= 0;
		const at = pointed ? index : this.data[0].length - 1;
		this.values.forEach((node, i) => fill(node, this.spec.format(this.data[i + 1][at] ?? null)));
		fill(this.when, pointed ? clock(this.data[0][at]) : "");
	}

	point(index) {
		if (!this.plot)
			return;
		const left = index === null ? -10 : this.plot.valToPos(this.data[0][index], "x");
		this.plot.setCursor({ left, top: index === null ? -10 : 1 });
	}

	key(event) {
		const last = this.data[0].length - 1;
		const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 };
		if (last < 0 || !this.plot || !(event.key in steps || ["Home", "End", "Escape"].includes(event.key)))
			return;
		event.preventDefault();
		const here = this.plot.cursor.left >= 0 ? this.plot.cursor.idx ?? last : last + 1;
		const to = event.key === "Home" ? 0 : event.key === "End" ? last : Math.min(last, Math.max(0, here + (steps[event.key] ?? 0)));
		this.point(event.key === "Escape" ? null : to);
		if (event.key !== "Escape")
			fill(this.spoken, `${clock(this.data[0][to])}: ${this.spec.series.map((s, i) => `${s.label} ${this.spec.format(this.data[i + 1][to] ?? null)}`).join(", ")}`);
	}
}
