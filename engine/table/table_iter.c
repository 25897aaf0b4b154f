/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table_iter.c - a cursor over all entries of a table, both ways.
 *
 * State     nowhere: data NULL; every entry: top index -> partition `at.part` (pinned) -> data block `at.leaf` (pinned) -> ordinal.
 *           first, last, seek: anywhere -> on an entry, or nowhere.  next, prev: on an entry -> on its neighbour, or nowhere.
 *           A failure leads nowhere. From nowhere next and prev answer SILT_END.
 * Runs      what is decoded at once is at most a restart interval (block_writer.c, "Restarts"), up to its end moving forward, down to its
 *           restart moving backward: both cost the same. A seek decodes its one entry, since many go no further.
 * Foretelling  memory is slower than the decoding: each run asks the processor for the bytes of the one behind it. Where the block has no
 *           more of them, the next block is prepared while there is still something to read: its header, and with the last run, pinned as
 *           `beside`, its first entries.
 * With TABLE_NO_FILL what the cache does not have is read in windows of 256 KiB.
 */
#include "table/table_private.h"
#include "base/mem.h"
#include "base/rcu.h"
#include "core/key.h"
#include "table/block_reader.h"

struct table_iter {
	struct iter it;
	struct table *table;              /* shared */
	unsigned flags;
	struct table_place at;
	struct block *index, *data;       /* pinned */
	struct block *beside;             /* pinned, or NULL: what comes at beside_leaf of this partition */
	uint32_t beside_leaf;
	struct table_ahead ahead;
	uint32_t restart;                 /* ordinal of run.at[0] */
	struct block_run run;             /* it.first to it.last are of it */
};

static struct table_iter *table_iter_of(struct iter *it)
{
	return (struct table_iter *)it;
}

static int table_iter_nowhere(struct table_iter *ti, int rc)
{
	block_unpin(ti->data);
	block_unpin(ti->index);
	block_unpin(ti->beside);
	ti->beside = NULL;
	ti->data = NULL;
	ti->index = NULL;
	ti->at.index = NULL;
	iter_stand(&ti->it, NULL);
	return rc;
}

/* Decodes entries from..to of an interval, or some of them, and stands on `from`. */
static int table_iter_emit(struct table_iter *ti, uint32_t from, uint32_t to)
{
	const struct entry *at = ti->run.at;
	uint32_t end = block_reader_run(ti->data, from, to, &ti->run);
	uint32_t lo = from < end ? from : end, hi = from < end ? end : from;

	ti->restart = from - from % BLOCK_RESTART;
	for (uint32_t i = lo; i <= hi && ti->table->meta->assigned; i++)
		table_assign(ti->table, &ti->run.at[i - ti->restart]);
	ti->it.cur = at + (from - ti->restart);
	ti->it.first = at + (lo - ti->restart);
	ti->it.last = at + (hi - ti->restart);
	return 0;
}

/* In the direction of travel so many entries are left in the block, behind the run that is about to be decoded. */
static void table_iter_prepare_leaf(struct table_iter *ti, uint32_t leaf, uint32_t left)
{
	if (leaf >= ti->index->items || ti->flags & TABLE_NO_FILL || left > BLOCK_RESTART || (ti->beside && ti->beside_leaf == leaf))
		return;
	if (left > 0) {
		rcu_begin();
		block_foretell_child(ti->index, leaf);
		rcu_end();
		return;
	}
	block_unpin(ti->beside);
	ti->beside = block_cache_pin_child(ti->table->cache, ti->index, ti->table->meta->number, leaf);
	ti->beside_leaf = leaf;
}

static int table_iter_emit_forward(struct table_iter *ti, uint32_t i)
{
	uint32_t items = ti->data->items, end = i - i % BLOCK_RESTART + BLOCK_RESTART;
	uint32_t more = end + BLOCK_RESTART < items ? end + BLOCK_RESTART : items;

	if (end < items)
		block_reader_foretell(ti->data, end, more - 1);
	table_iter_prepare_leaf(ti, ti->at.leaf + 1, end < items ? items - end : 0);
	if (end >= items && ti->beside)
		block_reader_foretell(ti->beside, 0, (ti->beside->items < BLOCK_RESTART ? ti->beside->items : BLOCK_RESTART) - 1);
	return table_iter_emit(ti, i, (end < items ? end : items) - 1);
}

