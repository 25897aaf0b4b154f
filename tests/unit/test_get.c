/* SPDX-License-Identifier: Apache-2.0 */
/* test_get.c - the point read: which entry answers, at which version, from where, and what it costs. */
#include "lib/test.h"

#include <pthread.h>
#include <stdatomic.h>

#include "db/get.h"
#include "lib/dbkit.h"

static void get_is(struct dbkit *k, const char *key, const silt_snapshot *snap, const char *value)
{
	struct silt_buf got = { 0 };
	struct silt_info info = { 0 };
	int rc = silt_get(k->db, STR(key), snap, 0, &got, &info);

	if (!value) {
		assert_int_equal(rc, SILT_NOTFOUND);
		assert_int_equal(got.len, 0);
	} else {
		assert_int_equal(rc, 0);
		assert_int_equal(got.len, strlen(value));
		assert_memory_equal(got.data, value, got.len);
		assert_true(info.version > 0);
	}
	silt_buf_free(&got);
}

/* Level 0 is not compacted by itself: not for its count, and not for its tombstones where there is enough beside them. */
static void get_begin_test(struct dbkit *k)
{
	dbkit_init(k);
	k->opts.compaction_trigger = 64;
	k->opts.memtable_size = 1 << 20;
	k->opts.compression = k->opts.compression_bottom = SILT_COMPRESS_NONE;
	assert_int_equal(dbkit_open(k), 0);
}

/* ---- the newest wins, wherever it lies ------------------------------------------------------------------------------------- */

/* Five places, oldest first; each key is written in some of them, as the bits of its number say, and deleted in others. */
enum { GET_PLACES = 5, GET_KEYS = 243 };          /* three to the five: absent, put, deleted */

static int get_plan(int key, int place)
{
	while (place--)
		key /= 3;
	return key % 3;
}

static void get_add_fill(silt_batch *b)
{
	for (int i = 0; i < 600; i++) {
		char key[32];

		snprintf(key, sizeof(key), "fill %d", i);
		assert_int_equal(silt_batch_put(b, STR(key), STR("nobody asks"), NULL, 0), 0);
	}
}

static void get_write_place(struct dbkit *k, int place)
{
	silt_batch *b;

	assert_int_equal(silt_batch_new(&b), 0);
	get_add_fill(b);
	for (int i = 0; i < GET_KEYS; i++) {
		char key[16], value[32];

		snprintf(key, sizeof(key), "%d", i);
		snprintf(value, sizeof(value), "place %d", place);
		if (get_plan(i, place) == 1)
			assert_int_equal(silt_batch_put(b, STR(key), STR(value), NULL, 0), 0);
		if (get_plan(i, place) == 2)
			assert_int_equal(silt_batch_delete(b, STR(key), 0), 0);
	}
	assert_int_equal(silt_write(k->db, b, 0, NULL), 0);
	silt_batch_free(b);
}

/* What a reader sees who knows the places below `places`. */
static void get_check_places(struct dbkit *k, const silt_snapshot *snap, int places)
{
	for (int i = 0; i < GET_KEYS; i++) {
		char key[16], value[32];
		int at = places;

		snprintf(key, sizeof(key), "%d", i);
		while (at > 0 && get_plan(i, at - 1) == 0)
			at--;
		snprintf(value, sizeof(value), "place %d", at - 1);
		get_is(k, key, snap, at > 0 && get_plan(i, at - 1) == 1 ? value : NULL);
	}
}

static void test_get__the_newest_wins_in_every_order_of_places(void **state)
{
	silt_snapshot *snaps[GET_PLACES + 1];
	struct silt_stats s;
	struct dbkit k;

	(void)state;
	get_begin_test(&k);
	assert_int_equal(silt_snapshot_new(k.db, &snaps[0]), 0);
	for (int place = 0; place < GET_PLACES; place++) {
		get_write_place(&k, place);
		assert_int_equal(silt_snapshot_new(k.db, &snaps[place + 1]), 0);
		if (place == 0)
			assert_int_equal(silt_compact(k.db), 0);          /* leveled */
		if (place == 1 || place == 2)
			assert_int_equal(silt_flush(k.db), 0);            /* level 0, twice */
		if (place == 3) {                                         /* sealed: its flush fails */
			simdisk_fail_at(k.disk, SIM_READ, 1, SILT_E_IO, true);
			assert_int_equal(silt_flush(k.db), SILT_E_IO);
		}
	}
	silt_stats(k.db, &s);
	assert_int_equal(s.sealed_memtables, 1);
	assert_int_equal(s.tables[0], 2);
	simdisk_fail_at(k.disk, SIM_READ, 0, 0, false);
	for (int places = 0; places <= GET_PLACES; places++)
		get_check_places(&k, snaps[places], places);
	get_check_places(&k, NULL, GET_PLACES);
	assert_int_equal(silt_compact(k.db), 0);                          /* all in one place: the same */
	for (int places = 0; places <= GET_PLACES; places++) {
		get_check_places(&k, snaps[places], places);
		silt_snapshot_free(snaps[places]);
	}
	assert_int_equal(silt_compact(k.db), 0);
	get_check_places(&k, NULL, GET_PLACES);
	dbkit_fini(&k);
}

