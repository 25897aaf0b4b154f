/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_server.c - reactors, workers and connections together: lending and taking back, slow readers, limits, and the end.
 * The rules of libfcgi have test_fcgi_rules.c.
 */
#include "lib/test.h"
#include "lib/fcgi.h"
#include "lib/fcgi_rig.h"

#include <sys/resource.h>

/* ---- lending ----------------------------------------------------------------------------------------------------------- */

static void test_server__a_parked_request_is_answered_when_it_is_complete(void **state)
{
	struct request *r;
	int fd;

	(void)state;
	rig_start((struct rig_setup){ 0 });
	fd = rig_connect();
	for (unsigned i = 0; i < 3; i++) {
		rig_ask(fd, "PUT", "/park", "/park", "body", 4);
		rig_wait_parked(i + 1);
		rig_wait_counted(1);
		r = atomic_load(&rig.parked[i]);
		assert_true(span_eq(r->body, "body"));                  /* valid until answered */
		assert_string_equal(r->uri, "/park");
		rig_answer(r, "done");
		request_complete(r);
		rig_expect(fd, 200, "done");
	}
	rig_wait_counted(0);
	close(fd);
	rig_end();
}

static void test_server__completed_in_any_order_from_any_thread(void **state)
{
	int fds[RIG_PARKED_MAX];

	(void)state;
	rig_start((struct rig_setup){ .reactors = 2 });
	for (unsigned i = 0; i < RIG_PARKED_MAX; i++) {
		char uri[32];

		snprintf(uri, sizeof(uri), "/park/%u", i);
		fds[i] = rig_connect();
		rig_ask(fds[i], "PUT", "/park", uri, NULL, 0);
		rig_wait_parked(i + 1);
	}
	rig_wait_counted(RIG_PARKED_MAX);
	for (unsigned i = 0; i < RIG_PARKED_MAX; i++) {
		struct request *r = atomic_load(&rig.parked[(i * 37 + 11) % RIG_PARKED_MAX]);

		rig_answer(r, r->uri);
		request_complete(r);
	}
	for (unsigned i = 0; i < RIG_PARKED_MAX; i++) {
		char uri[32];

		snprintf(uri, sizeof(uri), "/park/%u", i);
		rig_expect(fds[i], 200, uri);                           /* each its own */
		close(fds[i]);
	}
	rig_wait_counted(0);
	rig_end();
}

static void test_server__what_may_block_runs_in_a_worker(void **state)
{
	int fd;

	(void)state;
	rig_start((struct rig_setup){ 0 });
	fd = rig_connect();
	rig_ask(fd, "GET", "/block", "/block", NULL, 0);
	rig_expect(fd, 200, "may block");
	assert_int_equal(atomic_load(&rig.dispatched), 2);
	rig_ask(fd, "GET", "/echo", "/next", NULL, 0);
	rig_expect(fd, 200, "GET /next ");                              /* may_block was for that request alone */
	close(fd);
	rig_end();
}

static void test_server__a_retry_runs_in_a_worker(void **state)
{
	struct request *r;
	int fd;

	(void)state;
	rig_start((struct rig_setup){ 0 });
	fd = rig_connect();
	rig_ask(fd, "PUT", "/park", "/park", "x", 1);
	rig_wait_parked(1);
	r = atomic_load(&rig.parked[0]);
	request_retry(r);
	rig_expect(fd, 200, "may block");
	rig_wait_counted(0);
	close(fd);
	rig_end();
}

