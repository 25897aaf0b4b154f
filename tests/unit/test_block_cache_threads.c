/* SPDX-License-Identifier: Apache-2.0 */
/* test_block_cache_threads.c - readers and inserters of one block cache at once; blocks of one pool made and given back by several threads. */
#include "lib/blockkit.h"

#include <stdatomic.h>

#include "base/pool.h"
#include "base/thread.h"

enum { CROWD_READERS = 2, CROWD_WRITERS = 2, CROWD_KEYS = 400 };
struct crowd {
	struct block_cache *cache;
	_Atomic bool over;
	_Atomic unsigned wrong;
	_Atomic unsigned next_seed;
};

static void crowd_look(struct crowd *w, const struct block *b, uint64_t table, uint64_t offset)
{
	const uint8_t *p = b->bytes.data;
	uint8_t want = (uint8_t)(table * 31 + offset);

	if (b->table != table || b->offset != offset || p[0] != want || p[b->bytes.len - 1] != want)
		atomic_fetch_add(&w->wrong, 1);
}

/* Readers until the writers have ended; none may have seen what is not so. */
static void crowd_run(struct crowd *w, void *(*reader)(void *), void *(*writer)(void *))
{
	pthread_t readers[CROWD_READERS], writers[CROWD_WRITERS];

	for (int i = 0; i < CROWD_READERS; i++)
		assert_int_equal(thread_start(&readers[i], "reader", reader, w), 0);
	for (int i = 0; i < CROWD_WRITERS; i++)
		assert_int_equal(thread_start(&writers[i], "writer", writer, w), 0);
	for (int i = 0; i < CROWD_WRITERS; i++)
		thread_join(writers[i]);
	atomic_store(&w->over, true);
	for (int i = 0; i < CROWD_READERS; i++)
		thread_join(readers[i]);
	assert_int_equal(w->wrong, 0);
	block_cache_check(w->cache);
}

static void *crowd_reader(void *arg)
{
	struct crowd *w = arg;
	uint64_t seed = 100 + atomic_fetch_add(&w->next_seed, 1);

	while (!atomic_load(&w->over)) {
		uint64_t table = test_random(&seed) % 3, offset = test_random(&seed) % CROWD_KEYS;
		struct block *b;

		rcu_begin();
		for (int i = 0; i < 8; i++) {
			b = block_cache_peek(w->cache, table, offset + (uint64_t)i);
			if (b)
				crowd_look(w, b, table, offset + (uint64_t)i);
		}
		rcu_end();
		b = blockkit_pin(w->cache, table, offset);
		block_cache_count(w->cache, b != NULL);
		if (b)
			crowd_look(w, b, table, offset);
		block_unpin(b);
	}
	return NULL;
}

static void *crowd_writer(void *arg)
{
	struct crowd *w = arg;
	uint64_t seed = 200 + atomic_fetch_add(&w->next_seed, 1);

	for (int i = 0; i < 6000; i++) {
		struct block *b = blockkit_block(test_random(&seed) % 3, test_random(&seed) % CROWD_KEYS, 1 + test_random(&seed) % 1500);

		block_cache_insert(w->cache, b);
		crowd_look(w, b, b->table, b->offset);
		block_unpin(b);
		if (i % 1000 == 999)
			block_cache_forget(w->cache, test_random(&seed) % 3);
	}
	return NULL;
}

static void test_block_cache__readers_and_inserters_at_once(void **state)
{
	struct crowd w = { .cache = blockkit_cache(150000) };
	struct block_cache_stats s;

	(void)state;
	crowd_run(&w, crowd_reader, crowd_writer);
	block_cache_stats(w.cache, &s);
	assert_true(s.evictions > 0);
	block_cache_free(w.cache);
}

enum { FAMILY_ROUNDS = 6000, FAMILY_PARENT = 100000 };

/* Down from a parent, while parents and children come and go: what a pointer leads to is that child. */
static void *family_reader(void *arg)
{
	struct crowd *w = arg;
	uint64_t seed = 300 + atomic_fetch_add(&w->next_seed, 1);

	while (!atomic_load(&w->over)) {
		uint32_t i = (uint32_t)test_random(&seed) % BLOCKKIT_KIDS;
		struct block *p, *b;

		rcu_begin();
		p = block_cache_peek(w->cache, 1, FAMILY_PARENT);
		b = p ? block_cache_peek_child(w->cache, p, 1, i) : NULL;
		if (b)
			crowd_look(w, b, 1, i * 100);
		rcu_end();
		p = blockkit_pin(w->cache, 1, FAMILY_PARENT);
		b = p ? block_cache_pin_child(w->cache, p, 1, i) : NULL;
		if (b)
			crowd_look(w, b, 1, i * 100);
		block_unpin(p);
		block_unpin(b);
	}
	return NULL;
}

static void *family_writer(void *arg)
{
	struct crowd *w = arg;
	uint64_t seed = 400 + atomic_fetch_add(&w->next_seed, 1);

	for (int i = 0; i < FAMILY_ROUNDS; i++) {
		uint64_t what = test_random(&seed) % 10;

		if (what == 0) {
			struct block *p = blockkit_parent(FAMILY_PARENT);

			block_cache_insert(w->cache, p);
			block_unpin(p);
		} else if (what < 6) {
			block_unpin(blockkit_enter_child(w->cache, FAMILY_PARENT, (uint32_t)test_random(&seed) % BLOCKKIT_KIDS, 1000));
		} else {
			blockkit_enter(w->cache, 2, test_random(&seed) % 1000, 3000);
		}
		if (i % 500 == 499)
			block_cache_forget(w->cache, 1);
	}
	return NULL;
}

enum { NEIGHBOURS = 3, NEIGHBOURS_HELD = 24 };

/* Blocks made, held and given back beside those of other threads, whose neighbours they are in the pool. */
static void *neighbour(void *arg)
{
	struct crowd *w = arg;
	struct block *held[NEIGHBOURS_HELD] = { NULL };
	uint64_t seed = 300 + atomic_fetch_add(&w->next_seed, 1);

	for (int i = 0; i < 30000; i++) {
		struct block **b = &held[test_random(&seed) % NEIGHBOURS_HELD];

		block_unpin(*b);
		*b = block_cache_new_block(w->cache, 1 + test_random(&seed) % 9000, 0);
		assert_non_null(*b);
	}
	for (int i = 0; i < NEIGHBOURS_HELD; i++)
		block_unpin(held[i]);
	return NULL;
}

/* Making a block must not write what the pool keeps in it for its neighbours. */
static void test_block_cache__neighbours_in_the_pool_come_and_go(void **state)
{
	struct crowd w = { .cache = blockkit_cache(64 << 20) };
	struct block *b = block_cache_new_block(w.cache, 100, 0);
	pthread_t threads[NEIGHBOURS];

	(void)state;
	assert_non_null(b->pool);
	for (int i = 0; i < NEIGHBOURS; i++)
		assert_int_equal(thread_start(&threads[i], "neighbour", neighbour, &w), 0);
	for (int i = 0; i < NEIGHBOURS; i++)
		thread_join(threads[i]);
	pool_check(b->pool);
	block_unpin(b);
	block_cache_free(w.cache);
}

static void test_block_cache__families_come_and_go_under_readers(void **state)
{
	struct crowd w = { .cache = blockkit_cache(80000) };

	(void)state;
	crowd_run(&w, family_reader, family_writer);
	block_cache_free(w.cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_block_cache__readers_and_inserters_at_once),
		cmocka_unit_test(test_block_cache__neighbours_in_the_pool_come_and_go),
		cmocka_unit_test(test_block_cache__families_come_and_go_under_readers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
