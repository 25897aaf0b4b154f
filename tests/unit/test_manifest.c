/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_manifest.c - the log of edits through crashes, failures and damage: what is read is the last version that was acknowledged
 * or the one that was being written, or it is an error that names the file.
 */
#include "lib/test.h"

#include <inttypes.h>

#include "base/buf.h"
#include "base/mem.h"
#include "lib/logkit.h"
#include "lib/simdisk.h"
#include "lib/versionkit.h"
#include "version/manifest.h"

#define MANIFEST_PATH "/db/MANIFEST"

struct bench {                            /* a manifest at work on a simulated disk */
	struct simdisk *disk;
	struct logkit kit;
	struct manifest *manifest;
	struct version *said;             /* the last that was acknowledged; NULL = none */
	struct version *saying;           /* the one being written */
	unsigned crashes;                 /* judged by bench_crash() */
};

static void bench_open(struct bench *b)
{
	memset(b, 0, sizeof(*b));
	b->disk = simdisk_new(1);
	logkit_init(&b->kit, b->disk);
}

static void bench_close(struct bench *b)
{
	manifest_close(b->manifest);
	version_unref(b->said);
	version_unref(b->saying);
	logkit_fini(&b->kit);
	simdisk_free(b->disk);
}

static int bench_create(struct bench *b, const char *text)
{
	int rc;

	b->saying = versionkit_version(text);
	rc = manifest_create(&b->kit.env, b->saying, &b->manifest);
	if (rc == 0) {
		version_unref(b->said);
		b->said = b->saying;
		b->saying = NULL;
	}
	return rc;
}

static int bench_append(struct bench *b, const char *text)
{
	struct edit e;
	int rc;

	versionkit_edit(text, &e);
	version_unref(b->saying);
	assert_int_equal(version_apply(b->said, &e, &b->kit.env.rep, &b->saying), 0);
	rc = manifest_append(b->manifest, &e, b->saying);
	edit_fini(&e);
	if (rc == 0) {
		version_unref(b->said);
		b->said = b->saying;
		b->saying = NULL;
	}
	return rc;
}

/* Level 0 grows by a table, or the oldest of two goes to level 6, over and over. */
static int bench_step(struct bench *b, unsigned i)
{
	char text[128];

	snprintf(text, sizeof(text), "L0 %u:k%06u-k%06uz@%u-%u", i + 100, i, i, i + 100, i + 100);
	if (i >= 2)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " -%u L6 %u:k%06u-k%06uz@%u-%u", i + 98, i + 98, i - 2, i - 2, i + 98, i + 98);
	return bench_append(b, text);
}

static int bench_read(struct simdisk *disk, struct manifest_found *out, char message[1024])
{
	struct logkit kit;
	int rc;

	logkit_on(&kit, disk);
	rc = manifest_read(&kit.env, out);
	memcpy(message, kit.message, sizeof(kit.message));
	return rc;
}

static void assert_reads(struct simdisk *disk, const struct version *expected, bool torn)
{
	struct manifest_found found;
	char message[1024];

	assert_int_equal(bench_read(disk, &found, message), 0);
	assert_true(versionkit_same(found.version, expected));
	assert_int_equal(found.torn, torn);
	assert_int_equal(version_check(found.version, &(struct reporter){ 0 }), 0);
	version_unref(found.version);
}

/* ---- there and back ---------------------------------------------------------------------------------------------------- */

static void test_manifest__there_is_none(void **state)
{
	struct manifest_found found;
	char message[1024];
	struct bench b;

	(void)state;
	bench_open(&b);
	assert_int_equal(bench_read(b.disk, &found, message), SILT_NOTFOUND);
	bench_close(&b);
}

static void test_manifest__what_was_appended_is_read(void **state)
{
	struct manifest_found found;
	char message[1024];
	struct bench b;

	(void)state;
	bench_open(&b);
	assert_int_equal(bench_create(&b, "L0 9:a-c@5-7 L6 3:a-b@0-0*64e9x3,77"), 0);
	assert_reads(b.disk, b.said, false);
	for (unsigned i = 0; i < 20; i++) {
		uint64_t before = manifest_bytes(b.manifest);

		assert_int_equal(bench_step(&b, i), 0);
		assert_true(manifest_bytes(b.manifest) > before);
		assert_reads(b.disk, b.said, false);
	}
	assert_int_equal(bench_read(b.disk, &found, message), 0);
	assert_int_equal(found.edits, 21);
	version_unref(found.version);
	bench_close(&b);
}

