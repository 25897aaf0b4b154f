/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gc.h - deleting what nobody needs: tables that no version holds while the store is open, and what a crash left behind.
 *
 * Rules (!)   (1) nothing is deleted after a fault.  (2) a table goes only when the manifest no longer names it and no live tableset holds it.
 *             (3) the sweep at open comes only after every table and segment that the manifest needs was found and a fresh
 *             manifest is installed.  (4) where the manifest had a torn tail, orphans go to quarantine/, not away, and durably so
 *             before the fresh manifest is installed: that one has no torn tail, and an opening cut short behind it
 *             would leave them to the next one's sweep. Nothing is overwritten in quarantine/.
 */
#ifndef DB_GC_H
#define DB_GC_H

#include "db/db.h"

/* Deletes the obsolete tables that no view holds any more. The flush thread's. */
void gc_run(struct silt_db *db) EXCLUDES(db->mu);
/* At open. Orphans are tables that `v` does not name, and segments below `oldest_wal`, the oldest that is needed
 * or kept for changes, or above `newest_wal`. */
int gc_set_aside(struct silt_db *db, const struct version *v, uint64_t oldest_wal, uint64_t newest_wal) SILT_MUST_CHECK;  /* rule 4 */
int gc_sweep(struct silt_db *db, const struct version *v, uint64_t oldest_wal, uint64_t newest_wal) SILT_MUST_CHECK;      /* and .tmp files */

#endif
