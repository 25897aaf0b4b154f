/* SPDX-License-Identifier: Apache-2.0 */
/*
 * merge.c - a binary heap of the children, the next one to yield on top.
 *
 * Order     children are ordered by (key, version newest first, index of the child): total, so that even identical entries of
 *           two children come in one order, and in its reverse on the way back.
 * Turning   forward, every child in the heap stands on its first entry after what was yielded; backward, on its last one
 *           before. Turning round from `cur` therefore seeks each other child to cur's place and steps over it.
 * Runs      of the top's run so much is lent on as comes before the runner-up's entry: steps inside it ask nobody. Where children take
 *           turns entry by entry that search would be in vain, so it begins when one has stayed on top for a while.
 * Broken    a child that fails takes the whole merge with it (heap empty, `state` says why) until first, last or seek.
 * Source    Knuth, TAOCP 3, 5.4.1 (replacement at the root of a heap).
 */
#include "core/merge.h"
#include "base/mem.h"
#include "core/key.h"

enum { MERGE_STAYS = 2 };         /* yields in a row of one child, after which its run is looked at */

struct merge_child {
	struct key_head head;     /* of the key it stood on when it last moved */
	struct iter *it;          /* owned */
	size_t index;
};

struct merge {
	struct iter it;
	int direction;            /* 1 forward, -1 backward */
	int state;                /* what the last move returned */
	unsigned stays;           /* how often in a row the same child was on top, up to MERGE_STAYS */
	size_t n, live;
	struct merge_child *heap; /* [0, live) a heap; [live, n) those past their end, in any order */
};

/* Of an entry of the child with that index, and where b stands. */
static inline int merge_cmp_at(struct key_head head, const struct entry *e, size_t index, const struct merge_child *b)
{
	int d = key_head_cmp(head, b->head);

	if (d)
		return d;
	d = key_cmp(e->key, e->version, b->it->cur->key, b->it->cur->version);
	if (d)
		return d;
	return index < b->index ? -1 : index > b->index;
}

static inline int merge_cmp(const struct merge_child *a, const struct merge_child *b)
{
	return merge_cmp_at(a->head, a->it->cur, a->index, b);
}

static bool merge_before(const struct merge *m, const struct merge_child *a, const struct merge_child *b)
{
	int d = merge_cmp(a, b);

	return m->direction > 0 ? d < 0 : d > 0;
}

static void merge_sift_down(struct merge *m, size_t i)
{
	struct merge_child moved = m->heap[i];
	size_t child;

	while ((child = 2 * i + 1) < m->live) {
		if (child + 1 < m->live && merge_before(m, &m->heap[child + 1], &m->heap[child]))
			child++;
		if (!merge_before(m, &m->heap[child], &moved))
			break;
		m->heap[i] = m->heap[child];
		i = child;
	}
	m->heap[i] = moved;
}

static void merge_swap(struct merge_child *a, struct merge_child *b)
{
	struct merge_child t = *a;

	*a = *b;
	*b = t;
}

static int merge_break(struct merge *m, int rc)
{
	m->live = 0;
	m->state = rc;
	iter_stand(&m->it, NULL);
	return rc;
}

/* ---- runs ------------------------------------------------------------------------------------------------------------ */

/* The child that would be on top without the one that is. */
static const struct merge_child *merge_runner(const struct merge *m)
{
	return m->live > 2 && merge_before(m, &m->heap[2], &m->heap[1]) ? &m->heap[2] : &m->heap[1];
}

/* Would the top still be before the runner-up if it stood on e? */
static bool merge_leads(const struct merge *m, const struct entry *e, const struct merge_child *runner)
{
	int d = merge_cmp_at(key_head(e->key), e, m->heap[0].index, runner);

	return m->direction > 0 ? d < 0 : d > 0;
}

/* How far in the merge's direction the top's run goes before another child has something. */
static const struct entry *merge_reach(const struct merge *m)
{
	const struct iter *top = m->heap[0].it;
	size_t n = (size_t)(m->direction > 0 ? top->last - top->cur : top->cur - top->first), lo = 0, hi = n;
	const struct merge_child *runner;

	if (m->live == 1 || n == 0)
		return top->cur + m->direction * (ptrdiff_t)n;
	if (m->stays < MERGE_STAYS)
		return top->cur;
	runner = merge_runner(m);
	if (merge_leads(m, top->cur + m->direction * (ptrdiff_t)n, runner))
		lo = n;
	while (lo < hi) {                 /* lo steps lead; hi steps and the end do not */
		size_t mid = hi - (hi - lo) / 2;

		if (merge_leads(m, top->cur + m->direction * (ptrdiff_t)mid, runner))
			lo = mid;
		else
			hi = mid - 1;
	}
	return top->cur + m->direction * (ptrdiff_t)lo;
}

