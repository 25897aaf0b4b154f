/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange.c - one request and its answer.
 *
 * A request that is whole in its reactor's window is taken from there: libfcgi would read it once more and make 35 allocations of it. One that
 * is larger is libfcgi's to read. The numbered rules are those of libfcgi with descriptors of ours, each with a test:
 *
 *	1  FCGX_InitRequest() with -1: with a listening socket libfcgi would fall back into a blocking accept
 *	2  ipcFd and keepConnection are preset: else FCGX_Accept_r() closes the descriptor first
 *	3  FCGX_GetError() after success: parameters that were cut short come back as success
 *	4  the body is read to its end, always, and the error is looked at again: what stays unread would be the next request
 *	5  detached: else a close inside libfcgi waits two seconds for the peer
 *	10 parameters are walked once; the answer leaves in records of our own, after which FCGX_Free() drops libfcgi's empty streams
 */
#include "server/exchange.h"

#include "server/problem.h"
#include "util/decimal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#define EXCHANGE_IDLE_MAX   64        /* kept for use again */
#define EXCHANGE_KEEP_CAP   (64u << 10)
#define EXCHANGE_BODY_STEP  8192u
#define EXCHANGE_READ_MAX   (1u << 20)
#define EXCHANGE_SEND_TURNS 4         /* batches of records before others get their turn */
#define EXCHANGE_LOG_SECOND 20        /* lines of one reactor a second; what is beyond is counted */

static struct exchange *exchange_of(struct request *r)
{
	return (struct exchange *)(void *)r;                       /* its first member */
}

/* ---- lending ----------------------------------------------------------------------------------------------------------- */

static void exchange_on_return(struct loop_letter *m)
{
	struct exchange *x = (struct exchange *)(void *)((char *)m - offsetof(struct exchange, letter));
	struct exchange_home *home = x->home;

	x->lent = false;
	home->lent--;
	atomic_fetch_sub_explicit(&home->server->parked, 1, memory_order_relaxed);
	home->answered(home, x);
}

static void exchange_complete(struct request *r)
{
	struct exchange *x = exchange_of(r);

	x->letter.deliver = exchange_on_return;
	loop_post(x->home->loop, &x->letter);                      /* x is the reactor's again: not touched below this */
}

static void exchange_run(struct worker_job *j)
{
	struct exchange *x = (struct exchange *)(void *)((char *)j - offsetof(struct exchange, job));
	struct request *r = &x->request;

	switch (r->server->dispatch(r)) {
	case ROUTE_DONE:
		exchange_complete(r);
		break;
	case ROUTE_BLOCK:
		problem_set(r, 500, PROBLEM_INTERNAL, "a handler that may wait asked to be allowed to");
		exchange_complete(r);
		break;
	case ROUTE_PARKED:
		break;                                             /* x may be gone already */
	}
}

static bool exchange_to_worker(struct exchange *x)
{
	x->request.may_block = true;
	x->job.run = exchange_run;
	return worker_submit(x->home->workers, &x->job);
}

static void exchange_refuse(struct request *r)
{
	problem_set(r, 503, PROBLEM_TOO_MANY_PARKED, "Every worker is busy, and the queue for them is too long.");
}

/* It has been let in before: refusing it now could deny a write that is done. */
static void exchange_retry(struct request *r)
{
	struct exchange *x = exchange_of(r);

	r->may_block = true;
	x->job.run = exchange_run;
	worker_requeue(x->home->workers, &x->job);
}

static void exchange_run_part(struct worker_job *j)
{
	struct exchange *x = (struct exchange *)(void *)((char *)j - offsetof(struct exchange, job));
	struct request *r = &x->request;

	bytes_clear(&r->response.body);
	switch (r->stream(r)) {
	case STREAM_END:
		r->stream = NULL;
		exchange_complete(r);
		break;
	case STREAM_MORE:
		exchange_complete(r);
		break;
	case STREAM_PARKED:
		break;                                             /* x may be gone already */
	}
}

