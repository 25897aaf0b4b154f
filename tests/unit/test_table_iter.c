/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_table_iter.c - a cursor against a naive twin, both ways; where it stands after an end, a failure, a seek; damage anywhere:
 * all of the truth, or the truth up to an error.
 */
#include "lib/test.h"

#include "base/mem.h"
#include "lib/tablekit.h"

static struct iter *cursor(struct tablekit *k, unsigned flags)
{
	struct iter *it;

	assert_int_equal(table_iter_new(k->table, flags, &it), 0);
	return it;
}

static void stands_at(struct tablekit *k, const struct iter *it, size_t i)
{
	assert_true(i < k->count && tablekit_same(it->cur, &k->entries[i]));
}

/* ---- against the twin ---- */

static void test_table_iter__answers_as_the_twin(void **state)
{
	static const struct table_settings settings[] = {
		{ .block_size = 4096, .filter_bits_per_key = 10, .compression = SILT_COMPRESS_LZ4 },
		{ .block_size = 256 },
		{ .block_size = 1024, .compression = SILT_COMPRESS_ZSTD },
	};
	uint64_t seed = test_seed(31);
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 8 << 20);
	for (int shape = 0; shape < TABLEKIT_SHAPES; shape++) {
		for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
			tablekit_random(&k, (enum tablekit_shape)shape, i == 1 ? 30 : 1200 * test_scale(), &seed);
			tablekit_build(&k, &settings[i]);
			tablekit_check_iter(&k, TABLE_NO_FILL);
			tablekit_check_iter(&k, 0);
		}
	}
	tablekit_fini(&k);
}

static void test_table_iter__over_several_partitions(void **state)
{
	uint64_t seed = test_seed(32);
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 4 << 20);
	tablekit_random(&k, TABLEKIT_PREFIXED, 8000, &seed);
	tablekit_build(&k, &tablekit_small);
	tablekit_check_iter(&k, 0);
	tablekit_fini(&k);
}

/* A walk of random steps: the cursor stands where a finger on the array stands. */
static void test_table_iter__a_random_walk(void **state)
{
	uint64_t seed = test_seed(33);
	struct tablekit k;
	struct iter *it;
	size_t at = SIZE_MAX;
	bool forward = true;

	(void)state;
	tablekit_init(&k, 64 << 10);                            /* blocks come and go */
	tablekit_random(&k, TABLEKIT_SHORT, 2000, &seed);
	tablekit_build(&k, &tablekit_small);
	it = cursor(&k, 0);
	for (unsigned step = 0; step < 20000 * test_scale(); step++) {
		const struct entry *e = &k.entries[test_random(&seed) % k.count];
		uint64_t version = e->version + test_random(&seed) % 3 - 1;
		int rc;

		switch (test_random(&seed) % 16) {
		case 0:
			rc = it->ops->first(it);
			at = 0;
			break;
		case 1:
			rc = it->ops->last(it);
			at = k.count - 1;
			break;
		case 2:
			rc = it->ops->seek(it, e->key, version);
			at = tablekit_seek(&k, e->key, version);
			break;
		case 3:
			rc = it->ops->before(it, e->key, version);
			at = tablekit_seek(&k, e->key, version) - 1;
			break;
		case 4: case 5:
			forward = !forward;                       /* then some steps one way */
			/* fall through */
		default:
			rc = forward ? iter_next(it) : iter_prev(it);
			at = at >= k.count ? SIZE_MAX : forward ? at + 1 : at - 1;
		}
		assert_int_equal(rc, at < k.count ? 0 : SILT_END);
		if (rc == 0)
			stands_at(&k, it, at);
	}
	iter_close(it);
	block_cache_check(k.cache);
	tablekit_fini(&k);
}

/* ---- where it stands ---- */

static void test_table_iter__seeks_to_its_own_key(void **state)
{
	struct tablekit k;
	struct iter *it;

	(void)state;
	tablekit_init(&k, 4096);                                /* nothing is cached: the block goes with its pin */
	tablekit_fill(&k, 200);
	tablekit_build(&k, &tablekit_small);
	it = cursor(&k, 0);
	assert_int_equal(it->ops->last(it), 0);
	for (size_t at = k.count - 1;; at--) {
		stands_at(&k, it, at);
		assert_int_equal(it->ops->seek(it, it->cur->key, it->cur->version), 0);
		stands_at(&k, it, at);
		if (at == 0)
			break;
		assert_int_equal(iter_prev(it), 0);
	}
	iter_close(it);
	tablekit_fini(&k);
}

