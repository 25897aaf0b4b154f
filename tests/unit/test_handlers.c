/* SPDX-License-Identifier: Apache-2.0 */
/* test_handlers.c - every row of both dialects over the real engine, and every way to ask wrongly. */
#include "lib/ask.h"

static int setup(void **state)
{
	*state = ask_open(NULL);
	return 0;
}

static int teardown(void **state)
{
	ask_close(*state, true);
	return 0;
}

#define JSON "application/json"
#define FORM "application/x-www-form-urlencoded"

/* A v1 write of text, for the tests that need something to be there; its version. */
static uint64_t put(struct asker *a, const char *uri, const char *value)
{
	int got = ask(a, .method = "PUT", .uri = uri, .route = "/v1/kv", .body = value);

	assert_true(got == 201 || got == 204);
	return strtoull(ask_header(a, "Silt-Version"), NULL, 10);
}

static void body_is(struct asker *a, const char *text, int line)
{
	if (!span_eq(ask_body(a), text))
		fail_msg("line %d: %.*s is not %s", line, (int)ask_body(a).len, ask_body(a).p, text);
}
#define expect_body(a, text) body_is((a), (text), __LINE__)

/* The body with %V in place of the version of the last write's header. */
static void body_is_versioned(struct asker *a, const char *format, const char *version, int line)
{
	char text[1024];

	snprintf(text, sizeof(text), format, version);
	body_is(a, text, line);
}

static bool absent(struct asker *a, const char *uri)
{
	return ask(a, .method = "GET", .uri = uri, .route = "/v1/kv") == 404;
}

/* ---- classic --------------------------------------------------------------------------------- */

static void test_classic__set_get_delete(void **state)
{
	static const char *const routes[] = { "/set", "/put" }, *const methods[] = { "POST", "PUT" };
	static const char *const types[] = {
		JSON, "application/json; charset=utf-8", "text/plain", FORM, NULL,
		"",   "TEXT/PLAIN;charset=\"UTF-8\""
	};
	struct asker *a = *state;
	char version[32];

	for (size_t i = 0; i < 4 * sizeof(types) / sizeof(types[0]); i++) {
		assert_int_equal(ask(a, .method = methods[i & 1], .uri = routes[i >> 1 & 1],
		                     .body = " \r\n{\"key\":\"a/b\",\"value\":\"caf\\u00e9 </x>\"} ",
		                     .type = types[i / 4]),
		                 200);
		snprintf(version, sizeof(version), "%s", ask_header(a, "Silt-Version"));
		body_is_versioned(a, "{\"key\":\"a/b\",\"version\":%s}", version, __LINE__);
		assert_string_equal(ask_header(a, "Content-Type"), JSON);
		assert_string_equal(ask_header(a, "Cache-Control"), "no-store");
	}
	assert_int_equal(ask(a, .method = "GET", .uri = "/get?key=a%2Fb"), 200);
	body_is_versioned(a, "{\"key\":\"a/b\",\"value\":\"caf\xc3\xa9 </x>\",\"version\":%s}", version,
	                  __LINE__);
	assert_string_equal(ask_header(a, "Content-Type"), JSON);
	assert_int_equal(ask(a, .method = "GET", .uri = "/get/a/b", .route = "/get/"), 200);
	assert_int_equal(ask(a, .method = "GET", .uri = "/get/a%2fb", .route = "/get/"), 200);
	assert_int_equal(ask(a, .method = "HEAD", .uri = "/get/a%2fb", .route = "/get/"), 200);
	assert_true(a->r.response.head_only && ask_body(a).len > 0);
	assert_int_equal(ask(a, .method = "DELETE", .uri = "/del/a/b", .route = "/del/"), 200);
	assert_true(strtoull(ask_header(a, "Silt-Version"), NULL, 10) > strtoull(version, NULL, 10));
	snprintf(version, sizeof(version), "%s", ask_header(a, "Silt-Version"));
	body_is_versioned(a, "{\"key\":\"a/b\",\"value\":\"caf\xc3\xa9 </x>\",\"version\":%s}", version,
	                  __LINE__);
	expect_problem(a, ask(a, .method = "GET", .uri = "/get?key=a%2Fb"), 404, "no-such-key",
	               "\"key\":\"a/b\"");
	expect_problem(a, ask(a, .method = "DELETE", .uri = "/del?key=a/b"), 404, "no-such-key",
	               "\"key\":\"a/b\"");
}

static void test_classic__every_delete_form_returns_the_old_value(void **state)
{
	static const struct {
		const char *uri, *route;
	} forms[] = { { "/del?key=k", "/del" },
		      { "/del/k", "/del/" },
		      { "/delete?key=k", "/delete" },
		      { "/delete/k", "/delete/" } };
	struct asker *a = *state;

	for (size_t i = 0; i < 4; i++) {
		put(a, "/v1/kv?key=k", "old");
		assert_int_equal(ask(a, .method = "DELETE", .uri = forms[i].uri, .route = forms[i].route), 200);
		assert_true(ask_says(a, "{\"key\":\"k\",\"value\":\"old\",\"version\":"));
		expect_problem(a, ask(a, .method = "DELETE", .uri = forms[i].uri, .route = forms[i].route),
		               404, "no-such-key", NULL);
	}
}

/* What was given as value comes back as this string. */
static void test_classic__pairs_in_query_and_form(void **state)
{
	static const struct { const char *uri, *body, *type, *value; } table[] = {
		{ "/set?key=p&value=a+b%20c%2B", NULL, NULL, "a b c+" },
		{ "/set?value=&key=p", NULL, JSON, "" }, { "/set?key=p&value=x", "", "image/png", "x" },
		{ "/set", "key=p&value=a+b%20c%2B", FORM, "a b c+" },
		{ "/set", "value=v%0A&key=%70", FORM "; charset=UTF-8", "v\\n" },
		{ "/set?durability=async", "key=p&value=x&ttl=60", FORM, "x" },
		{ "/set?key=p&value=%7B%7D&durability=sync", NULL, NULL, "{}" },
	};
	struct asker *a = *state;
	char wanted[64];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_int_equal(ask(a, .method = "POST", .uri = table[i].uri, .body = table[i].body,
		                     .type = table[i].type),
		                 200);
		snprintf(wanted, sizeof(wanted), "\"value\":\"%s\",", table[i].value);
		assert_int_equal(ask(a, .method = "GET", .uri = "/get?key=p"), 200);
		if (!ask_says(a, wanted))
			fail_msg("%s: %.*s", table[i].uri, (int)ask_body(a).len, ask_body(a).p);
	}
}

