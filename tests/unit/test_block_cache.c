/* SPDX-License-Identifier: Apache-2.0 */
/* test_block_cache.c - who is kept and who goes, references, bounds, forgetting; at once: test_block_cache_threads.c. */
#include "lib/blockkit.h"

#include "base/mem.h"
#include "base/pool.h"

static bool has(struct block_cache *c, uint64_t table, uint64_t offset)
{
	struct block *b = blockkit_pin(c, table, offset);

	block_unpin(b);
	return b != NULL;
}

static uint64_t used(struct block_cache *c)
{
	struct block_cache_stats s;

	block_cache_stats(c, &s);
	assert_true(s.bytes <= s.capacity);
	return s.bytes;
}

static void test_block_cache__a_block_is_one_aligned_allocation(void **state)
{
	(void)state;
	for (size_t decoded = 0; decoded < 200; decoded += 8) {
		struct block *b = block_new(100, decoded);

		assert_non_null(b);
		assert_int_equal((uintptr_t)b->bytes.data % 64, 0);
		assert_int_equal(b->bytes.len, 100);
		assert_ptr_equal(b->decoded, decoded ? b + 1 : NULL);
		assert_true(b->charge >= sizeof(*b) + decoded + 100);
		if (decoded)
			memset(b->decoded, 0xff, decoded);
		assert_int_equal(b->charge % 4, 0);
		block_unpin(b);
	}
	block_unpin(NULL);
}

static void test_block_cache__finds_what_was_entered(void **state)
{
	struct block_cache *c = blockkit_cache(1 << 20);
	struct block *b;

	(void)state;
	assert_false(has(c, 1, 0));
	for (uint64_t i = 0; i < 100; i++)
		blockkit_enter(c, 1 + i % 3, i * 4096, 500);
	block_cache_check(c);
	for (uint64_t i = 0; i < 100; i++) {
		assert_true(has(c, 1 + i % 3, i * 4096));
		assert_false(has(c, 2 + i % 3, i * 4096 + 1));
	}
	rcu_begin();
	b = block_cache_peek(c, 2, 4096);
	assert_non_null(b);
	assert_int_equal(((const uint8_t *)b->bytes.data)[499], (uint8_t)(2 * 31 + 4096));
	assert_null(block_cache_peek(c, 2, 0));
	rcu_end();
	block_cache_free(c);
}

static void test_block_cache__a_second_of_a_key_is_left_out(void **state)
{
	struct block_cache *c = blockkit_cache(1 << 20);
	struct block *first = blockkit_block(1, 0, 100), *second = blockkit_block(1, 0, 200), *got;
	uint64_t before;

	(void)state;
	block_cache_insert(c, first);
	before = used(c);
	block_cache_insert(c, second);
	assert_int_equal(used(c), before);
	got = blockkit_pin(c, 1, 0);
	assert_ptr_equal(got, first);
	block_unpin(got);
	block_unpin(first);
	block_unpin(second);
	block_cache_check(c);
	block_cache_free(c);
}

static void test_block_cache__stays_within_its_bytes(void **state)
{
	uint64_t seed = test_seed(8);

	(void)state;
	for (uint64_t capacity = 0; capacity < 1 << 20; capacity = capacity * 2 + 1000) {
		struct block_cache *c = blockkit_cache(capacity);

		for (int i = 0; i < 2000; i++) {
			blockkit_enter(c, test_random(&seed) % 4, test_random(&seed) % 1000, test_random(&seed) % 5000);
			assert_true(used(c) <= capacity);
		}
		block_cache_check(c);
		block_cache_free(c);
	}
}

static void test_block_cache__what_is_used_outlives_a_scan(void **state)
{
	struct block_cache *c = blockkit_cache(1 << 20);

	(void)state;
	for (uint64_t i = 0; i < 20; i++)
		blockkit_enter(c, 1, i, 4000);
	for (uint64_t i = 0; i < 2000; i++) {
		for (uint64_t j = 0; j < 20; j++)
			assert_true(has(c, 1, j));
		blockkit_enter(c, 2, i, 4000);
	}
	block_cache_check(c);
	block_cache_free(c);
}

