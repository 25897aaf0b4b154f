/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_full_disk.c - a disk without room is a state and no fault: writes are refused with SILT_E_NOSPACE before anything broke, reads go
 * on, nothing acknowledged is lost, and with room again it is over by itself. On the simulated disk at each amount of room that is left,
 * and on a real file system of 64 MiB, where one can be mounted. (The same over HTTP: tests/http/places.sh.)
 */
#include "lib/test.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#include "lib/dbkit.h"

#define PLENTY (UINT64_C(1) << 40)

static void full_disk_pause(void)
{
	struct timespec t = { 0, 20 * 1000000 };

	nanosleep(&t, NULL);
}

/* 0 or SILT_E_NOSPACE: nothing else may come of a disk without room. */
static bool full_disk_done(int rc, const char *what)
{
	if (rc != 0 && rc != SILT_E_NOSPACE)
		fail_msg("%s: %s", what, silt_strerror(rc));
	return rc == 0;
}

/* The flush thread looks once a second. */
static void full_disk_wait(silt_db *db, const char *key, int wanted)
{
	int rc = 1000;

	for (int i = 0; i < 6000 && rc != wanted; i++) {
		rc = silt_put(db, STR(key), STR("v"), NULL);
		(void)full_disk_done(rc, "a put");
		if (rc != wanted)
			full_disk_pause();
	}
	assert_int_equal(rc, wanted);
}

/* What failed is tried again once a second, too. */
static void full_disk_flush(silt_db *db)
{
	int rc = SILT_E_NOSPACE;

	for (int i = 0; i < 6000 && !full_disk_done(rc, "a flush"); i++) {
		full_disk_pause();
		rc = silt_flush(db);
	}
	assert_int_equal(rc, 0);
}

/* One that was under way when there was no room left may still have to give up, and takes the one asked for with it. */
static void full_disk_compact(silt_db *db)
{
	int rc = SILT_E_NOSPACE;

	for (int i = 0; i < 6000 && !full_disk_done(rc, "a compaction"); i++) {
		full_disk_pause();
		rc = silt_compact(db);
	}
	assert_int_equal(rc, 0);
}

static void full_disk_no_fault(silt_db *db)
{
	struct silt_stats s;

	silt_stats(db, &s);
	assert_int_equal(s.fault, 0);
}

/* ---- the simulated disk -------------------------------------------------------------------------------------------------- */

enum { FULL_KEYS = 64 };

static void full_disk_key(char out[16], int i)
{
	snprintf(out, 16, "key/%03d", i);
}

struct full_disk_store {
	struct dbkit k;
	int value[FULL_KEYS];             /* by key: what was acknowledged last; 0 = nothing */
	int refused;
};

static void full_disk_put(struct full_disk_store *f, int i, int value)
{
	static char text[2000];
	char key[16];

	full_disk_key(key, i);
	snprintf(text, sizeof(text), "%-1900d", value);
	if (full_disk_done(silt_put(f->k.db, STR(key), STR(text), NULL), "a put"))
		f->value[i] = value;
	else
		f->refused++;
}

static void full_disk_check(struct full_disk_store *f)
{
	char key[16];

	for (int i = 0; i < FULL_KEYS; i++) {
		const char *is;

		full_disk_key(key, i);
		is = dbkit_get(&f->k, key);
		assert_int_equal(is ? atoi(is) : 0, f->value[i]);
	}
}

static void full_disk_ingest(struct full_disk_store *f)
{
	silt_ingest *in;
	int rc = 0;

	if (!full_disk_done(silt_ingest_begin(f->k.db, &in), "an ingest"))
		return;
	for (int i = 0; i < 50 && rc == 0; i++) {
		char key[16];

		snprintf(key, sizeof(key), "more/%03d", i);
		rc = silt_ingest_add(in, STR(key), STR("value"), NULL);
	}
	if (rc == 0)
		rc = silt_ingest_commit(in, NULL);
	f->refused += !full_disk_done(rc, "an ingest");
	silt_ingest_end(in);
}

