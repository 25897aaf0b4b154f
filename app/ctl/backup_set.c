/* SPDX-License-Identifier: Apache-2.0 */
/* backup_set.c - names read, sorted, made and removed; a directory is whole or says by its name that it is not. */
#include "ctl/backup_set.h"

#include "ctl/session.h"
#include "util/array.h"
#include "util/bytes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char backup_set_unfinished[] = ".unfinished";
static const char backup_set_removing[] = ".removing";

static int backup_set_fail(const struct filecopy_dir *dir, const char *name, const char *what)
{
	int error = errno;

	(void)fprintf(stderr, "siltctl: %s%s%s: %s: %s\n", dir->path, name[0] ? "/" : "", name, what, strerror(error));
	return SESSION_UNREADABLE;
}

/* ---- names ----------------------------------------------------------------------------------------------------------------- */

/* The length of "20261121T213000Z" or "20261121T213000Z-2" that a name begins with; 0 = it does not. */
static size_t backup_set_stamp(const char *name)
{
	static const char form[] = "ddddddddTddddddZ";
	size_t n = sizeof(form) - 1;

	for (size_t i = 0; i < n; i++)
		if (form[i] == 'd' ? name[i] < '0' || name[i] > '9' : name[i] != form[i])
			return 0;
	return name[n] == '-' && name[n + 1] >= '2' && name[n + 1] <= '9' ? n + 2 : n;
}

static bool backup_set_is(const char *name, const char *suffix)
{
	size_t n = backup_set_stamp(name);

	return n > 0 && strcmp(name + n, suffix) == 0;
}

static bool backup_set_push(struct backup_set_name **list, size_t *n, size_t *room, const char *name)
{
	struct backup_set_name *more = array_grow(*list, *n, room, sizeof(*more));

	if (!more)
		return false;
	*list = more;
	(void)snprintf(more[(*n)++].text, BACKUP_SET_NAME, "%s", name);
	return true;
}

static int backup_set_compare(const void *a, const void *b)
{
	return strcmp(((const struct backup_set_name *)a)->text, ((const struct backup_set_name *)b)->text);
}

/* The stamp of the newest, whole or not, into out. */
static void backup_set_newest(const struct backup_set *s, char out[BACKUP_SET_NAME])
{
	out[0] = '\0';
	for (size_t i = 0; i < s->whole_count + s->unfinished_count; i++) {
		const char *name = i < s->whole_count ? s->whole[i].text : s->unfinished[i - s->whole_count].text;
		int n = (int)backup_set_stamp(name);

		if (strncmp(name, out, (size_t)n) > 0 || (strncmp(name, out, (size_t)n) == 0 && out[n] == '\0'))
			(void)snprintf(out, BACKUP_SET_NAME, "%.*s", n, name);
	}
}

int backup_set_name(const struct backup_set *s, time_t now, char out[BACKUP_SET_NAME])
{
	char newest[BACKUP_SET_NAME];
	struct tm tm;
	size_t n;

	backup_set_newest(s, newest);
	(void)gmtime_r(&now, &tm);
	n = strftime(out, BACKUP_SET_NAME, "%Y%m%dT%H%M%SZ", &tm);
	for (char again = '2'; strcmp(out, newest) <= 0 && again <= '9'; again++)
		(void)snprintf(out + n, BACKUP_SET_NAME - n, "-%c", again);
	if (strcmp(out, newest) > 0)
		return SESSION_OK;
	(void)fprintf(stderr, "siltctl: %s/%s: was made later than the clock says it is now: set the clock, or use another directory\n",
	              s->dir.path, newest);
	return SESSION_FAILED;
}

/* ---- directories ----------------------------------------------------------------------------------------------------------- */

