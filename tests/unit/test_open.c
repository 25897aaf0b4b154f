/* SPDX-License-Identifier: Apache-2.0 */
/* test_open.c - who may open a store, what an opening leaves behind that was refused, cut short, or failed at any call. */
#include "lib/test.h"

#include <inttypes.h>

#include "lib/dbkit.h"
#include "lib/simcuts.h"
#include "os/os.h"

static void open_is(struct dbkit *k, const char *key, const char *value)
{
	const char *got = dbkit_get(k, key);

	if (!value) {
		assert_null(got);
		return;
	}
	if (!got)
		fail_msg("%s is not there", key);
	assert_string_equal(got, value);
}

/* The image of before is the image of now. */
static void open_unchanged(struct dbkit *k, struct silt_buf *before)
{
	struct silt_buf now = { 0 };

	dbkit_image(k, &now);
	assert_string_equal(before->data, now.data);
	silt_buf_free(&now);
}

/* A table, a log with a torn end that a kill left in the page cache, an orphan, a leftover, and a manifest with a torn tail. */
static void open_crashed_store(struct dbkit *k)
{
	struct silt_buf bytes = { 0 };
	size_t end;

	dbkit_init(k);
	assert_int_equal(dbkit_open(k), 0);
	assert_int_equal(dbkit_put(k, "t", "in a table"), 0);
	assert_int_equal(dbkit_put(k, "gone", "soon deleted"), 0);
	assert_int_equal(silt_flush(k->db), 0);
	assert_int_equal(dbkit_delete(k, "gone"), 0);
	assert_int_equal(dbkit_put(k, "l", "in the log"), 0);
	assert_int_equal(dbkit_put_async(k, "c", "in the page cache"), 0);
	dbkit_kill(k);
	assert_int_equal(simdisk_write_file(k->disk, "db/000099.sst", STR("an orphan")), 0);
	assert_int_equal(simdisk_write_file(k->disk, "db/000098.wal.tmp", STR("a leftover")), 0);
	assert_int_equal(simdisk_read_file(k->disk, "db/MANIFEST", &bytes), 0);
	for (end = bytes.len; end > 0 && ((uint8_t *)bytes.data)[end - 1] == 0; end--)
		;
	((uint8_t *)bytes.data)[end + 64] = 1;
	assert_int_equal(simdisk_write_file(k->disk, "db/MANIFEST", (struct silt_slice){ bytes.data, bytes.len }), 0);
	silt_buf_free(&bytes);
}

static void open_crashed_store_is_whole(struct dbkit *k)
{
	open_is(k, "t", "in a table");
	open_is(k, "gone", NULL);
	open_is(k, "l", "in the log");
}

/* ---- one at a time ---------------------------------------------------------------------------------------------------------- */

static void test_open__a_second_one_is_refused_and_disturbs_nothing(void **state)
{
	struct dbkit k, other;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "a", "1"), 0);
	other = k;
	other.opts.log_ctx = &other;
	for (int read_only = 0; read_only < 2; read_only++) {
		other.db = NULL;
		other.opts.read_only = read_only;
		assert_int_equal(dbkit_open(&other), SILT_E_BUSY);
		assert_null(other.db);
		assert_non_null(strstr(other.last_error, "db: in use"));
	}
	assert_int_equal(dbkit_put(&k, "b", "2"), 0);
	assert_int_equal(silt_flush(k.db), 0);
	assert_int_equal(dbkit_close(&k), 0);
	assert_int_equal(dbkit_open(&k), 0);
	open_is(&k, "a", "1");
	open_is(&k, "b", "2");
	dbkit_fini(&k);
}

static void test_open__a_reader_keeps_writers_out(void **state)
{
	struct dbkit k;
	silt_db *reader;

	(void)state;
	open_crashed_store(&k);
	k.opts.read_only = true;
	assert_int_equal(dbkit_open(&k), 0);
	reader = k.db;
	k.opts.read_only = false;
	assert_int_equal(dbkit_open(&k), SILT_E_BUSY);
	k.db = reader;
	open_crashed_store_is_whole(&k);
	assert_int_equal(dbkit_close(&k), 0);
	assert_int_equal(dbkit_open(&k), 0);
	open_crashed_store_is_whole(&k);
	dbkit_fini(&k);
}

