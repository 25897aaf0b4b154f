/* SPDX-License-Identifier: Apache-2.0 */
/* simdisk_private.h - a simulated disk's state: simos.c calls on it as an engine does, simdisk.c as a test. */
#ifndef TESTS_SIMDISK_PRIVATE_H
#define TESTS_SIMDISK_PRIVATE_H

#include <pthread.h>

#include "lib/simtree.h"

struct simdisk_plan {
	uint64_t in;                  /* calls until it fails; 0 = never */
	int code;
	bool sticky;
};

struct simdisk {
	struct silt_os os;            /* first: the seam's pointer is the disk's */
	pthread_mutex_t mu;           /* covers all below */
	struct simtree *tree;
	uint64_t epoch;               /* crashes so far: a handle of an earlier one is dead */
	struct simdisk_plan plans[SIM_CALLS];
	uint64_t calls[SIM_CALLS];
	uint64_t capacity;            /* bytes */
	uint64_t wall_ms;
	uint64_t random;
	void (*on_sync)(void *ctx, enum simdisk_call kind, const char *path, bool before);
	void *on_sync_ctx;
};

extern const struct silt_os simos;        /* the seam over one */

static inline uint64_t simdisk_next_random(struct simdisk *d)
{
	d->random ^= d->random >> 12;
	d->random ^= d->random << 25;
	d->random ^= d->random >> 27;
	return d->random * UINT64_C(0x2545f4914f6cdd1d);
}

#endif
