/* SPDX-License-Identifier: Apache-2.0 */
/* test_recovery.c - what an opening finds again, what it refuses, and what it may take away (db/recover.h, db/gc.h). */
#include "lib/test.h"

#include <inttypes.h>
#include <time.h>

#include "core/batch.h"
#include "db/db.h"
#include "lib/dbkit.h"
#include "log/segment.h"

#define JUMP (UINT64_C(1) << 22)                  /* recover.h, step 5 */

static uint64_t recovery_put(struct dbkit *k, const char *key, const char *value)
{
	uint64_t version = 0;

	assert_int_equal(silt_put(k->db, STR(key), STR(value), &version), 0);
	return version;
}

static void recovery_is(struct dbkit *k, const char *key, const char *value)
{
	const char *got = dbkit_get(k, key);

	if (!value) {
		assert_null(got);
		return;
	}
	assert_non_null(got);
	assert_string_equal(got, value);
}

/* Flushes fail from now on (an output is read back before it is installed), and nothing else does. */
static void recovery_no_flushes(struct dbkit *k)
{
	simdisk_fail_at(k->disk, SIM_READ, 1, SILT_E_IO, true);
}

/* Refused, with a message that has `named` in it, and not a byte or a name on the disk was touched. */
static void recovery_refuses(struct dbkit *k, const char *named)
{
	struct silt_buf before = { 0 }, after = { 0 };

	dbkit_image(k, &before);
	assert_int_equal(dbkit_open(k), SILT_E_CORRUPT);
	assert_null(k->db);
	if (!strstr(k->last_error, named))
		fail_msg("\"%s\" does not name %s", k->last_error, named);
	dbkit_image(k, &after);
	assert_string_equal(before.data, after.data);
	silt_buf_free(&before);
	silt_buf_free(&after);
}

/* ---- what was acknowledged ------------------------------------------------------------------------------------------------ */

static void test_recovery__acknowledged_writes_survive_losing_all_that_was_not_synced(void **state)
{
	struct dbkit k;
	silt_batch *b;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(silt_batch_new(&b), 0);
	assert_int_equal(silt_batch_put(b, STR("b1"), STR("one"), NULL, 0), 0);
	assert_int_equal(silt_batch_put(b, STR("b2"), STR("two"), NULL, 0), 0);
	for (int round = 0; round < 6; round++) {
		char key[16];

		assert_int_equal(dbkit_open(&k), 0);
		for (int i = 0; i < round; i++) {
			snprintf(key, sizeof(key), "k%d", i);
			recovery_is(&k, key, "v");
			snprintf(key, sizeof(key), "gone%d", i);
			recovery_is(&k, key, NULL);
		}
		recovery_is(&k, "b2", round ? "two" : NULL);
		snprintf(key, sizeof(key), "gone%d", round);
		assert_int_equal(dbkit_put(&k, key, "soon deleted"), 0);
		assert_int_equal(dbkit_delete(&k, key), 0);
		assert_int_equal(silt_write(k.db, b, 0, NULL), 0);
		if (round % 3 == 1)
			assert_int_equal(silt_flush(k.db), 0);
		snprintf(key, sizeof(key), "k%d", round);
		assert_int_equal(dbkit_put_async(&k, key, "v"), 0);
		assert_int_equal(silt_sync(k.db), 0);
		assert_int_equal(dbkit_put_async(&k, "lost", "never synced"), 0);
		dbkit_crash(&k, SIM_LOSE_ALL, 1);
	}
	assert_int_equal(dbkit_open(&k), 0);
	recovery_is(&k, "lost", NULL);
	silt_batch_free(b);
	dbkit_fini(&k);
}

/* Of unsynced batches a prefix is found again, each whole or absent, whatever the crash keeps and tears. */
static void test_recovery__a_prefix_of_the_order_and_no_half_batch(void **state)
{
	enum { N = 12 };
	char large[701];
	struct dbkit k, after;
	silt_batch *b;
	int seen[N + 1] = { 0 }, kinds = 0;

	(void)state;
	memset(large, 'l', sizeof(large) - 1);            /* so that a record is of several units of 512 */
	large[sizeof(large) - 1] = '\0';
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "acknowledged", "yes"), 0);
	assert_int_equal(silt_batch_new(&b), 0);
	for (int i = 0; i < N; i++) {
		char key[16];

		silt_batch_clear(b);
		snprintf(key, sizeof(key), "a%d", i);
		assert_int_equal(silt_batch_put(b, STR(key), STR("small"), NULL, 0), 0);
		snprintf(key, sizeof(key), "b%d", i);
		assert_int_equal(silt_batch_put(b, STR(key), STR(large), NULL, 0), 0);
		assert_int_equal(silt_write(k.db, b, SILT_ASYNC, NULL), 0);
	}
	silt_batch_free(b);
	for (uint64_t seed = 1; seed <= 60; seed++) {
		int n = 0;

		dbkit_init_on(&after, simdisk_crash_copy(k.disk, SIM_MIXED, seed));
		assert_int_equal(dbkit_open(&after), 0);
		recovery_is(&after, "acknowledged", "yes");
		for (int i = 0; i < N; i++) {
			char key[16];
			bool first, second;

			snprintf(key, sizeof(key), "a%d", i);
			first = dbkit_get(&after, key) != NULL;
			snprintf(key, sizeof(key), "b%d", i);
			second = dbkit_get(&after, key) != NULL;
			assert_int_equal(first, second);
			assert_true(!first || n == i);            /* none after one that is missing */
			n += first;
		}
		seen[n]++;
		dbkit_fini(&after);
	}
	for (int i = 0; i <= N; i++)
		kinds += seen[i] != 0;
	assert_true(kinds > 2);                                   /* the crashes did differ */
	dbkit_fini(&k);
}

