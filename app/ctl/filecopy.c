/* SPDX-License-Identifier: Apache-2.0 */
/* filecopy.c - read, hash, write, sync; the cache is told to forget what was written, so that who verifies it reads the disk. */
#include "ctl/filecopy.h"

#include "ctl/fd.h"
#include "ctl/session.h"
#include "ctl/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILECOPY_CHUNK = 1 << 20, FILECOPY_FOOTER = 192, FILECOPY_MAGIC = 8 };

static int filecopy_fail(const struct filecopy_dir *dir, const char *name, const char *what)
{
	int error = errno;

	(void)fprintf(stderr, "siltctl: %s/%s: %s: %s\n", dir->path, name, what, strerror(error));
	return SESSION_UNREADABLE;
}

static int filecopy_unwritten(struct filecopy *c, const struct filecopy_dir *to, const char *name, const char *what)
{
	c->full = c->full || errno == ENOSPC || errno == EDQUOT;
	return filecopy_fail(to, name, what);
}

void filecopy_advance(struct filecopy *c, uint64_t bytes)
{
	c->done += bytes;
	if (c->progress)
		(void)progress_tell(c->progress, c->done, c->total);
}

/* n bytes, or fewer at the end of the file; -1: errno. */
static ssize_t filecopy_fill(int fd, void *p, size_t n)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got = read(fd, (char *)p + have, n - have);

		if (got < 0 && errno != EINTR)
			return -1;
		if (got == 0)
			break;
		have += got > 0 ? (size_t)got : 0;
	}
	return (ssize_t)have;
}

/* ---- one file -------------------------------------------------------------------------------------------------------------- */

struct filecopy_job {
	struct filecopy *c;
	const struct filecopy_dir *from, *to;
	const char *name;
	int in, out;                  /* out -1: read only */
	unsigned char *room;          /* FILECOPY_CHUNK */
	EVP_MD_CTX *hash;
	struct filecopy_found *found;
};

static int filecopy_chunk(struct filecopy_job *j, ssize_t *got)
{
	if (stop_asked())
		return stop_status();
	*got = filecopy_fill(j->in, j->room, FILECOPY_CHUNK);
	if (*got < 0)
		return filecopy_fail(j->from, j->name, "can't be read");
	if (EVP_DigestUpdate(j->hash, j->room, (size_t)*got) != 1)
		return session_fail(j->name, SILT_E_NOMEM);
	if (j->out >= 0 && !fd_write(j->out, span_of(j->room, (size_t)*got)))
		return filecopy_unwritten(j->c, j->to, j->name, "can't be written");
	j->found->size += (uint64_t)*got;
	filecopy_advance(j->c, (uint64_t)*got);
	return SESSION_OK;
}

static int filecopy_all(struct filecopy_job *j)
{
	ssize_t got = 1;
	int status = SESSION_OK;

	(void)posix_fadvise(j->in, 0, 0, POSIX_FADV_SEQUENTIAL);
	if (EVP_DigestInit_ex(j->hash, EVP_sha256(), NULL) != 1)
		return session_fail(j->name, SILT_E_NOMEM);
	while (status == SESSION_OK && got > 0)
		status = filecopy_chunk(j, &got);
	if (status == SESSION_OK && EVP_DigestFinal_ex(j->hash, j->found->digest, NULL) != 1)
		return session_fail(j->name, SILT_E_NOMEM);
	if (status != SESSION_OK || j->out < 0)
		return status;
	if (fsync(j->out) != 0)
		return filecopy_unwritten(j->c, j->to, j->name, "can't be synced");
	(void)posix_fadvise(j->out, 0, 0, POSIX_FADV_DONTNEED);
	return SESSION_OK;
}

