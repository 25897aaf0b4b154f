/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_floor.c - the two floors of durable writes: what the disk and the threads cost where there is no engine at all.
 *
 *   walsync     one thread writes a record into a file written before (a recycled log) and syncs it, one by one
 *   nullgroup   threads queue; a leader writes the group's records and syncs once; nobody indexes anything
 *
 * Group commit: the first to join a group leads it. It waits until the group before is on the disk, closes its own, writes, syncs, wakes the
 * members with one call, and the leader of the next. Members sleep on the word of their group's parity, so that a wake reaches no other group.
 */
#include "engines.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FLOOR_LOG = 64 << 20, FLOOR_GROUP = 8 << 20, FLOOR_HEADER = 32 };

struct floor_store {
	int fd;
	off_t end;                       /* of the log; the leader's */
	pthread_mutex_t mu;
	uint32_t open;                   /* under mu: number of the group that may be joined */
	size_t fill;                     /* under mu: bytes in it */
	char *group[2];                  /* by parity of its number */
	_Atomic uint32_t done;           /* number of the newest group on the disk; leaders sleep on it */
	_Atomic uint32_t word[2];        /* the same by parity; members sleep on it */
	_Atomic bool failed;
};

static void floor_sleep(_Atomic uint32_t *word, uint32_t seen)
{
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

static void floor_wake(_Atomic uint32_t *word, int n)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
}

static int floor_open(const struct bench_setup *s, void **store)
{
	struct floor_store *e = calloc(1, sizeof(*e));
	char path[4096];

	snprintf(path, sizeof(path), "%s/log", s->dir);
	e->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	e->group[0] = calloc(1, FLOOR_GROUP);
	e->group[1] = calloc(1, FLOOR_GROUP);
	e->open = 1;
	pthread_mutex_init(&e->mu, NULL);
	for (off_t at = 0; at < FLOOR_LOG; at += FLOOR_GROUP)
		if (pwrite(e->fd, e->group[0], FLOOR_GROUP, at) != FLOOR_GROUP)
			return -1;
	*store = e;
	return fsync(e->fd);
}

static int floor_close(void *store)
{
	struct floor_store *e = store;

	close(e->fd);
	free(e->group[0]);
	free(e->group[1]);
	free(e);
	return 0;
}

static int floor_enter(void *store, void **session)
{
	*session = store;
	return 0;
}

static void floor_leave(void *session)
{
	(void)session;
}

static size_t floor_record(char *to, struct bench_bytes key, struct bench_bytes value)
{
	memset(to, 0, FLOOR_HEADER);
	memcpy(to + FLOOR_HEADER, key.data, key.len);
	memcpy(to + FLOOR_HEADER + key.len, value.data, value.len);
	return (FLOOR_HEADER + key.len + value.len + 7) & ~(size_t)7;
}

static int floor_write(struct floor_store *e, const char *bytes, size_t n)
{
	if (e->end + (off_t)n > FLOOR_LOG)
		e->end = 0;
	if (pwrite(e->fd, bytes, n, e->end) != (ssize_t)n || fdatasync(e->fd) < 0)
		return -1;
	e->end += (off_t)n;
	return 0;
}

static int floor_put_alone(void *session, struct bench_bytes key, struct bench_bytes value)
{
	struct floor_store *e = session;

	return floor_write(e, e->group[0], floor_record(e->group[0], key, value));
}

static int floor_lead(struct floor_store *e, uint32_t mine)
{
	unsigned parity = mine & 1;
	uint32_t done;
	size_t n;

	while ((done = atomic_load(&e->done)) != mine - 1)
		floor_sleep(&e->done, done);
	pthread_mutex_lock(&e->mu);
	n = e->fill;
	e->fill = 0;
	e->open++;
	pthread_mutex_unlock(&e->mu);
	if (floor_write(e, e->group[parity], n) < 0)
		atomic_store(&e->failed, true);
	atomic_store(&e->word[parity], mine);
	atomic_store(&e->done, mine);
	floor_wake(&e->done, 1);
	floor_wake(&e->word[parity], INT32_MAX);
	return atomic_load(&e->failed) ? -1 : 0;
}

static int floor_put_grouped(void *session, struct bench_bytes key, struct bench_bytes value)
{
	struct floor_store *e = session;
	uint32_t mine, seen;
	bool first;

	pthread_mutex_lock(&e->mu);
	mine = e->open;
	first = e->fill == 0;
	if (e->fill + FLOOR_HEADER + key.len + value.len + 8 > FLOOR_GROUP) {
		pthread_mutex_unlock(&e->mu);
		return -1;
	}
	e->fill += floor_record(e->group[mine & 1] + e->fill, key, value);
	pthread_mutex_unlock(&e->mu);
	if (first)
		return floor_lead(e, mine);
	while ((int32_t)((seen = atomic_load(&e->word[mine & 1])) - mine) < 0)
		floor_sleep(&e->word[mine & 1], seen);
	return atomic_load(&e->failed) ? -1 : 0;
}

const struct bench_engine engine_walsync = {
	.name = "walsync", .can = BENCH_ONE_THREAD, .open = floor_open, .close = floor_close,
	.enter = floor_enter, .leave = floor_leave, .put = floor_put_alone,
};

const struct bench_engine engine_nullgroup = {
	.name = "nullgroup", .open = floor_open, .close = floor_close,
	.enter = floor_enter, .leave = floor_leave, .put = floor_put_grouped,
};
