/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_http.c - a running server: so many connections in one thread, each with its next request as soon as the last is answered.
 *
 * Refused   429 and 503 are the server's way to say that it has no time: counted, and the same connection goes on. Any other failure ends the
 *           measurement.
 */
#include "ctl/bench.h"

#include "ctl/http.h"
#include "ctl/session.h"
#include "ctl/stop.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BENCH_HTTP_TICK_MS = 100 };

struct bench_connection {
	struct http *http;
	struct http_request request;
	struct http_answer answer;
	struct bytes query;
	CURL *easy;                   /* NULL = nothing is under way */
	uint64_t begun_ns;
};

struct bench_http {
	struct bench *b;
	CURLM *multi;
	struct bench_connection *connections;
	unsigned opened;
	uint64_t seed, until_ns;
	enum bench_operation op;
	struct bench_result *result;
};

/* ---- begin and end --------------------------------------------------------------------------------------------------------------- */

static int bench_http_connect(struct bench_http *h)
{
	int status = http_open(h->b->a, &h->connections[0].http);

	h->opened = status == SESSION_OK;
	while (status == SESSION_OK && h->opened < h->b->connections) {
		status = http_another(h->connections[0].http, &h->connections[h->opened].http);
		h->opened += status == SESSION_OK;
	}
	return status;
}

/* One question first: is it a Siltstone, and is nothing under our prefix? */
static int bench_http_look(struct bench_http *h)
{
	struct bench_connection *c = &h->connections[0];
	uint64_t count = 1;
	int status;

	bytes_clear(&c->query);
	http_query_text(&c->query, "prefix", h->b->prefix);
	bytes_adds(&c->query, "&count_only=1");
	c->request = (struct http_request){ .method = "GET", .path = "/v1/kv", .query = &c->query };
	status = http_ask(c->http, &c->request, &c->answer);
	if (status == SESSION_OK && (c->answer.status != 200 || !http_number(&c->answer, "count", &count)))
		status = http_odd(c->http, &c->answer);
	if (status == SESSION_OK && count != 0) {
		(void)fprintf(stderr, "siltctl: %s: there are keys under %s, which was to be ours alone\n", http_url(c->http), h->b->prefix);
		status = SESSION_FAILED;
	}
	return status;
}

static void bench_http_free(struct bench_http *h)
{
	for (unsigned i = 0; i < h->opened; i++) {
		http_close(h->connections[i].http);
		http_answer_fini(&h->connections[i].answer);
		bytes_fini(&h->connections[i].query);
	}
	if (h->multi)
		(void)curl_multi_cleanup(h->multi);
	free(h->connections);
	free(h);
}

static int bench_http_begin(struct bench *b, void **place)
{
	struct bench_http *h = calloc(1, sizeof(*h));
	int status;

	if (h)
		*h = (struct bench_http){ .b = b, .seed = 88172645463325252u,
			.connections = calloc(b->connections, sizeof(struct bench_connection)) };
	if (!h || !h->connections) {
		free(h);
		return session_fail("bench", SILT_E_NOMEM);
	}
	status = bench_http_connect(h);
	if (status == SESSION_OK && !(h->multi = curl_multi_init()))
		status = session_fail("bench", SILT_E_NOMEM);
	if (status == SESSION_OK)
		status = bench_http_look(h);
	if (status == SESSION_OK)
		*place = h;
	else
		bench_http_free(h);
	return status;
}

static int bench_http_clear(struct bench_http *h)
{
	struct bench_connection *c = &h->connections[0];
	int status;

	if (h->b->keys == 0)
		return SESSION_OK;
	bytes_clear(&c->query);
	http_query_text(&c->query, "prefix", h->b->prefix);
	c->request = (struct http_request){ .method = "DELETE", .path = "/v1/kv", .query = &c->query };
	status = http_ask_patiently(c->http, &c->request, &c->answer);
	if (status == SESSION_OK && c->answer.status != 200)
		status = http_odd(c->http, &c->answer);
	if (status != SESSION_OK)
		(void)fprintf(stderr, "siltctl: the keys under %s are still there: delete them with siltctl delete --prefix %s\n", h->b->prefix,
		              h->b->prefix);
	return status;
}

static int bench_http_end(void *place)
{
	struct bench_http *h = place;
	int status = bench_http_clear(h);

	bench_http_free(h);
	return status;
}

