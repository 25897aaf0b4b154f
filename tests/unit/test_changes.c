/* SPDX-License-Identifier: Apache-2.0 */
/* test_changes.c - what was written after a version, in order, also beside writers, and never too much kept. */
#include "lib/changekit.h"

#include <inttypes.h>

#include "db/db.h"

/* ---- what is given ---------------------------------------------------------------------------------------------------------- */

static void changes_write_batch(struct dbkit *k)
{
	struct silt_put_options o = { .expires_ms = UINT64_C(1) << 42, .meta = STR("text/plain") };
	silt_batch *b = NULL;

	assert_int_equal(silt_batch_new(&b), 0);
	assert_int_equal(silt_batch_put(b, STR("c"), STR("lost"), NULL, 0), 0);
	assert_int_equal(silt_batch_put(b, STR("d"), STR("4"), &o, 0), 0);
	assert_int_equal(silt_batch_delete(b, STR("a"), 0), 0);
	assert_int_equal(silt_batch_put(b, STR("c"), STR(""), NULL, 0), 0);       /* the last one wins */
	assert_int_equal(silt_write(k->db, b, 0, NULL), 0);
	silt_batch_free(b);
}

static void test_changes__are_given_in_commit_order_batches_whole(void **state)
{
	silt_changes *c = NULL;
	struct dbkit k;

	(void)state;
	changekit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_string_equal(changekit_since(&k, 0), "");
	assert_int_equal(silt_changes_new(k.db, 0, &c), 0);
	assert_string_equal(changekit_read(c), "");
	assert_int_equal(silt_changes_version(c), 0);
	assert_int_equal(dbkit_put(&k, "a", "1"), 0);
	assert_int_equal(dbkit_put(&k, "b", "2"), 0);
	assert_string_equal(changekit_read(c), "1+a=1 2+b=2 ");
	assert_string_equal(changekit_read(c), "");
	assert_int_equal(silt_changes_version(c), 2);
	changes_write_batch(&k);
	assert_int_equal(dbkit_delete(&k, "b"), 0);
	assert_string_equal(changekit_read(c), "3+d=4@4398046511104[text/plain],-a,+c= 4-b ");
	assert_string_equal(changekit_since(&k, 0), "1+a=1 2+b=2 3+d=4@4398046511104[text/plain],-a,+c= 4-b ");
	assert_string_equal(changekit_since(&k, 3), "4-b ");
	assert_string_equal(changekit_since(&k, 4), "");
	silt_changes_close(c);
	dbkit_fini(&k);
}

static void test_changes__misuse_is_refused(void **state)
{
	silt_changes *c = NULL;
	struct dbkit k;

	(void)state;
	changekit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "a", "1"), 0);
	assert_int_equal(silt_changes_new(NULL, 0, &c), SILT_E_MISUSE);
	assert_int_equal(silt_changes_new(k.db, 0, NULL), SILT_E_MISUSE);
	assert_int_equal(silt_changes_new(k.db, 2, &c), SILT_E_MISUSE);           /* the store has not got so far */
	assert_null(c);
	silt_changes_close(NULL);
	dbkit_fini(&k);
	changekit_init(&k);
	k.opts.change_log_size = (UINT64_C(1) << 40) + 1;
	assert_int_equal(dbkit_open(&k), SILT_E_MISUSE);
	dbkit_fini(&k);
}

/* In the middle of a batch a reader's version is still the one before it. */
static void test_changes__the_version_moves_with_whole_batches(void **state)
{
	silt_changes *c = NULL;
	struct silt_change ch;
	struct dbkit k;

	(void)state;
	changekit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "a", "1"), 0);
	changes_write_batch(&k);
	assert_int_equal(silt_changes_new(k.db, 1, &c), 0);
	assert_int_equal(silt_changes_version(c), 1);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(silt_changes_next(c, &ch), 0);
		assert_int_equal(ch.version, 2);
		assert_int_equal(ch.last, i == 2);
		assert_int_equal(silt_changes_version(c), i == 2 ? 2 : 1);
	}
	silt_changes_close(c);
	assert_int_equal(silt_changes_new(k.db, 0, &c), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(silt_changes_next(c, &ch), 0);
	silt_changes_close(c);            /* within a batch, its segment held */
	dbkit_fini(&k);
}

