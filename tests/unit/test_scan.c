/* SPDX-License-Identifier: Apache-2.0 */
/* test_scan.c - iterators over memtable, level 0 and leveled tables at once, against an array that knows what is live. */
#include "lib/test.h"

#include <time.h>

#include "lib/dbkit.h"

enum { KEYS = 300, VALUE = 280 };
static const uint64_t scan_now = UINT64_C(1700000000000);

struct scan_twin {
	bool live[KEYS];
	unsigned value[KEYS];             /* what it was written with */
};

struct scan {
	struct dbkit k;
	struct scan_twin t;
	unsigned writes;
	uint64_t random;
};

static const char *scan_key(size_t i)
{
	static char text[8][16];
	static unsigned at;
	char *p = text[at++ % 8];

	snprintf(p, 16, "k%03zu", i);
	return p;
}

/* Every sixth is deleted (at a fourth, a compaction would come), every fifth expires before anybody looks. */
static void scan_write(struct scan *s, size_t i)
{
	struct silt_put_options po = { .meta = STR("m") };
	unsigned n = ++s->writes;
	char value[VALUE + 1];
	silt_batch *b;

	assert_int_equal(silt_batch_new(&b), 0);
	snprintf(value, sizeof(value), "%0*u", VALUE, n);
	s->t.live[i] = n % 6 && n % 5;
	s->t.value[i] = n;
	if (n % 5 == 0)
		po.expires_ms = scan_now + 1000;
	else if (n % 2)
		po.expires_ms = scan_now + 1000000;
	if (n % 6)
		assert_int_equal(silt_batch_put(b, STR(scan_key(i)), STR(value), &po, 0), 0);
	else
		assert_int_equal(silt_batch_delete(b, STR(scan_key(i)), 0), 0);
	assert_int_equal(silt_write(s->k.db, b, SILT_ASYNC, NULL), 0);
	silt_batch_free(b);
}

static void scan_write_some(struct scan *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		scan_write(s, test_random(&s->random) % KEYS);
}

/* All keys at the bottom, in several tables; then three tables in level 0, a sealed segment's worth, and the memtable. */
static void scan_begin(struct scan *s)
{
	struct silt_stats st;

	memset(s, 0, sizeof(*s));
	s->random = test_seed(7);
	dbkit_init(&s->k);
	s->k.opts.compaction_trigger = 64;
	s->k.opts.memtable_size = 1 << 20;
	s->k.opts.compression = s->k.opts.compression_bottom = SILT_COMPRESS_NONE;
	simdisk_set_clock(s->k.disk, scan_now);
	assert_int_equal(dbkit_open(&s->k), 0);
	for (size_t i = 0; i < KEYS; i++)
		scan_write(s, i * 7 % KEYS);
	assert_int_equal(silt_compact(s->k.db), 0);
	for (int i = 0; i < 3; i++) {
		scan_write_some(s, 60);
		assert_int_equal(silt_flush(s->k.db), 0);
	}
	scan_write_some(s, 60);
	simdisk_set_clock(s->k.disk, scan_now + 5000);
	silt_stats(s->k.db, &st);
	assert_int_equal(st.tables[0], 3);
	assert_true(st.tables[1] + st.tables[2] + st.tables[3] + st.tables[4] + st.tables[5] + st.tables[6] > 0);
	assert_true(st.memtable_entries > 0);
}

static size_t scan_next_live(const struct scan_twin *t, size_t i, size_t end)
{
	while (i < end && !t->live[i])
		i++;
	return i;
}

/* The last live one before i, not before begin; SIZE_MAX = none. */
static size_t scan_prev_live(const struct scan_twin *t, size_t i, size_t begin)
{
	while (i > begin)
		if (t->live[--i])
			return i;
	return SIZE_MAX;
}

