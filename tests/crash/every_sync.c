/* SPDX-License-Identifier: Apache-2.0 */
/*
 * every_sync.c - a power cut before and after every sync of one workload, creation, recovery and close included.
 *
 * While the workload runs, each sync point leaves copies of the disk: all unsynced lost, all kept, and mixtures. Afterwards each copy
 * is opened: it must hold every write acknowledged by then and equal one state of the history. Then one more write, a
 * power cut that loses all that is unsynced, and it must open again with that write there.
 */
#include "lib/test.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>

#include "lib/model.h"
#include "lib/simdisk.h"

#ifdef __SANITIZE_ADDRESS__
enum { STRIDE = 5 };                      /* a crash takes six times as long there; three policies at each point, so all have their turn */
#else
enum { STRIDE = 1 };
#endif
enum { KEYS = 150, POINTS_MAX = 1 << 16 };
static const uint64_t now_ms = UINT64_C(1700000000000);

struct point {
	struct simdisk *copy;
	uint64_t acked;
	unsigned sync, policy;
	bool before;
	char what[48];
};

static struct {
	struct model *m;
	struct simdisk *disk;
	silt_db *db;
	uint64_t random;
	unsigned mixtures;
	_Atomic uint64_t acked;

	pthread_mutex_t mu;               /* guards what follows */
	unsigned syncs;
	size_t point_count, judged;
	struct point *points;
} W = { .mu = PTHREAD_MUTEX_INITIALIZER };

static void on_log(void *ctx, enum silt_log_level level, const char *message)
{
	(void)ctx;
	if (level <= SILT_LOG_ERROR)
		model_fail("the engine reported: %s", message);
}

static void remember(const char *path, unsigned sync, bool before, unsigned policy, uint64_t acked)
{
	static const enum simdisk_policy policies[] = { SIM_LOSE_ALL, SIM_KEEP_ALL, SIM_MIXED };
	const char *name = strrchr(path, '/');
	struct point *p;

	if (W.point_count == POINTS_MAX)
		model_fail("more than %d crash points", POINTS_MAX);
	p = &W.points[W.point_count++];
	*p = (struct point){ .acked = acked, .sync = sync, .policy = policy, .before = before };
	snprintf(p->what, sizeof(p->what), "%.40s", name ? name : path);
	p->copy = simdisk_crash_copy(W.disk, policies[policy < 2 ? policy : 2], sync * 16 + policy + 1);
}

static void on_sync(void *ctx, enum simdisk_call kind, const char *path, bool before)
{
	uint64_t acked = atomic_load(&W.acked);   /* before the copies are made */

	(void)ctx;
	(void)kind;
	pthread_mutex_lock(&W.mu);
	W.syncs += before;
	for (unsigned policy = 0; policy < 2 + W.mixtures; policy++)
		remember(path, W.syncs, before, policy, acked);
	pthread_mutex_unlock(&W.mu);
}

static silt_db *open_on(struct simdisk *disk)
{
	struct silt_options o = simdisk_options(disk);
	silt_db *db = NULL;

	o.change_log_size = 64 << 20;
	o.log = on_log;
	model_ok(silt_open("/store", &o, &db), "silt_open");
	return db;
}

/* ---- the workload -------------------------------------------------------------------------------------------------------- */

static void write_some(size_t n, uint32_t value_len, unsigned flags)
{
	struct model_op ops[16];
	struct silt_result res = { 0 };
	silt_batch *b = NULL;

	model_ok(silt_batch_new(&b), "silt_batch_new");
	for (size_t i = 0; i < n; i++) {
		struct silt_slice key;

		ops[i] = (struct model_op){ .key = test_random(&W.random) % W.m->n };
		key = W.m->keys[ops[i].key];
		if (test_random(&W.random) % 5)
			ops[i].to = (struct model_slot){ .there = true, .value_len = value_len, .seed = (uint32_t)W.random };
		model_ok(ops[i].to.there ? silt_batch_put(b, key, model_value(&ops[i].to, W.m->scratch), NULL, 0)
		                         : silt_batch_delete(b, key, 0), "silt_batch_put");
	}
	model_ok(silt_write(W.db, b, flags, &res), "silt_write");
	model_commit(W.m, res.version, ops, n);
	if (!(flags & SILT_ASYNC))
		atomic_store(&W.acked, res.version);
	silt_result_fini(&res);
	silt_batch_free(b);
}

static void acknowledge_all(void)
{
	atomic_store(&W.acked, W.m->last_version);
}

static void some_life(void)
{
	for (int i = 0; i < 12; i++)
		write_some(1 + i % 3, 100, 0);
	for (int i = 0; i < 8; i++)
		write_some(2, 200, SILT_ASYNC);
	model_ok(silt_sync(W.db), "silt_sync");
	acknowledge_all();
	for (int i = 0; i < 8; i++)
		write_some(10, 3000, i % 4 ? SILT_ASYNC : 0);     /* rotates and flushes by itself */
	model_ok(silt_flush(W.db), "silt_flush");
	acknowledge_all();
	for (int i = 0; i < 6; i++)
		write_some(3, 500, 0);
}

