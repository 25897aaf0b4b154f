/* SPDX-License-Identifier: Apache-2.0 */
/*
 * version.h - which tables there are, by level; immutable once made, shared by reference.
 *
 * Invariants (version_apply refuses what breaks one: SILT_E_CORRUPT)
 *   (1) level 0 is ordered newest first (by max_version, then number); its tables may overlap.
 *   (2) deeper levels are ordered by smallest key and disjoint in user keys: all versions of a key are in one table.
 *   (3) for a key, every version in a level is newer than every version in the deeper ones.  (4) a number appears once.
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

int version_new(struct version **out) SILT_MUST_CHECK;            /* empty */
struct version *version_ref(struct version *v);
void version_unref(struct version *v);
int version_apply(const struct version *base, const struct edit *e, const struct reporter *rep, struct version **out) SILT_MUST_CHECK;
int version_to_edit(const struct version *v, struct edit *out) SILT_MUST_CHECK;   /* from nothing to v */
/* The table of a leveled level (>= 1) that may hold key: its index, or n. */
size_t version_find(const struct version_level *l, struct silt_slice key);
/* Tables of a level that overlap [smallest, largest]: [first, last) of a leveled level. */
void version_overlap(const struct version_level *l, struct silt_slice smallest, struct silt_slice largest, size_t *first, size_t *last);

#endif
