/* SPDX-License-Identifier: Apache-2.0 */
/* test_commit.c - the write path: order, conditions, reports, durability, faults. */
#include "lib/test.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "core/batch.h"
#include "db/decide.h"
#include "lib/dbkit.h"

static void test_commit__versions_increase_by_one(void **state)
{
	struct dbkit k;
	uint64_t a, b, c;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(silt_put(k.db, STR("a"), STR("1"), &a), 0);
	assert_int_equal(silt_put(k.db, STR("b"), STR("2"), &b), 0);
	assert_int_equal(silt_delete(k.db, STR("a"), &c), 0);
	assert_int_equal(a, 1);
	assert_int_equal(b, 2);
	assert_int_equal(c, 3);
	assert_null(dbkit_get(&k, "a"));
	assert_string_equal(dbkit_get(&k, "b"), "2");
	dbkit_fini(&k);
}

static void test_commit__a_batch_is_one_version_and_its_last_op_wins(void **state)
{
	struct silt_result r = { 0 };
	struct silt_info info;
	struct dbkit k;
	silt_batch *b;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(silt_batch_new(&b), 0);
	assert_int_equal(silt_batch_put(b, STR("x"), STR("first"), NULL, 0), 0);
	assert_int_equal(silt_batch_put(b, STR("y"), STR("y"), NULL, 0), 0);
	assert_int_equal(silt_batch_delete(b, STR("y"), 0), 0);
	assert_int_equal(silt_batch_put(b, STR("x"), STR("last"), NULL, 0), 0);
	assert_int_equal(silt_write(k.db, b, 0, &r), 0);
	assert_int_equal(r.version, 1);
	assert_string_equal(dbkit_get(&k, "x"), "last");
	assert_null(dbkit_get(&k, "y"));
	assert_int_equal(silt_get(k.db, STR("x"), NULL, 0, NULL, &info), 0);
	assert_int_equal(info.version, 1);
	silt_result_fini(&r);
	silt_batch_free(b);
	dbkit_fini(&k);
}

static int commit_if(struct dbkit *k, const char *key, enum silt_cond cond, const uint64_t *versions, size_t n,
                     const char *value, struct silt_result *r)
{
	silt_batch *b;
	int rc = silt_batch_new(&b);

	assert_int_equal(rc, 0);
	assert_int_equal(silt_batch_require(b, STR(key), cond, versions, n), 0);
	if (value)
		assert_int_equal(silt_batch_put(b, STR(key), STR(value), NULL, 0), 0);
	rc = silt_write(k->db, b, 0, r);
	silt_batch_free(b);
	return rc;
}

static void test_commit__conditions(void **state)
{
	struct silt_result r = { 0 };
	uint64_t v[] = { 7, 1 };
	struct dbkit k;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	/* absent */
	assert_int_equal(commit_if(&k, "k", SILT_COND_MATCH, NULL, 0, "no", &r), SILT_CONFLICT);
	assert_int_equal(r.current, 0);
	assert_int_equal(commit_if(&k, "k", SILT_COND_MATCH, v, 2, "no", &r), SILT_CONFLICT);
	assert_null(dbkit_get(&k, "k"));
	assert_int_equal(commit_if(&k, "k", SILT_COND_NONE_MATCH, NULL, 0, "one", &r), 0);
	assert_int_equal(r.version, 1);
	/* there, at version 1 */
	assert_int_equal(commit_if(&k, "k", SILT_COND_NONE_MATCH, NULL, 0, "no", &r), SILT_CONFLICT);
	assert_int_equal(r.current, 1);
	assert_int_equal(commit_if(&k, "k", SILT_COND_NONE_MATCH, v, 2, "no", &r), SILT_CONFLICT);
	assert_int_equal(commit_if(&k, "k", SILT_COND_MATCH, v, 2, "two", &r), 0);
	assert_int_equal(r.version, 2);
	assert_int_equal(commit_if(&k, "k", SILT_COND_MATCH, v, 2, "no", &r), SILT_CONFLICT);
	assert_int_equal(r.current, 2);
	assert_int_equal(commit_if(&k, "k", SILT_COND_MATCH, NULL, 0, NULL, &r), 0);   /* only checks: no version is taken */
	assert_int_equal(r.version, 2);
	assert_string_equal(dbkit_get(&k, "k"), "two");
	dbkit_fini(&k);
}

