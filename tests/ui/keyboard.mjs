// SPDX-License-Identifier: Apache-2.0
// keyboard.mjs - a walk without a mouse: from the top of the page to a new key, through its edit to its end, the focus always to be seen.

import { check, equal, expectRefusals, get, open, put, says, until } from "./harness.mjs";

const focused = (page) => page.evaluate(() => {
	const a = document.activeElement;
	return a === document.body ? "" : (a.getAttribute("aria-label") ?? a.labels?.[0]?.innerText ?? a.innerText ?? "").trim() || a.tagName;
});
/* The thing in focus, or the label that stands for it, has an outline or looks different otherwise. */
const visible = (page) => page.evaluate(() => {
	const a = document.activeElement;
	const seen = a.type === "radio" ? a.nextElementSibling : a;
	const style = getComputedStyle(seen);
	const box = seen.getBoundingClientRect();
	return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1 && box.width > 0 && box.height > 0;
});

export async function testKeyboard() {
	expectRefusals(/\b(404|412)\b/);
	for (const name of ["a", "b", "c"])
		await put(`walk/${name}`, name);
	const page = await open("");
	await says(page.locator("#connection"), /^Live$/);
	const hidden = [];
	/* Tab until the focus is on what is wanted; each stop on the way must be to be seen. */
	const tabTo = async (wanted, back = false) => {
		const way = [];
		for (let i = 0; i < 60; i++) {
			await page.keyboard.press(back ? "Shift+Tab" : "Tab");
			const here = await focused(page);
			way.push(here);
			if (!await visible(page))
				hidden.push(here);
			if (wanted.test(here))
				return here;
		}
		throw new Error(`no way by Tab to ${wanted}; past ${way.join(" | ")}`);
	};

	await check("the first stop leaps over the bar", async () => {
		await tabTo(/^To the content$/);
		await page.keyboard.press("Enter");
		equal(await page.evaluate(() => document.activeElement.id), "views");
	});
	await check("the charts are stops too", () => tabTo(/^DIV$|Operations/).then(() => true));
	await page.reload();
	await check("to the keys", async () => {
		await tabTo(/^Keys$/);
		await page.keyboard.press("Enter");
		await until("the keys", () => page.locator(".browse").isVisible());
	});
	await check("a prefix", async () => {
		await tabTo(/^Keys that begin with$/);
		await page.keyboard.type("walk/");
		await until("three keys", async () => await page.locator(".list tbody a").count() === 3);
	});
	await check("through the list by arrow, and into an entry", async () => {
		await tabTo(/^walk\/a$/);
		await page.keyboard.press("ArrowDown");
		equal(await focused(page), "walk/b");
		await page.keyboard.press("Enter");
		await says(page.locator("pre.value"), /^b$/);
		equal(await focused(page), "walk/b");
	});
	await check("another view by arrow", async () => {
		await tabTo(/^Text$/);
		await page.keyboard.press("ArrowRight");
		await page.keyboard.press("ArrowRight");
		await says(page.locator("pre.value"), /^000000 {2}62/);
	});
	await check("edit and save", async () => {
		await tabTo(/^Edit$/);
		await page.keyboard.press("Enter");
		equal(await focused(page), "Value");
		await page.keyboard.press("Control+A");
		await page.keyboard.type("written by hand");
		await page.keyboard.press("Control+Enter");
		await says(page.locator("pre.value"), /^written by hand$/);
		equal((await get("walk/b")).text, "written by hand");
	});
	await check("the focus stays in the entry", async () => equal(await focused(page), "walk/b"));
	await check("a form is left by Escape", async () => {
		await tabTo(/^Edit$/);
		await page.keyboard.press("Enter");
		await page.keyboard.press("Escape");
		await until("the entry", () => page.locator("pre.value").isVisible());
		equal(await focused(page), "walk/b");
	});
	await check("delete, and the focus is back in the list", async () => {
		await tabTo(/^Delete…$/);
		await page.keyboard.press("Enter");
		equal(await focused(page), "Keep it");
		await tabTo(/^Delete$/);
		await page.keyboard.press("Enter");
		await until("it is gone", async () => (await get("walk/b")).status === 404);
		await until("the list", async () => await page.locator(".list tbody a").count() === 2);
		await until("a focus", async () => await focused(page) !== "");
	});
	await check("a new key", async () => {
		await tabTo(/^New key$/, true);
		await page.keyboard.press("Enter");
		equal(await focused(page), "Key");
		await page.keyboard.type("new");
		await tabTo(/^Value$/);
		await page.keyboard.type("by keyboard");
		await tabTo(/^Create$/);
		await page.keyboard.press("Enter");
		await until("it is there", async () => (await get("walk/new")).text === "by keyboard");
	});
	await check("the focus was to be seen at every stop", () => equal(hidden, []));
	expectRefusals(null);
	await page.context().close();
}