/* ---- to read only -------------------------------------------------------------------------------------------------------------- */

static void open_read_everything(struct dbkit *k)
{
	struct silt_stats s;
	silt_snapshot *snap;
	silt_iter *it;
	silt_batch *b;

	open_crashed_store_is_whole(k);
	open_is(k, "c", "in the page cache");
	assert_int_equal(dbkit_put(k, "a", "1"), SILT_E_FAULT);
	assert_int_equal(dbkit_delete(k, "t"), SILT_E_FAULT);
	assert_int_equal(silt_batch_new(&b), 0);
	assert_int_equal(silt_write(k->db, b, 0, NULL), SILT_E_FAULT);
	silt_batch_free(b);
	assert_int_equal(silt_flush(k->db), SILT_E_MISUSE);
	assert_int_equal(silt_compact(k->db), SILT_E_MISUSE);
	assert_int_equal(silt_sync(k->db), 0);
	assert_int_equal(silt_verify(k->db, NULL, NULL), 0);
	assert_int_equal(silt_snapshot_new(k->db, &snap), 0);
	assert_int_equal(silt_iter_new(k->db, &(struct silt_iter_options){ .snapshot = snap }, &it), 0);
	assert_int_equal(silt_iter_first(it), 0);
	assert_int_equal(silt_iter_next(it), 0);
	assert_int_equal(silt_iter_next(it), 0);
	assert_int_equal(silt_iter_next(it), SILT_END);
	silt_iter_close(it);
	silt_snapshot_free(snap);
	silt_stats(k->db, &s);
	assert_int_equal(s.recovered_entries, 3);
}

static void test_open__read_only_changes_nothing_on_disk(void **state)
{
	static const enum simdisk_call changes[] = {
		SIM_WRITE, SIM_DATASYNC, SIM_RENAME, SIM_LINK, SIM_UNLINK, SIM_MKDIR, SIM_RMDIR, SIM_DIRSYNC,
	};
	struct silt_buf before = { 0 };
	struct dbkit k;

	(void)state;
	open_crashed_store(&k);
	k.opts.read_only = true;
	for (int with_lock = 1; with_lock >= 0; with_lock--) {
		uint64_t calls = 0, now = 0;

		if (!with_lock)
			dbkit_unlink(&k, "db/LOCK");
		dbkit_image(&k, &before);
		for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++)
			calls += simdisk_calls(k.disk, changes[i]);
		assert_int_equal(dbkit_open(&k), 0);
		open_read_everything(&k);
		assert_int_equal(dbkit_close(&k), 0);
		for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++)
			now += simdisk_calls(k.disk, changes[i]);
		assert_int_equal(now, calls);                     /* it did not even try */
		open_unchanged(&k, &before);
	}
	silt_buf_free(&before);
	dbkit_fini(&k);
}

/* A disk that is mounted read-only can't be locked either, and needs no lock. */
static void test_open__read_only_works_where_nothing_can_be_written(void **state)
{
	struct dbkit k;

	(void)state;
	open_crashed_store(&k);
	simdisk_fail_at(k.disk, SIM_LOCK, 1, SILT_E_IO, true);
	assert_int_equal(dbkit_open(&k), SILT_E_IO);
	k.opts.read_only = true;
	assert_int_equal(dbkit_open(&k), 0);
	open_read_everything(&k);
	dbkit_fini(&k);
}

static void test_open__read_only_refuses_damage_too(void **state)
{
	struct dbkit k;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "a", "1"), 0);
	assert_int_equal(dbkit_put(&k, "b", "2"), 0);
	dbkit_crash(&k, SIM_LOSE_ALL, 1);
	assert_int_equal(simdisk_flip(k.disk, "db/000001.wal", 4096 + 32 + 33, 1), 0);
	k.opts.read_only = true;
	assert_int_equal(dbkit_open(&k), SILT_E_CORRUPT);
	assert_non_null(strstr(k.last_error, "db/000001.wal: offset 4128"));
	dbkit_fini(&k);
}

