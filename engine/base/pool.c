/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.c - regions of lines, each a row of pieces without gaps; free ones in lists by size, neighbours grown together at once.
 *
 *   region    | struct pool_region | piece | piece | ... | end |        POOL_REGION bytes, aligned to as many; a line = 64 bytes
 *   piece     lines (POOL_FREE set: it is free), before = lines of the piece to its left (0: it is the first); a free one goes on with
 *             its links. `end` is a used piece of no lines, so that the last real one has a neighbour to ask.
 *   class     of n lines: 0..15 have one each, then sixteen to each doubling. Sizes are rounded up to where a class begins: so any
 *             piece of that class or above serves, and what is left of it goes back to the lists.
 *
 * Rules     (1) two free pieces never lie side by side.  (2) a bit of `some` is set where its list is not empty.  (3) at most one
 *           region is wholly free; the others go back to the system at once.
 * Source    two-level segregated fit: Masmano, Ripoll, Crespo, Real, "TLSF: a New Dynamic Memory Allocator for Real-Time Systems",
 *           ECRTS 2004; boundary tags: Knuth, TAOCP 1, 2.5. The rest: own.
 */
#include "base/pool.h"
#include "base/mem.h"
#include "base/thread.h"

#include <assert.h>

enum {
	POOL_REGION = 4 << 20,
	POOL_REGION_LINES = POOL_REGION / POOL_LINE,
	POOL_WHOLE = POOL_REGION_LINES - 2,       /* lines of a region's first piece as long as all is free */
	POOL_STEPS = 16,                          /* classes in each doubling */
	POOL_CLASSES = 13 * POOL_STEPS,
	POOL_WORDS = POOL_CLASSES / 64 + 1,
};
#define POOL_FREE (UINT32_C(1) << 31)

struct pool_free {                        /* a free piece */
	struct pool_piece piece;
	struct pool_free *next, *prev;    /* in its class */
};

struct pool_region {                      /* its first line */
	struct pool_region *next, *prev;
};

struct pool {
	struct mutex mu;                  /* all below */
	struct pool_region *regions;
	struct pool_free *lists[POOL_CLASSES];
	uint64_t some[POOL_WORDS];
	uint64_t count, empty, pieces;    /* regions, of these wholly free, pieces in use */
	bool closed;
};

_Static_assert(sizeof(struct pool_region) <= POOL_LINE && sizeof(struct pool_free) <= POOL_LINE, "fit a line");

/* ---- sizes ----------------------------------------------------------------------------------------------------------- */

static unsigned pool_class(uint32_t lines)
{
	unsigned e;

	if (lines < POOL_STEPS)
		return lines;
	e = 31 - (unsigned)__builtin_clz(lines);
	return (e - 3) * POOL_STEPS + (lines >> (e - 4) & (POOL_STEPS - 1));
}

/* Lines for so many bytes: rounded up to where a class begins. */
static uint32_t pool_lines(size_t bytes)
{
	uint32_t n = (uint32_t)((bytes + POOL_LINE - 1) / POOL_LINE), step;

	if (n < POOL_STEPS)
		return n ? n : 1;
	step = UINT32_C(1) << (31 - __builtin_clz(n) - 4);
	return (n + step - 1) & ~(step - 1);
}

size_t pool_size(size_t bytes)
{
	return (size_t)pool_lines(bytes) * POOL_LINE;
}

/* ---- pieces ---------------------------------------------------------------------------------------------------------- */

static uint32_t pool_piece_lines(const struct pool_piece *a)
{
	return a->lines & ~POOL_FREE;
}

static struct pool_piece *pool_right(struct pool_piece *a)
{
	return (struct pool_piece *)((uint8_t *)a + (size_t)pool_piece_lines(a) * POOL_LINE);
}

static struct pool_piece *pool_left(struct pool_piece *a)
{
	return (struct pool_piece *)((uint8_t *)a - (size_t)a->before * POOL_LINE);
}

