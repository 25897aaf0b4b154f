/* SPDX-License-Identifier: Apache-2.0 */
/* test_problem.c - problem details as they leave, byte for byte, and as somebody else reads them. */
#include "lib/ask.h"

#include "server/problem.h"

#include <json-c/json.h>

static struct request r;

static int teardown(void **state)
{
	(void)state;
	request_fini(&r);
	memset(&r, 0, sizeof(r));
	return 0;
}

static void body_is(const char *text)
{
	if (!span_eq(span_of(r.response.body.p, r.response.body.len), text))
		fail_msg("%.*s", (int)r.response.body.len, r.response.body.p);
}

static struct json_object *parsed(void)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *o;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(tokener, r.response.body.p, (int)r.response.body.len);
	assert_non_null(o);
	json_tokener_free(tokener);
	return o;
}

static void test_problem__worked_example(void **state)
{
	static const char headers[] = "Content-Type: application/problem+json\r\nCache-Control: no-store\r\n";

	(void)state;
	r.id = "5f01";
	problem_set(&r, 404, PROBLEM_NO_SUCH_KEY, "There is no key \"%s\" in %d/%d.", "a/b", 1, 2);
	problem_key(&r, span_str("a/b"));
	problem_number(&r, "version", 0);
	assert_int_equal(r.response.status, 404);
	body_is("{\"type\":\"urn:siltstone:problem:no-such-key\",\"title\":\"There is no such key\",\"status\":404,"
	        "\"detail\":\"There is no key \\\"a/b\\\" in 1/2.\",\"id\":\"5f01\",\"key\":\"a/b\",\"version\":0}");
	assert_true(span_eq(span_of(r.response.headers.p, r.response.headers.len), headers));
}

static void test_problem__throws_away_what_was_there(void **state)
{
	(void)state;
	r.response.head_only = true;
	r.response.status = 200;
	bytes_adds(&r.response.body, "a value");
	response_header(&r.response, "Content-Security-Policy", "sandbox");
	problem_set(&r, 503, PROBLEM_STALLED, "x");
	body_is("{\"type\":\"urn:siltstone:problem:write-stall\",\"title\":\"Writes wait for compaction\",\"status\":503,"
	        "\"detail\":\"x\"}");
	assert_null(memmem(r.response.headers.p, r.response.headers.len, "sandbox", 7));
	assert_non_null(memmem(r.response.headers.p, r.response.headers.len, "\r\nRetry-After: 1\r\n", 18));
	assert_true(r.response.head_only);
}

/* Whatever bytes come from a client, the answer is JSON and UTF-8. */
static void test_problem__is_json_whatever_is_in_it(void **state)
{
	char endless[2000];
	struct json_object *o;

	(void)state;
	memset(endless, '\\', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = 0;
	r.id = "\xff\n\"";
	problem_set(&r, 400, PROBLEM_BAD_QUERY, "%s", endless);
	problem_key(&r, span_of("\0\xff", 2));
	problem_text(&r, "outcome", "unknown");
	o = parsed();
	assert_string_equal(json_object_get_string(json_object_object_get(o, "key")), "AP8=");
	assert_string_equal(json_object_get_string(json_object_object_get(o, "key_encoding")), "base64");
	assert_string_equal(json_object_get_string(json_object_object_get(o, "outcome")), "unknown");
	json_object_put(o);
	problem_set(&r, 400, PROBLEM_BAD_QUERY, "'%s\xc3'", "caf\xc3\xa9");
	o = parsed();
	assert_string_equal(json_object_get_string(json_object_object_get(o, "detail")), "'caf??" "?'");
	json_object_put(o);
	memset(endless, 'x', sizeof(endless));
	memcpy(endless + 510, "\xc3\xa9", 3);           /* the buffer's end cuts it in two */
	problem_set(&r, 400, PROBLEM_BAD_QUERY, "%s", endless);
	json_object_put(parsed());
}

static void test_problem__every_type_has_a_title_and_503_says_when(void **state)
{
	static const struct { int status; const char *type; } types[] = {
		{ 400, PROBLEM_BAD_PATH }, { 400, PROBLEM_BAD_KEY }, { 400, PROBLEM_BAD_QUERY }, { 400, PROBLEM_BAD_HEADER },
		{ 400, PROBLEM_BAD_CONDITION }, { 400, PROBLEM_BAD_BODY }, { 400, PROBLEM_BAD_JSON }, { 403, PROBLEM_FORBIDDEN },
		{ 403, PROBLEM_OUTSIDE_PREFIX }, { 403, PROBLEM_CROSS_SITE }, { 404, PROBLEM_NO_SUCH_KEY },
		{ 404, PROBLEM_NO_SUCH_ROUTE }, { 405, PROBLEM_METHOD }, { 412, PROBLEM_CONDITION_FAILED },
		{ 413, PROBLEM_TOO_LARGE }, { 415, PROBLEM_MEDIA_TYPE }, { 421, PROBLEM_WRONG_HOST }, { 500, PROBLEM_INTERNAL },
		{ 500, PROBLEM_MISCONFIGURED }, { 500, PROBLEM_DAMAGED }, { 500, PROBLEM_IO }, { 501, PROBLEM_NOT_IMPLEMENTED },
		{ 503, PROBLEM_SHUTTING_DOWN }, { 503, PROBLEM_STALLED }, { 503, PROBLEM_TOO_MANY_PARKED },
		{ 503, PROBLEM_READ_ONLY }, { 503, PROBLEM_NO_MEMORY }, { 507, PROBLEM_DISK_FULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct json_object *o;
		bool retry;

		problem_set(&r, types[i].status, types[i].type, "x");
		o = parsed();
		assert_string_equal(json_object_get_string(json_object_object_get(o, "type")), types[i].type);
		assert_string_not_equal(json_object_get_string(json_object_object_get(o, "title")), "Problem");
		assert_int_equal(json_object_get_int(json_object_object_get(o, "status")), types[i].status);
		json_object_put(o);
		retry = memmem(r.response.headers.p, r.response.headers.len, "\r\nRetry-After: ", 15) != NULL;
		assert_int_equal(retry, types[i].status == 503);
		assert_string_not_equal(response_reason(types[i].status), "Unknown");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_problem__worked_example, teardown),
		cmocka_unit_test_teardown(test_problem__throws_away_what_was_there, teardown),
		cmocka_unit_test_teardown(test_problem__is_json_whatever_is_in_it, teardown),
		cmocka_unit_test_teardown(test_problem__every_type_has_a_title_and_503_says_when, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
