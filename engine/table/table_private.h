/* SPDX-License-Identifier: Apache-2.0 */
/* table_private.h - struct table, for the rooms that read one: table_reader, table_iter, table_estimate, table_verify. Nobody else includes it. */
#ifndef TABLE_TABLE_PRIVATE_H
#define TABLE_TABLE_PRIVATE_H

#include "base/thread.h"
#include "table/table_load.h"
#include "table/table_reader.h"

struct table {
	_Atomic unsigned refs;
	_Atomic int state;                /* enum table_state, or the failure that is for good; released by the opener */
	_Atomic unsigned char filter_off; /* none, too large for the cache, or damaged; relaxed */
	struct env *env;                  /* [c] */
	struct block_cache *cache;        /* [c] */
	struct table_meta *meta;          /* [c] shared */
	struct mutex mu;                  /* one opener at a time */
	struct table_file file;           /* [c] once open */
	struct table_root root;           /* [c] once open */
	bool rooted;                      /* [c] once open: root.top is in the cache's hash table */
};

enum table_state { TABLE_CLOSED = 0, TABLE_OPEN = 1 };

/* The version to look for in the table's bytes, for one that is asked for: an ingested table has all of its entries at one. */
static inline uint64_t table_stored_version(const struct table *t, uint64_t version)
{
	uint64_t assigned = t->meta->assigned;

	if (__builtin_expect(assigned == 0, true))
		return version;
	return version >= assigned ? TABLE_UNASSIGNED : 0;
}

/* An entry as its readers see it. */
static inline void table_assign(const struct table *t, struct entry *e)
{
	if (__builtin_expect(t->meta->assigned != 0, false))
		e->version = t->meta->assigned;
}

/*
 * table_child - the block that the index addresses at `at`: partition at->part (TABLE_INDEX) or data block at->leaf of at->index (TABLE_DATA).
 * out      with TABLE_CACHED_ONLY borrowed until the end of the read section; else pinned: block_unpin() ends it.
 * returns  0, SILT_WOULD_BLOCK, < 0 (reported).
 */
int table_child(struct table *t, enum table_block_kind kind, const struct table_place *at, unsigned flags,
                struct table_ahead *ahead, struct block **out) SILT_MUST_CHECK;

#endif
