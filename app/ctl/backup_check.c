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

int backup_check_store(const struct args *a, const char *path, bool deep, bool quiet, uint64_t *version)
{
	struct silt_options o;
	struct silt_stats stats;
	struct session s;
	int rc;

	session_options(&s, a, &o);
	s.progress.what = "verify";
	s.progress.silent = quiet;
	o.create = false;
	o.read_only = true;
	rc = silt_open(path, &o, &s.db);
	if (rc == SILT_NOTFOUND) {
		(void)fprintf(stderr, "siltctl: %s: there is no store in it\n", path);
		return SESSION_DAMAGED;
	}
	if (rc != 0)
		return session_fail(path, rc);
	silt_stats(s.db, &stats);
	*version = stats.version;
	if (deep)
		rc = silt_verify(s.db, session_progress, &s);
	progress_clear(&s.progress);
	session_close(&s);
	if (rc == SILT_END)
		return stop_status();
	return rc == 0 ? SESSION_OK : session_fail(path, rc);
}
