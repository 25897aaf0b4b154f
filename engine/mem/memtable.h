/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memtable.h - the newest entries, sorted, in memory: a chain in an arena, a tree over it, one writer and lock-free readers.
 *
 * Life      active (the commit leader inserts) -> sealed (nobody does) -> flushed (freed with its last reference).
 * Rules     (1) insert never fails after memtable_reserve() of memtable_cost(), of a range delete after memtable_reserve_ranges().  (2) a reader sees whole entries or none;
 *           entries above the published version may be there, and readers skip them by the version they ask for.
 *           (3) (key, version) pairs are distinct; versions of range deletes do not descend.
 */
#ifndef MEM_MEMTABLE_H
#define MEM_MEMTABLE_H

#include "core/iter.h"

struct memtable;

int memtable_new(uint64_t wal_number, struct memtable **out) SILT_MUST_CHECK;   /* one reference, the caller's */
struct memtable *memtable_ref(struct memtable *m);
void memtable_unref(struct memtable *m);
uint64_t memtable_wal_number(const struct memtable *m);    /* the segment that holds its entries */

/* Writer. */
size_t memtable_cost(const struct entry *e);               /* upper bound of what inserting it takes; 0 of a range delete */
int memtable_reserve(struct memtable *m, size_t bytes) SILT_MUST_CHECK;         /* 0 or SILT_E_NOMEM */
int memtable_reserve_ranges(struct memtable *m, size_t n, size_t bound_bytes) SILT_MUST_CHECK;     /* for n range deletes besides */
void memtable_insert(struct memtable *m, const struct entry *e);                /* copies */
/* The next insert will be of this entry: its place is looked for now, and what it touches is in the cache by then. Reserved as for the insert. */
void memtable_expect(struct memtable *m, const struct entry *e);

/* Any thread. */
/* The newest at or below a version: 0 (borrows from m) or SILT_NOTFOUND. A range delete over the key comes as a delete, where it is newer
 * than what it covers; then the key is the caller's. */
int memtable_get(const struct memtable *m, struct silt_slice key, uint64_t max_version, struct entry *out);
/* Its range deletes, of a reader or all of them, as ranges_each() gives them; the bounds borrow from m. */
typedef int memtable_range_fn(void *ctx, struct silt_slice lower, struct silt_slice upper, uint64_t version);
int memtable_ranges(const struct memtable *m, uint64_t max_version, bool all, memtable_range_fn *fn, void *ctx);
struct iter *memtable_iter(struct memtable *m);            /* over all but the range deletes; holds a reference; NULL = out of memory */
/* As sorted_estimate(): range deletes do not count. */
uint64_t memtable_estimate(const struct memtable *m, struct silt_slice lower, struct silt_slice upper, uint64_t *low);
uint64_t memtable_bytes(const struct memtable *m);         /* of the heap */
uint64_t memtable_used(const struct memtable *m);          /* of these, without what the next entries will take; the writer's */
uint64_t memtable_entries(const struct memtable *m);       /* range deletes among them */
uint64_t memtable_range_deletes(const struct memtable *m);
uint64_t memtable_newest_range(const struct memtable *m);  /* version of the newest range delete; 0 = none */
uint64_t memtable_max_version(const struct memtable *m);   /* 0 = empty */
void memtable_check(const struct memtable *m);             /* tests: asserts order, links, counts */

#endif
