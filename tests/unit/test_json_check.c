/* SPDX-License-Identifier: Apache-2.0 */
/* test_json_check.c - tables of texts that are JSON and texts that are not, with the offset of the fault. */
#include "lib/test.h"

#include "util/json_check.h"

#include <json-c/json.h>

struct text {
	const char *p;
	size_t len;
};
#define T(s) { s, sizeof(s) - 1 }

struct fault {
	struct text text;
	size_t offset;
};

static const struct text good[] = {
	T("null"), T("true"), T("false"), T("0"), T("-0"), T("1"), T("-1"), T("10"), T("0.5"), T("-0.5e10"),
	T("1E+2"), T("1e-2"),
	T("1e999"), T("99999999999999999999999999999999999999"), T("123.456e78"), T(" \t\r\n1 \t\r\n"),
	T("\"\""), T("\"a\""), T("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), T("\"\\u0000\""), T("\"\\u00e9\\uFFFF\""),
	T("\"\\ud834\\udd1e\""),
	T("\"\\uDBFF\\uDFFF\""), T("\"\x7f\""), T("\"\xc2\x80\""), T("\"\xe0\xa0\x80\""), T("\"\xed\x9f\xbf\""),
	T("\"\xee\x80\x80\""),
	T("\"\xef\xbf\xbf\""), T("\"\xf0\x90\x80\x80\""), T("\"\xf4\x8f\xbf\xbf\""), T("\"/\""), T("\"'\""),
	T("[]"), T("[ ]"), T("[1]"), T("[1,2]"), T("[ 1 , [ ] , { } ]"), T("[[[[]]]]"),
	T("[\"\",null,true,-0]"),
	T("{}"), T("{ }"), T("{\"\":0}"), T("{\"a\":1,\"b\":2}"), T("{ \"a\" : [ { \"a\" : { } } ] }"),
	T("{\"a\":1,\"A\":1}"),
	T("{\"a\":{\"a\":1},\"b\":{\"a\":1}}"), T("{\"a\\u0000b\":1,\"a\":2}"),
	T("{\"\xc3\xa9\":1,\"e\xcc\x81\":2}"),
	T("{\"\\ud834\\udd1e\":1,\"\\ud834\\udd1f\":2}"), T("[{\"a\":1},{\"a\":1}]"),
	T("{\"k\":\"\\u006b\",\"l\":0}"),
};