/* ---- where there is no store ----------------------------------------------------------------------------------------------------- */

static void test_open__nothing_is_made_where_nothing_may_be(void **state)
{
	silt_os *os;
	struct dbkit k;

	(void)state;
	dbkit_init(&k);
	os = simdisk_os(k.disk);
	for (int there = 0; there < 2; there++) {
		k.opts.create = false;
		assert_int_equal(dbkit_open(&k), SILT_NOTFOUND);
		k.opts.create = true;
		k.opts.read_only = true;
		assert_int_equal(dbkit_open(&k), SILT_NOTFOUND);
		k.opts.read_only = false;
		assert_int_equal(dbkit_exists(&k, "db"), there);
		assert_false(dbkit_exists(&k, "db/MANIFEST"));
		k.opts.memory = 1;
		assert_int_equal(dbkit_open(&k), SILT_E_MISUSE);
		k.opts.memory = 8 << 20;
		assert_int_equal(dbkit_exists(&k, "db"), there);
		if (!there)
			assert_int_equal(os->mkdir(os, "db"), 0);
	}
	assert_int_equal(silt_open("", &k.opts, &k.db), SILT_E_MISUSE);
	assert_int_equal(silt_open(NULL, &k.opts, &k.db), SILT_E_MISUSE);
	assert_int_equal(silt_open("db", &k.opts, NULL), SILT_E_MISUSE);
	assert_int_equal(simdisk_write_file(k.disk, "file", STR("no directory")), 0);
	assert_int_equal(silt_open("file", &k.opts, &k.db), SILT_E_MISUSE);
	assert_null(k.db);
	dbkit_fini(&k);
}

/* ---- creation, cut short ---------------------------------------------------------------------------------------------------------- */

/* A store that was just opened keeps what it is told, also over the worst crash. */
static void open_lives(struct dbkit *k)
{
	uint64_t first, second;

	assert_int_equal(silt_put(k->db, STR("new"), STR("life"), &first), 0);
	dbkit_crash(k, SIM_LOSE_ALL, 1);
	assert_int_equal(dbkit_open(k), 0);
	open_is(k, "new", "life");
	assert_int_equal(silt_put(k->db, STR("newer"), STR("life"), &second), 0);
	assert_true(second > first);
}

static void test_open__an_interrupted_creation_opens(void **state)
{
	static struct simcuts cuts = { .until = "db/MANIFEST" };       /* what the threads do then is not looked at */
	struct dbkit k;

	(void)state;
	dbkit_init(&k);
	simcuts_begin(&cuts, k.disk);
	assert_int_equal(dbkit_open(&k), 0);
	simcuts_end(&cuts);
	dbkit_fini(&k);
	assert_true(cuts.n >= 40);
	for (size_t i = 0; i < cuts.n; i++) {
		dbkit_init_on(&k, cuts.cuts[i].disk);
		assert_int_equal(dbkit_open(&k), 0);
		open_lives(&k);
		dbkit_fini(&k);
	}
}

/* ---- any call fails ------------------------------------------------------------------------------------------------------------------ */

/*
 * Opens a copy of `base` with the n-th call failing, once or from then on. Then the process tries again, or the machine
 * has died in between: `whole` must hold, and the store go on. Returns whether the opening succeeded in spite of the failure.
 */
static bool open_failing(struct simdisk *base, uint64_t n, bool sticky, int code, bool crash, void (*whole)(struct dbkit *k))
{
	struct dbkit k;
	bool opened;
	int rc;

	dbkit_init_on(&k, base ? simdisk_crash_copy(base, SIM_KEEP_ALL, 1) : simdisk_new(1));
	simdisk_fail_at(k.disk, SIM_ANY, n, code, sticky);
	rc = dbkit_open(&k);
	opened = rc == 0;
	if (opened) {
		(void)dbkit_close(&k);
	} else {
		assert_true(rc == code || rc == SILT_E_IO);
		assert_null(k.db);
		assert_true(k.last_error[0] != '\0');     /* it was said why */
	}
	simdisk_fail_at(k.disk, SIM_ANY, 0, 0, false);
	if (crash)
		simdisk_crash(k.disk, SIM_LOSE_ALL, n);
	rc = dbkit_open(&k);
	if (rc != 0)
		fail_msg("after call %" PRIu64 " failed: %s (%s)", n, silt_strerror(rc), k.last_error);
	if (whole)
		whole(&k);
	open_lives(&k);
	if (whole)
		whole(&k);
	dbkit_fini(&k);
	return opened;
}

