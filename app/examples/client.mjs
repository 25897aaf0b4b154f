#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// client.mjs [URL] - Siltstone with Node's own fetch (Node 18 and later), and nothing else: a value put, got, changed only if nobody else
// did; a counter; a list in pages and as a stream; a batch; a watch. What is refused comes as application/problem+json and is thrown
// as Problem. Uses keys that begin with example/js/.
import assert from 'node:assert/strict';

// The server said no. `kind` is the last word of its type, e.g. condition-failed; `id` stands in the server's log too.
class Problem extends Error {
	constructor(status, members) {
		super(`${status} ${members.title}: ${members.detail} (id ${members.id})`);
		this.status = status;
		this.members = members;
		this.kind = String(members.type).split(':').pop();
	}
}

// No whole answer came to a write: it was done, or it was not. A condition makes trying again safe.
class Unknown extends Error {}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

class Store {
	constructor(url) {
		this.url = url;
	}

	// The answer; throws Problem for 400 and above.
	async ask(method, path, { query, body, headers } = {}) {
		const url = new URL(path, this.url);
		for (const [name, value] of Object.entries(query ?? {}))
			if (value !== undefined)
				url.searchParams.set(name, value);
		for (let attempt = 0; ; attempt++) {
			let answer;
			try {
				answer = await fetch(url, { method, body, headers, signal: AbortSignal.timeout(70_000) });
			} catch (error) {
				if (method !== 'GET')
					throw new Unknown(`${method} ${path}: ${error.cause ?? error}`);
				if (attempt === 4)
					throw error;
				continue;
			}
			if (answer.status < 400)
				return answer;
			const text = await answer.text();
			let members;
			try {
				members = JSON.parse(text);
			} catch {
				members = { title: text.slice(0, 200) };
			}
			const problem = new Problem(answer.status, members);
			if (members.outcome === 'unknown' && method !== 'GET')
				throw new Unknown(`${method} ${path}: ${problem.message}`);
			// 429 and 503: refused before anything was done; later, when the server says so
			const later = Number(answer.headers.get('retry-after') ?? 0);
			if (![429, 503].includes(answer.status) || later > 10 || attempt === 4)
				throw problem;
			await pause(1000 * later);
		}
	}

	// Slashes stay as they are; a key with a dot segment or a NUL travels as ?key=.
	at(key) {
		return '/v1/kv/' + key.split('/').map(encodeURIComponent).join('/');
	}

	// Writes bytes or text, with `etag` only over what has it ("*": over anything). The new ETag.
	async put(key, value, { etag, type = 'application/octet-stream', ttl } = {}) {
		const headers = { 'Content-Type': type };
		if (etag !== undefined)
			headers['If-Match'] = etag;
		const answer = await this.ask('PUT', this.at(key), { body: value, headers, query: { ttl } });
		return answer.headers.get('etag');
	}

	// { value: Uint8Array, etag }, or null.
	async get(key) {
		try {
			const answer = await this.ask('GET', this.at(key));
			return { value: new Uint8Array(await answer.arrayBuffer()), etag: answer.headers.get('etag') };
		} catch (error) {
			if (error.status === 404)
				return null;
			throw error;
		}
	}

	// Writes change(value) over value; again from the start where somebody was faster.
	async change(key, change) {
		for (;;) {
			const { value, etag } = await this.get(key);
			try {
				return await this.put(key, change(value), { etag });
			} catch (error) {
				if (error.status !== 412)
					throw error;
			}
		}
	}

	async increment(key, by = 1) {
		const { value } = await (await this.ask('POST', this.at(key), { query: { op: 'incr', by } })).json();
		return value;
	}

	// The entries of a range, page by page.
	async *items(bounds) {
		let cursor;
		do {
			const page = await (await this.ask('GET', '/v1/kv', { query: { ...bounds, cursor } })).json();
			yield* page.items;
			cursor = page.cursor;
		} while (cursor !== undefined);
	}

