/* SPDX-License-Identifier: Apache-2.0 */
/* test_watch.c - waiting for a version: each arming fires once, none sleeps through, what is not armed costs nothing. */
#include "lib/test.h"

#include <pthread.h>

#include "db/watch.h"
#include "lib/dbkit.h"

struct watch_seen {
	_Atomic unsigned calls;
	_Atomic uint64_t version;
};

static void watch_note(void *ctx, uint64_t version)
{
	struct watch_seen *s = ctx;

	atomic_fetch_add(&s->calls, 1);
	atomic_store(&s->version, version);
}

static void test_watch__fires_once_an_arming(void **state)
{
	struct watch_seen seen = { 0 };
	struct watch_list l;
	struct silt_watch w;

	(void)state;
	memset(&l, 0, sizeof(l));
	assert_int_equal(watch_list_init(&l), 0);
	watch_init(&w, &l, watch_note, &seen);
	watch_list_advance(&l, 5);                /* not armed */
	assert_int_equal(seen.calls, 0);
	watch_arm(&w, 5);
	watch_list_advance(&l, 5);
	assert_int_equal(seen.calls, 0);
	assert_int_equal(l.lowest, 5);
	watch_list_advance(&l, 6);
	assert_true(seen.calls == 1 && seen.version == 6);
	watch_list_advance(&l, 7);
	assert_int_equal(seen.calls, 1);
	assert_int_equal(l.lowest, UINT64_MAX);
	watch_arm(&w, 6);                         /* it is there already */
	assert_true(seen.calls == 2 && seen.version == 7);
	watch_arm(&w, 100);
	watch_arm(&w, 50);                        /* replaces */
	watch_list_advance(&l, 60);
	assert_int_equal(seen.calls, 3);
	watch_arm(&w, UINT64_MAX);                /* never */
	watch_list_advance(&l, SILT_VERSION_MAX);
	assert_int_equal(seen.calls, 3);
	watch_fini(&w);
	watch_list_fini(&l);
}

static void test_watch__each_for_itself(void **state)
{
	struct watch_seen seen[3] = { 0 };
	struct watch_list l;
	struct silt_watch w[3];

	(void)state;
	memset(&l, 0, sizeof(l));
	assert_int_equal(watch_list_init(&l), 0);
	for (int i = 0; i < 3; i++) {
		watch_init(&w[i], &l, watch_note, &seen[i]);
		watch_arm(&w[i], 10 * (uint64_t)(i + 1));
	}
	assert_int_equal(l.lowest, 10);
	watch_list_advance(&l, 11);
	assert_true(seen[0].calls == 1 && seen[1].calls == 0 && seen[2].calls == 0);
	assert_int_equal(l.lowest, 20);
	watch_fini(&w[1]);                        /* from the middle */
	assert_int_equal(l.lowest, 30);
	watch_list_advance(&l, 31);
	assert_true(seen[0].calls == 1 && seen[1].calls == 0 && seen[2].calls == 1);
	watch_fini(&w[0]);
	watch_fini(&w[2]);
	assert_null(l.first);
	watch_list_fini(&l);
}

static void test_watch__a_store_tells_of_what_is_synced(void **state)
{
	struct watch_seen seen = { 0 };
	silt_watch *w = NULL;
	uint64_t newest;
	struct dbkit k;

	(void)state;
	dbkit_init(&k);
	k.opts.sync_interval_ms = 60000;
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(silt_watch_new(NULL, watch_note, &seen, &w), SILT_E_MISUSE);
	assert_int_equal(silt_watch_new(k.db, NULL, &seen, &w), SILT_E_MISUSE);
	assert_int_equal(silt_watch_new(k.db, watch_note, &seen, &w), 0);
	silt_changes_reach(k.db, NULL, &newest);
	assert_int_equal(newest, 0);
	silt_watch_arm(w, newest);
	assert_int_equal(dbkit_put_async(&k, "a", "1"), 0);
	assert_int_equal(seen.calls, 0);          /* seen by readers, but a crash could take it back */
	assert_int_equal(silt_changes_wait(k.db, 0, 1), SILT_TRY_AGAIN);
	assert_int_equal(silt_sync(k.db), 0);
	assert_true(seen.calls == 1 && seen.version == 1);
	assert_int_equal(silt_changes_wait(k.db, 0, 0), 0);
	assert_int_equal(silt_changes_wait(NULL, 0, 0), SILT_E_MISUSE);
	silt_watch_arm(w, 1);
	assert_int_equal(dbkit_put(&k, "a", "2"), 0);
	assert_int_equal(seen.calls, 2);
	silt_watch_arm(w, 2);
	assert_int_equal(dbkit_put_async(&k, "a", "3"), 0);
	assert_int_equal(silt_flush(k.db), 0);    /* a seal syncs, too */
	assert_true(seen.calls == 3 && seen.version == 3);
	silt_watch_arm(w, 3);
	simdisk_fail_at(k.disk, SIM_DATASYNC, 1, SILT_E_IO, true);
	assert_int_equal(dbkit_put(&k, "a", "4"), SILT_E_IO);
	assert_int_equal(seen.calls, 3);          /* never published */
	simdisk_fail_at(k.disk, SIM_DATASYNC, 0, 0, false);
	silt_watch_free(w);
	silt_watch_free(NULL);
	dbkit_fini(&k);
}

enum { WAITERS = 8, WRITES = 200 };

/* What a thread has to complain about. */
static void *watch_said(const char *text)
{
	return (void *)(uintptr_t)text;
}

static void *watch_waiter(void *arg)
{
	silt_db *db = arg;

	for (uint64_t v = 0; v < WRITES; ) {
		uint64_t newest;

		if (silt_changes_wait(db, v, 60000) != 0)
			return watch_said("a wait of a minute ended");
		silt_changes_reach(db, NULL, &newest);
		if (newest <= v)
			return watch_said("woken for nothing");
		v = newest;
	}
	return NULL;
}

/* Nobody sleeps through the last write. */
static void test_watch__threads_wait_beside_a_writer(void **state)
{
	pthread_t t[WAITERS];
	struct dbkit k;
	void *said;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	for (int i = 0; i < WAITERS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, watch_waiter, k.db), 0);
	for (int i = 0; i < WRITES; i++)
		assert_int_equal(dbkit_put(&k, "key", "value"), 0);
	for (int i = 0; i < WAITERS; i++) {
		assert_int_equal(pthread_join(t[i], &said), 0);
		if (said)
			fail_msg("%s", (const char *)said);
	}
	dbkit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_watch__fires_once_an_arming),
		cmocka_unit_test(test_watch__each_for_itself),
		cmocka_unit_test(test_watch__a_store_tells_of_what_is_synced),
		cmocka_unit_test(test_watch__threads_wait_beside_a_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
