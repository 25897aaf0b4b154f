/* SPDX-License-Identifier: Apache-2.0 */
/* test_query.c - each parameter once, none unknown, values decoded as forms are. */
#include "lib/test.h"

#include "server/query.h"

#define KV (QUERY_BIT(QUERY_KEY) | QUERY_BIT(QUERY_VALUE) | QUERY_BIT(QUERY_TTL))

static void test_query__takes_each_parameter_once(void **state)
{
	struct query_error error;
	struct query q;

	(void)state;
	assert_true(query_parse(span_of(NULL, 0), KV, &q, &error));
	assert_int_equal(q.given, 0);
	assert_true(query_parse(span_str(""), 0, &q, &error));
	assert_true(query_parse(span_str("value=&key=a%2Fb=c"), KV, &q, &error));
	assert_int_equal(q.given, QUERY_BIT(QUERY_KEY) | QUERY_BIT(QUERY_VALUE));
	assert_true(span_eq(q.raw[QUERY_KEY], "a%2Fb=c"));
	assert_true(span_eq(q.raw[QUERY_VALUE], ""));
	assert_true(query_has(&q, QUERY_VALUE));
	assert_false(query_has(&q, QUERY_TTL));
	assert_true(query_parse(span_str("k%65y=x"), KV, &q, &error));
	assert_true(span_eq(q.raw[QUERY_KEY], "x"));
}

static void test_query__refuses_what_it_does_not_know(void **state)
{
	static const struct { const char *text; size_t offset; const char *name; } table[] = {
		{ "kye=a", 0, "kye" }, { "key=a&x=1", 6, "x" }, { "key=a&key=b", 6, "key" },
		{ "key=a&k%65y=b", 6, "k%65y" }, { "key", 0, "key" },
		{ "key=a&value", 6, "value" }, { "&key=a", 0, "" }, { "key=a&", 6, "" },
		{ "key=a&&ttl=1", 6, "" }, { "=a", 0, "" }, { "&", 0, "" },
		{ "KEY=a", 0, "KEY" }, { "key=a;ttl=1&value", 12, "value" }, { "k%ey=a", 0, "k%ey" },
		{ "key%00=a", 0, "key%00" }, { "by=1", 0, "by" },
		{ "ke=a", 0, "ke" }, { "keys=a", 0, "keys" }, { " key=a", 0, " key" },
	};
	struct query_error error;
	struct query q;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (query_parse(span_str(table[i].text), KV, &q, &error))
			fail_msg("taken: %s", table[i].text);
		assert_non_null(error.what);
		if (error.offset != table[i].offset || !span_eq(error.name, table[i].name))
			fail_msg("%s: '%.*s' at %zu", table[i].text, (int)error.name.len, error.name.p,
			         error.offset);
	}
}

static void test_query__values_are_decoded_as_forms_are(void **state)
{
	struct bytes out = {0};
	struct query_error error;
	struct query q;
	size_t bad_at;

	(void)state;
	assert_true(query_parse(span_str("key=a+b%20c%2B%00&value=%4"), KV, &q, &error));
	assert_true(query_decode(&q, QUERY_KEY, &out, &bad_at));
	assert_int_equal(out.len, 7);
	assert_memory_equal(out.p, "a b c+\0", 7);
	assert_false(query_decode(&q, QUERY_VALUE, &out, &bad_at));
	assert_int_equal(bad_at, 24);                    /* of the whole query */
	bytes_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_query__takes_each_parameter_once),
		cmocka_unit_test(test_query__refuses_what_it_does_not_know),
		cmocka_unit_test(test_query__values_are_decoded_as_forms_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