/* Says what the top of the heap says. */
static int merge_yield(struct merge *m)
{
	m->state = m->live ? 0 : SILT_END;
	iter_stand(&m->it, m->live ? m->heap[0].it->cur : NULL);
	if (m->live && m->direction > 0)
		m->it.last = merge_reach(m);
	else if (m->live)
		m->it.first = merge_reach(m);
	return m->state;
}

/* The child on top, told how far its run was walked. It may stand further than `head` says, and is still before all others. */
static struct iter *merge_top(struct merge *m)
{
	return iter_return(&m->it, m->heap[0].it);
}

/* ---- moving ---------------------------------------------------------------------------------------------------------- */

/* Child i made a move that returned rc: it stands, or leaves the heap (then another child took place i). The caller restores order. */
static int merge_settle(struct merge *m, size_t i, int rc)
{
	if (rc < 0)
		return merge_break(m, rc);
	if (rc == 0)
		m->heap[i].head = key_head(m->heap[i].it->cur->key);
	else
		merge_swap(&m->heap[i], &m->heap[--m->live]);
	return rc;
}

static void merge_heapify(struct merge *m)
{
	for (size_t i = m->live / 2; i-- > 0;)
		merge_sift_down(m, i);
}

/* Moves each child in the heap's range by `place`, called with its index among the children; the order is not restored yet. */
typedef int merge_place_fn(struct iter *child, size_t index, const void *ctx);

static int merge_move_all(struct merge *m, merge_place_fn *place, const void *ctx)
{
	for (size_t i = 0; i < m->live;) {
		int rc = merge_settle(m, i, place(m->heap[i].it, m->heap[i].index, ctx));

		if (rc < 0)
			return rc;
		i += rc == 0;
	}
	return 0;
}

static int merge_place(struct merge *m, int direction, merge_place_fn *place, const void *ctx)
{
	int rc;

	m->direction = direction;
	m->stays = 0;
	m->live = m->n;
	rc = merge_move_all(m, place, ctx);
	if (rc < 0)
		return rc;
	merge_heapify(m);
	return merge_yield(m);
}

static int merge_place_first(struct iter *child, size_t index, const void *ctx)
{
	(void)index;
	(void)ctx;
	return child->ops->first(child);
}

static int merge_place_last(struct iter *child, size_t index, const void *ctx)
{
	(void)index;
	(void)ctx;
	return child->ops->last(child);
}

struct merge_target {
	struct silt_slice key;
	uint64_t version;
	size_t index;             /* of the child that stands there, when turning */
};

static int merge_place_seek(struct iter *child, size_t index, const void *ctx)
{
	const struct merge_target *t = ctx;

	(void)index;
	return child->ops->seek(child, t->key, t->version);
}

static bool merge_at(const struct iter *child, const struct merge_target *t)
{
	return child->cur->version == t->version && slice_eq(child->cur->key, t->key);
}

/* Turning: to the first entry after the target. An identical entry of an earlier child was yielded already. */
static int merge_place_after(struct iter *child, size_t index, const void *ctx)
{
	const struct merge_target *t = ctx;
	int rc;

	if (index == t->index)
		return iter_next(child);
	rc = child->ops->seek(child, t->key, t->version);
	if (rc == 0 && index < t->index && merge_at(child, t))
		rc = iter_next(child);
	return rc;
}

/* Does the child stand before the target? An identical entry of an earlier child does. */
static bool merge_is_before(const struct iter *child, size_t index, const struct merge_target *t)
{
	int d = key_cmp(child->cur->key, child->cur->version, t->key, t->version);

	return d < 0 || (d == 0 && index < t->index);
}

