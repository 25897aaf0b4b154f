/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate.h - many threads wait for what each of them knows, and one call wakes them all.
 *
 *      waiting   seen = gate_seen(g); what it waits for is there? done. gate_wait(g, seen); again
 *      telling   what they wait for, each; then gate_open(g), once
 *
 * Whoever looks between the two is told at once: a wait ends when the gate was opened since it was seen. It may also end for nothing.
 */
#ifndef BASE_GATE_H
#define BASE_GATE_H

#include <linux/futex.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

struct gate {
	_Atomic uint32_t opened;          /* times; what is told is released by it */
};

static inline uint32_t gate_seen(struct gate *g)
{
	return atomic_load_explicit(&g->opened, memory_order_acquire);
}

static inline void gate_wait(struct gate *g, uint32_t seen)
{
	(void)syscall(SYS_futex, &g->opened, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

static inline void gate_open(struct gate *g)
{
	atomic_fetch_add_explicit(&g->opened, 1, memory_order_release);
	(void)syscall(SYS_futex, &g->opened, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

#endif
