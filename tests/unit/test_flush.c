/* SPDX-License-Identifier: Apache-2.0 */
/* test_flush.c - a memtable becomes a table: what is in it, what is not, and nothing at all when anything fails. */
#include "lib/test.h"

#include "base/mem.h"
#include "core/filename.h"
#include "lib/jobkit.h"

static void test_flush__everything_comes_out(void **state)
{
	struct job_counts counts;
	struct jobkit k;

	(void)state;
	jobkit_init(&k);
	for (unsigned i = 0; i < JOBKIT_KEYS; i++)
		jobkit_put(&k, i, i % 3 ? 0 : 5000000);
	jobkit_delete(&k, 7);
	assert_int_equal(jobkit_flush(&k, &counts), 0);
	assert_int_equal(k.version->levels[0].n, 1);
	assert_int_equal(k.version->levels[0].tables[0]->entries, JOBKIT_KEYS);
	assert_int_equal(k.version->levels[0].tables[0]->tombstones, 1);
	assert_int_equal(k.version->levels[0].tables[0]->max_version, JOBKIT_KEYS + 1);
	assert_int_equal(counts.entries_in, JOBKIT_KEYS + 1);
	assert_int_equal(counts.entries_out, JOBKIT_KEYS);
	assert_int_equal(counts.dropped, 1);                    /* key 7's put: hidden by its delete, and nobody reads between */
	assert_int_equal(counts.bytes_written, k.version->levels[0].bytes);
	assert_int_equal(k.paced, counts.bytes_written);
	jobkit_check(&k);
	assert_int_equal(jobkit_strays(&k), 0);
	jobkit_fini(&k);
}

static void test_flush__what_a_reader_needs_stays(void **state)
{
	struct job_counts counts;
	struct jobkit k;

	(void)state;
	jobkit_init(&k);
	jobkit_put(&k, 1, 0);
	jobkit_put(&k, 2, 0);
	jobkit_snapshot(&k);
	jobkit_put(&k, 1, 0);
	jobkit_put(&k, 1, 0);
	jobkit_delete(&k, 2);
	assert_int_equal(jobkit_flush(&k, &counts), 0);
	assert_int_equal(counts.dropped, 1);
	assert_int_equal(jobkit_entries(&k, 0, NULL), 4);
	jobkit_check(&k);
	jobkit_fini(&k);
}

static void test_flush__the_expired_become_deletes(void **state)
{
	struct job_counts counts;
	uint64_t tombstones;
	struct jobkit k;

	(void)state;
	jobkit_init(&k);
	jobkit_put(&k, 1, k.now_ms - JOBKIT_GRACE);
	jobkit_put(&k, 2, k.now_ms - JOBKIT_GRACE + 1);
	assert_int_equal(jobkit_flush(&k, &counts), 0);
	assert_int_equal(jobkit_entries(&k, 0, &tombstones), 2);
	assert_int_equal(tombstones, 1);
	assert_int_equal(counts.expired, 1);
	assert_int_equal(counts.dropped, 0);
	jobkit_check(&k);
	jobkit_fini(&k);
}

static void test_flush__an_empty_memtable_is_no_table(void **state)
{
	struct job_counts counts;
	struct jobkit k;

	(void)state;
	jobkit_init(&k);
	jobkit_put(&k, 1, 0);                                   /* so that there is a reader */
	memtable_unref(k.memtable);
	assert_int_equal(memtable_new(1, &k.memtable), 0);
	k.past_count = 0;
	assert_int_equal(jobkit_flush(&k, &counts), 0);
	assert_int_equal(k.version->levels[0].n, 0);
	assert_int_equal(jobkit_strays(&k), 0);
	assert_int_equal(k.next_number, 1);
	jobkit_fini(&k);
}

static void test_flush__asked_to_stop_it_stops(void **state)
{
	struct job_counts counts;
	struct jobkit k;

	(void)state;
	jobkit_init(&k);
	for (unsigned i = 0; i < 40 * JOBKIT_KEYS; i++) {
		jobkit_put(&k, i % JOBKIT_KEYS, 0);
		if (i % (10 * JOBKIT_KEYS) == 9)
			jobkit_snapshot(&k);
	}
	for (uint64_t n = 1; n < 6; n++) {
		k.stop_after = n;
		assert_int_equal(jobkit_flush(&k, &counts), SILT_E_CLOSED);
		assert_int_equal(jobkit_strays(&k), 0);
	}
	k.stop_after = 0;
	assert_int_equal(jobkit_flush(&k, &counts), 0);
	jobkit_check(&k);
	jobkit_fini(&k);
}

