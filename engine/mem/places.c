/* SPDX-License-Identifier: Apache-2.0 */
/*
 * places.c - the tree over the chain: what a search reads of it are words, side by side, and not the keys themselves.
 *
 *      root      [ head | n40 ]
 *      leaves    [ head n3 n7 n21 ]  [ n40 n41 n66 ]               chain  head -> n3 -> n7 -> n21 -> n40 -> n41 -> n66
 *
 * Fences    What is below slot i comes after at[i], or is it, and not after at[i + 1]; the last slot has its node's own upper fence. So all keys
 *           in a node begin like its two fences, and `skip` is how many bytes those share. word[i] is the 8 bytes after them, big-endian: words order
 *           keys as key_prefix() does, and where two are equal the keys decide. At the outer edges of the tree there is no fence, and
 *           skip is 0. Nobody compares slot 0: the search would not have come here.
 * Full      A full node is split on the way down, so that its parent has room. The upper half becomes a new node, known to the parent
 *           before the lower half forgets it. Where everything comes after the last slot, that alone moves: ascending keys fill nodes.
 *           The lower half stays where it is, unless its new fences share much more: then it is written anew, with better words.
 *
 * Readers   (1) what a slot of a node holds only ever becomes less: an insert moves slots up, a split drops the highest ones, and what comes
 *           later is lower than what was dropped.  (2) a slot is written child, at, word, and read the other way round (release, acquire): so a
 *           word below the target's means that at and child, read after it, lie before the target too.  (3) a target may be beyond the upper fence,
 *           where the reader came by what was split meanwhile; then words say nothing, but all slots lie before it.
 *           So each step goes to something before the target, and it is only further to walk when the writer was faster.
 * Source    R. Bayer, K. Unterauer, "Prefix B-Trees", TODS 2(1), 1977, for what fences share; P. Lehman, S. B. Yao, "Efficient Locking
 *           for Concurrent Operations on B-Trees", TODS 6(4), 1981, for going right in the end; the rest own.
 */
#include "mem/places.h"

#include <assert.h>

enum {
	PLACES_FAN = 31,                  /* with its head, the words of a node fill four cache lines */
	PLACES_LINE = 64,
	PLACES_BETTER = 4,                /* bytes of skip worth a new node */
	PLACES_CHUNK = 2 << 10,           /* the first; they grow with what there is */
};

struct places_below {
	struct places_node *_Atomic child[PLACES_FAN];
	_Atomic uint32_t count[PLACES_FAN];           /* nodes of the chain below; [w], relaxed */
};

struct places_node {
	_Atomic uint32_t n;                           /* [a] released */
	uint16_t skip;                                /* [c] */
	uint16_t level;                               /* [c] 0 = leaf */
	_Atomic uint64_t word[PLACES_FAN];
	struct node *_Atomic at[PLACES_FAN];
	struct places_below below[];                  /* one, but of a leaf none */
};

/* ---- words ----------------------------------------------------------------------------------------------------------- */

/* The 8 bytes after the first `skip` ones. A key without them is that of a target beyond the fences. */
static inline uint64_t places_word(struct silt_slice key, size_t skip)
{
	const char *p = key.data;
	size_t left;

	if (skip >= key.len)
		return 0;
	left = key.len - skip;
	if (left >= KEY_PREFIX_BYTES || key.len < KEY_PREFIX_BYTES)
		return key_prefix(slice_of(p + skip, left));
	return key_prefix(slice_of(p + key.len - KEY_PREFIX_BYTES, KEY_PREFIX_BYTES)) << 8 * (KEY_PREFIX_BYTES - left);
}

static uint64_t places_word_of(const struct places *p, const struct node *n, size_t skip)
{
	return n == p->head ? 0 : places_word(node_key(n), skip);
}

/* Bytes that all keys between two fences share. */
static uint16_t places_shared(const struct places *p, const struct node *low, const struct node *high)
{
	struct silt_slice a, b;
	size_t n = 0;

	if (low == p->head || !high)
		return 0;
	a = node_key(low);
	b = node_key(high);
	while (n < a.len && n < b.len && ((const char *)a.data)[n] == ((const char *)b.data)[n])
		n++;
	return (uint16_t)n;
}

