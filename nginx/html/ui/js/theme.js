// SPDX-License-Identifier: Apache-2.0
// theme.js - light, dark, or as the system has it: the switch, and who wants to know when colours change.

const KEY = "siltstone.theme";
const listeners = new Set();
const system = matchMedia("(prefers-color-scheme: dark)");

const tell = () => listeners.forEach((fn) => fn());

export const onThemeChange = (fn) => listeners.add(fn);

function remember(choice) {
	try {
		if (choice === "system")
			localStorage.removeItem(KEY);
		else
			localStorage.setItem(KEY, choice);
	} catch {
		// it holds for this visit then
	}
}

function apply(choice) {
	if (choice === "system")
		delete document.documentElement.dataset.theme;
	else
		document.documentElement.dataset.theme = choice;
	tell();
}

/* The select in the header. */
export function themeSwitch(select) {
	select.value = document.documentElement.dataset.theme ?? "system";
	select.addEventListener("change", () => {
		remember(select.value);
		apply(select.value);
	});
	system.addEventListener("change", tell);
}

/* What a custom property's colour is now: light-dark() is worked out by asking for it as a colour. */
export function colour(name) {
	const probe = document.createElement("i");
	probe.hidden = true;
	probe.style.color = `var(${name})`;
	document.body.append(probe);
	const found = getComputedStyle(probe).color;
	probe.remove();
	return found;
}