/* ---- versions --------------------------------------------------------------------------------------------------------------- */

static void test_recovery__versions_go_on_after_a_clean_end(void **state)
{
	struct dbkit k;

	(void)state;
	dbkit_init(&k);
	for (uint64_t v = 1; v <= 9; v += 3) {                    /* from the log; then from tables; then from the seal alone */
		assert_int_equal(dbkit_open(&k), 0);
		assert_int_equal(recovery_put(&k, "a", "1"), v);
		assert_int_equal(recovery_put(&k, "b", "2"), v + 1);
		assert_int_equal(dbkit_put_async(&k, "c", "3"), 0);
		if (v == 4)
			assert_int_equal(silt_flush(k.db), 0);
		assert_int_equal(dbkit_close(&k), 0);
	}
	for (int i = 0; i < 3; i++) {
		assert_int_equal(dbkit_open(&k), 0);
		assert_int_equal(dbkit_close(&k), 0);
	}
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(recovery_put(&k, "d", "4"), 10);
	dbkit_fini(&k);
}

/* (!) What was given and lost is never given again. */
static void test_recovery__versions_jump_after_an_unclean_end(void **state)
{
	struct dbkit k;
	uint64_t v;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(recovery_put(&k, "a", "1"), 1);
	assert_int_equal(dbkit_put_async(&k, "b", "lost"), 0);    /* version 2: somebody may have read it */
	dbkit_crash(&k, SIM_LOSE_ALL, 1);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(v = recovery_put(&k, "b", "2"), 1 + JUMP + 1);
	assert_int_equal(silt_flush(k.db), 0);                    /* the log is empty: tables know the last version */
	dbkit_crash(&k, SIM_LOSE_ALL, 2);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(recovery_put(&k, "c", "3"), v + JUMP + 1);
	dbkit_kill(&k);                                           /* nothing is lost, but nobody can know */
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(recovery_put(&k, "d", "4"), v + 2 * JUMP + 2);
	dbkit_crash(&k, SIM_LOSE_ALL, 3);
	for (uint64_t i = 0; i < 3; i++) {                        /* crash after crash without a write between */
		assert_int_equal(dbkit_open(&k), 0);
		dbkit_crash(&k, SIM_LOSE_ALL, 3);
	}
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(recovery_put(&k, "e", "5"), v + 2 * JUMP + 2 + 4 * JUMP + 1);
	assert_int_equal(dbkit_close(&k), 0);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(recovery_put(&k, "f", "6"), v + 2 * JUMP + 2 + 4 * JUMP + 2);
	for (const char *key = "abcdef"; *key; key++)
		assert_non_null(dbkit_get(&k, (char[]){ *key, 0 }));
	dbkit_fini(&k);
}

/* A store whose first life ended in a crash before any write: it is no new one any more. */
static void test_recovery__versions_jump_also_where_none_was_seen(void **state)
{
	struct dbkit k;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put_async(&k, "a", "lost"), 0);
	dbkit_crash(&k, SIM_LOSE_ALL, 1);
	assert_int_equal(dbkit_open(&k), 0);
	recovery_is(&k, "a", NULL);
	assert_int_equal(recovery_put(&k, "a", "1"), JUMP + 1);
	dbkit_fini(&k);
}

/* A sealed segment is no clean end: in the one behind it versions were given, and all of them lost. */
static void test_recovery__versions_jump_behind_a_rotation(void **state)
{
	struct dbkit k;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(recovery_put(&k, "a", "1"), 1);
	recovery_no_flushes(&k);
	assert_int_equal(silt_flush(k.db), SILT_E_IO);
	assert_int_equal(dbkit_put_async(&k, "b", "lost"), 0);
	dbkit_crash(&k, SIM_LOSE_ALL, 1);
	assert_int_equal(dbkit_open(&k), 0);
	recovery_is(&k, "a", "1");
	recovery_is(&k, "b", NULL);
	assert_int_equal(recovery_put(&k, "b", "2"), 1 + JUMP + 1);
	dbkit_fini(&k);
}

/* ---- the page cache is not to be believed ------------------------------------------------------------------------------------ */

/* (!) A killed process leaves unsynced records in the page cache. Once replayed they are visible: so they must be durable. */
static void test_recovery__what_only_the_cache_held_is_durable_before_it_is_seen(void **state)
{
	struct dbkit k;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "a", "1"), 0);
	assert_int_equal(dbkit_put_async(&k, "b", "2"), 0);
	assert_int_equal(dbkit_put_async(&k, "c", "3"), 0);
	dbkit_kill(&k);
	assert_int_equal(dbkit_open(&k), 0);
	recovery_is(&k, "c", "3");
	dbkit_crash(&k, SIM_LOSE_ALL, 1);
	assert_int_equal(dbkit_open(&k), 0);
	recovery_is(&k, "a", "1");
	recovery_is(&k, "b", "2");
	recovery_is(&k, "c", "3");
	dbkit_fini(&k);
}

