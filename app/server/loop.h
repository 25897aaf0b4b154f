/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop.h - one thread's events: file descriptors (epoll), letters from other threads, and timeouts. It knows nothing of HTTP.
 *
 * A turn    epoll_wait; ready() of each source that has an event; deliver() of each letter; fire() of each timer that is due.
 * Rules     (1) ready() may free its own source, never another: another's event may lie in the same turn. Letters and timers
 *               come after all events, so deliver() and fire() may free any source.
 *           (2) a timer runs in one of few timeouts, each with one period: a list in order of arming is in order of deadline.
 *           (3) time is read once a turn (loop->now_ms).
 * Threads   loop_post() and loop_wake(): any. All else: the loop's own.
 */
#ifndef SERVER_LOOP_H
#define SERVER_LOOP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct loop_source {
	int fd;
	uint32_t events;              /* what it is registered for; 0 = errors only */
	void (*ready)(struct loop_source *s, uint32_t events);
};

struct loop_letter {
	struct loop_letter *next;
	void (*deliver)(struct loop_letter *m);
};

struct loop_timer {
	struct loop_timer *prev, *next;          /* NULL = not armed */
	uint64_t deadline_ms;
	void (*fire)(struct loop_timer *t);
};

enum loop_timeout { LOOP_REQUEST, LOOP_TRANSFER, LOOP_ACCEPT, LOOP_TIMEOUTS };

struct loop {
	int epoll_fd;                            /* [c] */
	struct loop_source wake;                 /* [c] an eventfd */
	_Atomic(struct loop_letter *) letters;   /* newest first; push release, take acquire */
	uint64_t now_ms;                         /* monotonic */
	uint64_t period_ms[LOOP_TIMEOUTS];       /* [c] */
	struct loop_timer due[LOOP_TIMEOUTS];    /* heads of rings, earliest deadline first */
};

/* 0, or -1 with errno. */
int loop_init(struct loop *l, uint64_t request_ms, uint64_t transfer_ms);
void loop_fini(struct loop *l);
int loop_add(struct loop *l, struct loop_source *s, uint32_t events);
/* Registers for other events; with EPOLLET what is ready already is told again. */
void loop_change(struct loop *l, struct loop_source *s, uint32_t events);
void loop_remove(struct loop *l, struct loop_source *s);
/* Starts or restarts t in this timeout. */
void loop_arm(struct loop *l, struct loop_timer *t, enum loop_timeout which);
void loop_disarm(struct loop_timer *t);
/* m->deliver(m) is called in the loop's thread; m belongs to the loop until then. */
void loop_post(struct loop *l, struct loop_letter *m);
void loop_wake(struct loop *l);
/* Delivers what was posted; for the end, when no turn will come any more. */
void loop_deliver(struct loop *l);
/* One turn; waits at most max_wait_ms (-1 = as long as it takes). */
void loop_turn(struct loop *l, int max_wait_ms);

#endif
