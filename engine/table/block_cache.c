/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block_cache.c - a hash table of blocks that readers walk without a lock, and CLOCK to keep it in its bounds.
 *
 * Shape     buckets, fixed at birth; a bucket belongs to one shard (low bits of the hash), and so do its blocks. Each shard has
 *           its blocks in a ring with a hand. What was unlinked waits in one list for the readers that may still see it.
 * Life      block_new: 1 reference, the caller's -> insert: linked, the cache has a reference of its own -> evicted: unlinked,
 *           retired -> after rcu_wait() the cache's reference goes -> freed with the last pin.
 * Rules     (1) the cache's reference outlives every read section that can see the block: so inside one a pin is an increment.
 *           (2) a block's key and bytes never change once inserted.  (3) `next` of an unlinked block stays as it was, for readers
 *           that stand on it.  (4) bytes linked <= capacity - retire_limit, bytes retired <= retire_limit but for the insert
 *           that is about to wait: together within the capacity.
 * Locks     a shard's mu, then links_mu, then nothing; retired_mu, then nothing. No lock is held across rcu_wait().
 * Links     (5) a parent's pointer leads to a child that is in the hash table, or that is about to leave it under its shard's mu, and
 *           whose `slot` is that pointer's place. A block enters and leaves the hash table first and then, still under its shard's
 *           mu, takes links_mu to be linked with parent and children, or to be parted from them: whoever comes second under
 *           links_mu finds the other in the hash table, or no more. Parted, it waits for readers as all that is unlinked.
 * Memory    a cache of some size has a pool of huge pages for its blocks (block_cache_new_block): they are looked at in no order. What is
 *           too large for it, and all blocks of a small cache, are the heap's.
 * Eviction  goes round the shards, so that the budget is one and a large block in one shard does not starve that shard.
 * Source    CLOCK: Corbato, "A paging experiment with the Multics system", 1968. Unlink-then-wait: base/rcu.h. Pointers from parents:
 *           Graefe et al., "In-Memory Performance for Big Data", PVLDB 8(1), 2014 (pointer swizzling).
 */
#include "table/block_cache.h"
#include "base/mem.h"
#include "base/thread.h"
#include "table/table.h"

#include <assert.h>

enum {
	BLOCK_CACHE_LIVES = 3,            /* rounds that an index or filter stays without being used: many blocks hang on it */
	BLOCK_CACHE_SHARDS = 16,          /* power of two */
	BLOCK_CACHE_LOCKS = BLOCK_CACHE_SHARDS + 2,
	BLOCK_CACHE_STRIPES = 64,         /* power of two */
	BLOCK_CACHE_RETIRE = 4 << 20,     /* bytes that may wait for readers */
	BLOCK_CACHE_BUCKET = 4096,        /* bytes of capacity a bucket */
	BLOCK_CACHE_FILTERS = 4,          /* filters may have one part in so many */
	BLOCK_CACHE_HOLES = 8 << 20,      /* bytes that the pool may have mapped beyond the capacity */
	BLOCK_CACHE_YIELD = 4,            /* bytes of blocks that go for each byte of holes beyond that: so holes stay about there */
	BLOCK_CACHE_POOL = 8 << 20,       /* bytes of capacity from which on a pool is worth it */
};

struct block_cache_shard {
	_Alignas(BLOCK_LINE) struct mutex mu;
	struct block *hand;               /* [m] the ring's last visited block, or NULL; linked by block::link */
	uint64_t bytes, blocks;           /* [m] of the ring */
};

struct block_cache_stripe {
	_Alignas(BLOCK_LINE) _Atomic uint64_t hits;
	_Atomic uint64_t misses;
};

struct block_cache {
	struct block **buckets;           /* [c]; the heads are [r] */
	uint64_t mask;                    /* [c] */
	struct pool *pool;                /* [c] where its blocks come from; NULL = the heap */
	struct unpackers unpackers;       /* for what is read on its behalf */
	uint64_t capacity, limit, retire_limit;   /* [c] rule 4 */
	_Atomic uint64_t filter_bytes;    /* linked, of filters; relaxed; on a line that is read by all and seldom written */
	_Alignas(BLOCK_LINE) _Atomic uint64_t bytes;   /* linked; relaxed */
	_Atomic uint64_t evictions;       /* relaxed */
	_Atomic unsigned turn;            /* the shard to evict from next; relaxed */
	struct mutex links_mu;            /* block::slot, and what children point to */
	struct mutex retired_mu;
	struct block *retired;            /* [m] linked by block::link */
	uint64_t retired_bytes;           /* [m] */
	struct block_cache_shard shards[BLOCK_CACHE_SHARDS];
	struct block_cache_stripe stripes[BLOCK_CACHE_STRIPES];
};

