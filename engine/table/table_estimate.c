/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table_estimate.c - two places in the index, and what lies between them.
 *
 *      data data [data] data data PART data data data PART ..    [] = where lower falls, () = where upper does: blocks in doubt.
 *                  |--- surely inside ---|  (data)               Partitions lie between the data blocks, and are left out.
 */
#include "table/table_estimate.h"
#include "table/table_private.h"

struct estimate_place {                   /* where a bound falls */
	uint64_t before;                  /* data bytes in the blocks before the one where it falls */
	uint64_t length;                  /* of that block; 0 = it falls between two */
	uint64_t blocks_before, blocks_after;   /* at least: entries surely on one side of it */
	uint32_t part, leaf, leaves;      /* leaves: of its partition */
};

static struct table_amount estimate_exact(uint64_t n)
{
	return (struct table_amount){ n, n, n };
}

/* Data bytes in front of partition i's own blocks, which is where partition i - 1 ends, less the partitions there. */
static uint64_t estimate_data_before(const struct block *top, uint32_t i)
{
	uint64_t end = 0, partitions = 0;

	for (uint32_t p = 0; p < i; p++) {
		struct table_addr addr;

		index_addr(top, p, &addr);
		end = addr.offset + addr.length;
		partitions += addr.length;
	}
	return end - partitions;
}

static uint64_t estimate_data_all(const struct block *top)
{
	return estimate_data_before(top, top->items);
}

/* The first entry at or after `key` falls into which block? */
static int estimate_find(struct table *t, struct silt_slice key, struct estimate_place *out)
{
	const struct block *top = t->root.top;
	struct table_place at = { .top = top };
	struct table_addr first, addr;
	struct block *index;
	int rc;

	*out = (struct estimate_place){ 0 };
	at.part = index_find(top, key, UINT64_MAX);
	out->part = at.part;
	out->blocks_before = at.part;                     /* each partition has a block */
	if (at.part == top->items) {
		out->before = estimate_data_all(top);
		return 0;
	}
	rc = table_child(t, TABLE_INDEX, &at, 0, NULL, &index);
	if (rc != 0)
		return rc;
	at.leaf = index_find(index, key, UINT64_MAX);
	if (at.leaf == index->items)
		at.leaf--;                                /* its separator says otherwise: a reader of it will report that */
	index_addr(index, 0, &first);
	index_addr(index, at.leaf, &addr);
	out->leaf = at.leaf;
	out->leaves = index->items;
	out->before = estimate_data_before(top, at.part) + (addr.offset - first.offset);
	out->length = addr.length;
	out->blocks_before += at.leaf;
	out->blocks_after = top->items - at.part - 1 + (index->items - at.leaf - 1);
	block_unpin(index);
	return 0;
}

static uint64_t estimate_blocks_between(const struct estimate_place *a, const struct estimate_place *b)
{
	if (a->part == b->part)
		return b->leaf > a->leaf ? b->leaf - a->leaf - (a->length != 0) : 0;
	return (a->length ? a->leaves - a->leaf - 1 : 0) + (b->part - a->part - (a->length != 0)) + b->leaf;
}

/* n * part / whole, where n * part may not fit. */
static uint64_t estimate_share(uint64_t n, uint64_t part, uint64_t whole)
{
	return whole ? (uint64_t)((double)n * ((double)part / (double)whole)) : 0;
}

static uint64_t estimate_between(uint64_t low, uint64_t v, uint64_t high)
{
	return v < low ? low : v > high ? high : v;
}

/* Data bytes surely inside, and in doubt. */
static void estimate_bytes(const struct estimate_place *a, const struct estimate_place *b, uint64_t *sure, uint64_t *doubt)
{
	if (a->part == b->part && a->leaf == b->leaf) {
		*sure = 0;
		*doubt = b->length;
		return;
	}
	*sure = b->before - a->before - a->length;
	*doubt = a->length + b->length;
}

static void estimate_fill(const struct table *t, const struct estimate_place *a, const struct estimate_place *b,
                          struct table_estimate *out)
{
	uint64_t data = estimate_data_all(t->root.top), sure, doubt, blocks = estimate_blocks_between(a, b);
	struct table_amount *e = &out->entries, *n = &out->bytes;

	estimate_bytes(a, b, &sure, &doubt);
	e->low = blocks;
	e->high = t->meta->entries - a->blocks_before - b->blocks_after;
	e->about = estimate_between(e->low, estimate_share(t->meta->entries, sure + doubt / 2, data), e->high);
	n->low = sure;
	n->high = sure + doubt + (t->meta->size - data);  /* index and filter may be for these keys alone, or for others */
	n->about = estimate_between(n->low, estimate_share(t->meta->size, sure + doubt / 2, data), n->high);
}

int table_estimate(struct table *t, struct silt_slice lower, struct silt_slice upper, struct table_estimate *out)
{
	const struct table_meta *m = t->meta;
	bool from_start = !lower.data || slice_cmp(lower, m->smallest) <= 0;
	bool to_end = !upper.data || slice_cmp(m->largest, upper) < 0;
	struct estimate_place a = { 0 }, b;
	int rc;

	*out = (struct table_estimate){ { 0 }, { 0 } };
	if ((lower.data && slice_cmp(m->largest, lower) < 0) || (upper.data && slice_cmp(m->smallest, upper) >= 0) ||
	    (lower.data && upper.data && slice_cmp(lower, upper) >= 0))
		return 0;
	if (from_start && to_end) {
		out->entries = estimate_exact(m->entries);
		out->bytes = estimate_exact(m->size);
		return 0;
	}
	rc = table_open(t);
	if (rc < 0)
		return rc;
	if (!t->root.top) {                               /* range deletes alone */
		out->bytes = (struct table_amount){ m->size / 2, 0, m->size };
		return 0;
	}
	if (!from_start)
		rc = estimate_find(t, lower, &a);
	if (rc == 0 && !to_end)
		rc = estimate_find(t, upper, &b);
	if (to_end)
		b = (struct estimate_place){ .before = estimate_data_all(t->root.top), .part = t->root.top->items };
	if (rc < 0)
		return rc;
	estimate_fill(t, &a, &b, out);
	return 0;
}
