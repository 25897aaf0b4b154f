/* SPDX-License-Identifier: Apache-2.0 */
/* test_error.c - every code of siltstone.h has its own name, and keeps its number: programs were compiled against them. */
#include "lib/test.h"

#include <siltstone.h>

static const struct {
	int code, number;
	const char *name;
} codes[] = {
	{ SILT_OK, 0, "SILT_OK" },
	{ SILT_NOTFOUND, 1, "SILT_NOTFOUND" },
	{ SILT_CONFLICT, 2, "SILT_CONFLICT" },
	{ SILT_TRY_AGAIN, 3, "SILT_TRY_AGAIN" },
	{ SILT_WOULD_BLOCK, 4, "SILT_WOULD_BLOCK" },
	{ SILT_END, 5, "SILT_END" },
	{ SILT_OVERFLOW, 6, "SILT_OVERFLOW" },
	{ SILT_NO_COUNTER, 7, "SILT_NO_COUNTER" },
	{ SILT_E_IO, -1, "SILT_E_IO" },
	{ SILT_E_CORRUPT, -2, "SILT_E_CORRUPT" },
	{ SILT_E_NOSPACE, -3, "SILT_E_NOSPACE" },
	{ SILT_E_NOMEM, -4, "SILT_E_NOMEM" },
	{ SILT_E_BUSY, -5, "SILT_E_BUSY" },
	{ SILT_E_MISUSE, -6, "SILT_E_MISUSE" },
	{ SILT_E_TOOBIG, -7, "SILT_E_TOOBIG" },
	{ SILT_E_VERSION, -8, "SILT_E_VERSION" },
	{ SILT_E_EXPIRED, -9, "SILT_E_EXPIRED" },
	{ SILT_E_FAULT, -10, "SILT_E_FAULT" },
	{ SILT_E_CLOSED, -11, "SILT_E_CLOSED" },
};

static void test_error__every_code_has_its_name_and_number(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		assert_int_equal(codes[i].code, codes[i].number);
		assert_string_equal(silt_strerror(codes[i].code), codes[i].name);
	}
}

static void test_error__other_numbers_have_none(void **state)
{
	unsigned named = 0;

	(void)state;
	for (int code = -1000; code <= 1000; code++)
		named += strcmp(silt_strerror(code), "unknown code") != 0;
	assert_int_equal(named, sizeof(codes) / sizeof(*codes));
	assert_string_equal(silt_strerror(INT32_MIN), "unknown code");
	assert_string_equal(silt_strerror(INT32_MAX), "unknown code");
}

static void test_error__the_version_is_one(void **state)
{
	unsigned major, minor, patch;

	(void)state;
	assert_int_equal(sscanf(silt_version(), "%u.%u.%u", &major, &minor, &patch), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_error__every_code_has_its_name_and_number),
		cmocka_unit_test(test_error__other_numbers_have_none),
		cmocka_unit_test(test_error__the_version_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
