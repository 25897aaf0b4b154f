/* SPDX-License-Identifier: Apache-2.0 */
/* test_anchors_reads.c - the bugs of other stores, as in test_anchors.c, where the list is: those that made a read answer what is not so. */
#include "lib/anchors.h"

#include <pthread.h>

/* ---- range deletes ------------------------------------------------------------------------------------------------------- */

/* Old values below, and a range delete over them in a table of its own: whatever byte of that table changes, none of them comes back. */
static void test_anchors__a_damaged_range_delete_brings_nothing_back(void **state)
{
	struct silt_buf bytes = { 0 }, value = { 0 };
	size_t errors = 0;
	struct dbkit k;
	char key[16];

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	for (int i = 0; i < 4; i++)
		anchors_put(&k, i, "deleted");
	assert_int_equal(silt_compact(k.db), 0);
	assert_int_equal(dbkit_close(&k), 0);
	assert_int_equal(dbkit_open(&k), 0);                      /* nothing but one table */
	assert_int_equal(silt_delete_range(k.db, STR("key/"), STR("key0"), NULL), 0);
	for (int i = 0; i < 100; i++) {                           /* not so dense with deletes that it is compacted at once */
		snprintf(key, sizeof(key), "other/%d", i);
		assert_int_equal(dbkit_put_async(&k, key, "v"), 0);
	}
	assert_int_equal(silt_flush(k.db), 0);
	assert_int_equal(dbkit_files(&k, "db", ".sst"), 2);
	assert_int_equal(dbkit_close(&k), 0);
	for (uint64_t number = 1; number < 10; number++) {        /* the younger of the two: overlaps go by its bytes alone */
		char path[64];

		snprintf(path, sizeof(path), "db/%06llu.sst", (unsigned long long)number);
		if (!dbkit_exists(&k, path))
			continue;
		assert_int_equal(simdisk_read_file(k.disk, path, &bytes), 0);
		for (uint64_t at = 0; at < bytes.len; at += test_stride(16) + at % 3) {
			int rc;

			assert_int_equal(simdisk_flip(k.disk, path, at, 0x20), 0);
			rc = dbkit_open(&k);
			for (int i = 0; rc == 0 && i < 4; i++) {
				anchors_key(key, i);
				rc = silt_get(k.db, STR(key), NULL, 0, &value, NULL);
				if (rc == 0)
					fail_msg("%s: with byte %llu changed a deleted key is back", path, (unsigned long long)at);
				errors += rc == SILT_E_CORRUPT;
				rc = 0;
			}
			if (rc == 0)
				(void)dbkit_close(&k);
			assert_int_equal(simdisk_flip(k.disk, path, at, 0x20), 0);
		}
	}
	assert_true(errors > 20);
	silt_buf_free(&bytes);
	silt_buf_free(&value);
	dbkit_fini(&k);
}

/* Tables that lie whole below a range delete go without being read, others by halves: what is left is in order, and complete. */
static void test_anchors__tables_below_a_range_delete_leave_a_sound_tree(void **state)
{
	static uint64_t noise[500];
	uint64_t random = test_seed(11);
	struct silt_stats s;
	struct dbkit k;
	char key[16], lower[16], upper[16];

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	for (int i = 0; i < 120; i++) {
		anchors_key(key, i);
		for (size_t j = 0; j < 500; j++)
			noise[j] = test_random(&random);
		assert_int_equal(silt_put(k.db, STR(key), (struct silt_slice){ noise, sizeof(noise) }, NULL), 0);
	}
	assert_int_equal(silt_compact(k.db), 0);
	silt_stats(k.db, &s);
	assert_true(s.tables[SILT_LEVELS - 1] > 4);
	anchors_key(lower, 17);
	anchors_key(upper, 93);
	assert_int_equal(silt_delete_range(k.db, STR(lower), STR(upper), NULL), 0);
	anchors_key(lower, 30);
	anchors_key(upper, 50);
	assert_int_equal(silt_flush(k.db), 0);
	assert_int_equal(silt_compact_range(k.db, STR(lower), STR(upper)), 0);  /* a part of what it covers */
	for (int round = 0; round < 3; round++) {
		struct silt_buf value = { 0 };

		for (int i = 0; i < 120; i++) {
			anchors_key(key, i);
			assert_int_equal(silt_get(k.db, STR(key), NULL, 0, &value, NULL), i < 17 || i >= 93 ? 0 : SILT_NOTFOUND);
		}
		silt_buf_free(&value);
		assert_int_equal(silt_verify(k.db, NULL, NULL), 0);
		if (round == 0)
			assert_int_equal(silt_compact(k.db), 0);
		dbkit_crash(&k, SIM_LOSE_ALL, 1);
		assert_int_equal(dbkit_open(&k), 0);              /* whose manifest is checked table by table */
	}
	dbkit_fini(&k);
}

