/* SPDX-License-Identifier: Apache-2.0 */
/* test_report.c - the code travels up, the message travels sideways; and the codes' names. */
#include "lib/test.h"

#include <errno.h>

#include "base/report.h"

struct heard {
	int count;
	enum silt_log_level level;
	char text[2048];
};

static void hear(void *ctx, enum silt_log_level level, const char *message)
{
	struct heard *h = ctx;

	h->count++;
	h->level = level;
	snprintf(h->text, sizeof(h->text), "%s", message);
	errno = EDOM;
}

static void test_report__says_it_once_and_returns_the_code(void **state)
{
	struct heard h = { 0 };
	struct reporter r = { hear, &h };

	(void)state;
	errno = ENOSPC;
	assert_int_equal(report(&r, SILT_E_CORRUPT, "table %06d: %s", 7, "footer magic"), SILT_E_CORRUPT);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(h.count, 1);
	assert_int_equal(h.level, SILT_LOG_ERROR);
	assert_string_equal(h.text, "table 000007: footer magic");
}

static void test_report__note_has_its_level(void **state)
{
	struct heard h = { 0 };
	struct reporter r = { hear, &h };

	(void)state;
	report_note(&r, SILT_LOG_INFO, "recovered %d entries", 3);
	assert_int_equal(h.count, 1);
	assert_int_equal(h.level, SILT_LOG_INFO);
	assert_string_equal(h.text, "recovered 3 entries");
}

static void test_report__silent_without_a_listener(void **state)
{
	struct reporter none = { NULL, NULL };

	(void)state;
	assert_int_equal(report(&none, SILT_E_IO, "x"), SILT_E_IO);
	assert_int_equal(report(NULL, SILT_E_IO, "x"), SILT_E_IO);
	report_note(&none, SILT_LOG_DEBUG, "x");
	report_note(NULL, SILT_LOG_DEBUG, "x");
}

static void test_report__long_messages_are_cut(void **state)
{
	struct heard h = { 0 };
	struct reporter r = { hear, &h };
	char longest[3000];

	(void)state;
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(report(&r, SILT_E_IO, "%s", longest), SILT_E_IO);
	assert_int_equal(strlen(h.text), 1023);
	assert_memory_equal(h.text, longest, 1023);
}

static void test_report__every_code_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (int a = SILT_E_CLOSED; a <= SILT_END; a++) {
		assert_memory_equal(silt_strerror(a), a < 0 ? "SILT_E_" : "SILT_", a < 0 ? 7 : 5);
		for (int b = SILT_E_CLOSED; b < a; b++)
			assert_string_not_equal(silt_strerror(a), silt_strerror(b));
	}
	assert_string_equal(silt_strerror(SILT_E_NOSPACE), "SILT_E_NOSPACE");
	assert_non_null(silt_strerror(12345));
	assert_non_null(silt_strerror(-12345));
	assert_true(silt_version()[0] >= '0' && silt_version()[0] <= '9');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_report__says_it_once_and_returns_the_code),
		cmocka_unit_test(test_report__note_has_its_level),
		cmocka_unit_test(test_report__silent_without_a_listener),
		cmocka_unit_test(test_report__long_messages_are_cut),
		cmocka_unit_test(test_report__every_code_has_a_name_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
