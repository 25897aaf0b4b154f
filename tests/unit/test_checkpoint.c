/* SPDX-License-Identifier: Apache-2.0 */
/* test_checkpoint.c - the store at one version, in a directory of its own: whole or absent, whatever happens meanwhile. */
#include "lib/test.h"

#include <pthread.h>
#include <stdatomic.h>

#include "lib/dbkit.h"
#include "lib/simcuts.h"
#include "lib/simfail.h"

/* A copy opened beside, as a store of its own. */
static silt_db *open_at(struct dbkit *k, const char *dir)
{
	struct silt_options o = k->opts;
	silt_db *db = NULL;

	o.create = false;
	assert_int_equal(silt_open(dir, &o, &db), 0);
	return db;
}

static int get(silt_db *db, const char *key, char *out, size_t room)
{
	struct silt_buf value = { 0 };
	int rc = silt_get(db, STR(key), NULL, 0, &value, NULL);

	if (rc == 0)
		snprintf(out, room, "%.*s", (int)value.len, value.len ? (const char *)value.data : "");
	silt_buf_free(&value);
	return rc;
}

static void expect(silt_db *db, const char *key, const char *value)
{
	char got[256];
	int rc = get(db, key, got, sizeof(got));

	assert_int_equal(rc, value ? 0 : SILT_NOTFOUND);
	if (value)
		assert_string_equal(got, value);
}

static void test_checkpoint__holds_what_was_written_before_and_nothing_after(void **state)
{
	struct dbkit k;
	uint64_t before, version = 0, written;
	silt_db *copy;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "a", "1"), 0);
	assert_int_equal(dbkit_put(&k, "gone", "1"), 0);
	assert_int_equal(dbkit_delete(&k, "gone"), 0);
	assert_int_equal(silt_put(k.db, STR("b"), STR("1"), &before), 0);
	assert_int_equal(silt_checkpoint(k.db, "one", &version), 0);
	assert_true(version == before);
	assert_int_equal(dbkit_put(&k, "a", "2"), 0);
	assert_int_equal(dbkit_put(&k, "c", "2"), 0);
	assert_int_equal(silt_compact(k.db), 0);          /* the store lets go of the tables */

	copy = open_at(&k, "db/checkpoints/one");
	expect(copy, "a", "1");
	expect(copy, "b", "1");
	expect(copy, "c", NULL);
	expect(copy, "gone", NULL);
	assert_int_equal(silt_verify(copy, NULL, NULL), 0);
	assert_int_equal(silt_put(copy, STR("c"), STR("its own"), &written), 0);
	assert_true(written == version + 1);              /* it ended in order: no jump */
	assert_int_equal(silt_close(copy), 0);
	assert_string_equal(dbkit_get(&k, "a"), "2");
	assert_string_equal(dbkit_get(&k, "c"), "2");
	dbkit_fini(&k);
}

static void test_checkpoint__of_an_empty_store_opens(void **state)
{
	struct dbkit k;
	uint64_t version = 7;
	silt_db *copy;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(silt_checkpoint(k.db, "empty", &version), 0);
	assert_true(version == 0);
	copy = open_at(&k, "db/checkpoints/empty");
	expect(copy, "a", NULL);
	assert_int_equal(silt_put(copy, STR("a"), STR("1"), NULL), 0);
	assert_int_equal(silt_close(copy), 0);
	dbkit_fini(&k);
}

static void test_checkpoint__shares_tables_by_links_and_never_a_log(void **state)
{
	struct dbkit k;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "a", "1"), 0);
	assert_int_equal(silt_checkpoint(k.db, "one", NULL), 0);
	assert_int_equal(dbkit_files(&k, "db/checkpoints/one", ".sst"), 1);
	assert_int_equal(dbkit_files(&k, "db/checkpoints/one", ".wal"), 1);
	assert_int_equal(dbkit_files(&k, "db/checkpoints", ".tmp"), 0);
	for (unsigned n = 1; n < 40; n++) {
		silt_os *os = simdisk_os(k.disk);
		struct os_stat st;
		char path[64];

		snprintf(path, sizeof(path), "db/checkpoints/one/%06u.wal", n);
		if (os->stat(os, path, &st) == 0)
			assert_int_equal(st.links, 1);
		snprintf(path, sizeof(path), "db/checkpoints/one/%06u.sst", n);
		if (os->stat(os, path, &st) == 0)
			assert_int_equal(st.links, 2);
	}
	dbkit_fini(&k);
}

