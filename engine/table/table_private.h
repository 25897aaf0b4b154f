/* SPDX-License-Identifier: Apache-2.0 */
/* table_private.h - struct table, shared by the rooms that read one: table_reader, table_iter. Nobody else includes it. */
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
};

enum table_state { TABLE_CLOSED = 0, TABLE_OPEN = 1 };

/*
 * table_child - the block that the index addresses at `at`: partition at->part (TABLE_INDEX) or data block at->leaf of at->index (TABLE_DATA).
 * out      with TABLE_CACHED_ONLY borrowed until the end of the read section; else pinned: block_unpin() ends it.
 * returns  0, SILT_WOULD_BLOCK, < 0 (reported).
 */
int table_child(struct table *t, enum table_block_kind kind, const struct table_place *at, unsigned flags,
                struct table_ahead *ahead, struct block **out) SILT_MUST_CHECK;

#endif
