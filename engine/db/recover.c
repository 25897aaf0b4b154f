/* SPDX-License-Identifier: Apache-2.0 */
/* recover.c - the seven steps of recover.h but for the sweep, which is gc.c's. */
#include "db/recover.h"

#include <inttypes.h>

#include "core/batch_reader.h"
#include "core/filename.h"
#include "db/files.h"
#include "db/segments.h"
#include "log/recover.h"

/* ---- replay ----------------------------------------------------------------------------------------------------------------- */

struct recover_replay {
	struct silt_db *db;
	struct recovered *r;
	uint64_t segment;                 /* of the memtable being filled */
	bool any_data;                    /* the first DATA was checked against the manifest */
};

/* Each memtable is of whole segments: small ones share one, so that crash after crash does not fill the view. */
static int recover_memtable(struct recover_replay *p, uint64_t segment, struct memtable **out)
{
	struct recovered *r = p->r;
	struct memtable *last = r->count ? r->memtables[r->count - 1] : NULL;
	bool full = last && memtable_used(last) >= p->db->env.opts.memtable_size;
	int rc = 0;

	if (!last || (segment != p->segment && full && r->count < VIEW_SEALED_MAX - 2)) {
		rc = memtable_new(segment, &last);
		if (rc < 0)
			return rc;
		r->memtables[r->count++] = last;
	}
	p->segment = segment;
	*out = last;
	return 0;
}

static int recover_bad_batch(struct env *env, uint64_t segment, const struct log_record *rec)
{
	return report(&env->rep, SILT_E_CORRUPT, "%s/%06" PRIu64 ".wal: offset %" PRIu64 ": the record's batch does not parse",
	              env->dir, segment, rec->offset);
}

int recover_insert(struct env *env, struct memtable *m, uint64_t segment, const struct log_record *rec, uint64_t *entries)
{
	struct batch_reader reader;
	struct entry e;
	int rc = batch_reader_init(&reader, rec->payload);

	while (rc == 0 && (rc = batch_reader_next(&reader, &e)) == 0) {
		rc = memtable_reserve(m, memtable_cost(&e));
		if (rc == 0)
			rc = memtable_reserve_ranges(m, e.kind == ENTRY_RANGE_DELETE, e.key.len + e.value.len);
		if (rc < 0)
			return rc;
		e.version = rec->version;
		memtable_insert(m, &e);
		++*entries;
	}
	return rc == SILT_END ? 0 : recover_bad_batch(env, segment, rec);
}

static int recover_apply(void *ctx, uint64_t segment, const struct log_record *rec)
{
	struct recover_replay *p = ctx;
	struct memtable *m;
	int rc;

	if (rec->kind != LOG_DATA)
		return 0;
	if (!p->any_data && rec->version <= p->r->version->last_version)
		return report(&p->db->env.rep, SILT_E_CORRUPT,
		              "%s/%06" PRIu64 ".wal: begins with version %" PRIu64 ", but tables hold up to %" PRIu64,
		              p->db->dir, segment, rec->version, p->r->version->last_version);
	p->any_data = true;
	rc = recover_memtable(p, segment, &m);
	return rc < 0 ? rc : recover_insert(&p->db->env, m, segment, rec, &p->r->entries);
}

/* ---- steps 1 and 2 ---------------------------------------------------------------------------------------------------------- */

static int recover_table_is_there(struct silt_db *db, const struct table_meta *m)
{
	char path[FILENAME_MAX_BYTES];
	struct os_stat st;
	int rc = filename_table(db->dir, m->number, false, path);

	if (rc == 0)
		rc = db->env.os->stat(db->env.os, path, &st);
	if (rc == SILT_NOTFOUND)
		return report(&db->env.rep, SILT_E_CORRUPT, "%s: missing, but the manifest needs it", path);
	if (rc < 0)
		return report(&db->env.rep, rc, "%s: %s", path, db->env.os->error_text(db->env.os));
	if (st.size != m->size)
		return report(&db->env.rep, SILT_E_CORRUPT, "%s: %" PRIu64 " bytes long, the manifest says %" PRIu64, path,
		              st.size, m->size);
	return 0;
}

static int recover_tables_are_there(struct silt_db *db, const struct version *v)
{
	int rc = 0;

	for (int l = 0; l < SILT_LEVELS; l++)
		for (size_t i = 0; i < v->levels[l].n && rc == 0; i++)
			rc = recover_table_is_there(db, v->levels[l].tables[i]);
	return rc;
}

static int recover_ignore(void *ctx, uint64_t segment, const struct log_record *rec)
{
	(void)ctx;
	(void)segment;
	(void)rec;
	return 0;
}

/* No manifest: nothing was ever acknowledged here, if no table and no log record is there (a creation that was cut short). */
static int recover_fresh(struct silt_db *db, const struct files *f, struct recovered *r)
{
	struct log_end end = { 0 };
	int rc = 0;

	if (!db->env.opts.create || db->env.opts.read_only)
		return report(&db->env.rep, SILT_NOTFOUND, "%s: no store here (no MANIFEST)", db->dir);
	if (f->wal_count)
		rc = log_judge(&db->env, LOG_WAL, f->wals, f->wal_count, NULL, recover_ignore, NULL, &end);
	if (rc == SILT_E_IO || rc == SILT_E_NOMEM)
		return rc;
	if (f->any_table || end.last_version || rc < 0)
		return report(&db->env.rep, SILT_E_CORRUPT, "%s/MANIFEST: missing, but tables or log records are there",
		              db->dir);
	r->fresh = true;
	r->next_wal = 1;
	r->oldest_wal = 1;
	return version_new(&r->version);
}

