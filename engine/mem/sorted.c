/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sorted.c - nodes that hold their entry inline, in a chain forwards and one back; places.h says where in it to begin.
 *
 *      forward   head -> n1 ----------> n2 ----------> n3 -----------> NULL
 *      back              n1 <---------- n2 <---------- n3 <- tail
 *
 * Insert    x between p and n:  (a) fill x, with x.next = n and x.prev = p;  (b) release p.next = x: from here x is there;
 *           (c) x among the places;  (d) release n.prev = x, or tail = x where n is NULL.
 * Forward   a reader acquires each next, so (a) is seen whole. Nothing is removed, so places that lag only cost time.
 * Backward  invariant: n.prev (and tail, for the end) is some node before n. It is n's true predecessor except between (b) and (d),
 *           or as long as the store of (d) is on its way to this reader; then the nodes missed lie between the two. So
 *           a reader goes from n.prev forward until it meets n: it arrives, as the chain from any node before n leads to
 *           n; and it meets every node it could have met going forward, rule 4, because it walks the same next pointers
 *           and reads of one location never go back in time. The walk is as long as the inserts between (b) and (d): one.
 */
#include "mem/sorted.h"

#include <assert.h>

static inline struct node *sorted_load(const struct node *n)
{
	return atomic_load_explicit(&n->next, memory_order_acquire);
}

static size_t sorted_node_size(const struct entry *e)
{
	return sizeof(struct node) + (e->expires_ms ? sizeof(e->expires_ms) : 0) + e->key.len + e->meta.len + e->value.len;
}

int sorted_init(struct sorted *s, struct arena *arena)
{
	int rc = arena_reserve(arena, sizeof(struct node));

	if (rc < 0)
		return rc;
	s->arena = arena;
	s->head = arena_take(arena, sizeof(struct node));
	memset(s->head, 0, sizeof(struct node));
	atomic_init(&s->head->next, NULL);
	atomic_init(&s->head->prev, NULL);
	atomic_init(&s->tail, s->head);
	s->expected = NULL;
	return places_init(&s->places, s->head);
}

void sorted_fini(struct sorted *s)
{
	if (s)
		places_fini(&s->places);
}

