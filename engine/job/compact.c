/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compact.c - one pick: read in key_cmp order, keep or drop, write.
 *
 *           inputs of `level`         [c......m]
 *           inputs of output_level   [a..d][e..h][k..p]
 *           outputs                  [a..........g][h..p]     cut between keys
 *           the level below          [a......g][h..........z] grandparents
 *
 * Cuts      at table_size; from half of that on, where a table of the level below ended, so that later the output meets as few
 *           of them as it can; and wherever it has come to overlap COMPACT_GRANDPARENTS tables' worth of them: a later
 *           compaction of one output stays small. Never within a key (version.h, rule 2).
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
	struct silt_buf key;              /* of the last entry that was read */
	bool have_key, bottom;            /* of that key */
	size_t below[SILT_LEVELS];        /* by level: the first table whose largest key is not before the last key */
	uint64_t grandparent_bytes;       /* of those passed since the last cut */
	bool grandparent_ended;           /* one ended between the last key and the one before */
};

/* ---- inputs ---------------------------------------------------------------------------------------------------------- */

/* A table's cursor that tells whose bytes were bad. */
struct compact_input {
	struct iter it;
	struct iter *inner;               /* owned */
	struct table_cache *tables;
	struct table *table;              /* a reference */
	uint64_t number;
	uint64_t *damaged;                /* job_counts::damaged_table */
};

static int compact_input_stand(struct compact_input *in, int rc)
{
	if (rc == 0)
		in->it.cur = in->inner->cur;
	if (rc == SILT_E_CORRUPT && *in->damaged == 0)
		*in->damaged = in->number;
	return rc;
}

static int compact_input_first(struct iter *it)
{
	struct compact_input *in = (struct compact_input *)it;

	return compact_input_stand(in, in->inner->ops->first(in->inner));
}

static int compact_input_last(struct iter *it)
{
	struct compact_input *in = (struct compact_input *)it;

	return compact_input_stand(in, in->inner->ops->last(in->inner));
}

static int compact_input_seek(struct iter *it, struct silt_slice key, uint64_t version)
{
	struct compact_input *in = (struct compact_input *)it;

	return compact_input_stand(in, in->inner->ops->seek(in->inner, key, version));
}

static int compact_input_next(struct iter *it)
{
	struct compact_input *in = (struct compact_input *)it;

	return compact_input_stand(in, in->inner->ops->next(in->inner));
}

static int compact_input_prev(struct iter *it)
{
	struct compact_input *in = (struct compact_input *)it;

	return compact_input_stand(in, in->inner->ops->prev(in->inner));
}

static void compact_input_close(struct iter *it)
{
	struct compact_input *in = (struct compact_input *)it;

	iter_close(in->inner);
	if (in->table)
		table_cache_put(in->tables, in->table);
	mem_free(in);
}

static const struct iter_ops compact_input_ops = {
	.first = compact_input_first,
	.last = compact_input_last,
	.seek = compact_input_seek,
	.next = compact_input_next,
	.prev = compact_input_prev,
	.close = compact_input_close,
};

static int compact_input_new(struct job *job, struct table_meta *m, uint64_t *damaged, struct iter **out)
{
	struct compact_input *in = mem_calloc(1, sizeof(*in));
	int rc;

	if (!in)
		return SILT_E_NOMEM;
	in->it.ops = &compact_input_ops;
	in->tables = job->tables;
	in->number = m->number;
	in->damaged = damaged;
	rc = table_cache_get(job->tables, m, &in->table);
	if (rc == 0)
		rc = compact_input_stand(in, table_iter_new(in->table, TABLE_NO_FILL, &in->inner));
	if (rc < 0) {
		compact_input_close(&in->it);
		return rc;
	}
	*out = &in->it;
	return 0;
}

static int compact_open_inputs(struct job *job, const struct pick *p, uint64_t *damaged, struct iter **out)
{
	struct iter **children = mem_calloc(p->input_n, sizeof(*children));
	size_t n = 0;
	int rc = children ? 0 : SILT_E_NOMEM;

	while (rc == 0 && n < p->input_n) {
		rc = compact_input_new(job, p->inputs[n], damaged, &children[n]);
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
	uint64_t size = c->job->env->opts.table_size, bytes = output_bytes(&c->out);

	return bytes >= size || (c->grandparent_ended && bytes >= size / 2) ||
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

	for (rc = it->ops->first(it); rc == 0; rc = it->ops->next(it)) {
		rc = compact_entry(c, &it->cur);
		if (rc < 0)
			return rc;
		if (++c->out.counts->entries_in % COMPACT_LOOK_EVERY)
			continue;
		if (job->should_stop(job->ctx))
			return SILT_E_CLOSED;
		output_pace(&c->out);
	}
	return rc == SILT_END ? output_cut(&c->out) : rc;
}

/* Rule 1. */
static int compact_check(const struct compact *c)
{
	const struct job_counts *n = c->out.counts;
	uint64_t expected = 0;

	for (size_t i = 0; i < c->p->input_n; i++)
		expected += c->p->inputs[i]->entries;
	if (n->entries_in == expected && n->entries_in == n->entries_out + c->keep.dropped)
		return 0;
	return report(&c->job->env->rep, SILT_E_CORRUPT, "compaction: of %" PRIu64 " entries %" PRIu64 " were read, %" PRIu64
	              " written, %" PRIu64 " dropped", expected, n->entries_in, n->entries_out, c->keep.dropped);
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
	int rc = compact_open_inputs(c->job, c->p, &counts->damaged_table, &it);

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
	for (size_t i = 0; i < p->input_n; i++)
		counts->bytes_read += p->inputs[i]->size;
	output_init(&c.out, job, compact_compression(job, v, p), counts);
	keep_init(&c.keep, &job->keep);
	rc = compact_merge(&c, edit);
	counts->dropped = c.keep.dropped;
	counts->expired = c.keep.expired;
	keep_fini(&c.keep);
	buf_fini(&c.key);
	output_fini(&c.out);
	return rc;
}
