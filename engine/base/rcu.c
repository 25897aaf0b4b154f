/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rcu.c - liburcu's "bulletproof" flavour, with what ThreadSanitizer needs to follow it.
 *
 * A reader's end happens before the return of a later rcu_wait(). liburcu makes that so with barriers on the reader's own
 * counter (or membarrier(2)), which ThreadSanitizer does not model; so under it alone both ends touch one address.
 * Without the two calls it reports the free after rcu_wait() as a race (test_rcu does), with them nothing.
 */
#if defined(__has_feature)                /* clang; gcc has macros for two of the three */
#define RCU_HAS(x) __has_feature(x)
#else
#define RCU_HAS(x) 0
#endif
#if defined(__SANITIZE_THREAD__) || RCU_HAS(thread_sanitizer)
#define RCU_TSAN
#endif
#if defined(__SANITIZE_ADDRESS__) || RCU_HAS(address_sanitizer) || RCU_HAS(undefined_behavior_sanitizer) || defined(SILT_UBSAN)
#define RCU_CHECKED
#endif

/*
 * Inlines the two functions of the read side: 5 ns a section instead of 15. They are under ten lines each, so that code of
 * any licence may do so (LGPL 2.1, section 5, and their own comment); nothing else of the static header is used. Not where
 * alignment is checked: liburcu declares its readers cache-line aligned and then places them as they come. gcc does not
 * say when it checks that alone, so `--enable-ubsan` defines SILT_UBSAN.
 */
#if !defined(RCU_TSAN) && !defined(RCU_CHECKED)
#define _LGPL_SOURCE
#endif
#include <urcu/urcu-bp.h>

#include "base/rcu.h"

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
