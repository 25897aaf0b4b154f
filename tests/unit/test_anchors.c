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
 *   level 0 in the wrong order after an ingest beside a memtable            below; tests/unit/test_ingest
 *   a damaged block of range deletes brought deleted keys back              below; tests/unit/test_table_ranges
 *   tables dropped under a range delete left a broken tree                  below; tests/model/twin
 *   an iterator that turns at a key that is the beginning of another        below; test_scan__it_turns_anywhere
 *   a moved table and a compaction by hand: overlapping tables              below
 *   a sync left out, or its failure not looked at                           below; test_commit__a_failed_sync_stops_writes_not_reads
 *   a checkpoint without what was written just before it                    below; tests/unit/test_checkpoint
 *   a read-only close deleted the files of the one who writes               below
 *   reads that gave memory that was freed                                   tests/unit/test_pinned (nothing is mapped)
 *   acknowledged writes gone after a kill and an opening                    below; tests/http/kill9.sh
 *   lost updates of writers side by side                                    test_commit__counters_are_exact_under_contention
 *   stale reads by snapshots                                                below
 *   entries dropped where a compaction could not add them                   below; tests/oom/nth_failure
 *   a table that can't be read skipped at the opening, or by a merge        test_open, test_compactor, test_scan
 *   a log with a hole replayed behind it                                    tests/unit/test_judge
 */
#include "lib/test.h"

#include <pthread.h>
#include <stdatomic.h>

#include "db/db.h"
#include "lib/dbkit.h"

static void anchors_key(char out[16], int i)
{
	snprintf(out, 16, "key/%05d", i);
}

static void anchors_put(struct dbkit *k, int i, const char *value)
{
	char key[16];

	anchors_key(key, i);
	assert_int_equal(dbkit_put(k, key, value), 0);
}

static void anchors_is(struct dbkit *k, int i, const char *value)
{
	const char *is;
	char key[16];

	anchors_key(key, i);
	is = dbkit_get(k, key);
	if (!is != !value || (is && strcmp(is, value) != 0))
		fail_msg("%s is %s and not %s", key, is ? is : "absent", value ? value : "absent");
}

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

struct anchors_crew {
	struct dbkit *k;
	_Atomic int acked[3];             /* by writer: so many of its puts are durable */
	_Atomic bool done;
};
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
		cmocka_unit_test(test_anchors__a_damaged_range_delete_brings_nothing_back),
		cmocka_unit_test(test_anchors__tables_below_a_range_delete_leave_a_sound_tree),
		cmocka_unit_test(test_anchors__an_ingest_stands_between_what_came_before_and_after),
		cmocka_unit_test(test_anchors__an_iterator_turns_at_keys_that_begin_others),
		cmocka_unit_test(test_anchors__compactions_by_hand_beside_the_stores_own_overlap_nothing),
		cmocka_unit_test(test_anchors__a_compaction_that_fails_drops_nothing),
		cmocka_unit_test(test_anchors__snapshots_are_never_stale_nor_halves),
		cmocka_unit_test(test_anchors__a_checkpoint_holds_all_that_came_before_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
