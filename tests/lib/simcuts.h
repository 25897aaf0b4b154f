/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simcuts.h - copies of a disk as power cuts leave it: while something is done on it, four before and four after each sync and rename.
 *
 * Pattern   struct simcuts c = { .until = ... };  simcuts_begin(&c, disk);  do it;  simcuts_end(&c);  look at each c.cuts[i].disk, which is yours.
 */
#ifndef TESTS_SIMCUTS_H
#define TESTS_SIMCUTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "lib/simdisk.h"

enum { SIMCUTS_MAX = 1024 };

struct simcuts {
	const char *until;                /* a path: what is renamed to it ends it, with that moment's copies; NULL = simcuts_end() does */
	atomic_bool returned;             /* for the test to set: what is promised then holds in all later cuts */
	struct simdisk *disk;
	pthread_mutex_t mu;               /* guards what follows */
	bool ended;
	size_t n;
	struct simcut {
		struct simdisk *disk;
		bool returned;
	} cuts[SIMCUTS_MAX];
};

void simcuts_begin(struct simcuts *c, struct simdisk *d);
void simcuts_end(struct simcuts *c);      /* asserts that there was room for all */

#endif