	// The same of one moment and of any size, as the lines come.
	async *stream(bounds) {
		const answer = await this.ask('GET', '/v1/kv', { query: bounds, headers: { Accept: 'application/x-ndjson' } });
		const decoder = new TextDecoder();
		let rest = '';
		for await (const piece of answer.body) {
			const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
			rest = lines.pop();
			for (const line of lines) {
				const item = JSON.parse(line);
				if (item.error)
					throw new Problem(item.error.status, item.error);
				if (item.end)
					return;
				yield item;
			}
		}
		throw new Error('the stream was cut short');
	}

	async batch(ops, conditions = []) {
		const body = JSON.stringify({ if: conditions, ops });
		return (await this.ask('POST', '/v1/batch', { body, headers: { 'Content-Type': 'application/json' } })).json();
	}

	// What was written after version `since`, and the version to go on from; waits `timeout` seconds where there is nothing.
	async changes(since, query) {
		return (await this.ask('GET', '/v1/changes', { query: { since, ...query } })).json();
	}
}

async function main(url) {
	const store = new Store(url);
	const text = new TextDecoder();
	const key = 'example/js/note';

	await store.put(key, 'first', { type: 'text/plain; charset=utf-8' });
	const { value, etag } = await store.get(key);
	assert.equal(text.decode(value), 'first');
	console.log('put and got:', text.decode(value), etag);
	assert.equal(await store.get('example/js/nothing'), null);

	// change it only if it is still what was read
	await store.put(key, 'second', { etag });
	await assert.rejects(store.put(key, 'third', { etag }), (error) => {
		assert.equal(error.status, 412);
		assert.equal(error.kind, 'condition-failed');
		console.log('refused, for somebody was faster: it is at version', error.members.version, 'now');
		return true;
	});
	await store.change(key, (old) => text.decode(old) + ' and more');
	assert.equal(text.decode((await store.get(key)).value), 'second and more');

	// a counter: exact, whoever counts beside you
	console.log('visits:', await store.increment('example/js/visits', 2));

	// a list in pages, and as a stream
	for (let i = 0; i < 5; i++)
		await store.put(`example/js/list/${i}`, `item ${i}`);
	const paged = [], streamed = [];
	for await (const item of store.items({ prefix: 'example/js/list/', limit: 2 }))
		paged.push(item.key);
	for await (const item of store.stream({ prefix: 'example/js/list/' }))
		streamed.push(item.key);
	assert.deepEqual(paged, streamed);
	assert.equal(paged.length, 5);
	console.log('listed and streamed:', paged.length);

	// a batch: all or nothing
	const version = Number((await store.get(key)).etag.replaceAll('"', ''));
	const conditions = [{ key, version }];
	const ops = [{ put: { key: 'example/js/copy', value: 'kept' } }, { get: { key: 'example/js/visits' } }, { delete: { key } }];
	const done = await store.batch(ops, conditions);
	console.log('batch: version', done.version);
	await assert.rejects(store.batch(ops, conditions), (error) => {
		assert.equal(error.status, 412);
		console.log('the same again is refused:', error.members.key, 'is at version', error.members.version);
		return true;
	});

	// watch: somebody else writes
	const other = pause(200).then(() => store.put('example/js/watched', 'news'));
	let seen;
	try {
		seen = await store.changes(done.version, { prefix: 'example/js/', timeout: 30 });
	} catch (error) {
		if (error.status === 410)
			console.log("older than the log that is kept: list the keys anew, and watch from the list's version");
		throw error;
	}
	await other;
	console.log('changed:', seen.changes.map((change) => `${change.op} ${change.key}`), 'from here on since =', seen.next);
	assert.equal(seen.changes[0].key, 'example/js/watched');
	assert.equal(seen.changes[0].value, 'news');

	const { deleted } = await (await store.ask('DELETE', '/v1/kv', { query: { prefix: 'example/js/' } })).json();
	console.log('deleted:', deleted);
}

try {
	await main(process.argv[2] ?? 'http://localhost:8080');
} catch (error) {
	console.error(`client.mjs: ${error.stack}`);
	process.exitCode = 1;
}
