/* SPDX-License-Identifier: Apache-2.0 */
/* test_table_cache.c - one struct table a number, as long as somebody holds it. */
#include "lib/test.h"

#include <pthread.h>

#include "base/mem.h"
#include "lib/tablekit.h"
#include "table/table_cache.h"

enum { NUMBERS = 50 };

struct cachekit {
	struct tablekit k;                /* its table: number TABLEKIT_NUMBER */
	struct table_cache *cache;
	struct table_meta *metas[NUMBERS];
};

static void cachekit_init(struct cachekit *c)
{
	static const struct table_settings s = { .block_size = 4096 };

	tablekit_init(&c->k, 1 << 20);
	tablekit_put(&c->k, "a", 1, "1");
	tablekit_build(&c->k, &s);
	table_unref(c->k.table);                                /* what follows opens it through the cache */
	c->k.table = NULL;
	assert_int_equal(table_cache_new(&c->k.kit.env, c->k.cache, &c->cache), 0);
	for (uint64_t i = 0; i < NUMBERS; i++) {
		c->metas[i] = table_meta_new(slice_str("a"), slice_str("b"));
		assert_non_null(c->metas[i]);
		c->metas[i]->number = 100 + i;
	}
}

static void cachekit_fini(struct cachekit *c)
{
	for (int i = 0; i < NUMBERS; i++)
		table_meta_unref(c->metas[i]);
	table_cache_free(c->cache);
	tablekit_fini(&c->k);
}

static void test_table_cache__one_table_a_number(void **state)
{
	struct table *a, *b, *again;
	struct cachekit c;

	(void)state;
	cachekit_init(&c);
	assert_int_equal(table_cache_get(c.cache, c.metas[3], &a), 0);
	assert_int_equal(table_cache_get(c.cache, c.metas[2], &b), 0);
	assert_int_equal(table_cache_get(c.cache, c.metas[3], &again), 0);
	assert_ptr_equal(a, again);
	assert_ptr_not_equal(a, b);
	assert_ptr_equal(table_meta_of(a), c.metas[3]);
	table_cache_put(c.cache, again);
	table_cache_put(c.cache, b);
	assert_ptr_equal(table_meta_of(a), c.metas[3]);         /* one reference is left */
	table_cache_put(c.cache, a);
	table_cache_put(c.cache, NULL);
	cachekit_fini(&c);
}

static void test_table_cache__asks_nothing_of_the_disk(void **state)
{
	struct cachekit c;
	struct table *t;
	uint64_t calls;

	(void)state;
	cachekit_init(&c);
	calls = simdisk_calls(c.k.disk, SIM_ANY);
	assert_int_equal(table_cache_get(c.cache, c.k.meta, &t), 0);
	assert_int_equal(simdisk_calls(c.k.disk, SIM_ANY), calls);
	assert_int_equal(table_open(t), 0);
	assert_int_equal(simdisk_calls(c.k.disk, SIM_OPEN), 2);
	table_cache_put(c.cache, t);
	assert_int_equal(simdisk_calls(c.k.disk, SIM_CLOSE), 2);/* the last one given back closes it */
	cachekit_fini(&c);
}

static void test_table_cache__a_cursor_may_outlive_the_last_reference(void **state)
{
	struct cachekit c;
	struct table *t;
	struct iter *it;

	(void)state;
	cachekit_init(&c);
	assert_int_equal(table_cache_get(c.cache, c.k.meta, &t), 0);
	assert_int_equal(table_iter_new(t, 0, &it), 0);
	table_cache_put(c.cache, t);
	assert_int_equal(it->ops->first(it), 0);
	assert_true(tablekit_same(it->cur, &c.k.entries[0]));
	assert_int_equal(table_cache_get(c.cache, c.k.meta, &t), 0);   /* a new one, beside the cursor's */
	table_cache_put(c.cache, t);
	assert_int_equal(iter_next(it), SILT_END);
	iter_close(it);
	cachekit_fini(&c);
}

/* References taken and given back at random, counted in an array. */
static void test_table_cache__counts_as_the_twin(void **state)
{
	uint64_t seed = test_seed(51);
	struct table *held[NUMBERS] = { 0 };
	unsigned users[NUMBERS] = { 0 };
	struct cachekit c;

	(void)state;
	cachekit_init(&c);
	for (int step = 0; step < 20000; step++) {
		size_t i = test_random(&seed) % NUMBERS;
		struct table *t;

		if (test_random(&seed) % 2 && users[i] < 3) {
			assert_int_equal(table_cache_get(c.cache, c.metas[i], &t), 0);
			assert_true(users[i] == 0 || t == held[i]);
			assert_ptr_equal(table_meta_of(t), c.metas[i]);
			held[i] = t;
			users[i]++;
		} else if (users[i] > 0) {
			table_cache_put(c.cache, held[i]);
			users[i]--;
		}
	}
	for (int i = 0; i < NUMBERS; i++)
		while (users[i]-- > 0)
			table_cache_put(c.cache, held[i]);
	cachekit_fini(&c);
}

static void test_table_cache__without_memory(void **state)
{
	struct table *held[NUMBERS], *t;
	struct table_cache *none;
	struct cachekit c;

	(void)state;
	cachekit_init(&c);
	mem_fail_at(1, false);
	assert_int_equal(table_cache_new(&c.k.kit.env, c.k.cache, &none), SILT_E_NOMEM);
	for (int i = 0; i < NUMBERS; i++) {                      /* also where the array grows */
		int failures = 0;

		for (uint64_t n = 1;; n++) {
			mem_fail_at(n, false);
			if (table_cache_get(c.cache, c.metas[i], &held[i]) == 0)
				break;
			failures++;
		}
		assert_in_range(failures, 1, 3);
	}
	mem_fail_at(1, false);
	assert_int_equal(table_cache_get(c.cache, c.metas[7], &t), 0);   /* what is there needs none */
	mem_fail_at(0, false);
	assert_ptr_equal(t, held[7]);
	table_cache_put(c.cache, t);
	for (int i = 0; i < NUMBERS; i++)
		table_cache_put(c.cache, held[i]);
	cachekit_fini(&c);
}

static void *take_and_give(void *ctx)
{
	struct cachekit *c = ctx;
	uint64_t seed = (uintptr_t)&seed | 1;
	uintptr_t wrong = 0;

	for (int i = 0; i < 2000; i++) {
		struct table_meta *m = c->metas[test_random(&seed) % 4];
		struct table *t;

		if (table_cache_get(c->cache, m, &t) != 0)
			return (void *)1;
		wrong += table_meta_of(t) != m;
		table_cache_put(c->cache, t);
	}
	return (void *)wrong;
}

static void test_table_cache__threads(void **state)
{
	pthread_t threads[4];
	struct cachekit c;

	(void)state;
	cachekit_init(&c);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, &c), 0);
	for (int i = 0; i < 4; i++) {
		void *wrong;

		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
	cachekit_fini(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_cache__one_table_a_number),
		cmocka_unit_test(test_table_cache__asks_nothing_of_the_disk),
		cmocka_unit_test(test_table_cache__a_cursor_may_outlive_the_last_reference),
		cmocka_unit_test(test_table_cache__counts_as_the_twin),
		cmocka_unit_test(test_table_cache__without_memory),
		cmocka_unit_test(test_table_cache__threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
