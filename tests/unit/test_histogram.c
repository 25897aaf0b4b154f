/* SPDX-License-Identifier: Apache-2.0 */
/* test_histogram.c - which bucket, where its bounds are, and what a quantile may say. */
#include "lib/test.h"

#include "base/histogram.h"

static void test_histogram__the_example_of_the_header(void **state)
{
	(void)state;
	assert_int_equal(histogram_bucket(7), 7);
	assert_int_equal(histogram_bucket(8), 8);
	assert_int_equal(histogram_bucket(15), 15);
	assert_int_equal(histogram_bucket(16), 16);
	assert_int_equal(histogram_bucket(17), 16);
	assert_int_equal(histogram_bucket(18), 17);
	assert_int_equal(histogram_bucket(19), 17);
	assert_int_equal(histogram_bucket(1000), 63);
	assert_int_equal(silt_histogram_bound(63), 960);
	assert_int_equal(silt_histogram_bound(64), 1024);
}

static void test_histogram__buckets_meet_and_are_an_eighth_wide(void **state)
{
	(void)state;
	assert_int_equal(silt_histogram_bound(0), 0);
	for (size_t i = 0; i + 1 < SILT_HISTOGRAM_BUCKETS; i++) {
		uint64_t from = silt_histogram_bound(i), next = silt_histogram_bound(i + 1);

		assert_true(next > from);
		assert_true((next - from - 1) * 8 <= from);
		assert_int_equal(histogram_bucket(from), i);
		assert_int_equal(histogram_bucket(next - 1), i);
	}
	assert_true(silt_histogram_bound(SILT_HISTOGRAM_BUCKETS - 1) > UINT64_C(1000000000) * 60 * 16);
	assert_int_equal(histogram_bucket(UINT64_MAX), SILT_HISTOGRAM_BUCKETS - 1);
	assert_true(silt_histogram_bound(SILT_HISTOGRAM_BUCKETS) == UINT64_MAX);
	assert_true(silt_histogram_bound(SIZE_MAX) == UINT64_MAX);
}

static void histogram_fill(struct histogram *h, void (*add)(struct histogram *h, uint64_t v))
{
	for (uint64_t v = 1; v <= 1000; v++)
		add(h, v * 1000);
}

static void test_histogram__quantiles_are_within_an_eighth(void **state)
{
	static struct histogram mine, shared, none;
	struct silt_histogram out = { 0 }, empty = { 0 };
	uint64_t half;

	(void)state;
	histogram_fill(&mine, histogram_add_own);
	histogram_fill(&shared, histogram_add);
	histogram_read(&mine, &out);
	histogram_read(&shared, &out);                            /* sums up */
	assert_int_equal(out.count, 2000);
	assert_int_equal(out.sum, 2 * 500500000);
	assert_int_equal(out.max, 1000000);
	half = silt_histogram_quantile(&out, 0.5);
	assert_in_range(half, 500000, 500000 * 9 / 8);
	assert_in_range(silt_histogram_quantile(&out, 0.99), 990000, 1000000);
	assert_int_equal(silt_histogram_quantile(&out, 1), 1000000);
	assert_in_range(silt_histogram_quantile(&out, 0), 1000, 1125);
	histogram_read(&none, &empty);
	assert_int_equal(silt_histogram_quantile(&empty, 0.5), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_histogram__the_example_of_the_header),
		cmocka_unit_test(test_histogram__buckets_meet_and_are_an_eighth_wide),
		cmocka_unit_test(test_histogram__quantiles_are_within_an_eighth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
