/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recover.h - from what a crash, a close or nobody left behind to a store that may be written (README.md, "Opening after a crash").
 *
 * Steps     1 manifest read (none: a new store, unless data lies there)   2 every table it names is there, in its size
 *           3 segments from the oldest needed one are judged and replayed into memtables   4 what was replayed past the highest
 *           synced_to is written again, sealed, synced (!)   5 a new segment, whose first record, synced, is a SKIP: by nothing after a
 *           clean end, else by 2^22, so that no version is ever given twice, or to silt_options.first_version, which ends the reach
 *           of changes   6 a fresh manifest   7 the sweep
 * Nothing is changed before step 4, but that orphans beside a torn manifest are set aside (gc.h, rule 4); a read-only open ends
 * after step 3.
 */
#ifndef DB_RECOVER_H
#define DB_RECOVER_H

#include "db/db.h"
#include "log/judge.h"

struct recovered {
	struct version *version;          /* returned owned */
	struct memtable *memtables[VIEW_SEALED_MAX];  /* oldest first, referenced */
	size_t count;
	uint64_t last_version;            /* newest in log or tables; from step 5 on what silt_options.first_version made of it */
	uint64_t entries;                 /* replayed */
	uint64_t next_file;               /* above every table's number seen, named or not */
	uint64_t oldest_wal;              /* needed; 0 = a new store */
	uint64_t next_wal;                /* number of the segment to go on in */
	uint64_t spare_wal;               /* the same, where its file was made ahead: it is recycled; 0 = there is none */
	struct log_end end;               /* of the log, but of a new store */
	bool fresh;                       /* a new store */
	bool raised;                      /* step 5 raised it */
	bool manifest_torn;
};

int recover_read(struct silt_db *db, struct recovered *r) SILT_MUST_CHECK;       /* steps 1 to 3; end with recover_fini() */
/* Steps 4 to 6: db->wal, db->active (empty), db->manifest, db->last_version are set. */
int recover_install(struct silt_db *db, struct recovered *r) SILT_MUST_CHECK;
void recover_fini(struct recovered *r);
/* One DATA record of a segment into a memtable; its operations are added to *entries. A batch that does not parse is SILT_E_CORRUPT. */
int recover_insert(struct env *env, struct memtable *m, uint64_t segment, const struct log_record *rec, uint64_t *entries) SILT_MUST_CHECK;

#endif