static void test_classic__json_values_are_kept_as_sent(void **state)
{
	static const struct { const char *json, *stored; } table[] = {
		{ "12", "12" }, { "-1.50e+3", "-1.50e+3" },
		{ "99999999999999999999999", "99999999999999999999999" }, { "true", "true" },
		{ "null", "null" },
		{ " { \"a\" : [1, 2] } ", "{ \"a\" : [1, 2] }" }, { "[]", "[]" }, { "\"\"", "" },
		{ "\"1\"", "1" }, { "\"\\u0041\\/\\ud834\\udd1e\"", "A/\xf0\x9d\x84\x9e" },
		{ "\"a\\u0000b\"", "a" },
	};
	struct asker *a = *state;
	char body[256];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		snprintf(body, sizeof(body), "{\"value\":%s,\"key\":\"j\"}", table[i].json);
		assert_int_equal(ask(a, .method = "POST", .uri = "/set", .body = body, .type = JSON), 200);
		assert_int_equal(ask(a, .method = "GET", .uri = "/v1/kv?key=j"), 200);
		if (strstr(table[i].json, "u0000") != NULL) {
			assert_int_equal(ask_body(a).len, 3);
			assert_memory_equal(ask_body(a).p, "a\0b", 3);
		} else {
			body_is(a, table[i].stored, __LINE__);
		}
	}
}

static void test_classic__bytes_travel_as_base64_both_ways(void **state)
{
	struct asker *a = *state;

	assert_int_equal(ask(a, .method = "POST", .uri = "/set", .type = JSON,
	                     .body = "{\"key\":\"\\/wA=\",\"key_encoding\":\"base64\",\"value\":\"AP\\/"
	                             "+\",\"encoding\":\"base64\"}"),
	                 200);
	assert_true(ask_says(a, "{\"key\":\"/wA=\",\"key_encoding\":\"base64\",\"version\":"));
	assert_int_equal(ask(a, .method = "GET", .uri = "/v1/kv?key=%FF%00"), 200);
	assert_int_equal(ask_body(a).len, 3);
	assert_memory_equal(ask_body(a).p, "\0\xff\xfe", 3);
	assert_int_equal(ask(a, .method = "GET", .uri = "/get?key=%FF%00"), 200);
	assert_true(ask_says(a, "{\"key\":\"/wA=\",\"key_encoding\":\"base64\",\"value\":\"AP/"
	                        "+\",\"encoding\":\"base64\",\"version\":"));
	assert_int_equal(ask(a, .method = "DELETE", .uri = "/del?key=%FF%00"), 200);
	assert_true(ask_says(a, "\"value\":\"AP/+\",\"encoding\":\"base64\""));
	expect_problem(a, ask(a, .method = "GET", .uri = "/get?key=%FF%00"), 404, "no-such-key",
	               "\"key\":\"/wA=\",\"key_encoding\":\"base64\"");
}

static void test_classic__bodies_that_are_refused_store_nothing(void **state)
{
	static const struct { int status; const char *slug, *body, *type, *uri, *piece; } table[] = {
		{ 400, "bad-json", "{\"key\":\"x\",}", JSON, NULL, "\"offset\":11" },
		{ 400, "bad-json", "{", JSON, NULL, "\"offset\":1" },
		{ 400, "bad-json", "[1]", JSON, NULL, "object" },
		{ 400, "bad-json", "\"x\"", "text/plain", NULL, NULL },
		{ 400, "bad-json", "key=x&value=y", "text/plain", NULL, "\"offset\":0" },
		{ 400, "bad-json", "key=x&value=y", NULL, NULL, "\"offset\":0" },
		{ 400, "bad-json", "   ", JSON, NULL, "\"offset\":3" },
		{ 400, "bad-json", "{\"key\":\"x\"}", JSON, NULL, "key and value" },
		{ 400, "bad-json", "{\"value\":\"x\"}", JSON, NULL, "key and value" },
		{ 400, "bad-json", "{\"key\":\"x\",\"valeu\":1}", JSON, NULL, "\"offset\":11" },
		{ 400, "bad-json", "{\"key\":\"x\",\"value\":1,\"TTL\":1}", JSON, NULL, NULL },
		{ 400, "bad-json", "{\"key\":\"x\",\"value\":1,\"value\\u0000\":1}", JSON, NULL, "\"offset\":21" },
		{ 400, "bad-json", "{\"key\":\"x\",\"value\":1,\"\\u0076alue\":2}", JSON, NULL, "\"offset\":21" },
		{ 400, "bad-json", "{\"key\":1,\"value\":1}", JSON, NULL, "string" },
		{ 400, "bad-json", "{\"key\":null,\"value\":1}", JSON, NULL, "string" },
		{ 400, "bad-key", "{\"key\":\"\",\"value\":1}", JSON, NULL, "empty" },
		{ 400, "bad-json", "{\"key\":\"x\",\"value\":1,\"ttl\":0}", JSON, NULL, "ttl" },
		{ 400, "bad-json", "{\"key\":\"x\",\"value\":1,\"ttl\":\"5\"}", JSON, NULL, "ttl" },
		{ 400, "bad-json", "{\"key\":\"x\",\"value\":1,\"ttl\":1.0}", JSON, NULL, "ttl" },
		{ 400, "bad-json", "{\"key\":\"x\",\"value\":1,\"ttl\":-1}", JSON, NULL, "ttl" },
		{ 400, "bad-json", "{\"key\":\"x\",\"value\":1,\"ttl\":1e2}", JSON, NULL, "ttl" },
		{ 400, "bad-json", "{\"key\":\"x\",\"value\":1,\"ttl\":3155760001}", JSON, NULL, "ttl" },
		{ 400, "bad-json", "{\"key\":\"x\",\"value\":1,\"ttl\":null}", JSON, NULL, "ttl" },
		{ 400, "bad-json", "{\"key\":\"x\",\"value\":1,\"ttl\":99999999999999999999}", JSON, NULL, "ttl" },
		{ 400, "bad-json", "{\"key\":\"x\",\"value\":\"\\ud800\"}", JSON, NULL, "\"offset\":20" },
		{ 400, "bad-json", "{\"key\":\"x\",\"value\":NaN}", JSON, NULL, "\"offset\":19" },
		{ 400, "bad-json", "{'key':\"x\",\"value\":1}", JSON, NULL, "\"offset\":1" },
		{ 400, "bad-json", "{\"key\":\"x\",\"value\":\"\xff\"}", JSON, NULL, "\"offset\":20" },
		{ 400, "bad-json", "{\"key\":\"x\",\"value\":\"*\",\"encoding\":\"base64\"}", JSON, NULL, "base64" },
		{ 400, "bad-json", "{\"key\":\"x\",\"value\":\"eA\",\"encoding\":\"base64\"}", JSON, NULL, "base64" },
		{ 400, "bad-json", "{\"key\":\"x\",\"value\":\"eA==\",\"encoding\":\"base32\"}", JSON, NULL, "base64" },
		{ 400, "bad-json", "{\"key\":\"x\",\"value\":\"eA==\",\"encoding\":true}", JSON, NULL, "base64" },
		{ 400, "bad-json", "{\"key\":\"x\",\"value\":1,\"encoding\":\"base64\"}", JSON, NULL, "string" },
		{ 400, "bad-json", "{\"key\":\"x\",\"value\":1,\"key_encoding\":\"base64\"}", JSON, NULL, "base64" },
		{ 400, "bad-key", "{\"key\":\"\",\"value\":1,\"key_encoding\":\"base64\"}", JSON, NULL, "empty" },
		{ 400, "bad-body", "key=x", FORM, NULL, "key and value" },
		{ 400, "bad-body", "value=x", FORM, NULL, "key and value" },
		{ 400, "bad-body", "key=x&value=y&vlaue=z", FORM, NULL, "\"offset\":14" },
		{ 400, "bad-body", "key=x&value=y&value=z", FORM, NULL, "twice" },
		{ 400, "bad-body", "key=x&value=%zz", FORM, NULL, "\"offset\":12" },
		{ 400, "bad-body", "key=x&value=y&ttl=0", FORM, NULL, "ttl" },
		{ 400, "bad-body", "key=x&value=y&durability=async", FORM, NULL, "unknown" },
		{ 400, "bad-key", "key=&value=y", FORM, NULL, "empty" },
		{ 400, "bad-body", "[1]", FORM, NULL, NULL },
		{ 415, "unsupported-media-type", "{\"key\":\"x\",\"value\":1}", "application/xml", NULL, NULL },
		{ 415, "unsupported-media-type", "x", "multipart/form-data; boundary=x", NULL, NULL },
		{ 415, "unsupported-media-type", "{\"key\":\"x\",\"value\":1}", "application/json; charset=utf-16", NULL, NULL },
		{ 415, "unsupported-media-type", "{\"key\":\"x\",\"value\":1}", "application/jsonx", NULL, NULL },
		{ 400, "bad-body", "{\"key\":\"x\",\"value\":1}", JSON, "/set?key=x", "body" },
		{ 400, "bad-body", "{\"key\":\"x\",\"value\":1}", JSON, "/set?ttl=5", "body" },
		{ 400, "bad-query", "{\"key\":\"x\",\"value\":1}", JSON, "/set?x=1", "unknown" },
		{ 400, "bad-query", "{\"key\":\"x\",\"value\":1}", JSON, "/set?durability=maybe", "sync" },
		{ 400, "bad-body", NULL, NULL, "/set?key=x", "key and value" },
		{ 400, "bad-body", NULL, NULL, "/set", "key and value" },
		{ 400, "bad-query", NULL, NULL, "/set?key=x&value=%4", "\"offset\":12" },
		{ 400, "bad-query", NULL, NULL, "/set?key=x&value=y&key=z", "twice" },
		{ 400, "bad-query", NULL, NULL, "/set?key=x&value=y&ttl=1s", "ttl" },
		{ 400, "bad-query", NULL, NULL, "/set?key=x&value", "without a value" },
		{ 400, "bad-key", NULL, NULL, "/set?key=&value=y", "empty" },
	};
	struct asker *a = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int got = ask(a, .method = "POST", .uri = table[i].uri != NULL ? table[i].uri : "/set",
		              .body = table[i].body, .type = table[i].type);

		if (got != table[i].status)
			fail_msg("%s: %d %.*s", table[i].body != NULL ? table[i].body : table[i].uri, got,
			         (int)ask_body(a).len, ask_body(a).p);
		expect_problem(a, got, table[i].status, table[i].slug, table[i].piece);
		assert_true(absent(a, "/v1/kv?key=x"));
	}
}