static void test_checkpoint__names_are_checked_and_taken_once(void **state)
{
	static const char *const bad[] = { "", ".", "..", ".hidden", "a/b", "a b", "x.tmp", "\xc3\xa9" };
	char long_name[SILT_CHECKPOINT_NAME_MAX + 2];
	struct dbkit k;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(silt_checkpoint(k.db, bad[i], NULL), SILT_E_MISUSE);
		assert_int_equal(silt_checkpoint_remove(k.db, bad[i]), SILT_E_MISUSE);
	}
	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	assert_int_equal(silt_checkpoint(k.db, long_name, NULL), SILT_E_MISUSE);
	assert_int_equal(silt_checkpoint(k.db, long_name + 1, NULL), 0);
	assert_int_equal(silt_checkpoint(k.db, NULL, NULL), SILT_E_MISUSE);
	assert_int_equal(silt_checkpoint(k.db, "2024-01-01_a.b", NULL), 0);
	assert_int_equal(silt_checkpoint(k.db, "2024-01-01_a.b", NULL), SILT_CONFLICT);
	assert_int_equal(silt_checkpoint_remove(k.db, "other"), SILT_NOTFOUND);
	dbkit_fini(&k);
}

struct listed {
	size_t n, damaged;
	uint64_t versions;
	bool stop;
};

static int list_one(void *ctx, const struct silt_checkpoint_info *info)
{
	struct listed *l = ctx;

	assert_true(strncmp(info->name, "c-", 2) == 0);
	l->n++;
	l->damaged += info->damage != 0;
	if (!info->damage)
		l->versions += info->version;
	return l->stop;
}

static void test_checkpoint__list_and_remove(void **state)
{
	struct listed all = { 0 }, some = { .stop = true }, left = { 0 }, hurt = { 0 };
	uint64_t a = 0, b = 0;
	struct dbkit k;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(silt_checkpoint_list(k.db, list_one, &all), 0);
	assert_int_equal(all.n, 0);
	assert_int_equal(dbkit_put(&k, "a", "1"), 0);
	assert_int_equal(silt_checkpoint(k.db, "c-a", &a), 0);
	assert_int_equal(dbkit_put(&k, "a", "2"), 0);
	assert_int_equal(silt_checkpoint(k.db, "c-b", &b), 0);
	assert_int_equal(silt_checkpoint_list(k.db, list_one, &all), 0);
	assert_int_equal(all.n, 2);
	assert_true(all.versions == a + b && a < b);
	assert_int_equal(silt_checkpoint_list(k.db, list_one, &some), SILT_END);
	assert_int_equal(some.n, 1);
	assert_int_equal(silt_checkpoint_remove(k.db, "c-a"), 0);
	assert_int_equal(silt_checkpoint_list(k.db, list_one, &left), 0);
	assert_int_equal(left.n, 1);
	assert_true(left.versions == b);
	assert_false(dbkit_exists(&k, "db/checkpoints/c-a"));
	assert_false(dbkit_exists(&k, "db/checkpoints/c-a.tmp"));
	assert_int_equal(simdisk_flip(k.disk, "db/checkpoints/c-b/MANIFEST", 4096 + 40, 1), 0);
	assert_int_equal(silt_checkpoint_list(k.db, list_one, &hurt), 0);
	assert_int_equal(hurt.damaged, 1);
	assert_string_equal(dbkit_get(&k, "a"), "2");     /* none of the store's own business */
	dbkit_fini(&k);
}