static void test_commit__reports_tell_what_was_there(void **state)
{
	struct silt_put_options po = { .meta = STR("text/plain") };
	struct silt_result r = { 0 };
	struct dbkit k;
	silt_batch *b;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(silt_batch_new(&b), 0);
	assert_int_equal(silt_batch_put(b, STR("k"), STR("old"), &po, SILT_OP_REPORT), 0);
	assert_int_equal(silt_write(k.db, b, 0, &r), 0);
	assert_int_equal(r.report_count, 1);
	assert_false(r.reports[0].found);
	silt_result_fini(&r);
	for (int flushed = 0; flushed < 2; flushed++) {           /* from memory, and from a table */
		silt_batch_clear(b);
		assert_int_equal(silt_batch_put(b, STR("other"), STR("x"), NULL, 0), 0);
		assert_int_equal(silt_batch_put(b, STR("k"), STR("old"), &po, SILT_OP_REPORT_VALUE), 0);
		assert_int_equal(silt_write(k.db, b, 0, &r), 0);
		assert_int_equal(r.report_count, 1);
		assert_int_equal(r.reports[0].op, 1);
		assert_true(r.reports[0].found);
		assert_int_equal(r.reports[0].info.version, 1 + flushed);
		assert_int_equal(r.reports[0].info.meta_len, 10);
		assert_int_equal(r.reports[0].value.len, 3);
		assert_memory_equal(r.reports[0].value.data, "old", 3);
		silt_result_fini(&r);
		assert_int_equal(silt_flush(k.db), 0);
	}
	silt_batch_free(b);
	dbkit_fini(&k);
}

/* decide.h (!): memory is silent, and the evidence is older than what left memory: it must not decide. */
static void test_commit__evidence_below_the_floor_is_try_again(void **state)
{
	struct silt_result r = { 0 };
	struct decide d;
	struct dbkit k;
	silt_batch *b;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(silt_batch_new(&b), 0);
	assert_int_equal(silt_batch_require(b, STR("k"), SILT_COND_NONE_MATCH, NULL, 0), 0);
	assert_int_equal(decide_prepare(k.db, b, 0, &d), 0);      /* absent, at version 0 */
	assert_int_equal(dbkit_put(&k, "k", "someone else's"), 0);
	assert_int_equal(decide_judge(k.db, b, &d, 1, &r), SILT_CONFLICT);        /* memory speaks */
	decide_fini(&d);
	assert_int_equal(decide_prepare(k.db, b, 0, &d), 0);
	decide_fini(&d);

	assert_int_equal(silt_batch_require(b, STR("z"), SILT_COND_NONE_MATCH, NULL, 0), 0);
	silt_batch_clear(b);
	assert_int_equal(silt_batch_require(b, STR("z"), SILT_COND_NONE_MATCH, NULL, 0), 0);
	assert_int_equal(decide_prepare(k.db, b, 0, &d), 0);
	assert_int_equal(dbkit_put(&k, "z", "now there"), 0);
	assert_int_equal(silt_flush(k.db), 0);
	assert_int_equal(decide_judge(k.db, b, &d, 1, &r), SILT_TRY_AGAIN);
	decide_fini(&d);
	silt_batch_free(b);
	dbkit_fini(&k);
}

/* ---- many at once ------------------------------------------------------------------------------------------------------- */

enum { COMMIT_THREADS = 8, COMMIT_STEPS = 200 };

static void *commit_count_up(void *arg)
{
	struct dbkit *k = arg;

	for (int i = 0; i < COMMIT_STEPS;) {
		struct silt_buf value = { 0 };
		struct silt_info info = { 0 };
		struct silt_result r = { 0 };
		char text[32];
		silt_batch *b;
		int rc = silt_get(k->db, STR("counter"), NULL, 0, &value, &info);
		long n = rc == 0 ? strtol(memcpy(text, value.data, value.len + 0), NULL, 10) : 0;

		if (rc != 0 && rc != SILT_NOTFOUND)
			return (void *)"get failed";
		snprintf(text, sizeof(text), "%ld%c", n + 1, 0);
		if (silt_batch_new(&b) != 0)
			return (void *)"no memory";
		if (rc == 0)
			rc = silt_batch_require(b, STR("counter"), SILT_COND_MATCH, &info.version, 1);
		else
			rc = silt_batch_require(b, STR("counter"), SILT_COND_NONE_MATCH, NULL, 0);
		if (rc == 0)
			rc = silt_batch_put(b, STR("counter"), (struct silt_slice){ text, strlen(text) + 1 }, NULL, 0);
		if (rc == 0)
			rc = silt_write(k->db, b, i % 3 ? SILT_ASYNC : 0, &r);
		silt_result_fini(&r);
		silt_batch_free(b);
		silt_buf_free(&value);
		if (rc == 0)
			i++;
		else if (rc != SILT_CONFLICT)
			return (void *)"write failed";
	}
	return NULL;
}