static void test_classic__encodings_and_ranges_of_bodies(void **state)
{
	static const char body[] = "{\"key\":\"x\",\"value\":1}";
	struct asker *a = *state;

	expect_problem(a, ask(a, .method = "POST", .uri = "/set", .body = body, .content_encoding = "gzip"),
	               415, "unsupported-media-type", "identity");
	expect_problem(a,
	               ask(a, .method = "PUT", .uri = "/set", .body = body, .content_range = "bytes 0-1/2"),
	               400, "bad-header", NULL);
	assert_true(absent(a, "/v1/kv?key=x"));
	assert_int_equal(
		ask(a, .method = "POST", .uri = "/set", .body = body, .content_encoding = "Identity"), 200);
}

static void test_classic__conditions_hold_here_too(void **state)
{
	struct asker *a = *state;

	assert_int_equal(ask(a, .method = "POST", .uri = "/set?key=c&value=1", .if_none_match = "*"), 200);
	expect_problem(a, ask(a, .method = "POST", .uri = "/set?key=c&value=2", .if_none_match = "*"), 412,
	               "condition-failed", "\"key\":\"c\"");
	expect_problem(a, ask(a, .method = "POST", .uri = "/set?key=c&value=2", .if_match = "2"), 400,
	               "bad-condition", NULL);
	expect_problem(a, ask(a, .method = "DELETE", .uri = "/del?key=c", .if_match = "\"abc\""), 412,
	               "condition-failed", NULL);
	assert_int_equal(ask(a, .method = "GET", .uri = "/get?key=c", .if_none_match = "*"), 304);
	assert_int_equal(ask(a, .method = "DELETE", .uri = "/del?key=c", .if_match = "*"), 200);
}

/* ---- keys ------------------------------------------------------------------------------------ */

static void test_keys__a_path_means_exactly_its_bytes(void **state)
{
	static const struct { const char *path, *query; } same[] = {
		{ "/v1/kv/a/b", "/v1/kv?key=a%2Fb" }, { "/v1/kv/a%2Fb", "/v1/kv?key=a/b" },
		{ "/v1/kv/a//b", "/v1/kv?key=a%2F%2Fb" }, { "/v1/kv/a+b", "/v1/kv?key=a%2Bb" },
		{ "/v1/kv/a%20b", "/v1/kv?key=a+b" }, { "/v1/kv/%ff", "/v1/kv?key=%FF" },
		{ "/v1/kv/caf%C3%A9", "/v1/kv?key=caf\xc3\xa9" }, { "/v1/kv/a%252Fb", "/v1/kv?key=a%252Fb" },
		{ "/v1/kv/...", "/v1/kv?key=..." }, { "/v1/kv/.a/b..", "/v1/kv?key=.a/b.." },
		{ "/v1/kv//", "/v1/kv?key=/" }, { "/v1/kv/a/", "/v1/kv?key=a/" },
		{ "/v1/kv/%3Fx%23", "/v1/kv?key=?x%23" }, { "/v1/kv/a=b&c", "/v1/kv?key=a%3Db%26c" },
	};
	struct asker *a = *state;

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		assert_int_equal(ask(a, .method = "PUT", .uri = same[i].path, .route = "/v1/kv/",
		                     .body = same[i].path),
		                 201);
		assert_int_equal(ask(a, .method = "GET", .uri = same[i].query), 200);
		expect_body(a, same[i].path);
		assert_int_equal(ask(a, .method = "DELETE", .uri = same[i].query), 204);
	}
}

static void test_keys__any_bytes_by_query(void **state)
{
	static const char *const keys[] = { "%00",      "a%00b", "..",     ".",   "a/../b",
		                            "%2e%2e/x", "%0a",   "%FF%FE", "%23", "+" };
	struct asker *a = *state;
	char uri[64];

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		snprintf(uri, sizeof(uri), "/v1/kv?key=%s", keys[i]);
		assert_int_equal(ask(a, .method = "PUT", .uri = uri, .body = keys[i]), 201);
		assert_int_equal(ask(a, .method = "GET", .uri = uri), 200);
		expect_body(a, keys[i]);
	}
}

