/* SPDX-License-Identifier: Apache-2.0 */
/* block.c - see block.h. */
#include "table/block.h"

#include "base/mem.h"

_Static_assert(sizeof(struct block) == 2 * BLOCK_LINE && offsetof(struct block, refs) == BLOCK_LINE, "two lines");

static size_t block_round_up(size_t n)
{
	return (n + BLOCK_LINE - 1) & ~(size_t)(BLOCK_LINE - 1);
}

struct block *block_new_in(struct pool *pool, size_t bytes, size_t decoded)
{
	size_t before = block_round_up(sizeof(struct block) + decoded);
	struct block *b;

	if (before + bytes > POOL_PIECE_MAX)
		pool = NULL;
	b = pool ? pool_take(pool, before + bytes) : mem_alloc_aligned(BLOCK_LINE, before + bytes);
	if (!b)
		return NULL;
	/* Never the piece's own words: the pool changes them whenever a neighbour comes or goes. */
	memset((uint8_t *)b + sizeof(b->piece), 0, sizeof(*b) - sizeof(b->piece));
	b->pool = pool;
	b->parent = BLOCK_NO_PARENT;
	atomic_init(&b->refs, 1);
	b->bytes = slice_of((uint8_t *)b + before, bytes);
	b->decoded = decoded ? b + 1 : NULL;
	b->charge = pool ? pool_size(before + bytes) : before + bytes;
	return b;
}

struct block *block_new(size_t bytes, size_t decoded)
{
	return block_new_in(NULL, bytes, decoded);
}

static void block_free(struct block *b)
{
	if (b->pool)
		pool_give(b->pool, b);
	else
		mem_free(b);
}

void block_unpin(struct block *b)
{
	if (b && atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) == 1)
		block_free(b);
}

void block_foretell_child(const struct block *parent, uint32_t i)
{
	const struct block *b = rcu_load(parent->children->at[i]);

	if (b)
		block_expect(b);
}

void block_link(struct block *parent, struct block *child)
{
	struct block_children *of = parent->children;

	if (!of || child->slot || child->place >= of->count || of->offsets[child->place] != child->offset || of->at[child->place])
		return;
	child->slot = &of->at[child->place];
	rcu_store(*child->slot, child);
}

void block_part(struct block *child)
{
	if (child->slot)
		rcu_store(*child->slot, NULL);
	child->slot = NULL;
}
