/* SPDX-License-Identifier: Apache-2.0 */
/* test_ingest.c - sorted streams that become tables: all at once, at one version, in the right place; or not at all. */
#include "lib/test.h"

#include <pthread.h>
#include <stdatomic.h>

#include "lib/dbkit.h"
#include "lib/simcuts.h"
#include "lib/simfail.h"
#include "lib/versionkit.h"

#include "job/ingest.h"
#include "job/levels.h"

/* ---- the pure part ---------------------------------------------------------------------------------------------------- */

static void test_ingest__goes_as_deep_as_nothing_meets_it(void **state)
{
	static const struct {
		const char *levels;
		int level;
	} cases[] = {
		{ "", 6 },
		{ "L0 1:a-j@1-1 2:o-z@2-2", 6 },
		{ "L0 1:a-k@1-1", 0 },
		{ "L0 1:n-n@1-1", 0 },
		{ "L0 1:l-m@9-9 L6 2:l-m@1-1", 0 },
		{ "L6 1:a-z@1-1", 5 },
		{ "L5 1:a-j@5-5 2:o-z@5-5 L6 3:a-m@1-1", 5 },
		{ "L5 1:a-j@5-5 2:n-z@5-5", 4 },
		{ "L1 1:k-k@5-5 L3 2:a-z@1-1", 0 },
		{ "L2 1:k-k@5-5", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct version *v = versionkit_version(cases[i].levels);

		if (ingest_level(v, NULL, 0, STR("k"), STR("n")) != cases[i].level)
			fail_msg("%s", cases[i].levels);
		version_unref(v);
	}
}

static void test_ingest__stays_out_of_a_compactions_way(void **state)
{
	struct version *v = versionkit_version("L4 1:a-d@9-9 L5 2:a-j@5-5 3:o-z@5-5 L6 4:p-z@1-1");
	struct table_meta *inputs[] = { v->levels[4].tables[0], v->levels[5].tables[0], v->levels[5].tables[1] };
	struct pick p = { .level = 4, .output_level = 5, .inputs = inputs, .upper_n = 1, .input_n = 3 };
	const struct pick *running[] = { &p };

	(void)state;
	/* deeper than what it writes is no place of its, and holds nothing here */
	assert_int_equal(ingest_level(v, running, 1, STR("k"), STR("n")), 6);
	version_unref(v);
	v = versionkit_version("L4 1:a-d@9-9 L5 2:a-j@5-5 3:o-z@5-5 L6 4:a-z@1-1");
	inputs[0] = v->levels[4].tables[0];
	inputs[1] = v->levels[5].tables[0];
	inputs[2] = v->levels[5].tables[1];
	assert_int_equal(ingest_level(v, NULL, 0, STR("k"), STR("n")), 5);
	assert_int_equal(ingest_level(v, running, 1, STR("k"), STR("n")), 4);
	p.input_n = 2;                    /* [a..d] [a..j]: what it writes ends at j */
	assert_int_equal(ingest_level(v, running, 1, STR("k"), STR("n")), 5);
	version_unref(v);
}

static void test_ingest__one_of_many_tables_is_one_run(void **state)
{
	struct version *v = versionkit_version("L0 1:a-b@9-9*1000 2:c-d@9-9*1000 3:e-f@9-9*1000 4:g-h@9-9*1000 5:a-z@3-4*1000 6:a-z@1-2*1000");
	struct pick_rules r = { .compaction_trigger = 4, .level_base_size = 100000, .level_ratio = 10, .table_size = 1000 };

	(void)state;
	assert_int_equal(version_l0_runs(v), 6);
	assert_true(levels_debt(v, &r) > 0);
	for (int i = 0; i < 4; i++)
		v->levels[0].tables[i]->assigned = 9;
	assert_int_equal(version_l0_runs(v), 3);
	assert_int_equal(levels_debt(v, &r), 0);            /* writers go on; the compaction comes all the same */
	version_unref(v);
}

/* ---- a store ------------------------------------------------------------------------------------------------------------ */

static int add(silt_ingest *in, const char *key, const char *value)
{
	return silt_ingest_add(in, STR(key), STR(value), NULL);
}

/* Words: key, value, key, value, NULL. */
static uint64_t ingest(struct dbkit *k, const char *const *words)
{
	silt_ingest *in = NULL;
	uint64_t version = 0;

	assert_int_equal(silt_ingest_begin(k->db, &in), 0);
	for (; *words; words += 2)
		assert_int_equal(add(in, words[0], words[1]), 0);
	assert_int_equal(silt_ingest_commit(in, &version), 0);
	silt_ingest_end(in);
	return version;
}

static uint64_t version_of(struct dbkit *k, const char *key)
{
	struct silt_info info;

	assert_int_equal(silt_get(k->db, STR(key), NULL, 0, NULL, &info), 0);
	return info.version;
}

static void test_ingest__is_visible_at_one_version_and_newer_than_what_was(void **state)
{
	static const char *const words[] = { "a", "in a", "b", "in b", "c", "in c", NULL };
	struct silt_buf value = { 0 };
	silt_snapshot *before = NULL;
	struct dbkit k;
	uint64_t old, version, after;
	silt_ingest *in = NULL;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(silt_put(k.db, STR("b"), STR("old"), &old), 0);
	assert_int_equal(dbkit_put(&k, "z", "untouched"), 0);
	assert_int_equal(silt_snapshot_new(k.db, &before), 0);
	assert_int_equal(silt_ingest_begin(k.db, &in), 0);
	for (size_t i = 0; words[i]; i += 2)
		assert_int_equal(add(in, words[i], words[i + 1]), 0);
	assert_string_equal(dbkit_get(&k, "b"), "old");
	assert_null(dbkit_get(&k, "a"));
	assert_int_equal(dbkit_put(&k, "c", "older than the ingest"), 0);
	assert_int_equal(silt_ingest_commit(in, &version), 0);
	assert_int_equal(silt_ingest_commit(in, &version), SILT_E_MISUSE);
	assert_int_equal(add(in, "x", "y"), SILT_E_MISUSE);
	silt_ingest_end(in);
	assert_true(version > old);
	for (size_t i = 0; words[i]; i += 2) {
		assert_string_equal(dbkit_get(&k, words[i]), words[i + 1]);
		assert_true(version_of(&k, words[i]) == version);
	}
	assert_string_equal(dbkit_get(&k, "z"), "untouched");
	assert_int_equal(silt_get(k.db, STR("a"), before, 0, &value, NULL), SILT_NOTFOUND);
	assert_int_equal(silt_get(k.db, STR("b"), before, 0, &value, NULL), 0);
	assert_int_equal(value.len, 3);
	silt_snapshot_free(before);
	assert_int_equal(silt_put(k.db, STR("b"), STR("new"), &after), 0);
	assert_true(after == version + 1);
	assert_string_equal(dbkit_get(&k, "b"), "new");
	assert_int_equal(silt_compact(k.db), 0);
	assert_string_equal(dbkit_get(&k, "b"), "new");
	assert_true(version_of(&k, "a") == version);      /* the merge wrote it down */
	assert_int_equal(silt_verify(k.db, NULL, NULL), 0);
	silt_buf_free(&value);
	dbkit_fini(&k);
}

static void test_ingest__keys_ascend(void **state)
{
	struct silt_put_options opts = { .expires_ms = 7 };
	struct dbkit k;
	silt_ingest *in = NULL;
	char big[SILT_KEY_MAX + 1] = { 'z' };

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(silt_ingest_begin(NULL, &in), SILT_E_MISUSE);
	assert_int_equal(silt_ingest_begin(k.db, &in), 0);
	assert_int_equal(add(in, "b", "1"), 0);
	assert_int_equal(add(in, "a", "2"), SILT_E_MISUSE);
	assert_int_equal(add(in, "b", "2"), SILT_E_MISUSE);
	assert_int_equal(add(in, "", "2"), SILT_E_MISUSE);
	assert_int_equal(silt_ingest_add(in, (struct silt_slice){ big, sizeof(big) }, STR(""), NULL), SILT_E_TOOBIG);
	assert_int_equal(add(in, "ba", ""), 0);
	opts.meta = (struct silt_slice){ big, SILT_META_MAX + 1 };
	assert_int_equal(silt_ingest_add(in, STR("c"), STR("1"), &opts), SILT_E_TOOBIG);
	opts.meta = STR("m");
	assert_int_equal(silt_ingest_add(in, STR("c"), STR("long gone"), &opts), 0);
	opts.expires_ms = 0;
	assert_int_equal(silt_ingest_add(in, STR("d"), STR("1"), &opts), 0);
	assert_int_equal(silt_ingest_commit(in, NULL), 0);
	silt_ingest_end(in);
	silt_ingest_end(NULL);
	assert_string_equal(dbkit_get(&k, "b"), "1");
	assert_string_equal(dbkit_get(&k, "ba"), "");
	assert_null(dbkit_get(&k, "c"));
	assert_string_equal(dbkit_get(&k, "d"), "1");
	dbkit_fini(&k);
}

static void test_ingest__an_abandoned_or_empty_one_leaves_nothing(void **state)
{
	struct dbkit k;
	silt_ingest *in = NULL;
	uint64_t version = 0, before;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(silt_put(k.db, STR("a"), STR("1"), &before), 0);
	assert_int_equal(silt_ingest_begin(k.db, &in), 0);
	for (int i = 0; i < 100; i++) {
		static char value[4000];
		char key[16];

		memset(value, i, sizeof(value));
		snprintf(key, sizeof(key), "k%03d", i);
		assert_int_equal(silt_ingest_add(in, STR(key), (struct silt_slice){ value, sizeof(value) }, NULL), 0);
	}
	silt_ingest_end(in);
	assert_int_equal(dbkit_files(&k, "db", ".sst"), 0);
	assert_int_equal(dbkit_files(&k, "db", ".sst.tmp"), 0);
	assert_null(dbkit_get(&k, "k000"));
	assert_int_equal(silt_ingest_begin(k.db, &in), 0);
	assert_int_equal(silt_ingest_commit(in, &version), 0);
	silt_ingest_end(in);
	assert_true(version == before);
	dbkit_fini(&k);
}

static void test_ingest__stands_in_the_levels_and_survives_reopening(void **state)
{
	static const char *const first[] = { "a", "1", "m", "1", NULL }, *const second[] = { "b", "2", "c", "2", NULL },
	                  *const third[] = { "m", "3", "n", "3", NULL };
	struct dbkit k;
	struct silt_stats st;
	uint64_t v1, v2, v3, next;

	(void)state;
	dbkit_init(&k);
	k.opts.compaction_trigger = 64;
	k.opts.compaction_interval_ms = 24 * 3600 * 1000;
	assert_int_equal(dbkit_open(&k), 0);
	v1 = ingest(&k, first);
	silt_stats(k.db, &st);
	assert_int_equal(st.tables[6], 1);
	v2 = ingest(&k, second);          /* between a and m, but the table spans them */
	assert_int_equal(dbkit_put(&k, "z", "1"), 0);
	v3 = ingest(&k, third);
	assert_true(v1 < v2 && v2 < v3);
	for (int round = 0; round < 3; round++) {
		assert_string_equal(dbkit_get(&k, "a"), "1");
		assert_string_equal(dbkit_get(&k, "b"), "2");
		assert_string_equal(dbkit_get(&k, "m"), "3");
		assert_true(version_of(&k, "a") == v1 && version_of(&k, "c") == v2 && version_of(&k, "n") == v3);
		assert_string_equal(dbkit_get(&k, "z"), "1");
		assert_int_equal(silt_verify(k.db, NULL, NULL), 0);
		if (round == 0)
			assert_int_equal(dbkit_close(&k), 0);
		else if (round == 1)
			dbkit_crash(&k, SIM_LOSE_ALL, 1);
		if (round < 2)
			assert_int_equal(dbkit_open(&k), 0);
	}
	assert_int_equal(silt_put(k.db, STR("a"), STR("x"), &next), 0);
	assert_true(next > v3);
	dbkit_fini(&k);
}

static void test_ingest__a_clean_close_right_after_needs_no_jump(void **state)
{
	static const char *const words[] = { "a", "1", NULL };
	struct dbkit k;
	uint64_t version, next;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	version = ingest(&k, words);
	assert_int_equal(dbkit_close(&k), 0);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(silt_put(k.db, STR("b"), STR("1"), &next), 0);
	assert_true(next == version + 1);
	dbkit_fini(&k);
}

static void test_ingest__many_without_a_write_fill_no_segment(void **state)
{
	static const char *const words[] = { "a", "1", NULL };
	struct dbkit k;
	static char value[60000];

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	for (int i = 0; i < 300; i++)
		(void)ingest(&k, words);
	assert_int_equal(silt_put(k.db, STR("b"), ((struct silt_slice){ value, sizeof(value) }), NULL), 0);
	assert_int_equal(silt_verify(k.db, NULL, NULL), 0);
	dbkit_fini(&k);
}

static void test_ingest__is_refused_where_writes_are(void **state)
{
	struct dbkit k;
	silt_ingest *in = NULL;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_close(&k), 0);
	k.opts.read_only = true;
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(silt_ingest_begin(k.db, &in), SILT_E_FAULT);
	assert_int_equal(dbkit_close(&k), 0);
	k.opts.read_only = false;
	k.opts.min_free_space = 4 << 20;
	simdisk_set_free(k.disk, 3 << 20);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(silt_ingest_begin(k.db, &in), 0);
	assert_int_equal(add(in, "a", "1"), SILT_E_NOSPACE);
	silt_ingest_end(in);
	dbkit_fini(&k);
}

