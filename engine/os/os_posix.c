/* SPDX-License-Identifier: Apache-2.0 */
/*
 * os_posix.c - the seam over Linux: one system call a function, its errno turned into a code and a text.
 *
 * Rules     (1) a failed call sets this thread's text, once, where it failed.  (2) EINTR and short transfers never leave
 *           here.  (3) fdatasync and fsync are not repeated, not even after EINTR: after a failure the kernel may have
 *           dropped the dirty pages and forgotten the error, and a second call would say 0 (fsync(2); LWN 752063,
 *           "PostgreSQL's fsync() surprise").
 * Threads   no state but each thread's last text.
 */
#include "os/os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

enum { POSIX_FILE_MODE = 0640, POSIX_DIR_MODE = 0750 };

struct os_file {
	int fd;
};

struct os_lock {
	int fd;               /* closing it gives the lock back */
};

static _Thread_local char posix_text[128];

/* Takes errno, and says what failed. */
static int posix_fail(const char *call)
{
	int error = errno;
	char buf[80];

	/* _GNU_SOURCE: strerror_r returns the text, in buf or constant */
	snprintf(posix_text, sizeof(posix_text), "%s: %s", call, strerror_r(error, buf, sizeof(buf)));
	switch (error) {
	case ENOENT:
		return SILT_NOTFOUND;
	case EEXIST:
	case ENOTEMPTY:
		return SILT_E_BUSY;
	case ENOSPC:
	case EDQUOT:
		return SILT_E_NOSPACE;
	case ENOMEM:
		return SILT_E_NOMEM;
	default:
		return SILT_E_IO;
	}
}

static int posix_nomem(const char *call)
{
	errno = ENOMEM;
	return posix_fail(call);
}

/* ---- files ----------------------------------------------------------------------------------------------------------- */

static int posix_open_fd(const char *path, int flags)
{
	int fd;

	do
		fd = open(path, flags | O_CLOEXEC, POSIX_FILE_MODE);
	while (fd < 0 && errno == EINTR);
	return fd;
}

static int posix_open(silt_os *os, const char *path, unsigned flags, struct os_file **out)
{
	int how = flags & OS_WRITE ? (flags & OS_READ ? O_RDWR : O_WRONLY) : O_RDONLY;
	struct os_file *f = mem_alloc(sizeof(*f));

	(void)os;
	if (!f)
		return posix_nomem("open");
	if (flags & OS_CREATE)
		how |= O_CREAT | O_EXCL;
	f->fd = posix_open_fd(path, how);
	if (f->fd < 0) {
		mem_free(f);
		return posix_fail("open");
	}
	*out = f;
	return 0;
}

static int posix_read(silt_os *os, struct os_file *f, uint64_t offset, void *buf, size_t n, size_t *got)
{
	size_t done = 0;

	(void)os;
	while (done < n) {
		ssize_t r = pread(f->fd, (char *)buf + done, n - done, (off_t)(offset + done));

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return posix_fail("pread");
		if (r == 0)
			break;
		done += (size_t)r;
	}
	*got = done;
	return 0;
}

/* What the page cache has; no errno says why not that read() would not say better. */
static bool posix_read_now(silt_os *os, struct os_file *f, uint64_t offset, void *buf, size_t n)
{
	struct iovec v = { .iov_base = buf, .iov_len = n };

	(void)os;
	return preadv2(f->fd, &v, 1, (off_t)offset, RWF_NOWAIT) == (ssize_t)n;
}

static int posix_write(silt_os *os, struct os_file *f, uint64_t offset, const void *buf, size_t n)
{
	size_t done = 0;

	(void)os;
	while (done < n) {
		ssize_t r = pwrite(f->fd, (const char *)buf + done, n - done, (off_t)(offset + done));

		if (r < 0 && errno == EINTR)
			continue;
		if (r == 0)
			errno = EIO;          /* no progress and no reason: asking again would never end */
		if (r <= 0)
			return posix_fail("pwrite");
		done += (size_t)r;
	}
	return 0;
}

static int posix_datasync(silt_os *os, struct os_file *f)
{
	(void)os;
	return fdatasync(f->fd) ? posix_fail("fdatasync") : 0;        /* rule 3 */
}

static void posix_range_sync(silt_os *os, struct os_file *f, uint64_t offset, uint64_t n)
{
	(void)os;
	(void)sync_file_range(f->fd, (off_t)offset, (off_t)n, SYNC_FILE_RANGE_WRITE);
}

static void posix_drop_cache(silt_os *os, struct os_file *f)
{
	(void)os;
	(void)posix_fadvise(f->fd, 0, 0, POSIX_FADV_DONTNEED);
}

static int posix_size(silt_os *os, struct os_file *f, uint64_t *out)
{
	struct stat st;

	(void)os;
	if (fstat(f->fd, &st))
		return posix_fail("fstat");
	*out = (uint64_t)st.st_size;
	return 0;
}

static int posix_close(silt_os *os, struct os_file *f)
{
	int fd;

	(void)os;
	if (!f)
		return 0;
	fd = f->fd;
	mem_free(f);
	/* On Linux the descriptor is gone even after EINTR, which is no failure of ours. */
	return close(fd) && errno != EINTR ? posix_fail("close") : 0;
}

/* ---- names ----------------------------------------------------------------------------------------------------------- */

