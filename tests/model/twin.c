/* SPDX-License-Identifier: Apache-2.0 */
/*
 * twin.c - the store and its naive twin, driven by the same seeded random operations and compared all the time.
 *
 *      twin [--ops N] [--seed S] [--disk sim|posix]
 *
 * Settings are tiny, so that rotation, flush and compaction happen every few hundred operations. Only siltstone.h is used.
 * Crashes    on the simulated disk: at a random one of the coming sync points, in whichever thread meets it, also during open and
 *            close, the disk is copied as a power cut would leave it. The store goes on undisturbed until the
 *            driver notices, is closed, and opened again on the copy: it must equal the twin at one point of its history, with every
 *            commit that was acknowledged as durable before the copy was made.
 */
#include "lib/test.h"

#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "lib/model.h"
#include "lib/simdisk.h"

#ifdef __SANITIZE_THREAD__
enum { OPS = 15000 };                     /* each takes ten times as long */
#else
enum { OPS = 60000 };
#endif
enum { KEYS = 3000, SNAPSHOTS = 3, ITERS = 2, BURST_MAX = 40, BATCH_MAX = 200, CLOCK_GRACE_MS = 50000 };
enum { PINS = 3, MULTI_MAX = 60 };

struct held_snapshot {
	silt_snapshot *snap;
	struct model_slot *slots;         /* as they were */
};
struct held_iter {
	silt_iter *it;
	struct model_slot *slots;
	size_t at, lo, hi;                /* at SIZE_MAX: past an end */
	bool forward;
	uint64_t now_ms;                  /* an iterator has one time */
};

struct held_pin {
	struct silt_pin pin;
	struct model_slot slot;           /* of what is pinned; nothing where it is empty */
};

static struct twin {
	uint64_t ops, seed, random, op;
	bool sim;
	char *dir;
	silt_db *db;
	struct model *m;
	struct silt_buf value;
	struct held_snapshot snaps[SNAPSHOTS];
	struct held_iter iters[ITERS];
	struct held_pin pins[PINS];
	_Atomic uint64_t now_ms, acked;   /* acked: newest version acknowledged as durable */
	_Atomic uint64_t followed;        /* changes up to here were seen */
	uint64_t ingested;                /* the newest version that no log has */
	_Atomic bool error_expected;
	silt_os posix;                    /* with the driver's clock */

	struct simdisk *disk;
	_Atomic int64_t syncs_left;       /* until the crash; <= 0: none is coming */
	bool armed;                       /* the driver's: from arm_crash() to change_disk(), so that no second crash meets the first
	                                   * one's copy while that is being made in another thread */
	struct simdisk *_Atomic crashed;  /* the copy that a crash left */
	struct simdisk *before;           /* as it was before the opening under way: what to look at when that fails */
	uint64_t crash_seed, crash_acked, crash_followed; /* set before `crashed` */

	uint64_t crashes, crashes_in_open, reopens, read_only, undone, flushes, compactions, conflicts, retries, bursts, ranges, compared, checkpoints, ingests, looks;
	uint64_t adds;
} T;

static uint64_t chance(uint64_t n)
{
	return test_random(&T.random) % n;
}

/* ---- opening, crashing, closing -------------------------------------------------------------------------------------- */

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

static void set_clock(uint64_t now_ms)
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

static void arm_crash(uint64_t within_syncs)
{
	T.armed = true;
	T.crash_seed = test_random(&T.random);
	atomic_store(&T.syncs_left, (int64_t)(1 + chance(within_syncs)));
}

static struct silt_options options(void)
{
	struct silt_options o;

	silt_options_init(&o);
	o.memory = 8 << 20;
	o.memtable_size = 64 << 10;
	o.wal_segment_size = 256 << 10;
	o.table_size = 64 << 10;
	o.level_base_size = 256 << 10;
	o.compaction_interval_ms = 1000;
	o.min_free_space = 0;
	o.change_log_size = 16 << 20;     /* never so little that the twin's own reader expires */
	o.log = on_log;
	o.os = T.sim ? simdisk_os(T.disk) : &T.posix;
	return o;
}

static void check(int rc, const char *what)
{
	if (rc != 0)
		model_fail("%s: %s", what, silt_strerror(rc));
}

static void open_read_only(void)
{
	struct silt_options o = options();
	silt_db *db = NULL;

	o.read_only = true;
	check(silt_open(T.dir, &o, &db), "silt_open, read-only");
	T.undone += model_settle(T.m, db, atomic_load(&T.acked), T.now_ms);
	check(silt_close(db), "silt_close, read-only");
	T.read_only++;
}

/* What came since the last look, over crashes and openings. What was seen is durable. */
static void follow(silt_db *db)
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
	follow(T.db);
	simdisk_free(T.before);
	T.before = NULL;
}

/* Opens until an opening is not cut short by a crash; then the twin is what the store is. */
static void open_store(void)
{
	struct silt_options o;

	for (;;) {
		if (T.m->last_version && chance(5) == 0)
			open_read_only();
		if (T.sim && chance(4) == 0)
			arm_crash(12);
		o = options();
		if (T.sim)
			T.before = simdisk_crash_copy(T.disk, SIM_KEEP_ALL, 1);
		check(silt_open(T.dir, &o, &T.db), "silt_open");
		settle();
		atomic_store(&T.acked, T.m->last_version);
		if (!atomic_load(&T.crashed))
			return;
		T.crashes_in_open++;
		check(silt_close(T.db), "silt_close");
		change_disk();
	}
}

