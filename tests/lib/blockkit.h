/* SPDX-License-Identifier: Apache-2.0 */
/* blockkit.h - blocks made by hand, and parents of them, for the tests of the block cache. Header only. */
#ifndef TESTS_BLOCKKIT_H
#define TESTS_BLOCKKIT_H

#include "lib/test.h"

#include "base/rcu.h"
#include "table/block_cache.h"
#include "table/table.h"

static inline struct block_cache *blockkit_cache(uint64_t capacity)
{
	struct block_cache *c;

	assert_int_equal(block_cache_new(capacity, &c), 0);
	return c;
}

/* A block whose bytes follow from its key, so that a wrong one shows itself. */
static inline struct block *blockkit_block(uint64_t table, uint64_t offset, size_t bytes)
{
	struct block *b = block_new(bytes, 16);

	assert_non_null(b);
	b->table = table;
	b->offset = offset;
	memset((void *)(uintptr_t)b->bytes.data, (int)(table * 31 + offset), bytes);
	return b;
}

static inline void blockkit_enter(struct block_cache *c, uint64_t table, uint64_t offset, size_t bytes)
{
	struct block *b = blockkit_block(table, offset, bytes);

	block_cache_insert(c, b);
	block_unpin(b);
}

/* A reference, or NULL: not there. */
static inline struct block *blockkit_pin(struct block_cache *c, uint64_t table, uint64_t offset)
{
	struct block *b;

	rcu_begin();
	b = block_cache_peek(c, table, offset);
	if (b)
		(void)block_pin_again(b);
	rcu_end();
	return b;
}

enum { BLOCKKIT_KIDS = 40 };

/* An index block of table 1 at `offset` over blocks at 0, 100, 200, ...; its arrays are its own. */
static inline struct block *blockkit_parent(uint64_t offset)
{
	struct block *b = block_new(100, sizeof(struct block_children) + BLOCKKIT_KIDS * (sizeof(struct block *) + sizeof(uint64_t)));
	struct block_children *of = b->decoded;

	b->kind = TABLE_INDEX;
	b->table = 1;
	b->offset = offset;
	of->at = (struct block **)(of + 1);
	of->offsets = (uint64_t *)(of->at + BLOCKKIT_KIDS);
	of->count = BLOCKKIT_KIDS;
	for (uint64_t i = 0; i < BLOCKKIT_KIDS; i++) {
		of->at[i] = NULL;
		of->offsets[i] = i * 100;
	}
	b->children = of;
	return b;
}

static inline struct block *blockkit_enter_child(struct block_cache *c, uint64_t of, uint32_t i, size_t bytes)
{
	struct block *b = blockkit_block(1, i * 100, bytes);

	b->parent = of;
	b->place = i;
	block_cache_insert(c, b);
	return b;
}

#endif
