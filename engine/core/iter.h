/* SPDX-License-Identifier: Apache-2.0 */
/*
 * iter.h - the one shape of an internal cursor: over a memtable, a table, a level, a merge of them. It yields every version.
 *
 * Moves return 0 (stands on `cur`), SILT_END (past either end; then only first, last, seek and before may follow) or < 0 (broken;
 * then the same). What `cur` points to is borrowed until the next move through `ops`, or close. Order is core/key.h's.
 *
 * Runs      A cursor gives more than it was asked for: [first, last] are neighbours of cur that are at hand, in order, with none
 *           between them. Whoever holds the cursor steps inside by moving `cur` (iter_next(), iter_prev()), and calls the cursor only at
 *           the run's ends.
 *
 *               first            cur                      last
 *                 b@4    c@9     c@7     d@2     f@5      g@1        next: cur++ up to g@1, then ops->next
 *
 *           A cursor over another one lends that one's run on, or a part of it (iter_lend()), and before it moves the inner one says
 *           how far its own holder went (iter_return()). Past the ends, and when broken, the run has no steps: first == cur == last.
 */
#ifndef CORE_ITER_H
#define CORE_ITER_H

#include "core/entry.h"

struct iter;
struct iter_pin;
struct iter_ops {
	int (*first)(struct iter *it);
	int (*last)(struct iter *it);
	int (*seek)(struct iter *it, struct silt_slice key, uint64_t version);  /* first entry at or after (key, version) in key_cmp order */
	int (*before)(struct iter *it, struct silt_slice key, uint64_t version);/* last entry before it */
	int (*next)(struct iter *it);                                           /* from the run's last: call iter_next() */
	int (*prev)(struct iter *it);                                           /* from its first: call iter_prev() */
	void (*pin)(struct iter *it, struct iter_pin *out);                     /* NULL where nobody asks; see iter_pin */
	void (*close)(struct iter *it);                                         /* frees it */
};

struct iter {                     /* embedded first in each kind */
	const struct iter_ops *ops;
	const struct entry *cur;
	const struct entry *first, *last;
};

/* Value and metadata of cur stay where they are until iter_unpin(), whatever becomes of the cursor. The key does not. */
struct iter_pin {                 /* begins as {0} */
	void *what;
	void (*drop)(void *what);
};

static inline int iter_next(struct iter *it)
{
	if (it->cur == it->last)
		return it->ops->next(it);
	it->cur++;
	return 0;
}

static inline int iter_prev(struct iter *it)
{
	if (it->cur == it->first)
		return it->ops->prev(it);
	it->cur--;
	return 0;
}

/* Stands on e, with nothing else at hand. */
static inline void iter_stand(struct iter *it, const struct entry *e)
{
	it->cur = it->first = it->last = e;
}

/* inner made a move that returned rc: it stands where inner does, with the same run. */
static inline int iter_lend(struct iter *it, const struct iter *inner, int rc)
{
	if (rc != 0) {
		iter_stand(it, NULL);
		return rc;
	}
	it->cur = inner->cur;
	it->first = inner->first;
	it->last = inner->last;
	return 0;
}

/* The run that was lent comes back. */
static inline struct iter *iter_return(const struct iter *it, struct iter *inner)
{
	inner->cur = it->cur;
	return inner;
}

/* `before` of those that have no better way. */
static inline int iter_before(struct iter *it, struct silt_slice key, uint64_t version)
{
	int rc = it->ops->seek(it, key, version);

	if (rc == SILT_END)
		return it->ops->last(it);
	return rc == 0 ? iter_prev(it) : rc;
}

static inline void iter_unpin(struct iter_pin *p)
{
	if (p->what)
		p->drop(p->what);
	p->what = NULL;
}

static inline void iter_close(struct iter *it)
{
	if (it)
		it->ops->close(it);
}

#endif