static void close_store(void)
{
	drop_holds();
	check(silt_close(T.db), "silt_close");
	T.db = NULL;
}

static void reopen_after_crash(void)
{
	close_store();
	change_disk();
	open_store();
}

static void reopen(void)
{
	close_store();
	atomic_store(&T.acked, T.m->last_version);        /* an orderly close syncs */
	T.reopens++;
	if (atomic_load(&T.crashed))
		change_disk();
	open_store();
}

/* ---- writing ------------------------------------------------------------------------------------------------------------ */

static struct model_op random_op(void)
{
	struct model_op op = { .key = chance(8) ? chance(T.m->n) : chance(20) };
	uint64_t expires = chance(12) ? 0 : T.now_ms + 1 + chance(20000);

	if (chance(4))
		op.to = model_random_put(&T.random, expires);
	return op;
}

static silt_batch *new_batch(void)
{
	silt_batch *b = NULL;

	check(silt_batch_new(&b), "silt_batch_new");
	return b;
}

static void add_op(silt_batch *b, const struct model_op *op, unsigned flags)
{
	uint8_t meta[SILT_META_MAX];
	struct silt_put_options opts = { .expires_ms = op->to.expires_ms, .meta = model_meta(&op->to, meta) };

	if (op->to.there)
		check(silt_batch_put(b, T.m->keys[op->key], model_value(&op->to, T.m->scratch), &opts, flags), "silt_batch_put");
	else
		check(silt_batch_delete(b, T.m->keys[op->key], flags), "silt_batch_delete");
}

/* Some distinct, some on one key. */
static size_t random_ops(silt_batch *b, struct model_op *ops, size_t n, unsigned flags)
{
	size_t i;

	for (i = 0; i < n && silt_batch_bytes(b) < 40 << 10; i++) {
		ops[i] = random_op();
		if (i && chance(10) == 0)
			ops[i].key = ops[chance(i)].key;
		add_op(b, &ops[i], flags);
	}
	return i;
}

static void pause_ms(long ms)
{
	struct timespec t = { 0, ms * 1000000 };

	nanosleep(&t, NULL);
}

/* A stall past its bound and evidence grown old are answers, not failures: ask again. */
static int write_batch(const silt_batch *b, unsigned flags, struct silt_result *res)
{
	int rc = silt_write(T.db, b, flags, res);

	for (int tries = 0; (rc == SILT_E_BUSY || rc == SILT_TRY_AGAIN) && tries < 10000; tries++) {
		T.retries++;
		pause_ms(1);
		rc = silt_write(T.db, b, flags, res);
	}
	return rc;
}

static void acknowledge(uint64_t version)
{
	uint64_t old = atomic_load(&T.acked);

	while (old < version && !atomic_compare_exchange_weak(&T.acked, &old, version))
		;
}

static void op_write(void)
{
	struct model_op ops[BATCH_MAX];
	struct silt_result res = { 0 };
	silt_batch *b = new_batch();
	unsigned flags = chance(6) ? 0 : SILT_ASYNC;
	size_t n = random_ops(b, ops, chance(4) ? 1 : 1 + chance(chance(10) ? 12 : BATCH_MAX), 0);

	if (silt_batch_count(b) != n)
		model_fail("silt_batch_count: %zu, not %zu", silt_batch_count(b), n);
	check(write_batch(b, flags, &res), "silt_write");
	model_commit(T.m, res.version, ops, n);
	if (flags == 0)
		acknowledge(res.version);
	silt_result_fini(&res);
	silt_batch_free(b);
}

static void op_simple(void)
{
	struct model_op op = random_op();
	uint64_t version = 0;
	int rc;

	op.to.expires_ms = 0;
	op.to.meta_len = 0;
	do {
		rc = op.to.there ? silt_put(T.db, T.m->keys[op.key], model_value(&op.to, T.m->scratch), &version)
		                 : silt_delete(T.db, T.m->keys[op.key], &version);
		if (rc == SILT_E_BUSY)
			pause_ms(1);
	} while (rc == SILT_E_BUSY);
	check(rc, "silt_put or silt_delete");
	model_commit(T.m, version, &op, 1);
	acknowledge(version);
}

/* A sorted stream of distinct keys, one that is out of order among them; sometimes given up. */
static void op_ingest(void)
{
	static struct model_op ops[KEYS];
	size_t n = 0, every = 1 + chance(60);
	silt_ingest *in = NULL;
	uint64_t version = 0;
	int rc;

	check(silt_ingest_begin(T.db, &in), "silt_ingest_begin");
	for (size_t i = chance(T.m->n); i < T.m->n && n < 400; i += 1 + chance(every)) {
		uint8_t meta[SILT_META_MAX];
		struct silt_put_options opts;
		struct model_op *op = &ops[n++];

		*op = (struct model_op){ .key = i, .to = model_random_put(&T.random, chance(12) ? 0 : T.now_ms + 1 + chance(20000)) };
		opts = (struct silt_put_options){ .expires_ms = op->to.expires_ms, .meta = model_meta(&op->to, meta) };
		check(silt_ingest_add(in, T.m->keys[i], model_value(&op->to, T.m->scratch), &opts), "silt_ingest_add");
		if (silt_ingest_add(in, T.m->keys[chance(i + 1)], T.m->keys[0], NULL) != SILT_E_MISUSE)
			model_fail("silt_ingest_add took a key out of order");
	}
	if (chance(5)) {
		while ((rc = silt_ingest_commit(in, &version)) == SILT_E_BUSY)
			pause_ms(1);
		check(rc, "silt_ingest_commit");
		model_commit(T.m, version, ops, n);
		acknowledge(version);
		T.ingested = version;
		T.ingests++;
	}
	silt_ingest_end(in);
}

