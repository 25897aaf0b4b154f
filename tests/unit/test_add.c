/* SPDX-License-Identifier: Apache-2.0 */
/* test_add.c - adding to a counter, and taking a value: decided in commit order, whatever else is written. */
#include "lib/test.h"

#include <pthread.h>

#include "core/batch.h"
#include "core/batch_reader.h"
#include "db/db.h"
#include "lib/dbkit.h"

static void add_is(struct dbkit *k, const char *key, const char *value)
{
	const char *got = dbkit_get(k, key);

	if (!value)
		assert_null(got);
	else
		assert_string_equal(got, value);
}

static void add_begin(struct dbkit *k)
{
	dbkit_init(k);
	assert_int_equal(dbkit_open(k), 0);
}

static void test_add__counts_from_wherever_the_key_lies(void **state)
{
	uint64_t version, last = 0;
	int64_t sum = 99;
	struct dbkit k;

	(void)state;
	add_begin(&k);
	assert_int_equal(silt_add(k.db, STR("n"), 5, &sum, &last), 0);
	assert_true(sum == 5);
	assert_int_equal(silt_add(k.db, STR("n"), -7, &sum, &version), 0);
	assert_true(sum == -2 && version > last);
	add_is(&k, "n", "-2");
	assert_int_equal(silt_flush(k.db), 0);
	assert_int_equal(silt_add(k.db, STR("n"), 1, &sum, NULL), 0);
	assert_true(sum == -1);
	assert_int_equal(silt_compact(k.db), 0);
	assert_int_equal(silt_add(k.db, STR("n"), 1, NULL, NULL), 0);
	add_is(&k, "n", "0");
	assert_int_equal(dbkit_delete(&k, "n"), 0);
	assert_int_equal(silt_add(k.db, STR("n"), 3, &sum, NULL), 0);
	assert_true(sum == 3);
	assert_int_equal(dbkit_put(&k, "n", "-9223372036854775808"), 0);
	assert_int_equal(silt_add(k.db, STR("n"), INT64_MAX, &sum, NULL), 0);
	assert_true(sum == -1);
	dbkit_kill(&k);                                           /* the log has sums */
	assert_int_equal(dbkit_open(&k), 0);
	add_is(&k, "n", "-1");
	dbkit_fini(&k);
}

static void test_add__what_has_no_sum_is_an_answer(void **state)
{
	uint64_t version = 0, put;
	int64_t sum = 99;
	struct dbkit k;

	(void)state;
	add_begin(&k);
	assert_int_equal(silt_put(k.db, STR("n"), STR("9223372036854775807"), &put), 0);
	assert_int_equal(silt_add(k.db, STR("n"), 1, &sum, &version), SILT_OVERFLOW);
	assert_int_equal(silt_put(k.db, STR("n"), STR("one"), &put), 0);
	assert_int_equal(silt_add(k.db, STR("n"), 1, &sum, &version), SILT_NO_COUNTER);
	assert_true(sum == 99 && version == 0);
	assert_int_equal(silt_flush(k.db), 0);
	assert_int_equal(silt_add(k.db, STR("n"), 1, &sum, &version), SILT_NO_COUNTER);
	add_is(&k, "n", "one");
	dbkit_fini(&k);
}

/* Nothing of the batch is written; the result says which operation. */
static void test_add__a_batch_without_a_sum_is_absent(void **state)
{
	struct silt_result res = { 0 };
	uint64_t put;
	struct dbkit k;
	silt_batch *b;

	(void)state;
	add_begin(&k);
	assert_int_equal(silt_put(k.db, STR("text"), STR("one"), &put), 0);
	assert_int_equal(silt_batch_new(&b), 0);
	assert_int_equal(silt_batch_put(b, STR("a"), STR("1"), NULL, 0), 0);
	assert_int_equal(silt_batch_add(b, STR("n"), 1, NULL, SILT_OP_REPORT), 0);
	assert_int_equal(silt_batch_add(b, STR("text"), 1, NULL, 0), 0);
	assert_int_equal(silt_write(k.db, b, 0, &res), SILT_NO_COUNTER);
	assert_int_equal(res.code, SILT_NO_COUNTER);
	assert_int_equal(res.condition, 2);
	assert_int_equal(res.current, put);
	assert_int_equal(res.report_count, 0);
	silt_result_fini(&res);
	add_is(&k, "a", NULL);
	add_is(&k, "n", NULL);
	assert_int_equal(silt_batch_require(b, STR("a"), SILT_COND_MATCH, NULL, 0), 0);
	assert_int_equal(silt_write(k.db, b, 0, &res), SILT_CONFLICT);    /* conditions first */
	silt_result_fini(&res);
	silt_batch_free(b);
	dbkit_fini(&k);
}