/* ---- searching one node ---------------------------------------------------------------------------------------------- */

static inline uint64_t places_load_word(const struct places_node *l, unsigned i)
{
	return atomic_load_explicit(&l->word[i], memory_order_acquire);
}

static inline struct node *places_at(const struct places_node *l, unsigned i)
{
	return atomic_load_explicit(&l->at[i], memory_order_acquire);
}

static inline struct places_node *places_child(const struct places_node *l, unsigned i)
{
	return atomic_load_explicit(&l->below->child[i], memory_order_acquire);
}

/* The first slot from 1 on whose word is not below w; n = none. */
static inline unsigned places_lower(const struct places_node *l, unsigned n, uint64_t w)
{
	unsigned first = 1, len = n - 1;

	while (len > 0) {
		unsigned half = (len + 1) / 2;

		first += places_load_word(l, first + half - 1) < w ? half : 0;
		len -= half;
	}
	return first;
}

/* The last slot before the target; see Readers. */
static inline unsigned places_slot(const struct places_node *l, const struct node_target *t)
{
	unsigned n = atomic_load_explicit(&l->n, memory_order_acquire);
	uint64_t w = places_word(t->key, l->skip);
	unsigned lo = places_lower(l, n, w), hi = lo;

	while (hi < n && places_load_word(l, hi) == w)
		hi++;
	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;

		if (node_before(places_at(l, mid), t))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo - 1;
}

/* What no cache holds comes together, not one wait after the other. */
static inline void places_fetch(const struct places_node *l)
{
	const char *p = (const char *)l;

	for (size_t at = 0; at < sizeof(*l); at += PLACES_LINE)
		__builtin_prefetch(p + at);
}

const struct node *places_find(const struct places *p, const struct node_target *t)
{
	const struct places_node *l = atomic_load_explicit(&p->root, memory_order_acquire);

	while (l->level > 0) {
		l = places_child(l, places_slot(l, t));
		places_fetch(l);
	}
	return places_at(l, places_slot(l, t));
}

static uint64_t places_count_of(const struct places_node *l, unsigned i)
{
	return l->level ? atomic_load_explicit(&l->below->count[i], memory_order_relaxed) : 1;
}

/* Of the first n slots. */
static uint64_t places_sum(const struct places_node *l, unsigned n)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += places_count_of(l, i);
	return sum;
}

uint64_t places_rank(const struct places *p, const struct node_target *t)
{
	const struct places_node *l = atomic_load_explicit(&p->root, memory_order_acquire);
	uint64_t rank = 0;

	for (;;) {
		unsigned slot = places_slot(l, t);

		if (l->level == 0)
			return rank + slot + 1;
		rank += places_sum(l, slot);
		l = places_child(l, slot);
	}
}

uint64_t places_count(const struct places *p)
{
	const struct places_node *l = atomic_load_explicit(&p->root, memory_order_acquire);

	return places_sum(l, atomic_load_explicit(&l->n, memory_order_acquire));
}

/* ---- writing --------------------------------------------------------------------------------------------------------- */

static unsigned places_n(const struct places_node *l)
{
	return atomic_load_explicit(&l->n, memory_order_relaxed);
}

/* NULL = out of memory. */
static struct places_node *places_new(struct places *p, unsigned level)
{
	size_t size = sizeof(struct places_node) + (level ? sizeof(struct places_below) : 0);
	struct places_node *l;

	size = (size + PLACES_LINE - 1) / PLACES_LINE * PLACES_LINE;
	if (arena_reserve(&p->arena, size + PLACES_LINE) < 0)
		return NULL;
	if (p->arena.chunk_size < ARENA_HUGE && p->arena.chunk_size * 2 <= atomic_load_explicit(&p->arena.bytes, memory_order_relaxed))
		p->arena.chunk_size *= 2;
	(void)arena_take(&p->arena, -(uintptr_t)p->arena.p % PLACES_LINE);
	l = arena_take(&p->arena, size);
	atomic_init(&l->n, 0);
	l->skip = 0;
	l->level = (uint16_t)level;
	return l;
}