/* After a failed fdatasync the cache says that it is clean: a second sync alone would make nothing durable. */
static void test_recovery__after_a_failed_sync_it_is_written_again(void **state)
{
	struct dbkit k;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "a", "1"), 0);
	assert_int_equal(dbkit_put_async(&k, "b", "2"), 0);
	dbkit_settle(&k);
	simdisk_fail_at(k.disk, SIM_DATASYNC, 1, SILT_E_IO, false);
	assert_int_equal(dbkit_put(&k, "c", "3"), SILT_E_IO);
	assert_int_equal(dbkit_close(&k), SILT_E_FAULT);
	assert_int_equal(dbkit_open(&k), 0);
	recovery_is(&k, "b", "2");
	recovery_is(&k, "c", "3");                                /* was never acknowledged, but is seen now */
	assert_int_equal(dbkit_put(&k, "d", "4"), 0);
	dbkit_crash(&k, SIM_LOSE_ALL, 1);
	assert_int_equal(dbkit_open(&k), 0);
	for (const char *key = "abcd"; *key; key++)
		assert_non_null(dbkit_get(&k, (char[]){ *key, 0 }));
	dbkit_fini(&k);
}

/* ---- torn, or damaged --------------------------------------------------------------------------------------------------------- */

/* Where a text stands in a file; it must be there. */
static uint64_t recovery_find(struct dbkit *k, const char *path, const char *text)
{
	struct silt_buf bytes = { 0 };
	size_t n = strlen(text), at;

	assert_int_equal(simdisk_read_file(k->disk, path, &bytes), 0);
	for (at = 0; at + n <= bytes.len; at++)
		if (memcmp((char *)bytes.data + at, text, n) == 0)
			break;
	assert_true(at + n <= bytes.len);
	silt_buf_free(&bytes);
	return at;
}

static void recovery_three_groups(struct dbkit *k)
{
	dbkit_init(k);
	assert_int_equal(dbkit_open(k), 0);
	assert_int_equal(dbkit_put(k, "a", "the first value"), 0);
	assert_int_equal(dbkit_put(k, "b", "the second value"), 0);
	assert_int_equal(dbkit_put(k, "c", "the third value"), 0);
}

static void test_recovery__a_flipped_bit_in_the_midst_of_the_log_is_damage(void **state)
{
	static const char *const values[] = { "the first value", "the second value", "the third value" };
	struct dbkit k;

	(void)state;
	for (size_t i = 0; i < 3; i++) {                          /* of the third a MARK testifies */
		uint64_t at, said;
		const char *place;

		recovery_three_groups(&k);
		dbkit_crash(&k, SIM_KEEP_ALL, 1);
		at = recovery_find(&k, "db/000001.wal", values[i]);
		assert_int_equal(simdisk_flip(k.disk, "db/000001.wal", at, 4), 0);
		recovery_refuses(&k, "db/000001.wal: offset ");
		place = strstr(k.last_error, "offset ") + strlen("offset ");
		said = strtoull(place, NULL, 10);
		assert_true(said < at && at - said < 64);         /* the record that the byte is in */
		recovery_refuses(&k, "db/000001.wal: offset ");   /* and it stays so */
		assert_int_equal(simdisk_flip(k.disk, "db/000001.wal", at, 4), 0);
		assert_int_equal(dbkit_open(&k), 0);              /* nothing else was lost by the attempts */
		recovery_is(&k, "b", "the second value");
		dbkit_fini(&k);
	}
}

static void test_recovery__a_torn_tail_is_an_end(void **state)
{
	struct dbkit k;
	uint64_t at;

	(void)state;
	recovery_three_groups(&k);
	assert_int_equal(dbkit_put_async(&k, "d", "the fourth value"), 0);
	assert_int_equal(dbkit_put_async(&k, "e", "the fifth value"), 0);
	dbkit_kill(&k);
	at = recovery_find(&k, "db/000001.wal", "the fourth value");
	assert_int_equal(simdisk_flip(k.disk, "db/000001.wal", at, 4), 0);
	assert_int_equal(dbkit_open(&k), 0);
	recovery_is(&k, "c", "the third value");
	recovery_is(&k, "d", NULL);
	recovery_is(&k, "e", NULL);                               /* whole, but behind the tear */
	assert_int_equal(dbkit_put(&k, "f", "goes on"), 0);
	dbkit_crash(&k, SIM_LOSE_ALL, 1);
	assert_int_equal(dbkit_open(&k), 0);
	recovery_is(&k, "c", "the third value");
	recovery_is(&k, "e", NULL);
	recovery_is(&k, "f", "goes on");
	dbkit_fini(&k);
}

static void test_recovery__a_damaged_header_is_never_a_torn_tail(void **state)
{
	static const char *const files[] = { "db/000001.wal", "db/MANIFEST" };
	struct dbkit k;

	(void)state;
	recovery_three_groups(&k);
	dbkit_crash(&k, SIM_KEEP_ALL, 1);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(simdisk_flip(k.disk, files[i], 20, 1), 0);
		recovery_refuses(&k, files[i]);
		assert_int_equal(simdisk_flip(k.disk, files[i], 20, 1), 0);
	}
	assert_int_equal(dbkit_open(&k), 0);
	recovery_is(&k, "c", "the third value");
	dbkit_fini(&k);
}

/* ---- recycled segments ------------------------------------------------------------------------------------------------------- */