static void test_server__a_full_worker_queue_is_503(void **state)
{
	int fds[4];

	(void)state;
	rig_start((struct rig_setup){ .workers = 1, .max_parked = 2 });
	for (int i = 0; i < 3; i++) {
		fds[i] = rig_connect();
		rig_ask(fds[i], "GET", "/hold", "/hold", NULL, 0);
		if (i == 0)
			while (sem_wait(&rig.holding) < 0)              /* out of the queue, in the worker */
				;
		rig_wait_counted((uint64_t)i + 1);
	}
	fds[3] = rig_connect();
	rig_ask(fds[3], "GET", "/block", "/block", NULL, 0);
	rig_expect(fds[3], 503, NULL);
	rig_ask(fds[3], "GET", "/echo", "/x", NULL, 0);                 /* what needs no worker goes on */
	rig_expect(fds[3], 200, "GET /x ");
	for (int i = 0; i < 3; i++)
		sem_post(&rig.let_go);
	for (int i = 0; i < 3; i++)
		rig_expect(fds[i], 200, NULL);
	rig_ask(fds[3], "GET", "/block", "/block", NULL, 0);
	rig_expect(fds[3], 200, "may block");
	for (int i = 0; i < 4; i++)
		close(fds[i]);
	rig_end();
}

/* A peer that sends its next request while the first is parked breaks the protocol, but nothing may be lost or mixed up. */
static void test_server__a_request_behind_a_parked_one_waits(void **state)
{
	int fd;

	(void)state;
	rig_start((struct rig_setup){ 0 });
	fd = rig_connect();
	rig_ask(fd, "PUT", "/park", "/park", NULL, 0);
	rig_wait_parked(1);
	rig_ask(fd, "GET", "/echo", "/second", NULL, 0);
	usleep(20000);
	assert_int_equal(atomic_load(&rig.dispatched), 1);
	rig_answer(atomic_load(&rig.parked[0]), "first");
	request_complete(atomic_load(&rig.parked[0]));
	rig_expect(fd, 200, "first");
	rig_expect(fd, 200, "GET /second ");
	close(fd);
	rig_end();
}

/* ---- readers ----------------------------------------------------------------------------------------------------------- */

static void test_server__a_slow_reader_holds_up_nobody(void **state)
{
	struct fcgi_buf answer = { 0 };
	int slow[4];

	(void)state;
	rig_start((struct rig_setup){ .reactors = 1 });
	for (size_t i = 0; i < 4; i++) {
		slow[i] = rig_connect();
		rig_ask(slow[i], "GET", "/large", "/large?8000000", NULL, 0);   /* far beyond any socket's buffer */
	}
	for (int i = 0; i < 20; i++)
		rig_expect_alive();
	assert_true(fcgi_answer(slow[0], &answer));                     /* and gets all of it, when it wants to */
	assert_int_equal(answer.len - (size_t)(fcgi_body(&answer) - (char *)answer.p), 8000000);
	rig_ask(slow[0], "GET", "/echo", "/next", NULL, 0);
	rig_expect(slow[0], 200, "GET /next ");
	for (size_t i = 0; i < 4; i++)
		close(slow[i]);                                         /* the others leave in the middle */
	rig_expect_alive();
	fcgi_free(&answer);
	rig_end();
}

static void test_server__a_reader_that_never_reads_is_given_up(void **state)
{
	char waste[65536];
	int fd;

	(void)state;
	rig_start((struct rig_setup){ .transfer_timeout_ms = 100 });
	fd = rig_connect();
	rig_ask(fd, "GET", "/large", "/large?8000000", NULL, 0);
	while (atomic_load(&rig.dispatched) == 0)
		usleep(1000);
	/* nothing is read until the server has closed: POLLHUP says so */
	for (struct pollfd p = { .fd = fd }; (p.revents & POLLHUP) == 0;)
		assert_true(poll(&p, 1, 100) >= 0);
	while (recv(fd, waste, sizeof(waste), 0) > 0)
		;
	close(fd);
	rig_expect_alive();
	rig_end();
}

/* Small answers that nobody reads fill the socket, too: a blocking write would freeze the reactor here. */
static void test_server__unread_small_answers_freeze_nobody(void **state)
{
	struct fcgi_buf b = { 0 };
	struct timeval brief = { .tv_usec = 200000 };
	ssize_t n = 1;
	int fd;

	(void)state;
	rig_start((struct rig_setup){ .reactors = 1 });
	fcgi_request(&b, "GET", "/large", "/large?6000", NULL, NULL, 0);
	fd = rig_connect();
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &brief, sizeof(brief)), 0);
	for (unsigned sent = 0; n > 0 && sent < 5000; sent++) {
		unsigned before = atomic_load(&rig.dispatched);

		n = send(fd, b.p, b.len, MSG_NOSIGNAL);
		for (int i = 0; i < 20 && atomic_load(&rig.dispatched) == before; i++)
			usleep(500);
		if (atomic_load(&rig.dispatched) == before)
			break;                                          /* its answers wait: no more of it is read */
	}
	rig_expect_alive();
	close(fd);
	rig_expect_alive();
	fcgi_free(&b);
	rig_end();
}

