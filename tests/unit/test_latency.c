/* SPDX-License-Identifier: Apache-2.0 */
/* test_latency.c - buckets an eighth wide: no quantile is further off. */
#include "lib/test.h"

#include "util/latency.h"

static void test_latency__a_bucket_is_an_eighth_wide_over_all_numbers(void **state)
{
	(void)state;
	for (uint64_t n = 0; n < UINT64_MAX / 4; n = n < 5000 ? n + 1 : n + n / 7) {
		struct latency l = { 0 };
		uint64_t q;

		latency_add(&l, n);
		latency_add(&l, UINT64_MAX / 3);
		q = latency_quantile(&l, 0.5);
		assert_true(q >= n && q - n <= n / 8);
		assert_true(latency_quantile(&l, 1) == UINT64_MAX / 3);
	}
}

static void test_latency__quantiles_count(void **state)
{
	struct latency l = { 0 }, more = { 0 };

	(void)state;
	assert_int_equal(latency_quantile(&l, 0.5), 0);
	for (uint64_t i = 1; i <= 900; i++)
		latency_add(&l, 1000);
	for (uint64_t i = 1; i <= 100; i++)
		latency_add(&more, 1000000);
	latency_merge(&l, &more);
	assert_int_equal(l.count, 1000);
	assert_true(latency_quantile(&l, 0.89) >= 1000 && latency_quantile(&l, 0.89) < 1125);
	assert_int_equal(latency_quantile(&l, 0.95), 1000000);
	assert_int_equal(latency_quantile(&l, 1), 1000000);
	latency_add(&l, UINT64_MAX);
	assert_true(latency_quantile(&l, 1) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_latency__a_bucket_is_an_eighth_wide_over_all_numbers),
		cmocka_unit_test(test_latency__quantiles_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