/* ---- order --------------------------------------------------------------------------------------------------------------- */

static void anchors_ingest(struct dbkit *k, const char *key, const char *value)
{
	silt_ingest *in;

	assert_int_equal(silt_ingest_begin(k->db, &in), 0);
	assert_int_equal(silt_ingest_add(in, STR(key), STR(value), NULL), 0);
	assert_int_equal(silt_ingest_commit(in, NULL), 0);
	silt_ingest_end(in);
}

/* Put, ingest, put, ingest of one key, flushed in between or not: the last one counts, now and at every later opening. */
static void test_anchors__an_ingest_stands_between_what_came_before_and_after(void **state)
{
	struct dbkit k;
	char value[16];

	(void)state;
	for (unsigned how = 0; how < 64; how++) {                 /* two bits a step: put or ingest, flushed or not */
		dbkit_init(&k);
		k.opts.compaction_trigger = 64;
		assert_int_equal(dbkit_open(&k), 0);
		for (int step = 0; step < 3; step++) {
			snprintf(value, sizeof(value), "step %d", step);
			if (how >> 2 * step & 1)
				anchors_ingest(&k, "k", value);
			else
				assert_int_equal(dbkit_put(&k, "k", value), 0);
			if (how >> 2 * step & 2)
				assert_int_equal(silt_flush(k.db), 0);
			assert_string_equal(dbkit_get(&k, "k"), value);
		}
		dbkit_crash(&k, SIM_LOSE_ALL, how + 1);
		assert_int_equal(dbkit_open(&k), 0);
		assert_string_equal(dbkit_get(&k, "k"), value);
		assert_int_equal(silt_compact(k.db), 0);
		assert_string_equal(dbkit_get(&k, "k"), value);
		dbkit_fini(&k);
	}
}

/* "a", "aa", ... lie in as many places as there are; the iterator turns at each, both ways, also where a neighbour is deleted. */
static void test_anchors__an_iterator_turns_at_keys_that_begin_others(void **state)
{
	enum { N = 12 };
	static const char longest[] = "aaaaaaaaaaaa";
	struct dbkit k;
	silt_iter *it;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	for (size_t n = 1; n <= N; n++) {
		for (int version = 0; version < 2; version++)
			assert_int_equal(silt_put(k.db, (struct silt_slice){ longest, n }, STR("v"), NULL), 0);
		if (n % 4 == 0)
			assert_int_equal(n % 8 ? silt_compact(k.db) : silt_flush(k.db), 0);
	}
	assert_int_equal(silt_delete(k.db, (struct silt_slice){ longest, 5 }, NULL), 0);
	assert_int_equal(silt_iter_new(k.db, NULL, &it), 0);
	for (size_t n = 1; n <= N; n++) {
		size_t next = n == 4 ? 6 : n + 1, prev = n == 6 ? 4 : n - 1;

		if (n == 5)
			continue;
		assert_int_equal(silt_iter_seek(it, (struct silt_slice){ longest, n }), 0);
		assert_int_equal(silt_iter_key(it).len, n);
		for (int turn = 0; turn < 2; turn++) {
			int rc = silt_iter_next(it);

			assert_int_equal(rc, next <= N ? 0 : SILT_END);
			if (rc != 0)
				break;
			assert_int_equal(silt_iter_key(it).len, next);
			assert_int_equal(silt_iter_prev(it), 0);
			assert_int_equal(silt_iter_key(it).len, n);
		}
		assert_int_equal(silt_iter_seek_prev(it, (struct silt_slice){ longest, n }), 0);
		for (int turn = 0; turn < 2; turn++) {
			int rc = silt_iter_prev(it);

			assert_int_equal(rc, prev >= 1 ? 0 : SILT_END);
			if (rc != 0)
				break;
			assert_int_equal(silt_iter_key(it).len, prev);
			assert_int_equal(silt_iter_next(it), 0);
			assert_int_equal(silt_iter_key(it).len, n);
		}
	}
	silt_iter_close(it);
	dbkit_fini(&k);
}

