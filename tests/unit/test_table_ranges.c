/* SPDX-License-Identifier: Apache-2.0 */
/* test_table_ranges.c - tables that hold range deletes, with entries and without: written, told of, read, checked. */
#include "lib/test.h"

#include "base/hash.h"
#include "base/mem.h"
#include "lib/metaload.h"
#include "lib/tablekit.h"

static void fill(struct tablekit *k)
{
	tablekit_put(k, "d", 2, "old");
	tablekit_put(k, "g", 4, "newer than one");
	tablekit_put(k, "h", 5, "of the same batch");
	tablekit_put(k, "r", 7, "beside");
	tablekit_sort(k);
	tablekit_ranges(k, "b-p@3 f-k@5", NULL, 0);
}

static void test_table_ranges__meta_and_bounds(void **state)
{
	static const struct {
		const char *ranges, *smallest, *largest;
		uint64_t count, min, max;
	} cases[] = {
		{ "b-p@3 f-k@5", "b", "r", 4, 2, 7 },
		{ "e-f@3 ", "d", "r", 1, 2, 7 },
		{ "e-z@1 ", "d", "z", 1, 1, 7 },              /* the end itself counts as inside */
		{ "e-*@9 ", "d", NULL, 1, 2, 9 },
	};
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 1 << 20);
	fill(&k);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct silt_slice largest = cases[i].largest ? slice_str(cases[i].largest) : tombstone_last(slice_of("", 0));
		struct table_meta *m;

		tablekit_ranges(&k, cases[i].ranges, NULL, 0);
		tablekit_build(&k, &tablekit_small);
		assert_int_equal(k.meta->range_deletes, cases[i].count);
		assert_int_equal(k.meta->entries, 4);
		assert_true(slice_eq(k.meta->smallest, slice_str(cases[i].smallest)));
		assert_true(slice_eq(k.meta->largest, largest));
		assert_int_equal(k.meta->min_version, cases[i].min);
		assert_int_equal(k.meta->max_version, cases[i].max);
		assert_int_equal(metaload(&k.kit.env, k.path, &m), 0);
		assert_int_equal(m->range_deletes, cases[i].count);
		assert_true(slice_eq(m->largest, largest));
		table_meta_unref(m);
		assert_int_equal(table_verify(k.table, NULL, NULL), 0);
		assert_int_equal(k.kit.reports, 0);
	}
	tablekit_fini(&k);
}

static void test_table_ranges__gets(void **state)
{
	struct tablekit k;
	struct table_hit hit;

	(void)state;
	tablekit_init(&k, 1 << 20);
	fill(&k);
	tablekit_build(&k, &tablekit_small);
	assert_int_equal(table_get(k.table, slice_str("g"), hash_key(slice_str("g")), 9, TABLE_CACHED_ONLY, NULL, &hit), SILT_WOULD_BLOCK);
	tablekit_check_gets(&k);
	for (char c = 'a'; c <= 'z'; c++)
		for (uint64_t version = 0; version < 9; version++)
			assert_true(tablekit_ask(&k, slice_of(&c, 1), version, 0) >= 0);
	assert_int_equal(table_get(k.table, slice_str("h"), hash_key(slice_str("h")), 9, 0, NULL, &hit), 0);
	assert_int_equal(hit.entry.kind, ENTRY_PUT);            /* as new as the range delete: written behind it */
	table_hit_release(&hit);
	assert_int_equal(table_get(k.table, slice_str("d"), hash_key(slice_str("d")), 9, TABLE_CACHED_ONLY, NULL, &hit), 0);
	assert_int_equal(hit.entry.kind, ENTRY_DELETE);
	assert_int_equal(hit.entry.version, 3);
	tablekit_check_iter(&k, 0);                             /* the entries are there as they were */
	tablekit_fini(&k);
}

static void test_table_ranges__nothing_else(void **state)
{
	struct block_cache_stats before, after;
	const struct tombstones *l;
	struct tablekit k;
	struct iter *it;

	(void)state;
	tablekit_init(&k, 1 << 20);
	tablekit_ranges(&k, "b-p@3 f-k@5", (uint64_t[]){ 9 }, 1);
	tablekit_build(&k, &tablekit_small);
	assert_int_equal(k.meta->entries, 0);
	assert_int_equal(k.meta->range_deletes, 3);
	assert_true(slice_eq(k.meta->smallest, slice_str("b")) && slice_eq(k.meta->largest, slice_str("p")));
	assert_int_equal(table_verify(k.table, NULL, NULL), 0);
	assert_int_equal(table_tombstones(k.table, &l), 0);
	assert_int_equal(l->n, 3);
	assert_true(table_resident_bytes(k.table) > l->bytes);
	assert_int_equal(table_iter_new(k.table, 0, &it), 0);
	assert_int_equal(it->ops->first(it), SILT_END);
	assert_int_equal(it->ops->last(it), SILT_END);
	assert_int_equal(it->ops->seek(it, slice_str("c"), 9), SILT_END);
	assert_int_equal(iter_next(it), SILT_END);
	iter_close(it);
	block_cache_stats(k.cache, &before);
	for (char c = 'a'; c <= 'z'; c++)
		assert_int_equal(tablekit_ask(&k, slice_of(&c, 1), 9, TABLE_CACHED_ONLY), c >= 'b' && c < 'p' ? 0 : SILT_NOTFOUND);
	block_cache_stats(k.cache, &after);
	assert_int_equal(before.misses, after.misses);
	tablekit_fini(&k);
}

