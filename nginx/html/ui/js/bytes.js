// SPDX-License-Identifier: Apache-2.0
// bytes.js - keys and values are bytes: UTF-8, base64, percent-encoding and hex, strict both ways. What can't be is null.

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));

export const encode = (text) => encoder.encode(text);

export function decode(data) {
	try {
		return strict.decode(data);
	} catch {
		return null;
	}
}

/* The same of the beginning of a value, which may end within a character. */
export function decodeHead(data) {
	for (let cut = 0; cut < 4 && cut <= data.length; cut++) {
		const text = decode(data.subarray(0, data.length - cut));
		if (text !== null)
			return text;
	}
	return null;
}

const fromBase64 = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

/* An item's key or a problem's: {"key": TEXT} or {"key": BASE64, "key_encoding": "base64"}. */
export const keyOf = (item) => (item.key_encoding === "base64" ? fromBase64(item.key) : encode(item.key));

const plain = (b) => (b >= 48 && b <= 57) || (b >= 65 && b <= 90) || (b >= 97 && b <= 122) || b === 45 || b === 46 || b === 95 || b === 126;

/* For a query, and for what people copy. */
export function percentEncode(data) {
	let out = "";
	for (const b of data)
		out += plain(b) ? String.fromCharCode(b) : `%${HEX[b].toUpperCase()}`;
	return out;
}

/* Text in which %XX is a byte; null where a percent sign has no two hex digits behind it. */
export function percentDecode(text) {
	if (/%(?![0-9a-fA-F]{2})/.test(text))
		return null;
	const parts = text.split(/(%[0-9a-fA-F]{2})/);
	const out = [];
	for (const part of parts)
		out.push(...(/^%[0-9a-fA-F]{2}$/.test(part) ? [parseInt(part.slice(1), 16)] : encode(part)));
	return Uint8Array.from(out);
}

export const toHex = (data) => Array.from(data, (b) => HEX[b]).join("");

/* Pairs of digits, white space between them where one likes. */
export function fromHex(text) {
	const digits = text.replace(/\s+/g, "");
	if (digits.length % 2 !== 0 || /[^0-9a-fA-F]/.test(digits))
		return null;
	return Uint8Array.from({ length: digits.length / 2 }, (_, i) => parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

/* As `xxd` prints it: offset, so many bytes, and those of them that are ASCII. */
export function hexDump(data, width) {
	const lines = [];
	for (let at = 0; at < data.length; at += width) {
		const row = data.subarray(at, at + width);
		const hex = Array.from(row, (b) => HEX[b]).join(" ").padEnd(width * 3 - 1);
		const ascii = Array.from(row, (b) => (b >= 32 && b < 127 ? String.fromCharCode(b) : ".")).join("");
		lines.push(`${at.toString(16).padStart(6, "0")}  ${hex}  ${ascii}`);
	}
	return lines.join("\n");
}

/* A key in pieces to be shown: text, and what can't be seen or would change the order of the rest, as \xNN or \u{N}.
   [{ text, escaped }...] */
export function keyPieces(data) {
	const text = decode(data);
	if (text === null)
		return escapeBytes(data);
	const pieces = [];
	for (const part of text.split(/([\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}])/u)) {
		if (part === "")
			continue;
		const hidden = /^[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]$/u.test(part);
		const code = part.codePointAt(0);
		pieces.push(hidden ? { text: code < 256 ? `\\x${HEX[code]}` : `\\u{${code.toString(16)}}`, escaped: true }
			: { text: part, escaped: false });
	}
	return pieces;
}

function escapeBytes(data) {
	const pieces = [];
	let run = "";
	for (const b of data) {
		if (b >= 32 && b < 127) {
			run += String.fromCharCode(b);
			continue;
		}
		if (run)
			pieces.push({ text: run, escaped: false });
		run = "";
		pieces.push({ text: `\\x${HEX[b]}`, escaped: true });
	}
	if (run)
		pieces.push({ text: run, escaped: false });
	return pieces;
}

export const equal = (a, b) => a.length === b.length && a.every((x, i) => x === b[i]);
