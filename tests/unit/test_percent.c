/* SPDX-License-Identifier: Apache-2.0 */
/* test_percent.c - decoded once and strictly. */
#include "lib/test.h"

#include "util/percent.h"

struct decoding {
	const char *in;
	const char *path, *form;               /* NULL = malformed */
	size_t len;
	size_t bad_at;
};

static const struct decoding table[] = {
	{ "", "", "", 0, 0 },
	{ "abc", "abc", "abc", 3, 0 },
	{ "a%2Fb+c", "a/b+c", "a/b c", 5, 0 },
	{ "a%2fb", "a/b", "a/b", 3, 0 },
	{ "%00", "\0", "\0", 1, 0 },
	{ "%ff%FE", "\xff\xfe", "\xff\xfe", 2, 0 },
	{ "%252F", "%2F", "%2F", 3, 0 },                 /* once */
	{ "%2B+", "++", "+ ", 2, 0 },
	{ "\xff", "\xff", "\xff", 1, 0 },
	{ "%", NULL, NULL, 0, 0 },
	{ "a%", NULL, NULL, 0, 1 },
	{ "a%4", NULL, NULL, 0, 1 },
	{ "%zz", NULL, NULL, 0, 0 },
	{ "ab%4g", NULL, NULL, 0, 2 },
	{ "%41%4", NULL, NULL, 0, 3 },
	{ "%%41", NULL, NULL, 0, 0 },
	{ "%+1", NULL, NULL, 0, 0 },
	{ "% 1", NULL, NULL, 0, 0 },
};

static void check(const struct decoding *d, enum percent_rule rule, const char *wanted)
{
	struct bytes out = {0};
	size_t bad_at;
	bool ok;

	assert_true(bytes_adds(&out, "before"));
	ok = percent_decode(span_str(d->in), rule, &out, &bad_at);
	assert_false(out.bad);
	if (wanted == NULL) {
		assert_false(ok);
		assert_int_equal(bad_at, d->bad_at);
		assert_int_equal(out.len, 6);                /* untouched */
	} else {
		assert_true(ok);
		assert_int_equal(out.len, 6 + d->len);
		assert_memory_equal(out.p + 6, wanted, d->len);
	}
	bytes_fini(&out);
}

static void test_percent__decodes_once_and_strictly(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		check(&table[i], PERCENT_PATH, table[i].path);
		check(&table[i], PERCENT_FORM, table[i].form);
	}
}

static void test_percent__nothing_into_nothing(void **state)
{
	struct bytes out = {0};
	size_t bad_at;

	(void)state;
	assert_true(percent_decode(span_of(NULL, 0), PERCENT_PATH, &out, &bad_at));
	assert_int_equal(out.len, 0);
	bytes_fini(&out);
}

static void test_percent__begins_and_equals_without_memory(void **state)
{
	struct span nul = { "a\0b", 3 };

	(void)state;
	assert_int_equal(percent_begins(span_str("tenant/a"), span_str("tenant/")), 1);
	assert_int_equal(percent_begins(span_str("tenant/a"), span_str("tenant%2f")), 1);
	assert_int_equal(percent_begins(span_str("tenant"), span_str("tenant/")), 0);
	assert_int_equal(percent_begins(span_str("other"), span_str("tenant/")), 0);
	assert_int_equal(percent_begins(span_str("x"), span_str("")), 1);
	assert_int_equal(percent_begins(span_str("a+b"), span_str("a+")), 1);
	assert_int_equal(percent_begins(nul, span_str("a%00")), 1);
	assert_int_equal(percent_begins(span_str("100%"), span_str("100%")), -1);
	assert_int_equal(percent_begins(span_str("x"), span_str("yy%2")), -1); /* malformed beats different */
	assert_int_equal(percent_equals(span_str("key"), span_str("key")), 1);
	assert_int_equal(percent_equals(span_str("key"), span_str("%6bey")), 1);
	assert_int_equal(percent_equals(span_str("key"), span_str("ke")), 0);
	assert_int_equal(percent_equals(span_str("key"), span_str("keys")), 0);
	assert_int_equal(percent_equals(span_str("key"), span_str("")), 0);
	assert_int_equal(percent_equals(span_str("key"), span_str("k%e")), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_percent__decodes_once_and_strictly),
		cmocka_unit_test(test_percent__nothing_into_nothing),
		cmocka_unit_test(test_percent__begins_and_equals_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
