/* SPDX-License-Identifier: Apache-2.0 */
/*
 * places.h - where in a chain of nodes a search begins: a B+-tree of them, with one writer and readers without a lock.
 *
 * Rules     (1) what places_find() gives lies before the target, whatever the writer is doing; mostly it is the last that does. The chain itself says
 *           what comes after it.  (2) the tree is a help and no promise: where there is no memory for it, nodes are left out of it, and
 *           whoever searches walks further.
 */
#ifndef MEM_PLACES_H
#define MEM_PLACES_H

#include "base/arena.h"
#include "mem/node.h"

enum { PLACES_DEPTH = 16 };               /* a node has 31 slots, mostly more than half of them full: enough for any memtable */

struct places_node;

struct places {
	struct arena arena;                           /* [w] but for its count of bytes: the tree's own */
	struct node *head;                            /* [c] before all others; no entry of its own */
	struct places_node *_Atomic root;             /* [a] released */
	bool whole;                                   /* [w] every node is in it */
	struct places_node *path[PLACES_DEPTH];       /* [w] by level: the last descent, */
	unsigned slot[PLACES_DEPTH];                  /* [w] and which way it went */
};

int places_init(struct places *p, struct node *head) SILT_MUST_CHECK;         /* 0 or SILT_E_NOMEM */
void places_fini(struct places *p);

const struct node *places_find(const struct places *p, const struct node_target *t);
/* How many nodes, with the head, lie before the target: exact where the writer rests and whole is true. */
uint64_t places_rank(const struct places *p, const struct node_target *t);
uint64_t places_count(const struct places *p);

/* Writer: the place before the target, made ready for one node more (last: the target comes after all that is there); then that node. */
struct node *places_descend(struct places *p, const struct node_target *t, bool last);
void places_add(struct places *p, struct node *x);

void places_check(const struct places *p);        /* tests, with no insert under way: asserts order, fences, counts */

#endif
