/* SPDX-License-Identifier: Apache-2.0 */
/*
 * skiplist.h - entries in key_cmp order, in an arena: one writer, readers without a lock, nothing is ever removed.
 *
 * Rules     (1) one thread inserts, and only after its arena reserved skiplist_cost().  (2) (key, version) pairs are distinct.
 *           (3) readers need the writer's publication of at least `struct skiplist` itself, nothing more; they see whole nodes.
 *           (4) a node once seen stays seen: a reader's later moves, either way, meet it again.
 */
#ifndef MEM_SKIPLIST_H
#define MEM_SKIPLIST_H

#include "base/arena.h"
#include "core/entry.h"

enum { SKIPLIST_HEIGHT = 12 };            /* one node in four is a level higher: good for 4^12 entries */

struct skiplist_node;

struct skiplist {
	struct arena *arena;                          /* [c] borrowed */
	struct skiplist_node *head;                   /* [c] before all entries; full height; no entry of its own */
	struct skiplist_node *_Atomic tail;           /* [a] released: the last node, or one not far before it; head when empty */
	_Atomic int height;                           /* [a] relaxed: levels in use; a hint */
	struct skiplist_node *splice[SKIPLIST_HEIGHT];/* [w] the last insert's node where it stands, else its predecessors */
	uint64_t random;                              /* [w] xorshift64 */
};

int skiplist_init(struct skiplist *s, struct arena *arena) SILT_MUST_CHECK;   /* 0 or SILT_E_NOMEM; ends with its arena */
size_t skiplist_cost(const struct entry *e);      /* at most what inserting it takes from the arena */
void skiplist_insert(struct skiplist *s, const struct entry *e);              /* copies */

/* NULL = past the end. A node stays valid as long as the arena. */
const struct skiplist_node *skiplist_first(const struct skiplist *s);
const struct skiplist_node *skiplist_last(const struct skiplist *s);
const struct skiplist_node *skiplist_seek(const struct skiplist *s, struct silt_slice key, uint64_t version); /* at or after */
const struct skiplist_node *skiplist_next(const struct skiplist_node *n);
const struct skiplist_node *skiplist_prev(const struct skiplist *s, const struct skiplist_node *n);
void skiplist_entry(const struct skiplist_node *n, struct entry *out);        /* borrows from the node */

/*
 * About how many entries lie from lower to upper (inclusive, exclusive; data NULL = no bound), by a level of the list that has enough of
 * them, so that the cost does not grow with the number. *low: so many there are surely; equal to the answer where that is exact.
 */
uint64_t skiplist_estimate(const struct skiplist *s, struct silt_slice lower, struct silt_slice upper, uint64_t *low);

/* Tests, with no insert under way: asserts order, towers and both chains; returns the number of entries. */
uint64_t skiplist_check(const struct skiplist *s);

#endif