/* ---- what comes with the value ----------------------------------------------------------------------------------------------- */

static void test_get__fills_what_is_wanted(void **state)
{
	struct silt_put_options po = { .expires_ms = UINT64_C(1800000000000), .meta = STR("text/plain") };
	struct silt_buf value = { 0 };
	struct silt_info info;
	struct dbkit k;
	silt_batch *b;

	(void)state;
	get_begin_test(&k);
	assert_int_equal(silt_batch_new(&b), 0);
	assert_int_equal(silt_batch_put(b, STR("k"), STR("value"), &po, 0), 0);
	assert_int_equal(silt_batch_put(b, STR("empty"), STR(""), NULL, 0), 0);
	assert_int_equal(silt_write(k.db, b, 0, NULL), 0);
	silt_batch_free(b);
	for (int flushed = 0; flushed < 2; flushed++) {
		memset(&info, 0xff, sizeof(info));
		assert_int_equal(silt_get(k.db, STR("k"), NULL, 0, &value, &info), 0);
		assert_int_equal(value.len, 5);
		assert_memory_equal(value.data, "value", 5);
		assert_int_equal(info.version, 1);
		assert_int_equal(info.expires_ms, po.expires_ms);
		assert_int_equal(info.meta_len, 10);
		assert_memory_equal(info.meta, "text/plain", 10);
		assert_int_equal(silt_get(k.db, STR("k"), NULL, 0, NULL, NULL), 0);
		assert_int_equal(silt_get(k.db, STR("absent"), NULL, 0, &value, NULL), SILT_NOTFOUND);
		assert_int_equal(value.len, 0);
		assert_int_equal(silt_get(k.db, STR("empty"), NULL, 0, &value, &info), 0);
		assert_int_equal(value.len, 0);
		assert_int_equal(info.meta_len, 0);
		assert_int_equal(info.expires_ms, 0);
		assert_int_equal(silt_flush(k.db), 0);
	}
	silt_buf_free(&value);
	dbkit_fini(&k);
}

static void test_get__expiry_is_absence_and_the_clock_never_goes_back(void **state)
{
	struct silt_put_options po = { .expires_ms = 5000 };
	struct dbkit k;
	silt_batch *b;

	(void)state;
	dbkit_init(&k);
	simdisk_set_clock(k.disk, 4999);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "k", "below it"), 0);
	assert_int_equal(silt_flush(k.db), 0);
	assert_int_equal(silt_batch_new(&b), 0);
	assert_int_equal(silt_batch_put(b, STR("k"), STR("v"), &po, 0), 0);
	assert_int_equal(silt_write(k.db, b, 0, NULL), 0);
	silt_batch_free(b);
	get_is(&k, "k", NULL, "v");
	assert_int_equal(silt_flush(k.db), 0);
	get_is(&k, "k", NULL, "v");
	simdisk_set_clock(k.disk, 5000);
	get_is(&k, "k", NULL, NULL);                      /* nor does the older one show again */
	simdisk_set_clock(k.disk, 4000);
	get_is(&k, "k", NULL, NULL);
	dbkit_fini(&k);
}

static void test_get__a_buffer_grows_once(void **state)
{
	static char large[50000];
	struct silt_buf value = { 0 };
	void *data;
	struct dbkit k;

	(void)state;
	memset(large, 'l', sizeof(large) - 1);
	get_begin_test(&k);
	assert_int_equal(dbkit_put(&k, "large", large), 0);
	assert_int_equal(dbkit_put(&k, "small", "s"), 0);
	for (int flushed = 0; flushed < 2; flushed++) {
		silt_buf_free(&value);
		assert_int_equal(silt_get(k.db, STR("small"), NULL, 0, &value, NULL), 0);
		assert_int_equal(value.len, 1);
		assert_int_equal(silt_get(k.db, STR("large"), NULL, 0, &value, NULL), 0);
		assert_int_equal(value.len, sizeof(large) - 1);
		assert_memory_equal(value.data, large, value.len);
		data = value.data;
		assert_int_equal(silt_get(k.db, STR("small"), NULL, 0, &value, NULL), 0);
		assert_int_equal(silt_get(k.db, STR("large"), NULL, 0, &value, NULL), 0);
		assert_ptr_equal(value.data, data);
		assert_int_equal(silt_flush(k.db), 0);
		assert_int_equal(dbkit_close(&k), 0);     /* a cold cache: from the disk */
		assert_int_equal(dbkit_open(&k), 0);
	}
	silt_buf_free(&value);
	dbkit_fini(&k);
}

