/* SPDX-License-Identifier: Apache-2.0 */
/* twin_store.c - the store of the twins: its options, its openings and its crashes; see twin.c. */
#include "lib/test.h"

#include <inttypes.h>

#include "model/twin.h"

static void on_log(void *ctx, enum silt_log_level level, const char *message)
{
	(void)ctx;
	if (level > SILT_LOG_ERROR || atomic_load(&T.error_expected))
		return;
	model_fail("the engine reported: %s", message);
}

static uint64_t posix_wall_ms(silt_os *os)
{
	(void)os;
	return atomic_load(&T.now_ms);
}

void twin_set_clock(uint64_t now_ms)
{
	atomic_store(&T.now_ms, now_ms);
	if (T.sim)
		simdisk_set_clock(T.disk, now_ms);
}

static void on_sync(void *ctx, enum simdisk_call kind, const char *path, bool before)
{
	static const enum simdisk_policy policies[] = { SIM_MIXED, SIM_MIXED, SIM_LOSE_ALL, SIM_KEEP_ALL };

	(void)ctx;
	(void)kind;
	(void)path;
	(void)before;
	if (atomic_load(&T.syncs_left) <= 0 || atomic_fetch_sub(&T.syncs_left, 1) != 1)
		return;
	T.crash_followed = atomic_load(&T.followed);
	T.crash_acked = atomic_load(&T.acked);            /* before the copy: what is acknowledged later may be lost */
	atomic_store(&T.crashed, simdisk_crash_copy(T.disk, policies[T.crash_seed % 4], T.crash_seed >> 2 | 1));
}

void twin_arm_crash(uint64_t within_syncs)
{
	T.armed = true;
	T.crash_seed = test_random(&T.random);
	atomic_store(&T.syncs_left, (int64_t)(1 + chance(within_syncs)));
}

struct silt_options twin_options(void)
{
	struct silt_options o = simdisk_options(T.sim ? T.disk : NULL);

	o.compaction_interval_ms = 1000;
	o.change_log_size = 16 << 20;     /* never so little that the twin's own reader expires */
	o.log = on_log;
	if (!T.sim)
		o.os = &T.posix;
	return o;
}

static void open_read_only(void)
{
	struct silt_options o = twin_options();
	silt_db *db = NULL;

	o.read_only = true;
	model_ok(silt_open(T.dir, &o, &db), "silt_open, read-only");
	T.undone += model_settle(T.m, db, atomic_load(&T.acked), T.now_ms);
	model_ok(silt_close(db), "silt_close, read-only");
	T.read_only++;
}

/* What came since the last look, over crashes and openings. What was seen is durable. */
void twin_follow(silt_db *db)
{
	uint64_t since = atomic_load(&T.followed), oldest, seen;

	T.looks++;
	while (model_check_changes(T.m, db, &since, T.now_ms) == SILT_E_EXPIRED) {
		silt_changes_reach(db, &oldest, NULL);
		if (since >= T.ingested || oldest > T.ingested)
			model_fail("changes after %" PRIu64 " have expired, but only to %" PRIu64 " was ingested", since, T.ingested);
		since = oldest;
	}
	seen = since < T.m->last_version ? since : T.m->last_version;
	if (atomic_load(&T.acked) < seen)
		atomic_store(&T.acked, seen);
	atomic_store(&T.followed, since);
}

static void drop_holds(void)
{
	for (size_t i = 0; i < SNAPSHOTS; i++) {
		silt_snapshot_free(T.snaps[i].snap);
		free(T.snaps[i].slots);
		T.snaps[i] = (struct held_snapshot){ 0 };
	}
	for (size_t i = 0; i < ITERS; i++) {
		silt_iter_close(T.iters[i].it);
		free(T.iters[i].slots);
		T.iters[i] = (struct held_iter){ 0 };
	}
	for (size_t i = 0; i < PINS; i++) {
		silt_pin_release(&T.pins[i].pin);
		T.pins[i].slot = (struct model_slot){ 0 };
	}
}

/* The copy becomes the disk; a crash that is still coming is called off. */
static void change_disk(void)
{
	atomic_store(&T.syncs_left, 0);
	T.armed = false;
	simdisk_free(T.disk);
	T.disk = atomic_exchange(&T.crashed, NULL);
	atomic_store(&T.acked, T.crash_acked);
	atomic_store(&T.followed, T.crash_followed);
	simdisk_set_clock(T.disk, T.now_ms);
	simdisk_on_sync(T.disk, on_sync, NULL);
	T.crashes++;
}

static int keep_file(void *ctx, const char *name)
{
	const char *to = ctx;
	struct silt_buf bytes = { 0 };
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", T.dir, name);
	if (simdisk_read_file(T.before, path, &bytes) == 0) {
		snprintf(path, sizeof(path), "%s/%s", to, name);
		f = fopen(path, "w");
		if (f && (bytes.len == 0 || fwrite(bytes.data, 1, bytes.len, f) == bytes.len))
			fprintf(stderr, "kept: %s\n", path);
		if (f)
			fclose(f);
	}
	silt_buf_free(&bytes);
	return 0;
}

/* A disagreement right after an opening: what was opened is left in the directory that SILT_KEEP names, for siltctl dump. */
static void keep_before(void)
{
	char *to = getenv("SILT_KEEP");
	silt_os *os = T.before ? simdisk_os(T.before) : NULL;

	if (os && to)
		(void)os->list(os, T.dir, keep_file, to);
}

static void settle(void)
{
	T.undone += model_settle(T.m, T.db, atomic_load(&T.acked), T.now_ms);
	twin_follow(T.db);
	simdisk_free(T.before);
	T.before = NULL;
}

/* Opens until an opening is not cut short by a crash; then the twin is what the store is. */
void twin_open_store(void)
{
	struct silt_options o;

	for (;;) {
		if (T.m->last_version && chance(5) == 0)
			open_read_only();
		if (T.sim && chance(4) == 0)
			twin_arm_crash(12);
		o = twin_options();
		if (T.sim)
			T.before = simdisk_crash_copy(T.disk, SIM_KEEP_ALL, 1);
		model_ok(silt_open(T.dir, &o, &T.db), "silt_open");
		settle();
		atomic_store(&T.acked, T.m->last_version);
		if (!atomic_load(&T.crashed))
			return;
		T.crashes_in_open++;
		model_ok(silt_close(T.db), "silt_close");
		change_disk();
	}
}

void twin_close_store(void)
{
	drop_holds();
	model_ok(silt_close(T.db), "silt_close");
	T.db = NULL;
}

void twin_reopen_after_crash(void)
{
	twin_close_store();
	change_disk();
	twin_open_store();
}

void twin_reopen(void)
{
	twin_close_store();
	atomic_store(&T.acked, T.m->last_version);        /* an orderly close syncs */
	T.reopens++;
	if (atomic_load(&T.crashed))
		change_disk();
	twin_open_store();
}

void twin_begin(void)
{
	model_on_fail = keep_before;
	T.random = T.seed;
	T.m = model_new(KEYS, T.seed ^ 0x5eed);
	atomic_store(&T.now_ms, UINT64_C(1700000000000));
	if (T.sim) {
		T.dir = strdup("/store");
		T.disk = simdisk_new(T.seed);
		simdisk_on_sync(T.disk, on_sync, NULL);
	} else {
		T.dir = test_mkdir();
		T.posix = *os_posix();
		T.posix.wall_ms = posix_wall_ms;
	}
	twin_set_clock(T.now_ms);
	twin_open_store();
}
