/* SPDX-License-Identifier: Apache-2.0 */
/* test_output.c - a job's tables: offered whole and read back from the disk, or no file is left. */
#include "lib/test.h"

#include "base/mem.h"
#include "core/filename.h"
#include "lib/jobkit.h"
#include "job/output.h"

static int add(struct output *o, unsigned key, uint64_t version)
{
	char key_room[16], value_room[400];
	struct entry e = { .key = jobkit_key(key, key_room), .version = version, .kind = ENTRY_PUT };

	e.value = jobkit_value(key, version, value_room);
	return output_add(o, &e);
}

static unsigned files(struct jobkit *k)
{
	return jobkit_strays(k);                                /* the version names none of them */
}

/* Keys 0..n - 1 in tables of `each`; the first failure. */
static int write_tables(struct output *o, unsigned n, unsigned each)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < n; i++) {
		rc = add(o, i, 1 + i);
		if (rc == 0 && i % each == each - 1)
			rc = output_cut(o);
	}
	return rc == 0 ? output_cut(o) : rc;
}

static void test_output__offers_what_was_added(void **state)
{
	struct job_counts counts = { 0 };
	struct edit edit = { 0 };
	struct output o;
	struct jobkit k;

	(void)state;
	jobkit_init(&k);
	output_init(&o, &k.job, SILT_COMPRESS_LZ4, &counts);
	assert_int_equal(output_cut(&o), 0);                    /* nothing is open */
	assert_int_equal(output_bytes(&o), 0);
	assert_int_equal(write_tables(&o, 50, 20), 0);
	assert_int_equal(counts.entries_out, 50);
	assert_int_equal(output_offer(&o, 3, &edit), 0);
	assert_int_equal(edit.add_count, 3);
	assert_int_equal(edit.adds[0].level, 3);
	assert_int_equal(edit.adds[0].meta->entries, 20);
	assert_int_equal(edit.adds[2].meta->entries, 10);
	assert_int_equal(counts.bytes_written, edit.adds[0].meta->size + edit.adds[1].meta->size + edit.adds[2].meta->size);
	output_fini(&o);
	assert_int_equal(files(&k), 3);                         /* they are the edit's now */
	jobkit_install(&k, &edit);
	assert_int_equal(files(&k), 0);
	edit_fini(&edit);
	jobkit_fini(&k);
}

static void test_output__what_was_not_offered_is_removed(void **state)
{
	struct job_counts counts = { 0 };
	struct output o;
	struct jobkit k;

	(void)state;
	jobkit_init(&k);
	output_init(&o, &k.job, SILT_COMPRESS_NONE, &counts);
	assert_int_equal(write_tables(&o, 50, 20), 0);
	assert_int_equal(add(&o, 90, 90), 0);                   /* and one that is open */
	assert_int_equal(files(&k), 4);
	output_fini(&o);
	assert_int_equal(files(&k), 0);
	jobkit_fini(&k);
}

static void test_output__counts_that_disagree_are_no_edit(void **state)
{
	struct job_counts counts = { 0 };
	struct edit edit = { 0 };
	struct output o;
	struct jobkit k;

	(void)state;
	jobkit_init(&k);
	output_init(&o, &k.job, SILT_COMPRESS_NONE, &counts);
	assert_int_equal(write_tables(&o, 50, 20), 0);
	counts.entries_out++;
	assert_int_equal(output_offer(&o, 1, &edit), SILT_E_CORRUPT);
	assert_string_equal(k.kit.message, "job: 51 entries were written, and the tables hold 50");
	assert_int_equal(edit.add_count, 0);
	output_fini(&o);
	assert_int_equal(files(&k), 0);
	edit_fini(&edit);
	jobkit_fini(&k);
}

static void test_output__pace_hears_every_byte_once(void **state)
{
	struct job_counts counts = { 0 };
	struct output o;
	struct jobkit k;

	(void)state;
	jobkit_init(&k);
	output_init(&o, &k.job, SILT_COMPRESS_NONE, &counts);
	for (unsigned i = 0; i < 60; i++) {
		assert_int_equal(add(&o, i, 1), 0);
		output_pace(&o);
		if (i % 25 == 24)
			assert_int_equal(output_cut(&o), 0);
	}
	assert_int_equal(output_cut(&o), 0);
	output_pace(&o);
	assert_int_equal(k.paced, counts.bytes_written);
	output_fini(&o);
	jobkit_fini(&k);
}

