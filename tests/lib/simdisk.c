/* SPDX-License-Identifier: Apache-2.0 */
/* simdisk.c - the test's side of a simulated disk: its life and its deaths, what is to fail, its files from beside. The engine's is simos.c. */
#include "lib/simdisk_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

/* Takes the tree. */
static struct simdisk *simdisk_over(struct simtree *tree, uint64_t seed)
{
	struct simdisk *d = simimage_memory(NULL, sizeof(*d));

	*d = (struct simdisk){
		.os = simos,
		.tree = tree,
		.capacity = UINT64_C(1) << 40,
		.wall_ms = UINT64_C(1700000000000),
		.random = seed * 2 + 1,       /* never 0 */
	};
	if (pthread_mutex_init(&d->mu, NULL))
		abort();
	for (int i = 0; i < 4; i++)
		(void)simdisk_next_random(d);
	return d;
}

struct simdisk *simdisk_new(uint64_t seed)
{
	return simdisk_over(simtree_new(), seed);
}

void simdisk_free(struct simdisk *d)
{
	if (!d)
		return;
	simtree_free(d->tree);
	pthread_mutex_destroy(&d->mu);
	free(d);
}

silt_os *simdisk_os(struct simdisk *d)
{
	return &d->os;
}

struct silt_options simdisk_options(struct simdisk *d)
{
	struct silt_options o;

	silt_options_init(&o);
	o.os = d ? simdisk_os(d) : NULL;
	o.memory = 8 << 20;
	o.memtable_size = 64 << 10;
	o.wal_segment_size = 256 << 10;
	o.table_size = 64 << 10;
	o.level_base_size = 256 << 10;
	o.min_free_space = 0;
	return o;
}

void simdisk_crash(struct simdisk *d, enum simdisk_policy policy, uint64_t seed)
{
	struct simtree *old;

	pthread_mutex_lock(&d->mu);
	old = d->tree;
	d->tree = simtree_crash(old, policy, seed);
	d->epoch++;
	memset(d->plans, 0, sizeof(d->plans));
	simtree_free(old);            /* handles keep their inodes */
	pthread_mutex_unlock(&d->mu);
}

struct simdisk *simdisk_crash_copy(struct simdisk *d, enum simdisk_policy policy, uint64_t seed)
{
	struct simdisk *copy;

	pthread_mutex_lock(&d->mu);
	copy = simdisk_over(simtree_crash(d->tree, policy, seed), seed);
	copy->capacity = d->capacity;
	copy->wall_ms = d->wall_ms;
	/* Chance goes on: begun again it would give a recycled log segment the salt of its old records. */
	copy->random ^= simdisk_next_random(d) << 1;
	pthread_mutex_unlock(&d->mu);
	return copy;
}

void simdisk_fail_at(struct simdisk *d, enum simdisk_call kind, uint64_t n, int code, bool sticky)
{
	pthread_mutex_lock(&d->mu);
	d->plans[kind] = (struct simdisk_plan){ .in = n, .code = code, .sticky = sticky };
	pthread_mutex_unlock(&d->mu);
}

uint64_t simdisk_calls(struct simdisk *d, enum simdisk_call kind)
{
	uint64_t n;

	pthread_mutex_lock(&d->mu);
	n = d->calls[kind];
	pthread_mutex_unlock(&d->mu);
	return n;
}

void simdisk_set_free(struct simdisk *d, uint64_t bytes)
{
	pthread_mutex_lock(&d->mu);
	if (__builtin_add_overflow(d->tree->used, bytes, &d->capacity))
		d->capacity = UINT64_MAX;
	pthread_mutex_unlock(&d->mu);
}

void simdisk_set_clock(struct simdisk *d, uint64_t wall_ms)
{
	pthread_mutex_lock(&d->mu);
	d->wall_ms = wall_ms;
	pthread_mutex_unlock(&d->mu);
}

void simdisk_on_sync(struct simdisk *d, void (*fn)(void *ctx, enum simdisk_call kind, const char *path, bool before), void *ctx)
{
	pthread_mutex_lock(&d->mu);
	d->on_sync = fn;
	d->on_sync_ctx = ctx;
	pthread_mutex_unlock(&d->mu);
}

int simdisk_flip(struct simdisk *d, const char *path, uint64_t offset, uint8_t mask)
{
	struct siminode *n;
	int rc;

	pthread_mutex_lock(&d->mu);
	rc = simtree_find(d->tree, path, &n);
	if (rc == 0 && (n->is_dir || offset >= n->seen.size))
		rc = SILT_NOTFOUND;
	if (rc == 0)
		simtree_flip(n, offset, mask);
	pthread_mutex_unlock(&d->mu);
	return rc;
}

int simdisk_read_file(struct simdisk *d, const char *path, struct silt_buf *out)
{
	struct siminode *n;
	int rc;

	pthread_mutex_lock(&d->mu);
	rc = simtree_find(d->tree, path, &n);
	if (rc == 0 && n->is_dir)
		rc = SILT_E_IO;
	out->len = 0;
	if (rc == 0)
		rc = buf_reserve(out, (size_t)n->seen.size);
	if (rc == 0)
		out->len = simimage_read(&n->seen, 0, out->data, (size_t)n->seen.size);
	pthread_mutex_unlock(&d->mu);
	return rc;
}

int simdisk_write_file(struct simdisk *d, const char *path, struct silt_slice bytes)
{
	char name[SIMTREE_NAME];
	struct siminode *dir, *n;
	int rc;

	pthread_mutex_lock(&d->mu);
	rc = simtree_find_parent(d->tree, path, &dir, name);
	if (rc == 0) {
		n = simtree_entry(dir, name);
		if (n && n->is_dir)
			rc = SILT_E_IO;
		else if (!n)
			n = simtree_create(d->tree, dir, name, false);
	}
	if (rc == 0) {
		simtree_replace(d->tree, n, bytes);
		simtree_settle_name(d->tree, dir, name);
	}
	pthread_mutex_unlock(&d->mu);
	return rc;
}
