/* SPDX-License-Identifier: Apache-2.0 */
/*
 * install.h - the only way from one version to the next while the store is open: manifest first, then the view.
 *
 * Order (!)   the tables of the edit are whole on disk -> the edit is in the manifest, synced -> readers see it -> what it dropped
 *             becomes obsolete. One installer at a time holds the baton (db->installing); no lock is held across the I/O.
 */
#ifndef DB_INSTALL_H
#define DB_INSTALL_H

#include "db/db.h"

/* flushed: the oldest sealed memtable, which the edit replaces; or NULL. 0; SILT_E_NOMEM, SILT_E_CORRUPT (the edit breaks an
 * invariant): nothing changed; a failed manifest write sets the fault. */
int install_edit(struct silt_db *db, struct edit *e, struct memtable *flushed) SILT_MUST_CHECK;
/*
 * The same for an edit that depends on the version it is made for: `plan` fills it when the baton is held, from the version
 * that it will be applied to. `floor`: the view that comes holds entries up to it that no memtable has (decide.h); 0 = none.
 */
typedef int install_plan_fn(void *ctx, const struct version *v, struct edit *e);
int install_planned(struct silt_db *db, struct edit *e, install_plan_fn *plan, void *ctx, uint64_t floor) SILT_MUST_CHECK;
/* db->debt of db->version. */
void install_reckon(struct silt_db *db) REQUIRES(db->mu);

#endif
