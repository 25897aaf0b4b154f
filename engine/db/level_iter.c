/* SPDX-License-Identifier: Apache-2.0 */
/* level_iter.c - concatenation of disjoint tables. All versions of a key are in one table (version.h, invariant 2). */
#include "db/level_iter.h"

#include "base/mem.h"

struct level_iter {
	struct iter base;
	struct tableset *set;
	int level;
	unsigned flags;
	size_t at;                        /* the table that `child` is over */
	struct iter *child;               /* NULL = none open */
};

static size_t level_iter_count(const struct level_iter *it)
{
	return it->set->version->levels[it->level].n;
}

static int level_iter_open(struct level_iter *it, size_t i)
{
	int rc;

	if (it->child && it->at == i)
		return 0;
	iter_close(it->child);
	it->child = NULL;
	rc = table_iter_new(it->set->tables[it->level][i], it->flags, &it->child);
	it->at = i;
	return rc;
}

/* The child is past its end: on to the first entry of the tables behind it. */
static int level_iter_forward(struct level_iter *it, int rc)
{
	while (rc == SILT_END && it->at + 1 < level_iter_count(it)) {
		rc = level_iter_open(it, it->at + 1);
		if (rc == 0)
			rc = it->child->ops->first(it->child);
	}
	return iter_lend(&it->base, it->child, rc);
}

static int level_iter_backward(struct level_iter *it, int rc)
{
	while (rc == SILT_END && it->at > 0) {
		rc = level_iter_open(it, it->at - 1);
		if (rc == 0)
			rc = it->child->ops->last(it->child);
	}
	return iter_lend(&it->base, it->child, rc);
}

static int level_iter_first(struct iter *base)
{
	struct level_iter *it = (struct level_iter *)base;
	int rc = level_iter_open(it, 0);

	return level_iter_forward(it, rc == 0 ? it->child->ops->first(it->child) : rc);
}

static int level_iter_last(struct iter *base)
{
	struct level_iter *it = (struct level_iter *)base;
	int rc = level_iter_open(it, level_iter_count(it) - 1);

	return level_iter_backward(it, rc == 0 ? it->child->ops->last(it->child) : rc);
}

static int level_iter_seek(struct iter *base, struct silt_slice key, uint64_t version)
{
	struct level_iter *it = (struct level_iter *)base;
	size_t i = version_lower(&it->set->version->levels[it->level], key);
	int rc;

	if (i == level_iter_count(it))
		return SILT_END;
	rc = level_iter_open(it, i);
	return level_iter_forward(it, rc == 0 ? it->child->ops->seek(it->child, key, version) : rc);
}

/* All versions of the key are in the table where it would be: the others behind that one have nothing before it. */
static int level_iter_before(struct iter *base, struct silt_slice key, uint64_t version)
{
	struct level_iter *it = (struct level_iter *)base;
	size_t i = version_lower(&it->set->version->levels[it->level], key);
	int rc;

	if (i == level_iter_count(it))
		return base->ops->last(base);
	rc = level_iter_open(it, i);
	return level_iter_backward(it, rc == 0 ? it->child->ops->before(it->child, key, version) : rc);
}

static int level_iter_next(struct iter *base)
{
	struct level_iter *it = (struct level_iter *)base;

	return level_iter_forward(it, iter_next(iter_return(base, it->child)));
}

static int level_iter_prev(struct iter *base)
{
	struct level_iter *it = (struct level_iter *)base;

	return level_iter_backward(it, iter_prev(iter_return(base, it->child)));
}

static void level_iter_pin(struct iter *base, struct iter_pin *out)
{
	struct level_iter *it = (struct level_iter *)base;

	it->child->ops->pin(it->child, out);
}

static void level_iter_close(struct iter *base)
{
	struct level_iter *it = (struct level_iter *)base;

	iter_close(it->child);
	mem_free(it);
}

static const struct iter_ops level_iter_ops = {
	.first = level_iter_first,
	.last = level_iter_last,
	.seek = level_iter_seek,
	.before = level_iter_before,
	.next = level_iter_next,
	.prev = level_iter_prev,
	.pin = level_iter_pin,
	.close = level_iter_close,
};

int level_iter_new(struct tableset *set, int level, unsigned table_flags, struct iter **out)
{
	struct level_iter *it = mem_calloc(1, sizeof(*it));

	if (!it)
		return SILT_E_NOMEM;
	it->base.ops = &level_iter_ops;
	it->set = set;
	it->level = level;
	it->flags = table_flags;
	*out = &it->base;
	return 0;
}