static void test_keys__those_that_can_not_be(void **state)
{
	static const struct { const char *uri, *route, *slug, *piece; } table[] = {
		{ "/get/", "/get/", "bad-key", "empty" }, { "/v1/kv/", "/v1/kv/", "bad-key", "empty" },
		{ "/get?key=", "/get", "bad-key", "empty" },
		{ "/get", "/get", "bad-key", "no key" }, { "/get?", "/get", "bad-key", "no key" },
		{ "/get/..", "/get/", "bad-key", "?key=" },
		{ "/get/.", "/get/", "bad-key", "?key=" }, { "/get/a/../b", "/get/", "bad-key", "?key=" },
		{ "/get/a/%2e%2E", "/get/", "bad-key", "?key=" },
		{ "/get/a%2F..%2Fb", "/get/", "bad-key", "?key=" }, { "/get/./a", "/get/", "bad-key", "?key=" },
		{ "/get/%zz", "/get/", "bad-key", "\"offset\":5" },
		{ "/get/a%4", "/get/", "bad-key", "\"offset\":6" },
		{ "/get?key=a%", "/get", "bad-key", "\"offset\":5" },
		{ "/get/a?key=a", "/get/", "bad-key", "twice" },
		{ "/get?kye=a", "/get", "bad-query", "unknown" },
		{ "/get?key=a&key=a", "/get", "bad-query", "twice" },
		{ "/get/a?x=1", "/get/", "bad-query", "unknown" },
		{ "/get?key=a&", "/get", "bad-query", "empty" },
		{ "/get?key", "/get", "bad-query", "without a value" },
		{ "/get?key=a&value=b", "/get", "bad-query", "unknown" },
		{ "/v1/kv?key=a&ttl=1", "/v1/kv", "bad-query", "unknown" },
		{ "/v1/kv/a?limit=1", "/v1/kv/", "bad-query", "unknown" },
		{ "/v1/kv?key=a&limit=1", "/v1/kv", "bad-query", NULL },
		{ "/healthz?x=1", "/healthz", "bad-query", NULL },
		{ "/v1/stats?verbose=1", "/v1/stats", "bad-query", NULL },
	};
	struct asker *a = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		expect_problem(a, ask(a, .method = "GET", .uri = table[i].uri, .route = table[i].route), 400,
		               table[i].slug, table[i].piece);
}

static void test_keys__have_up_to_4096_bytes(void **state)
{
	struct asker *a = *state;
	char uri[4096 * 3 + 32];

	strcpy(uri, "/v1/kv?key=");
	for (int i = 0; i < 4096; i++)
		strcpy(uri + 11 + 3 * i, "%41");
	assert_int_equal(ask(a, .method = "PUT", .uri = uri, .body = "long"), 201);
	assert_int_equal(ask(a, .method = "GET", .uri = uri), 200);
	strcat(uri, "A");
	expect_problem(a, ask(a, .method = "GET", .uri = uri), 400, "bad-key", "\"limit\":4096");
	expect_problem(a, ask(a, .method = "PUT", .uri = uri, .body = "x"), 400, "bad-key", "\"limit\":4096");
}

static void test_keys__are_held_to_the_prefix(void **state)
{
	struct asker *a = *state;

	put(a, "/v1/kv?key=theirs", "secret");
	assert_int_equal(ask(a, .method = "PUT", .uri = "/v1/kv?key=t/1", .body = "mine", .prefix = "t%2F"),
	                 201);
	assert_int_equal(ask(a, .method = "GET", .uri = "/get/t/1", .route = "/get/", .prefix = "t/"), 200);
	expect_problem(a, ask(a, .method = "GET", .uri = "/get/theirs", .route = "/get/", .prefix = "t/"),
	               403, "outside-prefix", NULL);
	expect_problem(a, ask(a, .method = "PUT", .uri = "/v1/kv?key=x", .body = "x", .prefix = "t/"), 403,
	               "outside-prefix", NULL);
	expect_problem(a, ask(a, .method = "DELETE", .uri = "/del?key=theirs", .prefix = "t/"), 403,
	               "outside-prefix", NULL);
	expect_problem(a,
	               ask(a, .method = "POST", .uri = "/set", .body = "{\"key\":\"theirs\",\"value\":1}",
	                   .prefix = "t/"),
	               403, "outside-prefix", NULL);
	expect_problem(a,
	               ask(a, .method = "POST", .uri = "/set", .body = "key=theirs&value=1", .type = FORM,
	                   .prefix = "t/"),
	               403, "outside-prefix", NULL);
	expect_problem(a, ask(a, .method = "GET", .uri = "/get?key=100%25x", .prefix = "100%"), 500,
	               "misconfigured", NULL);
	assert_int_equal(ask(a, .method = "GET", .uri = "/v1/kv?key=theirs"), 200);
	expect_body(a, "secret");
}

/* ---- v1 -------------------------------------------------------------------------------------- */

static void test_kv__put_get_head_delete(void **state)
{
	struct asker *a = *state;
	char etag[32];

	assert_int_equal(ask(a, .method = "PUT", .uri = "/v1/kv/a", .route = "/v1/kv/", .body = "x\0y",
	                     .body_len = 3, .type = "text/html"),
	                 201);
	assert_int_equal(ask_body(a).len, 0);
	snprintf(etag, sizeof(etag), "\"%s\"", ask_header(a, "Silt-Version"));
	assert_string_equal(ask_header(a, "ETag"), etag);
	assert_string_equal(ask_header(a, "Cache-Control"), "no-store");
	assert_int_equal(ask(a, .method = "GET", .uri = "/v1/kv/a", .route = "/v1/kv/"), 200);
	assert_int_equal(ask_body(a).len, 3);
	assert_memory_equal(ask_body(a).p, "x\0y", 3);
	assert_string_equal(ask_header(a, "ETag"), etag);
	assert_string_equal(ask_header(a, "Content-Type"), "text/html");
	assert_string_equal(ask_header(a, "Content-Security-Policy"), "sandbox");
	assert_string_equal(ask_header(a, "Cache-Control"), "no-cache");
	assert_string_equal(ask_header(a, "Silt-Expires-At"), "");
	assert_int_equal(ask(a, .method = "HEAD", .uri = "/v1/kv?key=a"), 200);
	assert_true(a->r.response.head_only);
	assert_int_equal(ask_body(a).len, 3);                            /* counted, not sent */
	assert_int_equal(ask(a, .method = "PUT", .uri = "/v1/kv?key=a"), 204); /* no body: an empty value */
	assert_string_not_equal(ask_header(a, "ETag"), etag);
	assert_int_equal(ask(a, .method = "GET", .uri = "/v1/kv?key=a"), 200);
	assert_int_equal(ask_body(a).len, 0);
	assert_string_equal(ask_header(a, "Content-Type"), "application/octet-stream");
	assert_int_equal(ask(a, .method = "DELETE", .uri = "/v1/kv?key=a"), 204);
	assert_true(ask_header(a, "Silt-Version")[0] != 0);
	expect_problem(a, ask(a, .method = "DELETE", .uri = "/v1/kv?key=a"), 404, "no-such-key", NULL);
	expect_problem(a, ask(a, .method = "GET", .uri = "/v1/kv?key=a"), 404, "no-such-key", NULL);
	assert_int_equal(ask(a, .method = "PUT", .uri = "/v1/kv?key=a"), 201);       /* new again */
}

