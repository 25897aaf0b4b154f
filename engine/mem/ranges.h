/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ranges.h - the range deletes of a memtable: one writer, readers without a lock, asked by key and version.
 *
 * Rules     (1) one thread inserts, only after ranges_reserve(), and versions do not descend.  (2) nothing is ever changed or removed: each
 *           insert publishes a new set over lists that stay as they are, until the memtable ends.  (3) a reader at a version that
 *           is published sees each range delete at or below it.
 */
#ifndef MEM_RANGES_H
#define MEM_RANGES_H

#include "base/arena.h"
#include "base/slice.h"

struct ranges_set;

struct ranges {
	struct arena arena;                           /* [w] but for its count of bytes */
	const struct ranges_set *_Atomic set;         /* [a] released; NULL = none */
	_Atomic uint64_t count;                       /* [a] relaxed: inserted so far */
};

void ranges_init(struct ranges *r);
void ranges_fini(struct ranges *r);
/* Room for n more, whose bounds take so many bytes together. 0 or SILT_E_NOMEM. */
int ranges_reserve(struct ranges *r, size_t n, size_t bound_bytes) SILT_MUST_CHECK;
void ranges_insert(struct ranges *r, struct silt_slice lower, struct silt_slice upper, uint64_t version);    /* copies */

/* The newest over the key at or below a version; 0 = none. */
uint64_t ranges_cover(const struct ranges *r, struct silt_slice key, uint64_t max_version);
uint64_t ranges_newest(const struct ranges *r);  /* version; 0 = none */
/*
 * Calls fn for what covers: with `all` each range delete as it was inserted, else what a reader at max_version sees, the newest where
 * several do (a few may overlap even so: the newer counts). Bounds are borrowed from r. What fn returns but 0 ends it.
 */
typedef int ranges_fn(void *ctx, struct silt_slice lower, struct silt_slice upper, uint64_t version);
int ranges_each(const struct ranges *r, uint64_t max_version, bool all, ranges_fn *fn, void *ctx);
void ranges_check(const struct ranges *r);        /* tests, with no insert under way: asserts order and counts */

#endif