/* Ends it at the first call. */
static int checkpoint_told(void *ctx, uint64_t done, uint64_t total)
{
	int *calls = ctx;

	assert_true(done > 0 && done <= total);
	return ++*calls == 1;
}

static void test_checkpoint__elsewhere_copies_what_it_can_not_link(void **state)
{
	struct dbkit k;
	silt_os *os;
	silt_db *copy;
	int calls = 0;

	(void)state;
	dbkit_init(&k);
	k.opts.progress = checkpoint_told;
	k.opts.progress_ctx = &calls;
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "a", "1"), 0);
	assert_int_equal(silt_checkpoint_to(k.db, "linked/", 0, NULL), 0);
	assert_int_equal(calls, 0);
	assert_int_equal(silt_checkpoint_to(k.db, "linked", 0, NULL), SILT_CONFLICT);
	simdisk_fail_at(k.disk, SIM_LINK, 1, SILT_E_IO, true);
	assert_int_equal(silt_checkpoint_to(k.db, "copied", 0, NULL), SILT_E_IO);
	assert_non_null(strstr(k.last_error, "ask for a copy"));
	assert_false(dbkit_exists(&k, "copied"));
	assert_false(dbkit_exists(&k, "copied.tmp"));
	assert_int_equal(silt_checkpoint_to(k.db, "copied", SILT_CHECKPOINT_COPY, NULL), SILT_END);
	assert_false(dbkit_exists(&k, "copied"));
	assert_false(dbkit_exists(&k, "copied.tmp"));
	assert_int_equal(silt_checkpoint_to(k.db, "copied", SILT_CHECKPOINT_COPY, NULL), 0);
	assert_int_equal(calls, 2);
	simdisk_fail_at(k.disk, SIM_LINK, 0, 0, false);
	assert_int_equal(silt_checkpoint_to(k.db, "x", 2, NULL), SILT_E_MISUSE);
	assert_int_equal(silt_checkpoint_to(k.db, "", 0, NULL), SILT_E_MISUSE);
	os = simdisk_os(k.disk);
	assert_int_equal(os->mkdir(os, "third.tmp"), 0);
	assert_int_equal(silt_checkpoint_to(k.db, "third", 0, NULL), SILT_E_MISUSE);
	assert_true(dbkit_exists(&k, "third.tmp"));       /* not ours to take */
	assert_int_equal(silt_checkpoint_to(k.db, "no/such/place", 0, NULL), SILT_E_IO);
	copy = open_at(&k, "copied");
	expect(copy, "a", "1");
	assert_int_equal(silt_close(copy), 0);
	copy = open_at(&k, "linked");
	expect(copy, "a", "1");
	assert_int_equal(silt_close(copy), 0);
	dbkit_fini(&k);
}

/* ---- while writes go on -------------------------------------------------------------------------------------------------- */

enum { PAIRS = 40, ROUNDS = 8 };
static atomic_bool stop_writing;

/* Each batch sets both halves of a pair to the same text, and "last" to its count. */
static void *write_pairs(void *arg)
{
	struct dbkit *k = arg;
	char left[32], right[32], value[600];

	memset(value, 'v', sizeof(value));
	for (unsigned n = 1; !atomic_load(&stop_writing); n++) {
		silt_batch *b = NULL;

		snprintf(left, sizeof(left), "left%u", n % PAIRS);
		snprintf(right, sizeof(right), "right%u", n % PAIRS);
		snprintf(value, 12, "%010u", n);
		value[10] = 'v';
		assert_int_equal(silt_batch_new(&b), 0);
		assert_int_equal(silt_batch_put(b, STR(left), ((struct silt_slice){ value, sizeof(value) }), NULL, 0), 0);
		assert_int_equal(silt_batch_put(b, STR(right), ((struct silt_slice){ value, sizeof(value) }), NULL, 0), 0);
		assert_int_equal(silt_batch_put(b, STR("last"), ((struct silt_slice){ value, 10 }), NULL, 0), 0);
		assert_int_equal(silt_write(k->db, b, n % 3 ? SILT_ASYNC : 0, NULL), 0);
		silt_batch_free(b);
	}
	return NULL;
}

