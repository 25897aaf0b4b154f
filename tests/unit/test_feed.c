/* SPDX-License-Identifier: Apache-2.0 */
/* test_feed.c - who waits for changes is woken by those that are for him, by his deadline, by leaving and by the end, and once. */
#include "lib/storekit.h"

#include "server/feed.h"

#include <semaphore.h>
#include <unistd.h>

struct waiter {
	struct feed_wait wait;        /* first */
	struct request r;
	sem_t woken;
	_Atomic int times;
};

static struct store *store;
static char *dir;

static void waiter_woken(struct feed_wait *w)
{
	struct waiter *x = (struct waiter *)(void *)w;

	atomic_fetch_add(&x->times, 1);
	sem_post(&x->woken);
}

static void waiter_init(struct waiter *x, const char *lower, const char *upper, uint64_t version, uint64_t wait_ms)
{
	memset(x, 0, sizeof(*x));
	assert_int_equal(sem_init(&x->woken, 0, 0), 0);
	x->wait.r = &x->r;
	x->wait.wake = waiter_woken;
	x->wait.lower = span_str(lower);
	x->wait.upper = span_str(upper);
	x->wait.version = version;
	x->wait.deadline_ms = feed_now_ms() + wait_ms;
}

static void waiter_await(struct waiter *x)
{
	while (sem_wait(&x->woken) < 0)
		;
	assert_int_equal(atomic_load(&x->times), 1);
	atomic_store(&x->times, 0);
}

static void write_done(void *ctx, const struct store_outcome *o)
{
	assert_int_equal(o->code, STORE_OK);
	sem_post(ctx);
}

static uint64_t newest(void)
{
	uint64_t version;

	store->ops->changes_reach(store, NULL, &version);
	return version;
}

static void put(const char *key)
{
	struct store_write w = { .op = STORE_PUT, .key = span_str(key), .value = span_str("v") };
	sem_t done;

	assert_int_equal(sem_init(&done, 0, 0), 0);
	assert_int_equal(store->ops->write(store, &w, 0, write_done, &done), STORE_OK);
	while (sem_wait(&done) < 0)
		;
}

static struct feed *start(void)
{
	struct store_engine_options o;
	struct feed *f;

	alarm(300);
	dir = test_mkdir();
	o = storekit_small(dir);
	o.wal_segment_size = 1u << 20;
	assert_int_equal(store_engine_open(&o, &store), STORE_OK);
	assert_int_equal(feed_new(store, &f), 0);
	return f;
}

static void end(struct feed *f)
{
	feed_free(f);
	assert_int_equal(store->ops->close(store), STORE_OK);
	test_rmdir(dir);
	alarm(0);
}

static void test_feed__a_change_wakes_those_whom_it_is_for(void **state)
{
	struct waiter all, range, other;
	struct feed *f = start();

	(void)state;
	waiter_init(&all, "", "", newest(), 1000000);
	waiter_init(&range, "b", "c", newest(), 1000000);
	waiter_init(&other, "x", "y", newest(), 1000000);
	assert_true(feed_park(f, &all.wait));
	assert_true(feed_park(f, &range.wait));
	assert_true(feed_park(f, &other.wait));
	assert_int_equal(feed_parked(f), 3);
	put("a");
	waiter_await(&all);
	assert_true(all.wait.in_time);
	put("b1");
	waiter_await(&range);
	assert_int_equal(feed_parked(f), 1);
	assert_int_equal(atomic_load(&other.times), 0);
	put("x1");
	waiter_await(&other);
	assert_int_equal(other.wait.version, newest() - 1);        /* it reads that one change, and not what was hidden from it */
	assert_int_equal(range.wait.version, newest() - 2);
	end(f);
}

