/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thread.c - pthreads with their impossible errors turned into assertions.
 *
 * Engine threads take no signals: those belong to the program that embeds us, and a handler of its own must not run on a
 * stack of ours. A deadline is monotonic, so that setting the wall clock neither hurries nor delays anyone.
 */
#include "base/thread.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <time.h>

static void thread_must(int error)
{
	assert(error == 0);
	(void)error;
}

int mutex_init(struct mutex *m)
{
	return pthread_mutex_init(&m->m, NULL) ? SILT_E_NOMEM : 0;
}

void mutex_fini(struct mutex *m)
{
	thread_must(pthread_mutex_destroy(&m->m));
}

/* The analysis can't see that these are what they say they are. */
void mutex_lock(struct mutex *m) THREAD_ATTR(no_thread_safety_analysis)
{
	thread_must(pthread_mutex_lock(&m->m));
}

void mutex_unlock(struct mutex *m) THREAD_ATTR(no_thread_safety_analysis)
{
	thread_must(pthread_mutex_unlock(&m->m));
}

int cond_init(struct cond *c)
{
	pthread_condattr_t attr;
	int error = pthread_condattr_init(&attr);

	if (error)
		return SILT_E_NOMEM;
	thread_must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC));
	error = pthread_cond_init(&c->c, &attr);
	thread_must(pthread_condattr_destroy(&attr));
	return error ? SILT_E_NOMEM : 0;
}

void cond_fini(struct cond *c)
{
	thread_must(pthread_cond_destroy(&c->c));
}

void cond_wait(struct cond *c, struct mutex *m)
{
	thread_must(pthread_cond_wait(&c->c, &m->m));
}

/* A wait for ever is cut to a century, so that the sum fits time_t and a 64-bit count of nanoseconds. */
static struct timespec thread_deadline(uint64_t ms)
{
	const uint64_t century_ms = UINT64_C(100) * 365 * 86400 * 1000;
	struct timespec t;

	if (ms > century_ms)
		ms = century_ms;
	thread_must(clock_gettime(CLOCK_MONOTONIC, &t));
	t.tv_sec += (time_t)(ms / 1000);
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

int cond_wait_ms(struct cond *c, struct mutex *m, uint64_t ms)
{
	struct timespec deadline = thread_deadline(ms);
	int error = pthread_cond_timedwait(&c->c, &m->m, &deadline);

	if (error == ETIMEDOUT)
		return SILT_TRY_AGAIN;
	thread_must(error);
	return 0;
}

void cond_broadcast(struct cond *c)
{
	thread_must(pthread_cond_broadcast(&c->c));
}

int thread_start(pthread_t *t, const char *name, thread_fn *fn, void *arg)
{
	sigset_t all, before;
	pthread_t made;
	int error;

	sigfillset(&all);
	thread_must(pthread_sigmask(SIG_SETMASK, &all, &before));     /* inherited: no instant without it */
	error = pthread_create(&made, NULL, fn, arg);
	thread_must(pthread_sigmask(SIG_SETMASK, &before, NULL));
	if (error)
		return SILT_E_NOMEM;          /* EAGAIN: no memory for a stack, or too many threads */
	(void)pthread_setname_np(made, name); /* for ps and gdb; a thread already over has none */
	*t = made;
	return 0;
}

void thread_join(pthread_t t)
{
	thread_must(pthread_join(t, NULL));
}
