/* SPDX-License-Identifier: Apache-2.0 */
/* test_logger.c - lines for people: one write each, nothing forged, nothing above the level. */
#include "lib/test.h"

#include "server/logger.h"

#include <unistd.h>

static char logger_text[8192];

/* What came out since the last call. */
static const char *logger_take(int fd)
{
	ssize_t n = read(fd, logger_text, sizeof(logger_text) - 1);

	logger_text[n > 0 ? n : 0] = '\0';
	return logger_text;
}

static void test_logger__prefixes_where_nobody_watches(void **state)
{
	struct logger l;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	logger_init(&l, fds[1], LOG_LEVEL_INFO);
	logger_log(&l, LOG_LEVEL_WARNING, "%s has %d", "a", 1);
	assert_string_equal(logger_take(fds[0]), "<4>a has 1\n");
	l.prefixed = false;                                             /* a terminal */
	logger_log(&l, LOG_LEVEL_WARNING, "%s has %d", "a", 1);
	assert_string_equal(logger_take(fds[0]), "siltstone: warning: a has 1\n");
	close(fds[0]);
	close(fds[1]);
}

static void test_logger__levels_are_kept(void **state)
{
	struct logger l;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	logger_init(&l, fds[1], LOG_LEVEL_WARNING);
	logger_log(&l, LOG_LEVEL_INFO, "no");
	logger_log(&l, LOG_LEVEL_ERROR, "yes");
	logger_set_level(&l, LOG_LEVEL_DEBUG);
	logger_log(&l, LOG_LEVEL_DEBUG, "now");
	logger_log(&l, 8, "no such level");
	logger_log(&l, 0, "nor this");
	assert_string_equal(logger_take(fds[0]), "<3>yes\n<7>now\n");
	close(fds[0]);
	close(fds[1]);
}

static void test_logger__a_message_stays_one_line(void **state)
{
	struct logger l;
	char longer[5000];
	size_t len;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	logger_init(&l, fds[1], LOG_LEVEL_INFO);
	logger_log(&l, LOG_LEVEL_INFO, "key 'a\n<3>forged\r\x1b[2J\x7f'");
	assert_string_equal(logger_take(fds[0]), "<6>key 'a?<3>forged??[2J?'\n");
	for (size_t n = 2030; n < 2060; n++) {
		memset(longer, 'x', n);
		longer[n] = '\0';
		logger_log(&l, LOG_LEVEL_INFO, "%s", longer);
		len = strlen(logger_take(fds[0]));
		assert_int_equal(logger_text[len - 1], '\n');
		assert_true(len <= 2048);
		if (len < n + 4)
			assert_memory_equal(logger_text + len - 4, "...\n", 4);
	}
	close(fds[0]);
	close(fds[1]);
}

static void test_logger__each_level_has_a_name(void **state)
{
	(void)state;
	for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++)
		assert_non_null(logger_level_name(level));
	assert_null(logger_level_name(2));
	assert_null(logger_level_name(8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_logger__prefixes_where_nobody_watches),
		cmocka_unit_test(test_logger__levels_are_kept),
		cmocka_unit_test(test_logger__a_message_stays_one_line),
		cmocka_unit_test(test_logger__each_level_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
