/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sorted.h - entries in key_cmp order, in an arena: one writer, readers without a lock, nothing is ever removed.
 *
 * Rules     (1) one thread inserts, and only after its arena reserved sorted_cost().  (2) (key, version) pairs are distinct.
 *           (3) readers need the writer's publication of at least `struct sorted` itself, nothing more; they see whole nodes.
 *           (4) a node once seen stays seen: a reader's later moves, either way, meet it again.
 */
#ifndef MEM_SORTED_H
#define MEM_SORTED_H

#include "mem/places.h"

struct sorted {
	struct arena *arena;                  /* [c] borrowed */
	struct node *head;                    /* [c] before all entries; no entry of its own */
	struct node *_Atomic tail;            /* [a] released: the last node, or one not far before it; head when empty */
	struct places places;                 /* where to begin */
	struct node *expected;                /* [w] what the next insert comes behind, if it has this version; NULL = nothing looked for */
	uint64_t expected_version;            /* [w] */
};

int sorted_init(struct sorted *s, struct arena *arena) SILT_MUST_CHECK;       /* 0 or SILT_E_NOMEM: nothing to end */
void sorted_fini(struct sorted *s);                   /* before its arena; NULL is fine, and what was never initialised but zeroed */
size_t sorted_cost(const struct entry *e);            /* at most what inserting it takes from the arena */
void sorted_insert(struct sorted *s, const struct entry *e);                  /* copies */
/* Looks for the place of the next insert, and asks for the memory that it will touch: for when there is something to do meanwhile. */
void sorted_expect(struct sorted *s, const struct entry *e);
size_t sorted_bytes(const struct sorted *s);          /* of the heap, beside the arena's; any thread */

/* NULL = past the end. A node stays valid as long as the arena. */
const struct node *sorted_first(const struct sorted *s);
const struct node *sorted_last(const struct sorted *s);
const struct node *sorted_seek(const struct sorted *s, struct silt_slice key, uint64_t version); /* at or after */
const struct node *sorted_next(const struct node *n);
const struct node *sorted_prev(const struct sorted *s, const struct node *n);
void sorted_entry(const struct node *n, struct entry *out);                   /* borrows from the node */

/*
 * About how many entries lie from lower to upper (inclusive, exclusive; data NULL = no bound). *low: so many there are surely; equal to the
 * answer where that is exact. It counts up to some; what is more than those it takes from the places' counts, and inserts beside it blur them.
 */
uint64_t sorted_estimate(const struct sorted *s, struct silt_slice lower, struct silt_slice upper, uint64_t *low);

/* Tests, with no insert under way: asserts order, places and both chains; returns the number of entries. */
uint64_t sorted_check(const struct sorted *s);

#endif
