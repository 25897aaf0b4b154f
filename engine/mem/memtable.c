/* SPDX-License-Identifier: Apache-2.0 */
/* memtable.c - sorted entries with their arena, the range deletes beside it, its counts and a count of who holds it. */
#include "mem/memtable.h"
#include "mem/ranges.h"
#include "mem/sorted.h"

#include <assert.h>
#include <stdatomic.h>

/* Chunks grow from the one to the other, up to a quarter of what is there, so that a small memtable_size is kept to as well as a large one. */
enum { MEMTABLE_CHUNK_FIRST = 4 << 10, MEMTABLE_CHUNK_LAST = ARENA_HUGE };

struct memtable {
	_Atomic unsigned refs;
	uint64_t wal_number;              /* [c] */
	struct arena arena;               /* [w] but for its count of bytes */
	struct sorted list;               /* [w] inserts, anyone reads */
	struct ranges ranges;             /* [w] inserts, anyone reads */
	_Atomic uint64_t entries;         /* [a] relaxed, for stats and triggers */
	_Atomic uint64_t max_version;     /* [a] relaxed */
};

int memtable_new(uint64_t wal_number, struct memtable **out)
{
	struct memtable *m = mem_calloc(1, sizeof(*m));
	int rc;

	if (!m)
		return SILT_E_NOMEM;
	atomic_init(&m->refs, 1);
	m->wal_number = wal_number;
	arena_init(&m->arena, MEMTABLE_CHUNK_FIRST);
	ranges_init(&m->ranges);
	rc = sorted_init(&m->list, &m->arena);
	if (rc < 0) {
		memtable_unref(m);
		return rc;
	}
	*out = m;
	return 0;
}

struct memtable *memtable_ref(struct memtable *m)
{
	atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
	return m;
}

void memtable_unref(struct memtable *m)
{
	if (!m || atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) != 1)
		return;
	ranges_fini(&m->ranges);
	sorted_fini(&m->list);
	arena_fini(&m->arena);
	mem_free(m);
}

uint64_t memtable_wal_number(const struct memtable *m)
{
	return m->wal_number;
}

size_t memtable_cost(const struct entry *e)
{
	return e->kind == ENTRY_RANGE_DELETE ? 0 : sorted_cost(e);
}

int memtable_reserve(struct memtable *m, size_t bytes)
{
	int rc = arena_reserve(&m->arena, bytes);

	if (m->arena.chunk_size < MEMTABLE_CHUNK_LAST &&
	    m->arena.chunk_size * 8 <= atomic_load_explicit(&m->arena.bytes, memory_order_relaxed))
		m->arena.chunk_size *= 2;
	return rc;
}

int memtable_reserve_ranges(struct memtable *m, size_t n, size_t bound_bytes)
{
	return n ? ranges_reserve(&m->ranges, n, bound_bytes) : 0;
}

/* One writer: loads and stores instead of read-modify-writes. */
static void memtable_count(struct memtable *m, uint64_t version)
{
	uint64_t entries = atomic_load_explicit(&m->entries, memory_order_relaxed);

	atomic_store_explicit(&m->entries, entries + 1, memory_order_relaxed);
	if (version > atomic_load_explicit(&m->max_version, memory_order_relaxed))
		atomic_store_explicit(&m->max_version, version, memory_order_relaxed);
}

void memtable_insert(struct memtable *m, const struct entry *e)
{
	if (e->kind == ENTRY_RANGE_DELETE)
		ranges_insert(&m->ranges, e->key, e->value, e->version);
	else
		sorted_insert(&m->list, e);
	memtable_count(m, e->version);
}

void memtable_expect(struct memtable *m, const struct entry *e)
{
	if (e->kind != ENTRY_RANGE_DELETE)
		sorted_expect(&m->list, e);
}

static int memtable_find(const struct memtable *m, struct silt_slice key, uint64_t max_version, struct entry *out)
{
	const struct node *n = sorted_seek(&m->list, key, max_version);
	struct entry e;

	if (!n)
		return SILT_NOTFOUND;
	sorted_entry(n, &e);
	if (!slice_eq(e.key, key))
		return SILT_NOTFOUND;
	*out = e;
	return 0;
}

