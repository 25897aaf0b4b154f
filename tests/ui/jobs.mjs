// SPDX-License-Identifier: Apache-2.0
// jobs.mjs - an operator's work: each kind is started, seen, and done; and what a client who is no admin is told.

import { base, check, equal, expectRefusals, fits, open, picture, says, until } from "./harness.mjs";

const status = (page) => page.locator(".jobs .form-status");
const row = (page, name) => page.locator(".tables tbody tr", { has: page.locator("th", { hasText: name }) }).first();
const checkpoints = async () => (await (await fetch(`${base}/v1/admin/checkpoints`)).json()).checkpoints.map((c) => c.name);

export async function testJobs() {
	const page = await open("#/jobs");
	await until("the work", () => page.locator(".work").isVisible());
	await page.getByRole("button", { name: "Flush memory" }).click();
	await check("flush", () => says(status(page), /Flushed: [\d,]+ entries/));
	await page.getByRole("button", { name: "Verify all tables" }).click();
	await check("verify", async () => {
		await says(status(page), /nothing is wrong/);
		await says(row(page, "Verification"), /done[^]*nothing wrong/);
	});
	await page.getByRole("button", { name: "Compact the store" }).click();
	await check("compact", async () => {
		await says(status(page), /Compacted/);
		await says(row(page, "Compaction"), /done/);
	});
	await page.getByLabel("Name").fill("tuesday");
	await page.getByRole("button", { name: "Make a checkpoint" }).click();
	await check("a checkpoint", async () => {
		await says(row(page, "tuesday"), /\d/);
		equal(await checkpoints(), ["tuesday"]);
	});
	expectRefusals(/\b409\b/);
	await page.getByLabel("Name").fill("tuesday");
	await page.getByRole("button", { name: "Make a checkpoint" }).click();
	await check("its name can't be given twice", () => says(status(page), /There is a checkpoint of this name/));
	expectRefusals(null);
	await picture(page, "jobs-light");
	await page.emulateMedia({ colorScheme: "dark" });
	await picture(page, "jobs-dark");
	await page.setViewportSize({ width: 320, height: 640 });
	await check("it fits a phone", () => fits(page));
	await picture(page, "jobs-phone");
	await page.setViewportSize({ width: 1280, height: 900 });
	await page.getByRole("button", { name: "Delete checkpoint tuesday" }).click();
	await check("it asks before a checkpoint goes", () => says(page.getByRole("dialog"), /Delete this checkpoint\?[^]*tuesday/));
	await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
	await check("then it goes", async () => {
		await says(status(page), /tuesday is deleted/);
		equal(await checkpoints(), []);
	});
	await page.context().close();

	/* The job's own words while it runs: the server's are over too soon to be looked at. */
	const running = await open("");
	await running.route("**/v1/admin/jobs", (route) => route.fulfill({ json: { jobs: [{ id: "1", kind: "verify", state: "running", done: 25, total: 100, begun_at: Date.now() - 5000 }] } }));
	await running.locator("#to-jobs").click();
	await check("how far a job is", async () => {
		await says(row(running, "Verification"), /running[^]*25 % of 100 B/);
		equal(await running.locator("progress").evaluate((p) => p.value / p.max), 0.25);
	});
	await running.context().close();

	expectRefusals(/\b403\b/);
	const guest = await open("#/jobs", { extraHTTPHeaders: { "X-Forwarded-For": "192.0.2.1" } });
	await check("who is no admin is told so, and is offered nothing", async () => {
		await says(guest.locator(".jobs .trouble"), /This client may not do that[^]*needs the role admin/);
		equal(await guest.getByRole("button", { name: "Verify all tables" }).isVisible(), false);
	});
	await picture(guest, "jobs-forbidden", false);
	expectRefusals(null);
	await guest.context().close();
}
