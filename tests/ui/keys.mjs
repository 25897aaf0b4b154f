// SPDX-License-Identifier: Apache-2.0
// keys.mjs - the key browser: lists, pages, views, and every write with its conflict; what is stored is shown as text, whatever it is.

import { readFile } from "node:fs/promises";
import { base, check, equal, expectRefusals, fits, get, open, pick, picture, put, says, until } from "./harness.mjs";

const SCRIPT = "<script>document.title = 'run'; alert(1)</script>";
const IMAGE_KEY = "web/<img src=x onerror=alert(1)>";

const names = (page) => page.locator(".list tbody a").allInnerTexts();
const value = (page) => page.locator("pre.value");
const heading = (page) => page.locator(".entry h2");
const go = (page, hash) => page.evaluate((h) => { location.hash = h; }, hash);
const entry = (key) => `#/keys?prefix=${encodeURIComponent(key)}&key=${encodeURIComponent(key)}`;
const show = async (page, key) => {
	await go(page, "#/keys");
	await go(page, entry(key));
	await says(page.locator(".entry .facts"), /Version/);
};

async function fillStore() {
	for (let i = 0; i < 25; i++)
		await put(`list/${String(i).padStart(3, "0")}`, `${i}`);
	await put("web/page", SCRIPT, { type: "text/html" });
	await put(IMAGE_KEY, "an image?");
	await put("doc/json", '{"name":"siltstone","layers":[1,2,{"deep":true}],"big":12345678901234567890}', { type: "application/json" });
	await put("doc/binary", Uint8Array.from([0, 1, 2, 0xff, 0xfe, 65, 66]));
	await put("doc/lines", "one\r\ntwo\r\n", { type: "text/plain" });
	await put("doc/empty", "");
	await put("doc/large", "0123456789abcdef".repeat(20000));
	await put("doc/passing", "soon gone", { ttl: 7200 });
}

async function lists(page) {
	await page.getByLabel("Keys that begin with").fill("list/");
	await check("keys under a prefix", () => until("25 keys", async () => (await names(page)).length === 25));
	await page.getByLabel("Keys a page").selectOption("10");
	await check("a page of ten", () => until("10 keys", async () => (await names(page)).join().startsWith("list/000,") && (await names(page)).length === 10));
	await page.getByRole("button", { name: "Next" }).click();
	await check("the next page by cursor", () => until("list/010", async () => (await names(page))[0] === "list/010"));
	await page.getByRole("button", { name: "Next" }).click();
	await check("the last page, and no next", () => until("five keys", async () => (await names(page)).length === 5 && await page.getByRole("button", { name: "Next" }).isDisabled()));
	await page.getByRole("button", { name: "Previous" }).click();
	await check("back by cursor", () => until("list/010", async () => (await names(page))[0] === "list/010"));
	await page.getByRole("button", { name: "First" }).click();
	await check("and to the first", () => until("list/000", async () => (await names(page))[0] === "list/000"));
	await page.getByRole("button", { name: "Count" }).click();
	await check("how many there are", () => says(page.locator(".list .when"), /^25 in all$/));
	await pick(page, "Z to A");
	await check("from behind", () => until("list/024", async () => (await names(page))[0] === "list/024"));
	await check("the address says it all", async () => equal(new URL(page.url()).hash, "#/keys?prefix=list%2F&order=desc&limit=10"));
	await page.reload();
	await check("and a link leads there", () => until("list/024", async () => (await names(page))[0] === "list/024"));
	await page.getByLabel("Keys that begin with").fill("nothing here");
	await check("where there is nothing, it says so", () => says(page.locator(".list-status"), /No key begins with this/));
	await page.getByLabel("%XX for bytes").first().check();
	await page.getByLabel("Keys that begin with").fill("web/%3c");
	await check("a prefix in bytes", () => until("the image's key", async () => (await names(page)).join() === IMAGE_KEY));
	await page.getByLabel("%XX for bytes").first().uncheck();
}

