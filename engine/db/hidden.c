/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hidden.c - gathering what is hidden, and passing over it.
 *
 *      list            [b..........m)@9        [q......t)@4
 *      a table to 7     c d e     k l   n o      r s u           forward: n o r s u       r and s may be newer than 4: looked at
 *      a level of       [c..e]7 [f..i]12 [j..o]3                 forward: f g h i n o     only up to the table that may be newer
 *
 * The list costs a sort of all fragments. So the last whole one is kept with its view: readers between two range deletes share it.
 *
 * A level's tables are asked as they lie: the jump ends at the first table on the way that holds anything as new as the range delete.
 */
#include "db/hidden.h"

#include "db/db.h"

/* ---- the list -------------------------------------------------------------------------------------------------------- */

struct hidden_gather {
	struct tombstones_builder b;
	struct silt_slice lower, upper;
	uint64_t version;
	bool newer;                       /* some are above the version */
};

static int hidden_add(void *ctx, struct silt_slice lower, struct silt_slice upper, uint64_t version)
{
	struct hidden_gather *g = ctx;

	if (!tombstone_below(lower, g->upper) || !tombstone_below(g->lower, upper))
		return 0;
	return tombstones_add(&g->b, lower, upper, version);
}

static int hidden_add_memtable(struct hidden_gather *g, struct memtable *m)
{
	g->newer |= memtable_newest_range(m) > g->version;
	return memtable_ranges(m, g->version, false, hidden_add, g);
}

static int hidden_add_table(struct hidden_gather *g, struct table *t)
{
	const struct table_meta *m = table_meta_of(t);
	const struct tombstones *l = NULL;
	int rc;

	if (m->range_deletes == 0 || slice_cmp(m->largest, g->lower) < 0 || !tombstone_below(m->smallest, g->upper))
		return 0;
	g->newer |= m->max_version > g->version;      /* perhaps an entry: then too much is said, and a list is not kept */
	if (m->min_version > g->version)
		return 0;
	rc = table_tombstones(t, &l);
	for (size_t i = l ? tombstones_find(l, g->lower) : 0; l && i < l->n && rc == 0; i++) {
		uint64_t version = tombstone_newest(&l->at[i], g->version);

		if (!tombstone_below(l->at[i].lower, g->upper))
			break;
		if (version)
			rc = hidden_add(g, l->at[i].lower, l->at[i].upper, version);
	}
	return rc;
}

static int hidden_gather(struct hidden_gather *g, struct view *v)
{
	int rc = v->active ? hidden_add_memtable(g, v->active) : 0;

	for (size_t i = 0; i < v->sealed_count && rc == 0; i++)
		rc = hidden_add_memtable(g, v->sealed[i]);
	for (int l = 0; l < SILT_LEVELS && v->set->range_tables; l++)
		for (size_t i = 0; i < v->set->version->levels[l].n && rc == 0; i++)
			rc = hidden_add_table(g, v->set->tables[l][i]);
	return rc;
}

static bool hidden_any(const struct view *v)
{
	bool any = v->set->range_tables > 0 || (v->active && memtable_newest_range(v->active) > 0);

	for (size_t i = 0; i < v->sealed_count && !any; i++)
		any = memtable_newest_range(v->sealed[i]) > 0;
	return any;
}

/*
 * Is the list that was made for one reader right for another? Below the first one's version: if none of its range deletes is above
 * the second. Above: if the view had none above the first, and only the active memtable takes new ones.
 */
static bool hidden_serves(const struct view *v, uint64_t version)
{
	const struct view_hidden *h = &v->hidden;

	if (!h->list)
		return false;
	if (version <= h->version)
		return h->list->max_version <= version;
	return h->all && (!v->active || memtable_newest_range(v->active) <= h->version);
}

static struct tombstones *hidden_kept(struct view *v, uint64_t version)
{
	struct tombstones *l;

	mutex_lock(&v->set->db->mu);
	l = hidden_serves(v, version) ? tombstones_ref(v->hidden.list) : NULL;
	mutex_unlock(&v->set->db->mu);
	return l;
}

static void hidden_keep(struct view *v, const struct hidden_gather *g, struct tombstones *l)
{
	struct tombstones *old;

	mutex_lock(&v->set->db->mu);
	old = v->hidden.list;
	v->hidden = (struct view_hidden){ tombstones_ref(l), g->version, !g->newer };
	mutex_unlock(&v->set->db->mu);
	tombstones_free(old);
}

int hidden_list(struct view *v, uint64_t version, struct silt_slice lower, struct silt_slice upper, struct tombstones **out)
{
	struct hidden_gather g = { .lower = lower, .upper = upper, .version = version };
	struct tombstones *l = NULL;
	int rc;

	*out = hidden_any(v) ? hidden_kept(v, version) : NULL;
	if (*out || !hidden_any(v))
		return 0;
	rc = hidden_gather(&g, v);
	if (rc == 0)
		rc = tombstones_build(&g.b, &version, 1, &l);
	tombstones_builder_fini(&g.b);
	if (rc == 0 && l && lower.len == 0 && upper.len == 0)
		hidden_keep(v, &g, l);
	if (rc == 0)
		*out = l;
	return rc;
}

/* ---- the cursor ------------------------------------------------------------------------------------------------------ */

enum {
	HIDDEN_JUMPS = 8,                 /* of one move: then it stands where it is, so that a move stays bounded */
	HIDDEN_JOIN = 64,                 /* fragments that one jump looks at */
};

struct hidden_iter {
	struct iter it;
	struct iter *inner;               /* owned */
	struct tombstones_cursor at;
	uint64_t newest;
	const struct version_level *level;
};

