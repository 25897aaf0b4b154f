/* SPDX-License-Identifier: Apache-2.0 */
/* test_treename.c - keys as paths below a folder and back, and paths that no export writes. */
#include "lib/test.h"

#include "util/treename.h"

#include <stdlib.h>
#include <string.h>

static void check_name(struct span key, const char *wanted)
{
	struct bytes path = { 0 }, back = { 0 };
	size_t bad_at;

	assert_true(treename_of(key, &path));
	if (wanted && !span_eq(span_of(path.p, path.len), wanted))
		fail_msg("%.*s, and not %s", (int)path.len, path.p, wanted);
	assert_true(treename_key(span_of(path.p, path.len), &back, &bad_at));
	assert_int_equal(back.len, key.len);
	assert_memory_equal(back.p, key.p, key.len);
	bytes_fini(&path);
	bytes_fini(&back);
}

static void test_treename__keys_have_their_paths(void **state)
{
	static const struct {
		const char *key, *path;
	} table[] = {
		{ "img/logo.png", "img/logo.png" }, { "a//b", "a/%2Fb" }, { "/etc/passwd", "%2Fetc/passwd" }, { "../x", "%2E%2E/x" },
		{ "100%", "100%25" }, { "\xff", "%FF" }, { "a/", "a%2F" }, { "/", "%2F" }, { "//", "%2F%2F" }, { ".", "%2E" },
		{ "..", "%2E%2E" }, { "...", "..." }, { "a/./b", "a/%2E/b" }, { "a/..", "a/%2E%2E" }, { "a\nb", "a%0Ab" },
		{ "\x7f", "%7F" }, { "caf\xc3\xa9", "caf\xc3\xa9" }, { "\xc3", "%C3" }, { ".a", ".a" }, { "a.", "a." }, { "x/..y", "x/..y" },
		{ "%2F", "%252F" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		check_name(span_str(table[i].key), table[i].path);
	check_name(span_of("a\0b", 3), "a%00b");
}

/* Every name has at most TREENAME_MAX + 1 bytes, none is empty, . or .., and no byte of UTF-8 or of %XX is cut off. */
static void check_path(struct span path)
{
	const char *name = path.p, *end = path.p + path.len;

	assert_null(memchr(path.p, 0, path.len));
	while (name <= end) {
		const char *slash = memchr(name, '/', (size_t)(end - name));
		size_t n = (size_t)((slash ? slash : end) - name);

		assert_true(n >= 1 && n <= TREENAME_MAX + 1);
		assert_false((n == 1 && name[0] == '.') || (n == 2 && memcmp(name, "..", 2) == 0));
		name += n + 1;
	}
}

static void test_treename__any_key_has_a_path_and_comes_back(void **state)
{
	static const char odd[] = "/.%a\0\xff\xc3\xa9";
	char key[4096];

	(void)state;
	srand(7);
	for (int round = 0; round < 3000; round++) {
		size_t n = 1 + (size_t)rand() % (round % 10 ? 12 : sizeof(key));
		struct bytes path = { 0 };

		for (size_t i = 0; i < n; i++)
			key[i] = odd[(size_t)rand() % (sizeof(odd) - 1)];
		assert_true(treename_of(span_of(key, n), &path));
		check_path(span_of(path.p, path.len));
		bytes_fini(&path);
		check_name(span_of(key, n), NULL);
	}
}

static void test_treename__long_names_go_on(void **state)
{
	struct bytes path = { 0 };
	char key[600];

	(void)state;
	memset(key, 'a', sizeof(key));
	assert_true(treename_of(span_of(key, 251), &path));
	assert_int_equal(path.len, 253);
	assert_memory_equal(path.p + 249, "a%/a", 4);
	bytes_fini(&path);
	check_name(span_of(key, sizeof(key)), NULL);
}

static void test_treename__what_is_flat_means_the_same(void **state)
{
	char key[2000];

	(void)state;
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = i % 300 == 7 ? '/' : i % 7 == 3 ? '%' : 'b';
	for (size_t n = 1; n < sizeof(key); n += 97) {
		struct bytes path = { 0 }, flat = { 0 }, back = { 0 };
		size_t bad_at;

		assert_true(treename_of(span_of(key, n), &path));
		assert_true(treename_flat(span_of(path.p, path.len), &flat));
		check_path(span_of(flat.p, flat.len));
		assert_true(treename_key(span_of(flat.p, flat.len), &back, &bad_at));
		assert_int_equal(back.len, n);
		assert_memory_equal(back.p, key, n);
		bytes_fini(&path);
		bytes_fini(&flat);
		bytes_fini(&back);
	}
}

static void test_treename__paths_that_no_export_writes_are_refused(void **state)
{
	static const struct {
		const char *path;
		size_t bad_at;
	} bad[] = { { "%", 0 }, { "a%", 1 }, { "a%4", 1 }, { "a%41", 1 }, { "ab/%zz", 3 }, { "%20", 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct bytes key = { 0 };
		size_t bad_at = 99;

		assert_false(treename_key(span_str(bad[i].path), &key, &bad_at));
		assert_int_equal(bad_at, bad[i].bad_at);
		assert_false(key.bad);
		bytes_fini(&key);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_treename__keys_have_their_paths),
		cmocka_unit_test(test_treename__any_key_has_a_path_and_comes_back),
		cmocka_unit_test(test_treename__long_names_go_on),
		cmocka_unit_test(test_treename__what_is_flat_means_the_same),
		cmocka_unit_test(test_treename__paths_that_no_export_writes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
