/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader_tree.c - entries from the files below a directory: the key is the path (treename.h), the value what the file has.
 *
 * Order     a directory's names by their bytes, a directory's files before what follows it: always the same, so that --from-file goes on
 * Safety    nothing but regular files below the root is read. A symbolic link could lead out of it, and is refused, as is what is no file.
 *           Directories are opened one below the other and never by a path, so that none can be exchanged on the way.
 */
#include "ctl/reader.h"

#include "ctl/session.h"
#include "ctl/stop.h"
#include "ctl/text.h"
#include "util/array.h"
#include "util/treename.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <siltstone.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READER_TREE_FDS = SILT_KEY_MAX };      /* more than a key has directories, and some for the rest */

struct reader_tree_level {            /* a directory that is being read */
	int fd;
	struct bytes names;           /* each NUL-ended ... */
	char **name;                  /* ... in order */
	size_t n, at;
	size_t path_len;              /* of the path, its slash included */
};

struct reader_tree {
	struct reader reader;         /* first */
	struct reader_tree_level *level;
	size_t levels, cap;
	struct bytes path;            /* below the root; NUL-ended */
	struct bytes key, value;
	struct span meta;
	const char *from;             /* what is left of --from-file; NULL = it was reached */
	struct bytes from_text;       /* all of that; NUL-ended */
	bool literal;
};

static struct reader_tree *reader_tree_of(struct reader *r)
{
	return (struct reader_tree *)r;
}

static int reader_tree_bad(const struct reader_tree *t, int status, const char *what)
{
	(void)fprintf(stderr, "siltctl: %s/", t->reader.name);
	text_show(stderr, span_of(t->path.p, t->path.len));
	(void)fprintf(stderr, ": %s\n", what);
	return status;
}

static int reader_tree_no_memory(const struct reader_tree *t)
{
	return session_fail(t->reader.name, SILT_E_NOMEM);
}

/* ---- directories -------------------------------------------------------------------------------------------------------- */

static int reader_tree_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int reader_tree_sort(struct reader_tree *t, struct reader_tree_level *l)
{
	char *p = l->names.p;

	l->name = calloc(l->n + 1, sizeof(*l->name));
	if (!l->name)
		return reader_tree_no_memory(t);
	for (size_t i = 0; i < l->n; i++, p += strlen(p) + 1)
		l->name[i] = p;
	qsort(l->name, l->n, sizeof(*l->name), reader_tree_order);
	return SESSION_OK;
}

