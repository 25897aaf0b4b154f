/* SPDX-License-Identifier: Apache-2.0 */
/* test_multi_get.c - many keys in one call: each answer is a get's, all are of one version, and what is not cached is fetched. */
#include "lib/test.h"

#include <pthread.h>
#include <stdatomic.h>

#include "db/db.h"
#include "lib/dbkit.h"

enum { KEYS = 300, ASKED = 2 * KEYS };    /* every second one asked for is absent */

struct multi_case {
	struct silt_lookup items[ASKED];
	struct silt_buf values[ASKED];
	struct silt_info infos[ASKED];
	char keys[ASKED][16];
};

static void multi_begin(struct dbkit *k)
{
	dbkit_init(k);
	k->opts.memtable_size = 1 << 20;
	assert_int_equal(dbkit_open(k), 0);
	for (int i = 0; i < KEYS; i++) {
		char key[16], value[32];

		snprintf(key, sizeof(key), "key %d", i);
		snprintf(value, sizeof(value), "value %d", i);
		assert_int_equal(dbkit_put_async(k, key, value), 0);
		if (i == KEYS / 3 || i == KEYS / 3 * 2)
			assert_int_equal(silt_flush(k->db), 0);
	}
}

static void multi_prepare(struct multi_case *c, bool values, uint64_t seed)
{
	memset(c, 0, sizeof(*c));
	for (int i = 0; i < ASKED; i++)
		snprintf(c->keys[i], sizeof(c->keys[i]), "key %d", i);
	for (int i = ASKED - 1; i > 0 && seed; i--) {
		uint64_t j = test_random(&seed) % (uint64_t)(i + 1);
		char tmp[16];

		memcpy(tmp, c->keys[i], 16);
		memcpy(c->keys[i], c->keys[j], 16);
		memcpy(c->keys[j], tmp, 16);
	}
	for (int i = 0; i < ASKED; i++)
		c->items[i] = (struct silt_lookup){ STR(c->keys[i]), values ? &c->values[i] : NULL, values ? &c->infos[i] : NULL, 99 };
}

static void multi_check(struct multi_case *c, bool values)
{
	for (int i = 0; i < ASKED; i++) {
		int key = atoi(c->keys[i] + 4);
		char want[32];

		assert_int_equal(c->items[i].code, key < KEYS ? 0 : SILT_NOTFOUND);
		snprintf(want, sizeof(want), "value %d", key);
		if (values) {
			assert_int_equal(c->values[i].len, key < KEYS ? strlen(want) : 0);
			if (key < KEYS) {
				assert_memory_equal(c->values[i].data, want, strlen(want));
				assert_int_equal(c->infos[i].version, key + 1);
			}
		}
		silt_buf_free(&c->values[i]);
	}
}

/* From memtables and tables, from the disk and from the cache, in order and not, with and without values. */
static void test_multi_get__each_answer_is_a_gets(void **state)
{
	static const unsigned flags[] = { SILT_NO_FILL, 0, 0, SILT_CACHED_ONLY };
	struct multi_case *c = mem_calloc(1, sizeof(*c));
	struct silt_stats s;
	struct dbkit k;

	(void)state;
	assert_non_null(c);
	multi_begin(&k);
	assert_int_equal(dbkit_close(&k), 0);
	assert_int_equal(dbkit_open(&k), 0);
	for (unsigned i = 0; i < 8; i++) {
		multi_prepare(c, i & 1, i / 2 % 2 ? 77 : 0);
		assert_int_equal(silt_multi_get(k.db, NULL, flags[i / 2], c->items, ASKED), 0);
		multi_check(c, i & 1);
	}
	silt_stats(k.db, &s);
	assert_int_equal(s.gets, 8 * ASKED);
	assert_int_equal(s.get_hits, 8 * KEYS);
	mem_free(c);
	dbkit_fini(&k);
}

static void test_multi_get__cached_only_answers_what_is_cached(void **state)
{
	struct silt_buf v[2] = { 0 };
	struct silt_lookup items[2] = { { .key = STR("key 1"), .value = &v[0] }, { .key = STR("new"), .value = &v[1] } };
	struct dbkit k;

	(void)state;
	multi_begin(&k);
	assert_int_equal(silt_flush(k.db), 0);
	assert_int_equal(dbkit_close(&k), 0);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "new", "a value that needs room"), 0);
	assert_int_equal(silt_multi_get(k.db, NULL, SILT_CACHED_ONLY, items, 2), 0);
	assert_int_equal(items[0].code, SILT_WOULD_BLOCK);
	assert_int_equal(v[0].len, 0);
	assert_int_equal(items[1].code, 0);
	assert_int_equal(v[1].len, 23);
	silt_buf_free(&v[0]);
	silt_buf_free(&v[1]);
	dbkit_fini(&k);
}

