/* SPDX-License-Identifier: Apache-2.0 */
/* test_approximate.c - estimates of ranges against the truth: always within their bounds, and close where sizes are even. */
#include "lib/test.h"

#include "base/mem.h"
#include "db/db.h"
#include "lib/dbkit.h"
#include "mem/memtable.h"

enum { KEYS = 4000 };
static const struct silt_slice no_bound = { NULL, 0 };

static struct silt_slice approximate_key(int i, char room[16])
{
	int n = snprintf(room, 16, "k%08d", i);

	return (struct silt_slice){ room, (size_t)n };
}

static void approximate_fill(struct dbkit *k, int from, int to, int step, size_t most, uint64_t *random)
{
	static char value[3000];
	silt_batch *b;

	assert_int_equal(silt_batch_new(&b), 0);
	for (int i = from; i < to; i += step) {
		char room[16];
		size_t len = most == 100 ? 100 : test_random(random) % most;

		for (size_t n = 0; n < len; n += 8)
			memcpy(value + n, &(uint64_t){ test_random(random) }, 8);
		assert_int_equal(silt_batch_put(b, approximate_key(i, room), (struct silt_slice){ value, len }, NULL, 0), 0);
		if (silt_batch_bytes(b) > 20000 || i + step >= to) {
			assert_int_equal(silt_write(k->db, b, SILT_ASYNC, NULL), 0);
			silt_batch_clear(b);
		}
	}
	silt_batch_free(b);
}

static void approximate_range(struct dbkit *k, int from, int to, struct silt_estimate *e)
{
	char a[16], b[16];

	assert_int_equal(silt_approximate(k->db, from < 0 ? no_bound : approximate_key(from, a),
	                                  to < 0 ? no_bound : approximate_key(to, b), e), 0);
	assert_true(e->entries_low <= e->entries && e->entries <= e->entries_high);
	assert_true(e->disk_bytes_low <= e->disk_bytes && e->disk_bytes <= e->disk_bytes_high);
}

/* All are there, each once, but for `twice`: keys divisible by it have a second version. */
static uint64_t approximate_truth(int from, int to, int twice)
{
	uint64_t n = 0;

	for (int i = from < 0 ? 0 : from; i < (to < 0 || to > KEYS ? KEYS : to); i++)
		n += 1 + (twice && i % twice == 0);
	return n;
}

static void approximate_many(struct dbkit *k, int twice, uint64_t slack, uint64_t *random)
{
	for (int i = 0; i < 400; i++) {
		int from = (int)(test_random(random) % (KEYS + 20)) - 10, to = (int)(test_random(random) % (KEYS + 20)) - 10;
		struct silt_estimate e;
		uint64_t truth;

		if (to >= 0 && from > to) {
			int t = from;

			from = to;
			to = t;
		}
		if (i % 10 == 0 && from >= 0)
			to = from + 1;
		truth = approximate_truth(from, to, twice);
		approximate_range(k, from, to, &e);
		assert_true(e.entries_low <= truth && truth <= e.entries_high);
		if (slack)
			assert_true(e.entries <= truth + slack && truth <= e.entries + slack);
	}
}

static void approximate_begin(struct dbkit *k)
{
	dbkit_init(k);
	k->opts.memtable_size = 1 << 20;
	k->opts.wal_segment_size = 8 << 20;
	k->opts.table_size = 128 << 10;
	k->opts.block_size = 1024;
	assert_int_equal(dbkit_open(k), 0);
}

/* Two blocks of 1024 bytes hold about 18 entries of 110; a range crosses at most two tables' edges. */
static void test_approximate__even_sizes_are_close(void **state)
{
	uint64_t random = test_seed(3);
	struct silt_estimate e;
	struct dbkit k;

	(void)state;
	approximate_begin(&k);
	approximate_fill(&k, 0, KEYS, 1, 100, &random);
	assert_int_equal(silt_compact(k.db), 0);
	approximate_many(&k, 0, 40, &random);
	approximate_range(&k, -1, -1, &e);
	assert_int_equal(e.entries, KEYS);
	assert_int_equal(e.entries_low, KEYS);
	assert_int_equal(e.entries_high, KEYS);
	assert_int_equal(e.memory_bytes, 0);
	dbkit_fini(&k);
}

static void test_approximate__uneven_sizes_stay_in_their_bounds(void **state)
{
	uint64_t random = test_seed(4);
	struct dbkit k;

	(void)state;
	approximate_begin(&k);
	approximate_fill(&k, 0, KEYS, 1, 3000, &random);
	assert_int_equal(silt_compact(k.db), 0);
	approximate_many(&k, 0, 0, &random);
	dbkit_fini(&k);
}

/* A memtable, tables of level 0 and tables below, each with versions of some keys. */
static void test_approximate__everything_that_is_stored_counts(void **state)
{
	uint64_t random = test_seed(5);
	struct silt_estimate e;
	struct silt_stats s;
	struct dbkit k;

	(void)state;
	approximate_begin(&k);
	k.opts.compaction_trigger = 64;
	approximate_fill(&k, 0, KEYS, 1, 300, &random);
	assert_int_equal(silt_compact(k.db), 0);
	approximate_fill(&k, 0, KEYS, 3, 300, &random);
	assert_int_equal(silt_flush(k.db), 0);
	approximate_many(&k, 3, 0, &random);
	silt_stats(k.db, &s);
	approximate_range(&k, -1, -1, &e);
	assert_int_equal(e.disk_bytes, s.table_bytes[0] + s.table_bytes[1] + s.table_bytes[2] + s.table_bytes[3] + s.table_bytes[4] +
	                               s.table_bytes[5] + s.table_bytes[6]);
	assert_int_equal(e.disk_bytes_low, e.disk_bytes);
	assert_int_equal(e.disk_bytes_high, e.disk_bytes);
	dbkit_fini(&k);
}

