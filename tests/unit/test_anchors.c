/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_anchors.c - the bugs that well-known stores had, as tests that would fail if this one had them.
 *
 * From the release notes of RocksDB and of TidesDB. Where another test has the case already, it stands here with its name:
 *
 *   the manifest damaged in its midst when its write met a full disk        below; test_gc__a_full_disk_while_the_manifest_rolls
 *   the directory of the pointer to the manifest was not synced             below; tests/crash/every_sync
 *   a hole in the log: a newer segment synced before an older one           below
 *   the log damaged by flushes and syncs beside the writers                 below
 *   valid logs deleted by a recovery, and a second crash during one         below; tests/crash/every_sync, tests/model/twin
 *   level 0 in the wrong order after an ingest beside a memtable            test_anchors_reads; tests/unit/test_ingest
 *   a damaged block of range deletes brought deleted keys back              test_anchors_reads; tests/unit/test_table_ranges
 *   tables dropped under a range delete left a broken tree                  test_anchors_reads; tests/model/twin
 *   an iterator that turns at a key that is the beginning of another        test_anchors_reads; test_scan__it_turns_anywhere
 *   a moved table and a compaction by hand: overlapping tables              test_anchors_reads
 *   a sync left out, or its failure not looked at                           below; test_commit__a_failed_sync_stops_writes_not_reads
 *   a checkpoint without what was written just before it                    below; tests/unit/test_checkpoint
 *   a read-only close deleted the files of the one who writes               below
 *   reads that gave memory that was freed                                   tests/unit/test_pinned (nothing is mapped)
 *   acknowledged writes gone after a kill and an opening                    below; tests/http/kill9.sh
 *   lost updates of writers side by side                                    test_commit__counters_are_exact_under_contention
 *   stale reads by snapshots                                                test_anchors_reads
 *   entries dropped where a compaction could not add them                   test_anchors_reads; tests/oom/nth_failure
 *   a table that can't be read skipped at the opening, or by a merge        test_open, test_compactor, test_scan
 *   a log with a hole replayed behind it                                    tests/unit/test_judge
 */
#include "lib/anchors.h"

#include <pthread.h>

/* ---- logs ---------------------------------------------------------------------------------------------------------------- */

/* A write is durable only with all before it, also where those are in older segments and were never synced by anybody. */
static void test_anchors__a_durable_write_makes_durable_what_stands_in_older_segments(void **state)
{
	enum { N = 60 };
	static char big[4000];
	struct dbkit k;
	char key[16];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	for (int round = 0; round < 4; round++) {
		dbkit_init(&k);
		assert_int_equal(dbkit_open(&k), 0);
		for (int i = 0; i < N; i++) {             /* some memtables full: as many segments */
			anchors_key(key, i);
			assert_int_equal(dbkit_put_async(&k, key, big), 0);
			if (round % 2 && i % 20 == 7)
				assert_int_equal(silt_flush(k.db), 0);
		}
		assert_int_equal(dbkit_put(&k, "durable", "yes"), 0);
		dbkit_crash(&k, round < 2 ? SIM_LOSE_ALL : SIM_MIXED, 1 + (uint64_t)round);
		assert_int_equal(dbkit_open(&k), 0);
		assert_string_equal(dbkit_get(&k, "durable"), "yes");
		for (int i = 0; i < N; i++)
			anchors_is(&k, i, big);
		dbkit_fini(&k);
	}
}

struct anchors_one {
	struct anchors_crew *crew;
	int number;
};

static void *anchors_write(void *arg)
{
	struct anchors_one *one = arg;
	char key[32];

	for (int i = 0; i < 150; i++) {
		snprintf(key, sizeof(key), "%d/%d", one->number, i);
		if (silt_put(one->crew->k->db, STR(key), STR("a value of some length, so that memtables fill up now and then"), NULL) != 0)
			return arg;
		atomic_store(&one->crew->acked[one->number], i + 1);
	}
	return NULL;
}

static void *anchors_disturb(void *arg)
{
	struct anchors_crew *crew = arg;

	while (!atomic_load(&crew->done))
		if (silt_sync(crew->k->db) != 0 || silt_flush(crew->k->db) != 0)
			return arg;
	return NULL;
}

