/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer_tree.c - each entry a file below a directory: its path says the key (treename.h), its bytes are the value. Made under another name
 * beside the directory, synced, and renamed: it is there whole or not at all.
 *
 * Safety    directories are opened one below the other, never a link followed, files made only where none is: no key leads out of the tree
 */
#include "ctl/writer.h"

#include "ctl/fd.h"
#include "ctl/outfile.h"
#include "ctl/session.h"
#include "util/treename.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct writer_tree {
	struct writer writer;         /* first */
	char *place;                  /* where the tree will be: where a symbolic link leads, without slashes at its end */
	char *temporary;              /* NULL where there is none (any more) */
	int root;
	int last;                     /* the directory of the file before, which is mostly that of the next one, too; -1 = none */
	struct bytes last_path;       /* its path, with its slash */
	struct bytes path;
};

static struct writer_tree *writer_tree_of(struct writer *w)
{
	return (struct writer_tree *)w;
}

static int writer_tree_fail(const struct writer_tree *w, const char *path, int error)
{
	(void)fprintf(stderr, "siltctl: %s%s%s: %s\n", w->writer.name, path ? "/" : "", path ? path : "", strerror(error));
	return SESSION_UNREADABLE;
}

/* Closes from, but not the root. */
static void writer_tree_leave(const struct writer_tree *w, int fd)
{
	if (fd >= 0 && fd != w->root)
		(void)close(fd);
}

/* The directory `name` below `from`, made where it is not there. -1: errno; ENOTDIR where a file is in the way. */
static int writer_tree_down(int from, const char *name)
{
	int fd = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT && (mkdirat(from, name, 0777) == 0 || errno == EEXIST))
		fd = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd;
}

/* What is at *p becomes one name. */
static int writer_tree_flatten(struct writer_tree *w, char **p, struct bytes *flat)
{
	size_t at = (size_t)(*p - w->path.p);

	if (!treename_flat(span_of(*p, strlen(*p)), flat))
		return session_fail(w->writer.name, SILT_E_NOMEM);
	w->path.len = at;
	bytes_add(&w->path, flat->p, flat->len);
	if (!bytes_add(&w->path, "", 1))
		return session_fail(w->writer.name, SILT_E_NOMEM);
	*p = w->path.p + at;
	return SESSION_OK;
}

/* Opens the directory of path, which is w->path, and leaves *name at the last name. Where a file is in the way, the rest of the path
   is one name there. */
static int writer_tree_walk(struct writer_tree *w, int *out, char **name)
{
	struct bytes flat = { 0 };
	char *p = w->path.p, *slash;
	int fd = w->root, below, status = SESSION_OK;

	while ((slash = strchr(p, '/')) != NULL) {
		*slash = '\0';
		below = writer_tree_down(fd, p);
		*slash = '/';
		if (below < 0 && errno == ENOTDIR && flat.len == 0) {
			status = writer_tree_flatten(w, &p, &flat);
			if (status == SESSION_OK)
				continue;
		} else if (below < 0) {
			status = writer_tree_fail(w, w->path.p, errno);
		}
		if (status != SESSION_OK) {
			writer_tree_leave(w, fd);
			fd = -1;
			break;
		}
		writer_tree_leave(w, fd);
		fd = below;
		p = slash + 1;
	}
	bytes_fini(&flat);
	*out = fd;
	*name = p;
	return status;
}

/* As writer_tree_walk(), but most files lie where the one before does. */
static int writer_tree_place(struct writer_tree *w, int *out, char **name)
{
	char *slash = strrchr(w->path.p, '/');
	size_t n = slash ? (size_t)(slash - w->path.p) + 1 : 0;
	int status;

	if (w->last >= 0 && n == w->last_path.len && (n == 0 || memcmp(w->path.p, w->last_path.p, n) == 0)) {
		*out = w->last;
		*name = w->path.p + n;
		return SESSION_OK;
	}
	writer_tree_leave(w, w->last);
	w->last = -1;
	status = writer_tree_walk(w, out, name);
	if (status != SESSION_OK)
		return status;
	w->last = *out;
	bytes_clear(&w->last_path);
	return bytes_add(&w->last_path, w->path.p, (size_t)(*name - w->path.p)) ? SESSION_OK : session_fail(w->writer.name, SILT_E_NOMEM);
}

static int writer_tree_file(struct writer_tree *w, int dir, const char *name, struct span value)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);

	if (fd < 0)
		return writer_tree_fail(w, w->path.p, errno);
	if (!fd_write(fd, value)) {
		int status = writer_tree_fail(w, w->path.p, errno);

		(void)close(fd);
		return status;
	}
	return close(fd) == 0 ? SESSION_OK : writer_tree_fail(w, w->path.p, errno);
}