struct block *block_cache_new_block(struct block_cache *c, size_t bytes, size_t decoded)
{
	return block_new_in(c ? c->pool : NULL, bytes, decoded);
}

struct unpackers *block_cache_unpackers(struct block_cache *c)
{
	return c ? &c->unpackers : NULL;
}

/* ---- the table ------------------------------------------------------------------------------------------------------- */

static uint64_t block_cache_hash(uint64_t table, uint64_t offset)
{
	uint64_t h = (table * UINT64_C(0x9e3779b97f4a7c15)) ^ (offset * UINT64_C(0xd6e8feb86659fd93));

	h = (h ^ (h >> 32)) * UINT64_C(0xd6e8feb86659fd93);
	return h ^ (h >> 32);
}

static struct block_cache_shard *block_cache_shard(struct block_cache *c, uint64_t hash)
{
	return &c->shards[hash & (BLOCK_CACHE_SHARDS - 1)];
}

static struct block *block_cache_find(struct block_cache *c, uint64_t hash, uint64_t table, uint64_t offset)
{
	struct block *b = rcu_load(c->buckets[hash & c->mask]);

	if (b)
		block_expect(b);
	while (b && (b->offset != offset || b->table != table))
		b = rcu_load(b->next);
	return b;
}

static struct block *block_cache_find_key(struct block_cache *c, uint64_t table, uint64_t offset)
{
	return block_cache_find(c, block_cache_hash(table, offset), table, offset);
}

static inline unsigned char block_cache_lives(const struct block *b)
{
	return b->kind == TABLE_INDEX || b->kind == TABLE_FILTER ? BLOCK_CACHE_LIVES : 1;
}

/* A line that is only read stays shared between the cores. */
static inline struct block *block_cache_touch(struct block *b)
{
	if (b && atomic_load_explicit(&b->touched, memory_order_relaxed) != block_cache_lives(b))
		atomic_store_explicit(&b->touched, block_cache_lives(b), memory_order_relaxed);
	return b;
}

struct block *block_cache_peek(struct block_cache *c, uint64_t table, uint64_t offset)
{
	return block_cache_touch(block_cache_find_key(c, table, offset));
}

struct block *block_cache_peek_child(struct block_cache *c, const struct block *parent, uint64_t table, uint32_t i)
{
	struct block *b = rcu_load(parent->children->at[i]);

	if (!b)
		return block_cache_peek(c, table, parent->children->offsets[i]);
	block_expect(b);
	return block_cache_touch(b);
}

struct block *block_cache_pin_child(struct block_cache *c, const struct block *parent, uint64_t table, uint32_t i)
{
	struct block *b;

	rcu_begin();
	b = block_cache_peek_child(c, parent, table, i);
	if (b)
		(void)block_pin_again(b);
	rcu_end();
	return b;
}

/* ---- parents and children (rule 5): under the shard's mu of b, links_mu, and in a read section for the walks ------------------ */

/* b is in the hash table since just now. */
static void block_cache_link(struct block_cache *c, struct block *b)
{
	struct block *other;

	mutex_lock(&c->links_mu);
	rcu_begin();
	other = b->parent != BLOCK_NO_PARENT ? block_cache_find_key(c, b->table, b->parent) : NULL;
	if (other)
		block_link(other, b);
	for (uint32_t i = 0; b->children && i < b->children->count; i++) {
		other = block_cache_find_key(c, b->table, b->children->offsets[i]);
		if (other && other->parent == b->offset)
			block_link(b, other);
	}
	rcu_end();
	mutex_unlock(&c->links_mu);
}

/* b is no more in the hash table. */
static void block_cache_part(struct block_cache *c, struct block *b)
{
	mutex_lock(&c->links_mu);
	block_part(b);
	for (uint32_t i = 0; b->children && i < b->children->count; i++)
		if (b->children->at[i])
			block_part(b->children->at[i]);
	mutex_unlock(&c->links_mu);
}

/* Out of its bucket; readers that stand on it walk on (rule 3). */
static void block_cache_unlink(struct block_cache *c, struct block *b)
{
	struct block **at = &c->buckets[block_cache_hash(b->table, b->offset) & c->mask];

	while (*at != b)
		at = &(*at)->next;
	rcu_store(*at, b->next);
	block_cache_part(c, b);
}

