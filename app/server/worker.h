/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.h - threads that may wait, fed from one queue, first come first served. Two of them stand behind the reactors: one for
 * what may touch the disk, one for large bodies, so that slow uploads never hold up cold reads.
 */
#ifndef SERVER_WORKER_H
#define SERVER_WORKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct worker_job {                   /* embedded in what is worked on; belongs to the queue until run() */
	struct worker_job *next;
	uint64_t since_ms;            /* when it was queued, where the pool has a bound for that */
	void (*run)(struct worker_job *j);
};

struct worker_pool {
	pthread_mutex_t mutex;        /* a leaf: nothing else is locked under it, and run() is called without it */
	pthread_cond_t more;
	struct worker_job *first, **last;        /* [m] */
	size_t queued, limit;         /* [m], [c] */
	uint64_t max_wait_ms;         /* [c] set before the first job; where the first in the queue has waited longer, no more are taken; 0 = no bound */
	bool ending;                  /* [m] */
	pthread_t *threads;           /* [c] */
	size_t count;
};

/* limit = jobs that may wait. 0, or an errno. */
int worker_init(struct worker_pool *p, const char *name, size_t threads, size_t limit);
/* Any thread. False where the queue is full, in number or in time, or the pool is ending: the job is still the caller's. */
bool worker_submit(struct worker_pool *p, struct worker_job *j);
size_t worker_queued(struct worker_pool *p);
/* One that was taken before and wants another turn: taken whatever the limit is. The pool is not ending: who ends it waits for it. */
void worker_requeue(struct worker_pool *p, struct worker_job *j);
/* Runs what is queued, ends the threads, frees. Nothing for a pool that is all zeros. */
void worker_fini(struct worker_pool *p);

#endif
