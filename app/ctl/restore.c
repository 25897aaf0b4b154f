/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restore.c - a backup made a store again.
 *
 * Order     DIR.restoring made beside DIR; each file copied and compared with its digest; the whole opened and verified by the engine; its
 *           versions raised; then it gets the name DIR. Until then DIR is as it was: absent, or empty.
 * Versions  the lost store may have given more of them than the backup holds. They go on at the time in microseconds, which is above any
 *           that was given, so that an old If-Match never holds for another value, and the feed tells nobody that it goes on.
 * Owner     of an empty DIR that was there are owner and mode of what takes its place; so is a service's directory its own again.
 */
#include "ctl/backup_check.h"
#include "ctl/backup_look.h"
#include "ctl/backup_set.h"
#include "ctl/backup_sums.h"
#include "ctl/commands.h"
#include "ctl/session.h"
#include "ctl/stop.h"
#include "ctl/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

struct restore {
	const struct args *a;
	struct bytes from_path;
	struct filecopy_dir from;
	struct backup_list list;
	struct bytes parent_path, name, tmp, path;    /* of DIR: where it is, its name, that of the .restoring, and its path; NUL-ended */
	struct filecopy_dir parent, dir;      /* dir: the .restoring */
	bool there;                   /* DIR is, and is empty */
	struct stat old;              /* it */
	bool begun;
	struct progress progress;
};

static int restore_fail(const char *path, const char *what)
{
	int error = errno;

	(void)fprintf(stderr, "siltctl: %s: %s: %s\n", path, what, strerror(error));
	return SESSION_UNREADABLE;
}

/* ---- the place ------------------------------------------------------------------------------------------------------------------ */

static int restore_no_place(const struct restore *r, const char *why)
{
	(void)fprintf(stderr, "siltctl: %s: %s\n", r->a->to, why);
	return SESSION_UNREADABLE;
}

static bool restore_is_empty(int fd)
{
	DIR *d = fdopendir(fd);
	const struct dirent *e;
	bool empty = d != NULL;

	while (d && empty && (e = readdir(d)) != NULL)
		empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
	if (d)
		(void)closedir(d);
	else
		(void)close(fd);
	return empty;
}