/* Pair n % PAIRS for the last PAIRS batches up to `last`: nothing missing, nothing newer. */
static void check_pairs(silt_db *db)
{
	char key[32], left[1024], right[1024];
	unsigned last = 0;

	if (get(db, "last", left, sizeof(left)) == 0)
		last = (unsigned)strtoul(left, NULL, 10);
	for (unsigned n = last > PAIRS ? last - PAIRS + 1 : 1; n <= last; n++) {
		snprintf(key, sizeof(key), "left%u", n % PAIRS);
		assert_int_equal(get(db, key, left, sizeof(left)), 0);
		snprintf(key, sizeof(key), "right%u", n % PAIRS);
		assert_int_equal(get(db, key, right, sizeof(right)), 0);
		assert_string_equal(left, right);
		assert_int_equal(strtoul(left, NULL, 10), n);
	}
}

static void test_checkpoint__is_one_moment_while_writes_go_on(void **state)
{
	struct dbkit k;
	pthread_t writer;
	char name[32], path[64];

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	atomic_store(&stop_writing, false);
	assert_int_equal(pthread_create(&writer, NULL, write_pairs, &k), 0);
	for (int i = 0; i < ROUNDS; i++) {
		snprintf(name, sizeof(name), "r%d", i);
		assert_int_equal(silt_checkpoint(k.db, name, NULL), 0);
	}
	atomic_store(&stop_writing, true);
	pthread_join(writer, NULL);
	for (int i = 0; i < ROUNDS; i++) {
		silt_db *copy;

		snprintf(path, sizeof(path), "db/checkpoints/r%d", i);
		copy = open_at(&k, path);
		check_pairs(copy);
		assert_int_equal(silt_verify(copy, NULL, NULL), 0);
		assert_int_equal(silt_close(copy), 0);
	}
	dbkit_fini(&k);
}

/* ---- crashes at every sync point -------------------------------------------------------------------------------------------- */

/* Takes the copy: the store is intact, a checkpoint is whole or not there, no .tmp is left. */
static void judge(struct simdisk *disk, bool *seen)
{
	struct dbkit k;

	dbkit_init_on(&k, disk);
	assert_int_equal(dbkit_open(&k), 0);
	assert_string_equal(dbkit_get(&k, "a"), "1");
	assert_string_equal(dbkit_get(&k, "b"), "2");
	assert_int_equal(dbkit_files(&k, "db/checkpoints", ".tmp"), 0);
	if (dbkit_exists(&k, "db/checkpoints/cp")) {
		silt_db *copy = open_at(&k, "db/checkpoints/cp");

		*seen = true;
		expect(copy, "a", "1");
		expect(copy, "b", "2");
		assert_int_equal(silt_verify(copy, NULL, NULL), 0);
		assert_int_equal(silt_close(copy), 0);
		assert_int_equal(silt_checkpoint_remove(k.db, "cp"), 0);
	}
	assert_int_equal(silt_checkpoint(k.db, "cp", NULL), 0);
	assert_int_equal(silt_verify(k.db, NULL, NULL), 0);
	dbkit_fini(&k);
}

static void test_checkpoint__a_crash_leaves_it_whole_or_absent(void **state)
{
	static struct simcuts cuts;
	bool seen = false;
	struct dbkit k;
	size_t made;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "a", "1"), 0);
	assert_int_equal(silt_flush(k.db), 0);
	assert_int_equal(dbkit_put(&k, "b", "2"), 0);
	simcuts_begin(&cuts, k.disk);
	assert_int_equal(silt_checkpoint(k.db, "cp", NULL), 0);
	made = cuts.n;
	assert_int_equal(silt_checkpoint_remove(k.db, "cp"), 0);
	simcuts_end(&cuts);
	assert_true(made > 40 && cuts.n > made);
	for (size_t i = 0; i < cuts.n; i++)
		judge(cuts.cuts[i].disk, &seen);
	assert_true(seen);
	dbkit_fini(&k);
}