static void test_get__misuse_is_said(void **state)
{
	static char huge[SILT_KEY_MAX + 1];
	struct silt_buf value = { 0 };
	struct dbkit k;

	(void)state;
	get_begin_test(&k);
	assert_int_equal(silt_get(k.db, STR(""), NULL, 0, &value, NULL), SILT_E_MISUSE);
	assert_int_equal(silt_get(k.db, (struct silt_slice){ NULL, 3 }, NULL, 0, &value, NULL), SILT_E_MISUSE);
	assert_int_equal(silt_get(k.db, (struct silt_slice){ huge, sizeof(huge) }, NULL, 0, &value, NULL), SILT_E_MISUSE);
	assert_int_equal(silt_get(k.db, (struct silt_slice){ huge, sizeof(huge) - 1 }, NULL, 0, &value, NULL), SILT_NOTFOUND);
	assert_int_equal(silt_get(k.db, STR("k"), NULL, SILT_ASYNC, &value, NULL), SILT_E_MISUSE);
	assert_int_equal(silt_get(NULL, STR("k"), NULL, 0, &value, NULL), SILT_E_MISUSE);
	dbkit_fini(&k);
}

/* ---- the cache --------------------------------------------------------------------------------------------------------------------- */

static void test_get__cached_only_never_touches_the_disk(void **state)
{
	struct silt_buf value = { 0 };
	struct dbkit k;
	uint64_t reads;

	(void)state;
	get_begin_test(&k);
	assert_int_equal(dbkit_put(&k, "cold", "v"), 0);
	assert_int_equal(silt_flush(k.db), 0);
	assert_int_equal(dbkit_close(&k), 0);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "hot", "v"), 0);
	reads = simdisk_calls(k.disk, SIM_READ);
	assert_int_equal(silt_get(k.db, STR("hot"), NULL, SILT_CACHED_ONLY, &value, NULL), 0);
	assert_int_equal(silt_get(k.db, STR("cold"), NULL, SILT_CACHED_ONLY, &value, NULL), SILT_WOULD_BLOCK);
	assert_int_equal(value.len, 0);
	assert_int_equal(simdisk_calls(k.disk, SIM_READ), reads);
	assert_int_equal(silt_get(k.db, STR("cold"), NULL, SILT_NO_FILL, &value, NULL), 0);
	assert_int_equal(silt_get(k.db, STR("cold"), NULL, 0, &value, NULL), 0);
	assert_true(simdisk_calls(k.disk, SIM_READ) > reads);
	reads = simdisk_calls(k.disk, SIM_READ);
	assert_int_equal(silt_get(k.db, STR("cold"), NULL, SILT_CACHED_ONLY, &value, NULL), 0);       /* it was filled */
	assert_int_equal(value.len, 1);
	assert_int_equal(simdisk_calls(k.disk, SIM_READ), reads);
	silt_buf_free(&value);
	dbkit_fini(&k);
}

static void test_get__is_counted(void **state)
{
	struct silt_stats before, after;
	struct dbkit k;

	(void)state;
	get_begin_test(&k);
	for (int i = 0; i < 100; i++) {
		char key[16];

		snprintf(key, sizeof(key), "%d", i);
		assert_int_equal(dbkit_put_async(&k, key, "v"), 0);
	}
	assert_int_equal(silt_flush(k.db), 0);
	silt_stats(k.db, &before);
	for (int i = 0; i < 200; i++) {
		char key[16];

		snprintf(key, sizeof(key), i < 100 ? "%d" : "%d?", i % 100);
		get_is(&k, key, NULL, i < 100 ? "v" : NULL);
	}
	silt_stats(k.db, &after);
	assert_int_equal(after.gets - before.gets, 200);
	assert_int_equal(after.get_hits - before.get_hits, 100);
	assert_true(after.filter_checks - before.filter_checks > 150);
	assert_true(after.filter_negatives - before.filter_negatives > 60);       /* of what is in range and absent */
	assert_true(after.filter_negatives - before.filter_negatives <= 100);
	dbkit_fini(&k);
}