static void scan_stands_on(const struct scan_twin *t, const silt_iter *it, size_t i)
{
	struct silt_slice key = silt_iter_key(it), value = silt_iter_value(it);
	struct silt_info info;
	char text[VALUE + 1];

	snprintf(text, sizeof(text), "%0*u", VALUE, t->value[i]);
	assert_int_equal(key.len, 4);
	assert_memory_equal(key.data, scan_key(i), 4);
	assert_int_equal(value.len, VALUE);
	assert_memory_equal(value.data, text, VALUE);
	silt_iter_info(it, &info);
	assert_int_equal(info.meta_len, 1);
	assert_int_equal(info.meta[0], 'm');
	assert_int_equal(info.expires_ms, t->value[i] % 2 ? scan_now + 1000000 : 0);
	assert_true(info.version > 0 && info.version <= silt_iter_version(it));
}

/* i: where it must stand; `none` (end or SIZE_MAX): rc must be the end. */
static bool scan_expect(const struct scan_twin *t, const silt_iter *it, int rc, size_t i, size_t none)
{
	if (i == none) {
		assert_int_equal(rc, SILT_END);
		return false;
	}
	assert_int_equal(rc, 0);
	scan_stands_on(t, it, i);
	return true;
}

static silt_iter *scan_iter(struct scan *s, const struct silt_iter_options *o)
{
	silt_iter *it;

	assert_int_equal(silt_iter_new(s->k.db, o, &it), 0);
	return it;
}

/* Forward and backward between two keys, whatever budget; returns how often it was spent. */
static size_t scan_range(struct scan *s, const struct scan_twin *t, size_t lo, size_t hi, const struct silt_iter_options *o)
{
	silt_iter *it = scan_iter(s, o);
	size_t i = scan_next_live(t, lo, hi), tries = 0;
	int rc;

	for (rc = silt_iter_first(it);; rc = silt_iter_next(it)) {
		for (; rc == SILT_TRY_AGAIN; tries++)
			rc = silt_iter_next(it);
		if (!scan_expect(t, it, rc, i, hi))
			break;
		i = scan_next_live(t, i + 1, hi);
	}
	i = scan_prev_live(t, hi, lo);
	for (rc = silt_iter_last(it);; rc = silt_iter_prev(it)) {
		for (; rc == SILT_TRY_AGAIN; tries++)
			rc = silt_iter_prev(it);
		if (!scan_expect(t, it, rc, i, SIZE_MAX))
			break;
		i = scan_prev_live(t, i, lo);
	}
	silt_iter_close(it);
	return tries;
}

/* ---- all of it --------------------------------------------------------------------------------------------------------------- */

static void test_scan__forward_and_backward(void **state)
{
	struct scan s;

	(void)state;
	scan_begin(&s);
	assert_int_equal(scan_range(&s, &s.t, 0, KEYS, NULL), 0);
	assert_int_equal(silt_flush(s.k.db), 0);
	scan_range(&s, &s.t, 0, KEYS, NULL);
	assert_int_equal(silt_compact(s.k.db), 0);
	scan_range(&s, &s.t, 0, KEYS, &(struct silt_iter_options){ .flags = SILT_NO_FILL });
	assert_int_equal(dbkit_close(&s.k), 0);
	assert_int_equal(dbkit_open(&s.k), 0);
	scan_range(&s, &s.t, 0, KEYS, NULL);
	dbkit_fini(&s.k);
}

static void test_scan__bounds(void **state)
{
	struct scan s;

	(void)state;
	scan_begin(&s);
	for (int round = 0; round < 150; round++) {
		size_t lo = test_random(&s.random) % KEYS, hi = test_random(&s.random) % (KEYS + 1);
		struct silt_iter_options o = { 0 };
		char lower[16], upper[16];

		strcpy(lower, scan_key(lo));
		strcpy(upper, scan_key(hi));
		o.lower = STR(lower);
		o.upper = STR(upper);
		scan_range(&s, &s.t, lo, hi < lo ? lo : hi, &o);
		o.lower = (struct silt_slice){ 0 };
		scan_range(&s, &s.t, 0, hi, &o);
		o.lower = o.upper;
		o.upper = (struct silt_slice){ 0 };
		scan_range(&s, &s.t, hi, KEYS, &o);
	}
	dbkit_fini(&s.k);
}