static void test_manifest__it_works_on_a_real_directory(void **state)
{
	struct manifest_found found;
	struct manifest *m;
	struct version *v = versionkit_version("L0 9:a-c@5-7"), *next;
	struct logkit kit;
	struct edit e;

	(void)state;
	logkit_init(&kit, NULL);
	versionkit_edit("L0 10:a-c@8-9", &e);
	assert_int_equal(version_apply(v, &e, &kit.env.rep, &next), 0);
	assert_int_equal(manifest_create(&kit.env, v, &m), 0);
	assert_int_equal(manifest_append(m, &e, next), 0);
	manifest_close(m);
	assert_int_equal(manifest_read(&kit.env, &found), 0);
	assert_true(versionkit_same(found.version, next));
	version_unref(found.version);
	version_unref(next);
	version_unref(v);
	edit_fini(&e);
	logkit_fini(&kit);
}

static void test_manifest__it_rolls_by_count_and_says_the_same(void **state)
{
	uint64_t highest = 0;
	struct bench b;
	bool rolled = false;

	(void)state;
	bench_open(&b);
	assert_int_equal(bench_create(&b, ""), 0);
	for (unsigned i = 0; i < 1100; i++) {
		assert_int_equal(bench_append(&b, i % 2 ? "L0 -100" : "L0 100:a-b@1-1"), 0);
		rolled |= manifest_bytes(b.manifest) < highest;
		if (manifest_bytes(b.manifest) > highest)
			highest = manifest_bytes(b.manifest);
	}
	assert_true(rolled);
	assert_reads(b.disk, b.said, false);
	assert_false(logkit_exists(&b.kit, MANIFEST_PATH ".tmp"));
	bench_close(&b);
}

/* Tables with long keys: a few hundred fill the segment, and an edit of many does not fit at all. */
static int bench_append_long(struct bench *b, unsigned first, unsigned n)
{
	static char key[3000];
	size_t room = n * (sizeof(key) + 64) + 8, at;
	char *text = test_malloc(room);
	int rc;

	memset(key, 'k', sizeof(key) - 1);
	at = (size_t)snprintf(text, room, "L1");
	for (unsigned i = first; i < first + n; i++)
		at += (size_t)snprintf(text + at, room - at, " %u:%06u-%06u%s@1-1", i + 1000, i, i, key);
	rc = bench_append(b, text);
	test_free(text);
	return rc;
}

static void test_manifest__it_rolls_when_full_and_grows_with_what_it_says(void **state)
{
	struct os_stat st;
	struct bench b;

	(void)state;
	bench_open(&b);
	assert_int_equal(bench_create(&b, ""), 0);
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(bench_append_long(&b, i, 1), 0);
	assert_reads(b.disk, b.said, false);
	assert_int_equal(bench_append_long(&b, 200, 200), 0);
	assert_reads(b.disk, b.said, false);
	assert_int_equal(b.kit.env.os->stat(b.kit.env.os, MANIFEST_PATH, &st), 0);
	assert_true(st.size >= 4 * 400 * 3000u && st.size % 4096 == 0);
	bench_close(&b);
}

/* ---- crashes ----------------------------------------------------------------------------------------------------------- */

/* What a crash leaves is the version that was said, or the one being said. */
static void bench_crash(struct bench *b, enum simdisk_policy policy, uint64_t seed)
{
	struct simdisk *left = simdisk_crash_copy(b->disk, policy, seed);
	struct manifest_found found;
	char message[1024];
	int rc = bench_read(left, &found, message);

	b->crashes++;
	if (rc == SILT_NOTFOUND && !b->said) {
		simdisk_free(left);
		return;
	}
	if (rc != 0)
		fail_msg("policy %d, seed %" PRIu64 ": %s", policy, seed, message);
	assert_true((b->said && versionkit_same(found.version, b->said)) || (b->saying && versionkit_same(found.version, b->saying)));
	version_unref(found.version);
	simdisk_free(left);
}

