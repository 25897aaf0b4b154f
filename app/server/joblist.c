/* SPDX-License-Identifier: Apache-2.0 */
/* joblist.c - what takes long, one after the other in a thread of its own. */
#include "server/joblist.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define JOBLIST_JOIN_MS 50            /* between two tries to cancel what keeps the thread */

struct joblist {
	struct store *store;          /* [c] */
	uint64_t start_us;            /* [c] */
	pthread_t thread;
	pthread_mutex_t mutex;        /* a leaf; not held while a job runs */
	pthread_cond_t changed;       /* by the monotonic clock */
	struct job place[JOBLIST_KEPT];  /* [m] oldest first, from `first`, a ring */
	size_t first, count;          /* [m] */
	uint64_t given;               /* [m] ids */
	bool ending;                  /* [m] */
	bool over;                    /* [m] the thread is done */
};

static struct timespec joblist_clock(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return t;
}

static uint64_t joblist_unix_us(void)
{
	struct timespec t = joblist_clock(CLOCK_REALTIME);

	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static struct job *joblist_at(struct joblist *j, size_t i)
{
	return &j->place[(j->first + i) % JOBLIST_KEPT];
}

static struct job *joblist_by_id(struct joblist *j, struct span id)
{
	for (size_t i = 0; i < j->count; i++)
		if (span_eq(id, joblist_at(j, i)->id))
			return joblist_at(j, i);
	return NULL;
}

/* ---- the thread ---------------------------------------------------------------------------------------------------------- */

struct joblist_run {                     /* of the job in hand */
	struct joblist *jobs;
	struct job *job;              /* stays in its place until it is over */
};

static bool joblist_on_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct joblist_run *run = ctx;
	bool on;

	(void)pthread_mutex_lock(&run->jobs->mutex);
	run->job->done = done;
	run->job->total = total;
	on = !run->jobs->ending;
	(void)pthread_mutex_unlock(&run->jobs->mutex);
	return on;
}

static int joblist_run(struct joblist *j, struct job *job, uint64_t *version)
{
	struct joblist_run run = { .jobs = j, .job = job };
	const struct store_ops *ops = j->store->ops;

	switch (job->kind) {
	case JOB_COMPACT:
		return ops->compact(j->store);
	case JOB_VERIFY:
		return ops->verify == NULL ? STORE_E_UNSUPPORTED : ops->verify(j->store, joblist_on_progress, &run);
	case JOB_CHECKPOINT:
		return ops->checkpoint == NULL ? STORE_E_UNSUPPORTED : ops->checkpoint(j->store, job->name, version);
	}
	return STORE_E_INTERNAL;
}

static struct job *joblist_next(struct joblist *j)
{
	for (size_t i = 0; i < j->count; i++)
		if (joblist_at(j, i)->state == JOB_QUEUED)
			return joblist_at(j, i);
	return NULL;
}

static void *joblist_main(void *arg)
{
	struct joblist *j = arg;

	(void)pthread_mutex_lock(&j->mutex);
	while (!j->ending) {
		struct job *job = joblist_next(j);
		uint64_t version = 0;
		int code;

		if (job == NULL) {
			(void)pthread_cond_wait(&j->changed, &j->mutex);
			continue;
		}
		job->state = JOB_RUNNING;
		job->begun_ms = joblist_unix_us() / 1000;
		(void)pthread_mutex_unlock(&j->mutex);
		code = joblist_run(j, job, &version);
		(void)pthread_mutex_lock(&j->mutex);
		job->state = JOB_DONE;
		job->ended_ms = joblist_unix_us() / 1000;
		job->code = code;
		job->version = version;
		(void)pthread_cond_broadcast(&j->changed);
	}
	j->over = true;
	(void)pthread_cond_broadcast(&j->changed);
	(void)pthread_mutex_unlock(&j->mutex);
	return NULL;
}

/* ---- asking -------------------------------------------------------------------------------------------------------------- */

/* A place behind the others: the oldest that is over gives way. NULL: too many wait. */
static struct job *joblist_place(struct joblist *j)
{
	size_t waiting = 0;

	for (size_t i = 0; i < j->count; i++)
		waiting += joblist_at(j, i)->state == JOB_QUEUED;
	if (waiting >= JOBLIST_QUEUE_MAX || j->ending)
		return NULL;
	if (j->count == JOBLIST_KEPT) {          /* they end in their order, and fewer wait than are kept: the first is over */
		j->first = (j->first + 1) % JOBLIST_KEPT;
		j->count--;
	}
	return joblist_at(j, j->count++);
}

