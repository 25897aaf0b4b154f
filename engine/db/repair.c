/* SPDX-License-Identifier: Apache-2.0 */
/*
 * repair.c - silt_repair(): first the findings, then, if asked, the one step from the old manifest to the new.
 *
 * Order (!)   (1) what takes the damaged parts' place is written, synced, read back: files that nobody names.  (2) what is to be set aside
 *             gets a second name in quarantine/, synced.  (3) the new manifest.  (4) the first names go.
 *             Cut short before (3) the store is as it was; after it, it is repaired, and the next opening sweeps first names that are
 *             left: the second ones stay. A failure before (3) removes what (1) made.
 */

#include "base/mem.h"
#include "core/filename.h"
#include "core/options.h"
#include "db/quarantine.h"
#include "db/repair_log.h"
#include "db/repair_table.h"

enum { REPAIR_CACHE = 1 << 20 };

/* ---- beginning and end ------------------------------------------------------------------------------------------------------ */

static uint64_t repair_next_number(void *ctx)
{
	struct repair *r = ctx;

	return r->next_file++;
}

static bool repair_should_stop(void *ctx)
{
	(void)ctx;
	return false;
}

static int repair_failed(struct repair *r, int rc, const char *path, const char *what)
{
	return report(&r->env.rep, rc < 0 ? rc : SILT_E_IO, "%s: %s: %s", path, what, r->env.os->error_text(r->env.os));
}

static int repair_init(struct repair *r, const char *dir, const struct silt_options *opts)
{
	int rc;

	r->env.opts = *opts;
	r->env.os = opts->os ? opts->os : os_posix();
	r->env.rep = (struct reporter){ opts->log, opts->log_ctx };
	r->env.dir = dir;
	r->quiet = r->env;
	r->quiet.rep = (struct reporter){ NULL, NULL };
	edit_init(&r->edit);
	r->published = SILT_VERSION_MAX;
	r->job = (struct job){
		.env = &r->env, .next_number = repair_next_number, .should_stop = repair_should_stop, .ctx = r,
		.keep = { .snapshots = &r->published, .snapshot_count = 1 },
	};
	rc = options_check(opts, &r->env.rep);
	options_fit(&r->env.opts);
	if (rc == 0)
		rc = block_cache_new(REPAIR_CACHE, &r->blocks);
	if (rc == 0)
		rc = table_cache_new(&r->env, r->blocks, &r->tables);
	r->job.tables = r->tables;
	return rc;
}

/* Looking changes nothing: then no lock is made where there is none, and a disk that can't be written needs none. */
static int repair_lock(struct repair *r)
{
	char path[FILENAME_MAX_BYTES];
	silt_os *os = r->env.os;
	struct os_stat st;
	int rc = filename_in(r->env.dir, "LOCK", path);

	if (rc < 0)
		return rc;
	if (!r->apply && os->stat(os, path, &st) == SILT_NOTFOUND)
		return 0;
	rc = os->lock(os, path, &r->lock);
	if (rc == SILT_E_BUSY)
		return report(&r->env.rep, rc, "%s: in use: another process has the store open", r->env.dir);
	if (rc == 0 || !r->apply)
		return 0;
	return repair_failed(r, rc, path, "lock");
}

static void repair_fini(struct repair *r)
{
	edit_fini(&r->edit);
	version_unref(r->found.version);
	table_cache_free(r->tables);
	block_cache_free(r->blocks);
	files_fini(&r->files);
	buf_fini(&r->aside);
	if (r->lock)
		r->env.os->unlock(r->env.os, r->lock);
	mem_free(r);
}

/* ---- looking ----------------------------------------------------------------------------------------------------------------- */

static int repair_read(struct repair *r)
{
	struct os_stat st;
	int rc = r->env.os->stat(r->env.os, r->env.dir, &st);

	if (rc != 0)
		return rc < 0 ? repair_failed(r, rc, r->env.dir, "stat") : rc;
	if (!st.is_dir)
		return report(&r->env.rep, SILT_E_MISUSE, "%s: not a directory", r->env.dir);
	rc = repair_lock(r);
	if (rc == 0)
		rc = files_list(&r->env, &r->files);
	if (rc == 0)
		rc = manifest_read(&r->env, &r->found);
	if (rc == SILT_NOTFOUND && (r->files.any_table || r->files.wal_count))
		rc = report(&r->env.rep, SILT_E_CORRUPT, "%s/MANIFEST: missing, and which tables belong to the store can't be told without it",
		            r->env.dir);
	return rc;
}

static int repair_look(struct repair *r)
{
	int rc = repair_read(r);

	if (rc != 0)
		return rc;
	r->next_file = r->found.version->next_file;
	if (r->files.largest_table >= r->next_file)
		r->next_file = r->files.largest_table + 1;
	rc = repair_tables(r);
	return rc == 0 ? repair_log(r) : rc;
}

/* ---- doing -------------------------------------------------------------------------------------------------------------------- */

/* A second name, or where the file system has no links, a copy. */
static int repair_keep(struct repair *r, const char *name)
{
	char from[FILENAME_MAX_BYTES], to[FILENAME_MAX_BYTES];
	silt_os *os = r->env.os;
	int rc = filename_in(r->env.dir, name, from);

	if (rc == 0)
		rc = quarantine_path(&r->env, name, to);
	if (rc < 0)
		return rc;
	rc = os->link(os, from, to);
	if (rc != 0 && rc != SILT_NOTFOUND)
		rc = os_copy(os, from, to);
	return rc != 0 ? repair_failed(r, rc, to, "setting aside") : 0;
}

