/* SPDX-License-Identifier: Apache-2.0 */
/* listen.c - where the listening socket comes from. The protocol of LISTEN_FDS is documented in sd_listen_fds(3). */
#include "server/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LISTEN_FIRST_FD 3             /* where systemd puts them */
#define LISTEN_BACKLOG  4096          /* a full one is an instant 502 at nginx */
#define LISTEN_GIVEN_MAX 4097         /* FileDescriptorStoreMax of the unit, and the socket */

static int listen_fail(char *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int listen_fail(char *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(error, LISTEN_ERROR_MAX, format, args);
	va_end(args);
	return -1;
}

static bool listen_is_listening(int fd)
{
	int accepts = 0, type = 0;
	socklen_t len = sizeof(int), type_len = sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &len) == 0 && accepts != 0 &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) == 0 && type == SOCK_STREAM;
}

static int listen_prepare(int fd, char *error)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return listen_fail(error, "the listening socket: %s", strerror(errno));
	return 0;
}

/* ---- given sockets ----------------------------------------------------------------------------------------------------- */

/* How many descriptors systemd passed to this very process; their names, as far as there is room. */
static long listen_count_given(char *names, size_t size)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS"), *given = getenv("LISTEN_FDNAMES");
	long count = 0;

	if (pid != NULL && fds != NULL && strtol(pid, NULL, 10) == (long)getpid())
		count = strtol(fds, NULL, 10);
	(void)snprintf(names, size, "%s", given != NULL ? given : "");
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
	return count > LISTEN_GIVEN_MAX ? LISTEN_GIVEN_MAX : count;
}

static bool listen_is_connection(int fd)
{
	struct sockaddr_un peer;
	socklen_t len = sizeof(peer);

	return getpeername(fd, (struct sockaddr *)(void *)&peer, &len) == 0 || errno == ENOTCONN;
}

