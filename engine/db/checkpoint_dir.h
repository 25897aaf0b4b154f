/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint_dir.h - a directory that opens as a store: tables linked or copied into it, a log of its own without a write, a manifest.
 *
 * Order     (1) each table: linked, or copied, synced and read back.  (2) the log segment: SKIP to the version, SEAL, synced.
 *           (3) the manifest; its install syncs the directory, the links' names with it.  (4) whoever called gives the
 *           directory its name: until then nothing in it was promised to anybody.
 * Tables never change once they have their name, so that a link holds what it held. Log segments do: none is linked.
 */
#ifndef DB_CHECKPOINT_DIR_H
#define DB_CHECKPOINT_DIR_H

#include "db/db.h"

/*
 * Fills the empty directory `to` with version v of the store; the tables must not go meanwhile. `copy`: copy what can't be
 * linked. 0; < 0 reported, and something may lie there.
 */
int checkpoint_dir_fill(struct silt_db *db, struct version *v, const char *to, bool copy) SILT_MUST_CHECK;
/* What a checkpoint's manifest says. 0; SILT_NOTFOUND; < 0 reported. */
int checkpoint_dir_look(struct silt_db *db, const char *dir, struct silt_checkpoint_info *out) SILT_MUST_CHECK;
/* Removes a directory with all that is in it; symbolic links are removed, not followed. 0, SILT_NOTFOUND, < 0 reported. */
int checkpoint_dir_erase(struct env *env, const char *dir);

#endif