static void workload(void)
{
	W.db = open_on(W.disk);
	some_life();
	model_ok(silt_close(W.db), "silt_close");
	acknowledge_all();
	W.db = open_on(W.disk);
	some_life();
	model_ok(silt_compact(W.db), "silt_compact");
	for (int i = 0; i < 5; i++)
		write_some(1, 100, i % 2 ? SILT_ASYNC : 0);
}

/* ---- judging the copies ----------------------------------------------------------------------------------------------------- */

static void judge(struct point *p)
{
	struct model_slot put = { .there = true, .value_len = 77, .seed = p->sync };
	size_t key = p->sync % W.m->n;
	uint64_t since = 0;
	struct simdisk *second;
	silt_db *db;

	snprintf(model_context, sizeof(model_context), "crash %s sync %u (%s), policy %u", p->before ? "before" : "after",
	         p->sync, p->what, p->policy);
	simdisk_set_clock(p->copy, now_ms);
	db = open_on(p->copy);
	model_settle(W.m, db, p->acked, now_ms);
	model_ok(model_check_changes(W.m, db, &since, now_ms), "all changes since the beginning");
	model_ok(silt_put(db, W.m->keys[key], model_value(&put, W.m->scratch), &put.version), "silt_put after recovery");
	if (put.version <= W.m->last_version)
		model_fail("version %" PRIu64 " was given after %" PRIu64, put.version, W.m->last_version);
	W.m->slots[key] = put;
	second = simdisk_crash_copy(p->copy, SIM_LOSE_ALL, 1);
	model_ok(silt_close(db), "silt_close after recovery");
	simdisk_free(p->copy);
	simdisk_set_clock(second, now_ms);
	db = open_on(second);
	model_check_all(W.m, W.m->slots, db, NULL, now_ms);
	model_ok(silt_close(db), "silt_close of the second opening");
	simdisk_free(second);
}

/* A judgement undoes history without writing any, so the twin can be put back to the end of it for the next one. */
static void judge_all(void)
{
	struct model_slot *slots = calloc(W.m->n, sizeof(*slots));
	uint64_t commits, last_version;

	assert_non_null(slots);
	for (size_t i = W.point_count; i-- > 0;) {
		if (i % STRIDE) {
			simdisk_free(W.points[i].copy);
			continue;
		}
		memcpy(slots, W.m->slots, W.m->n * sizeof(*slots));
		commits = W.m->commits;
		last_version = W.m->last_version;
		judge(&W.points[i]);
		memcpy(W.m->slots, slots, W.m->n * sizeof(*slots));
		W.m->commits = commits;
		W.m->last_version = last_version;
	}
	free(slots);
	W.judged += (W.point_count + STRIDE - 1) / STRIDE;
	W.point_count = 0;
}

/* A crash in the midst of async writes, and the crash points of the recovery that follows. */
static void recovery(void)
{
	struct simdisk *old = W.disk;
	struct simdisk *copy = simdisk_crash_copy(old, SIM_MIXED, 77);
	uint64_t acked = atomic_load(&W.acked);

	simdisk_on_sync(old, NULL, NULL);
	model_ok(silt_close(W.db), "silt_close");
	simdisk_free(old);
	judge_all();                      /* before the history changes */
	snprintf(model_context, sizeof(model_context), "every_sync, the recovery");
	W.disk = copy;
	simdisk_set_clock(copy, now_ms);
	simdisk_on_sync(copy, on_sync, NULL);
	W.db = open_on(copy);
	model_settle(W.m, W.db, acked, now_ms);
	acknowledge_all();
	for (int i = 0; i < 5; i++)
		write_some(2, 100, 0);
	model_ok(silt_close(W.db), "silt_close");
	acknowledge_all();
	simdisk_on_sync(copy, NULL, NULL);
	judge_all();
}

int main(void)
{
	uint64_t seed = test_seed(1);

	W.random = seed;
	W.mixtures = test_scale();
	W.m = model_new(KEYS, seed);
	W.points = calloc(POINTS_MAX, sizeof(*W.points));
	assert_non_null(W.points);
	W.disk = simdisk_new(seed);
	simdisk_set_clock(W.disk, now_ms);
	simdisk_on_sync(W.disk, on_sync, NULL);
	snprintf(model_context, sizeof(model_context), "every_sync, the workload");
	workload();
	recovery();
	simdisk_free(W.disk);
	model_free(W.m);
	printf("every_sync: %u syncs, %zu crashes, each opened twice: agreed\n", W.syncs, W.judged);
	free(W.points);
	return 0;
}
