/* SPDX-License-Identifier: Apache-2.0 */
/* checkpoint.c - naming, making, listing and removing checkpoints, one at a time. */
#include "db/checkpoint.h"

#include "core/filename.h"
#include "db/checkpoint_dir.h"

static const char checkpoint_suffix[] = ".tmp";

/* ---- names ------------------------------------------------------------------------------------------------------------ */

static bool checkpoint_ends_tmp(const char *name)
{
	size_t n = strlen(name), m = sizeof(checkpoint_suffix) - 1;

	return n >= m && strcmp(name + n - m, checkpoint_suffix) == 0;
}

static bool checkpoint_name_ok(const char *name)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t n = name ? strlen(name) : 0;

	return n > 0 && n <= SILT_CHECKPOINT_NAME_MAX && name[0] != '.' && strspn(name, letters) == n &&
	       !checkpoint_ends_tmp(name);
}

struct checkpoint_place {
	char parent[FILENAME_MAX_BYTES];  /* the directory that holds it */
	char path[FILENAME_MAX_BYTES];
	char tmp[FILENAME_MAX_BYTES];
	bool ours;                        /* under DIR/checkpoints: a leftover of its .tmp may go */
};

static int checkpoint_place_tmp(struct silt_db *db, struct checkpoint_place *p)
{
	int n = snprintf(p->tmp, sizeof(p->tmp), "%s%s", p->path, checkpoint_suffix);

	if (n > 0 && (size_t)n < sizeof(p->tmp))
		return 0;
	return report(&db->env.rep, SILT_E_TOOBIG, "%.200s...: the path is too long", p->path);
}

static int checkpoint_place_named(struct silt_db *db, const char *name, struct checkpoint_place *p)
{
	int rc = filename_in(db->dir, "checkpoints", p->parent);

	if (rc == 0)
		rc = filename_in(p->parent, name, p->path);
	p->ours = true;
	return rc < 0 ? rc : checkpoint_place_tmp(db, p);
}

static int checkpoint_place_outside(struct silt_db *db, const char *dir, struct checkpoint_place *p)
{
	size_t n = strlen(dir);

	while (n > 1 && dir[n - 1] == '/')
		n--;
	if (n >= sizeof(p->path))
		return report(&db->env.rep, SILT_E_TOOBIG, "%.200s...: the path is too long", dir);
	memcpy(p->path, dir, n);
	p->path[n] = '\0';
	p->ours = false;
	return filename_parent(p->path, p->parent) < 0 ? SILT_E_TOOBIG : checkpoint_place_tmp(db, p);
}

/* ---- making ----------------------------------------------------------------------------------------------------------- */

static int checkpoint_failed(struct silt_db *db, int rc, const char *path, const char *what)
{
	return report(&db->env.rep, rc < 0 ? rc : SILT_E_IO, "%s: %s: %s", path, what, db->env.os->error_text(db->env.os));
}

static int checkpoint_sync(struct silt_db *db, const char *dir)
{
	int rc = db->env.os->dirsync(db->env.os, dir);

	return rc == 0 ? 0 : checkpoint_failed(db, rc, dir, "sync");
}

/* DIR/checkpoints, durable before anything is in it. */
static int checkpoint_make_parent(struct silt_db *db, const struct checkpoint_place *p)
{
	int rc = p->ours ? db->env.os->mkdir(db->env.os, p->parent) : SILT_E_BUSY;

	if (rc == SILT_E_BUSY)
		return 0;
	return rc == 0 ? checkpoint_sync(db, db->dir) : checkpoint_failed(db, rc, p->parent, "can't be made");
}

/* SILT_CONFLICT: there is one of that name. */
static int checkpoint_is_free(struct silt_db *db, const struct checkpoint_place *p)
{
	silt_os *os = db->env.os;
	struct os_stat st;
	int rc = os->stat(os, p->path, &st);

	if (rc == 0)
		return SILT_CONFLICT;
	if (rc < 0)
		return checkpoint_failed(db, rc, p->path, "stat");
	rc = os->stat(os, p->tmp, &st);
	if (rc == 0 && !p->ours)
		return report(&db->env.rep, SILT_E_MISUSE, "%s: in the way: left by an attempt that was cut short?", p->tmp);
	if (rc == 0)
		return checkpoint_dir_erase(&db->env, p->tmp);
	return rc < 0 ? checkpoint_failed(db, rc, p->tmp, "stat") : 0;
}

