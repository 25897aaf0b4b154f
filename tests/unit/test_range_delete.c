/* SPDX-License-Identifier: Apache-2.0 */
/* test_range_delete.c - silt_batch_delete_range and silt_delete_range from outside: bounds, order, readers, conditions, crashes, space. */
#include "lib/test.h"

#include "core/batch.h"
#include "lib/dbkit.h"

#define NONE ((struct silt_slice){ NULL, 0 })

static void fill(struct dbkit *k, unsigned from, unsigned to)
{
	char key[16];

	for (unsigned i = from; i < to; i++) {
		snprintf(key, sizeof(key), "k%05u", i);
		assert_int_equal(dbkit_put_async(k, key, "a value of some length, so that blocks fill up"), 0);
	}
}

static void open_kit(struct dbkit *k)
{
	dbkit_init(k);
	assert_int_equal(dbkit_open(k), 0);
}

static void delete_range(struct dbkit *k, const char *lower, const char *upper)
{
	assert_int_equal(silt_delete_range(k->db, lower ? STR(lower) : NONE, upper ? STR(upper) : NONE, NULL), 0);
}

/* Live keys by a scan, each way; they must agree. */
static unsigned count(struct dbkit *k, const struct silt_iter_options *o)
{
	unsigned forward = 0, backward = 0;
	silt_iter *it;
	int rc;

	assert_int_equal(silt_iter_new(k->db, o, &it), 0);
	for (rc = silt_iter_first(it); rc == 0 || rc == SILT_TRY_AGAIN; rc = silt_iter_next(it))
		forward += rc == 0;
	assert_int_equal(rc, SILT_END);
	for (rc = silt_iter_last(it); rc == 0 || rc == SILT_TRY_AGAIN; rc = silt_iter_prev(it))
		backward += rc == 0;
	assert_int_equal(rc, SILT_END);
	assert_int_equal(forward, backward);
	silt_iter_close(it);
	return forward;
}

/* ---- the batch ------------------------------------------------------------------------------------------------------- */

static void test_range_delete__bounds(void **state)
{
	static char large[SILT_KEY_MAX + 1];
	silt_batch *b;

	(void)state;
	memset(large, 'x', sizeof(large));
	assert_int_equal(silt_batch_new(&b), 0);
	assert_int_equal(silt_batch_delete_range(NULL, NONE, NONE), SILT_E_MISUSE);
	assert_int_equal(silt_batch_delete_range(b, STR("b"), STR("a")), SILT_E_MISUSE);
	assert_int_equal(silt_batch_delete_range(b, STR("b"), STR("")), SILT_E_MISUSE);
	assert_int_equal(silt_batch_delete_range(b, (struct silt_slice){ NULL, 3 }, NONE), SILT_E_MISUSE);
	assert_int_equal(silt_batch_delete_range(b, (struct silt_slice){ large, sizeof(large) }, NONE), SILT_E_TOOBIG);
	assert_int_equal(silt_batch_delete_range(b, NONE, (struct silt_slice){ large, sizeof(large) }), SILT_E_TOOBIG);
	assert_int_equal(silt_batch_count(b), 0);
	assert_int_equal(silt_batch_delete_range(b, STR("b"), STR("b")), 0);               /* nothing to delete */
	assert_int_equal(silt_batch_delete_range(b, NONE, STR("")), 0);
	assert_int_equal(silt_batch_delete_range(b, NONE, (struct silt_slice){ "", 1 }), 0);
	assert_int_equal(silt_batch_count(b), 0);
	assert_int_equal(silt_batch_delete_range(b, NONE, NONE), 0);
	assert_int_equal(silt_batch_delete_range(b, STR("b"), (struct silt_slice){ large, SILT_KEY_MAX }), 0);
	assert_int_equal(silt_batch_count(b), 2);
	silt_batch_free(b);
}

static void put(silt_batch *b, const char *key, const char *value)
{
	assert_int_equal(silt_batch_put(b, STR(key), STR(value), NULL, 0), 0);
}

static void sealed_as(const silt_batch *b, const void *want, size_t n)
{
	struct silt_buf got = { 0 };

	assert_int_equal(batch_seal(b, &got), 0);
	assert_int_equal(got.len, silt_batch_bytes(b));
	assert_int_equal(got.len, n);
	assert_memory_equal(got.data, want, n);
	silt_buf_free(&got);
}