/* ---- beside others -------------------------------------------------------------------------------------------------------- */

enum { STEPS = 400, STREAMS = 30 };
struct step {
	uint64_t version;
	long value;
	bool streamed;
};
struct chain {
	struct dbkit *k;
	struct step steps[STEPS + STREAMS];
	_Atomic size_t n;
	atomic_bool done;
};

static void note(struct chain *c, uint64_t version, long value, bool streamed)
{
	c->steps[atomic_fetch_add(&c->n, 1)] = (struct step){ version, value, streamed };
}

/* Adds one to what it read, on the condition that it is still that. */
static void *count_up(void *arg)
{
	struct chain *c = arg;
	struct silt_buf value = { 0 };
	char text[32];

	for (int done = 0; done < STEPS;) {
		struct silt_result res = { 0 };
		struct silt_info info;
		silt_batch *b = NULL;
		int rc = silt_get(c->k->db, STR("n"), NULL, 0, &value, &info);

		assert_int_equal(rc, 0);
		snprintf(text, sizeof(text), "%.*s", (int)value.len, (char *)value.data);
		snprintf(text, sizeof(text), "%ld", strtol(text, NULL, 10) + 1);
		assert_int_equal(silt_batch_new(&b), 0);
		assert_int_equal(silt_batch_require(b, STR("n"), SILT_COND_MATCH, &info.version, 1), 0);
		assert_int_equal(silt_batch_put(b, STR("n"), STR(text), NULL, 0), 0);
		rc = silt_write(c->k->db, b, SILT_ASYNC, &res);
		if (rc == 0) {
			note(c, res.version, strtol(text, NULL, 10), false);
			done++;
		} else {
			assert_true(rc == SILT_CONFLICT || rc == SILT_TRY_AGAIN);
		}
		silt_result_fini(&res);
		silt_batch_free(b);
	}
	atomic_store(&c->done, true);
	silt_buf_free(&value);
	return NULL;
}