static void test_kv__content_types(void **state)
{
	char longest[257];
	struct asker *a = *state;

	memset(longest, 'x', sizeof(longest));
	longest[255] = 0;
	assert_int_equal(ask(a, .method = "PUT", .uri = "/v1/kv?key=a", .type = longest), 201);
	assert_int_equal(ask(a, .method = "GET", .uri = "/v1/kv?key=a"), 200);
	assert_string_equal(ask_header(a, "Content-Type"), longest);
	longest[255] = 'x';
	longest[256] = 0;
	expect_problem(a, ask(a, .method = "PUT", .uri = "/v1/kv?key=a", .type = longest), 400, "bad-header",
	               "\"limit\":255");
	expect_problem(a, ask(a, .method = "PUT", .uri = "/v1/kv?key=a", .type = "text/\xc3\xa9"), 400,
	               "bad-header", NULL);
	expect_problem(a,
	               ask(a, .method = "PUT", .uri = "/v1/kv?key=a",
	                   .type = "text/plain\r\nX-Accel-Redirect: /etc"),
	               400, "bad-header", NULL);
	assert_int_equal(ask(a, .method = "PUT", .uri = "/v1/kv?key=a", .type = FORM, .body = "x=1"), 204);
	assert_int_equal(ask(a, .method = "GET", .uri = "/v1/kv?key=a"), 200);
	assert_string_equal(ask_header(a, "Content-Type"), "application/octet-stream");
	assert_int_equal(ask(a, .method = "PUT", .uri = "/v1/kv?key=a", .type = "text/plain; charset=latin1"),
	                 204);
	assert_int_equal(ask(a, .method = "GET", .uri = "/v1/kv?key=a"), 200);
	assert_string_equal(ask_header(a, "Content-Type"), "text/plain; charset=latin1");
}

static void test_kv__ttl(void **state)
{
	static const char *const wrong[] = {
		"0", "-1", "1.5", "+5", "01", "", "abc", "3155760001", "99999999999999999999", "1%20"
	};
	struct asker *a = *state;
	uint64_t expires, now = (uint64_t)time(NULL) * 1000;
	char uri[64];

	assert_int_equal(ask(a, .method = "PUT", .uri = "/v1/kv?key=a&ttl=3155760000", .body = "v"), 201);
	assert_int_equal(ask(a, .method = "GET", .uri = "/v1/kv?key=a"), 200);
	expires = strtoull(ask_header(a, "Silt-Expires-At"), NULL, 10);
	assert_in_range(expires, now + 3155760000000 - 1000, now + 3155760000000 + 60000);
	put(a, "/v1/kv?key=a", "v");                                     /* without one it is cleared */
	assert_int_equal(ask(a, .method = "GET", .uri = "/v1/kv?key=a"), 200);
	assert_string_equal(ask_header(a, "Silt-Expires-At"), "");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(uri, sizeof(uri), "/v1/kv?key=b&ttl=%s", wrong[i]);
		expect_problem(a, ask(a, .method = "PUT", .uri = uri, .body = "v"), 400, "bad-query", "ttl");
	}
	assert_true(absent(a, "/v1/kv?key=b"));
}

/* An expired entry is absent in every respect, conditions included. */
static void test_kv__an_expired_entry_is_absent(void **state)
{
	struct asker *a = *state;

	assert_int_equal(ask(a, .method = "PUT", .uri = "/v1/kv?key=a&ttl=1", .body = "v"), 201);
	while (ask(a, .method = "GET", .uri = "/v1/kv?key=a") == 200)
		nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	expect_problem(a, a->r.response.status, 404, "no-such-key", NULL);
	expect_problem(a, ask(a, .method = "DELETE", .uri = "/del?key=a"), 404, "no-such-key", NULL);
	expect_problem(a, ask(a, .method = "PUT", .uri = "/v1/kv?key=a", .if_match = "*"), 412,
	               "condition-failed", "\"version\":0");
	assert_int_equal(ask(a, .method = "PUT", .uri = "/v1/kv?key=a", .if_none_match = "*"), 201);
}

static void test_kv__conditions_on_reads(void **state)
{
	struct asker *a = *state;
	uint64_t version = put(a, "/v1/kv?key=a", "v");
	char tag[32], weak[64], list[128];

	snprintf(tag, sizeof(tag), "\"%llu\"", (unsigned long long)version);
	snprintf(weak, sizeof(weak), "W/%s", tag);
	snprintf(list, sizeof(list), "\"999\", \"abc\", %s", weak);
	for (int head = 0; head < 2; head++) {
		const char *method = head ? "HEAD" : "GET";

		assert_int_equal(ask(a, .method = method, .uri = "/v1/kv?key=a", .if_none_match = tag), 304);
		assert_string_equal(ask_header(a, "ETag"), tag);
		assert_int_equal(ask_body(a).len, 0);
		assert_int_equal(ask(a, .method = method, .uri = "/v1/kv?key=a", .if_none_match = weak), 304);
		assert_int_equal(ask(a, .method = method, .uri = "/v1/kv?key=a", .if_none_match = list), 304);
		assert_int_equal(ask(a, .method = method, .uri = "/v1/kv?key=a", .if_none_match = "*"), 304);
		assert_int_equal(ask(a, .method = method, .uri = "/v1/kv?key=a", .if_none_match = "\"abc\""),
		                 200);
		assert_int_equal(ask(a, .method = method, .uri = "/v1/kv?key=a", .if_match = list), 200);
		assert_int_equal(ask(a, .method = method, .uri = "/v1/kv?key=a", .if_match = "*"), 200);
		expect_problem(
			a, ask(a, .method = method, .uri = "/v1/kv?key=a", .if_match = "\"999\", \"abc\""),
			412, "condition-failed", "\"key\":\"a\"");
		assert_string_equal(ask_header(a, "ETag"), tag);
		/* If-Match first */
		expect_problem(a,
		               ask(a, .method = method, .uri = "/v1/kv?key=a", .if_match = "\"999\"",
		                   .if_none_match = tag),
		               412, "condition-failed", NULL);
		assert_int_equal(ask(a, .method = method, .uri = "/v1/kv?key=a", .if_match = tag,
		                     .if_none_match = tag),
		                 304);
		/* malformed is never ignored */
		expect_problem(a, ask(a, .method = method, .uri = "/v1/kv?key=a", .if_none_match = tag + 1),
		               400, "bad-condition", "If-None-Match");
		expect_problem(a, ask(a, .method = method, .uri = "/v1/kv?key=a", .if_match = "7"), 400,
		               "bad-condition", "If-Match");
		/* an absent key is 404, whatever the condition */
		expect_problem(a, ask(a, .method = method, .uri = "/v1/kv?key=b", .if_match = "*"), 404,
		               "no-such-key", NULL);
		expect_problem(a, ask(a, .method = method, .uri = "/v1/kv?key=b", .if_none_match = tag), 404,
		               "no-such-key", NULL);
	}
}