static struct timespec joblist_deadline(uint64_t wait_ms)
{
	struct timespec t = joblist_clock(CLOCK_MONOTONIC);

	t.tv_sec += (time_t)(wait_ms / 1000);
	t.tv_nsec += (long)(wait_ms % 1000) * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

bool joblist_do(struct joblist *j, const struct job *wanted, uint64_t wait_ms, struct job *out)
{
	struct timespec until = joblist_deadline(wait_ms);
	struct job *job;
	bool queued;

	(void)pthread_mutex_lock(&j->mutex);
	job = joblist_place(j);
	queued = job != NULL;
	if (queued) {
		*job = (struct job){ .kind = wanted->kind };
		memcpy(job->name, wanted->name, sizeof(job->name));
		snprintf(job->id, sizeof(job->id), "%" PRIx64 "-%" PRIu64, j->start_us, ++j->given);
		*out = *job;
		(void)pthread_cond_broadcast(&j->changed);
	}
	while (queued) {
		job = joblist_by_id(j, span_str(out->id));
		if (job == NULL)
			break;                             /* over, and forgotten */
		*out = *job;
		if (job->state == JOB_DONE || j->ending || pthread_cond_timedwait(&j->changed, &j->mutex, &until) == ETIMEDOUT)
			break;
	}
	(void)pthread_mutex_unlock(&j->mutex);
	return queued;
}

bool joblist_find(struct joblist *j, struct span id, struct job *out)
{
	struct job *job;

	(void)pthread_mutex_lock(&j->mutex);
	job = joblist_by_id(j, id);
	if (job != NULL)
		*out = *job;
	(void)pthread_mutex_unlock(&j->mutex);
	return job != NULL;
}

size_t joblist_list(struct joblist *j, struct job *out)
{
	size_t n;

	(void)pthread_mutex_lock(&j->mutex);
	n = j->count;
	for (size_t i = 0; i < n; i++)
		out[i] = *joblist_at(j, i);
	(void)pthread_mutex_unlock(&j->mutex);
	return n;
}

const char *joblist_kind_name(enum job_kind kind)
{
	static const char *const names[] = { [JOB_COMPACT] = "compact", [JOB_VERIFY] = "verify", [JOB_CHECKPOINT] = "checkpoint" };

	return names[kind];
}

const char *joblist_state_name(const struct job *job)
{
	static const char *const names[] = { [JOB_QUEUED] = "queued", [JOB_RUNNING] = "running", [JOB_DONE] = "done" };

	return job->state == JOB_DONE && job->code != STORE_OK ? "failed" : names[job->state];
}

/* ---- life ---------------------------------------------------------------------------------------------------------------- */

int joblist_new(struct store *store, struct joblist **out)
{
	struct joblist *j = calloc(1, sizeof(*j));
	pthread_condattr_t attr;
	int rc;

	if (j == NULL)
		return ENOMEM;
	j->store = store;
	j->start_us = joblist_unix_us();
	(void)pthread_mutex_init(&j->mutex, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&j->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	rc = pthread_create(&j->thread, NULL, joblist_main, j);
	if (rc != 0) {
		free(j);
		return rc;
	}
	(void)pthread_setname_np(j->thread, "silt-jobs");
	*out = j;
	return 0;
}

void joblist_end(struct joblist *j)
{
	if (j == NULL)
		return;
	(void)pthread_mutex_lock(&j->mutex);
	j->ending = true;
	(void)pthread_cond_broadcast(&j->changed);
	(void)pthread_mutex_unlock(&j->mutex);
}

/* Waits a little for the thread to be over. */
static bool joblist_is_over(struct joblist *j)
{
	struct timespec until = joblist_clock(CLOCK_MONOTONIC);
	bool over;

	until.tv_nsec += JOBLIST_JOIN_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	(void)pthread_mutex_lock(&j->mutex);
	while (!j->over && pthread_cond_timedwait(&j->changed, &j->mutex, &until) == 0)
		;
	over = j->over;
	(void)pthread_mutex_unlock(&j->mutex);
	return over;
}

/* A compaction is cancelled again and again: the first time it may not have begun. */
static void joblist_join(struct joblist *j)
{
	bool cancels = j->store != NULL && j->store->ops->compact_cancel != NULL;

	do {
		if (cancels)
			j->store->ops->compact_cancel(j->store);
	} while (!joblist_is_over(j));
	(void)pthread_join(j->thread, NULL);
}

void joblist_free(struct joblist *j)
{
	if (j == NULL)
		return;
	joblist_end(j);
	joblist_join(j);
	(void)pthread_cond_destroy(&j->changed);
	(void)pthread_mutex_destroy(&j->mutex);
	free(j);
}
