/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cell.h - one workload on one row once, in a process of its own, so that its peak memory, CPU seconds and bytes written are its own.
 */
#ifndef BENCH_SILT_CELL_H
#define BENCH_SILT_CELL_H

#include "work.h"

/* A line of the tables: an engine as set up or with its defaults. */
struct cell_row {
	char name[32];
	const struct bench_engine *engine;
	bool tuned;
};

struct cell_plan {
	const struct cell_row *row;
	const struct work *work;
	const struct keys *keys;
	struct bench_setup setup;        /* all but tuned, sync and dir, which follow from the others */
	const char *dir;                 /* where stores are made: on a real disk */
	double seconds, warm_seconds;
	bool tell;                       /* the engine's own statistics, to stderr */
};

struct cell_result {
	bool ok;
	uint64_t ops, wrong;
	double seconds, ops_per_second, cpu_seconds;
	double written_bytes;            /* given to write calls, from the first timed operation to the end of close */
	double dirtied_bytes;            /* of the page cache in that time: also through maps, but whole folios at a time, which overstates small writes */
	double space_bytes;              /* on disk after close */
	double resident_bytes;           /* at the peak, warming up and all */
	struct hist hist;
};

int cell_load(const struct cell_plan *p);                    /* the loaded store that read workloads of this row share */
void cell_unload(const struct cell_plan *p);
void cell_run(const struct cell_plan *p, struct cell_result *out);

/* What kill -9 leaves of async puts, in the configuration that is timed: 0 when every one that was acknowledged is there. */
int cell_prove_kill(const struct cell_plan *p, uint64_t *acknowledged, uint64_t *found);

#endif
