/* SPDX-License-Identifier: Apache-2.0 */
/*
 * feed.h - requests that wait for changes: thousands of them behind one reader of the log and one watch of the store.
 *
 * A parked request costs its memory and its connection, no thread. One thread reads each change once, compares it with the
 * range of each who waits, and wakes those whom it is for, and those whose time is over. What was woken reads for itself.
 *
 * Cost      a change of one key is looked up by each length of a prefix that somebody waits for, whoever else waits: what a write costs
 *           does not grow with those whom it does not concern. A range delete is compared with all.
 * Versions  `seen` is how far the thread has compared. Who waits for what is above a version below `seen` would sleep through what
 *           lies between: feed_park() sends him back to read. All who are parked have been compared with everything up to `seen`:
 *           when one is woken by time, there was nothing for him up to there; when by a change, nothing below it.
 * Leaving   a client that goes away while its request is parked has it ended at once: feed_left(), from request.left.
 * Threads   any, but for feed_new() and feed_free().
 */
#ifndef SERVER_FEED_H
#define SERVER_FEED_H

#include "server/request.h"

struct feed;

struct feed_wait {                    /* embedded in what waits */
	struct feed_wait *prev, *next;       /* of the feed while parked */
	struct feed_wait *alike_prev, *alike_next;   /* linked by feed.bucket: those whose prefixes hash alike */
	uint32_t hash;                /* of lower; the feed's */
	bool parked;                  /* the feed's */
	struct request *r;
	void (*wake)(struct feed_wait *w);   /* called once for each time it was parked, by any thread: hands the request on */
	struct span lower, upper;     /* keys that begin with lower: those from it, and before upper; upper.len 0 = to the last */
	uint64_t version;             /* waits for what is above it; moved on when woken */
	uint64_t deadline_ms;         /* feed_now_ms() */
	bool in_time;                 /* woken by a change, and not by the deadline or the end */
};

/* 0, or an errno; a store without changes is ENOTSUP. */
int feed_new(struct store *store, struct feed **out);
/* Wakes all, ends the thread. NULL is fine. Before the store is closed. */
void feed_free(struct feed *f);
/* Wakes all, now and from now on. */
void feed_end(struct feed *f);

/* True: parked, w is the feed's until wake(). False: look again, or the client has gone, or the feed ends; nothing was done. */
bool feed_park(struct feed *f, struct feed_wait *w);
/* The client of a request that may be parked with w has gone. */
void feed_left(struct feed *f, struct feed_wait *w);

uint64_t feed_now_ms(void);
/* Does a change have to do with keys from lower to before upper? */
bool feed_concerns(const struct store_change *c, struct span lower, struct span upper);
size_t feed_parked(struct feed *f);

#endif
