/* SPDX-License-Identifier: Apache-2.0 */
/* test_json_walk.c - stepping through checked JSON: each element whole, in its order, whatever lies in it. */
#include "lib/test.h"

#include "util/json_string.h"
#include "util/json_walk.h"

/* "NAME=VALUE;" of each, in order. */
static void walk(const char *text, char *out, size_t size)
{
	struct json_walk w;
	struct json_member m;
	struct json_doc doc;
	size_t n = 0;

	assert_true(json_check(span_str(text), &doc));
	out[0] = 0;
	w = json_walk_of(span_str(text));
	while (json_walk_next(&w, &m)) {
		struct json_doc part;

		assert_true(json_check(m.value, &part));              /* a value of its own */
		assert_int_equal(part.kind, m.kind);
		n += (size_t)snprintf(out + n, size - n, "%.*s=%.*s;", (int)m.name.len, m.name.p != NULL ? m.name.p : "", (int)m.value.len,
		                      m.value.p);
	}
	assert_false(json_walk_next(&w, &m));
}

static void test_json_walk__what_there_is_in_order(void **state)
{
	static const struct { const char *text, *found; } table[] = {
		{ "[]", "" }, { "[ \n ]", "" }, { "{}", "" }, { "[1]", "=1;" }, { "[1,2 , 3]", "=1;=2;=3;" },
		{ "[\"a\",\"]\",\"\\\"\",\"\\\\\"]", "=\"a\";=\"]\";=\"\\\"\";=\"\\\\\";" },
		{ "[[],{},[[1,[2]],{\"a\":[3]}],true,null,-1.5e+3]", "=[];={};=[[1,[2]],{\"a\":[3]}];=true;=null;=-1.5e+3;" },
		{ "{\"a\":1,\"b\" : \"x\" , \"c\":{\"d\":\"}\"}}", "a=1;b=\"x\";c={\"d\":\"}\"};" },
		{ "{\"\":[1,2],\"\\\"\":0}", "=[1,2];\\\"=0;" }, { "[\t{\"a\":\"[\"}\r\n,\"{\"]", "={\"a\":\"[\"};=\"{\";" },
	};
	char found[256];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		walk(table[i].text, found, sizeof(found));
		assert_string_equal(found, table[i].found);
	}
}

static void test_json_string__what_it_means(void **state)
{
	static const struct { const char *quoted, *means; bool plain; } table[] = {
		{ "\"\"", "", true }, { "\"abc/\"", "abc/", true }, { "\"a\\\\b\\\"\\/\"", "a\\b\"/", false },
		{ "\"\\u0041\\ud83d\\ude00\"", "A\xf0\x9f\x98\x80", false }, { "\"caf\xc3\xa9\\n\"", "caf\xc3\xa9\n", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct bytes out = {0};

		assert_int_equal(json_string_is_plain(span_str(table[i].quoted)), table[i].plain);
		assert_true(json_string_decode(span_str(table[i].quoted), &out));
		assert_true(span_eq(span_of(out.p, out.len), table[i].means));
		bytes_fini(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_walk__what_there_is_in_order),
		cmocka_unit_test(test_json_string__what_it_means),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