static int step_cmp(const void *a, const void *b)
{
	const struct step *x = a, *y = b;

	return (x->version > y->version) - (x->version < y->version);
}

/* In the order of versions each count is one above what stood before it, also where that was ingested. */
static void test_ingest__conditions_stay_right(void **state)
{
	static struct chain c;
	struct dbkit k;
	pthread_t counter;
	size_t n;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	c.k = &k;
	note(&c, ingest(&k, (const char *const[]){ "n", "0", NULL }), 0, true);
	assert_int_equal(pthread_create(&counter, NULL, count_up, &c), 0);
	for (int i = 1; i < STREAMS && !atomic_load(&c.done); i++) {
		char text[32];

		snprintf(text, sizeof(text), "%d", i * 1000000);
		note(&c, ingest(&k, (const char *const[]){ "a", "x", "n", text, "z", "x", NULL }), i * 1000000, true);
	}
	pthread_join(counter, NULL);
	n = atomic_load(&c.n);
	qsort(c.steps, n, sizeof(c.steps[0]), step_cmp);
	for (size_t i = 1; i < n; i++) {
		assert_true(c.steps[i].version > c.steps[i - 1].version);
		if (!c.steps[i].streamed)
			assert_int_equal(c.steps[i].value, c.steps[i - 1].value + 1);
	}
	assert_int_equal(strtol(dbkit_get(&k, "n"), NULL, 10), c.steps[n - 1].value);
	dbkit_fini(&k);
}