static void test_block_cache__larger_than_half_is_left_out(void **state)
{
	struct block_cache *c = blockkit_cache(100000);
	struct block *b = blockkit_block(1, 0, 60000);

	(void)state;
	blockkit_enter(c, 1, 1, 1000);
	block_cache_insert(c, b);
	assert_false(has(c, 1, 0));
	assert_true(has(c, 1, 1));
	block_unpin(b);
	blockkit_enter(c, 1, 2, 40000);                         /* large, and yet in one shard */
	assert_true(has(c, 1, 2));
	block_cache_free(c);
}

static void test_block_cache__a_pin_outlives_eviction(void **state)
{
	struct block_cache *c = blockkit_cache(64 << 10);
	struct block_cache_stats s;
	struct block *b;

	(void)state;
	blockkit_enter(c, 1, 0, 1000);
	b = blockkit_pin(c, 1, 0);
	for (uint64_t i = 1; i < 1000; i++)
		blockkit_enter(c, 1, i, 1000);
	assert_false(has(c, 1, 0));
	for (size_t i = 0; i < b->bytes.len; i++)
		assert_int_equal(((const uint8_t *)b->bytes.data)[i], 31);
	block_unpin(b);
	block_cache_stats(c, &s);
	assert_in_range(s.evictions, 900, 1000);
	block_cache_free(c);
}

static void test_block_cache__forgets_a_table(void **state)
{
	uint64_t seed = test_seed(9), before;
	struct block_cache *c = blockkit_cache(1 << 20);

	(void)state;
	for (int round = 0; round < 50; round++) {
		for (uint64_t i = 0; i < 60; i++)
			blockkit_enter(c, i % 3, i, test_random(&seed) % 3000);
		before = used(c);
		block_cache_forget(c, (uint64_t)round % 3);
		block_cache_check(c);
		assert_true(used(c) <= before);
		for (uint64_t i = 0; i < 60; i++)
			assert_int_equal(has(c, i % 3, i), i % 3 != (uint64_t)round % 3);
		block_cache_forget(c, 99);
	}
	for (uint64_t t = 0; t < 3; t++)
		block_cache_forget(c, t);
	block_cache_check(c);
	block_cache_free(c);
}

/* ---- parents and children ---- */

static unsigned known(const struct block *p)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < BLOCKKIT_KIDS; i++)
		n += p->children->at[i] != NULL;
	return n;
}

static void test_block_cache__parents_and_children_find_each_other(void **state)
{
	struct block_cache *c = blockkit_cache(1 << 20);
	struct block *p = blockkit_parent(5000), *b;

	(void)state;
	for (uint32_t i = 0; i < BLOCKKIT_KIDS / 2; i++)        /* children first */
		block_unpin(blockkit_enter_child(c, 5000, i, 100));
	blockkit_enter(c, 1, 25 * 100, 100);                    /* one that names no parent */
	block_cache_insert(c, p);
	assert_int_equal(known(p), BLOCKKIT_KIDS / 2);
	for (uint32_t i = BLOCKKIT_KIDS / 2; i < BLOCKKIT_KIDS; i++)  /* children later */
		block_unpin(blockkit_enter_child(c, 5000, i, 100));
	assert_int_equal(known(p), BLOCKKIT_KIDS - 1);
	block_unpin(blockkit_enter_child(c, 5000, BLOCKKIT_KIDS, 100));  /* one that the parent does not have */
	block_cache_check(c);
	for (uint32_t i = 0; i < BLOCKKIT_KIDS; i++) {          /* also where no pointer is: by the hash table */
		b = block_cache_pin_child(c, p, 1, i);
		assert_non_null(b);
		assert_int_equal(b->offset, i * 100);
		block_unpin(b);
	}
	block_cache_forget(c, 1);
	assert_int_equal(known(p), 0);
	assert_null(block_cache_pin_child(c, p, 1, 3));
	block_unpin(blockkit_enter_child(c, 5000, 3, 100));     /* the parent is pinned and no more there */
	assert_int_equal(known(p), 0);
	block_unpin(p);
	block_cache_check(c);
	block_cache_free(c);
}

