/* SPDX-License-Identifier: Apache-2.0 */
/* outfile.c - the rename-and-fsync pattern for a file that an export makes. */
#include "ctl/outfile.h"

#include "ctl/fd.h"
#include "ctl/session.h"
#include "ctl/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OUTFILE_BUFFER = 256 << 10 };

struct outfile {
	int fd;
	char *path;                   /* where it will be; NULL = stdout */
	char *temporary;              /* where it is; NULL = written as it comes */
	struct bytes buffer;
	uint64_t bytes;
};

const char *outfile_name(const struct outfile *o)
{
	return o->path ? o->path : "stdout";
}

bool outfile_is_stream(const struct outfile *o)
{
	return !o->temporary;
}

uint64_t outfile_bytes(const struct outfile *o)
{
	return o->bytes;
}

static int outfile_fail(const struct outfile *o, int error)
{
	if (error == EPIPE)
		return SESSION_UNWANTED;
	if (error == EINTR && stop_asked())
		return stop_status();
	(void)fprintf(stderr, "siltctl: %s: %s\n", outfile_name(o), strerror(error));
	return SESSION_UNREADABLE;
}

/* As open(2) would have made it. */
static bool outfile_usual_mode(int fd)
{
	mode_t mask = umask(0);

	(void)umask(mask);
	return fchmod(fd, 0666 & ~mask) == 0;
}

/* What was for few to read stays so. Its owner's, where we may give it to him. */
static bool outfile_same_mode(int fd, const struct stat *old)
{
	(void)!fchown(fd, old->st_uid, old->st_gid);
	return fchmod(fd, old->st_mode & 0777) == 0;
}

static int outfile_begin(struct outfile *o)
{
	struct stat st;
	bool there = stat(o->path, &st) == 0;

	if (there && !S_ISREG(st.st_mode)) {
		o->fd = open(o->path, O_WRONLY | O_CLOEXEC);
		return o->fd < 0 ? outfile_fail(o, errno) : SESSION_OK;
	}
	if (asprintf(&o->temporary, "%s.XXXXXX", o->path) < 0) {
		o->temporary = NULL;
		return session_fail(o->path, SILT_E_NOMEM);
	}
	o->fd = mkostemp(o->temporary, O_CLOEXEC);
	if (o->fd >= 0 && (there ? outfile_same_mode(o->fd, &st) : outfile_usual_mode(o->fd)))
		return SESSION_OK;
	if (o->fd < 0) {
		free(o->temporary);
		o->temporary = NULL;
	}
	return outfile_fail(o, errno);
}

int outfile_open(const char *path, struct outfile **out)
{
	struct outfile *o = calloc(1, sizeof(*o));
	int status = SESSION_OK;

	if (!o)
		return session_fail("--output", SILT_E_NOMEM);
	o->fd = -1;
	if (!path || strcmp(path, "-") == 0) {
		o->fd = STDOUT_FILENO;
	} else {
		o->path = realpath(path, NULL);          /* where a symbolic link leads */
		if (!o->path)
			o->path = strdup(path);
		status = o->path ? outfile_begin(o) : session_fail(path, SILT_E_NOMEM);
	}
	if (status != SESSION_OK) {
		outfile_close(o);
		return status;
	}
	*out = o;
	return SESSION_OK;
}

static int outfile_drain(struct outfile *o)
{
	bool ok = fd_write(o->fd, span_of(o->buffer.p, o->buffer.len));

	bytes_clear(&o->buffer);
	return ok ? SESSION_OK : outfile_fail(o, errno);
}

int outfile_write(struct outfile *o, struct span s)
{
	int status = SESSION_OK;

	o->bytes += s.len;
	if (o->buffer.len + s.len > OUTFILE_BUFFER)
		status = outfile_drain(o);
	if (status == SESSION_OK && s.len > OUTFILE_BUFFER)
		return fd_write(o->fd, s) ? SESSION_OK : outfile_fail(o, errno);
	if (status == SESSION_OK && !bytes_add(&o->buffer, s.p, s.len))
		return session_fail(outfile_name(o), SILT_E_NOMEM);
	return status;
}

bool outfile_sync_directory_of(const char *path)
{
	char *copy = strdup(path);
	int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1, error;
	bool ok = fd >= 0 && fsync(fd) == 0;

	error = errno;
	if (fd >= 0)
		(void)close(fd);
	free(copy);
	errno = error;
	return ok;
}

int outfile_commit(struct outfile *o)
{
	int status = outfile_drain(o);

	if (status != SESSION_OK || !o->temporary)
		return status;
	if (fsync(o->fd) != 0 || rename(o->temporary, o->path) != 0)
		return outfile_fail(o, errno);
	free(o->temporary);
	o->temporary = NULL;
	return outfile_sync_directory_of(o->path) ? SESSION_OK : outfile_fail(o, errno);
}

void outfile_close(struct outfile *o)
{
	if (!o)
		return;
	if (o->temporary)
		(void)unlink(o->temporary);
	if (o->path && o->fd >= 0)
		(void)close(o->fd);
	free(o->path);
	free(o->temporary);
	bytes_fini(&o->buffer);
	free(o);
}
