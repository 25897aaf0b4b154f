// SPDX-License-Identifier: Apache-2.0
// overview.mjs - tiles, charts, layers and stalls, with something going on; light, dark, and on a phone.

import { base, check, equal, fits, get, open, pick, picture, put, says, until } from "./harness.mjs";

/* Some writes and reads until told to stop, so that there is something to chart. */
function traffic() {
	let going = true;
	const work = (async () => {
		for (let i = 0; going; i++) {
			await put(`load/${i % 500}`, `value ${i} `.repeat(20));
			await get(`load/${(i * 7) % 500}`);
			if (i === 20)
				await fetch(`${base}/v1/admin/flush`, { method: "POST" });
			await new Promise((r) => setTimeout(r, 5));
		}
	})();
	return async () => {
		going = false;
		await work;
	};
}

const tile = (page, name) => page.locator(".tile", { hasText: name }).locator(".value");
const chart = (page, title) => page.locator(".chart", { has: page.locator("h2", { hasText: title }) });
const lines = (page) => page.locator(".chart canvas").evaluateAll((all) => all.filter((c) => {
	const copy = new OffscreenCanvas(c.width, c.height).getContext("2d", { willReadFrequently: true });
	copy.drawImage(c, 0, 0);
	const { data } = copy.getImageData(0, 0, c.width, c.height);
	const seen = new Set();
	for (let i = 0; i < data.length; i += 4)
		if (data[i + 3] > 200 && Math.max(data[i], data[i + 1], data[i + 2]) - Math.min(data[i], data[i + 1], data[i + 2]) > 60)
			seen.add(i);
	return seen.size > 20;
}).length);

async function switchTheme(page) {
	const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
	await check("dark by the switch, and remembered", async () => {
		const light = await ground();
		await page.getByLabel("Colours").selectOption("dark");
		const dark = await ground();
		await page.reload();
		equal([dark !== light, await ground(), await page.getByLabel("Colours").inputValue()], [true, dark, "dark"]);
	});
	await page.getByLabel("Colours").selectOption("system");
	await check("as the system has it", async () => {
		await page.emulateMedia({ colorScheme: "dark" });
		const dark = await ground();
		await page.emulateMedia({ colorScheme: "light" });
		return dark !== await ground();
	});
}

async function firstPage(page) {
	await page.goto(`${base}/`);
	await picture(page, "first-page", false);
	await check("the first page leads to the dashboard", async () => {
		await page.getByRole("link", { name: "Open the dashboard" }).click();
		await says(page.locator("h1:visible"), /^Overview$/);
		return page.url().startsWith(`${base}/ui/`);
	});
}

export async function testOverview() {
	const page = await open("");
	await firstPage(page);
	const stop = traffic();
	await says(page.locator("#connection"), /^Live$/);
	await check("the server is live", () => true);
	await check("operations a second are counted", () => until("a number", async () => Number((await tile(page, "Operations a second").innerText()).replaceAll(",", "")) > 1));
	await check("write latency is known", () => says(tile(page, "Write latency"), /^[\d.]+ (µs|ms|s)$/));
	await check("its own polls are no operations", async () => /^\d/.test(await tile(page, "Newest version").innerText()));
	await check("the layers have what was flushed", () => until("a table in level 0 or 1", async () => {
		const tables = await page.locator(".levels tfoot td.number").first().innerText();
		return Number(tables) >= 1;
	}));
	await check("a brick is a table", async () => await page.locator(".levels .bricks i").count() >= 2);
	await check("each reason to wait has its row", async () => equal(await page.locator(".stalls tbody code").allInnerTexts(), ["pace", "memtable", "level0", "debt", "segment"]));
	await check("the charts have lines", () => until("five charts with lines", async () => await lines(page) >= 5));
	await check("legends say what is now", () => says(chart(page, "Log syncs"), /p50\s*[\d.]+ (µs|ms|s)/));
	await check("the pointer asks for a time", async () => {
		const plot = chart(page, "Operations").locator(".u-over");
		await plot.hover({ position: { x: (await plot.boundingBox()).width - 30, y: 50 } });
		await says(chart(page, "Operations").locator(".when"), /^\d\d:\d\d:\d\d$/);
	});
	await check("so do the arrow keys", async () => {
		await chart(page, "Write latency").locator(".plot").focus();
		await page.keyboard.press("End");
		await says(chart(page, "Write latency").locator("[aria-live]"), /^\d\d:\d\d:\d\d: p50 /);
		await page.keyboard.press("Escape");
	});
	await check("another span of time", async () => {
		await pick(page, "1 min");
		return page.getByLabel("1 min").isChecked();
	});
	await stop();
	await page.mouse.move(0, 0);
	await picture(page, "overview-light");
	await page.emulateMedia({ colorScheme: "dark" });
	await until("drawn again", async () => await lines(page) >= 5);
	await picture(page, "overview-dark");
	await page.setViewportSize({ width: 320, height: 640 });
	await check("it fits a phone", () => until("no wider than the screen", () => fits(page)));
	await picture(page, "overview-phone");
	await page.setViewportSize({ width: 1280, height: 900 });
	await page.emulateMedia({ colorScheme: "light" });
	await switchTheme(page);
	await check("a hidden tab is not asked for", async () => {
		const asked = [];
		page.on("request", (r) => asked.push(r.url()));
		await page.evaluate(() => {
			Object.defineProperty(document, "hidden", { configurable: true, get: () => true });
			document.dispatchEvent(new Event("visibilitychange"));
		});
		const before = asked.length;
		await new Promise((r) => setTimeout(r, 2500));
		const while_hidden = asked.length - before;
		await page.evaluate(() => {
			delete document.hidden;
			document.dispatchEvent(new Event("visibilitychange"));
		});
		await until("asked again", () => asked.length > before);
		equal(while_hidden, 0);
	});
	await page.context().close();
}
