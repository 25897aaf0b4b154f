/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pick.h - what to compact next: a pure function of a version and plain values.
 *
 * Triggers, by urgency: level 0 count (compaction_trigger) or level size over its target (dynamic targets, from the bottom
 * up), whichever is more over; share of tombstones; expired entries that can go. A manual request comes after level 0's
 * count and before all others. Least overlap in the next level wins; a table without overlap below moves without rewriting.
 * Source: RocksDB's "dynamic level size" post, 2015; own wording.
 *
 * Rules     (1) inputs cover whole user keys, and taking them keeps version.h's invariants: of level 0 never a table without
 *           each older one that it overlaps; of the output level all that lies in the inputs' range.
 *           (2) a damaged (or otherwise excluded) table is no input, and what can't go without it stays.
 *           (3) asking, doing and asking again ends: each pick moves entries down, or rewrites a table where the reason goes
 *           away by it. For tombstones and expiry that is judged by the rules of the job itself (`keep`); for a manual run
 *           by manual_version and manual_before.
 */
#ifndef JOB_PICK_H
#define JOB_PICK_H

#include "job/keep.h"
#include "version/version.h"

struct pick_rules {
	uint32_t compaction_trigger;
	uint64_t level_base_size;
	uint32_t level_ratio;
	uint64_t table_size;
	const struct keep_rules *keep;    /* of the job that will run the pick; NULL = none for tombstones and expiry */
	bool manual;                      /* silt_compact(): everything to the bottom, and the bottom's tables written anew, once: */
	uint64_t manual_before;           /* next file number when it was asked: the bottom's tables below it are written anew */
	uint64_t manual_version;          /* last version when it was asked: above the bottom, tables with older entries go down */
	struct silt_slice manual_lower, manual_upper;     /* of a manual run: only tables with keys in [lower, upper); empty = no bound */
	const uint64_t *damaged;          /* numbers of tables that are no input: damaged, or in another job's hands */
	size_t damaged_count;
};
enum pick_reason { PICK_NONE, PICK_L0_COUNT, PICK_LEVEL_SIZE, PICK_TOMBSTONES, PICK_EXPIRED, PICK_MANUAL };
struct pick {
	enum pick_reason reason;          /* for who looks at it: nothing goes by it */
	int level, output_level;          /* equal where tables are written anew in their place */
	struct table_meta **inputs;       /* shared; upper[0..upper_n) of `level`, then the lower ones of output_level */
	size_t upper_n, input_n;
	bool move;                        /* one input, nothing below: only its level changes */
	bool bottom;                      /* no level below output_level has anything overlapping */
};
/* 0 = filled, end with pick_fini(); SILT_NOTFOUND = nothing to do; SILT_E_NOMEM. */
int pick_compaction(const struct version *v, const struct pick_rules *r, struct pick *out) SILT_MUST_CHECK;
void pick_fini(struct pick *p);

#endif
