/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_daemon.c - the whole process but for main(): in a child, with a store, a socket and somebody who plays systemd. A child is
 * talked to in hand-made FastCGI records.
 */
#include "lib/test.h"
#include "lib/fcgi.h"

#include "server/daemon.h"
#include "server/options.h"

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

struct place {
	char *dir;
	char db[128], listen[128], config[128], notify[128];
	int notify_fd;
};

struct child {
	pid_t pid;
	int log;                      /* its stderr, to read from */
	char text[16384];             /* what came out of it so far */
	size_t len;
};

static void daemon_place(struct place *p)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	alarm(300);
	p->dir = test_mkdir();
	snprintf(p->db, sizeof(p->db), "%.80s/db", p->dir);
	snprintf(p->listen, sizeof(p->listen), "unix:%.80s/s", p->dir);
	snprintf(p->config, sizeof(p->config), "%.80s/conf", p->dir);
	snprintf(p->notify, sizeof(p->notify), "%.80s/n", p->dir);
	p->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(a.sun_path, sizeof(a.sun_path), "%.100s", p->notify);
	assert_int_equal(bind(p->notify_fd, (struct sockaddr *)&a, sizeof(a)), 0);
}

static void daemon_leave(struct place *p)
{
	close(p->notify_fd);
	test_rmdir(p->dir);
	alarm(0);
}

static void daemon_write_config(const struct place *p, const char *log_level)
{
	FILE *f = fopen(p->config, "w");

	assert_non_null(f);
	fprintf(f, "db = %s\nlisten = %s\nmemory = 16M\nmemtable_size = 1M\nlog_level = %s\nreactors = 1\nworkers = 1\n", p->db,
	        p->listen, log_level);
	assert_int_equal(fclose(f), 0);
}

/* In the child: as main() does it. */
static int daemon_child(const struct place *p)
{
	char *argv[] = { (char *)(uintptr_t)"siltstone", (char *)(uintptr_t)"--config", (char *)(uintptr_t)p->config, NULL };
	char error[OPTIONS_ERROR_MAX];
	struct options o;
	int status;

	setenv("NOTIFY_SOCKET", p->notify, 1);
	if (options_load(&o, 3, argv, error) < 0) {
		fprintf(stderr, "%s\n", error);
		return 99;
	}
	status = daemon_run(&o, 3, argv);
	options_fini(&o);
	return status;
}

/* The same with the sockets that systemd would pass: one that listens, and a connection that a predecessor left. */
static int daemon_successor(const struct place *p, const int given[2])
{
	char pid[32];

	for (int i = 0; i < 2; i++)
		assert_true(dup2(given[i], 100 + i) >= 0);
	for (int i = 0; i < 2; i++)
		assert_true(dup2(100 + i, 3 + i) >= 0);
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "2", 1);
	setenv("LISTEN_FDNAMES", "fcgi:connection", 1);
	return daemon_child(p);
}

static void daemon_spawn_given(const struct place *p, struct child *c, const int given[2])
{
	int fds[2];

	memset(c, 0, sizeof(*c));
	assert_int_equal(pipe(fds), 0);
	fflush(stdout);
	c->pid = fork();
	assert_true(c->pid >= 0);
	if (c->pid == 0) {
		dup2(fds[1], STDERR_FILENO);
		close(fds[0]);
		close(fds[1]);
		_exit(given != NULL ? daemon_successor(p, given) : daemon_child(p));
	}
	close(fds[1]);
	c->log = fds[0];
}

static void daemon_spawn(const struct place *p, struct child *c)
{
	daemon_spawn_given(p, c, NULL);
}

/* The next datagram that begins like this; others are passed over. */
static void daemon_hear(const struct place *p, const char *beginning)
{
	char message[600];

	do {
		ssize_t n = recv(p->notify_fd, message, sizeof(message) - 1, 0);

		assert_true(n > 0);
		message[n] = '\0';
	} while (strncmp(message, beginning, strlen(beginning)) != 0);
}

static void daemon_read_log(struct child *c, const char *until)
{
	while (until == NULL || strstr(c->text, until) == NULL) {
		ssize_t n = read(c->log, c->text + c->len, sizeof(c->text) - 1 - c->len);

		if (n <= 0) {
			if (until != NULL)
				fail_msg("'%s' does not come: %s", until, c->text);
			return;
		}
		c->len += (size_t)n;
		c->text[c->len] = '\0';
	}
}

static void daemon_expect_exit(struct child *c, int expected)
{
	int status;

	assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
	daemon_read_log(c, NULL);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != expected)
		fail_msg("status %x, not %d: %s", (unsigned)status, expected, c->text);
	close(c->log);
}