static void test_add__a_made_counter_takes_the_options_a_present_one_keeps_its_own(void **state)
{
	struct silt_put_options po = { .expires_ms = 5000, .meta = STR("text/plain") };
	struct silt_buf value = { 0 };
	struct silt_info info;
	struct dbkit k;
	silt_batch *b;

	(void)state;
	dbkit_init(&k);
	simdisk_set_clock(k.disk, 1000);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(silt_batch_new(&b), 0);
	assert_int_equal(silt_batch_add(b, STR("n"), 1, &po, 0), 0);
	assert_int_equal(silt_write(k.db, b, 0, NULL), 0);
	assert_int_equal(silt_add(k.db, STR("n"), 1, NULL, NULL), 0);
	assert_int_equal(silt_get(k.db, STR("n"), NULL, 0, &value, &info), 0);
	assert_int_equal(info.expires_ms, 5000);
	assert_int_equal(info.meta_len, 10);
	assert_memory_equal(info.meta, "text/plain", 10);
	simdisk_set_clock(k.disk, 5000);                          /* expired: made anew, without */
	assert_int_equal(silt_add(k.db, STR("n"), 1, NULL, NULL), 0);
	assert_int_equal(silt_get(k.db, STR("n"), NULL, 0, &value, &info), 0);
	assert_int_equal(value.len, 1);
	assert_memory_equal(value.data, "1", 1);
	assert_int_equal(info.expires_ms, 0);
	assert_int_equal(info.meta_len, 0);
	silt_buf_free(&value);
	silt_batch_free(b);
	dbkit_fini(&k);
}

static void test_add__several_in_a_batch(void **state)
{
	struct silt_result res = { 0 };
	struct dbkit k;
	silt_batch *b;

	(void)state;
	add_begin(&k);
	assert_int_equal(dbkit_put(&k, "n", "10"), 0);
	assert_int_equal(silt_batch_new(&b), 0);
	assert_int_equal(silt_batch_add(b, STR("n"), 1, NULL, SILT_OP_REPORT_VALUE), 0);
	assert_int_equal(silt_batch_add(b, STR("m"), 5, NULL, SILT_OP_REPORT), 0);
	assert_int_equal(silt_batch_add(b, STR("n"), 2, NULL, SILT_OP_REPORT), 0);
	assert_int_equal(silt_batch_add(b, STR("n"), INT64_MAX, NULL, 0), SILT_OVERFLOW);
	assert_int_equal(silt_batch_add(b, STR("gone"), 1, NULL, SILT_OP_REPORT), 0);
	assert_int_equal(silt_batch_delete(b, STR("gone"), 0), 0);
	assert_int_equal(silt_batch_add(b, STR("gone"), 1, NULL, 0), SILT_E_MISUSE);
	assert_int_equal(silt_batch_delete_range(b, STR("p"), STR("q")), 0);
	assert_int_equal(silt_batch_add(b, STR("p1"), 1, NULL, 0), SILT_E_MISUSE);
	assert_int_equal(silt_batch_add(b, STR("q"), 1, NULL, 0), 0);
	assert_int_equal(silt_batch_delete_range(b, STR("q"), STR("r")), 0);      /* takes the add away */
	assert_int_equal(silt_batch_count(b), 8);
	assert_int_equal(batch_add_count(b), 2);
	assert_int_equal(silt_write(k.db, b, 0, &res), 0);
	assert_int_equal(res.report_count, 4);
	assert_true(res.reports[0].sum == 13 && res.reports[0].found);
	assert_int_equal(res.reports[0].value.len, 2);
	assert_memory_equal(res.reports[0].value.data, "10", 2);
	assert_true(res.reports[1].sum == 5 && !res.reports[1].found);
	assert_true(res.reports[2].sum == 13 && res.reports[2].op == 2);
	assert_true(res.reports[3].sum == 0);
	silt_result_fini(&res);
	add_is(&k, "n", "13");
	add_is(&k, "m", "5");
	add_is(&k, "gone", NULL);
	silt_batch_free(b);
	dbkit_fini(&k);
}