/* ---- a shard's ring; all under its mu ---------------------------------------------------------------------------------- */

static void block_cache_ring_add(struct block_cache_shard *s, struct block *b)
{
	if (s->hand) {
		b->link = s->hand->link;
		s->hand->link = b;
	} else {
		b->link = b;
	}
	s->hand = b;                      /* just visited: the hand comes by after a whole round */
	s->bytes += b->charge;
	s->blocks++;
}

/* Takes out the block after `prev`. */
static struct block *block_cache_ring_remove_after(struct block_cache_shard *s, struct block *prev)
{
	struct block *b = prev->link;

	prev->link = b->link;
	if (s->hand == b)
		s->hand = prev == b ? NULL : prev;
	s->bytes -= b->charge;
	s->blocks--;
	return b;
}

static void block_cache_drop(struct block_cache *c, struct block_cache_shard *s, struct block *prev, struct block **list)
{
	struct block *b = block_cache_ring_remove_after(s, prev);

	block_cache_unlink(c, b);
	atomic_fetch_sub_explicit(&c->bytes, b->charge, memory_order_relaxed);
	if (b->kind == TABLE_FILTER)
		atomic_fetch_sub_explicit(&c->filter_bytes, b->charge, memory_order_relaxed);
	b->link = *list;
	*list = b;
}

/* How many rounds of the hand it had before it, and one less now; a touch meanwhile may be lost. */
static unsigned char block_cache_tire(struct block *b)
{
	unsigned char lives = atomic_load_explicit(&b->touched, memory_order_relaxed);

	if (lives)
		atomic_store_explicit(&b->touched, (unsigned char)(lives - 1), memory_order_relaxed);
	return lives;
}

/*
 * Unlinks the first block that was not touched since the hand's last visit. False where one round of the hand found none: a shard
 * whose blocks are all in use gives none away as long as another may have one that is not; `force` takes the next one then.
 */
static bool block_cache_evict(struct block_cache *c, struct block_cache_shard *s, bool force, struct block **list)
{
	bool found = false;

	mutex_lock(&s->mu);
	for (uint64_t left = s->blocks; left > 0 && !found; left--) {
		struct block *b = s->hand->link;

		found = !block_cache_tire(b) || force;
		if (found)
			block_cache_drop(c, s, s->hand, list);
		else
			s->hand = b;
	}
	mutex_unlock(&s->mu);
	return found;
}

/* ---- what waits for readers -------------------------------------------------------------------------------------------- */

static void block_cache_unpin_list(struct block *b)
{
	while (b) {
		struct block *after = b->link;

		block_unpin(b);
		b = after;
	}
}

static struct block *block_cache_take_retired(struct block_cache *c)
{
	struct block *all = c->retired;

	c->retired = NULL;
	c->retired_bytes = 0;
	return all;
}

/* Puts a list of unlinked blocks among the retired; where those are too many now, waits for readers and lets all of them go. */
static void block_cache_retire(struct block_cache *c, struct block *list)
{
	struct block *gone = NULL;

	mutex_lock(&c->retired_mu);
	while (list) {
		struct block *b = list;

		list = b->link;
		b->link = c->retired;
		c->retired = b;
		c->retired_bytes += b->charge;
	}
	if (c->retired_bytes > c->retire_limit)
		gone = block_cache_take_retired(c);
	mutex_unlock(&c->retired_mu);
	if (gone) {
		rcu_wait();
		block_cache_unpin_list(gone);
	}
}

/* What holes in the pool take beyond the capacity is taken from the blocks: then new ones come into the holes. */
static uint64_t block_cache_limit(struct block_cache *c)
{
	uint64_t most = c->capacity + BLOCK_CACHE_HOLES, mapped = c->pool ? pool_mapped(c->pool) : 0;
	uint64_t less = mapped > most ? (mapped - most) * BLOCK_CACHE_YIELD : 0;

	return c->limit - (less < c->limit / 4 ? less : c->limit / 4);
}

static void block_cache_shrink(struct block_cache *c)
{
	uint64_t limit = block_cache_limit(c);
	struct block *list = NULL;
	unsigned in_vain = 0;

	while (atomic_load_explicit(&c->bytes, memory_order_relaxed) > limit && in_vain < 3 * BLOCK_CACHE_SHARDS) {
		unsigned turn = atomic_fetch_add_explicit(&c->turn, 1, memory_order_relaxed);
		struct block_cache_shard *s = &c->shards[turn % BLOCK_CACHE_SHARDS];

		/* the third time round it can't be helped: readers touch blocks faster than the hands go by */
		if (!block_cache_evict(c, s, in_vain >= 2 * BLOCK_CACHE_SHARDS, &list)) {
			in_vain++;
			continue;
		}
		in_vain = 0;
		atomic_fetch_add_explicit(&c->evictions, 1, memory_order_relaxed);
	}
	if (list)
		block_cache_retire(c, list);
}

