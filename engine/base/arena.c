/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.c - chunks from the heap, handed out from the front of the newest.
 *
 *      chunks -> [next|size|#########|......]   newest: p stands after the last piece, end after the chunk
 *                 next -> [next|size|##########|.]   a chunk left behind keeps its unused tail
 *
 * Rules     (1) what was reserved lies in one chunk, so taking it is an addition.  (2) a piece never moves.
 */
#include "base/arena.h"

#include <assert.h>
#include <siltstone.h>
#include <stdatomic.h>

struct arena_chunk {
	struct arena_chunk *next;
	size_t size;                  /* with this head */
	uint64_t mapped;              /* from mem_map() */
	uint8_t data[];
};

_Static_assert(sizeof(struct arena_chunk) % 8 == 0, "pieces are 8-aligned");

/*
 * Chunks from here on are pages of their own, which go back to the system. A heap would keep them for the thread that took them, and
 * threads that take turns at writing would have a memtable each.
 */
enum { ARENA_PAGE = 4096, ARENA_MAPPED = 128 << 10 };

void arena_init(struct arena *a, size_t chunk_size)
{
	*a = (struct arena){ .chunk_size = chunk_size };
}

void arena_fini(struct arena *a)
{
	for (struct arena_chunk *c = a->chunks, *next; c; c = next) {
		next = c->next;
		if (c->mapped)
			mem_unmap(c, c->size);
		else
			mem_free(c);
	}
	arena_init(a, a->chunk_size);
}

/* With room for n bytes, or NULL. */
static struct arena_chunk *arena_new_chunk(const struct arena *a, size_t n)
{
	bool huge = a->chunk_size >= ARENA_HUGE && n <= ARENA_HUGE - sizeof(struct arena_chunk);
	size_t size = n > a->chunk_size ? n : a->chunk_size;
	struct arena_chunk *c;
	bool mapped;

	if (size > PTRDIFF_MAX - ARENA_PAGE - sizeof(*c))
		return NULL;
	size = huge ? ARENA_HUGE : size + sizeof(*c);
	mapped = size >= ARENA_MAPPED;
	if (mapped)
		size = (size + ARENA_PAGE - 1) & ~(size_t)(ARENA_PAGE - 1);
	c = mapped ? mem_map(huge ? ARENA_HUGE : ARENA_PAGE, size) : mem_alloc(size);
	if (!c)
		return NULL;
	c->size = size;
	c->mapped = mapped;
	return c;
}

int arena_reserve(struct arena *a, size_t n)
{
	struct arena_chunk *c;

	if (n <= (size_t)(a->end - a->p))
		return 0;
	c = arena_new_chunk(a, n);
	if (!c)
		return SILT_E_NOMEM;
	c->next = a->chunks;
	a->chunks = c;
	a->p = c->data;
	a->end = (uint8_t *)c + c->size;
	/* one writer: a plain add, seen whole by those who watch */
	atomic_store_explicit(&a->bytes, atomic_load_explicit(&a->bytes, memory_order_relaxed) + c->size,
	                      memory_order_relaxed);
	return 0;
}

void *arena_take(struct arena *a, size_t n)
{
	uint8_t *piece = a->p;
	size_t rounded = (n + 7) & ~(size_t)7;

	assert(rounded >= n && rounded <= (size_t)(a->end - piece));
	a->p += rounded;
	return piece;
}

size_t arena_used(const struct arena *a)
{
	return atomic_load_explicit(&a->bytes, memory_order_relaxed) - (size_t)(a->end - a->p);
}