/* The worked example, and what goes of the operations before it. */
static void test_range_delete__log_form(void **state)
{
	silt_batch *b;

	(void)state;
	assert_int_equal(silt_batch_new(&b), 0);
	assert_int_equal(silt_batch_delete_range(b, STR("c"), STR("f")), 0);
	sealed_as(b, "\1\3\1c\1f", 6);
	silt_batch_clear(b);
	put(b, "c", "1");
	put(b, "f", "2");
	assert_int_equal(silt_batch_delete(b, STR("e"), 0), 0);
	assert_int_equal(silt_batch_delete_range(b, STR("d"), STR("e")), 0);
	assert_int_equal(silt_batch_delete_range(b, STR("c"), STR("f")), 0);
	put(b, "d", "3");
	assert_int_equal(silt_batch_count(b), 6);
	sealed_as(b, "\3" "\1\1f\0\0\1" "2" "\3\1c\1f" "\1\1d\0\0\1" "3", 1 + 7 + 5 + 7);
	put(b, "c", "4");                                         /* what was removed comes back, once */
	put(b, "c", "5");
	sealed_as(b, "\4" "\1\1f\0\0\1" "2" "\3\1c\1f" "\1\1d\0\0\1" "3" "\1\1c\0\0\1" "5", 1 + 7 + 5 + 7 + 7);
	silt_batch_clear(b);
	assert_int_equal(silt_batch_delete_range(b, NONE, NONE), 0);
	sealed_as(b, "\1\3\1\0\0", 5);
	silt_batch_free(b);
}

/* Many keys, ranges between them: an index of the keys that forgets what was removed. */
static void test_range_delete__large_batches(void **state)
{
	uint64_t seed = test_seed(77);
	bool there[200];
	struct dbkit k;
	char key[16];
	silt_batch *b;

	(void)state;
	open_kit(&k);
	for (unsigned round = 0; round < 40; round++) {
		memset(there, 0, sizeof(there));
		assert_int_equal(silt_batch_new(&b), 0);
		assert_int_equal(silt_batch_delete_range(b, NONE, NONE), 0);
		for (unsigned i = 0; i < 600; i++) {
			unsigned at = (unsigned)(test_random(&seed) % 200), end = at + (unsigned)(test_random(&seed) % 20);

			snprintf(key, sizeof(key), "k%05u", at);
			if (test_random(&seed) % 20) {
				put(b, key, "v");
				there[at] = true;
				continue;
			}
			char upper[16];

			snprintf(upper, sizeof(upper), "k%05u", end);
			assert_int_equal(silt_batch_delete_range(b, STR(key), STR(upper)), 0);
			for (; at < end && at < 200; at++)
				there[at] = false;
		}
		assert_int_equal(silt_write(k.db, b, SILT_ASYNC, NULL), 0);
		silt_batch_free(b);
		for (unsigned at = 0; at < 200; at++) {
			snprintf(key, sizeof(key), "k%05u", at);
			assert_int_equal(dbkit_get(&k, key) != NULL, there[at]);
		}
	}
	dbkit_fini(&k);
}

/* ---- readers --------------------------------------------------------------------------------------------------------- */

static void check_half(struct dbkit *k)
{
	assert_string_equal(dbkit_get(k, "k00999"), "a value of some length, so that blocks fill up");
	assert_null(dbkit_get(k, "k01000"));
	assert_null(dbkit_get(k, "k02999"));
	assert_string_equal(dbkit_get(k, "k03000"), "a value of some length, so that blocks fill up");
	assert_string_equal(dbkit_get(k, "k02000"), "again");
	assert_int_equal(count(k, NULL), 2001);
	assert_int_equal(count(k, &(struct silt_iter_options){ .lower = STR("k00990"), .upper = STR("k01500") }), 10);
	assert_int_equal(count(k, &(struct silt_iter_options){ .lower = STR("k01500"), .upper = STR("k02000") }), 0);
	assert_int_equal(count(k, &(struct silt_iter_options){ .max_steps = 7 }), 2001);
}

