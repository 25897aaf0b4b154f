/* SPDX-License-Identifier: Apache-2.0 */
/* work.c - see work.h: first what an operation is, then the table of workloads, then the threads that run them. */
#include "work.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

enum { WORK_SCAN = 100, WORK_THREADS = 64, WORK_SAMPLE = 8, WORK_LOOK = 64 };

uint64_t work_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- operations --------------------------------------------------------------------------------------------------------- */

static int op_put(struct worker *w, uint64_t index)
{
	const struct bench_engine *e = w->run->engine;

	w->done++;
	return e->put(w->session, keys_key(&w->hand, index * 2), keys_value(&w->hand, index));
}

static int op_get(struct worker *w, uint64_t index)
{
	uint64_t head = w->seen.head;
	int rc = w->run->engine->get(w->session, keys_key(&w->hand, index * 2), &w->seen);

	w->done++;
	w->wrong += rc != 1 || (w->seen.head - head != index && w->hand.keys->value_size >= sizeof(index));
	return rc < 0 ? -1 : 0;
}

/* Entries first..first+n-1 or less, in either direction; a whole scan's first words sum up to its indexes. */
static int op_scan(struct worker *w, uint64_t first, uint64_t n, bool backwards)
{
	struct bench_seen before = w->seen;
	uint64_t start = backwards ? first + n - 1 : first;

	w->done++;
	if (w->run->engine->scan(w->session, keys_key(&w->hand, start * 2), n, backwards, &w->seen) < 0)
		return -1;
	if (w->run->work->flags & (WORK_CHANGES | WORK_THINNED))
		return 0;
	w->wrong += w->seen.values - before.values != n ||
		    (w->seen.head - before.head != n * first + n * (n - 1) / 2 && w->hand.keys->value_size >= sizeof(n));
	return 0;
}

static uint64_t op_any(struct worker *w)
{
	return keys_below(&w->hand, w->hand.keys->count);
}

static uint64_t op_popular(struct worker *w)
{
	uint64_t n = w->hand.keys->count;

	return keys_shuffle(keys_zipf(&w->hand, n), n);
}

static int op_fillseq(struct worker *w, uint64_t i)
{
	return op_put(w, i);
}

static int op_fillrandom(struct worker *w, uint64_t i)
{
	return op_put(w, keys_shuffle(i, w->hand.keys->count));
}

static int op_putany(struct worker *w, uint64_t i)
{
	(void)i;
	return op_put(w, op_any(w));
}

static int op_getany(struct worker *w, uint64_t i)
{
	(void)i;
	return op_get(w, op_any(w));
}

static int op_getpopular(struct worker *w, uint64_t i)
{
	(void)i;
	return op_get(w, op_popular(w));
}

static int op_getmissing(struct worker *w, uint64_t i)
{
	int rc = w->run->engine->get(w->session, keys_key(&w->hand, op_any(w) * 2 + 1), &w->seen);

	(void)i;
	w->done++;
	w->wrong += rc != 0;
	return rc < 0 ? -1 : 0;
}

static int op_scan100(struct worker *w, bool backwards)
{
	uint64_t count = w->hand.keys->count, n = count < WORK_SCAN ? count : WORK_SCAN;

	return op_scan(w, keys_below(&w->hand, count - n + 1), n, backwards);
}

static int op_scan100next(struct worker *w, uint64_t i)
{
	(void)i;
	return op_scan100(w, false);
}

static int op_scan100prev(struct worker *w, uint64_t i)
{
	(void)i;
	return op_scan100(w, true);
}

/* All of it, over and over; entries are counted. */
static int op_scanall(struct worker *w, bool backwards)
{
	struct bench_bytes none = { NULL, 0 };
	uint64_t before = w->seen.values;
	int rc = w->run->engine->scan(w->session, none, UINT64_MAX, backwards, &w->seen);

	w->done += w->seen.values - before;
	w->wrong += w->seen.values - before != w->hand.keys->count;
	return rc;
}

static int op_readseq(struct worker *w, uint64_t i)
{
	(void)i;
	return op_scanall(w, false);
}

static int op_readreverse(struct worker *w, uint64_t i)
{
	(void)i;
	return op_scanall(w, true);
}

/* ---- YCSB: A half updates, B one in 20, C none, D reads what came last, E short scans, F reads and writes again ------------ */

static int op_share(struct worker *w, unsigned percent)
{
	return keys_random(&w->hand) % 100 < percent;
}

static int op_ycsb_a(struct worker *w, uint64_t i)
{
	(void)i;
	return op_share(w, 50) ? op_put(w, op_popular(w)) : op_get(w, op_popular(w));
}

static int op_ycsb_b(struct worker *w, uint64_t i)
{
	(void)i;
	return op_share(w, 5) ? op_put(w, op_popular(w)) : op_get(w, op_popular(w));
}

/* Each its own index; they are said to have landed in order, so that all below `landed` are there to be read. */
static int op_insert(struct worker *w)
{
	uint64_t mine = atomic_fetch_add(&w->run->added, 1);
	int rc = op_put(w, w->hand.keys->count + mine);

	while (atomic_load(&w->run->landed) != mine)
		sched_yield();
	atomic_store(&w->run->landed, mine + 1);
	return rc;
}

