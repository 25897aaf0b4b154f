/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_fcgi_rules.c - libfcgi in an event loop: its traps, one test a rule at least, numbered as in exchange.c. Where a trap is in
 * libfcgi itself the test shows it there, too: if a later libfcgi loses it, we want to know.
 */
#include "lib/test.h"
#include "lib/fcgi.h"
#include "lib/fcgi_rig.h"

#include "server/connection.h"
#include "server/exchange.h"
#include "server/listen.h"

#include <fcntl.h>
#include <sys/wait.h>

/* ---- libfcgi on a socket pair, without a server ------------------------------------------------------------------------- */

struct pair {
	int ours, peer;
	struct server server;
	struct loop loop;
	struct exchange_home home;
	struct exchange *x;
};

static void pair_open(struct pair *p)
{
	int fds[2];

	memset(p, 0, sizeof(*p));
	alarm(300);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	p->ours = fds[0];
	p->peer = fds[1];
	p->server.limits = (struct server_limits){ .max_request_size = 1u << 20, .max_body_bytes = 4u << 20 };
	p->home.server = &p->server;
	p->home.loop = &p->loop;
	p->x = exchange_new(&p->home, NULL);
	assert_non_null(p->x);
}

static void pair_close(struct pair *p)
{
	exchange_free(p->x);
	exchange_home_fini(&p->home);
	if (p->ours >= 0)
		close(p->ours);
	close(p->peer);
	alarm(0);
}

static void pair_timeout(int fd, long ms)
{
	struct timeval t = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)), 0);
}

/* 1: told of a listening socket, libfcgi would now wait in accept() for ever. */
static void test_fcgi_rules__rule_01_a_peer_that_left_is_an_error_and_not_an_accept(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	assert_int_equal(p.x->fcgi.listen_sock, -1);
	assert_int_equal(shutdown(p.peer, SHUT_WR), 0);
	assert_false(exchange_read(p.x, &p.ours));
	assert_int_equal(p.ours, -1);
	pair_close(&p);
}

static void test_fcgi_rules__rule_02_the_preset_descriptor_stays_open(void **state)
{
	struct pair p;
	struct fcgi_buf b = { 0 };
	int fd;

	(void)state;
	pair_open(&p);
	fcgi_request(&b, "GET", "/echo", "/x", NULL, NULL, 0);
	fd = p.ours;
	for (int i = 0; i < 3; i++) {
		fcgi_send(p.peer, b.p, b.len);
		assert_true(exchange_read(p.x, &p.ours));
		assert_int_equal(p.ours, fd);
		assert_true(p.x->keep);
		assert_string_equal(p.x->request.uri, "/x");
		exchange_free(p.x);
		p.x = exchange_new(&p.home, NULL);
	}
	assert_true(fcntl(fd, F_GETFD) >= 0);
	fcgi_free(&b);
	pair_close(&p);
}

/* The trap: without keepConnection the very first act is to close. */
static void test_fcgi_rules__rule_02_libfcgi_closes_what_is_not_marked_kept(void **state)
{
	FCGX_Request r;
	int fds[2];

	(void)state;
	alarm(300);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(FCGX_InitRequest(&r, -1, 0), 0);
	r.ipcFd = fds[0];
	r.detached = 1;
	assert_true(FCGX_Accept_r(&r) < 0);
	assert_int_equal(fcntl(fds[0], F_GETFD), -1);
	close(fds[1]);
	alarm(0);
}

/* A request whose connection ends just before the header that mattered. */
static void cut_params(struct fcgi_buf *b)
{
	struct fcgi_buf params = { 0 };

	fcgi_pair(&params, "REQUEST_METHOD", "PUT", 3);
	fcgi_pair(&params, "SCRIPT_NAME", "/echo", 5);
	fcgi_pair(&params, "HTTP_IF_MATCH", "\"7\"", 3);
	fcgi_begin(b, 1, true);
	fcgi_record(b, FCGI_PARAMS, 1, params.p, params.len, 0);
	b->len -= 2 + 13 + 3;
	fcgi_free(&params);
}

