/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange.h - one request and its answer, between a connection and whoever handles it. It holds the parameters that the request's
 * strings point into. Made and ended by one reactor, reused by it; lent to workers and to the store.
 *
 *	reactor:                exchange_take()        the request was whole, and is copied out of the window
 *	body thread:            exchange_read()        a larger one is read by libfcgi, its body drained
 *	reactor:                exchange_dispatch()    answered, or lent
 *	lender:                 request_complete()     a letter to the reactor, which then sends
 *	reactor:                exchange_send() until sent; exchange_free()
 *	                        a stream: exchange_next() behind each part, which lends it again
 *
 * A client that leaves takes the connection with it, not the exchange: conn becomes NULL and the answer is thrown away.
 */
#ifndef SERVER_EXCHANGE_H
#define SERVER_EXCHANGE_H

#include <fcgiapp.h>

#include "server/loop.h"
#include "server/request.h"
#include "server/server.h"
#include "server/traffic.h"
#include "server/wire.h"
#include "server/worker.h"

struct connection;
struct exchange;

struct exchange_home {                /* of one reactor */
	struct server *server;        /* [c] */
	struct loop *loop;            /* [c] */
	struct worker_pool *workers;  /* [c] for what may block */
	struct traffic *traffic;      /* [c] its own */
	void (*answered)(struct exchange_home *home, struct exchange *x);   /* [c] a lent one is back */
	struct exchange *idle;        /* for use again, most recently used first: its memory is in the cache */
	size_t idle_count;
	size_t lent;                  /* with a worker or the store */
	size_t live;                  /* in use at all */
	uint64_t log_since_ms, log_count, log_dropped;      /* lines about answers: of this second, and those not written */
};

struct exchange {
	struct request request;       /* first: handlers' pointers are ours */
	struct exchange_home *home;   /* [c] */
	struct connection *conn;      /* NULL: the client has gone */
	struct exchange *next_idle;
	FCGX_Request fcgi;
	bool by_libfcgi;              /* it has read this request, and holds its parameters */
	struct bytes params;          /* else they are here */
	uint16_t id;                  /* of the request on its connection */
	bool keep;                    /* the peer wants the connection kept */
	bool lent;
	struct bytes body;            /* what request.body points to */
	uint64_t answer_charge;       /* counted in server->answer_bytes */
	uint64_t body_charge;         /* counted in server->body_bytes */
	struct bytes head;
	struct wire_answer answer;
	bool sealed;                  /* answer and size are those of what the response holds now */
	bool begun;                   /* the head of a stream has left: what follows are parts of its body */
	uint64_t sent, size;          /* of the answer as records */
	uint64_t parts_size;          /* of the parts of a stream that left before */
	uint64_t began_ns;            /* when it was whole */
	struct worker_job job;        /* on its way to a worker: a body to read, or a dispatch that may block */
	struct loop_letter letter;    /* on its way back */
};

enum exchange_progress {
	EXCHANGE_SENT,                /* all of it */
	EXCHANGE_MORE,                /* the socket is full */
	EXCHANGE_PART,                /* a part of a stream: exchange_next() makes the next one */
	EXCHANGE_FAILED,
};

struct exchange *exchange_new(struct exchange_home *home, struct connection *conn);      /* NULL = no memory */
void exchange_free(struct exchange *x);
/* Frees those kept for use again. */
void exchange_home_fini(struct exchange_home *home);

/* Takes over what wire_scan() found whole. False: no memory, and the connection is of no more use. */
bool exchange_take(struct exchange *x, const void *bytes, const struct wire_request *w);
/*
 * Reads one request off fd with libfcgi, blocking at most as long as the socket's timeouts say. On false nothing of it may be acted
 * on and the connection is of no more use; *fd is -1 where libfcgi has closed it.
 */
bool exchange_read(struct exchange *x, int *fd);
/* Answers, or lends: true = the response is filled. */
bool exchange_dispatch(struct exchange *x);
/* Sends what the socket takes, without waiting. */
enum exchange_progress exchange_send(struct exchange *x, int fd);
/* Lends the exchange of a stream, whose part was sent, to a worker for the next one. */
void exchange_next(struct exchange *x);
/* Its client has left: it is freed, now or when it is back. What its handler keeps, perhaps the last hold on much memory of the
   store, is let go in a worker. */
void exchange_leave(struct exchange *x);

/* The answer is sent, all of it: counts it. */
void exchange_count(struct exchange *x);

#endif