async function views(page) {
	await show(page, "web/page");
	await check("a value that is a script is text", async () => {
		await says(value(page), /^<script>document/);
		equal([await value(page).locator("*").count(), /Siltstone$/.test(await page.title())], [0, true]);
	});
	await go(page, "#/keys?prefix=web%2F");
	await check("a key that is markup is text", async () => {
		await until("the key", async () => (await names(page)).includes(IMAGE_KEY));
		equal(await page.locator(".list img").count(), 0);
	});
	await page.getByRole("link", { name: IMAGE_KEY }).click();
	await check("and as a heading", async () => equal([await heading(page).innerText(), await page.locator(".entry img").count()], [IMAGE_KEY, 0]));
	await show(page, "doc/json");
	await check("JSON is indented, its figures kept", () => says(value(page), /^\{\n {2}"name": "siltstone",\n[^]*"big": 12345678901234567890\n\}$/));
	await picture(page, "keys-light");
	await pick(page, "Text");
	await check("or as it is", () => says(value(page), /^\{"name":"siltstone","layers"/));
	await pick(page, "Hex");
	await check("or as hex", () => says(value(page), /^000000 {2}7b 22 6e 61 6d 65/));
	await show(page, "doc/binary");
	await check("bytes that are no text are hex", () => says(value(page), /^000000 {2}00 01 02 ff fe 41 42 +\.\.\.\.\.AB/));
	await show(page, "doc/empty");
	await check("an empty value says that it is", () => says(page.locator(".value-view"), /The value is empty/));
	await show(page, "doc/passing");
	await check("when it expires", () => says(page.locator(".facts"), /Expires\s+in 1 h 59 min \(/));
	await show(page, "doc/large");
	await check("of a large value the head", async () => {
		await says(page.locator(".value-view .note"), /The first 64 KiB of 313 KiB are shown/);
		equal((await value(page).textContent()).length, 65536);
	});
	await check("and all of it as a file", async () => {
		const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download" }).click()]);
		equal([(await readFile(await download.path())).length, download.suggestedFilename()], [320000, "doc_large"]);
	});
}

const area = (page) => page.locator(".editor textarea");
const save = (page) => page.locator(".editor button[type=submit]").click();
const formSays = (page, pattern) => says(page.locator(".editor .form-status"), pattern);

async function edits(page) {
	await show(page, "doc/lines");
	await page.getByRole("button", { name: "Edit" }).click();
	await area(page).fill("one\nzwei\n");
	await save(page);
	await check("an edit is stored, its line ends and type kept", async () => {
		await says(value(page), /zwei/);
		const now = await get("doc/lines");
		equal([now.text, now.type], ["one\r\nzwei\r\n", "text/plain"]);
	});
	await show(page, "doc/binary");
	await page.getByRole("button", { name: "Edit" }).click();
	await check("bytes are edited as hex, not as text", async () => equal([await area(page).inputValue(), await page.locator(".editor").getByLabel("Text", { exact: true }).count()], ["00 01 02 ff fe 41 42", 0]));
	await area(page).fill("00 0");
	await save(page);
	await check("hex that is not whole is not stored", () => formSays(page, /not whole/));
	await area(page).fill("cafe 00");
	await save(page);
	await check("hex is stored", () => says(value(page), /^000000 {2}ca fe 00/));
	await show(page, "doc/passing");
	await page.getByRole("button", { name: "Edit" }).click();
	await pick(page, "After a time");
	await page.getByLabel("After", { exact: true }).fill("3");
	await page.getByLabel("Unit").selectOption("days");
	await save(page);
	await check("a time to live is set", async () => {
		await says(page.locator(".facts"), /in 2 d 23 h|in 3 d/);
		const left = (await get("doc/passing")).expires - Date.now();
		return left > 2.9 * 86400e3 && left <= 3 * 86400e3;
	});
	const ends = (await get("doc/passing")).expires;
	await page.getByRole("button", { name: "Edit" }).click();
	await area(page).fill("kept");
	await save(page);
	await check("and kept by an edit, to the millisecond", async () => {
		await says(value(page), /^kept$/);
		equal((await get("doc/passing")).expires, ends);
	});
	await page.getByRole("button", { name: "Edit" }).click();
	await page.getByLabel("Content-Type").fill("text/\u2192");
	await save(page);
	await check("a type that no header can hold is said to be none", () => formSays(page, /visible ASCII/));
	await page.getByLabel("Content-Type").fill("text/plain");
	await save(page);
	await says(page.locator(".facts"), /text\/plain/);
	await page.getByRole("button", { name: "Edit" }).click();
	await pick(page, "Never");
	await save(page);
	await check("and taken away", () => says(page.locator(".facts"), /Expires\s+never/));
	await show(page, "doc/large");
	await page.getByRole("button", { name: "Edit" }).click();
	await pick(page, "After a time");
	await save(page);
	await check("a large value gets one without being shown", async () => {
		await says(page.locator(".facts"), /in (59 min|1 h)/);
		return (await get("doc/large")).text.length === 320000;
	});
}

async function newKeys(page) {
	await go(page, "#/keys?prefix=doc%2F");
	await page.getByRole("button", { name: "New key" }).click();
	await page.getByLabel("Key", { exact: true }).fill("doc/new");
	await area(page).fill('{"fresh": tru');
	await page.getByLabel("Content-Type").fill("application/json");
	await check("what is not JSON is pointed out", () => says(page.locator(".editor > .note"), /not JSON/));
	await area(page).fill('{"fresh": true}');
	await save(page);
	await check("a new key is made", async () => {
		await says(heading(page), /^doc\/new$/);
		equal(await get("doc/new").then((r) => [r.text, r.type]), ['{"fresh": true}', "application/json"]);
	});
	await check("and is in the list", () => until("doc/new", async () => (await names(page)).includes("doc/new")));
	await page.getByRole("button", { name: "New key" }).click();
	await page.getByLabel("Key", { exact: true }).fill("doc/new");
	await area(page).fill("other");
	await save(page);
	await check("one that is there is not written over", async () => {
		await formSays(page, /such a key already/);
		equal((await get("doc/new")).text, '{"fresh": true}');
	});
	await page.getByRole("button", { name: "Open it" }).click();
	await says(heading(page), /^doc\/new$/);
	await page.getByRole("button", { name: "New key" }).click();
	await page.getByLabel("Key", { exact: true }).fill("");
	await area(page).fill("x");
	await save(page);
	await check("an empty key is refused", () => formSays(page, /at least one byte/));
	const form = page.locator(".editor");
	await form.getByLabel("%XX for bytes").check();
	await page.getByLabel("Key", { exact: true }).fill("doc/%00%ff");
	await pick(form, "A file");
	await form.getByLabel("File", { exact: true }).setInputFiles({ name: "f", mimeType: "image/png", buffer: Buffer.from([1, 2, 3]) });
	await save(page);
	await check("any bytes as a key, a file as its value", async () => {
		await says(heading(page), /^doc\/\\x00\\xff$/);
		const r = await fetch(`${base}/v1/kv?key=doc/%00%ff`);
		equal([...new Uint8Array(await r.arrayBuffer())], [1, 2, 3]);
	});
}

async function conflicts(page) {
	const begin = async (mine) => {
		await put("doc/contested", "first");
		await show(page, "doc/contested");
		await page.getByRole("button", { name: "Edit" }).click();
		await area(page).fill(mine);
	};
	const dialog = page.getByRole("dialog");
	await begin("mine");
	await put("doc/contested", "theirs");
	await save(page);
	await check("a conflict shows both sides", async () => {
		await says(dialog, /Someone else was faster/);
		equal(await dialog.locator("pre").allInnerTexts(), ["mine", "theirs"]);
	});
	await picture(page, "conflict", false);
	await page.keyboard.press("Escape");
	await check("back to the form, nothing stored", async () => equal([await area(page).inputValue(), (await get("doc/contested")).text], ["mine", "theirs"]));
	await save(page);
	await dialog.getByRole("button", { name: "Write mine over it" }).click();
	await check("mine over theirs", async () => {
		await says(value(page), /^mine$/);
		equal((await get("doc/contested")).text, "mine");
	});
	await begin("again mine");
	await put("doc/contested", "theirs again");
	await save(page);
	await dialog.getByRole("button", { name: "Take the server's" }).click();
	await check("or theirs", async () => {
		await says(value(page), /^theirs again$/);
		equal((await get("doc/contested")).text, "theirs again");
	});
	await begin("after the end");
	await fetch(`${base}/v1/kv?key=doc/contested`, { method: "DELETE" });
	await save(page);
	await check("the other side may be gone", () => says(dialog, /No such key/));
	await dialog.getByRole("button", { name: "Write mine as a new key" }).click();
	await check("then mine is a new key", async () => {
		await says(value(page), /^after the end$/);
		equal((await get("doc/contested")).text, "after the end");
	});
}

async function deletes(page) {
	const dialog = page.getByRole("dialog");
	const press = () => page.locator(".entry").getByRole("button", { name: "Delete…" }).click();
	await show(page, "doc/contested");
	await press();
	await check("it asks first, and the harmless answer has the focus", async () => {
		await says(dialog, /Delete this entry\?/);
		return dialog.getByRole("button", { name: "Keep it" }).evaluate((b) => b === document.activeElement);
	});
	await picture(page, "delete", false);
	await page.keyboard.press("Escape");
	await check("Escape keeps it", async () => equal((await get("doc/contested")).status, 200));
	await put("doc/contested", "changed meanwhile");
	await press();
	await dialog.getByRole("button", { name: "Delete" }).click();
	await check("what has changed meanwhile is not deleted unasked", async () => {
		await says(dialog, /has changed/);
		equal((await get("doc/contested")).status, 200);
	});
	await dialog.getByRole("button", { name: "Delete" }).click();
	await check("deleted", async () => {
		await until("404", async () => (await get("doc/contested")).status === 404);
		await until("the list without it", async () => !(await names(page)).includes("doc/contested"));
	});
	await put("doc/contested", "x");
	await go(page, "#/keys?prefix=doc%2F");
	await show(page, "doc/contested");
	await fetch(`${base}/v1/kv?key=doc/contested`, { method: "DELETE" });
	await page.getByRole("button", { name: "Read again" }).click();
	await check("what is gone says so", () => says(page.locator(".entry .trouble"), /no such key, or not any more/));
}

async function leaving(page) {
	await go(page, "#/keys?prefix=doc%2F");
	await page.evaluate(() => {
		const input = document.querySelector(".filter input");
		input.value = "list/";
		input.dispatchEvent(new Event("input"));
		document.querySelector("#to-jobs").click();
	});
	await until("jobs", () => page.locator(".jobs").isVisible());
	await new Promise((r) => setTimeout(r, 500));
	await check("what was typed last does not lead back", async () => equal(new URL(page.url()).hash, "#/jobs"));
	await show(page, "doc/json");
	await page.getByRole("button", { name: "Edit" }).click();
	await area(page).fill("half written");
	await page.locator("#to-jobs").click();
	const dialog = page.getByRole("dialog");
	await check("what is not stored is not thrown away unasked", () => says(dialog, /not stored yet/));
	await dialog.getByRole("button", { name: "Go on editing" }).click();
	await check("one may stay", async () => equal([await area(page).inputValue(), await page.locator("#to-keys").getAttribute("aria-current")], ["half written", "page"]));
	await page.locator("#to-jobs").click();
	await dialog.getByRole("button", { name: "Throw it away" }).click();
	await check("or leave", () => until("jobs", () => page.locator(".jobs").isVisible()));
	await page.locator("#to-keys").click();
	await check("and come back to where one was", () => says(heading(page), /^doc\/json$/));
}

async function onPhone() {
	const page = await open("#/keys?prefix=doc%2F", { viewport: { width: 320, height: 640 }, hasTouch: true });
	await until("the list", async () => (await names(page)).includes("doc/json"));
	await check("the list fits a phone", () => fits(page));
	await picture(page, "keys-phone");
	await page.getByRole("link", { name: "doc/json" }).tap();
	await says(value(page), /siltstone/);
	await check("an entry takes the list's place", async () => equal([await page.locator(".list").isVisible(), await fits(page)], [false, true]));
	await picture(page, "entry-phone");
	await page.getByRole("button", { name: "Edit" }).tap();
	await check("so does the form", async () => equal([await page.locator(".editor").isVisible(), await fits(page)], [true, true]));
	await picture(page, "editor-phone");
	await page.getByRole("button", { name: "Cancel" }).tap();
	await page.getByRole("button", { name: "Back to the list" }).tap();
	await check("and back", () => until("the list", () => page.locator(".list").isVisible()));
	await page.context().close();
}

export async function testKeys() {
	expectRefusals(/\b(404|412)\b/);
	await fillStore();
	const page = await open("#/keys");
	for (const part of [lists, views, edits, newKeys, conflicts, deletes, leaving])
		await part(page);
	await page.emulateMedia({ colorScheme: "dark" });
	await show(page, "doc/json");
	await picture(page, "keys-dark");
	await page.getByRole("button", { name: "Edit" }).click();
	await picture(page, "editor-dark");
	await page.context().close();
	await onPhone();
	expectRefusals(null);
}
