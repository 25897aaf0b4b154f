// SPDX-License-Identifier: Apache-2.0
// dialogs.js - questions. Each is a <dialog> that Escape answers with the harmless choice.

import { button, el, uniqueId } from "./dom.js";

/* Shows content under a title and resolves to the value of the button that was pressed; choices: [[value, text, kind?]...], the first is
   the harmless one, and has the focus. */
export function ask(title, content, choices, { wide = false } = {}) {
	return new Promise((resolve) => {
		const id = uniqueId("dialog");
		const done = (value) => {
			dialog.close();
			dialog.remove();
			resolve(value);
		};
		const buttons = choices.map(([value, text, kind]) => button(text, () => done(value), { class: kind ?? null, "data-choice": value }));
		const dialog = el("dialog", { "aria-labelledby": id, class: wide ? "wide" : null },
			el("h2", { id }, title), el("div", { class: "content" }, content), el("div", { class: "buttons" }, buttons));
		dialog.addEventListener("cancel", (e) => {
			e.preventDefault();
			done(choices[0][0]);
		});
		document.body.append(dialog);
		dialog.showModal();
		buttons[0].focus();
	});
}