static bool recovery_any_wal_has(struct dbkit *k, const char *text)
{
	bool found = false;

	for (uint64_t n = 1; n < 40 && !found; n++) {
		struct silt_buf bytes = { 0 };
		char path[32];

		snprintf(path, sizeof(path), "db/%06" PRIu64 ".wal", n);
		if (simdisk_read_file(k->disk, path, &bytes) == 0)
			found = memmem(bytes.data, bytes.len, text, strlen(text)) != NULL;
		silt_buf_free(&bytes);
	}
	return found;
}

static void test_recovery__recycled_segments_never_show_old_records(void **state)
{
	struct silt_stats s;
	struct dbkit k;
	char value[64], key[16];

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	for (int life = 0; life < 8; life++) {                    /* each life of the files is longer than the next: */
		for (int i = 0; i < 40 - 4 * life; i++) {         /* old whole records stand behind the new end */
			snprintf(key, sizeof(key), "%03d", i);
			snprintf(value, sizeof(value), "written in life %d", life);
			assert_int_equal(dbkit_put(&k, key, value), 0);
		}
		if (life == 7)
			for (int i = 30; i < 40; i++) {
				snprintf(key, sizeof(key), "%03d", i);
				assert_int_equal(dbkit_delete(&k, key), 0);
			}
		assert_int_equal(silt_flush(k.db), 0);
	}
	assert_int_equal(dbkit_put(&k, "last", "one"), 0);
	dbkit_crash(&k, SIM_KEEP_ALL, 1);
	assert_true(recovery_any_wal_has(&k, "written in life "));         /* so they were recycled */
	assert_int_equal(dbkit_open(&k), 0);
	silt_stats(k.db, &s);
	assert_int_equal(s.recovered_entries, 1);
	for (int i = 0; i < 40; i++) {
		snprintf(key, sizeof(key), "%03d", i);
		snprintf(value, sizeof(value), "written in life %d", i < 12 ? 7 : i < 36 ? (39 - i) / 4 : 0);
		recovery_is(&k, key, i < 30 ? value : NULL);
	}
	recovery_is(&k, "last", "one");
	dbkit_fini(&k);
}

/* ---- many segments ------------------------------------------------------------------------------------------------------------ */

static void recovery_pause(void)
{
	struct timespec t = { 0, 10 * 1000000 };

	nanosleep(&t, NULL);
}

static void recovery_stop_flushes(void *ctx, enum simdisk_call kind, const char *path, bool before)
{
	if (kind == SIM_RENAME && !before && strcmp(path, "db/MANIFEST") == 0)
		recovery_no_flushes(ctx);         /* the threads are not there yet */
}

/* Crash after crash, and never a flush: small segments share a memtable, or writers would wait for room among the sealed ones. */
static void test_recovery__crash_after_crash_does_not_stall_writers(void **state)
{
	enum { LIVES = 30 };
	struct silt_stats s;
	struct dbkit k;
	char key[16];

	(void)state;
	dbkit_init(&k);
	simdisk_on_sync(k.disk, recovery_stop_flushes, &k);
	for (int i = 0; i < LIVES; i++) {
		assert_int_equal(dbkit_open(&k), 0);
		snprintf(key, sizeof(key), "%d", i);
		assert_int_equal(dbkit_put(&k, key, "v"), 0);
		silt_stats(k.db, &s);
		assert_int_equal(s.recovered_entries, i);
		assert_int_equal(s.stalls, 0);
		dbkit_crash(&k, SIM_LOSE_ALL, 1);
	}
	simdisk_on_sync(k.disk, NULL, NULL);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(silt_flush(k.db), 0);
	silt_stats(k.db, &s);
	assert_int_equal(s.sealed_memtables, 0);
	assert_int_equal(silt_flush(k.db), 0);
	for (int i = 0; i < 6000 && dbkit_files(&k, "db", ".wal") > 3; i++)
		recovery_pause();
	assert_true(dbkit_files(&k, "db", ".wal") <= 3);          /* all that one memtable held went with it */
	for (int i = 0; i < LIVES; i++) {
		snprintf(key, sizeof(key), "%d", i);
		recovery_is(&k, key, "v");
	}
	dbkit_fini(&k);
}

/* A memtable is of whole segments, and no larger than it must be: what is full is flushed by itself. */
static void test_recovery__full_segments_have_memtables_of_their_own(void **state)
{
	static char big[17 << 10];
	enum { LIVES = 5, PUTS = 5 };
	struct silt_stats s;
	struct dbkit k;
	char key[32];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	dbkit_init(&k);
	simdisk_on_sync(k.disk, recovery_stop_flushes, &k);
	k.opts.memtable_size = 1 << 20;                           /* no rotation: a segment a life */
	for (int i = 0; i < LIVES; i++) {
		assert_int_equal(dbkit_open(&k), 0);
		for (int j = 0; j < PUTS; j++) {
			snprintf(key, sizeof(key), "%d.%d", i, j);
			assert_int_equal(dbkit_put(&k, key, big), 0);
		}
		dbkit_crash(&k, SIM_LOSE_ALL, 1);
	}
	k.opts.memtable_size = 64 << 10;
	assert_int_equal(dbkit_open(&k), 0);
	silt_stats(k.db, &s);
	assert_int_equal(s.sealed_memtables, LIVES);
	assert_int_equal(s.recovered_entries, PUTS * LIVES);
	simdisk_on_sync(k.disk, NULL, NULL);
	simdisk_fail_at(k.disk, SIM_READ, 0, 0, false);
	assert_int_equal(silt_flush(k.db), 0);
	silt_stats(k.db, &s);
	assert_int_equal(s.sealed_memtables, 0);
	for (int i = 0; i < PUTS * LIVES; i++) {
		struct silt_buf v = { 0 };

		snprintf(key, sizeof(key), "%d.%d", i / PUTS, i % PUTS);
		assert_int_equal(silt_get(k.db, STR(key), NULL, 0, &v, NULL), 0);
		assert_int_equal(v.len, sizeof(big) - 1);
		silt_buf_free(&v);
	}
	dbkit_fini(&k);
}