static void test_commit__counters_are_exact_under_contention(void **state)
{
	pthread_t t[COMMIT_THREADS];
	struct dbkit k;
	char want[32];

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	for (int i = 0; i < COMMIT_THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, commit_count_up, &k), 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(silt_flush(k.db), 0);            /* leaves memory under way */
	for (int i = 0; i < COMMIT_THREADS; i++) {
		void *why;

		pthread_join(t[i], &why);
		assert_null(why);
	}
	snprintf(want, sizeof(want), "%d", COMMIT_THREADS * COMMIT_STEPS);
	assert_string_equal(dbkit_get(&k, "counter"), want);
	dbkit_fini(&k);
}

static _Atomic int commit_called, commit_ok;

static void commit_done(void *ctx, const struct silt_result *r)
{
	(void)ctx;
	atomic_fetch_add(&commit_called, 1);
	if (r->code == 0)
		atomic_fetch_add(&commit_ok, 1);
}

static void test_commit__callbacks_come_exactly_once_also_at_close(void **state)
{
	enum { N = 3000 };
	struct dbkit k;
	silt_batch *b;

	(void)state;
	commit_called = commit_ok = 0;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(silt_batch_new(&b), 0);
	for (int i = 0; i < N; i++) {
		char key[16];

		snprintf(key, sizeof(key), "%05d", i);
		silt_batch_clear(b);
		assert_int_equal(silt_batch_put(b, STR(key), STR("v"), NULL, 0), 0);
		assert_int_equal(silt_write_async(k.db, b, 0, commit_done, NULL), 0);
	}
	assert_int_equal(dbkit_close(&k), 0);
	assert_int_equal(commit_called, N);
	assert_int_equal(commit_ok, N);
	assert_int_equal(dbkit_open(&k), 0);
	assert_string_equal(dbkit_get(&k, "02999"), "v");
	silt_batch_free(b);
	dbkit_fini(&k);
}

/* ---- the queue's bounds ---- */

static _Atomic bool commit_held, commit_release;
static _Atomic int commit_taken;

/* The commit thread stays here: what comes now waits. */
static void commit_hold(void *ctx, const struct silt_result *r)
{
	(void)ctx;
	(void)r;
	atomic_store(&commit_held, true);
	while (!atomic_load(&commit_release))
		sched_yield();
}

static void commit_take(void *ctx, const struct silt_result *r)
{
	(void)ctx;
	commit_taken += r->code == 0;
}

/* How many of so many bytes each are queued before one is refused; each of them is written in the end. */
static int commit_fill_queue(struct dbkit *k, size_t bytes)
{
	char *value = mem_calloc(1, bytes);
	silt_batch *b;
	int n = 0, rc = 0;

	atomic_store(&commit_held, false);
	atomic_store(&commit_release, false);
	atomic_store(&commit_taken, 0);
	assert_int_equal(silt_batch_new(&b), 0);
	assert_int_equal(silt_batch_put(b, STR("first"), STR("v"), NULL, 0), 0);
	assert_int_equal(silt_write_async(k->db, b, 0, commit_hold, NULL), 0);
	while (!atomic_load(&commit_held))
		sched_yield();
	silt_batch_clear(b);
	assert_int_equal(silt_batch_put(b, STR("k"), (struct silt_slice){ value, bytes }, NULL, 0), 0);
	for (; n < 1000 && rc == 0; n += rc == 0)
		rc = silt_write_async(k->db, b, 0, commit_take, NULL);
	assert_int_equal(rc, SILT_E_BUSY);
	atomic_store(&commit_release, true);
	silt_batch_free(b);
	mem_free(value);
	assert_int_equal(dbkit_close(k), 0);
	assert_int_equal(commit_taken, n);
	return n;
}

