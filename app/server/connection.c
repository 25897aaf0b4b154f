/* SPDX-License-Identifier: Apache-2.0 */
/* connection.c - the state machine of connection.h. Each transition is one function, named after where it leads. */
#include "server/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTION_WATCH ((uint32_t)(EPOLLIN | EPOLLRDHUP | EPOLLET))
#define CONNECTION_GONE  ((uint32_t)(EPOLLRDHUP | EPOLLHUP | EPOLLERR))

static void connection_look(struct connection *c, bool ended);

static void connection_fault(struct connection *c, enum traffic_fault what)
{
	traffic_fault(c->home->exchanges.traffic, what);
}

static void connection_close(struct connection *c)
{
	struct connection_home *home = c->home;

	loop_disarm(&c->timer);
	if (c->x != NULL)
		exchange_leave(c->x);
	if (c->source.fd >= 0)
		(void)close(c->source.fd);                         /* which takes it out of epoll, too */
	if (c->next != NULL)
		c->next->prev = c->prev;
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		home->all = c->next;
	atomic_fetch_sub_explicit(&home->open, 1, memory_order_relaxed);
	free(c);
}

/* Whoever has the socket next reads all of the next request. As long as there is a copy, closing ours does not take it out of epoll. */
static void connection_hand_over(struct connection *c)
{
	struct server *s = c->home->exchanges.server;

	loop_remove(c->home->loop, &c->source);
	(void)s->hand_over(s->hand_over_ctx, c->source.fd);        /* where that fails its peer meets a closed connection */
	connection_close(c);
}

/* ---- answering --------------------------------------------------------------------------------------------------------- */

static void connection_to_idle(struct connection *c)
{
	bool keep = c->x->keep;
	bool was_sending = c->state == CONNECTION_SENDING;

	c->home->answered++;
	exchange_count(c->x);
	exchange_free(c->x);
	c->x = NULL;
	c->state = CONNECTION_IDLE;
	loop_disarm(&c->timer);
	if (!keep) {
		connection_close(c);
		return;
	}
	if (c->home->handing_over) {
		connection_hand_over(c);
		return;
	}
	if (was_sending)
		loop_change(c->home->loop, &c->source, CONNECTION_WATCH);      /* tells again what is there already */
	if (c->again) {
		c->again = false;
		connection_look(c, false);
	}
}

static void connection_to_sending(struct connection *c)
{
	if (c->state != CONNECTION_SENDING)
		loop_change(c->home->loop, &c->source, EPOLLOUT);
	c->state = CONNECTION_SENDING;
}

/* A worker makes the next part of a stream: no deadline is its peer's to keep. */
static void connection_to_next_part(struct connection *c)
{
	loop_disarm(&c->timer);
	if (c->state == CONNECTION_SENDING)
		loop_change(c->home->loop, &c->source, CONNECTION_WATCH);
	c->state = CONNECTION_LENT;
	exchange_next(c->x);
}

static void connection_send(struct connection *c)
{
	uint64_t sent = c->x->sent;

	switch (exchange_send(c->x, c->source.fd)) {
	case EXCHANGE_SENT:
		connection_to_idle(c);
		break;
	case EXCHANGE_MORE:
		if (c->state != CONNECTION_SENDING || c->x->sent > sent)
			loop_arm(c->home->loop, &c->timer, LOOP_TRANSFER);
		connection_to_sending(c);
		break;
	case EXCHANGE_PART:
		connection_to_next_part(c);
		break;
	case EXCHANGE_FAILED:
		connection_fault(c, TRAFFIC_PEER_GONE);
		connection_close(c);
		break;
	}
}

static void connection_dispatch(struct connection *c)
{
	loop_disarm(&c->timer);
	if (exchange_dispatch(c->x))
		connection_send(c);
	else
		c->state = CONNECTION_LENT;
}

void connection_answered(struct exchange_home *exchanges, struct exchange *x)
{
	(void)exchanges;
	if (x->conn == NULL)
		exchange_free(x);
	else
		connection_send(x->conn);
}

/* ---- reading ----------------------------------------------------------------------------------------------------------- */

static bool connection_take_exchange(struct connection *c)
{
	c->x = exchange_new(&c->home->exchanges, c);
	return c->x != NULL;
}

/* All of it is in the window, and is taken out of the socket by reading it there once more. */
static void connection_read_whole(struct connection *c, size_t n, const struct wire_request *w)
{
	uint8_t *window = c->home->window;

	if (recv(c->source.fd, window, n, MSG_DONTWAIT) != (ssize_t)n || !connection_take_exchange(c) ||
	    !exchange_take(c->x, window, w)) {
		connection_fault(c, TRAFFIC_TRUNCATED);
		connection_close(c);
		return;
	}
	connection_dispatch(c);
}