static void test_changes__what_is_not_synced_is_not_shown(void **state)
{
	silt_changes *c = NULL;
	struct dbkit k;

	(void)state;
	changekit_init(&k);
	k.opts.sync_interval_ms = 60000;
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "a", "1"), 0);
	assert_int_equal(dbkit_put_async(&k, "b", "2"), 0);
	assert_string_equal(changekit_since(&k, 0), "1+a=1 ");
	assert_int_equal(silt_changes_new(k.db, 2, &c), 0);       /* published: its writer knows that version */
	assert_string_equal(changekit_read(c), "");
	assert_int_equal(silt_changes_version(c), 2);
	assert_int_equal(silt_sync(k.db), 0);
	assert_string_equal(changekit_since(&k, 0), "1+a=1 2+b=2 ");
	assert_string_equal(changekit_read(c), "");
	assert_int_equal(dbkit_put_async(&k, "c", "3"), 0);
	assert_int_equal(dbkit_put(&k, "d", "4"), 0);             /* its sync covers both */
	assert_string_equal(changekit_read(c), "3+c=3 4+d=4 ");
	silt_changes_close(c);
	dbkit_fini(&k);
}

/* Half of a segment in one value, and a store that is only read. */
static void test_changes__large_values_and_a_read_only_store(void **state)
{
	struct dbkit k;

	(void)state;
	changekit_init(&k);
	k.opts.change_log_size = 64 * CHANGEKIT_SEGMENT;
	assert_int_equal(dbkit_open(&k), 0);
	changekit_write(&k, 12, CHANGEKIT_SEGMENT / 2 - 200);
	changekit_write(&k, 12, 100);
	changekit_expect_all(&k, 0, 24);
	changekit_expect_all(&k, 17, 7);
	assert_int_equal(dbkit_close(&k), 0);
	k.opts.read_only = true;
	assert_int_equal(dbkit_open(&k), 0);
	changekit_expect_all(&k, changekit_oldest(&k), 12);
	dbkit_fini(&k);
}

/* Places that were noted lead to the right record, whatever the version; also for a reader that rests at each. */
static void test_changes__a_reader_may_begin_after_any_version(void **state)
{
	silt_changes *c = NULL;
	char want[64];
	struct dbkit k;

	(void)state;
	changekit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(silt_changes_new(k.db, 0, &c), 0);
	for (uint64_t v = 1; v <= 240; v++) {
		changekit_write(&k, 1, 900);
		if (v % 3)
			continue;
		snprintf(want, sizeof(want), "%" PRIu64 "+", v - 2);
		assert_memory_equal(changekit_read(c), want, strlen(want));
	}
	silt_changes_close(c);
	assert_true(k.db->wal_link->place_count >= 3);
	for (uint64_t v = 0; v <= 240; v++)
		changekit_expect_all(&k, v, 240 - v);
	dbkit_fini(&k);
}

/* ---- what is kept ----------------------------------------------------------------------------------------------------------- */

static void test_changes__without_a_change_log_what_is_there_is_given(void **state)
{
	silt_changes *c = NULL;
	struct dbkit k;

	(void)state;
	changekit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(changekit_oldest(&k), 0);
	for (int i = 0; i < 6; i++)
		changekit_segment(&k);
	assert_true(changekit_oldest(&k) > 0);
	assert_int_equal(silt_changes_new(k.db, 0, &c), SILT_E_EXPIRED);
	assert_int_equal(silt_changes_new(k.db, changekit_oldest(&k) - 1, &c), SILT_E_EXPIRED);
	changekit_expect_all(&k, changekit_oldest(&k), 0);
	changekit_write(&k, 5, 100);
	changekit_expect_all(&k, changekit_oldest(&k), 5);
	assert_true(changekit_kept(&k) <= CHANGEKIT_SEGMENT);
	assert_true(dbkit_files(&k, "db", ".wal") <= 3);
	dbkit_fini(&k);
}