static void test_fcgi_rules__rule_03_libfcgi_calls_cut_parameters_a_success_and_we_do_not(void **state)
{
	struct fcgi_buf b = { 0 };
	FCGX_Request r;
	struct pair p;
	int fds[2];

	(void)state;
	cut_params(&b);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(FCGX_InitRequest(&r, -1, 0), 0);
	fcgi_send(fds[1], b.p, b.len);
	assert_int_equal(shutdown(fds[1], SHUT_WR), 0);
	r.ipcFd = fds[0];
	r.keepConnection = r.detached = 1;
	assert_int_equal(FCGX_Accept_r(&r), 0);                         /* the trap */
	assert_non_null(FCGX_GetParam("REQUEST_METHOD", r.envp));
	assert_null(FCGX_GetParam("HTTP_IF_MATCH", r.envp));
	assert_int_not_equal(FCGX_GetError(r.in), 0);
	FCGX_Free(&r, 1);
	close(fds[1]);

	pair_open(&p);
	fcgi_send(p.peer, b.p, b.len);
	assert_int_equal(shutdown(p.peer, SHUT_WR), 0);
	assert_false(exchange_read(p.x, &p.ours));
	pair_close(&p);
	fcgi_free(&b);
}

static void test_fcgi_rules__rule_03_a_silent_peer_is_an_error_too(void **state)
{
	struct fcgi_buf b = { 0 };
	struct pair p;

	(void)state;
	cut_params(&b);
	pair_open(&p);
	pair_timeout(p.ours, 50);
	fcgi_send(p.peer, b.p, b.len);
	assert_false(exchange_read(p.x, &p.ours));
	pair_close(&p);
	fcgi_free(&b);
}

static void test_fcgi_rules__rule_03_parameters_cut_short_reach_no_handler(void **state)
{
	struct fcgi_buf b = { 0 };
	static char filler[20000];
	int fd;

	(void)state;
	rig_start((struct rig_setup){ 0 });
	cut_params(&b);
	fd = rig_connect();
	fcgi_send(fd, b.p, b.len);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	rig_expect_closed(fd);

	/* the same, where they are too large to be seen whole, and a thread reads them */
	fcgi_free(&b);
	memset(filler, 'a', sizeof(filler) - 1);
	fcgi_request(&b, "PUT", "/echo", filler, (const char *const[]){ "HTTP_IF_MATCH", "\"7\"", NULL }, NULL, 0);
	for (size_t cut = 19000; cut < b.len; cut += 97) {
		fd = rig_connect();
		fcgi_send(fd, b.p, cut);
		assert_int_equal(shutdown(fd, SHUT_WR), 0);
		rig_expect_closed(fd);
	}
	assert_int_equal(atomic_load(&rig.dispatched), 0);
	rig_expect_alive();
	fcgi_free(&b);
	rig_end();
}

/* 4: whatever a handler does with a body, the next request on the connection is the next request. */
static void test_fcgi_rules__rule_04_body_is_drained(void **state)
{
	static const size_t sizes[] = { 1, 100, 8184, 8192, 8193, 15000, 16384, 70000, 1000000 };
	uint8_t *body = calloc(1, 1000000);
	int fd;

	(void)state;
	assert_non_null(body);
	rig_start((struct rig_setup){ 0 });
	fd = rig_connect();
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		rig_ask(fd, "PUT", "/large", "/large?10", body, sizes[i]);      /* a handler that does not look at it */
		rig_expect(fd, 200, NULL);
		rig_ask(fd, "GET", "/echo", "/next", NULL, 0);
		rig_expect(fd, 200, "GET /next ");
	}
	close(fd);
	free(body);
	rig_end();
}

/* The attack: an ordinary body that holds a request of its own, at every offset that a reader's buffer might leave it at. */
static void test_fcgi_rules__rule_04_a_body_of_records_is_a_body(void **state)
{
	struct fcgi_buf forged = { 0 }, body = { 0 };
	int fd;

	(void)state;
	rig_start((struct rig_setup){ .max_request_size = 60000 });
	fcgi_request(&forged, "POST", "/forged", "/forged", (const char *const[]){ "SILT_ROLE", "admin", NULL }, NULL, 0);
	while (body.len < 70000)
		fcgi_add(&body, forged.p, forged.len);
	fd = rig_connect();
	for (size_t n = 7000; n < body.len; n += 997) {
		rig_ask(fd, "PUT", n % 2 ? "/echo" : "/large", "/x?10", body.p + n % 16, n - n % 16);
		rig_expect(fd, n - n % 16 > 60000 && n % 2 ? 413 : 200, NULL);
		rig_ask(fd, "GET", "/echo", "/next", NULL, 0);
		rig_expect(fd, 200, "GET /next ");
	}
	assert_int_equal(atomic_load(&rig.forged), 0);
	close(fd);
	fcgi_free(&forged);
	fcgi_free(&body);
	rig_end();
}