static void bench_on_sync(void *ctx, enum simdisk_call kind, const char *path, bool before)
{
	struct bench *b = ctx;

	(void)kind;
	(void)path;
	(void)before;
	bench_crash(b, SIM_LOSE_ALL, 1);
	bench_crash(b, SIM_KEEP_ALL, 1);
	for (uint64_t seed = 1; seed <= 6; seed++)
		bench_crash(b, SIM_MIXED, seed * 7919 + b->crashes);
}

static void test_manifest__every_crash_leaves_the_old_or_the_new(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	simdisk_on_sync(b.disk, bench_on_sync, &b);
	assert_int_equal(bench_create(&b, "L0 9:a-c@5-7 L6 3:a-b@0-0"), 0);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(bench_step(&b, i), 0);
	manifest_close(b.manifest);
	b.manifest = NULL;
	assert_int_equal(bench_create(&b, "L6 3:a-b@0-0"), 0);         /* over the old one, as each open does */
	assert_int_equal(bench_step(&b, 0), 0);
	for (unsigned i = 0; i < 70; i++)
		assert_int_equal(bench_append_long(&b, i, 1), 0);
	simdisk_on_sync(b.disk, NULL, NULL);
	assert_true(b.crashes > 500);
	bench_close(&b);
}

/* ---- failures ---------------------------------------------------------------------------------------------------------- */

/* A workload with a second manifest over the first, and a roll; stops at the first failure. */
static int bench_work(struct bench *b)
{
	int rc = bench_create(b, "L6 3:a-b@0-0");

	for (unsigned i = 0; rc == 0 && i < 3; i++)
		rc = bench_step(b, i);
	if (rc < 0)
		return rc;
	manifest_close(b->manifest);
	b->manifest = NULL;
	rc = bench_create(b, "L6 3:a-b@0-0");
	if (rc == 0)
		rc = bench_step(b, 1);
	return rc < 0 ? rc : bench_append_long(b, 0, 50);       /* more than fits */
}

/* After a failure: either version may be there now, and after any crash; another append is refused or adds to it. */
static void bench_after_failure(struct bench *b, int rc)
{
	simdisk_fail_at(b->disk, SIM_ANY, 0, 0, false);
	if (rc == SILT_E_NOSPACE) {                     /* promised not to be there, after any crash */
		version_unref(b->saying);
		b->saying = NULL;
	}
	bench_crash(b, SIM_KEEP_ALL, 1);
	bench_crash(b, SIM_LOSE_ALL, 1);
	for (uint64_t seed = 1; seed <= 4; seed++)
		bench_crash(b, SIM_MIXED, seed);
	if (b->manifest && b->said) {
		int again = bench_append(b, "L5 900:x-y@1-1");

		assert_true(again == 0 || (again == SILT_E_FAULT && rc != SILT_E_NOSPACE));
		if (again == 0)
			assert_reads(b->disk, b->said, false);
	}
}

static uint64_t calls_of_work(void)
{
	uint64_t before, n;
	struct bench b;

	bench_open(&b);
	before = simdisk_calls(b.disk, SIM_ANY);
	assert_int_equal(bench_work(&b), 0);
	n = simdisk_calls(b.disk, SIM_ANY) - before;
	bench_close(&b);
	return n;
}

static void failing_calls(int code, bool sticky)
{
	uint64_t calls = calls_of_work();
	unsigned failed = 0;

	for (uint64_t n = 1; n <= calls; n++) {
		struct bench b;
		int rc;

		bench_open(&b);
		simdisk_fail_at(b.disk, SIM_ANY, n, code, sticky);
		rc = bench_work(&b);
		assert_true(rc == code || rc == SILT_E_IO || rc == 0);  /* that an old file can't be closed does no harm */
		failed += rc < 0;
		if (!sticky)
			assert_false(logkit_exists(&b.kit, MANIFEST_PATH ".tmp"));
		bench_after_failure(&b, rc);
		bench_close(&b);
	}
	assert_true(failed > 20);
}