/* ---- running --------------------------------------------------------------------------------------------------------------------- */

static int bench_http_send(struct bench_http *h, struct bench_connection *c)
{
	char key[BENCH_KEY];
	bool put = h->op == BENCH_PUT;

	bench_key(h->b, put ? h->b->keys++ : bench_random(&h->seed, h->b->keys), key);
	bytes_clear(&c->query);
	http_query_text(&c->query, "key", key);
	c->request = (struct http_request){ .method = put ? "PUT" : "GET", .path = "/v1/kv", .query = &c->query,
		.body = put ? h->b->value : span_of(NULL, 0) };
	c->easy = c->query.bad ? NULL : http_begin(c->http, &c->request, &c->answer);
	if (!c->easy)
		return session_fail("bench", SILT_E_NOMEM);
	(void)curl_easy_setopt(c->easy, CURLOPT_PRIVATE, c);
	c->begun_ns = latency_now_ns();
	if (curl_multi_add_handle(h->multi, c->easy) == CURLM_OK)
		return SESSION_OK;
	c->easy = NULL;
	return session_fail("bench", SILT_E_NOMEM);
}

/* A key that is not there is one whose put was refused. */
static int bench_http_took(struct bench_http *h, struct bench_connection *c, CURLcode code)
{
	uint64_t ns = latency_now_ns() - c->begun_ns;
	long answer;
	int status;

	c->request.quiet = stop_asked() != 0;            /* done or not, it will be deleted */
	status = http_end(c->http, (int)code);
	answer = c->answer.status;

	if (status != SESSION_OK)
		return stop_asked() ? SESSION_OK : status;
	if (answer == 429 || answer == 503)
		h->result->refused++;
	else if (answer < 300 || (answer == 404 && h->op == BENCH_GET && http_is(&c->answer, "no-such-key")))
		latency_add(&h->result->latency, ns);
	else
		return http_odd(c->http, &c->answer);
	return SESSION_OK;
}

/* What has been answered; each goes on while there is time. *busy: requests under way. */
static int bench_http_collect(struct bench_http *h, unsigned *busy)
{
	int status = SESSION_OK, left;
	CURLMsg *m;

	while ((m = curl_multi_info_read(h->multi, &left)) != NULL) {
		struct bench_connection *c = NULL;
		CURLcode code = m->data.result;
		int one;

		(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&c);
		(void)curl_multi_remove_handle(h->multi, c->easy);
		c->easy = NULL;
		--*busy;
		one = bench_http_took(h, c, code);
		if (one == SESSION_OK && status == SESSION_OK && !stop_asked() && latency_now_ns() < h->until_ns) {
			one = bench_http_send(h, c);
			*busy += one == SESSION_OK;
		}
		status = status == SESSION_OK ? one : status;
	}
	return status;
}

static int bench_http_loop(struct bench_http *h, unsigned busy)
{
	int status = SESSION_OK, running;

	while (status == SESSION_OK && busy > 0) {
		if (curl_multi_perform(h->multi, &running) != CURLM_OK)
			return session_fail("libcurl", SILT_E_IO);
		status = bench_http_collect(h, &busy);
		if (status == SESSION_OK && busy > 0 && !stop_asked())
			(void)curl_multi_poll(h->multi, NULL, 0, BENCH_HTTP_TICK_MS, NULL);
	}
	return status;
}

static int bench_http_run(void *place, enum bench_operation op, struct bench_result *out)
{
	struct bench_http *h = place;
	uint64_t begun_ns = latency_now_ns();
	unsigned busy = 0;
	int status = SESSION_OK;

	h->op = op;
	h->result = out;
	h->until_ns = begun_ns + h->b->seconds * 1000000000;
	for (unsigned i = 0; status == SESSION_OK && i < h->opened; i++) {
		status = bench_http_send(h, &h->connections[i]);
		busy += status == SESSION_OK;
	}
	if (status == SESSION_OK)
		status = bench_http_loop(h, busy);
	out->ns = latency_now_ns() - begun_ns;
	for (unsigned i = 0; i < h->opened; i++)          /* what a failure left under way */
		if (h->connections[i].easy) {
			(void)curl_multi_remove_handle(h->multi, h->connections[i].easy);
			h->connections[i].easy = NULL;
		}
	return status;
}

const struct bench_place bench_http = { .begin = bench_http_begin, .run = bench_http_run, .end = bench_http_end };
