/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thread.h - mutex, condition and thread over pthreads, with clang's thread-safety annotations.
 * Lock and unlock can't fail on what was initialised; waits use the monotonic clock.
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <siltstone.h>
#include <stdint.h>

#if defined(__clang__)
#define THREAD_ATTR(x) __attribute__((x))
#else
#define THREAD_ATTR(x)
#endif
#define CAPABILITY   THREAD_ATTR(capability("mutex"))
#define REQUIRES(m)  THREAD_ATTR(requires_capability(m))
#define EXCLUDES(m)  THREAD_ATTR(locks_excluded(m))
#define ACQUIRES(m)  THREAD_ATTR(acquire_capability(m))
#define RELEASES(m)  THREAD_ATTR(release_capability(m))

struct CAPABILITY mutex {
	pthread_mutex_t m;
};

struct cond {
	pthread_cond_t c;
};

int mutex_init(struct mutex *m) SILT_MUST_CHECK;         /* 0 or SILT_E_NOMEM */
void mutex_fini(struct mutex *m);
void mutex_lock(struct mutex *m) ACQUIRES(*m);
void mutex_unlock(struct mutex *m) RELEASES(*m);
int cond_init(struct cond *c) SILT_MUST_CHECK;
void cond_fini(struct cond *c);
void cond_wait(struct cond *c, struct mutex *m) REQUIRES(*m);
int cond_wait_ms(struct cond *c, struct mutex *m, uint64_t ms) REQUIRES(*m);   /* 0, or SILT_TRY_AGAIN when the time is over */
void cond_broadcast(struct cond *c);

typedef void *thread_fn(void *arg);
int thread_start(pthread_t *t, const char *name, thread_fn *fn, void *arg) SILT_MUST_CHECK;   /* signals blocked; name <= 15 bytes */
void thread_join(pthread_t t);

#endif
