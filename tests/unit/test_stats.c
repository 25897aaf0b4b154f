/* SPDX-License-Identifier: Apache-2.0 */
/* test_stats.c - the numbers are those of what happened. */
#include "lib/test.h"

#include <pthread.h>
#include <time.h>

#include "db/db.h"
#include "db/measure.h"
#include "lib/dbkit.h"

static void stats_begin(struct dbkit *k)
{
	dbkit_init(k);
	k->opts.memtable_size = 1 << 20;
	k->opts.compaction_trigger = 64;
	assert_int_equal(dbkit_open(k), 0);
}

static void stats_fill(struct dbkit *k, const char *prefix, int n)
{
	for (int i = 0; i < n; i++) {
		char key[32];

		snprintf(key, sizeof(key), "%s %d", prefix, i);
		assert_int_equal(dbkit_put_async(k, key, "a value of some length, so that there is something to count"), 0);
	}
}

static uint64_t stats_count(struct dbkit *k, enum silt_histogram_kind kind)
{
	struct silt_histogram h;
	uint64_t n = 0;

	assert_int_equal(silt_histogram(k->db, kind, &h), 0);
	for (size_t i = 0; i < SILT_HISTOGRAM_BUCKETS; i++)
		n += h.buckets[i];
	assert_int_equal(n, h.count);
	assert_true(h.count == 0 || (h.max > 0 && h.sum >= h.max));
	return n;
}

static void test_stats__what_took_time_is_in_its_histogram(void **state)
{
	struct silt_stats s;
	struct dbkit k;

	(void)state;
	stats_begin(&k);
	for (int kind = SILT_HISTOGRAM_GET; kind <= SILT_HISTOGRAM_STALL; kind++)
		assert_int_equal(stats_count(&k, (enum silt_histogram_kind)kind), 0);
	for (int i = 0; i < 10; i++)
		assert_int_equal(dbkit_put(&k, "k", "v"), 0);
	assert_int_equal(stats_count(&k, SILT_HISTOGRAM_WRITE), 10);
	silt_stats(k.db, &s);
	assert_true(s.syncs >= 10);
	assert_int_equal(stats_count(&k, SILT_HISTOGRAM_SYNC), s.syncs);
	assert_int_equal(stats_count(&k, SILT_HISTOGRAM_WRITE_ASYNC), 0);
	stats_fill(&k, "async", 33);
	assert_int_equal(stats_count(&k, SILT_HISTOGRAM_WRITE_ASYNC), 3);
	assert_int_equal(stats_count(&k, SILT_HISTOGRAM_WRITE), 10);
	for (int i = 0; i < 300; i++)
		assert_non_null(dbkit_get(&k, "k"));
	assert_int_equal(stats_count(&k, SILT_HISTOGRAM_GET), (300 + MEASURE_GETS - 1) / MEASURE_GETS);
	silt_stats(k.db, &s);
	assert_int_equal(s.gets, 300);
	assert_int_equal(s.get_hits, 300);
	assert_int_equal(silt_histogram(k.db, (enum silt_histogram_kind)99, &(struct silt_histogram){ 0 }), SILT_E_MISUSE);
	assert_int_equal(silt_histogram(NULL, SILT_HISTOGRAM_GET, &(struct silt_histogram){ 0 }), SILT_E_MISUSE);
	assert_int_equal(silt_histogram(k.db, SILT_HISTOGRAM_GET, NULL), SILT_E_MISUSE);
	dbkit_fini(&k);
}

/* ---- filters and searches ------------------------------------------------------------------------------------------------------ */