static int daemon_connect(const struct place *p)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct timeval t = { .tv_sec = 120 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%.100s", p->listen + 5);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void daemon_ask(int fd, const char *method, const char *route, const char *uri, const void *body, size_t n)
{
	static const char *const admin[] = { "SILT_ROLE", "admin", "HTTP_HOST", "localhost", NULL };
	struct fcgi_buf b = { 0 };

	fcgi_request(&b, method, route, uri, admin, body, n);
	fcgi_send(fd, b.p, b.len);
	fcgi_free(&b);
}

static void daemon_expect(int fd, int status, const char *body)
{
	struct fcgi_buf answer = { 0 };

	assert_true(fcgi_answer(fd, &answer));
	if (fcgi_status(&answer) != status)
		fail_msg("%s", (const char *)answer.p);
	if (body != NULL)
		assert_non_null(strstr(fcgi_body(&answer), body));
	fcgi_free(&answer);
}

static void test_daemon__sigterm_and_sigint_close_cleanly_and_keep_the_data(void **state)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGTERM };
	struct place p;

	(void)state;
	daemon_place(&p);
	daemon_write_config(&p, "info");
	for (size_t i = 0; i < 3; i++) {
		struct child c;
		struct stat st;
		int fd;

		daemon_spawn(&p, &c);
		daemon_hear(&p, "EXTEND_TIMEOUT_USEC=30000000\nSTATUS=Opening ");
		daemon_hear(&p, "READY=1\nSTATUS=Serving ");
		assert_int_equal(stat(p.listen + 5, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0660);
		fd = daemon_connect(&p);
		if (i > 0) {
			daemon_ask(fd, "GET", "/v1/kv/", "/v1/kv/key", NULL, 0);
			daemon_expect(fd, 200, i == 1 ? "value 0" : "value 1");
		}
		daemon_ask(fd, "PUT", "/v1/kv/", "/v1/kv/key", i == 0 ? "value 0" : "value 1", 7);
		daemon_expect(fd, i == 0 ? 201 : 204, NULL);
		kill(c.pid, signals[i]);
		daemon_hear(&p, "STOPPING=1\n");
		daemon_hear(&p, "EXTEND_TIMEOUT_USEC=30000000\nSTATUS=Closing ");
		daemon_expect_exit(&c, 0);
		assert_non_null(strstr(c.text, signals[i] == SIGINT ? "<5>stopping: SIGINT" : "<5>stopping: SIGTERM"));
		assert_non_null(strstr(c.text, "<5>closed\n"));
		assert_int_equal(stat(p.listen + 5, &st), -1);
		close(fd);
	}
	daemon_leave(&p);
}

static void test_daemon__shutdown_over_http_is_answered_before_the_end(void **state)
{
	struct place p;
	struct child c;
	int fd, other;

	(void)state;
	daemon_place(&p);
	daemon_write_config(&p, "info");
	daemon_spawn(&p, &c);
	daemon_hear(&p, "READY=1");
	fd = daemon_connect(&p);
	other = daemon_connect(&p);
	daemon_ask(fd, "PUT", "/v1/kv/", "/v1/kv/key", "value", 5);
	daemon_expect(fd, 201, NULL);
	daemon_ask(fd, "POST", "/shutdown", "/shutdown", NULL, 0);
	daemon_expect(fd, 200, "\"flushed_entries\":1");
	daemon_expect_exit(&c, 0);
	assert_non_null(strstr(c.text, "asked for over HTTP"));
	close(fd);
	close(other);
	daemon_leave(&p);
}

/* A reader that does not read keeps the first signal's drain waiting; the second does not wait for it. */
static void test_daemon__a_second_signal_ends_it_at_once(void **state)
{
	size_t size = 8u << 20;
	char *value = calloc(1, size);
	struct place p;
	struct child c;
	int fd;

	(void)state;
	assert_non_null(value);
	daemon_place(&p);
	daemon_write_config(&p, "info");
	daemon_spawn(&p, &c);
	daemon_hear(&p, "READY=1");
	fd = daemon_connect(&p);
	daemon_ask(fd, "PUT", "/v1/kv/", "/v1/kv/key", value, size);
	daemon_expect(fd, 201, NULL);
	daemon_ask(fd, "GET", "/v1/kv/", "/v1/kv/key", NULL, 0);
	for (struct pollfd ready = { .fd = fd, .events = POLLIN }; poll(&ready, 1, -1) != 1;)
		;
	kill(c.pid, SIGTERM);
	daemon_hear(&p, "STOPPING=1");
	daemon_read_log(&c, "stopping: SIGTERM");
	kill(c.pid, SIGHUP);                                            /* means nothing any more */
	usleep(100000);
	kill(c.pid, SIGTERM);
	daemon_expect_exit(&c, 1);
	assert_null(strstr(c.text, "closed"));
	assert_null(strstr(c.text, "configuration read again"));
	close(fd);
	free(value);
	daemon_leave(&p);
}

