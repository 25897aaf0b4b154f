/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reactor.h - one thread, its loop, and the connections that it owns for life. It accepts, and gives what it accepted to whichever
 * reactor has the fewest connections: they stay open for hours, so an uneven start would stay, too.
 *
 * States    running -> draining (reactor_drain(): no more accepts) -> ended (nothing in flight, linger over; connections closed)
 * Threads   reactor_adopt(), reactor_drain(), reactor_ping(), reactor_alive(): any. All else: its own, or before it starts and after it ends.
 */
#ifndef SERVER_REACTOR_H
#define SERVER_REACTOR_H

#include <pthread.h>

#include "server/connection.h"
#include "server/loop.h"
#include "server/server.h"
#include "server/worker.h"

struct reactor {
	struct loop loop;
	struct connection_home home;
	struct loop_source listener;
	struct loop_timer accept_again;          /* armed while there were no descriptors left to accept with */
	struct server *server;                   /* [c] */
	struct reactor *peers;                   /* [c] all of them, this one too */
	size_t peer_count;                       /* [c] */
	uint64_t timeout_ms;                     /* [c] of sockets */
	_Atomic bool drain_asked;                /* relaxed; with a wake-up */
	bool draining;
	uint64_t drain_since_ms;
	_Atomic uint64_t ping, pong;             /* relaxed */
	pthread_t thread;
	bool started;
};

struct reactor_setup {
	struct server *server;
	struct reactor *peers;
	size_t peer_count;
	int listen_fd;
	uint64_t request_timeout_ms, transfer_timeout_ms;
	struct worker_pool *workers, *bodies;
	struct traffic *traffic;
};

/* 0, or an errno. */
int reactor_init(struct reactor *r, const struct reactor_setup *setup);
int reactor_start(struct reactor *r);
void reactor_adopt(struct reactor *r, int fd);            /* a connection that somebody else accepted; any thread, once started */
void reactor_drain(struct reactor *r);
void reactor_ping(struct reactor *r);
bool reactor_alive(const struct reactor *r);              /* has answered the latest ping */
/* Waits for the thread; every reactor must have been joined before one is ended with reactor_fini(). */
void reactor_join(struct reactor *r);
void reactor_fini(struct reactor *r);

#endif