/* One socket to listen on; all others are connections (rule 3), of which those that ended meanwhile do no harm. */
static int listen_sort_given(struct listener *l, long count, char *names, char *error)
{
	const char *name;

	l->kept = calloc((size_t)count, sizeof(*l->kept));
	if (l->kept == NULL)
		return listen_fail(error, "no memory");
	for (int fd = LISTEN_FIRST_FD; fd < LISTEN_FIRST_FD + count; fd++) {
		name = strsep(&names, ":");
		if (l->fd < 0 && listen_is_listening(fd))
			l->fd = fd;
		else if (name != NULL && strcmp(name, LISTEN_KEPT) == 0 && listen_is_connection(fd) && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
			l->kept[l->kept_count++] = fd;
		else
			return listen_fail(error, "what systemd passed as descriptor %d is not the one listening stream socket that is wanted (Accept=no, ListenStream=)",
			                   fd);
	}
	return l->fd < 0 ? listen_fail(error, "systemd passed %ld sockets, and none listens", count) : 0;
}

/* 1 taken, 0 none was given, -1 an error. */
static int listen_take_given(struct listener *l, char *error)
{
	char names[LISTEN_GIVEN_MAX * sizeof(LISTEN_KEPT)];
	long count = listen_count_given(names, sizeof(names));

	if (count > 0) {
		l->source = LISTEN_SYSTEMD;
		if (listen_sort_given(l, count, names, error) < 0)
			return -1;
	} else if (listen_is_listening(STDIN_FILENO)) {
		l->fd = STDIN_FILENO;
		l->source = LISTEN_STDIN;
	} else {
		return 0;
	}
	return listen_prepare(l->fd, error) < 0 ? -1 : 1;
}

/* ---- a socket of our own ----------------------------------------------------------------------------------------------- */

static int listen_parse(const char *address, struct sockaddr_un *out, char *error)
{
	const char *path = strncmp(address, "unix:", 5) == 0 ? address + 5 : address;

	if (path[0] != '/' && strchr(path, '/') == NULL && strchr(path, ':') != NULL)
		return listen_fail(error, "listen: '%.200s' is not unix:/path; the responder listens on unix sockets only", address);
	if (path[0] == '\0')
		return listen_fail(error, "listen: '%.200s' names no path", address);
	if (strlen(path) >= sizeof(out->sun_path))
		return listen_fail(error, "listen: the path has %zu bytes, and a unix socket's may have %zu: %.200s", strlen(path),
		                   sizeof(out->sun_path) - 1, path);
	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(out->sun_path, path, strlen(path) + 1);
	return 0;
}

/* Rule 2: 0 the path is free now; -1 it is not ours to take. */
static int listen_clear_path(const struct sockaddr_un *a, char *error)
{
	struct stat st;
	int fd, rc, why;

	if (lstat(a->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : listen_fail(error, "%s: %s", a->sun_path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return listen_fail(error, "%s: exists, and is no socket", a->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return listen_fail(error, "socket: %s", strerror(errno));
	rc = connect(fd, (const struct sockaddr *)(const void *)a, sizeof(*a));
	why = errno;
	(void)close(fd);
	if (rc == 0 || why == EAGAIN || why == EINPROGRESS)
		return listen_fail(error, "%s: already served by another process", a->sun_path);
	if (why != ECONNREFUSED)
		return listen_fail(error, "%s: exists, and whether it is served can't be told: %s", a->sun_path, strerror(why));
	if (unlink(a->sun_path) < 0 && errno != ENOENT)
		return listen_fail(error, "%s: %s", a->sun_path, strerror(errno));
	return 0;
}

/* Rule 4. */
static int listen_set_owner(const struct sockaddr_un *a, const struct listen_options *o, char *error)
{
	if (o->group != NULL && o->group[0] != '\0') {
		const struct group *g = getgrnam(o->group);

		if (g == NULL)
			return listen_fail(error, "listen_group: there is no group '%.200s'", o->group);
		if (chown(a->sun_path, (uid_t)-1, g->gr_gid) < 0)
			return listen_fail(error, "%s: can't give it to group '%.200s': %s", a->sun_path, o->group, strerror(errno));
	}
	if (chmod(a->sun_path, o->mode) < 0)
		return listen_fail(error, "%s: %s", a->sun_path, strerror(errno));
	return 0;
}

static int listen_bind(const struct listen_options *o, const struct sockaddr_un *a, struct listener *l, char *error)
{
	struct stat st;

	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l->fd < 0)
		return listen_fail(error, "socket: %s", strerror(errno));
	if (bind(l->fd, (const struct sockaddr *)(const void *)a, sizeof(*a)) < 0)
		return listen_fail(error, "%s: %s", a->sun_path, strerror(errno));
	l->source = LISTEN_OWN;
	memcpy(l->path, a->sun_path, sizeof(l->path));
	if (lstat(l->path, &st) == 0) {
		l->device = st.st_dev;
		l->inode = st.st_ino;
	}
	if (listen_set_owner(a, o, error) < 0)
		return -1;
	if (listen(l->fd, LISTEN_BACKLOG) < 0)
		return listen_fail(error, "%s: %s", a->sun_path, strerror(errno));
	return listen_prepare(l->fd, error);
}

int listen_open(const struct listen_options *o, struct listener *out, char *error)
{
	struct listener l = { .fd = -1, .source = LISTEN_STDIN };
	struct sockaddr_un address;
	int rc = listen_take_given(&l, error);

	if (rc == 0 && (o->address == NULL || o->address[0] == '\0'))
		return listen_fail(error, "nowhere to listen: give --listen unix:/path, or start it from a systemd socket unit "
		                          "or spawn-fcgi");
	if (rc == 0)
		rc = listen_parse(o->address, &address, error) < 0 || listen_clear_path(&address, error) < 0 ||
		     listen_bind(o, &address, &l, error) < 0 ? -1 : 1;
	if (rc < 0) {
		listen_close(&l);
		return -1;
	}
	*out = l;
	return 0;
}

void listen_close(struct listener *l)
{
	struct stat st;

	for (size_t i = 0; i < l->kept_count; i++)
		(void)close(l->kept[i]);
	free(l->kept);
	l->kept = NULL;
	l->kept_count = 0;
	if (l->fd < 0)
		return;
	if (l->source == LISTEN_OWN && lstat(l->path, &st) == 0 && st.st_dev == l->device && st.st_ino == l->inode)
		(void)unlink(l->path);
	if (l->source != LISTEN_STDIN)
		(void)close(l->fd);
	l->fd = -1;
}

const char *listen_name(const struct listener *l)
{
	switch (l->source) {
	case LISTEN_SYSTEMD:
		return "systemd's socket";
	case LISTEN_STDIN:
		return "the socket on standard input";
	default:
		return l->path;
	}
}