/* Takes a descriptor of its own to read the names from; l->fd stays for what is opened below it. */
static int reader_tree_list(struct reader_tree *t, struct reader_tree_level *l)
{
	int fd = openat(l->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), error;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	if (!dir) {
		error = errno;
		if (fd >= 0)
			(void)close(fd);
		return reader_tree_bad(t, SESSION_UNREADABLE, strerror(error));
	}
	while ((errno = 0, d = readdir(dir)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		bytes_add(&l->names, d->d_name, strlen(d->d_name) + 1);
		l->n++;
	}
	error = errno;
	(void)closedir(dir);
	if (error)
		return reader_tree_bad(t, SESSION_UNREADABLE, strerror(error));
	return l->names.bad ? reader_tree_no_memory(t) : reader_tree_sort(t, l);
}

static void reader_tree_leave(struct reader_tree *t)
{
	struct reader_tree_level *l = &t->level[--t->levels];

	(void)close(l->fd);
	bytes_fini(&l->names);
	free(l->name);
}

/* Takes fd. The path is that of the directory, with its slash. */
static int reader_tree_enter(struct reader_tree *t, int fd)
{
	struct reader_tree_level *more = array_grow(t->level, t->levels, &t->cap, sizeof(*more));

	if (!more) {
		(void)close(fd);
		return reader_tree_no_memory(t);
	}
	t->level = more;
	t->level[t->levels++] = (struct reader_tree_level){ .fd = fd, .path_len = t->path.len };
	return reader_tree_list(t, &t->level[t->levels - 1]);
}

/* ---- files -------------------------------------------------------------------------------------------------------------- */

static int reader_tree_read(struct reader_tree *t, int fd)
{
	ssize_t n = 1;

	bytes_clear(&t->value);
	while (n > 0) {
		if (!bytes_reserve(&t->value, 64 << 10))
			return reader_tree_no_memory(t);
		n = read(fd, t->value.p + t->value.len, t->value.cap - t->value.len);
		if (n < 0 && errno == EINTR && !stop_asked())
			n = 1;
		else if (n > 0)
			t->value.len += (size_t)n;
		if (t->value.len > SILT_VALUE_MAX)
			return reader_tree_bad(t, SESSION_DAMAGED, "larger than any value");
	}
	if (n < 0)
		return stop_asked() ? stop_status() : reader_tree_bad(t, SESSION_UNREADABLE, strerror(errno));
	t->reader.read_bytes += t->value.len;
	return SESSION_OK;
}

static int reader_tree_key(struct reader_tree *t)
{
	size_t bad_at;

	bytes_clear(&t->key);
	if (t->literal ? !bytes_add(&t->key, t->path.p, t->path.len) : !treename_key(span_of(t->path.p, t->path.len), &t->key, &bad_at))
		return t->key.bad ? reader_tree_no_memory(t)
		                  : reader_tree_bad(t, SESSION_DAMAGED, "a % that no export writes: --literal takes names as they are");
	if (t->key.len > SILT_KEY_MAX)
		return reader_tree_bad(t, SESSION_DAMAGED, "its path is longer than a key, which has 1 to 4096 bytes");
	return SESSION_OK;
}

static int reader_tree_file(struct reader_tree *t, int fd, struct reader_item *out)
{
	int status = reader_tree_key(t);

	if (status == SESSION_OK)
		status = reader_tree_read(t, fd);
	*out = (struct reader_item){
		.place = t->reader.place,
		.entry = { .key = span_of(t->key.p, t->key.len), .value = span_of(t->value.p, t->value.len), .meta = t->meta },
	};
	return status;
}

/* ---- the walk ----------------------------------------------------------------------------------------------------------- */

/* Is a name before what --from-file says? Of its first name all below has to be looked at. */
static bool reader_tree_before(struct reader_tree *t, const char *name)
{
	size_t n = t->from ? strcspn(t->from, "/") : 0, len = strlen(name);
	int order;

	if (!t->from)
		return false;
	order = memcmp(name, t->from, len < n ? len : n);
	if (order == 0)
		order = (len > n) - (len < n);
	if (order < 0)
		return true;
	t->from = order == 0 && t->from[n] == '/' ? t->from + n + 1 : NULL;
	return false;
}

/* The next name of the directory that is read; false: it has none left. */
static bool reader_tree_name(struct reader_tree *t, const char **name)
{
	struct reader_tree_level *l = &t->level[t->levels - 1];

	while (l->at < l->n && reader_tree_before(t, l->name[l->at]))
		l->at++;
	if (l->at == l->n)
		return false;
	*name = l->name[l->at++];
	t->path.len = l->path_len;
	bytes_adds(&t->path, *name);
	bytes_add(&t->path, "", 1);
	t->path.len--;
	return true;
}

static int reader_tree_open_name(struct reader_tree *t, const char *name, int *fd, struct stat *st)
{
	*fd = openat(t->level[t->levels - 1].fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (*fd < 0 && errno == ELOOP)
		return reader_tree_bad(t, SESSION_DAMAGED, "a symbolic link, which is not followed: put what it names in its place, or take it away");
	if (*fd < 0 || fstat(*fd, st) != 0)
		return reader_tree_bad(t, SESSION_UNREADABLE, strerror(errno));
	if (S_ISREG(st->st_mode) || S_ISDIR(st->st_mode))
		return SESSION_OK;
	return reader_tree_bad(t, SESSION_DAMAGED, "neither a file nor a directory: take it away");
}

static int reader_tree_down(struct reader_tree *t, int fd)
{
	if (bytes_add(&t->path, "/", 2)) {       /* its NUL, too: where this fails, the path is said */
		t->path.len--;
		t->reader.place.path = t->path.p;
		return reader_tree_enter(t, fd);
	}
	(void)close(fd);
	return reader_tree_no_memory(t);
}

static int reader_tree_next(struct reader *r, struct reader_item *out)
{
	struct reader_tree *t = reader_tree_of(r);

	while (t->levels) {
		const char *name;
		struct stat st;
		int fd = -1, status;

		if (!reader_tree_name(t, &name)) {
			t->from = NULL;
			reader_tree_leave(t);
			continue;
		}
		r->place.path = t->path.p;
		status = t->path.bad ? reader_tree_no_memory(t) : reader_tree_open_name(t, name, &fd, &st);
		if (status == SESSION_OK && S_ISDIR(st.st_mode)) {
			status = reader_tree_down(t, fd);
			if (status == SESSION_OK)
				continue;
			return status;
		}
		t->from = NULL;
		if (status == SESSION_OK)
			status = reader_tree_file(t, fd, out);
		if (fd >= 0)
			(void)close(fd);
		return status;
	}
	return READER_END;
}

static void reader_tree_close(struct reader *r)
{
	struct reader_tree *t = reader_tree_of(r);

	while (t->levels)
		reader_tree_leave(t);
	free(t->level);
	bytes_fini(&t->path);
	bytes_fini(&t->key);
	bytes_fini(&t->value);
	bytes_fini(&t->from_text);
	free(t);
}

static const struct reader_ops reader_tree_ops = { .next = reader_tree_next, .close = reader_tree_close };

/* Each directory on the way down is open: keys with many slashes need more of that than a shell usually allows. */
static void reader_tree_allow_depth(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= READER_TREE_FDS)
		return;
	files.rlim_cur = files.rlim_max < READER_TREE_FDS ? files.rlim_max : READER_TREE_FDS;
	(void)setrlimit(RLIMIT_NOFILE, &files);
}

/* As import says it: escaped. */
static int reader_tree_from(struct reader_tree *t, const char *text)
{
	size_t bad_at;

	if (!text)
		return SESSION_OK;
	if (!text_unescape(span_str(text), &t->from_text, &bad_at) && !t->from_text.bad) {
		(void)fprintf(stderr, "siltctl: --from-file \"%s\": no escape that import prints, at byte %zu\n", text, bad_at);
		return SESSION_USAGE;
	}
	if (!bytes_add(&t->from_text, "", 1))
		return reader_tree_no_memory(t);
	t->from = t->reader.place.path = t->from_text.p;
	return SESSION_OK;
}

int reader_tree_open(const struct args *a, const char *path, struct reader **out)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), status;
	struct reader_tree *t;

	if (fd < 0) {
		(void)fprintf(stderr, "siltctl: %s: %s\n", path, strerror(errno));
		return SESSION_UNREADABLE;
	}
	t = calloc(1, sizeof(*t));
	if (!t) {
		(void)close(fd);
		return session_fail(path, SILT_E_NOMEM);
	}
	t->reader = (struct reader){ .ops = &reader_tree_ops, .name = path };
	reader_tree_allow_depth();
	t->literal = a->given & ARGS_LITERAL;
	t->meta = span_str(a->content_type);
	status = reader_tree_from(t, a->from_file);
	if (status == SESSION_OK)
		status = reader_tree_enter(t, fd);
	else
		(void)close(fd);
	if (status != SESSION_OK) {
		reader_tree_close(&t->reader);
		return status;
	}
	*out = &t->reader;
	return SESSION_OK;
}
