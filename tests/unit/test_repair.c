/* SPDX-License-Identifier: Apache-2.0 */
/* test_repair.c - what is lost is said exactly, before anything is changed; afterwards the store opens and the rest is intact. */
#include "lib/test.h"

#include <unistd.h>

#include "lib/dbkit.h"
#include "lib/simcuts.h"
#include "lib/simfail.h"

enum { ENTRIES = 24, BIG = 2048 };                /* words of a value: a block each */

/* ---- findings ----------------------------------------------------------------------------------------------------------- */

struct found {
	struct silt_repair_result sum;
	size_t kinds[8];
	uint64_t saved, lost, writes, first_version, last_version;
	char lower[64], upper[64];
	char text[4096];
};

static void find(void *ctx, const struct silt_finding *f)
{
	struct found *all = ctx;
	size_t n = strlen(all->text);

	all->kinds[f->kind]++;
	all->saved += f->entries_saved;
	all->lost += f->entries_lost;
	all->writes += f->writes_lost;
	if (f->kind == SILT_FOUND_LOG) {
		all->first_version = f->first_version;
		all->last_version = f->last_version;
	}
	if (f->kind == SILT_FOUND_RANGE) {
		snprintf(all->lower, sizeof(all->lower), "%.*s", (int)f->lower.len, (const char *)f->lower.data);
		snprintf(all->upper, sizeof(all->upper), "%.*s", (int)f->upper.len, (const char *)f->upper.data);
	}
	assert_non_null(f->text);
	assert_non_null(f->file);
	snprintf(all->text + n, sizeof(all->text) - n, "%s\n", f->text);
}

static int repair(struct dbkit *k, unsigned flags, struct found *out)
{
	int rc;

	memset(out, 0, sizeof(*out));
	rc = silt_repair("db", &k->opts, flags, find, out, &out->sum);
	if (getenv("SILT_VERBOSE"))
		fprintf(stderr, "%s", out->text);
	return rc;
}

/* Looking changes nothing, and finds the same twice. */
static void plan(struct dbkit *k, struct found *out)
{
	struct silt_buf before = { 0 }, after = { 0 };
	struct found again;

	dbkit_image(k, &before);
	assert_int_equal(repair(k, 0, out), SILT_E_CORRUPT);
	assert_int_equal(repair(k, 0, &again), SILT_E_CORRUPT);
	assert_string_equal(out->text, again.text);
	assert_false(out->sum.repaired);
	dbkit_image(k, &after);
	assert_string_equal(before.data, after.data);
	silt_buf_free(&before);
	silt_buf_free(&after);
}

/* ---- stores to damage ------------------------------------------------------------------------------------------------------ */

static const char *name_of(int i)
{
	static char key[16];

	snprintf(key, sizeof(key), "k%03d", i);
	return key;
}

static void put_big(struct dbkit *k, int i)
{
	static uint64_t value[BIG];
	uint64_t random = 1000 + (uint64_t)i;

	for (size_t j = 0; j < BIG; j++)
		value[j] = test_random(&random);
	assert_int_equal(silt_put(k->db, STR(name_of(i)), (struct silt_slice){ value, sizeof(value) }, NULL), 0);
}

/* ENTRIES values of 16 KiB below level 0, in a few tables; "small" keys in level 0; the rest in the log. */
static void make_store(struct dbkit *k)
{
	dbkit_init(k);
	k->opts.compaction_interval_ms = 24 * 3600 * 1000;
	assert_int_equal(dbkit_open(k), 0);
	for (int i = 0; i < ENTRIES; i++)
		put_big(k, i);
	assert_int_equal(silt_compact(k->db), 0);
	assert_int_equal(dbkit_put(k, "small", "1"), 0);
	assert_int_equal(silt_flush(k->db), 0);
	assert_int_equal(dbkit_put(k, "log1", "1"), 0);
	assert_int_equal(dbkit_put(k, "log2", "2"), 0);
	assert_int_equal(dbkit_put(k, "log3", "3"), 0);
	assert_int_equal(dbkit_close(k), 0);
}

struct pick_file {
	const char *suffix;
	uint64_t at_least, size;
	char path[64];
	struct dbkit *k;
	bool last;
};