static void test_kv__conditions_on_writes(void **state)
{
	struct asker *a = *state;
	char tag[64], old[64], piece[64];

	expect_problem(a, ask(a, .method = "PUT", .uri = "/v1/kv?key=a", .if_match = "\"1\""), 412,
	               "condition-failed", "\"version\":0");
	assert_string_equal(ask_header(a, "ETag"), "");
	expect_problem(a, ask(a, .method = "PUT", .uri = "/v1/kv?key=a", .if_match = "*"), 412,
	               "condition-failed", NULL);
	expect_problem(a, ask(a, .method = "DELETE", .uri = "/v1/kv?key=a", .if_match = "*"), 404,
	               "no-such-key", NULL);
	expect_problem(a, ask(a, .method = "DELETE", .uri = "/v1/kv?key=a", .if_none_match = "\"1\""), 404,
	               "no-such-key", NULL);
	assert_int_equal(ask(a, .method = "PUT", .uri = "/v1/kv?key=a", .body = "1", .if_none_match = "*"),
	                 201);
	snprintf(old, sizeof(old), "%s", ask_header(a, "ETag"));
	expect_problem(a, ask(a, .method = "PUT", .uri = "/v1/kv?key=a", .body = "2", .if_none_match = "*"),
	               412, "condition-failed", NULL);
	assert_string_equal(ask_header(a, "ETag"), old);
	expect_problem(a, ask(a, .method = "PUT", .uri = "/v1/kv?key=a", .body = "2", .if_none_match = old),
	               412, "condition-failed", NULL);
	assert_int_equal(ask(a, .method = "PUT", .uri = "/v1/kv?key=a", .body = "2", .if_match = old), 204);
	snprintf(tag, sizeof(tag), "W/%s", ask_header(a, "ETag"));
	snprintf(piece, sizeof(piece), "\"version\":%.*s", (int)strlen(tag) - 4, tag + 3);
	expect_problem(a, ask(a, .method = "PUT", .uri = "/v1/kv?key=a", .body = "3", .if_match = old), 412,
	               "condition-failed", piece);
	expect_problem(a, ask(a, .method = "DELETE", .uri = "/v1/kv?key=a", .if_match = old), 412,
	               "condition-failed", piece);
	expect_problem(a, ask(a, .method = "DELETE", .uri = "/v1/kv?key=a", .if_none_match = tag), 412,
	               "condition-failed", piece);
	expect_problem(a, ask(a, .method = "DELETE", .uri = "/v1/kv?key=a", .if_match = "W/7"), 400,
	               "bad-condition", NULL);
	assert_int_equal(ask(a, .method = "GET", .uri = "/v1/kv?key=a"), 200);
	expect_body(a, "2");
	assert_int_equal(
		ask(a, .method = "DELETE", .uri = "/v1/kv?key=a", .if_match = tag, .if_none_match = old),
		204);
	assert_true(absent(a, "/v1/kv?key=a"));
}

static void test_kv__delete_returns_the_representation_where_it_is_preferred(void **state)
{
	static const char *const yes[] = { "return=representation",
		                           "respond-async, Return=\"representation\"; x=1",
		                           "  return=representation  ,wait=5" };
	static const char *const no[] = { "return=minimal",
		                          "return=representations",
		                          "xreturn=representation",
		                          "return=minimal, return=representation",
		                          "",
		                          "return" };
	struct asker *a = *state;
	char tag[32];

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		assert_int_equal(ask(a, .method = "PUT", .uri = "/v1/kv?key=a&ttl=1000", .body = "old",
		                     .type = "image/png"),
		                 201);
		snprintf(tag, sizeof(tag), "%s", ask_header(a, "ETag"));
		assert_int_equal(ask(a, .method = "DELETE", .uri = "/v1/kv?key=a", .prefer = yes[i]), 200);
		expect_body(a, "old");
		assert_string_equal(ask_header(a, "ETag"), tag);
		assert_string_equal(ask_header(a, "Content-Type"), "image/png");
		assert_string_equal(ask_header(a, "Content-Security-Policy"), "sandbox");
		assert_string_equal(ask_header(a, "Preference-Applied"), "return=representation");
		assert_true(ask_header(a, "Silt-Expires-At")[0] != 0);
		tag[strlen(tag) - 1] = 0;
		assert_true(strtoull(ask_header(a, "Silt-Version"), NULL, 10) > strtoull(tag + 1, NULL, 10));
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		put(a, "/v1/kv?key=a", "old");
		assert_int_equal(ask(a, .method = "DELETE", .uri = "/v1/kv?key=a", .prefer = no[i]), 204);
		assert_string_equal(ask_header(a, "Preference-Applied"), "");
		assert_int_equal(ask_body(a).len, 0);
	}
	expect_problem(a, ask(a, .method = "DELETE", .uri = "/v1/kv?key=a", .prefer = yes[0]), 404,
	               "no-such-key", NULL);
}

static void test_kv__limits_of_values(void **state)
{
	struct asker *a = *state;
	size_t max = 300000;
	char *value = malloc(max + 64);

	assert_non_null(value);
	memset(value, 'v', max + 64);
	assert_int_equal(ask(a, .method = "PUT", .uri = "/v1/kv?key=a", .body = value, .body_len = max), 201);
	assert_int_equal(ask(a, .method = "GET", .uri = "/v1/kv?key=a"), 200);
	assert_int_equal(ask_body(a).len, max);
	assert_int_equal(ask(a, .method = "GET", .uri = "/get?key=a"), 200);         /* printed by a worker */
	assert_int_equal(a->blocked, 1);
	assert_int_equal(ask_body(a).len, max + strlen("{\"key\":\"a\",\"value\":\"\",\"version\":}") +
	                                          strlen(ask_header(a, "ETag")) - 2);
	expect_problem(a, ask(a, .method = "PUT", .uri = "/v1/kv?key=b", .body = value, .body_len = max + 1),
	               413, "too-large", "\"limit\":300000");
	memcpy(value, "{\"key\":\"b\",\"value\":\"", 20);
	memcpy(value + 20 + max, "\"}", 2);
	assert_int_equal(ask(a, .method = "POST", .uri = "/set", .body = value, .body_len = max + 22), 200);
	assert_int_equal(a->blocked, 1);
	memcpy(value + 21 + max, "\"}", 2);
	value[20 + max] = 'v';
	expect_problem(a, ask(a, .method = "POST", .uri = "/set", .body = value, .body_len = max + 23), 413,
	               "too-large", "\"limit\":300000");
	free(value);
}

