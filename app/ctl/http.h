/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.h - a running server asked over HTTP, by libcurl: one connection, kept between requests.
 *
 * Use       http_open(); http_ask() any number of times, with one http_answer that is reused; http_close()
 * Errors    Everything returns an exit status (session.h). What went wrong was said on stderr: "siltctl: URL: what happened: what to do".
 *           An answer of 400 and above is an answer: http_fail() says it, with the title and detail of its problem document.
 * Time      10 s to connect; then the connection may be silent for so long as --timeout says (60 s), or the request itself.
 * Signals   Once stop_begin() was called, a request ends within a second of a signal, with stop_status().
 * Threads   A handle belongs to one thread at a time; each thread may have its own.
 */
#ifndef CTL_HTTP_H
#define CTL_HTTP_H

#include "ctl/args.h"

struct http;

/* Gets a piece of the body of an answer below 300. False ends the request; what the reason is, it knows itself. */
typedef bool http_sink_fn(void *ctx, const char *p, size_t n);

#define HTTP_WAIT_FOR_EVER UINT64_MAX

struct http_request {                 /* all of it borrowed until http_ask() returns */
	const char *method;           /* "GET", "PUT", ... */
	const char *path;             /* behind the base of the URL: "/v1/kv" */
	const struct bytes *query;    /* as http_query() made it; NULL = none */
	const char *const *headers;   /* "Name: value", NULL-ended; NULL = none */
	struct span body;             /* p NULL = none: not even an empty one */
	http_sink_fn *sink;           /* NULL = the body goes to the answer */
	void *ctx;
	uint64_t silence_s;           /* 0 = as --timeout says */
	bool quiet;                   /* what goes wrong is not said: it is a thing that can be done without */
};

struct http_answer {                  /* from {0} on, then reused; end with http_answer_fini() */
	long status;
	bool to_write;                /* it answers another method than GET */
	struct bytes head;            /* header lines */
	struct bytes body;            /* of a sink's request: only where the status is 300 or above */
};

/* Takes --url, --user, --cacert and --timeout. Nothing is sent yet. */
int http_open(const struct args *a, struct http **out);
void http_close(struct http *h);      /* NULL is fine */
/* The URL without what is secret in it, for messages. */
const char *http_url(const struct http *h);

/* 0: there is an answer, of whatever status. After a failure of anything but GET it was said that the outcome is not known. */
int http_ask(struct http *h, const struct http_request *r, struct http_answer *a);
/*
 * The same in two halves, for who drives many at once through libcurl's multi interface: the easy handle, ready for this request (NULL: no
 * memory); and when it is over, with the CURLcode, how it went.
 */
void *http_begin(struct http *h, const struct http_request *r, struct http_answer *a);
int http_end(struct http *h, int code);
/* Another connection to the same server, by the same login. */
int http_another(const struct http *h, struct http **out);
/* The same, asked again while the server says 429 or 503 with Retry-After, for half a minute: nothing was done then. */
int http_ask_patiently(struct http *h, const struct http_request *r, struct http_answer *a);
/* Says what an answer of 400 and above says; the exit status for it. */
int http_fail(const struct http *h, const struct http_answer *a);
/* The exit status for an answer of this status, 400 and above, and of this type of problem. */
int http_exit_status(long status, struct span type);
/* Is it a problem of this type: "no-such-key"? */
bool http_is(const struct http_answer *a, const char *slug);
/* One that is no success though it is below 400, or that can't be understood. */
int http_odd(const struct http *h, const struct http_answer *a);

/* "name=value", percent-encoded, behind a "&" where something is there. */
void http_query(struct bytes *query, const char *name, struct span value);
void http_query_text(struct bytes *query, const char *name, const char *value);
/* A header's value; empty where there is none. Borrows the answer. */
struct span http_header(const struct http_answer *a, const char *name);
/* A whole number that is a member of the answer's JSON object. */
bool http_number(const struct http_answer *a, const char *name, uint64_t *out);
void http_answer_fini(struct http_answer *a);

#endif
