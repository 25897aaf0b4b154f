/* SPDX-License-Identifier: Apache-2.0 */
/*
 * skiplist.c - towers of forward pointers over nodes that hold their entry inline, and one chain back.
 *
 *      level 1   head ----------------> n2 ---------------------------> NULL
 *      level 0   head -> n1 ----------> n2 ----------> n3 -----------> NULL
 *      back              n1 <---------- n2 <---------- n3 <- tail
 *
 *      node      prefix | version | expiry | prev | lengths, kind, height | next[height] | key | meta | value
 *                the search reads the first word and next[]; mostly that is one cache line.
 *
 * Insert    x between p and n:  (a) fill x, with x.next = n and x.prev = p;  (b) release p.next = x, level by level upwards: from
 *           here x is there;  (c) release n.prev = x, or tail = x where n is NULL.
 * Forward   a reader acquires each next, so (a) is seen whole. Nothing is removed, so levels that lag only cost time.
 * Backward  invariant: n.prev (and tail, for the end) is some node before n. It is n's true predecessor except between (b) and (c),
 *           or as long as the store of (c) is on its way to this reader; then the nodes missed lie between the two. So
 *           a reader goes from n.prev forward until it meets n: it arrives, as the level-0 chain from any node before n leads to
 *           n; and it meets every node it could have met going forward, rule 4, because it walks the same next pointers
 *           and reads of one location never go back in time. The walk is as long as the inserts between (b) and (c): one.
 * Source    W. Pugh, "Skip Lists: A Probabilistic Alternative to Balanced Trees", CACM 33(6), 1990. The chain back and the
 *           splice that makes ascending inserts cheap: own.
 */
#include "mem/skiplist.h"
#include "core/key.h"

#include <assert.h>
#include <stdatomic.h>

struct skiplist_node {
	uint64_t prefix;                              /* [c] key_prefix(); what follows is [c] too unless atomic */
	uint64_t version;
	uint64_t expires_ms;
	struct skiplist_node *_Atomic prev;           /* see Backward */
	uint32_t value_len;
	uint16_t key_len;
	uint8_t meta_len;
	uint8_t kind : 4, height : 4;
	struct skiplist_node *_Atomic next[];         /* [height]; then the bytes of key, meta, value */
};

_Static_assert(SKIPLIST_HEIGHT < 16, "fits node.height");
_Static_assert(KEY_MAX <= UINT16_MAX && SILT_META_MAX <= UINT8_MAX && SILT_VALUE_MAX <= UINT32_MAX, "lengths fit a node");

struct skiplist_target {
	uint64_t prefix, version;
	struct silt_slice key;
};

static inline struct skiplist_node *skiplist_load(const struct skiplist_node *n, int level)
{
	return atomic_load_explicit(&n->next[level], memory_order_acquire);
}

static inline const uint8_t *skiplist_bytes(const struct skiplist_node *n)
{
	return (const uint8_t *)&n->next[n->height];
}

static inline bool skiplist_before(const struct skiplist_node *n, const struct skiplist_target *t)
{
	int d;

	if (n->prefix != t->prefix)
		return n->prefix < t->prefix;
	d = key_cmp_prefixed(n->prefix, slice_of(skiplist_bytes(n), n->key_len), t->prefix, t->key);
	return d < 0 || (d == 0 && n->version > t->version);
}

static size_t skiplist_node_size(int height, size_t bytes)
{
	return sizeof(struct skiplist_node) + (size_t)height * sizeof(struct skiplist_node *) + bytes;
}

