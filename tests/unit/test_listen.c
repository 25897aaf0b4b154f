/* SPDX-License-Identifier: Apache-2.0 */
/* test_listen.c - where the listening socket comes from, and what must not happen to somebody else's. */
#include "lib/test.h"

#include "server/listen.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static char listen_error[LISTEN_ERROR_MAX];

struct listen_place {
	char *dir;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	char address[128];            /* unix:path */
	struct listen_options options;
};

static void listen_place_make(struct listen_place *p)
{
	memset(p, 0, sizeof(*p));
	p->dir = test_mkdir();
	snprintf(p->path, sizeof(p->path), "%.90s/socket", p->dir);
	snprintf(p->address, sizeof(p->address), "unix:%s", p->path);
	p->options = (struct listen_options){ .address = p->address, .mode = 0660 };
}

static void listen_expect_error(const struct listen_options *o, const char *part)
{
	struct listener l;

	listen_error[0] = '\0';
	assert_int_equal(listen_open(o, &l, listen_error), -1);
	if (strstr(listen_error, part) == NULL)
		fail_msg("'%s' does not say '%s'", listen_error, part);
}

static int listen_connect(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), rc;

	memcpy(a.sun_path, path, strlen(path) + 1);
	rc = connect(fd, (struct sockaddr *)&a, sizeof(a));
	close(fd);
	return rc;
}

static void test_listen__own_socket_is_made_and_unmade(void **state)
{
	struct listen_place p;
	struct listener l;
	struct stat st;

	(void)state;
	listen_place_make(&p);
	for (int bare = 0; bare < 2; bare++) {
		p.options.address = bare ? p.path : p.address;
		p.options.mode = bare ? 0600 : 0666;
		assert_int_equal(listen_open(&p.options, &l, listen_error), 0);
		assert_int_equal(l.source, LISTEN_OWN);
		assert_string_equal(listen_name(&l), p.path);
		assert_int_equal(stat(p.path, &st), 0);
		assert_int_equal(st.st_mode & 0777, p.options.mode);
		assert_true(fcntl(l.fd, F_GETFL) & O_NONBLOCK);
		assert_true(fcntl(l.fd, F_GETFD) & FD_CLOEXEC);
		assert_int_equal(listen_connect(p.path), 0);
		listen_close(&l);
		assert_int_equal(l.fd, -1);
		assert_int_equal(stat(p.path, &st), -1);
		listen_close(&l);
	}
	test_rmdir(p.dir);
}

static void test_listen__a_served_path_is_left_alone_and_a_stale_one_is_taken(void **state)
{
	struct listen_place p;
	struct listener first, second;

	(void)state;
	listen_place_make(&p);
	assert_int_equal(listen_open(&p.options, &first, listen_error), 0);
	listen_expect_error(&p.options, "already served by another process");
	assert_int_equal(listen_connect(p.path), 0);
	close(first.fd);                                                /* as if it had been killed */
	assert_int_equal(listen_connect(p.path), -1);
	assert_int_equal(listen_open(&p.options, &second, listen_error), 0);
	assert_int_equal(listen_connect(p.path), 0);
	listen_close(&second);
	test_rmdir(p.dir);
}

static void test_listen__what_is_no_longer_ours_is_not_unlinked(void **state)
{
	struct listen_place p;
	struct listener first, second;

	(void)state;
	listen_place_make(&p);
	assert_int_equal(listen_open(&p.options, &first, listen_error), 0);
	assert_int_equal(unlink(p.path), 0);
	assert_int_equal(listen_open(&p.options, &second, listen_error), 0);
	listen_close(&first);
	assert_int_equal(listen_connect(p.path), 0);
	listen_close(&second);
	test_rmdir(p.dir);
}

