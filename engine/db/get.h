/* SPDX-License-Identifier: Apache-2.0 */
/*
 * get.h - the point read: memtables, then tables newest first, then one table a level.
 *
 * Which version does a plain get read at? P must be so that every entry <= P is in the view, and so that no compaction behind
 * the view dropped what is visible at P. get_begin() loads the view, P, and the view again until both loads agree: the leader
 * publishes a new memtable's view before any version in it, and a compaction's published version is <= P.
 */
#ifndef DB_GET_H
#define DB_GET_H

#include "db/db.h"
#include "table/table_reader.h"

/* In a read section: the present view, and the newest version that may be read in it. */
struct view *get_begin(struct silt_db *db, uint64_t *version);

struct get_hit {
	struct entry entry;               /* borrowed from `memtable`, or from `table` */
	struct memtable *memtable;        /* the view's that has it; NULL = `table` has it */
	struct table_hit table;
};
/* Any kind of entry, also a delete or an expired one: 0, SILT_NOTFOUND, SILT_WOULD_BLOCK, < 0. End a hit with get_release(). */
int get_search(struct silt_db *db, struct view *v, struct silt_slice key, uint64_t version, unsigned table_flags,
               struct get_hit *hit) SILT_MUST_CHECK;
/* What a cached try is asked with: one that may be followed by a blocking one also wants the filters. flags: SILT_*. */
static inline unsigned get_cached_flags(unsigned flags)
{
	return flags & (SILT_CACHED_ONLY | SILT_NO_FILL) ? TABLE_CACHED_ONLY : TABLE_CACHED_ONLY | TABLE_WANT_FILTER;
}
/* And the one that may follow. */
static inline unsigned get_disk_flags(unsigned flags)
{
	return (flags & SILT_NO_FILL ? TABLE_NO_FILL : 0) | (flags & SILT_NO_WAIT ? TABLE_NO_WAIT | TABLE_WANT_FILTER : 0);
}
void get_release(struct get_hit *hit);

/* The raw entry of a key at the newest version, copied: what a writer takes as evidence. */
struct get_copy {
	uint64_t read_at;                 /* the version it was read at */
	bool found;                       /* an entry of any kind */
	enum entry_kind kind;
	struct silt_info info;
	struct silt_buf value;            /* if asked for */
};
int get_copy(struct silt_db *db, struct silt_slice key, unsigned flags, bool want_value, struct get_copy *out) SILT_MUST_CHECK;

/* Counts one lookup and its answer, and its time where it was measured (measure.h); not SILT_WOULD_BLOCK, which is asked again. */
void get_count(struct silt_db *db, struct db_stripe *s, int rc, uint64_t began_ns);
void get_count_many(struct silt_db *db, uint64_t gets, uint64_t hits);
void get_fill_info(const struct entry *e, struct silt_info *out);

#endif
