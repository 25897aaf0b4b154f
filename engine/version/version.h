/* SPDX-License-Identifier: Apache-2.0 */
/*
 * version.h - which tables there are, by level; immutable once made, shared by reference.
 *
 * Invariants (version_apply refuses what breaks one: SILT_E_CORRUPT)
 *   (1) level 0 is ordered newest first (by max_version, then number); its tables may overlap in keys, and where they do
 *       their versions do not: the first that has a key has its newest version.
 *   (2) deeper levels are ordered by smallest key and disjoint in user keys: all versions of a key are in one table.
 *   (3) for a key, every version in a level is newer than every version in the deeper ones. Known of a table are the keys at
 *       its two ends: a key that ends two tables is checked; of the keys between only the merges' own tests can speak.
 *   (4) a number appears once.
 *   (5) next_file is above every table's number, last_version at least every table's max_version; these two and wal_number
 *       never go back. version_apply raises them, so that an edit may leave them out.
 */
#ifndef VERSION_VERSION_H
#define VERSION_VERSION_H

#include "base/report.h"
#include "version/edit.h"

struct version_level {
	struct table_meta **tables;
	size_t n;
	uint64_t bytes;
};
struct version {
	_Atomic unsigned refs;
	struct version_level levels[SILT_LEVELS];
	uint64_t wal_number, next_file, last_version;
};

int version_new(struct version **out) SILT_MUST_CHECK;            /* empty; next_file and wal_number are 1 */
struct version *version_ref(struct version *v);
void version_unref(struct version *v);
/* What base becomes by e: `out` returned owned. A drop of what is not there is SILT_E_CORRUPT too. Each refusal is reported. */
int version_apply(const struct version *base, const struct edit *e, const struct reporter *rep,
                  struct version **out) SILT_MUST_CHECK;
int version_to_edit(const struct version *v, struct edit *out) SILT_MUST_CHECK;   /* from nothing to v; empty on failure */
/* (1)-(5) of all of it: 0, SILT_E_CORRUPT, _NOMEM. */
int version_check(const struct version *v, const struct reporter *rep) SILT_MUST_CHECK;
/* Of a leveled level (>= 1), the first table whose largest key is not before key: its index, or n. */
size_t version_lower(const struct version_level *l, struct silt_slice key);
/* The table of a leveled level (>= 1) that may hold key: its index, or n. */
size_t version_find(const struct version_level *l, struct silt_slice key);
/* Tables of a level >= 1 that overlap [smallest, largest] are tables[*first, *last); none where *first == *last. */
void version_overlap(const struct version_level *l, struct silt_slice smallest, struct silt_slice largest, size_t *first,
                     size_t *last);

/* Tables of level 0 that a reader of one key may have to look into at most: those of one ingest are disjoint, and count once. */
size_t version_l0_runs(const struct version *v);

static inline bool version_tables_overlap(const struct table_meta *a, const struct table_meta *b)
{
	return slice_cmp(a->smallest, b->largest) <= 0 && slice_cmp(b->smallest, a->largest) <= 0;
}

#endif
