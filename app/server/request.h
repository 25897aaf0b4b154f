/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request.h - one HTTP request as nginx handed it on: read off the FastCGI connection, whole, body drained.
 * Handlers see this and the response, never a socket.
 *
 * Life      reactor makes it -> route_dispatch() -> ROUTE_DONE: answered here and now
 *                                                -> ROUTE_BLOCK: a worker calls route_dispatch() again with may_block set
 *                                                -> ROUTE_PARKED: whoever holds it calls request_complete() once, from any thread,
 *                                                   and the reactor that owns it answers
 * Turns     what takes long gives its worker back now and then: request_retry(), then ROUTE_PARKED. The handler finds its state again.
 * Streams   an answer of any size is made a part at a time: request.stream
 */
#ifndef SERVER_REQUEST_H
#define SERVER_REQUEST_H

#include "server/response.h"
#include "store/store.h"
#include "util/bytes.h"

#include <stdatomic.h>

enum request_role { ROLE_READ, ROLE_WRITE, ROLE_ADMIN };

struct server;                        /* what handlers may ask of the process: server.h */
struct request;

enum stream_step {
	STREAM_MORE,                  /* what is in response.body (perhaps nothing) is to be sent; then call again */
	STREAM_END,                   /* it is the last of it */
	STREAM_PARKED,                /* whoever holds the request fills the body and calls request_complete(): from then as STREAM_MORE, or
	                                 STREAM_END where it has set `stream` to NULL */
};

struct request {
	/* [c] once read; strings borrowed from the parameters, valid until answered; NULL = absent */
	const char *method;           /* "GET" */
	const char *route;            /* SCRIPT_NAME: the location of nginx that matched, e.g. "/get", "/get/", "/v1/kv/" */
	const char *uri;              /* REQUEST_URI: raw, with the query */
	struct span query;            /* of uri, behind the first '?'; p NULL = none */
	struct span path;             /* of uri, before it */
	const char *content_type, *content_length;
	const char *if_match, *if_none_match, *prefer, *accept, *content_encoding, *content_range;
	const char *last_event_id;
	const char *host, *origin, *sec_fetch_site, *purpose, *sec_purpose;
	const char *id;               /* REQUEST_ID */
	const char *key_prefix;       /* SILT_PREFIX: raw bytes, percent-encoded by the configuration's author or plain */
	const char *role_name;        /* SILT_ROLE as it came; for request_fill() */
	enum request_role role;       /* SILT_ROLE; none or unknown = read */
	struct span body;             /* all of it */
	bool body_too_large;          /* over limits.max_request_size: it was read to its end and thrown away; answer 413 */
	/* between dispatches */
	struct server *server;
	bool may_block;               /* a worker's thread: disk and waiting allowed */
	unsigned slot;                /* route and method for those who count, as route.h numbers them; set by route_dispatch() */
	struct response response;     /* filled by whoever handles it */
	void *state;                  /* the handler's own while parked; freed by state_free at the end */
	void (*state_free)(void *state);
	/* NULL, or the answer is a stream (response.streamed is set): once what the body holds has left, this is called in a worker,
	   with an empty body, for the next part; and so on until it says that there is no more, or sets it to NULL. */
	enum stream_step (*stream)(struct request *r);
	/* NULL, or called in the reactor when the client has left while the request is lent, after `gone` is set: whoever holds it may
	   hand it back sooner. Set before it is lent. */
	void (*left)(struct request *r);
	_Atomic bool gone;            /* the client has left: whatever the answer is, nobody reads it. For work of many turns */
	/* Handlers' memory: cleared by route_dispatch(), kept from request to request (so that a cached get allocates nothing),
	   freed with bytes_fini() by whoever frees the request. Start from {0}. */
	struct bytes key;             /* decoded; whole while parked */
	struct bytes scratch;         /* a value on its way into JSON or out of it */
	/* Set once by whoever made the request, the reactor or a test: what request_complete() and request_retry() call. */
	void (*complete)(struct request *r);
	void (*retry)(struct request *r);
};

/*
 * Takes what we read out of the parameters ("NAME=value", NULL-ended, borrowed), in one walk. An empty value counts
 * as absent: nginx sends every fastcgi_param, also that of a header which did not come. A parameter given twice is a mistake of the
 * configuration that could mean two things: route becomes NULL, which is answered as "misconfigured".
 */
void request_fill(struct request *r, char *const *params);

/* The same a parameter at a time: its name has len bytes, its value is a string, and borrowed. request_filled() behind the last one. */
struct request_filling {              /* zeros to begin with */
	unsigned long seen;           /* a bit for each name */
	size_t next;
	bool twice;
};
void request_param(struct request *r, struct request_filling *f, const char *name, size_t len, const char *value);
void request_filled(struct request *r, const struct request_filling *f);
/* Ready for the next one: state freed, pointers gone, buffers kept (but large ones). */
void request_reset(struct request *r);
void request_fini(struct request *r);

/* From any thread, exactly once for each ROUTE_PARKED: the response is filled, answer it. */
void request_complete(struct request *r);
/* From any thread, exactly once for each ROUTE_PARKED instead of the above: dispatch it again in a worker (may_block). */
void request_retry(struct request *r);

enum route_result { ROUTE_DONE, ROUTE_BLOCK, ROUTE_PARKED };

#endif