/* Prefixes within prefixes, many of each, and many that are for nobody: each key wakes those whose prefix it begins with, once. */
static void test_feed__prefixes_within_prefixes(void **state)
{
	static const char *const prefixes[][2] = {
		{ "", "" }, { "a", "b" }, { "ab", "ac" }, { "abc", "abd" }, { "ac", "ad" }, { "b", "c" }, { "\xff\xff", "" },
	};
	static const char *const keys[] = { "abcd", "abc", "ab", "a", "b", "c", "\xff\xff", "\xff", "ac/x" };
	enum { PREFIXES = sizeof(prefixes) / sizeof(prefixes[0]), EACH = 3, OTHERS = 3000 };
	static struct waiter w[PREFIXES][EACH], others[OTHERS];
	static char names[OTHERS][16];
	struct feed *f = start();
	bool parked[PREFIXES] = { false };

	(void)state;
	for (size_t i = 0; i < OTHERS; i++) {
		snprintf(names[i], sizeof(names[i]), "zz%zu", i);
		waiter_init(&others[i], names[i], "zzz", newest(), 1000000);
		assert_true(feed_park(f, &others[i].wait));
	}
	for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
		size_t expected = OTHERS;

		for (size_t i = 0; i < PREFIXES * EACH; i++) {
			struct waiter *x = &w[i / EACH][i % EACH];

			if (parked[i / EACH])
				continue;
			waiter_init(x, prefixes[i / EACH][0], prefixes[i / EACH][1], newest(), 1000000);
			assert_true(feed_park(f, &x->wait));
		}
		put(keys[k]);
		for (size_t i = 0; i < PREFIXES; i++) {
			parked[i] = strncmp(keys[k], prefixes[i][0], strlen(prefixes[i][0])) != 0;
			expected += parked[i] ? EACH : 0;
			for (size_t j = 0; j < EACH && !parked[i]; j++)
				waiter_await(&w[i][j]);
		}
		assert_int_equal(feed_parked(f), expected);
	}
	feed_end(f);
	for (size_t i = 0; i < OTHERS; i++)
		waiter_await(&others[i]);
	end(f);
}

static void test_feed__who_comes_late_is_sent_back(void **state)
{
	struct waiter first, late;
	struct feed *f = start();
	uint64_t before = newest();

	(void)state;
	waiter_init(&first, "a", "b", before, 1000000);
	assert_true(feed_park(f, &first.wait));
	put("z");                             /* hidden from the first, and compared */
	put("a");
	waiter_await(&first);
	waiter_init(&first, "q", "r", newest(), 1000000);
	assert_true(feed_park(f, &first.wait));      /* now somebody waits, and `seen` stands at the newest */
	waiter_init(&late, "z", "", before, 1000000);
	assert_false(feed_park(f, &late.wait));      /* what is above his version has passed */
	late.wait.version = newest();
	assert_true(feed_park(f, &late.wait));
	put("z2");
	waiter_await(&late);
	put("q");
	waiter_await(&first);
	end(f);
}

static void test_feed__deadlines_move_on_behind_what_was_hidden(void **state)
{
	struct waiter one, other;
	struct feed *f = start();
	uint64_t before = newest();

	(void)state;
	waiter_init(&one, "a", "b", before, 50);
	waiter_init(&other, "y", "z", before, 1000000);
	assert_true(feed_park(f, &one.wait));
	assert_true(feed_park(f, &other.wait));
	put("y");
	waiter_await(&other);                 /* so that the feed has seen it */
	waiter_await(&one);
	assert_false(one.wait.in_time);
	assert_true(one.wait.version >= before);
	end(f);
}

static void test_feed__leaving_and_the_end(void **state)
{
	struct waiter one, two, three;
	struct feed *f = start();

	(void)state;
	waiter_init(&one, "", "", newest(), 1000000);
	waiter_init(&two, "", "", newest(), 1000000);
	waiter_init(&three, "", "", newest(), 1000000);
	assert_true(feed_park(f, &one.wait));
	assert_true(feed_park(f, &two.wait));
	atomic_store(&one.r.gone, true);
	feed_left(f, &one.wait);
	waiter_await(&one);
	feed_left(f, &one.wait);              /* not parked: nothing */
	assert_false(feed_park(f, &one.wait));       /* he is gone */
	feed_end(f);
	waiter_await(&two);
	assert_false(feed_park(f, &three.wait));
	assert_int_equal(atomic_load(&one.times), 0);
	end(f);
	feed_free(NULL);
	feed_end(NULL);
}

