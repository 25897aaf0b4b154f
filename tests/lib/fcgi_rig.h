/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi_rig.h - a running server with handlers of the test's own, and peers that talk to it in hand-made records. Header only.
 *
 * Routes    /echo   answers "METHOD URI BODY"              /park   parks; the test completes or retries it
 *           /block  answers "may block" from a worker      /hold   blocks in a worker until the test lets go
 *           /stream answers in parts: ?PARTS,SIZE and then p, a part is handed in from elsewhere, or b, it breaks off at the last one
 *           /large  answers as many bytes as the query says, of a pattern
 */
#ifndef TESTS_FCGI_RIG_H
#define TESTS_FCGI_RIG_H

#include "lib/test.h"
#include "lib/fcgi.h"

#include "server/server.h"

#include <fcgiapp.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/un.h>

#define RIG_PARKED_MAX 64

static struct rig {
	char *dir;
	struct sockaddr_un address;
	int listen_fd;
	struct logger log;
	struct server *server;
	_Atomic unsigned dispatched;          /* how often a handler saw a request */
	_Atomic unsigned forged;              /* requests that only a smuggler can have made */
	_Atomic(struct request *) parked[RIG_PARKED_MAX];
	_Atomic unsigned parked_count;
	sem_t holding, let_go;
	_Atomic unsigned streams;             /* on their way */
} rig;

static inline void rig_answer(struct request *r, const char *text)
{
	r->response.status = 200;
	response_header(&r->response, "Content-Type", "text/plain");
	bytes_adds(&r->response.body, text);
}

static inline enum route_result rig_large(struct request *r)
{
	size_t n = strtoul(r->query.p, NULL, 10);

	rig_answer(r, "");
	r->response.written = strcmp(r->method, "PUT") == 0;
	assert_true(bytes_reserve(&r->response.body, n));
	for (size_t i = 0; i < n; i++)
		r->response.body.p[i] = (char)(i * 7 >> 4);
	r->response.body.len = n;
	return ROUTE_DONE;
}

struct rig_stream {
	unsigned left;
	size_t size;
	char how;
};

static inline void rig_stream_free(void *state)
{
	atomic_fetch_sub(&rig.streams, 1);
	free(state);
}

/* Part n is SIZE times its letter: b, c, ... */
static inline void rig_part(struct request *r)
{
	struct rig_stream *s = r->state;

	assert_true(bytes_reserve(&r->response.body, s->size + 1));
	memset(r->response.body.p, 'a' + (int)(s->left % 26), s->size);
	r->response.body.len = s->size;
}

static inline enum stream_step rig_more(struct request *r)
{
	struct rig_stream *s = r->state;

	assert_int_equal(r->response.body.len, 0);
	s->left--;
	if (s->how == 'p') {
		unsigned i = atomic_load(&rig.parked_count);

		atomic_store(&rig.parked[i], r);
		atomic_store(&rig.parked_count, i + 1);
		return STREAM_PARKED;
	}
	if (s->how == 'b' && s->left == 0)
		r->response.body.bad = true;
	else
		rig_part(r);
	return s->left == 0 ? STREAM_END : STREAM_MORE;
}

static inline enum route_result rig_stream(struct request *r)
{
	struct rig_stream *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	assert_true(sscanf(r->query.p, "%u,%zu%c", &s->left, &s->size, &s->how) >= 2);
	atomic_fetch_add(&rig.streams, 1);
	r->state = s;
	r->state_free = rig_stream_free;
	r->stream = rig_more;
	rig_answer(r, "");
	r->response.streamed = true;
	rig_part(r);
	return ROUTE_DONE;
}

static inline enum route_result rig_dispatch(struct request *r)
{
	atomic_fetch_add(&rig.dispatched, 1);
	if (r->route == NULL) {
		rig_answer(r, "misconfigured");
		r->response.status = 500;
		return ROUTE_DONE;
	}
	if (strcmp(r->route, "/forged") == 0)
		atomic_fetch_add(&rig.forged, 1);
	if (strcmp(r->route, "/park") == 0 && !r->may_block) {
		unsigned i = atomic_load(&rig.parked_count);

		atomic_store(&rig.parked[i], r);
		atomic_store(&rig.parked_count, i + 1);
		return ROUTE_PARKED;
	}
	if ((strcmp(r->route, "/block") == 0 || strcmp(r->route, "/hold") == 0) && !r->may_block)
		return ROUTE_BLOCK;
	if (strcmp(r->route, "/hold") == 0) {
		sem_post(&rig.holding);
		while (sem_wait(&rig.let_go) < 0)
			;
	}
	if (strcmp(r->route, "/large") == 0)
		return rig_large(r);
	if (strcmp(r->route, "/stream") == 0)
		return rig_stream(r);
	rig_answer(r, r->may_block ? "may block" : "");
	if (!r->may_block)
		bytes_addf(&r->response.body, "%s %s %.*s", r->method != NULL ? r->method : "-", r->uri != NULL ? r->uri : "-",
		           r->body.len > 1000 ? 0 : (int)r->body.len, r->body.len > 0 ? r->body.p : "");
	if (r->body_too_large)
		r->response.status = 413;
	return ROUTE_DONE;
}