static int table_iter_emit_backward(struct table_iter *ti, uint32_t i)
{
	uint32_t begin = i - i % BLOCK_RESTART;

	if (begin > 0)
		block_reader_foretell(ti->data, begin - 1, begin - BLOCK_RESTART);
	table_iter_prepare_leaf(ti, ti->at.leaf - 1, begin);
	if (begin == 0 && ti->beside)
		block_reader_foretell(ti->beside, ti->beside->items - 1, (ti->beside->items - 1) & ~(uint32_t)(BLOCK_RESTART - 1));
	return table_iter_emit(ti, i, begin);
}

static uint32_t table_iter_ordinal(const struct table_iter *ti)
{
	return ti->restart + (uint32_t)(ti->it.cur - ti->run.at);
}

static int table_iter_child(struct table_iter *ti, enum table_block_kind kind, struct block **out)
{
	/* a partition stands behind its blocks: reading ahead from there would throw the window away */
	struct table_ahead *ahead = kind == TABLE_DATA && ti->flags & TABLE_NO_FILL ? &ti->ahead : NULL;

	return table_child(ti->table, kind, &ti->at, ti->flags, ahead, out);
}

/* Stands before the partition's blocks. */
static int table_iter_enter_part(struct table_iter *ti, uint32_t part)
{
	int rc;

	(void)table_iter_nowhere(ti, 0);
	ti->at.part = part;
	rc = table_iter_child(ti, TABLE_INDEX, &ti->index);
	if (rc != 0) {
		ti->index = NULL;
		return rc;
	}
	ti->at.index = ti->index;
	return 0;
}

static int table_iter_enter_leaf(struct table_iter *ti, uint32_t leaf)
{
	int rc;

	block_unpin(ti->data);
	ti->data = NULL;
	ti->at.leaf = leaf;
	if (ti->beside && ti->beside_leaf == leaf) {
		ti->data = ti->beside;
		ti->beside = NULL;
		block_cache_count(ti->table->cache, true);
		return 0;
	}
	rc = table_iter_child(ti, TABLE_DATA, &ti->data);
	if (rc != 0) {
		ti->data = NULL;
		return table_iter_nowhere(ti, rc);
	}
	return 0;
}

/* The first entry of the block after this one. */
static int table_iter_next_leaf(struct table_iter *ti)
{
	uint32_t leaf = ti->at.leaf + 1;
	int rc;

	if (leaf == ti->index->items) {
		if (ti->at.part + 1 == ti->at.top->items)
			return table_iter_nowhere(ti, SILT_END);
		rc = table_iter_enter_part(ti, ti->at.part + 1);
		if (rc != 0)
			return rc;
		leaf = 0;
	}
	rc = table_iter_enter_leaf(ti, leaf);
	return rc == 0 ? table_iter_emit_forward(ti, 0) : rc;
}

/* The last entry of the block before this one. */
static int table_iter_prev_leaf(struct table_iter *ti)
{
	uint32_t leaf = ti->at.leaf;
	int rc;

	if (leaf == 0) {
		if (ti->at.part == 0)
			return table_iter_nowhere(ti, SILT_END);
		rc = table_iter_enter_part(ti, ti->at.part - 1);
		if (rc != 0)
			return rc;
		leaf = ti->index->items;
	}
	rc = table_iter_enter_leaf(ti, leaf - 1);
	return rc == 0 ? table_iter_emit_backward(ti, ti->data->items - 1) : rc;
}

static int table_iter_ready(struct table_iter *ti)
{
	int rc = table_open(ti->table);

	ti->at.top = rc == 0 ? ti->table->root.top : NULL;
	if (rc == 0 && !ti->at.top)
		rc = SILT_END;            /* only range deletes */
	return rc == 0 ? 0 : table_iter_nowhere(ti, rc);
}

static int table_iter_first(struct iter *it)
{
	struct table_iter *ti = table_iter_of(it);
	int rc = table_iter_ready(ti);

	if (rc == 0)
		rc = table_iter_enter_part(ti, 0);
	if (rc == 0)
		rc = table_iter_enter_leaf(ti, 0);
	return rc == 0 ? table_iter_emit_forward(ti, 0) : rc;
}

static int table_iter_last(struct iter *it)
{
	struct table_iter *ti = table_iter_of(it);
	int rc = table_iter_ready(ti);

	if (rc == 0)
		rc = table_iter_enter_part(ti, ti->at.top->items - 1);
	if (rc == 0)
		rc = table_iter_enter_leaf(ti, ti->index->items - 1);
	return rc == 0 ? table_iter_emit_backward(ti, ti->data->items - 1) : rc;
}