static void test_manifest__the_nth_call_fails_once_or_for_good(void **state)
{
	(void)state;
	failing_calls(SILT_E_IO, false);
	failing_calls(SILT_E_IO, true);
	failing_calls(SILT_E_NOSPACE, false);
	failing_calls(SILT_E_NOSPACE, true);
}

static void test_manifest__a_failed_append_poisons_it(void **state)
{
	static const enum simdisk_call calls[] = { SIM_WRITE, SIM_DATASYNC };
	struct bench b;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		bench_open(&b);
		assert_int_equal(bench_create(&b, ""), 0);
		simdisk_fail_at(b.disk, calls[i], 1, SILT_E_IO, false);
		assert_int_equal(bench_step(&b, 0), SILT_E_IO);
		assert_int_equal(bench_step(&b, 0), SILT_E_FAULT);
		assert_int_equal(bench_append(&b, "L0 100:a-b@1-1"), SILT_E_FAULT);
		assert_int_equal(manifest_bytes(b.manifest), 0);
		bench_close(&b);
	}
}

static void test_manifest__a_full_disk_while_rolling_passes(void **state)
{
	struct bench b;
	unsigned i = 0;
	int rc = 0;

	(void)state;
	bench_open(&b);
	assert_int_equal(bench_create(&b, ""), 0);
	simdisk_set_free(b.disk, 0);
	for (; rc == 0 && i < 5000; i++)
		rc = bench_append(&b, i % 2 ? "L0 -100" : "L0 100:a-b@1-1");
	assert_int_equal(rc, SILT_E_NOSPACE);
	assert_reads(b.disk, b.said, false);
	assert_false(logkit_exists(&b.kit, MANIFEST_PATH ".tmp"));
	simdisk_set_free(b.disk, 1 << 30);
	assert_int_equal(bench_append(&b, (i - 1) % 2 ? "L0 -100" : "L0 100:a-b@1-1"), 0);
	assert_reads(b.disk, b.said, false);
	bench_close(&b);
}

static void test_manifest__each_failed_allocation_is_said(void **state)
{
	int rc = SILT_E_NOMEM;
	uint64_t n;

	(void)state;
	for (n = 1; rc == SILT_E_NOMEM; n++) {
		struct version *v = versionkit_version("L6 3:a-b@0-0"), *next;
		struct manifest *m = NULL;
		struct bench b;
		struct edit e;

		bench_open(&b);
		versionkit_edit("L0 4:a-b@1-1", &e);
		assert_int_equal(version_apply(v, &e, &b.kit.env.rep, &next), 0);
		mem_fail_at(n, false);
		rc = manifest_create(&b.kit.env, v, &m);
		if (rc == 0)
			rc = manifest_append(m, &e, next);
		mem_fail_at(0, false);
		if (m) {
			assert_reads(b.disk, rc == 0 ? next : v, false);
			if (rc < 0)
				assert_int_equal(manifest_append(m, &e, next), 0);
		}
		manifest_close(m);
		edit_fini(&e);
		version_unref(v);
		version_unref(next);
		bench_close(&b);
	}
	assert_int_equal(rc, 0);
}

static void test_manifest__each_failed_allocation_while_reading_is_said(void **state)
{
	int rc = SILT_E_NOMEM;
	struct bench b;

	(void)state;
	bench_open(&b);
	assert_int_equal(bench_create(&b, "L6 3:a-b@0-0"), 0);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(bench_step(&b, i), 0);
	for (uint64_t n = 1; rc == SILT_E_NOMEM; n++) {
		struct manifest_found found;
		char message[1024];

		mem_fail_at(n, false);
		rc = bench_read(b.disk, &found, message);
		mem_fail_at(0, false);
		if (rc == 0)
			version_unref(found.version);
	}
	assert_int_equal(rc, 0);
	bench_close(&b);
}