struct rig_setup {
	unsigned reactors, workers;
	uint64_t request_timeout_ms, transfer_timeout_ms, max_request_size, max_parked, max_answer_bytes;
};

static inline void rig_start(struct rig_setup s)
{
	struct server_setup setup = {
		.reactors = s.reactors != 0 ? s.reactors : 1, .workers = s.workers != 0 ? s.workers : 1,
		.request_timeout_ms = s.request_timeout_ms != 0 ? s.request_timeout_ms : 60000,
		.transfer_timeout_ms = s.transfer_timeout_ms != 0 ? s.transfer_timeout_ms : 60000,
		.limits = { .max_value_size = 1u << 20, .max_request_size = s.max_request_size != 0 ? s.max_request_size : 4u << 20,
		            .max_answer_bytes = s.max_answer_bytes,
		            .max_parked = s.max_parked != 0 ? s.max_parked : RIG_PARKED_MAX },
		.log = &rig.log, .dispatch = rig_dispatch,
	};

	alarm(300);                            /* what hangs, fails */
	rig.dir = test_mkdir();
	rig.address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(rig.address.sun_path, sizeof(rig.address.sun_path), "%s/s", rig.dir);
	rig.listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(rig.listen_fd, (struct sockaddr *)&rig.address, sizeof(rig.address)), 0);
	assert_int_equal(listen(rig.listen_fd, 4096), 0);
	setup.listen_fd = rig.listen_fd;
	logger_init(&rig.log, STDERR_FILENO, LOG_LEVEL_ERROR);
	atomic_store(&rig.dispatched, 0);
	atomic_store(&rig.forged, 0);
	atomic_store(&rig.parked_count, 0);
	atomic_store(&rig.streams, 0);
	sem_init(&rig.holding, 0, 0);
	sem_init(&rig.let_go, 0, 0);
	assert_int_equal(server_new(&setup, &rig.server), 0);
	assert_int_equal(server_start(rig.server), 0);
}

static inline void rig_end(void)
{
	server_free(rig.server);
	rig.server = NULL;
	close(rig.listen_fd);
	test_rmdir(rig.dir);
	alarm(0);
}

/* A peer of the server; reading from it gives up after two minutes. */
static inline int rig_connect(void)
{
	struct timeval t = { .tv_sec = 120 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&rig.address, sizeof(rig.address)), 0);
	return fd;
}

static inline void rig_ask(int fd, const char *method, const char *route, const char *uri, const void *body, size_t n)
{
	struct fcgi_buf b = { 0 };

	fcgi_request(&b, method, route, uri, NULL, body, n);
	fcgi_send(fd, b.p, b.len);
	fcgi_free(&b);
}

static inline void rig_expect(int fd, int status, const char *body)
{
	struct fcgi_buf answer = { 0 };

	assert_true(fcgi_answer(fd, &answer));
	assert_int_equal(fcgi_status(&answer), status);
	if (body != NULL)
		assert_string_equal(fcgi_body(&answer), body);
	fcgi_free(&answer);
}

/* The server closes this one (or resets it, where it leaves something unread) and says nothing before. */
static inline void rig_expect_closed(int fd)
{
	char c;
	ssize_t n = recv(fd, &c, 1, 0);

	assert_true(n == 0 || (n < 0 && errno == ECONNRESET));
	close(fd);
}

/* Another connection is served: nothing is stuck. */
static inline void rig_expect_alive(void)
{
	int fd = rig_connect();

	rig_ask(fd, "GET", "/echo", "/alive", NULL, 0);
	rig_expect(fd, 200, "GET /alive ");
	close(fd);
}

static inline void rig_wait_parked(unsigned n)
{
	while (atomic_load(&rig.parked_count) < n)
		usleep(1000);
}

/* The reactor has seen it, and counts it. */
static inline void rig_wait_counted(uint64_t n)
{
	while (atomic_load(&rig.server->parked) != n)
		usleep(1000);
}

#endif