static void test_anchors__flushes_and_syncs_beside_writers_harm_no_log(void **state)
{
	struct anchors_one ones[3];
	struct anchors_crew crew = { 0 };
	pthread_t writers[3], other;
	struct simdisk *later;
	struct dbkit k;
	char key[32];
	void *bad;

	(void)state;
	dbkit_init(&k);
	crew.k = &k;
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(pthread_create(&other, NULL, anchors_disturb, &crew), 0);
	for (int i = 0; i < 3; i++) {
		ones[i] = (struct anchors_one){ &crew, i };
		assert_int_equal(pthread_create(&writers[i], NULL, anchors_write, &ones[i]), 0);
	}
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pthread_join(writers[i], &bad), 0);
		assert_null(bad);
	}
	later = simdisk_crash_copy(k.disk, SIM_LOSE_ALL, 1);      /* the flushes still go on */
	atomic_store(&crew.done, true);
	assert_int_equal(pthread_join(other, &bad), 0);
	assert_null(bad);
	dbkit_fini(&k);
	dbkit_init_on(&k, later);
	assert_int_equal(dbkit_open(&k), 0);
	for (int w = 0; w < 3; w++)
		for (int i = 0; i < atomic_load(&crew.acked[w]); i++) {
			snprintf(key, sizeof(key), "%d/%d", w, i);
			assert_non_null(dbkit_get(&k, key));
		}
	assert_int_equal(silt_verify(k.db, NULL, NULL), 0);
	dbkit_fini(&k);
}

/* ---- opening ------------------------------------------------------------------------------------------------------------- */

static struct {
	struct dbkit *k;
	uint64_t left, seed;
	struct simdisk *copy;
} anchors_cut;

static void anchors_at_sync(void *ctx, enum simdisk_call kind, const char *path, bool before)
{
	(void)ctx;
	(void)kind;
	(void)path;
	(void)before;
	if (anchors_cut.left && --anchors_cut.left == 0)
		anchors_cut.copy = simdisk_crash_copy(anchors_cut.k->disk, anchors_cut.seed % 3 ? SIM_MIXED : SIM_LOSE_ALL, anchors_cut.seed);
}

/* Opens what is on `disk` (taken); the disk as a power cut at the nth sync of the opening leaves it, or NULL: there were not so many. */
static struct simdisk *anchors_open_and_cut(struct simdisk *disk, uint64_t n, uint64_t seed)
{
	struct dbkit k;

	dbkit_init_on(&k, disk);
	anchors_cut.k = &k;
	anchors_cut.left = n;
	anchors_cut.seed = seed;
	anchors_cut.copy = NULL;
	simdisk_on_sync(k.disk, anchors_at_sync, NULL);
	assert_int_equal(dbkit_open(&k), 0);
	simdisk_on_sync(k.disk, NULL, NULL);
	dbkit_fini(&k);
	return anchors_cut.copy;
}

/* Three lives that ended in a crash: a table, and logs behind it. */
static struct simdisk *anchors_ruin(void)
{
	struct simdisk *copy;
	struct dbkit k;

	dbkit_init(&k);
	for (int life = 0; life < 3; life++) {
		assert_int_equal(dbkit_open(&k), 0);
		anchors_put(&k, life, "durable");
		if (life == 1)
			assert_int_equal(silt_flush(k.db), 0);
		anchors_put(&k, 10 + life, "durable too");
		dbkit_crash(&k, SIM_LOSE_ALL, 1);
	}
	copy = simdisk_crash_copy(k.disk, SIM_KEEP_ALL, 1);
	dbkit_fini(&k);
	return copy;
}

/* A crash in the recovery of a crash, at each two of its syncs: it opens again, and nothing that was acknowledged is gone. */
static void test_anchors__a_second_crash_during_recovery_loses_nothing(void **state)
{
	struct simdisk *ruin = anchors_ruin(), *once, *twice;
	uint64_t openings = 0;
	struct dbkit k;

	(void)state;
	for (uint64_t n = 1; (once = anchors_open_and_cut(simdisk_crash_copy(ruin, SIM_KEEP_ALL, n), n, n)); n += test_stride(7)) {
		for (uint64_t m = 1; (twice = anchors_open_and_cut(simdisk_crash_copy(once, SIM_KEEP_ALL, m), m, n + m)); m += 1 + n % 3 + test_stride(7)) {
			dbkit_init_on(&k, twice);
			assert_int_equal(dbkit_open(&k), 0);
			for (int life = 0; life < 3; life++) {
				anchors_is(&k, life, "durable");
				anchors_is(&k, 10 + life, "durable too");
			}
			dbkit_fini(&k);
			openings++;
		}
		simdisk_free(once);
	}
	assert_true(openings > 4);
	simdisk_free(ruin);
}

/* Opened and opened again after a kill: the first opening needs the log, and must not take it from the second. */
static void test_anchors__kill_after_kill_keeps_what_was_acknowledged(void **state)
{
	struct dbkit k;

	(void)state;
	dbkit_init(&k);
	for (int life = 0; life < 8; life++) {
		assert_int_equal(dbkit_open(&k), 0);
		for (int i = 0; i < life; i++)
			anchors_is(&k, i, "value");
		anchors_put(&k, life, "value");
		dbkit_kill(&k);
	}
	simdisk_crash(k.disk, SIM_LOSE_ALL, 1);                   /* nor did it stand in the page cache alone */
	assert_int_equal(dbkit_open(&k), 0);
	for (int i = 0; i < 8; i++)
		anchors_is(&k, i, "value");
	dbkit_fini(&k);
}

