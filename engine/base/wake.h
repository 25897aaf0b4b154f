/* SPDX-License-Identifier: Apache-2.0 */
/* wake.h - one thread waits, another wakes it once: a semaphore without a mutex. A wake before the wait is not lost. */
#ifndef BASE_WAKE_H
#define BASE_WAKE_H

#include <errno.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct wake {
	sem_t s;
};

static inline void wake_init(struct wake *w)
{
	(void)sem_init(&w->s, 0, 0);      /* fails only for values out of range */
}

static inline void wake_fini(struct wake *w)
{
	(void)sem_destroy(&w->s);
}

static inline void wake_post(struct wake *w)
{
	(void)sem_post(&w->s);
}

static inline void wake_wait(struct wake *w)
{
	while (sem_wait(&w->s) != 0)
		;                         /* EINTR */
}

/* false when the time was over first */
static inline bool wake_wait_ms(struct wake *w, uint64_t ms)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += (time_t)(ms / 1000);
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	while (sem_clockwait(&w->s, CLOCK_MONOTONIC, &t) != 0)
		if (errno != EINTR)
			return false;
	return true;
}

#endif