/* An upper bound of no bytes: nothing is below it. */
static void test_scan__nothing_is_below_the_empty_key(void **state)
{
	struct scan s;
	silt_iter *it;

	(void)state;
	scan_begin(&s);
	it = scan_iter(&s, &(struct silt_iter_options){ .upper = { "", 0 } });
	assert_int_equal(silt_iter_first(it), SILT_END);
	assert_int_equal(silt_iter_last(it), SILT_END);
	assert_int_equal(silt_iter_seek(it, STR("k100")), SILT_END);
	assert_int_equal(silt_iter_seek_prev(it, STR("k100")), SILT_END);
	silt_iter_close(it);
	dbkit_fini(&s.k);
}

static void test_scan__seeks(void **state)
{
	struct scan s;

	(void)state;
	scan_begin(&s);
	for (int bounded = 0; bounded < 2; bounded++) {
		size_t lo = bounded ? 50 : 0, hi = bounded ? 200 : KEYS;
		struct silt_iter_options o = { 0 };
		silt_iter *it;

		if (bounded) {
			o.lower = STR(scan_key(lo));
			o.upper = STR(scan_key(hi));
		}
		it = scan_iter(&s, &o);
		for (size_t i = 0; i < KEYS; i++) {
			size_t after = i + 1, from = i < lo ? lo : i, behind = after < lo ? lo : after;
			size_t to = after > hi ? hi : after;
			char between[16];

			snprintf(between, sizeof(between), "%sx", scan_key(i));
			scan_expect(&s.t, it, silt_iter_seek(it, STR(scan_key(i))),
			            from < hi ? scan_next_live(&s.t, from, hi) : hi, hi);
			scan_expect(&s.t, it, silt_iter_seek(it, STR(between)),
			            behind < hi ? scan_next_live(&s.t, behind, hi) : hi, hi);
			scan_expect(&s.t, it, silt_iter_seek_prev(it, STR(scan_key(i))), scan_prev_live(&s.t, to, lo), SIZE_MAX);
			scan_expect(&s.t, it, silt_iter_seek_prev(it, STR(between)), scan_prev_live(&s.t, to, lo), SIZE_MAX);
		}
		scan_expect(&s.t, it, silt_iter_seek(it, STR("a")), scan_next_live(&s.t, lo, hi), hi);
		assert_int_equal(silt_iter_seek_prev(it, STR("a")), SILT_END);
		assert_int_equal(silt_iter_seek(it, STR("z")), SILT_END);
		scan_expect(&s.t, it, silt_iter_seek_prev(it, STR("z")), scan_prev_live(&s.t, hi, lo), SIZE_MAX);
		silt_iter_close(it);
	}
	dbkit_fini(&s.k);
}

/* ---- to and fro, while the store goes on ---------------------------------------------------------------------------------------- */

/* A walk of random steps over what was there when the iterator was made. `disturb` may write, flush and compact between any two. */
static void scan_walk(struct scan *s, const struct scan_twin *then, silt_iter *it, int steps, void (*disturb)(struct scan *s))
{
	size_t at = 0;
	bool on = false;

	for (int n = 0; n < steps; n++) {
		uint64_t dice = test_random(&s->random) % 16;
		int rc;

		if (disturb)
			disturb(s);
		if (!on || dice == 0) {
			at = test_random(&s->random) % KEYS;
			if (dice % 2) {
				rc = silt_iter_seek_prev(it, STR(scan_key(at)));
				at = scan_prev_live(then, at + 1, 0);
				on = scan_expect(then, it, rc, at, SIZE_MAX);
			} else {
				rc = silt_iter_seek(it, STR(scan_key(at)));
				at = scan_next_live(then, at, KEYS);
				on = scan_expect(then, it, rc, at, KEYS);
			}
		} else if (dice % 2) {
			rc = silt_iter_next(it);
			at = scan_next_live(then, at + 1, KEYS);
			on = scan_expect(then, it, rc, at, KEYS);
		} else {
			rc = silt_iter_prev(it);
			at = scan_prev_live(then, at, 0);
			on = scan_expect(then, it, rc, at, SIZE_MAX);
		}
	}
}

