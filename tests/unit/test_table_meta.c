/* SPDX-License-Identifier: Apache-2.0 */
/* test_table_meta.c - copies, references, no memory. */
#include "lib/test.h"

#include "base/mem.h"
#include "core/table_meta.h"

static void test_table_meta__copies_both_keys_and_zeroes_the_rest(void **state)
{
	char small[] = "apple", large[] = "pear";
	struct table_meta *m = table_meta_new(slice_str(small), slice_str(large));
	static const uint8_t zeros[DIGEST_BYTES];

	(void)state;
	assert_non_null(m);
	memset(small, 'x', sizeof(small));
	memset(large, 'x', sizeof(large));
	assert_true(slice_eq(m->smallest, slice_str("apple")));
	assert_true(slice_eq(m->largest, slice_str("pear")));
	assert_int_equal(m->number | m->size | m->entries | m->tombstones | m->expiring | m->earliest_expiry_ms, 0);
	assert_int_equal(m->min_version | m->max_version, 0);
	assert_memory_equal(m->digest, zeros, DIGEST_BYTES);
	table_meta_unref(m);
}

static void test_table_meta__lives_until_the_last_reference(void **state)
{
	struct table_meta *m = table_meta_new(slice_str("a"), slice_str("b"));

	(void)state;
	assert_ptr_equal(table_meta_ref(m), m);
	table_meta_unref(m);
	assert_true(slice_eq(m->largest, slice_str("b")));
	table_meta_unref(m);
	table_meta_unref(NULL);
}

static void test_table_meta__out_of_memory_is_null(void **state)
{
	(void)state;
	mem_fail_at(1, false);
	assert_null(table_meta_new(slice_str("a"), slice_str("b")));
	mem_fail_at(0, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_meta__copies_both_keys_and_zeroes_the_rest),
		cmocka_unit_test(test_table_meta__lives_until_the_last_reference),
		cmocka_unit_test(test_table_meta__out_of_memory_is_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
