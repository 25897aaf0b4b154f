/* SPDX-License-Identifier: Apache-2.0 */
/* reactor.c - one thread, its loop, and the connections that it owns for life. */
#include "server/reactor.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define REACTOR_DRAIN_TICK_MS 20
#define REACTOR_DRAIN_MAX_MS  20000   /* for peers; what a worker or the store holds is waited for as long as it takes */

/* ---- accepting --------------------------------------------------------------------------------------------------------- */

static struct reactor *reactor_least_loaded(struct reactor *r)
{
	struct reactor *best = r;
	size_t fewest = atomic_load_explicit(&r->home.open, memory_order_relaxed);

	for (size_t i = 0; i < r->peer_count; i++) {
		size_t open = atomic_load_explicit(&r->peers[i].home.open, memory_order_relaxed);

		if (open < fewest) {
			best = &r->peers[i];
			fewest = open;
		}
	}
	return best;
}

/* libfcgi takes a short read for the end of the stream, so sockets block, but not for ever. */
static bool reactor_set_timeouts(int fd, uint64_t timeout_ms)
{
	struct timeval t = { .tv_sec = (time_t)(timeout_ms / 1000), .tv_usec = (suseconds_t)(timeout_ms % 1000 * 1000) };

	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)) == 0 &&
	       setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)) == 0;
}

/* No descriptor is left: without a pause the listening socket, still readable, would wake us at once for ever. */
static void reactor_pause_accepting(struct reactor *r)
{
	logger_log(r->server->log, LOG_LEVEL_WARNING, "can't accept a connection: %s; trying again soon", strerror(errno));
	loop_remove(&r->loop, &r->listener);
	loop_arm(&r->loop, &r->accept_again, LOOP_ACCEPT);
}

static void reactor_on_accept_again(struct loop_timer *t)
{
	struct reactor *r = (struct reactor *)(void *)((char *)t - offsetof(struct reactor, accept_again));

	if (!r->draining && loop_add(&r->loop, &r->listener, EPOLLIN | EPOLLEXCLUSIVE) < 0)
		loop_arm(&r->loop, &r->accept_again, LOOP_ACCEPT);
}

static void reactor_take(struct reactor *r, int fd, bool own_thread)
{
	struct reactor *to;

	if (!reactor_set_timeouts(fd, r->timeout_ms)) {
		(void)close(fd);
		return;
	}
	to = reactor_least_loaded(r);
	connection_open(&to->home, fd, own_thread && to == r);
}

void reactor_adopt(struct reactor *r, int fd)
{
	reactor_take(r, fd, false);
}

static void reactor_on_listener(struct loop_source *s, uint32_t events)
{
	struct reactor *r = (struct reactor *)(void *)((char *)s - offsetof(struct reactor, listener));
	int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);

	(void)events;
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			reactor_pause_accepting(r);
		return;
	}
	reactor_take(r, fd, true);
}

/* ---- draining ---------------------------------------------------------------------------------------------------------- */

static void reactor_begin_drain(struct reactor *r)
{
	r->draining = true;
	r->drain_since_ms = r->loop.now_ms;
	loop_disarm(&r->accept_again);
	loop_remove(&r->loop, &r->listener);
	if (r->server->hand_over != NULL && atomic_load_explicit(&r->server->handing_over, memory_order_relaxed))
		connection_hand_over_all(&r->home);
}

/* Ended: nothing is lent, and either nothing is in flight any more or the peers had their time. */
static bool reactor_drained(struct reactor *r)
{
	uint64_t passed = r->loop.now_ms - r->drain_since_ms;

	if (passed >= REACTOR_DRAIN_MAX_MS)
		connection_close_all(&r->home);
	if (r->home.exchanges.live > 0)
		return false;
	return r->home.all == NULL || passed >= SERVER_LINGER_MS;
}

/* ---- running ----------------------------------------------------------------------------------------------------------- */

static void reactor_after_turn(struct reactor *r)
{
	uint64_t ping = atomic_load_explicit(&r->ping, memory_order_relaxed);

	if (atomic_load_explicit(&r->pong, memory_order_relaxed) != ping)
		atomic_store_explicit(&r->pong, ping, memory_order_relaxed);
	if (r->home.answered > 0)
		atomic_fetch_add_explicit(&r->server->requests, r->home.answered, memory_order_relaxed);
	r->home.answered = 0;
	if (!r->draining && atomic_load_explicit(&r->drain_asked, memory_order_relaxed))
		reactor_begin_drain(r);
}

static void *reactor_main(void *arg)
{
	struct reactor *r = arg;

	while (!r->draining || !reactor_drained(r)) {
		loop_turn(&r->loop, r->draining ? REACTOR_DRAIN_TICK_MS : -1);
		reactor_after_turn(r);
	}
	connection_close_all(&r->home);
	if (atomic_fetch_sub(&r->server->running, 1) == 1)
		(void)eventfd_write(r->server->drained_fd, 1);
	return NULL;
}

int reactor_init(struct reactor *r, const struct reactor_setup *setup)
{
	memset(r, 0, sizeof(*r));
	if (loop_init(&r->loop, setup->request_timeout_ms, setup->transfer_timeout_ms) < 0)
		return errno;
	r->server = setup->server;
	r->peers = setup->peers;
	r->peer_count = setup->peer_count;
	r->timeout_ms = setup->request_timeout_ms;
	r->listener.fd = setup->listen_fd;
	r->listener.ready = reactor_on_listener;
	r->accept_again.fire = reactor_on_accept_again;
	r->home.loop = &r->loop;
	r->home.bodies = setup->bodies;
	r->home.exchanges.server = setup->server;
	r->home.exchanges.loop = &r->loop;
	r->home.exchanges.workers = setup->workers;
	r->home.exchanges.traffic = setup->traffic;
	r->home.exchanges.answered = connection_answered;
	atomic_init(&r->home.open, 0);
	atomic_init(&r->drain_asked, false);
	atomic_init(&r->ping, 0);
	atomic_init(&r->pong, 0);
	return 0;
}

int reactor_start(struct reactor *r)
{
	int rc;

	if (loop_add(&r->loop, &r->listener, EPOLLIN | EPOLLEXCLUSIVE) < 0)
		return errno;
	atomic_fetch_add(&r->server->running, 1);
	rc = pthread_create(&r->thread, NULL, reactor_main, r);
	if (rc != 0) {
		atomic_fetch_sub(&r->server->running, 1);
		return rc;
	}
	(void)pthread_setname_np(r->thread, "silt-reactor");
	r->started = true;
	return 0;
}

void reactor_drain(struct reactor *r)
{
	atomic_store_explicit(&r->drain_asked, true, memory_order_relaxed);
	loop_wake(&r->loop);
}

void reactor_ping(struct reactor *r)
{
	atomic_fetch_add_explicit(&r->ping, 1, memory_order_relaxed);
	loop_wake(&r->loop);
}

bool reactor_alive(const struct reactor *r)
{
	return atomic_load_explicit(&r->pong, memory_order_relaxed) == atomic_load_explicit(&r->ping, memory_order_relaxed);
}

void reactor_join(struct reactor *r)
{
	if (r->started)
		(void)pthread_join(r->thread, NULL);
	r->started = false;
}

void reactor_fini(struct reactor *r)
{
	loop_deliver(&r->loop);                                    /* connections that a peer accepted while we ended */
	connection_close_all(&r->home);
	exchange_home_fini(&r->home.exchanges);
	loop_fini(&r->loop);
}