static void test_daemon__a_second_process_is_told_so(void **state)
{
	struct place p, q;
	struct child c, second;
	int fd;

	(void)state;
	daemon_place(&p);
	daemon_write_config(&p, "info");
	daemon_spawn(&p, &c);
	daemon_hear(&p, "READY=1");
	daemon_spawn(&p, &second);                                      /* the same socket */
	daemon_expect_exit(&second, 1);
	assert_non_null(strstr(second.text, "already served by another process"));
	daemon_place(&q);
	memcpy(q.db, p.db, sizeof(q.db));
	daemon_write_config(&q, "info");
	daemon_spawn(&q, &second);                                      /* another socket, the same store */
	daemon_expect_exit(&second, 1);
	assert_non_null(strstr(second.text, p.db));
	assert_int_equal(access(q.listen + 5, F_OK), -1);               /* and leaves no socket behind */
	fd = daemon_connect(&p);
	daemon_ask(fd, "GET", "/healthz", "/healthz", NULL, 0);
	daemon_expect(fd, 200, NULL);
	close(fd);
	kill(c.pid, SIGTERM);
	daemon_expect_exit(&c, 0);
	daemon_leave(&q);
	daemon_leave(&p);
}

static void test_daemon__sighup_reads_the_configuration_again(void **state)
{
	struct place p;
	struct child c;

	(void)state;
	daemon_place(&p);
	daemon_write_config(&p, "info");
	daemon_spawn(&p, &c);
	daemon_hear(&p, "READY=1");
	daemon_write_config(&p, "debug");
	kill(c.pid, SIGHUP);
	daemon_read_log(&c, "<5>log_level: changed\n");
	daemon_read_log(&c, "<5>configuration read again\n");
	daemon_hear(&p, "RELOADING=1\nMONOTONIC_USEC=");
	daemon_hear(&p, "READY=1\nSTATUS=Serving ");
	daemon_write_config(&p, "loud");
	kill(c.pid, SIGHUP);
	daemon_read_log(&c, "<3>the configuration stays as it was: ");
	daemon_read_log(&c, "conf:5: log_level: 'loud' is none of ");
	daemon_hear(&p, "RELOADING=1\n");
	daemon_hear(&p, "READY=1\n");                                   /* it serves on */
	kill(c.pid, SIGTERM);
	daemon_expect_exit(&c, 0);
	daemon_leave(&p);
}

static void test_daemon__the_watchdog_hears_of_it(void **state)
{
	struct place p;
	struct child c;

	(void)state;
	daemon_place(&p);
	daemon_write_config(&p, "info");
	setenv("WATCHDOG_USEC", "40000", 1);
	daemon_spawn(&p, &c);
	unsetenv("WATCHDOG_USEC");
	daemon_hear(&p, "READY=1");
	for (int i = 0; i < 3; i++)
		daemon_hear(&p, "WATCHDOG=1\nSTATUS=Serving ");
	kill(c.pid, SIGTERM);
	daemon_expect_exit(&c, 0);
	daemon_leave(&p);
}

/* systemd's copies of what a predecessor left must go; where it can't be told, the log says so. */
static void test_daemon__connections_of_a_predecessor_are_served(void **state)
{
	(void)state;
	for (int told = 1; told >= 0; told--) {
		struct sockaddr_un a = { .sun_family = AF_UNIX };
		int given[2], pair[2];
		struct place p;
		struct child c;

		daemon_place(&p);
		daemon_write_config(&p, "info");
		if (!told)
			snprintf(p.notify, sizeof(p.notify), "%.80s/nobody", p.dir);
		snprintf(a.sun_path, sizeof(a.sun_path), "%.90s/given", p.dir);
		given[0] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(bind(given[0], (struct sockaddr *)&a, sizeof(a)), 0);
		assert_int_equal(listen(given[0], 8), 0);
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
		given[1] = pair[0];
		daemon_spawn_given(&p, &c, given);
		close(given[0]);
		close(given[1]);
		daemon_ask(pair[1], "PUT", "/v1/kv/", "/v1/kv/key", "value", 5);
		daemon_expect(pair[1], 201, NULL);
		if (told)
			daemon_hear(&p, "FDSTOREREMOVE=1\nFDNAME=connection");
		kill(c.pid, SIGTERM);
		daemon_expect_exit(&c, 0);
		assert_non_null(strstr(c.text, "<5>going on with 1 connections\n"));
		assert_int_equal(strstr(c.text, "<4>systemd can't be told") == NULL, told);
		close(pair[1]);
		daemon_leave(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_daemon__sigterm_and_sigint_close_cleanly_and_keep_the_data),
		cmocka_unit_test(test_daemon__shutdown_over_http_is_answered_before_the_end),
		cmocka_unit_test(test_daemon__a_second_signal_ends_it_at_once),
		cmocka_unit_test(test_daemon__a_second_process_is_told_so),
		cmocka_unit_test(test_daemon__sighup_reads_the_configuration_again),
		cmocka_unit_test(test_daemon__the_watchdog_hears_of_it),
		cmocka_unit_test(test_daemon__connections_of_a_predecessor_are_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
