/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop.c - one thread's events.
 *
 * Letters   a stack that many push to and one takes whole. The pusher that found it empty writes the eventfd, which is watched for edges
 *           and never read: each write wakes the loop once, before it takes the stack, so that a letter is either taken or has a
 *           wake-up of its own.
 */
#include "server/loop.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define LOOP_EVENTS 64
#define LOOP_ACCEPT_PAUSE_MS 100

static uint64_t loop_clock(void)
{
	struct timespec t;

	/* a few ms of grain is plenty for timeouts of seconds, and this one is no system call */
	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* All it is for is that epoll returned. */
static void loop_on_wake(struct loop_source *s, uint32_t events)
{
	(void)s;
	(void)events;
}

int loop_init(struct loop *l, uint64_t request_ms, uint64_t transfer_ms)
{
	memset(l, 0, sizeof(*l));
	atomic_init(&l->letters, NULL);
	l->period_ms[LOOP_REQUEST] = request_ms;
	l->period_ms[LOOP_TRANSFER] = transfer_ms;
	l->period_ms[LOOP_ACCEPT] = LOOP_ACCEPT_PAUSE_MS;
	for (int i = 0; i < LOOP_TIMEOUTS; i++)
		l->due[i].prev = l->due[i].next = &l->due[i];
	l->now_ms = loop_clock();
	l->wake.fd = -1;
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll_fd < 0)
		return -1;
	l->wake.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	l->wake.ready = loop_on_wake;
	if (l->wake.fd < 0 || loop_add(l, &l->wake, EPOLLIN | EPOLLET) < 0) {
		loop_fini(l);
		return -1;
	}
	return 0;
}

void loop_fini(struct loop *l)
{
	if (l->wake.fd >= 0)
		(void)close(l->wake.fd);
	if (l->epoll_fd >= 0)
		(void)close(l->epoll_fd);
	l->wake.fd = l->epoll_fd = -1;
}

/* ---- sources ----------------------------------------------------------------------------------------------------------- */

int loop_add(struct loop *l, struct loop_source *s, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = s };

	s->events = events;
	return epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, s->fd, &e);
}

void loop_change(struct loop *l, struct loop_source *s, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = s };

	s->events = events;
	(void)epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, s->fd, &e);    /* fails only for a descriptor that is not there */
}

void loop_remove(struct loop *l, struct loop_source *s)
{
	(void)epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, s->fd, NULL);
}

/* ---- timers ------------------------------------------------------------------------------------------------------------ */

void loop_disarm(struct loop_timer *t)
{
	if (t->next == NULL)
		return;
	t->prev->next = t->next;
	t->next->prev = t->prev;
	t->prev = t->next = NULL;
}

void loop_arm(struct loop *l, struct loop_timer *t, enum loop_timeout which)
{
	struct loop_timer *head = &l->due[which];

	loop_disarm(t);
	t->deadline_ms = l->now_ms + l->period_ms[which];
	t->prev = head->prev;
	t->next = head;
	t->prev->next = t;
	head->prev = t;
}

static void loop_fire(struct loop *l)
{
	for (int i = 0; i < LOOP_TIMEOUTS; i++) {
		struct loop_timer *head = &l->due[i];

		while (head->next != head && head->next->deadline_ms <= l->now_ms) {
			struct loop_timer *t = head->next;

			loop_disarm(t);
			t->fire(t);
		}
	}
}

/* How long epoll may sleep. One more than what is left: the coarse clock must have passed the deadline when it wakes. */
static int loop_patience(const struct loop *l, int max_wait_ms)
{
	uint64_t wait = max_wait_ms < 0 ? UINT64_MAX : (uint64_t)max_wait_ms;

	for (int i = 0; i < LOOP_TIMEOUTS; i++) {
		const struct loop_timer *first = l->due[i].next;
		uint64_t left;

		if (first == &l->due[i])
			continue;
		left = first->deadline_ms > l->now_ms ? first->deadline_ms - l->now_ms + 1 : 0;
		if (left < wait)
			wait = left;
	}
	if (wait == UINT64_MAX)
		return -1;
	return wait > 60000 ? 60000 : (int)wait;
}

/* ---- letters ----------------------------------------------------------------------------------------------------------- */

void loop_wake(struct loop *l)
{
	uint64_t one = 1;

	while (write(l->wake.fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

void loop_post(struct loop *l, struct loop_letter *m)
{
	struct loop_letter *top = atomic_load_explicit(&l->letters, memory_order_relaxed);

	do {
		m->next = top;
	} while (!atomic_compare_exchange_weak_explicit(&l->letters, &top, m, memory_order_release, memory_order_relaxed));
	if (top == NULL)
		loop_wake(l);
}

void loop_deliver(struct loop *l)
{
	struct loop_letter *m, *oldest = NULL;

	if (atomic_load_explicit(&l->letters, memory_order_relaxed) == NULL)
		return;
	m = atomic_exchange_explicit(&l->letters, NULL, memory_order_acquire);
	while (m != NULL) {
		struct loop_letter *next = m->next;

		m->next = oldest;
		oldest = m;
		m = next;
	}
	while (oldest != NULL) {
		struct loop_letter *next = oldest->next;

		oldest->deliver(oldest);
		oldest = next;
	}
}

/* ---- a turn ------------------------------------------------------------------------------------------------------------ */

void loop_turn(struct loop *l, int max_wait_ms)
{
	struct epoll_event events[LOOP_EVENTS];
	int n = epoll_wait(l->epoll_fd, events, LOOP_EVENTS, loop_patience(l, max_wait_ms));

	l->now_ms = loop_clock();
	for (int i = 0; i < n; i++) {
		struct loop_source *s = events[i].data.ptr;

		s->ready(s, events[i].events);
	}
	loop_deliver(l);
	loop_fire(l);
}