static void test_stats__filters_say_how_often_they_were_wrong(void **state)
{
	struct silt_stats before, s;
	struct dbkit k;

	(void)state;
	stats_begin(&k);
	k.opts.filter_bits_per_key = 2;                           /* wrong often */
	assert_int_equal(dbkit_close(&k), 0);
	assert_int_equal(dbkit_open(&k), 0);
	stats_fill(&k, "key", 1000);
	assert_int_equal(silt_compact(k.db), 0);
	for (int i = 0; i < 1000; i++) {
		char key[32];

		snprintf(key, sizeof(key), "key %d", i);
		assert_non_null(dbkit_get(&k, key));
	}
	silt_stats(k.db, &before);
	assert_int_equal(before.filter_false, 0);
	assert_true(before.searches >= 1000);
	for (int i = 0; i < 1000; i++) {
		char key[32];

		snprintf(key, sizeof(key), "key %d.", i % 900);
		assert_null(dbkit_get(&k, key));
	}
	silt_stats(k.db, &s);
	assert_true(s.filter_false > 0);
	assert_int_equal(s.searches - before.searches, s.filter_false);
	assert_int_equal(s.filter_checks - before.filter_checks, s.filter_negatives - before.filter_negatives + s.filter_false);
	assert_true(s.read_amplification > 0.5 && s.read_amplification < 2);        /* a value that found no room is looked up again */
	dbkit_fini(&k);
}

/* ---- amplification ----------------------------------------------------------------------------------------------------------------- */

static void test_stats__amplification_and_levels_add_up(void **state)
{
	struct silt_stats s;
	uint64_t read = 0, written = 0, runs = 0;
	struct dbkit k;

	(void)state;
	stats_begin(&k);
	silt_stats(k.db, &s);
	assert_true(s.write_amplification == 0 && s.read_amplification == 0 && s.space_amplification == 0);
	stats_fill(&k, "key", 2000);
	silt_stats(k.db, &s);
	assert_true(s.wal_write_bytes > s.write_bytes);           /* records have headers */
	assert_true(s.write_amplification > 1);
	assert_int_equal(silt_compact(k.db), 0);
	silt_stats(k.db, &s);
	assert_true(s.space_amplification == 1);
	stats_fill(&k, "key", 2000);
	assert_int_equal(dbkit_delete(&k, "key 1"), 0);
	assert_int_equal(silt_flush(k.db), 0);
	silt_stats(k.db, &s);
	assert_true(s.space_amplification > 1.5);                 /* all of it twice, but for how well it is packed */
	assert_int_equal(s.level_tombstones[0], 1);
	assert_int_equal(s.tombstones, 1);
	assert_int_equal(silt_compact(k.db), 0);
	silt_stats(k.db, &s);
	for (int l = 0; l < SILT_LEVELS; l++) {
		read += s.level_read_bytes[l];
		written += s.level_write_bytes[l];
		runs += s.level_compactions[l];
	}
	assert_int_equal(s.level_compactions[0], s.flushes);
	assert_int_equal(s.level_write_bytes[0], s.flush_bytes);
	assert_int_equal(runs, s.flushes + s.compactions);
	assert_int_equal(read, s.compaction_read_bytes);
	assert_int_equal(written, s.flush_bytes + s.compaction_write_bytes);
	assert_true(s.write_amplification > 1);
	dbkit_fini(&k);
}

/* ---- stalls --------------------------------------------------------------------------------------------------------------------------- */

static void test_stats__a_stall_has_its_reason(void **state)
{
	const struct timespec while_it_stalls = { 0, 150 * 1000000 };
	uint64_t sum = 0, ns = 0;
	struct silt_stats s;
	struct dbkit k;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	simdisk_fail_at(k.disk, SIM_RENAME, 1, SILT_E_IO, true);  /* no flush ends, and no segment is made */
	for (int i = 0; i < 4000; i++) {
		char key[32];

		snprintf(key, sizeof(key), "key %d", i);
		if (dbkit_put_async(&k, key, "a value of some length, so that the memtable fills up, and then the next one") != 0)
			break;
	}
	nanosleep(&while_it_stalls, NULL);
	simdisk_fail_at(k.disk, SIM_RENAME, 0, 0, false);
	silt_stats(k.db, &s);
	for (int i = 0; i < SILT_STALLS; i++) {
		sum += s.stalls_by[i];
		ns += s.stall_ns_by[i];
		assert_true(!s.stalls_by[i] == !s.stall_ns_by[i]);
		assert_true(strcmp(silt_stall_name((enum silt_stall)i), "unknown") != 0);
	}
	assert_string_equal(silt_stall_name((enum silt_stall)SILT_STALLS), "unknown");
	assert_true(s.stalls_by[SILT_STALL_SEGMENT] + s.stalls_by[SILT_STALL_MEMTABLE] > 0);
	assert_int_equal(sum, s.stalls);
	assert_int_equal(ns, s.stall_ns);
	assert_int_equal(stats_count(&k, SILT_HISTOGRAM_STALL), s.stalls);
	dbkit_fini(&k);
}