/*
 * To the block of the partition at ti->at.part that the target is in, or in the gap between whose last entry and separator it is; *out = how
 * many of the block's entries are before it.
 */
static int table_iter_find(struct table_iter *ti, struct silt_slice key, uint64_t version, uint32_t *out)
{
	uint32_t leaf = index_find(ti->index, key, version);
	int rc;

	if (leaf == ti->index->items) {
		rc = report(&ti->table->env->rep, SILT_E_CORRUPT, "%s: partition %u ends before its separator",
		            ti->table->file.path, ti->at.part);
		return table_iter_nowhere(ti, rc);
	}
	rc = table_iter_enter_leaf(ti, leaf);
	if (rc == 0)
		*out = block_reader_seek(ti->data, key, version);
	return rc;
}

/* SILT_END: the target is behind all entries. */
static int table_iter_find_part(struct table_iter *ti, struct silt_slice key, uint64_t version, uint32_t *out)
{
	uint32_t part = index_find(ti->at.top, key, version);
	int rc;

	if (part == ti->at.top->items)
		return table_iter_nowhere(ti, SILT_END);
	rc = table_iter_enter_part(ti, part);
	return rc == 0 ? table_iter_find(ti, key, version, out) : rc;
}

static int table_iter_target(struct table_iter *ti, struct silt_slice key, uint64_t version, uint32_t *out)
{
	struct block *before = ti->data;  /* held to the end: key may be it.cur's own */
	int rc;

	ti->data = NULL;
	rc = table_iter_ready(ti);
	if (rc == 0)
		rc = table_iter_find_part(ti, key, table_stored_version(ti->table, version), out);
	block_unpin(before);
	return rc;
}

static int table_iter_seek(struct iter *it, struct silt_slice key, uint64_t version)
{
	struct table_iter *ti = table_iter_of(it);
	uint32_t i;
	int rc = table_iter_target(ti, key, version, &i);

	if (rc != 0)
		return rc;
	return i < ti->data->items ? table_iter_emit(ti, i, i) : table_iter_next_leaf(ti);
}

static int table_iter_before(struct iter *it, struct silt_slice key, uint64_t version)
{
	struct table_iter *ti = table_iter_of(it);
	uint32_t i;
	int rc = table_iter_target(ti, key, version, &i);

	if (rc == SILT_END)
		return table_iter_last(it);
	if (rc != 0)
		return rc;
	return i > 0 ? table_iter_emit(ti, i - 1, i - 1) : table_iter_prev_leaf(ti);
}

static int table_iter_next(struct iter *it)
{
	struct table_iter *ti = table_iter_of(it);
	uint32_t i;

	if (!ti->data)
		return SILT_END;
	i = table_iter_ordinal(ti) + 1;
	return i < ti->data->items ? table_iter_emit_forward(ti, i) : table_iter_next_leaf(ti);
}

static int table_iter_prev(struct iter *it)
{
	struct table_iter *ti = table_iter_of(it);
	uint32_t i;

	if (!ti->data)
		return SILT_END;
	i = table_iter_ordinal(ti);
	return i > 0 ? table_iter_emit_backward(ti, i - 1) : table_iter_prev_leaf(ti);
}

static void table_iter_drop(void *block)
{
	block_unpin(block);
}

static void table_iter_pin(struct iter *it, struct iter_pin *out)
{
	*out = (struct iter_pin){ block_pin_again(table_iter_of(it)->data), table_iter_drop };
}

static void table_iter_close(struct iter *it)
{
	struct table_iter *ti = table_iter_of(it);

	(void)table_iter_nowhere(ti, 0);
	table_ahead_fini(&ti->ahead);
	table_unref(ti->table);
	mem_free(ti);
}

int table_iter_new(struct table *t, unsigned flags, struct iter **out)
{
	static const struct iter_ops ops = {
		.first = table_iter_first,
		.last = table_iter_last,
		.seek = table_iter_seek,
		.before = table_iter_before,
		.next = table_iter_next,
		.prev = table_iter_prev,
		.pin = table_iter_pin,
		.close = table_iter_close,
	};
	struct table_iter *ti;

	if (flags & TABLE_CACHED_ONLY)
		return SILT_E_MISUSE;    /* a cursor stays on its block from call to call: it pins */
	ti = mem_alloc(sizeof(*ti));
	if (!ti)
		return SILT_E_NOMEM;
	memset(ti, 0, offsetof(struct table_iter, run));
	ti->it.ops = &ops;
	ti->table = table_ref(t);
	ti->flags = flags;
	*out = &ti->it;
	return 0;
}