/* ---- streams ----------------------------------------------------------------------------------------------------------- */

/* The answer of /stream?PARTS,SIZE, all of it. */
static void expect_stream(int fd, unsigned parts, size_t size)
{
	struct fcgi_buf answer = { 0 };
	const char *body;

	assert_true(fcgi_answer(fd, &answer));
	assert_int_equal(fcgi_status(&answer), 200);
	body = fcgi_body(&answer);
	assert_null(memmem(answer.p, (size_t)(body - (const char *)answer.p), "Content-Length", 14));
	assert_int_equal(strlen(body), (parts + 1) * size);
	for (size_t i = 0; i < (parts + 1) * size; i++)
		assert_int_equal(body[i], 'a' + (int)((parts - i / size) % 26));
	fcgi_free(&answer);
}

static void test_server__a_stream_comes_part_by_part(void **state)
{
	static const struct { unsigned parts; size_t size; } table[] = {
		{ 1, 1 }, { 1, 0 }, { 5, 0 }, { 3, 7 }, { 40, 8 }, { 3, 65528 }, { 3, 65529 }, { 4, 300001 }, { 12, 1000000 },
	};
	int fd;

	(void)state;
	rig_start((struct rig_setup){ .workers = 2 });
	fd = rig_connect();
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char uri[64];

		snprintf(uri, sizeof(uri), "/stream?%u,%zu", table[i].parts, table[i].size);
		rig_ask(fd, "GET", "/stream", uri, NULL, 0);
		expect_stream(fd, table[i].parts, table[i].size);
		rig_ask(fd, "GET", "/echo", "/next", NULL, 0);              /* the connection goes on */
		rig_expect(fd, 200, "GET /next ");
	}
	assert_int_equal(atomic_load(&rig.streams), 0);
	rig_wait_counted(0);
	close(fd);
	rig_end();
}

/* More streams than workers, whose readers stand still: nobody waits for them. */
static void test_server__slow_readers_of_streams_hold_nobody_up(void **state)
{
	int slow[8];

	(void)state;
	rig_start((struct rig_setup){ .workers = 1 });
	for (size_t i = 0; i < 8; i++) {
		slow[i] = rig_connect();
		rig_ask(slow[i], "GET", "/stream", "/stream?9,400000", NULL, 0);
	}
	rig_expect_alive();
	rig_wait_counted(0);                                            /* all wait for their readers, none in a worker */
	for (size_t i = 0; i < 8; i++) {
		expect_stream(slow[i], 9, 400000);
		close(slow[i]);
	}
	rig_end();
}

static void test_server__a_reader_that_leaves_ends_its_stream(void **state)
{
	char some[1000];

	(void)state;
	rig_start((struct rig_setup){ 0 });
	for (int i = 0; i < 20; i++) {
		int fd = rig_connect();

		rig_ask(fd, "GET", "/stream", i & 1 ? "/stream?1000000,100" : "/stream?1000000,100000", NULL, 0);
		for (int n = 0; n < i; n++)
			assert_true(recv(fd, some, sizeof(some), 0) > 0);
		close(fd);
	}
	while (atomic_load(&rig.streams) != 0)
		usleep(1000);
	rig_expect_alive();
	rig_end();
}