/* ---- crashes and failures ---------------------------------------------------------------------------------------------------- */

enum { KEYS = 12 };

/* Tables of 64 KiB: several. */
static int stream(silt_db *db, uint64_t *version)
{
	static uint64_t value[2048];
	uint64_t random = 9;
	silt_ingest *in = NULL;
	int rc = silt_ingest_begin(db, &in);

	for (int i = 0; i < KEYS && rc == 0; i++) {
		char key[16];

		for (size_t j = 0; j < 2048; j++)
			value[j] = test_random(&random);
		snprintf(key, sizeof(key), "k%03d", i);
		rc = silt_ingest_add(in, STR(key), (struct silt_slice){ value, sizeof(value) }, NULL);
	}
	if (rc == 0)
		rc = silt_ingest_commit(in, version);
	silt_ingest_end(in);
	return rc;
}

static size_t streamed(struct dbkit *k)
{
	size_t n = 0;

	for (int i = 0; i < KEYS; i++) {
		struct silt_buf value = { 0 };
		char key[16];
		int rc;

		snprintf(key, sizeof(key), "k%03d", i);
		rc = silt_get(k->db, STR(key), NULL, 0, &value, NULL);
		assert_true(rc == 0 || rc == SILT_NOTFOUND);
		n += rc == 0 && value.len == 16384;
		silt_buf_free(&value);
	}
	return n;
}

