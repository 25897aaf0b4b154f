/* SPDX-License-Identifier: Apache-2.0 */
/* test_compactor.c - the compaction thread over damaged tables, and over ranges asked for by hand. */
#include "lib/test.h"

#include <pthread.h>

#include "lib/dbkit.h"

/* n values of 16 KiB that don't compress, under key/00000...; then all of it in tables below level 0. */
static void fill(struct dbkit *k, size_t n)
{
	static uint64_t value[2048];
	uint64_t random = 7;
	char key[16];

	for (size_t i = 0; i < n; i++) {
		snprintf(key, sizeof(key), "key/%05zu", i);
		for (size_t j = 0; j < 2048; j++)
			value[j] = test_random(&random);
		assert_int_equal(silt_put(k->db, STR(key), (struct silt_slice){ value, sizeof(value) }, NULL), 0);
	}
	assert_int_equal(silt_compact(k->db), 0);
}

struct damage {
	struct dbkit *k;
	size_t left, done;
};

static int damage_table(void *ctx, const char *name)
{
	struct damage *d = ctx;
	char path[64];
	size_t n = strlen(name);

	if (!d->left || n < 4 || strcmp(name + n - 4, ".sst") != 0)
		return 0;
	snprintf(path, sizeof(path), "db/%s", name);
	assert_int_equal(simdisk_flip(d->k->disk, path, 100, 0x10), 0);
	d->left--;
	d->done++;
	return 0;
}

/* One byte of the first block of so many tables; nothing of them is in a cache any more. */
static size_t damage(struct dbkit *k, size_t tables)
{
	struct damage d = { k, tables, 0 };
	silt_os *os = simdisk_os(k->disk);

	assert_int_equal(dbkit_close(k), 0);
	assert_int_equal(dbkit_open(k), 0);       /* sweeps what compaction left behind */
	assert_int_equal(dbkit_close(k), 0);
	assert_int_equal(os->list(os, "db", damage_table, &d), 0);
	k->log[0] = '\0';
	assert_int_equal(dbkit_open(k), 0);
	return d.done;
}

static size_t times(const char *text, const char *words)
{
	size_t n = 0;

	for (; (text = strstr(text, words)) != NULL; text++)
		n++;
	return n;
}

static void test_compactor__goes_on_without_a_damaged_table(void **state)
{
	struct dbkit k;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	fill(&k, 40);
	assert_int_equal(damage(&k, 1), 1);
	assert_int_equal(silt_compact(k.db), SILT_E_CORRUPT);
	assert_int_equal(times(k.log, "left out of compaction"), 1);
	assert_int_equal(times(k.log, "compaction has stopped"), 0);
	assert_int_equal(dbkit_put(&k, "after", "x"), 0);
	assert_int_equal(silt_compact(k.db), SILT_E_CORRUPT);     /* the rest is compacted; it is still said */
	assert_int_equal(times(k.log, "left out of compaction"), 1);
	assert_string_equal(dbkit_get(&k, "after"), "x");
	dbkit_fini(&k);
}

/* A damaged one more than can be remembered: it would be picked, read and given up again for ever. */
static void test_compactor__gives_up_where_too_many_are_damaged(void **state)
{
	struct dbkit k;
	struct silt_buf value = { 0 };

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	fill(&k, 320);
	assert_true(damage(&k, 100) > 66);
	for (int i = 0; i < 3; i++)
		assert_int_equal(silt_compact(k.db), SILT_E_CORRUPT);
	assert_int_equal(times(k.log, "compaction has stopped"), 1);
	assert_int_equal(silt_get(k.db, STR("key/00000"), NULL, 0, &value, NULL), SILT_E_CORRUPT);
	assert_int_equal(dbkit_put(&k, "key/00000", "new"), 0);
	assert_int_equal(silt_flush(k.db), 0);                    /* writes and flushes go on */
	assert_string_equal(dbkit_get(&k, "key/00000"), "new");
	silt_buf_free(&value);
	dbkit_fini(&k);
}

static uint64_t tables_below(struct dbkit *k, int level)
{
	struct silt_stats st;
	uint64_t n = 0;

	silt_stats(k->db, &st);
	for (int l = level; l < SILT_LEVELS; l++)
		n += st.tables[l];
	return n;
}

static void test_compactor__a_range_goes_down_and_the_rest_stays(void **state)
{
	const struct silt_slice all = { NULL, 0 };
	struct dbkit k;
	struct silt_stats st;

	(void)state;
	dbkit_init(&k);
	k.opts.compaction_trigger = 64;
	assert_int_equal(dbkit_open(&k), 0);
	for (int i = 0; i < 4; i++) {
		char key[8] = { (char)('a' + i), '1', '\0' };

		assert_int_equal(dbkit_put(&k, key, "1"), 0);
		assert_int_equal(silt_flush(k.db), 0);
	}
	assert_int_equal(tables_below(&k, 1), 0);
	assert_int_equal(silt_compact_range(k.db, STR("b"), STR("c")), 0);
	silt_stats(k.db, &st);
	assert_int_equal(st.tables[0], 3);
	assert_int_equal(tables_below(&k, 1), 1);
	assert_int_equal(silt_compact_range(k.db, STR("x"), all), 0);
	assert_int_equal(silt_compact_range(k.db, STR("c"), STR("c")), 0);
	assert_int_equal(tables_below(&k, 1), 1);
	assert_int_equal(silt_compact_range(k.db, STR("c"), all), 0);
	silt_stats(k.db, &st);
	assert_int_equal(st.tables[0], 1);
	assert_int_equal(silt_compact_range(k.db, all, all), 0);
	silt_stats(k.db, &st);
	assert_int_equal(st.tables[0], 0);
	assert_int_equal(silt_compact_range(k.db, (struct silt_slice){ NULL, 3 }, all), SILT_E_MISUSE);
	for (int i = 0; i < 4; i++) {
		char key[8] = { (char)('a' + i), '1', '\0' };

		assert_string_equal(dbkit_get(&k, key), "1");
	}
	dbkit_fini(&k);
}