static void op_too_big(void)
{
	silt_batch *b = new_batch();
	struct model_op op = { .key = chance(T.m->n), .to = { .there = true, .value_len = 50 << 10, .seed = 1 } };

	add_op(b, &op, 0);
	op.key = (op.key + 1) % T.m->n;
	add_op(b, &op, 0);
	atomic_store(&T.error_expected, true);
	if (silt_write(T.db, b, 0, NULL) != SILT_E_TOOBIG)
		model_fail("a batch over a quarter of a segment was not refused");
	atomic_store(&T.error_expected, false);
	silt_batch_free(b);
}

/* ---- conditions and reports ----------------------------------------------------------------------------------------------- */

struct condition {
	size_t key;
	enum silt_cond cond;
	size_t n;
	uint64_t versions[3];
};

static bool holds(const struct condition *c)
{
	const struct model_slot *s = &T.m->slots[c->key];
	bool found = c->n == 0 && model_live(s, T.now_ms);

	for (size_t i = 0; i < c->n; i++)
		found |= model_live(s, T.now_ms) && s->version == c->versions[i];
	return c->cond == SILT_COND_MATCH ? found : !found;
}

/* More often true than chance would have it. */
static struct condition random_condition(void)
{
	struct condition c = { .key = chance(T.m->n), .cond = (enum silt_cond)chance(2), .n = chance(4) };

	for (size_t i = 0; i < c.n; i++)
		c.versions[i] = chance(2) ? T.m->slots[c.key].version : 1 + chance(T.m->last_version + 1);
	if (!holds(&c) && chance(3))
		c.cond = c.cond == SILT_COND_MATCH ? SILT_COND_NONE_MATCH : SILT_COND_MATCH;
	return c;
}

static void check_reports(const struct silt_result *res, const struct model_op *ops, size_t n, unsigned flags)
{
	if (res->report_count != (flags ? n : 0))
		model_fail("%zu reports for %zu operations", res->report_count, n);
	for (size_t i = 0; i < res->report_count; i++) {
		const struct silt_report *r = &res->reports[i];
		const struct model_slot *s;
		uint8_t meta[SILT_META_MAX];
		struct silt_slice want;

		if (r->op != i)
			model_fail("report %zu is of operation %zu", i, r->op);
		s = &T.m->slots[ops[i].key];
		if (r->found != model_live(s, T.now_ms))
			model_fail("report %zu: found %d, version %" PRIu64 " of key %zu", i, r->found, s->version, ops[i].key);
		if (!r->found)
			continue;
		want = model_meta(s, meta);
		if (r->info.version != s->version || r->info.expires_ms != s->expires_ms || r->info.meta_len != want.len ||
		    memcmp(r->info.meta, meta, want.len) != 0)
			model_fail("report %zu: wrong version, expiry or metadata", i);
		if (!(flags & SILT_OP_REPORT_VALUE))
			continue;
		want = model_value(s, T.m->scratch);
		if (r->value.len != want.len || (want.len && memcmp(r->value.data, want.data, want.len) != 0))
			model_fail("report %zu: wrong value", i);
	}
}

static void op_conditional(void)
{
	static const unsigned report[] = { 0, SILT_OP_REPORT, SILT_OP_REPORT_VALUE };
	struct condition conds[3];
	struct model_op ops[4];
	struct silt_result res = { 0 };
	silt_batch *b = new_batch();
	unsigned flags = report[chance(3)];
	size_t n_conds = chance(4), failing = SIZE_MAX, n;
	int rc;

	for (size_t i = 0; i < n_conds; i++) {
		conds[i] = random_condition();
		check(silt_batch_require(b, T.m->keys[conds[i].key], conds[i].cond, conds[i].versions, conds[i].n),
		      "silt_batch_require");
		if (failing == SIZE_MAX && !holds(&conds[i]))
			failing = i;
	}
	n = random_ops(b, ops, chance(4) + (n_conds == 0), flags);
	rc = write_batch(b, 0, &res);
	if (failing != SIZE_MAX) {
		const struct model_slot *s = &T.m->slots[conds[failing].key];

		if (rc != SILT_CONFLICT || res.condition != failing ||
		    res.current != (model_live(s, T.now_ms) ? s->version : 0))
			model_fail("condition %zu does not hold: %s, condition %zu, current %" PRIu64, failing, silt_strerror(rc),
			           res.condition, res.current);
		T.conflicts++;
	} else {
		check(rc, "silt_write with conditions");
		check_reports(&res, ops, n, flags);
		if (n) {
			model_commit(T.m, res.version, ops, n);
			acknowledge(res.version);
		}
	}
	silt_result_fini(&res);
	silt_batch_free(b);
}

