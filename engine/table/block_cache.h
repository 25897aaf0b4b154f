/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block_cache.h - verified, decompressed blocks by (table number, offset), bounded in bytes; lock-free lookups.
 *
 * Parents   a block that addresses others (an index) has a place for a pointer to each. While both are cached the cache keeps it right:
 *           so the way down a table is a pointer a step, and the hash table is for what just came and for what a parent lacks.
 * Readers   block_cache_peek(): inside a read section, no lock, no reference; valid until the section ends.
 *           block_cache_pin(): a reference, valid until block_unpin(); outside or inside.
 * Inserters shard mutex; CLOCK eviction; what waits for readers is bounded (a few MiB, then the inserter waits).
 */
#ifndef TABLE_BLOCK_CACHE_H
#define TABLE_BLOCK_CACHE_H

#include "base/pool.h"
#include "base/slice.h"

struct block_cache;

struct block_children {                   /* of an index */
	struct block **at;                /* [count] [r], written under links_mu; NULL = not known, the hash table may have it */
	uint64_t *offsets;                /* [count] of the blocks */
	uint32_t count;
};

struct block {                            /* header of one allocation; `decoded` and the bytes follow */
	/* a line for who looks it up, inserts and evicts */
	_Alignas(64) struct pool_piece piece;   /* the pool's, if it is from there */
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

/*
 * Filters are few and large, and worth their room as long as that is a small part: all together may have a quarter. The cache takes what it
 * is given; a reader asks before it reads one.
 */
uint64_t block_cache_filter_share(const struct block_cache *c);  /* bytes that they may have together */
uint64_t block_cache_filter_room(const struct block_cache *c);   /* of these, bytes not taken; at some moment */
/* capacity: bytes of everything the cache holds, what waits for readers included. */
int block_cache_new(uint64_t capacity, struct block_cache **out) SILT_MUST_CHECK;
void block_cache_free(struct block_cache *c);             /* nothing pinned may be left */
struct block *block_new(size_t bytes, size_t decoded);    /* refs 1, the caller's; NULL = out of memory; bytes.data is writable until inserted */
struct block *block_new_for(struct block_cache *c, size_t bytes, size_t decoded);   /* from the memory that c keeps for its blocks; NULL: as above */
struct block *block_cache_peek(struct block_cache *c, uint64_t table, uint64_t offset);  /* NULL = not there */
struct block *block_cache_pin(struct block_cache *c, uint64_t table, uint64_t offset);
/* The same of the i-th block that a parent addresses. The parent is of this table, and pinned or peeked at. */
struct block *block_cache_peek_child(struct block_cache *c, const struct block *parent, uint64_t table, uint32_t i);
struct block *block_cache_pin_child(struct block_cache *c, const struct block *parent, uint64_t table, uint32_t i);
struct block *block_pin_again(struct block *b);           /* of one that is pinned, or was peeked at in this read section */
void block_unpin(struct block *b);                        /* NULL is fine */
/* Asks the processor for the first lines of a parent's i-th child, where the parent knows it. In a read section. */
void block_foretell_child(const struct block *parent, uint32_t i);
/*
 * Enters b under b->table and b->offset; the caller's reference stays the caller's. If the key is there already, or b is larger
 * than half the cache, b is left out and that is fine. May wait for readers: never inside a read section.
 */
void block_cache_insert(struct block_cache *c, struct block *b);
void block_cache_forget(struct block_cache *c, uint64_t table);   /* a deleted table's blocks go first */
/*
 * A parent that is no cached block: its owner's, neither counted nor evicted, found as the others are. `leave` before the owner lets go of it,
 * outside read sections; it may wait for readers. False where there is one under that key already: then it is not to leave either.
 */
bool block_cache_enter_root(struct block_cache *c, struct block *b);
void block_cache_leave_root(struct block_cache *c, struct block *b);
struct block_cache_stats {
	uint64_t bytes, capacity, hits, misses, evictions;   /* bytes: with those that wait for readers */
};
void block_cache_stats(struct block_cache *c, struct block_cache_stats *out);
void block_cache_count(struct block_cache *c, bool hit);  /* striped by thread, no read-modify-write: a shared stripe may lose a count */
void block_cache_check(struct block_cache *c);            /* asserts the invariants (for tests) */

#endif
