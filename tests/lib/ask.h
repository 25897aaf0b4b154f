/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ask.h - asking the handlers without a socket: a request is filled as nginx would have it, dispatched as
 * the reactor and a worker would, and the answer looked at. For tests of the server's rooms; the store
 * beneath is the engine in a directory of its own, or whatever the test puts there.
 */
#ifndef TESTS_ASK_H
#define TESTS_ASK_H

#include "lib/storekit.h"

#include "server/joblist.h"
#include "server/request.h"
#include "server/route.h"
#include "server/server.h"

#include <pthread.h>

struct asker {
	char *dir;
	struct server server;
	struct request r;
	pthread_mutex_t mu;
	pthread_cond_t changed;
	int completed, retried;               /* [mu] of the request in hand */
	int blocked;                          /* how often the last request went to a worker */
	int stops;                            /* calls of server.stop */
	char text[4096];                      /* of the last header asked for */
};

/* One request; what is NULL is absent. body_len 0 = strlen(body). */
struct ask {
	const char *method, *uri, *route;     /* route NULL = the path without its query */
	const char *body, *type;
	const char *if_match, *if_none_match, *prefer, *content_encoding, *content_range;
	const char *accept, *host, *origin, *site, *purpose, *sec_purpose, *prefix, *id;
	enum request_role role;               /* ROLE_READ is the weakest: ask_as() below makes it admin */
	size_t body_len;
};

static inline struct asker *ask_of(struct request *r)
{
	return (struct asker *)((char *)r - offsetof(struct asker, r));
}

static inline void ask_complete(struct request *r)
{
	struct asker *a = ask_of(r);

	pthread_mutex_lock(&a->mu);
	a->completed++;
	pthread_cond_signal(&a->changed);
	pthread_mutex_unlock(&a->mu);
}

static inline void ask_retry(struct request *r)
{
	struct asker *a = ask_of(r);

	pthread_mutex_lock(&a->mu);
	a->retried++;
	pthread_cond_signal(&a->changed);
	pthread_mutex_unlock(&a->mu);
}

static inline void ask_stop(struct server *s)
{
	struct asker *a = (struct asker *)((char *)s - offsetof(struct asker, server));

	a->stops++;
	s->stopping = true;
}

/* store NULL = the engine in a new directory. */
static inline struct asker *ask_open(struct store *store)
{
	struct store_engine_options o;
	struct asker *a = calloc(1, sizeof(*a));

	assert_non_null(a);
	a->dir = test_mkdir();
	o = storekit_small(a->dir);
	if (store != NULL)
		a->server.store = store;
	else
		assert_int_equal(store_engine_open(&o, &a->server.store), STORE_OK);
	assert_int_equal(joblist_new(a->server.store, &a->server.jobs), 0);
	a->server.limits.max_value_size = 300000;
	a->server.limits.max_request_size = 900000;
	a->server.limits.max_parked = 8;
	a->server.limits.max_page_entries = 10000;
	a->server.limits.max_page_size = 100000;
	a->server.limits.max_streams = 2;
	a->server.limits.max_batch_ops = 20;
	a->server.limits.max_answer_bytes = 1u << 20;
	a->server.stop = ask_stop;
	a->r.complete = ask_complete;
	a->r.retry = ask_retry;
	pthread_mutex_init(&a->mu, NULL);
	pthread_cond_init(&a->changed, NULL);
	return a;
}

static inline void ask_close(struct asker *a, bool close_store)
{
	joblist_free(a->server.jobs);
	request_fini(&a->r);                  /* its state may hold a piece of the store */
	if (close_store)
		assert_int_equal(a->server.store->ops->close(a->server.store), STORE_OK);
	pthread_cond_destroy(&a->changed);
	pthread_mutex_destroy(&a->mu);
	test_rmdir(a->dir);
	free(a);
}

static inline const char *ask_route(const struct ask *q, char *room, size_t size)
{
	snprintf(room, size, "%.*s", (int)strcspn(q->uri, "?"), q->uri);
	return q->route != NULL ? q->route : room;
}