/* So much is left while all that takes room is tried; then there is room again, a crash, and an opening. */
static int full_disk_with(uint64_t room)
{
	struct full_disk_store f = { .refused = 0 };

	dbkit_init(&f.k);
	f.k.opts.compaction_trigger = 2;
	assert_int_equal(dbkit_open(&f.k), 0);
	for (int i = 0; i < 40; i++)
		full_disk_put(&f, i, 1 + i);
	dbkit_settle(&f.k);
	simdisk_set_free(f.k.disk, room);
	for (int i = 0; i < 100; i++) {
		full_disk_put(&f, i % FULL_KEYS, 1000 + i);
		if (i % 25 == 24) {
			f.refused += !full_disk_done(silt_flush(f.k.db), "a flush");
			f.refused += !full_disk_done(silt_compact(f.k.db), "a compaction");
			f.refused += !full_disk_done(silt_checkpoint(f.k.db, "one", NULL), "a checkpoint");
			(void)!silt_checkpoint_remove(f.k.db, "one");
			full_disk_ingest(&f);
		}
	}
	full_disk_no_fault(f.k.db);
	full_disk_check(&f);
	assert_int_equal(silt_verify(f.k.db, NULL, NULL), 0);
	simdisk_set_free(f.k.disk, PLENTY);
	full_disk_wait(f.k.db, "room", 0);
	full_disk_flush(f.k.db);
	assert_int_equal(silt_compact(f.k.db), 0);
	full_disk_check(&f);
	dbkit_crash(&f.k, SIM_LOSE_ALL, room + 1);
	assert_int_equal(dbkit_open(&f.k), 0);
	full_disk_check(&f);
	dbkit_fini(&f.k);
	return f.refused;
}

static void test_full_disk__whatever_room_is_left_nothing_breaks(void **state)
{
	static const uint64_t rooms[] = { 0, 8 << 10, 200 << 10, 600 << 10 };
	int refused = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++)
		refused += full_disk_with(rooms[i]);
	assert_true(refused > 0);
	assert_int_equal(full_disk_with(PLENTY), 0);
}

/* Refused while there is room yet for what must go on: flushes, and what frees room. Reads do not notice. */
static void test_full_disk__is_refused_early_and_helped_by_deletes(void **state)
{
	struct silt_stats s;
	struct dbkit k;

	(void)state;
	dbkit_init(&k);
	k.opts.min_free_space = 8 << 20;
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "kept", "1"), 0);
	assert_int_equal(dbkit_put(&k, "goes", "2"), 0);
	simdisk_set_free(k.disk, 7 << 20);
	full_disk_wait(k.db, "refused", SILT_E_NOSPACE);
	assert_string_equal(dbkit_get(&k, "kept"), "1");
	assert_int_equal(dbkit_delete(&k, "goes"), 0);
	assert_int_equal(silt_delete_range(k.db, STR("r"), STR("s"), NULL), 0);
	assert_int_equal(silt_flush(k.db), 0);
	assert_int_equal(silt_compact(k.db), 0);
	assert_null(dbkit_get(&k, "refused"));
	assert_null(dbkit_get(&k, "goes"));
	silt_stats(k.db, &s);
	assert_int_equal(s.fault, 0);
	simdisk_set_free(k.disk, PLENTY);
	full_disk_wait(k.db, "again", 0);
	dbkit_fini(&k);
}

/* ---- a real one ---------------------------------------------------------------------------------------------------------- */

static struct silt_options full_disk_options(void)
{
	struct silt_options o;

	silt_options_init(&o);
	o.memory = 16 << 20;
	o.memtable_size = 1 << 20;
	o.wal_segment_size = 2 << 20;
	o.table_size = 1 << 20;
	o.level_base_size = 4 << 20;
	o.min_free_space = 12 << 20;
	return o;
}

/* Different in each byte, and the same again for the same key: nothing is won by compression. */
static struct silt_slice full_disk_value(int i, uint64_t room[1024])
{
	uint64_t random = (uint64_t)i * 2 + 1;

	for (size_t n = 0; n < 1024; n++)
		room[n] = test_random(&random);
	return (struct silt_slice){ room, 8192 };
}

static void full_disk_check_values(silt_db *db, int n)
{
	struct silt_buf value = { 0 };
	uint64_t room[1024];
	char key[16];

	for (int i = 0; i < n; i++) {
		struct silt_slice want = full_disk_value(i, room);

		full_disk_key(key, i);
		assert_int_equal(silt_get(db, STR(key), NULL, 0, &value, NULL), 0);
		assert_true(value.len == want.len && memcmp(value.data, want.data, want.len) == 0);
	}
	silt_buf_free(&value);
}