/* The same wherever it stands: in memory over memory, over tables, in a table of level 0, merged, after a crash. */
static void test_range_delete__every_stage(void **state)
{
	struct silt_stats st;
	silt_snapshot *snap;
	struct dbkit k;

	(void)state;
	open_kit(&k);
	fill(&k, 0, 2000);
	assert_int_equal(silt_compact(k.db), 0);
	fill(&k, 2000, 3000);
	assert_int_equal(silt_flush(k.db), 0);
	fill(&k, 3000, 4000);
	assert_int_equal(silt_snapshot_new(k.db, &snap), 0);
	delete_range(&k, "k01000", "k03000");
	assert_int_equal(dbkit_put(&k, "k02000", "again"), 0);
	silt_stats(k.db, &st);
	assert_int_equal(st.memtable_range_deletes, 1);
	check_half(&k);
	assert_int_equal(count(&k, &(struct silt_iter_options){ .snapshot = snap }), 4000);
	assert_int_equal(silt_flush(k.db), 0);
	silt_stats(k.db, &st);
	assert_true(st.range_tombstones >= 1 && st.memtable_range_deletes == 0);
	check_half(&k);
	assert_int_equal(silt_compact(k.db), 0);
	check_half(&k);
	assert_int_equal(count(&k, &(struct silt_iter_options){ .snapshot = snap }), 4000);
	silt_snapshot_free(snap);
	assert_int_equal(silt_compact(k.db), 0);
	check_half(&k);
	silt_stats(k.db, &st);
	assert_int_equal(st.range_tombstones, 0);
	assert_int_equal(st.table_entries[SILT_LEVELS - 1], 2001);
	delete_range(&k, NULL, "k00500");
	delete_range(&k, "k03500", NULL);
	dbkit_crash(&k, SIM_LOSE_ALL, 1);
	assert_int_equal(dbkit_open(&k), 0);
	assert_null(dbkit_get(&k, "k00499"));
	assert_null(dbkit_get(&k, "k03500"));
	assert_null(dbkit_get(&k, "k03999"));
	assert_int_equal(count(&k, NULL), 1001);
	assert_int_equal(silt_verify(k.db, NULL, NULL), 0);
	dbkit_fini(&k);
}

/* A scan over a million deleted is a seek: of what lies in the range nothing is read. */
static void test_range_delete__scans_do_not_read_what_it_hides(void **state)
{
	struct silt_stats before, after;
	struct dbkit k;

	(void)state;
	open_kit(&k);
	fill(&k, 0, 20000);
	assert_int_equal(silt_compact(k.db), 0);
	assert_int_equal(dbkit_close(&k), 0);
	assert_int_equal(dbkit_open(&k), 0);
	delete_range(&k, "k00010", "k19990");
	silt_stats(k.db, &before);
	assert_int_equal(count(&k, &(struct silt_iter_options){ .max_steps = 30 }), 20);
	silt_stats(k.db, &after);
	assert_true(after.cache_misses - before.cache_misses < 12);
	dbkit_fini(&k);
}

/* Newer entries among what is hidden, in tables between those that are wholly hidden. */
static void test_range_delete__newer_ones_among_the_hidden(void **state)
{
	struct dbkit k;

	(void)state;
	open_kit(&k);
	fill(&k, 0, 8000);
	assert_int_equal(silt_compact(k.db), 0);
	delete_range(&k, "k01000", "k07000");
	fill(&k, 3000, 3010);
	fill(&k, 5000, 5010);
	assert_int_equal(count(&k, NULL), 2020);
	assert_int_equal(silt_flush(k.db), 0);
	assert_int_equal(count(&k, NULL), 2020);
	assert_int_equal(count(&k, &(struct silt_iter_options){ .max_steps = 3 }), 2020);
	delete_range(&k, "k03005", "k05005");
	assert_int_equal(count(&k, NULL), 2010);
	assert_int_equal(silt_flush(k.db), 0);
	assert_int_equal(count(&k, NULL), 2010);
	assert_int_equal(silt_compact(k.db), 0);
	assert_int_equal(count(&k, NULL), 2010);
	dbkit_fini(&k);
}

/* Readers at every version between range deletes, asked in any order, so that the list of one is offered to each other; also flushed. */
static void test_range_delete__readers_share_no_more_than_is_right(void **state)
{
	enum { CUTS = 12 };
	silt_snapshot *snaps[2 * CUTS];
	uint64_t seed = test_seed(13);
	struct dbkit k;
	char upper[16];

	(void)state;
	open_kit(&k);
	fill(&k, 0, 1000);
	for (unsigned i = 0; i < CUTS; i++) {
		assert_int_equal(silt_snapshot_new(k.db, &snaps[2 * i]), 0);
		snprintf(upper, sizeof(upper), "k%05u", 10 * (i + 1));
		delete_range(&k, i % 2 ? "k00000" : "", upper);
		assert_int_equal(dbkit_put(&k, "z", "the version goes on"), 0);
		assert_int_equal(silt_snapshot_new(k.db, &snaps[2 * i + 1]), 0);
		if (i % 5 == 4)
			assert_int_equal(silt_flush(k.db), 0);
		for (unsigned n = 0; n < 60; n++) {
			unsigned s = (unsigned)(test_random(&seed) % (2 * i + 2)), cut = 10 * ((s + 1) / 2);
			struct silt_iter_options o = { .snapshot = snaps[s], .upper = STR("y") };

			if (test_random(&seed) % 2)
				o.lower = STR("k00050");
			assert_int_equal(count(&k, &o), o.lower.data && cut < 50 ? 950 : 1000 - cut);
		}
	}
	for (unsigned i = 0; i < 2 * CUTS; i++)
		silt_snapshot_free(snaps[i]);
	dbkit_fini(&k);
}

