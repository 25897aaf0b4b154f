/* SPDX-License-Identifier: Apache-2.0 */
/* test_json_text.c - text, bytes and numbers as JSON, which json-c reads back; decimal numbers and their bounds. */
#include "lib/test.h"

#include "util/decimal.h"
#include "util/json_text.h"

#include <json-c/json.h>

static void check_bytes(struct span s, const char *wanted)
{
	struct bytes out = {0};

	json_text_bytes(&out, "key", "key_encoding", s);
	assert_false(out.bad);
	if (!span_eq(span_of(out.p, out.len), wanted))
		fail_msg("%.*s is not %s", (int)out.len, out.p, wanted);
	bytes_fini(&out);
}

static void test_json_text__text_as_text_and_bytes_as_base64(void **state)
{
	(void)state;
	check_bytes(span_str("a/b"), "\"key\":\"a/b\"");
	check_bytes(span_str(""), "\"key\":\"\"");
	check_bytes(span_str("\"\\\b\f\n\r\t"), "\"key\":\"\\\"\\\\\\b\\f\\n\\r\\t\"");
	check_bytes(span_of("\0\x1f\x7f", 3), "\"key\":\"\\u0000\\u001f\x7f\"");
	check_bytes(span_str("caf\xc3\xa9 </script>"), "\"key\":\"caf\xc3\xa9 </script>\"");
	check_bytes(span_str("\xff"), "\"key\":\"/w==\",\"key_encoding\":\"base64\"");
	check_bytes(span_str("ok\xc3"), "\"key\":\"b2vD\",\"key_encoding\":\"base64\"");
}

static void test_json_text__numbers(void **state)
{
	struct bytes out = {0};

	(void)state;
	json_text_number(&out, "n", 0);
	json_text_number(&out, "n", UINT64_MAX);
	assert_true(span_eq(span_of(out.p, out.len), "\"n\":0\"n\":18446744073709551615"));
	bytes_fini(&out);
}

/* Every byte below 0x80, printed and parsed by somebody else. */
static void test_json_text__json_c_reads_it_back(void **state)
{
	struct bytes out = {0};
	struct json_object *parsed;
	char all[128];

	(void)state;
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (char)i;
	json_text_string(&out, span_of(all, sizeof(all)));
	bytes_add(&out, "", 1);
	parsed = json_tokener_parse(out.p);
	assert_non_null(parsed);
	assert_int_equal(json_object_get_string_len(parsed), sizeof(all));
	assert_memory_equal(json_object_get_string(parsed), all, sizeof(all));
	json_object_put(parsed);
	bytes_fini(&out);
}

static void test_decimal__whole_numbers_only(void **state)
{
	static const char *const refused[] = { "",
		                               "-1",
		                               "+1",
		                               " 1",
		                               "1 ",
		                               "01",
		                               "00",
		                               "1.0",
		                               "1e3",
		                               "0x1",
		                               "a",
		                               "18446744073709551616",
		                               "99999999999999999999",
		                               "101" };
	uint64_t n = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		assert_false(decimal_parse(span_str(refused[i]),
		                           strcmp(refused[i], "101") == 0 ? 100 : UINT64_MAX, &n));
		assert_int_equal(n, 7);
	}
	assert_true(decimal_parse(span_str("0"), 0, &n));
	assert_int_equal(n, 0);
	assert_true(decimal_parse(span_str("100"), 100, &n));
	assert_int_equal(n, 100);
	assert_true(decimal_parse(span_str("18446744073709551615"), UINT64_MAX, &n));
	assert_true(n == UINT64_MAX);
}

static void test_decimal_signed__bounds_and_forms(void **state)
{
	static const struct { const char *text; int64_t value; } good[] = {
		{ "0", 0 }, { "-0", 0 }, { "7", 7 }, { "-7", -7 }, { "9223372036854775807", INT64_MAX }, { "-9223372036854775808", INT64_MIN },
	};
	static const char *const bad[] = { "", "-", "--1", "+1", "01", "-01", "1-", " 1", "9223372036854775808", "-9223372036854775809",
		                           "99999999999999999999999" };
	int64_t out = 5;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(decimal_parse_signed(span_str(good[i].text), &out));
		assert_int_equal(out, good[i].value);
	}
	out = 5;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(decimal_parse_signed(span_str(bad[i]), &out));
	assert_int_equal(out, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_text__text_as_text_and_bytes_as_base64),
		cmocka_unit_test(test_json_text__numbers),
		cmocka_unit_test(test_json_text__json_c_reads_it_back),
		cmocka_unit_test(test_decimal__whole_numbers_only),
		cmocka_unit_test(test_decimal_signed__bounds_and_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