static void test_add__refuses_misuse(void **state)
{
	struct silt_put_options po = { .meta = { "", SILT_META_MAX + 1 } };
	struct silt_buf payload = { 0 };
	silt_batch *b;

	(void)state;
	assert_int_equal(silt_batch_new(&b), 0);
	assert_int_equal(silt_batch_add(NULL, STR("n"), 1, NULL, 0), SILT_E_MISUSE);
	assert_int_equal(silt_batch_add(b, STR(""), 1, NULL, 0), SILT_E_MISUSE);
	assert_int_equal(silt_batch_add(b, STR("n"), 1, NULL, 64), SILT_E_MISUSE);
	assert_int_equal(silt_batch_add(b, STR("n"), 1, &po, 0), SILT_E_TOOBIG);
	assert_int_equal(silt_batch_count(b), 0);
	assert_int_equal(silt_batch_add(b, STR("n"), 1, NULL, 0), 0);
	assert_int_equal(batch_seal(b, &payload), SILT_E_MISUSE);  /* its sums are not known */
	silt_buf_free(&payload);
	silt_batch_free(b);
}

/* The room that a batch says it takes is enough for the longest sum and the metadata of the key. */
static void test_add__sealing_takes_no_more_than_was_said(void **state)
{
	static char meta[SILT_META_MAX];
	struct silt_put_options po = { .expires_ms = UINT64_MAX, .meta = { meta, SILT_META_MAX } };
	const struct silt_put_options *opts[] = { NULL, &po };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct batch_sum sums[2] = { { 0, INT64_MIN, UINT64_MAX, { meta, SILT_META_MAX } }, { 1, INT64_MIN, UINT64_MAX, po.meta } };
		struct silt_buf payload = { 0 };
		struct batch_reader r;
		struct entry e;
		silt_batch *b;

		assert_int_equal(silt_batch_new(&b), 0);
		assert_int_equal(silt_batch_add(b, STR("n"), 1, opts[i], 0), 0);
		assert_int_equal(silt_batch_add(b, STR("m"), INT64_MIN, opts[i], 0), 0);
		assert_int_equal(batch_seal_sums(b, sums, &payload), 0);
		assert_true(payload.len <= silt_batch_bytes(b));
		assert_int_equal(batch_reader_init(&r, (struct silt_slice){ payload.data, payload.len }), 0);
		for (int n = 0; n < 2; n++) {
			assert_int_equal(batch_reader_next(&r, &e), 0);
			assert_int_equal(e.value.len, 20);
			assert_memory_equal(e.value.data, "-9223372036854775808", 20);
			assert_int_equal(e.meta.len, SILT_META_MAX);
		}
		assert_int_equal(batch_reader_next(&r, &e), SILT_END);
		silt_buf_free(&payload);
		silt_batch_free(b);
	}
}

/* ---- taking ------------------------------------------------------------------------------------------------------------------ */

static void test_take__gives_what_the_delete_removed(void **state)
{
	struct silt_buf value = { 0 };
	struct silt_info info;
	uint64_t put, version = 0;
	struct silt_stats s;
	struct dbkit k;

	(void)state;
	add_begin(&k);
	assert_int_equal(silt_put(k.db, STR("k"), STR("a value"), &put), 0);
	assert_int_equal(silt_flush(k.db), 0);
	assert_int_equal(silt_take(k.db, STR("k"), &value, &info, &version), 0);
	assert_int_equal(value.len, 7);
	assert_memory_equal(value.data, "a value", 7);
	assert_int_equal(info.version, put);
	assert_int_equal(version, put + 1);
	add_is(&k, "k", NULL);
	assert_int_equal(silt_take(k.db, STR("k"), &value, &info, &version), SILT_NOTFOUND);
	assert_int_equal(value.len, 0);
	silt_stats(k.db, &s);
	assert_int_equal(s.version, put + 1);                     /* nothing was written for what was not there */
	assert_int_equal(dbkit_put(&k, "k", ""), 0);
	assert_int_equal(silt_take(k.db, STR("k"), &value, NULL, NULL), 0);
	assert_int_equal(value.len, 0);
	assert_int_equal(dbkit_put(&k, "k", "x"), 0);
	assert_int_equal(silt_take(k.db, STR("k"), NULL, NULL, NULL), 0);
	assert_int_equal(silt_take(k.db, STR(""), &value, NULL, NULL), SILT_E_MISUSE);
	silt_buf_free(&value);
	dbkit_fini(&k);
}

/* ---- all at once --------------------------------------------------------------------------------------------------------------- */

enum { ADDERS = 4, ADDS = 400, TAKEN = 300 };

struct adder {
	silt_db *db;
	int64_t last;
	uint64_t taken;
	int rc;
};

