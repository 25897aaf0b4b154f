// SPDX-License-Identifier: Apache-2.0
// app.js - the page put together: one poller for all numbers, three views, and the address that says which one.

import { Browse } from "./browse.js";
import { Connection } from "./connection.js";
import { History } from "./history.js";
import { getJson, getText } from "./http.js";
import { Jobs } from "./jobs.js";
import { Metrics } from "./metrics.js";
import { Overview } from "./overview.js";
import { Poller } from "./poller.js";
import { Router } from "./router.js";
import { derive, Reading } from "./sample.js";
import { themeSwitch } from "./theme.js";

const STALE_MS = 60000;                               /* what lies between two readings further apart is no point of a chart */
const MAX_VALUE = 16 << 20;                           /* until the server has said its own */

const $ = (id) => document.getElementById(id);
const past = new History();
let last = null;
let stats = null;
let lastKeys = "#/keys";

const poller = new Poller(async (signal, onslow) => {
	const [text, numbers] = await Promise.all([getText("/metrics", { signal, onslow }), getJson("/v1/stats", { signal })]);
	return { reading: new Reading(new Metrics(text), Date.now()), stats: numbers };
});

const overview = new Overview();
const browse = new Browse(() => stats?.max_value_size ?? MAX_VALUE);
const jobs = new Jobs();
const views = { overview, keys: browse, jobs };

function show(place, first) {
	const name = Object.hasOwn(views, place.view) ? place.view : "overview";
	for (const [n, view] of Object.entries(views)) {
		const hidden = n !== name;
		if (hidden && !view.node.hidden)
			view.hide?.();
		view.node.hidden = hidden;
		$(`to-${n}`).toggleAttribute("aria-current", false);
	}
	$(`to-${name}`).setAttribute("aria-current", "page");
	if (name === "keys")
		lastKeys = location.hash;
	$("to-keys").href = name === "keys" ? "#/keys" : lastKeys;      /* back to where one was; from there to the beginning */
	document.title = `${$(`to-${name}`).textContent} – Siltstone`;
	views[name].show?.(place, first);
	if (name === "overview")
		overview.draw();
}

poller.addEventListener("answer", ({ detail }) => {
	const { reading } = detail;
	stats = detail.stats;
	const point = last && reading.at - last.at < STALE_MS ? derive(last, reading) : null;
	if (point)
		past.add(reading.at, point);
	else
		past.gap(last ? last.at + 1 : reading.at);
	last = reading;
	overview.update(reading, stats, past);
});
poller.addEventListener("trouble", () => past.gap(Date.now()));

new Connection($("connection"), $("banner"), poller);
themeSwitch($("theme"));
for (const view of Object.values(views)) {
	view.node.hidden = true;
	$("views").append(view.node);
}
const router = new Router(show, { now: () => browse.mayLeaveNow(), ask: () => browse.askLeave() });
browse.router = router;
document.querySelector(".skip").addEventListener("click", (e) => {
	e.preventDefault();                           /* the address says where one is, not where the focus is */
	$("views").focus();
});
addEventListener("beforeunload", (e) => browse.mayLeaveNow() || e.preventDefault());
router.begin();
poller.now();