/* ---- range deletes ------------------------------------------------------------------------------------------------------------- */

/* A key of the store, or a stranger close to one. */
static struct silt_slice random_bound_near(size_t i, uint8_t *buf)
{
	struct silt_slice key = T.m->keys[i];
	size_t len = key.len;

	memcpy(buf, key.data, len);
	if (chance(3) == 0 && len > 1)
		len -= 1 + chance(len - 1);
	if (chance(3) == 0 && len < SILT_KEY_MAX)
		buf[len++] = (uint8_t)chance(256);
	return (struct silt_slice){ buf, len };
}

/* To the batch, and as a delete of each key in it to ops. Mostly short; now and then from the first or to the last, rarely all. */
static size_t add_range(silt_batch *b, struct model_op *ops)
{
	uint8_t lower_room[SILT_KEY_MAX], upper_room[SILT_KEY_MAX];
	struct silt_slice lower = { 0 }, upper = { 0 };
	size_t i = chance(T.m->n), far = i + chance(chance(8) ? 30 : 400), from, to, n = 0;
	int rc;

	if (far >= T.m->n)
		far = T.m->n - 1;
	if (chance(40) || i > 200)
		lower = random_bound_near(i, lower_room);
	if (chance(40) || far + 200 < T.m->n)
		upper = random_bound_near(far, upper_room);
	from = lower.data ? model_find(T.m, lower) : 0;
	to = upper.data ? model_find(T.m, upper) : T.m->n;
	rc = silt_batch_delete_range(b, lower, upper);
	if (rc == SILT_E_MISUSE && to <= from)
		return 0;                         /* a stranger stands on the other side */
	check(rc, "silt_batch_delete_range");
	for (i = from; i < to; i++)
		ops[n++] = (struct model_op){ .key = i };
	T.ranges++;
	return n;
}

/* Before it, it, behind it; and with luck another one: what is added later wins, of the rest the range delete. */
static void op_range(void)
{
	struct model_op *ops = malloc((2 * T.m->n + 24) * sizeof(*ops));
	unsigned flags = chance(6) ? 0 : SILT_ASYNC;
	struct silt_result res = { 0 };
	silt_batch *b = new_batch();
	size_t n = 0;

	if (!ops)
		model_fail("out of memory");
	n += random_ops(b, ops + n, chance(2) ? 0 : chance(8), 0);
	n += add_range(b, ops + n);
	n += random_ops(b, ops + n, chance(2) ? 0 : chance(8), 0);
	if (chance(4) == 0)
		n += add_range(b, ops + n);
	n += random_ops(b, ops + n, chance(3) ? 0 : chance(8), 0);
	if (silt_batch_count(b)) {
		check(write_batch(b, flags, &res), "silt_write of a range delete");
		model_commit(T.m, res.version, ops, n);
		if (flags == 0)
			acknowledge(res.version);
	}
	silt_result_fini(&res);
	silt_batch_free(b);
	free(ops);
}

/* One by one over neighbours, as a queue is cut from its front. */
static void op_cut(void)
{
	size_t from = chance(T.m->n - 8), end = from + 2 + chance(6);

	for (size_t to = from + 1; to <= end; to++) {
		struct model_op ops[8];
		uint64_t version = 0;
		int rc;

		do {
			rc = silt_delete_range(T.db, T.m->keys[from], T.m->keys[to], &version);
			if (rc == SILT_E_BUSY)
				pause_ms(1);
		} while (rc == SILT_E_BUSY);
		check(rc, "silt_delete_range");
		for (size_t i = from; i < to; i++)
			ops[i - from] = (struct model_op){ .key = i };
		model_commit(T.m, version, ops, to - from);
		acknowledge(version);
		T.ranges++;
	}
}

/* ---- read-modify-write ------------------------------------------------------------------------------------------------------ */

/* Few keys count: others hold what is no number, mostly. */
static size_t counter_key(void)
{
	return chance(4) ? 100 + chance(40) : chance(T.m->n);
}

static int64_t random_delta(void)
{
	return chance(6) ? (int64_t)chance(2000) - 1000 : (int64_t)(test_random(&T.random) ^ test_random(&T.random) << 32);
}

/* Several adds in a batch: all of it, or none where there is no sum. */
static void op_add(void)
{
	struct model_op ops[4];
	struct silt_result res = { 0 };
	silt_batch *b = new_batch();
	size_t n = 1 + chance(3), bad = SIZE_MAX;
	int want = 0, rc;

	for (size_t i = 0; i < n; i++) {
		int64_t delta = random_delta();
		int made;

		ops[i] = (struct model_op){ .key = counter_key() };
		for (size_t k = 0; k < i; k++)
			if (ops[k].key == ops[i].key) {
				ops[i].key = (ops[i].key + 1) % T.m->n;
				k = SIZE_MAX;     /* all over again */
			}
		check(silt_batch_add(b, T.m->keys[ops[i].key], delta, NULL, SILT_OP_REPORT), "silt_batch_add");
		made = model_add(&T.m->slots[ops[i].key], delta, T.now_ms, &ops[i].to);
		if (made != 0 && bad == SIZE_MAX) {
			bad = i;
			want = made;
		}
	}
	rc = write_batch(b, 0, &res);
	if (rc != want || (rc != 0 && res.condition != bad))
		model_fail("an add: %s at operation %zu, not %s at %zu", silt_strerror(rc), res.condition, silt_strerror(want), bad);
	for (size_t i = 0; i < n && rc == 0; i++)
		if (res.reports[i].sum != ops[i].to.number)
			model_fail("the sum of key %zu is not %" PRId64, ops[i].key, ops[i].to.number);
	if (rc == 0) {
		model_commit(T.m, res.version, ops, n);
		acknowledge(res.version);
		T.adds++;
	}
	silt_result_fini(&res);
	silt_batch_free(b);
}