static void test_listen__errors_say_what_is_wrong(void **state)
{
	struct listen_place p;
	struct listen_options o;
	char text[300], expected[300];
	int fd;

	(void)state;
	listen_place_make(&p);
	o = p.options;
	o.address = NULL;
	listen_expect_error(&o, "--listen");
	o.address = "";
	listen_expect_error(&o, "--listen");
	o.address = "unix:";
	listen_expect_error(&o, "names no path");
	o.address = "localhost:9000";
	listen_expect_error(&o, "unix sockets only");
	snprintf(text, sizeof(text), "%s/", p.dir);
	memset(text + strlen(text), 'x', 120);
	text[strlen(p.dir) + 121] = '\0';
	o.address = text;
	snprintf(expected, sizeof(expected), "%zu bytes, and a unix socket's may have 107", strlen(text));
	listen_expect_error(&o, expected);
	o.address = p.address;
	o.group = "no-such-group-here";
	listen_expect_error(&o, "no-such-group-here");
	assert_int_equal(access(p.path, F_OK), -1);                     /* nothing is left behind */
	o.group = NULL;
	fd = open(p.path, O_CREAT | O_WRONLY, 0600);
	listen_expect_error(&o, "is no socket");
	assert_int_equal(access(p.path, F_OK), 0);
	close(fd);
	snprintf(text, sizeof(text), "unix:%s/none/socket", p.dir);
	o.address = text;
	listen_expect_error(&o, "No such file or directory");
	test_rmdir(p.dir);
}

static void test_listen__the_longest_path_works(void **state)
{
	struct listen_place p;
	struct listener l;
	size_t n;

	(void)state;
	listen_place_make(&p);
	n = strlen(p.path);
	memset(p.path + n, 'y', sizeof(p.path) - 1 - n);
	p.path[sizeof(p.path) - 1] = '\0';
	p.options.address = p.path;
	assert_int_equal(listen_open(&p.options, &l, listen_error), 0);
	assert_int_equal(listen_connect(p.path), 0);
	listen_close(&l);
	assert_int_equal(access(p.path, F_OK), -1);
	test_rmdir(p.dir);
}

static void test_listen__a_group_is_given(void **state)
{
	struct listen_place p;
	struct listener l;
	struct stat st;
	const struct group *g = getgrgid(getegid());

	(void)state;
	if (g == NULL)
		skip();
	listen_place_make(&p);
	p.options.group = g->gr_name;
	assert_int_equal(listen_open(&p.options, &l, listen_error), 0);
	assert_int_equal(stat(p.path, &st), 0);
	assert_int_equal(st.st_gid, getegid());
	listen_close(&l);
	test_rmdir(p.dir);
}

/* ---- given sockets, in a process of their own: descriptors 0 and 3 are the test's otherwise ------------------------------ */

static int listen_plain(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(a.sun_path, path, strlen(path) + 1);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 5) < 0)
		_exit(90);
	return fd;
}

static void listen_set_env(const char *fds, const char *names, bool our_pid)
{
	char pid[32];

	snprintf(pid, sizeof(pid), "%ld", (long)getpid() + (our_pid ? 0 : 1));
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", fds, 1);
	setenv("LISTEN_FDNAMES", names, 1);
}

/* Each returns 0 where all is as it should be, else where it is not. */
static int listen_child_systemd(const struct listen_place *p)
{
	struct listener l;
	int fd = listen_plain(p->path);

	if (dup2(fd, 3) != 3)
		return 1;
	listen_set_env("1", "a", true);
	if (listen_open(&p->options, &l, listen_error) != 0 || l.fd != 3 || l.source != LISTEN_SYSTEMD)
		return 2;
	if (getenv("LISTEN_FDS") != NULL || getenv("LISTEN_PID") != NULL || !(fcntl(3, F_GETFD) & FD_CLOEXEC))
		return 3;
	listen_close(&l);
	return access(p->path, F_OK) == 0 ? 0 : 4;                      /* systemd's to unlink */
}

