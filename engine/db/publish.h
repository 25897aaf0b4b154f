/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publish.h - replacing the view: the one place where readers come to see other memtables or tables.
 *
 * A retired view waits on db->retired until publish_reap() has let every reader of that moment pass.
 */
#ifndef DB_PUBLISH_H
#define DB_PUBLISH_H

#include "db/db.h"

/* Puts `next` in the place of the present view; takes it. */
void publish_view(struct silt_db *db, struct view *next) REQUIRES(db->mu);
/* Waits for readers and gives the retired views back. Not on a writer's way. */
void publish_reap(struct silt_db *db) EXCLUDES(db->mu);

#endif