static void *add_much(void *arg)
{
	struct adder *a = arg;

	a->last = INT64_MIN;
	for (int i = 0; i < ADDS && a->rc == 0; i++) {
		int64_t sum = 0;

		a->rc = silt_add(a->db, STR("n"), 1 + i % 3, &sum, NULL);
		if (a->rc == 0 && sum <= a->last)
			a->rc = -100;             /* sums only grow */
		a->last = sum;
		if (i % 100 == 50)
			(void)!silt_flush(a->db);
	}
	return NULL;
}

static void *take_much(void *arg)
{
	struct adder *a = arg;

	for (int i = 0; i < TAKEN && a->rc >= 0; i++) {
		char key[16];

		snprintf(key, sizeof(key), "take %d", i);
		a->rc = silt_take(a->db, STR(key), NULL, NULL, NULL);
		a->taken += a->rc == 0;
	}
	return NULL;
}

static void test_add__concurrent_adds_lose_nothing_and_a_value_is_taken_once(void **state)
{
	struct adder adders[ADDERS] = { 0 }, takers[2] = { 0 };
	pthread_t threads[ADDERS + 2];
	int64_t want = 0, sum;
	struct dbkit k;

	(void)state;
	add_begin(&k);
	for (int i = 0; i < TAKEN; i++) {
		char key[16];

		snprintf(key, sizeof(key), "take %d", i);
		assert_int_equal(dbkit_put_async(&k, key, "x"), 0);
	}
	for (int i = 0; i < ADDERS + 2; i++) {
		struct adder *a = i < ADDERS ? &adders[i] : &takers[i - ADDERS];

		a->db = k.db;
		assert_int_equal(pthread_create(&threads[i], NULL, i < ADDERS ? add_much : take_much, a), 0);
	}
	for (int i = 0; i < ADDERS + 2; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < ADDERS; i++)
		assert_int_equal(adders[i].rc, 0);
	for (int i = 0; i < ADDS; i++)
		want += 1 + i % 3;
	assert_int_equal(silt_add(k.db, STR("n"), 0, &sum, NULL), 0);
	assert_true(sum == want * ADDERS);
	assert_int_equal(takers[0].taken + takers[1].taken, TAKEN);
	dbkit_fini(&k);
}

/* ---- asynchronously ------------------------------------------------------------------------------------------------------------ */

struct add_landing {
	pthread_mutex_t mu;
	pthread_cond_t landed;
	int flying, codes[4];
	int64_t sum;
};

static void add_landed(void *ctx, const struct silt_result *r)
{
	struct add_landing *l = ctx;

	pthread_mutex_lock(&l->mu);
	l->codes[--l->flying] = r->code;
	if (r->code == 0 && r->reports[0].sum > l->sum)
		l->sum = r->reports[0].sum;
	pthread_cond_signal(&l->landed);
	pthread_mutex_unlock(&l->mu);
}

static void test_add__asynchronous_adds_see_each_other(void **state)
{
	struct add_landing l = { .mu = PTHREAD_MUTEX_INITIALIZER, .landed = PTHREAD_COND_INITIALIZER, .flying = 4 };
	struct dbkit k;

	(void)state;
	add_begin(&k);
	for (int i = 0; i < 4; i++) {
		silt_batch *b;

		assert_int_equal(silt_batch_new(&b), 0);
		assert_int_equal(silt_batch_add(b, STR("n"), 10, NULL, SILT_OP_REPORT), 0);
		assert_int_equal(silt_write_async(k.db, b, 0, add_landed, &l), 0);
		silt_batch_free(b);                       /* it was copied */
	}
	pthread_mutex_lock(&l.mu);
	while (l.flying)
		pthread_cond_wait(&l.landed, &l.mu);
	pthread_mutex_unlock(&l.mu);
	for (int i = 0; i < 4; i++)
		assert_int_equal(l.codes[i], 0);
	assert_true(l.sum == 40);
	dbkit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add__counts_from_wherever_the_key_lies),
		cmocka_unit_test(test_add__what_has_no_sum_is_an_answer),
		cmocka_unit_test(test_add__a_batch_without_a_sum_is_absent),
		cmocka_unit_test(test_add__a_made_counter_takes_the_options_a_present_one_keeps_its_own),
		cmocka_unit_test(test_add__several_in_a_batch),
		cmocka_unit_test(test_add__refuses_misuse),
		cmocka_unit_test(test_add__sealing_takes_no_more_than_was_said),
		cmocka_unit_test(test_take__gives_what_the_delete_removed),
		cmocka_unit_test(test_add__concurrent_adds_lose_nothing_and_a_value_is_taken_once),
		cmocka_unit_test(test_add__asynchronous_adds_see_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