static void test_table_iter__nowhere_is_left_by_first_last_and_seek_alone(void **state)
{
	struct tablekit k;
	struct iter *it;

	(void)state;
	tablekit_init(&k, 1 << 20);
	tablekit_fill(&k, 50);
	tablekit_build(&k, &tablekit_small);
	it = cursor(&k, 0);
	assert_int_equal(iter_next(it), SILT_END);
	assert_int_equal(iter_prev(it), SILT_END);
	assert_int_equal(it->ops->seek(it, slice_str("l"), 1), SILT_END);
	assert_int_equal(iter_prev(it), SILT_END);
	assert_int_equal(it->ops->last(it), 0);
	assert_int_equal(iter_next(it), SILT_END);
	assert_int_equal(iter_prev(it), SILT_END);
	assert_int_equal(it->ops->seek(it, slice_str("a"), 1), 0);
	stands_at(&k, it, 0);
	iter_close(it);
	tablekit_fini(&k);
}

static void test_table_iter__a_cursor_outlives_cache_entries_and_table(void **state)
{
	struct tablekit k;
	struct iter *it;

	(void)state;
	tablekit_init(&k, 1 << 20);
	tablekit_fill(&k, 100);
	tablekit_build(&k, &tablekit_small);
	it = cursor(&k, 0);
	assert_int_equal(it->ops->first(it), 0);
	table_unref(k.table);
	k.table = NULL;
	block_cache_forget(k.cache, TABLEKIT_NUMBER);
	for (size_t i = 0; i < k.count; i++) {
		stands_at(&k, it, i);
		assert_int_equal(iter_next(it), i + 1 < k.count ? 0 : SILT_END);
	}
	iter_close(it);
	tablekit_fini(&k);
}

static void test_table_iter__it_may_block(void **state)
{
	struct tablekit k;
	struct iter *it;

	(void)state;
	tablekit_init(&k, 1 << 20);
	tablekit_fill(&k, 10);
	tablekit_build(&k, &tablekit_small);
	assert_int_equal(table_iter_new(k.table, TABLE_CACHED_ONLY, &it), SILT_E_MISUSE);
	tablekit_fini(&k);
}

/* ---- reading ahead ---- */

static void test_table_iter__no_fill_reads_in_windows_and_leaves_the_cache_alone(void **state)
{
	struct block_cache_stats stats;
	uint64_t reads;
	struct tablekit k;
	struct iter *it;
	size_t n = 0;

	(void)state;
	tablekit_init(&k, 4 << 20);
	tablekit_fill(&k, 1000);
	tablekit_build(&k, &tablekit_small);
	assert_in_range(k.meta->size, 40000, 250000);
	it = cursor(&k, TABLE_NO_FILL);
	assert_int_equal(it->ops->first(it), 0);
	reads = simdisk_calls(k.disk, SIM_READ);
	for (int rc = 0; rc == 0; rc = iter_next(it))
		stands_at(&k, it, n++);
	assert_int_equal(n, k.count);
	assert_in_range(simdisk_calls(k.disk, SIM_READ) - reads, 0, 4);   /* further partitions; the file fits one window */
	iter_close(it);
	block_cache_stats(k.cache, &stats);
	assert_int_equal(stats.bytes, 0);
	tablekit_fini(&k);
}

static void test_table_iter__values_larger_than_a_window(void **state)
{
	static char big[700 << 10];
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 8 << 20);
	for (unsigned i = 0; i < 6; i++) {
		struct entry e = { .version = 1, .kind = ENTRY_PUT };
		char key = (char)('a' + i);

		memset(big, key, sizeof(big));
		e.key = slice_of(&key, 1);
		e.value = slice_of(big, i % 2 ? sizeof(big) : 10);
		tablekit_add(&k, &e);
	}
	tablekit_build(&k, &tablekit_small);
	tablekit_check_iter(&k, TABLE_NO_FILL);
	tablekit_check_iter(&k, 0);
	tablekit_fini(&k);
}

/* ---- damage ---- */

/* From one end to the other: the truth, to its end or up to an error; returns how it ended. */
static int walk(struct tablekit *k, bool forward, unsigned flags)
{
	struct iter *it = cursor(k, flags);
	int rc = forward ? it->ops->first(it) : it->ops->last(it);
	size_t n = 0;

	for (; rc == 0; n++) {
		stands_at(k, it, forward ? n : k->count - 1 - n);
		rc = forward ? iter_next(it) : iter_prev(it);
	}
	if (rc == SILT_END)
		assert_int_equal(n, k->count);
	else
		assert_int_equal(iter_next(it), SILT_END);  /* a failure leads nowhere */
	iter_close(it);
	return rc;
}