static void test_server__a_parked_stream_goes_on_when_it_is_fed(void **state)
{
	struct request *r;
	int fd;

	(void)state;
	rig_start((struct rig_setup){ 0 });
	fd = rig_connect();
	rig_ask(fd, "GET", "/stream", "/stream?2,3p", NULL, 0);
	for (unsigned i = 0; i < 2; i++) {
		rig_wait_parked(i + 1);
		rig_wait_counted(1);
		r = atomic_load(&rig.parked[i]);
		rig_part(r);
		if (i == 1)
			r->stream = NULL;
		request_complete(r);
	}
	rig_expect(fd, 200, "cccbbbaaa");
	rig_ask(fd, "GET", "/stream", "/stream?5,3p", NULL, 0);           /* and one whose reader leaves while it is parked */
	rig_wait_parked(3);
	rig_wait_counted(1);
	close(fd);
	r = atomic_load(&rig.parked[2]);
	while (!atomic_load(&r->gone))
		usleep(1000);
	rig_part(r);
	request_complete(r);
	while (atomic_load(&rig.streams) != 0)
		usleep(1000);
	rig_end();
}

/* What can't go on must not look whole: no end of the answer is sent. */
static void test_server__a_broken_stream_is_cut(void **state)
{
	struct fcgi_buf answer = { 0 };
	int fd;

	(void)state;
	rig_start((struct rig_setup){ 0 });
	fd = rig_connect();
	rig_ask(fd, "GET", "/stream", "/stream?3,10b", NULL, 0);
	assert_false(fcgi_answer(fd, &answer));
	fcgi_free(&answer);
	close(fd);
	rig_expect_alive();
	rig_end();
}

/* ---- limits ------------------------------------------------------------------------------------------------------------ */

static void test_server__bodies_are_kept_up_to_the_limit_and_drained_beyond(void **state)
{
	static const struct {
		size_t size;
		int status;
	} cases[] = { { 99999, 200 }, { 100000, 200 }, { 100001, 413 }, { 3000000, 413 }, { 10, 200 } };
	uint8_t *body = calloc(1, 3000000);
	int fd;

	(void)state;
	assert_non_null(body);
	rig_start((struct rig_setup){ .max_request_size = 100000 });
	fd = rig_connect();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rig_ask(fd, "PUT", "/echo", "/x", body, cases[i].size);
		rig_expect(fd, cases[i].status, NULL);
	}
	close(fd);
	free(body);
	rig_end();
}

/* Answers that wait for their readers count together: beyond the bound reads are refused, and there is room again afterwards. */
static void test_server__answers_in_flight_are_bounded(void **state)
{
	int fd[3];

	(void)state;
	rig_start((struct rig_setup){ .max_answer_bytes = 16000000 });
	for (unsigned i = 0; i < 3; i++) {
		fd[i] = rig_connect();
		rig_ask(fd[i], "GET", "/large", "/large?8000000", NULL, 0);
		while (atomic_load(&rig.dispatched) < i + 1)
			usleep(1000);
	}
	rig_expect(fd[2], 503, NULL);                                   /* two are exactly at the bound */
	rig_ask(fd[2], "GET", "/large", "/large?60000", NULL, 0);
	rig_expect(fd[2], 200, NULL);                                   /* small ones do not count */
	rig_ask(fd[2], "PUT", "/large", "/large?8000000", NULL, 0);
	rig_expect(fd[2], 200, NULL);                                   /* what was written is answered */
	rig_expect(fd[0], 200, NULL);
	close(fd[1]);
	while (atomic_load(&rig.server->answer_bytes) != 0)
		usleep(1000);
	rig_ask(fd[2], "GET", "/large", "/large?16000000", NULL, 0);
	rig_expect(fd[2], 200, NULL);
	rig_ask(fd[2], "GET", "/large", "/large?16000001", NULL, 0);
	rig_expect(fd[2], 503, NULL);
	while (atomic_load(&rig.server->answer_bytes) != 0)
		usleep(1000);
	close(fd[0]);
	close(fd[2]);
	rig_end();
}

