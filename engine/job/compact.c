/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compact.c - one pick: read in key_cmp order, keep or drop, write.
 *
 *           inputs of `level`         [c......m]
 *           inputs of output_level   [a..d][e..h][k..p]
 *           outputs                  [a..........g][h..p]     cut between keys
 *           the level below          [a......g][h..........z] grandparents
 *
 * Cuts      where a table is full (output.h); from half of that on, where a table of the level below ended, so that later the output meets as few
 *           of them as it can; and wherever it has come to overlap COMPACT_GRANDPARENTS tables' worth of them: a later
 *           compaction of one output stays small. Never within a key (version.h, rule 2).
 * Ranges    range deletes of all inputs make one list, for the readers of the moment; entries are judged by it (keep.h), and what is
 *           left of it is dealt out over the outputs (output.h). An input that lies in it whole, seen by no reader, is not
 *           read at all: what a range delete is for.
 * Bottom    a cursor in each level below the output moves along with the keys: nothing older lies below, if none covers the key.
 */
#include "job/compact.h"

#include <inttypes.h>

#include "base/mem.h"
#include "core/merge.h"
#include "job/output.h"

enum {
	COMPACT_LOOK_EVERY = 256,         /* entries between looks at should_stop */
	COMPACT_GRANDPARENTS = 10,        /* tables' worth of the next level that an output may overlap */
};

struct compact {
	struct job *job;
	const struct version *v;
	const struct pick *p;
	struct output out;
	struct keep keep;
	struct tombstones *ranges;        /* of all inputs; NULL = none */
	uint64_t unread;                  /* entries of inputs that are not read */
	struct table_meta **read;         /* [read_n] of the pick's inputs, borrowed */
	size_t read_n;
	struct silt_buf key;              /* of the last entry that was read */
	bool have_key, bottom;            /* of that key */
	size_t below[SILT_LEVELS];        /* by level: the first table whose largest key is not before the last key */
	uint64_t grandparent_bytes;       /* of those passed since the last cut */
	bool grandparent_ended;           /* one ended between the last key and the one before */
};

/* ---- inputs ---------------------------------------------------------------------------------------------------------- */

/*
 * A cursor over inputs that follow each other without overlap, one of them open at a time: a level's share of a large compaction costs one
 * window of read-ahead, and one place in the merge. It tells whose bytes were bad. Only forwards.
 */
struct compact_input {
	struct iter it;
	struct table_cache *tables;
	struct table_meta *const *metas;  /* borrowed from compact::read */
	size_t n, at;
	struct table *table;              /* a reference, of metas[at]; NULL = none is open */
	struct iter *inner;               /* owned */
	uint64_t *damaged;                /* job_counts::damaged_table */
};

static int compact_input_stand(struct compact_input *in, int rc)
{
	if (rc == SILT_E_CORRUPT && *in->damaged == 0)
		*in->damaged = in->metas[in->at]->number;
	return iter_lend(&in->it, in->inner, rc);
}

static void compact_input_leave(struct compact_input *in)
{
	iter_close(in->inner);
	if (in->table)
		table_cache_put(in->tables, in->table);
	in->inner = NULL;
	in->table = NULL;
}

/* The first entry of metas[at], or of the first behind it that has one. */
static int compact_input_enter(struct compact_input *in, size_t at)
{
	int rc = SILT_END;

	for (; at < in->n && rc == SILT_END; at++) {
		compact_input_leave(in);
		in->at = at;
		rc = table_cache_get(in->tables, in->metas[at], &in->table);
		if (rc == 0)
			rc = table_iter_new(in->table, TABLE_NO_FILL, &in->inner);
		if (rc == 0)
			rc = in->inner->ops->first(in->inner);
	}
	return compact_input_stand(in, rc);
}

static int compact_input_first(struct iter *it)
{
	return compact_input_enter((struct compact_input *)it, 0);
}

static int compact_input_next(struct iter *it)
{
	struct compact_input *in = (struct compact_input *)it;
	int rc = iter_next(iter_return(it, in->inner));

	return rc == SILT_END ? compact_input_enter(in, in->at + 1) : compact_input_stand(in, rc);
}