/* Something waits in the socket although its request is read and not answered: whatever it is, it must not become the next one. */
static bool connection_has_more(int fd)
{
	char c;

	return recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* In a body thread. libfcgi gets a descriptor of its own, since it closes what it fails on, and ours must stay valid for the
   reactor, whose timeout ends a read that takes too long by shutdown(). */
static void connection_read_body(struct worker_job *j)
{
	struct connection *c = (struct connection *)(void *)((char *)j - offsetof(struct connection, job));
	int fd = fcntl(c->source.fd, F_DUPFD_CLOEXEC, 0);

	c->read_ok = fd >= 0 && exchange_read(c->x, &fd);
	if (c->read_ok && connection_has_more(fd))
		c->x->keep = false;
	if (fd >= 0)
		(void)close(fd);
	loop_post(c->home->loop, &c->letter);
}

static void connection_on_body_read(struct loop_letter *m)
{
	struct connection *c = (struct connection *)(void *)((char *)m - offsetof(struct connection, letter));

	if (!c->read_ok) {
		connection_fault(c, TRAFFIC_TRUNCATED);
		connection_close(c);
		return;
	}
	loop_change(c->home->loop, &c->source, CONNECTION_WATCH);
	connection_dispatch(c);
}

static void connection_to_body(struct connection *c)
{
	if (!connection_take_exchange(c)) {
		connection_close(c);
		return;
	}
	c->job.run = connection_read_body;
	c->letter.deliver = connection_on_body_read;
	if (!worker_submit(c->home->bodies, &c->job)) {
		connection_close(c);
		return;
	}
	c->state = CONNECTION_BODY;
	loop_change(c->home->loop, &c->source, EPOLLET);           /* errors only, and once */
	loop_arm(c->home->loop, &c->timer, LOOP_TRANSFER);
}

static void connection_to_partial(struct connection *c)
{
	if (c->state == CONNECTION_IDLE)
		loop_arm(c->home->loop, &c->timer, LOOP_REQUEST);
	c->state = CONNECTION_PARTIAL;
}

/* What waits in the socket? With `ended` the peer will send no more. */
static void connection_look(struct connection *c, bool ended)
{
	struct wire_request w;
	ssize_t n;

	do
		n = recv(c->source.fd, c->home->window, WIRE_WINDOW, MSG_PEEK | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return;
	if (n <= 0) {
		connection_close(c);
		return;
	}
	switch (wire_scan(c->home->window, (size_t)n, WIRE_WINDOW, &w)) {
	case WIRE_WHOLE:
		connection_read_whole(c, (size_t)n, &w);
		break;
	case WIRE_NEED_MORE:
		if (!ended) {
			connection_to_partial(c);
			break;
		}
		connection_fault(c, TRAFFIC_TRUNCATED);
		connection_close(c);
		break;
	case WIRE_LARGE:
		connection_to_body(c);
		break;
	case WIRE_BAD:
		connection_fault(c, TRAFFIC_BAD_RECORD);
		connection_close(c);
		break;
	}
}

/* ---- events ------------------------------------------------------------------------------------------------------------ */

static void connection_on_ready(struct loop_source *s, uint32_t events)
{
	struct connection *c = (struct connection *)(void *)s;

	switch (c->state) {
	case CONNECTION_IDLE:
	case CONNECTION_PARTIAL:
		connection_look(c, (events & CONNECTION_GONE) != 0);
		break;
	case CONNECTION_BODY:
		break;                                             /* its thread meets what happened */
	case CONNECTION_LENT:
		if (!(events & CONNECTION_GONE)) {
			c->again = true;
			break;
		}
		connection_fault(c, TRAFFIC_PEER_GONE);
		connection_close(c);
		break;
	case CONNECTION_SENDING:
		connection_send(c);
		break;
	}
}

static void connection_end(struct connection *c)
{
	if (c->state == CONNECTION_BODY)
		(void)shutdown(c->source.fd, SHUT_RDWR);
	else
		connection_close(c);
}

static void connection_on_timeout(struct loop_timer *t)
{
	struct connection *c = (struct connection *)(void *)((char *)t - offsetof(struct connection, timer));

	connection_fault(c, TRAFFIC_TIMEOUT);
	connection_end(c);
}

static void connection_start(struct connection *c)
{
	struct connection_home *home = c->home;

	c->next = home->all;
	if (home->all != NULL)
		home->all->prev = c;
	home->all = c;
	if (home->handing_over)
		connection_hand_over(c);
	else if (loop_add(home->loop, &c->source, CONNECTION_WATCH) < 0)
		connection_close(c);
}

static void connection_on_arrival(struct loop_letter *m)
{
	connection_start((struct connection *)(void *)((char *)m - offsetof(struct connection, letter)));
}

void connection_open(struct connection_home *home, int fd, bool here)
{
	struct connection *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		(void)close(fd);
		return;
	}
	c->home = home;
	c->source.fd = fd;
	c->source.ready = connection_on_ready;
	c->timer.fire = connection_on_timeout;
	c->letter.deliver = connection_on_arrival;
	atomic_fetch_add_explicit(&home->open, 1, memory_order_relaxed);
	if (here)
		connection_start(c);
	else
		loop_post(home->loop, &c->letter);
}

void connection_close_all(struct connection_home *home)
{
	struct connection *next;

	for (struct connection *c = home->all; c != NULL; c = next) {
		next = c->next;
		connection_end(c);
	}
}

void connection_hand_over_all(struct connection_home *home)
{
	struct connection *next;

	home->handing_over = true;
	for (struct connection *c = home->all; c != NULL; c = next) {
		next = c->next;
		if (c->state == CONNECTION_IDLE || c->state == CONNECTION_PARTIAL)
			connection_hand_over(c);
	}
}