static int checkpoint_make_tmp(struct silt_db *db, const struct checkpoint_place *p)
{
	int rc = checkpoint_make_parent(db, p);

	if (rc == 0)
		rc = checkpoint_is_free(db, p);
	if (rc != 0)
		return rc;
	rc = db->env.os->mkdir(db->env.os, p->tmp);
	if (rc != 0)
		return checkpoint_failed(db, rc, p->tmp, "can't be made");
	return checkpoint_sync(db, p->parent);
}

static int checkpoint_give_name(struct silt_db *db, const struct checkpoint_place *p)
{
	int rc = db->env.os->rename(db->env.os, p->tmp, p->path);

	if (rc != 0)
		return checkpoint_failed(db, rc, p->path, "rename");
	rc = checkpoint_sync(db, p->parent);
	if (rc < 0)
		(void)db->env.os->rename(db->env.os, p->path, p->tmp);     /* in doubt: taken back */
	return rc;
}

/* The tables of now, held until tableset_unref(). */
static struct tableset *checkpoint_hold(struct silt_db *db)
{
	struct tableset *set;

	mutex_lock(&db->mu);
	set = tableset_ref(db->view->set);
	mutex_unlock(&db->mu);
	return set;
}

static int checkpoint_write(struct silt_db *db, const struct checkpoint_place *p, unsigned flags, uint64_t *version)
{
	struct tableset *set;
	bool made = false;
	int rc = silt_flush(db);

	if (rc < 0)
		return rc;
	set = checkpoint_hold(db);
	rc = checkpoint_make_tmp(db, p);
	made = rc == 0;
	if (rc == 0)
		rc = checkpoint_dir_fill(db, set->version, p->tmp, flags & SILT_CHECKPOINT_COPY);
	if (rc == 0)
		rc = checkpoint_give_name(db, p);
	if (rc == 0 && version)
		*version = set->version->last_version;
	if (rc != 0 && made)
		(void)checkpoint_dir_erase(&db->env, p->tmp);     /* or the next open does */
	tableset_unref(set);
	return rc;
}

/* One at a time: two of one name would share a .tmp. */
static void checkpoint_enter(struct silt_db *db)
{
	mutex_lock(&db->mu);
	while (db->checkpointing)
		cond_wait(&db->changed, &db->mu);
	db->checkpointing = true;
	mutex_unlock(&db->mu);
}

static void checkpoint_leave(struct silt_db *db)
{
	mutex_lock(&db->mu);
	db->checkpointing = false;
	cond_broadcast(&db->changed);
	mutex_unlock(&db->mu);
}

static int checkpoint_make(struct silt_db *db, const struct checkpoint_place *p, unsigned flags, uint64_t *version)
{
	int rc;

	checkpoint_enter(db);
	rc = checkpoint_write(db, p, flags, version);
	checkpoint_leave(db);
	return rc;
}

int silt_checkpoint(silt_db *db, const char *name, uint64_t *version)
{
	struct checkpoint_place p;
	int rc;

	if (!db || db->env.opts.read_only || !checkpoint_name_ok(name))
		return SILT_E_MISUSE;
	rc = checkpoint_place_named(db, name, &p);
	return rc < 0 ? rc : checkpoint_make(db, &p, 0, version);
}

int silt_checkpoint_to(silt_db *db, const char *dir, unsigned flags, uint64_t *version)
{
	struct checkpoint_place p;
	int rc;

	if (!db || db->env.opts.read_only || !dir || !*dir || (flags & ~SILT_CHECKPOINT_COPY))
		return SILT_E_MISUSE;
	rc = checkpoint_place_outside(db, dir, &p);
	return rc < 0 ? rc : checkpoint_make(db, &p, flags, version);
}

/* ---- listing ------------------------------------------------------------------------------------------------------------ */

struct checkpoint_names {
	struct silt_buf names;            /* each with its NUL */
	bool tmp;                         /* wanted are the unfinished ones */
};

