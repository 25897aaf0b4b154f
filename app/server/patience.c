/* SPDX-License-Identifier: Apache-2.0 */
/* patience.c - asking systemd for more time while there is progress. */
#include "server/patience.h"

#include <signal.h>
#include <sys/resource.h>
#include <time.h>

#define PATIENCE_LOOKING_US 1000u     /* our own look takes far less */

static uint64_t patience_us(struct timeval t)
{
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_usec;
}

static struct patience_mark patience_look(void)
{
	struct rusage u;

	if (getrusage(RUSAGE_SELF, &u) != 0)
		return (struct patience_mark){ 0 };
	return (struct patience_mark){ .cpu_us = patience_us(u.ru_utime) + patience_us(u.ru_stime),
	                               .blocks = (uint64_t)u.ru_inblock + (uint64_t)u.ru_oublock };
}

bool patience_progress(const struct patience_mark *before, const struct patience_mark *now)
{
	return now->cpu_us >= before->cpu_us + PATIENCE_LOOKING_US || now->blocks != before->blocks;
}

/* Sleeps until it is time for another look; false: the end. With the mutex held. */
static bool patience_wait(struct patience *p)
{
	struct timespec until;
	int rc = 0;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)(p->every_ms % 1000) * 1000000;
	until.tv_sec += (time_t)(p->every_ms / 1000) + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (!p->ending && rc == 0)
		rc = pthread_cond_timedwait(&p->end, &p->mutex, &until);
	return !p->ending;
}

static void *patience_run(void *ctx)
{
	struct patience *p = ctx;
	struct patience_mark before = patience_look(), now;
	uint64_t ms = 0;

	(void)pthread_mutex_lock(&p->mutex);
	while (patience_wait(p)) {
		now = patience_look();
		ms += p->every_ms;
		if (patience_progress(&before, &now))
			(void)notify_send(p->notify, "EXTEND_TIMEOUT_USEC=%llu\nWATCHDOG=1\nSTATUS=%s %.256s, for %llu s",
			                  PATIENCE_EXTEND_MS * 1000ull, p->what, p->where, (unsigned long long)(ms / 1000));
		before = now;
	}
	(void)pthread_mutex_unlock(&p->mutex);
	return NULL;
}

/* Signals are the main thread's. */
static bool patience_start(struct patience *p)
{
	sigset_t all, old;
	int rc;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&p->thread, NULL, patience_run, p);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc == 0;
}

void patience_begin(struct patience *p, const struct notify *notify, const char *what, const char *where, unsigned every_ms)
{
	pthread_condattr_t attr;

	*p = (struct patience){ .notify = notify, .what = what, .where = where, .every_ms = every_ms };
	if (!notify_send(notify, "EXTEND_TIMEOUT_USEC=%llu\nSTATUS=%s %.256s", PATIENCE_EXTEND_MS * 1000ull, what, where))
		return;
	(void)pthread_mutex_init(&p->mutex, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&p->end, &attr);
	(void)pthread_condattr_destroy(&attr);
	p->started = patience_start(p);
	if (!p->started) {
		(void)pthread_cond_destroy(&p->end);
		(void)pthread_mutex_destroy(&p->mutex);
	}
}

void patience_end(struct patience *p)
{
	if (!p->started)
		return;
	(void)pthread_mutex_lock(&p->mutex);
	p->ending = true;
	(void)pthread_cond_signal(&p->end);
	(void)pthread_mutex_unlock(&p->mutex);
	(void)pthread_join(p->thread, NULL);
	(void)pthread_cond_destroy(&p->end);
	(void)pthread_mutex_destroy(&p->mutex);
	p->started = false;
}
