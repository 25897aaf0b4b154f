// SPDX-License-Identifier: Apache-2.0
// harness.mjs - a browser, `ok` and `not ok`, pictures, and the other side of run's pipe. What a page complains about is kept.

import { readSync, writeSync } from "node:fs";
import { join } from "node:path";

const { chromium } = await import(process.env.UI_TOOLS);
export const base = process.env.UI_URL;
const PATIENCE_MS = 30000;

let failures = 0;
export const failed = () => failures;

/* One thing that must hold: fn may wait for it. */
export async function check(name, fn) {
	const begun = Date.now();
	try {
		const found = await fn();
		if (found === false)
			throw new Error("it does not hold");
		console.log(`ok - ${name}`);
		if (Date.now() - begun > 1500)
			console.log(`# ${((Date.now() - begun) / 1000).toFixed(1)} s`);
	} catch (error) {
		failures++;
		console.log(`not ok - ${name}`);
		for (const line of String(error.message ?? error).split("\n").slice(0, 12))
			console.log(`    ${line}`);
	}
}

/* Asks again until it is so; says what it was at last. */
export async function until(what, fn, ms = PATIENCE_MS) {
	const end = Date.now() + ms;
	let last;
	for (;;) {
		last = await fn();
		if (last)
			return last;
		if (Date.now() > end)
			throw new Error(`not within ${ms / 1000} s: ${what}`);
		await new Promise((r) => setTimeout(r, 25));
	}
}
export const says = (locator, pattern) => until(`${pattern}`, async () => pattern.test(await locator.innerText({ timeout: PATIENCE_MS })))
	.catch(async (e) => { throw new Error(`${e.message}; it says "${(await locator.innerText()).slice(0, 200)}"`); });

export function equal(found, wanted) {
	const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
	if (a !== b)
		throw new Error(`found  ${a}\nwanted ${b}`);
}

/* ---- what only run can do ---- */

export function server(word) {
	writeSync(3, `${word}\n`);
	readSync(4, Buffer.alloc(16));
}

/* ---- the store, without the browser ---- */

export const put = async (key, value, { ttl, type } = {}) => {
	const r = await fetch(`${base}/v1/kv?key=${encodeURIComponent(key)}${ttl ? `&ttl=${ttl}` : ""}`, { method: "PUT", body: Buffer.from(value), headers: type ? { "Content-Type": type } : {} });
	if (!r.ok)
		throw new Error(`PUT ${key}: ${r.status}`);
};
export const get = async (key) => {
	const r = await fetch(`${base}/v1/kv?key=${encodeURIComponent(key)}`);
	return { status: r.status, text: await r.text(), type: r.headers.get("Content-Type"), expires: Number(r.headers.get("Silt-Expires-At")) };
};

/* ---- the browser ---- */

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });
const complaints = [];
const elsewhere = [];
export const complained = () => complaints;
export const wentElsewhere = () => elsewhere;
/* What the browser itself prints for an answer of 400 and above, where one is meant. */
let meant = null;
export const expectRefusals = (pattern) => { meant = pattern; };

export async function open(hash = "", options = {}) {
	const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, colorScheme: "light", ...options });
	context.setDefaultTimeout(PATIENCE_MS);
	await context.addInitScript(() => document.addEventListener("securitypolicyviolation", (e) => console.error(`CSP: ${e.violatedDirective} ${e.blockedURI}`)));
	const page = await context.newPage();
	page.on("console", (m) => {
		const resource = /^Failed to load resource/.test(m.text());
		if (["error", "warning"].includes(m.type()) && !(resource && meant?.test(m.text())))
			complaints.push(`${m.text()} (${m.location().url})`);
	});
	page.on("pageerror", (e) => complaints.push(e.stack));
	page.on("dialog", (d) => {
		complaints.push(`a dialog of the browser: ${d.message()}`);
		d.dismiss();
	});
	page.on("request", (r) => r.url().startsWith(`${base}/`) || elsewhere.push(r.url()));
	await page.goto(`${base}/ui/${hash}`);
	return page;
}
export const picture = (page, name, fullPage = true) => page.screenshot({ path: join(process.env.UI_PICTURES, `${name}.png`), fullPage });
export const close = () => browser.close();

/* One of a group of choices, by its label. */
export const pick = (scope, label) => scope.locator(".segments label").filter({ hasText: new RegExp(`^${label}$`) }).click();

/* Not at its next turn: now, as where the tab comes back. */
export const askNow = (page) => page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));

/* Nothing reaches beyond the right edge, no table beyond its card. */
export const fits = (page) => page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth &&
	[...document.querySelectorAll(".card > *")].every((e) => e.getBoundingClientRect().right <= e.parentElement.getBoundingClientRect().right));
