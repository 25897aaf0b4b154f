/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node.h - one entry of a memtable: a link of the chain, with its bytes behind it.
 *
 *      node      next | prev | version | lengths, kind | [expiry] | key | meta | value
 *
 * A search meets nodes that no cache holds, so what it asks of one stands at its beginning, and the rare expiry has its 8 bytes only where there is one.
 */
#ifndef MEM_NODE_H
#define MEM_NODE_H

#include <stdatomic.h>

#include "core/entry.h"
#include "core/key.h"

enum { NODE_EXPIRES = 0x80 };             /* in `kind`: 8 bytes of expiry come before the key */

struct node {
	struct node *_Atomic next;                    /* [a] released by the writer; see sorted.c */
	struct node *_Atomic prev;
	uint64_t version;                             /* [c] and what follows */
	uint32_t value_len;
	uint16_t key_len;
	uint8_t meta_len;
	uint8_t kind;
	uint8_t bytes[];
};

_Static_assert(KEY_MAX <= UINT16_MAX && SILT_META_MAX <= UINT8_MAX && SILT_VALUE_MAX <= UINT32_MAX, "lengths fit a node");

/* A place in the order: before it lie all entries with a lower key, or this one and a higher version. */
struct node_target {
	struct silt_slice key;
	uint64_t version;
};

static inline struct silt_slice node_key(const struct node *n)
{
	return slice_of(n->bytes + (n->kind & NODE_EXPIRES ? sizeof(uint64_t) : 0), n->key_len);
}

/* Not of the head. */
static inline bool node_before(const struct node *n, const struct node_target *t)
{
	int d = slice_cmp(node_key(n), t->key);

	return d < 0 || (d == 0 && n->version > t->version);
}

#endif
