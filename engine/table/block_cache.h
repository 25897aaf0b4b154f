/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block_cache.h - verified, decompressed blocks by (table number, offset), bounded in bytes; lock-free lookups.
 *
 * Readers   block_cache_peek(): inside a read section, no lock, no reference; valid until the section ends.
 *           block_cache_pin(): a reference, valid until block_unpin(); outside or inside.
 * Inserters shard mutex; CLOCK eviction; what waits for readers is bounded (a few MiB, then the inserter waits).
 */
#ifndef TABLE_BLOCK_CACHE_H
#define TABLE_BLOCK_CACHE_H

#include "base/slice.h"

struct block_cache;

struct block {                            /* header of one allocation; the decoded bytes follow */
	_Atomic unsigned refs;            /* the cache's own counts as one */
	uint64_t table, offset;           /* the key */
	struct block *_Atomic next;       /* [r] in its bucket */
	struct block *retired_next;       /* linked by the shard's retired list */
	_Atomic unsigned char touched;    /* CLOCK */
	uint8_t kind;                     /* enum table_block_kind */
	size_t charge;                    /* bytes of the allocation */
	struct silt_slice bytes;          /* decompressed */
	void *decoded;                    /* what the reader prepared beside it, inside the same allocation; or NULL */
};

int block_cache_new(uint64_t capacity, struct block_cache **out) SILT_MUST_CHECK;
void block_cache_free(struct block_cache *c);             /* nothing pinned may be left */
struct block *block_new(size_t bytes, size_t decoded);    /* refs 1, the caller's; NULL = out of memory; bytes.data is writable until inserted */
struct block *block_cache_peek(struct block_cache *c, uint64_t table, uint64_t offset);  /* NULL = not there */
struct block *block_cache_pin(struct block_cache *c, uint64_t table, uint64_t offset);
void block_unpin(struct block *b);                        /* NULL is fine */
/* Enters b; the caller's reference stays the caller's. If the key is there already, b is left out and that is fine. */
void block_cache_insert(struct block_cache *c, struct block *b);
void block_cache_forget(struct block_cache *c, uint64_t table);   /* a deleted table's blocks go first */
struct block_cache_stats {
	uint64_t bytes, capacity, hits, misses, evictions;
};
void block_cache_stats(struct block_cache *c, struct block_cache_stats *out);
void block_cache_count(struct block_cache *c, bool hit);  /* per-thread-striped counters, no shared read-modify-write on one line */

#endif
