// SPDX-License-Identifier: Apache-2.0
// json-pretty.js - JSON with line ends and indentation, each string and number as it was written: no figure is lost in a float.

const TOKEN = /\s+|"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/* null where the text is no JSON. */
export function jsonPretty(text) {
	try {
		JSON.parse(text);
	} catch {
		return null;
	}
	const tokens = (text.match(TOKEN) ?? []).filter((t) => t.trim() !== "");
	const out = [];
	let depth = 0;
	const line = () => out.push("\n", "  ".repeat(depth));
	tokens.forEach((token, i) => {
		const opens = token === "{" || token === "[";
		const closes = token === "}" || token === "]";
		const emptied = closes && (tokens[i - 1] === "{" || tokens[i - 1] === "[");
		if (closes) {
			depth--;
			if (!emptied)
				line();
		}
		out.push(token);
		if (opens) {
			depth++;
			if (tokens[i + 1] !== "}" && tokens[i + 1] !== "]")
				line();
		} else if (token === ",") {
			line();
		} else if (token === ":") {
			out.push(" ");
		}
	});
	return out.join("");
}
