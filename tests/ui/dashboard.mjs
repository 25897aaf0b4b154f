// SPDX-License-Identifier: Apache-2.0
// dashboard.mjs - every part of the dashboard's tests in one browser, one after the other; but for the charts, which mostly wait.

import { check, close, complained, equal, failed, wentElsewhere } from "./harness.mjs";
import { testKeys } from "./keys.mjs";
import { testJobs } from "./jobs.mjs";
import { testKeyboard } from "./keyboard.mjs";
import { testOverview } from "./overview.mjs";
import { testParts } from "./parts.mjs";
import { testTrouble } from "./trouble.mjs";

async function run(test) {
	const begun = Date.now();
	try {
		await test();
	} catch (error) {
		await check(test.name, () => { throw error; });
	}
	console.log(`# ${test.name}: ${((Date.now() - begun) / 1000).toFixed(1)} s`);
}

await run(testParts);
await Promise.all([run(testOverview), run(testKeys)]);
for (const test of [testKeyboard, testJobs, testTrouble])
	await run(test);
await check("nothing in the console, no violation of the policy", () => equal(complained(), []));
await check("no request to anywhere else", () => equal(wentElsewhere(), []));
await close();
process.exit(failed() === 0 ? 0 : 1);
