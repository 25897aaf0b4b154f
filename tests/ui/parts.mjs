// SPDX-License-Identifier: Apache-2.0
// parts.mjs - the small rooms that compute, asked one by one inside the page: bytes, JSON, histograms, words.

import { check, equal, open } from "./harness.mjs";

export async function testParts() {
	const page = await open("#/jobs");
	const within = (room, fn, argument) => page.evaluate(async ([r, f, a]) => {
		const rooms = await import(`/ui/js/${r}.js`);
		return rooms[f](...a);
	}, [room, fn, argument]);
	const same = (name, room, fn, argument, wanted) => check(name, async () => equal(await within(room, fn, argument), wanted));

	await same("JSON is indented as it was written", "json-pretty", "jsonPretty", ['{"n":12345678901234567890,"e":1.50,"a":[],"o":{},"s":"a\\"{,}"}'],
		'{\n  "n": 12345678901234567890,\n  "e": 1.50,\n  "a": [],\n  "o": {},\n  "s": "a\\"{,}"\n}');
	await same("what is no JSON is not", "json-pretty", "jsonPretty", ["{a:1}"], null);
	await same("sizes", "format", "bytes", [1536], "1.5 KiB");
	await same("short times", "format", "seconds", [0.0000123], "12.3 µs");
	await same("long times", "format", "span", [90061], "1 d 1 h");
	await same("the median of a histogram", "metrics", "quantile", [[[1, 0], [2, 10], [4, 20]], 0.5], 2);
	await check("a quantile beyond the last bound", async () => equal(await page.evaluate(async () => {
		const { quantile } = await import("/ui/js/metrics.js");
		return quantile([[1, 0], [2, 1], [Infinity, 10]], 0.99);
	}), 2));
	await same("points that stand alone", "chart", "alone", [[1, null, 2, 3, null, 4]], [0, 5]);
	await same("nothing counted", "metrics", "quantile", [[[1, 0], [2, 0]], 0.99], null);
	await check("a point that stands alone is drawn", () => page.evaluate(async () => {
		const { Chart } = await import("/ui/js/chart.js");
		const columns = { x: [null, null, 0.5, null, null, null, null, null, null, null] };
		const chart = new Chart({ title: "One point", scale: "share", format: String, series: [{ field: "x", label: "X", colour: "--c1" }] });
		document.querySelector("main").append(chart.node);
		const drawn = () => {
			const canvas = chart.node.querySelector("canvas");
			if (!canvas)
				return false;                         /* it does not know its size yet */
			const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
			copy.drawImage(canvas, 0, 0);
			const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
			return data.some((_, i) => i % 4 === 0 && data[i + 3] > 200 && data[i + 1] - data[i] > 60);
		};
		let found = false;
		for (let i = 0; i < 200 && !found; i++) {
			chart.update({ data: () => [columns.x.map((_, at) => at), columns.x] }, 0, 10);
			await new Promise((r) => setTimeout(r, 50));
			found = drawn();
		}
		chart.node.remove();
		return found;
	}));
	await check("percent-encoding holds any byte", async () => equal(await page.evaluate(async () => {
		const b = await import("/ui/js/bytes.js");
		const all = Uint8Array.from({ length: 256 }, (_, i) => i);
		return [b.equal(b.percentDecode(b.percentEncode(all)), all), b.percentDecode("a%2"), b.equal(b.fromHex(b.toHex(all)), all), b.fromHex("abc"), b.fromHex("zz")];
	}), [true, null, true, null, null]));
	await check("a key that would turn its neighbours round is escaped", async () => equal(await page.evaluate(async () => {
		const { encode, keyPieces } = await import("/ui/js/bytes.js");
		return [keyPieces(encode("a\u202eb\nc")).map((p) => p.text).join(""), keyPieces(Uint8Array.from([97, 0xff, 0])).map((p) => p.text).join("")];
	}), ["a\\u{202e}b\\x0ac", "a\\xff\\x00"]));
	await check("what is typed does not undo where someone goes", async () => equal(await page.evaluate(async () => {
		const { Router } = await import("/ui/js/router.js");
		const [before, shown] = [location.hash, []];
		const router = new Router((place) => shown.push(place.view), { now: () => true });
		const changed = new Promise((done) => addEventListener("hashchange", done, { once: true }));
		location.hash = "#/keys?prefix=nothing";
		router.replace("#/jobs?prefix=typed");
		await changed;
		const hash = location.hash;
		router.replace(before);
		return [shown, hash, location.hash === before];
	}), [["keys", "jobs"], "#/keys?prefix=nothing", true]));
	await check("an address may hold question marks", async () => equal(await page.evaluate(async () => {
		const { parseHash } = await import("/ui/js/router.js");
		const { view, text } = parseHash("#/keys?prefix=a?b&key=c");
		return [view, text.prefix, text.key, parseHash("").view, parseHash("#/jobs").view];
	}), ["keys", "a?b", "c", "overview", "jobs"]));
	await check("the side of a conflict is text where it is cut within a character", async () => equal(await page.evaluate(async () => {
		const { words } = await import("/ui/js/conflict.js");
		const { encode } = await import("/ui/js/bytes.js");
		return [words(encode("x".repeat(4095) + "\u00e9")), words(encode("x\u00e9")), words(Uint8Array.from([0xc3])).slice(0, 10)];
	}), ["x".repeat(4095), "x\u00e9", "000000  c3"]));
	await check("a view that there is not is the first one", async () => {
		await page.evaluate(() => { location.hash = "#/constructor"; });
		await page.locator(".overview").waitFor();
		await page.evaluate(() => { location.hash = "#/jobs"; });
	});
	await check("the text form of metrics", async () => equal(await page.evaluate(async () => {
		const { Metrics } = await import("/ui/js/metrics.js");
		const m = new Metrics('# HELP a b\na{x="1,\\"2",y="z"} 3\na{x="2",y="z"} 4.5e1\nb 7\n');
		return [m.sum("a"), m.sum("a", (l) => l.x === '1,"2'), m.sum("b"), m.sum("c")];
	}), [48, 3, 7, null]));
	await page.context().close();
}