static inline void ask_fill(struct asker *a, const struct ask *q, const char *route)
{
	struct request *r = &a->r;
	const char *mark = q->uri != NULL ? strchr(q->uri, '?') : NULL;

	request_reset(r);
	r->server = &a->server;
	r->method = q->method;
	r->uri = q->uri;
	r->route = route;
	r->path = mark != NULL ? span_of(q->uri, (size_t)(mark - q->uri)) : span_str(q->uri);
	r->query = mark != NULL ? span_str(mark + 1) : span_of(NULL, 0);
	r->body = q->body_len > 0 ? span_of(q->body, q->body_len) : span_str(q->body);
	r->content_type = q->type;
	r->if_match = q->if_match;
	r->if_none_match = q->if_none_match;
	r->prefer = q->prefer;
	r->content_encoding = q->content_encoding;
	r->content_range = q->content_range;
	r->accept = q->accept;
	r->host = q->host;
	r->origin = q->origin;
	r->sec_fetch_site = q->site;
	r->purpose = q->purpose;
	r->sec_purpose = q->sec_purpose;
	r->key_prefix = q->prefix;
	r->id = q->id;
	r->role = q->role;
	a->completed = a->retried = a->blocked = 0;
}

/* True: answered; false: it goes to a worker once more. */
static inline bool ask_wait(struct asker *a)
{
	bool completed;

	pthread_mutex_lock(&a->mu);
	while (a->completed == 0 && a->retried == 0)
		pthread_cond_wait(&a->changed, &a->mu);
	assert_int_equal(a->completed + a->retried, 1);
	completed = a->completed == 1;
	a->retried = 0;
	pthread_mutex_unlock(&a->mu);
	return completed;
}

/* Dispatches until there is an answer; its status. */
static inline int ask_as(struct asker *a, enum request_role role, struct ask q)
{
	enum route_result result;
	char room[256];

	q.role = role;
	ask_fill(a, &q, q.uri != NULL ? ask_route(&q, room, sizeof(room)) : q.route);
	for (;;) {
		result = route_dispatch(&a->r);
		if (result == ROUTE_DONE || (result == ROUTE_PARKED && ask_wait(a)))
			break;
		assert_true(result == ROUTE_PARKED ||
		            !a->r.may_block); /* a worker must not be told to block */
		a->r.may_block = true;
		a->blocked++;
	}
	return a->r.response.status;
}

#define ask(a, ...) ask_as((a), ROLE_ADMIN, (struct ask){ __VA_ARGS__ })

/* The value of a header of the answer, "" where it is not there; valid until the next call. */
static inline const char *ask_header(struct asker *a, const char *name)
{
	const struct bytes *h = &a->r.response.headers;
	char line[128];
	const char *at;

	snprintf(line, sizeof(line), "\n%s: ", name);
	snprintf(a->text, sizeof(a->text), "\n%.*s", (int)h->len, h->p);
	at = strstr(a->text, line);
	if (at == NULL)
		return "";
	at += strlen(line);
	*strchr((char *)at, '\r') = 0;
	return at;
}

static inline struct span ask_body(const struct asker *a)
{
	return span_of(a->r.response.body.p, a->r.response.body.len);
}

/* Does the body hold this text? */
static inline bool ask_says(const struct asker *a, const char *text)
{
	struct span body = ask_body(a);

	return body.len > 0 && memmem(body.p, body.len, text, strlen(text)) != NULL;
}

/* Status, problem type and, as far as given, a piece of the body; with the place in the test on failure. */
static inline void ask_expect(struct asker *a, int got, int status, const char *slug, const char *piece,
                              int line)
{
	char type[96];

	snprintf(type, sizeof(type), "\"type\":\"urn:siltstone:problem:%s\"", slug);
	if (got != status || !ask_says(a, type) || (piece != NULL && !ask_says(a, piece)) ||
	    strcmp(ask_header(a, "Content-Type"), "application/problem+json") != 0 ||
	    strcmp(ask_header(a, "Cache-Control"), "no-store") != 0)
		fail_msg("line %d: wanted %d %s %s, got %d %.*s", line, status, slug,
		         piece != NULL ? piece : "", got, (int)a->r.response.body.len,
		         a->r.response.body.p != NULL ? a->r.response.body.p : "");
}
#define expect_problem(a, got, status, slug, piece) ask_expect((a), (got), (status), (slug), (piece), __LINE__)

#endif