static int compact_input_back(struct iter *it)
{
	(void)it;
	return SILT_E_MISUSE;
}

static int compact_input_seek(struct iter *it, struct silt_slice key, uint64_t version)
{
	(void)it;
	(void)key;
	(void)version;
	return SILT_E_MISUSE;
}

static void compact_input_close(struct iter *it)
{
	compact_input_leave((struct compact_input *)it);
	mem_free(it);
}

static const struct iter_ops compact_input_ops = {
	.first = compact_input_first,
	.last = compact_input_back,
	.seek = compact_input_seek,
	.before = compact_input_seek,
	.next = compact_input_next,
	.prev = compact_input_back,
	.close = compact_input_close,
};

static int compact_input_new(struct job *job, struct table_meta *const *metas, size_t n, uint64_t *damaged, struct iter **out)
{
	struct compact_input *in = mem_calloc(1, sizeof(*in));

	if (!in)
		return SILT_E_NOMEM;
	in->it.ops = &compact_input_ops;
	in->tables = job->tables;
	in->metas = metas;
	in->n = n;
	in->damaged = damaged;
	*out = &in->it;
	return 0;
}

/* What of m's versions a range delete must be newer than, and seen by the same readers. */
static bool compact_hides(const struct compact *c, const struct tombstone *t, const struct table_meta *m)
{
	const struct keep_rules *r = &c->job->keep;
	uint64_t above = tombstone_above(t, m->max_version);

	if (above == 0)
		return false;
	for (size_t i = 0; i < r->snapshot_count; i++)
		if (r->snapshots[i] >= m->min_version)
			return r->snapshots[i] >= above;          /* the first reader that sees the oldest of m sees the range delete */
	return false;
}

/* Does the list hide all that m's range holds? Fragments must follow each other without a gap. */
static bool compact_is_hidden(const struct compact *c, const struct table_meta *m)
{
	const struct tombstones *l = c->ranges;
	size_t i = l ? tombstones_find(l, m->smallest) : 0;

	if (!l || i == l->n || slice_cmp(l->at[i].lower, m->smallest) > 0)
		return false;
	for (;; i++) {
		if (!compact_hides(c, &l->at[i], m))
			return false;
		if (tombstone_below(m->largest, l->at[i].upper))
			return true;
		if (i + 1 == l->n || !slice_eq(l->at[i].upper, l->at[i + 1].lower))
			return false;
	}
}

/* What is to be read, in the pick's order; the rest is counted as read. */
static int compact_choose_inputs(struct compact *c)
{
	const struct pick *p = c->p;

	c->read = mem_array(p->input_n, sizeof(*c->read));
	if (!c->read)
		return SILT_E_NOMEM;
	for (size_t i = 0; i < p->input_n; i++) {
		if (compact_is_hidden(c, p->inputs[i])) {
			c->unread += p->inputs[i]->entries;
			continue;
		}
		c->out.counts->bytes_read += p->inputs[i]->size;
		c->read[c->read_n++] = p->inputs[i];
	}
	return 0;
}

/* The end of the run that begins at i. */
static size_t compact_run_end(const struct compact *c, size_t i)
{
	for (i++; i < c->read_n && slice_cmp(c->read[i - 1]->largest, c->read[i]->smallest) < 0; i++)
		;
	return i;
}

static int compact_open_inputs(struct compact *c, uint64_t *damaged, struct iter **out)
{
	struct iter **children = mem_calloc(c->p->input_n, sizeof(*children));
	int rc = children ? compact_choose_inputs(c) : SILT_E_NOMEM;
	size_t n = 0;

	for (size_t i = 0, end; rc == 0 && i < c->read_n; i = end) {
		end = compact_run_end(c, i);
		rc = compact_input_new(c->job, c->read + i, end - i, damaged, &children[n]);
		n += rc == 0;
	}
	if (rc == 0)
		rc = merge_iter_new(children, n, out);
	else
		while (n > 0)
			iter_close(children[--n]);
	mem_free(children);
	return rc;
}

