/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memtable.h - the newest entries, sorted, in memory: an arena skip list with one writer and lock-free readers.
 *
 * Life      active (the commit leader inserts) -> sealed (nobody does) -> flushed (freed with its last reference).
 * Rules     (1) insert never fails after memtable_reserve() of memtable_cost().  (2) a reader sees whole entries or none;
 *           entries above the published version are there, and readers skip them by the version they ask for.
 *           (3) (key, version) pairs are distinct.
 * Source    W. Pugh, "Skip Lists", CACM 33(6), 1990; single writer with release stores as in LevelDB's db/skiplist.h.
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
size_t memtable_cost(const struct entry *e);               /* upper bound of what inserting it takes */
int memtable_reserve(struct memtable *m, size_t bytes) SILT_MUST_CHECK;         /* 0 or SILT_E_NOMEM */
void memtable_insert(struct memtable *m, const struct entry *e);                /* copies */

/* Any thread. */
int memtable_get(const struct memtable *m, struct silt_slice key, uint64_t max_version, struct entry *out); /* newest at or below: 0 or SILT_NOTFOUND; borrows from m */
struct iter *memtable_iter(struct memtable *m);            /* holds a reference; NULL = out of memory */
uint64_t memtable_bytes(const struct memtable *m);         /* of the heap */
uint64_t memtable_entries(const struct memtable *m);
uint64_t memtable_max_version(const struct memtable *m);   /* 0 = empty */
void memtable_check(const struct memtable *m);             /* tests: asserts order, links, counts */

#endif
