/* SPDX-License-Identifier: Apache-2.0 */
/*
 * measure.h - how long things take, into the store's histograms.
 *
 * gets      one in MEASURE_GETS of a thread's, chosen by its own count, into the thread's stripe: the others pay a load and a test.
 * writes    every one that waits for its sync; one in MEASURE_ASYNC of those that do not: a clock costs what they cost.
 * syncs, stalls: every one; the leader's.
 */
#ifndef DB_MEASURE_H
#define DB_MEASURE_H

#include "db/db.h"

enum { MEASURE_GETS = 128, MEASURE_ASYNC = 16 };

/* mono_ns now if this get is one to be measured, else 0. `gets`: of the thread's stripe, before it. */
static inline uint64_t measure_get_begin(struct silt_db *db, const struct db_stripe *s)
{
	uint64_t n = atomic_load_explicit(&s->gets, memory_order_relaxed);

	if (__builtin_expect(n % MEASURE_GETS != 0, true))
		return 0;
	return db->env.os->mono_ns(db->env.os);
}
void measure_get(struct silt_db *db, struct db_stripe *s, uint64_t began_ns);
uint64_t measure_write_begin(struct silt_db *db, unsigned flags);     /* 0: not to be measured */
void measure_write(struct silt_db *db, unsigned flags, uint64_t began_ns);
void measure_sync(struct silt_db *db, uint64_t began_ns);             /* one that succeeded; counts it too */
void measure_stall(struct silt_db *db, enum silt_stall why, uint64_t began_ns);

#endif
