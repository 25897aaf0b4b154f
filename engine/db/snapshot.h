/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot.h - the list of versions that somebody still reads at; what compaction must leave alone. */
#ifndef DB_SNAPSHOT_H
#define DB_SNAPSHOT_H

#include "db/db.h"
#include "job/keep.h"

/* Registers the newest published version in *s, and optionally takes the view of that moment. */
void snapshot_take(struct silt_db *db, struct silt_snapshot *s, struct view **view);
/* The same at the version and with the age of a live one, which may be 0: an empty store's. */
void snapshot_take_again(struct silt_snapshot *s, const struct silt_snapshot *of, struct view **view);
void snapshot_drop(struct silt_snapshot *s);
bool snapshot_expired(const struct silt_snapshot *s);
/* For a job that begins now: the versions readers stand at, ascending, the published one last. Returns owned in rules->snapshots. */
int snapshot_rules(struct silt_db *db, struct keep_rules *rules) SILT_MUST_CHECK;

enum { SNAPSHOT_GRACE_MS = 60000 };       /* expired entries are kept this long, for clocks that differ */

#endif