static void test_commit__the_queue_is_bounded(void **state)
{
	struct dbkit k;

	(void)state;
	dbkit_init(&k);
	k.opts.max_queue = 20;
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(commit_fill_queue(&k, 100), 20);
	k.opts.max_queue = 65536;
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(commit_fill_queue(&k, 60000), 17);      /* 8 MiB: an eighth is 17 times 60 KB, and a bit */
	dbkit_fini(&k);
}

static _Atomic int commit_seen_there, commit_grew_old;

static void commit_reported(void *ctx, const struct silt_result *r)
{
	if (r->code == 0 && (r->report_count != 1 || r->reports[0].found))
		atomic_fetch_add(&commit_seen_there, 1);
	if (r->code == SILT_TRY_AGAIN)            /* a flush came between: the caller would ask again */
		atomic_fetch_add(&commit_grew_old, 1);
	commit_done(ctx, r);
}

/* The caller's batch is its own again when silt_write_async() returns: what is judged later is judged on a copy. */
/* ---- groups that their bounds cut --------------------------------------------------------------------------------------- */

enum { COMMIT_BIG = 300 << 10, COMMIT_MIXED = 120 };      /* four big ones pass a group's bytes; a flush goes alone */

struct commit_mixer {
	struct dbkit *k;
	char key[8];
	const char *why;                  /* failed; NULL = did not */
};

static const char *commit_mix(struct commit_mixer *m, silt_batch *b, int i)
{
	static const char big[COMMIT_BIG];
	struct silt_slice value = { big, i % 8 == 0 ? sizeof(big) : 10 };
	int rc;

	silt_batch_clear(b);
	rc = silt_batch_put(b, STR(m->key), value, NULL, 0);
	if (rc == 0 && i % 3 == 1)
		rc = silt_write_async(m->k->db, b, i % 2 ? SILT_ASYNC : 0, commit_done, NULL);
	else if (rc == 0)
		rc = silt_write(m->k->db, b, i % 5 ? 0 : SILT_ASYNC, NULL);
	return rc == 0 ? NULL : silt_strerror(rc);
}

static void *commit_mix_all(void *arg)
{
	struct commit_mixer *m = arg;
	silt_batch *b;

	if (silt_batch_new(&b) != 0)
		return NULL;
	for (int i = 1; i <= COMMIT_MIXED && !m->why; i++)
		m->why = commit_mix(m, b, i);
	silt_batch_free(b);
	return NULL;
}

/* Who was queued behind a bound leads the next group although it did not come first; nobody sleeps for ever, nobody is told twice. */
static void test_commit__nobody_is_forgotten_behind_a_groups_bounds(void **state)
{
	struct commit_mixer m[COMMIT_THREADS] = { { 0 } };
	pthread_t t[COMMIT_THREADS];
	struct silt_stats stats;
	struct dbkit k;

	(void)state;
	commit_called = commit_ok = 0;
	dbkit_init(&k);
	k.opts.memory = 64 << 20;
	k.opts.memtable_size = 4 << 20;
	k.opts.wal_segment_size = 8 << 20;
	assert_int_equal(dbkit_open(&k), 0);
	for (int i = 0; i < COMMIT_THREADS; i++) {
		m[i].k = &k;
		snprintf(m[i].key, sizeof(m[i].key), "%d", i);
		assert_int_equal(pthread_create(&t[i], NULL, commit_mix_all, &m[i]), 0);
	}
	for (int i = 0; i < 20; i++)
		assert_int_equal(silt_flush(k.db), 0);
	for (int i = 0; i < COMMIT_THREADS; i++) {
		pthread_join(t[i], NULL);
		assert_null(m[i].why);
	}
	assert_int_equal(silt_sync(k.db), 0);
	silt_stats(k.db, &stats);
	assert_int_equal(stats.writes, COMMIT_THREADS * COMMIT_MIXED);
	assert_int_equal(dbkit_close(&k), 0);
	assert_int_equal(commit_called, COMMIT_THREADS * COMMIT_MIXED / 3);
	assert_int_equal(commit_ok, commit_called);
	dbkit_fini(&k);
}