/* libfcgi's buffers, 17 KiB of them, have done their work once a request is read: what waits need not keep them. */
static void exchange_drop_streams(struct exchange *x)
{
	if (!x->by_libfcgi)
		return;
	FCGX_FreeStream(&x->fcgi.in);
	FCGX_FreeStream(&x->fcgi.out);
	FCGX_FreeStream(&x->fcgi.err);
}

static void exchange_lend(struct exchange *x)
{
	x->lent = true;
	x->home->lent++;
	atomic_fetch_add_explicit(&x->home->server->parked, 1, memory_order_relaxed);
}

static uint64_t exchange_clock_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void exchange_next(struct exchange *x)
{
	x->begun = true;
	x->parts_size += x->size;
	x->sealed = false;
	x->sent = x->size = 0;
	exchange_lend(x);
	x->job.run = exchange_run_part;
	worker_requeue(x->home->workers, &x->job);
}

static void exchange_run_drop(struct worker_job *j)
{
	struct exchange *x = (struct exchange *)(void *)((char *)j - offsetof(struct exchange, job));
	struct request *r = &x->request;

	r->state_free(r->state);
	r->state = NULL;
	r->state_free = NULL;
	exchange_complete(r);
}

void exchange_leave(struct exchange *x)
{
	x->conn = NULL;
	atomic_store_explicit(&x->request.gone, true, memory_order_relaxed);
	if (x->lent) {                                             /* it comes back, and is freed then */
		if (x->request.left != NULL)
			x->request.left(&x->request);
		return;
	}
	if (x->request.state_free == NULL) {
		exchange_free(x);
		return;
	}
	exchange_lend(x);
	x->job.run = exchange_run_drop;
	worker_requeue(x->home->workers, &x->job);
}

bool exchange_dispatch(struct exchange *x)
{
	struct request *r = &x->request;
	struct server *s = x->home->server;

	exchange_drop_streams(x);
	x->began_ns = exchange_clock_ns();
	if (r->response.status != 0)
		return true;                                       /* reading it has already said no */
	if (atomic_load_explicit(&s->handing_over, memory_order_relaxed)) {
		x->keep = x->keep && s->hand_over != NULL;
	} else if (atomic_load_explicit(&s->stopping, memory_order_relaxed)) {
		problem_set(r, 503, PROBLEM_SHUTTING_DOWN, "the server is shutting down");
		return true;
	}
	switch (s->dispatch(r)) {
	case ROUTE_DONE:
		return true;
	case ROUTE_PARKED:
		exchange_lend(x);
		return false;
	case ROUTE_BLOCK:
		break;
	}
	if (!exchange_to_worker(x)) {
		exchange_refuse(r);
		return true;
	}
	exchange_lend(x);
	return false;
}

/* ---- life -------------------------------------------------------------------------------------------------------------- */

static struct exchange *exchange_make(struct exchange_home *home)
{
	struct exchange *x = calloc(1, sizeof(*x));

	if (x == NULL)
		return NULL;
	if (FCGX_InitRequest(&x->fcgi, -1, 0) != 0) {              /* rule 1 */
		free(x);
		return NULL;
	}
	x->home = home;
	x->request.server = home->server;
	x->request.complete = exchange_complete;
	x->request.retry = exchange_retry;
	return x;
}

struct exchange *exchange_new(struct exchange_home *home, struct connection *conn)
{
	struct exchange *x = home->idle;

	if (x != NULL) {
		home->idle = x->next_idle;
		home->idle_count--;
	} else {
		x = exchange_make(home);
		if (x == NULL)
			return NULL;
	}
	home->live++;
	x->conn = conn;
	x->sent = x->size = 0;
	x->parts_size = 0;
	x->sealed = x->begun = x->by_libfcgi = false;
	return x;
}

