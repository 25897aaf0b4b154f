// SPDX-License-Identifier: Apache-2.0
// entries.js - keys and values over /v1/kv: pages, one entry, and writes that are bound to what was seen.

import { keyOf, percentEncode } from "./bytes.js";
import { call, getJson, Problem } from "./http.js";

const HEAD_BYTES = 65536;                      /* of a larger value only the beginning is fetched */
const LARGE_TIMEOUT_MS = 300000;

export const addressOf = (key) => `/v1/kv?key=${percentEncode(key)}`;

/* { items: [{ key, version, expires }], cursor } */
export async function page({ prefix, reverse, limit, cursor }, options) {
	const query = [`prefix=${percentEncode(prefix)}`, `limit=${limit}`, "keys_only=true"];
	if (reverse)
		query.push("reverse=true");
	if (cursor)
		query.push(`cursor=${encodeURIComponent(cursor)}`);
	const answer = await getJson(`/v1/kv?${query.join("&")}`, options);
	return {
		items: answer.items.map((i) => ({ key: keyOf(i), version: i.version, expires: i.expires_at ?? null })),
		cursor: answer.cursor ?? null,
	};
}

export const count = async (prefix, options) =>
	(await getJson(`/v1/kv?prefix=${percentEncode(prefix)}&count_only=true`, { timeout: LARGE_TIMEOUT_MS, ...options })).count;

function entryOf(key, response, data) {
	const range = /\/(\d+)$/.exec(response.headers.get("Content-Range") ?? "");
	const etag = response.headers.get("ETag");
	return {
		key, data, etag,
		version: etag?.replace(/^W\//, "").replaceAll('"', "") ?? "",
		size: range ? Number(range[1]) : data.length,
		whole: !range || Number(range[1]) === data.length,
		type: response.headers.get("Content-Type") ?? "application/octet-stream",
		expires: Number(response.headers.get("Silt-Expires-At")) || null,
	};
}

const bytesOf = async (response) => new Uint8Array(await response.arrayBuffer());

/* The entry, with the first HEAD_BYTES of its value. */
export async function read(key, options) {
	const size = await call(addressOf(key), (r) => Number(r.headers.get("Content-Length")), { ...options, method: "HEAD" });
	const headers = size > HEAD_BYTES ? { Range: `bytes=0-${HEAD_BYTES - 1}` } : {};
	return call(addressOf(key), async (r) => entryOf(key, r, await bytesOf(r)), { ...options, headers });
}

/* All of the value, if it is still the one that was seen. */
export const readWhole = (entry) => call(addressOf(entry.key), bytesOf, { headers: { "If-Match": entry.etag }, timeout: LARGE_TIMEOUT_MS });

/* etag: null where the key must not be there yet; until: { ttl } or { expires_at } or neither. The new version. */
export function write(key, data, { etag, type, until, onslow }) {
	const headers = etag === null ? { "If-None-Match": "*" } : { "If-Match": etag };
	if (type && type !== "application/octet-stream")
		headers["Content-Type"] = type;
	const address = addressOf(key) + Object.entries(until).map(([name, n]) => `&${name}=${n}`).join("");
	return call(address, async (r) => r.headers.get("Silt-Version"), { method: "PUT", headers, body: data, timeout: LARGE_TIMEOUT_MS, onslow });
}

export const remove = (key, etag, onslow) => call(addressOf(key), async () => null, { method: "DELETE", headers: { "If-Match": etag }, onslow });

export const isAbsent = (problem) => problem instanceof Problem && problem.status === 404;
export const isConflict = (problem) => problem instanceof Problem && problem.status === 412;
