/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connection.h - what a peer (nginx) holds open to us: a state machine around a socket that a reactor owns for life.
 *
 *	        first bytes             whole
 *	IDLE ---------------> PARTIAL --------------+
 *	 ^ \________ whole __________               |
 *	 |                           \              v     answered at once, all sent
 *	 |              large  +----> +--------> (dispatch) --------------------------> IDLE
 *	 |   IDLE, PARTIAL ----> BODY     read      |  \
 *	 |                                          |   +-- socket is full ---> SENDING
 *	 |                                          v                              ^
 *	 |                                        LENT ----- answered, not all ----+
 *	 +--- sent ------------------------------ (send) <---- EPOLLOUT ---- SENDING
 *	                                            +--- a part of a stream is sent ---> LENT
 *
 * IDLE      nothing waits; no deadline: nginx closes what it does not need
 * PARTIAL   part of a request waits in the socket; request_timeout from its first byte
 * BODY      a body thread reads; not watched but for errors; transfer timeout in all
 * LENT      a worker or the store has the request; a peer that leaves is noticed and its answer thrown away
 * SENDING   the rest of an answer waits for EPOLLOUT; transfer timeout between two signs of life
 *
 * Registered edge-triggered in all but SENDING: a partial request that nobody reads must not wake the loop again and again.
 */
#ifndef SERVER_CONNECTION_H
#define SERVER_CONNECTION_H

#include "server/exchange.h"
#include "server/loop.h"
#include "server/wire.h"
#include "server/worker.h"

enum connection_state { CONNECTION_IDLE, CONNECTION_PARTIAL, CONNECTION_BODY, CONNECTION_LENT, CONNECTION_SENDING };

struct connection_home {              /* of one reactor; all but the atomic is its own */
	struct loop *loop;            /* [c] */
	struct exchange_home exchanges;
	struct worker_pool *bodies;   /* [c] */
	struct connection *all;       /* newest first */
	_Atomic size_t open;          /* relaxed; counted from the moment a socket is given to this reactor */
	bool handing_over;            /* what is idle, or becomes it, goes to our successor */
	uint64_t answered;            /* requests, not yet counted in server->requests */
	uint8_t window[WIRE_WINDOW];  /* where requests are peeked at */
};

struct connection {
	struct loop_source source;    /* first */
	struct loop_timer timer;
	struct loop_letter letter;    /* to its reactor: newly accepted, or back from a body thread */
	struct worker_job job;        /* to a body thread */
	struct connection_home *home; /* [c] */
	struct connection *prev, *next;
	struct exchange *x;           /* not in IDLE and PARTIAL */
	enum connection_state state;
	bool again;                   /* an edge came while nobody could look: look before waiting for the next */
	bool read_ok;                 /* BODY: written by the body thread before its letter */
};

/*
 * Gives fd, blocking and with its timeouts set, to a home: now where `here` says that this is its own thread, else by letter.
 * Closed on failure.
 */
void connection_open(struct connection_home *home, int fd, bool here);
/* An exchange of ours is answered: what exchange_home.answered is set to. */
void connection_answered(struct exchange_home *exchanges, struct exchange *x);
/* Ends all that may be ended now: what is lent stays until it is back, what is being read is made to fail soon. */
void connection_close_all(struct connection_home *home);
/* From here on what waits for a request, or becomes so, is given to server->hand_over, and closed here: nothing of a next request was taken out of
   the socket. The home's own thread. */
void connection_hand_over_all(struct connection_home *home);

#endif