static void exchange_drop_body(struct exchange *x)
{
	if (x->body.cap > EXCHANGE_KEEP_CAP)
		bytes_fini(&x->body);
	else
		bytes_clear(&x->body);
	if (x->body_charge > 0)
		atomic_fetch_sub_explicit(&x->home->server->body_bytes, x->body_charge, memory_order_relaxed);
	x->body_charge = 0;
}

/* Counts the bytes of an answer, or of a stream's part, and those of the one before no more. False: all together are over the bound. */
static bool exchange_charge_answer(struct exchange *x, uint64_t bytes)
{
	struct server *s = x->home->server;
	uint64_t more = bytes - x->answer_charge;                  /* modulo 2^64, as the sum is */

	if (more == 0)
		return true;
	x->answer_charge = bytes;
	return atomic_fetch_add_explicit(&s->answer_bytes, more, memory_order_relaxed) + more <= s->limits.max_answer_bytes;
}

static void exchange_destroy(struct exchange *x)
{
	request_fini(&x->request);
	bytes_fini(&x->params);
	bytes_fini(&x->body);
	bytes_fini(&x->head);
	free(x);
}

void exchange_free(struct exchange *x)
{
	struct exchange_home *home = x->home;

	request_reset(&x->request);
	exchange_drop_body(x);
	exchange_charge_answer(x, 0);
	if (x->by_libfcgi)
		FCGX_Free(&x->fcgi, 0);                            /* rule 10 */
	x->fcgi.ipcFd = -1;
	x->conn = NULL;
	home->live--;
	if (home->idle_count >= EXCHANGE_IDLE_MAX) {
		exchange_destroy(x);
		return;
	}
	x->next_idle = home->idle;
	home->idle = x;
	home->idle_count++;
}

void exchange_home_fini(struct exchange_home *home)
{
	while (home->idle != NULL) {
		struct exchange *x = home->idle;

		home->idle = x->next_idle;
		exchange_destroy(x);
	}
	home->idle_count = 0;
}

/* ---- reading ----------------------------------------------------------------------------------------------------------- */

/* The next part of a body has room, within the bounds for one request and for all of them; else the answer says why not. */
static bool exchange_body_room(struct exchange *x, uint64_t more)
{
	struct server *s = x->home->server;
	uint64_t held;

	if (more <= x->body.cap - x->body.len)
		return true;
	held = atomic_fetch_add_explicit(&s->body_bytes, more, memory_order_relaxed) + more;
	x->body_charge += more;
	if (held > s->limits.max_body_bytes) {
		problem_set(&x->request, 503, PROBLEM_NO_MEMORY, "the requests in flight hold all the memory they may");
		return false;
	}
	if (!bytes_reserve(&x->body, (size_t)more)) {
		problem_set(&x->request, 503, PROBLEM_NO_MEMORY, "no memory for the body");
		return false;
	}
	return true;
}

/* How much of the body to expect: Content-Length where it can be believed. */
static uint64_t exchange_body_hint(const struct exchange *x)
{
	uint64_t length = 0;

	if (x->request.content_length != NULL)
		(void)decimal_parse(span_str(x->request.content_length), x->home->server->limits.max_request_size, &length);
	return length + 1;                                         /* one more, to meet the end without growing */
}

/* Reads to the end of STDIN, or of the connection. Returns how many bytes there were; keeps them while they have room. */
static uint64_t exchange_drain(struct exchange *x)
{
	uint64_t limit = x->home->server->limits.max_request_size;
	uint64_t total = 0;
	uint64_t step = exchange_body_hint(x);
	char waste[EXCHANGE_BODY_STEP];
	bool keep = true;

	for (;;) {
		size_t want = sizeof(waste);
		char *to = waste;
		int got;

		if (keep && x->body.len == x->body.cap)
			keep = exchange_body_room(x, step);
		if (keep) {
			want = x->body.cap - x->body.len;
			want = want < EXCHANGE_READ_MAX ? want : EXCHANGE_READ_MAX;
			to = x->body.p + x->body.len;
		}
		got = FCGX_GetStr(to, (int)want, x->fcgi.in);
		total += (uint64_t)got;
		if (keep)
			x->body.len += (size_t)got;
		x->request.body_too_large = total > limit;
		keep = keep && total <= limit;
		if ((size_t)got < want)
			break;
		step = x->body.len > EXCHANGE_BODY_STEP ? x->body.len : EXCHANGE_BODY_STEP;
	}
	if (!keep)
		exchange_drop_body(x);
	x->request.body = span_of(x->body.p, x->body.len);
	return total;
}

