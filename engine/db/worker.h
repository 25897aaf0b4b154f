/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.h - the two background threads.
 *
 *   flush thread        reap retired views, make the next segment, flush the oldest sealed memtable, delete the obsolete; a tick
 *                       a second at least: disk space, flush_interval
 *   compaction thread   pick, run, install, until nothing is left; woken by installs, requests, and compaction_interval
 *
 * A flush never waits behind a compaction. After a fault neither writes, and nothing is deleted. A full disk or a failed read is
 * tried again after a pause.
 */
#ifndef DB_WORKER_H
#define DB_WORKER_H

#include "db/db.h"

int worker_start(struct silt_db *db) SILT_MUST_CHECK;
void worker_end(struct silt_db *db);                      /* a running compaction is given up, a flush is finished */
void worker_look_at_disk(struct silt_db *db);             /* free space against the reserve */

#endif