static void flush_fill(struct jobkit *k)
{
	for (unsigned i = 0; i < 2 * JOBKIT_KEYS; i++)
		jobkit_put(k, i % JOBKIT_KEYS, 0);
}

/* Flushes while the nth call (0 = none) fails; then again without. Returns the calls that the first took. */
static uint64_t flush_failing(uint64_t n, int code, unsigned *failed)
{
	struct job_counts counts;
	struct jobkit k;
	uint64_t calls;
	int rc;

	jobkit_init(&k);
	flush_fill(&k);
	calls = simdisk_calls(k.disk, SIM_ANY);
	simdisk_fail_at(k.disk, SIM_ANY, n, code, false);
	rc = jobkit_flush(&k, &counts);
	simdisk_fail_at(k.disk, SIM_ANY, 0, 0, false);
	calls = simdisk_calls(k.disk, SIM_ANY) - calls;
	if (rc < 0) {
		++*failed;
		assert_int_equal(rc, code);
		assert_int_equal(jobkit_strays(&k), 0);
		assert_true(k.kit.reports > 0);
		assert_int_equal(jobkit_flush(&k, &counts), 0);
	}
	jobkit_check(&k);
	jobkit_fini(&k);
	return calls;
}

static void test_flush__the_nth_call_fails_and_nothing_is_left(void **state)
{
	unsigned failed = 0;
	uint64_t calls = flush_failing(0, 0, &failed);

	(void)state;
	for (uint64_t n = 1; n <= calls; n++) {
		flush_failing(n, SILT_E_IO, &failed);
		flush_failing(n, SILT_E_NOSPACE, &failed);
	}
	assert_true(failed > 10);
}

static void test_flush__the_nth_allocation_fails_and_nothing_is_left(void **state)
{
	int rc = SILT_E_NOMEM;
	uint64_t n;

	(void)state;
	for (n = 1; rc == SILT_E_NOMEM; n++) {
		struct job_counts counts;
		struct jobkit k;
		struct edit e;

		jobkit_init(&k);
		flush_fill(&k);
		edit_init(&e);
		k.job.keep = (struct keep_rules){ k.readers, k.reader_count, k.now_ms, JOBKIT_GRACE };
		mem_fail_at(n, false);
		rc = flush_run(&k.job, k.memtable, &e, &counts);
		mem_fail_at(0, false);
		if (rc < 0) {
			assert_int_equal(rc, SILT_E_NOMEM);
			assert_int_equal(jobkit_strays(&k), 0);
			assert_int_equal(e.add_count, 0);
			assert_int_equal(jobkit_flush(&k, &counts), 0);
			jobkit_check(&k);
		}
		edit_fini(&e);
		jobkit_fini(&k);
	}
	assert_int_equal(rc, 0);
	assert_true(n > 5);
}

/* Damages a table between its rename and its being read back, as a disk might that says yes and does no. */
static void flush_damage(void *ctx, enum simdisk_call kind, const char *path, bool before)
{
	struct jobkit *k = ctx;

	if (kind == SIM_RENAME && !before)
		assert_int_equal(simdisk_flip(k->disk, path, 100, 0x40), 0);
}

static void test_flush__a_table_that_reads_back_wrong_is_not_offered(void **state)
{
	struct job_counts counts;
	struct jobkit k;

	(void)state;
	jobkit_init(&k);
	flush_fill(&k);
	simdisk_on_sync(k.disk, flush_damage, &k);
	assert_int_equal(jobkit_flush(&k, &counts), SILT_E_CORRUPT);
	assert_int_equal(jobkit_strays(&k), 0);
	assert_int_equal(counts.damaged_table, 0);
	simdisk_on_sync(k.disk, NULL, NULL);
	assert_int_equal(jobkit_flush(&k, &counts), 0);
	jobkit_check(&k);
	jobkit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flush__everything_comes_out),
		cmocka_unit_test(test_flush__what_a_reader_needs_stays),
		cmocka_unit_test(test_flush__the_expired_become_deletes),
		cmocka_unit_test(test_flush__an_empty_memtable_is_no_table),
		cmocka_unit_test(test_flush__asked_to_stop_it_stops),
		cmocka_unit_test(test_flush__the_nth_call_fails_and_nothing_is_left),
		cmocka_unit_test(test_flush__the_nth_allocation_fails_and_nothing_is_left),
		cmocka_unit_test(test_flush__a_table_that_reads_back_wrong_is_not_offered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
