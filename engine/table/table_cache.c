/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table_cache.c - number -> struct table, in one sorted array under one mutex.
 *
 * It is asked when a view is built or a job begins, never by a get: so a mutex and a binary search do.
 * Life      a table is here while somebody has a reference from table_cache_get(); the last one given back takes it out and lets
 *           it go, outside the mutex (that closes a file). Cursors on it have references of their own and may live longer.
 */
#include "table/table_cache.h"
#include "base/mem.h"
#include "base/thread.h"

#include <assert.h>

struct table_cache_slot {
	uint64_t number;
	uint64_t users;                   /* references given and not given back */
	struct table *table;
};

struct table_cache {
	struct env *env;                  /* [c] */
	struct block_cache *blocks;       /* [c] */
	struct mutex mu;
	struct table_cache_slot *slots;   /* [m] ascending by number */
	size_t count, room;               /* [m] */
};

int table_cache_new(struct env *env, struct block_cache *blocks, struct table_cache **out)
{
	struct table_cache *c = mem_calloc(1, sizeof(*c));

	if (!c)
		return SILT_E_NOMEM;
	if (mutex_init(&c->mu) < 0) {
		mem_free(c);
		return SILT_E_NOMEM;
	}
	c->env = env;
	c->blocks = blocks;
	*out = c;
	return 0;
}

void table_cache_free(struct table_cache *c)
{
	if (!c)
		return;
	assert(c->count == 0);
	mutex_fini(&c->mu);
	mem_free(c->slots);
	mem_free(c);
}

/* Where the number is, or belongs. */
static size_t table_cache_find(const struct table_cache *c, uint64_t number)
{
	size_t lo = 0, hi = c->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (c->slots[mid].number < number)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool table_cache_has(const struct table_cache *c, size_t at, uint64_t number)
{
	return at < c->count && c->slots[at].number == number;
}

static int table_cache_grow(struct table_cache *c)
{
	size_t room = c->room ? c->room * 2 : 16;
	struct table_cache_slot *more;

	if (c->count < c->room)
		return 0;
	more = mem_resize(c->slots, room, sizeof(*more));
	if (!more)
		return SILT_E_NOMEM;
	c->slots = more;
	c->room = room;
	return 0;
}

static int table_cache_enter(struct table_cache *c, size_t at, struct table_meta *meta)
{
	struct table *t;
	int rc = table_cache_grow(c);

	if (rc == 0)
		rc = table_new(c->env, c->blocks, meta, &t);
	if (rc < 0)
		return rc;
	memmove(c->slots + at + 1, c->slots + at, (c->count - at) * sizeof(*c->slots));
	c->slots[at] = (struct table_cache_slot){ .number = meta->number, .table = t };
	c->count++;
	return 0;
}

int table_cache_get(struct table_cache *c, struct table_meta *meta, struct table **out)
{
	size_t at;
	int rc = 0;

	mutex_lock(&c->mu);
	at = table_cache_find(c, meta->number);
	if (!table_cache_has(c, at, meta->number))
		rc = table_cache_enter(c, at, meta);
	if (rc == 0) {
		c->slots[at].users++;
		*out = c->slots[at].table;
	}
	mutex_unlock(&c->mu);
	return rc;
}

void table_cache_put(struct table_cache *c, struct table *t)
{
	struct table *gone = NULL;
	size_t at;

	if (!t)
		return;
	mutex_lock(&c->mu);
	at = table_cache_find(c, table_meta_of(t)->number);
	assert(table_cache_has(c, at, table_meta_of(t)->number) && c->slots[at].table == t);
	if (--c->slots[at].users == 0) {
		gone = t;
		c->count--;
		memmove(c->slots + at, c->slots + at + 1, (c->count - at) * sizeof(*c->slots));
	}
	mutex_unlock(&c->mu);
	table_unref(gone);
}
