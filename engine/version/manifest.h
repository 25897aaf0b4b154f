/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest.h - the log of edits on disk: read at open, appended and synced by each install, rolled when its segment is full.
 *
 * Rules     (1) an edit is installed only after manifest_append() returned 0.  (2) after a failed append the manifest is
 *           poisoned.  (3) rolling writes MANIFEST.tmp whole (one edit from nothing), syncs, renames, syncs the directory; then
 *           appends there.
 *           (4) whatever fails before that rename (a full disk, first of all) leaves the old manifest as it was, open and sound.
 * Threads   one at a time.
 */
#ifndef VERSION_MANIFEST_H
#define VERSION_MANIFEST_H

#include "core/env.h"
#include "version/version.h"

struct manifest;

struct manifest_found {
	struct version *version;          /* returned owned */
	bool torn;                        /* its tail was torn: sweep orphans into quarantine */
	uint64_t edits;
};
/* Reads DIR/MANIFEST: 0; SILT_NOTFOUND where there is none; SILT_E_CORRUPT, _VERSION, _IO, _NOMEM. Changes nothing. */
int manifest_read(struct env *env, struct manifest_found *out) SILT_MUST_CHECK;
/*
 * Installs a fresh manifest that says `v` (rule 3) and leaves it open for appending. SILT_E_NOSPACE: DIR/MANIFEST is as it was;
 * after another failure it is the old one or the new.
 */
int manifest_create(struct env *env, const struct version *v, struct manifest **out) SILT_MUST_CHECK;
/*
 * Appends and syncs the edit that leads to `next`; where the segment is full, rolls to one that says `next` instead.
 * 0.
 * SILT_E_NOSPACE  there is no room for a new manifest: the edit is not there and never will be, the old manifest stands and may
 *                 be appended to later; the edit's tables may be deleted.
 * others          SILT_E_IO, _NOMEM; SILT_E_FAULT: poisoned. The edit may be there at the next open, or not: none of its
 *                 tables, old or new, may be deleted.
 */
int manifest_append(struct manifest *m, const struct edit *e, const struct version *next) SILT_MUST_CHECK;
void manifest_close(struct manifest *m);
uint64_t manifest_bytes(const struct manifest *m);        /* tests: how full its log is */

#endif