/* Absent, or a directory with nothing in it that can be replaced. */
static int restore_look_at_place(struct restore *r)
{
	struct stat parent;
	int fd;

	if (fstatat(r->parent.fd, r->name.p, &r->old, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? SESSION_OK : restore_fail(r->a->to, "can't be looked at");
	if (!S_ISDIR(r->old.st_mode))
		return restore_no_place(r, "is there, and is no directory");
	fd = openat(r->parent.fd, r->name.p, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return restore_fail(r->a->to, "can't be opened");
	if (!restore_is_empty(fd))
		return restore_no_place(r, "is not empty: move away what is there (a stopped store whole), or restore elsewhere");
	if (fstat(r->parent.fd, &parent) == 0 && parent.st_dev != r->old.st_dev)
		return restore_no_place(r, "is a mount point, which can't be replaced: restore into a directory in it");
	r->there = true;
	return SESSION_OK;
}

/* "/var/lib/siltstone/" -> /var/lib and siltstone. */
static int restore_names(struct restore *r)
{
	struct bytes copy = { 0 };
	const char *name;
	bool ok = bytes_adds(&copy, r->a->to) && bytes_add(&copy, "", 1);

	if (ok) {
		name = basename(copy.p);
		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "/") == 0) {
			bytes_fini(&copy);
			(void)restore_no_place(r, "name the directory itself, not . or ..");
			return SESSION_USAGE;
		}
		ok = bytes_addf(&r->name, "%s", name) && bytes_addf(&r->tmp, "%s.restoring", name);
		ok = ok && bytes_addf(&r->parent_path, "%s", dirname(copy.p));
		ok = ok && bytes_addf(&r->path, "%s/%s", r->parent_path.p, r->tmp.p);
	}
	bytes_fini(&copy);
	return ok ? SESSION_OK : session_fail(r->a->to, SILT_E_NOMEM);
}

static int restore_find_place(struct restore *r)
{
	int status = restore_names(r);

	if (status != SESSION_OK)
		return status;
	r->parent.path = r->parent_path.p;
	r->parent.fd = open(r->parent.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return r->parent.fd < 0 ? restore_fail(r->parent.path, "can't be opened") : restore_look_at_place(r);
}

static int restore_fits(const struct restore *r)
{
	uint64_t bytes = backup_list_bytes(&r->list), room;
	char need[TEXT_SIZE], have[TEXT_SIZE];
	struct statvfs vfs;

	if (fstatvfs(r->parent.fd, &vfs) != 0)
		return SESSION_OK;
	room = (uint64_t)vfs.f_bavail * vfs.f_frsize;
	if (bytes <= room)
		return SESSION_OK;
	(void)fprintf(stderr, "siltctl: %s: the backup has %s, and there are %s free: nothing was written\n", r->parent.path,
	              text_size(bytes, need), text_size(room, have));
	return SESSION_UNREADABLE;
}

/* What an earlier attempt left goes; one that is at it holds the lock. */
static int restore_begin(struct restore *r)
{
	int old = openat(r->parent.fd, r->tmp.p, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), status = SESSION_OK;

	if (old >= 0 && flock(old, LOCK_EX | LOCK_NB) != 0) {
		(void)fprintf(stderr, "siltctl: %s: another restore is at it\n", r->path.p);
		status = SESSION_IN_USE;
	} else if (old >= 0) {
		status = backup_set_erase(&r->parent, r->tmp.p);
	}
	if (old >= 0)
		(void)close(old);
	if (status != SESSION_OK)
		return status;
	if (mkdirat(r->parent.fd, r->tmp.p, 0750) != 0)
		return restore_fail(r->path.p, "can't be made");
	r->begun = true;
	r->dir.path = r->path.p;
	r->dir.fd = openat(r->parent.fd, r->tmp.p, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (r->dir.fd < 0 || flock(r->dir.fd, LOCK_EX | LOCK_NB) != 0)
		return restore_fail(r->path.p, "can't be used");
	return SESSION_OK;
}

/* ---- the files ------------------------------------------------------------------------------------------------------------------ */

static int restore_file(struct restore *r, struct filecopy *c, const struct backup_file *f)
{
	struct filecopy_found found;
	int status = filecopy_run(c, &r->from, f->name, &r->dir, &found);

	if (status != SESSION_OK || (found.size == f->size && memcmp(found.digest, f->digest, SHA256_BYTES) == 0))
		return status;
	(void)fprintf(stderr, "siltctl: %s/%s: damaged: its bytes are not those that were written; take another backup (siltctl backup --list, "
	              "--verify)\n", r->from.path, f->name);
	return SESSION_DAMAGED;
}

static int restore_copy(struct restore *r)
{
	struct filecopy c = { .progress = &r->progress, .total = backup_list_bytes(&r->list) };
	int status = SESSION_OK;

	for (size_t i = 0; status == SESSION_OK && i < r->list.n; i++)
		status = restore_file(r, &c, &r->list.files[i]);
	progress_clear(&r->progress);
	if (c.full)
		(void)fprintf(stderr, "siltctl: %s: make room there, or restore to another disk\n", r->parent.path);
	return status == SESSION_OK ? filecopy_sync(&r->dir) : status;
}

static int restore_verify(struct restore *r)
{
	uint64_t version = 0;
	int status = backup_check_store(r->a, r->path.p, true, false, &version);

	if (status != SESSION_OK || version == r->list.version)
		return status;
	(void)fprintf(stderr, "siltctl: %s: holds version %" PRIu64 ", and its list says %" PRIu64 "\n", r->from.path, version,
	              r->list.version);
	return SESSION_DAMAGED;
}

static uint64_t restore_now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Opened and closed once: the log then says where the versions go on. */
static int restore_raise(struct restore *r)
{
	struct session s;
	struct silt_options o;
	int rc;

	session_options(&s, r->a, &o);
	o.create = false;
	o.wal_segment_size = 1 << 20;     /* of what is written here; the server makes its own */
	o.first_version = restore_now_us();
	o.min_free_space = 0;
	rc = silt_open(r->path.p, &o, &s.db);
	if (rc == 0)
		rc = silt_close(s.db);
	return rc == 0 ? SESSION_OK : session_fail(r->path.p, rc);
}

/* ---- the end -------------------------------------------------------------------------------------------------------------------- */

static int restore_own(struct restore *r)
{
	int own = openat(r->dir.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = own >= 0 ? fdopendir(own) : NULL;
	const struct dirent *e;
	bool ok = d != NULL, chown = geteuid() == 0;

	while (ok && chown && (e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			ok = fchownat(r->dir.fd, e->d_name, r->old.st_uid, r->old.st_gid, AT_SYMLINK_NOFOLLOW) == 0;
	ok = ok && (!chown || fchown(r->dir.fd, r->old.st_uid, r->old.st_gid) == 0) && fchmod(r->dir.fd, r->old.st_mode & 07777) == 0;
	if (!ok)
		(void)restore_fail(r->path.p, "can't be given to the owner of the directory that it replaces");
	if (d)
		(void)closedir(d);
	else if (own >= 0)
		(void)close(own);
	return ok ? SESSION_OK : SESSION_UNREADABLE;
}

static int restore_finish(struct restore *r)
{
	int status = r->there ? restore_own(r) : SESSION_OK;

	if (status == SESSION_OK)
		status = filecopy_sync(&r->dir);
	if (status != SESSION_OK)
		return status;
	if (stop_asked())
		return stop_status();
	if (renameat(r->parent.fd, r->tmp.p, r->parent.fd, r->name.p) != 0)
		return restore_fail(r->a->to, "can't be put in its place");
	r->begun = false;
	return filecopy_sync(&r->parent);
}

static void restore_say(const struct restore *r)
{
	char size[TEXT_SIZE];
	struct stat st;

	(void)printf("restore: %s is the store of %s, made %s, version %" PRIu64 ": %s, verified\n", r->a->to, r->from.path, r->list.made,
	             r->list.version, text_size(backup_list_bytes(&r->list), size));
	if (stat(r->a->to, &st) != 0)
		return;
	(void)printf("restore: it belongs to user %ld and group %ld, mode %04o%s\n", (long)st.st_uid, (long)st.st_gid,
	             (unsigned)st.st_mode & 07777, r->there ? ", as the directory that was there" : "");
	if (st.st_uid == 0)
		(void)printf("restore: for the service: chown -R siltstone:siltstone %s; systemctl start siltstone\n", r->a->to);
	else
		(void)printf("restore: start the server on it with --db %s, or its service where that is its directory\n", r->a->to);
}

static int restore_make(struct restore *r)
{
	int status = backup_look_choose(r->a->operand[0], &r->from_path, &r->from);

	if (status == SESSION_OK)
		status = backup_sums_read(&r->list, &r->from);
	if (status == SESSION_OK)
		status = restore_find_place(r);
	if (status == SESSION_OK)
		status = restore_fits(r);
	if (status == SESSION_OK)
		status = restore_begin(r);
	if (status == SESSION_OK)
		status = restore_copy(r);
	if (status == SESSION_OK)
		status = restore_verify(r);
	if (status == SESSION_OK)
		status = restore_raise(r);
	return status == SESSION_OK ? restore_finish(r) : status;
}

int restore_command(const struct args *a)
{
	struct restore r = { .a = a, .from = { .fd = -1 }, .parent = { .fd = -1 }, .dir = { .fd = -1 } };
	int status;

	if (!args_allow(a, ARGS_TO, 1))
		return SESSION_USAGE;
	if (!a->to) {
		(void)fprintf(stderr, "siltctl restore: --to DIR says where\n");
		return SESSION_USAGE;
	}
	stop_begin();
	progress_begin(&r.progress, "restore");
	status = restore_make(&r);
	progress_clear(&r.progress);
	if (r.begun) {
		backup_set_leave(&r.dir);
		(void)backup_set_erase(&r.parent, r.tmp.p);
		(void)fprintf(stderr, "siltctl: %s: nothing was restored%s\n", a->to, r.there ? "; it is empty as before" : "");
	}
	if (status == SESSION_OK)
		restore_say(&r);
	backup_list_fini(&r.list);
	backup_set_leave(&r.from);
	backup_set_leave(&r.parent);
	backup_set_leave(&r.dir);
	bytes_fini(&r.from_path);
	bytes_fini(&r.parent_path);
	bytes_fini(&r.name);
	bytes_fini(&r.tmp);
	bytes_fini(&r.path);
	return status;
}
