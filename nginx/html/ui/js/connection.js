// SPDX-License-Identifier: Apache-2.0
// connection.js - how the server is, as the header and the banner below it say: live, slow, away, or what it says of itself.

import { button, el, fill } from "./dom.js";
import { span } from "./format.js";

const WORDS = { 0: "Offline", 401: "Login needed", 403: "Not allowed", 421: "Wrong host", 429: "Too many requests", 502: "Not running", 503: "Unavailable", 504: "No answer" };

export class Connection {
	constructor(pill, banner, poller) {
		this.pill = pill;
		this.banner = banner;
		this.poller = poller;
		this.ticker = null;
		this.said = "";
		poller.addEventListener("answer", (e) => this.answered(e.detail));
		poller.addEventListener("slow", () => this.slow());
		poller.addEventListener("trouble", (e) => this.trouble(e.detail));
	}

	show(state, word) {
		this.pill.dataset.state = state;
		document.body.dataset.connection = state;
		if (this.pill.textContent !== word)
			fill(this.pill, word);
	}

	/* The same again changes nothing: it is not read out again, and the button keeps the focus. */
	say(kind, title, detail = "", ...rest) {
		clearInterval(this.ticker);
		const words = `${kind}|${title}|${detail}`;
		if (words === this.said)
			return;
		this.said = words;
		this.banner.dataset.kind = kind;
		this.banner.hidden = title === "";
		fill(this.banner, title && el("p", { role: kind === "bad" ? "alert" : "status" }, el("strong", {}, title), " ", detail), ...rest);
	}

	/* The server answers; whether it takes writes is another matter. */
	answered({ stats }) {
		if (stats.fault) {
			this.show("bad", "Read-only");
			this.say("bad", "Writes are refused:", `${stats.fault}. What is stored can still be read.`);
		} else if (stats.stall_reason) {
			this.show("slow", "Writes wait");
			this.say("slow", "Writes wait:", `${stats.stall_reason}.`);
		} else {
			this.show("live", "Live");
			this.say("", "");
		}
	}

	slow() {
		this.show("slow", "Slow");
		this.say("slow", "The server is slow.", "It has not answered for three seconds; still waiting.");
	}

	trouble({ problem, next }) {
		this.show("bad", WORDS[problem.status] ?? `Error ${problem.status}`);
		this.say("bad", `${problem.title}.`, problem.detail, el("span", { class: "countdown" }), button("Try now", () => this.poller.now(), { class: "small" }));
		const count = () => fill(this.banner.querySelector(".countdown"), `Next try in ${span((next - Date.now()) / 1000)}`);
		count();
		this.ticker = setInterval(count, 1000);
	}
}
