/* SPDX-License-Identifier: Apache-2.0 */
/* test_notify.c - what systemd hears. */
#include "lib/test.h"

#include "server/notify.h"

#include <unistd.h>

static int notify_listen(const char *path, bool abstract)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + (abstract ? 0 : 1));
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	memcpy(a.sun_path, path, strlen(path) + 1);
	if (abstract)
		a.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
	return fd;
}

static void notify_expect(int fd, const char *message)
{
	char got[600];
	ssize_t n = recv(fd, got, sizeof(got) - 1, 0);

	assert_true(n > 0);
	got[n] = '\0';
	assert_string_equal(got, message);
}

static void test_notify__messages_arrive(void **state)
{
	char *dir = test_mkdir();
	char path[200];
	struct notify n;

	(void)state;
	for (int abstract = 0; abstract < 2; abstract++) {
		int fd;

		snprintf(path, sizeof(path), "%s%s/n", abstract ? "@" : "", dir);
		fd = notify_listen(path, abstract);
		setenv("NOTIFY_SOCKET", path, 1);
		setenv("WATCHDOG_USEC", "30000000", 1);
		notify_init(&n);
		assert_null(getenv("NOTIFY_SOCKET"));                   /* no child speaks in our name */
		assert_null(getenv("WATCHDOG_USEC"));
		assert_in_range(n.watchdog_ms, 15000, 15001);
		assert_true(notify_send(&n, "READY=1\nSTATUS=Serving %s", "/data"));
		notify_expect(fd, "READY=1\nSTATUS=Serving /data");
		assert_true(notify_send(&n, "WATCHDOG=1"));
		notify_expect(fd, "WATCHDOG=1");
		notify_fini(&n);
		assert_false(notify_send(&n, "READY=1"));
		close(fd);
	}
	test_rmdir(dir);
}

static void test_notify__a_descriptor_is_kept(void **state)
{
	char *dir = test_mkdir(), path[200], text[100] = "";
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec v = { .iov_base = text, .iov_len = sizeof(text) - 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes) };
	int fd, ends[2], got = -1;
	struct notify n;
	char c;

	(void)state;
	snprintf(path, sizeof(path), "%s/n", dir);
	fd = notify_listen(path, false);
	setenv("NOTIFY_SOCKET", path, 1);
	notify_init(&n);
	assert_int_equal(pipe(ends), 0);
	assert_true(notify_store(&n, ends[1], "connection"));
	close(ends[1]);
	assert_true(recvmsg(fd, &m, MSG_CMSG_CLOEXEC) > 0);
	assert_string_equal(text, "FDSTORE=1\nFDNAME=connection");
	assert_non_null(CMSG_FIRSTHDR(&m));
	assert_int_equal(CMSG_FIRSTHDR(&m)->cmsg_type, SCM_RIGHTS);
	memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(got));
	assert_int_equal(write(got, "x", 1), 1);
	assert_int_equal(read(ends[0], &c, 1), 1);
	notify_fini(&n);
	assert_false(notify_store(&n, got, "connection"));
	close(got);
	close(ends[0]);
	close(fd);
	test_rmdir(dir);
}

static void notify_expect_silent(const char *socket)
{
	struct notify n;

	if (socket != NULL)
		setenv("NOTIFY_SOCKET", socket, 1);
	setenv("WATCHDOG_USEC", "1000000", 1);
	notify_init(&n);
	assert_int_equal(n.fd, -1);
	assert_int_equal(n.watchdog_ms, 0);
	assert_false(notify_send(&n, "READY=1"));
	notify_fini(&n);
}

static void test_notify__nobody_listens(void **state)
{
	char longer[300];

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[0] = '/';
	longer[sizeof(longer) - 1] = '\0';
	unsetenv("NOTIFY_SOCKET");
	notify_expect_silent(NULL);
	notify_expect_silent("");
	notify_expect_silent("relative");
	notify_expect_silent("vsock:2:1234");
	notify_expect_silent(longer);
}

static void test_notify__another_process_watchdog_is_not_ours(void **state)
{
	struct notify n;

	(void)state;
	setenv("NOTIFY_SOCKET", "@silt-test-nobody", 1);
	setenv("WATCHDOG_USEC", "1000000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	notify_init(&n);
	assert_int_equal(n.watchdog_ms, 0);
	assert_false(notify_send(&n, "READY=1"));                       /* nobody is there: said, not fatal */
	notify_fini(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_notify__messages_arrive),
		cmocka_unit_test(test_notify__a_descriptor_is_kept),
		cmocka_unit_test(test_notify__nobody_listens),
		cmocka_unit_test(test_notify__another_process_watchdog_is_not_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
