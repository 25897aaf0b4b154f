/* SPDX-License-Identifier: Apache-2.0 */
/* test_condition.c - If-Match and If-None-Match: what is read of them, what is refused, what holds. */
#include "lib/test.h"

#include "server/condition.h"

static void test_condition__lists_stars_and_weak_tags(void **state)
{
	static const struct { const char *header; bool any; size_t n; uint64_t versions[4]; } table[] = {
		{ "*", true, 0, {0} }, { " * ", true, 0, {0} }, { "\"7\"", false, 1, {7} },
		{ "W/\"7\"", false, 1, {7} },
		{ "\"1\",\"2\"", false, 2, {1, 2} }, { " \"1\" ,\tW/\"2\" , \"3\" ", false, 3, {1, 2, 3} },
		{ ",\"1\",,\"2\",", false, 2, {1, 2} },
		{ "\"9007199254740991\"", false, 1, {9007199254740991} },
		/* well-formed, and not ours */
		{ "\"\"", false, 1, {CONDITION_FOREIGN} }, { "\"abc\"", false, 1, {CONDITION_FOREIGN} },
		{ "\"0\"", false, 1, {CONDITION_FOREIGN} },
		{ "\"007\"", false, 1, {CONDITION_FOREIGN} },
		{ "\"9007199254740992\"", false, 1, {CONDITION_FOREIGN} },
		{ "\"99999999999999999999\"", false, 1, {CONDITION_FOREIGN} },
		{ "\"-1\"", false, 1, {CONDITION_FOREIGN} },
		{ "\"a,b\",\"7\"", false, 2, {CONDITION_FOREIGN, 7} },
		{ "\"*\"", false, 1, {CONDITION_FOREIGN} },
		{ "\"caf\xc3\xa9\"", false, 1, {CONDITION_FOREIGN} },
	};
	struct condition c;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (!condition_parse(table[i].header, &c))
			fail_msg("refused: %s", table[i].header);
		assert_true(c.given);
		assert_int_equal(c.any, table[i].any);
		assert_int_equal(c.n, table[i].n);
		for (size_t k = 0; k < c.n; k++)
			assert_true(c.versions[k] == table[i].versions[k]);
	}
}

static void test_condition__malformed_is_an_error_and_never_ignored(void **state)
{
	static const char *const table[] = { "7",          "\"7", "7\"",         "'7'",     "* \"7\"",
		                             "\"7\", *",   "**",  "\"7\" \"8\"", "\"7\"x",  "w/\"7\"",
		                             "W/7",        "W/",  "W/*",         "\"a b\"", "\"a\tb\"",
		                             "\"\x7f\"",   ",",   " ",           " , ",     "\"1\",x",
		                             "\"1\";\"2\"" };
	struct condition c;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (condition_parse(table[i], &c))
			fail_msg("taken: %s", table[i]);
}

static void test_condition__absent_is_not_given(void **state)
{
	struct condition c;

	(void)state;
	assert_true(condition_parse(NULL, &c));
	assert_false(c.given);
	assert_true(condition_parse("", &c));
	assert_false(c.given);
}

static void test_condition__too_many_tags(void **state)
{
	char header[(CONDITION_TAGS_MAX + 1) * 4 + 1];
	struct condition c;

	(void)state;
	for (size_t i = 0; i <= CONDITION_TAGS_MAX; i++)
		memcpy(header + 4 * i, "\"1\",", 5);
	assert_false(condition_parse(header, &c));
	header[CONDITION_TAGS_MAX * 4] = 0;
	assert_true(condition_parse(header, &c));
	assert_int_equal(c.n, CONDITION_TAGS_MAX);
}

static void test_condition__what_holds(void **state)
{
	struct condition c;
	struct store_cond s;

	(void)state;
	assert_true(condition_parse("*", &c));
	assert_true(condition_matches(&c, 5));
	assert_false(condition_matches(&c, 0));
	s = condition_store(&c, true);
	assert_true(s.none_match && s.n == 0);
	assert_true(condition_parse("\"5\", W/\"9\"", &c));
	assert_true(condition_matches(&c, 5));
	assert_true(condition_matches(&c, 9));
	assert_false(condition_matches(&c, 6));
	assert_false(condition_matches(&c, 0));
	s = condition_store(&c, false);
	assert_true(!s.none_match && s.n == 2 && s.versions[1] == 9);
	assert_true(condition_parse("\"abc\"", &c));
	assert_false(condition_matches(&c, 5));
	assert_int_equal(condition_store(&c, false).n, 1);       /* 0 would mean "*" */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_condition__lists_stars_and_weak_tags),
		cmocka_unit_test(test_condition__malformed_is_an_error_and_never_ignored),
		cmocka_unit_test(test_condition__absent_is_not_given),
		cmocka_unit_test(test_condition__too_many_tags),
		cmocka_unit_test(test_condition__what_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