/* The bodies of parked requests count together: what would pass the bound is refused, and there is room again afterwards. */
static void test_server__bodies_in_flight_are_bounded(void **state)
{
	uint8_t *body = calloc(1, 1000000);
	unsigned parked = 0, refused = 0;
	int fds[8];

	(void)state;
	assert_non_null(body);
	rig_start((struct rig_setup){ .max_request_size = 1000000 });   /* four of them may be held */
	for (size_t i = 0; i < 8; i++) {
		fds[i] = rig_connect();
		rig_ask(fds[i], "PUT", "/park", "/park", body, 1000000);
		for (;;) {
			struct pollfd p = { .fd = fds[i], .events = POLLIN };

			if (atomic_load(&rig.parked_count) > parked) {
				parked++;
				break;
			}
			if (poll(&p, 1, 1) == 1) {
				rig_expect(fds[i], 503, NULL);
				refused++;
				break;
			}
		}
	}
	assert_true(parked >= 3 && parked <= 4);
	assert_int_equal(parked + refused, 8);
	for (unsigned i = 0; i < parked; i++) {
		rig_answer(atomic_load(&rig.parked[i]), "ok");
		request_complete(atomic_load(&rig.parked[i]));
	}
	rig_wait_counted(0);
	while (atomic_load(&rig.server->body_bytes) > 0)
		usleep(1000);
	rig_ask(fds[7], "PUT", "/echo", "/x", body, 1000000);
	rig_expect(fds[7], 200, NULL);
	for (size_t i = 0; i < 8; i++)
		close(fds[i]);
	free(body);
	rig_end();
}