/* Readers, 2. */
static void places_write(struct places_node *l, unsigned i, uint64_t word, struct node *at, struct places_node *child, uint64_t count)
{
	if (l->level) {
		atomic_store_explicit(&l->below->child[i], child, memory_order_release);
		atomic_store_explicit(&l->below->count[i], (uint32_t)count, memory_order_relaxed);
	}
	atomic_store_explicit(&l->at[i], at, memory_order_release);
	atomic_store_explicit(&l->word[i], word, memory_order_release);
}

/* Room was made before. */
static void places_put(struct places *p, struct places_node *l, unsigned slot, struct node *at, struct places_node *child, uint64_t count)
{
	unsigned n = places_n(l);

	assert(n < PLACES_FAN && slot > 0 && slot <= n);
	for (unsigned i = n; i > slot; i--)
		places_write(l, i, places_load_word(l, i - 1), places_at(l, i - 1), l->level ? places_child(l, i - 1) : NULL,
		             places_count_of(l, i - 1));
	places_write(l, slot, places_word_of(p, at, l->skip), at, child, count);
	atomic_store_explicit(&l->n, n + 1, memory_order_release);
}

/* A node of its own for slots [from, to) of another. NULL = out of memory. */
static struct places_node *places_copy(struct places *p, const struct places_node *l, unsigned from, unsigned to, uint16_t skip)
{
	struct places_node *x = places_new(p, l->level);

	if (!x)
		return NULL;
	x->skip = skip;
	for (unsigned i = from; i < to; i++)
		places_write(x, i - from, places_word_of(p, places_at(l, i), skip), places_at(l, i), l->level ? places_child(l, i) : NULL,
		             places_count_of(l, i));
	atomic_store_explicit(&x->n, to - from, memory_order_release);
	return x;
}

/* One level more, whose one slot is all there was. false = out of memory. */
static bool places_grow(struct places *p)
{
	struct places_node *old = atomic_load_explicit(&p->root, memory_order_relaxed);
	struct places_node *root = old->level + 1 < PLACES_DEPTH ? places_new(p, old->level + 1u) : NULL;

	if (!root)
		return false;
	places_write(root, 0, 0, p->head, old, places_sum(old, places_n(old)));
	atomic_store_explicit(&root->n, 1, memory_order_release);
	atomic_store_explicit(&p->root, root, memory_order_release);
	return true;
}

/* What a descent has come to. */
struct places_step {
	struct places_node *parent;       /* NULL at the root; it has room, unless there was no memory */
	unsigned slot;                    /* of the parent */
	struct node *low, *high;          /* fences; NULL = none */
};

/* Splits the full node below a step. false = it stays as it is. */
static bool places_split(struct places *p, const struct places_step *s, struct places_node *l, bool last)
{
	unsigned n = places_n(l), half = last ? n - 1 : n / 2;
	struct node *middle = places_at(l, half);
	uint16_t skip = places_shared(p, s->low, middle);
	struct places_node *upper, *lower = l;
	uint64_t count;

	if (places_n(s->parent) == PLACES_FAN)
		return false;
	upper = places_copy(p, l, half, n, places_shared(p, middle, s->high));
	if (!upper)
		return false;
	if (skip >= l->skip + PLACES_BETTER)
		lower = places_copy(p, l, 0, half, skip);
	count = places_sum(upper, n - half);
	places_put(p, s->parent, s->slot + 1, middle, upper, count);
	count = places_count_of(s->parent, s->slot) - count;
	atomic_store_explicit(&s->parent->below->count[s->slot], (uint32_t)count, memory_order_relaxed);
	if (lower && lower != l)
		atomic_store_explicit(&s->parent->below->child[s->slot], lower, memory_order_release);
	else
		atomic_store_explicit(&l->n, half, memory_order_release);
	return true;
}

static struct places_node *places_root_with_room(struct places *p, struct places_step *s)
{
	struct places_node *root = atomic_load_explicit(&p->root, memory_order_relaxed);

	*s = (struct places_step){ .low = p->head };
	if (places_n(root) < PLACES_FAN || !places_grow(p))
		return root;
	s->parent = atomic_load_explicit(&p->root, memory_order_relaxed);
	p->path[s->parent->level] = s->parent;
	p->slot[s->parent->level] = 0;
	return root;
}

