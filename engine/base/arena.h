/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.h - memory that is given out piece by piece and freed all at once.
 * One thread allocates; what it gave out may be read by others once published.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/mem.h"

enum { ARENA_HUGE = 2 << 20 };            /* bytes of a chunk in a huge page */

struct arena_chunk;
struct arena {
	struct arena_chunk *chunks;   /* newest first, linked by arena_chunk::next */
	uint8_t *p, *end;             /* the free part of the newest chunk */
	size_t chunk_size;            /* of the next one; from ARENA_HUGE on chunks are that */
	_Atomic size_t bytes;         /* taken from the heap; readable by any thread, relaxed */
};

void arena_init(struct arena *a, size_t chunk_size);
void arena_fini(struct arena *a);
int arena_reserve(struct arena *a, size_t n) __attribute__((warn_unused_result)); /* the next n bytes (sum, each piece rounded up to 8) can't fail */
void *arena_take(struct arena *a, size_t n);    /* 8-aligned; within what was reserved: never NULL */

size_t arena_used(const struct arena *a);      /* of its bytes, but for the free part of the newest chunk; its thread's */

#endif
