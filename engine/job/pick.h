/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pick.h - what to compact next: a pure function of a version and plain values.
 *
 * Triggers, by urgency: level 0 count (compaction_trigger), level size over its target (dynamic targets, from the bottom up),
 * share of tombstones, expired entries that can go, a manual request. Least overlap in the next level wins; a table
 * without overlap below moves without rewriting. Source: RocksDB's "dynamic level size" post, 2015; own wording.
 */
#ifndef JOB_PICK_H
#define JOB_PICK_H

#include "version/version.h"

struct pick_rules {
	uint32_t compaction_trigger;
	uint64_t level_base_size;
	uint32_t level_ratio;
	uint64_t table_size;
	uint64_t now_ms;
	bool manual;                      /* silt_compact(): everything to the bottom, also a single bottom level with tombstones or shadowed entries */
	const uint64_t *damaged;          /* numbers of tables that are no input */
	size_t damaged_count;
};
enum pick_reason { PICK_NONE, PICK_L0_COUNT, PICK_LEVEL_SIZE, PICK_TOMBSTONES, PICK_EXPIRED, PICK_MANUAL };
struct pick {
	enum pick_reason reason;
	int level, output_level;
	struct table_meta **inputs;       /* shared; upper[0..upper_n) of `level`, then the lower ones of output_level */
	size_t upper_n, input_n;
	bool move;                        /* one input, nothing below: only its level changes */
	bool bottom;                      /* no level below output_level has anything overlapping */
};
/* 0 = filled, end with pick_fini(); SILT_NOTFOUND = nothing to do; SILT_E_NOMEM. */
int pick_compaction(const struct version *v, const struct pick_rules *r, struct pick *out) SILT_MUST_CHECK;
void pick_fini(struct pick *p);
/* Level targets in bytes (0 = unused level), and compaction debt: bytes that must move until nothing is over its trigger. */
void pick_targets(const struct version *v, const struct pick_rules *r, uint64_t targets[SILT_LEVELS]);
uint64_t pick_debt(const struct version *v, const struct pick_rules *r);
const char *pick_reason_name(enum pick_reason r);

#endif