/* ---- compaction ---------------------------------------------------------------------------------------------------------- */

static void *anchors_compact_ranges(void *arg)
{
	struct anchors_crew *crew = arg;
	uint64_t random = 5;
	char lower[16], upper[16];

	while (!atomic_load(&crew->done)) {
		int from = (int)(test_random(&random) % 90);

		anchors_key(lower, from);
		anchors_key(upper, from + 1 + (int)(test_random(&random) % 30));
		if (silt_compact_range(crew->k->db, STR(lower), STR(upper)) != 0)
			return arg;
	}
	return NULL;
}

/* The store compacts by itself, moving what lies alone, while others compact by hand: no two tables of a level may overlap. */
static void test_anchors__compactions_by_hand_beside_the_stores_own_overlap_nothing(void **state)
{
	struct anchors_crew crew = { 0 };
	pthread_t hands[2];
	struct dbkit k;
	char key[16], value[400];
	void *bad;

	(void)state;
	dbkit_init(&k);
	k.opts.compaction_trigger = 2;
	crew.k = &k;
	assert_int_equal(dbkit_open(&k), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&hands[i], NULL, anchors_compact_ranges, &crew), 0);
	for (int i = 0; i < 900; i++) {
		anchors_key(key, i * 37 % 120);
		snprintf(value, sizeof(value), "%-380d", i);
		assert_int_equal(dbkit_put(&k, key, value), 0);
		if (i % 60 == 59)
			assert_int_equal(silt_flush(k.db), 0);
	}
	atomic_store(&crew.done, true);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(hands[i], &bad), 0);
		assert_null(bad);
	}
	assert_int_equal(silt_verify(k.db, NULL, NULL), 0);
	dbkit_crash(&k, SIM_LOSE_ALL, 1);
	assert_int_equal(dbkit_open(&k), 0);                      /* whose manifest is checked for overlaps */
	for (int i = 900 - 120; i < 900; i++) {
		anchors_key(key, i * 37 % 120);
		snprintf(value, sizeof(value), "%-380d", i);
		assert_string_equal(dbkit_get(&k, key), value);
	}
	dbkit_fini(&k);
}

/* A merge that ends at one write or another, for want of room or of memory: no entry is gone, and with room it is done. */
static void test_anchors__a_compaction_that_fails_drops_nothing(void **state)
{
	struct simdisk *base;
	unsigned failed = 0;
	struct dbkit k;

	(void)state;
	dbkit_init(&k);
	k.opts.compaction_trigger = 64;
	assert_int_equal(dbkit_open(&k), 0);
	for (int i = 0; i < 60; i++) {
		anchors_put(&k, i % 40, i < 40 ? "old" : "new");
		if (i % 20 == 19)
			assert_int_equal(silt_flush(k.db), 0);
	}
	assert_int_equal(dbkit_close(&k), 0);
	base = simdisk_crash_copy(k.disk, SIM_KEEP_ALL, 1);
	dbkit_fini(&k);
	for (uint64_t room = 0; room < 8 << 10; room += 512) {
		int rc;

		dbkit_init_on(&k, simdisk_crash_copy(base, SIM_KEEP_ALL, 1));
		k.opts.compaction_trigger = 64;
		assert_int_equal(dbkit_open(&k), 0);
		dbkit_settle(&k);
		simdisk_set_free(k.disk, room);
		rc = silt_compact(k.db);
		assert_true(rc == 0 || rc == SILT_E_NOSPACE);
		failed += rc != 0;
		for (int i = 0; i < 40; i++)
			anchors_is(&k, i, i < 20 ? "new" : "old");
		simdisk_set_free(k.disk, UINT64_C(1) << 40);
		assert_int_equal(silt_compact(k.db), 0);
		for (int i = 0; i < 40; i++)
			anchors_is(&k, i, i < 20 ? "new" : "old");
		dbkit_fini(&k);
	}
	assert_true(failed > 0);
	simdisk_free(base);
}