static int pick_file(void *ctx, const char *name)
{
	struct pick_file *p = ctx;
	silt_os *os = simdisk_os(p->k->disk);
	size_t a = strlen(name), b = strlen(p->suffix);
	struct os_stat st;
	char path[64];

	if (a < b || strcmp(name + a - b, p->suffix) != 0)
		return 0;
	snprintf(path, sizeof(path), "db/%.50s", name);
	if (os->stat(os, path, &st) == 0 && st.size >= p->at_least &&
	    (!p->path[0] || (strcmp(path, p->path) > 0) == p->last)) {
		memcpy(p->path, path, sizeof(path));
		p->size = st.size;
	}
	return 0;
}

/* The first file (or last) of that suffix and size, by name. */
static struct pick_file file_of(struct dbkit *k, const char *suffix, uint64_t at_least, bool last)
{
	struct pick_file p = { .suffix = suffix, .at_least = at_least, .k = k, .last = last };
	silt_os *os = simdisk_os(k->disk);

	(void)os->list(os, "db", pick_file, &p);
	assert_true(p.path[0]);
	return p;
}

static int get_big(struct dbkit *k, int i)
{
	struct silt_buf value = { 0 };
	int rc = silt_get(k->db, STR(name_of(i)), NULL, 0, &value, NULL);

	if (rc == 0)
		assert_int_equal(value.len, BIG * 8);
	silt_buf_free(&value);
	return rc;
}

static int count_big(struct dbkit *k)
{
	int n = 0;

	for (int i = 0; i < ENTRIES; i++) {
		int rc = get_big(k, i);

		assert_true(rc == 0 || rc == SILT_NOTFOUND);
		n += rc == 0;
	}
	return n;
}

/* Repairs, and the store is a sound one that takes writes. */
static void apply(struct dbkit *k, struct found *out)
{
	struct found after;
	uint64_t version;

	assert_int_equal(repair(k, SILT_REPAIR_APPLY, out), 0);
	assert_true(out->sum.repaired);
	assert_int_equal(repair(k, 0, &after), 0);
	assert_int_equal(after.sum.findings, 0);
	assert_int_equal(dbkit_open(k), 0);
	assert_int_equal(silt_verify(k->db, NULL, NULL), 0);
	assert_int_equal(silt_put(k->db, STR("after"), STR("x"), &version), 0);
	assert_int_equal(silt_compact(k->db), 0);
	assert_string_equal(dbkit_get(k, "after"), "x");
}

static void test_repair__a_sound_store_is_left_alone(void **state)
{
	struct silt_buf before = { 0 }, after = { 0 };
	struct found f;
	struct dbkit k;

	(void)state;
	make_store(&k);
	dbkit_image(&k, &before);
	assert_int_equal(repair(&k, 0, &f), 0);
	assert_int_equal(repair(&k, SILT_REPAIR_APPLY, &f), 0);
	assert_int_equal(f.sum.findings, 0);
	assert_false(f.sum.repaired);
	dbkit_image(&k, &after);
	assert_string_equal(before.data, after.data);
	assert_int_equal(silt_repair("nowhere", &k.opts, 0, NULL, NULL, NULL), SILT_NOTFOUND);
	assert_int_equal(silt_repair("", &k.opts, 0, NULL, NULL, NULL), SILT_E_MISUSE);
	assert_int_equal(silt_repair("db", &k.opts, 2, NULL, NULL, NULL), SILT_E_MISUSE);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(repair(&k, 0, &f), SILT_E_BUSY);
	assert_int_equal(count_big(&k), ENTRIES);
	silt_buf_free(&before);
	silt_buf_free(&after);
	dbkit_fini(&k);
}