static void test_fcgi_rules__rule_04_a_body_cut_short_reaches_no_handler(void **state)
{
	static const size_t sizes[] = { 5000, 100000 };
	static uint8_t body[100000];

	(void)state;
	rig_start((struct rig_setup){ 0 });
	for (size_t i = 0; i < 2; i++) {
		struct fcgi_buf b = { 0 };

		fcgi_request(&b, "PUT", "/echo", "/x", NULL, body, sizes[i]);
		for (size_t less = 1; less < sizes[i]; less = less * 5 + 3) {
			int fd = rig_connect();

			fcgi_send(fd, b.p, b.len - less);
			assert_int_equal(shutdown(fd, SHUT_WR), 0);
			rig_expect_closed(fd);
		}
		fcgi_free(&b);
	}
	assert_int_equal(atomic_load(&rig.dispatched), 0);
	rig_end();
}

/* A body that ends in order, but not where Content-Length said, is two people's idea of one body: 400, and no handler sees it. */
static void test_fcgi_rules__rule_04_a_body_of_another_length_is_refused(void **state)
{
	static const char *const lengths[] = { "4", "6", "0", "-5", "5x", "18446744073709551616" };
	int fd;

	(void)state;
	rig_start((struct rig_setup){ 0 });
	fd = rig_connect();
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct fcgi_buf b = { 0 }, params = { 0 };

		fcgi_pair(&params, "SCRIPT_NAME", "/echo", 5);
		fcgi_pair(&params, "CONTENT_LENGTH", lengths[i], strlen(lengths[i]));
		fcgi_begin(&b, 1, true);
		fcgi_stream(&b, FCGI_PARAMS, params.p, params.len, 65528);
		fcgi_stream(&b, FCGI_STDIN, "12345", 5, 65528);
		fcgi_send(fd, b.p, b.len);
		rig_expect(fd, 400, NULL);
		fcgi_free(&b);
		fcgi_free(&params);
	}
	assert_int_equal(atomic_load(&rig.dispatched), 0);
	close(fd);
	rig_end();
}

/* 5: the environment says that a lingering close waits ten minutes (main()); the alarm is far below that. */
static void test_fcgi_rules__rule_05_a_close_inside_libfcgi_does_not_wait(void **state)
{
	struct fcgi_buf b = { 0 };
	struct pair p;

	(void)state;
	fcgi_begin(&b, 1, true);
	b.p[0] = 2;                                                     /* a version that nobody speaks */
	pair_open(&p);
	fcgi_send(p.peer, b.p, b.len);
	assert_false(exchange_read(p.x, &p.ours));                      /* protocol error: libfcgi closes, the peer stays open */
	assert_int_equal(p.ours, -1);
	pair_close(&p);
	fcgi_free(&b);
}

/* 6: what is late is waited for, since libfcgi would take it for the end; what does not come at all ends. */
static void test_fcgi_rules__rule_06_a_late_body_is_waited_for(void **state)
{
	static uint8_t body[50000];
	struct fcgi_buf b = { 0 };
	int fd;

	(void)state;
	rig_start((struct rig_setup){ 0 });
	fcgi_request(&b, "PUT", "/echo", "/late", NULL, body, sizeof(body));
	fd = rig_connect();
	for (size_t at = 0; at < b.len; at += 10000) {
		fcgi_send(fd, b.p + at, b.len - at < 10000 ? b.len - at : 10000);
		usleep(20000);
	}
	rig_expect(fd, 200, "PUT /late ");
	close(fd);
	fcgi_free(&b);
	rig_end();
}

static void test_fcgi_rules__rule_06_a_body_that_does_not_come_ends(void **state)
{
	static uint8_t body[50000];
	struct fcgi_buf b = { 0 };

	(void)state;
	rig_start((struct rig_setup){ .request_timeout_ms = 100 });
	fcgi_request(&b, "PUT", "/echo", "/late", NULL, body, sizeof(body));
	for (int i = 0; i < 3; i++) {
		int fd = rig_connect();

		fcgi_send(fd, b.p, 30000);
		rig_expect_closed(fd);
	}
	assert_int_equal(atomic_load(&rig.dispatched), 0);
	fcgi_free(&b);
	rig_end();
}