static void test_manifest__each_failed_read_is_said(void **state)
{
	int rc = SILT_E_IO;
	struct bench b;

	(void)state;
	bench_open(&b);
	assert_int_equal(bench_create(&b, "L6 3:a-b@0-0"), 0);
	assert_int_equal(bench_step(&b, 0), 0);
	for (uint64_t n = 1; rc == SILT_E_IO; n++) {
		struct manifest_found found;
		char message[1024];

		simdisk_fail_at(b.disk, SIM_READ, n, SILT_E_IO, false);
		rc = bench_read(b.disk, &found, message);
		simdisk_fail_at(b.disk, SIM_READ, 0, 0, false);
		if (rc == 0)
			version_unref(found.version);
		else
			assert_non_null(strstr(message, MANIFEST_PATH));
	}
	assert_int_equal(rc, 0);
	bench_close(&b);
}

/* ---- damage ------------------------------------------------------------------------------------------------------------ */

enum { MANIFEST_HEADER_USED = 48 };

static void test_manifest__no_damaged_byte_is_believed(void **state)
{
	uint64_t attested, end;
	struct bench b;

	(void)state;
	bench_open(&b);
	assert_int_equal(bench_create(&b, "L6 3:a-b@0-0"), 0);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(bench_step(&b, i), 0);
	end = manifest_bytes(b.manifest);
	attested = end - LOG_RECORD_HEADER;                     /* the last MARK says so, and is itself said by nobody */
	for (uint64_t at = 0; at < end; at++) {
		struct manifest_found found;
		char message[1024];
		int rc;

		assert_int_equal(simdisk_flip(b.disk, MANIFEST_PATH, at, (uint8_t)(1u << at % 8)), 0);
		rc = bench_read(b.disk, &found, message);
		if (at < MANIFEST_HEADER_USED || (at >= LOG_PAGE && at < attested)) {
			assert_int_equal(rc, SILT_E_CORRUPT);
			assert_non_null(strstr(message, MANIFEST_PATH));
		} else {
			assert_int_equal(rc, 0);
			assert_true(versionkit_same(found.version, b.said));
			assert_int_equal(found.torn, at >= LOG_PAGE);
			version_unref(found.version);
		}
		assert_int_equal(simdisk_flip(b.disk, MANIFEST_PATH, at, (uint8_t)(1u << at % 8)), 0);
	}
	bench_close(&b);
}

static void test_manifest__no_first_edit_is_damage(void **state)
{
	struct manifest_found found;
	struct silt_buf bytes = { 0 };
	char message[1024];
	struct bench b;

	(void)state;
	bench_open(&b);
	assert_int_equal(bench_create(&b, "L6 3:a-b@0-0"), 0);
	assert_int_equal(simdisk_read_file(b.disk, MANIFEST_PATH, &bytes), 0);
	memset((char *)bytes.data + LOG_PAGE, 0, bytes.len - LOG_PAGE);
	assert_int_equal(simdisk_write_file(b.disk, MANIFEST_PATH, buf_slice(&bytes)), 0);
	assert_int_equal(bench_read(b.disk, &found, message), SILT_E_CORRUPT);
	assert_non_null(strstr(message, MANIFEST_PATH));
	bytes.len = LOG_PAGE;
	assert_int_equal(simdisk_write_file(b.disk, MANIFEST_PATH, buf_slice(&bytes)), 0);
	assert_int_equal(bench_read(b.disk, &found, message), SILT_E_CORRUPT);
	bytes.len = 0;
	assert_int_equal(simdisk_write_file(b.disk, MANIFEST_PATH, buf_slice(&bytes)), 0);
	assert_int_equal(bench_read(b.disk, &found, message), SILT_E_CORRUPT);
	buf_fini(&bytes);
	bench_close(&b);
}

static void test_manifest__bytes_behind_the_end_are_a_torn_tail(void **state)
{
	uint64_t end;
	struct bench b;

	(void)state;
	bench_open(&b);
	assert_int_equal(bench_create(&b, "L6 3:a-b@0-0"), 0);
	end = manifest_bytes(b.manifest);
	for (uint64_t at = end; at < (256 << 10); at += 4091) {
		assert_int_equal(simdisk_flip(b.disk, MANIFEST_PATH, at, 0x10), 0);
		assert_reads(b.disk, b.said, true);
		assert_int_equal(simdisk_flip(b.disk, MANIFEST_PATH, at, 0x10), 0);
	}
	assert_reads(b.disk, b.said, false);
	bench_close(&b);
}