static int posix_rename(silt_os *os, const char *from, const char *to)
{
	(void)os;
	return rename(from, to) ? posix_fail("rename") : 0;
}

static int posix_link(silt_os *os, const char *from, const char *to)
{
	(void)os;
	return link(from, to) ? posix_fail("link") : 0;
}

static int posix_unlink(silt_os *os, const char *path)
{
	(void)os;
	return unlink(path) ? posix_fail("unlink") : 0;
}

static int posix_mkdir(silt_os *os, const char *path)
{
	(void)os;
	return mkdir(path, POSIX_DIR_MODE) ? posix_fail("mkdir") : 0;
}

static int posix_rmdir(silt_os *os, const char *path)
{
	(void)os;
	return rmdir(path) ? posix_fail("rmdir") : 0;
}

static int posix_stat(silt_os *os, const char *path, struct os_stat *out)
{
	struct stat st;

	(void)os;
	if (stat(path, &st))
		return posix_fail("stat");
	*out = (struct os_stat){
		.size = (uint64_t)st.st_size,
		.links = (uint64_t)st.st_nlink,
		.allocated = (uint64_t)st.st_blocks * 512,    /* whatever the block size: stat(2) */
		.is_dir = S_ISDIR(st.st_mode),
	};
	return 0;
}

static int posix_list(silt_os *os, const char *dir, os_list_fn *fn, void *ctx)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int rc = 0;

	(void)os;
	if (!d)
		return posix_fail("opendir");
	while (rc == 0) {
		errno = 0;
		e = readdir(d);
		if (!e)
			break;
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			rc = fn(ctx, e->d_name);
	}
	if (rc == 0 && errno)
		rc = posix_fail("readdir");
	(void)closedir(d);
	return rc;
}

static int posix_dirsync(silt_os *os, const char *dir)
{
	int fd = posix_open_fd(dir, O_RDONLY | O_DIRECTORY), rc = 0;

	(void)os;
	if (fd < 0)
		return posix_fail("open directory");
	if (fsync(fd))                                        /* rule 3 */
		rc = posix_fail("fsync directory");
	(void)close(fd);
	return rc;
}

/* An OFD lock belongs to the open file, not to the process: a second open in this process meets it too, and closing another
 * descriptor of the file does not drop it (fcntl(2)). */
static int posix_lock(silt_os *os, const char *path, struct os_lock **out)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct os_lock *l = mem_alloc(sizeof(*l));
	int rc;

	(void)os;
	if (!l)
		return posix_nomem("lock");
	l->fd = posix_open_fd(path, O_RDWR | O_CREAT);
	if (l->fd < 0) {
		rc = posix_fail("open lock");
		goto out;
	}
	if (fcntl(l->fd, F_OFD_SETLK, &whole)) {
		rc = posix_fail("lock");
		if (errno == EAGAIN || errno == EACCES)
			rc = SILT_E_BUSY;
		(void)close(l->fd);
		goto out;
	}
	*out = l;
	l = NULL;
	rc = 0;
out:
	mem_free(l);
	return rc;
}

static void posix_unlock(silt_os *os, struct os_lock *l)
{
	(void)os;
	if (!l)
		return;
	(void)close(l->fd);
	mem_free(l);
}

static int posix_free_space(silt_os *os, const char *dir, uint64_t *bytes)
{
	struct statvfs v;
	int rc;

	(void)os;
	do
		rc = statvfs(dir, &v);
	while (rc && errno == EINTR);
	if (rc)
		return posix_fail("statvfs");
	*bytes = (uint64_t)v.f_bavail * v.f_frsize;
	return 0;
}

/* ---- time and chance ------------------------------------------------------------------------------------------------- */

static uint64_t posix_wall_ms(silt_os *os)
{
	struct timespec t;

	(void)os;
	(void)clock_gettime(CLOCK_REALTIME, &t);              /* can't fail with a clock that exists */
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static uint64_t posix_mono_ns(silt_os *os)
{
	struct timespec t;

	(void)os;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int posix_random(silt_os *os, void *buf, size_t n)
{
	size_t done = 0;

	(void)os;
	while (done < n) {
		ssize_t r = getrandom((char *)buf + done, n - done, 0);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return posix_fail("getrandom");
		done += (size_t)r;
	}
	return 0;
}

static const char *posix_error_text(silt_os *os)
{
	(void)os;
	return posix_text;
}

silt_os *os_posix(void)
{
	static const struct silt_os ops = {
		.name = "posix",
		.open = posix_open,
		.read = posix_read,
		.read_now = posix_read_now,
		.write = posix_write,
		.datasync = posix_datasync,
		.range_sync = posix_range_sync,
		.drop_cache = posix_drop_cache,
		.size = posix_size,
		.close = posix_close,
		.rename = posix_rename,
		.link = posix_link,
		.unlink = posix_unlink,
		.mkdir = posix_mkdir,
		.rmdir = posix_rmdir,
		.stat = posix_stat,
		.list = posix_list,
		.dirsync = posix_dirsync,
		.lock = posix_lock,
		.unlock = posix_unlock,
		.free_space = posix_free_space,
		.wall_ms = posix_wall_ms,
		.mono_ns = posix_mono_ns,
		.random = posix_random,
		.error_text = posix_error_text,
	};

	return (silt_os *)&ops;       /* a table without state: nobody writes through it */
}
