/* SPDX-License-Identifier: Apache-2.0 */
/* test_patience.c - more time is asked for while something gets on, and not otherwise. */
#include "lib/test.h"

#include "server/patience.h"

#include <unistd.h>

struct ear {
	char *dir;
	int fd;
	struct notify notify;
};

static void patience_listen(struct ear *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	e->dir = test_mkdir();
	snprintf(a.sun_path, sizeof(a.sun_path), "%.90s/n", e->dir);
	e->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(e->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	setenv("NOTIFY_SOCKET", a.sun_path, 1);
	notify_init(&e->notify);
}

static void patience_leave(struct ear *e)
{
	notify_fini(&e->notify);
	close(e->fd);
	test_rmdir(e->dir);
}

/* Busy until it comes: that is the progress. */
static void patience_hear(const struct ear *e, const char *beginning)
{
	char got[600];
	ssize_t n;

	do {
		n = recv(e->fd, got, sizeof(got) - 1, 0);
		got[n > 0 ? n : 0] = '\0';
	} while (strncmp(got, beginning, strlen(beginning)) != 0);
}

static void test_patience__asks_while_there_is_progress(void **state)
{
	struct patience p = { 0 };
	struct ear e;

	(void)state;
	alarm(120);
	patience_listen(&e);
	patience_begin(&p, &e.notify, "Opening", "/data", 2);
	patience_hear(&e, "EXTEND_TIMEOUT_USEC=30000000\nSTATUS=Opening /data");
	patience_hear(&e, "EXTEND_TIMEOUT_USEC=30000000\nWATCHDOG=1\nSTATUS=Opening /data, for 0 s");
	patience_hear(&e, "EXTEND_TIMEOUT_USEC=30000000\nWATCHDOG=1\n");
	patience_end(&p);
	patience_leave(&e);
	alarm(0);
}

static void test_patience__ends_at_once_and_twice(void **state)
{
	struct patience p = { 0 };
	struct ear e;

	(void)state;
	patience_end(&p);                                               /* never begun */
	patience_listen(&e);
	alarm(60);
	patience_begin(&p, &e.notify, "Closing", "/data", 3600 * 1000); /* not waited for */
	patience_end(&p);
	patience_end(&p);
	patience_begin(&p, &e.notify, "Closing", "/data", 3600 * 1000);
	patience_end(&p);
	alarm(0);
	patience_leave(&e);
}

static void test_patience__nobody_listens(void **state)
{
	struct notify deaf;
	struct patience p;

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	notify_init(&deaf);
	patience_begin(&p, &deaf, "Opening", "/data", 1);
	assert_false(p.started);
	patience_end(&p);
	notify_fini(&deaf);
}

static void test_patience__progress_is_more_than_looking(void **state)
{
	static const struct {
		struct patience_mark before, now;
		bool progress;
	} cases[] = {
		{ { 0, 0 }, { 0, 0 }, false },
		{ { 5000, 7 }, { 5000, 7 }, false },
		{ { 5000, 7 }, { 5999, 7 }, false },
		{ { 5000, 7 }, { 6000, 7 }, true },
		{ { 5000, 7 }, { 5010, 8 }, true },
		{ { 5000, 7 }, { 9000000, 7 }, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(patience_progress(&cases[i].before, &cases[i].now), cases[i].progress);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patience__asks_while_there_is_progress),
		cmocka_unit_test(test_patience__ends_at_once_and_twice),
		cmocka_unit_test(test_patience__nobody_listens),
		cmocka_unit_test(test_patience__progress_is_more_than_looking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
