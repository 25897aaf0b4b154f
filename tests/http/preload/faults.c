/* SPDX-License-Identifier: Apache-2.0 */
/*
 * faults.c - preloaded into a responder by faults.sh: a disk and a clock that do what files in the directory $FAULTS say. Not linked
 * with anything of ours: what the responder asks of libc is answered here.
 *
 * eio       while it is there, fdatasync fails with EIO, but of files that are still being made
 * enospc    while it is there, pwrite and pwritev fail with ENOSPC
 * slow      while it is there, fsync and fdatasync of tables wait: a disk that does not keep up with writes
 * lag       while it is there, a read of a table waits until the log was written to some more times: writers are always faster
 * clock     seconds by which the wall clock is wrong
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define FAULTS_LAG 3u                 /* writes to the log: behind one that stands alone comes a mark */

static _Atomic unsigned faults_log_writes;       /* while there is `lag` */

static bool faults_has(const char *name)
{
	const char *dir = getenv("FAULTS");
	char path[4096];
	int was = errno;
	bool has;

	snprintf(path, sizeof(path), "%s/%s", dir != NULL ? dir : "/nonexistent", name);
	has = access(path, F_OK) == 0;
	errno = was;
	return has;
}

static void *faults_real(const char *name)
{
	void *f = dlsym(RTLD_NEXT, name);

	if (f == NULL)
		abort();
	return f;
}

static bool faults_is(int fd, const char *kind)
{
	char link[64], path[4096];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = 0;
	return strstr(path, kind) != NULL;
}

static void faults_wait(int fd)
{
	while (faults_has("slow") && faults_is(fd, ".sst"))
		usleep(20000);
}

static void faults_count(int fd)
{
	if (faults_has("lag") && faults_is(fd, ".wal"))
		atomic_fetch_add(&faults_log_writes, 1);
}

static void faults_lag(int fd)
{
	unsigned from = atomic_load(&faults_log_writes);

	if (!faults_has("lag") || !faults_is(fd, ".sst"))
		return;
	while (faults_has("lag") && atomic_load(&faults_log_writes) - from < FAULTS_LAG)
		usleep(200);
}

int fdatasync(int fd)
{
	faults_wait(fd);
	if (faults_has("eio") && !faults_is(fd, ".tmp")) {
		errno = EIO;
		return -1;
	}
	return ((int (*)(int))faults_real("fdatasync"))(fd);
}

int fsync(int fd)
{
	faults_wait(fd);
	return ((int (*)(int))faults_real("fsync"))(fd);
}

ssize_t pread(int fd, void *p, size_t n, off_t at)
{
	faults_lag(fd);
	return ((ssize_t (*)(int, void *, size_t, off_t))faults_real("pread"))(fd, p, n, at);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	faults_count(fd);
	if (faults_has("enospc")) {
		errno = ENOSPC;
		return -1;
	}
	return ((ssize_t (*)(int, const void *, size_t, off_t))faults_real("pwrite"))(fd, p, n, at);
}

ssize_t pwritev(int fd, const struct iovec *v, int n, off_t at)
{
	faults_count(fd);
	if (faults_has("enospc")) {
		errno = ENOSPC;
		return -1;
	}
	return ((ssize_t (*)(int, const struct iovec *, int, off_t))faults_real("pwritev"))(fd, v, n, at);
}

int clock_gettime(clockid_t which, struct timespec *out)
{
	int rc = ((int (*)(clockid_t, struct timespec *))faults_real("clock_gettime"))(which, out);
	char path[4096];
	FILE *f;
	long by = 0;

	if (rc != 0 || which != CLOCK_REALTIME || getenv("FAULTS") == NULL)
		return rc;
	snprintf(path, sizeof(path), "%s/clock", getenv("FAULTS"));
	f = fopen(path, "r");
	if (f != NULL) {
		if (fscanf(f, "%ld", &by) == 1)
			out->tv_sec += by;
		fclose(f);
	}
	return rc;
}
