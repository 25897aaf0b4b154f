/* SPDX-License-Identifier: Apache-2.0 */
/* chain.c - the list of segments, what may be read of each, and which one is too many. */
#include "db/chain.h"

#include "base/mem.h"
#include "log/log.h"

enum {
	CHAIN_PLACES = 2048,              /* a reader walks a 2048th of a segment to where it begins ... */
	CHAIN_STEP_MIN = 16 << 10,        /* ... or so many bytes */
	CHAIN_PLACED = 64,                /* segments that have places: 32 KiB each at most */
};

/* ---- segments ------------------------------------------------------------------------------------------------------- */

struct chain_segment *chain_segment_new(uint64_t number, uint64_t base, uint64_t size, bool noted)
{
	struct chain_segment *s = mem_calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->number = number;
	s->base = base;
	s->size = size;
	s->refs = 1;
	atomic_init(&s->end, noted ? LOG_PAGE : size);
	if (!noted)
		return s;
	s->place_step = size / CHAIN_PLACES > CHAIN_STEP_MIN ? size / CHAIN_PLACES : CHAIN_STEP_MIN;
	s->place_cap = size / s->place_step;
	s->places = mem_calloc(s->place_cap, sizeof(*s->places));
	if (s->places)
		return s;
	mem_free(s);
	return NULL;
}

void chain_unref(struct chain_segment *s)
{
	if (!s || --s->refs > 0)
		return;
	mem_free(s->places);
	mem_free(s);
}

void chain_note(struct chain_segment *s, uint64_t version, uint64_t offset)
{
	uint64_t n = atomic_load_explicit(&s->place_count, memory_order_relaxed);
	uint64_t last = n ? s->places[n - 1].offset : LOG_PAGE;

	if (n == s->place_cap || offset < last + s->place_step)
		return;
	s->places[n] = (struct chain_place){ version, offset };
	atomic_store_explicit(&s->place_count, n + 1, memory_order_release);
}

void chain_advance(struct chain_segment *s, uint64_t end)
{
	atomic_store_explicit(&s->end, end, memory_order_release);
}

struct chain_place chain_place_of(const struct chain_segment *s, uint64_t version)
{
	uint64_t lo = 0, hi = s->places ? atomic_load_explicit(&s->place_count, memory_order_acquire) : 0;

	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;

		if (s->places[mid].version <= version)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? s->places[lo - 1] : (struct chain_place){ s->base, LOG_PAGE };
}

/* ---- the list ------------------------------------------------------------------------------------------------------- */

/* Only the newest ones keep their places; the newest of all is the leader's. */
static void chain_limit_places(struct chain *c)
{
	while (c->placed_count > CHAIN_PLACED) {
		mem_free(c->placed->places);
		c->placed->places = NULL;
		c->placed = c->placed->newer;
		c->placed_count--;
	}
}

void chain_append(struct chain *c, struct chain_segment *s)
{
	s->older = c->newest;
	s->newer = NULL;
	if (c->newest)
		c->newest->newer = s;
	else
		c->oldest = s;
	c->newest = s;
	if (s->places) {
		c->placed = c->placed ? c->placed : s;
		c->placed_count++;
	}
	chain_limit_places(c);
}

void chain_prepend(struct chain *c, struct chain_segment *s)
{
	s->newer = c->oldest;
	s->older = NULL;
	if (c->oldest)
		c->oldest->older = s;
	else
		c->newest = s;
	c->oldest = s;
}

static struct chain_segment *chain_pop(struct chain *c)
{
	struct chain_segment *s = c->oldest;

	if (s == c->placed) {
		c->placed = s->newer;
		c->placed_count--;
	}
	c->oldest = s->newer;
	if (c->oldest)
		c->oldest->older = NULL;
	else
		c->newest = NULL;
	s->newer = NULL;
	return s;
}

void chain_fini(struct chain *c)
{
	while (c->oldest)
		chain_unref(chain_pop(c));
}

/* ---- what may be read ------------------------------------------------------------------------------------------------ */

/* Readers are mostly near the newest end. */
struct chain_segment *chain_get(const struct chain *c, uint64_t number)
{
	struct chain_segment *s = c->newest;

	while (s && s->number > number)
		s = s->older;
	return s && s->number == number && number > c->broken ? s : NULL;
}

struct chain_segment *chain_find(const struct chain *c, uint64_t version)
{
	struct chain_segment *s = c->newest;

	while (s && s->base > version)
		s = s->older;
	return s && s->number > c->broken ? s : NULL;
}

uint64_t chain_reach(const struct chain *c)
{
	const struct chain_segment *s = c->oldest;

	while (s && s->newer && s->number <= c->broken)
		s = s->newer;
	return s ? s->base : 0;
}

void chain_break(struct chain *c, uint64_t number)
{
	if (number > c->broken)
		c->broken = number;
}

/* ---- what is too many ------------------------------------------------------------------------------------------------ */

uint64_t chain_kept_bytes(const struct chain *c, uint64_t needed)
{
	uint64_t bytes = 0;

	for (const struct chain_segment *s = c->oldest; s && s->number < needed; s = s->newer)
		bytes += s->size;
	return bytes;
}

struct chain_segment *chain_pop_surplus(struct chain *c, uint64_t needed, uint64_t keep_bytes)
{
	struct chain_segment *s = c->oldest;

	if (!s || s->number >= needed || chain_kept_bytes(c, needed) - s->size <= keep_bytes)
		return NULL;
	return chain_pop(c);
}

struct chain_segment *chain_pop_spare(struct chain *c, uint64_t needed, uint64_t keep_bytes)
{
	struct chain_segment *s = c->oldest;

	if (!s || s->number >= needed || chain_kept_bytes(c, needed) <= keep_bytes || s->refs > 1)
		return NULL;
	return chain_pop(c);
}