/* Openings that replay nothing need no older segment. */
static void test_recovery__segments_do_not_pile_up(void **state)
{
	struct dbkit k;

	(void)state;
	dbkit_init(&k);
	for (int i = 0; i < 12; i++) {
		assert_int_equal(dbkit_open(&k), 0);
		if (i == 0) {
			assert_int_equal(dbkit_put(&k, "a", "1"), 0);
			assert_int_equal(silt_flush(k.db), 0);
		}
		if (i % 2)
			dbkit_crash(&k, SIM_KEEP_ALL, 1);
		else
			assert_int_equal(dbkit_close(&k), 0);
		assert_true(dbkit_files(&k, "db", ".wal") <= 3);
	}
	assert_int_equal(dbkit_open(&k), 0);
	recovery_is(&k, "a", "1");
	dbkit_fini(&k);
}

/* A sound segment of another life in the place of the needed one: its versions are in tables already. */
static void test_recovery__a_log_older_than_the_tables_is_damage(void **state)
{
	struct log_writer *w;
	struct os_file *file;
	struct log_header h;
	struct silt_buf payload = { 0 };
	char path[32];
	struct dbkit k;
	struct env env;
	uint64_t number;
	silt_batch *b;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "a", "1"), 0);
	assert_int_equal(dbkit_put(&k, "a", "2"), 0);
	assert_int_equal(silt_flush(k.db), 0);
	number = atomic_load(&k.db->wal_number);                  /* all before it is in tables */
	snprintf(path, sizeof(path), "db/%06" PRIu64 ".wal", number);
	env = k.db->env;
	env.dir = "db";
	assert_int_equal(segment_create(&env, LOG_WAL, path, number, 256 << 10, &h, &file), 0);
	dbkit_crash(&k, SIM_KEEP_ALL, 1);
	assert_int_equal(simdisk_os(k.disk)->close(simdisk_os(k.disk), file), SILT_E_IO);
	assert_int_equal(segment_open(&env, LOG_WAL, path, true, &h, &file), 0);
	assert_int_equal(log_writer_new(&env, path, &h, file, LOG_PAGE, LOG_PAGE, &w), 0);
	assert_int_equal(silt_batch_new(&b), 0);
	assert_int_equal(silt_batch_put(b, STR("a"), STR("old"), NULL, 0), 0);
	assert_int_equal(batch_seal(b, &payload), 0);
	assert_int_equal(log_writer_reserve(w, 1, payload.len), 0);
	log_writer_add(w, LOG_DATA, 0, 2, (struct silt_slice){ payload.data, payload.len });
	assert_int_equal(log_writer_append(w), 0);
	assert_int_equal(log_writer_sync(w), 0);
	log_writer_free(w);
	silt_batch_free(b);
	silt_buf_free(&payload);
	recovery_refuses(&k, path);
	dbkit_fini(&k);
}

/* ---- missing files ------------------------------------------------------------------------------------------------------------- */

/* Two tables, three segments with a record each that no table holds, an orphan and a leftover. Closed by a crash. */
static void recovery_full_store(struct dbkit *k)
{
	static const char *const in_log[] = { "l1", "l2", "l3" };

	dbkit_init(k);
	assert_int_equal(dbkit_open(k), 0);
	assert_int_equal(dbkit_put(k, "t1", "in a table"), 0);
	assert_int_equal(silt_flush(k->db), 0);
	assert_int_equal(dbkit_put(k, "t2", "in a table"), 0);
	assert_int_equal(silt_flush(k->db), 0);
	simdisk_on_sync(k->disk, recovery_stop_flushes, k);
	for (size_t i = 0; i < 3; i++) {
		dbkit_crash(k, SIM_KEEP_ALL, 1);
		assert_int_equal(dbkit_open(k), 0);
		assert_int_equal(dbkit_put(k, in_log[i], "in the log"), 0);
	}
	dbkit_crash(k, SIM_KEEP_ALL, 1);
	simdisk_on_sync(k->disk, NULL, NULL);
	assert_int_equal(simdisk_write_file(k->disk, "db/000099.sst", STR("an orphan")), 0);
	assert_int_equal(simdisk_write_file(k->disk, "db/000098.sst.tmp", STR("a leftover")), 0);
}

static void recovery_full_store_is_whole(struct dbkit *k)
{
	recovery_is(k, "t1", "in a table");
	recovery_is(k, "t2", "in a table");
	recovery_is(k, "l1", "in the log");
	recovery_is(k, "l2", "in the log");
	recovery_is(k, "l3", "in the log");
}

struct recovery_name {
	const char *suffix;
	char names[64][32];
	size_t n;
};

static int recovery_note(void *ctx, const char *name)
{
	struct recovery_name *r = ctx;
	size_t a = strlen(name), b = strlen(r->suffix);

	if (a >= b && a < 32 && strcmp(name + a - b, r->suffix) == 0 && r->n < 64)
		memcpy(r->names[r->n++], name, a + 1);
	return 0;
}