/* A torn tail was never acknowledged: the next opening deals with it. */
static void test_repair__a_torn_tail_is_no_damage(void **state)
{
	struct found f;
	struct dbkit k;

	(void)state;
	make_store(&k);
	assert_int_equal(dbkit_open(&k), 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(dbkit_put_async(&k, name_of(i), "x"), 0);
	dbkit_crash(&k, SIM_MIXED, 3);
	assert_int_equal(repair(&k, SILT_REPAIR_APPLY, &f), 0);
	assert_int_equal(f.sum.findings, 0);
	assert_int_equal(dbkit_open(&k), 0);
	dbkit_fini(&k);
}

/* ---- tables ------------------------------------------------------------------------------------------------------------------ */

struct told {
	uint64_t calls, done, total, stop_at;     /* stop_at: bytes from which on the answer is "stop" */
};

static int tell(void *ctx, uint64_t done, uint64_t total)
{
	struct told *t = ctx;

	assert_true(done >= t->done && done <= total && (t->calls == 0 || total == t->total));
	t->calls++;
	t->done = done;
	t->total = total;
	return done >= t->stop_at;
}

/* How far it is goes up to all of it; ended, also where it was to be applied, it changes nothing. */
static void test_repair__progress_is_told_and_can_end_it(void **state)
{
	struct silt_buf before = { 0 }, after = { 0 };
	struct told told = { .stop_at = UINT64_MAX };
	struct pick_file t;
	struct found f;
	struct dbkit k;

	(void)state;
	make_store(&k);
	k.opts.progress = tell;
	k.opts.progress_ctx = &told;
	assert_int_equal(repair(&k, 0, &f), 0);
	assert_true(told.calls > 2 && told.total > 0);
	assert_int_equal(told.done, told.total);
	t = file_of(&k, ".sst", 40000, false);
	assert_int_equal(simdisk_flip(k.disk, t.path, 20000, 1), 0);
	dbkit_image(&k, &before);
	for (uint64_t at = 0; at <= told.total; at += told.total / 8) {
		struct told less = { .stop_at = at };

		k.opts.progress_ctx = &less;
		assert_int_equal(repair(&k, SILT_REPAIR_APPLY, &f), SILT_END);
		assert_false(f.sum.repaired);
	}
	dbkit_image(&k, &after);
	assert_string_equal(before.data, after.data);
	silt_buf_free(&before);
	silt_buf_free(&after);
	dbkit_fini(&k);
}

static void test_repair__a_damaged_block_is_lost_alone(void **state)
{
	struct found said, done;
	struct pick_file t;
	struct dbkit k;
	int gone = 0;

	(void)state;
	make_store(&k);
	t = file_of(&k, ".sst", 40000, false);
	assert_int_equal(simdisk_flip(k.disk, t.path, 20000, 1), 0);     /* in the second block */
	plan(&k, &said);
	assert_int_equal(said.kinds[SILT_FOUND_TABLE], 1);
	assert_int_equal(said.kinds[SILT_FOUND_RANGE], 1);
	assert_int_equal(said.sum.findings, 2);
	assert_int_equal(said.lost, 1);
	assert_int_equal(said.sum.entries_lost, 1);
	assert_true(said.saved >= 1 && said.sum.entries_saved == said.saved);
	apply(&k, &done);
	assert_int_equal(done.lost, said.lost);
	assert_int_equal(done.saved, said.saved);
	assert_string_equal(done.lower, said.lower);
	for (int i = 0; i < ENTRIES; i++) {
		if (get_big(&k, i) == 0)
			continue;
		gone++;
		assert_true(strcmp(said.lower, name_of(i)) <= 0 && strcmp(name_of(i), said.upper) <= 0);
	}
	assert_int_equal(gone, 1);
	assert_string_equal(dbkit_get(&k, "small"), "1");
	assert_string_equal(dbkit_get(&k, "log3"), "3");
	assert_int_equal(dbkit_files(&k, "db/quarantine", ".sst"), 1);
	assert_int_equal(dbkit_files(&k, "db/quarantine", "MANIFEST"), 1);
	assert_false(dbkit_exists(&k, t.path));
	dbkit_fini(&k);
}

/* Each byte of a table, a step apart: whatever it is in, what is said is what happens. */
static void test_repair__whatever_part_of_a_table_is_damaged(void **state)
{
	struct pick_file t;
	struct dbkit k;
	uint64_t size;

	(void)state;
	make_store(&k);
	t = file_of(&k, ".sst", 40000, false);
	size = t.size;
	dbkit_fini(&k);
	for (uint64_t back = 8; back < size; back += back < 1000 ? 64 : 3001) {
		struct found said, done;

		make_store(&k);
		assert_int_equal(simdisk_flip(k.disk, t.path, size - back, 0x20), 0);
		plan(&k, &said);
		apply(&k, &done);
		assert_int_equal(done.sum.tables_damaged, 1);
		assert_int_equal(done.sum.entries_lost, said.sum.entries_lost);
		assert_int_equal(count_big(&k), ENTRIES - (int)said.sum.entries_lost);
		assert_string_equal(dbkit_get(&k, "log3"), "3");
		dbkit_fini(&k);
	}
}

static void test_repair__a_missing_table_is_said_with_all_it_held(void **state)
{
	struct found said, done;
	struct pick_file t;
	struct dbkit k;

	(void)state;
	make_store(&k);
	t = file_of(&k, ".sst", 40000, false);
	dbkit_unlink(&k, t.path);
	plan(&k, &said);
	assert_int_equal(said.kinds[SILT_FOUND_TABLE_GONE], 1);
	assert_true(said.lost >= 2);
	assert_non_null(strstr(said.text, "missing"));
	apply(&k, &done);
	assert_int_equal(count_big(&k), ENTRIES - (int)said.lost);
	assert_int_equal(dbkit_files(&k, "db/quarantine", ".sst"), 0);
	dbkit_fini(&k);
}

static void test_repair__what_was_ingested_keeps_its_version(void **state)
{
	static uint64_t value[BIG];
	struct found said, done;
	silt_ingest *in = NULL;
	struct silt_info info;
	struct pick_file t;
	struct dbkit k;
	uint64_t version = 0, random = 5;
	int there = 0;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "k001", "old"), 0);
	assert_int_equal(silt_ingest_begin(k.db, &in), 0);
	for (int i = 0; i < 4; i++) {
		for (size_t j = 0; j < BIG; j++)
			value[j] = test_random(&random);
		assert_int_equal(silt_ingest_add(in, STR(name_of(i)), (struct silt_slice){ value, sizeof(value) }, NULL), 0);
	}
	assert_int_equal(silt_ingest_commit(in, &version), 0);
	silt_ingest_end(in);
	assert_int_equal(dbkit_close(&k), 0);
	t = file_of(&k, ".sst", 40000, false);
	assert_int_equal(simdisk_flip(k.disk, t.path, 20000, 1), 0);     /* k001 */
	plan(&k, &said);
	assert_int_equal(said.lost, 1);
	apply(&k, &done);
	for (int i = 0; i < 4; i++) {
		if (i == 1)
			continue;
		assert_int_equal(silt_get(k.db, STR(name_of(i)), NULL, 0, NULL, &info), 0);
		assert_true(info.version == version);
		there++;
	}
	assert_int_equal(there, 3);
	assert_string_equal(dbkit_get(&k, "k001"), "old");       /* as the finding warned */
	assert_non_null(strstr(said.text, "older versions"));
	dbkit_fini(&k);
}

