/* SPDX-License-Identifier: Apache-2.0 */
/* checkpoint_dir.c - making, reading and removing the directory of a checkpoint. */
#include "db/checkpoint_dir.h"

#include "core/filename.h"
#include "log/segment.h"
#include "table/table_reader.h"

enum {
	CHECKPOINT_LOG_BYTES = 2 * LOG_PAGE,
	CHECKPOINT_DEPTH = 8,             /* of directories in a directory, where one is erased */
};

/* ---- tables ---------------------------------------------------------------------------------------------------------- */

static int checkpoint_dir_failed(struct env *env, int rc, const char *path, const char *what)
{
	return report(&env->rep, rc < 0 ? rc : SILT_E_IO, "%s: %s: %s", path, what, env->os->error_text(env->os));
}

/* What was copied is read back, and must be what the manifest will say. */
static int checkpoint_dir_check(struct silt_db *db, struct env *there, struct table_meta *m)
{
	struct table *t = NULL;
	int rc = table_new(there, db->blocks, m, &t);

	if (rc < 0)
		return rc;
	rc = table_verify(t, NULL, NULL);
	table_unref(t);
	return rc;
}

static int checkpoint_dir_table(struct silt_db *db, struct env *there, struct table_meta *m, bool copy)
{
	char from[FILENAME_MAX_BYTES], to[FILENAME_MAX_BYTES];
	int rc = filename_table(db->dir, m->number, false, from);

	if (rc == 0)
		rc = filename_table(there->dir, m->number, false, to);
	if (rc < 0)
		return report(&db->env.rep, rc, "%s: the path is too long", there->dir);
	rc = db->env.os->link(db->env.os, from, to);
	if (rc == 0)
		return 0;
	if (!copy)
		return checkpoint_dir_failed(&db->env, rc, to, "can't be linked (on another file system, ask for a copy)");
	rc = os_copy(db->env.os, from, to);
	return rc != 0 ? checkpoint_dir_failed(&db->env, rc, to, "copying") : checkpoint_dir_check(db, there, m);
}

static int checkpoint_dir_progress(const struct silt_options *o, uint64_t done, uint64_t total)
{
	return o->progress ? o->progress(o->progress_ctx, done, total) : 0;
}

static int checkpoint_dir_tables(struct silt_db *db, struct env *there, const struct version *v, bool copy)
{
	uint64_t done = 0, total = 0;
	int rc = 0;

	for (int l = 0; l < SILT_LEVELS; l++)
		total += v->levels[l].bytes;
	for (int l = 0; l < SILT_LEVELS; l++)
		for (size_t i = 0; rc == 0 && i < v->levels[l].n; i++) {
			rc = checkpoint_dir_table(db, there, v->levels[l].tables[i], copy);
			done += v->levels[l].tables[i]->size;
			if (rc == 0 && copy && checkpoint_dir_progress(&db->env.opts, done, total) != 0)
				rc = SILT_END;
		}
	return rc;
}

/* ---- log and manifest ------------------------------------------------------------------------------------------------ */

/* The oldest segment that the manifest needs: it says which version the tables end with, and that nothing came after. */
static int checkpoint_dir_log(struct env *there, const struct version *v)
{
	char path[FILENAME_MAX_BYTES];
	struct os_file *file = NULL;
	struct log_writer *w = NULL;
	struct log_header h;
	int rc = filename_wal(there->dir, v->wal_number, false, path);

	if (rc == 0)
		rc = segment_create(there, LOG_WAL, path, v->wal_number, CHECKPOINT_LOG_BYTES, &h, &file);
	if (rc == 0)
		rc = log_writer_new(there, path, &h, file, LOG_PAGE, LOG_PAGE, &w);
	if (rc == 0)
		rc = log_writer_reserve(w, 1, 0);
	if (rc == 0) {
		log_writer_add(w, LOG_SKIP, 0, v->last_version, slice_of(NULL, 0));
		rc = log_writer_append(w);
	}
	if (rc == 0)
		rc = log_writer_seal(w, v->last_version, LOG_SEAL_CLEAN);
	log_writer_free(w);
	return rc;
}

int checkpoint_dir_fill(struct silt_db *db, struct version *v, const char *to, bool copy)
{
	struct env there = db->env;
	struct manifest *m = NULL;
	int rc;

	there.dir = to;
	rc = checkpoint_dir_tables(db, &there, v, copy);
	if (rc == 0)
		rc = checkpoint_dir_log(&there, v);
	if (rc == 0)
		rc = manifest_create(&there, v, &m);
	manifest_close(m);
	return rc;
}

int checkpoint_dir_look(struct silt_db *db, const char *dir, struct silt_checkpoint_info *out)
{
	struct manifest_found found = { 0 };
	struct env there = db->env;
	int rc;

	there.dir = dir;
	rc = manifest_read(&there, &found);
	if (rc != 0)
		return rc;
	out->version = found.version->last_version;
	out->tables = out->bytes = 0;
	for (int l = 0; l < SILT_LEVELS; l++) {
		out->tables += found.version->levels[l].n;
		out->bytes += found.version->levels[l].bytes;
	}
	version_unref(found.version);
	return 0;
}

/* ---- away -------------------------------------------------------------------------------------------------------------- */

static int checkpoint_dir_collect(void *ctx, const char *name)
{
	return buf_append(ctx, name, strlen(name) + 1);
}

static int checkpoint_dir_erase_deep(struct env *env, const char *dir, int depth);

/* unlink first: it takes a symbolic link for what it is. */
static int checkpoint_dir_erase_name(struct env *env, const char *path, int depth)
{
	struct os_stat st;
	int rc = env->os->unlink(env->os, path);

	if (rc >= 0)
		return 0;
	if (depth < CHECKPOINT_DEPTH && env->os->stat(env->os, path, &st) == 0 && st.is_dir)
		return checkpoint_dir_erase_deep(env, path, depth + 1);
	return checkpoint_dir_failed(env, rc, path, "can't be removed");
}

static int checkpoint_dir_erase_names(struct env *env, const char *dir, const struct silt_buf *names, int depth)
{
	int rc = 0;

	for (size_t at = 0; rc == 0 && at < names->len;) {
		const char *name = (const char *)names->data + at;
		char *path = mem_alloc(FILENAME_MAX_BYTES);

		rc = path ? filename_in(dir, name, path) : SILT_E_NOMEM;
		if (rc == 0)
			rc = checkpoint_dir_erase_name(env, path, depth);
		mem_free(path);
		at += strlen(name) + 1;
	}
	return rc;
}

static int checkpoint_dir_erase_deep(struct env *env, const char *dir, int depth)
{
	struct silt_buf names = { 0 };
	int rc = env->os->list(env->os, dir, checkpoint_dir_collect, &names);

	if (rc < 0)
		rc = checkpoint_dir_failed(env, rc, dir, "can't be listed");
	if (rc == 0)
		rc = checkpoint_dir_erase_names(env, dir, &names, depth);
	if (rc == 0 && env->os->rmdir(env->os, dir) < 0)
		rc = checkpoint_dir_failed(env, SILT_E_IO, dir, "can't be removed");
	buf_fini(&names);
	return rc;
}

int checkpoint_dir_erase(struct env *env, const char *dir)
{
	return checkpoint_dir_erase_deep(env, dir, 0);
}