static int recover_manifest(struct silt_db *db, const struct files *f, struct recovered *r)
{
	struct manifest_found found = { 0 };
	int rc = manifest_read(&db->env, &found);

	if (rc == SILT_NOTFOUND)
		return recover_fresh(db, f, r);
	if (rc < 0)
		return rc;
	r->version = found.version;
	r->manifest_torn = found.torn;
	r->oldest_wal = found.version->wal_number;
	return recover_tables_are_there(db, r->version);
}

/* ---- step 3 ---------------------------------------------------------------------------------------------------------------- */

static int recover_log(struct silt_db *db, const struct files *f, struct recovered *r)
{
	struct recover_replay p = { .db = db, .r = r };
	size_t first = 0;
	int rc;

	while (first < f->wal_count && f->wals[first] < r->oldest_wal)
		first++;
	if (first == f->wal_count || f->wals[first] != r->oldest_wal)
		return report(&db->env.rep, SILT_E_CORRUPT, "%s/%06" PRIu64 ".wal: missing, but the manifest needs it",
		              db->dir, r->oldest_wal);
	rc = log_judge(&db->env, LOG_WAL, f->wals + first, f->wal_count - first, NULL, recover_apply, &p, &r->end);
	if (rc < 0)
		return rc;
	r->last_version = r->version->last_version;
	if (r->end.last_version > r->last_version)
		r->last_version = r->end.last_version;
	r->next_wal = r->end.number + 1;
	return 0;
}

int recover_read(struct silt_db *db, struct recovered *r)
{
	struct files f;
	int rc = files_list(&db->env, &f);

	memset(r, 0, sizeof(*r));
	if (rc == 0)
		rc = recover_manifest(db, &f, r);
	if (rc == 0 && !r->fresh)
		rc = recover_log(db, &f, r);
	if (rc == 0) {
		r->next_file = r->version->next_file;
		if (f.largest_table >= r->next_file)
			r->next_file = f.largest_table + 1;
		r->spare_wal = f.wal_count && f.wals[f.wal_count - 1] == r->next_wal ? r->next_wal : 0;
	}
	files_fini(&f);
	return rc;
}

void recover_fini(struct recovered *r)
{
	version_unref(r->version);
	for (size_t i = 0; i < r->count; i++)
		memtable_unref(r->memtables[i]);
	memset(r, 0, sizeof(*r));
}

/* ---- steps 4 to 6 ---------------------------------------------------------------------------------------------------------- */

static int recover_end_log(struct silt_db *db, const struct recovered *r)
{
	char path[FILENAME_MAX_BYTES];
	int rc;

	if (r->fresh)
		return 0;
	rc = filename_wal(db->dir, r->end.number, false, path);
	return rc < 0 ? rc : log_recover_end(&db->env, path, &r->end);
}

/* The new segment, and in it the SKIP, synced: from now on it can be seen that versions may have been given. */
static int recover_begin_log(struct silt_db *db, struct recovered *r)
{
	bool clean = r->fresh || (r->end.sealed && r->end.clean);
	int rc = segments_make(db, r->next_wal, r->spare_wal, &db->wal);

	if (rc < 0)
		return rc;
	db->last_version = r->last_version + (clean ? 0 : DB_VERSION_JUMP);
	r->raised = db->env.opts.first_version > db->last_version + 1;
	if (r->raised)
		r->last_version = db->last_version = db->env.opts.first_version - 1;
	if (db->last_version > SILT_VERSION_MAX)
		return report(&db->env.rep, SILT_E_TOOBIG, "%s: versions are used up", db->dir);
	rc = log_writer_reserve(db->wal, 1, 0);
	if (rc < 0)
		return rc;
	log_writer_add(db->wal, LOG_SKIP, r->raised ? LOG_SKIP_UNLOGGED : 0, db->last_version, slice_of(NULL, 0));
	rc = log_writer_append(db->wal);
	return rc < 0 ? rc : log_writer_sync(db->wal);
}

/* The manifest says what is in tables and which segment is the oldest needed: unchanged but for the numbers seen. */
static int recover_begin_manifest(struct silt_db *db, struct recovered *r)
{
	struct version *v = NULL;
	struct edit e;
	int rc;

	edit_init(&e);
	e.has_next_file = true;
	e.next_file = r->next_file;
	e.has_wal_number = true;
	e.wal_number = r->count ? r->oldest_wal : r->next_wal;    /* nothing replayed: what was there is not needed */
	rc = version_apply(r->version, &e, &db->env.rep, &v);
	edit_fini(&e);
	if (rc < 0)
		return rc;
	version_unref(r->version);
	r->version = v;
	r->oldest_wal = v->wal_number;
	return manifest_create(&db->env, v, &db->manifest);
}

int recover_install(struct silt_db *db, struct recovered *r)
{
	int rc = recover_end_log(db, r);

	if (rc == 0)
		rc = recover_begin_log(db, r);
	if (rc == 0)
		rc = recover_begin_manifest(db, r);
	if (rc == 0)
		rc = memtable_new(r->next_wal, &db->active);
	return rc;
}