static void test_scan__it_turns_anywhere(void **state)
{
	struct scan s;
	silt_iter *it;

	(void)state;
	scan_begin(&s);
	it = scan_iter(&s, NULL);
	scan_walk(&s, &s.t, it, 5000, NULL);
	silt_iter_close(it);
	dbkit_fini(&s.k);
}

static void scan_disturb(struct scan *s)
{
	uint64_t dice = test_random(&s->random) % 64;

	if (dice < 32)
		scan_write_some(s, 3);
	else if (dice < 36)
		assert_int_equal(silt_flush(s->k.db), 0);
	else if (dice < 37)
		assert_int_equal(silt_compact(s->k.db), 0);
}

static void test_scan__it_stays_at_its_version_whatever_comes(void **state)
{
	struct scan_twin then, now;
	silt_snapshot *snap;
	struct scan s;
	silt_iter *old, *it;
	size_t turns = 0;

	(void)state;
	scan_begin(&s);
	then = s.t;
	assert_int_equal(silt_snapshot_new(s.k.db, &snap), 0);
	old = scan_iter(&s, &(struct silt_iter_options){ .snapshot = snap });
	assert_int_equal(silt_iter_version(old), silt_snapshot_version(snap));
	for (int round = 0; round < 3; round++) {
		now = s.t;
		it = scan_iter(&s, NULL);
		scan_walk(&s, &now, it, 200, scan_disturb);
		silt_iter_close(it);
		scan_walk(&s, &then, old, 200, scan_disturb);
		scan_range(&s, &then, 0, KEYS, &(struct silt_iter_options){ .snapshot = snap });
		scan_range(&s, &s.t, 0, KEYS, NULL);
	}
	/* budgets spent in between, too */
	it = scan_iter(&s, &(struct silt_iter_options){ .snapshot = snap, .max_steps = 3 });
	for (int forward = 0; forward < 2; forward++) {
		size_t i = forward ? scan_next_live(&then, 0, KEYS) : scan_prev_live(&then, KEYS, 0);
		int rc = forward ? silt_iter_first(it) : silt_iter_last(it);

		for (;; rc = forward ? silt_iter_next(it) : silt_iter_prev(it)) {
			scan_disturb(&s);
			if (rc == SILT_TRY_AGAIN) {
				turns++;
				continue;
			}
			if (!scan_expect(&then, it, rc, i, forward ? KEYS : SIZE_MAX))
				break;
			i = forward ? scan_next_live(&then, i + 1, KEYS) : scan_prev_live(&then, i, 0);
		}
	}
	assert_true(turns > 50);
	silt_iter_close(it);
	silt_iter_close(old);
	silt_snapshot_free(snap);
	dbkit_fini(&s.k);
}

/* The snapshot of a store that held nothing shows nothing, ever. */
static void test_scan__the_snapshot_of_an_empty_store(void **state)
{
	silt_snapshot *snap;
	silt_iter *it;
	struct dbkit k;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(silt_snapshot_new(k.db, &snap), 0);
	assert_int_equal(silt_snapshot_version(snap), 0);
	assert_int_equal(dbkit_put(&k, "later", "v"), 0);
	for (int flushed = 0; flushed < 2; flushed++) {
		assert_int_equal(silt_get(k.db, STR("later"), snap, 0, NULL, NULL), SILT_NOTFOUND);
		assert_int_equal(silt_iter_new(k.db, &(struct silt_iter_options){ .snapshot = snap }, &it), 0);
		assert_int_equal(silt_iter_version(it), 0);
		assert_int_equal(silt_iter_first(it), SILT_END);
		assert_int_equal(silt_iter_last(it), SILT_END);
		silt_iter_close(it);
		assert_int_equal(silt_flush(k.db), 0);
	}
	silt_snapshot_free(snap);
	dbkit_fini(&k);
}