static int listen_child_stdin(const struct listen_place *p)
{
	struct listener l;
	int fd = listen_plain(p->path);

	if (dup2(fd, 0) != 0)
		return 1;
	listen_set_env("1", "a", false);                                     /* meant for another process */
	if (listen_open(&p->options, &l, listen_error) != 0 || l.fd != 0 || l.source != LISTEN_STDIN)
		return 2;
	listen_close(&l);
	return access(p->path, F_OK) == 0 ? 0 : 3;
}

static int listen_child_two(const struct listen_place *p)
{
	struct listener l;
	int fd = listen_plain(p->path);

	if (dup2(fd, 3) != 3 || dup2(fd, 4) != 4)
		return 1;
	listen_set_env("2", "a:b", true);
	return listen_open(&p->options, &l, listen_error) == -1 && strstr(listen_error, "descriptor 4") != NULL ? 0 : 2;
}

/* Connections that a predecessor left, of which one has ended; and one that is none. */
static int listen_child_kept(const struct listen_place *p)
{
	struct listener l;
	int fd = listen_plain(p->path), pair[2], ended[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, ended) < 0 || close(ended[1]) < 0)
		return 1;
	fd = fcntl(fd, F_DUPFD, 20);
	pair[0] = fcntl(pair[0], F_DUPFD, 20);
	ended[0] = fcntl(ended[0], F_DUPFD, 20);
	if (dup2(fd, 3) != 3 || dup2(pair[0], 4) != 4 || dup2(ended[0], 5) != 5)
		return 2;
	listen_set_env("3", "siltstone.socket:connection:connection", true);
	if (listen_open(&p->options, &l, listen_error) != 0 || l.fd != 3 || l.kept_count != 2 || l.kept[0] != 4 || l.kept[1] != 5)
		return 3;
	if (!(fcntl(4, F_GETFD) & FD_CLOEXEC) || getenv("LISTEN_FDNAMES") != NULL)
		return 4;
	listen_close(&l);
	if (fcntl(4, F_GETFD) != -1 || dup2(fd, 3) != 3 || dup2(pair[0], 4) != 4)
		return 5;
	listen_set_env("2", "siltstone.socket:stored", true);
	if (listen_open(&p->options, &l, listen_error) != -1 || strstr(listen_error, "descriptor 4") == NULL)
		return 6;
	if (dup2(pair[0], 3) != 3)
		return 7;
	listen_set_env("1", "connection", true);
	return listen_open(&p->options, &l, listen_error) == -1 && strstr(listen_error, "none listens") != NULL ? 0 : 8;
}

static int listen_child_no_socket(const struct listen_place *p)
{
	struct listener l;
	int fds[2];

	if (pipe(fds) < 0 || dup2(fds[0], 3) != 3)
		return 1;
	listen_set_env("1", "a", true);
	return listen_open(&p->options, &l, listen_error) == -1 && strstr(listen_error, "listening stream socket that is wanted") != NULL ? 0 : 2;
}

static void test_listen__given_sockets(void **state)
{
	static int (*const children[])(const struct listen_place *p) = {
		listen_child_systemd, listen_child_stdin, listen_child_two, listen_child_kept, listen_child_no_socket,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(children) / sizeof(children[0]); i++) {
		struct listen_place p;
		int status;
		pid_t pid;

		listen_place_make(&p);
		pid = fork();
		if (pid == 0)
			_exit(children[i](&p));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		print_message("child %zu\n", i);
		assert_int_equal(WEXITSTATUS(status), 0);
		test_rmdir(p.dir);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_listen__own_socket_is_made_and_unmade),
		cmocka_unit_test(test_listen__a_served_path_is_left_alone_and_a_stale_one_is_taken),
		cmocka_unit_test(test_listen__what_is_no_longer_ours_is_not_unlinked),
		cmocka_unit_test(test_listen__errors_say_what_is_wrong),
		cmocka_unit_test(test_listen__the_longest_path_works),
		cmocka_unit_test(test_listen__a_group_is_given),
		cmocka_unit_test(test_listen__given_sockets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
