/* SPDX-License-Identifier: Apache-2.0 */
/*
 * work.h - the workloads: what one operation is, on which store, by how many threads, for how long.
 */
#ifndef BENCH_SILT_WORK_H
#define BENCH_SILT_WORK_H

#include "hist.h"
#include "keys.h"

#include <stdatomic.h>

enum work_flags {
	WORK_FRESH = 1u << 0,            /* on an empty store; else on a loaded one */
	WORK_CHANGES = 1u << 1,          /* a loaded store of its own, thrown away afterwards */
	WORK_SYNC = 1u << 2,
	WORK_ONCE = 1u << 3,             /* every index once, however long it takes; else for the time set */
	WORK_FLOOR = 1u << 4,            /* the floors take part */
	WORK_THINNED = 1u << 5,          /* nine keys of ten are deleted first, untimed */
	WORK_SMALL = 1u << 6,            /* an operation is so short that one in eight is timed */
};

struct work_run;

/* One thread of a run. */
struct worker {
	struct work_run *run;
	unsigned thread;
	void *session;
	struct keys_hand hand;
	struct bench_seen seen;
	uint64_t done;                   /* operations, and entries where a scan counts them */
	uint64_t wrong;                  /* answers that are not what was stored */
	struct hist hist;
};

/* What a siltstone row has to reach, and for orientation only: no run fails on it. 0 = nothing set. */
struct work_goal {
	double best;                     /* times the best peer */
	double first, rocksdb;           /* on the way: times the best peer, times RocksDB's best row */
	const char *floor;
	double of_floor;
};

struct work {
	const char *name;
	unsigned flags, threads;
	int (*op)(struct worker *w, uint64_t i);           /* -1 = the engine failed */
	int (*beside)(struct worker *w, uint64_t i);       /* of one more thread that isn't counted, at most WORK_BESIDE a second */
	struct work_goal goal;
	const char *what;
};

enum { WORK_BESIDE = 10000 };

/* One run of a workload on an open store. */
struct work_run {
	const struct work *work;
	const struct bench_engine *engine;
	void *store;
	const struct keys *keys;
	uint64_t seconds_ns, warm_ns;
	_Atomic uint64_t next;           /* of WORK_ONCE */
	_Atomic uint64_t added, landed;  /* keys beyond keys->count: begun, and there to be read */
	_Atomic int running;             /* counted threads that have not ended */
	/* out */
	uint64_t ops, wrong, elapsed_ns;
	struct hist hist;
};

extern const struct work works[];        /* a NULL name ends it */
const struct work *work_find(const char *name);

/* Warms up, calls begun, runs, sums up. -1 = the engine failed. */
int work_go(struct work_run *run, void (*begun)(void *ctx), void *ctx);

uint64_t work_now(void);                 /* ns, monotonic */

#endif