/* ---- the log ------------------------------------------------------------------------------------------------------------------- */

/* A log of 12 writes that did not end in order; its segment and where its records begin. */
static struct pick_file make_log(struct dbkit *k)
{
	char key[8];

	dbkit_init(k);
	assert_int_equal(dbkit_open(k), 0);
	assert_int_equal(dbkit_put(k, "table", "1"), 0);
	assert_int_equal(silt_flush(k->db), 0);
	for (int i = 0; i < 12; i++) {
		snprintf(key, sizeof(key), "w%02d", i);
		assert_int_equal(dbkit_put(k, key, "1"), 0);
	}
	dbkit_kill(k);
	return file_of(k, ".wal", 0, false);
}

/* The segment that holds w05: where its key stands. */
static uint64_t find_in_log(struct dbkit *k, const char *key, char path[64])
{
	for (unsigned n = 1; n < 60; n++) {
		struct silt_buf bytes = { 0 };
		const char *at;
		uint64_t offset;

		snprintf(path, 64, "db/%06u.wal", n);
		if (simdisk_read_file(k->disk, path, &bytes) != 0)
			continue;
		at = memmem(bytes.data, bytes.len, key, strlen(key));
		offset = at ? (uint64_t)(at - (const char *)bytes.data) : 0;
		silt_buf_free(&bytes);
		if (at)
			return offset;
	}
	fail_msg("%s is in no log", key);
	return 0;
}

static void test_repair__a_damaged_log_ends_where_its_last_sound_write_stood(void **state)
{
	struct found said, done;
	struct dbkit k;
	char path[64], key[8];
	uint64_t offset, version;

	(void)state;
	(void)make_log(&k);
	offset = find_in_log(&k, "w05", path);
	assert_int_equal(simdisk_flip(k.disk, path, offset, 1), 0);
	assert_int_equal(dbkit_open(&k), SILT_E_CORRUPT);
	plan(&k, &said);
	assert_int_equal(said.kinds[SILT_FOUND_LOG], 1);
	assert_int_equal(said.sum.findings, 1);
	assert_int_equal(said.writes, 6);                 /* w06 to w11 can be read */
	assert_int_equal(said.first_version, 7);          /* w05 */
	assert_non_null(strstr(said.text, path + 3));
	apply(&k, &done);
	assert_int_equal(done.writes, 6);
	for (int i = 0; i < 12; i++) {
		snprintf(key, sizeof(key), "w%02d", i);
		if (i < 5)
			assert_string_equal(dbkit_get(&k, key), "1");
		else
			assert_null(dbkit_get(&k, key));
	}
	assert_string_equal(dbkit_get(&k, "table"), "1");
	assert_int_equal(silt_put(k.db, STR("new"), STR("1"), &version), 0);
	assert_true(version > 13 + 1000000);              /* none that may have been given is given again */
	assert_true(dbkit_files(&k, "db/quarantine", ".wal") >= 1);
	dbkit_fini(&k);
}

