/* SPDX-License-Identifier: Apache-2.0 */
/* test_gc.c - what is deleted while the store is open, and when it must not be (db/gc.h; the sweep at open: test_recovery.c). */
#include "lib/test.h"

#include <time.h>

#include "db/db.h"
#include "lib/dbkit.h"

static void gc_pause(void)
{
	struct timespec t = { 0, 10 * 1000000 };

	nanosleep(&t, NULL);
}

/* Waits for the flush thread's broom. */
static void gc_wait_tables(struct dbkit *k, size_t n)
{
	for (int i = 0; i < 6000 && dbkit_files(k, "db", ".sst") != n; i++)
		gc_pause();
	assert_int_equal(dbkit_files(k, "db", ".sst"), n);
}

/* Two tables in level 0, one of which hides what is in the other. */
static void gc_begin(struct dbkit *k)
{
	dbkit_init(k);
	assert_int_equal(dbkit_open(k), 0);
	assert_int_equal(dbkit_put(k, "a", "old"), 0);
	assert_int_equal(dbkit_put(k, "b", "old"), 0);
	assert_int_equal(silt_flush(k->db), 0);
	assert_int_equal(dbkit_put(k, "a", "new"), 0);
	assert_int_equal(silt_flush(k->db), 0);
	assert_int_equal(dbkit_files(k, "db", ".sst"), 2);
}

static void gc_is_whole(struct dbkit *k)
{
	assert_string_equal(dbkit_get(k, "a"), "new");
	assert_string_equal(dbkit_get(k, "b"), "old");
}

static void test_gc__inputs_of_a_compaction_go(void **state)
{
	struct dbkit k;

	(void)state;
	gc_begin(&k);
	assert_int_equal(silt_compact(k.db), 0);
	gc_wait_tables(&k, 1);
	gc_is_whole(&k);
	dbkit_crash(&k, SIM_LOSE_ALL, 1);
	assert_int_equal(dbkit_open(&k), 0);
	gc_is_whole(&k);
	dbkit_fini(&k);
}

/* Rule 2. */
static void test_gc__a_table_stays_while_an_iterator_holds_it(void **state)
{
	struct dbkit k;
	silt_iter *it;

	(void)state;
	gc_begin(&k);
	assert_int_equal(silt_iter_new(k.db, NULL, &it), 0);
	assert_int_equal(silt_iter_first(it), 0);
	assert_int_equal(silt_compact(k.db), 0);
	for (int i = 0; i < 5; i++) {             /* give the broom every chance */
		assert_int_equal(silt_flush(k.db), 0);
		gc_pause();
	}
	assert_int_equal(dbkit_files(&k, "db", ".sst"), 3);
	assert_memory_equal(silt_iter_value(it).data, "new", 3);
	silt_iter_close(it);
	gc_wait_tables(&k, 1);
	gc_is_whole(&k);
	dbkit_fini(&k);
}

/* An iterator that moves takes the newer view: it holds no old files for long. */
static void test_gc__an_iterator_that_moves_lets_go(void **state)
{
	struct dbkit k;
	silt_iter *it;

	(void)state;
	gc_begin(&k);
	assert_int_equal(silt_iter_new(k.db, NULL, &it), 0);
	assert_int_equal(silt_iter_first(it), 0);
	assert_int_equal(silt_compact(k.db), 0);
	assert_int_equal(silt_iter_next(it), 0);
	gc_wait_tables(&k, 1);
	assert_memory_equal(silt_iter_key(it).data, "b", 1);
	silt_iter_close(it);
	dbkit_fini(&k);
}

/* Rule 1: what was to go when the fault came stays, also at close; the next opening sweeps it. */
static void test_gc__nothing_is_deleted_after_a_fault(void **state)
{
	struct dbkit k;
	silt_iter *it;

	(void)state;
	gc_begin(&k);
	assert_int_equal(silt_iter_new(k.db, NULL, &it), 0);
	assert_int_equal(silt_compact(k.db), 0);
	assert_int_equal(dbkit_files(&k, "db", ".sst"), 3);
	simdisk_fail_at(k.disk, SIM_WRITE, 1, SILT_E_IO, true);
	assert_int_equal(dbkit_put(&k, "c", "never"), SILT_E_IO);
	simdisk_fail_at(k.disk, SIM_WRITE, 0, 0, false);
	silt_iter_close(it);                      /* now nobody holds them */
	for (int i = 0; i < 20; i++)
		gc_pause();
	assert_int_equal(dbkit_files(&k, "db", ".sst"), 3);
	gc_is_whole(&k);
	assert_int_equal(dbkit_close(&k), SILT_E_FAULT);
	assert_int_equal(dbkit_files(&k, "db", ".sst"), 3);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_files(&k, "db", ".sst"), 1);
	gc_is_whole(&k);
	dbkit_fini(&k);
}

