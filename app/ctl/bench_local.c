/* SPDX-License-Identifier: Apache-2.0 */
/* bench_local.c - the engine alone: a scratch store in a directory of its own, a thread for each connection; removed at the end. */
#include "ctl/bench.h"

#include "ctl/backup_set.h"
#include "ctl/session.h"
#include "ctl/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct bench_local {
	struct bench *b;
	struct filecopy_dir parent;
	struct bytes name, path;      /* of the scratch store; NUL-ended */
	struct session s;
	enum bench_operation op;
	uint64_t until_ns;
	_Atomic uint64_t next;        /* key to be put */
	_Atomic int failed;           /* the first code that was no success */
};

struct bench_thread {
	struct bench_local *l;
	pthread_t thread;
	struct latency latency;
	uint64_t seed;
};

/* ---- begin and end --------------------------------------------------------------------------------------------------------------- */

static int bench_local_place(struct bench_local *l)
{
	const char *dir = l->b->a->dir;

	l->parent.path = dir;
	l->parent.fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->parent.fd < 0) {
		(void)fprintf(stderr, "siltctl: %s: %s; it is a directory in which a scratch store is made\n", dir, strerror(errno));
		return SESSION_UNREADABLE;
	}
	if (faccessat(l->parent.fd, "MANIFEST", F_OK, 0) == 0) {
		(void)fprintf(stderr, "siltctl: %s: is a store, which is left alone: name another directory on the same disk\n", dir);
		return SESSION_UNREADABLE;
	}
	if (bytes_addf(&l->name, "siltctl-bench.%ld", (long)getpid()) && bytes_addf(&l->path, "%s/%s", dir, l->name.p))
		return SESSION_OK;
	return session_fail(dir, SILT_E_NOMEM);
}

static int bench_local_open(struct bench_local *l)
{
	struct silt_options o;
	int rc;

	session_options(&l->s, l->b->a, &o);
	rc = silt_open(l->path.p, &o, &l->s.db);
	return rc == 0 ? SESSION_OK : session_fail(l->path.p, rc);
}

static int bench_local_end(void *place)
{
	struct bench_local *l = place;
	int status = SESSION_OK;

	if (l->s.db)
		session_close(&l->s);
	if (l->parent.fd >= 0 && l->name.len && faccessat(l->parent.fd, l->name.p, F_OK, 0) == 0)
		status = backup_set_erase(&l->parent, l->name.p);
	backup_set_leave(&l->parent);
	bytes_fini(&l->name);
	bytes_fini(&l->path);
	free(l);
	return status;
}

static int bench_local_begin(struct bench *b, void **place)
{
	struct bench_local *l = calloc(1, sizeof(*l));
	int status;

	if (!l)
		return session_fail("bench", SILT_E_NOMEM);
	l->b = b;
	l->parent.fd = -1;
	status = bench_local_place(l);
	if (status == SESSION_OK)
		status = bench_local_open(l);
	if (status == SESSION_OK)
		*place = l;
	else
		(void)bench_local_end(l);
	return status;
}

/* ---- running --------------------------------------------------------------------------------------------------------------------- */

static int bench_local_once(struct bench_thread *t, struct silt_buf *value)
{
	struct bench_local *l = t->l;
	char key[BENCH_KEY];
	int rc;

	if (l->op == BENCH_PUT) {
		bench_key(l->b, atomic_fetch_add(&l->next, 1), key);
		return silt_put(l->s.db, (struct silt_slice){ key, strlen(key) },
		                (struct silt_slice){ l->b->value.p, l->b->value.len }, NULL);
	}
	bench_key(l->b, bench_random(&t->seed, l->b->keys), key);
	rc = silt_get(l->s.db, (struct silt_slice){ key, strlen(key) }, NULL, 0, value, NULL);
	return rc == SILT_NOTFOUND ? 0 : rc;
}

static void *bench_local_thread(void *arg)
{
	struct bench_thread *t = arg;
	struct silt_buf value = { 0 };
	int none = 0, rc;

	while (!stop_asked() && atomic_load(&t->l->failed) == 0) {
		uint64_t begun_ns = latency_now_ns(), ended_ns;

		if (begun_ns >= t->l->until_ns)
			break;
		rc = bench_local_once(t, &value);
		ended_ns = latency_now_ns();
		if (rc == 0)
			latency_add(&t->latency, ended_ns - begun_ns);
		else
			(void)atomic_compare_exchange_strong(&t->l->failed, &none, rc);
	}
	silt_buf_free(&value);
	return NULL;
}

static int bench_local_run(void *place, enum bench_operation op, struct bench_result *out)
{
	struct bench_local *l = place;
	struct bench_thread *threads = calloc(l->b->connections, sizeof(*threads));
	uint64_t begun_ns = latency_now_ns();
	unsigned n = 0;
	int error = 0;

	if (!threads)
		return session_fail("bench", SILT_E_NOMEM);
	l->op = op;
	l->until_ns = begun_ns + l->b->seconds * 1000000000;
	while (error == 0 && n < l->b->connections) {
		threads[n].l = l;
		threads[n].seed = 88172645463325252u + n;
		error = pthread_create(&threads[n].thread, NULL, bench_local_thread, &threads[n]);
		n += error == 0;
	}
	if (error)
		atomic_store(&l->failed, SILT_E_NOMEM);
	for (unsigned i = 0; i < n; i++) {
		(void)pthread_join(threads[i].thread, NULL);
		latency_merge(&out->latency, &threads[i].latency);
	}
	free(threads);
	out->ns = latency_now_ns() - begun_ns;
	l->b->keys = atomic_load(&l->next);
	return atomic_load(&l->failed) == 0 ? SESSION_OK : session_fail(l->path.p, atomic_load(&l->failed));
}

const struct bench_place bench_local = { .begin = bench_local_begin, .run = bench_local_run, .end = bench_local_end };