/* Puts until it is refused; how many were taken. */
static int full_disk_fill(silt_db *db, int from)
{
	uint64_t room[1024];
	char key[16];
	int rc = 0, i = from;

	for (; rc == 0 && i < 20000; i++) {
		full_disk_key(key, i);
		rc = silt_put(db, STR(key), full_disk_value(i, room), NULL);
		while (rc == SILT_E_BUSY) {               /* a busy machine's compaction is behind */
			full_disk_pause();
			rc = silt_put(db, STR(key), full_disk_value(i, room), NULL);
		}
	}
	assert_int_equal(rc, SILT_E_NOSPACE);
	return i - 1;
}

/* Everything that is left, byte by byte at last. */
static void full_disk_ballast(const char *path)
{
	static char zeros[1 << 16];
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	for (size_t n = sizeof(zeros); n > 0; n /= 2)
		while (write(fd, zeros, n) == (ssize_t)n)
			;
	assert_int_equal(errno, ENOSPC);
	close(fd);
}

static void full_disk_story(const char *dir)
{
	struct silt_options o = full_disk_options();
	char store[600], ballast[600];
	silt_db *db = NULL;
	int n;

	snprintf(store, sizeof(store), "%s/store", dir);
	snprintf(ballast, sizeof(ballast), "%s/ballast", dir);
	assert_int_equal(silt_open(store, &o, &db), 0);
	n = full_disk_fill(db, 0);                                /* the store itself takes the room */
	assert_true(n > 1000);
	full_disk_no_fault(db);
	full_disk_check_values(db, n);
	assert_int_equal(silt_delete_range(db, STR("key/"), STR("key0"), NULL), 0);
	full_disk_compact(db);                                    /* and gives it back */
	full_disk_wait(db, "again", 0);
	n = 500;
	for (int i = 0; i < n; i++) {
		uint64_t room[1024];
		char key[16];

		full_disk_key(key, i);
		assert_int_equal(silt_put(db, STR(key), full_disk_value(i, room), NULL), 0);
	}
	full_disk_ballast(ballast);                               /* now somebody else does, to the last byte */
	full_disk_wait(db, "refused", SILT_E_NOSPACE);
	(void)full_disk_done(silt_flush(db), "a flush");
	(void)full_disk_done(silt_compact(db), "a compaction");
	full_disk_no_fault(db);
	full_disk_check_values(db, n);
	assert_int_equal(unlink(ballast), 0);
	full_disk_wait(db, "room", 0);
	full_disk_ballast(ballast);
	(void)silt_close(db);                                     /* closed, and opened if it can be, where there is no room at all */
	if (silt_open(store, &o, &db) == 0) {
		full_disk_check_values(db, n);
		(void)silt_close(db);
	}
	assert_int_equal(unlink(ballast), 0);
	assert_int_equal(silt_open(store, &o, &db), 0);
	full_disk_check_values(db, n);
	full_disk_wait(db, "opened", 0);
	assert_int_equal(silt_verify(db, NULL, NULL), 0);
	assert_int_equal(silt_close(db), 0);
}

/* Also where the test fails nothing stays mounted. */
static int full_disk_mount(void **state)
{
	char *dir = test_mkdir();

	if (mount("none", dir, "tmpfs", MS_NOSUID | MS_NODEV, "size=64m") == 0) {
		*state = dir;
		return 0;
	}
	print_message("nothing can be mounted here: %s\n", strerror(errno));
	test_rmdir(dir);
	*state = NULL;
	return 0;
}

static int full_disk_unmount(void **state)
{
	char *dir = *state;

	if (dir && umount2(dir, MNT_DETACH) != 0)
		return -1;
	test_rmdir(dir);
	return 0;
}

static void test_full_disk__a_real_one_of_64_mib(void **state)
{
	if (!*state)
		skip();
	full_disk_story(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full_disk__whatever_room_is_left_nothing_breaks),
		cmocka_unit_test(test_full_disk__is_refused_early_and_helped_by_deletes),
		cmocka_unit_test_setup_teardown(test_full_disk__a_real_one_of_64_mib, full_disk_mount, full_disk_unmount),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