static const struct fault bad[] = {
	{ T(""), 0 }, { T("  "), 2 }, { T("\xef\xbb\xbf{}"), 0 }, { T("{} x"), 3 }, { T("1 2"), 2 },
	{ T("[] []"), 3 }, { T("null\0"), 4 },
	{ T("nul"), 0 }, { T("nulll"), 4 }, { T("True"), 0 }, { T("NaN"), 0 }, { T("nan"), 0 },
	{ T("Infinity"), 0 }, { T("-Infinity"), 0 },
	{ T("[NaN]"), 1 }, { T("undefined"), 0 }, { T("\v1"), 0 }, { T("\xc2\xa0""1"), 0 },
	/* numbers */
	{ T("+1"), 0 }, { T("01"), 0 }, { T("-01"), 0 }, { T("-"), 0 }, { T("1."), 0 }, { T(".5"), 0 },
	{ T("1.e1"), 0 }, { T("1e"), 0 },
	{ T("1e+"), 0 }, { T("0x10"), 1 }, { T("1_000"), 1 }, { T("00"), 0 }, { T("-a"), 0 }, { T("1a"), 1 },
	{ T("[1.]"), 1 }, { T("--1"), 0 },
	/* strings */
	{ T("\""), 1 }, { T("\"a"), 2 }, { T("'a'"), 0 }, { T("\"a\nb\""), 2 }, { T("\"\t\""), 1 },
	{ T("\"\0\""), 1 }, { T("\"\x1f\""), 1 },
	{ T("\"\\x41\""), 1 }, { T("\"\\a\""), 1 }, { T("\"\\'\""), 1 }, { T("\"\\\""), 3 }, { T("\"\\"), 2 },
	{ T("\"\\\0\""), 1 },
	{ T("\"\\u12\""), 1 }, { T("\"\\u12g4\""), 1 }, { T("\"\\u"), 1 }, { T("\"\\U0041\""), 1 },
	{ T("\"\\u{41}\""), 1 },
	{ T("\"\\ud800\""), 1 }, { T("\"\\ud800x\""), 1 }, { T("\"\\ud800\\n\""), 1 },
	{ T("\"\\ud800\\u0041\""), 1 },
	{ T("\"a\\ud800\\ud800\""), 2 }, { T("\"\\udc00\""), 1 }, { T("\"\\udc00\\ud800\""), 1 },
	{ T("\"\\ud834\\udd1"), 1 },
	/* UTF-8 */
	{ T("\"\x80\""), 1 }, { T("\"\xc0\x80\""), 1 }, { T("\"\xc1\xbf\""), 1 }, { T("\"a\xc3\""), 2 },
	{ T("\"\xc3(\""), 1 },
	{ T("\"\xe0\x9f\xbf\""), 1 }, { T("\"\xed\xa0\x80\""), 1 }, { T("\"\xed\xbf\xbf\""), 1 },
	{ T("\"\xe2\x82\""), 1 },
	{ T("\"\xf0\x8f\xbf\xbf\""), 1 }, { T("\"\xf4\x90\x80\x80\""), 1 }, { T("\"\xf5\x80\x80\x80\""), 1 },
	{ T("\"\xff\""), 1 },
	{ T("\"\xfe\xff\""), 1 }, { T("\"\xf0\x90\x80"), 1 }, { T("{\"\xff\":1}"), 2 },
	/* arrays and objects */
	{ T("["), 1 }, { T("[1"), 2 }, { T("[1,"), 3 }, { T("[1,]"), 3 }, { T("[,1]"), 1 }, { T("[1 2]"), 3 },
	{ T("[1}"), 2 }, { T("]"), 0 },
	{ T("{"), 1 }, { T("{a:1}"), 1 }, { T("{'a':1}"), 1 }, { T("{\"a\"}"), 4 }, { T("{\"a\":}"), 5 },
	{ T("{\"a\":1,}"), 7 },
	{ T("{\"key\":\"a\",}"), 11 }, { T("{\"a\" 1}"), 5 }, { T("{\"a\":1 \"b\":2}"), 7 },
	{ T("{\"a\":1]"), 6 }, { T("{1:2}"), 1 },
	{ T("{\"a\":1"), 6 }, { T("{,}"), 1 }, { T("}"), 0 }, { T("{\"a\"::1}"), 5 }, { T("[1]]"), 3 },
	{ T("{null:1}"), 1 },
	/* comments */
	{ T("/* */ 1"), 0 }, { T("1 // x"), 2 }, { T("[1 /* */]"), 3 }, { T("# x\n1"), 0 },
	/* names twice: at the opening quote of the second */
	{ T("{\"a\":1,\"a\":2}"), 7 }, { T("{\"k\":1,\"\\u006b\":2}"), 7 }, { T("{\"\":1,\"\":2}"), 6 },
	{ T("{\"x\":{\"b\":1,\"c\":2,\"b\":3}}"), 18 }, { T("[{\"a\":1},{\"a\":1,\"a\":1}]"), 16 },
	{ T("{\"\xf0\x9d\x84\x9e\":1,\"\\ud834\\udd1e\":2}"), 10 }, { T("{\"a\\/\":1,\"a/\":2}"), 9 },
	{ T("{\"b\":1,\"a\":1,\"b\":2,\"a\":2}"), 13 }, { T("{\"a\":1,\"a\":2,\"a\":3}"), 7 },
};

static bool check(const struct text *t, struct json_doc *doc)
{
	char *exact = malloc(t->len + 1);        /* of its own, so that a read past its end is seen */
	bool ok;

	assert_non_null(exact);
	exact = realloc(exact, t->len > 0 ? t->len : 1);
	memcpy(exact, t->p, t->len);
	ok = json_check(span_of(exact, t->len), doc);
	free(exact);
	return ok;
}

static void test_json_check__takes_what_is_json(void **state)
{
	struct json_doc doc;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!check(&good[i], &doc))
			fail_msg("refused at %zu (%s): %s", doc.error_offset, doc.error, good[i].p);
}

static void test_json_check__names_the_fault_and_its_offset(void **state)
{
	struct json_doc doc;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (check(&bad[i].text, &doc))
			fail_msg("taken: %s", bad[i].text.p);
		assert_non_null(doc.error);
		assert_false(doc.no_memory);
		if (doc.error_offset != bad[i].offset)
			fail_msg("offset %zu (%s), not %zu: %s", doc.error_offset, doc.error, bad[i].offset,
			         bad[i].text.p);
	}
}

/* Every beginning of a text that is no text itself is refused, and never read past its end. */
static void test_json_check__every_beginning_is_cut_short(void **state)
{
	static const struct text whole =
		T("{\"a\":[1,\"\\ud834\\udd1e\xc3\xa9\",true,null,{\"b\":\"\\n\"}],\"c\":-1.5e-3}");
	struct json_doc doc;

	(void)state;
	assert_true(check(&whole, &doc));
	for (size_t n = 0; n < whole.len; n++) {
		struct text part = { whole.p, n };

		assert_false(check(&part, &doc));
		assert_in_range(doc.error_offset, 0, n);
	}
}

