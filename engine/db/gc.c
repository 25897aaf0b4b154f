/* SPDX-License-Identifier: Apache-2.0 */
/* gc.c - deletion, by the rules of gc.h. */
#include "db/gc.h"

#include <inttypes.h>

#include "core/filename.h"

/* ---- while open -------------------------------------------------------------------------------------------------------- */

static bool gc_set_holds(const struct tableset *s, uint64_t number)
{
	for (int l = 0; l < SILT_LEVELS; l++)
		for (size_t i = 0; i < s->version->levels[l].n; i++)
			if (s->version->levels[l].tables[i]->number == number)
				return true;
	return false;
}

static bool gc_is_held(struct silt_db *db, uint64_t number) REQUIRES(db->mu)
{
	for (const struct tableset *s = db->live_sets; s; s = s->next_live)
		if (gc_set_holds(s, number))
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

struct gc_sweep {
	struct silt_db *db;
	uint64_t oldest_wal, newest_wal;
	struct silt_buf names;            /* what is to go, each with its NUL; collected first: a listing is not changed under way */
	int rc;
};

static bool gc_is_orphan(const struct gc_sweep *s, const char *name)
{
	uint64_t number;

	switch (filename_parse(name, &number)) {
	case FILE_TABLE: {
		bool held;

		mutex_lock(&s->db->mu);
		held = gc_is_held(s->db, number);
		mutex_unlock(&s->db->mu);
		return !held;
	}
	case FILE_WAL:
		return number < s->oldest_wal || number > s->newest_wal;
	case FILE_TMP:
		return true;
	default:
		return false;
	}
}

static int gc_collect(void *ctx, const char *name)
{
	struct gc_sweep *s = ctx;

	return gc_is_orphan(s, name) ? buf_append(&s->names, name, strlen(name) + 1) : 0;
}

static int gc_set_aside(struct silt_db *db, const char *name, const char *path)
{
	char dir[FILENAME_MAX_BYTES], to[FILENAME_MAX_BYTES];
	silt_os *os = db->env.os;
	int rc = filename_in(db->dir, "quarantine", dir);

	if (rc == 0)
		rc = os->mkdir(os, dir);
	if (rc == SILT_E_BUSY)
		rc = 0;
	if (rc == 0)
		rc = filename_in(dir, name, to);
	if (rc == 0)
		rc = os->rename(os, path, to);
	if (rc == 0)
		rc = os->dirsync(os, dir);
	if (rc == 0)
		report_note(&db->env.rep, SILT_LOG_WARNING,
		            "%s: set aside as %s: the manifest's tail was torn, so it may have been needed", path, to);
	return rc;
}

static int gc_sweep_one(struct silt_db *db, const char *name, bool quarantine)
{
	char path[FILENAME_MAX_BYTES];
	uint64_t number;
	int rc = filename_in(db->dir, name, path);

	if (rc < 0)
		return rc;
	if (quarantine && filename_parse(name, &number) != FILE_TMP)
		rc = gc_set_aside(db, name, path);
	else
		rc = db->env.os->unlink(db->env.os, path);
	if (rc < 0)
		return report(&db->env.rep, rc, "%s: sweeping: %s", path, db->env.os->error_text(db->env.os));
	return 0;
}

int gc_sweep(struct silt_db *db, uint64_t oldest_wal, uint64_t newest_wal, bool quarantine)
{
	struct gc_sweep s = { .db = db, .oldest_wal = oldest_wal, .newest_wal = newest_wal };
	const char *name, *end;
	int rc = db->env.os->list(db->env.os, db->dir, gc_collect, &s);

	name = s.names.data;
	end = name ? name + s.names.len : NULL;
	for (; rc == 0 && name < end; name += strlen(name) + 1)
		rc = gc_sweep_one(db, name, quarantine);
	buf_fini(&s.names);
	return rc;
}
