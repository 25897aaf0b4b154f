/* SPDX-License-Identifier: Apache-2.0 */
/* tombstone_block.h - a table's range deletes as bytes: the fragments of core/tombstones.h, one after the other. */
#ifndef TABLE_TOMBSTONE_BLOCK_H
#define TABLE_TOMBSTONE_BLOCK_H

#include "base/buf.h"
#include "core/tombstones.h"

struct tombstone_writer {                 /* begins as {0} */
	struct silt_buf raw;              /* the bytes so far; empty = none */
	struct silt_buf lower, upper;     /* of the first fragment, of the last one */
	bool ended;                       /* the last one goes to the last key */
	uint64_t count;                   /* versions of all */
	uint64_t min_version, max_version;
};

/* In order. 0; SILT_E_CORRUPT where it does not come behind the one before, or is none; SILT_E_NOMEM. */
int tombstone_writer_add(struct tombstone_writer *w, const struct tombstone *t) SILT_MUST_CHECK;
void tombstone_writer_fini(struct tombstone_writer *w);

/* Returned owned: tombstones_free(). 0, SILT_E_CORRUPT, SILT_E_NOMEM. */
int tombstone_block_decode(struct silt_slice bytes, struct tombstones **out) SILT_MUST_CHECK;

/*
 * A table's bounds, inclusive: what its entries (first to last; both empty = none) and its fragments (lower of the first, upper of the
 * last; lower empty = none) reach together.
 */
static inline struct silt_slice tombstone_block_smallest(struct silt_slice first, struct silt_slice lower)
{
	return lower.len && (first.len == 0 || slice_cmp(lower, first) < 0) ? lower : first;
}

static inline struct silt_slice tombstone_block_largest(struct silt_slice last, struct silt_slice lower, struct silt_slice upper)
{
	struct silt_slice to = lower.len ? tombstone_last(upper) : last;

	return slice_cmp(to, last) > 0 ? to : last;
}

#endif
