// SPDX-License-Identifier: Apache-2.0
// overview.js - the first view: tiles, charts, layers, stalls.

import { Chart } from "./chart.js";
import { choice, el } from "./dom.js";
import { figures, percent, seconds } from "./format.js";
import { Levels } from "./levels.js";
import { STALL_REASONS } from "./sample.js";
import { Stalls } from "./stalls.js";
import { Tiles } from "./tiles.js";

const WINDOWS = [["60", "1 min"], ["300", "5 min"], ["1800", "30 min"]];

const LEAST_S = 60;                                   /* at first the charts show no more time than there is something of */

const CHARTS = [
	{ title: "Operations a second", scale: "linear", least: 10, format: figures,
		series: [["reads", "Reads", "--c1"], ["writes", "Writes", "--c2"], ["failures", "Failed (5xx)", "--c3"]] },
	{ title: "Write latency", third: true, scale: "log", format: seconds,
		series: [["write50", "p50", "--c1"], ["write95", "p95", "--c2"], ["write99", "p99", "--c3"]] },
	{ title: "Read latency", third: true, scale: "log", format: seconds,
		series: [["read50", "p50", "--c1"], ["read95", "p95", "--c2"], ["read99", "p99", "--c3"]] },
	{ title: "Log syncs to disk", third: true, scale: "log", format: seconds,
		series: [["sync50", "p50", "--c1"], ["sync99", "p99", "--c3"]] },
	{ title: "Cache and filters", scale: "share", format: percent,
		series: [["cache", "Blocks found in cache", "--c1"], ["filter", "Tables ruled out by filters", "--c2"]] },
	{ title: "Amplification", scale: "linear", least: 2, format: figures,
		series: [["writeAmp", "Write", "--c2"], ["spaceAmp", "Space", "--c1"], ["readAmp", "Read", "--c4"]] },
	{ title: "Writes waiting, share of time", scale: "linear", least: 0.05, format: percent,
		series: Object.keys(STALL_REASONS).map((r, i) => [`stall_${r}`, r, `--c${i + 1}`]) },
];

export class Overview {
	constructor() {
		this.window = 300;
		this.tiles = new Tiles();
		this.levels = new Levels();
		this.stalls = new Stalls();
		this.charts = CHARTS.map((c) => new Chart({ ...c, series: c.series.map(([field, label, colour]) => ({ field, label, colour })) }));
		this.latest = null;
		const [operations, ...rest] = this.charts.map((c) => c.node);
		this.node = el("div", { class: "overview" },
			el("div", { class: "head" }, el("h1", {}, "Overview"),
				choice("Time shown in the charts", WINDOWS, String(this.window), (v) => {
					this.window = Number(v);
					this.draw();
				})),
			this.tiles.node,
			el("div", { class: "grid" }, operations, this.levels.node, rest, this.stalls.node));
	}

	update(reading, stats, history) {
		this.latest = { reading, stats, history };
		this.draw();
	}

	draw() {
		if (!this.latest || this.node.hidden)
			return;
		const { reading, stats, history } = this.latest;
		const to = Date.now() / 1000;
		const from = to - Math.min(this.window, Math.max(LEAST_S, to - (history.time[0] ?? to)));
		this.tiles.update(reading.metrics, stats, history);
		this.levels.update(reading.metrics);
		this.stalls.update(reading.metrics, stats);
		this.charts.forEach((c) => c.update(history, from, to));
	}
}