/* The promise both ways: no less than change_log_size in whole segments, no more than that and the one to recycle. */
static void test_changes__change_log_size_is_kept_to(void **state)
{
	uint64_t flushed_at[40], newest;
	struct dbkit k;

	(void)state;
	changekit_init(&k);
	k.opts.change_log_size = 5 * CHANGEKIT_SEGMENT + CHANGEKIT_SEGMENT / 2;
	assert_int_equal(dbkit_open(&k), 0);
	for (int i = 0; i < 40; i++) {
		if (i % 13 == 12) {
			assert_int_equal(dbkit_close(&k), 0);
			assert_int_equal(dbkit_open(&k), 0);
		}
		flushed_at[i] = k.db->last_version;
		changekit_segment(&k);
		assert_true(changekit_kept(&k) <= 6 * CHANGEKIT_SEGMENT);
		assert_true(dbkit_files(&k, "db", ".wal") <= 5 + 1 + 2);
		if (i >= 5)               /* an opening may have left a segment with nothing in it */
			assert_true(changekit_oldest(&k) <= flushed_at[i - 3]);
		changekit_expect_all(&k, changekit_oldest(&k), i < 5 ? 20 * (unsigned)(i + 1) : 80);
	}
	newest = changekit_newest(&k);
	assert_int_equal(dbkit_close(&k), 0);
	k.opts.change_log_size = CHANGEKIT_SEGMENT;  /* less of it from now on */
	assert_int_equal(dbkit_open(&k), 0);
	assert_true(changekit_kept(&k) <= 2 * CHANGEKIT_SEGMENT);
	assert_true(dbkit_files(&k, "db", ".wal") <= 4);
	assert_true(changekit_oldest(&k) <= newest);      /* what is left may be a segment with nothing in it */
	changekit_expect_all(&k, changekit_oldest(&k), 0);
	dbkit_fini(&k);
}

/* Beside a reader that stands still its segment is neither recycled nor its bytes lost; what comes after it may be gone. */
static void test_changes__a_slow_reader_ends_its_segment_and_has_expired(void **state)
{
	silt_changes *slow = NULL, *resting = NULL;
	struct silt_change ch;
	uint64_t n = 1;
	struct dbkit k;
	int rc;

	(void)state;
	changekit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	changekit_write(&k, 20, 2000);
	assert_int_equal(silt_changes_new(k.db, 0, &slow), 0);
	assert_int_equal(silt_changes_new(k.db, 0, &resting), 0);
	assert_int_equal(silt_changes_next(slow, &ch), 0);
	(void)changekit_read(resting);
	for (int i = 0; i < 12; i++)
		changekit_segment(&k);
	for (; (rc = silt_changes_next(slow, &ch)) == 0; n++) {
		char text[32];

		assert_int_equal(ch.version, n + 1);
		snprintf(text, sizeof(text), "%" PRIu64 " ", ch.version);
		assert_memory_equal(ch.value.data, text, strlen(text));
	}
	assert_int_equal(rc, SILT_E_EXPIRED);
	assert_true(n >= 20 && n <= 60);
	assert_int_equal(silt_changes_version(slow), n);
	assert_int_equal(silt_changes_next(slow, &ch), SILT_E_EXPIRED);
	assert_int_equal(silt_changes_next(resting, &ch), SILT_E_EXPIRED);
	assert_int_equal(silt_changes_version(resting), 20);
	silt_changes_close(slow);
	silt_changes_close(resting);
	assert_int_equal(k.last_error[0], '\0');
	dbkit_fini(&k);
}

/* The files of segments that somebody reads are not what the next ones are made of. */
static void test_changes__what_is_read_is_not_recycled(void **state)
{
	silt_changes *c[10] = { NULL };
	struct silt_change ch;
	struct dbkit k;

	(void)state;
	changekit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	for (int i = 0; i < 10; i++) {
		uint64_t from = k.db->last_version;

		changekit_write(&k, 20, 2000);
		assert_int_equal(silt_changes_new(k.db, from, &c[i]), 0);
		assert_int_equal(silt_changes_next(c[i], &ch), 0);
		assert_int_equal(silt_flush(k.db), 0);
	}
	for (int i = 0; i < 10; i++) {
		for (uint64_t v = 20 * (uint64_t)i + 2; v <= 20 * (uint64_t)i + 20; v++) {
			char text[32];

			assert_int_equal(silt_changes_next(c[i], &ch), 0);
			assert_int_equal(ch.version, v);
			snprintf(text, sizeof(text), "%" PRIu64 " ", v);
			assert_memory_equal(ch.value.data, text, strlen(text));
		}
		silt_changes_close(c[i]);
	}
	dbkit_fini(&k);
}

/* ---- beside writers ------------------------------------------------------------------------------------------------------------ */

enum { WRITERS = 3, READERS = 3, PER_WRITER = 400 };

static struct {
	silt_db *db;
	_Atomic unsigned writing;
} R;

/* What a thread has to complain about. */
static void *changes_said(const char *text)
{
	return (void *)(uintptr_t)text;
}

static void *changes_writer(void *arg)
{
	char key[32], value[600];

	for (unsigned i = 0; i < PER_WRITER; i++) {
		snprintf(key, sizeof(key), "w%u", (unsigned)(uintptr_t)arg);
		memset(value, 'v', sizeof(value));
		snprintf(value, sizeof(value), "%u", i);
		if (silt_put(R.db, STR(key), (struct silt_slice){ value, sizeof(value) }, NULL) != 0)
			return changes_said("a write failed");
	}
	atomic_fetch_sub(&R.writing, 1);
	return NULL;
}

