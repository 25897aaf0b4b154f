/* SPDX-License-Identifier: Apache-2.0 */
/* test_counter.c - text to integer and back, to the last digit. */
#include "lib/test.h"

#include "core/counter.h"

static struct silt_slice text_of(const char *s)
{
	return (struct silt_slice){ s, strlen(s) };
}

static void test_counter__reads_what_is_an_integer(void **state)
{
	static const struct { const char *text; int64_t v; } good[] = {
		{ "0", 0 }, { "-0", 0 }, { "7", 7 }, { "-7", -7 }, { "10", 10 }, { "9223372036854775807", INT64_MAX },
		{ "-9223372036854775808", INT64_MIN }, { "-9223372036854775807", -INT64_MAX }, { "1000000000000000000", 1000000000000000000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		int64_t v = 99;

		assert_int_equal(counter_parse(text_of(good[i].text), &v), 0);
		assert_true(v == good[i].v);
	}
}

static void test_counter__refuses_everything_else(void **state)
{
	static const char *const bad[] = {
		"", "-", "+1", " 1", "1 ", "01", "-01", "00", "--1", "1.0", "0x1", "1e3", "9223372036854775808", "-9223372036854775809",
		"99999999999999999999", "18446744073709551617", "123456789012345678901234567890", "1\n", "/", ":", "\xff", "1-",
	};
	int64_t v = 99;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(counter_parse(text_of(bad[i]), &v), SILT_NO_COUNTER);
	assert_int_equal(counter_parse((struct silt_slice){ NULL, 0 }, &v), SILT_NO_COUNTER);
	assert_int_equal(counter_parse((struct silt_slice){ "1\0", 2 }, &v), SILT_NO_COUNTER);
	assert_true(v == 99);
}

static void test_counter__sums_stay_in_their_range(void **state)
{
	int64_t v = 99;

	(void)state;
	assert_int_equal(counter_sum(INT64_MAX, 1, &v), SILT_OVERFLOW);
	assert_int_equal(counter_sum(INT64_MIN, -1, &v), SILT_OVERFLOW);
	assert_true(v == 99);
	assert_int_equal(counter_sum(INT64_MAX, INT64_MIN, &v), 0);
	assert_true(v == -1);
	assert_int_equal(counter_sum(INT64_MAX - 1, 1, &v), 0);
	assert_true(v == INT64_MAX);
}

static void test_counter__prints_what_it_reads(void **state)
{
	uint64_t random = test_seed(5);

	(void)state;
	for (int i = 0; i < 20000; i++) {
		int64_t v = (int64_t)(test_random(&random) >> test_random(&random) % 64), back = 0;
		char text[COUNTER_TEXT_MAX], want[32];
		size_t n;

		if (i < 4)
			v = (const int64_t[]){ 0, INT64_MIN, INT64_MAX, -1 }[i];
		else if (i & 1)
			v = -v;
		n = counter_print(v, text);
		snprintf(want, sizeof(want), "%lld", (long long)v);
		assert_int_equal(n, strlen(want));
		assert_memory_equal(text, want, n);
		assert_int_equal(counter_parse((struct silt_slice){ text, n }, &back), 0);
		assert_true(back == v);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counter__reads_what_is_an_integer),
		cmocka_unit_test(test_counter__refuses_everything_else),
		cmocka_unit_test(test_counter__sums_stay_in_their_range),
		cmocka_unit_test(test_counter__prints_what_it_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