static int checkpoint_collect(void *ctx, const char *name)
{
	struct checkpoint_names *c = ctx;
	bool wanted = c->tmp ? checkpoint_ends_tmp(name) : checkpoint_name_ok(name);

	return wanted ? buf_append(&c->names, name, strlen(name) + 1) : 0;
}

/* The names in DIR/checkpoints; none where it is not there. */
static int checkpoint_read_names(struct silt_db *db, struct checkpoint_names *c)
{
	char dir[FILENAME_MAX_BYTES];
	int rc = filename_in(db->dir, "checkpoints", dir);

	if (rc < 0)
		return rc;
	rc = db->env.os->list(db->env.os, dir, checkpoint_collect, c);
	if (rc < 0 && rc != SILT_E_NOMEM)
		return checkpoint_failed(db, rc, dir, "can't be listed");
	return rc < 0 ? rc : 0;
}

/* A directory without a manifest is no checkpoint. */
static int checkpoint_tell(struct silt_db *db, const char *name, silt_checkpoint_fn *fn, void *ctx)
{
	struct silt_checkpoint_info info = { .name = name };
	struct checkpoint_place p;
	int rc = checkpoint_place_named(db, name, &p);

	if (rc == 0)
		rc = checkpoint_dir_look(db, p.path, &info);
	if (rc == SILT_NOTFOUND)
		return 0;
	if (rc == SILT_E_CORRUPT || rc == SILT_E_VERSION)
		info.damage = rc;
	else if (rc != 0)
		return rc;
	return fn(ctx, &info) ? SILT_END : 0;
}

int silt_checkpoint_list(silt_db *db, silt_checkpoint_fn *fn, void *ctx)
{
	struct checkpoint_names c = { .tmp = false };
	int rc;

	if (!db || !fn)
		return SILT_E_MISUSE;
	rc = checkpoint_read_names(db, &c);
	for (size_t at = 0; rc == 0 && at < c.names.len;) {
		const char *name = (const char *)c.names.data + at;

		rc = checkpoint_tell(db, name, fn, ctx);
		at += strlen(name) + 1;
	}
	buf_fini(&c.names);
	return rc;
}

/* ---- removing ----------------------------------------------------------------------------------------------------------- */

static int checkpoint_take_away(struct silt_db *db, const struct checkpoint_place *p)
{
	silt_os *os = db->env.os;
	struct os_stat st;
	int rc = os->stat(os, p->path, &st);

	if (rc == SILT_NOTFOUND)
		return rc;
	if (rc == 0 && os->stat(os, p->tmp, &st) == 0)
		rc = checkpoint_dir_erase(&db->env, p->tmp);
	if (rc == 0)
		rc = os->rename(os, p->path, p->tmp);
	if (rc != 0)
		return checkpoint_failed(db, rc, p->path, "removing");
	rc = checkpoint_sync(db, p->parent);
	return rc < 0 ? rc : checkpoint_dir_erase(&db->env, p->tmp);
}

int silt_checkpoint_remove(silt_db *db, const char *name)
{
	struct checkpoint_place p;
	int rc;

	if (!db || db->env.opts.read_only || !checkpoint_name_ok(name))
		return SILT_E_MISUSE;
	rc = checkpoint_place_named(db, name, &p);
	if (rc < 0)
		return rc;
	checkpoint_enter(db);
	rc = checkpoint_take_away(db, &p);
	checkpoint_leave(db);
	return rc;
}

void checkpoint_sweep(struct silt_db *db)
{
	struct checkpoint_names c = { .tmp = true };
	char dir[FILENAME_MAX_BYTES], path[FILENAME_MAX_BYTES];
	int rc = filename_in(db->dir, "checkpoints", dir);

	if (rc == 0)
		rc = checkpoint_read_names(db, &c);
	for (size_t at = 0; rc == 0 && at < c.names.len;) {
		const char *name = (const char *)c.names.data + at;

		if (filename_in(dir, name, path) == 0)
			(void)checkpoint_dir_erase(&db->env, path);
		at += strlen(name) + 1;
	}
	buf_fini(&c.names);
}