static void recovery_list(struct dbkit *k, const char *suffix, struct recovery_name *out)
{
	silt_os *os = simdisk_os(k->disk);

	*out = (struct recovery_name){ .suffix = suffix };
	assert_int_equal(os->list(os, "db", recovery_note, out), 0);
}

/* Without this file: refused, by its name, nothing touched. With it again: all is there. */
static void recovery_without(struct dbkit *k, const char *name, const char *named)
{
	struct silt_buf bytes = { 0 };
	char path[64];

	snprintf(path, sizeof(path), "db/%s", name);
	assert_int_equal(simdisk_read_file(k->disk, path, &bytes), 0);
	dbkit_unlink(k, path);
	recovery_refuses(k, named);
	assert_int_equal(simdisk_write_file(k->disk, path, (struct silt_slice){ bytes.data, bytes.len }), 0);
	silt_buf_free(&bytes);
}

static void test_recovery__a_missing_table_is_named_and_nothing_is_touched(void **state)
{
	struct recovery_name tables;
	struct dbkit k;
	int needed = 0;

	(void)state;
	recovery_full_store(&k);
	recovery_list(&k, ".sst", &tables);
	for (size_t i = 0; i < tables.n; i++) {
		struct silt_buf bytes = { 0 };
		char path[64];

		if (strcmp(tables.names[i], "000099.sst") == 0)
			continue;
		needed++;
		recovery_without(&k, tables.names[i], tables.names[i]);
		snprintf(path, sizeof(path), "db/%s", tables.names[i]);
		assert_int_equal(simdisk_read_file(k.disk, path, &bytes), 0);
		assert_int_equal(simdisk_write_file(k.disk, path, (struct silt_slice){ bytes.data, bytes.len - 1 }), 0);
		recovery_refuses(&k, tables.names[i]);            /* cut short is as bad */
		assert_int_equal(simdisk_write_file(k.disk, path, (struct silt_slice){ bytes.data, bytes.len }), 0);
		silt_buf_free(&bytes);
	}
	assert_int_equal(needed, 2);
	assert_int_equal(dbkit_open(&k), 0);
	recovery_full_store_is_whole(&k);
	dbkit_fini(&k);
}

static void test_recovery__a_missing_segment_is_named_and_nothing_is_touched(void **state)
{
	struct recovery_name wals;
	struct dbkit k;
	size_t with_records = 0;

	(void)state;
	recovery_full_store(&k);
	recovery_list(&k, ".wal", &wals);
	assert_true(wals.n >= 3);
	for (size_t i = 0; i < wals.n; i++) {
		struct silt_buf bytes = { 0 };
		char path[64], number[8];
		bool needed;

		snprintf(path, sizeof(path), "db/%s", wals.names[i]);
		assert_int_equal(simdisk_read_file(k.disk, path, &bytes), 0);
		needed = memmem(bytes.data, bytes.len, "in the log", 10) != NULL;
		silt_buf_free(&bytes);
		if (!needed || i + 1 == wals.n)           /* of the very last one nothing but its own bytes testifies */
			continue;
		with_records++;
		snprintf(number, sizeof(number), "%.6s", wals.names[i]);
		recovery_without(&k, wals.names[i], number);
	}
	assert_true(with_records >= 2);
	assert_int_equal(dbkit_open(&k), 0);
	recovery_full_store_is_whole(&k);
	dbkit_fini(&k);
}

static void test_recovery__a_missing_manifest_is_not_a_new_store(void **state)
{
	struct recovery_name wals;
	struct dbkit k;

	(void)state;
	recovery_full_store(&k);
	recovery_without(&k, "MANIFEST", "db/MANIFEST");
	assert_int_equal(dbkit_open(&k), 0);
	recovery_full_store_is_whole(&k);
	assert_int_equal(dbkit_close(&k), 0);
	dbkit_unlink(&k, "db/MANIFEST");
	recovery_list(&k, ".wal", &wals);                         /* with tables alone */
	for (size_t i = 0; i < wals.n; i++) {
		char path[64];

		snprintf(path, sizeof(path), "db/%s", wals.names[i]);
		dbkit_unlink(&k, path);
	}
	recovery_refuses(&k, "db/MANIFEST");
	dbkit_fini(&k);

	dbkit_init(&k);                                           /* with a log alone */
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "a", "1"), 0);
	dbkit_crash(&k, SIM_LOSE_ALL, 1);
	recovery_without(&k, "MANIFEST", "db/MANIFEST");
	assert_int_equal(dbkit_open(&k), 0);
	recovery_is(&k, "a", "1");
	dbkit_fini(&k);
}

/* ---- the sweep -------------------------------------------------------------------------------------------------------------------- */