int backup_set_enter(const struct filecopy_dir *parent, const char *name, struct bytes *path, struct filecopy_dir *out)
{
	bytes_clear(path);
	if (!bytes_addf(path, "%s/%s", parent->path, name))
		return session_fail(parent->path, SILT_E_NOMEM);
	out->path = path->p;
	out->fd = openat(parent->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return out->fd >= 0 ? SESSION_OK : backup_set_fail(parent, name, "can't be opened");
}

void backup_set_leave(struct filecopy_dir *dir)
{
	if (dir->fd >= 0)
		(void)close(dir->fd);
	dir->fd = -1;
}

/* Calls fn with each name but . and .. until it says false, having set errno; -1: errno. */
static int backup_set_each(int fd, bool (*fn)(void *ctx, const char *name), void *ctx)
{
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = own >= 0 ? fdopendir(own) : NULL;
	const struct dirent *e;
	bool ok = true;
	int error;

	if (!d) {
		if (own >= 0)
			(void)close(own);
		return -1;
	}
	for (errno = 0; ok && (e = readdir(d)) != NULL; errno = ok ? 0 : errno)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			ok = fn(ctx, e->d_name);
	error = errno;
	(void)closedir(d);
	errno = error;
	return ok && error == 0 ? 0 : -1;
}

static bool backup_set_unlink(void *ctx, const char *name)
{
	const struct filecopy_dir *dir = ctx;

	return unlinkat(dir->fd, name, 0) == 0 || errno == ENOENT;
}

int backup_set_erase(const struct filecopy_dir *parent, const char *name)
{
	struct bytes path = { 0 };
	struct filecopy_dir dir;
	int status = backup_set_enter(parent, name, &path, &dir);

	if (status == SESSION_OK && backup_set_each(dir.fd, backup_set_unlink, &dir) != 0)
		status = backup_set_fail(parent, name, "can't be emptied");
	backup_set_leave(&dir);
	if (status == SESSION_OK && unlinkat(parent->fd, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
		status = backup_set_fail(parent, name, "can't be removed");
	bytes_fini(&path);
	return status;
}

int backup_set_remove(struct backup_set *s, const char *name)
{
	char away[BACKUP_SET_NAME + sizeof(backup_set_removing)];
	int status;

	(void)snprintf(away, sizeof(away), "%s%s", name, backup_set_removing);
	if (renameat(s->dir.fd, name, s->dir.fd, away) != 0)
		return backup_set_fail(&s->dir, name, "can't be removed");
	status = filecopy_sync(&s->dir);
	return status == SESSION_OK ? backup_set_erase(&s->dir, away) : status;
}

/* ---- opening --------------------------------------------------------------------------------------------------------------- */

struct backup_set_reading {
	struct backup_set *s;
	bool nomem;
};

static bool backup_set_take(void *ctx, const char *name)
{
	struct backup_set_reading *r = ctx;
	struct backup_set *s = r->s;

	if (backup_set_is(name, ""))
		r->nomem = !backup_set_push(&s->whole, &s->whole_count, &s->whole_room, name);
	else if (backup_set_is(name, backup_set_unfinished))
		r->nomem = !backup_set_push(&s->unfinished, &s->unfinished_count, &s->unfinished_room, name);
	return !r->nomem;
}

static int backup_set_read(struct backup_set *s)
{
	struct backup_set_reading r = { .s = s };
	int rc = backup_set_each(s->dir.fd, backup_set_take, &r);

	if (r.nomem)
		return session_fail(s->dir.path, SILT_E_NOMEM);
	if (rc != 0)
		return backup_set_fail(&s->dir, "", "can't be listed");
	if (s->whole_count)
		qsort(s->whole, s->whole_count, sizeof(*s->whole), backup_set_compare);
	if (s->unfinished_count)
		qsort(s->unfinished, s->unfinished_count, sizeof(*s->unfinished), backup_set_compare);
	return SESSION_OK;
}

static int backup_set_begin(struct backup_set *s, const char *path)
{
	*s = (struct backup_set){ .dir = { .fd = -1, .path = path }, .lock = -1 };
	s->dir.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return s->dir.fd >= 0 ? SESSION_OK : backup_set_fail(&s->dir, "", "can't be opened");
}

int backup_set_open(struct backup_set *s, const char *path)
{
	int status = backup_set_begin(s, path);

	return status == SESSION_OK ? backup_set_read(s) : status;
}

static int backup_set_take_lock(struct backup_set *s)
{
	s->lock = openat(s->dir.fd, ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock < 0)
		return backup_set_fail(&s->dir, "", "can't be written");
	if (flock(s->lock, LOCK_EX | LOCK_NB) == 0)
		return SESSION_OK;
	if (errno != EWOULDBLOCK)
		return backup_set_fail(&s->dir, ".lock", "can't be locked");
	(void)fprintf(stderr, "siltctl: %s: in use: another backup is being made or removed there\n", s->dir.path);
	return SESSION_IN_USE;
}

static bool backup_set_sweep_one(void *ctx, const char *name)
{
	struct backup_set *s = ctx;

	if (backup_set_is(name, backup_set_removing))
		(void)backup_set_erase(&s->dir, name);
	return true;
}

int backup_set_open_to_write(struct backup_set *s, const char *path)
{
	int status;

	if (mkdir(path, 0750) != 0 && errno != EEXIST) {
		*s = (struct backup_set){ .dir = { .fd = -1, .path = path }, .lock = -1 };
		return backup_set_fail(&s->dir, "", "can't be made");
	}
	status = backup_set_begin(s, path);
	if (status == SESSION_OK)
		status = backup_set_take_lock(s);
	if (status == SESSION_OK && backup_set_each(s->dir.fd, backup_set_sweep_one, s) != 0)
		status = backup_set_fail(&s->dir, "", "can't be listed");
	return status == SESSION_OK ? backup_set_read(s) : status;
}

void backup_set_close(struct backup_set *s)
{
	backup_set_leave(&s->dir);
	if (s->lock >= 0)
		(void)close(s->lock);
	free(s->whole);
	free(s->unfinished);
	*s = (struct backup_set){ .dir.fd = -1, .lock = -1 };
}
