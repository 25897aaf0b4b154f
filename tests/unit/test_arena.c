/* SPDX-License-Identifier: Apache-2.0 */
/* test_arena.c - what was reserved can be taken, stays where it is, and overlaps nothing. */
#include "lib/test.h"

#include <siltstone.h>

#include "base/arena.h"

enum { CHUNK = 1024 };

static void test_arena__reserved_can_be_taken(void **state)
{
	uint64_t random = test_seed(17);
	struct arena a;

	(void)state;
	arena_init(&a, CHUNK);
	for (int round = 0; round < 500; round++) {
		size_t n[5], sum = 0;
		uint8_t *piece[5];

		for (int i = 0; i < 5; i++) {
			n[i] = test_random(&random) % (round % 10 ? 60 : 900);
			sum += (n[i] + 7) & ~(size_t)7;
		}
		assert_int_equal(arena_reserve(&a, sum), 0);
		mem_fail_at(1, true);         /* from here on nothing may need the heap */
		for (int i = 0; i < 5; i++) {
			piece[i] = arena_take(&a, n[i]);
			assert_int_equal((uintptr_t)piece[i] % 8, 0);
			memset(piece[i], i + 1, n[i]);
		}
		mem_fail_at(0, false);
		for (int i = 0; i < 5; i++)
			for (size_t k = 0; k < n[i]; k++)
				assert_int_equal(piece[i][k], i + 1);
	}
	arena_fini(&a);
}

static void test_arena__pieces_never_move(void **state)
{
	uint32_t *piece[1000];
	struct arena a;

	(void)state;
	arena_init(&a, CHUNK);
	for (uint32_t i = 0; i < 1000; i++) {
		assert_int_equal(arena_reserve(&a, 24), 0);
		piece[i] = arena_take(&a, 20);
		piece[i][0] = piece[i][4] = i;
	}
	for (uint32_t i = 0; i < 1000; i++)
		assert_true(piece[i][0] == i && piece[i][4] == i);
	arena_fini(&a);
}

/* From ARENA_HUGE on a chunk is one of its own kind, but for what is larger than it. */
static void test_arena__large_chunks_are_huge_pages(void **state)
{
	const size_t huge = ARENA_HUGE, sizes[] = { 100, huge - 200, huge / 2, huge - 24, huge, 3 * huge, 8 };
	size_t before;
	struct arena a;

	(void)state;
	arena_init(&a, ARENA_HUGE);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		before = arena_used(&a);
		assert_int_equal(arena_reserve(&a, sizes[i]), 0);
		memset(arena_take(&a, sizes[i]), 7, sizes[i]);
		assert_true(arena_used(&a) >= before + sizes[i] && arena_used(&a) <= a.bytes);
		assert_int_equal((uintptr_t)a.end % 8, 0);
	}
	mem_fail_at(1, true);
	assert_int_equal(arena_reserve(&a, ARENA_HUGE - 24), SILT_E_NOMEM);
	mem_fail_at(0, false);
	arena_fini(&a);
	assert_null(a.chunks);
}

static void test_arena__bytes_counts_the_heap(void **state)
{
	struct arena a;
	size_t one;

	(void)state;
	arena_init(&a, CHUNK);
	assert_int_equal(a.bytes, 0);
	assert_int_equal(arena_reserve(&a, 8), 0);
	one = a.bytes;
	assert_true(one >= CHUNK && one < CHUNK + 64);
	assert_int_equal(arena_reserve(&a, CHUNK), 0);        /* fits the chunk that is there */
	assert_int_equal(a.bytes, one);
	(void)arena_take(&a, 8);
	assert_int_equal(arena_reserve(&a, CHUNK), 0);
	assert_int_equal(a.bytes, 2 * one);
	assert_int_equal(arena_reserve(&a, 100 * CHUNK), 0);  /* larger than a chunk */
	assert_true(a.bytes >= 2 * one + 100 * CHUNK);
	arena_fini(&a);
	assert_int_equal(a.bytes, 0);
	arena_fini(&a);
}

static void test_arena__no_memory_leaves_it_usable(void **state)
{
	struct arena a;
	char *kept;

	(void)state;
	arena_init(&a, CHUNK);
	mem_fail_at(1, true);
	assert_int_equal(arena_reserve(&a, 1), SILT_E_NOMEM);
	mem_fail_at(0, false);
	assert_int_equal(arena_reserve(&a, 16), 0);
	kept = arena_take(&a, 16);
	strncpy(kept, "kept", 16);
	mem_fail_at(1, true);
	assert_int_equal(arena_reserve(&a, 2 * CHUNK), SILT_E_NOMEM);
	assert_int_equal(arena_reserve(&a, 64), 0);           /* what is there is still there */
	mem_fail_at(0, false);
	assert_int_equal(arena_reserve(&a, SIZE_MAX), SILT_E_NOMEM);
	assert_int_equal(arena_reserve(&a, SIZE_MAX - 8), SILT_E_NOMEM);
	assert_string_equal(kept, "kept");
	arena_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arena__reserved_can_be_taken),
		cmocka_unit_test(test_arena__pieces_never_move),
		cmocka_unit_test(test_arena__large_chunks_are_huge_pages),
		cmocka_unit_test(test_arena__bytes_counts_the_heap),
		cmocka_unit_test(test_arena__no_memory_leaves_it_usable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