static void test_recovery__the_sweep_takes_orphans_and_nothing_else(void **state)
{
	static const char *const orphans[] = {
		"db/000099.sst", "db/000098.sst.tmp", "db/000097.wal.tmp", "db/MANIFEST.tmp", "db/000001.wal",
	};
	static const char *const strangers[] = {
		"db/README", "db/12.sst", "db/0000012.sst", "db/000012.SST", "db/000012.sst~", "db/000000.sst", "db/a.tmp",
		"db/000012.wal.bak", "db/checkpoints", "db/quarantine/000077.sst",
	};
	struct recovery_name tables;
	struct dbkit k;
	silt_os *os;

	(void)state;
	recovery_full_store(&k);
	os = simdisk_os(k.disk);
	assert_int_equal(os->mkdir(os, "db/quarantine"), 0);
	for (size_t i = 0; i < sizeof(orphans) / sizeof(*orphans); i++)
		assert_int_equal(simdisk_write_file(k.disk, orphans[i], STR("nobody's")), 0);
	for (size_t i = 0; i < sizeof(strangers) / sizeof(*strangers); i++)
		assert_int_equal(simdisk_write_file(k.disk, strangers[i], STR("somebody else's")), 0);
	assert_int_equal(dbkit_open(&k), 0);
	for (size_t i = 0; i < sizeof(orphans) / sizeof(*orphans); i++)
		assert_false(dbkit_exists(&k, orphans[i]));
	for (size_t i = 0; i < sizeof(strangers) / sizeof(*strangers); i++)
		assert_true(dbkit_exists(&k, strangers[i]));
	recovery_full_store_is_whole(&k);
	assert_int_equal(dbkit_put(&k, "t3", "in a table"), 0);
	assert_int_equal(silt_flush(k.db), 0);
	recovery_list(&k, ".sst", &tables);
	for (size_t i = 0; i < tables.n; i++)                     /* a number once seen is not given again */
		assert_true(strcmp(tables.names[i], "000099.sst") != 0 && strcmp(tables.names[i], "000098.sst") != 0);
	dbkit_crash(&k, SIM_LOSE_ALL, 1);                         /* also one whose removal was lost is gone in the end */
	assert_int_equal(dbkit_open(&k), 0);
	assert_false(dbkit_exists(&k, "db/000099.sst"));
	recovery_full_store_is_whole(&k);
	recovery_is(&k, "t3", "in a table");
	dbkit_fini(&k);
}

/* (!) The sweep comes last: where anything before it fails, the orphans are there as they were. */
static void test_recovery__no_sweep_before_the_fresh_manifest(void **state)
{
	static const enum simdisk_call calls[] = { SIM_WRITE, SIM_DATASYNC, SIM_RENAME, SIM_DIRSYNC };
	struct simdisk *base;
	struct dbkit k;

	(void)state;
	recovery_full_store(&k);
	base = k.disk;
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		int refused = 0;

		for (bool opened = false; !opened;) {
			dbkit_init_on(&k, simdisk_crash_copy(base, SIM_KEEP_ALL, 1));
			simdisk_fail_at(k.disk, calls[i], (uint64_t)refused + 1, SILT_E_IO, true);
			opened = dbkit_open(&k) == 0;
			refused += !opened;
			assert_int_equal(dbkit_exists(&k, "db/000099.sst"), !opened);
			assert_int_equal(dbkit_exists(&k, "db/000098.sst.tmp"), !opened);
			simdisk_fail_at(k.disk, calls[i], 0, 0, false);
			dbkit_fini(&k);
		}
		assert_true(refused >= 2);                        /* the new segment's, and the manifest's */
	}
	simdisk_free(base);
}

/* Bytes behind the manifest's end: an edit that may have been synced, and damaged since. */
static void recovery_tear_manifest(struct dbkit *k)
{
	struct silt_buf bytes = { 0 };
	size_t end;

	assert_int_equal(simdisk_read_file(k->disk, "db/MANIFEST", &bytes), 0);
	for (end = bytes.len; end > 0 && ((uint8_t *)bytes.data)[end - 1] == 0; end--)
		;
	((uint8_t *)bytes.data)[end + 100] = 0x55;
	assert_int_equal(simdisk_write_file(k->disk, "db/MANIFEST", (struct silt_slice){ bytes.data, bytes.len }), 0);
	silt_buf_free(&bytes);
}

static void recovery_set_aside(struct dbkit *k)
{
	struct silt_buf bytes = { 0 };

	assert_false(dbkit_exists(k, "db/000099.sst"));
	assert_int_equal(simdisk_read_file(k->disk, "db/quarantine/000099.sst", &bytes), 0);
	assert_int_equal(bytes.len, strlen("an orphan"));
	assert_memory_equal(bytes.data, "an orphan", bytes.len);
	silt_buf_free(&bytes);
}

/* (!) */
static void test_recovery__a_torn_manifest_sends_orphans_to_quarantine(void **state)
{
	struct dbkit k;

	(void)state;
	recovery_full_store(&k);
	assert_int_equal(simdisk_write_file(k.disk, "db/000001.wal", STR("an old segment")), 0);
	recovery_tear_manifest(&k);
	assert_int_equal(dbkit_open(&k), 0);
	recovery_full_store_is_whole(&k);
	recovery_set_aside(&k);
	assert_true(dbkit_exists(&k, "db/quarantine/000001.wal"));
	assert_false(dbkit_exists(&k, "db/000001.wal"));
	assert_false(dbkit_exists(&k, "db/000098.sst.tmp"));      /* never whole, never named: no loss */
	assert_false(dbkit_exists(&k, "db/quarantine/000098.sst.tmp"));
	assert_true(dbkit_logged(&k, "db/quarantine/000099.sst"));
	assert_int_equal(dbkit_close(&k), 0);
	assert_int_equal(dbkit_open(&k), 0);                      /* the next opening, of a sound manifest, leaves them there */
	recovery_set_aside(&k);
	dbkit_fini(&k);
}