int memtable_get(const struct memtable *m, struct silt_slice key, uint64_t max_version, struct entry *out)
{
	uint64_t cover = ranges_cover(&m->ranges, key, max_version);
	int rc = memtable_find(m, key, max_version, out);

	if (cover == 0 || (rc == 0 && out->version >= cover))
		return rc;
	*out = (struct entry){ .key = key, .version = cover, .kind = ENTRY_DELETE };
	return 0;
}

int memtable_ranges(const struct memtable *m, uint64_t max_version, bool all, memtable_range_fn *fn, void *ctx)
{
	return ranges_each(&m->ranges, max_version, all, fn, ctx);
}

uint64_t memtable_estimate(const struct memtable *m, struct silt_slice lower, struct silt_slice upper, uint64_t *low)
{
	return sorted_estimate(&m->list, lower, upper, low);
}

uint64_t memtable_bytes(const struct memtable *m)
{
	return sizeof(*m) + atomic_load_explicit(&m->arena.bytes, memory_order_relaxed) + sorted_bytes(&m->list) +
	       atomic_load_explicit(&m->ranges.arena.bytes, memory_order_relaxed);
}

uint64_t memtable_used(const struct memtable *m)
{
	return sizeof(*m) + arena_used(&m->arena) + arena_used(&m->list.places.arena) + arena_used(&m->ranges.arena);
}

uint64_t memtable_entries(const struct memtable *m)
{
	return atomic_load_explicit(&m->entries, memory_order_relaxed);
}

uint64_t memtable_range_deletes(const struct memtable *m)
{
	return atomic_load_explicit(&m->ranges.count, memory_order_relaxed);
}

uint64_t memtable_newest_range(const struct memtable *m)
{
	return ranges_newest(&m->ranges);
}

uint64_t memtable_max_version(const struct memtable *m)
{
	return atomic_load_explicit(&m->max_version, memory_order_relaxed);
}

void memtable_check(const struct memtable *m)
{
	uint64_t count = sorted_check(&m->list);

	ranges_check(&m->ranges);
	assert(count + memtable_range_deletes(m) == memtable_entries(m));
	(void)count;
}

/* ---- the iterator ------------------------------------------------------------------------------------------------ */

struct memtable_iter {
	struct iter it;
	struct memtable *m;               /* shared */
	const struct node *at;            /* NULL = past either end */
	struct entry entry;               /* of that node */
};

static int memtable_stand(struct iter *it, const struct node *n)
{
	struct memtable_iter *mi = (struct memtable_iter *)it;

	mi->at = n;
	iter_stand(it, n ? &mi->entry : NULL);
	if (!n)
		return SILT_END;
	sorted_entry(n, &mi->entry);
	return 0;
}

static const struct sorted *memtable_list(const struct iter *it)
{
	return &((const struct memtable_iter *)it)->m->list;
}

static int memtable_first(struct iter *it)
{
	return memtable_stand(it, sorted_first(memtable_list(it)));
}

static int memtable_last(struct iter *it)
{
	return memtable_stand(it, sorted_last(memtable_list(it)));
}

static int memtable_seek(struct iter *it, struct silt_slice key, uint64_t version)
{
	return memtable_stand(it, sorted_seek(memtable_list(it), key, version));
}

static int memtable_next(struct iter *it)
{
	const struct node *at = ((struct memtable_iter *)it)->at;

	return memtable_stand(it, at ? sorted_next(at) : NULL);
}

static int memtable_prev(struct iter *it)
{
	const struct node *at = ((struct memtable_iter *)it)->at;

	return memtable_stand(it, at ? sorted_prev(memtable_list(it), at) : NULL);
}

static void memtable_drop(void *m)
{
	memtable_unref(m);
}

static void memtable_pin(struct iter *it, struct iter_pin *out)
{
	*out = (struct iter_pin){ memtable_ref(((struct memtable_iter *)it)->m), memtable_drop };
}

static void memtable_close(struct iter *it)
{
	memtable_unref(((struct memtable_iter *)it)->m);
	mem_free(it);
}

static const struct iter_ops memtable_iter_ops = {
	.first = memtable_first,
	.last = memtable_last,
	.seek = memtable_seek,
	.before = iter_before,
	.next = memtable_next,
	.prev = memtable_prev,
	.pin = memtable_pin,
	.close = memtable_close,
};

struct iter *memtable_iter(struct memtable *m)
{
	struct memtable_iter *it = mem_calloc(1, sizeof(*it));

	if (!it)
		return NULL;
	it->it.ops = &memtable_iter_ops;
	it->m = memtable_ref(m);
	return &it->it;
}