static void test_commit__async_conditions_do_not_look_into_the_callers_batch(void **state)
{
	enum { N = 3000 };
	struct dbkit k;
	silt_batch *b;

	(void)state;
	commit_called = commit_ok = commit_seen_there = commit_grew_old = 0;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(silt_batch_new(&b), 0);
	for (int i = 0; i < N; i++) {
		char key[16];

		snprintf(key, sizeof(key), "%05d", i);
		silt_batch_clear(b);
		assert_int_equal(silt_batch_require(b, STR(key), SILT_COND_NONE_MATCH, NULL, 0), 0);
		assert_int_equal(silt_batch_put(b, STR(key), STR("v"), NULL, SILT_OP_REPORT), 0);
		assert_int_equal(silt_write_async(k.db, b, 0, commit_reported, NULL), 0);
		silt_batch_clear(b);
		assert_int_equal(silt_batch_require(b, STR("00000"), SILT_COND_NONE_MATCH, NULL, 0), 0);
		assert_int_equal(silt_batch_put(b, STR("00000"), STR("w"), NULL, SILT_OP_REPORT), 0);
	}
	assert_int_equal(dbkit_close(&k), 0);
	assert_int_equal(commit_called, N);
	assert_int_equal(commit_ok + commit_grew_old, N);
	assert_int_equal(commit_seen_there, 0);
	silt_batch_free(b);
	dbkit_fini(&k);
}

/* The caller's batch is its own again as soon as silt_write_async() returned: the leader must not look into it. */
static _Atomic int commit_winners, commit_losers;

static void commit_raced(void *ctx, const struct silt_result *r)
{
	(void)ctx;
	atomic_fetch_add(r->code == 0 ? &commit_winners : &commit_losers, 1);
}

static void test_commit__an_async_batch_is_copied_with_its_conditions(void **state)
{
	enum { N = 50 };
	struct dbkit k;
	silt_batch *b;

	(void)state;
	commit_winners = commit_losers = 0;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(silt_batch_new(&b), 0);
	for (int i = 0; i < N; i++) {
		assert_int_equal(silt_batch_require(b, STR("the key"), SILT_COND_NONE_MATCH, NULL, 0), 0);
		assert_int_equal(silt_batch_put(b, STR("the key"), STR("v"), NULL, SILT_OP_REPORT), 0);
		assert_int_equal(silt_write_async(k.db, b, 0, commit_raced, NULL), 0);
		silt_batch_clear(b);
		assert_int_equal(silt_batch_require(b, STR("another"), SILT_COND_NONE_MATCH, NULL, 0), 0);
		silt_batch_clear(b);
	}
	silt_batch_free(b);
	assert_int_equal(dbkit_close(&k), 0);
	assert_int_equal(commit_winners, 1);
	assert_int_equal(commit_losers, N - 1);
	dbkit_fini(&k);
}

/* ---- faults ----------------------------------------------------------------------------------------------------------------- */

static void commit_fault(enum simdisk_call call)
{
	struct dbkit k;

	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "a", "1"), 0);
	assert_int_equal(silt_sync(k.db), 0);
	dbkit_settle(&k);
	simdisk_fail_at(k.disk, call, 1, SILT_E_IO, false);
	assert_int_equal(dbkit_put(&k, "b", "never acknowledged"), SILT_E_IO);
	assert_int_equal(dbkit_put(&k, "c", "refused"), SILT_E_FAULT);
	assert_int_equal(dbkit_delete(&k, "a"), SILT_E_FAULT);
	assert_string_equal(dbkit_get(&k, "a"), "1");             /* reads go on */
	assert_null(dbkit_get(&k, "b"));
	assert_int_equal(silt_flush(k.db), SILT_E_FAULT);
	assert_int_equal(dbkit_close(&k), SILT_E_FAULT);
	simdisk_crash(k.disk, SIM_LOSE_ALL, 1);
	assert_int_equal(dbkit_open(&k), 0);
	assert_string_equal(dbkit_get(&k, "a"), "1");
	assert_null(dbkit_get(&k, "c"));
	assert_int_equal(dbkit_put(&k, "c", "again"), 0);
	dbkit_fini(&k);
}

static void test_commit__a_failed_sync_stops_writes_not_reads(void **state)
{
	(void)state;
	commit_fault(SIM_DATASYNC);
}

static void test_commit__a_failed_append_stops_writes_not_reads(void **state)
{
	(void)state;
	commit_fault(SIM_WRITE);
}