/* ---- views --------------------------------------------------------------------------------------------------------------- */

static void *anchors_read_pairs(void *arg)
{
	struct anchors_crew *crew = arg;
	struct silt_buf a = { 0 }, b = { 0 };
	uint64_t newest = 0;
	void *bad = NULL;

	while (!atomic_load(&crew->done) && !bad) {
		struct silt_info one = { 0 }, two = { 0 };
		silt_snapshot *snap;

		if (silt_snapshot_new(crew->k->db, &snap) != 0)
			return arg;
		if (silt_get(crew->k->db, STR("one"), snap, 0, &a, &one) != 0 || silt_get(crew->k->db, STR("two"), snap, 0, &b, &two) != 0 ||
		    one.version != two.version || one.version < newest || one.version > silt_snapshot_version(snap) || a.len != b.len ||
		    memcmp(a.data, b.data, a.len) != 0)
			bad = arg;
		newest = one.version;
		silt_snapshot_free(snap);
	}
	silt_buf_free(&a);
	silt_buf_free(&b);
	return bad;
}

/* Two keys always written together: no snapshot sees one without the other, nor anything older than the one before it did. */
static void test_anchors__snapshots_are_never_stale_nor_halves(void **state)
{
	struct anchors_crew crew = { 0 };
	pthread_t readers[2];
	silt_batch *batch;
	struct dbkit k;
	char value[16];
	void *bad;

	(void)state;
	dbkit_init(&k);
	crew.k = &k;
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(silt_batch_new(&batch), 0);
	for (int i = 0; i < 1200; i++) {
		snprintf(value, sizeof(value), "%d", i);
		silt_batch_clear(batch);
		assert_int_equal(silt_batch_put(batch, STR("one"), STR(value), NULL, 0), 0);
		assert_int_equal(silt_batch_put(batch, STR("two"), STR(value), NULL, 0), 0);
		assert_int_equal(silt_write(k.db, batch, i % 2 ? SILT_ASYNC : 0, NULL), 0);
		for (int r = 0; i == 0 && r < 2; r++)
			assert_int_equal(pthread_create(&readers[r], NULL, anchors_read_pairs, &crew), 0);
		if (i % 200 == 199)
			assert_int_equal(silt_flush(k.db), 0);
	}
	atomic_store(&crew.done, true);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(readers[i], &bad), 0);
		assert_null(bad);
	}
	silt_batch_free(batch);
	dbkit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_anchors__a_damaged_range_delete_brings_nothing_back),
		cmocka_unit_test(test_anchors__tables_below_a_range_delete_leave_a_sound_tree),
		cmocka_unit_test(test_anchors__an_ingest_stands_between_what_came_before_and_after),
		cmocka_unit_test(test_anchors__an_iterator_turns_at_keys_that_begin_others),
		cmocka_unit_test(test_anchors__compactions_by_hand_beside_the_stores_own_overlap_nothing),
		cmocka_unit_test(test_anchors__a_compaction_that_fails_drops_nothing),
		cmocka_unit_test(test_anchors__snapshots_are_never_stale_nor_halves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
