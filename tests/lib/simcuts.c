/* SPDX-License-Identifier: Apache-2.0 */
/* simcuts.c - see simcuts.h. */
#include "lib/test.h"

#include "lib/simcuts.h"

static void simcuts_take(void *ctx, enum simdisk_call kind, const char *path, bool before)
{
	static const enum simdisk_policy policies[] = { SIM_LOSE_ALL, SIM_KEEP_ALL, SIM_MIXED, SIM_MIXED };
	struct simcuts *c = ctx;

	pthread_mutex_lock(&c->mu);
	for (size_t i = 0; i < 4 && !c->ended && c->n < SIMCUTS_MAX; i++) {
		struct simcut *cut = &c->cuts[c->n++];

		cut->returned = atomic_load(&c->returned);
		cut->disk = simdisk_crash_copy(c->disk, policies[i], c->n);
	}
	c->ended |= c->until && kind == SIM_RENAME && !before && strcmp(path, c->until) == 0;
	pthread_mutex_unlock(&c->mu);
}

void simcuts_begin(struct simcuts *c, struct simdisk *d)
{
	assert_int_equal(pthread_mutex_init(&c->mu, NULL), 0);
	c->disk = d;
	simdisk_on_sync(d, simcuts_take, c);
}

void simcuts_end(struct simcuts *c)
{
	simdisk_on_sync(c->disk, NULL, NULL);
	pthread_mutex_lock(&c->mu);       /* who was called before may still be at it */
	assert_true(c->n < SIMCUTS_MAX && (c->ended || !c->until));
	c->ended = true;
	pthread_mutex_unlock(&c->mu);
}