/* The newest version of the source where it stands. */
static uint64_t hidden_newest(const struct hidden_iter *h)
{
	size_t i;

	if (!h->level)
		return h->newest;
	i = version_lower(h->level, h->inner->cur->key);
	return i < h->level->n ? h->level->tables[i]->max_version : UINT64_MAX;
}

/* The fragment, if it is newer than all that the source holds here; *version = the oldest of those that the jump joins. */
static const struct tombstone *hidden_over(struct hidden_iter *h)
{
	const struct tombstone *t = tombstones_seek(&h->at, h->inner->cur->key);

	return t && t->versions[0] > hidden_newest(h) ? t : NULL;
}

/* Seeks to the first key behind what is hidden. */
static int hidden_jump_forward(struct hidden_iter *h, const struct tombstone *t)
{
	const struct tombstones *l = h->at.list;
	const struct tombstone *end = t + 1;
	uint64_t newest = hidden_newest(h), oldest = t->versions[0];
	struct silt_slice to;

	for (; end < l->at + l->n && end - t < HIDDEN_JOIN && end->versions[0] > newest && slice_eq(end->lower, end[-1].upper); end++)
		oldest = end->versions[0] < oldest ? end->versions[0] : oldest;
	to = end[-1].upper;
	for (size_t i = h->level ? version_lower(h->level, h->inner->cur->key) : 0; h->level && i < h->level->n; i++) {
		const struct table_meta *m = h->level->tables[i];

		if (!tombstone_below(m->smallest, to))
			break;
		if (m->max_version >= oldest)
			return h->inner->ops->seek(h->inner, m->smallest, UINT64_MAX);
	}
	return to.len ? h->inner->ops->seek(h->inner, to, UINT64_MAX) : SILT_END;
}

static int hidden_jump_backward(struct hidden_iter *h, const struct tombstone *t)
{
	const struct tombstones *l = h->at.list;
	const struct tombstone *begin = t;
	uint64_t newest = hidden_newest(h), oldest = t->versions[0];
	size_t i = h->level ? version_lower(h->level, h->inner->cur->key) + 1 : 0;

	for (; begin > l->at && t - begin < HIDDEN_JOIN && begin[-1].versions[0] > newest && slice_eq(begin->lower, begin[-1].upper); begin--)
		oldest = begin[-1].versions[0] < oldest ? begin[-1].versions[0] : oldest;
	while (i-- > 0) {
		const struct table_meta *m = h->level->tables[i];

		if (slice_cmp(m->largest, begin->lower) < 0)
			break;
		if (m->max_version >= oldest)
			return h->inner->ops->before(h->inner, m->largest, 0);        /* behind every version of it: none has version 0 */
	}
	return h->inner->ops->before(h->inner, begin->lower, UINT64_MAX);
}

/* inner made a move that returned rc. Its run is not lent on: each entry is asked about. */
static int hidden_stand(struct iter *it, int rc, int (*jump)(struct hidden_iter *h, const struct tombstone *t))
{
	struct hidden_iter *h = (struct hidden_iter *)it;

	for (int i = 0; rc == 0 && i < HIDDEN_JUMPS; i++) {
		const struct tombstone *t = hidden_over(h);

		if (!t)
			break;
		rc = jump(h, t);
	}
	iter_stand(it, rc == 0 ? h->inner->cur : NULL);
	return rc;
}

static struct iter *hidden_inner(const struct iter *it)
{
	return ((const struct hidden_iter *)it)->inner;
}

static int hidden_first(struct iter *it)
{
	struct iter *inner = hidden_inner(it);

	return hidden_stand(it, inner->ops->first(inner), hidden_jump_forward);
}

static int hidden_last(struct iter *it)
{
	struct iter *inner = hidden_inner(it);

	return hidden_stand(it, inner->ops->last(inner), hidden_jump_backward);
}

static int hidden_seek(struct iter *it, struct silt_slice key, uint64_t version)
{
	struct iter *inner = hidden_inner(it);

	return hidden_stand(it, inner->ops->seek(inner, key, version), hidden_jump_forward);
}

static int hidden_before(struct iter *it, struct silt_slice key, uint64_t version)
{
	struct iter *inner = hidden_inner(it);

	return hidden_stand(it, inner->ops->before(inner, key, version), hidden_jump_backward);
}

static int hidden_next(struct iter *it)
{
	struct iter *inner = hidden_inner(it);

	return hidden_stand(it, iter_next(inner), hidden_jump_forward);
}

static int hidden_prev(struct iter *it)
{
	struct iter *inner = hidden_inner(it);

	return hidden_stand(it, iter_prev(inner), hidden_jump_backward);
}

static void hidden_pin(struct iter *it, struct iter_pin *out)
{
	struct iter *inner = hidden_inner(it);

	inner->ops->pin(inner, out);
}

static void hidden_close(struct iter *it)
{
	iter_close(hidden_inner(it));
	mem_free(it);
}

int hidden_iter_new(struct iter *inner, const struct tombstones *list, uint64_t newest, const struct version_level *level,
                    struct iter **out)
{
	static const struct iter_ops ops = {
		.first = hidden_first,
		.last = hidden_last,
		.seek = hidden_seek,
		.before = hidden_before,
		.next = hidden_next,
		.prev = hidden_prev,
		.pin = hidden_pin,
		.close = hidden_close,
	};
	struct hidden_iter *h;

	if (!list || (!level && newest >= list->max_version)) {
		*out = inner;
		return 0;
	}
	h = mem_calloc(1, sizeof(*h));
	if (!h) {
		iter_close(inner);
		return SILT_E_NOMEM;
	}
	h->it.ops = &ops;
	h->inner = inner;
	h->at.list = list;
	h->newest = newest;
	h->level = level;
	*out = &h->it;
	return 0;
}