static int count_strays(void *ctx, const char *name)
{
	size_t n = strlen(name);

	*(size_t *)ctx += n > 4 && strcmp(name + n - 4, ".sst") == 0;
	return 0;
}

/* All or nothing of the stream, all that was written before, no file that nobody names; takes the disk. */
static bool judge(struct simdisk *disk, bool must)
{
	struct silt_stats st;
	struct dbkit k;
	size_t n, files = 0, tables = 0;
	silt_os *os;

	dbkit_init_on(&k, disk);
	k.opts.compaction_trigger = 64;   /* as begin_store() has it: an opening compacts at once what is due */
	assert_int_equal(dbkit_open(&k), 0);
	n = streamed(&k);
	assert_true(n == KEYS || (n == 0 && !must));
	assert_string_equal(dbkit_get(&k, "before"), "1");
	assert_string_equal(dbkit_get(&k, "k1"), "1");
	assert_int_equal(silt_verify(k.db, NULL, NULL), 0);
	assert_int_equal(dbkit_put(&k, "k000", "later"), 0);
	assert_string_equal(dbkit_get(&k, "k000"), "later");
	assert_int_equal(silt_flush(k.db), 0);
	assert_int_equal(dbkit_close(&k), 0);
	assert_int_equal(dbkit_open(&k), 0);
	silt_stats(k.db, &st);
	for (int l = 0; l < SILT_LEVELS; l++)
		tables += st.tables[l];
	os = simdisk_os(k.disk);
	(void)os->list(os, "db", count_strays, &files);
	assert_int_equal(files, tables);
	dbkit_fini(&k);
	return n == KEYS;
}