static void op_take(void)
{
	struct model_op op = { .key = chance(8) ? chance(T.m->n) : chance(20) };
	struct silt_info info;
	uint64_t version;
	int rc;

	while ((rc = silt_take(T.db, T.m->keys[op.key], &T.value, &info, &version)) == SILT_E_BUSY)
		pause_ms(1);
	model_check_get(T.m, T.m->slots, op.key, T.now_ms, rc, (struct silt_slice){ T.value.data, T.value.len }, &info);
	if (rc == 0) {
		model_commit(T.m, version, &op, 1);
		acknowledge(version);
	}
}

/* ---- many in flight ----------------------------------------------------------------------------------------------------------- */

struct flight {
	struct burst *burst;
	struct model_op ops[8];
	size_t n;
	bool durable;
	int code;
	uint64_t version;
};
static struct burst {
	pthread_mutex_t mu;
	pthread_cond_t landed;
	size_t flying;
	struct flight flights[BURST_MAX];
} B = { .mu = PTHREAD_MUTEX_INITIALIZER, .landed = PTHREAD_COND_INITIALIZER };

static void on_written(void *ctx, const struct silt_result *r)
{
	struct flight *f = ctx;

	if (r->code == 0 && f->durable)
		acknowledge(r->version);
	pthread_mutex_lock(&B.mu);
	f->code = r->code;
	f->version = r->version;
	B.flying--;
	pthread_cond_signal(&B.landed);
	pthread_mutex_unlock(&B.mu);
}

static int flight_cmp(const void *a, const void *b)
{
	const struct flight *f = a, *g = b;

	return (f->version > g->version) - (f->version < g->version);
}

/* Of at most four keys. */
static size_t add_short_range(silt_batch *b, struct model_op *ops)
{
	size_t from = chance(T.m->n - 5), n = 1 + chance(4);

	check(silt_batch_delete_range(b, T.m->keys[from], T.m->keys[from + n]), "silt_batch_delete_range");
	for (size_t i = 0; i < n; i++)
		ops[i] = (struct model_op){ .key = from + i };
	T.ranges++;
	return n;
}

static void op_burst(void)
{
	size_t n = 2 + chance(BURST_MAX - 2);

	T.bursts++;
	for (size_t i = 0; i < n; i++) {
		struct flight *f = &B.flights[i];
		silt_batch *b = new_batch();
		int rc;

		*f = (struct flight){ .burst = &B, .durable = chance(5) != 0 };
		f->n = random_ops(b, f->ops, 1 + chance(8), 0);
		if (f->n <= 4 && chance(4) == 0)
			f->n += add_short_range(b, f->ops + f->n);
		pthread_mutex_lock(&B.mu);
		B.flying++;
		pthread_mutex_unlock(&B.mu);
		while ((rc = silt_write_async(T.db, b, f->durable ? 0 : SILT_ASYNC, on_written, f)) == SILT_E_BUSY)
			pause_ms(1);
		check(rc, "silt_write_async");
		silt_batch_free(b);
	}
	pthread_mutex_lock(&B.mu);
	while (B.flying)
		pthread_cond_wait(&B.landed, &B.mu);
	pthread_mutex_unlock(&B.mu);
	qsort(B.flights, n, sizeof(B.flights[0]), flight_cmp);
	for (size_t i = 0; i < n; i++) {
		if (B.flights[i].code == SILT_E_BUSY)
			continue;                 /* refused whole by a stall past its bound */
		check(B.flights[i].code, "an asynchronous write");
		model_commit(T.m, B.flights[i].version, B.flights[i].ops, B.flights[i].n);
	}
}

/* ---- reading ------------------------------------------------------------------------------------------------------------------ */

static struct model_slot *copy_slots(void)
{
	struct model_slot *copy = calloc(T.m->n, sizeof(*copy));

	if (!copy)
		model_fail("out of memory");
	memcpy(copy, T.m->slots, T.m->n * sizeof(*copy));
	return copy;
}

static void op_get(void)
{
	const struct held_snapshot *h = &T.snaps[chance(SNAPSHOTS)];
	const silt_snapshot *snap = chance(3) ? NULL : h->snap;
	size_t i = chance(8) ? chance(T.m->n) : chance(20);
	unsigned flags = chance(4) ? 0 : chance(2) ? SILT_CACHED_ONLY : SILT_NO_FILL;
	struct silt_info info;
	int rc;

	rc = silt_get(T.db, T.m->keys[i], snap, flags, &T.value, &info);
	if (rc == SILT_WOULD_BLOCK && flags == SILT_CACHED_ONLY)
		rc = silt_get(T.db, T.m->keys[i], snap, 0, &T.value, &info);
	model_check_get(T.m, snap ? h->slots : T.m->slots, i, T.now_ms, rc, (struct silt_slice){ T.value.data, T.value.len },
	                &info);
}

