// SPDX-License-Identifier: Apache-2.0
// theme-early.js - the remembered colours, before the first paint; no module, because modules run after it.
"use strict";
try {
	const remembered = localStorage.getItem("siltstone.theme");
	if (remembered === "light" || remembered === "dark")
		document.documentElement.dataset.theme = remembered;
} catch {
	// no storage here: the system's colours
}