/* The lists stay with their tables; what is built of them is a copy. */
static int compact_add_ranges(struct job *job, struct table_meta *m, struct tombstones_builder *b, struct table **out)
{
	const struct tombstones *l = NULL;
	int rc = table_cache_get(job->tables, m, out);

	if (rc == 0)
		rc = table_tombstones(*out, &l);
	return rc == 0 ? tombstones_add_list(b, l) : rc;
}

static int compact_gather_ranges(struct compact *c, uint64_t *damaged)
{
	const struct keep_rules *r = &c->job->keep;
	struct table **held = mem_calloc(c->p->input_n, sizeof(*held));
	struct tombstones_builder b = { 0 };
	int rc = held ? 0 : SILT_E_NOMEM;

	for (size_t i = 0; rc == 0 && i < c->p->input_n; i++) {
		if (c->p->inputs[i]->range_deletes)
			rc = compact_add_ranges(c->job, c->p->inputs[i], &b, &held[i]);
		if (rc == SILT_E_CORRUPT)
			*damaged = c->p->inputs[i]->number;
	}
	if (rc == 0)
		rc = tombstones_build(&b, r->snapshots, r->snapshot_count, &c->ranges);
	tombstones_builder_fini(&b);
	for (size_t i = 0; held && i < c->p->input_n; i++)
		table_cache_put(c->job->tables, held[i]);
	mem_free(held);
	return rc;
}

/* May a table below the output hold a key of the range? */
static bool compact_deep(void *ctx, struct silt_slice lower, struct silt_slice upper)
{
	const struct compact *c = ctx;

	for (int l = c->p->output_level + 1; l < SILT_LEVELS; l++) {
		size_t first, last;

		version_overlap(&c->v->levels[l], lower, tombstone_last(upper), &first, &last);
		if (first < last)
			return true;
	}
	return false;
}

/* ---- where a key stands ---------------------------------------------------------------------------------------------- */

/* Moves the cursor of a level to the key: is there a table that covers it? */
static bool compact_covered(struct compact *c, int level, struct silt_slice key)
{
	const struct version_level *l = &c->v->levels[level];
	size_t *at = &c->below[level];

	while (*at < l->n && slice_cmp(l->tables[*at]->largest, key) < 0) {
		if (level == c->p->output_level + 1) {
			c->grandparent_bytes += l->tables[*at]->size;
			c->grandparent_ended = true;
		}
		++*at;
	}
	return *at < l->n && slice_cmp(l->tables[*at]->smallest, key) <= 0;
}

static void compact_look_below(struct compact *c, struct silt_slice key)
{
	c->bottom = true;
	c->grandparent_ended = false;
	for (int l = c->p->output_level + 1; l < SILT_LEVELS; l++)
		if (compact_covered(c, l, key))
			c->bottom = false;
}

static bool compact_wants_cut(const struct compact *c)
{
	uint64_t size = c->job->env->opts.table_size;

	return output_full(&c->out) || (c->grandparent_ended && output_bytes(&c->out) >= size / 2) ||
	       c->grandparent_bytes >= COMPACT_GRANDPARENTS * size;
}

/* A key that is not the last one: what lies below it, and whether the open table ends before it. */
static int compact_enter_key(struct compact *c, struct silt_slice key)
{
	if (buf_set(&c->key, key) < 0)
		return SILT_E_NOMEM;
	c->have_key = true;
	compact_look_below(c, key);
	if (!compact_wants_cut(c))
		return 0;
	c->grandparent_bytes = 0;
	return output_cut(&c->out);
}

/* ---- the run --------------------------------------------------------------------------------------------------------- */

static int compact_entry(struct compact *c, const struct entry *e)
{
	struct entry out = *e;
	enum keep_verdict verdict;
	int rc = 0;

	if (!c->have_key || !slice_eq(buf_slice(&c->key), e->key))
		rc = compact_enter_key(c, e->key);
	if (rc == 0)
		rc = keep_decide(&c->keep, e, c->bottom, &verdict);
	if (rc < 0 || verdict == KEEP_NOT)
		return rc;
	if (verdict == KEEP_AS_DELETE)
		out = (struct entry){ .key = e->key, .version = e->version, .kind = ENTRY_DELETE };
	return output_add(&c->out, &out);
}

