/* SPDX-License-Identifier: Apache-2.0 */
/* server.c - reactors and workers as one thing that is started, drained and freed. */
#include "server/server.h"

#include "server/feed.h"
#include "server/joblist.h"
#include "server/reactor.h"
#include "server/traffic.h"
#include "server/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define SERVER_BODY_THREADS 4         /* large bodies read at once; behind nginx each takes milliseconds */

struct server_crew {                  /* what runs a server; its face is all that others see */
	struct server face;           /* first */
	struct worker_pool workers, bodies;
	struct reactor *reactors;
	size_t reactor_count;         /* initialised */
};

static struct server_crew *server_crew_of(struct server *s)
{
	return (struct server_crew *)(void *)s;
}

/* A write to an eventfd: nothing that a signal handler may not do. */
static void server_stop(struct server *s)
{
	uint64_t one = 1;

	if (write(s->stop_fd, &one, sizeof(one)) < 0)
		return;                                            /* it is full: it has been asked for */
}

static uint64_t server_clock_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void server_gauges(struct server *s, struct server_gauges *out)
{
	struct server_crew *c = server_crew_of(s);

	for (size_t i = 0; i < c->reactor_count; i++)
		out->connections += atomic_load_explicit(&c->reactors[i].home.open, memory_order_relaxed);
	out->workers = c->workers.count;
	out->queued = worker_queued(&c->workers);
}

static int server_init_face(struct server *s, const struct server_setup *setup)
{
	s->store = setup->store;
	s->limits = setup->limits;
	if (s->limits.max_body_bytes == 0)
		s->limits.max_body_bytes = 4 * s->limits.max_request_size;
	if (s->limits.max_answer_bytes == 0)
		s->limits.max_answer_bytes = UINT64_C(512) << 20;
	s->durability_async = setup->durability_async;
	s->socket_activated = setup->socket_activated;
	s->hosts = setup->hosts;
	s->dispatch = setup->dispatch;
	s->hand_over = setup->hand_over;
	s->hand_over_ctx = setup->hand_over_ctx;
	s->log = setup->log;
	s->stop = server_stop;
	s->gauges = server_gauges;
	s->start_mono_ms = server_clock_ms();
	s->drained_fd = -1;
	s->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->stop_fd < 0)
		return errno;
	s->drained_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return s->drained_fd < 0 ? errno : 0;
}

static int server_init_reactors(struct server_crew *c, const struct server_setup *setup)
{
	struct reactor_setup rs = {
		.server = &c->face, .peer_count = setup->reactors, .listen_fd = setup->listen_fd,
		.request_timeout_ms = setup->request_timeout_ms, .transfer_timeout_ms = setup->transfer_timeout_ms,
		.workers = &c->workers, .bodies = &c->bodies,
	};

	rs.peers = c->reactors = calloc(setup->reactors, sizeof(*c->reactors));
	c->face.traffic = calloc(setup->reactors, sizeof(*c->face.traffic));
	if (c->reactors == NULL || c->face.traffic == NULL)
		return ENOMEM;
	c->face.traffic_count = setup->reactors;
	while (c->reactor_count < setup->reactors) {
		rs.traffic = &c->face.traffic[c->reactor_count];
		int rc = reactor_init(&c->reactors[c->reactor_count], &rs);

		if (rc != 0)
			return rc;
		c->reactor_count++;
	}
	return 0;
}

static int server_init_feed(struct server *s)
{
	int rc = feed_new(s->store, &s->feed);

	return rc == ENOTSUP ? 0 : rc;
}

int server_new(const struct server_setup *setup, struct server **out)
{
	struct server_crew *c = calloc(1, sizeof(*c));
	int rc;

	if (c == NULL)
		return ENOMEM;
	rc = server_init_face(&c->face, setup);
	if (rc == 0)
		rc = worker_init(&c->workers, "silt-worker", setup->workers, (size_t)setup->limits.max_parked);
	c->workers.max_wait_ms = setup->limits.max_wait_ms;
	if (rc == 0)
		rc = worker_init(&c->bodies, "silt-body", SERVER_BODY_THREADS, SIZE_MAX);
	if (rc == 0)
		rc = server_init_reactors(c, setup);
	if (rc == 0)
		rc = server_init_feed(&c->face);
	if (rc == 0)
		rc = joblist_new(setup->store, &c->face.jobs);
	if (rc != 0) {
		server_free(&c->face);
		return rc;
	}
	*out = &c->face;
	return 0;
}

int server_start(struct server *s)
{
	struct server_crew *c = server_crew_of(s);

	for (size_t i = 0; i < c->reactor_count; i++) {
		int rc = reactor_start(&c->reactors[i]);

		if (rc != 0)
			return rc;
	}
	return 0;
}

void server_adopt(struct server *s, int fd)
{
	reactor_adopt(&server_crew_of(s)->reactors[0], fd);
}

bool server_alive(struct server *s)
{
	struct server_crew *c = server_crew_of(s);
	bool alive = true;

	for (size_t i = 0; i < c->reactor_count; i++) {
		alive = reactor_alive(&c->reactors[i]) && alive;
		reactor_ping(&c->reactors[i]);
	}
	return alive;
}

void server_drain(struct server *s)
{
	struct server_crew *c = server_crew_of(s);

	atomic_store_explicit(&s->stopping, true, memory_order_relaxed);
	feed_end(s->feed);
	joblist_end(s->jobs);
	for (size_t i = 0; i < c->reactor_count; i++)
		reactor_drain(&c->reactors[i]);
}

/* Reactors first: only they hand out work, and they end when all of it is back. */
void server_join(struct server *s)
{
	struct server_crew *c = server_crew_of(s);

	server_drain(s);
	for (size_t i = 0; i < c->reactor_count; i++)
		reactor_join(&c->reactors[i]);
	worker_fini(&c->bodies);
	worker_fini(&c->workers);
	feed_free(s->feed);
	s->feed = NULL;
	joblist_free(s->jobs);
	s->jobs = NULL;
}

/* All are joined before one is taken apart, since they hand each other connections. */
void server_free(struct server *s)
{
	struct server_crew *c = server_crew_of(s);

	if (s == NULL)
		return;
	server_join(s);
	for (size_t i = 0; i < c->reactor_count; i++)
		reactor_fini(&c->reactors[i]);
	free(c->reactors);
	free(s->traffic);
	if (s->stop_fd >= 0)
		(void)close(s->stop_fd);
	if (s->drained_fd >= 0)
		(void)close(s->drained_fd);
	free(c);
}