/* A manifest of records made by hand: kind, version, payload. */
static int read_made(const struct log_record *records, size_t n, char message[1024])
{
	struct simdisk *disk = simdisk_new(1);
	struct manifest_found found;
	struct log_header h;
	struct log_writer *w;
	struct os_file *file;
	struct logkit kit;
	int rc;

	logkit_init(&kit, disk);
	assert_int_equal(segment_create(&kit.env, LOG_MANIFEST, MANIFEST_PATH, 1, 64 << 10, &h, &file), 0);
	assert_int_equal(log_writer_new(&kit.env, MANIFEST_PATH, &h, file, LOG_PAGE, LOG_PAGE, &w), 0);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(log_writer_reserve(w, 1, records[i].payload.len), 0);
		log_writer_add(w, records[i].kind, 0, records[i].version, records[i].payload);
		assert_int_equal(log_writer_append(w), 0);
		assert_int_equal(log_writer_sync(w), 0);
	}
	log_writer_free(w);
	rc = bench_read(disk, &found, message);
	if (rc == 0)
		version_unref(found.version);
	logkit_fini(&kit);
	simdisk_free(disk);
	return rc;
}

static void test_manifest__sound_records_with_unsound_edits_are_refused(void **state)
{
	static const struct {
		struct log_record records[3];
		size_t n;
		int rc;
	} cases[] = {
		{ { { .kind = LOG_DATA, .version = 1, .payload = { "\x02\x09", 2 } } }, 1, 0 },
		{ { { .kind = LOG_DATA, .version = 1 }, { .kind = LOG_DATA, .version = 2, .payload = { "\x02\x09", 2 } } }, 2, 0 },
		{ { { .kind = LOG_DATA, .version = 2, .payload = { "\x02\x09", 2 } } }, 1, SILT_E_CORRUPT },     /* no first */
		{ { { .kind = LOG_DATA, .version = 1 }, { .kind = LOG_DATA, .version = 3 } }, 2, SILT_E_CORRUPT },/* one is lost */
		{ { { .kind = LOG_DATA, .version = 1 }, { .kind = LOG_SKIP, .version = 5 } }, 2, SILT_E_CORRUPT },
		{ { { .kind = LOG_DATA, .version = 1, .payload = { "\x02", 1 } } }, 1, SILT_E_CORRUPT },         /* cut field */
		{ { { .kind = LOG_DATA, .version = 1, .payload = { "\x09\x01", 2 } } }, 1, SILT_E_VERSION },
		{ { { .kind = LOG_DATA, .version = 1, .payload = { "\x04\x00\x05", 3 } } }, 1, SILT_E_CORRUPT }, /* drops what is not there */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char message[1024];

		assert_int_equal(read_made(cases[i].records, cases[i].n, message), cases[i].rc);
		if (cases[i].rc < 0)
			assert_non_null(strstr(message, MANIFEST_PATH));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_manifest__there_is_none),
		cmocka_unit_test(test_manifest__what_was_appended_is_read),
		cmocka_unit_test(test_manifest__it_works_on_a_real_directory),
		cmocka_unit_test(test_manifest__it_rolls_by_count_and_says_the_same),
		cmocka_unit_test(test_manifest__it_rolls_when_full_and_grows_with_what_it_says),
		cmocka_unit_test(test_manifest__every_crash_leaves_the_old_or_the_new),
		cmocka_unit_test(test_manifest__the_nth_call_fails_once_or_for_good),
		cmocka_unit_test(test_manifest__a_failed_append_poisons_it),
		cmocka_unit_test(test_manifest__a_full_disk_while_rolling_passes),
		cmocka_unit_test(test_manifest__each_failed_allocation_is_said),
		cmocka_unit_test(test_manifest__each_failed_allocation_while_reading_is_said),
		cmocka_unit_test(test_manifest__each_failed_read_is_said),
		cmocka_unit_test(test_manifest__no_damaged_byte_is_believed),
		cmocka_unit_test(test_manifest__no_first_edit_is_damage),
		cmocka_unit_test(test_manifest__bytes_behind_the_end_are_a_torn_tail),
		cmocka_unit_test(test_manifest__sound_records_with_unsound_edits_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
