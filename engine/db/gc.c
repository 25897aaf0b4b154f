/* SPDX-License-Identifier: Apache-2.0 */
/* gc.c - deletion, by the rules of gc.h. */
#include "db/gc.h"

#include "core/filename.h"
#include "db/quarantine.h"

/* ---- while open -------------------------------------------------------------------------------------------------------- */

static bool gc_names(const struct version *v, uint64_t number)
{
	for (int l = 0; l < SILT_LEVELS; l++)
		for (size_t i = 0; i < v->levels[l].n; i++)
			if (v->levels[l].tables[i]->number == number)
				return true;
	return false;
}

static bool gc_is_held(struct silt_db *db, uint64_t number) REQUIRES(db->mu)
{
	for (const struct tableset *s = db->live_sets; s; s = s->next_live)
		if (gc_names(s->version, number))
			return true;
	return false;
}

/* Takes one number that may go, or 0. */
static uint64_t gc_next(struct silt_db *db)
{
	uint64_t number = 0;

	mutex_lock(&db->mu);
	for (size_t i = 0; i < db->obsolete_count && !number; i++) {
		if (gc_is_held(db, db->obsolete[i]))
			continue;
		number = db->obsolete[i];
		db->obsolete[i] = db->obsolete[--db->obsolete_count];
	}
	mutex_unlock(&db->mu);
	return number;
}

void gc_run(struct silt_db *db)
{
	char path[FILENAME_MAX_BYTES];
	uint64_t number;

	while (db_fault(db) == 0 && (number = gc_next(db)) != 0) {
		block_cache_forget(db->blocks, number);
		if (filename_table(db->dir, number, false, path) < 0)
			continue;
		if (db->env.os->unlink(db->env.os, path) < 0)
			report_note(&db->env.rep, SILT_LOG_WARNING, "%s: can't be removed: %s", path,
			            db->env.os->error_text(db->env.os));
	}
}

/* ---- at open ---------------------------------------------------------------------------------------------------------------- */

struct gc_orphans {
	const struct version *version;
	uint64_t oldest_wal, newest_wal;
	bool with_tmp;
	struct silt_buf names;            /* each with its NUL; collected first: a listing is not changed under way */
};

static bool gc_is_orphan(const struct gc_orphans *o, const char *name)
{
	uint64_t number;

	switch (filename_parse(name, &number)) {
	case FILE_TABLE:
		return !gc_names(o->version, number);
	case FILE_WAL:
		return number < o->oldest_wal || number > o->newest_wal;
	case FILE_TMP:
		return o->with_tmp;
	default:
		return false;
	}
}

static int gc_collect(void *ctx, const char *name)
{
	struct gc_orphans *o = ctx;

	return gc_is_orphan(o, name) ? buf_append(&o->names, name, strlen(name) + 1) : 0;
}

typedef int gc_orphan_fn(struct silt_db *db, const char *name, const char *path);

static int gc_each(struct silt_db *db, struct gc_orphans *o, gc_orphan_fn *fn)
{
	char path[FILENAME_MAX_BYTES];
	size_t at = 0;
	int rc = 0;

	while (rc == 0 && at < o->names.len) {
		const char *name = (const char *)o->names.data + at;

		rc = filename_in(db->dir, name, path);
		if (rc == 0)
			rc = fn(db, name, path);
		at += strlen(name) + 1;
	}
	return rc;
}

static int gc_list(struct silt_db *db, struct gc_orphans *o)
{
	int rc = db->env.os->list(db->env.os, db->dir, gc_collect, o);

	if (rc == 0 || rc == SILT_E_NOMEM)
		return rc;
	return report(&db->env.rep, rc < 0 ? rc : SILT_E_IO, "%s: can't be listed: %s", db->dir,
	              db->env.os->error_text(db->env.os));
}

static int gc_failed(struct silt_db *db, int rc, const char *path)
{
	return report(&db->env.rep, rc < 0 ? rc : SILT_E_IO, "%s: sweeping: %s", path, db->env.os->error_text(db->env.os));
}

/* ---- into quarantine -------------------------------------------------------------------------------------------------------- */

static int gc_move(struct silt_db *db, const char *name, const char *path)
{
	char to[FILENAME_MAX_BYTES];
	int rc = quarantine_path(&db->env, name, to);

	if (rc < 0)
		return rc;
	rc = db->env.os->rename(db->env.os, path, to);
	if (rc != 0)
		return gc_failed(db, rc, path);
	report_note(&db->env.rep, SILT_LOG_WARNING,
	            "%s: set aside as %s: the manifest's tail was torn, so it may have been needed", path, to);
	return 0;
}

int gc_set_aside(struct silt_db *db, const struct version *v, uint64_t oldest_wal, uint64_t newest_wal)
{
	struct gc_orphans o = { .version = v, .oldest_wal = oldest_wal, .newest_wal = newest_wal };
	char dir[FILENAME_MAX_BYTES];
	int rc = gc_list(db, &o);

	if (rc == 0 && o.names.len) {
		rc = quarantine_make(&db->env, dir);
		if (rc == 0)
			rc = gc_each(db, &o, gc_move);
		if (rc == 0 && db->env.os->dirsync(db->env.os, dir) != 0)
			rc = gc_failed(db, SILT_E_IO, dir);
	}
	buf_fini(&o.names);
	return rc;
}

/* ---- away ----------------------------------------------------------------------------------------------------------------------- */

static int gc_remove(struct silt_db *db, const char *name, const char *path)
{
	int rc = db->env.os->unlink(db->env.os, path);

	(void)name;
	return rc < 0 ? gc_failed(db, rc, path) : 0;
}

int gc_sweep(struct silt_db *db, const struct version *v, uint64_t oldest_wal, uint64_t newest_wal)
{
	struct gc_orphans o = { .version = v, .oldest_wal = oldest_wal, .newest_wal = newest_wal, .with_tmp = true };
	int rc = gc_list(db, &o);

	if (rc == 0)
		rc = gc_each(db, &o, gc_remove);
	buf_fini(&o.names);
	return rc;
}
