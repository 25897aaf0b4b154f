// SPDX-License-Identifier: Apache-2.0
// poller.js - asks again and again: at an even pace while there are answers, ever more rarely while there are none, and not at all
// while nobody looks.

const EVERY_MS = 2000;
const MOST_MS = 30000;

export class Poller extends EventTarget {
	/* ask(signal, onslow): a promise of whatever `answer` then carries. Events: answer {detail: it}, trouble {detail: {problem, next}}, slow. */
	constructor(ask) {
		super();
		this.ask = ask;
		this.failed = 0;
		this.timer = null;
		this.running = null;
		document.addEventListener("visibilitychange", () => (document.hidden ? this.stop() : this.now()));
		addEventListener("online", () => this.now());
	}

	tell(type, detail) {
		this.dispatchEvent(new CustomEvent(type, { detail }));
	}

	stop() {
		clearTimeout(this.timer);
		this.timer = null;
		this.running?.abort();
		this.running = null;
	}

	later(ms) {
		clearTimeout(this.timer);
		this.timer = setTimeout(() => this.now(), ms);
	}

	async now() {
		this.stop();
		if (document.hidden)
			return;
		const mine = new AbortController();
		const begun = performance.now();
		this.running = mine;
		try {
			const answer = await this.ask(mine.signal, () => this.running === mine && this.tell("slow"));
			if (this.running !== mine)
				return;
			this.failed = 0;
			this.later(Math.max(EVERY_MS / 4, EVERY_MS - (performance.now() - begun)));
			this.tell("answer", answer);
		} catch (problem) {
			if (this.running !== mine || problem.name === "AbortError")
				return;
			const wait = Math.max(Math.min(MOST_MS, EVERY_MS * 2 ** this.failed++), (problem.retryAfter ?? 0) * 1000);
			this.later(wait);
			this.tell("trouble", { problem, next: Date.now() + wait });
		} finally {
			if (this.running === mine)
				this.running = null;
		}
	}
}