static void op_get_pinned(void)
{
	const struct held_snapshot *h = &T.snaps[chance(SNAPSHOTS)];
	const silt_snapshot *snap = chance(3) ? NULL : h->snap;
	struct held_pin *p = &T.pins[chance(PINS)];
	size_t i = chance(8) ? chance(T.m->n) : chance(20);
	struct silt_info info;
	int rc;

	/* what was pinned is still what it was, whatever became of its key and of the table that had it */
	if (p->pin.value.len != p->slot.value_len ||
	    (p->slot.value_len && memcmp(p->pin.value.data, model_value(&p->slot, T.m->scratch).data, p->slot.value_len) != 0))
		model_fail("a pinned value changed");
	rc = silt_get_pinned(T.db, T.m->keys[i], snap, chance(2) ? 0 : SILT_NO_FILL, &p->pin, &info);
	model_check_get(T.m, snap ? h->slots : T.m->slots, i, T.now_ms, rc, p->pin.value, &info);
	p->slot = (struct model_slot){ 0 };
	if (rc == 0)
		p->slot = (snap ? h->slots : T.m->slots)[i];
}

static void op_multi_get(void)
{
	const struct held_snapshot *h = &T.snaps[chance(SNAPSHOTS)];
	const silt_snapshot *snap = chance(3) ? NULL : h->snap;
	struct silt_lookup items[MULTI_MAX];
	struct silt_buf values[MULTI_MAX] = { 0 };
	struct silt_info infos[MULTI_MAX];
	size_t keys[MULTI_MAX], n = 1 + chance(chance(4) ? 8 : MULTI_MAX);

	for (size_t k = 0; k < n; k++) {
		keys[k] = chance(8) ? chance(T.m->n) : chance(20);
		items[k] = (struct silt_lookup){ T.m->keys[keys[k]], &values[k], &infos[k], 0 };
	}
	check(silt_multi_get(T.db, snap, chance(3) ? 0 : SILT_NO_FILL, items, n), "silt_multi_get");
	for (size_t k = 0; k < n; k++) {
		model_check_get(T.m, snap ? h->slots : T.m->slots, keys[k], T.now_ms, items[k].code,
		                (struct silt_slice){ values[k].data, values[k].len }, &infos[k]);
		silt_buf_free(&values[k]);
	}
}

static struct silt_slice random_bound(uint8_t *buf)
{
	return random_bound_near(chance(T.m->n), buf);
}

/* Each live key is stored at least once. */
static void op_approximate(void)
{
	uint8_t lower[SILT_KEY_MAX], upper[SILT_KEY_MAX];
	struct silt_slice from = random_bound(lower), to = random_bound(upper);
	struct silt_estimate e;
	uint64_t live = 0;

	check(silt_approximate(T.db, from, to, &e), "silt_approximate");
	for (size_t i = model_find(T.m, from), end = model_find(T.m, to); i < end; i++)
		live += model_live(&T.m->slots[i], T.now_ms);
	if (e.entries < e.entries_low || e.entries > e.entries_high || live > e.entries_high || e.disk_bytes < e.disk_bytes_low ||
	    e.disk_bytes > e.disk_bytes_high)
		model_fail("silt_approximate: %" PRIu64 " in %" PRIu64 "..%" PRIu64 " entries for %" PRIu64 " keys", e.entries, e.entries_low,
		           e.entries_high, live);
}

static void op_snapshot(void)
{
	struct held_snapshot *h = &T.snaps[chance(SNAPSHOTS)];

	silt_snapshot_free(h->snap);
	free(h->slots);
	*h = (struct held_snapshot){ 0 };
	if (chance(3) == 0)
		return;
	check(silt_snapshot_new(T.db, &h->snap), "silt_snapshot_new");
	h->slots = copy_slots();
	if (silt_snapshot_version(h->snap) < T.m->last_version)
		model_fail("a snapshot of version %" PRIu64 " after %" PRIu64, silt_snapshot_version(h->snap), T.m->last_version);
}

/* Steps that ran out of budget go on in the direction of the move. */
static int finish_move(silt_iter *it, int rc, bool forward)
{
	while (rc == SILT_TRY_AGAIN)
		rc = forward ? silt_iter_next(it) : silt_iter_prev(it);
	return rc;
}

static void expect_at(struct held_iter *h, int rc, size_t at)
{
	h->at = at;
	if (rc != (at == SIZE_MAX ? SILT_END : 0))
		model_fail("an iterator move: %s, the twin at key %zd", silt_strerror(rc), (ptrdiff_t)at);
	if (rc == 0)
		model_check_entry(T.m, h->slots, at, h->it);
}

static size_t clamp(size_t i, size_t lo, size_t hi)
{
	return i < lo ? lo : i > hi ? hi : i;
}