static void test_multi_get__a_bad_key_is_its_own_misfortune(void **state)
{
	struct silt_lookup items[3] = { { .key = STR("key 1") }, { .key = { NULL, 3 } }, { .key = STR("key 1") } };
	silt_snapshot *snap;
	struct dbkit k;

	(void)state;
	multi_begin(&k);
	assert_int_equal(silt_multi_get(k.db, NULL, 0, items, 3), 0);
	assert_int_equal(items[0].code, 0);
	assert_int_equal(items[1].code, SILT_E_MISUSE);
	assert_int_equal(items[2].code, 0);
	assert_int_equal(silt_multi_get(k.db, NULL, 0, NULL, 0), 0);
	assert_int_equal(silt_multi_get(k.db, NULL, 0, NULL, 1), SILT_E_MISUSE);
	assert_int_equal(silt_multi_get(k.db, NULL, SILT_ASYNC, items, 3), SILT_E_MISUSE);
	assert_int_equal(silt_multi_get(NULL, NULL, 0, items, 3), SILT_E_MISUSE);
	assert_int_equal(silt_snapshot_new(k.db, &snap), 0);
	assert_int_equal(dbkit_delete(&k, "key 1"), 0);
	assert_int_equal(silt_multi_get(k.db, snap, 0, items, 1), 0);
	assert_int_equal(items[0].code, 0);
	assert_int_equal(silt_multi_get(k.db, NULL, 0, items, 1), 0);
	assert_int_equal(items[0].code, SILT_NOTFOUND);
	silt_snapshot_free(snap);
	dbkit_fini(&k);
}

static void test_multi_get__a_damaged_block_fails_its_keys_alone(void **state)
{
	struct silt_lookup items[2] = { { .key = STR("key 1") }, { .key = STR("new") } };
	struct dbkit k;

	(void)state;
	multi_begin(&k);
	assert_int_equal(silt_compact(k.db), 0);
	assert_int_equal(dbkit_close(&k), 0);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "new", "here"), 0);
	simdisk_fail_at(k.disk, SIM_READ, 1, SILT_E_IO, true);
	assert_int_equal(silt_multi_get(k.db, NULL, 0, items, 2), 0);
	assert_int_equal(items[0].code, SILT_E_IO);
	assert_int_equal(items[1].code, 0);
	simdisk_fail_at(k.disk, SIM_READ, 0, 0, false);
	dbkit_fini(&k);
}

/* ---- one version ----------------------------------------------------------------------------------------------------------- */

enum { TOGETHER = 100 };

struct multi_writer {
	silt_db *db;
	_Atomic bool stop;
};

/* All keys get the same value in one batch, again and again; flushes and compactions go on beside it. */
static void *multi_write(void *arg)
{
	struct multi_writer *w = arg;
	silt_batch *b;

	assert_int_equal(silt_batch_new(&b), 0);
	for (int round = 1; !atomic_load(&w->stop); round++) {
		char value[16];

		snprintf(value, sizeof(value), "%08d", round);
		silt_batch_clear(b);
		for (int i = 0; i < TOGETHER; i++) {
			char key[16];

			snprintf(key, sizeof(key), "key %d", i);
			assert_int_equal(silt_batch_put(b, STR(key), STR(value), NULL, 0), 0);
		}
		(void)!silt_write(w->db, b, SILT_ASYNC, NULL);
	}
	silt_batch_free(b);
	return NULL;
}

static void test_multi_get__all_answers_are_of_one_version(void **state)
{
	struct multi_writer w = { 0 };
	struct silt_lookup items[TOGETHER];
	struct silt_buf values[TOGETHER] = { 0 };
	char keys[TOGETHER][16];
	pthread_t thread;
	struct dbkit k;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	w.db = k.db;
	for (int i = 0; i < TOGETHER; i++) {
		snprintf(keys[i], sizeof(keys[i]), "key %d", i);
		items[i] = (struct silt_lookup){ .key = STR(keys[i]), .value = &values[i] };
	}
	assert_int_equal(pthread_create(&thread, NULL, multi_write, &w), 0);
	for (int round = 0; round < 2000; round++) {
		assert_int_equal(silt_multi_get(k.db, NULL, 0, items, TOGETHER), 0);
		for (int i = 1; i < TOGETHER; i++) {
			assert_int_equal(items[i].code, items[0].code);
			assert_int_equal(values[i].len, values[0].len);
			assert_true(values[0].len == 0 || memcmp(values[i].data, values[0].data, values[0].len) == 0);
		}
	}
	atomic_store(&w.stop, true);
	pthread_join(thread, NULL);
	for (int i = 0; i < TOGETHER; i++)
		silt_buf_free(&values[i]);
	dbkit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_multi_get__each_answer_is_a_gets),
		cmocka_unit_test(test_multi_get__cached_only_answers_what_is_cached),
		cmocka_unit_test(test_multi_get__a_bad_key_is_its_own_misfortune),
		cmocka_unit_test(test_multi_get__a_damaged_block_fails_its_keys_alone),
		cmocka_unit_test(test_multi_get__all_answers_are_of_one_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
