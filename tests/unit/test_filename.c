/* SPDX-License-Identifier: Apache-2.0 */
/* test_filename.c - names printed and read back, and those of others. */
#include "lib/test.h"

#include "core/filename.h"

static void test_filename__prints_at_least_six_digits(void **state)
{
	char out[FILENAME_MAX_BYTES];

	(void)state;
	assert_int_equal(filename_wal("d", 12, false, out), 0);
	assert_string_equal(out, "d/000012.wal");
	assert_int_equal(filename_wal("d", 12, true, out), 0);
	assert_string_equal(out, "d/000012.wal.tmp");
	assert_int_equal(filename_table("/x/y", 1234567, false, out), 0);
	assert_string_equal(out, "/x/y/1234567.sst");
	assert_int_equal(filename_table("/x/y", UINT64_MAX, true, out), 0);
	assert_string_equal(out, "/x/y/18446744073709551615.sst.tmp");
	assert_int_equal(filename_in("d", "MANIFEST", out), 0);
	assert_string_equal(out, "d/MANIFEST");
}

static void test_filename__refuses_what_does_not_fit(void **state)
{
	static char dir[FILENAME_MAX_BYTES + 1];
	char out[FILENAME_MAX_BYTES];
	size_t room = FILENAME_MAX_BYTES - sizeof("/000012.wal");

	(void)state;
	memset(dir, 'd', room);
	assert_int_equal(filename_wal(dir, 12, false, out), 0);
	dir[room] = 'd';
	assert_int_equal(filename_wal(dir, 12, false, out), SILT_E_TOOBIG);
	assert_int_equal(filename_table(dir, 12, false, out), SILT_E_TOOBIG);
	memset(dir, 'd', FILENAME_MAX_BYTES);
	assert_int_equal(filename_in(dir, "LOCK", out), SILT_E_TOOBIG);
}

static void test_filename__knows_its_own_names_and_no_other(void **state)
{
	static const struct {
		const char *name;
		enum file_kind kind;
		uint64_t number;
	} cases[] = {
		{ "LOCK", FILE_LOCK, 0 },
		{ "MANIFEST", FILE_MANIFEST, 0 },
		{ "MANIFEST.tmp", FILE_TMP, 0 },
		{ "checkpoints", FILE_CHECKPOINTS, 0 },
		{ "quarantine", FILE_QUARANTINE, 0 },
		{ "000012.wal", FILE_WAL, 12 },
		{ "000012.sst", FILE_TABLE, 12 },
		{ "000012.wal.tmp", FILE_TMP, 12 },
		{ "000012.sst.tmp", FILE_TMP, 12 },
		{ "1000000.sst", FILE_TABLE, 1000000 },
		{ "18446744073709551615.wal", FILE_WAL, UINT64_MAX },
		{ "18446744073709551616.wal", FILE_OTHER, 0 },
		{ "99999999999999999999999.wal", FILE_OTHER, 0 },
		{ "0000012.wal", FILE_OTHER, 0 },
		{ "12.wal", FILE_OTHER, 0 },
		{ "000000.wal", FILE_OTHER, 0 },
		{ ".wal", FILE_OTHER, 0 },
		{ "", FILE_OTHER, 0 },
		{ "-00012.wal", FILE_OTHER, 0 },
		{ " 000012.wal", FILE_OTHER, 0 },
		{ "000012.wal ", FILE_OTHER, 0 },
		{ "000012.log", FILE_OTHER, 0 },
		{ "000012", FILE_OTHER, 0 },
		{ "000012.tmp", FILE_OTHER, 0 },
		{ "lock", FILE_OTHER, 0 },
		{ "LOCK.tmp", FILE_OTHER, 0 },
		{ "MANIFEST.old", FILE_OTHER, 0 },
		{ "notes.txt", FILE_OTHER, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t number = 77;

		if (filename_parse(cases[i].name, &number) != cases[i].kind || number != cases[i].number)
			fail_msg("filename_parse(\"%s\")", cases[i].name);
	}
}

static void test_filename__reads_back_what_it_printed(void **state)
{
	static const uint64_t numbers[] = { 1, 9, 10, 99999, 999999, 1000000, 123456789012, UINT64_MAX - 1, UINT64_MAX };
	char out[FILENAME_MAX_BYTES];
	uint64_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		assert_int_equal(filename_wal("d", numbers[i], false, out), 0);
		assert_int_equal(filename_parse(out + 2, &n), FILE_WAL);
		assert_true(n == numbers[i]);
		assert_int_equal(filename_table("d", numbers[i], true, out), 0);
		assert_int_equal(filename_parse(out + 2, &n), FILE_TMP);
		assert_true(n == numbers[i]);
	}
}

static void test_filename__parent_is_where_the_name_stands(void **state)
{
	static const struct {
		const char *path, *parent;
	} cases[] = {
		{ "/var/lib/silt", "/var/lib" }, { "/var/lib/silt//", "/var/lib" }, { "/var//silt", "/var" }, { "/silt", "/" },
		{ "silt", "." }, { "silt/", "." }, { "./silt", "." }, { "../a/b", "../a" }, { "/", "/" },
	};
	char out[FILENAME_MAX_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(filename_parent(cases[i].path, out), 0);
		assert_string_equal(out, cases[i].parent);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filename__prints_at_least_six_digits),
		cmocka_unit_test(test_filename__refuses_what_does_not_fit),
		cmocka_unit_test(test_filename__knows_its_own_names_and_no_other),
		cmocka_unit_test(test_filename__parent_is_where_the_name_stands),
		cmocka_unit_test(test_filename__reads_back_what_it_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