/* To somewhere: an end, or a key. */
static void iter_place(struct held_iter *h)
{
	uint64_t how = chance(5);
	uint8_t buf[SILT_KEY_MAX];
	struct silt_slice key = random_bound(buf);
	size_t i = clamp(model_find(T.m, key), h->lo, h->hi), at;
	int rc;

	h->forward = how == 0 || how >= 3;
	if (how == 0) {
		rc = silt_iter_first(h->it);
		at = model_next_live(h->slots, h->lo, h->hi, h->now_ms);
	} else if (how == 1) {
		rc = silt_iter_last(h->it);
		at = h->hi > h->lo ? model_prev_live(h->slots, h->hi - 1, h->lo, h->now_ms) : SIZE_MAX;
	} else if (how == 2) {
		rc = silt_iter_seek_prev(h->it, key);
		if (!(i < h->hi && T.m->keys[i].len == key.len && memcmp(T.m->keys[i].data, key.data, key.len) == 0))
			i--;
		at = h->hi > h->lo ? model_prev_live(h->slots, i, h->lo, h->now_ms) : SIZE_MAX;
	} else {
		rc = silt_iter_seek(h->it, key);
		at = model_next_live(h->slots, i, h->hi, h->now_ms);
	}
	expect_at(h, finish_move(h->it, rc, h->forward), at);
}

static void iter_step(struct held_iter *h)
{
	if (chance(12) == 0)
		h->forward = !h->forward;
	if (h->forward)
		expect_at(h, finish_move(h->it, silt_iter_next(h->it), true),
		          model_next_live(h->slots, h->at + 1, h->hi, h->now_ms));
	else
		expect_at(h, finish_move(h->it, silt_iter_prev(h->it), false),
		          model_prev_live(h->slots, h->at - 1, h->lo, h->now_ms));
}

static void iter_open(struct held_iter *h)
{
	const struct held_snapshot *s = &T.snaps[chance(SNAPSHOTS)];
	struct silt_iter_options o = { .snapshot = chance(3) ? NULL : s->snap, .flags = chance(3) ? 0 : SILT_NO_FILL };
	uint8_t lower[SILT_KEY_MAX], upper[SILT_KEY_MAX];

	*h = (struct held_iter){ .lo = 0, .hi = T.m->n, .now_ms = T.now_ms };
	if (chance(3) == 0) {
		o.lower = random_bound(lower);
		h->lo = model_find(T.m, o.lower);
	}
	if (chance(3) == 0) {
		o.upper = random_bound(upper);
		h->hi = model_find(T.m, o.upper);
	}
	if (h->hi < h->lo)
		h->hi = h->lo;
	o.max_steps = chance(4) ? 0 : 1 + chance(30);
	h->slots = copy_slots();
	if (o.snapshot)
		memcpy(h->slots, s->slots, T.m->n * sizeof(*h->slots));
	check(silt_iter_new(T.db, &o, &h->it), "silt_iter_new");
	iter_place(h);
}

static void iter_close_held(struct held_iter *h)
{
	silt_iter_close(h->it);
	free(h->slots);
	*h = (struct held_iter){ 0 };
}

/* Opened, moved a little now and then while the store goes on, closed. */
static void op_iter(void)
{
	struct held_iter *h = &T.iters[chance(ITERS)];

	if (!h->it)
		iter_open(h);
	else if (chance(8) == 0)
		iter_close_held(h);
	for (uint64_t steps = chance(20); h->it && steps > 0; steps--) {
		if (h->at == SIZE_MAX || chance(15) == 0)
			iter_place(h);
		else
			iter_step(h);
	}
}

/* ---- the rest ---------------------------------------------------------------------------------------------------------------------- */

/* What expired after an iterator's own time is kept for it only as long as the grace of compaction. */
static void op_clock(void)
{
	uint64_t now = T.now_ms + chance(chance(20) ? 5000 : 120000);

	for (size_t i = 0; i < ITERS; i++)
		if (T.iters[i].it && now - T.iters[i].now_ms > CLOCK_GRACE_MS)
			iter_close_held(&T.iters[i]);
	set_clock(now);
}

static void op_flush(void)
{
	uint64_t version = T.m->last_version;

	check(silt_flush(T.db), "silt_flush");
	acknowledge(version);
	T.flushes++;
}

static void op_compact(void)
{
	check(silt_compact(T.db), "silt_compact");
	T.compactions++;
}

static void op_compact_range(void)
{
	uint8_t lower[SILT_KEY_MAX], upper[SILT_KEY_MAX];
	struct silt_slice from = chance(3) ? random_bound(lower) : (struct silt_slice){ 0 };
	struct silt_slice to = chance(3) ? random_bound(upper) : (struct silt_slice){ 0 };

	check(silt_compact_range(T.db, from, to), "silt_compact_range");
	T.compactions++;
}

static void op_sync(void)
{
	uint64_t version = T.m->last_version;

	check(silt_sync(T.db), "silt_sync");
	acknowledge(version);
}

static void op_compare(void)
{
	const struct held_snapshot *h = &T.snaps[chance(SNAPSHOTS)];

	model_check_all(T.m, T.m->slots, T.db, NULL, T.now_ms);
	if (h->snap)
		model_check_all(T.m, h->slots, T.db, h->snap, T.now_ms);
	T.compared++;
}

static void op_changes(void)
{
	follow(T.db);
}

static void op_verify(void)
{
	check(silt_verify(T.db, NULL, NULL), "silt_verify");
}