/* ---- the budget ------------------------------------------------------------------------------------------------------------------- */

static void test_scan__any_budget_gives_the_same(void **state)
{
	static const uint64_t budgets[] = { 1, 2, 3, 5, 17, 1000 };
	struct scan s;
	size_t last = SIZE_MAX;

	(void)state;
	scan_begin(&s);
	for (size_t i = 0; i < sizeof(budgets) / sizeof(*budgets); i++) {
		struct silt_iter_options o = { .max_steps = budgets[i] };
		size_t tries = scan_range(&s, &s.t, 0, KEYS, &o);

		assert_true(tries <= last);
		last = tries;
		o.lower = STR(scan_key(40));
		o.upper = STR(scan_key(60));
		scan_range(&s, &s.t, 40, 60, &o);
	}
	assert_int_equal(last, 0);
	dbkit_fini(&s.k);
}

/* A thousand tombstones, and a call that looks at ten: it comes back a hundred times, and turning under way is misuse. */
static void test_scan__dead_entries_cost_budget(void **state)
{
	struct dbkit k;
	silt_iter *it;
	silt_batch *b;
	char key[16];
	int rc;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "a", "first"), 0);
	assert_int_equal(dbkit_put(&k, "z", "last"), 0);
	assert_int_equal(silt_batch_new(&b), 0);
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "m%04d", i);
		assert_int_equal(silt_batch_delete(b, STR(key), 0), 0);
	}
	assert_int_equal(silt_write(k.db, b, 0, NULL), 0);
	silt_batch_free(b);
	assert_int_equal(silt_iter_new(k.db, &(struct silt_iter_options){ .max_steps = 10 }, &it), 0);
	for (int forward = 0; forward < 2; forward++) {
		int turns = 0;

		for (rc = forward ? silt_iter_first(it) : silt_iter_last(it); rc == SILT_TRY_AGAIN;)
			rc = forward ? silt_iter_next(it) : silt_iter_prev(it);
		assert_int_equal(rc, 0);
		assert_memory_equal(silt_iter_key(it).data, forward ? "a" : "z", 1);
		while ((rc = forward ? silt_iter_next(it) : silt_iter_prev(it)) == SILT_TRY_AGAIN) {
			turns++;
			assert_int_equal(forward ? silt_iter_prev(it) : silt_iter_next(it), SILT_E_MISUSE);
		}
		assert_int_equal(rc, 0);
		assert_memory_equal(silt_iter_key(it).data, forward ? "z" : "a", 1);
		assert_true(turns >= 99 && turns <= 102);
	}
	silt_iter_close(it);
	/* an end below them: they are not even looked at */
	assert_int_equal(silt_iter_new(k.db, &(struct silt_iter_options){ .upper = STR("m"), .max_steps = 10 }, &it), 0);
	assert_int_equal(silt_iter_first(it), 0);
	assert_int_equal(silt_iter_next(it), SILT_END);
	assert_int_equal(silt_iter_last(it), 0);
	assert_int_equal(silt_iter_prev(it), SILT_END);
	silt_iter_close(it);
	dbkit_fini(&k);
}

/* ---- misuse, age, damage ----------------------------------------------------------------------------------------------------------- */

static void test_scan__it_stands_nowhere_until_moved(void **state)
{
	struct scan s;
	silt_iter *it;

	(void)state;
	scan_begin(&s);
	it = scan_iter(&s, NULL);
	assert_int_equal(silt_iter_next(it), SILT_E_MISUSE);
	assert_int_equal(silt_iter_prev(it), SILT_E_MISUSE);
	assert_int_equal(silt_iter_seek(it, STR("z")), SILT_END);
	assert_int_equal(silt_iter_next(it), SILT_E_MISUSE);
	assert_int_equal(silt_iter_first(it), 0);
	silt_iter_close(it);
	assert_int_equal(silt_iter_new(s.k.db, &(struct silt_iter_options){ .flags = SILT_ASYNC }, &it), SILT_E_MISUSE);
	assert_int_equal(silt_iter_new(NULL, NULL, &it), SILT_E_MISUSE);
	silt_iter_close(NULL);
	dbkit_fini(&s.k);
}