/* Until nothing fails any more before the opening is over, and some further: in the threads that it started. */
static void open_failing_everywhere(struct simdisk *base, uint64_t at_least, void (*whole)(struct dbkit *k))
{
	for (int way = 0; way < 8; way++) {
		bool sticky = way & 1, crash = way & 2;
		int code = way & 4 ? SILT_E_NOSPACE : SILT_E_IO;
		uint64_t failed = 0;

		if (!base && sticky && !crash)
			continue;         /* a directory whose name could be neither synced nor taken back stays in doubt for good */
		for (uint64_t n = 1, passed = 0; passed < 8 / test_stride(3); n += test_stride(5)) {
			if (open_failing(base, n, sticky, code, crash, whole)) {
				passed++;
			} else {
				failed += test_stride(5);
				passed = 0;
			}
		}
		assert_true(failed >= (test_stride(2) == 1 ? at_least : 1));
	}
}

static void test_open__creation_failing_at_any_call_can_be_done_again(void **state)
{
	(void)state;
	open_failing_everywhere(NULL, 15, NULL);
}

static void test_open__recovery_failing_at_any_call_loses_nothing(void **state)
{
	struct dbkit k;

	(void)state;
	open_crashed_store(&k);
	open_failing_everywhere(k.disk, 30, open_crashed_store_is_whole);
	dbkit_fini(&k);
}

/* A directory that an earlier, killed creation made is as new as its name is unsynced. */
static void test_open__a_directory_that_was_there_is_made_durable(void **state)
{
	struct dbkit k;
	silt_os *os;

	(void)state;
	for (uint64_t n = 0; n < 6; n++) {
		dbkit_init(&k);
		os = simdisk_os(k.disk);
		assert_int_equal(os->mkdir(os, "db"), 0);
		simdisk_fail_at(k.disk, SIM_STAT, n, SILT_E_IO, false);
		if (dbkit_open(&k) != 0) {
			simdisk_fail_at(k.disk, SIM_STAT, 0, 0, false);
			assert_int_equal(dbkit_open(&k), 0);
		}
		open_lives(&k);
		dbkit_fini(&k);
	}
}

static void test_open__a_full_disk_is_said_and_passes(void **state)
{
	struct dbkit k;

	(void)state;
	open_crashed_store(&k);
	simdisk_set_free(k.disk, 4096);
	assert_int_equal(dbkit_open(&k), SILT_E_NOSPACE);
	assert_int_equal(dbkit_open(&k), SILT_E_NOSPACE);
	k.opts.read_only = true;
	assert_int_equal(dbkit_open(&k), 0);
	open_crashed_store_is_whole(&k);
	assert_int_equal(dbkit_close(&k), 0);
	k.opts.read_only = false;
	simdisk_set_free(k.disk, 4 << 20);
	assert_int_equal(dbkit_open(&k), 0);
	open_crashed_store_is_whole(&k);
	open_lives(&k);
	dbkit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open__a_second_one_is_refused_and_disturbs_nothing),
		cmocka_unit_test(test_open__a_reader_keeps_writers_out),
		cmocka_unit_test(test_open__read_only_changes_nothing_on_disk),
		cmocka_unit_test(test_open__read_only_works_where_nothing_can_be_written),
		cmocka_unit_test(test_open__read_only_refuses_damage_too),
		cmocka_unit_test(test_open__nothing_is_made_where_nothing_may_be),
		cmocka_unit_test(test_open__an_interrupted_creation_opens),
		cmocka_unit_test(test_open__creation_failing_at_any_call_can_be_done_again),
		cmocka_unit_test(test_open__recovery_failing_at_any_call_loses_nothing),
		cmocka_unit_test(test_open__a_directory_that_was_there_is_made_durable),
		cmocka_unit_test(test_open__a_full_disk_is_said_and_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
