/* SPDX-License-Identifier: Apache-2.0 */
/* test_pool.c - pieces overlap nothing, neighbours grow together, memory goes back, and a cache's churn leaves few holes. */
#include "lib/test.h"

#include <siltstone.h>

#include "base/mem.h"
#include "base/pool.h"

enum { PIECES = 400, REGION = 4 << 20 };

struct held {
	uint8_t *piece;
	size_t bytes;
	uint8_t mark;
};

static void hold(struct pool *p, struct held *h, size_t bytes, uint8_t mark)
{
	h->piece = pool_take(p, bytes);
	h->bytes = bytes;
	h->mark = mark;
	assert_non_null(h->piece);
	assert_int_equal((uintptr_t)h->piece % POOL_LINE, 0);
	if (bytes > sizeof(struct pool_piece))
		memset(h->piece + sizeof(struct pool_piece), mark, bytes - sizeof(struct pool_piece));
}

static void let_go(struct pool *p, struct held *h)
{
	if (!h->piece)
		return;
	for (size_t i = sizeof(struct pool_piece); i < h->bytes; i++)
		assert_int_equal(h->piece[i], h->mark);
	pool_give(p, h->piece);
	h->piece = NULL;
}

static void test_pool__pieces_overlap_nothing(void **state)
{
	struct held held[PIECES] = { { 0 } };
	uint64_t seed = test_seed(41);
	struct pool *p = pool_new();

	(void)state;
	assert_non_null(p);
	assert_int_equal(pool_mapped(p), 0);
	for (int i = 0; i < 20000; i++) {
		struct held *h = &held[test_random(&seed) % PIECES];
		size_t most = test_random(&seed) % 50 ? 6000 : 300000;

		let_go(p, h);
		if (test_random(&seed) % 3)
			hold(p, h, test_random(&seed) % most, (uint8_t)i);
		if (i % 100 == 0)
			pool_check(p);
	}
	for (int i = 0; i < PIECES; i++)
		let_go(p, &held[i]);
	pool_check(p);
	assert_int_equal(pool_mapped(p), REGION);               /* one is kept */
	pool_close(p);
}

static void test_pool__sizes(void **state)
{
	struct pool *p = pool_new();

	(void)state;
	for (size_t n = 0; n <= POOL_PIECE_MAX; n += n < 5000 ? 1 : 4999) {
		struct held h;

		assert_in_range(pool_size(n), n, n + n / 16 + 64);
		assert_int_equal(pool_size(pool_size(n)), pool_size(n));
		if (n % 7 == 0) {
			hold(p, &h, n, (uint8_t)n);
			pool_check(p);
			let_go(p, &h);
			pool_check(p);
		}
	}
	assert_null(pool_take(p, POOL_PIECE_MAX + 1));
	pool_close(p);
}

static void test_pool__outlives_its_closing_as_long_as_pieces_are_out(void **state)
{
	struct pool *p = pool_new();
	struct held a, b;

	(void)state;
	hold(p, &a, 5000, 1);
	hold(p, &b, 900000, 2);
	pool_close(p);
	let_go(p, &a);
	let_go(p, &b);
	pool_close(NULL);
	pool_close(pool_new());
}

static void test_pool__without_memory(void **state)
{
	struct pool *p;
	struct held h;

	(void)state;
	mem_fail_at(1, true);
	assert_null(pool_new());
	mem_fail_at(0, false);
	p = pool_new();
	mem_fail_at(1, true);
	assert_null(pool_take(p, 100));
	pool_check(p);
	mem_fail_at(0, false);
	hold(p, &h, 100, 1);
	mem_fail_at(1, true);
	let_go(p, &h);
	mem_fail_at(0, false);
	pool_close(p);
}

/* As a cache does it: blocks of about one size, now and then a large one, always one out and one in. */
static void test_pool__a_caches_churn_leaves_few_holes(void **state)
{
	enum { MANY = 8000 };
	struct held *held = mem_calloc(MANY, sizeof(*held));
	uint64_t seed = test_seed(42), live = 0, most = 0;
	struct pool *p = pool_new();

	(void)state;
	for (int round = 0; round < 10; round++) {
		size_t base = 2000 + (size_t)round % 3 * 1000;          /* the blocks' size changes with the time */

		for (int i = 0; i < MANY; i++) {
			struct held *h = &held[test_random(&seed) % MANY];
			size_t bytes = test_random(&seed) % 200 ? base + test_random(&seed) % 700 : 25000;

			if (h->piece) {
				live -= pool_size(h->bytes);
				pool_give(p, h->piece);
			}
			h->piece = pool_take(p, bytes);
			assert_non_null(h->piece);
			h->bytes = bytes;
			live += pool_size(bytes);
			if (live > most)
				most = live;
		}
		pool_check(p);
		assert_true(pool_mapped(p) <= most + most / 8 + 2 * REGION);
	}
	for (int i = 0; i < MANY; i++)
		if (held[i].piece)
			pool_give(p, held[i].piece);
	assert_int_equal(pool_mapped(p), REGION);
	pool_close(p);
	mem_free(held);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pool__pieces_overlap_nothing),
		cmocka_unit_test(test_pool__sizes),
		cmocka_unit_test(test_pool__outlives_its_closing_as_long_as_pieces_are_out),
		cmocka_unit_test(test_pool__without_memory),
		cmocka_unit_test(test_pool__a_caches_churn_leaves_few_holes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