static void test_table_ranges__none_at_all_is_misuse(void **state)
{
	struct table_meta *m;
	struct table_writer *w;
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 1 << 20);
	assert_int_equal(table_writer_open(&k.kit.env, TABLEKIT_NUMBER, &tablekit_small, &w), 0);
	assert_int_equal(table_writer_finish(w, &m), SILT_E_MISUSE);
	assert_int_equal(table_writer_open(&k.kit.env, TABLEKIT_NUMBER, &tablekit_small, &w), 0);
	assert_int_equal(table_writer_add_range(w, &(struct tombstone){ slice_str("b"), slice_str("a"), &(uint64_t){ 1 }, 1 }),
	                 SILT_E_CORRUPT);
	assert_non_null(strstr(k.kit.message, "refusing a range delete"));
	assert_int_equal(table_writer_finish(w, &m), SILT_E_CORRUPT);
	tablekit_fini(&k);
}

/* Whatever byte is flipped, verify finds it; a reader never answers otherwise than before. */
static void test_table_ranges__any_flipped_byte_is_found(void **state)
{
	struct silt_buf file = { 0 };
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 1 << 20);
	fill(&k);
	tablekit_build(&k, &tablekit_small);
	assert_int_equal(simdisk_read_file(k.disk, k.path, &file), 0);
	for (size_t i = 0; i < file.len; i++) {
		uint8_t *p = file.data;

		p[i] ^= 0x10;
		assert_int_equal(simdisk_write_file(k.disk, k.path, buf_slice(&file)), 0);
		tablekit_reopen(&k);
		assert_int_equal(table_verify(k.table, NULL, NULL), SILT_E_CORRUPT);
		for (char c = 'a'; c <= 's'; c++) {
			int rc = tablekit_ask(&k, slice_of(&c, 1), 9, 0);

			assert_true(rc == 0 || rc == SILT_NOTFOUND || rc == SILT_E_CORRUPT);
		}
		p[i] ^= 0x10;
	}
	buf_fini(&file);
	tablekit_fini(&k);
}

static void test_table_ranges__a_manifest_that_counts_others(void **state)
{
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 1 << 20);
	fill(&k);
	tablekit_build(&k, &tablekit_small);
	k.meta->range_deletes++;
	tablekit_reopen(&k);
	assert_int_equal(table_open(k.table), SILT_E_CORRUPT);
	assert_non_null(strstr(k.kit.message, "not those that the manifest tells"));
	tablekit_fini(&k);
}

static void test_table_ranges__random(void **state)
{
	uint64_t seed = test_seed(31);
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 4 << 20);
	for (unsigned round = 0; round < 30 * test_scale(); round++) {
		struct tombstones_builder b = { 0 };
		size_t n = 1 + test_random(&seed) % 20;

		tablekit_random(&k, round % TABLEKIT_SHAPES, 1 + test_random(&seed) % 300, &seed);
		for (size_t i = 0; i < n; i++) {
			struct silt_slice lower = k.entries[test_random(&seed) % k.count].key, upper = k.entries[test_random(&seed) % k.count].key;

			if (slice_cmp(lower, upper) < 0)
				assert_int_equal(tombstones_add(&b, lower, upper, 1 + test_random(&seed) % 1000), 0);
		}
		tombstones_free(k.ranges);
		assert_int_equal(tombstones_build(&b, NULL, 0, &k.ranges), 0);
		tombstones_builder_fini(&b);
		tablekit_build(&k, &tablekit_small);
		assert_int_equal(table_verify(k.table, NULL, NULL), 0);
		tablekit_check_gets(&k);
		tablekit_check_iter(&k, 0);
	}
	tablekit_fini(&k);
}

static void test_table_ranges__every_failing_call(void **state)
{
	struct tablekit k;
	int rc = -1;

	(void)state;
	tablekit_init(&k, 1 << 20);
	fill(&k);
	for (uint64_t n = 1; rc != 0; n++) {
		mem_fail_at(n, false);
		rc = tablekit_write(&k, &tablekit_small);
		mem_fail_at(0, false);
		assert_true(rc == 0 || rc == SILT_E_NOMEM);
		assert_true(n < 400);
	}
	rc = -1;
	for (uint64_t n = 1; rc != 0; n++) {
		tablekit_reopen(&k);
		mem_fail_at(n, false);
		rc = table_open(k.table);
		mem_fail_at(0, false);
		assert_true(rc == 0 || rc == SILT_E_NOMEM);
		assert_true(n < 100);
	}
	tablekit_check_gets(&k);
	tablekit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_ranges__meta_and_bounds),
		cmocka_unit_test(test_table_ranges__gets),
		cmocka_unit_test(test_table_ranges__nothing_else),
		cmocka_unit_test(test_table_ranges__none_at_all_is_misuse),
		cmocka_unit_test(test_table_ranges__any_flipped_byte_is_found),
		cmocka_unit_test(test_table_ranges__a_manifest_that_counts_others),
		cmocka_unit_test(test_table_ranges__random),
		cmocka_unit_test(test_table_ranges__every_failing_call),
	};

	return cmocka_run_group_tests_name("table_ranges", tests, NULL, NULL);
}