/* ---- reading back ---- */

static void damage(void *ctx, enum simdisk_call kind, const char *path, bool before)
{
	struct jobkit *k = ctx;

	if (kind == SIM_RENAME && !before)
		(void)simdisk_flip(k->disk, path, 30, 1);
}

static void test_output__a_disk_that_lies_is_found_out(void **state)
{
	struct job_counts counts = { 0 };
	struct output o;
	struct jobkit k;

	(void)state;
	jobkit_init(&k);
	output_init(&o, &k.job, SILT_COMPRESS_NONE, &counts);
	simdisk_on_sync(k.disk, damage, &k);
	assert_int_equal(write_tables(&o, 20, 20), SILT_E_CORRUPT);
	simdisk_on_sync(k.disk, NULL, NULL);
	assert_non_null(strstr(k.kit.message, "/db/000001.sst: data block at offset 0 ("));
	output_fini(&o);
	assert_int_equal(files(&k), 0);
	jobkit_fini(&k);
}

static void test_output__stops_while_reading_back(void **state)
{
	struct job_counts counts = { 0 };
	struct output o;
	struct jobkit k;

	(void)state;
	jobkit_init(&k);
	k.stop_after = 2;
	output_init(&o, &k.job, SILT_COMPRESS_NONE, &counts);
	assert_int_equal(write_tables(&o, 60, 60), SILT_E_CLOSED);
	output_fini(&o);
	assert_int_equal(files(&k), 0);
	jobkit_fini(&k);
}

/* ---- failures ---- */

/* One job from its first entry to its edit; then its tables are removed again. */
static int whole_run(struct jobkit *k)
{
	struct job_counts counts = { 0 };
	struct edit edit = { 0 };
	struct output o;
	int rc;

	output_init(&o, &k->job, SILT_COMPRESS_LZ4, &counts);
	rc = write_tables(&o, 50, 8);                           /* more tables than the array has room for at first */
	if (rc == 0)
		rc = output_offer(&o, 2, &edit);
	assert_int_equal(edit.add_count, rc == 0 ? 7 : 0);
	output_fini(&o);
	simdisk_fail_at(k->disk, SIM_ANY, 0, 0, false);
	for (size_t i = 0; i < edit.add_count; i++) {
		char path[FILENAME_MAX_BYTES];
		silt_os *os = k->kit.env.os;

		assert_int_equal(filename_table(k->kit.env.dir, edit.adds[i].meta->number, false, path), 0);
		assert_int_equal(os->unlink(os, path), 0);
	}
	edit_fini(&edit);
	return rc;
}

static void test_output__any_failure_leaves_no_file(void **state)
{
	struct jobkit k;
	uint64_t calls;
	int rc;

	(void)state;
	jobkit_init(&k);
	calls = simdisk_calls(k.disk, SIM_ANY);
	assert_int_equal(whole_run(&k), 0);
	calls = simdisk_calls(k.disk, SIM_ANY) - calls;
	for (uint64_t n = 1; n <= calls; n++) {
		simdisk_fail_at(k.disk, SIM_ANY, n, SILT_E_NOSPACE, false);
		rc = whole_run(&k);                             /* 0: a close behind reading, and with it nothing is lost */
		assert_true(rc == 0 || rc == SILT_E_NOSPACE);
		assert_int_equal(files(&k), 0);
	}
	rc = -1;
	for (uint64_t n = 1; rc != 0; n++) {
		mem_fail_at(n, false);
		rc = whole_run(&k);
		mem_fail_at(0, false);
		assert_true(rc == 0 || rc == SILT_E_NOMEM);
		assert_int_equal(files(&k), 0);
		assert_true(n < 2000);
	}
	jobkit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_output__offers_what_was_added),
		cmocka_unit_test(test_output__what_was_not_offered_is_removed),
		cmocka_unit_test(test_output__counts_that_disagree_are_no_edit),
		cmocka_unit_test(test_output__pace_hears_every_byte_once),
		cmocka_unit_test(test_output__a_disk_that_lies_is_found_out),
		cmocka_unit_test(test_output__stops_while_reading_back),
		cmocka_unit_test(test_output__any_failure_leaves_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