static void test_kv__bodies_that_are_no_whole_value(void **state)
{
	struct asker *a = *state;

	expect_problem(
		a,
		ask(a, .method = "PUT", .uri = "/v1/kv?key=x", .body = "v", .content_range = "bytes 0-0/5"),
		400, "bad-header", "Content-Range");
	expect_problem(a,
	               ask(a, .method = "PUT", .uri = "/v1/kv?key=x", .body = "v", .content_encoding = "br"),
	               415, "unsupported-media-type", NULL);
	assert_true(absent(a, "/v1/kv?key=x"));
}

static void test_kv__what_means_nothing_is_refused(void **state)
{
	static const struct { const char *method, *uri; int status; const char *slug; } table[] = {
		{ "POST", "/v1/kv?key=a&op=incr&by=", 400, "bad-query" },
		{ "POST", "/v1/kv?key=a&op=incr&by=x", 400, "bad-query" },
		{ "POST", "/v1/kv?key=a&op=incr&by=1.5", 400, "bad-query" },
		{ "POST", "/v1/kv?key=a&op=incr&by=%2B1", 400, "bad-query" },
		{ "POST", "/v1/kv?key=a&op=incr&by=01", 400, "bad-query" },
		{ "POST", "/v1/kv?key=a&op=incr&by=--1", 400, "bad-query" },
		{ "POST", "/v1/kv?key=a&op=incr&by=9223372036854775808", 400, "bad-query" },
		{ "POST", "/v1/kv?key=a&op=incr&by=-9223372036854775809", 400, "bad-query" },
		{ "POST", "/v1/kv?key=a&op=incr&ttl=5", 400, "bad-query" },
		{ "POST", "/v1/kv?key=a&by=1", 400, "bad-query" },
		{ "POST", "/v1/kv?prefix=a&op=incr", 400, "bad-query" },
		{ "PUT", "/v1/kv", 400, "bad-key" },
		{ "PUT", "/v1/kv?prefix=a", 400, "bad-query" },
		{ "DELETE", "/v1/kv?key=a&prefix=a", 400, "bad-query" },
		{ "DELETE", "/v1/kv?limit=1", 400, "bad-query" }, { "POST", "/v1/kv?key=a", 400, "bad-query" },
		{ "POST", "/v1/kv?key=a&op=append", 400, "bad-query" },
		{ "POST", "/v1/kv?op=incr", 400, "bad-key" },
		{ "GET", "/v1/kv?prefix=a&prefix=b", 400, "bad-query" },
	};
	struct asker *a = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		expect_problem(a, ask(a, .method = table[i].method, .uri = table[i].uri), table[i].status,
		               table[i].slug, NULL);
}

/* ---- counters ------------------------------------------------------------------------------- */

static int step(struct asker *a, const char *uri)
{
	return ask(a, .method = "POST", .uri = uri, .route = "/v1/kv");
}

static void test_kv__counters(void **state)
{
	struct asker *a = *state;

	assert_int_equal(step(a, "/v1/kv?key=n&op=incr"), 200);
	expect_body(a, "{\"value\":1,\"text\":\"1\",\"version\":1}");
	assert_string_equal(ask_header(a, "ETag"), "\"1\"");
	assert_string_equal(ask_header(a, "Silt-Version"), "1");
	assert_int_equal(step(a, "/v1/kv?key=n&op=incr&by=41&durability=async"), 200);
	assert_int_equal(step(a, "/v1/kv?key=n&op=incr&by=-100"), 200);
	expect_body(a, "{\"value\":-58,\"text\":\"-58\",\"version\":3}");
	assert_int_equal(step(a, "/v1/kv?key=n&op=incr&by=0"), 200);
	assert_int_equal(ask(a, .method = "GET", .uri = "/v1/kv/n", .route = "/v1/kv/"), 200);
	expect_body(a, "-58");
	assert_string_equal(ask_header(a, "Content-Type"), "text/plain");
	assert_int_equal(step(a, "/v1/kv?key=n&op=incr&by=9223372036854775807"), 200);
	expect_body(a, "{\"value\":9223372036854775749,\"text\":\"9223372036854775749\",\"version\":5}");
	expect_problem(a, step(a, "/v1/kv?key=n&op=incr&by=59"), 409, "counter-overflow", "\"key\":\"n\",\"version\":5");
	assert_int_equal(step(a, "/v1/kv?key=n&op=incr&by=58"), 200);
	assert_int_equal(step(a, "/v1/kv?key=m&op=incr&by=-9223372036854775808"), 200);
	expect_problem(a, step(a, "/v1/kv?key=m&op=incr&by=-1"), 409, "counter-overflow", NULL);
}

static void test_kv__what_is_no_counter_stays_as_it_is(void **state)
{
	static const char *const table[] = { "", "x", "1 ", " 1", "01", "+1", "1.0", "1e3", "-", "-01", "0x10", "9223372036854775808",
		                             "-9223372036854775809", "1\n" };
	struct asker *a = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		put(a, "/v1/kv?key=n", table[i]);
		expect_problem(a, step(a, "/v1/kv?key=n&op=incr"), 409, "not-a-counter", "\"key\":\"n\"");
		assert_int_equal(ask(a, .method = "GET", .uri = "/v1/kv?key=n"), 200);
		expect_body(a, table[i]);
	}
	put(a, "/v1/kv?key=n", "-0");
	assert_int_equal(step(a, "/v1/kv?key=n&op=incr"), 200);
}

static void test_kv__a_step_keeps_type_and_end_and_obeys_conditions(void **state)
{
	struct asker *a = *state;

	assert_int_equal(ask(a, .method = "PUT", .uri = "/v1/kv?key=n&ttl=1000", .route = "/v1/kv", .body = "5", .type = "a/b"), 201);
	assert_int_equal(step(a, "/v1/kv?key=n&op=incr"), 200);
	assert_int_equal(ask(a, .method = "GET", .uri = "/v1/kv?key=n"), 200);
	assert_string_equal(ask_header(a, "Content-Type"), "a/b");
	assert_true(ask_header(a, "Silt-Expires-At")[0] != 0);
	expect_problem(a, ask(a, .method = "POST", .uri = "/v1/kv?key=n&op=incr", .if_match = "\"1\""), 412, "condition-failed",
	               "\"version\":2");
	assert_int_equal(ask(a, .method = "POST", .uri = "/v1/kv?key=n&op=incr", .if_match = "\"2\""), 200);
	expect_problem(a, ask(a, .method = "POST", .uri = "/v1/kv?key=n&op=incr", .if_none_match = "*"), 412, "condition-failed", NULL);
	expect_problem(a, ask(a, .method = "POST", .uri = "/v1/kv?key=o&op=incr", .if_match = "*"), 404, "no-such-key", "\"key\":\"o\"");
	assert_int_equal(ask(a, .method = "POST", .uri = "/v1/kv?key=o&op=incr", .if_none_match = "*"), 200);
	expect_problem(a, ask(a, .method = "POST", .uri = "/v1/kv?key=n&op=incr", .body = "5"), 400, "bad-body", "?by=");
	expect_problem(a, ask(a, .method = "POST", .uri = "/v1/kv?key=n&op=incr", .prefix = "a"), 403, "outside-prefix", NULL);
	expect_problem(a, ask_as(a, ROLE_READ, (struct ask){ .method = "POST", .uri = "/v1/kv?key=n&op=incr" }), 403, "forbidden", NULL);
}

