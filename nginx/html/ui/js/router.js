// SPDX-License-Identifier: Apache-2.0
// router.js - where one is, in the address behind the #: `#/keys?prefix=a%2F&key=a%2Fb`. Values are bytes. Links and the back button work.

import { encode, percentDecode, percentEncode } from "./bytes.js";

/* { view, bytes: { NAME: Uint8Array }, text: { NAME: string } } */
export function parseHash(hash) {
	const [, path, query] = /^#?\/?([^?]*)\??(.*)$/s.exec(hash);
	const bytes = {};
	const text = {};
	for (const part of query.split("&")) {
		const at = part.indexOf("=");
		if (at <= 0)
			continue;
		bytes[part.slice(0, at)] = percentDecode(part.slice(at + 1)) ?? new Uint8Array();
		text[part.slice(0, at)] = part.slice(at + 1);
	}
	return { view: path || "overview", bytes, text };
}

/* Bytes are percent-encoded, strings are ours; null is left out. */
export function makeHash(view, parameters = {}) {
	const query = Object.entries(parameters).filter(([, v]) => v !== null && v !== "" && v.length !== 0)
		.map(([name, v]) => `${name}=${percentEncode(typeof v === "string" ? encode(v) : v)}`);
	return `#/${view}${query.length > 0 ? `?${query.join("&")}` : ""}`;
}

/* show(place) at every change; mayLeave() is asked first, and may take its time. */
export class Router {
	constructor(show, mayLeave) {
		this.show = show;
		this.mayLeave = mayLeave;
		this.shown = location.hash;
		addEventListener("hashchange", () => this.changed());
	}

	begin() {
		this.show(parseHash(location.hash), true);
	}

	async changed() {
		const wanted = location.hash;
		if (wanted === this.shown)
			return;
		if (!this.mayLeave.now()) {
			history.replaceState(null, "", this.shown || "#/");
			if (!await this.mayLeave.ask())
				return;
			history.replaceState(null, "", wanted);
		}
		this.shown = wanted;
		this.show(parseHash(wanted), false);
	}

	/* The same view with other words in the address, for what is typed: no step for the back button. Where someone has gone elsewhere
	   and the event is still to come, that counts: it would find nothing new in an address that we wrote over. */
	replace(hash) {
		if (location.hash !== this.shown)
			return;
		history.replaceState(null, "", hash);
		this.shown = location.hash;
		this.show(parseHash(hash), false);
	}
}
