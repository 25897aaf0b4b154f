/* SPDX-License-Identifier: Apache-2.0 */
/*
 * range.h - which keys a request about many means: bounds, or a prefix, or the cursor of the page before.
 *
 * Bounds    start is inclusive, end exclusive; an empty one is none. prefix=P is start=P and the end behind the last key that
 *           begins with P; it can't stand beside the other two. Nothing at all is the whole store.
 * Cursor    holds the range: what is given beside it must say the same. How many entries a page has is each request's own.
 * Held to   a client with SILT_PREFIX may ask for ranges within it, and for no others: 403, also where a cursor says so.
 *
 * Example   prefix=a%2F -> from "a/" to before "a0"        prefix=%FF -> from "\xff", to the last key
 */
#ifndef SERVER_RANGE_H
#define SERVER_RANGE_H

#include "server/query.h"
#include "server/request.h"

#define RANGE_BOUNDS (QUERY_BIT(QUERY_PREFIX) | QUERY_BIT(QUERY_START) | QUERY_BIT(QUERY_END))
#define RANGE_LIST   (RANGE_BOUNDS | QUERY_BIT(QUERY_LIMIT) | QUERY_BIT(QUERY_REVERSE) | QUERY_BIT(QUERY_KEYS_ONLY) | \
                      QUERY_BIT(QUERY_COUNT_ONLY) | QUERY_BIT(QUERY_CURSOR) | QUERY_BIT(QUERY_CONTENT_TYPE))

struct range {                                /* start from {0}; end with range_fini() */
	struct bytes lower;                   /* inclusive; empty = from the first key */
	struct bytes upper;                   /* exclusive; empty = to the last key */
	struct bytes after;                   /* the last key of the page before; empty = there is none */
	bool reverse, keys_only;
	bool types;                           /* content types are asked for; each page's own, as its limit is */
};

/* What q says of a range, checked. False: r->response says why not. */
bool range_read(struct request *r, const struct query *q, struct range *out);
void range_fini(struct range *range);

/* A switch of q, false where it is not given: true, 1, false, 0. False: answered. */
bool range_switch(struct request *r, const struct query *q, enum query_name name, bool *on);

/* The least key above all that begin with prefix, appended to out; nothing where there is none. False: no memory. */
bool range_prefix_end(struct span prefix, struct bytes *out);

/* A walk over what is left of the range, behind `after`; the store's codes. */
int range_open(const struct range *range, struct store *store, uint64_t max_steps, struct store_scan **out);
int range_next(const struct range *range, struct store *store, struct store_scan *scan, struct store_item *item);

#endif
