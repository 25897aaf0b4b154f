/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stall.h - what a group waits for before it begins, and for how long at most (DESIGN section 5: late, gently, bounded).
 *
 *   memtables waiting for their flush at the limit   wait for one to go, at most STALL_BOUND_MS, then SILT_E_BUSY
 *   level 0 or the debt at the limit                 the same
 *   debt above the soft limit                        a delay that grows with it, at most STALL_PACE_MAX_MS a group
 *   the flush met a full disk                        SILT_E_NOSPACE at once
 * The reason stands in the stats while it lasts.
 */
#ifndef DB_STALL_H
#define DB_STALL_H

#include "db/db.h"

enum { STALL_BOUND_MS = 10000, STALL_PACE_MAX_MS = 5, STALL_L0_SOFT = 3, STALL_L0_HARD = 9 };  /* L0: times compaction_trigger */

int stall_wait(struct silt_db *db) SILT_MUST_CHECK;       /* the leader, at a group's begin */

struct stall_state {                                      /* plain values, for the pure part */
	uint64_t sealed, sealed_limit;
	uint64_t level0, trigger;
	uint64_t debt, debt_soft;                         /* bytes; hard = 4 x soft */
};
enum stall_kind { STALL_NONE, STALL_PACE, STALL_SEALED, STALL_LEVEL0, STALL_DEBT };
enum stall_kind stall_judge(const struct stall_state *s, uint64_t *pace_ns);
const char *stall_name(enum stall_kind k);

/* Memtables that may wait for their flush, from the memory budget. */
uint64_t stall_sealed_limit(const struct silt_options *o);

#endif