int skiplist_init(struct skiplist *s, struct arena *arena)
{
	size_t size = skiplist_node_size(SKIPLIST_HEIGHT, 0);
	int rc;

	rc = arena_reserve(arena, size);
	if (rc < 0)
		return rc;
	s->arena = arena;
	s->head = arena_take(arena, size);
	memset(s->head, 0, size);
	s->head->height = SKIPLIST_HEIGHT;
	s->random = UINT64_C(0x9e3779b97f4a7c15);
	atomic_init(&s->tail, s->head);
	atomic_init(&s->height, 1);
	for (int i = 0; i < SKIPLIST_HEIGHT; i++) {
		atomic_init(&s->head->next[i], NULL);
		s->splice[i] = s->head;
	}
	return 0;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

size_t skiplist_cost(const struct entry *e)
{
	return (skiplist_node_size(SKIPLIST_HEIGHT, e->key.len + e->meta.len + e->value.len) + 7) & ~(size_t)7;
}

static int skiplist_random_height(struct skiplist *s)
{
	uint64_t x = s->random;
	int height = 1;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	s->random = x;
	for (x >>= 8; height < SKIPLIST_HEIGHT && (x & 3) == 0; x >>= 2)
		height++;
	return height;
}

static uint8_t *skiplist_put(uint8_t *p, struct silt_slice s)
{
	if (s.len)
		memcpy(p, s.data, s.len);
	return p + s.len;
}

static struct skiplist_node *skiplist_new_node(struct skiplist *s, const struct entry *e, int height)
{
	size_t bytes = e->key.len + e->meta.len + e->value.len;
	struct skiplist_node *x = arena_take(s->arena, skiplist_node_size(height, bytes));
	uint8_t *p;

	x->prefix = key_prefix(e->key);
	x->version = e->version;
	x->expires_ms = e->expires_ms;
	x->key_len = (uint16_t)e->key.len;
	x->meta_len = (uint8_t)e->meta.len;
	x->value_len = (uint32_t)e->value.len;
	x->kind = (unsigned)e->kind & 15;
	x->height = (unsigned)height & 15;
	p = skiplist_put((uint8_t *)&x->next[height], e->key);
	p = skiplist_put(p, e->meta);
	skiplist_put(p, e->value);
	return x;
}

/* Does the target come right after the last insert? Then the splice is right at every level, with no search. */
static bool skiplist_follows_splice(const struct skiplist *s, const struct skiplist_target *t)
{
	const struct skiplist_node *p = s->splice[0], *n = skiplist_load(p, 0);

	return (p == s->head || skiplist_before(p, t)) && (!n || !skiplist_before(n, t));
}

/* The last node before the target on every level, from the top down. */
static void skiplist_find_splice(struct skiplist *s, const struct skiplist_target *t)
{
	struct skiplist_node *p = s->head, *n;

	for (int level = atomic_load_explicit(&s->height, memory_order_relaxed) - 1; level >= 0; level--) {
		while ((n = skiplist_load(p, level)) && skiplist_before(n, t))
			p = n;
		s->splice[level] = p;
	}
}

void skiplist_insert(struct skiplist *s, const struct entry *e)
{
	struct skiplist_target t = { key_prefix(e->key), e->version, e->key };
	int height = skiplist_random_height(s);
	struct skiplist_node *x, *after;

	if (!skiplist_follows_splice(s, &t))
		skiplist_find_splice(s, &t);
	if (height > atomic_load_explicit(&s->height, memory_order_relaxed))
		atomic_store_explicit(&s->height, height, memory_order_relaxed);   /* the new levels' splice is the head */
	x = skiplist_new_node(s, e, height);
	after = skiplist_load(s->splice[0], 0);
	atomic_init(&x->prev, s->splice[0]);
	for (int level = 0; level < height; level++) {
		atomic_init(&x->next[level], skiplist_load(s->splice[level], level));
		atomic_store_explicit(&s->splice[level]->next[level], x, memory_order_release);
		s->splice[level] = x;
	}
	atomic_store_explicit(after ? &after->prev : &s->tail, x, memory_order_release);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

const struct skiplist_node *skiplist_seek(const struct skiplist *s, struct silt_slice key, uint64_t version)
{
	struct skiplist_target t = { key_prefix(key), version, key };
	const struct skiplist_node *p = s->head, *n = NULL, *known = NULL;

	for (int level = atomic_load_explicit(&s->height, memory_order_relaxed) - 1; level >= 0; level--) {
		/* what stopped the level above stops this one too: not compared again */
		while ((n = skiplist_load(p, level)) && n != known && skiplist_before(n, &t))
			p = n;
		known = n;
	}
	return n;
}

const struct skiplist_node *skiplist_first(const struct skiplist *s)
{
	return skiplist_load(s->head, 0);
}

const struct skiplist_node *skiplist_next(const struct skiplist_node *n)
{
	return skiplist_load(n, 0);
}

/* From a node before `end` (NULL = the end of the list) to the one right before it. */
static const struct skiplist_node *skiplist_up_to(const struct skiplist_node *p, const struct skiplist_node *end)
{
	const struct skiplist_node *n;

	while ((n = skiplist_load(p, 0)) != end)
		p = n;
	return p;
}

const struct skiplist_node *skiplist_prev(const struct skiplist *s, const struct skiplist_node *n)
{
	const struct skiplist_node *p = skiplist_up_to(atomic_load_explicit(&n->prev, memory_order_acquire), n);

	return p == s->head ? NULL : p;
}

const struct skiplist_node *skiplist_last(const struct skiplist *s)
{
	const struct skiplist_node *p = skiplist_up_to(atomic_load_explicit(&s->tail, memory_order_acquire), NULL);

	return p == s->head ? NULL : p;
}

void skiplist_entry(const struct skiplist_node *n, struct entry *out)
{
	const uint8_t *key = skiplist_bytes(n);

	*out = (struct entry){
		.key = slice_of(key, n->key_len),
		.version = n->version,
		.kind = (enum entry_kind)n->kind,
		.expires_ms = n->expires_ms,
		.meta = slice_of(key + n->key_len, n->meta_len),
		.value = slice_of(key + n->key_len + n->meta_len, n->value_len),
	};
}

/* ---- estimating -------------------------------------------------------------------------------------------------- */

enum { SKIPLIST_SAMPLE = 1024 };          /* entries met on a level: the estimate's deviation is 3 % then */

uint64_t skiplist_estimate(const struct skiplist *s, struct silt_slice lower, struct silt_slice upper, uint64_t *low)
{
	/* before every version of its key */
	struct skiplist_target from = { lower.data ? key_prefix(lower) : 0, UINT64_MAX, lower };
	struct skiplist_target to = { upper.data ? key_prefix(upper) : 0, UINT64_MAX, upper };
	const struct skiplist_node *p = s->head, *n;
	int level = atomic_load_explicit(&s->height, memory_order_relaxed);
	uint64_t met = 0;

	while (level-- > 0) {
		while ((n = skiplist_load(p, level)) && lower.data && skiplist_before(n, &from))
			p = n;
		met = 0;
		for (; n && (!upper.data || skiplist_before(n, &to)); n = skiplist_load(n, level))
			met++;
		if (met >= SKIPLIST_SAMPLE)
			break;
	}
	*low = met;
	return level > 0 ? met << 2 * level : met;      /* one in four is a level higher */
}

/* ---- checking ---------------------------------------------------------------------------------------------------- */

static void skiplist_check_pair(const struct skiplist_node *a, const struct skiplist_node *b)
{
	struct entry x, y;

	skiplist_entry(a, &x);
	skiplist_entry(b, &y);
	assert(key_cmp(x.key, x.version, y.key, y.version) < 0);
	(void)x;
	(void)y;
}

/* Every node tall enough, and no other, is on the level: walk it beside level 0. */
static void skiplist_check_level(const struct skiplist *s, int level)
{
	const struct skiplist_node *tall = skiplist_load(s->head, level);

	for (const struct skiplist_node *n = skiplist_first(s); n; n = skiplist_next(n)) {
		if ((int)n->height <= level)
			continue;
		assert(n == tall);
		tall = skiplist_load(tall, level);
	}
	assert(!tall);
}

uint64_t skiplist_check(const struct skiplist *s)
{
	const struct skiplist_node *p = s->head, *n;
	uint64_t count = 0;

	for (n = skiplist_first(s); n; p = n, n = skiplist_next(n), count++) {
		assert(atomic_load(&n->prev) == p);
		if (p != s->head)
			skiplist_check_pair(p, n);
	}
	assert(atomic_load(&s->tail) == p);
	for (int level = 1; level < SKIPLIST_HEIGHT; level++)
		skiplist_check_level(s, level);
	return count;
}