/* ---- large values ----------------------------------------------------------------------------------------------------- */

enum { LARGE_KEYS = 40 };

static size_t large_length(int i)
{
	return (size_t)i * 211 % 4000 + (i % 7 ? 0 : 9000);
}

static void large_write(struct dbkit *k, int i)
{
	static char value[16000];

	memset(value, 'a' + i % 26, large_length(i));
	value[large_length(i)] = '\0';
	assert_int_equal(dbkit_put_async(k, scan_key((size_t)i), value), 0);
}

static void large_expect(const silt_iter *it, int i)
{
	struct silt_slice v = silt_iter_value(it);
	const char *p = v.data;

	assert_int_equal(silt_iter_key(it).len, 4);
	assert_memory_equal(silt_iter_key(it).data, scan_key((size_t)i), 4);
	assert_int_equal(v.len, large_length(i));
	for (size_t at = 0; at < v.len; at++)
		assert_int_equal(p[at], 'a' + i % 26);
}

/* Backwards a value must outlive the move that told that it was its key's last: small ones are copied, large ones pinned. */
static void test_scan__values_of_any_size_backwards(void **state)
{
	struct dbkit k;
	silt_iter *it;

	(void)state;
	dbkit_init(&k);
	k.opts.compression = k.opts.compression_bottom = SILT_COMPRESS_NONE;
	assert_int_equal(dbkit_open(&k), 0);
	for (int i = 0; i < LARGE_KEYS; i++)
		large_write(&k, i);
	assert_int_equal(silt_compact(k.db), 0);
	for (int i = 0; i < LARGE_KEYS; i += 3)         /* the same again, in level 0; and some in memory */
		large_write(&k, i);
	assert_int_equal(silt_flush(k.db), 0);
	for (int i = 0; i < LARGE_KEYS; i += 5)
		large_write(&k, i);
	assert_int_equal(silt_iter_new(k.db, NULL, &it), 0);
	assert_int_equal(silt_iter_last(it), 0);
	for (int i = LARGE_KEYS; i-- > 0;) {
		large_expect(it, i);
		if (i % 4 == 0 && i > 0) {              /* there and back */
			assert_int_equal(silt_iter_prev(it), 0);
			large_expect(it, i - 1);
			assert_int_equal(silt_iter_next(it), 0);
			large_expect(it, i);
		}
		if (i == LARGE_KEYS / 2)                /* what it stands on stays, and the next move is made in a new view */
			assert_int_equal(silt_compact(k.db), 0);
		large_expect(it, i);
		assert_int_equal(silt_iter_prev(it), i ? 0 : SILT_END);
	}
	silt_iter_close(it);
	dbkit_fini(&k);
}

/* The key stood on lies in what a new view takes away. */
static void test_scan__it_seeks_its_own_key(void **state)
{
	struct dbkit k;
	silt_iter *it;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	for (int i = 0; i < LARGE_KEYS; i++)
		large_write(&k, i);
	assert_int_equal(silt_flush(k.db), 0);
	assert_int_equal(silt_iter_new(k.db, NULL, &it), 0);
	assert_int_equal(silt_iter_first(it), 0);
	for (int i = 0; i < LARGE_KEYS; i++) {
		if (i % 8 == 0) {
			large_write(&k, i);
			assert_int_equal(silt_flush(k.db), 0);
		}
		assert_int_equal(i % 2 ? silt_iter_seek(it, silt_iter_key(it)) : silt_iter_seek_prev(it, silt_iter_key(it)), 0);
		large_expect(it, i);
		assert_int_equal(silt_iter_next(it), i + 1 < LARGE_KEYS ? 0 : SILT_END);
	}
	silt_iter_close(it);
	dbkit_fini(&k);
}