static void test_server__out_of_descriptors_is_a_pause(void **state)
{
	struct rlimit was, low;
	int first, used, fds[2];

	(void)state;
	rig_start((struct rig_setup){ 0 });
	logger_set_level(&rig.log, 2);                                  /* it says so; not here */
	first = rig_connect();
	rig_ask(first, "GET", "/echo", "/x", NULL, 0);
	rig_expect(first, 200, NULL);
	for (int i = 0; i < 2; i++) {
		fds[i] = rig_connect();
		rig_ask(fds[i], "GET", "/echo", "/x", NULL, 0);
		rig_expect(fds[i], 200, NULL);                          /* accepted, and no descriptor is being taken meanwhile */
	}
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	used = dup(first);
	low = was;
	low.rlim_cur = (rlim_t)used + 1;                                /* one more: the peer's own end */
	close(used);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	used = rig_connect();                                           /* nothing is left to accept it with */
	rig_ask(used, "GET", "/echo", "/late", NULL, 0);
	for (int i = 0; i < 5; i++) {
		rig_ask(first, "GET", "/echo", "/x", NULL, 0);
		rig_expect(first, 200, "GET /x ");
		usleep(30000);
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	rig_expect(used, 200, "GET /late ");
	close(used);
	close(first);
	close(fds[0]);
	close(fds[1]);
	rig_end();
}

static void test_server__connections_are_spread_over_the_reactors(void **state)
{
	int fds[64];

	(void)state;
	rig_start((struct rig_setup){ .reactors = 2 });
	for (size_t i = 0; i < 64; i++)
		fds[i] = rig_connect();
	for (int round = 0; round < 5; round++) {
		for (size_t i = 0; i < 64; i++)
			rig_ask(fds[i], "GET", "/echo", "/x", NULL, 0);
		for (size_t i = 0; i < 64; i++)
			rig_expect(fds[i], 200, "GET /x ");
	}
	for (size_t i = 0; i < 64; i++)
		close(fds[i]);
	while (atomic_load(&rig.server->requests) < 5 * 64)
		usleep(1000);
	assert_int_equal(atomic_load(&rig.server->requests), 5 * 64);
	rig_end();
}

/* ---- the end ----------------------------------------------------------------------------------------------------------- */

static bool rig_drained(int wait_ms)
{
	struct pollfd p = { .fd = rig.server->drained_fd, .events = POLLIN };

	return poll(&p, 1, wait_ms) == 1;
}

static void test_server__a_drain_finishes_what_is_in_flight(void **state)
{
	int parked, held, kept;

	(void)state;
	rig_start((struct rig_setup){ .reactors = 2 });
	parked = rig_connect();
	held = rig_connect();
	kept = rig_connect();
	rig_ask(kept, "GET", "/echo", "/x", NULL, 0);
	rig_expect(kept, 200, NULL);
	rig_ask(parked, "PUT", "/park", "/park", NULL, 0);
	rig_wait_parked(1);
	rig_ask(held, "GET", "/hold", "/hold", NULL, 0);
	while (sem_wait(&rig.holding) < 0)
		;
	rig_wait_counted(2);
	server_drain(rig.server);
	rig_ask(kept, "GET", "/echo", "/y", NULL, 0);
	rig_expect(kept, 503, NULL);                                    /* not a closed connection, which is a 502 */
	assert_false(rig_drained(2 * SERVER_LINGER_MS));                /* two are still in flight */
	sem_post(&rig.let_go);
	rig_expect(held, 200, "may block");
	rig_answer(atomic_load(&rig.parked[0]), "done");
	request_complete(atomic_load(&rig.parked[0]));
	rig_expect(parked, 200, "done");
	assert_true(rig_drained(120000));
	rig_expect_closed(parked);
	rig_expect_closed(held);
	rig_expect_closed(kept);
	rig_end();
}

/* What a predecessor's hand_over() got, as systemd would keep it. */
static struct {
	_Atomic unsigned n;
	int fd[8];
} heir;

static bool heir_take(void *ctx, int fd)
{
	unsigned i = atomic_fetch_add(&heir.n, 1);

	assert_ptr_equal(ctx, &heir);
	assert_true(i < 8);
	heir.fd[i] = dup(fd);
	return true;
}

static void test_server__a_successor_goes_on_with_the_connections(void **state)
{
	struct fcgi_buf half = { 0 };
	int idle, partial, parked;

	(void)state;
	rig_start((struct rig_setup){ .reactors = 2 });
	rig.server->hand_over = heir_take;
	rig.server->hand_over_ctx = &heir;
	atomic_store(&heir.n, 0);
	idle = rig_connect();
	partial = rig_connect();
	parked = rig_connect();
	rig_ask(idle, "GET", "/echo", "/x", NULL, 0);
	rig_expect(idle, 200, NULL);
	fcgi_request(&half, "PUT", "/echo", "/half", NULL, "body", 4);
	fcgi_send(partial, half.p, half.len / 2);
	rig_ask(parked, "PUT", "/park", "/park", NULL, 0);
	rig_wait_parked(1);
	rig_wait_counted(1);
	atomic_store(&rig.server->handing_over, true);
	server_drain(rig.server);
	while (atomic_load(&heir.n) < 2)
		usleep(1000);
	rig_ask(idle, "GET", "/echo", "/meanwhile", NULL, 0);           /* nobody answers yet, and nobody says no */
	rig_answer(atomic_load(&rig.parked[0]), "done");
	request_complete(atomic_load(&rig.parked[0]));
	rig_expect(parked, 200, "done");
	assert_true(rig_drained(120000));
	rig_end();
	assert_int_equal(atomic_load(&heir.n), 3);

	rig_start((struct rig_setup){ .reactors = 2 });
	for (int i = 0; i < 3; i++)
		server_adopt(rig.server, heir.fd[i]);
	rig_expect(idle, 200, "GET /meanwhile ");
	fcgi_send(partial, half.p + half.len / 2, half.len - half.len / 2);
	rig_expect(partial, 200, "PUT /half body");
	rig_ask(parked, "GET", "/echo", "/y", NULL, 0);
	rig_expect(parked, 200, "GET /y ");
	rig_end();
	rig_expect_closed(idle);
	rig_expect_closed(partial);
	rig_expect_closed(parked);
	fcgi_free(&half);
}

static void test_server__a_drain_waits_for_an_answer_on_its_way(void **state)
{
	struct fcgi_buf answer = { 0 };
	int fd;

	(void)state;
	rig_start((struct rig_setup){ 0 });
	fd = rig_connect();
	rig_ask(fd, "GET", "/large", "/large?8000000", NULL, 0);
	while (atomic_load(&rig.dispatched) == 0)
		usleep(1000);
	server_drain(rig.server);
	usleep(50000);
	assert_true(fcgi_answer(fd, &answer));
	assert_int_equal(fcgi_status(&answer), 200);
	assert_true(rig_drained(120000));
	fcgi_free(&answer);
	close(fd);
	rig_end();
}

static void test_server__stop_is_asked_for_and_nothing_more(void **state)
{
	struct pollfd p;

	(void)state;
	rig_start((struct rig_setup){ 0 });
	p = (struct pollfd){ .fd = rig.server->stop_fd, .events = POLLIN };
	assert_int_equal(poll(&p, 1, 0), 0);
	for (int i = 0; i < 3; i++)
		rig.server->stop(rig.server);
	assert_int_equal(poll(&p, 1, 0), 1);
	rig_expect_alive();                                             /* whoever reads it drains */
	rig_end();
}

static void test_server__signs_of_life(void **state)
{
	int fd;

	(void)state;
	rig_start((struct rig_setup){ .reactors = 2 });
	assert_true(server_alive(rig.server));                          /* none was asked for yet */
	while (!server_alive(rig.server))
		usleep(1000);
	fd = rig_connect();
	rig_ask(fd, "GET", "/hold", "/hold", NULL, 0);                  /* a busy worker is no dead reactor */
	while (sem_wait(&rig.holding) < 0)
		;
	while (!server_alive(rig.server))
		usleep(1000);
	sem_post(&rig.let_go);
	rig_expect(fd, 200, NULL);
	close(fd);
	rig_end();
}

static void test_server__ends_without_ever_having_started(void **state)
{
	struct logger log;
	struct server_setup setup = { .listen_fd = -1, .reactors = 2, .workers = 1, .request_timeout_ms = 1000,
		                      .transfer_timeout_ms = 1000, .log = &log, .dispatch = rig_dispatch };
	struct server *s;

	(void)state;
	logger_init(&log, STDERR_FILENO, LOG_LEVEL_ERROR);
	assert_int_equal(server_new(&setup, &s), 0);
	assert_int_equal(server_start(s), EBADF);
	server_free(s);
	server_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_server__a_parked_request_is_answered_when_it_is_complete),
		cmocka_unit_test(test_server__completed_in_any_order_from_any_thread),
		cmocka_unit_test(test_server__what_may_block_runs_in_a_worker),
		cmocka_unit_test(test_server__a_retry_runs_in_a_worker),
		cmocka_unit_test(test_server__a_full_worker_queue_is_503),
		cmocka_unit_test(test_server__a_request_behind_a_parked_one_waits),
		cmocka_unit_test(test_server__a_slow_reader_holds_up_nobody),
		cmocka_unit_test(test_server__a_reader_that_never_reads_is_given_up),
		cmocka_unit_test(test_server__unread_small_answers_freeze_nobody),
		cmocka_unit_test(test_server__a_stream_comes_part_by_part),
		cmocka_unit_test(test_server__slow_readers_of_streams_hold_nobody_up),
		cmocka_unit_test(test_server__a_reader_that_leaves_ends_its_stream),
		cmocka_unit_test(test_server__a_parked_stream_goes_on_when_it_is_fed),
		cmocka_unit_test(test_server__a_broken_stream_is_cut),
		cmocka_unit_test(test_server__bodies_are_kept_up_to_the_limit_and_drained_beyond),
		cmocka_unit_test(test_server__answers_in_flight_are_bounded),
		cmocka_unit_test(test_server__bodies_in_flight_are_bounded),
		cmocka_unit_test(test_server__out_of_descriptors_is_a_pause),
		cmocka_unit_test(test_server__connections_are_spread_over_the_reactors),
		cmocka_unit_test(test_server__a_drain_finishes_what_is_in_flight),
		cmocka_unit_test(test_server__a_successor_goes_on_with_the_connections),
		cmocka_unit_test(test_server__a_drain_waits_for_an_answer_on_its_way),
		cmocka_unit_test(test_server__stop_is_asked_for_and_nothing_more),
		cmocka_unit_test(test_server__signs_of_life),
		cmocka_unit_test(test_server__ends_without_ever_having_started),
	};

	if (FCGX_Init() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