/* Who only reads and who writes keep each other out; and when the reader closes no file of the store has changed or gone. */
static void test_anchors__a_reader_that_closes_deletes_nothing(void **state)
{
	struct silt_buf before = { 0 }, after = { 0 };
	struct silt_options reads;
	struct dbkit k;
	silt_db *reader;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	for (int i = 0; i < 6; i++) {
		anchors_put(&k, i, "value");
		if (i % 2)
			assert_int_equal(silt_flush(k.db), 0);
	}
	anchors_put(&k, 6, "in the log");
	reads = k.opts;
	reads.read_only = true;
	assert_int_equal(silt_open("db", &reads, &reader), SILT_E_BUSY);
	dbkit_kill(&k);                                           /* obsolete files, a log without its end, a segment made ahead */
	dbkit_image(&k, &before);
	assert_int_equal(silt_open("db", &reads, &reader), 0);
	assert_int_equal(dbkit_open(&k), SILT_E_BUSY);
	assert_int_equal(silt_close(reader), 0);
	dbkit_image(&k, &after);
	assert_string_equal((char *)before.data, (char *)after.data);
	assert_int_equal(dbkit_open(&k), 0);
	for (int i = 0; i < 7; i++)
		anchors_is(&k, i, i < 6 ? "value" : "in the log");
	silt_buf_free(&before);
	silt_buf_free(&after);
	dbkit_fini(&k);
}

/* ---- syncs --------------------------------------------------------------------------------------------------------------- */

/* Each acknowledged write had a sync of its own or of its group, whatever was done with the store before. */
static void test_anchors__no_acknowledgement_without_a_sync(void **state)
{
	struct simdisk *after;
	struct dbkit k, then;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	for (int i = 0; i < 10; i++) {
		uint64_t syncs;

		switch (i) {
		case 1: assert_int_equal(silt_flush(k.db), 0); break;
		case 2: assert_int_equal(silt_checkpoint(k.db, "one", NULL), 0); break;
		case 3: assert_int_equal(silt_checkpoint_remove(k.db, "one"), 0); break;
		case 4: assert_int_equal(silt_compact(k.db), 0); break;
		case 5: assert_int_equal(dbkit_put_async(&k, "async", "v"), 0); break;
		case 6: assert_int_equal(silt_delete_range(k.db, STR("x"), STR("y"), NULL), 0); break;
		case 7: assert_int_equal(dbkit_close(&k), 0); assert_int_equal(dbkit_open(&k), 0); break;
		case 8: dbkit_kill(&k); assert_int_equal(dbkit_open(&k), 0); break;
		default: break;
		}
		dbkit_settle(&k);
		syncs = simdisk_calls(k.disk, SIM_DATASYNC);
		anchors_put(&k, i, "acknowledged");
		assert_true(simdisk_calls(k.disk, SIM_DATASYNC) > syncs);
		after = simdisk_crash_copy(k.disk, SIM_LOSE_ALL, 1);
		dbkit_init_on(&then, after);
		assert_int_equal(dbkit_open(&then), 0);
		for (int j = 0; j <= i; j++)
			anchors_is(&then, j, "acknowledged");
		dbkit_fini(&then);
	}
	dbkit_fini(&k);
}

static struct {
	struct dbkit *k;
	const char *what;
	enum simdisk_call kind;
	bool sprung;
} anchors_trap;

static void anchors_spring(void *ctx, enum simdisk_call kind, const char *path, bool before)
{
	(void)ctx;
	if (before && !anchors_trap.sprung && kind == anchors_trap.kind && strstr(path, anchors_trap.what)) {
		anchors_trap.sprung = true;
		simdisk_fail_at(anchors_trap.k->disk, kind, 1, SILT_E_IO, true);        /* another thread may come first */
	}
}

/* A table whose sync, name or directory failed is not one: the flush says so, and the log stays. */
static void test_anchors__a_flush_looks_at_what_its_syncs_say(void **state)
{
	static const enum simdisk_call kinds[] = { SIM_DATASYNC, SIM_RENAME, SIM_DIRSYNC };
	struct silt_stats s;
	struct dbkit k;

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		dbkit_init(&k);
		assert_int_equal(dbkit_open(&k), 0);
		anchors_put(&k, 1, "in the log");
		dbkit_settle(&k);
		anchors_trap.k = &k;
		anchors_trap.what = kinds[i] == SIM_DIRSYNC ? "db" : ".sst";
		anchors_trap.kind = kinds[i];
		anchors_trap.sprung = false;
		simdisk_on_sync(k.disk, anchors_spring, NULL);
		assert_int_equal(silt_flush(k.db), SILT_E_IO);
		simdisk_on_sync(k.disk, NULL, NULL);
		assert_true(anchors_trap.sprung);
		silt_stats(k.db, &s);
		assert_int_equal(s.tables[0], 0);
		anchors_is(&k, 1, "in the log");
		dbkit_crash(&k, SIM_LOSE_ALL, 1);
		assert_int_equal(dbkit_open(&k), 0);
		anchors_is(&k, 1, "in the log");
		dbkit_fini(&k);
	}
}

