/* SPDX-License-Identifier: Apache-2.0 */
/* test_entry.c - an entry is a line and a line an entry; what is wrong has its place. */
#include "lib/test.h"

#include "ctl/entry.c"                /* of siltctl itself, which is no library */

static void test_entry__an_entry_is_one_line(void **state)
{
	static const char any[] = "\xff\x00";
	struct bytes out = { 0 };

	(void)state;
	entry_print(&out, &(struct entry){ .key = span_str("a/b"), .value = span_str("1"), .version = 7 });
	assert_true(span_eq(span_of(out.p, out.len), "{\"key\":\"a/b\",\"value\":\"1\",\"version\":7}"));
	bytes_clear(&out);
	entry_print(&out, &(struct entry){ .key = span_of(any, 2), .expires_ms = 5, .meta = span_str("text/plain") });
	assert_true(span_eq(span_of(out.p, out.len),
	                    "{\"key\":\"/wA=\",\"key_encoding\":\"base64\",\"expires_at\":5,\"content_type\":\"text/plain\"}"));
	bytes_clear(&out);
	entry_print(&out, &(struct entry){ .key = span_str("k"), .value = span_of(any, 2), .meta = span_of(any, 2) });
	assert_true(span_eq(span_of(out.p, out.len), "{\"key\":\"k\",\"value\":\"/wA=\",\"encoding\":\"base64\",\"meta\":\"/wA=\","
	                                             "\"meta_encoding\":\"base64\"}"));
	bytes_fini(&out);
}

static void test_entry__a_line_is_an_entry(void **state)
{
	struct entry_reading r = { 0 };

	(void)state;
	assert_int_equal(entry_read(span_str(" {\"value\":[1, 2], \"key\":\"\\u0061\\n\",\"version\":3,\"expires_at\":9 }"), &r), ENTRY_ITEM);
	assert_true(span_eq(r.entry.key, "a\n"));
	assert_true(span_eq(r.entry.value, "[1, 2]"));
	assert_int_equal(r.entry.version, 3);
	assert_int_equal(r.entry.expires_ms, 9);
	assert_int_equal(entry_read(span_str("{\"key\":\"/w==\",\"key_encoding\":\"base64\",\"value\":\"Zg==\",\"encoding\":\"base64\"}"), &r),
	                 ENTRY_ITEM);
	assert_true(span_eq(r.entry.key, "\xff"));
	assert_true(span_eq(r.entry.value, "f"));
	assert_int_equal(r.entry.version, 0);
	bytes_fini(&r.text);
}

static void test_entry__a_last_line_is_known(void **state)
{
	struct entry_reading r = { 0 };

	(void)state;
	assert_int_equal(entry_read(span_str("{\"end\":true,\"count\":12,\"version\":7}"), &r), ENTRY_LAST);
	assert_int_equal(r.count, 12);
	assert_int_equal(r.version, 7);
	assert_int_equal(entry_read(span_str("{\"error\":{\"title\":\"t\"}}"), &r), ENTRY_ERROR);
	assert_true(span_eq(r.error, "{\"title\":\"t\"}"));
	bytes_fini(&r.text);
}

static void test_entry__what_is_wrong_has_its_place(void **state)
{
	static const struct {
		const char *line;
		size_t at;
	} bad[] = {
		{ "", 0 }, { "7", 0 }, { "{}", 0 }, { "{\"key\":\"a\"}", 0 }, { "{\"value\":\"a\"}", 0 },
		{ "{\"key\":1,\"value\":\"\"}", 7 }, { "{\"key\":\"\",\"value\":\"\"}", 7 }, { "{\"key\":\"a\",\"value\":\"\",\"ttl\":1}", 22 },
		{ "{\"key\":\"a\",\"value\":1,\"encoding\":\"base64\"}", 19 }, { "{\"key\":\"a\",\"value\":\"a\",\"encoding\":\"hex\"}", 34 },
		{ "{\"key\":\"a\",\"value\":\"a\",\"encoding\":\"base64\"}", 19 }, { "{\"key\":\"a\",\"value\":\"\",\"version\":1.5}", 32 },
		{ "{\"key\":\"a\",\"value\":\"\",\"version\":9007199254740992}", 32 },
		{ "{\"key\":\"a\",\"value\":\"\",\"content_type\":\"a\\nb\"}", 37 }, { "{\"key\":\"a\",\"value\":\"\"} x", 23 },
		{ "{\"end\":false}", 7 }, { "{\"end\":true,\"count\":\"1\"}", 20 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct entry_reading r = { 0 };

		assert_int_equal(entry_read(span_str(bad[i].line), &r), ENTRY_BAD);
		assert_non_null(r.fault);
		if (r.at != bad[i].at)
			fail_msg("%s: %zu", bad[i].line, r.at);
		bytes_fini(&r.text);
	}
}

static void test_entry__keys_alone_need_no_value(void **state)
{
	struct entry_reading r = { .keys_only = true };

	(void)state;
	assert_int_equal(entry_read(span_str("{\"key\":\"a\",\"version\":1}"), &r), ENTRY_ITEM);
	assert_null(r.entry.value.p);
	bytes_fini(&r.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entry__an_entry_is_one_line),
		cmocka_unit_test(test_entry__a_line_is_an_entry),
		cmocka_unit_test(test_entry__a_last_line_is_known),
		cmocka_unit_test(test_entry__what_is_wrong_has_its_place),
		cmocka_unit_test(test_entry__keys_alone_need_no_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