static int op_ycsb_d(struct worker *w, uint64_t i)
{
	uint64_t newest = w->hand.keys->count + atomic_load(&w->run->landed);

	(void)i;
	return op_share(w, 5) ? op_insert(w) : op_get(w, newest - 1 - keys_zipf(&w->hand, w->hand.keys->count));
}

static int op_ycsb_e(struct worker *w, uint64_t i)
{
	uint64_t n = 1 + keys_below(&w->hand, WORK_SCAN);

	(void)i;
	return op_share(w, 5) ? op_insert(w) : op_scan(w, op_popular(w), n, false);
}

static int op_ycsb_f(struct worker *w, uint64_t i)
{
	uint64_t index = op_popular(w);
	int rc = op_get(w, index);

	(void)i;
	if (rc < 0 || !op_share(w, 50))
		return rc;
	w->done--;
	return op_put(w, index);
}

/* ---- the table -------------------------------------------------------------------------------------------------------------- */

#define GOAL_NONE { .best = 0 }
#define GOAL_READ(over_rocksdb) { .best = 1, .rocksdb = over_rocksdb }
#define GOAL_GROUP { .best = 1.2, .floor = "nullgroup", .of_floor = 0.9 }

const struct work works[] = {
	{ "fillseq", WORK_FRESH | WORK_ONCE, 1, op_fillseq, NULL, GOAL_NONE, "async puts in key order" },
	{ "fillrandom", WORK_FRESH | WORK_ONCE, 1, op_fillrandom, NULL, { .best = 1.5, .first = 1.3 }, "async puts in random order" },
	{ "overwrite", WORK_CHANGES | WORK_ONCE, 1, op_putany, NULL, GOAL_NONE, "async puts of keys that are there, as many as there are" },
	{ "sustained", WORK_CHANGES, 1, op_putany, NULL, GOAL_NONE, "the same for the time set" },
	{ "fillsync1", WORK_FRESH | WORK_SYNC | WORK_FLOOR, 1, op_putany, NULL, { .floor = "walsync", .of_floor = 0.95 }, "durable puts, 1 thread" },
	{ "fillsync8", WORK_FRESH | WORK_SYNC | WORK_FLOOR, 8, op_putany, NULL, GOAL_GROUP, "durable puts, 8 threads" },
	{ "fillsync32", WORK_FRESH | WORK_SYNC | WORK_FLOOR, 32, op_putany, NULL, GOAL_GROUP, "durable puts, 32 threads" },
	{ "readrandom1", WORK_SMALL, 1, op_getany, NULL, GOAL_READ(2.5), "gets, evenly spread, 1 thread" },
	{ "readrandom2", WORK_SMALL, 2, op_getany, NULL, GOAL_READ(2.5), "gets, evenly spread, 2 threads" },
	{ "readzipf1", WORK_SMALL, 1, op_getpopular, NULL, GOAL_NONE, "gets, zipf 0.99, 1 thread" },
	{ "readzipf2", WORK_SMALL, 2, op_getpopular, NULL, GOAL_READ(2), "gets, zipf 0.99, 2 threads" },
	{ "readmissing", WORK_SMALL, 1, op_getmissing, NULL, { .best = 1.5, .first = 1.3 }, "gets of keys between those that are there" },
	{ "scan100", 0, 1, op_scan100next, NULL, { .best = 1 }, "a new iterator, 100 entries forwards, values summed" },
	{ "scan100back", 0, 1, op_scan100prev, NULL, GOAL_NONE, "the same backwards" },
	{ "readseq", 0, 1, op_readseq, NULL, GOAL_NONE, "entries of whole scans forwards" },
	{ "readreverse", 0, 1, op_readreverse, NULL, GOAL_NONE, "entries of whole scans backwards" },
	{ "readwhilewriting", WORK_CHANGES | WORK_SMALL, 1, op_getany, op_putany, GOAL_NONE, "gets beside 10,000 async puts a second" },
	{ "ycsb-a", WORK_CHANGES, 2, op_ycsb_a, NULL, GOAL_NONE, "zipf, 50 % updates, 2 threads" },
	{ "ycsb-b", WORK_CHANGES, 2, op_ycsb_b, NULL, GOAL_NONE, "zipf, 5 % updates, 2 threads" },
	{ "ycsb-c", WORK_SMALL, 2, op_getpopular, NULL, GOAL_NONE, "zipf, reads only, 2 threads" },
	{ "ycsb-d", WORK_CHANGES, 2, op_ycsb_d, NULL, GOAL_NONE, "newest first, 5 % inserts, 2 threads" },
	{ "ycsb-e", WORK_CHANGES, 2, op_ycsb_e, NULL, GOAL_NONE, "scans of 1 to 100, 5 % inserts, 2 threads" },
	{ "ycsb-f", WORK_CHANGES, 2, op_ycsb_f, NULL, GOAL_NONE, "zipf, 50 % read and write again, 2 threads" },
	{ "deletescan", WORK_CHANGES | WORK_THINNED, 1, op_scan100next, NULL, GOAL_NONE, "scans of 100 where nine keys of ten were just deleted" },
	{ .name = NULL },
};