/* ---- the manifest in doubt -------------------------------------------------------------------------------------------------- */

static struct {
	struct dbkit *k;
	bool armed;
} gc_trap;

/* The next sync of the manifest fails, after its write: the edit may be on the disk or not. (A handle keeps the name it was opened by,
 * and the manifest's was MANIFEST.tmp.) */
static void gc_spring(void *ctx, enum simdisk_call kind, const char *path, bool before)
{
	(void)ctx;
	if (gc_trap.armed && before && kind == SIM_DATASYNC && strstr(path, "MANIFEST")) {
		gc_trap.armed = false;
		simdisk_fail_at(gc_trap.k->disk, SIM_DATASYNC, 1, SILT_E_IO, true);  /* another thread may come first */
	}
}

/* A flush or a compaction whose edit is in doubt: neither its outputs nor its inputs nor the log may go, whatever the crash keeps. */
static void gc_manifest_fault(bool compact, enum simdisk_policy policy, uint64_t seed)
{
	size_t wals, tables;
	struct dbkit k;

	gc_begin(&k);
	assert_int_equal(dbkit_put(&k, "c", "in the log"), 0);
	if (compact)
		assert_int_equal(silt_flush(k.db), 0);
	wals = dbkit_files(&k, "db", ".wal");
	tables = dbkit_files(&k, "db", ".sst");
	gc_trap.k = &k;
	gc_trap.armed = true;
	simdisk_on_sync(k.disk, gc_spring, NULL);
	assert_true((compact ? silt_compact(k.db) : silt_flush(k.db)) < 0);
	simdisk_on_sync(k.disk, NULL, NULL);
	simdisk_fail_at(k.disk, SIM_DATASYNC, 0, 0, false);
	assert_false(gc_trap.armed);
	assert_true(dbkit_files(&k, "db", ".sst") > tables);              /* the output too */
	assert_true(dbkit_files(&k, "db", ".wal") + 1 >= wals);           /* one that was free before may have been made the next */
	gc_is_whole(&k);
	assert_string_equal(dbkit_get(&k, "c"), "in the log");
	assert_int_equal(dbkit_put(&k, "d", "refused"), SILT_E_FAULT);
	tables = dbkit_files(&k, "db", ".sst");
	assert_int_equal(dbkit_close(&k), SILT_E_FAULT);
	assert_int_equal(dbkit_files(&k, "db", ".sst"), tables);
	if (seed)
		simdisk_crash(k.disk, policy, seed);
	assert_int_equal(dbkit_open(&k), 0);
	gc_is_whole(&k);
	assert_string_equal(dbkit_get(&k, "c"), "in the log");
	assert_null(dbkit_get(&k, "d"));
	dbkit_fini(&k);
}

static void test_gc__an_edit_in_doubt_deletes_nothing(void **state)
{
	(void)state;
	for (int compact = 0; compact < 2; compact++) {
		gc_manifest_fault(compact, SIM_KEEP_ALL, 0);              /* the process goes on */
		gc_manifest_fault(compact, SIM_KEEP_ALL, 1);
		gc_manifest_fault(compact, SIM_LOSE_ALL, 1);
		for (uint64_t seed = 1; seed < 6; seed++)
			gc_manifest_fault(compact, SIM_MIXED, seed);
	}
}

static void gc_put_long(struct dbkit *k, char first, const char *value)
{
	char key[SILT_KEY_MAX];

	memset(key, first, sizeof(key));
	assert_int_equal(silt_put(k->db, (struct silt_slice){ key, sizeof(key) }, STR(value), NULL), 0);
}