/* An earlier doubt's file of the same name, and the number of one that was set aside before an opening was cut short. */
static void test_recovery__quarantine_is_never_overwritten(void **state)
{
	struct recovery_name tables;
	struct dbkit k;
	silt_os *os;

	(void)state;
	recovery_full_store(&k);
	os = simdisk_os(k.disk);
	assert_int_equal(os->mkdir(os, "db/quarantine"), 0);
	assert_int_equal(simdisk_write_file(k.disk, "db/quarantine/000099.sst", STR("an orphan")), 0);
	assert_int_equal(simdisk_write_file(k.disk, "db/quarantine/000099.sst.1", STR("another")), 0);
	assert_int_equal(simdisk_write_file(k.disk, "db/quarantine/000123.sst", STR("a third")), 0);
	recovery_tear_manifest(&k);
	assert_int_equal(dbkit_open(&k), 0);
	recovery_set_aside(&k);
	assert_true(dbkit_exists(&k, "db/quarantine/000099.sst.1"));
	assert_true(dbkit_exists(&k, "db/quarantine/000099.sst.2"));
	assert_int_equal(silt_flush(k.db), 0);
	recovery_list(&k, ".sst", &tables);
	assert_true(tables.n > 2);
	for (size_t i = 0; i < tables.n; i++)
		assert_true(strtoul(tables.names[i], NULL, 10) < 3 || strtoul(tables.names[i], NULL, 10) > 123);
	dbkit_fini(&k);
}

/* What was set aside must outlive any crash: as an orphan, or in quarantine. */
static void test_recovery__quarantine_survives_any_crash(void **state)
{
	struct dbkit k, after;

	(void)state;
	recovery_full_store(&k);
	recovery_tear_manifest(&k);
	assert_int_equal(dbkit_open(&k), 0);
	for (uint64_t seed = 1; seed <= 40; seed++) {
		dbkit_init_on(&after, simdisk_crash_copy(k.disk, seed == 40 ? SIM_LOSE_ALL : SIM_MIXED, seed));
		assert_int_equal(dbkit_open(&after), 0);
		recovery_set_aside(&after);
		recovery_full_store_is_whole(&after);
		dbkit_fini(&after);
	}
	dbkit_fini(&k);
}

/* The doubt must not be forgotten by an opening that was cut short or failed after it had written a sound manifest. */
static void test_recovery__the_doubt_outlives_a_failed_opening(void **state)
{
	struct simdisk *torn;
	struct dbkit k;
	uint64_t n = 1;
	bool opened = false;

	(void)state;
	recovery_full_store(&k);
	recovery_tear_manifest(&k);
	torn = k.disk;
	for (; !opened; n++)
		for (uint64_t seed = 0; seed < 8; seed++) {
			dbkit_init_on(&k, simdisk_crash_copy(torn, SIM_KEEP_ALL, 1));
			simdisk_fail_at(k.disk, SIM_ANY, n, SILT_E_IO, true);
			opened = dbkit_open(&k) == 0;
			if (opened)
				(void)dbkit_close(&k);
			simdisk_crash(k.disk, seed ? SIM_MIXED : SIM_KEEP_ALL, n * 8 + seed);
			assert_int_equal(dbkit_open(&k), 0);
			recovery_set_aside(&k);
			recovery_full_store_is_whole(&k);
			dbkit_fini(&k);
		}
	assert_true(n > 40);
	simdisk_free(torn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recovery__acknowledged_writes_survive_losing_all_that_was_not_synced),
		cmocka_unit_test(test_recovery__a_prefix_of_the_order_and_no_half_batch),
		cmocka_unit_test(test_recovery__versions_go_on_after_a_clean_end),
		cmocka_unit_test(test_recovery__versions_jump_after_an_unclean_end),
		cmocka_unit_test(test_recovery__versions_jump_also_where_none_was_seen),
		cmocka_unit_test(test_recovery__versions_jump_behind_a_rotation),
		cmocka_unit_test(test_recovery__what_only_the_cache_held_is_durable_before_it_is_seen),
		cmocka_unit_test(test_recovery__after_a_failed_sync_it_is_written_again),
		cmocka_unit_test(test_recovery__a_flipped_bit_in_the_midst_of_the_log_is_damage),
		cmocka_unit_test(test_recovery__a_torn_tail_is_an_end),
		cmocka_unit_test(test_recovery__a_damaged_header_is_never_a_torn_tail),
		cmocka_unit_test(test_recovery__recycled_segments_never_show_old_records),
		cmocka_unit_test(test_recovery__crash_after_crash_does_not_stall_writers),
		cmocka_unit_test(test_recovery__full_segments_have_memtables_of_their_own),
		cmocka_unit_test(test_recovery__segments_do_not_pile_up),
		cmocka_unit_test(test_recovery__a_log_older_than_the_tables_is_damage),
		cmocka_unit_test(test_recovery__a_missing_table_is_named_and_nothing_is_touched),
		cmocka_unit_test(test_recovery__a_missing_segment_is_named_and_nothing_is_touched),
		cmocka_unit_test(test_recovery__a_missing_manifest_is_not_a_new_store),
		cmocka_unit_test(test_recovery__the_sweep_takes_orphans_and_nothing_else),
		cmocka_unit_test(test_recovery__no_sweep_before_the_fresh_manifest),
		cmocka_unit_test(test_recovery__a_torn_manifest_sends_orphans_to_quarantine),
		cmocka_unit_test(test_recovery__quarantine_is_never_overwritten),
		cmocka_unit_test(test_recovery__quarantine_survives_any_crash),
		cmocka_unit_test(test_recovery__the_doubt_outlives_a_failed_opening),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