static void test_repair__a_missing_or_headless_segment(void **state)
{
	for (int headless = 0; headless < 2; headless++) {
		struct found said, done;
		struct dbkit k;
		char path[64];

		(void)state;
		(void)make_log(&k);
		(void)find_in_log(&k, "w05", path);
		if (headless)
			assert_int_equal(simdisk_flip(k.disk, path, 9, 1), 0);
		else
			dbkit_unlink(&k, path);
		assert_int_equal(dbkit_open(&k), SILT_E_CORRUPT);
		plan(&k, &said);
		assert_int_equal(said.kinds[SILT_FOUND_LOG], 1);
		assert_non_null(strstr(said.text, headless ? "can't be read" : "missing"));
		apply(&k, &done);
		assert_string_equal(dbkit_get(&k, "table"), "1");
		assert_null(dbkit_get(&k, "w00"));
		dbkit_fini(&k);
	}
}

/* Unflushed segments follow each other: the damage of the first takes the second along. */
static void test_repair__segments_behind_the_damage_are_counted(void **state)
{
	struct found said, done;
	struct dbkit k;
	char path[64], later[64];
	uint64_t offset;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	simdisk_fail_at(k.disk, SIM_OPEN, 0, 0, false);
	assert_int_equal(dbkit_put(&k, "first", "1"), 0);
	assert_int_equal(dbkit_put(&k, "middle", "1"), 0);
	/* the next segment stands ready; no table can be made: the memtable is sealed, and stays in the log */
	while (dbkit_files(&k, "db", ".wal") < 2)
		usleep(1000);
	simdisk_set_free(k.disk, 0);
	for (int i = 0; i < 12; i++) {
		static char value[8000];

		memset(value, 'x', sizeof(value));
		if (silt_put(k.db, STR(name_of(i)), (struct silt_slice){ value, sizeof(value) }, NULL) != 0)
			break;
	}
	dbkit_kill(&k);
	simdisk_set_free(k.disk, UINT64_MAX);
	offset = find_in_log(&k, "middle", path);
	(void)find_in_log(&k, "k000", later);
	assert_int_equal(simdisk_flip(k.disk, path, offset, 1), 0);
	plan(&k, &said);
	assert_int_equal(said.kinds[SILT_FOUND_LOG], 1);
	assert_true(said.sum.writes_lost >= 1);
	apply(&k, &done);
	assert_string_equal(dbkit_get(&k, "first"), "1");
	assert_null(dbkit_get(&k, "middle"));
	assert_null(dbkit_get(&k, "k000"));
	dbkit_fini(&k);
}

/* ---- beyond repair --------------------------------------------------------------------------------------------------------------- */

static void test_repair__a_lost_manifest_is_said_to_be_beyond_it(void **state)
{
	struct silt_buf before = { 0 }, after = { 0 };
	struct found f;
	struct dbkit k;

	(void)state;
	make_store(&k);
	dbkit_unlink(&k, "db/MANIFEST");
	dbkit_image(&k, &before);
	assert_int_equal(repair(&k, SILT_REPAIR_APPLY, &f), SILT_E_CORRUPT);
	assert_non_null(strstr(k.last_error, "MANIFEST"));
	dbkit_image(&k, &after);
	assert_string_equal(before.data, after.data);
	silt_buf_free(&before);
	silt_buf_free(&after);
	dbkit_fini(&k);
}

/* ---- crashes and failures ---------------------------------------------------------------------------------------------------------- */