void block_cache_insert(struct block_cache *c, struct block *b)
{
	uint64_t hash = block_cache_hash(b->table, b->offset);
	struct block_cache_shard *s = block_cache_shard(c, hash);
	struct block **head = &c->buckets[hash & c->mask];

	if (b->charge > c->limit / 2)
		return;
	mutex_lock(&s->mu);
	if (block_cache_find(c, hash, b->table, b->offset)) {
		mutex_unlock(&s->mu);
		return;
	}
	atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&c->bytes, b->charge, memory_order_relaxed);
	if (b->kind == TABLE_FILTER)
		atomic_fetch_add_explicit(&c->filter_bytes, b->charge, memory_order_relaxed);
	b->next = *head;
	block_cache_ring_add(s, b);
	rcu_store(*head, b);
	block_cache_link(c, b);
	mutex_unlock(&s->mu);
	block_cache_shrink(c);
}

bool block_cache_enter_root(struct block_cache *c, struct block *b)
{
	uint64_t hash = block_cache_hash(b->table, b->offset);
	struct block_cache_shard *s = block_cache_shard(c, hash);
	struct block **head = &c->buckets[hash & c->mask];
	bool is_new;

	mutex_lock(&s->mu);
	is_new = !block_cache_find(c, hash, b->table, b->offset);
	if (is_new) {
		(void)block_pin_again(b);
		b->next = *head;
		rcu_store(*head, b);
		block_cache_link(c, b);
	}
	mutex_unlock(&s->mu);
	return is_new;
}

void block_cache_leave_root(struct block_cache *c, struct block *b)
{
	struct block_cache_shard *s = block_cache_shard(c, block_cache_hash(b->table, b->offset));

	mutex_lock(&s->mu);
	block_cache_unlink(c, b);
	mutex_unlock(&s->mu);
	b->link = NULL;
	block_cache_retire(c, b);
}

static void block_cache_forget_in(struct block_cache *c, struct block_cache_shard *s, uint64_t table, struct block **list)
{
	struct block *prev;

	mutex_lock(&s->mu);
	prev = s->hand;
	for (uint64_t left = s->blocks; left > 0; left--) {
		if (prev->link->table == table)
			block_cache_drop(c, s, prev, list);
		else
			prev = prev->link;
	}
	mutex_unlock(&s->mu);
}

void block_cache_forget(struct block_cache *c, uint64_t table)
{
	struct block *list = NULL;

	for (int i = 0; i < BLOCK_CACHE_SHARDS; i++)
		block_cache_forget_in(c, &c->shards[i], table, &list);
	if (list)
		block_cache_retire(c, list);
}

/* ---- filters ----------------------------------------------------------------------------------------------------------- */

uint64_t block_cache_filter_share(const struct block_cache *c)
{
	return c->capacity / BLOCK_CACHE_FILTERS;
}

uint64_t block_cache_filter_room(const struct block_cache *c)
{
	uint64_t taken = atomic_load_explicit(&c->filter_bytes, memory_order_relaxed);
	uint64_t share = block_cache_filter_share(c);

	return taken < share ? share - taken : 0;
}

/* ---- counters ---------------------------------------------------------------------------------------------------------- */

static void block_cache_bump(_Atomic uint64_t *n)
{
	atomic_store_explicit(n, atomic_load_explicit(n, memory_order_relaxed) + 1, memory_order_relaxed);
}

void block_cache_count(struct block_cache *c, bool hit)
{
	uint64_t self = (uint64_t)pthread_self() * UINT64_C(0x9e3779b97f4a7c15);
	struct block_cache_stripe *s = &c->stripes[(self >> 32) & (BLOCK_CACHE_STRIPES - 1)];

	block_cache_bump(hit ? &s->hits : &s->misses);
}

