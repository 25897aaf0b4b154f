/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench.h - one measurement, and the two places it can be made at: a running server (bench_http.c), a scratch store (bench_local.c).
 *
 * Keys      a prefix of the run's own, and a number: nobody else's are read, written or deleted. All that were put are deleted at the end,
 *           also where the end is Ctrl-C or a failure.
 */
#ifndef CTL_BENCH_H
#define CTL_BENCH_H

#include "ctl/args.h"
#include "util/latency.h"

enum { BENCH_KEY = 64, BENCH_CONNECTIONS_MOST = 1000 };

enum bench_operation { BENCH_PUT, BENCH_GET };

struct bench {
	const struct args *a;
	char prefix[BENCH_KEY - 20];  /* "siltctl-bench/4711-5f0c9a71/" */
	unsigned connections;
	uint64_t seconds;
	struct span value;            /* of any put; of no pattern */
	uint64_t keys;                /* put so far: numbers below it */
};

struct bench_result {
	struct latency latency;
	uint64_t ns;                  /* from the first request to the last answer */
	uint64_t refused;             /* by a server that had no time: 429, 503 */
};

struct bench_place {
	int (*begin)(struct bench *b, void **place);
	/* Until b->seconds are over or stop_asked(): durable puts of new keys, or gets of those that were put. */
	int (*run)(void *place, enum bench_operation op, struct bench_result *out);
	/* Deletes the keys; in any case that begin() was called. */
	int (*end)(void *place);
};
extern const struct bench_place bench_http, bench_local;

void bench_key(const struct bench *b, uint64_t number, char out[BENCH_KEY]);
/* A number below `below`; *seed is the caller's. */
uint64_t bench_random(uint64_t *seed, uint64_t below);

#endif