/* ---- conditions and reports ---------------------------------------------------------------------------------------------- */

static int require(struct dbkit *k, const char *key, enum silt_cond cond, struct silt_result *res)
{
	silt_batch *b;
	int rc;

	assert_int_equal(silt_batch_new(&b), 0);
	assert_int_equal(silt_batch_require(b, STR(key), cond, NULL, 0), 0);
	assert_int_equal(silt_batch_put(b, STR("other"), STR("x"), NULL, 0), 0);
	rc = silt_write(k->db, b, 0, res);
	silt_batch_free(b);
	return rc;
}

static void check_absent(struct dbkit *k)
{
	struct silt_result res = { 0 };
	silt_batch *b;

	assert_int_equal(require(k, "k00005", SILT_COND_MATCH, &res), SILT_CONFLICT);
	assert_int_equal(res.current, 0);
	silt_result_fini(&res);
	assert_int_equal(require(k, "k00005", SILT_COND_NONE_MATCH, &res), 0);
	silt_result_fini(&res);
	assert_int_equal(require(k, "k00002", SILT_COND_MATCH, &res), 0);
	silt_result_fini(&res);
	assert_int_equal(silt_batch_new(&b), 0);
	assert_int_equal(silt_batch_delete(b, STR("k00006"), SILT_OP_REPORT_VALUE), 0);
	assert_int_equal(silt_batch_delete(b, STR("k00001"), SILT_OP_REPORT_VALUE), 0);
	assert_int_equal(silt_write(k->db, b, 0, &res), 0);
	assert_int_equal(res.report_count, 2);
	assert_false(res.reports[0].found);
	assert_true(res.reports[1].found);
	silt_result_fini(&res);
	silt_batch_free(b);
	assert_int_equal(dbkit_put(k, "k00001", "back"), 0);
}

static void test_range_delete__conditions_and_reports(void **state)
{
	struct silt_result res = { 0 };
	struct dbkit k;
	silt_batch *b;

	(void)state;
	open_kit(&k);
	fill(&k, 0, 10);
	assert_int_equal(silt_compact(k.db), 0);
	delete_range(&k, "k00005", "k00008");
	check_absent(&k);
	assert_int_equal(silt_flush(k.db), 0);
	check_absent(&k);
	assert_int_equal(silt_compact(k.db), 0);
	check_absent(&k);
	/* a report of a put that the batch's own range delete removes tells what was there before the batch */
	assert_int_equal(silt_batch_new(&b), 0);
	assert_int_equal(silt_batch_put(b, STR("k00002"), STR("new"), NULL, SILT_OP_REPORT), 0);
	assert_int_equal(silt_batch_delete_range(b, NONE, NONE), 0);
	assert_int_equal(silt_write(k.db, b, 0, &res), 0);
	assert_int_equal(res.report_count, 1);
	assert_true(res.reports[0].found);
	assert_int_equal(res.reports[0].op, 0);
	silt_result_fini(&res);
	silt_batch_free(b);
	assert_int_equal(count(&k, NULL), 0);
	dbkit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_range_delete__bounds),
		cmocka_unit_test(test_range_delete__log_form),
		cmocka_unit_test(test_range_delete__large_batches),
		cmocka_unit_test(test_range_delete__every_stage),
		cmocka_unit_test(test_range_delete__scans_do_not_read_what_it_hides),
		cmocka_unit_test(test_range_delete__newer_ones_among_the_hidden),
		cmocka_unit_test(test_range_delete__readers_share_no_more_than_is_right),
		cmocka_unit_test(test_range_delete__conditions_and_reports),
	};

	return cmocka_run_group_tests_name("range_delete", tests, NULL, NULL);
}