/* A manifest that can't be rolled for want of room is a state: the edit is not there, so what it would have freed must stay. */
static void test_gc__a_full_disk_while_the_manifest_rolls(void **state)
{
	struct dbkit k;
	char value[16];
	int rc = 0, n = 0;

	(void)state;
	dbkit_init(&k);
	k.opts.compaction_trigger = 64;
	assert_int_equal(dbkit_open(&k), 0);
	while (n < 60 && rc == 0) {                       /* each edit says the table's first and last key */
		snprintf(value, sizeof(value), "%d", ++n);
		gc_put_long(&k, 'a', value);
		assert_int_equal(dbkit_put(&k, "k", value), 0);
		gc_put_long(&k, 'z', value);
		simdisk_set_free(k.disk, 600 << 10);      /* for a segment and a table, but not for a manifest with all of them */
		rc = silt_flush(k.db);
	}
	assert_int_equal(rc, SILT_E_NOSPACE);
	assert_true(dbkit_logged(&k, "MANIFEST"));
	for (int i = 0; i < 2; i++) {                     /* what was free would be recycled by now */
		assert_int_equal(dbkit_put(&k, "later", "v"), 0);
		assert_int_equal(silt_flush(k.db), SILT_E_NOSPACE);
	}
	assert_string_equal(dbkit_get(&k, "k"), value);
	dbkit_crash(&k, SIM_LOSE_ALL, 1);
	simdisk_set_free(k.disk, UINT64_C(1) << 30);
	assert_int_equal(dbkit_open(&k), 0);
	assert_string_equal(dbkit_get(&k, "k"), value);
	assert_string_equal(dbkit_get(&k, "later"), "v");
	assert_int_equal(silt_flush(k.db), 0);
	dbkit_fini(&k);
}

/* ---- segments, and what can't be removed ------------------------------------------------------------------------------------ */

static void test_gc__flushed_segments_go(void **state)
{
	struct dbkit k;
	int i;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	for (i = 0; i < 20; i++) {
		char key[16];

		snprintf(key, sizeof(key), "%d", i);
		assert_int_equal(dbkit_put(&k, key, "v"), 0);
		assert_int_equal(silt_flush(k.db), 0);
	}
	for (i = 0; i < 6000 && dbkit_files(&k, "db", ".wal") > 3; i++)
		gc_pause();
	assert_true(dbkit_files(&k, "db", ".wal") <= 3);          /* the active, the next, one to recycle */
	dbkit_crash(&k, SIM_LOSE_ALL, 1);
	assert_int_equal(dbkit_open(&k), 0);
	for (i = 0; i < 20; i++) {
		char key[16];

		snprintf(key, sizeof(key), "%d", i);
		assert_string_equal(dbkit_get(&k, key), "v");
	}
	dbkit_fini(&k);
}

/* Whatever stands in the way of removing them, the store goes on, says so, and the next opening sweeps. */
static void test_gc__what_cannot_be_removed_is_said_and_swept_later(void **state)
{
	struct dbkit k;

	(void)state;
	gc_begin(&k);
	simdisk_fail_at(k.disk, SIM_UNLINK, 1, SILT_E_IO, true);
	assert_int_equal(silt_compact(k.db), 0);
	for (int i = 0; i < 6000 && !dbkit_logged(&k, ".sst: can't be removed"); i++)
		gc_pause();
	assert_true(dbkit_logged(&k, ".sst: can't be removed"));
	assert_int_equal(dbkit_files(&k, "db", ".sst"), 3);
	assert_int_equal(dbkit_put(&k, "c", "goes on"), 0);
	simdisk_fail_at(k.disk, SIM_UNLINK, 0, 0, false);
	assert_int_equal(dbkit_close(&k), 0);
	assert_int_equal(dbkit_open(&k), 0);
	gc_is_whole(&k);
	assert_false(dbkit_exists(&k, "db/000001.sst"));
	assert_false(dbkit_exists(&k, "db/000002.sst"));
	dbkit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gc__inputs_of_a_compaction_go),
		cmocka_unit_test(test_gc__a_table_stays_while_an_iterator_holds_it),
		cmocka_unit_test(test_gc__an_iterator_that_moves_lets_go),
		cmocka_unit_test(test_gc__nothing_is_deleted_after_a_fault),
		cmocka_unit_test(test_gc__an_edit_in_doubt_deletes_nothing),
		cmocka_unit_test(test_gc__a_full_disk_while_the_manifest_rolls),
		cmocka_unit_test(test_gc__flushed_segments_go),
		cmocka_unit_test(test_gc__what_cannot_be_removed_is_said_and_swept_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