/* ... nor one that drips: each byte comes in time for SO_RCVTIMEO, the whole does not. */
static void test_fcgi_rules__rule_06_a_body_that_drips_ends(void **state)
{
	static uint8_t body[50000];
	struct fcgi_buf b = { 0 };
	size_t at = 20000;
	int fd;

	(void)state;
	rig_start((struct rig_setup){ .transfer_timeout_ms = 200 });
	fcgi_request(&b, "PUT", "/echo", "/late", NULL, body, sizeof(body));
	fd = rig_connect();
	fcgi_send(fd, b.p, at);
	while (at < b.len && send(fd, b.p + at++, 1, MSG_NOSIGNAL) == 1)
		usleep(10000);
	assert_true(at < b.len);
	close(fd);
	assert_int_equal(atomic_load(&rig.dispatched), 0);
	rig_expect_alive();
	fcgi_free(&b);
	rig_end();
}

/* 7: the trap. daemon.c sets its own after FCGX_Init(); tests of the whole process show that SIGTERM ends it. */
static void test_fcgi_rules__rule_07_fcgx_init_takes_sigterm(void **state)
{
	struct sigaction a;

	(void)state;
	assert_int_equal(sigaction(SIGTERM, NULL, &a), 0);
	assert_true(a.sa_handler != SIG_DFL);
}