static int compact_entries(struct compact *c, struct iter *it)
{
	struct job *job = c->job;
	int rc;

	for (rc = it->ops->first(it); rc == 0; rc = iter_next(it)) {
		rc = compact_entry(c, it->cur);
		if (rc < 0)
			return rc;
		if (++c->out.counts->entries_in % COMPACT_LOOK_EVERY)
			continue;
		if (job->should_stop(job->ctx))
			return SILT_E_CLOSED;
		output_pace(&c->out);
	}
	return rc == SILT_END ? output_end(&c->out) : rc;
}

/* Rule 1. */
static int compact_check(const struct compact *c)
{
	const struct job_counts *n = c->out.counts;
	uint64_t expected = 0, dropped = c->keep.dropped + c->unread;

	for (size_t i = 0; i < c->p->input_n; i++)
		expected += c->p->inputs[i]->entries;
	if (n->entries_in + c->unread == expected && expected == n->entries_out + dropped)
		return 0;
	return report(&c->job->env->rep, SILT_E_CORRUPT, "compaction: of %" PRIu64 " entries %" PRIu64 " were read, %" PRIu64
	              " written, %" PRIu64 " dropped", expected, n->entries_in, n->entries_out, dropped);
}

static int compact_drop_inputs(const struct pick *p, struct edit *edit)
{
	size_t before = edit->drop_count;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < p->input_n; i++)
		rc = edit_drop_table(edit, i < p->upper_n ? p->level : p->output_level, p->inputs[i]->number);
	if (rc < 0)
		edit->drop_count = before;
	return rc;
}

static int compact_offer(struct compact *c, struct edit *edit)
{
	size_t before = edit->drop_count;
	int rc = compact_drop_inputs(c->p, edit);

	if (rc < 0)
		return rc;
	rc = output_offer(&c->out, c->p->output_level, edit);
	if (rc < 0)
		edit->drop_count = before;
	return rc;
}

static int compact_move(const struct pick *p, struct edit *edit)
{
	int rc = compact_drop_inputs(p, edit);

	if (rc < 0)
		return rc;
	rc = edit_add_table(edit, p->output_level, p->inputs[0]);
	if (rc < 0)
		edit->drop_count--;
	return rc;
}

/* The last level that holds anything, now or by this run, is worth the better compression. */
static enum silt_compression compact_compression(const struct job *job, const struct version *v, const struct pick *p)
{
	for (int l = p->output_level + 1; l < SILT_LEVELS; l++)
		if (v->levels[l].n > 0)
			return job->env->opts.compression;
	return job->env->opts.compression_bottom;
}

static int compact_merge(struct compact *c, struct edit *edit)
{
	struct job_counts *counts = c->out.counts;
	struct iter *it = NULL;
	int rc = compact_gather_ranges(c, &counts->damaged_table);

	c->keep.ranges.list = c->ranges;
	output_ranges(&c->out, c->ranges, compact_deep, c);
	if (rc == 0)
		rc = compact_open_inputs(c, &counts->damaged_table, &it);
	if (rc == 0)
		rc = compact_entries(c, it);
	iter_close(it);
	if (rc == 0)
		rc = compact_check(c);
	if (rc == 0)
		rc = compact_offer(c, edit);
	return rc;
}

int compact_run(struct job *job, const struct version *v, const struct pick *p, struct edit *edit, struct job_counts *counts)
{
	struct compact c = { .job = job, .v = v, .p = p };
	int rc;

	memset(counts, 0, sizeof(*counts));
	if (p->move)
		return compact_move(p, edit);
	output_init(&c.out, job, compact_compression(job, v, p), counts);
	keep_init(&c.keep, &job->keep);
	rc = compact_merge(&c, edit);
	counts->dropped = c.keep.dropped + c.unread;
	counts->expired = c.keep.expired;
	keep_fini(&c.keep);
	buf_fini(&c.key);
	output_fini(&c.out);
	mem_free(c.read);
	tombstones_free(c.ranges);
	return rc;
}
