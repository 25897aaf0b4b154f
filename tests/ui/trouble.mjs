// SPDX-License-Identifier: Apache-2.0
// trouble.mjs - a server that is slow, away, or says no: each is said as what it is, and when it is over, it is over by itself.

import { askNow, check, equal, expectRefusals, open, picture, put, says, server, until } from "./harness.mjs";

const pill = (page) => page.locator("#connection");
const banner = (page) => page.locator("#banner");
const again = (page) => page.getByRole("button", { name: "Try now" }).click();
const problem = (status, title, detail) => (route) => route.fulfill({ status, contentType: "application/problem+json", body: JSON.stringify({ type: "urn:siltstone:problem:x", title, status, detail }) });

async function refusals(page) {
	for (const [status, word, title] of [[401, "Login needed", "Who are you?"], [403, "Not allowed", "This client may not do that"], [503, "Unavailable", "Shutting down"]]) {
		await page.route("**/metrics", problem(status, title, "Words of the server."));
		await askNow(page);
		await check(`${status} is shown by its title`, async () => {
			await says(pill(page), new RegExp(`^${word}$`));
			await says(banner(page), new RegExp(`${title.replace("?", "\\?")}[^]*Words of the server[^]*Next try in`));
		});
		await page.unroute("**/metrics");
		await again(page);
		await check(`and is over after ${status}`, async () => {
			await says(pill(page), /^Live$/);
			return !await banner(page).isVisible();
		});
	}
	await page.route("**/metrics", (route) => route.fulfill({ status: 502, contentType: "text/html", body: "<h1>Bad Gateway</h1>" }));
	await askNow(page);
	await check("HTML from something between is no markup here", async () => {
		await says(banner(page), /502 Bad Gateway/);
		equal(await banner(page).locator("h1").count(), 0);
	});
	await page.unroute("**/metrics");
	await again(page);
	await says(pill(page), /^Live$/);
}

async function refusedWrite() {
	const page = await open("#/keys?key=trouble");
	await page.route("**/v1/kv?*", (route) => (route.request().method() === "GET" || route.request().method() === "HEAD" ? route.continue()
		: problem(403, "This client may not do that", "This needs the role write.")(route)));
	await page.getByRole("button", { name: "Edit" }).click();
	await page.locator("textarea").fill("not allowed");
	await page.locator(".editor button[type=submit]").click();
	await check("a write that is refused says why", () => says(page.locator(".editor .form-status"), /^This client may not do that: This needs the role write\.$/));
	await page.getByRole("button", { name: "Cancel" }).click();
	await page.getByRole("button", { name: "Throw it away" }).click();
	await page.getByRole("button", { name: "Delete…" }).click();
	await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
	await check("and so does a delete", () => says(page.locator(".entry .form-status"), /This client may not do that/));
	await page.context().close();
}

async function states(page) {
	const stats = (change) => page.route("**/v1/stats", async (route) => {
		const response = await route.fetch();
		await route.fulfill({ response, json: { ...await response.json(), ...change } });
	});
	await stats({ fault: "read-only after a disk fault" });
	await askNow(page);
	await check("a store that takes no writes", () => says(banner(page), /Writes are refused:[^]*read-only after a disk fault/));
	await page.unroute("**/v1/stats");
	await stats({ stall_reason: "waiting for compaction of level 0" });
	await askNow(page);
	await check("writes that wait, and why", async () => {
		await says(pill(page), /^Writes wait$/);
		await says(page.locator(".stalls .now"), /Now: waiting for compaction of level 0/);
	});
	await page.unroute("**/v1/stats");
	await askNow(page);
	await says(pill(page), /^Live$/);
}

async function slowness(page) {
	server("hold");
	await check("a slow server is shown as slow", async () => {
		await says(pill(page), /^Slow$/);
		await says(banner(page), /The server is slow/);
	});
	await picture(page, "slow", false);
	server("go");
	await check("until it answers", () => says(pill(page), /^Live$/));
}

async function absence(page) {
	const form = await open("#/keys?key=trouble");
	await form.getByRole("button", { name: "Edit" }).click();
	await form.locator("textarea").fill("while it is away");
	server("stop");
	await check("a stopped server is shown", async () => {
		await says(pill(page), /^Offline$/);
		await says(banner(page), /The server can't be reached[^]*Next try in/);
	});
	await picture(page, "offline", false);
	await check("it is asked ever more rarely", () => until("more than five seconds", async () => {
		await askNow(page);
		return /in ([6-9]|\d\d) s/.test(await banner(page).innerText());
	}));
	await form.locator(".editor button[type=submit]").click();
	await check("a write whose outcome nobody knows says so", () => says(form.locator(".editor .form-status"), /Whether this was stored is not known/));
	await check("and what was written is still there", async () => equal(await form.locator("textarea").inputValue(), "while it is away"));
	await page.locator("#to-keys").click();
	await check("a list that can't be read says why", () => says(page.locator(".list-status"), /can't be reached/));
	server("start");
	await page.getByRole("button", { name: "Try again" }).click();
	await check("the list is back", () => until("a key", async () => await page.locator(".list tbody a").count() > 0));
	await again(page);
	await check("the page recovers", () => says(pill(page), /^Live$/));
	await form.locator(".editor button[type=submit]").click();
	await check("and the write goes on", () => says(form.locator("pre.value"), /^while it is away$/));
	await form.context().close();
}

export async function testTrouble() {
	expectRefusals(/status of (401|403|404|412|502|503)|net::ERR/);
	await put("trouble", "before");
	const page = await open("");
	await says(pill(page), /^Live$/);
	for (const part of [refusals, refusedWrite, states, slowness, absence])
		await part(page);
	expectRefusals(null);
	await page.context().close();
}
