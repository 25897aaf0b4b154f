/* SPDX-License-Identifier: Apache-2.0 */
/* test_buf.c - bytes that grow, against a plain array; and what is left of them when memory ends. */
#include "lib/test.h"

#include "base/buf.h"
#include "base/mem.h"

static void test_buf__grows_like_an_array(void **state)
{
	uint64_t random = test_seed(7);
	static uint8_t naive[20000];
	struct silt_buf b = { 0 };
	size_t len = 0;

	(void)state;
	while (len < sizeof(naive) - 100) {
		uint8_t piece[100];
		size_t n = test_random(&random) % sizeof(piece);

		for (size_t i = 0; i < n; i++)
			naive[len + i] = piece[i] = (uint8_t)test_random(&random);
		assert_int_equal(buf_append(&b, piece, n), 0);
		len += n;
		assert_int_equal(b.len, len);
		assert_true(b.cap >= b.len);
	}
	assert_memory_equal(b.data, naive, len);
	assert_true(slice_eq(buf_slice(&b), slice_of(naive, len)));
	silt_buf_free(&b);
	assert_null(b.data);
	assert_int_equal(b.len + b.cap, 0);
	silt_buf_free(&b);
}

static void test_buf__reserved_room_is_there(void **state)
{
	struct silt_buf b = { 0 };
	void *before;

	(void)state;
	assert_int_equal(buf_reserve(&b, 0), 0);
	assert_int_equal(buf_reserve(&b, 1000), 0);
	assert_true(b.cap - b.len >= 1000);
	before = b.data;
	for (int i = 0; i < 100; i++)
		buf_push(&b, "0123456789", 10);
	assert_ptr_equal(b.data, before);
	assert_int_equal(b.len, 1000);
	buf_fini(&b);
}

static void test_buf__appending_byte_by_byte_is_linear(void **state)
{
	struct silt_buf b = { 0 };
	unsigned moves = 0;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		size_t cap = b.cap;

		assert_int_equal(buf_append(&b, "x", 1), 0);
		moves += b.cap != cap;
	}
	assert_true(moves < 20);
	buf_fini(&b);
}

static void test_buf__set_replaces_and_reuses(void **state)
{
	struct silt_buf b = { 0 };
	void *room;

	(void)state;
	assert_int_equal(buf_set(&b, slice_str("a long first value that needs room, longer than what a first buffer has")), 0);
	room = b.data;
	assert_int_equal(buf_set(&b, slice_str("short")), 0);
	assert_ptr_equal(b.data, room);
	assert_true(slice_eq(buf_slice(&b), slice_str("short")));
	assert_int_equal(buf_set(&b, slice_of(NULL, 0)), 0);
	assert_int_equal(b.len, 0);
	buf_fini(&b);
}

static void test_buf__no_memory_leaves_it_as_it_was(void **state)
{
	struct silt_buf b = { 0 };
	char big[200] = { 0 };

	(void)state;
	assert_int_equal(buf_append(&b, "abc", 3), 0);
	mem_fail_at(1, true);
	assert_int_equal(buf_append(&b, big, sizeof(big)), SILT_E_NOMEM);
	assert_int_equal(buf_set(&b, slice_of(big, sizeof(big))), SILT_E_NOMEM);
	mem_fail_at(0, false);
	assert_int_equal(buf_reserve(&b, SIZE_MAX - 1), SILT_E_NOMEM);
	assert_int_equal(buf_reserve(&b, SIZE_MAX - 3), SILT_E_NOMEM);
	assert_true(slice_eq(buf_slice(&b), slice_str("abc")));
	buf_fini(&b);
}

static void test_buf__slices_order_bytewise_then_by_length(void **state)
{
	/* rising */
	const struct silt_slice s[] = { { NULL, 0 }, { "\0", 1 }, { "\0\0", 2 }, { "a", 1 }, { "a\0", 2 }, { "ab", 2 },
	                                { "b", 1 }, { "\x7f", 1 }, { "\x80", 1 }, { "\xff", 1 }, { "\xff\xff", 2 } };

	(void)state;
	for (size_t i = 0; i < sizeof(s) / sizeof(*s); i++) {
		for (size_t j = 0; j < sizeof(s) / sizeof(*s); j++) {
			int d = slice_cmp(s[i], s[j]);

			assert_int_equal((d > 0) - (d < 0), (i > j) - (i < j));
			assert_int_equal(slice_eq(s[i], s[j]), i == j);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buf__grows_like_an_array),
		cmocka_unit_test(test_buf__reserved_room_is_there),
		cmocka_unit_test(test_buf__appending_byte_by_byte_is_linear),
		cmocka_unit_test(test_buf__set_replaces_and_reuses),
		cmocka_unit_test(test_buf__no_memory_leaves_it_as_it_was),
		cmocka_unit_test(test_buf__slices_order_bytewise_then_by_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
