/* SPDX-License-Identifier: Apache-2.0 */
/*
 * joblist.h - what takes long, one after the other in a thread of its own, to be asked after while it runs and for a while when it is over.
 *
 *	JOB_QUEUED -> JOB_RUNNING -> JOB_DONE, its code says how
 *
 * An id is never used twice, not even by a process that was started again at once: it begins with the time of the start, to the microsecond.
 */
#ifndef SERVER_JOBLIST_H
#define SERVER_JOBLIST_H

#include "store/store.h"

#define JOBLIST_QUEUE_MAX 16u            /* that wait; more are refused */
#define JOBLIST_KEPT      64u            /* in all; the oldest that are over are forgotten */
#define JOBLIST_NAME_MAX  200u

enum job_kind { JOB_COMPACT, JOB_VERIFY, JOB_CHECKPOINT };
enum job_state { JOB_QUEUED, JOB_RUNNING, JOB_DONE };

struct job {
	char id[32];                  /* "" = an empty place */
	enum job_kind kind;
	enum job_state state;
	char name[JOBLIST_NAME_MAX + 1]; /* of a checkpoint */
	uint64_t done, total;         /* bytes, of a verification; total 0 = not known */
	uint64_t begun_ms, ended_ms;  /* Unix; 0 = not yet */
	int code;                     /* the store's, when it is over */
	uint64_t version;             /* of a checkpoint */
};

struct joblist;

/* 0, or an errno. */
int joblist_new(struct store *store, struct joblist **out);
/* What runs is asked to stop and waited for, what waits is dropped. NULL is fine. Before the store is closed. */
void joblist_free(struct joblist *j);
/* The same without the waiting. */
void joblist_end(struct joblist *j);

/* Queues one like `wanted` (kind, name), then waits at most wait_ms for its end. *out is how it stands then. False: too many wait. */
bool joblist_do(struct joblist *j, const struct job *wanted, uint64_t wait_ms, struct job *out);
bool joblist_find(struct joblist *j, struct span id, struct job *out);
/* All that are known, oldest first; at most JOBLIST_KEPT. */
size_t joblist_list(struct joblist *j, struct job *out);

const char *joblist_kind_name(enum job_kind kind);
const char *joblist_state_name(const struct job *job);        /* "queued", "running", "done", "failed" */

#endif
