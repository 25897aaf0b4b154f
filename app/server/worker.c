/* SPDX-License-Identifier: Apache-2.0 */
/* worker.c - threads that may wait, fed from one queue. */
#include "server/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

/* The next job, or NULL when the pool ends and all is done. */
static struct worker_job *worker_take(struct worker_pool *p)
{
	struct worker_job *j;

	(void)pthread_mutex_lock(&p->mutex);
	while (p->first == NULL && !p->ending)
		(void)pthread_cond_wait(&p->more, &p->mutex);
	j = p->first;
	if (j != NULL) {
		p->first = j->next;
		if (p->first == NULL)
			p->last = &p->first;
		p->queued--;
	}
	(void)pthread_mutex_unlock(&p->mutex);
	return j;
}

static void *worker_main(void *pool)
{
	struct worker_job *j;

	while ((j = worker_take(pool)) != NULL)
		j->run(j);
	return NULL;
}

int worker_init(struct worker_pool *p, const char *name, size_t threads, size_t limit)
{
	*p = (struct worker_pool){ .limit = limit };
	p->last = &p->first;
	p->threads = calloc(threads, sizeof(*p->threads));
	if (p->threads == NULL)
		return ENOMEM;
	(void)pthread_mutex_init(&p->mutex, NULL);
	(void)pthread_cond_init(&p->more, NULL);
	while (p->count < threads) {
		int rc = pthread_create(&p->threads[p->count], NULL, worker_main, p);

		if (rc != 0) {
			worker_fini(p);
			return rc;
		}
		(void)pthread_setname_np(p->threads[p->count], name);
		p->count++;
	}
	return 0;
}

static uint64_t worker_now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Who came now would wait at least as long as the first has already: better to say no at once. [m] */
static bool worker_is_late(const struct worker_pool *p)
{
	return p->max_wait_ms > 0 && p->first != NULL && worker_now_ms() - p->first->since_ms > p->max_wait_ms;
}

/* [m] */
static void worker_append(struct worker_pool *p, struct worker_job *j)
{
	j->next = NULL;
	if (p->max_wait_ms > 0)
		j->since_ms = worker_now_ms();
	*p->last = j;
	p->last = &j->next;
	p->queued++;
	(void)pthread_cond_signal(&p->more);
}

bool worker_submit(struct worker_pool *p, struct worker_job *j)
{
	bool taken;

	(void)pthread_mutex_lock(&p->mutex);
	taken = p->queued < p->limit && !p->ending && !worker_is_late(p);
	if (taken)
		worker_append(p, j);
	(void)pthread_mutex_unlock(&p->mutex);
	return taken;
}

size_t worker_queued(struct worker_pool *p)
{
	size_t n;

	(void)pthread_mutex_lock(&p->mutex);
	n = p->queued;
	(void)pthread_mutex_unlock(&p->mutex);
	return n;
}

void worker_requeue(struct worker_pool *p, struct worker_job *j)
{
	(void)pthread_mutex_lock(&p->mutex);
	worker_append(p, j);
	(void)pthread_mutex_unlock(&p->mutex);
}

void worker_fini(struct worker_pool *p)
{
	if (p->threads == NULL)
		return;
	(void)pthread_mutex_lock(&p->mutex);
	p->ending = true;
	(void)pthread_cond_broadcast(&p->more);
	(void)pthread_mutex_unlock(&p->mutex);
	for (size_t i = 0; i < p->count; i++)
		(void)pthread_join(p->threads[i], NULL);
	(void)pthread_cond_destroy(&p->more);
	(void)pthread_mutex_destroy(&p->mutex);
	free(p->threads);
	p->threads = NULL;
	p->count = 0;
}