static void test_approximate__a_memtable_is_counted_or_sampled(void **state)
{
	uint64_t random = test_seed(6);
	struct silt_estimate e;
	struct dbkit k;

	(void)state;
	approximate_begin(&k);
	approximate_fill(&k, 0, KEYS, 1, 100, &random);
	approximate_range(&k, 100, 600, &e);                      /* few: exact */
	assert_int_equal(e.entries, 500);
	assert_int_equal(e.entries_low, 500);
	assert_int_equal(e.entries_high, 500);
	assert_int_equal(e.disk_bytes, 0);
	assert_true(e.memory_bytes > 500 * 100);
	approximate_many(&k, 0, 400, &random);                    /* three deviations of 3 % */
	dbkit_fini(&k);
}

/* Neighbouring ranges: their sums bound the whole, in bytes too. */
static void test_approximate__ranges_side_by_side_make_the_whole(void **state)
{
	uint64_t random = test_seed(7), low = 0, high = 0, about = 0;
	struct silt_estimate all, e;
	struct dbkit k;

	(void)state;
	approximate_begin(&k);
	approximate_fill(&k, 0, KEYS, 1, 300, &random);
	assert_int_equal(silt_compact(k.db), 0);
	approximate_range(&k, -1, -1, &all);
	for (int i = 0; i < KEYS; i += KEYS / 8) {
		approximate_range(&k, i ? i : -1, i + KEYS / 8 == KEYS ? -1 : i + KEYS / 8, &e);
		low += e.disk_bytes_low;
		high += e.disk_bytes_high;
		about += e.disk_bytes;
	}
	assert_true(low <= all.disk_bytes && all.disk_bytes <= high);
	assert_true(about > all.disk_bytes * 9 / 10 && about < all.disk_bytes * 11 / 10);
	dbkit_fini(&k);
}

/* Data blocks are not read: with the index in the cache, no read at all. */
static void test_approximate__reads_no_data(void **state)
{
	uint64_t random = test_seed(8);
	struct silt_estimate e;
	struct dbkit k;

	(void)state;
	approximate_begin(&k);
	approximate_fill(&k, 0, KEYS, 1, 300, &random);
	assert_int_equal(silt_compact(k.db), 0);
	assert_int_equal(dbkit_close(&k), 0);
	assert_int_equal(dbkit_open(&k), 0);
	approximate_range(&k, 1000, 3000, &e);
	simdisk_fail_at(k.disk, SIM_READ, 1, SILT_E_IO, true);
	approximate_range(&k, 1000, 3000, &e);
	approximate_range(&k, -1, -1, &e);
	simdisk_fail_at(k.disk, SIM_READ, 0, 0, false);
	dbkit_fini(&k);
}

static void test_approximate__refuses_misuse_and_says_what_fails(void **state)
{
	uint64_t random = test_seed(9);
	struct silt_estimate e;
	struct dbkit k;

	(void)state;
	approximate_begin(&k);
	assert_int_equal(silt_approximate(k.db, no_bound, no_bound, &e), 0);
	assert_int_equal(e.entries_high, 0);
	assert_int_equal(silt_approximate(NULL, no_bound, no_bound, &e), SILT_E_MISUSE);
	assert_int_equal(silt_approximate(k.db, no_bound, no_bound, NULL), SILT_E_MISUSE);
	assert_int_equal(silt_approximate(k.db, (struct silt_slice){ NULL, 1 }, no_bound, &e), SILT_E_MISUSE);
	approximate_fill(&k, 0, KEYS, 1, 300, &random);
	assert_int_equal(silt_approximate(k.db, STR("k00000100"), STR("k00000100"), &e), 0);
	assert_int_equal(e.entries_high, 0);
	assert_int_equal(silt_approximate(k.db, STR("k00000200"), STR("k00000100"), &e), 0);
	assert_int_equal(e.entries_high, 0);
	assert_int_equal(silt_compact(k.db), 0);
	assert_int_equal(dbkit_close(&k), 0);
	assert_int_equal(dbkit_open(&k), 0);
	simdisk_fail_at(k.disk, SIM_READ, 1, SILT_E_IO, true);
	assert_int_equal(silt_approximate(k.db, STR("k00000100"), STR("k00003000"), &e), SILT_E_IO);
	simdisk_fail_at(k.disk, SIM_READ, 0, 0, false);
	dbkit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_approximate__even_sizes_are_close),
		cmocka_unit_test(test_approximate__uneven_sizes_stay_in_their_bounds),
		cmocka_unit_test(test_approximate__everything_that_is_stored_counts),
		cmocka_unit_test(test_approximate__a_memtable_is_counted_or_sampled),
		cmocka_unit_test(test_approximate__ranges_side_by_side_make_the_whole),
		cmocka_unit_test(test_approximate__reads_no_data),
		cmocka_unit_test(test_approximate__refuses_misuse_and_says_what_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
