/* SPDX-License-Identifier: Apache-2.0 */
/* test_bytes.c - views and growing buffers: what was there stays there, and a failure sticks. */
#include "lib/test.h"

#include "util/bytes.h"

static void test_bytes__spans(void **state)
{
	(void)state;
	assert_true(span_eq(span_str("abc"), "abc"));
	assert_false(span_eq(span_str("abc"), "ab"));
	assert_false(span_eq(span_str("ab"), "abc"));
	assert_true(span_eq(span_of("abcd", 2), "ab"));
	assert_true(span_eq(span_str(NULL), ""));
	assert_true(span_eq((struct span){ 0 }, ""));
	assert_int_equal(span_str("").len, 0);
}

static void test_bytes__what_was_added_is_there_in_order(void **state)
{
	struct bytes b = { 0 };

	(void)state;
	for (int i = 0; i < 10000; i++)
		assert_true(bytes_addf(&b, "%d,", i) && bytes_add(&b, "\0x", 2) && bytes_adds(&b, ";"));
	assert_true(b.cap >= b.len);
	for (int i = 0, at = 0; i < 10000; i++) {
		char expected[16];
		int n = snprintf(expected, sizeof(expected), "%d,", i);

		assert_memory_equal(b.p + at, expected, (size_t)n);
		assert_memory_equal(b.p + at + n, "\0x;", 3);
		at += n + 3;
	}
	bytes_fini(&b);
	assert_null(b.p);
}

static void test_bytes__formats_at_every_distance_from_the_end(void **state)
{
	(void)state;
	for (size_t before = 0; before < 600; before++) {
		struct bytes b = { 0 };

		for (size_t i = 0; i < before; i++)
			assert_true(bytes_add(&b, "x", 1));
		assert_true(bytes_addf(&b, "%s-%d", "twelve bytes", 42));
		assert_int_equal(b.len, before + 15);
		assert_memory_equal(b.p + before, "twelve bytes-42", 15);
		bytes_fini(&b);
	}
}

static void test_bytes__spans_are_ordered_as_keys(void **state)
{
	static const struct { const char *a, *b; size_t a_len, b_len; } rising[] = {
		{ NULL, "", 0, 0 }, { "", "a", 0, 1 }, { "a", "b", 1, 1 }, { "a", "aa", 1, 2 }, { "aa", "b", 2, 1 }, { "a\x7f", "a\x80", 2, 2 },
		{ "a", "a\0", 1, 2 }, { "\0", "\0\0", 1, 2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rising) / sizeof(rising[0]); i++) {
		struct span a = span_of(rising[i].a, rising[i].a_len), b = span_of(rising[i].b, rising[i].b_len);

		assert_int_equal(span_order(a, a), 0);
		assert_true(i == 0 ? span_order(a, b) == 0 : span_order(a, b) < 0);
		assert_true(i == 0 ? span_order(b, a) == 0 : span_order(b, a) > 0);
	}
}

static void test_bytes__clear_keeps_the_memory(void **state)
{
	struct bytes b = { 0 };
	char *p;

	(void)state;
	assert_true(bytes_reserve(&b, 1000));
	p = b.p;
	assert_true(bytes_adds(&b, "text"));
	bytes_clear(&b);
	assert_int_equal(b.len, 0);
	assert_true(bytes_reserve(&b, 1000));
	assert_ptr_equal(b.p, p);
	bytes_fini(&b);
}

static void test_bytes__no_memory_leaves_what_was_there_and_sticks(void **state)
{
	static const size_t impossible[] = { SIZE_MAX, SIZE_MAX - 3, SIZE_MAX / 2, SIZE_MAX / 4 + 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(impossible) / sizeof(impossible[0]); i++) {
		struct bytes b = { 0 };

		assert_true(bytes_adds(&b, "here"));
		assert_false(bytes_reserve(&b, impossible[i]));
		assert_true(b.bad);
		assert_int_equal(b.len, 4);
		assert_memory_equal(b.p, "here", 4);
		assert_true(bytes_adds(&b, "!"));                       /* may go on, and is still known to be incomplete */
		assert_true(b.bad);
		bytes_clear(&b);
		assert_false(b.bad);
		bytes_fini(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes__spans),
		cmocka_unit_test(test_bytes__what_was_added_is_there_in_order),
		cmocka_unit_test(test_bytes__formats_at_every_distance_from_the_end),
		cmocka_unit_test(test_bytes__spans_are_ordered_as_keys),
		cmocka_unit_test(test_bytes__clear_keeps_the_memory),
		cmocka_unit_test(test_bytes__no_memory_leaves_what_was_there_and_sticks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