/* ---- operations ------------------------------------------------------------------------------ */

static void test_ops__health_and_stats(void **state)
{
	struct asker *a = *state;

	put(a, "/v1/kv?key=a", "v");
	a->server.requests = 7;
	assert_int_equal(ask(a, .method = "GET", .uri = "/healthz"), 200);
	expect_body(a, "{\"status\":\"alive\"}");
	assert_int_equal(ask(a, .method = "GET", .uri = "/readyz"), 200);
	expect_body(a, "{\"status\":\"ready\"}");
	assert_int_equal(ask(a, .method = "GET", .uri = "/v1/stats"), 200);
	assert_int_equal(a->blocked, 0);
	assert_string_equal(ask_header(a, "Content-Type"), JSON);
	assert_true(ask_says(a, "{\"capabilities\":[\"conditions\",") && ask_says(a, ",\"requests\":7,") &&
	            ask_says(a, ",\"memtable_entries\":1,"));
	assert_true(ask_says(a, ",\"fault\":\"\"}"));
}

static void test_ops__flush_and_compact(void **state)
{
	struct asker *a = *state;
	char uri[32];

	for (int i = 0; i < 20; i++) {
		snprintf(uri, sizeof(uri), "/v1/kv?key=%d", i);
		put(a, uri, "value");
	}
	assert_int_equal(ask(a, .method = "POST", .uri = "/v1/admin/flush"), 200);
	assert_int_equal(a->blocked, 1);
	assert_true(ask_says(a, "\"flushed_entries\":20,\"tables\":1,"));
	assert_int_equal(ask(a, .method = "GET", .uri = "/v1/kv?key=7"),
	                 200); /* now from a table, perhaps by a worker */
	expect_body(a, "value");
	assert_int_equal(ask(a, .method = "DELETE", .uri = "/del?key=7"), 200);      /* evidence from a table */
	assert_true(ask_says(a, "\"value\":\"value\""));
	assert_int_equal(ask(a, .method = "POST", .uri = "/v1/admin/compact"), 200);
	assert_true(ask_says(a, "\"tables\":1,") && ask_says(a, "\"table_entries\":19,\"job\":"));
}

static void test_ops__shutdown_flushes_answers_and_stops(void **state)
{
	struct asker *a = *state;

	put(a, "/v1/kv?key=a", "v");
	a->server.requests = 3;
	assert_int_equal(ask(a, .method = "GET", .uri = "/shutdown"), 200);
	assert_int_equal(a->blocked, 1);
	assert_int_equal(a->stops, 1);
	assert_true(ask_says(a, "{\"message\":\"All is written. The server ends "
	                        "now.\",\"flushed_entries\":1,\"tables\":1,\"wal_bytes\":"));
	assert_true(ask_says(a, ",\"uptime_s\":") && ask_says(a, ",\"requests\":3}"));
	expect_problem(a, ask(a, .method = "PUT", .uri = "/v1/kv?key=b", .body = "v"), 503, "shutting-down",
	               NULL);
	expect_problem(a, ask(a, .method = "POST", .uri = "/shutdown"), 503, "shutting-down", NULL);
	assert_int_equal(a->stops, 1);
}

static void test_ops__shutdown_tells_what_systemds_socket_does(void **state)
{
	struct asker *a = *state;

	a->server.socket_activated = true;
	assert_int_equal(ask(a, .method = "POST", .uri = "/shutdown"), 200);
	assert_true(ask_says(a, "stop siltstone.socket"));
	assert_true(ask_says(a, "\"flushed_entries\":0,\"tables\":0,"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void test_kv__megabytes_are_copied_by_workers(void **state)
{
	struct asker *a = *state;
	char *value = malloc(70000), *json = malloc(80000);

	assert_non_null(value);
	assert_non_null(json);
	memset(value, 'v', 70000);
	a->server.limits.max_value_size = a->server.limits.max_request_size = 100000;
	for (size_t n = 65536; n <= 65537; n++) {
		bool large = n > 65536;

		assert_int_equal(ask(a, .method = "PUT", .uri = "/v1/kv?key=big", .body = value, .body_len = n) / 100, 2);
		assert_int_equal(a->blocked, large);
		assert_int_equal(ask(a, .method = "GET", .uri = "/v1/kv?key=big"), 200);
		assert_int_equal(ask_body(a).len, n);
		assert_int_equal(a->blocked, large);
		assert_int_equal(ask(a, .method = "GET", .uri = "/get?key=big"), 200);
		assert_int_equal(a->blocked, large);
		snprintf(json, 80000, "{\"key\":\"big\",\"value\":\"%.*s\"}", (int)(n - 24), value);
		assert_int_equal(strlen(json), n);
		assert_int_equal(ask(a, .method = "POST", .uri = "/set", .body = json, .body_len = n, .type = "application/json"), 200);
		assert_int_equal(a->blocked, large);
	}
	free(value);
	free(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_classic__set_get_delete), T(test_classic__every_delete_form_returns_the_old_value),
		T(test_classic__pairs_in_query_and_form),
		T(test_classic__json_values_are_kept_as_sent),
		T(test_classic__bytes_travel_as_base64_both_ways),
		T(test_classic__bodies_that_are_refused_store_nothing),
		T(test_classic__encodings_and_ranges_of_bodies),
		T(test_classic__conditions_hold_here_too), T(test_keys__a_path_means_exactly_its_bytes),
		T(test_keys__any_bytes_by_query),
		T(test_keys__those_that_can_not_be), T(test_keys__have_up_to_4096_bytes),
		T(test_keys__are_held_to_the_prefix),
		T(test_kv__put_get_head_delete), T(test_kv__content_types), T(test_kv__ttl),
		T(test_kv__an_expired_entry_is_absent),
		T(test_kv__conditions_on_reads), T(test_kv__conditions_on_writes),
		T(test_kv__delete_returns_the_representation_where_it_is_preferred),
		T(test_kv__limits_of_values),
		T(test_kv__bodies_that_are_no_whole_value), T(test_kv__what_means_nothing_is_refused),
		T(test_kv__counters), T(test_kv__what_is_no_counter_stays_as_it_is),
		T(test_kv__a_step_keeps_type_and_end_and_obeys_conditions),
		T(test_ops__health_and_stats),
		T(test_ops__flush_and_compact), T(test_ops__shutdown_flushes_answers_and_stops),
		T(test_ops__shutdown_tells_what_systemds_socket_does),
		T(test_kv__megabytes_are_copied_by_workers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