static void test_block_cache__a_second_parent_takes_over(void **state)
{
	struct block_cache *c = blockkit_cache(64 << 10);
	struct block *first = blockkit_parent(5000), *second = blockkit_parent(5000);

	(void)state;
	block_cache_insert(c, first);
	block_unpin(blockkit_enter_child(c, 5000, 7, 100));
	assert_int_equal(known(first), 1);
	block_cache_insert(c, second);                          /* left out */
	assert_int_equal(known(second), 0);
	for (uint64_t i = 0; known(first); i++) {               /* until the first is evicted: the child is in use, it is not */
		assert_true(has(c, 1, 700));
		blockkit_enter(c, 2, i, 4000);
	}
	assert_true(has(c, 1, 700));
	block_cache_insert(c, second);
	assert_int_equal(known(second), 1);
	block_cache_check(c);
	for (uint64_t i = 0; known(second); i++) {              /* and the other way round */
		assert_true(has(c, 1, 5000));
		blockkit_enter(c, 2, i, 4000);
	}
	assert_true(has(c, 1, 5000));
	assert_false(has(c, 1, 700));
	block_unpin(first);
	block_unpin(second);
	block_cache_check(c);
	block_cache_free(c);
}

static void test_block_cache__roots_stay_and_leave(void **state)
{
	struct block_cache *c = blockkit_cache(1 << 20);
	struct block *root = blockkit_parent(9000), *other = blockkit_parent(9000);

	(void)state;
	block_unpin(blockkit_enter_child(c, 9000, 1, 100));
	assert_true(block_cache_enter_root(c, root));
	assert_false(block_cache_enter_root(c, other));
	assert_int_equal(known(root), 1);
	block_unpin(blockkit_enter_child(c, 9000, 2, 100));
	assert_int_equal(known(root), 2);
	for (uint64_t i = 0; i < 2000; i++)
		blockkit_enter(c, 2, i, 4000);
	assert_int_equal(known(root), 0);
	assert_true(has(c, 1, 9000));
	block_cache_forget(c, 1);
	assert_true(has(c, 1, 9000));
	block_unpin(blockkit_enter_child(c, 9000, 3, 100));
	block_cache_check(c);
	block_cache_leave_root(c, root);
	assert_int_equal(known(root), 0);
	assert_false(has(c, 1, 9000));
	assert_true(block_cache_enter_root(c, other));
	assert_int_equal(known(other), 1);
	block_cache_leave_root(c, other);
	block_unpin(root);
	block_unpin(other);
	block_cache_check(c);
	block_cache_free(c);
}

static void test_block_cache__filters_have_a_share(void **state)
{
	struct block_cache *c = blockkit_cache(1 << 20);
	uint64_t share = block_cache_filter_share(c);

	(void)state;
	assert_int_equal(share, (1 << 20) / 4);
	assert_int_equal(block_cache_filter_room(c), share);
	blockkit_enter(c, 1, 0, 5000);
	assert_int_equal(block_cache_filter_room(c), share);
	for (uint64_t table = 2; table < 12; table++) {
		struct block *b = blockkit_block(table, 0, 50000);

		b->kind = TABLE_FILTER;
		block_cache_insert(c, b);
		assert_int_equal(block_cache_filter_room(c), (table - 1) * b->charge > share ? 0 : share - (table - 1) * b->charge);
		block_unpin(b);
	}
	for (uint64_t table = 2; table < 10; table++)
		block_cache_forget(c, table);
	assert_in_range(block_cache_filter_room(c), share - 2 * 51000, share - 2 * 50000);
	for (uint64_t i = 0; i < 2000; i++)                     /* pushed out by what was used since */
		blockkit_enter(c, 1, i, 4000);
	assert_int_equal(block_cache_filter_room(c), share);
	block_cache_check(c);
	block_cache_free(c);
}

