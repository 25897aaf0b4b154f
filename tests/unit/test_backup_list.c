/* SPDX-License-Identifier: Apache-2.0 */
/* test_backup_list.c - the list of a backup's files: its bytes, and that nothing else is taken for one. */
#include "lib/test.h"

#include "util/backup_list.h"

#include <stdio.h>
#include <string.h>

/* The example of backup_list.h, but for its digests. */
static void example(struct backup_list *l)
{
	struct backup_file *f;

	*l = (struct backup_list){ .version = 48213, .made = "2026-11-21T21:30:00Z" };
	f = backup_list_add(l, "MANIFEST");
	assert_non_null(f);
	f->size = 262144;
	memset(f->digest, 0xaa, sizeof(f->digest));
	f = backup_list_add(l, "000012.sst");
	assert_non_null(f);
	f->size = 65536;
	f->has_root = true;
	memset(f->root, 0x5f, sizeof(f->root));
	memset(f->digest, 0x9a, sizeof(f->digest));
	backup_list_sort(l);
}

#define TIMES32(x) x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x

static void test_backup_list__bytes_are_as_drawn(void **state)
{
	static const char wanted[] =
		"# siltstone backup 1\n"
		"# version 48213\n"
		"# made 2026-11-21T21:30:00Z\n"
		"# 65536 " TIMES32("5f") "\n"
		TIMES32("9a") "  000012.sst\n"
		"# 262144 -\n"
		TIMES32("aa") "  MANIFEST\n";
	unsigned char digest[SHA256_BYTES];
	struct backup_list l, back;
	struct bytes out = { 0 };
	char hex[SHA256_HEX];
	size_t line;

	(void)state;
	example(&l);
	backup_list_print(&l, &out);
	assert_false(out.bad);
	assert_memory_equal(out.p, wanted, sizeof(wanted) - 1);
	assert_true(sha256_of(span_of(wanted, sizeof(wanted) - 1), digest));
	assert_int_equal(out.len, sizeof(wanted) - 1 + strlen("# end ") + SHA256_HEX);
	assert_memory_equal(out.p + sizeof(wanted) - 1 + strlen("# end "), sha256_hex(digest, hex), SHA256_HEX - 1);
	assert_true(backup_list_parse(&back, span_of(out.p, out.len), &line));
	assert_int_equal(back.version, 48213);
	assert_string_equal(back.made, "2026-11-21T21:30:00Z");
	assert_int_equal(back.n, 2);
	assert_int_equal(backup_list_bytes(&back), 65536 + 262144);
	assert_memory_equal(&back.files[0], &l.files[0], sizeof(l.files[0]));
	assert_memory_equal(&back.files[1], &l.files[1], sizeof(l.files[1]));
	assert_ptr_equal(backup_list_find(&back, 65536, l.files[0].root), &back.files[0]);
	assert_null(backup_list_find(&back, 65537, l.files[0].root));
	assert_null(backup_list_find(&back, 262144, l.files[1].root));     /* no table */
	backup_list_fini(&back);
	backup_list_fini(&l);
	bytes_fini(&out);
}

static void test_backup_list__any_changed_or_missing_byte_is_seen(void **state)
{
	struct backup_list l, back;
	struct bytes out = { 0 };
	size_t line;

	(void)state;
	example(&l);
	backup_list_print(&l, &out);
	for (size_t i = 0; i < out.len; i++) {
		struct span half = span_of(out.p, i);

		assert_false(backup_list_parse(&back, half, &line));
		assert_null(back.files);
		out.p[i] ^= 1;
		if (backup_list_parse(&back, span_of(out.p, out.len), &line))
			fail_msg("byte %zu may be another", i);
		assert_true(line >= 1 && line <= 9);
		out.p[i] ^= 1;
	}
	assert_true(bytes_adds(&out, "\n"));
	assert_false(backup_list_parse(&back, span_of(out.p, out.len), &line));
	backup_list_fini(&l);
	bytes_fini(&out);
}

/* Names that lead elsewhere are refused also under a right digest. */
static void test_backup_list__names_are_those_of_a_store(void **state)
{
	static const char *const good[] = { "MANIFEST", "1.sst", "000001.wal", "18446744073709551615.sst" };
	static const char *const bad[] = {
		"", ".", "..", "/etc/passwd", "../x.sst", "x.sst", "1.sst.tmp", "1.tmp", ".sst", "LOCK", "MANIFEST.tmp", "manifest", "1.sst/", "a/1.sst",
		"184467440737095516150.sst", "-1.sst", " 1.sst",
	};
	struct backup_list l, back;
	size_t line;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(backup_list_name_ok(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct bytes out = { 0 };

		assert_false(backup_list_name_ok(bad[i]));
		example(&l);
		(void)snprintf(l.files[0].name, sizeof(l.files[0].name), "%s", bad[i]);
		backup_list_print(&l, &out);
		if (backup_list_parse(&back, span_of(out.p, out.len), &line))
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(line, 5);
		backup_list_fini(&l);
		bytes_fini(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_backup_list__bytes_are_as_drawn),
		cmocka_unit_test(test_backup_list__any_changed_or_missing_byte_is_seen),
		cmocka_unit_test(test_backup_list__names_are_those_of_a_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