/* The slot on the way to the target, in a node that has room if there was memory for it. */
static unsigned places_enter(struct places *p, struct places_step *s, struct places_node **l, const struct node_target *t, bool last)
{
	unsigned n = places_n(*l), slot = last ? n - 1 : places_slot(*l, t);

	if (n < PLACES_FAN || !s->parent || !places_split(p, s, *l, slot == n - 1))
		return slot;
	*l = places_child(s->parent, s->slot);
	n = places_n(*l);
	if (slot < n) {
		s->high = places_at(s->parent, s->slot + 1);
		return slot;
	}
	p->slot[s->parent->level] = ++s->slot;
	s->low = places_at(s->parent, s->slot);
	*l = places_child(s->parent, s->slot);
	return slot - n;
}

struct node *places_descend(struct places *p, const struct node_target *t, bool last)
{
	struct places_step s;
	struct places_node *l = places_root_with_room(p, &s);

	for (;;) {
		unsigned slot = places_enter(p, &s, &l, t, last);

		p->path[l->level] = l;
		p->slot[l->level] = slot;
		if (l->level == 0)
			break;
		s = (struct places_step){
			.parent = l, .slot = slot,
			.low = places_at(l, slot),
			.high = slot + 1 < places_n(l) ? places_at(l, slot + 1) : s.high,
		};
		l = places_child(l, slot);
		places_fetch(l);
	}
	/* its neighbours in the chain will be written */
	__builtin_prefetch(places_at(l, p->slot[0]), 1);
	if (p->slot[0] + 1 < places_n(l))
		__builtin_prefetch(places_at(l, p->slot[0] + 1), 1);
	return places_at(l, p->slot[0]);
}

void places_add(struct places *p, struct node *x)
{
	struct places_node *root = atomic_load_explicit(&p->root, memory_order_relaxed), *l = p->path[0];

	if (places_n(l) == PLACES_FAN) {
		p->whole = false;                 /* rule 2 */
		return;
	}
	places_put(p, l, p->slot[0] + 1, x, NULL, 1);
	for (unsigned level = 1; level <= root->level; level++) {
		_Atomic uint32_t *count = &p->path[level]->below->count[p->slot[level]];

		atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + 1, memory_order_relaxed);
	}
}

int places_init(struct places *p, struct node *head)
{
	struct places_node *leaf;

	p->head = head;
	p->whole = true;
	arena_init(&p->arena, PLACES_CHUNK);
	leaf = places_new(p, 0);
	if (!leaf)
		return SILT_E_NOMEM;
	places_write(leaf, 0, 0, head, NULL, 1);
	atomic_init(&leaf->n, 1);
	atomic_init(&p->root, leaf);
	return 0;
}

void places_fini(struct places *p)
{
	arena_fini(&p->arena);
}

/* ---- checking -------------------------------------------------------------------------------------------------------- */

static bool places_after(const struct places *p, const struct node *a, const struct node *b)
{
	struct node_target t;

	if (a == p->head)
		return b != p->head;
	t = (struct node_target){ node_key(b), b->version };
	return b != p->head && node_before(a, &t);
}

/* Asserts the tree below a node between two fences; returns how many nodes of the chain are in it. */
static uint64_t places_check_node(const struct places *p, const struct places_node *l, const struct node *low, const struct node *high)
{
	unsigned n = places_n(l);
	uint64_t sum = 0;

	assert(n >= 1 && n <= PLACES_FAN && places_at(l, 0) == low);
	assert(l->skip <= places_shared(p, low, high));
	for (unsigned i = 0; i < n; i++) {
		const struct node *at = places_at(l, i), *next = i + 1 < n ? places_at(l, i + 1) : high;

		assert(!next || places_after(p, at, next));
		assert(places_load_word(l, i) == places_word_of(p, at, l->skip));
		assert(l->level == 0 || places_child(l, i)->level == l->level - 1);
		assert(l->level == 0 || places_check_node(p, places_child(l, i), at, next) == places_count_of(l, i));
		sum += places_count_of(l, i);
		(void)at;
		(void)next;
	}
	return sum;
}

void places_check(const struct places *p)
{
	const struct places_node *root = atomic_load_explicit(&p->root, memory_order_acquire);
	uint64_t count = places_check_node(p, root, p->head, NULL);

	assert(count == places_count(p));
	(void)count;
}