/* A checkpoint opens as a store that equals the twin, and takes a write of its own. */
static void op_checkpoint(void)
{
	struct silt_options o = options();
	char path[512];
	uint64_t version = 0;
	silt_db *copy = NULL;

	int rc = silt_checkpoint(T.db, "twin", &version);

	if (rc == SILT_CONFLICT) {                /* a crash came before it was removed */
		check(silt_checkpoint_remove(T.db, "twin"), "silt_checkpoint_remove");
		rc = silt_checkpoint(T.db, "twin", &version);
	}
	check(rc, "silt_checkpoint");
	acknowledge(T.m->last_version);
	if (version > T.m->last_version)
		model_fail("a checkpoint of version %" PRIu64 " after %" PRIu64, version, T.m->last_version);
	snprintf(path, sizeof(path), "%s/checkpoints/twin", T.dir);
	o.create = false;
	o.read_only = chance(3) == 0;
	check(silt_open(path, &o, &copy), "silt_open of a checkpoint");
	model_check_all(T.m, T.m->slots, copy, NULL, T.now_ms);
	if (!o.read_only)
		check(silt_put(copy, T.m->keys[0], T.m->keys[0], NULL), "silt_put in a checkpoint");
	check(silt_close(copy), "silt_close of a checkpoint");
	check(silt_checkpoint_remove(T.db, "twin"), "silt_checkpoint_remove");
	T.checkpoints++;
}

static void op_crash(void)
{
	if (T.sim && !T.armed)
		arm_crash(60);
}

/* Shares of ten thousand. */
static const struct {
	unsigned share;
	void (*run)(void);
} operations[] = {
	{ 2400, op_write }, { 1000, op_simple }, { 1200, op_conditional }, { 100, op_burst }, { 2800, op_get }, { 900, op_iter },
	{ 100, op_snapshot }, { 200, op_clock }, { 60, op_sync }, { 20, op_flush }, { 3, op_compact }, { 6, op_compact_range }, { 12, op_compare },
	{ 150, op_range }, { 20, op_cut },
	{ 300, op_get_pinned }, { 100, op_multi_get },
	{ 400, op_add }, { 100, op_take }, { 20, op_approximate },
	{ 2, op_verify }, { 3, op_too_big }, { 6, reopen }, { 4, op_checkpoint }, { 8, op_ingest }, { 30, op_changes }, { 12, op_crash },
};

static void step(void)
{
	uint64_t dice = chance(10000);
	size_t i = 0;

	while (i + 1 < sizeof(operations) / sizeof(operations[0]) && dice >= operations[i].share)
		dice -= operations[i++].share;
	operations[i].run();
	if (atomic_load(&T.crashed))
		reopen_after_crash();
}

static void usage(void)
{
	fprintf(stderr, "usage: twin [--ops N] [--seed S] [--disk sim|posix]\n");
	exit(2);
}

static void parse(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "ops", required_argument, NULL, 'o' }, { "seed", required_argument, NULL, 's' },
		{ "disk", required_argument, NULL, 'd' }, { 0 },
	};
	const char *seed = getenv("SILT_SEED");
	int c;

	T.sim = true;
	T.ops = OPS * (uint64_t)test_scale();
	T.seed = seed ? strtoull(seed, NULL, 0) : 1;
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'o')
			T.ops = strtoull(optarg, NULL, 0);
		else if (c == 's')
			T.seed = strtoull(optarg, NULL, 0);
		else if (c == 'd' && (strcmp(optarg, "sim") == 0 || strcmp(optarg, "posix") == 0))
			T.sim = optarg[0] == 's';
		else
			usage();
	}
	if (optind != argc || T.ops == 0 || T.seed == 0)
		usage();
}

static void begin(void)
{
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
	set_clock(T.now_ms);
	open_store();
}

static void end(void)
{
	op_compare();
	reopen();
	close_store();
	silt_buf_free(&T.value);
	model_free(T.m);
	if (T.sim) {
		if (T.crashed)
			simdisk_free(T.crashed);
		simdisk_free(T.disk);
		free(T.dir);
	} else {
		test_rmdir(T.dir);
	}
}

int main(int argc, char **argv)
{
	parse(argc, argv);
	printf("twin: %" PRIu64 " operations on the %s disk, seed %" PRIu64 "\n", T.ops, T.sim ? "simulated" : "posix", T.seed);
	fflush(stdout);
	model_on_fail = keep_before;
	snprintf(model_context, sizeof(model_context), "twin --seed %" PRIu64 ", opening", T.seed);
	begin();
	for (T.op = 1; T.op <= T.ops; T.op++) {
		snprintf(model_context, sizeof(model_context), "twin --seed %" PRIu64 ", operation %" PRIu64, T.seed, T.op);
		step();
	}
	end();
	printf("twin: %" PRIu64 " crashes (%" PRIu64 " while opening), %" PRIu64 " reopens, %" PRIu64 " read-only, %" PRIu64
	       " unacknowledged commits lost; %" PRIu64 " conflicts, %" PRIu64 " bursts, %" PRIu64 " range deletes, %" PRIu64 " retries, %" PRIu64
	       " flushes, %" PRIu64 " compactions and %" PRIu64 " checkpoints asked for, %" PRIu64 " ingests, %" PRIu64 " comparisons in full, %" PRIu64 " looks at the changes: agreed\n",
	       T.crashes, T.crashes_in_open, T.reopens, T.read_only, T.undone, T.conflicts, T.bursts, T.ranges, T.retries, T.flushes,
	       T.compactions, T.checkpoints, T.ingests, T.compared, T.looks);
	printf("twin: %" PRIu64 " adds\n", T.adds);
	return 0;
}