/* ---- the manifest -------------------------------------------------------------------------------------------------------- */

/* The disk is full at one edit or another, and has room again: that is no fault, and the manifest is whole at each opening. */
static void test_anchors__a_disk_that_is_full_now_and_then_harms_no_manifest(void **state)
{
	int said[20] = { 0 }, refused = 0, flushed = 0;
	struct silt_stats s;
	struct dbkit k;
	char key[16], value[16];

	(void)state;
	dbkit_init(&k);
	k.opts.compaction_trigger = 2;
	assert_int_equal(dbkit_open(&k), 0);
	for (int i = 0; i < 80; i++) {
		int rc;

		simdisk_set_free(k.disk, i % 5 == 3 ? (uint64_t)(i % 7) << 9 : UINT64_C(1) << 40);
		anchors_key(key, i % 20);
		snprintf(value, sizeof(value), "%d", i + 1);
		rc = dbkit_put(&k, key, value);
		if (rc == 0)
			said[i % 20] = i + 1;
		else
			assert_int_equal(rc, SILT_E_NOSPACE);
		rc = silt_flush(k.db);
		assert_true(rc == 0 || rc == SILT_E_NOSPACE);
		refused += rc != 0;
		flushed += rc == 0;
		silt_stats(k.db, &s);
		assert_int_equal(s.fault, 0);
		if (i % 20 == 19) {
			dbkit_crash(&k, i % 40 == 19 ? SIM_LOSE_ALL : SIM_MIXED, 1 + (uint64_t)i);
			simdisk_set_free(k.disk, UINT64_C(1) << 40);
			assert_int_equal(dbkit_open(&k), 0);
		}
	}
	assert_true(refused > 0 && flushed > 0);
	for (int i = 0; i < 20; i++) {
		snprintf(value, sizeof(value), "%d", said[i]);
		anchors_is(&k, i, said[i] ? value : NULL);
	}
	assert_int_equal(silt_verify(k.db, NULL, NULL), 0);
	dbkit_fini(&k);
}

/* ---- checkpoints --------------------------------------------------------------------------------------------------------- */

/* What was acknowledged before a checkpoint was asked for is in it, synced or not until then, and stays through a power cut. */
static void test_anchors__a_checkpoint_holds_all_that_came_before_it(void **state)
{
	struct dbkit k;
	char key[16];

	(void)state;
	for (int how = 0; how < 4; how++) {
		dbkit_init(&k);
		assert_int_equal(dbkit_open(&k), 0);
		for (int i = 0; i < 30; i++) {
			anchors_key(key, i);
			assert_int_equal(i % 3 ? dbkit_put_async(&k, key, "v") : dbkit_put(&k, key, "v"), 0);
			if (how & 1 && i % 10 == 5)
				assert_int_equal(silt_flush(k.db), 0);
		}
		assert_int_equal(silt_checkpoint_to(k.db, "aside", how & 2 ? SILT_CHECKPOINT_COPY : 0, NULL), 0);
		anchors_put(&k, 99, "later");
		dbkit_crash(&k, SIM_LOSE_ALL, 1);
		assert_int_equal(silt_open("aside", &k.opts, &k.db), 0);
		for (int i = 0; i < 30; i++)
			anchors_is(&k, i, "v");
		anchors_is(&k, 99, NULL);
		dbkit_fini(&k);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_anchors__a_durable_write_makes_durable_what_stands_in_older_segments),
		cmocka_unit_test(test_anchors__flushes_and_syncs_beside_writers_harm_no_log),
		cmocka_unit_test(test_anchors__a_second_crash_during_recovery_loses_nothing),
		cmocka_unit_test(test_anchors__kill_after_kill_keeps_what_was_acknowledged),
		cmocka_unit_test(test_anchors__a_reader_that_closes_deletes_nothing),
		cmocka_unit_test(test_anchors__no_acknowledgement_without_a_sync),
		cmocka_unit_test(test_anchors__a_flush_looks_at_what_its_syncs_say),
		cmocka_unit_test(test_anchors__a_disk_that_is_full_now_and_then_harms_no_manifest),
		cmocka_unit_test(test_anchors__a_checkpoint_holds_all_that_came_before_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