/* A scan fills the cache with data blocks alone. */
static void test_get__asks_the_filters_after_a_scan(void **state)
{
	struct silt_stats before, after;
	struct silt_buf value = { 0 };
	silt_iter *it;
	struct dbkit k;

	(void)state;
	get_begin_test(&k);
	for (int i = 0; i < 100; i++) {
		char key[16];

		snprintf(key, sizeof(key), "%d", i);
		assert_int_equal(dbkit_put_async(&k, key, "v"), 0);
	}
	assert_int_equal(silt_flush(k.db), 0);
	assert_int_equal(silt_iter_new(k.db, NULL, &it), 0);
	for (int rc = silt_iter_first(it); rc != SILT_END; rc = silt_iter_next(it))
		assert_int_equal(rc, 0);
	silt_iter_close(it);
	silt_stats(k.db, &before);
	assert_int_equal(silt_get(k.db, STR("50?"), NULL, SILT_CACHED_ONLY, &value, NULL), SILT_NOTFOUND);
	silt_stats(k.db, &after);
	assert_int_equal(after.filter_checks, before.filter_checks);     /* the data block answered */
	for (int i = 0; i < 10; i++)
		get_is(&k, "50?", NULL, NULL);
	silt_stats(k.db, &after);
	assert_int_equal(after.filter_checks - before.filter_checks, 10);
	assert_int_equal(after.gets - before.gets, 11);
	silt_buf_free(&value);
	dbkit_fini(&k);
}

/* ---- damage ----------------------------------------------------------------------------------------------------------------------- */

/* A newer table that can't be read must not let an older value through. */
static void test_get__damage_does_not_fall_through_to_an_older_value(void **state)
{
	struct dbkit k;
	struct silt_buf value = { 0 };
	int damaged = 0;

	(void)state;
	get_begin_test(&k);
	assert_int_equal(dbkit_put(&k, "a", "intact"), 0);
	assert_int_equal(dbkit_put(&k, "k", "old"), 0);
	assert_int_equal(silt_flush(k.db), 0);
	assert_int_equal(dbkit_put(&k, "k", "new"), 0);
	assert_int_equal(silt_flush(k.db), 0);
	assert_int_equal(dbkit_close(&k), 0);
	assert_int_equal(simdisk_flip(k.disk, "db/000002.sst", 8, 0x10), 0);      /* its one data block */
	assert_int_equal(dbkit_open(&k), 0);
	for (int i = 0; i < 3; i++) {
		damaged += silt_get(k.db, STR("k"), NULL, 0, &value, NULL) == SILT_E_CORRUPT;
		assert_int_equal(value.len, 0);
	}
	assert_int_equal(damaged, 3);
	assert_true(dbkit_logged(&k, "000002.sst"));
	get_is(&k, "a", NULL, "intact");
	assert_int_equal(silt_verify(k.db, NULL, NULL), SILT_E_CORRUPT);
	simdisk_fail_at(k.disk, SIM_READ, 1, SILT_E_IO, true);
	assert_int_equal(silt_get(k.db, STR("k"), NULL, SILT_NO_FILL, &value, NULL), SILT_E_IO);
	silt_buf_free(&value);
	dbkit_fini(&k);
}

/* ---- while the store goes on --------------------------------------------------------------------------------------------------------- */

enum { GET_THREADS = 3, GET_PAIRS = 40 };

struct get_reader {
	struct dbkit *k;
	_Atomic bool *stop;
	uint64_t reads;
	const char *why;
};

/* A pair's two keys are always written together: no reader may see one ahead of the other at one version. */
static void *get_read_pairs(void *arg)
{
	struct get_reader *r = arg;
	struct silt_buf value = { 0 };
	uint64_t last[GET_PAIRS] = { 0 };

	while (!atomic_load(r->stop) && !r->why) {
		size_t i = r->reads++ % GET_PAIRS;
		struct silt_info a, b;
		silt_snapshot *snap;
		char key[16];
		int rc;

		snprintf(key, sizeof(key), "a%zu", i);
		rc = silt_get(r->k->db, STR(key), NULL, 0, &value, &a);
		if (rc != 0 || a.version < last[i])
			r->why = "a plain get went back, or failed";
		last[i] = a.version;
		if (silt_snapshot_new(r->k->db, &snap) != 0)
			r->why = "no snapshot";
		rc = silt_get(r->k->db, STR(key), snap, 0, &value, &a);
		key[0] = 'b';
		if (rc == 0)
			rc = silt_get(r->k->db, STR(key), snap, 0, &value, &b);
		if (rc != 0 || a.version != b.version || a.version > silt_snapshot_version(snap))
			r->why = "a pair was seen by half";
		silt_snapshot_free(snap);
	}
	silt_buf_free(&value);
	return NULL;
}

