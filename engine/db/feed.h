/* SPDX-License-Identifier: Apache-2.0 */
/*
 * feed.h - what the store does so that changes can be read from its log: the chain of segments, built when it opens, and how far
 * they may be read, moved on by the leader.
 *
 * Rules     (1) nothing is shown that is not both visible and synced: what is shown is never taken back by a crash.
 *           (2) a segment that is kept for changes alone never hinders an opening: where one is missing or damaged the reach ends.
 */
#ifndef DB_FEED_H
#define DB_FEED_H

#include "db/recover.h"

/* At open, behind recover_read(): the segments that are there, as far back as change_log_size allows. 0 or SILT_E_NOMEM. */
int feed_load(struct silt_db *db, const struct recovered *r) SILT_MUST_CHECK;
/* Behind recover_install(): the active one; and what is too many now that nothing of it is needed is let go. */
int feed_begin(struct silt_db *db, const struct recovered *r) SILT_MUST_CHECK;
/* The oldest segment that is kept or needed: what is there below is an orphan. */
uint64_t feed_oldest_wal(const struct silt_db *db, const struct recovered *r);

/* The leader's, after an append: a place where a reader may begin. */
void feed_note(struct silt_db *db);
/* After a sync: what is visible and synced may be read. */
void feed_advance(struct silt_db *db);
/* The leader's where a version was given to what no log has (db/ingest.c), published and synced its SKIP, and the active segment has no
 * DATA: no reader goes past it, none begins before it. */
void feed_cut(struct silt_db *db, uint64_t version) EXCLUDES(db->mu);
/* The leader's at rotation: all memory before the seal, for nothing may fail behind it; then with the view of the new memtable. */
struct chain_segment *feed_prepare(struct silt_db *db, const struct log_writer *next);   /* NULL: no memory */
void feed_switch(struct silt_db *db, struct chain_segment *next) REQUIRES(db->mu);        /* takes it */

#endif