/* ---- snapshots ------------------------------------------------------------------------------------------------------------------------ */

static void test_stats__snapshots_show_their_age_and_the_limit(void **state)
{
	const struct timespec past_the_limit = { 0, 80 * 1000000 };
	silt_snapshot *old, *young;
	struct silt_buf value = { 0 };
	struct silt_stats s;
	silt_iter *it;
	struct dbkit k;

	(void)state;
	dbkit_init(&k);
	k.opts.snapshot_max_age_ms = 50;
	assert_int_equal(dbkit_open(&k), 0);
	silt_stats(k.db, &s);
	assert_int_equal(s.snapshot_max_age_ms, 50);
	assert_int_equal(s.snapshots + s.snapshots_expired + s.oldest_snapshot_ms, 0);
	assert_int_equal(silt_snapshot_new(k.db, &old), 0);
	assert_int_equal(silt_iter_new(k.db, NULL, &it), 0);
	assert_int_equal(dbkit_put(&k, "k", "v"), 0);
	nanosleep(&past_the_limit, NULL);
	assert_int_equal(silt_snapshot_new(k.db, &young), 0);
	silt_stats(k.db, &s);
	assert_int_equal(s.snapshots, 3);                         /* the iterator's own too */
	assert_int_equal(s.iterators, 1);
	assert_true(s.snapshots_expired >= 2);                    /* the young one may be held up by a busy machine */
	assert_true(s.oldest_snapshot_ms >= 80);
	assert_int_equal(silt_get(k.db, STR("k"), old, 0, &value, NULL), SILT_E_EXPIRED);
	assert_int_equal(silt_iter_first(it), SILT_E_EXPIRED);
	silt_iter_close(it);
	silt_snapshot_free(old);
	silt_snapshot_free(young);
	silt_stats(k.db, &s);
	assert_int_equal(s.snapshots + s.snapshots_expired + s.oldest_snapshot_ms, 0);
	silt_buf_free(&value);
	dbkit_fini(&k);
}

/* ---- threads -------------------------------------------------------------------------------------------------------------------------- */

enum { READERS = 8, READS = 5000 };

static void *stats_read_much(void *arg)
{
	struct silt_buf value = { 0 };

	for (int i = 0; i < READS; i++)
		if (silt_get(arg, STR("k"), NULL, 0, &value, NULL) != 0)
			abort();
	silt_buf_free(&value);
	return NULL;
}

static void test_stats__threads_with_stripes_of_their_own_lose_no_count(void **state)
{
	pthread_t threads[READERS];
	struct silt_stats s;
	struct dbkit k;

	(void)state;
	stats_begin(&k);
	assert_int_equal(dbkit_put(&k, "k", "v"), 0);
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, stats_read_much, k.db), 0);
	for (int i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	silt_stats(k.db, &s);
	assert_int_equal(s.gets, READERS * READS);
	assert_int_equal(stats_count(&k, SILT_HISTOGRAM_GET), READERS * ((READS + MEASURE_GETS - 1) / MEASURE_GETS));
	dbkit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stats__what_took_time_is_in_its_histogram),
		cmocka_unit_test(test_stats__filters_say_how_often_they_were_wrong),
		cmocka_unit_test(test_stats__amplification_and_levels_add_up),
		cmocka_unit_test(test_stats__a_stall_has_its_reason),
		cmocka_unit_test(test_stats__snapshots_show_their_age_and_the_limit),
		cmocka_unit_test(test_stats__threads_with_stripes_of_their_own_lose_no_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