/* 8: FCGX_OpenSocket() would unlink a socket that another process serves. */
static void test_fcgi_rules__rule_08_the_socket_is_our_own(void **state)
{
	struct listen_options o = { .mode = 0660 };
	struct listener l, second;
	char error[LISTEN_ERROR_MAX];
	char *dir = test_mkdir();
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct stat st;
	int fds[300];

	(void)state;
	snprintf(path, sizeof(path), "unix:%s/s", dir);
	o.address = path;
	assert_int_equal(listen_open(&o, &l, error), 0);
	assert_int_equal(stat(path + 5, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_true(fcntl(l.fd, F_GETFL) & O_NONBLOCK);
	assert_int_equal(listen_open(&o, &second, error), -1);
	assert_non_null(strstr(error, "already served"));
	for (size_t i = 0; i < 300; i++) {                              /* nobody accepts: a short backlog would refuse */
		struct sockaddr_un a = { .sun_family = AF_UNIX };

		memcpy(a.sun_path, path + 5, sizeof(path) - 5);
		fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		assert_int_equal(connect(fds[i], (struct sockaddr *)&a, sizeof(a)), 0);
	}
	for (size_t i = 0; i < 300; i++)
		close(fds[i]);
	listen_close(&l);
	test_rmdir(dir);
}

/* 9: timeouts are for requests that began, never for a connection that waits for its next. */
static void test_fcgi_rules__rule_09_an_idle_connection_is_never_closed(void **state)
{
	int idle, partial;

	(void)state;
	rig_start((struct rig_setup){ .request_timeout_ms = 50, .transfer_timeout_ms = 50 });
	idle = rig_connect();
	rig_ask(idle, "GET", "/echo", "/first", NULL, 0);
	rig_expect(idle, 200, "GET /first ");
	for (int i = 0; i < 4; i++) {
		partial = rig_connect();
		fcgi_send(partial, "\1", 1);
		rig_expect_closed(partial);                             /* its time is over; so would the idle one's be */
	}
	rig_ask(idle, "GET", "/echo", "/second", NULL, 0);
	rig_expect(idle, 200, "GET /second ");
	close(idle);
	rig_end();
}

/* 10: own records; fcgi_answer() checks the framing of each. */
static void test_fcgi_rules__rule_10_large_answers_come_whole(void **state)
{
	static const char *const sizes[] = { "0", "8000", "65528", "65536", "300000", "5000000" };
	int fd;

	(void)state;
	rig_start((struct rig_setup){ 0 });
	fd = rig_connect();
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t n = strtoul(sizes[i], NULL, 10);
		struct fcgi_buf answer = { 0 };
		char uri[64], length[64];
		const uint8_t *body;

		snprintf(uri, sizeof(uri), "/large?%s", sizes[i]);
		snprintf(length, sizeof(length), "Content-Length: %zu\r\n", n);
		rig_ask(fd, "GET", "/large", uri, NULL, 0);
		assert_true(fcgi_answer(fd, &answer));
		assert_non_null(strstr((const char *)answer.p, length));
		body = (const uint8_t *)fcgi_body(&answer);
		assert_int_equal(answer.len - (size_t)(body - answer.p), n);
		for (size_t at = 0; at < n; at++)
			if (body[at] != (uint8_t)(at * 7 >> 4))
				fail_msg("byte %zu of %zu", at, n);
		fcgi_free(&answer);
	}
	rig_ask(fd, "GET", "/echo", "/next", NULL, 0);
	rig_expect(fd, 200, "GET /next ");
	close(fd);
	rig_end();
}

/* ... and one walk: a parameter given twice could mean either, so it means neither. */
static void test_fcgi_rules__rule_10_a_parameter_twice_is_misconfigured(void **state)
{
	static const char *const twice[] = { "SILT_ROLE", "read", "SILT_ROLE", "admin", NULL };
	struct fcgi_buf b = { 0 };
	int fd;

	(void)state;
	rig_start((struct rig_setup){ 0 });
	fcgi_request(&b, "GET", "/echo", "/x", twice, NULL, 0);
	fd = rig_connect();
	fcgi_send(fd, b.p, b.len);
	rig_expect(fd, 500, "misconfigured");
	close(fd);
	fcgi_free(&b);
	rig_end();
}

/* 11: this very sequence smashes libfcgi's stack. */
static void get_values_flood(struct fcgi_buf *b)
{
	struct fcgi_buf names = { 0 };

	for (int i = 0; i < 20; i++)
		fcgi_pair(&names, "FCGI_MAX_CONNS", NULL, 0);
	fcgi_record(b, FCGI_GET_VALUES, 0, names.p, names.len, 0);
	fcgi_free(&names);
}

static void test_fcgi_rules__rule_11_get_values_never_reaches_libfcgi(void **state)
{
	struct fcgi_buf flood = { 0 }, within = { 0 };
	int fd;

	(void)state;
	rig_start((struct rig_setup){ 0 });
	get_values_flood(&flood);
	for (int i = 0; i < 5; i++) {
		fd = rig_connect();
		fcgi_send(fd, flood.p, flood.len);
		rig_expect_closed(fd);
	}
	fcgi_begin(&within, 1, true);
	fcgi_add(&within, flood.p, flood.len);
	fd = rig_connect();
	fcgi_send(fd, within.p, within.len);
	rig_expect_closed(fd);
	rig_expect_alive();
	fcgi_free(&flood);
	fcgi_free(&within);
	rig_end();
}

/* ---- peers that behave badly --------------------------------------------------------------------------------------------- */

static void test_fcgi_rules__garbage_closes_its_connection_only(void **state)
{
	uint64_t seed = test_seed(4711);
	int good;

	(void)state;
	rig_start((struct rig_setup){ .request_timeout_ms = 100, .reactors = 2 });
	good = rig_connect();
	for (int i = 0; i < 100; i++) {
		uint8_t noise[300];
		int fd = rig_connect();

		for (size_t k = 0; k < sizeof(noise); k++)
			noise[k] = (uint8_t)test_random(&seed);
		if (i % 2)
			noise[0] = 1;
		if (i % 4 == 3)
			noise[1] = 1, noise[4] = 0, noise[5] = 8;
		(void)!send(fd, noise, sizeof(noise), MSG_NOSIGNAL);
		rig_expect_closed(fd);
		rig_ask(good, "GET", "/echo", "/good", NULL, 0);
		rig_expect(good, 200, "GET /good ");
	}
	close(good);
	rig_end();
}

/* Four of them froze a responder of two blocking threads. */
static void test_fcgi_rules__partial_peers_freeze_nobody(void **state)
{
	struct fcgi_buf b = { 0 };
	int partial[8], large[8];

	(void)state;
	rig_start((struct rig_setup){ .reactors = 1 });
	fcgi_request(&b, "PUT", "/echo", "/slow", NULL, "0123456789", 10);
	for (size_t i = 0; i < 8; i++) {
		partial[i] = rig_connect();
		fcgi_send(partial[i], b.p, b.len / (i + 2));
	}
	for (size_t i = 0; i < 8; i++) {
		struct fcgi_buf big = { 0 };
		static uint8_t body[100000];

		large[i] = rig_connect();
		fcgi_request(&big, "PUT", "/echo", "/large", NULL, body, sizeof(body));
		fcgi_send(large[i], big.p, 50000);
		fcgi_free(&big);
	}
	rig_expect_alive();
	for (size_t i = 0; i < 8; i++) {                                /* and they are served as soon as they are whole */
		fcgi_send(partial[i], b.p + b.len / (i + 2), b.len - b.len / (i + 2));
		rig_expect(partial[i], 200, "PUT /slow 0123456789");
		close(partial[i]);
		close(large[i]);
	}
	fcgi_free(&b);
	rig_end();
}

static void test_fcgi_rules__a_request_in_single_bytes_is_served(void **state)
{
	struct fcgi_buf b = { 0 };
	int fd;

	(void)state;
	rig_start((struct rig_setup){ 0 });
	fcgi_request(&b, "PUT", "/echo", "/bytes", NULL, "body", 4);
	fd = rig_connect();
	for (size_t i = 0; i < b.len; i++) {
		fcgi_send(fd, b.p + i, 1);
		if (i % 16 == 0)
			usleep(500);
	}
	rig_expect(fd, 200, "PUT /bytes body");
	close(fd);
	fcgi_free(&b);
	rig_end();
}

static void test_fcgi_rules__a_peer_that_leaves_its_parked_request(void **state)
{
	int fd;

	(void)state;
	rig_start((struct rig_setup){ 0 });
	fd = rig_connect();
	rig_ask(fd, "PUT", "/park", "/park", "x", 1);
	rig_wait_parked(1);
	rig_wait_counted(1);
	close(fd);
	rig_expect_alive();                                             /* the reactor has seen it leave by now, or will */
	rig_answer(atomic_load(&rig.parked[0]), "for nobody");
	request_complete(atomic_load(&rig.parked[0]));
	rig_wait_counted(0);
	rig_expect_alive();
	rig_end();
}

static void test_fcgi_rules__without_keep_the_connection_ends_after_the_answer(void **state)
{
	struct fcgi_buf b = { 0 };
	int fd;

	(void)state;
	rig_start((struct rig_setup){ 0 });
	fcgi_request(&b, "GET", "/echo", "/once", NULL, NULL, 0);
	b.p[10] = 0;                                                    /* flags of BEGIN */
	fd = rig_connect();
	fcgi_send(fd, b.p, b.len);
	rig_expect(fd, 200, "GET /once ");
	rig_expect_closed(fd);
	fcgi_free(&b);
	rig_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fcgi_rules__rule_01_a_peer_that_left_is_an_error_and_not_an_accept),
		cmocka_unit_test(test_fcgi_rules__rule_02_the_preset_descriptor_stays_open),
		cmocka_unit_test(test_fcgi_rules__rule_02_libfcgi_closes_what_is_not_marked_kept),
		cmocka_unit_test(test_fcgi_rules__rule_03_libfcgi_calls_cut_parameters_a_success_and_we_do_not),
		cmocka_unit_test(test_fcgi_rules__rule_03_a_silent_peer_is_an_error_too),
		cmocka_unit_test(test_fcgi_rules__rule_03_parameters_cut_short_reach_no_handler),
		cmocka_unit_test(test_fcgi_rules__rule_04_body_is_drained),
		cmocka_unit_test(test_fcgi_rules__rule_04_a_body_of_records_is_a_body),
		cmocka_unit_test(test_fcgi_rules__rule_04_a_body_cut_short_reaches_no_handler),
		cmocka_unit_test(test_fcgi_rules__rule_04_a_body_of_another_length_is_refused),
		cmocka_unit_test(test_fcgi_rules__rule_05_a_close_inside_libfcgi_does_not_wait),
		cmocka_unit_test(test_fcgi_rules__rule_06_a_late_body_is_waited_for),
		cmocka_unit_test(test_fcgi_rules__rule_06_a_body_that_does_not_come_ends),
		cmocka_unit_test(test_fcgi_rules__rule_06_a_body_that_drips_ends),
		cmocka_unit_test(test_fcgi_rules__rule_07_fcgx_init_takes_sigterm),
		cmocka_unit_test(test_fcgi_rules__rule_08_the_socket_is_our_own),
		cmocka_unit_test(test_fcgi_rules__rule_09_an_idle_connection_is_never_closed),
		cmocka_unit_test(test_fcgi_rules__rule_10_large_answers_come_whole),
		cmocka_unit_test(test_fcgi_rules__rule_10_a_parameter_twice_is_misconfigured),
		cmocka_unit_test(test_fcgi_rules__rule_11_get_values_never_reaches_libfcgi),
		cmocka_unit_test(test_fcgi_rules__garbage_closes_its_connection_only),
		cmocka_unit_test(test_fcgi_rules__partial_peers_freeze_nobody),
		cmocka_unit_test(test_fcgi_rules__a_request_in_single_bytes_is_served),
		cmocka_unit_test(test_fcgi_rules__a_peer_that_leaves_its_parked_request),
		cmocka_unit_test(test_fcgi_rules__without_keep_the_connection_ends_after_the_answer),
	};

	setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "600000", 1);           /* rule 5 */
	if (FCGX_Init() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