/* Deletes of a range that was cleared leave the disk. */
static void test_compactor__a_range_without_live_keys_leaves_nothing(void **state)
{
	struct dbkit k;
	struct silt_stats st;
	char key[16];

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	fill(&k, 20);
	for (int i = 0; i < 10; i++) {
		snprintf(key, sizeof(key), "key/%05d", i);
		assert_int_equal(dbkit_delete(&k, key), 0);
	}
	assert_int_equal(silt_compact_range(k.db, STR("key/00000"), STR("key/00010")), 0);
	silt_stats(k.db, &st);
	assert_int_equal(st.tombstones, 0);
	assert_int_equal(st.table_entries[SILT_LEVELS - 1], 10);
	dbkit_fini(&k);
}

/* So many tables in level 0 that writes would wait, left by a life in which nothing could be compacted: the next one begins with them. */
static void test_compactor__what_an_earlier_life_left_is_compacted_at_once(void **state)
{
	struct dbkit k;

	(void)state;
	dbkit_init(&k);
	k.opts.compaction_trigger = 64;
	assert_int_equal(dbkit_open(&k), 0);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(dbkit_put(&k, "key", "value"), 0);
		assert_int_equal(silt_flush(k.db), 0);
	}
	assert_int_equal(dbkit_close(&k), 0);
	k.opts.compaction_trigger = 2;                            /* nine times as many stop a writer */
	k.opts.compaction_interval_ms = 24 * 3600 * 1000;
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "key", "new"), 0);
	assert_string_equal(dbkit_get(&k, "key"), "new");
	dbkit_fini(&k);
}

struct asker {
	struct dbkit *k;
	const char *lower, *upper;
};

static void *ask(void *arg)
{
	struct asker *a = arg;

	for (int i = 0; i < 10; i++)
		assert_int_equal(a->lower ? silt_compact_range(a->k->db, STR(a->lower), STR(a->upper)) : silt_compact(a->k->db), 0);
	return NULL;
}

static void test_compactor__many_ask_at_once_and_each_is_answered(void **state)
{
	struct dbkit k;
	struct asker askers[4] = { { &k, NULL, NULL }, { &k, "key/00000", "key/00010" }, { &k, "key/00005", "z" }, { &k, NULL, NULL } };
	pthread_t threads[4];

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	fill(&k, 20);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask, &askers[i]), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(silt_verify(k.db, NULL, NULL), 0);
	dbkit_fini(&k);
}

static void *ask_until_cancelled(void *arg)
{
	struct dbkit *k = arg;
	int rc;

	do
		rc = silt_compact(k->db);
	while (rc == 0);
	assert_int_equal(rc, SILT_END);
	return arg;
}

/* Who is cancelled is told so; the store goes on, and so does who asks later. */
static void test_compactor__whoever_waits_can_be_cancelled(void **state)
{
	pthread_t threads[2];
	struct dbkit k;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	silt_compact_cancel(NULL);
	silt_compact_cancel(k.db);                                /* nobody waits: it concerns nobody who comes */
	assert_int_equal(silt_compact(k.db), 0);
	fill(&k, 20);
	for (int round = 0; round < 20; round++) {
		bool over[2] = { false };

		for (int i = 0; i < 2; i++)
			assert_int_equal(pthread_create(&threads[i], NULL, ask_until_cancelled, &k), 0);
		while (!over[0] || !over[1]) {
			silt_compact_cancel(k.db);
			for (int i = 0; i < 2; i++)
				over[i] = over[i] || pthread_tryjoin_np(threads[i], NULL) == 0;
		}
		assert_int_equal(dbkit_put(&k, "key", "value"), 0);
	}
	assert_int_equal(silt_compact(k.db), 0);
	assert_int_equal(silt_verify(k.db, NULL, NULL), 0);
	assert_string_equal(dbkit_get(&k, "key"), "value");
	dbkit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compactor__goes_on_without_a_damaged_table),
		cmocka_unit_test(test_compactor__gives_up_where_too_many_are_damaged),
		cmocka_unit_test(test_compactor__a_range_goes_down_and_the_rest_stays),
		cmocka_unit_test(test_compactor__a_range_without_live_keys_leaves_nothing),
		cmocka_unit_test(test_compactor__what_an_earlier_life_left_is_compacted_at_once),
		cmocka_unit_test(test_compactor__many_ask_at_once_and_each_is_answered),
		cmocka_unit_test(test_compactor__whoever_waits_can_be_cancelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