static int filecopy_open(struct filecopy_job *j)
{
	struct stat st;

	j->in = openat(j->from->fd, j->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (j->in < 0 || fstat(j->in, &st) != 0)
		return filecopy_fail(j->from, j->name, "can't be read");
	if (!j->to)
		return SESSION_OK;
	j->out = openat(j->to->fd, j->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (j->out < 0 || fchmod(j->out, st.st_mode & 0777) != 0)
		return filecopy_unwritten(j->c, j->to, j->name, "can't be made");
	return SESSION_OK;
}

int filecopy_run(struct filecopy *c, const struct filecopy_dir *from, const char *name, const struct filecopy_dir *to,
                 struct filecopy_found *out)
{
	struct filecopy_job j = { .c = c, .from = from, .to = to, .name = name, .in = -1, .out = -1, .found = out };
	int status;

	out->size = 0;
	j.room = malloc(FILECOPY_CHUNK);
	j.hash = EVP_MD_CTX_new();
	status = j.room && j.hash ? filecopy_open(&j) : session_fail(name, SILT_E_NOMEM);
	if (status == SESSION_OK)
		status = filecopy_all(&j);
	if (j.out >= 0 && close(j.out) != 0 && status == SESSION_OK)
		status = filecopy_unwritten(c, to, name, "can't be written");
	if (j.out >= 0 && status != SESSION_OK)
		(void)unlinkat(to->fd, name, 0);
	if (j.in >= 0)
		(void)close(j.in);
	EVP_MD_CTX_free(j.hash);
	free(j.room);
	return status;
}

/* ---- small ones ------------------------------------------------------------------------------------------------------------ */

int filecopy_write(struct filecopy *c, const struct filecopy_dir *to, const char *name, const void *bytes, size_t n)
{
	int fd = openat(to->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640), status = SESSION_OK;

	if (fd < 0)
		return filecopy_unwritten(c, to, name, "can't be made");
	if (!fd_write(fd, span_of(bytes, n)) || fsync(fd) != 0)
		status = filecopy_unwritten(c, to, name, "can't be written");
	if (close(fd) != 0 && status == SESSION_OK)
		status = filecopy_unwritten(c, to, name, "can't be written");
	if (status != SESSION_OK)
		(void)unlinkat(to->fd, name, 0);
	return status;
}

int filecopy_read(const struct filecopy_dir *from, const char *name, size_t most, struct bytes *out)
{
	int fd = openat(from->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), status = SESSION_OK;
	struct stat st;
	ssize_t got = 0;

	bytes_clear(out);
	if (fd < 0)
		return filecopy_fail(from, name, "can't be read");
	if (fstat(fd, &st) != 0)
		status = filecopy_fail(from, name, "can't be read");
	else if ((uint64_t)st.st_size > most || !bytes_reserve(out, (size_t)st.st_size))
		status = session_fail(name, SILT_E_NOMEM);
	else if ((got = filecopy_fill(fd, out->p, (size_t)st.st_size)) < 0)
		status = filecopy_fail(from, name, "can't be read");
	out->len = got > 0 ? (size_t)got : 0;
	(void)close(fd);
	return status;
}

int filecopy_sync(const struct filecopy_dir *dir)
{
	return fsync(dir->fd) == 0 ? SESSION_OK : filecopy_fail(dir, ".", "can't be synced");
}

/* The footer's form is the engine's (table/footer.c); here it is enough that it is the last 192 bytes and ends in this. */
bool filecopy_root(const struct filecopy_dir *dir, const char *name, uint64_t *size, unsigned char root[SHA256_BYTES])
{
	static const char magic[] = "SILTSST1";
	unsigned char footer[FILECOPY_FOOTER];
	int fd = openat(dir->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	bool ok;

	if (fd < 0)
		return false;
	ok = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= FILECOPY_FOOTER &&
	     pread(fd, footer, sizeof(footer), st.st_size - FILECOPY_FOOTER) == FILECOPY_FOOTER &&
	     memcmp(footer + FILECOPY_FOOTER - FILECOPY_MAGIC, magic, FILECOPY_MAGIC) == 0;
	ok = ok && sha256_of(span_of(footer, sizeof(footer)), root);
	if (ok)
		*size = (uint64_t)st.st_size;
	(void)close(fd);
	return ok;
}