/* Once it returned, a crash that loses all that is not synced leaves it. */
static void test_checkpoint__is_durable_when_it_returns(void **state)
{
	bool seen = false;
	struct dbkit k;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "a", "1"), 0);
	assert_int_equal(dbkit_put(&k, "b", "2"), 0);
	assert_int_equal(silt_checkpoint(k.db, "cp", NULL), 0);
	judge(simdisk_crash_copy(k.disk, SIM_LOSE_ALL, 1), &seen);
	assert_true(seen);
	dbkit_fini(&k);
}

/* ---- the n-th failure ----------------------------------------------------------------------------------------------------------- */

static void prepare(struct dbkit *k)
{
	dbkit_init(k);
	assert_int_equal(dbkit_open(k), 0);
	assert_int_equal(dbkit_put(k, "a", "1"), 0);
	assert_int_equal(dbkit_put(k, "b", "2"), 0);
	assert_int_equal(silt_flush(k->db), 0);
}

/* One n; true when fewer calls were made. What failed leaves nothing of the name; the store and a second try are fine. */
static bool fail_once(enum simdisk_call kind, uint64_t n, bool copy)
{
	struct simfail f;
	struct dbkit k;
	uint64_t asked;
	bool seen = false;
	int rc;

	prepare(&k);
	if (copy) {
		silt_os *os = simdisk_os(k.disk);

		assert_int_equal(os->mkdir(os, "db/checkpoints"), 0);
		assert_int_equal(os->dirsync(os, "db"), 0);
		simdisk_fail_at(k.disk, SIM_LINK, 1, SILT_E_IO, true);
	}
	f = simfail_begin(k.disk, kind, n, SILT_E_IO, false);
	rc = copy ? silt_checkpoint_to(k.db, "db/checkpoints/cp", SILT_CHECKPOINT_COPY, NULL) : silt_checkpoint(k.db, "cp", NULL);
	asked = simfail_end(&f);
	simdisk_fail_at(k.disk, SIM_LINK, 0, 0, false);
	if (rc == 0 || kind == SIMFAIL_MEMORY)
		assert_int_equal(dbkit_files(&k, "db/checkpoints", ".tmp"), 0);
	(void)dbkit_close(&k);
	judge(simdisk_crash_copy(k.disk, SIM_KEEP_ALL, n), &seen);
	if (rc == 0)
		assert_true(seen);
	dbkit_fini(&k);
	return asked < n;
}

static void test_checkpoint__an_nth_failure_leaves_it_whole_or_absent(void **state)
{
	static const enum simdisk_call kinds[] = {
		SIM_OPEN, SIM_READ, SIM_WRITE, SIM_DATASYNC, SIM_RENAME, SIM_LINK, SIM_UNLINK, SIM_MKDIR, SIM_STAT, SIM_DIRSYNC,
		SIMFAIL_MEMORY,
	};

	(void)state;
	for (int copy = 0; copy < 2; copy++)
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			for (uint64_t n = 1; !(copy && kinds[i] == SIM_LINK) && !fail_once(kinds[i], n, copy); n++)
				assert_true(n < 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_checkpoint__holds_what_was_written_before_and_nothing_after),
		cmocka_unit_test(test_checkpoint__of_an_empty_store_opens),
		cmocka_unit_test(test_checkpoint__shares_tables_by_links_and_never_a_log),
		cmocka_unit_test(test_checkpoint__names_are_checked_and_taken_once),
		cmocka_unit_test(test_checkpoint__list_and_remove),
		cmocka_unit_test(test_checkpoint__elsewhere_copies_what_it_can_not_link),
		cmocka_unit_test(test_checkpoint__is_one_moment_while_writes_go_on),
		cmocka_unit_test(test_checkpoint__a_crash_leaves_it_whole_or_absent),
		cmocka_unit_test(test_checkpoint__is_durable_when_it_returns),
		cmocka_unit_test(test_checkpoint__an_nth_failure_leaves_it_whole_or_absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