const struct work *work_find(const char *name)
{
	for (const struct work *w = works; w->name != NULL; w++)
		if (strcmp(w->name, name) == 0)
			return w;
	return NULL;
}

/* ---- threads ------------------------------------------------------------------------------------------------------------------ */

struct work_thread {
	struct worker worker;
	pthread_t thread;
	pthread_barrier_t *gate;
	char name[16];                   /* the workload's, for profilers: perf report --comm readmissing */
	int rc;
};

static int work_once(struct worker *w)
{
	struct work_run *run = w->run;
	uint64_t then = work_now(), now, i;

	while ((i = atomic_fetch_add(&run->next, 1)) < run->keys->count) {
		if (run->work->op(w, i) < 0)
			return -1;
		now = work_now();
		hist_add(&w->hist, now - then);
		then = now;
	}
	return 0;
}

static int work_timed(struct worker *w, uint64_t ns)
{
	struct work_run *run = w->run;
	unsigned every = run->work->flags & WORK_SMALL ? WORK_SAMPLE : 1;
	uint64_t began = work_now(), now = began, then = began;

	for (uint64_t i = 0; now - began < ns; i++) {
		if (every > 1 && i % every == 0)
			then = work_now();
		if (run->work->op(w, i) < 0)
			return -1;
		if (i % every != 0)
			continue;
		now = work_now();
		hist_add(&w->hist, now - then);
		then = now;
	}
	return 0;
}

/* At most WORK_BESIDE a second, in bursts of a millisecond, until nobody counted runs. */
static int work_beside(struct worker *w)
{
	uint64_t began = work_now();
	struct timespec nap = { 0, 1000000 };

	for (uint64_t i = 0; atomic_load(&w->run->running) > 0; i++) {
		while (i > (work_now() - began) / (1000000000u / WORK_BESIDE) && atomic_load(&w->run->running) > 0)
			nanosleep(&nap, NULL);
		if (w->run->work->beside(w, i) < 0)
			return -1;
	}
	return 0;
}

static void *work_main(void *arg)
{
	struct work_thread *t = arg;
	struct work_run *run = t->worker.run;
	bool counted = t->worker.thread < run->work->threads;

	pthread_setname_np(pthread_self(), t->name);
	if (counted && !(run->work->flags & WORK_ONCE) && run->warm_ns > 0) {
		t->rc = work_timed(&t->worker, run->warm_ns);
		t->worker.done = 0;
		memset(&t->worker.hist, 0, sizeof(t->worker.hist));
	}
	pthread_barrier_wait(t->gate);
	pthread_barrier_wait(t->gate);
	if (t->rc == 0 && counted)
		t->rc = run->work->flags & WORK_ONCE ? work_once(&t->worker) : work_timed(&t->worker, run->seconds_ns);
	else if (t->rc == 0)
		t->rc = work_beside(&t->worker);
	if (counted)
		atomic_fetch_sub(&run->running, 1);
	return NULL;
}

static int work_start(struct work_run *run, struct work_thread *t, unsigned i, pthread_barrier_t *gate)
{
	t->worker.run = run;
	t->worker.thread = i;
	t->gate = gate;
	snprintf(t->name, sizeof(t->name), "%s", run->work->name);
	if (keys_take(&t->worker.hand, run->keys, i + 1) < 0 || run->engine->enter(run->store, &t->worker.session) < 0)
		return -1;
	return pthread_create(&t->thread, NULL, work_main, t) == 0 ? 0 : -1;
}

static int work_end(struct work_run *run, struct work_thread *t)
{
	run->engine->leave(t->worker.session);
	keys_drop(&t->worker.hand);
	run->wrong += t->worker.wrong;
	if (t->worker.thread < run->work->threads) {
		run->ops += t->worker.done;
		hist_merge(&run->hist, &t->worker.hist);
	}
	return t->rc;
}

int work_go(struct work_run *run, void (*begun)(void *ctx), void *ctx)
{
	unsigned threads = run->work->threads + (run->work->beside != NULL);
	struct work_thread *t = calloc(threads, sizeof(*t));
	pthread_barrier_t gate;
	uint64_t began;
	int rc = 0;

	if (t == NULL)
		return -1;
	atomic_store(&run->running, (int)run->work->threads);
	pthread_barrier_init(&gate, NULL, threads + 1);
	for (unsigned i = 0; i < threads; i++)
		if (work_start(run, &t[i], i, &gate) < 0)
			return -1;                       /* the cell ends, and with it whoever waits at the gate */
	pthread_barrier_wait(&gate);
	begun(ctx);
	began = work_now();
	pthread_barrier_wait(&gate);
	for (unsigned i = 0; i < threads; i++)
		pthread_join(t[i].thread, NULL);
	run->elapsed_ns = work_now() - began;
	for (unsigned i = 0; i < threads; i++)
		rc |= work_end(run, &t[i]);
	pthread_barrier_destroy(&gate);
	free(t);
	return rc;
}