/* nginx says how long the body is; one of another length was cut, or is two people's idea of one body. */
static void exchange_check_length(struct exchange *x, uint64_t total)
{
	struct request *r = &x->request;
	uint64_t length;

	if (r->content_length == NULL)
		return;
	if (!decimal_parse(span_str(r->content_length), UINT64_MAX, &length) || length != total)
		problem_set(r, 400, PROBLEM_BAD_BODY, "the body has %llu bytes, and Content-Length is '%.32s'",
		            (unsigned long long)total, r->content_length);
}

static void exchange_take_body(struct exchange *x, const void *bytes, size_t size)
{
	x->request.body_too_large = size > x->home->server->limits.max_request_size;
	if (size == 0 || x->request.body_too_large || !exchange_body_room(x, size))
		return;
	wire_join(bytes, WIRE_STDIN, x->body.p);
	x->body.len = size;
	x->request.body = span_of(x->body.p, size);
}

bool exchange_take(struct exchange *x, const void *bytes, const struct wire_request *w)
{
	struct request_filling f = { 0 };
	struct wire_params params;
	struct wire_param param;

	bytes_clear(&x->params);
	if (!bytes_reserve(&x->params, w->params + 1))
		return false;
	x->id = w->id;
	x->keep = w->keep;
	wire_join(bytes, WIRE_PARAMS, x->params.p);
	wire_params_begin(&params, x->params.p, w->params);
	while (wire_params_next(&params, &param))
		request_param(&x->request, &f, param.name, param.name_len, param.value);
	request_filled(&x->request, &f);
	exchange_take_body(x, bytes, w->body);
	if (x->request.response.status == 0)
		exchange_check_length(x, w->body);
	return true;
}

bool exchange_read(struct exchange *x, int *fd)
{
	uint64_t total;

	x->by_libfcgi = true;
	x->fcgi.ipcFd = *fd;                                       /* rule 2 */
	x->fcgi.keepConnection = 1;
	x->fcgi.detached = 1;                                      /* rule 5 */
	if (FCGX_Accept_r(&x->fcgi) < 0) {
		*fd = x->fcgi.ipcFd;
		return false;
	}
	x->id = (uint16_t)x->fcgi.requestId;
	x->keep = x->fcgi.keepConnection != 0;
	if (FCGX_GetError(x->fcgi.in) != 0)                        /* rule 3 */
		return false;
	request_fill(&x->request, x->fcgi.envp);
	total = exchange_drain(x);                                 /* rule 4 */
	if (FCGX_GetError(x->fcgi.in) != 0)
		return false;
	if (x->request.response.status == 0)
		exchange_check_length(x, total);
	return true;
}

/* ---- answering --------------------------------------------------------------------------------------------------------- */

static bool exchange_has_body(const struct response *r)
{
	return !r->head_only && r->status != 204 && r->status != 304;
}

/* A refusal may come ten thousand times a second: the log has the first ones of each second, and how many more there were. */
static bool exchange_may_log(struct exchange_home *home, struct logger *log)
{
	if (home->loop->now_ms - home->log_since_ms >= 1000) {
		if (home->log_dropped > 0)
			logger_log(log, LOG_LEVEL_WARNING, "%llu more answers like these", (unsigned long long)home->log_dropped);
		home->log_since_ms = home->loop->now_ms;
		home->log_count = home->log_dropped = 0;
	}
	if (home->log_count < EXCHANGE_LOG_SECOND) {
		home->log_count++;
		return true;
	}
	home->log_dropped++;
	return false;
}

