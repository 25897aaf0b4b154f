// SPDX-License-Identifier: Apache-2.0
// jobs.js - the third view: an operator's long work, how far it is, and the checkpoints that there are. For clients that nginx calls admin.

import { ask } from "./dialogs.js";
import { button, el, field, fill, tableRoles } from "./dom.js";
import { bytes, integer, moment, percent, seconds, span } from "./format.js";
import { call, describe, getJson, Problem } from "./http.js";

const KINDS = { compact: "Compaction", verify: "Verification", checkpoint: "Checkpoint" };
const WAIT_MS = 3600000;                              /* a flush may take as long as nginx lets it */
const RUNNING_MS = 1000;
const IDLE_MS = 5000;

const post = (path, onslow) => call(path, (r) => r.json(), { method: "POST", timeout: WAIT_MS, onslow });

function suggestedName() {
	const pad = (n) => String(n).padStart(2, "0");
	const t = new Date();
	return `${t.getFullYear()}-${pad(t.getMonth() + 1)}-${pad(t.getDate())}-${pad(t.getHours())}${pad(t.getMinutes())}${pad(t.getSeconds())}`;
}

function progress(job) {
	if (job.state === "running" && job.total)
		return [el("progress", { value: job.done, max: job.total, "aria-label": "Progress" }), ` ${percent(job.done / job.total)} of ${bytes(job.total)}`];
	if (job.state === "running")
		return [el("progress", { "aria-label": "Progress" })];
	if (job.error)
		return job.name ? `${job.name}: ${job.error}` : job.error;
	return job.kind === "verify" ? `${bytes(job.total)} read, nothing wrong` : job.kind === "checkpoint" ? `${job.name}, version ${job.version ?? "–"}` : "";
}

function took(job) {
	if (!job.begun_at)
		return "";
	const s = ((job.ended_at ?? Date.now()) - job.begun_at) / 1000;
	return s < 60 ? seconds(Math.max(0, s)) : span(s);
}

export class Jobs {
	constructor() {
		this.timer = null;
		this.shown = false;
		this.name = el("input", { type: "text", value: suggestedName(), pattern: "[A-Za-z0-9_\\-][A-Za-z0-9._\\-]*", maxlength: 200, required: true, autocomplete: "off", spellcheck: "false" });
		this.status = el("div", { class: "form-status", role: "status" });
		this.refused = el("div", { class: "card trouble", role: "alert", hidden: true });
		this.jobs = el("tbody");
		this.checkpoints = el("tbody");
		this.noJobs = el("p", { class: "note" }, "None since the server started.");
		this.noCheckpoints = el("p", { class: "note" }, "There are none.");
		this.work = el("div", { class: "work" }, this.actions(), this.status, this.tables());
		this.node = el("div", { class: "jobs" }, el("div", { class: "head" }, el("h1", {}, "Jobs")), this.refused, this.work);
	}

	actions() {
		const act = (text, words, go) => el("section", { class: "card act", "aria-label": text }, el("h2", {}, text), el("p", { class: "note" }, words), go);
		const checkpoint = el("form", { onsubmit: (e) => {
			e.preventDefault();
			this.start("checkpoint", `/v1/admin/checkpoint?name=${encodeURIComponent(this.name.value)}`);
		} }, field("Name", this.name), el("button", { type: "submit", class: "primary" }, "Make a checkpoint"));
		const plain = (label, what) => button(label, () => this.start(what, `/v1/admin/${what}`));
		return el("div", { class: "acts" },
			act("Checkpoint", "The store as it is now, by hard links: a store of its own, to be copied away.", checkpoint),
			act("Verify", "Reads and checks every byte of every table, while the server serves.", plain("Verify all tables", "verify")),
			act("Compact", "Merges all levels into one: what was deleted or replaced gives its space back.", plain("Compact the store", "compact")),
			act("Flush", "Writes what is in memory into a table, so that less log is to be replayed.", plain("Flush memory", "flush")));
	}

	tables() {
		const head = (...names) => el("thead", {}, el("tr", {}, names.map((n) => el("th", { scope: "col" }, n))));
		return el("div", { class: "tables" },
			el("section", { class: "card", "aria-labelledby": "jobs-title" }, el("header", {}, el("h2", { id: "jobs-title" }, "Latest jobs")),
				el("table", { "aria-labelledby": "jobs-title" }, head("Job", "State", "Began", "Took", "Result"), this.jobs), this.noJobs),
			el("section", { class: "card", "aria-labelledby": "checkpoints-title" }, el("header", {}, el("h2", { id: "checkpoints-title" }, "Checkpoints")),
				el("table", { "aria-labelledby": "checkpoints-title" }, head("Name", "Version", "Tables", "Bytes", ""), this.checkpoints), this.noCheckpoints));
	}

