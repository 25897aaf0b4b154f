/* SPDX-License-Identifier: Apache-2.0 */
/* test_count.c - by how much writes between a reader and a version changed a range: against a naive recount, with a printed seed. */
#include "lib/storekit.h"

static uint64_t write_one(struct storekit *k, enum store_op op, const char *key, unsigned flags)
{
	struct store_write w = { .op = op, .key = span_str(key), .value = span_str("v") };

	assert_int_equal(storekit_write(k, &w, flags), STORE_OK);
	return k->last.version;
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

static uint64_t erase(struct storekit *k, const char *lower, const char *upper)
{
	struct store_range r = range_of(lower, upper);

	assert_int_equal(k->store->ops->delete_range(k->store, &r, STORE_ASYNC, storekit_note, k), STORE_OK);
	assert_int_equal(storekit_wait(k, 1), STORE_OK);
	return k->last.version;
}

static struct store_scan *open_scan(struct storekit *k, const char *lower, const char *upper)
{
	struct store_range r = range_of(lower, upper);
	struct store_scan *scan;

	assert_int_equal(k->store->ops->scan_open(k->store, &r, false, 3, &scan), STORE_OK);
	return scan;
}

static int64_t walk(struct storekit *k, struct store_scan *scan)
{
	struct store_item item;
	int64_t n = 0;
	int code;

	while ((code = k->store->ops->scan_next(scan, &item)) != STORE_NOTFOUND) {
		assert_true(code == STORE_OK || code == STORE_TRY_AGAIN);
		n += code == STORE_OK;
	}
	return n;
}

static int64_t change(struct storekit *k, struct store_scan *scan, const char *lower, const char *upper, uint64_t before)
{
	struct store_range r = range_of(lower, upper);
	int64_t out = 12345;

	assert_int_equal(k->store->ops->count_change(k->store, &r, scan, before, &out), STORE_OK);
	k->store->ops->scan_close(scan);
	return out;
}

static void test_count__worked_example(void **state)
{
	struct storekit *k = *state;
	struct store_scan *scan;
	uint64_t v;

	write_one(k, STORE_PUT, "a", 0), write_one(k, STORE_PUT, "b", 0), write_one(k, STORE_PUT, "c", 0);
	scan = open_scan(k, "", "");
	write_one(k, STORE_PUT, "d", 0), write_one(k, STORE_DELETE, "a", 0), erase(k, "b", "z");
	v = write_one(k, STORE_PUT, "y", 0);
	write_one(k, STORE_PUT, "x", 0);                              /* behind it: does not count */
	assert_int_equal(change(k, scan, "", "", v + 1), -2);
}

static void test_count__nothing_between(void **state)
{
	struct storekit *k = *state;
	struct store_scan *scan;
	uint64_t v = write_one(k, STORE_PUT, "a", 0);

	scan = open_scan(k, "", "");
	assert_int_equal(change(k, scan, "", "", v + 1), 0);
	scan = open_scan(k, "b", "c");
	v = write_one(k, STORE_PUT, "c", STORE_ASYNC);                /* beside the range */
	assert_int_equal(change(k, scan, "b", "c", v + 1), 0);
}

static void test_count__gives_up_where_ranges_were_deleted_all_the_time(void **state)
{
	struct storekit *k = *state;
	struct store_range all = {0};
	struct store_scan *scan;
	int64_t out;
	uint64_t v = 0;

	write_one(k, STORE_PUT, "a", STORE_ASYNC), write_one(k, STORE_PUT, "k", STORE_ASYNC);
	scan = open_scan(k, "", "");
	for (int i = 0; i < 64; i++)
		v = erase(k, "b", "z");
	assert_int_equal(change(k, scan, "", "", v + 1), -1);
	scan = open_scan(k, "", "");
	for (int i = 0; i < 65; i++)
		v = erase(k, "b", "z");
	assert_int_equal(k->store->ops->count_change(k->store, &all, scan, v + 1, &out), STORE_TRY_AGAIN);
	k->store->ops->scan_close(scan);
}

static void test_count__as_a_recount_says(void **state)
{
	struct storekit *k = *state;
	uint64_t seed = test_seed(0x5eed);
	static const char *const bounds[][2] = { { "", "" }, { "k2", "k7" }, { "k3", "" }, { "", "k5" } };

	for (unsigned round = 0; round < 120; round++) {
		const char *const *b = bounds[round % 4];
		struct store_scan *before, *after;
		int64_t was;
		uint64_t v = 0;

		before = open_scan(k, b[0], b[1]);
		was = walk(k, before);
		for (unsigned i = 0; i < 1 + round % 12; i++) {
			uint64_t dice = test_random(&seed);
			char key[8], end[8];

			snprintf(key, sizeof(key), "k%02u", (unsigned)(dice >> 8) % 100);
			snprintf(end, sizeof(end), "k%02u", (unsigned)(dice >> 8) % 100 + 1 + (unsigned)(dice >> 16) % 30);
			if (strlen(end) > 3)
				strcpy(end, "l");
			if (dice % 16 == 0)
				v = erase(k, key, dice & 32 ? end : "");
			else
				v = write_one(k, dice % 16 < 11 ? STORE_PUT : STORE_DELETE, key, STORE_ASYNC);
		}
		after = open_scan(k, b[0], b[1]);
		assert_int_equal(was + change(k, before, b[0], b[1], v + 1), walk(k, after));
		k->store->ops->scan_close(after);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, storekit_setup, storekit_teardown)
		TEST(test_count__worked_example),
		TEST(test_count__nothing_between),
		TEST(test_count__gives_up_where_ranges_were_deleted_all_the_time),
		TEST(test_count__as_a_recount_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
