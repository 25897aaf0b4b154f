// SPDX-License-Identifier: Apache-2.0
// dom.js - elements without markup: whatever text comes here, text it stays.

/* el("p", { class: "note", hidden: true, onclick: fn }, "text", child...): a property that begins with `on` listens, `style` is an object,
   null and false are left out. */
export function el(tag, properties = {}, ...children) {
	const node = document.createElement(tag);
	for (const [name, value] of Object.entries(properties)) {
		if (value === null || value === undefined || value === false)
			continue;
		if (name.startsWith("on"))
			node.addEventListener(name.slice(2), value);
		else if (name === "style")
			Object.assign(node.style, value);
		else
			node.setAttribute(name, value === true ? "" : String(value));
	}
	node.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
	return node;
}

export function fill(node, ...children) {
	node.replaceChildren(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
	return node;
}

let lastId = 0;
export const uniqueId = (stem) => `${stem}-${++lastId}`;

/* A labelled input, the label before it. */
export function field(label, input, hint) {
	input.id ||= uniqueId("field");
	const note = hint ? el("small", { class: "hint", id: uniqueId("hint") }, hint) : null;
	if (note)
		input.setAttribute("aria-describedby", note.id);
	return el("div", { class: "field" }, el("label", { for: input.id }, label), input, note);
}

/* A group of radio buttons that looks like one control. choices: [[value, label]...] */
export function choice(legend, choices, value, onpick, visibleLegend = false) {
	const name = uniqueId("choice");
	return el("fieldset", { class: "choice" },
		el("legend", { class: visibleLegend ? null : "unseen" }, legend),
		el("div", { class: "segments" }, choices.map(([v, text]) => {
			const input = el("input", { type: "radio", name, value: v, id: uniqueId("radio") });
			input.checked = v === value;
			input.addEventListener("change", () => onpick(v));
			return [input, el("label", { for: input.id }, text)];
		})));
}

/* Where a phone lays rows out as a grid, browsers forget that they are rows: this says it again. */
export function tableRoles(table) {
	table.setAttribute("role", "table");
	const roles = { thead: "rowgroup", tbody: "rowgroup", tr: "row", td: "cell", 'th[scope="col"]': "columnheader", 'th[scope="row"]': "rowheader" };
	for (const [what, role] of Object.entries(roles))
		table.querySelectorAll(what).forEach((node) => node.setAttribute("role", role));
}

export function button(text, onclick, properties = {}) {
	return el("button", { type: "button", onclick, ...properties }, text);
}