	show() {
		this.shown = true;
		this.load();
	}

	hide() {
		this.shown = false;
		clearTimeout(this.timer);
	}

	/* Nobody looks at a hidden tab; the rest is the poller's to say. */
	async load() {
		clearTimeout(this.timer);
		let wait = IDLE_MS;
		try {
			if (!document.hidden) {
				const [jobs, checkpoints] = await Promise.all([getJson("/v1/admin/jobs"), getJson("/v1/admin/checkpoints")]);
				wait = jobs.jobs.some((j) => j.state === "running" || j.state === "queued") ? RUNNING_MS : IDLE_MS;
				this.admit(jobs.jobs, checkpoints.checkpoints);
			}
		} catch (problem) {
			this.refuse(problem);
		}
		if (this.shown)
			this.timer = setTimeout(() => this.load(), wait);
	}

	admit(jobs, checkpoints) {
		this.refused.hidden = true;
		this.work.hidden = false;
		this.noJobs.hidden = jobs.length > 0;
		this.noCheckpoints.hidden = checkpoints.length > 0;
		this.jobs.parentElement.hidden = jobs.length === 0;
		this.checkpoints.parentElement.hidden = checkpoints.length === 0;
		fill(this.jobs, [...jobs].sort((a, b) => (b.begun_at ?? Infinity) - (a.begun_at ?? Infinity)).map((j) => el("tr", {},
			el("th", { scope: "row" }, KINDS[j.kind] ?? j.kind), el("td", {}, el("span", { class: "badge", "data-state": j.error ? "bad" : j.state }, j.error ? "failed" : j.state)),
			el("td", { "data-label": "at" }, j.begun_at ? moment(j.begun_at) : "–"), el("td", { "data-label": "took" }, took(j)), el("td", {}, progress(j)))));
		tableRoles(this.jobs.parentElement);
		const words = JSON.stringify(checkpoints);
		if (words === this.known)
			return;                               /* a button in it may have the focus */
		this.known = words;
		fill(this.checkpoints, checkpoints.map((c) => el("tr", {},
			el("th", { scope: "row" }, c.name, c.damaged ? el("span", { class: "badge", "data-state": "bad" }, "damaged") : null),
			el("td", { "data-label": "version" }, c.version), el("td", { "data-label": "tables" }, integer(c.tables)), el("td", {}, bytes(c.bytes)),
			el("td", { class: "end" }, button("Delete…", () => this.remove(c), { class: "small danger", "aria-label": `Delete checkpoint ${c.name}` })))));
		tableRoles(this.checkpoints.parentElement);
	}

	refuse(problem) {
		if (problem.status !== 401 && problem.status !== 403)
			return;                               /* the banner says it */
		this.work.hidden = true;
		this.refused.hidden = false;
		const words = [el("p", {}, el("strong", {}, problem.title)), el("p", {}, problem.detail), el("p", { class: "note" }, "Who is admin is decided by nginx: see siltstone-roles.conf.")];
		if (this.refused.textContent !== words.map((w) => w.textContent).join(""))
			fill(this.refused, words);
	}

	say(kind, text) {
		this.status.dataset.kind = kind;
		fill(this.status, el("p", {}, text));
	}

	async start(what, path) {
		const soon = setTimeout(() => this.load(), 300);
		this.say("", "Asked for…");
		try {
			const answer = await post(path, () => this.say("", "It takes a while; still waiting."));
			this.say("good", what === "flush" ? `Flushed: ${integer(answer.flushed_entries)} entries.` : answer.message);
			if (what === "checkpoint")
				this.name.value = suggestedName();
		} catch (problem) {
			this.say("bad", problem instanceof Problem ? describe(problem) : problem.message);
		}
		clearTimeout(soon);
		if (this.shown)
			this.load();
	}

	async remove(checkpoint) {
		const answer = await ask("Delete this checkpoint?", [el("p", {}, checkpoint.name), el("p", { class: "note" }, `Version ${checkpoint.version}, ${bytes(checkpoint.bytes)}. The store itself is not touched.`)],
			[["keep", "Keep it"], ["delete", "Delete", "danger"]]);
		if (answer !== "delete")
			return;
		try {
			await call(`/v1/admin/checkpoints/${encodeURIComponent(checkpoint.name)}`, async () => null, { method: "DELETE" });
			this.say("good", `${checkpoint.name} is deleted.`);
		} catch (problem) {
			this.say("bad", describe(problem));
		}
		this.load();
	}
}
