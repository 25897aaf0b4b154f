/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jobkit.h - what the tests of engine/job share: a directory on the simulated disk with a version, caches and a job; entries put
 * into memtables and flushed; the whole history beside it, to be asked what a reader must see.
 */
#ifndef TESTS_JOBKIT_H
#define TESTS_JOBKIT_H

#include "lib/test.h"

#include "job/compact.h"
#include "job/flush.h"
#include "job/verify.h"
#include "lib/logkit.h"
#include "lib/simdisk.h"
#include "mem/memtable.h"

enum { JOBKIT_KEYS = 64, JOBKIT_GRACE = 60000, JOBKIT_READERS = 8 };

struct jobkit_past {                      /* one entry that was ever written */
	unsigned key;
	uint64_t version, expires_ms;
	bool put;
};

struct jobkit {
	struct simdisk *disk;
	struct logkit kit;                /* the environment, and what it last reported */
	struct block_cache *blocks;
	struct job job;
	struct version *version;
	struct memtable *memtable;        /* being filled; NULL = none */
	uint64_t next_number, last_version, now_ms;
	uint64_t readers[JOBKIT_READERS]; /* ascending snapshots; the last is the published version */
	size_t reader_count;
	uint64_t paced;                   /* bytes that pace() was told of */
	uint64_t stop_after;              /* looks of should_stop until it says yes; 0 = never */
	struct jobkit_past *past;         /* oldest first */
	size_t past_count, past_room;
};

void jobkit_init(struct jobkit *k);       /* tables of 4 KiB, blocks of 1 KiB, level base 16 KiB, ratio 4 */
void jobkit_fini(struct jobkit *k);

/* Key i is "key00000" and so on; a value follows from key and version. */
struct silt_slice jobkit_key(unsigned i, char room[16]);
struct silt_slice jobkit_value(unsigned key, uint64_t version, char room[400]);
void jobkit_put(struct jobkit *k, unsigned key, uint64_t expires_ms);      /* into the memtable, under the next version */
void jobkit_delete(struct jobkit *k, unsigned key);
void jobkit_delete_range(struct jobkit *k, unsigned from, unsigned to);        /* keys from..to - 1; to JOBKIT_KEYS: to the last key */
void jobkit_snapshot(struct jobkit *k);   /* a reader at the present version, besides the published */
void jobkit_release(struct jobkit *k, size_t i);
int jobkit_flush(struct jobkit *k, struct job_counts *counts);             /* and installs; the memtable is gone only on 0 */
struct pick_rules jobkit_rules(struct jobkit *k);
int jobkit_compact(struct jobkit *k, const struct pick *p, struct job_counts *counts);  /* and installs */
unsigned jobkit_settle(struct jobkit *k, bool manual);                     /* picks and compacts until nothing is left: how many */
void jobkit_install(struct jobkit *k, const struct edit *e);

/* Reads every entry of every table: invariants by key, and what each reader sees against the history. Tables not in memory only. */
void jobkit_check(struct jobkit *k);
uint64_t jobkit_range_deletes(const struct jobkit *k);                              /* of all tables */
uint64_t jobkit_entries(const struct jobkit *k, int level, uint64_t *tombstones);       /* of a level, -1 = all */
/* Files that no version names: 0, unless a job left something behind. */
unsigned jobkit_strays(struct jobkit *k);

#endif