size_t sorted_bytes(const struct sorted *s)
{
	return atomic_load_explicit(&s->places.arena.bytes, memory_order_relaxed);
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

size_t sorted_cost(const struct entry *e)
{
	return (sorted_node_size(e) + 7) & ~(size_t)7;
}

static uint8_t *sorted_put(uint8_t *p, struct silt_slice s)
{
	if (s.len)
		memcpy(p, s.data, s.len);
	return p + s.len;
}

static struct node *sorted_new_node(struct sorted *s, const struct entry *e)
{
	struct node *x = arena_take(s->arena, sorted_node_size(e));
	uint8_t *p = x->bytes;

	x->version = e->version;
	x->key_len = (uint16_t)e->key.len;
	x->meta_len = (uint8_t)e->meta.len;
	x->value_len = (uint32_t)e->value.len;
	x->kind = (uint8_t)((unsigned)e->kind | (e->expires_ms ? NODE_EXPIRES : 0));
	if (e->expires_ms)
		p = sorted_put(p, slice_of(&e->expires_ms, sizeof(e->expires_ms)));
	p = sorted_put(p, e->key);
	p = sorted_put(p, e->meta);
	sorted_put(p, e->value);
	return x;
}

/* From a node before the target to the last one. */
static const struct node *sorted_walk(const struct node *p, const struct node_target *t, const struct node **after)
{
	const struct node *n;

	while ((n = sorted_load(p)) && node_before(n, t))
		p = n;
	*after = n;
	return p;
}

/* The node before the target, with the places ready for it. */
static struct node *sorted_find(struct sorted *s, const struct node_target *t)
{
	struct node *tail = atomic_load_explicit(&s->tail, memory_order_relaxed);
	bool last = tail == s->head || node_before(tail, t);
	struct node *p = places_descend(&s->places, t, last);
	const struct node *n;

	return s->places.whole ? p : last ? tail : (struct node *)sorted_walk(p, t, &n);
}

void sorted_expect(struct sorted *s, const struct entry *e)
{
	struct node_target t = { e->key, e->version };

	s->expected = sorted_find(s, &t);
	s->expected_version = e->version;
}

/* Entries of one version come in one order: it is the first of them that was looked for. */
static struct node *sorted_expected(struct sorted *s, const struct entry *e)
{
	struct node *p = e->version == s->expected_version ? s->expected : NULL;

	s->expected = NULL;
	return p;
}

void sorted_insert(struct sorted *s, const struct entry *e)
{
	struct node_target t = { e->key, e->version };
	struct node *x, *after, *p = sorted_expected(s, e);

	if (!p)
		p = sorted_find(s, &t);
	x = sorted_new_node(s, e);
	after = sorted_load(p);
	atomic_init(&x->next, after);
	atomic_init(&x->prev, p);
	atomic_store_explicit(&p->next, x, memory_order_release);
	places_add(&s->places, x);
	atomic_store_explicit(after ? &after->prev : &s->tail, x, memory_order_release);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static const struct node *sorted_seek_target(const struct sorted *s, const struct node_target *t)
{
	const struct node *n;

	(void)sorted_walk(places_find(&s->places, t), t, &n);
	return n;
}

const struct node *sorted_seek(const struct sorted *s, struct silt_slice key, uint64_t version)
{
	struct node_target t = { key, version };

	return sorted_seek_target(s, &t);
}

const struct node *sorted_first(const struct sorted *s)
{
	return sorted_load(s->head);
}

/* Whoever goes on will ask for the one after it, which no cache holds: its beginning, and most of a small value. */
static const struct node *sorted_fetch(const struct node *n, const struct node *then)
{
	uintptr_t p = (uintptr_t)then;            /* NULL behind the last: a number may be added to it, a pointer may not */

	__builtin_prefetch((const void *)p);
	__builtin_prefetch((const void *)(p + 64));
	__builtin_prefetch((const void *)(p + 128));
	return n;
}

const struct node *sorted_next(const struct node *n)
{
	n = sorted_load(n);
	return n ? sorted_fetch(n, sorted_load(n)) : NULL;
}

/* From a node before `end` (NULL = the end of the chain) to the one right before it. */
static const struct node *sorted_up_to(const struct node *p, const struct node *end)
{
	const struct node *n;

	while ((n = sorted_load(p)) != end)
		p = n;
	return p;
}

const struct node *sorted_prev(const struct sorted *s, const struct node *n)
{
	const struct node *p = sorted_up_to(atomic_load_explicit(&n->prev, memory_order_acquire), n);

	return p == s->head ? NULL : sorted_fetch(p, atomic_load_explicit(&p->prev, memory_order_relaxed));
}

const struct node *sorted_last(const struct sorted *s)
{
	const struct node *p = sorted_up_to(atomic_load_explicit(&s->tail, memory_order_acquire), NULL);

	return p == s->head ? NULL : p;
}

void sorted_entry(const struct node *n, struct entry *out)
{
	struct silt_slice key = node_key(n);
	const uint8_t *p = key.data;

	*out = (struct entry){
		.key = key,
		.version = n->version,
		.kind = (enum entry_kind)(n->kind & ~NODE_EXPIRES),
		.meta = slice_of(p + n->key_len, n->meta_len),
		.value = slice_of(p + n->key_len + n->meta_len, n->value_len),
	};
	if (n->kind & NODE_EXPIRES)
		memcpy(&out->expires_ms, n->bytes, sizeof(out->expires_ms));
}

/* ---- estimating -------------------------------------------------------------------------------------------------- */

enum { SORTED_COUNT = 1024 };             /* up to so many are counted one by one */

uint64_t sorted_estimate(const struct sorted *s, struct silt_slice lower, struct silt_slice upper, uint64_t *low)
{
	struct node_target from = { lower, UINT64_MAX }, to = { upper, UINT64_MAX };      /* before every version of its key */
	const struct node *n = lower.data ? sorted_seek_target(s, &from) : sorted_first(s);
	uint64_t met = 0, first, last;

	for (; n && (!upper.data || node_before(n, &to)) && met < SORTED_COUNT; n = sorted_load(n))
		met++;
	*low = met;
	if (met < SORTED_COUNT)
		return met;
	first = lower.data ? places_rank(&s->places, &from) : 1;
	last = upper.data ? places_rank(&s->places, &to) : places_count(&s->places);
	return last > first && last - first > met ? last - first : met + 1;
}

/* ---- checking ---------------------------------------------------------------------------------------------------- */

/* A search finds each node where it is, at once where no memory was missing. */
static void sorted_check_place(const struct sorted *s, const struct node *p, const struct node *n)
{
	struct node_target t = { node_key(n), n->version };
	const struct node *found = places_find(&s->places, &t), *after;

	assert(!s->places.whole || found == p);
	assert(sorted_walk(found, &t, &after) == p && after == n);
	(void)found;
	(void)after;
	(void)p;
}

static void sorted_check_pair(const struct node *a, const struct node *b)
{
	assert(key_cmp(node_key(a), a->version, node_key(b), b->version) < 0);
	(void)a;
	(void)b;
}

uint64_t sorted_check(const struct sorted *s)
{
	const struct node *p = s->head, *n;
	uint64_t count = 0;

	for (n = sorted_first(s); n; p = n, n = sorted_next(n), count++) {
		assert(atomic_load(&n->prev) == p);
		if (p != s->head)
			sorted_check_pair(p, n);
		sorted_check_place(s, p, n);
	}
	assert(atomic_load(&s->tail) == p);
	places_check(&s->places);
	assert(!s->places.whole || places_count(&s->places) == count + 1);
	return count;
}