static void pool_list_add(struct pool *p, struct pool_piece *a)
{
	struct pool_free *f = (struct pool_free *)a;
	unsigned class = pool_class(a->lines);

	f->next = p->lists[class];
	f->prev = NULL;
	if (f->next)
		f->next->prev = f;
	p->lists[class] = f;
	p->some[class / 64] |= UINT64_C(1) << class % 64;
	p->empty += a->lines == POOL_WHOLE;
	a->lines |= POOL_FREE;
}

static void pool_list_remove(struct pool *p, struct pool_piece *a)
{
	struct pool_free *f = (struct pool_free *)a;
	unsigned class;

	a->lines &= ~POOL_FREE;
	p->empty -= a->lines == POOL_WHOLE;
	class = pool_class(a->lines);
	if (f->next)
		f->next->prev = f->prev;
	if (f->prev)
		f->prev->next = f->next;
	else
		p->lists[class] = f->next;
	if (!p->lists[class])
		p->some[class / 64] &= ~(UINT64_C(1) << class % 64);
}

/* The least class at or above this one that has a piece, or POOL_CLASSES. */
static unsigned pool_class_with_some(const struct pool *p, unsigned class)
{
	uint64_t mask = UINT64_MAX << class % 64;

	for (unsigned w = class / 64; w < POOL_WORDS; w++, mask = UINT64_MAX)
		if (p->some[w] & mask)
			return w * 64 + (unsigned)__builtin_ctzll(p->some[w] & mask);
	return POOL_CLASSES;
}

/* ---- regions --------------------------------------------------------------------------------------------------------- */

static bool pool_grow(struct pool *p)
{
	struct pool_region *r = mem_map(POOL_REGION, POOL_REGION);
	struct pool_piece *first = (struct pool_piece *)((uint8_t *)r + POOL_LINE);

	if (!r)
		return false;
	r->next = p->regions;
	r->prev = NULL;
	if (r->next)
		r->next->prev = r;
	p->regions = r;
	p->count++;
	*first = (struct pool_piece){ .lines = POOL_WHOLE };
	*pool_right(first) = (struct pool_piece){ .before = POOL_WHOLE };
	pool_list_add(p, first);
	return true;
}

/* Of a piece that is a whole region, in no list. */
static void pool_drop_region(struct pool *p, struct pool_piece *whole)
{
	struct pool_region *r = (struct pool_region *)((uint8_t *)whole - POOL_LINE);

	if (r->next)
		r->next->prev = r->prev;
	if (r->prev)
		r->prev->next = r->next;
	else
		p->regions = r->next;
	p->count--;
	mem_unmap(r, POOL_REGION);
}

/* ---- taking and giving ------------------------------------------------------------------------------------------------ */

/* Leaves a piece of n lines; what it has more goes back. */
static void pool_cut(struct pool *p, struct pool_piece *a, uint32_t n)
{
	uint32_t more = a->lines - n;
	struct pool_piece *rest;

	if (more == 0)
		return;
	a->lines = n;
	rest = pool_right(a);
	*rest = (struct pool_piece){ more, n };
	pool_right(rest)->before = more;
	pool_list_add(p, rest);
}

static struct pool_piece *pool_take_locked(struct pool *p, uint32_t lines)
{
	unsigned class = pool_class_with_some(p, pool_class(lines));
	struct pool_piece *a;

	if (class == POOL_CLASSES) {
		if (!pool_grow(p))
			return NULL;
		class = pool_class(POOL_WHOLE);
	}
	a = &p->lists[class]->piece;
	pool_list_remove(p, a);
	pool_cut(p, a, lines);
	p->pieces++;
	return a;
}

void *pool_take(struct pool *p, size_t bytes)
{
	struct pool_piece *a;

	if (bytes > POOL_PIECE_MAX)
		return NULL;
	mutex_lock(&p->mu);
	a = pool_take_locked(p, pool_lines(bytes));
	mutex_unlock(&p->mu);
	return a;
}