static void test_scan__old_ones_expire(void **state)
{
	struct timespec pause = { 0, 30 * 1000000 };
	struct silt_stats st;
	silt_snapshot *snap;
	struct dbkit k;
	silt_iter *it;

	(void)state;
	dbkit_init(&k);
	k.opts.snapshot_max_age_ms = 1;
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "a", "1"), 0);
	assert_int_equal(silt_snapshot_new(k.db, &snap), 0);
	assert_int_equal(silt_iter_new(k.db, NULL, &it), 0);
	silt_stats(k.db, &st);
	assert_int_equal(st.snapshots, 2);
	assert_int_equal(st.iterators, 1);
	nanosleep(&pause, NULL);
	assert_int_equal(silt_iter_first(it), SILT_E_EXPIRED);
	silt_iter_close(it);
	assert_int_equal(silt_iter_new(k.db, &(struct silt_iter_options){ .snapshot = snap }, &it), SILT_E_EXPIRED);
	assert_int_equal(silt_get(k.db, STR("a"), snap, 0, NULL, NULL), SILT_E_EXPIRED);
	silt_snapshot_free(snap);
	silt_stats(k.db, &st);
	assert_int_equal(st.snapshots, 0);
	assert_int_equal(st.iterators, 0);
	dbkit_fini(&k);
}

/* A scan that meets a damaged block ends there with an error: it leaves nothing out. */
static void test_scan__damage_is_an_error_and_no_gap(void **state)
{
	struct dbkit k;
	silt_iter *it;
	char key[16], value[400];
	int rc, n = 0;

	(void)state;
	dbkit_init(&k);
	k.opts.compression = SILT_COMPRESS_NONE;
	k.opts.memtable_size = 1 << 20;
	assert_int_equal(dbkit_open(&k), 0);
	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	for (int i = 0; i < 100; i++) {
		snprintf(key, sizeof(key), "%03d", i);
		value[i] = 'w';
		assert_int_equal(dbkit_put_async(&k, key, value), 0);
	}
	assert_int_equal(silt_flush(k.db), 0);
	assert_int_equal(dbkit_close(&k), 0);
	assert_int_equal(simdisk_flip(k.disk, "db/000001.sst", 20000, 1), 0);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(silt_iter_new(k.db, NULL, &it), 0);
	for (rc = silt_iter_first(it); rc == 0; rc = silt_iter_next(it)) {
		snprintf(key, sizeof(key), "%03d", n++);
		assert_memory_equal(silt_iter_key(it).data, key, 3);
	}
	assert_int_equal(rc, SILT_E_CORRUPT);
	assert_true(n > 10 && n < 90);
	assert_true(dbkit_logged(&k, "000001.sst"));
	n = 100;
	for (rc = silt_iter_last(it); rc == 0; rc = silt_iter_prev(it)) {
		snprintf(key, sizeof(key), "%03d", --n);
		assert_memory_equal(silt_iter_key(it).data, key, 3);
	}
	assert_int_equal(rc, SILT_E_CORRUPT);
	assert_true(n > 10 && n < 90);
	silt_iter_close(it);
	dbkit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scan__forward_and_backward),
		cmocka_unit_test(test_scan__bounds),
		cmocka_unit_test(test_scan__nothing_is_below_the_empty_key),
		cmocka_unit_test(test_scan__seeks),
		cmocka_unit_test(test_scan__it_turns_anywhere),
		cmocka_unit_test(test_scan__it_stays_at_its_version_whatever_comes),
		cmocka_unit_test(test_scan__the_snapshot_of_an_empty_store),
		cmocka_unit_test(test_scan__any_budget_gives_the_same),
		cmocka_unit_test(test_scan__dead_entries_cost_budget),
		cmocka_unit_test(test_scan__it_stands_nowhere_until_moved),
		cmocka_unit_test(test_scan__values_of_any_size_backwards),
		cmocka_unit_test(test_scan__it_seeks_its_own_key),
		cmocka_unit_test(test_scan__old_ones_expire),
		cmocka_unit_test(test_scan__damage_is_an_error_and_no_gap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
