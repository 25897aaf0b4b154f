/* SPDX-License-Identifier: Apache-2.0 */
/* test_array.c - an array that grows keeps what is in it, and one that can't is left as it was. */
#include "lib/test.h"

#include "util/array.h"

#include <stdint.h>
#include <stdlib.h>

static void test_array__holds_what_was_put_in(void **state)
{
	uint32_t *array = NULL;
	size_t room = 0;

	(void)state;
	for (uint32_t n = 0; n < 10000; n++) {
		uint32_t *more = array_grow(array, n, &room, sizeof(*more));

		assert_non_null(more);
		assert_true(room > n);
		array = more;
		array[n] = n * 7;
	}
	for (uint32_t n = 0; n < 10000; n++)
		assert_int_equal(array[n], n * 7);
	free(array);
}

static void test_array__with_room_it_stays_where_it_is(void **state)
{
	size_t room = 0;
	char *array = array_grow(NULL, 0, &room, 1);

	(void)state;
	for (size_t n = 0; n < room; n++)
		assert_ptr_equal(array_grow(array, n, &room, 1), array);
	free(array);
}

static void test_array__what_no_memory_can_hold_is_refused(void **state)
{
	size_t room = SIZE_MAX / 16;

	(void)state;
	assert_null(array_grow(NULL, room, &room, 64));
	assert_int_equal(room, SIZE_MAX / 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_array__holds_what_was_put_in),
		cmocka_unit_test(test_array__with_room_it_stays_where_it_is),
		cmocka_unit_test(test_array__what_no_memory_can_hold_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