static void begin_store(struct dbkit *k)
{
	dbkit_init(k);
	k->opts.compaction_trigger = 64;  /* nothing moves by itself: files can be counted */
	assert_int_equal(dbkit_open(k), 0);
	assert_int_equal(dbkit_put(k, "before", "1"), 0);
	assert_int_equal(dbkit_put(k, "k1", "1"), 0);
}

static void test_ingest__a_crash_leaves_all_of_it_or_nothing(void **state)
{
	static struct simcuts cuts;
	struct dbkit k;
	uint64_t version;
	size_t whole = 0;

	(void)state;
	begin_store(&k);
	simcuts_begin(&cuts, k.disk);
	assert_int_equal(stream(k.db, &version), 0);
	atomic_store(&cuts.returned, true);
	assert_int_equal(dbkit_put(&k, "after", "1"), 0);
	simcuts_end(&cuts);
	assert_true(cuts.n > 60);
	for (size_t i = 0; i < cuts.n; i++)
		if (i % test_stride(4))
			simdisk_free(cuts.cuts[i].disk);
		else
			whole += judge(cuts.cuts[i].disk, cuts.cuts[i].returned);
	assert_true(whole > 0 && whole < cuts.n);
	dbkit_fini(&k);
}

static bool fail_once(enum simdisk_call kind, uint64_t n, int code)
{
	uint64_t asked, version;
	struct simfail f;
	struct dbkit k;
	int rc;

	begin_store(&k);
	f = simfail_begin(k.disk, kind, n, code, false);
	rc = stream(k.db, &version);
	asked = simfail_end(&f);
	assert_true(rc <= 0);
	if (rc == 0)
		assert_int_equal(streamed(&k), KEYS);
	else
		assert_int_equal(streamed(&k), 0);
	(void)dbkit_close(&k);
	(void)judge(simdisk_crash_copy(k.disk, SIM_KEEP_ALL, n), rc == 0);
	dbkit_fini(&k);
	return asked < n;
}

static void test_ingest__an_nth_failure_leaves_all_of_it_or_nothing(void **state)
{
	static const enum simdisk_call kinds[] = {
		SIM_OPEN, SIM_READ, SIM_WRITE, SIM_DATASYNC, SIM_RENAME, SIM_UNLINK, SIM_DIRSYNC, SIM_SIZE, SIMFAIL_MEMORY,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		for (int full = 0; full < 2; full++)
			for (uint64_t n = 1; !fail_once(kinds[i], n, full ? SILT_E_NOSPACE : SILT_E_IO); n += test_stride(7))
				assert_true(n < 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ingest__goes_as_deep_as_nothing_meets_it),
		cmocka_unit_test(test_ingest__stays_out_of_a_compactions_way),
		cmocka_unit_test(test_ingest__one_of_many_tables_is_one_run),
		cmocka_unit_test(test_ingest__is_visible_at_one_version_and_newer_than_what_was),
		cmocka_unit_test(test_ingest__keys_ascend),
		cmocka_unit_test(test_ingest__an_abandoned_or_empty_one_leaves_nothing),
		cmocka_unit_test(test_ingest__stands_in_the_levels_and_survives_reopening),
		cmocka_unit_test(test_ingest__a_clean_close_right_after_needs_no_jump),
		cmocka_unit_test(test_ingest__many_without_a_write_fill_no_segment),
		cmocka_unit_test(test_ingest__is_refused_where_writes_are),
		cmocka_unit_test(test_ingest__conditions_stay_right),
		cmocka_unit_test(test_ingest__a_crash_leaves_all_of_it_or_nothing),
		cmocka_unit_test(test_ingest__an_nth_failure_leaves_all_of_it_or_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