static void get_write_pair(struct dbkit *k, silt_batch *b, size_t i)
{
	char key[16];

	silt_batch_clear(b);
	snprintf(key, sizeof(key), "a%zu", i);
	assert_int_equal(silt_batch_put(b, STR(key), STR("v"), NULL, 0), 0);
	key[0] = 'b';
	assert_int_equal(silt_batch_put(b, STR(key), STR("v"), NULL, 0), 0);
	assert_int_equal(silt_write(k->db, b, SILT_ASYNC, NULL), 0);
}

static void test_get__reads_are_of_one_moment_while_views_change(void **state)
{
	struct get_reader readers[GET_THREADS];
	pthread_t threads[GET_THREADS];
	_Atomic bool stop = false;
	struct dbkit k;
	silt_batch *b;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(silt_batch_new(&b), 0);
	for (size_t i = 0; i < GET_PAIRS; i++)
		get_write_pair(&k, b, i);
	for (int i = 0; i < GET_THREADS; i++) {
		readers[i] = (struct get_reader){ .k = &k, .stop = &stop };
		assert_int_equal(pthread_create(&threads[i], NULL, get_read_pairs, &readers[i]), 0);
	}
	for (size_t round = 0; round < 60; round++) {
		for (size_t i = 0; i < GET_PAIRS; i++)
			get_write_pair(&k, b, i);
		assert_int_equal(round % 10 == 9 ? silt_compact(k.db) : silt_flush(k.db), 0);
	}
	atomic_store(&stop, true);
	for (int i = 0; i < GET_THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		if (readers[i].why)
			fail_msg("%s", readers[i].why);
		assert_true(readers[i].reads > 0);
	}
	silt_batch_free(b);
	dbkit_fini(&k);
}

/* ---- evidence ------------------------------------------------------------------------------------------------------------------------ */

static void test_get__a_copy_is_raw(void **state)
{
	struct get_copy c = { 0 };
	struct dbkit k;
	silt_batch *b;

	(void)state;
	get_begin_test(&k);
	assert_int_equal(silt_batch_new(&b), 0);
	get_add_fill(b);
	assert_int_equal(silt_write(k.db, b, 0, NULL), 0);
	silt_batch_free(b);
	assert_int_equal(dbkit_put(&k, "k", "value"), 0);
	assert_int_equal(dbkit_put(&k, "gone", "v"), 0);
	assert_int_equal(dbkit_delete(&k, "gone"), 0);
	for (int flushed = 0; flushed < 2; flushed++) {
		assert_int_equal(get_copy(k.db, STR("k"), 0, true, &c), 0);
		assert_true(c.found);
		assert_int_equal(c.kind, ENTRY_PUT);
		assert_int_equal(c.info.version, 2);
		assert_int_equal(c.read_at, 4);
		assert_int_equal(c.value.len, 5);
		assert_int_equal(get_copy(k.db, STR("gone"), 0, true, &c), 0);
		assert_true(c.found);
		assert_int_equal(c.kind, ENTRY_DELETE);
		assert_int_equal(c.info.version, 4);
		assert_int_equal(c.value.len, 0);
		assert_int_equal(get_copy(k.db, STR("never"), 0, true, &c), 0);
		assert_false(c.found);
		assert_int_equal(silt_flush(k.db), 0);
		assert_int_equal(dbkit_close(&k), 0);
		assert_int_equal(dbkit_open(&k), 0);
	}
	assert_int_equal(dbkit_close(&k), 0);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(get_copy(k.db, STR("k"), SILT_CACHED_ONLY, true, &c), SILT_WOULD_BLOCK);
	silt_buf_free(&c.value);
	dbkit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get__the_newest_wins_in_every_order_of_places),
		cmocka_unit_test(test_get__fills_what_is_wanted),
		cmocka_unit_test(test_get__expiry_is_absence_and_the_clock_never_goes_back),
		cmocka_unit_test(test_get__a_buffer_grows_once),
		cmocka_unit_test(test_get__misuse_is_said),
		cmocka_unit_test(test_get__cached_only_never_touches_the_disk),
		cmocka_unit_test(test_get__is_counted),
		cmocka_unit_test(test_get__asks_the_filters_after_a_scan),
		cmocka_unit_test(test_get__damage_does_not_fall_through_to_an_older_value),
		cmocka_unit_test(test_get__reads_are_of_one_moment_while_views_change),
		cmocka_unit_test(test_get__a_copy_is_raw),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
