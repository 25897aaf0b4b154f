/* SPDX-License-Identifier: Apache-2.0 */
/* backup_check.c - bytes against digests, and the engine's own eyes. */
#include "ctl/backup_check.h"

#include "ctl/session.h"
#include "ctl/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int backup_check_damage(const struct filecopy_dir *dir, const char *name, const char *what)
{
	(void)fprintf(stderr, "siltctl: %s/%s: %s\n", dir->path, name, what);
	return SESSION_DAMAGED;
}

static int backup_check_file(struct filecopy *c, const struct filecopy_dir *dir, const struct backup_file *f, bool digests)
{
	struct filecopy_found found;
	struct stat st;
	int status;

	if (fstatat(dir->fd, f->name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return backup_check_damage(dir, f->name, errno == ENOENT ? "missing" : strerror(errno));
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != f->size)
		return backup_check_damage(dir, f->name, "damaged: not of the size that it had");
	if (!digests)
		return SESSION_OK;
	status = filecopy_run(c, dir, f->name, NULL, &found);
	if (status != SESSION_OK)
		return status;
	if (found.size != f->size || memcmp(found.digest, f->digest, SHA256_BYTES) != 0)
		return backup_check_damage(dir, f->name, "damaged: its bytes are not those that were written");
	return SESSION_OK;
}

int backup_check_files(struct filecopy *c, const struct filecopy_dir *dir, const struct backup_list *l, bool digests)
{
	int worst = SESSION_OK;

	for (size_t i = 0; i < l->n; i++) {
		int status = backup_check_file(c, dir, &l->files[i], digests);

		if (stop_asked())
			return stop_status();
		if (worst == SESSION_OK)
			worst = status;
	}
	return worst;
}

/* ---- the engine's ---------------------------------------------------------------------------------------------------------- */

struct backup_check {
	struct session s;
	bool quiet;
};

static int backup_check_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct backup_check *c = ctx;

	if (!c->quiet)
		(void)progress_tell(&c->s.progress, done, total);
	return stop_asked() != 0;
}

int backup_check_store(const struct args *a, const char *path, bool deep, bool quiet, uint64_t *version)
{
	struct backup_check c = { .quiet = quiet };
	struct silt_options o;
	struct silt_stats stats;
	int rc;

	session_options(&c.s, a, &o);
	c.s.progress.what = "verify";
	o.create = false;
	o.read_only = true;
	rc = silt_open(path, &o, &c.s.db);
	if (rc != 0)
		return rc == SILT_NOTFOUND ? SESSION_DAMAGED : session_fail(path, rc);
	silt_stats(c.s.db, &stats);
	*version = stats.version;
	if (deep)
		rc = silt_verify(c.s.db, backup_check_progress, &c);
	progress_clear(&c.s.progress);
	session_close(&c.s);
	if (rc == SILT_END)
		return stop_status();
	return rc == 0 ? SESSION_OK : session_fail(path, rc);
}
