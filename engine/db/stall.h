/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stall.h - what a group waits for before it begins, and for how long at most: late, gently, bounded.
 *
 *   memtables at the limit            wait for a flush, at most STALL_BOUND_MS, then SILT_E_BUSY
 *   level 0 or the debt at the limit  the same for a compaction
 *   on the way to one of these        writes are paced: what they bring has a rate, which falls smoothly from more than a disk takes
 *                                     to a trickle at the limit; so somewhere before the limit it meets what the background gets done
 *   the flush met a full disk         SILT_E_NOSPACE at once
 * The reason stands in the stats while it lasts.
 *
 * Rate      256 MiB/s * (1 - s)^4 + 1 MiB/s, s = the way from the soft limit to the hard one, 0..1. What a group owes by it is slept off in
 *           pieces of a millisecond to STALL_PACE_MAX_MS, so that many small groups share one sleep.
 */
#ifndef DB_STALL_H
#define DB_STALL_H

#include "db/db.h"

enum {
	STALL_BOUND_MS = 10000, STALL_PACE_MAX_MS = 10,
	STALL_L0_SOFT = 3, STALL_L0_HARD = 9,             /* times compaction_trigger */
	STALL_RECORD_BYTES = 64,                          /* that a record is counted for, beside its own */
	STALL_FLUSHED = 1024,                             /* db::flush_share of a memtable that is flushed */
};

int stall_wait(struct silt_db *db, size_t records, size_t payload_bytes) SILT_MUST_CHECK;   /* the leader, at a group's begin */

struct stall_state {                                      /* plain values, for the pure part */
	uint64_t sealed, memtables;                       /* how many; how many there may be, the active one with them */
	uint64_t unflushed, memory;                       /* bytes that flushes have before them; that memtables may have */
	uint64_t level0, trigger;
	uint64_t debt, debt_soft;                         /* bytes; hard = 4 x soft */
};
enum stall_kind { STALL_NONE, STALL_PACE_FLUSH, STALL_PACE, STALL_SEALED, STALL_LEVEL0, STALL_DEBT };
/* *ns_per_mib: of the rate; 0 = none, writes are not paced. */
enum stall_kind stall_judge(const struct stall_state *s, uint64_t *ns_per_mib);
const char *stall_name(enum stall_kind k);

/* Memtables that there may be, the active one with them, from the memory budget. */
uint64_t stall_memtables(const struct silt_options *o);

#endif
