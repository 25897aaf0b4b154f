// SPDX-License-Identifier: Apache-2.0
// http.js - every request of the dashboard: an answer, or a Problem that says what went wrong and whether a write may have happened.

const SLOW_MS = 3000;
const TIMEOUT_MS = 30000;

export class Problem extends Error {
	constructor(status, title, detail = "", more = {}) {
		super(title);
		this.status = status;         /* 0 = no answer at all */
		this.title = title;
		this.detail = detail;
		this.type = (more.type ?? "about:blank").replace(/^urn:siltstone:problem:/, "");
		this.retryAfter = more.retryAfter ?? null;
		this.unknown = more.unknown ?? false;         /* a write: nobody knows whether it was done */
		this.etag = more.etag ?? null;
	}
}

/* What a 4xx or 5xx says about itself; something between may have answered in HTML. */
async function problemOf(response, writes) {
	const status = response.status;
	let words = {};
	try {
		if (/^application\/problem\+json/i.test(response.headers.get("Content-Type") ?? ""))
			words = await response.json();
	} catch {
		// cut short: the status is what there is
	}
	return new Problem(status, words.title ?? `${status} ${response.statusText}`.trim(), words.detail ?? "", {
		type: words.type,
		retryAfter: Number(response.headers.get("Retry-After")) || null,
		unknown: words.outcome === "unknown" || (writes && [500, 502, 504].includes(status)),
		etag: response.headers.get("ETag"),
	});
}

function noAnswer(error, late, writes) {
	if (late)
		return new Problem(0, "No answer in time", "The server was asked and said nothing.", { unknown: writes });
	if (error.name === "AbortError")
		return error;
	if (error instanceof SyntaxError)
		return new Problem(0, "This answer is not Siltstone's", "Something else answers at this address.", { unknown: writes });
	return new Problem(0, "The server can't be reached", "It is not running, or the network between is down.", { unknown: writes });
}

/* options: method, headers, body, signal; onslow() is called once where it takes longer than three seconds; timeout in ms, which the body
   is in too: read(response) turns it into what is wanted. */
export async function call(path, read, options = {}) {
	const { onslow, signal, timeout = TIMEOUT_MS, ...rest } = options;
	const writes = !["GET", "HEAD"].includes(rest.method ?? "GET");
	const stop = new AbortController();
	const abort = () => stop.abort();
	let late = false;
	const slow = setTimeout(() => onslow?.(), SLOW_MS);
	const end = setTimeout(() => {
		late = true;
		stop.abort();
	}, timeout);
	signal?.addEventListener("abort", abort);
	try {
		if (signal?.aborted)
			stop.abort();
		const response = await fetch(path, { cache: "no-store", credentials: "same-origin", redirect: "error", ...rest, signal: stop.signal });
		if (!response.ok)
			throw await problemOf(response, writes);
		return await read(response);
	} catch (error) {
		throw error instanceof Problem ? error : noAnswer(error, late, writes);
	} finally {
		clearTimeout(slow);
		clearTimeout(end);
		signal?.removeEventListener("abort", abort);
	}
}

export const getJson = (path, options) => call(path, (r) => r.json(), options);
export const getText = (path, options) => call(path, (r) => r.text(), options);

/* What a person is told: the title, and the reason where there is one. */
export const describe = (problem) => (problem.detail ? `${problem.title}: ${problem.detail}` : problem.title);