/* What stands before json-c must not be laxer than json-c. */
static void test_json_check__json_c_takes_what_it_takes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX + 1);
		enum json_tokener_error error;

		json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
		json_object_put(json_tokener_parse_ex(
			tokener, good[i].p, (int)good[i].len + 1)); /* with the NUL that ends a number */
		error = json_tokener_get_error(tokener);
		json_tokener_free(tokener);
		if (error != json_tokener_success)
			fail_msg("json-c: %s: %s", json_tokener_error_desc(error), good[i].p);
	}
}

static void test_json_check__members_of_the_outermost_object_as_sent(void **state)
{
	static const struct text t = T(" { \"key\" : \"a\\nb\" ,\"value\":[1, {\"value\":2}] , "
	                               "\"\\u0074tl\":-1.0e2,\"n\":null,\"b\":true, \"o\":{} } ");
	static const char *const values[] = { "\"a\\nb\"", "[1, {\"value\":2}]", "-1.0e2", "null", "true",
		                              "{}" };
	static const char *const names[] = { "key", "value", "ttl", "n", "b", "o" };
	static const enum json_kind kinds[] = { JSON_STRING, JSON_ARRAY, JSON_NUMBER,
		                                JSON_NULL,   JSON_BOOL,  JSON_OBJECT };
	struct json_doc doc;

	(void)state;
	assert_true(json_check(span_of(t.p, t.len), &doc));
	assert_int_equal(doc.kind, JSON_OBJECT);
	assert_int_equal(doc.member_count, 6);
	for (size_t i = 0; i < 6; i++) {
		assert_true(json_name_is(doc.member[i].name, names[i]));
		assert_int_equal(doc.member[i].kind, kinds[i]);
		assert_true(span_eq(doc.member[i].value, values[i]));
	}
	assert_true(span_eq(doc.member[2].name, "\\u0074tl"));
}

static void test_json_check__an_array_has_no_members(void **state)
{
	struct json_doc doc;

	(void)state;
	assert_true(json_check(span_str("[{\"a\":1}]"), &doc));
	assert_int_equal(doc.kind, JSON_ARRAY);
	assert_int_equal(doc.member_count, 0);
}

static void test_json_check__names_compare_decoded(void **state)
{
	(void)state;
	assert_true(json_name_is(span_str("key"), "key"));
	assert_true(json_name_is(span_str("\\u006b\\u0065y"), "key"));
	assert_false(json_name_is(span_str("key\\u0000"), "key"));
	assert_false(json_name_is(span_str("ke"), "key"));
	assert_false(json_name_is(span_str("keys"), "key"));
	assert_false(json_name_is(span_str(""), "key"));
	assert_true(json_name_is(span_str("\\u00e9"), "\xc3\xa9"));
	assert_true(json_name_is(span_str("\\ud834\\udd1e"), "\xf0\x9d\x84\x9e"));
}

static void test_json_check__depth_has_a_limit(void **state)
{
	char text[2 * (JSON_DEPTH_MAX + 1)];
	struct json_doc doc;
	size_t n = JSON_DEPTH_MAX;

	(void)state;
	memset(text, '[', n);
	memset(text + n, ']', n);
	assert_true(json_check(span_of(text, 2 * n), &doc));
	n++;
	memset(text, '[', n);
	memset(text + n, ']', n);
	assert_false(json_check(span_of(text, 2 * n), &doc));
	assert_int_equal(doc.error_offset, JSON_DEPTH_MAX);
}

/* More members than are kept, more names than fit inline: all are checked. */
static void test_json_check__many_names(void **state)
{
	enum { NAMES = 5000 };
	struct bytes text = {0};
	struct json_doc doc;

	(void)state;
	for (int last = 0; last < 2; last++) {
		bytes_clear(&text);
		for (int i = 0; i < NAMES; i++)
			bytes_addf(&text, "%s\"name%d\":%d", i == 0 ? "{" : ",", i, i);
		bytes_adds(&text, last == 0 ? "}" : ",\"name17\":0}");
		assert_false(text.bad);
		assert_int_equal(json_check(span_of(text.p, text.len), &doc), last == 0);
		assert_int_equal(doc.member_count, NAMES + last);
		assert_true(json_name_is(doc.member[JSON_MEMBERS_MAX - 1].name, "name15"));
		if (last == 1)
			assert_int_equal(doc.error_offset, text.len - strlen("\"name17\":0}"));
	}
	bytes_fini(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_check__takes_what_is_json),
		cmocka_unit_test(test_json_check__names_the_fault_and_its_offset),
		cmocka_unit_test(test_json_check__every_beginning_is_cut_short),
		cmocka_unit_test(test_json_check__json_c_takes_what_it_takes),
		cmocka_unit_test(test_json_check__members_of_the_outermost_object_as_sent),
		cmocka_unit_test(test_json_check__an_array_has_no_members),
		cmocka_unit_test(test_json_check__names_compare_decoded),
		cmocka_unit_test(test_json_check__depth_has_a_limit),
		cmocka_unit_test(test_json_check__many_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