/* Turning: to the last entry before the target. A child that passes over entries (db/hidden.h) may need more than one step back. */
static int merge_place_before(struct iter *child, size_t index, const void *ctx)
{
	const struct merge_target *t = ctx;
	int rc;

	if (index == t->index)
		return iter_prev(child);
	rc = child->ops->seek(child, t->key, t->version);
	if (rc == SILT_END)
		return child->ops->last(child);
	while (rc == 0 && !merge_is_before(child, index, t))
		rc = iter_prev(child);
	return rc;
}

/* The target borrows its key from the child on top, which therefore waits outside the heap and moves last. */
static int merge_turn(struct merge *m, int direction)
{
	merge_place_fn *place = direction > 0 ? merge_place_after : merge_place_before;
	struct merge_child *waiting = &m->heap[m->n - 1];
	struct merge_target t;
	int rc;

	(void)merge_top(m);
	merge_swap(&m->heap[0], waiting);
	t = (struct merge_target){ waiting->it->cur->key, waiting->it->cur->version, waiting->index };
	m->direction = direction;
	m->stays = 0;
	m->live = m->n - 1;
	rc = merge_move_all(m, place, &t);
	if (rc < 0)
		return rc;
	merge_swap(&m->heap[m->live++], waiting);
	rc = merge_settle(m, m->live - 1, place(m->heap[m->live - 1].it, t.index, &t));
	if (rc < 0)
		return rc;
	merge_heapify(m);
	return merge_yield(m);
}

static int merge_step(struct merge *m, int direction)
{
	struct iter *top;
	int rc;

	if (m->state != 0)
		return m->state;
	if (m->direction != direction)
		return merge_turn(m, direction);
	top = merge_top(m);
	rc = merge_settle(m, 0, direction > 0 ? iter_next(top) : iter_prev(top));
	if (rc < 0)
		return rc;
	if (m->live > 1)
		merge_sift_down(m, 0);
	m->stays = m->heap[0].it != top ? 0 : m->stays + (m->stays < MERGE_STAYS);
	return merge_yield(m);
}

static int merge_first(struct iter *it)
{
	return merge_place((struct merge *)it, 1, merge_place_first, NULL);
}

static int merge_last(struct iter *it)
{
	return merge_place((struct merge *)it, -1, merge_place_last, NULL);
}

static int merge_seek(struct iter *it, struct silt_slice key, uint64_t version)
{
	struct merge_target t = { key, version, 0 };

	return merge_place((struct merge *)it, 1, merge_place_seek, &t);
}

static int merge_place_below(struct iter *child, size_t index, const void *ctx)
{
	const struct merge_target *t = ctx;

	(void)index;
	return child->ops->before(child, t->key, t->version);
}

static int merge_before_key(struct iter *it, struct silt_slice key, uint64_t version)
{
	struct merge_target t = { key, version, 0 };

	return merge_place((struct merge *)it, -1, merge_place_below, &t);
}

static int merge_next(struct iter *it)
{
	return merge_step((struct merge *)it, 1);
}

static int merge_prev(struct iter *it)
{
	return merge_step((struct merge *)it, -1);
}

static void merge_pin(struct iter *it, struct iter_pin *out)
{
	struct iter *top = ((struct merge *)it)->heap[0].it;

	top->ops->pin(top, out);
}

static void merge_close(struct iter *it)
{
	struct merge *m = (struct merge *)it;

	for (size_t i = 0; i < m->n; i++)
		iter_close(m->heap[i].it);
	mem_free(m);
}

static const struct iter_ops merge_ops = {
	.first = merge_first,
	.last = merge_last,
	.seek = merge_seek,
	.before = merge_before_key,
	.next = merge_next,
	.prev = merge_prev,
	.pin = merge_pin,
	.close = merge_close,
};

int merge_iter_new(struct iter **children, size_t n, struct iter **out)
{
	struct merge *m;

	if (n == 1) {
		*out = children[0];
		return 0;
	}
	m = n < SIZE_MAX / sizeof(*m->heap) - sizeof(*m) ? mem_calloc(1, sizeof(*m) + n * sizeof(*m->heap)) : NULL;
	if (!m) {
		for (size_t i = 0; i < n; i++)
			iter_close(children[i]);
		return SILT_E_NOMEM;
	}
	m->it.ops = &merge_ops;
	m->state = SILT_END;
	m->n = n;
	m->heap = (struct merge_child *)(m + 1);
	for (size_t i = 0; i < n; i++)
		m->heap[i] = (struct merge_child){ { 0, 0 }, children[i], i };
	*out = &m->it;
	return 0;
}
