/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rcu.c - liburcu's "bulletproof" flavour, with what ThreadSanitizer needs to follow it.
 *
 * A reader's end happens before the return of a later rcu_wait(). liburcu makes that so with barriers on the reader's own
 * counter (or membarrier(2)), which ThreadSanitizer does not model; so under it alone both ends touch one address.
 * Measured in FACTS: without these two calls it reports the free after rcu_wait() as a race, with them nothing.
 */
/* Inlines the two functions of the read side (4.5 ns a section instead of 13.6). They are under ten lines each, so that any
 * licence may do so: LGPL 2.1, section 5, and their own comment. Nothing else of the static header is used. */
#define _LGPL_SOURCE
#include <urcu/urcu-bp.h>

#include "base/rcu.h"

#if defined(__SANITIZE_THREAD__)
#define RCU_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RCU_TSAN 1
#endif
#endif

#ifdef RCU_TSAN
void __tsan_acquire(void *addr);
void __tsan_release(void *addr);
static char rcu_tsan_order;               /* an address to meet at; never read or written */
#define RCU_RELEASE() __tsan_release(&rcu_tsan_order)
#define RCU_ACQUIRE() __tsan_acquire(&rcu_tsan_order)
#else
#define RCU_RELEASE() ((void)0)
#define RCU_ACQUIRE() ((void)0)
#endif

void rcu_begin(void)
{
	urcu_bp_read_lock();
}

void rcu_end(void)
{
	RCU_RELEASE();
	urcu_bp_read_unlock();
}

void rcu_wait(void)
{
	urcu_bp_synchronize_rcu();
	RCU_ACQUIRE();
}