static void test_feed__concerns(void **state)
{
	static const struct {
		enum store_change_op op;
		const char *key, *end, *lower, *upper;
		bool concerns;
	} table[] = {
		{ STORE_CHANGE_PUT, "b", "", "", "", true },          { STORE_CHANGE_PUT, "b", "", "b", "c", true },
		{ STORE_CHANGE_PUT, "b", "", "a", "b", false },       { STORE_CHANGE_PUT, "b", "", "ba", "", false },
		{ STORE_CHANGE_DELETE, "ab", "", "a", "b", true },    { STORE_CHANGE_DELETE_RANGE, "a", "c", "b", "d", true },
		{ STORE_CHANGE_DELETE_RANGE, "a", "b", "b", "d", false }, { STORE_CHANGE_DELETE_RANGE, "a", "", "z", "", true },
		{ STORE_CHANGE_DELETE_RANGE, "d", "e", "b", "d", false }, { STORE_CHANGE_DELETE_RANGE, "", "", "x", "y", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct store_change c = { .op = table[i].op, .key = span_str(table[i].key), .end = span_str(table[i].end) };

		if (feed_concerns(&c, span_str(table[i].lower), span_str(table[i].upper)) != table[i].concerns)
			fail_msg("row %zu", i);
	}
}

/* ---- a log to which there is no end ------------------------------------------------------------------------------------------ */

static _Atomic bool endless_over;
static uint64_t endless_version;          /* the feed's thread's */

static int endless_open(struct store *s, uint64_t version, struct store_changes **out)
{
	(void)s;
	endless_version = version;
	*out = (struct store_changes *)(void *)&endless_version;
	return STORE_OK;
}

/* Three changes a version. */
static int endless_next(struct store_changes *reader, struct store_change *c)
{
	static unsigned part;

	(void)reader;
	if (atomic_load(&endless_over))
		return STORE_NOTFOUND;
	endless_version += part++ % 3 == 0;
	*c = (struct store_change){ .version = endless_version, .op = STORE_CHANGE_PUT, .key = span_str("k") };
	return STORE_OK;
}

static uint64_t endless_at(const struct store_changes *reader)
{
	(void)reader;
	return endless_version;
}

static void endless_close(struct store_changes *reader)
{
	(void)reader;
}

static int endless_watch(struct store *s, void (*fn)(void *ctx), void *ctx)
{
	(void)s, (void)fn, (void)ctx;
	return STORE_OK;
}

static void endless_arm(struct store *s, uint64_t version)
{
	(void)s, (void)version;
}

static void endless_unwatch(struct store *s)
{
	(void)s;
}

static void test_feed__a_deadline_is_kept_although_there_is_always_more(void **state)
{
	static const struct store_ops ops = {
		.changes_open = endless_open, .changes_next = endless_next, .changes_version = endless_at, .changes_close = endless_close,
		.watch = endless_watch, .watch_arm = endless_arm, .unwatch = endless_unwatch,
	};
	struct store endless = { .ops = &ops };
	struct waiter w, later;
	struct feed *f;

	(void)state;
	alarm(300);
	atomic_store(&endless_over, false);
	assert_int_equal(feed_new(&endless, &f), 0);
	waiter_init(&w, "x", "y", 0, 50);
	assert_true(feed_park(f, &w.wait));
	waiter_await(&w);                                               /* or the alarm rings */
	assert_false(w.wait.in_time);
	atomic_store(&endless_over, true);
	waiter_init(&later, "x", "y", UINT64_MAX, 50);
	assert_true(feed_park(f, &later.wait));
	waiter_await(&later);
	feed_free(f);
	alarm(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_feed__a_change_wakes_those_whom_it_is_for),
		cmocka_unit_test(test_feed__prefixes_within_prefixes),
		cmocka_unit_test(test_feed__who_comes_late_is_sent_back),
		cmocka_unit_test(test_feed__deadlines_move_on_behind_what_was_hidden),
		cmocka_unit_test(test_feed__leaving_and_the_end),
		cmocka_unit_test(test_feed__concerns),
		cmocka_unit_test(test_feed__a_deadline_is_kept_although_there_is_always_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
