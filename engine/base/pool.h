/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.h - a heap of huge pages, for many pieces of some KiB that are looked at in no order.
 *
 * Why       such a look costs a miss of the TLB each, and behind it a walk through page tables that are not cached either. With huge
 *           pages a few hundred entries cover all of a large cache: a random get takes a fifth less time.
 * Threads   any; one mutex inside, held for some ten instructions, and for a map or unmap once in 4 MiB.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>
#include <stdint.h>

struct pool;
struct pool_piece {                       /* what every piece begins with: the pool's, not to be touched */
	uint32_t lines, before;
};

enum { POOL_LINE = 64, POOL_PIECE_MAX = 1 << 20 };

struct pool *pool_new(void);              /* NULL = out of memory; nothing is mapped yet */
void pool_close(struct pool *p);          /* goes with the last piece; NULL is fine */
/* Aligned to POOL_LINE. NULL = out of memory, or larger than POOL_PIECE_MAX. */
void *pool_take(struct pool *p, size_t bytes) __attribute__((warn_unused_result));
void pool_give(struct pool *p, void *piece);
size_t pool_size(size_t bytes);           /* what a piece of so many bytes takes up; at most a sixteenth more, and a line */
uint64_t pool_mapped(struct pool *p);     /* bytes */
void pool_check(struct pool *p);          /* asserts the invariants (for tests) */

#endif