/* Each writer's puts come in its order, each once, and versions have no holes. */
static void *changes_follower(void *arg)
{
	unsigned next[WRITERS] = { 0 };
	silt_changes *c = NULL;
	struct silt_change ch;
	uint64_t version = 0;
	const char *said = NULL;

	(void)arg;
	if (silt_changes_new(R.db, 0, &c) != 0)
		return changes_said("silt_changes_new");
	while (!said && version < WRITERS * PER_WRITER) {
		int rc = silt_changes_next(c, &ch);

		if (rc == SILT_END) {
			if (silt_changes_wait(R.db, version, 60000) != 0)
				said = "nothing came for a minute";
		} else if (rc != 0) {
			said = silt_strerror(rc);
		} else if (ch.version != ++version) {
			said = "a version is missing";
		} else if (strtoul(ch.value.data, NULL, 10) != next[((const char *)ch.key.data)[1] - '0']++) {
			said = "out of order";
		}
	}
	silt_changes_close(c);
	return changes_said(said);
}

/* One that comes and goes, at any version that there is. */
static void *changes_visitor(void *arg)
{
	uint64_t random = 88172645463325252u, oldest, newest;
	struct silt_change ch;

	(void)arg;
	while (atomic_load(&R.writing)) {
		silt_changes *c = NULL;
		uint64_t version;
		int rc;

		silt_changes_reach(R.db, &oldest, &newest);
		if (newest < oldest)
			return changes_said("the reach begins behind its end");
		version = oldest + test_random(&random) % (newest - oldest + 1);
		rc = silt_changes_new(R.db, version, &c);
		if (rc == SILT_E_EXPIRED)
			continue;
		for (int i = 0; rc == 0 && i < 30; i++) {
			rc = silt_changes_next(c, &ch);
			if (rc == 0 && ch.version != ++version)
				return changes_said("a visitor misses a version");
		}
		silt_changes_close(c);
		if (rc < 0 && rc != SILT_E_EXPIRED)
			return changes_said(silt_strerror(rc));
	}
	return NULL;
}

static void changes_join(pthread_t t)
{
	void *said;

	assert_int_equal(pthread_join(t, &said), 0);
	if (said)
		fail_msg("%s", (const char *)said);
}

static void test_changes__readers_beside_writers(void **state)
{
	pthread_t t[WRITERS + READERS + 1];
	struct dbkit k;
	int n = 0;

	(void)state;
	dbkit_init(&k);
	k.opts.change_log_size = 64 * CHANGEKIT_SEGMENT;
	assert_int_equal(dbkit_open(&k), 0);
	R.db = k.db;
	R.writing = WRITERS;
	for (uintptr_t i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&t[n++], NULL, i ? changes_follower : changes_visitor, NULL), 0);
	for (uintptr_t i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&t[n++], NULL, changes_writer, (void *)i), 0);
	while (n > 0)
		changes_join(t[--n]);
	dbkit_fini(&k);
}

/* Nothing is kept: readers race with the recycling of what they want to begin in. */
static void test_changes__visitors_beside_recycling(void **state)
{
	pthread_t t[WRITERS + 2];
	struct dbkit k;
	int n = 0;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	R.db = k.db;
	R.writing = WRITERS;
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&t[n++], NULL, changes_visitor, NULL), 0);
	for (uintptr_t i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&t[n++], NULL, changes_writer, (void *)i), 0);
	while (n > 0)
		changes_join(t[--n]);
	dbkit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes__are_given_in_commit_order_batches_whole),
		cmocka_unit_test(test_changes__misuse_is_refused),
		cmocka_unit_test(test_changes__the_version_moves_with_whole_batches),
		cmocka_unit_test(test_changes__what_is_not_synced_is_not_shown),
		cmocka_unit_test(test_changes__large_values_and_a_read_only_store),
		cmocka_unit_test(test_changes__a_reader_may_begin_after_any_version),
		cmocka_unit_test(test_changes__without_a_change_log_what_is_there_is_given),
		cmocka_unit_test(test_changes__change_log_size_is_kept_to),
		cmocka_unit_test(test_changes__a_slow_reader_ends_its_segment_and_has_expired),
		cmocka_unit_test(test_changes__what_is_read_is_not_recycled),
		cmocka_unit_test(test_changes__readers_beside_writers),
		cmocka_unit_test(test_changes__visitors_beside_recycling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
