/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block.h - one block as memory holds it, in one allocation: a header of two lines, what its reader decoded, its bytes.
 *
 *      struct block (2 x 64) | decoded | to the next line | bytes
 *
 * Life      block_new: 1 reference, the caller's -> filled and loaded (block_reader.h, index.h) -> pinned by who keeps it -> freed with the last pin.
 * Parents   a block that addresses others (an index) has a place for a pointer to each, and the child knows that place: one lock of the
 *           owner's over both (block_cache.c, rule 5); who follows the pointer is in a read section.
 */
#ifndef TABLE_BLOCK_H
#define TABLE_BLOCK_H

#include <stdatomic.h>

#include "base/pool.h"
#include "base/rcu.h"
#include "base/slice.h"

enum {
	BLOCK_LINE = 64,                  /* bytes that come from memory together */
	BLOCK_EXPECT = 4,                 /* lines: the header's second one, and what was decoded of a data block of 4 KiB */
};

struct block_children {                   /* of an index */
	struct block **at;                /* [count] [r]; NULL = not known, the hash table may have it */
	uint64_t *offsets;                /* [count] of the blocks */
	uint32_t count;
};

struct block {                            /* [s] its shard's mu, [links_mu]: the cache's (block_cache.c) */
	/* a line for who looks it up, inserts and evicts */
	_Alignas(BLOCK_LINE) struct pool_piece piece;   /* the pool's, if it is from there */
	struct pool *pool;                /* where it is from; NULL = the heap */
	struct block *next;               /* [r] in its bucket */
	uint64_t table, offset;           /* the key */
	struct block *link;               /* [s] in its shard's ring, later in the retired list */
	size_t charge;                    /* bytes of the allocation */
	struct block **slot;              /* [links_mu] where its parent points to it; NULL = nowhere */
	/* a line for who reads it */
	_Atomic unsigned refs;            /* the cache's own counts as one */
	_Atomic unsigned char touched;    /* CLOCK; relaxed */
	uint8_t kind;                     /* enum table_block_kind */
	uint32_t items;                   /* entries in it, as its stored form says */
	uint32_t place;                   /* of its parent's children it is this one; set before it is inserted, as the parent */
	uint64_t parent;                  /* offset of the block of its table that addresses it; BLOCK_NO_PARENT */
	struct silt_slice bytes;          /* unpacked; begins a cache line */
	void *decoded;                    /* what the reader prepared beside it, inside the same allocation; or NULL */
	struct block_children *children;  /* in `decoded`; NULL = it addresses none */
};
#define BLOCK_NO_PARENT UINT64_MAX

struct block *block_new(size_t bytes, size_t decoded);    /* from the heap; NULL = out of memory; bytes.data is writable until others see it */
struct block *block_new_in(struct pool *pool, size_t bytes, size_t decoded);     /* pool NULL, or what is too large for one: from the heap */
void block_unpin(struct block *b);                        /* NULL is fine */

/* Of one that is pinned, or was peeked at in this read section. */
static inline struct block *block_pin_again(struct block *b)
{
	atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
	return b;
}

/*
 * A block's header is followed by what its reader decoded: the lines that every lookup needs next. Asked for at once, they come
 * together instead of one after the other.
 */
static inline void block_expect(const struct block *b)
{
	for (size_t line = 1; line < BLOCK_EXPECT; line++)
		__builtin_prefetch((const uint8_t *)b + line * BLOCK_LINE);
}

/* The same of a parent's i-th child, where the parent knows it. In a read section. */
void block_foretell_child(const struct block *parent, uint32_t i);

/* Both under the owner's lock. */
void block_link(struct block *parent, struct block *child);     /* nothing, where the place is taken or another's */
void block_part(struct block *child);                           /* from its parent */

#endif
