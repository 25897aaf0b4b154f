/* SPDX-License-Identifier: Apache-2.0 */
/* test_ops.c - verify, flush and compact asked for while the store serves. */
#include "lib/test.h"

#include <sched.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>

#include "lib/dbkit.h"

enum { KEYS = 300, ROUNDS = 60 };

struct load {
	struct dbkit *k;
	atomic_bool stop;
	_Atomic uint64_t writes, reads;
};

static void *write_on(void *arg)
{
	struct load *l = arg;
	uint64_t random = 3;
	char key[16];
	static char value[1500];

	while (!atomic_load(&l->stop)) {
		silt_batch *b = NULL;
		int rc;

		snprintf(key, sizeof(key), "key%03" PRIu64, test_random(&random) % KEYS);
		memset(value, (int)(test_random(&random) % 256), sizeof(value));
		assert_int_equal(silt_batch_new(&b), 0);
		if (test_random(&random) % 5)
			rc = silt_batch_put(b, STR(key), (struct silt_slice){ value, 1 + test_random(&random) % sizeof(value) }, NULL, 0);
		else
			rc = silt_batch_delete(b, STR(key), 0);
		assert_int_equal(rc, 0);
		rc = silt_write(l->k->db, b, SILT_ASYNC, NULL);
		assert_true(rc == 0 || rc == SILT_E_BUSY);
		silt_batch_free(b);
		atomic_fetch_add(&l->writes, 1);
	}
	return NULL;
}

static void *read_on(void *arg)
{
	struct load *l = arg;
	struct silt_buf value = { 0 };
	uint64_t random = 4;
	char key[16];

	while (!atomic_load(&l->stop)) {
		int rc;

		snprintf(key, sizeof(key), "key%03" PRIu64, test_random(&random) % KEYS);
		rc = silt_get(l->k->db, STR(key), NULL, 0, &value, NULL);
		assert_true(rc == 0 || rc == SILT_NOTFOUND);
		for (size_t i = 1; rc == 0 && i < value.len; i++)
			assert_int_equal(((char *)value.data)[i], ((char *)value.data)[0]);
		atomic_fetch_add(&l->reads, 1);
	}
	silt_buf_free(&value);
	return NULL;
}

static int count_progress(void *ctx, uint64_t done, uint64_t total)
{
	uint64_t *calls = ctx;

	assert_true(done <= total);
	++*calls;
	return 0;
}

static int stop_at_once(void *ctx, uint64_t done, uint64_t total)
{
	(void)ctx;
	(void)done;
	(void)total;
	return 1;
}

/* Tables come and go under it: what it looks at is held, and sound. */
static void test_ops__verify_while_the_store_serves(void **state)
{
	struct dbkit k;
	struct load l = { .k = &k };
	struct silt_stats st;
	pthread_t threads[2];
	uint64_t calls = 0;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(pthread_create(&threads[0], NULL, write_on, &l), 0);
	assert_int_equal(pthread_create(&threads[1], NULL, read_on, &l), 0);
	while (!atomic_load(&l.writes) || !atomic_load(&l.reads))
		sched_yield();
	for (int i = 0; i < ROUNDS; i++) {
		assert_int_equal(silt_verify(k.db, count_progress, &calls), 0);
		assert_int_equal(i % 3 ? silt_flush(k.db) : silt_compact(k.db), 0);
	}
	assert_int_equal(silt_verify(k.db, stop_at_once, NULL), SILT_END);
	atomic_store(&l.stop, true);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	silt_stats(k.db, &st);
	assert_true(calls > 0 && st.flushes > 0 && st.compactions > 0);
	assert_true(atomic_load(&l.writes) > 0 && atomic_load(&l.reads) > 0);
	assert_string_equal(k.last_error, "");
	dbkit_fini(&k);
}

static int damage_one(void *ctx, const char *name)
{
	struct dbkit *k = ctx;
	size_t n = strlen(name);
	char path[64];

	if (n < 4 || strcmp(name + n - 4, ".sst") != 0)
		return 0;
	snprintf(path, sizeof(path), "db/%s", name);
	assert_int_equal(simdisk_flip(k->disk, path, 40, 1), 0);
	return 1;
}

/* Damage is found, named, and takes nothing else along. */
static void test_ops__verify_finds_damage_while_the_store_serves(void **state)
{
	struct dbkit k;
	silt_os *os;

	(void)state;
	dbkit_init(&k);
	k.opts.compaction_trigger = 64;
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "a", "1"), 0);
	assert_int_equal(silt_flush(k.db), 0);
	os = simdisk_os(k.disk);
	assert_int_equal(os->list(os, "db", damage_one, &k), 1);
	assert_int_equal(dbkit_put(&k, "b", "1"), 0);
	assert_int_equal(silt_flush(k.db), 0);
	assert_int_equal(silt_verify(k.db, NULL, NULL), SILT_E_CORRUPT);
	assert_non_null(strstr(k.last_error, ".sst"));
	assert_int_equal(dbkit_put(&k, "c", "1"), 0);
	assert_string_equal(dbkit_get(&k, "b"), "1");
	assert_string_equal(dbkit_get(&k, "c"), "1");
	dbkit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ops__verify_while_the_store_serves),
		cmocka_unit_test(test_ops__verify_finds_damage_while_the_store_serves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