/* a, of no list, grows over its free neighbour to the right. */
static void pool_join(struct pool *p, struct pool_piece *a, struct pool_piece *right)
{
	pool_list_remove(p, right);
	a->lines += right->lines;
	pool_right(a)->before = a->lines;
}

static void pool_give_locked(struct pool *p, struct pool_piece *a)
{
	struct pool_piece *right = pool_right(a), *left = pool_left(a);

	p->pieces--;
	if (right->lines & POOL_FREE)
		pool_join(p, a, right);
	if (a->before && left->lines & POOL_FREE) {
		pool_list_remove(p, left);
		left->lines += a->lines;
		pool_right(left)->before = left->lines;
		a = left;
	}
	if (a->lines == POOL_WHOLE && (p->empty > 0 || p->closed))
		pool_drop_region(p, a);           /* rule 3 */
	else
		pool_list_add(p, a);
}

static void pool_free(struct pool *p)
{
	while (p->regions)
		pool_drop_region(p, (struct pool_piece *)((uint8_t *)p->regions + POOL_LINE));
	mutex_fini(&p->mu);
	mem_free(p);
}

void pool_give(struct pool *p, void *piece)
{
	bool last;

	mutex_lock(&p->mu);
	pool_give_locked(p, piece);
	last = p->closed && p->pieces == 0;
	mutex_unlock(&p->mu);
	if (last)
		pool_free(p);
}

/* ---- life ------------------------------------------------------------------------------------------------------------ */

struct pool *pool_new(void)
{
	struct pool *p = mem_calloc(1, sizeof(*p));

	if (p && mutex_init(&p->mu) < 0) {
		mem_free(p);
		return NULL;
	}
	return p;
}

void pool_close(struct pool *p)
{
	bool last;

	if (!p)
		return;
	mutex_lock(&p->mu);
	p->closed = true;
	last = p->pieces == 0;
	mutex_unlock(&p->mu);
	if (last)
		pool_free(p);
}

uint64_t pool_mapped(struct pool *p)
{
	uint64_t count;

	mutex_lock(&p->mu);
	count = p->count;
	mutex_unlock(&p->mu);
	return count * POOL_REGION;
}

static uint64_t pool_check_region(const struct pool *p, struct pool_region *r, uint64_t *used)
{
	struct pool_piece *a = (struct pool_piece *)((uint8_t *)r + POOL_LINE);
	uint32_t before = 0, sum = 0;
	bool was_free = false;
	uint64_t free_pieces = 0;

	for (; pool_piece_lines(a) > 0; a = pool_right(a)) {
		bool is_free = a->lines & POOL_FREE;

		assert(a->before == before);
		assert(!(was_free && is_free));                                          /* rule 1 */
		before = pool_piece_lines(a);
		sum += before;
		was_free = is_free;
		free_pieces += is_free;
		*used += !is_free;
		assert(!is_free || p->lists[pool_class(before)]);                         /* rule 2 */
	}
	assert(a->before == before && sum == POOL_WHOLE);
	(void)p;
	(void)before;
	(void)sum;
	(void)was_free;
	return free_pieces;
}

void pool_check(struct pool *p)
{
	uint64_t used = 0, free_pieces = 0, listed = 0, regions = 0;

	mutex_lock(&p->mu);
	for (struct pool_region *r = p->regions; r; r = r->next, regions++)
		free_pieces += pool_check_region(p, r, &used);
	for (unsigned class = 0; class < POOL_CLASSES; class++) {
		assert(!p->lists[class] == !(p->some[class / 64] >> class % 64 & 1));     /* rule 2 */
		for (struct pool_free *f = p->lists[class]; f; f = f->next, listed++)
			assert(pool_class(pool_piece_lines(&f->piece)) == class);
	}
	assert(used == p->pieces && listed == free_pieces && regions == p->count && p->empty <= 1);
	(void)used;
	mutex_unlock(&p->mu);
}
