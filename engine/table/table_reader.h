/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table_reader.h - one table, opened at first use, read through the block cache.
 *
 * Life      table_new (no I/O) -> opened by the first call that may block -> closed and freed with its last reference; the last
 *           unref may come only outside read sections, and after rcu_wait() if readers could still see it.
 * Rules     (1) a footer, index, filter or block that fails its digest is SILT_E_CORRUPT naming file, offset and key range, and
 *           the search ends there: never a silent absence. A damaged filter is reported once and counts as "maybe".
 *           (2) with TABLE_CACHED_ONLY no system call, lock or allocation happens: SILT_WOULD_BLOCK instead. TABLE_WANT_FILTER beside it
 *           is for callers who then ask again without: it makes a missing filter one of the things to block for.
 */
#ifndef TABLE_TABLE_READER_H
#define TABLE_TABLE_READER_H

#include "core/env.h"
#include "core/iter.h"
#include "core/table_meta.h"
#include "core/tombstones.h"
#include "table/block_cache.h"
#include "table/table.h"

struct table;

int table_new(struct env *env, struct block_cache *cache, struct table_meta *meta, struct table **out) SILT_MUST_CHECK; /* shares meta */
struct table *table_ref(struct table *t);
void table_unref(struct table *t);
const struct table_meta *table_meta_of(const struct table *t);
int table_open(struct table *t) SILT_MUST_CHECK;         /* footer, properties, top index against the meta; once */
uint64_t table_resident_bytes(const struct table *t);    /* tests: what it holds beside the cache */

/* Its range deletes, opened if need be: *out lives as long as t, NULL = it has none. 0, < 0 (reported). */
int table_tombstones(struct table *t, const struct tombstones **out) SILT_MUST_CHECK;

struct table_hit {
	struct entry entry;               /* borrows from `block` */
	struct block *block;              /* where it lies: `pin`, or the cache's own inside a read section */
	struct block *pin;                /* NULL with TABLE_CACHED_ONLY */
};
struct table_counts {                     /* added to by the caller's choice; may be NULL */
	uint64_t filter_checks, filter_negatives;
	uint64_t searches, filter_false;  /* data blocks looked into; those in vain after a filter said "maybe" */
};

/*
 * The newest version of key at or below max_version; a range delete over the key comes as a delete, where it is newer than what it
 * covers (then the key is the caller's). hash = hash_key(key).
 * 0 found (a delete too), SILT_NOTFOUND, SILT_WOULD_BLOCK, < 0. End a hit with table_hit_release().
 */
int table_get(struct table *t, struct silt_slice key, uint64_t hash, uint64_t max_version, unsigned flags,
              struct table_counts *counts, struct table_hit *hit) SILT_MUST_CHECK;
void table_hit_release(struct table_hit *hit);

/*
 * What table_get() of a key will touch is asked of the processor ahead, so that the misses of several keys overlap. In a read section, in this
 * order for each key, others between: the filter's line; the place in the index where the block's pointer is (false: the table has no such
 * key, or the way there is not in memory); the block. Only hints: no answer, no count, nothing is remembered.
 */
struct table_guess {
	const struct block *index;        /* peeked at */
	uint32_t leaf;
};
void table_foretell_line(struct table *t, uint64_t hash);
bool table_foretell_place(struct table *t, struct silt_slice key, uint64_t hash, uint64_t version, struct table_guess *out);
void table_foretell_block(const struct table_guess *g);

int table_iter_new(struct table *t, unsigned flags, struct iter **out) SILT_MUST_CHECK;   /* holds a reference; pins a data block or two */

/* Reads all of it from the disk, past the cache: every digest, the order, counts, key and version range against the meta. */
int table_verify(struct table *t, silt_progress_fn *progress, void *ctx) SILT_MUST_CHECK;

#endif
