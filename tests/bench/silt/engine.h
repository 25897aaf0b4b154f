/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine.h - what siltbench asks of an engine: open, put, get, scan, close, the same for all.
 *
 * Every engine has two rows. The plain one runs with the setup's cache, memtable and filter, and with whatever its authors recommend for
 * this work; the other, `-defaults`, with what it does when told nothing but where. Durability is the setup's in both:
 *   sync    a put is on the disk before it returns
 *   async   a put survives the process (kill -9) when it returns; siltbench --prove checks that in this very configuration
 * Functions return -1 after telling stderr why. A store is shared by threads; a session belongs to one.
 */
#ifndef BENCH_SILT_ENGINE_H
#define BENCH_SILT_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct bench_setup {
	const char *dir;                 /* exists, and is empty or has this engine's store */
	bool tuned;
	bool sync;
	bool compress;                   /* of tuned rows; the others do as they like */
	uint64_t cache_bytes;
	uint64_t memtable_bytes;
	unsigned filter_bits;
	uint64_t data_bytes;             /* roughly what will be stored, for those who must know it */
};

/* How many memtables siltstone keeps of this size beside such a cache; those who can be told are told the same. */
static inline unsigned bench_memtables(const struct bench_setup *s)
{
	unsigned sealed = 2;

	while (sealed < 8 && (s->cache_bytes + (sealed + 1) * s->memtable_bytes) / 4 / s->memtable_bytes > sealed)
		sealed++;
	return sealed + 1;
}

struct bench_bytes {
	const char *data;
	size_t len;
};

/* What was read, looked at byte by byte so that no engine gets away with handing out an address. */
struct bench_seen {
	uint64_t values;
	uint64_t head;                   /* sum of the first words, which tell whose values they are (keys.h) */
	uint64_t sum;                    /* of all words */
};

static inline void bench_see(struct bench_seen *s, const void *data, size_t len)
{
	const char *p = data;
	uint64_t sum = 0, word = 0;

	s->values++;
	if (len >= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		s->head += word;
	}
	for (size_t at = 0; at + sizeof(word) <= len; at += sizeof(word)) {
		memcpy(&word, p + at, sizeof(word));
		sum += word;
	}
	s->sum += sum;
}

enum bench_abilities {
	BENCH_DEFAULTS = 1u << 0,        /* has a -defaults row */
	BENCH_READS = 1u << 1,           /* is a store; else a floor, which only appends */
	BENCH_ONE_THREAD = 1u << 2,
};

struct bench_engine {
	const char *name;
	unsigned can;
	int (*open)(const struct bench_setup *s, void **store);
	int (*close)(void *store);
	int (*settle)(void *store);      /* what a load left to do: flush, compact; NULL = nothing */
	int (*enter)(void *store, void **session);
	void (*leave)(void *session);
	int (*put)(void *session, struct bench_bytes key, struct bench_bytes value);
	int (*del)(void *session, struct bench_bytes key);
	int (*get)(void *session, struct bench_bytes key, struct bench_seen *seen);      /* 1 found, 0 missing */
	/* up to n entries at or after from (at or before it, backwards); an empty from is the first or last entry */
	int (*scan)(void *session, struct bench_bytes from, uint64_t n, bool backwards, struct bench_seen *seen);
	void (*tell)(void *store, FILE *out);    /* its own statistics; NULL = none */
};

extern const struct bench_engine *const bench_engines[];   /* siltstone first, floors last; NULL ends it */

#endif