/* A table with a bad block, and a log with a bad write. */
static void make_ruin(struct dbkit *k)
{
	struct pick_file t;
	char path[64];
	uint64_t offset;

	make_store(k);
	assert_int_equal(dbkit_open(k), 0);
	for (int i = 0; i < 6; i++) {
		char key[8];

		snprintf(key, sizeof(key), "w%02d", i);
		assert_int_equal(dbkit_put(k, key, "1"), 0);
	}
	dbkit_kill(k);
	t = file_of(k, ".sst", 40000, false);
	assert_int_equal(simdisk_flip(k->disk, t.path, 20000, 1), 0);
	offset = find_in_log(k, "w03", path);
	assert_int_equal(simdisk_flip(k->disk, path, offset, 1), 0);
}

/* Takes the disk: still as it was, and then repaired; or repaired. */
static bool judge(struct simdisk *disk)
{
	struct found f;
	struct dbkit k;
	bool was_done;
	int rc;

	dbkit_init_on(&k, disk);
	rc = repair(&k, 0, &f);
	was_done = rc == 0;
	assert_true(rc == 0 || rc == SILT_E_CORRUPT);
	if (!was_done) {
		assert_int_equal(f.sum.entries_lost, 1);
		assert_int_equal(f.writes, 2);
		assert_int_equal(repair(&k, SILT_REPAIR_APPLY, &f), 0);
	}
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(count_big(&k), ENTRIES - 1);
	assert_string_equal(dbkit_get(&k, "w02"), "1");
	assert_null(dbkit_get(&k, "w03"));
	assert_null(dbkit_get(&k, "w05"));
	assert_int_equal(silt_verify(k.db, NULL, NULL), 0);
	assert_true(dbkit_files(&k, "db/quarantine", ".sst") >= 1);
	dbkit_fini(&k);
	return was_done;
}

static void test_repair__a_crash_leaves_it_undone_or_done(void **state)
{
	static struct simcuts cuts;
	size_t done = 0;
	struct found f;
	struct dbkit k;

	(void)state;
	make_ruin(&k);
	simcuts_begin(&cuts, k.disk);
	assert_int_equal(repair(&k, SILT_REPAIR_APPLY, &f), 0);
	simcuts_end(&cuts);
	assert_true(cuts.n > 40);
	for (size_t i = 0; i < cuts.n; i++)
		done += judge(cuts.cuts[i].disk);
	assert_true(done > 0 && done < cuts.n);
	dbkit_fini(&k);
}

static bool fail_once(enum simdisk_call kind, uint64_t n, int code)
{
	struct simfail fail;
	uint64_t asked;
	struct found f;
	struct dbkit k;
	int rc;

	make_ruin(&k);
	fail = simfail_begin(k.disk, kind, n, code, false);
	rc = repair(&k, SILT_REPAIR_APPLY, &f);
	asked = simfail_end(&fail);
	assert_true(rc <= 0);
	(void)judge(simdisk_crash_copy(k.disk, SIM_KEEP_ALL, n));
	dbkit_fini(&k);
	return asked < n;
}

static void test_repair__an_nth_failure_leaves_it_undone_or_done(void **state)
{
	static const enum simdisk_call kinds[] = {
		SIM_OPEN, SIM_WRITE, SIM_DATASYNC, SIM_RENAME, SIM_LINK, SIM_UNLINK, SIM_MKDIR, SIM_STAT, SIM_LIST, SIM_DIRSYNC, SIMFAIL_MEMORY,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		for (uint64_t n = 1; !fail_once(kinds[i], n, SILT_E_NOSPACE); n++)
			assert_true(n < 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_repair__a_sound_store_is_left_alone),
		cmocka_unit_test(test_repair__a_torn_tail_is_no_damage),
		cmocka_unit_test(test_repair__progress_is_told_and_can_end_it),
		cmocka_unit_test(test_repair__a_damaged_block_is_lost_alone),
		cmocka_unit_test(test_repair__whatever_part_of_a_table_is_damaged),
		cmocka_unit_test(test_repair__a_missing_table_is_said_with_all_it_held),
		cmocka_unit_test(test_repair__what_was_ingested_keeps_its_version),
		cmocka_unit_test(test_repair__a_damaged_log_ends_where_its_last_sound_write_stood),
		cmocka_unit_test(test_repair__a_missing_or_headless_segment),
		cmocka_unit_test(test_repair__segments_behind_the_damage_are_counted),
		cmocka_unit_test(test_repair__a_lost_manifest_is_said_to_be_beyond_it),
		cmocka_unit_test(test_repair__a_crash_leaves_it_undone_or_done),
		cmocka_unit_test(test_repair__an_nth_failure_leaves_it_undone_or_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