static void test_block_cache__a_large_one_has_memory_of_its_own(void **state)
{
	struct block_cache *c = blockkit_cache(64 << 20), *little = blockkit_cache(1 << 20);
	struct block *kept = NULL;

	(void)state;
	for (uint64_t i = 0; i < 40000; i++) {                  /* more than fits, so that pieces are used again */
		size_t bytes = 3000 + i * 37 % 2000;
		struct block *b = block_cache_new_block(c, bytes, 100);

		assert_non_null(b);
		assert_non_null(b->pool);
		assert_int_equal(b->charge % 64, 0);
		assert_true(b->charge >= sizeof(*b) + 100 + bytes);
		b->table = i % 5;
		b->offset = i;
		memset(b->decoded, (int)i, 100);
		memset((void *)(uintptr_t)b->bytes.data, (int)i, bytes);
		block_cache_insert(c, b);
		if (i == 39999)
			kept = block_pin_again(b);
		block_unpin(b);
		assert_true(i % 1000 || used(c) <= 64 << 20);
	}
	block_cache_check(c);
	for (uint64_t i = 0; i < 40000; i++) {
		struct block *b = blockkit_pin(c, i % 5, i);

		assert_true(!b || (((const uint8_t *)b->bytes.data)[2999] == (uint8_t)i && *(uint8_t *)b->decoded == (uint8_t)i));
		block_unpin(b);
	}
	block_cache_free(c);
	assert_int_equal(*(uint8_t *)kept->decoded, (uint8_t)39999);
	block_unpin(kept);
	for (int i = 0; i < 3; i++) {
		struct block *b = block_cache_new_block(i == 0 ? little : NULL, i == 1 ? 2 << 20 : 100, 0);

		assert_null(b->pool);
		block_unpin(b);
	}
	block_cache_free(little);
}

/* Sizes that change leave holes where blocks of other sizes were: they are taken from the blocks, so that pages stay within the capacity. */
static void test_block_cache__holes_are_within_the_capacity(void **state)
{
	static const size_t sizes[] = { 600, 30000, 4000, 150, 17000, 9000, 1000 };
	struct block_cache *c = blockkit_cache(192 << 20);
	uint64_t random = 5, offset = 0;

	(void)state;
	for (size_t phase = 0; phase < sizeof(sizes) / sizeof(*sizes); phase++) {
		for (uint64_t bytes = 0; bytes < 150 << 20; offset++) {
			size_t n = sizes[phase] + test_random(&random) % sizes[phase];
			struct block *b = block_cache_new_block(c, n, 0);

			assert_non_null(b);
			b->offset = offset;
			block_cache_insert(c, b);
			bytes += b->charge;
			if (offset % 256 == 0)
				assert_true(pool_mapped(b->pool) <= (192 + 8 + 4 + 4) << 20);
			block_unpin(b);
		}
	}
	block_cache_check(c);
	block_cache_free(c);
}

static void test_block_cache__counts(void **state)
{
	struct block_cache *c = blockkit_cache(1 << 20);
	struct block_cache_stats s;

	(void)state;
	for (int i = 0; i < 10; i++)
		block_cache_count(c, i < 7);
	block_cache_stats(c, &s);
	assert_int_equal(s.hits, 7);
	assert_int_equal(s.misses, 3);
	assert_int_equal(s.capacity, 1 << 20);
	assert_int_equal(s.bytes, 0);
	block_cache_free(c);
	block_cache_free(NULL);
}

static void test_block_cache__without_memory(void **state)
{
	struct block_cache *c;

	(void)state;
	for (uint64_t n = 1;; n++) {
		int rc;

		mem_fail_at(n, false);
		rc = block_cache_new(64 << 20, &c);
		mem_fail_at(0, false);
		assert_true(rc == 0 || rc == SILT_E_NOMEM);
		if (rc == 0)
			break;
	}
	block_cache_free(c);
	mem_fail_at(1, false);
	assert_null(block_new(10, 10));
	mem_fail_at(0, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_block_cache__a_block_is_one_aligned_allocation),
		cmocka_unit_test(test_block_cache__finds_what_was_entered),
		cmocka_unit_test(test_block_cache__a_second_of_a_key_is_left_out),
		cmocka_unit_test(test_block_cache__stays_within_its_bytes),
		cmocka_unit_test(test_block_cache__what_is_used_outlives_a_scan),
		cmocka_unit_test(test_block_cache__larger_than_half_is_left_out),
		cmocka_unit_test(test_block_cache__a_pin_outlives_eviction),
		cmocka_unit_test(test_block_cache__forgets_a_table),
		cmocka_unit_test(test_block_cache__parents_and_children_find_each_other),
		cmocka_unit_test(test_block_cache__a_second_parent_takes_over),
		cmocka_unit_test(test_block_cache__roots_stay_and_leave),
		cmocka_unit_test(test_block_cache__filters_have_a_share),
		cmocka_unit_test(test_block_cache__a_large_one_has_memory_of_its_own),
		cmocka_unit_test(test_block_cache__holes_are_within_the_capacity),
		cmocka_unit_test(test_block_cache__counts),
		cmocka_unit_test(test_block_cache__without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
