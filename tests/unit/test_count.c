/* SPDX-License-Identifier: Apache-2.0 */
/* test_count.c - by how much writes between a reader and a version changed a range: against a naive recount, with a printed seed. */
#include "lib/test.h"

#include "store/store.h"

#include <pthread.h>

struct fixture {
	char *dir;
	struct store *store;
	pthread_mutex_t mu;
	pthread_cond_t changed;
	bool done;                            /* [mu] */
	struct store_outcome last;            /* [mu] */
};

static int setup(void **state)
{
	struct store_engine_options o = { .filter_bits_per_key = -1, .compression = -1, .compression_bottom = -1,
		                          .memory = 16u << 20, .memtable_size = 1u << 20, .wal_segment_size = 4u << 20 };
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->dir = test_mkdir();
	o.dir = f->dir;
	pthread_mutex_init(&f->mu, NULL);
	pthread_cond_init(&f->changed, NULL);
	assert_int_equal(store_engine_open(&o, &f->store), STORE_OK);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(f->store->ops->close(f->store), STORE_OK);
	pthread_cond_destroy(&f->changed);
	pthread_mutex_destroy(&f->mu);
	test_rmdir(f->dir);
	free(f);
	return 0;
}

static void note(void *ctx, const struct store_outcome *o)
{
	struct fixture *f = ctx;

	pthread_mutex_lock(&f->mu);
	f->last = *o;
	f->done = true;
	pthread_cond_signal(&f->changed);
	pthread_mutex_unlock(&f->mu);
}

static uint64_t wait_for(struct fixture *f, int code)
{
	assert_int_equal(code, STORE_OK);
	pthread_mutex_lock(&f->mu);
	while (!f->done)
		pthread_cond_wait(&f->changed, &f->mu);
	f->done = false;
	pthread_mutex_unlock(&f->mu);
	assert_int_equal(f->last.code, STORE_OK);
	return f->last.version;
}

static uint64_t write_one(struct fixture *f, enum store_op op, const char *key, unsigned flags)
{
	struct store_write w = { .op = op, .key = span_str(key), .value = span_str("v") };

	return wait_for(f, f->store->ops->write(f->store, &w, flags, note, f));
}

static struct store_range range_of(const char *lower, const char *upper)
{
	struct store_range r = {0};

	if (lower[0] != 0)
		r.lower = span_str(lower);
	if (upper[0] != 0)
		r.upper = span_str(upper);
	return r;
}

static uint64_t erase(struct fixture *f, const char *lower, const char *upper)
{
	struct store_range r = range_of(lower, upper);

	return wait_for(f, f->store->ops->delete_range(f->store, &r, STORE_ASYNC, note, f));
}

static struct store_scan *open_scan(struct fixture *f, const char *lower, const char *upper)
{
	struct store_range r = range_of(lower, upper);
	struct store_scan *scan;

	assert_int_equal(f->store->ops->scan_open(f->store, &r, false, 3, &scan), STORE_OK);
	return scan;
}

static int64_t walk(struct fixture *f, struct store_scan *scan)
{
	struct store_item item;
	int64_t n = 0;
	int code;

	while ((code = f->store->ops->scan_next(scan, &item)) != STORE_NOTFOUND) {
		assert_true(code == STORE_OK || code == STORE_TRY_AGAIN);
		n += code == STORE_OK;
	}
	return n;
}

static int64_t change(struct fixture *f, struct store_scan *scan, const char *lower, const char *upper, uint64_t before)
{
	struct store_range r = range_of(lower, upper);
	int64_t out = 12345;

	assert_int_equal(f->store->ops->count_change(f->store, &r, scan, before, &out), STORE_OK);
	f->store->ops->scan_close(scan);
	return out;
}

static void test_count__worked_example(void **state)
{
	struct fixture *f = *state;
	struct store_scan *scan;
	uint64_t v;

	write_one(f, STORE_PUT, "a", 0), write_one(f, STORE_PUT, "b", 0), write_one(f, STORE_PUT, "c", 0);
	scan = open_scan(f, "", "");
	write_one(f, STORE_PUT, "d", 0), write_one(f, STORE_DELETE, "a", 0), erase(f, "b", "z");
	v = write_one(f, STORE_PUT, "y", 0);
	write_one(f, STORE_PUT, "x", 0);                              /* behind it: does not count */
	assert_int_equal(change(f, scan, "", "", v + 1), -2);
}

static void test_count__nothing_between(void **state)
{
	struct fixture *f = *state;
	struct store_scan *scan;
	uint64_t v = write_one(f, STORE_PUT, "a", 0);

	scan = open_scan(f, "", "");
	assert_int_equal(change(f, scan, "", "", v + 1), 0);
	scan = open_scan(f, "b", "c");
	v = write_one(f, STORE_PUT, "c", STORE_ASYNC);                /* beside the range */
	assert_int_equal(change(f, scan, "b", "c", v + 1), 0);
}

static void test_count__gives_up_where_ranges_were_deleted_all_the_time(void **state)
{
	struct fixture *f = *state;
	struct store_range all = {0};
	struct store_scan *scan;
	int64_t out;
	uint64_t v = 0;

	write_one(f, STORE_PUT, "a", STORE_ASYNC), write_one(f, STORE_PUT, "k", STORE_ASYNC);
	scan = open_scan(f, "", "");
	for (int i = 0; i < 64; i++)
		v = erase(f, "b", "z");
	assert_int_equal(change(f, scan, "", "", v + 1), -1);
	scan = open_scan(f, "", "");
	for (int i = 0; i < 65; i++)
		v = erase(f, "b", "z");
	assert_int_equal(f->store->ops->count_change(f->store, &all, scan, v + 1, &out), STORE_TRY_AGAIN);
	f->store->ops->scan_close(scan);
}

static void test_count__as_a_recount_says(void **state)
{
	struct fixture *f = *state;
	uint64_t seed = test_seed(0x5eed);
	static const char *const bounds[][2] = { { "", "" }, { "k2", "k7" }, { "k3", "" }, { "", "k5" } };

	for (unsigned round = 0; round < 120; round++) {
		const char *const *b = bounds[round % 4];
		struct store_scan *before, *after;
		int64_t was;
		uint64_t v = 0;

		before = open_scan(f, b[0], b[1]);
		was = walk(f, before);
		for (unsigned i = 0; i < 1 + round % 12; i++) {
			uint64_t dice = test_random(&seed);
			char key[8], end[8];

			snprintf(key, sizeof(key), "k%02u", (unsigned)(dice >> 8) % 100);
			snprintf(end, sizeof(end), "k%02u", (unsigned)(dice >> 8) % 100 + 1 + (unsigned)(dice >> 16) % 30);
			if (strlen(end) > 3)
				strcpy(end, "l");
			if (dice % 16 == 0)
				v = erase(f, key, dice & 32 ? end : "");
			else
				v = write_one(f, dice % 16 < 11 ? STORE_PUT : STORE_DELETE, key, STORE_ASYNC);
		}
		after = open_scan(f, b[0], b[1]);
		assert_int_equal(was + change(f, before, b[0], b[1], v + 1), walk(f, after));
		f->store->ops->scan_close(after);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_count__worked_example),
		TEST(test_count__nothing_between),
		TEST(test_count__gives_up_where_ranges_were_deleted_all_the_time),
		TEST(test_count__as_a_recount_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
