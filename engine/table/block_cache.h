/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block_cache.h - verified, decompressed blocks by (table number, offset), bounded in bytes; lock-free lookups.
 *
 * Parents   a block that addresses others (an index) has a place for a pointer to each. While both are cached the cache keeps it right:
 *           so the way down a table is a pointer a step, and the hash table is for what just came and for what a parent lacks.
 * Readers   block_cache_peek(), block_cache_peek_child(): inside a read section, no lock, no reference; valid until the section ends.
 *           block_cache_pin_child(): a reference, valid until block_unpin(); outside or inside.
 * Inserters shard mutex; CLOCK eviction; what waits for readers is bounded (a few MiB, then the inserter waits).
 */
#ifndef TABLE_BLOCK_CACHE_H
#define TABLE_BLOCK_CACHE_H

#include "table/block.h"
#include "table/unpackers.h"

struct block_cache;

/*
 * Filters are few and large, and worth their room as long as that is a small part: all together may have a quarter. The cache takes what it
 * is given; a reader asks before it reads one.
 */
uint64_t block_cache_filter_share(const struct block_cache *c);  /* bytes that they may have together */
uint64_t block_cache_filter_room(const struct block_cache *c);   /* of these, bytes not taken; at some moment */
/* capacity: bytes of everything the cache holds, what waits for readers included. */
int block_cache_new(uint64_t capacity, struct block_cache **out) SILT_MUST_CHECK;
void block_cache_free(struct block_cache *c);             /* nothing pinned may be left */
/* As block_new(), from the memory that c keeps for its blocks; c NULL: from the heap. */
struct block *block_cache_new_block(struct block_cache *c, size_t bytes, size_t decoded);
/* What they are unpacked with; NULL for NULL. */
struct unpackers *block_cache_unpackers(struct block_cache *c);
struct block *block_cache_peek(struct block_cache *c, uint64_t table, uint64_t offset);  /* NULL = not there */
/* The same of the i-th block that a parent addresses. The parent is of this table, and pinned or peeked at. */
struct block *block_cache_peek_child(struct block_cache *c, const struct block *parent, uint64_t table, uint32_t i);
struct block *block_cache_pin_child(struct block_cache *c, const struct block *parent, uint64_t table, uint32_t i);
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