static int writer_tree_entry(struct writer *writer, const struct entry *e)
{
	struct writer_tree *w = writer_tree_of(writer);
	char *name;
	int dir, status;

	bytes_clear(&w->path);
	if (!treename_of(e->key, &w->path) || !bytes_add(&w->path, "", 1))
		return session_fail(writer->name, SILT_E_NOMEM);
	status = writer_tree_place(w, &dir, &name);
	if (status == SESSION_OK)
		status = writer_tree_file(w, dir, name, e->value);
	writer->bytes += e->value.len;
	return status;
}

static int writer_tree_commit(struct writer *writer, const struct target_scanned *all)
{
	struct writer_tree *w = writer_tree_of(writer);

	(void)all;
	if (syncfs(w->root) != 0 || rename(w->temporary, w->place) != 0)
		return writer_tree_fail(w, NULL, errno);
	free(w->temporary);
	w->temporary = NULL;
	return outfile_sync_directory_of(w->place) ? SESSION_OK : writer_tree_fail(w, NULL, errno);
}

/* Each in its own directory: the path of a long key is longer than a path may be. */
static void writer_tree_remove(char *root)
{
	FTS *walk = fts_open((char *[]){ root, NULL }, FTS_PHYSICAL | FTS_NOSTAT, NULL);
	const FTSENT *e;

	if (!walk)
		return;
	while ((e = fts_read(walk)) != NULL)
		if (e->fts_info != FTS_D)
			(void)remove(e->fts_accpath);
	(void)fts_close(walk);
}

static void writer_tree_close(struct writer *writer)
{
	struct writer_tree *w = writer_tree_of(writer);

	writer_tree_leave(w, w->last);
	if (w->root >= 0)
		(void)close(w->root);
	if (w->temporary)
		writer_tree_remove(w->temporary);
	free(w->temporary);
	free(w->place);
	bytes_fini(&w->path);
	bytes_fini(&w->last_path);
	free(w);
}

static const struct writer_ops writer_tree_ops = {
	.entry = writer_tree_entry, .commit = writer_tree_commit, .close = writer_tree_close,
};

static bool writer_tree_is_empty(const char *path)
{
	DIR *dir = opendir(path);
	unsigned n = 0;

	while (dir && n < 3 && readdir(dir))
		n++;
	if (dir)
		(void)closedir(dir);
	return n == 2;                           /* . and .. */
}

/* As mkdir(2) would have made it. */
static bool writer_tree_usual_mode(int fd)
{
	mode_t mask = umask(0);

	(void)umask(mask);
	return fchmod(fd, 0777 & ~mask) == 0;
}

/* Of an empty directory that is replaced mode and owner stay, the owner where we may give it to him. */
static int writer_tree_take_over(const struct writer_tree *w, const struct stat *old)
{
	struct stat st;

	if (fstat(w->root, &st) != 0)
		return writer_tree_fail(w, NULL, errno);
	if (st.st_dev != old->st_dev) {
		(void)fprintf(stderr, "siltctl: %s: is a mount point, which can't be replaced: export into a directory in it\n", w->writer.name);
		return SESSION_UNREADABLE;
	}
	(void)!fchown(w->root, old->st_uid, old->st_gid);
	return fchmod(w->root, old->st_mode & 07777) == 0 ? SESSION_OK : writer_tree_fail(w, NULL, errno);
}

static int writer_tree_find_place(struct writer_tree *w)
{
	const char *path = w->writer.name;
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	w->place = realpath(path, NULL);
	if (!w->place)
		w->place = strndup(path, n);
	if (w->place && asprintf(&w->temporary, "%s.XXXXXX", w->place) >= 0)
		return SESSION_OK;
	w->temporary = NULL;
	return session_fail(path, SILT_E_NOMEM);
}

static int writer_tree_begin(struct writer_tree *w)
{
	struct stat old;
	bool there = stat(w->place, &old) == 0;

	if (there && !writer_tree_is_empty(w->place)) {
		(void)fprintf(stderr, "siltctl: %s: it is there, and not empty: an export makes a new directory\n", w->writer.name);
		free(w->temporary);
		w->temporary = NULL;
		return SESSION_UNREADABLE;
	}
	if (!mkdtemp(w->temporary)) {
		int error = errno;

		free(w->temporary);
		w->temporary = NULL;
		return writer_tree_fail(w, NULL, error);
	}
	w->root = open(w->temporary, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->root < 0)
		return writer_tree_fail(w, NULL, errno);
	if (there)
		return writer_tree_take_over(w, &old);
	return writer_tree_usual_mode(w->root) ? SESSION_OK : writer_tree_fail(w, NULL, errno);
}

int writer_tree_open(const char *path, struct writer **out)
{
	struct writer_tree *w = calloc(1, sizeof(*w));
	int status;

	if (!w)
		return session_fail(path, SILT_E_NOMEM);
	w->writer = (struct writer){ .ops = &writer_tree_ops, .name = path };
	w->root = w->last = -1;
	status = writer_tree_find_place(w);
	if (status == SESSION_OK)
		status = writer_tree_begin(w);
	if (status != SESSION_OK) {
		writer_tree_close(&w->writer);
		return status;
	}
	*out = &w->writer;
	return SESSION_OK;
}
