/* SPDX-License-Identifier: Apache-2.0 */
/*
 * segments.h - the WAL's files behind the leader's back: the next one made whole ahead, flushed ones recycled or deleted.
 * The flush thread's; before there is one, the opening's.
 */
#ifndef DB_SEGMENTS_H
#define DB_SEGMENTS_H

#include "db/db.h"

/* Makes segment `number` ready for writing: out of a flushed one where there is one, else anew. */
int segments_make(struct silt_db *db, uint64_t number, uint64_t recycle /* 0 = none */, struct log_writer **out) SILT_MUST_CHECK;
/* If the leader has no next segment, makes it. A failure is remembered for the leader, and returned. */
int segments_prepare(struct silt_db *db) EXCLUDES(db->mu);
/* Segments below `needed` are flushed, according to the manifest: change_log_size bytes of them are kept for readers of changes, one
 * more for recycling, the others go. Never after a fault. */
void segments_trim(struct silt_db *db, uint64_t needed) EXCLUDES(db->mu);

#endif