static void test_table_iter__any_flipped_byte_is_the_truth_or_an_error(void **state)
{
	static const struct table_settings packed = { .block_size = 256, .filter_bits_per_key = 10, .compression = SILT_COMPRESS_LZ4 };
	unsigned whole = 0;
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 1 << 20);
	tablekit_fill(&k, 24);
	tablekit_build(&k, &packed);
	for (uint64_t at = 0; at < k.meta->size; at++) {
		uint8_t mask = (uint8_t)(0x80u >> at % 8);
		int forward, backward;

		assert_int_equal(simdisk_flip(k.disk, k.path, at, mask), 0);
		tablekit_reopen(&k);
		forward = walk(&k, true, at % 2 ? TABLE_NO_FILL : 0);
		backward = walk(&k, false, at % 2 ? TABLE_NO_FILL : 0);
		assert_true(forward == SILT_END || forward == SILT_E_CORRUPT);
		assert_int_equal(backward, forward);
		whole += forward == SILT_END;
		assert_int_equal(simdisk_flip(k.disk, k.path, at, mask), 0);
	}
	assert_int_equal(whole, 64 + 1 + 9);                    /* the filter, which a cursor does not ask */
	tablekit_fini(&k);
}

static void test_table_iter__goes_on_behind_damage_where_it_is_sent(void **state)
{
	struct tablekit k;
	struct iter *it;

	(void)state;
	tablekit_init(&k, 1 << 20);
	tablekit_fill(&k, 50);
	tablekit_build(&k, &tablekit_small);
	simdisk_flip(k.disk, k.path, 20, 1);
	it = cursor(&k, 0);
	assert_int_equal(it->ops->first(it), SILT_E_CORRUPT);
	assert_non_null(strstr(k.kit.message, "/db/000012.sst: data block at offset 0 ("));
	assert_int_equal(iter_prev(it), SILT_END);
	assert_int_equal(it->ops->seek(it, slice_str("key020"), UINT64_MAX), 0);
	stands_at(&k, it, tablekit_seek(&k, slice_str("key020"), UINT64_MAX));
	for (int rc = 0; rc != SILT_E_CORRUPT; rc = iter_prev(it))
		assert_int_equal(rc, 0);
	assert_int_equal(it->ops->last(it), 0);
	stands_at(&k, it, k.count - 1);
	iter_close(it);
	tablekit_fini(&k);
}

/* ---- what may pass ---- */

static void test_table_iter__every_failing_read_is_an_error_and_passes(void **state)
{
	struct tablekit k;
	int rc = -1;

	(void)state;
	tablekit_init(&k, 1 << 20);
	tablekit_fill(&k, 50);
	tablekit_build(&k, &tablekit_small);
	for (uint64_t n = 1; rc != SILT_END; n++) {
		tablekit_reopen(&k);
		simdisk_fail_at(k.disk, SIM_ANY, n, SILT_E_IO, false);
		rc = walk(&k, n % 2, n % 3 ? 0 : TABLE_NO_FILL);
		simdisk_fail_at(k.disk, SIM_ANY, 0, 0, false);
		assert_true(rc == SILT_END || rc == SILT_E_IO);
		assert_int_equal(walk(&k, true, 0), SILT_END);
		assert_true(n < 200);
	}
	tablekit_fini(&k);
}

static void test_table_iter__without_memory_it_is_an_error_and_passes(void **state)
{
	struct tablekit k;
	int rc = -1;

	(void)state;
	tablekit_init(&k, 1 << 20);
	tablekit_fill(&k, 50);
	tablekit_build(&k, &tablekit_small);
	for (uint64_t n = 1; rc != SILT_END; n++) {
		struct iter *it;

		tablekit_reopen(&k);
		mem_fail_at(n, false);
		rc = table_iter_new(k.table, n % 2 ? TABLE_NO_FILL : 0, &it);
		if (rc == 0) {
			for (rc = it->ops->first(it); rc == 0;)
				rc = iter_next(it);
			iter_close(it);
		}
		mem_fail_at(0, false);
		assert_true(rc == SILT_END || rc == SILT_E_NOMEM);
		assert_int_equal(walk(&k, true, 0), SILT_END);
		assert_true(n < 400);
	}
	tablekit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_iter__answers_as_the_twin),
		cmocka_unit_test(test_table_iter__over_several_partitions),
		cmocka_unit_test(test_table_iter__a_random_walk),
		cmocka_unit_test(test_table_iter__seeks_to_its_own_key),
		cmocka_unit_test(test_table_iter__nowhere_is_left_by_first_last_and_seek_alone),
		cmocka_unit_test(test_table_iter__a_cursor_outlives_cache_entries_and_table),
		cmocka_unit_test(test_table_iter__it_may_block),
		cmocka_unit_test(test_table_iter__no_fill_reads_in_windows_and_leaves_the_cache_alone),
		cmocka_unit_test(test_table_iter__values_larger_than_a_window),
		cmocka_unit_test(test_table_iter__any_flipped_byte_is_the_truth_or_an_error),
		cmocka_unit_test(test_table_iter__goes_on_behind_damage_where_it_is_sent),
		cmocka_unit_test(test_table_iter__every_failing_read_is_an_error_and_passes),
		cmocka_unit_test(test_table_iter__without_memory_it_is_an_error_and_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