static int repair_keep_all(struct repair *r)
{
	char dir[FILENAME_MAX_BYTES];
	int rc = quarantine_make(&r->env, dir);

	if (rc == 0)
		rc = repair_keep(r, "MANIFEST");
	for (size_t at = 0; rc == 0 && at < r->aside.len;) {
		const char *name = (const char *)r->aside.data + at;

		rc = repair_keep(r, name);
		at += strlen(name) + 1;
	}
	if (rc == 0) {
		rc = r->env.os->dirsync(r->env.os, dir);
		rc = rc == 0 ? 0 : repair_failed(r, rc, dir, "sync");
	}
	return rc;
}

static int repair_install(struct repair *r)
{
	struct manifest *m = NULL;
	struct version *v = NULL;
	int rc;

	r->edit.has_next_file = true;
	r->edit.next_file = r->next_file;
	rc = version_apply(r->found.version, &r->edit, &r->env.rep, &v);
	if (rc == 0)
		rc = manifest_create(&r->env, v, &m);
	manifest_close(m);
	version_unref(v);
	return rc;
}

static bool repair_names(const struct version *v, uint64_t number)
{
	for (int l = 0; l < SILT_LEVELS; l++)
		for (size_t i = 0; i < v->levels[l].n; i++)
			if (v->levels[l].tables[i]->number == number)
				return true;
	return false;
}

static bool repair_is_ours(const struct repair *r, uint64_t number)
{
	for (size_t i = 0; i < r->edit.add_count; i++)
		if (r->edit.adds[i].meta->number == number)
			return true;
	return false;
}

static int repair_see_orphan(void *ctx, const char *name)
{
	struct repair *r = ctx;
	uint64_t number;
	enum file_kind kind = filename_parse(name, &number);

	if (kind == FILE_TABLE && !repair_names(r->found.version, number) && !repair_is_ours(r, number))
		return repair_set_aside(r, name);
	if (kind == FILE_WAL && number < r->found.version->wal_number)
		return repair_set_aside(r, name);
	return 0;
}

/* Where the old manifest's tail was torn, what it does not name may have been needed: the new one's opening would sweep it (gc.h). */
static int repair_find_orphans(struct repair *r)
{
	int rc;

	if (!r->found.torn)
		return 0;
	rc = r->env.os->list(r->env.os, r->env.dir, repair_see_orphan, r);
	return rc < 0 && rc != SILT_E_NOMEM ? repair_failed(r, rc, r->env.dir, "can't be listed") : rc;
}

/* Step 4: what fails here the next opening does. */
static void repair_let_go(struct repair *r)
{
	char path[FILENAME_MAX_BYTES];

	for (size_t at = 0; at < r->aside.len;) {
		const char *name = (const char *)r->aside.data + at;

		if (filename_in(r->env.dir, name, path) == 0)
			(void)r->env.os->unlink(r->env.os, path);
		at += strlen(name) + 1;
	}
	(void)r->env.os->dirsync(r->env.os, r->env.dir);
}

/* What was made and is named by nothing. */
static void repair_take_back(struct repair *r)
{
	char path[FILENAME_MAX_BYTES];

	for (size_t i = 0; i < r->edit.add_count; i++)
		if (filename_table(r->env.dir, r->edit.adds[i].meta->number, false, path) == 0)
			(void)r->env.os->unlink(r->env.os, path);
	if (r->new_log && filename_wal(r->env.dir, r->new_log, false, path) == 0)
		(void)r->env.os->unlink(r->env.os, path);
}

static int repair_apply(struct repair *r)
{
	int rc = repair_find_orphans(r);

	if (rc == 0)
		rc = repair_keep_all(r);
	if (rc < 0) {
		repair_take_back(r);
		return rc;
	}
	rc = repair_install(r);
	if (rc == SILT_E_NOSPACE || rc == SILT_E_NOMEM || rc == SILT_E_CORRUPT)
		repair_take_back(r);      /* the old manifest stands; after other failures it is in doubt, and both may be needed */
	if (rc < 0)
		return rc;
	repair_let_go(r);
	r->sum.repaired = true;
	return 0;
}

static int repair_run(struct repair *r)
{
	int rc = repair_look(r);

	if (rc != 0 && r->apply)
		repair_take_back(r);
	if (rc != 0)
		return rc;
	if (r->sum.findings == 0)
		return 0;
	return r->apply ? repair_apply(r) : SILT_E_CORRUPT;
}

int silt_repair(const char *dir, const struct silt_options *opts, unsigned flags, silt_repair_fn *fn, void *ctx,
                struct silt_repair_result *result)
{
	struct silt_options defaults;
	struct repair *r;
	int rc;

	if (!dir || !*dir || (flags & ~SILT_REPAIR_APPLY))
		return SILT_E_MISUSE;
	if (!opts) {
		silt_options_init(&defaults);
		opts = &defaults;
	}
	r = mem_calloc(1, sizeof(*r));
	if (!r)
		return SILT_E_NOMEM;
	r->apply = flags & SILT_REPAIR_APPLY;
	r->fn = fn;
	r->ctx = ctx;
	rc = repair_init(r, dir, opts);
	if (rc == 0)
		rc = repair_run(r);
	if (result && r->found.version)
		*result = r->sum;
	repair_fini(r);
	return rc;
}