void block_cache_stats(struct block_cache *c, struct block_cache_stats *out)
{
	memset(out, 0, sizeof(*out));
	out->capacity = c->capacity;
	out->evictions = atomic_load_explicit(&c->evictions, memory_order_relaxed);
	for (int i = 0; i < BLOCK_CACHE_STRIPES; i++) {
		out->hits += atomic_load_explicit(&c->stripes[i].hits, memory_order_relaxed);
		out->misses += atomic_load_explicit(&c->stripes[i].misses, memory_order_relaxed);
	}
	mutex_lock(&c->retired_mu);
	out->bytes = c->retired_bytes;
	mutex_unlock(&c->retired_mu);
	out->bytes += atomic_load_explicit(&c->bytes, memory_order_relaxed);
}

/* ---- life -------------------------------------------------------------------------------------------------------------- */

static uint64_t block_cache_bucket_count(uint64_t capacity)
{
	uint64_t n = 64;

	while (n < capacity / BLOCK_CACHE_BUCKET && n < UINT64_C(1) << 32)
		n *= 2;
	return n;
}

static struct mutex *block_cache_lock(struct block_cache *c, int i)
{
	return i < BLOCK_CACHE_SHARDS ? &c->shards[i].mu : i == BLOCK_CACHE_SHARDS ? &c->links_mu : &c->retired_mu;
}

static void block_cache_fini_locks(struct block_cache *c, int n)
{
	while (n-- > 0)
		mutex_fini(block_cache_lock(c, n));
}

static int block_cache_init_locks(struct block_cache *c)
{
	for (int i = 0; i < BLOCK_CACHE_LOCKS; i++) {
		if (mutex_init(block_cache_lock(c, i)) < 0) {
			block_cache_fini_locks(c, i);
			return SILT_E_NOMEM;
		}
	}
	return 0;
}

int block_cache_new(uint64_t capacity, struct block_cache **out)
{
	struct block_cache *c = mem_alloc_aligned(BLOCK_LINE, sizeof(*c));
	uint64_t buckets = block_cache_bucket_count(capacity);

	if (!c)
		return SILT_E_NOMEM;
	memset(c, 0, sizeof(*c));
	c->mask = buckets - 1;
	c->capacity = capacity;
	c->retire_limit = capacity / 8 < BLOCK_CACHE_RETIRE ? capacity / 8 : BLOCK_CACHE_RETIRE;
	c->limit = capacity - c->retire_limit;
	c->buckets = mem_calloc(buckets, sizeof(*c->buckets));
	c->pool = capacity >= BLOCK_CACHE_POOL ? pool_new() : NULL;
	if (!c->buckets || (capacity >= BLOCK_CACHE_POOL && !c->pool) || block_cache_init_locks(c) < 0) {
		pool_close(c->pool);
		mem_free(c->buckets);
		mem_free(c);
		return SILT_E_NOMEM;
	}
	*out = c;
	return 0;
}

void block_cache_free(struct block_cache *c)
{
	if (!c)
		return;
	for (int i = 0; i < BLOCK_CACHE_SHARDS; i++) {
		struct block *hand = c->shards[i].hand;

		if (hand) {
			struct block *first = hand->link;

			hand->link = NULL;
			block_cache_unpin_list(first);
		}
	}
	block_cache_unpin_list(c->retired);
	block_cache_fini_locks(c, BLOCK_CACHE_LOCKS);
	unpackers_fini(&c->unpackers);
	pool_close(c->pool);              /* what is pinned still keeps it */
	mem_free(c->buckets);
	mem_free(c);
}

void block_cache_check(struct block_cache *c)
{
	uint64_t total = 0, filters = 0;

	for (int i = 0; i < BLOCK_CACHE_SHARDS; i++) {
		struct block_cache_shard *s = &c->shards[i];
		uint64_t bytes = 0;

		mutex_lock(&s->mu);
		for (struct block *b = s->hand; b; b = b->link == s->hand ? NULL : b->link) {
			assert(block_cache_find_key(c, b->table, b->offset) == b);
			assert(!b->slot || *b->slot == b);                /* rule 5; nobody else may be at work */
			for (uint32_t k = 0; b->children && k < b->children->count; k++)
				assert(!b->children->at[k] || b->children->at[k]->slot == &b->children->at[k]);
			assert(atomic_load(&b->refs) > 0);
			bytes += b->charge;
			filters += b->kind == TABLE_FILTER ? b->charge : 0;
		}
		assert(bytes == s->bytes && (s->blocks > 0) == (s->hand != NULL));
		total += bytes;
		mutex_unlock(&s->mu);
	}
	assert(total == atomic_load(&c->bytes) && total <= c->limit);
	assert(filters == atomic_load(&c->filter_bytes));
	(void)total;
	(void)filters;
}