/* One line an answer that says no: our faults as errors, refusals for lack of something as warnings, clients' mistakes for those who
   debug. The id is the answer's own. No key is named: `detail` holds none. */
static void exchange_log(struct exchange *x, int status)
{
	const struct request *r = &x->request;
	const char *problem = r->response.problem != NULL ? r->response.problem : "no problem document";
	struct logger *log = x->home->server->log;
	struct span detail = problem_detail(r);
	int level = status < 500 ? LOG_LEVEL_DEBUG : status == 503 || status == 507 ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR;

	if (log == NULL || !logger_wants(log, level) || !exchange_may_log(x->home, log))
		return;
	logger_log(log, level, "%d to %.16s %.64s, %s, id %.64s: %.*s", status, r->method != NULL ? r->method : "?",
	           r->route != NULL ? r->route : "?", problem, r->id != NULL ? r->id : "-", (int)(detail.len < 300 ? detail.len : 300),
	           detail.p);
}

/* A large answer waits for its reader in memory: where many do, reads are refused. What has been written is answered whatever it takes,
   and of a stream only a part is here. */
static void exchange_bound_answer(struct exchange *x)
{
	struct request *r = &x->request;
	size_t len = r->response.body.len;

	if (exchange_charge_answer(x, len > EXCHANGE_KEEP_CAP ? len : 0) || x->begun || r->response.written)
		return;
	bytes_fini(&r->response.body);
	r->stream = NULL;
	problem_set(r, 503, PROBLEM_NO_MEMORY, "The answers on their way hold all the memory they may.");
	exchange_charge_answer(x, 0);
}

/* False: a stream that has begun can't go on. All that is left is to close the connection, so that nobody takes what came for all. */
static bool exchange_seal(struct exchange *x)
{
	const struct response *r = &x->request.response;

	exchange_bound_answer(x);
	x->answer = (struct wire_answer){ .id = x->id, .open = x->request.stream != NULL };
	if (x->begun) {
		if (r->body.bad)
			return false;
		x->answer.body = span_of(r->body.p, r->body.len);
	} else if (bytes_clear(&x->head), response_head(r, &x->head)) {
		x->answer.head = span_of(x->head.p, x->head.len);
		if (exchange_has_body(r))
			x->answer.body = span_of(r->body.p, r->body.len);
	} else {
		x->answer.head = response_fallback();
		x->answer.open = false;
	}
	if (!x->begun && (r->status >= 400 || x->head.len == 0))
		exchange_log(x, x->head.len == 0 ? 500 : r->status);
	x->size = wire_answer_size(&x->answer);
	x->sealed = true;
	return true;
}

static ssize_t exchange_push(struct exchange *x, int fd)
{
	struct iovec iov[WIRE_IOV_MAX];
	struct wire_scratch scratch;
	struct msghdr m = { .msg_iov = iov };
	ssize_t n;

	m.msg_iovlen = wire_answer_iov(&x->answer, x->sent, &scratch, iov);
	do
		n = sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n;
}

enum exchange_progress exchange_send(struct exchange *x, int fd)
{
	if (!x->sealed && !exchange_seal(x))
		return EXCHANGE_FAILED;
	for (int i = 0; i < EXCHANGE_SEND_TURNS && x->sent < x->size; i++) {
		ssize_t n = exchange_push(x, fd);

		if (n < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK ? EXCHANGE_MORE : EXCHANGE_FAILED;
		x->sent += (uint64_t)n;
	}
	if (x->sent < x->size)
		return EXCHANGE_MORE;
	return x->answer.open ? EXCHANGE_PART : EXCHANGE_SENT;
}

void exchange_count(struct exchange *x)
{
	const struct request *r = &x->request;

	traffic_answered(x->home->traffic, &(struct traffic_answer){
		.slot = r->slot, .status = r->response.status, .ns = exchange_clock_ns() - x->began_ns,
		.request_bytes = r->body.len, .response_bytes = x->parts_size + x->size,
	});
}
