/* SPDX-License-Identifier: Apache-2.0 */
/* test_mem.c - the heap's door: sizes that overflow, requests for nothing, failures on demand. */
#include "lib/test.h"

#include "base/mem.h"

static void test_mem__zero_bytes_is_a_pointer(void **state)
{
	void *p[] = { mem_alloc(0), mem_calloc(0, 8), mem_calloc(8, 0), mem_array(0, 8), mem_alloc_aligned(64, 0),
	              mem_dup("", 0), mem_dup(NULL, 0), mem_resize(NULL, 0, 4) };

	(void)state;
	for (size_t i = 0; i < sizeof(p) / sizeof(*p); i++) {
		assert_non_null(p[i]);
		mem_free(p[i]);
	}
	mem_free(NULL);
}

static void test_mem__overflowing_sizes_are_refused(void **state)
{
	char *p = mem_dup("kept", 5);

	(void)state;
	assert_null(mem_array(SIZE_MAX, 2));
	assert_null(mem_array(SIZE_MAX / 2 + 1, 2));
	assert_null(mem_calloc(SIZE_MAX, 2));
	assert_null(mem_resize(p, SIZE_MAX / 4 + 1, 8));
	assert_string_equal(p, "kept");
	mem_free(p);
}

static void test_mem__contents_and_alignment(void **state)
{
	uint8_t *zeros = mem_calloc(100, 3), *aligned = mem_alloc_aligned(4096, 10);
	char *copy = mem_strdup("Grüße"), *grown = mem_dup("abc", 4);

	(void)state;
	for (int i = 0; i < 300; i++)
		assert_int_equal(zeros[i], 0);
	assert_int_equal((uintptr_t)aligned % 4096, 0);
	assert_string_equal(copy, "Grüße");
	grown = mem_resize(grown, 1000, 10);
	assert_string_equal(grown, "abc");
	mem_free(zeros);
	mem_free(aligned);
	mem_free(copy);
	mem_free(grown);
}

/* How many of ten allocations fail, as bits. */
static unsigned failures_of_ten(void)
{
	unsigned failed = 0;

	for (unsigned i = 0; i < 10; i++) {
		void *p = i % 2 ? mem_alloc(8) : mem_calloc(1, 8);

		failed |= (unsigned)!p << i;
		mem_free(p);
	}
	return failed;
}

static void test_mem__the_nth_fails_and_it_alone(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= 10; n++) {
		mem_fail_at(n, false);
		assert_int_equal(failures_of_ten(), 1u << (n - 1));
		mem_fail_at(0, false);
		assert_int_equal(mem_fail_count(), 10);
	}
	assert_int_equal(failures_of_ten(), 0);
	assert_int_equal(mem_fail_count(), 10);       /* off: not counted */
}

static void test_mem__sticky_fails_from_then_on(void **state)
{
	(void)state;
	mem_fail_at(4, true);
	assert_int_equal(failures_of_ten(), 0x3f8);
	mem_fail_at(UINT64_MAX, true);
	assert_int_equal(failures_of_ten(), 0);
	assert_int_equal(mem_fail_count(), 10);
	mem_fail_at(0, false);
}

static void test_mem__every_door_can_fail(void **state)
{
	char *kept = mem_strdup("kept");

	(void)state;
	mem_fail_at(1, true);
	assert_null(mem_alloc(1));
	assert_null(mem_calloc(1, 1));
	assert_null(mem_alloc_aligned(64, 1));
	assert_null(mem_array(1, 1));
	assert_null(mem_resize(kept, 100, 1));
	assert_null(mem_dup("a", 1));
	assert_null(mem_strdup("a"));
	mem_fail_at(0, false);
	assert_string_equal(kept, "kept");
	mem_free(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mem__zero_bytes_is_a_pointer),
		cmocka_unit_test(test_mem__overflowing_sizes_are_refused),
		cmocka_unit_test(test_mem__contents_and_alignment),
		cmocka_unit_test(test_mem__the_nth_fails_and_it_alone),
		cmocka_unit_test(test_mem__sticky_fails_from_then_on),
		cmocka_unit_test(test_mem__every_door_can_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
