/* SPDX-License-Identifier: Apache-2.0 */
/*
 * commit.h - the commit queue and its leadership.
 *
 *   caller --> queue --> one leader at a time: a waiting caller, or the commit thread
 *                        takes a group, group_run() makes it durable and visible, leadership goes on, waiters are completed
 *
 * The sync in flight is the group window: what arrives meanwhile is the next group. No timers.
 * Waking       who comes to an empty queue while somebody leads is the next leader, and waits alone. All others of a group wait at one gate,
 *              and one call wakes them, however many they are; the queue's two gates take turns, so that it wakes hardly anybody else.
 * Invariants   (1) `leading` is true from the moment somebody is chosen until the queue was seen empty by the leader.
 *              (2) only the leader touches the [w] fields; the hand-over goes through queue_mu or a wake, so they are ordered.
 *              (3) a request is completed exactly once, after its group was run.
 */
#ifndef DB_COMMIT_H
#define DB_COMMIT_H

#include "db/decide.h"

enum { COMMIT_QUEUED, COMMIT_DONE, COMMIT_LEAD };        /* what a waiting request was told */

enum commit_kind {
	COMMIT_WRITE,
	COMMIT_ROTATE,            /* seal the memtable and its segment, if there is anything in them */
	COMMIT_SYNC,              /* make durable what was appended */
	COMMIT_ALONE,             /* what must be done by the leader between two groups: `alone` */
};

struct commit_request {
	struct commit_request *next;      /* linked by the queue, then by its group */
	enum commit_kind kind;
	unsigned flags;                   /* SILT_ASYNC */
	const struct silt_batch *batch;   /* where `decide` asks something; borrowed */
	struct silt_batch *own_batch;     /* the same, where the request must outlive the caller's */
	struct silt_buf payload;          /* the log form of the operations; empty = conditions only */
	struct decide decide;
	int (*alone)(struct silt_db *db, void *ctx);      /* COMMIT_ALONE: its code is the result's */
	silt_write_fn *fn;                /* asynchronous: called once, then the request is freed */
	void *ctx;
	uint64_t began_ns;                /* asynchronous, measured: when it was asked for */
	bool waits;                       /* synchronous: its thread waits, and owns the request: */
	bool first;                       /* at `wake`, as the queue was empty: it will lead the next group; */
	struct gate *gate;                /* else here, with all others of its group, until it is told: */
	_Atomic int told;                 /* [a] released by the leader: COMMIT_DONE, COMMIT_LEAD; it may be gone from there on */
	struct wake wake;
	struct silt_result result;
};

int commit_init(struct silt_db *db) SILT_MUST_CHECK;      /* queue and its lock */
void commit_fini(struct silt_db *db);
int commit_start(struct silt_db *db) SILT_MUST_CHECK;     /* the commit thread */
void commit_end(struct silt_db *db);                      /* refuses new requests, completes the queued ones, ends the thread */

/* Queues it, waits, returns the result's code. The request is the caller's. */
int commit_wait(struct silt_db *db, struct commit_request *r) SILT_MUST_CHECK;
/* Queues it and returns: 0 = taken (completed through fn, then freed); SILT_E_BUSY, SILT_E_CLOSED: still the caller's. */
int commit_submit(struct silt_db *db, struct commit_request *r) SILT_MUST_CHECK;
void commit_request_free(struct commit_request *r);       /* NULL is fine */
/* A ROTATE or SYNC of its own that nobody waits for. */
void commit_kick(struct silt_db *db, enum commit_kind kind);

#endif
