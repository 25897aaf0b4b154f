/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint.h - the store as it was at one version, in a directory of its own, made while writes go on.
 *
 *   silt_flush -> the installed version: all writes up to its last_version, and none above -> NAME.tmp filled -> renamed, synced
 *
 * Rules (!)   (1) an installed version is a prefix of the commit order: memtables are flushed oldest first, and only when published.
 *             (2) the table set is held while it is linked: gc.c deletes nothing that a live set names.
 *             (3) NAME appears whole or not at all; NAME.tmp is never whole, and swept at the next open.  Removing goes the
 *             other way: renamed to NAME.tmp, synced, and only then emptied.
 */
#ifndef DB_CHECKPOINT_H
#define DB_CHECKPOINT_H

#include "db/db.h"

/* At open: what a crash left of making or removing a checkpoint. Failures are only noted. */
void checkpoint_sweep(struct silt_db *db);

#endif