static void test_commit__expiry_is_absence(void **state)
{
	struct silt_put_options po = { .expires_ms = 5000 };
	struct silt_result r = { 0 };
	struct dbkit k;
	silt_batch *b;

	(void)state;
	dbkit_init(&k);
	simdisk_set_clock(k.disk, 1000);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(silt_batch_new(&b), 0);
	assert_int_equal(silt_batch_put(b, STR("k"), STR("v"), &po, 0), 0);
	assert_int_equal(silt_write(k.db, b, 0, NULL), 0);
	assert_string_equal(dbkit_get(&k, "k"), "v");
	simdisk_set_clock(k.disk, 5000);
	assert_null(dbkit_get(&k, "k"));
	simdisk_set_clock(k.disk, 2000);                          /* the clock steps back: expiry does not */
	assert_null(dbkit_get(&k, "k"));
	assert_int_equal(commit_if(&k, "k", SILT_COND_NONE_MATCH, NULL, 0, "new", &r), 0);
	assert_string_equal(dbkit_get(&k, "k"), "new");
	silt_batch_free(b);
	dbkit_fini(&k);
}

static void test_commit__too_big_and_misuse_change_nothing(void **state)
{
	static char big[140 << 10];
	struct dbkit k;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(silt_put(k.db, STR("k"), (struct silt_slice){ big, sizeof(big) }, NULL), SILT_E_TOOBIG);
	assert_int_equal(silt_put(k.db, STR("k"), (struct silt_slice){ big, 120 << 10 }, NULL), 0);
	assert_int_equal(silt_put(k.db, STR(""), STR("v"), NULL), SILT_E_MISUSE);
	assert_int_equal(silt_write(k.db, NULL, 0, NULL), SILT_E_MISUSE);
	assert_int_equal(dbkit_put(&k, "after", "ok"), 0);
	dbkit_fini(&k);
}

static void commit_sleep_ms(long ms)
{
	struct timespec t = { 0, ms * 1000000 };

	nanosleep(&t, NULL);
}

static void test_commit__a_full_disk_refuses_early_and_goes_by_itself(void **state)
{
	struct dbkit k;
	int rc = SILT_E_NOSPACE;

	(void)state;
	dbkit_init(&k);
	k.opts.min_free_space = 1 << 20;
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "a", "1"), 0);
	simdisk_set_free(k.disk, 900 << 10);                      /* below the reserve, which is for flushes */
	for (int i = 0; i < 3000 && (rc = dbkit_put(&k, "b", "2")) == 0; i++)
		commit_sleep_ms(20);                              /* the flush thread looks once a second */
	assert_int_equal(rc, SILT_E_NOSPACE);
	assert_int_equal(dbkit_delete(&k, "a"), 0);               /* deletes help, and are taken */
	assert_null(dbkit_get(&k, "a"));
	simdisk_set_free(k.disk, UINT64_MAX / 2);
	for (int i = 0; i < 3000 && (rc = dbkit_put(&k, "b", "3")) != 0; i++)
		commit_sleep_ms(20);
	assert_int_equal(rc, 0);
	dbkit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commit__versions_increase_by_one),
		cmocka_unit_test(test_commit__a_batch_is_one_version_and_its_last_op_wins),
		cmocka_unit_test(test_commit__conditions),
		cmocka_unit_test(test_commit__reports_tell_what_was_there),
		cmocka_unit_test(test_commit__evidence_below_the_floor_is_try_again),
		cmocka_unit_test(test_commit__counters_are_exact_under_contention),
		cmocka_unit_test(test_commit__callbacks_come_exactly_once_also_at_close),
		cmocka_unit_test(test_commit__the_queue_is_bounded),
		cmocka_unit_test(test_commit__nobody_is_forgotten_behind_a_groups_bounds),
		cmocka_unit_test(test_commit__async_conditions_do_not_look_into_the_callers_batch),
		cmocka_unit_test(test_commit__an_async_batch_is_copied_with_its_conditions),
		cmocka_unit_test(test_commit__a_failed_sync_stops_writes_not_reads),
		cmocka_unit_test(test_commit__a_failed_append_stops_writes_not_reads),
		cmocka_unit_test(test_commit__expiry_is_absence),
		cmocka_unit_test(test_commit__too_big_and_misuse_change_nothing),
		cmocka_unit_test(test_commit__a_full_disk_refuses_early_and_goes_by_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
