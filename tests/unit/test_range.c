/* SPDX-License-Identifier: Apache-2.0 */
/* test_range.c - lists, counts, lines and deletes of ranges, over the real engine. */
#include "lib/ask.h"

#define LINES "application/x-ndjson"

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

static void put(struct asker *a, const char *key, const char *value)
{
	char uri[256];
	int got;

	snprintf(uri, sizeof(uri), "/v1/kv?key=%s&durability=async", key);
	got = ask(a, .method = "PUT", .uri = uri, .route = "/v1/kv", .body = value);
	assert_true(got == 201 || got == 204);
}

/* a00 a01 ... , each with the value v00 v01 ... */
static void fill(struct asker *a, const char *letter, int n)
{
	char key[16], value[16];

	for (int i = 0; i < n; i++) {
		snprintf(key, sizeof(key), "%s%03d", letter, i);
		snprintf(value, sizeof(value), "v%03d", i);
		put(a, key, value);
	}
}

static int get(struct asker *a, const char *uri)
{
	return ask(a, .method = "GET", .uri = uri, .route = "/v1/kv");
}

static int erase(struct asker *a, const char *uri)
{
	return ask(a, .method = "DELETE", .uri = uri, .route = "/v1/kv");
}

/* The keys of a page, joined; *cursor as text, "" where there is none. */
static void page(struct asker *a, char *keys, size_t keys_size, char *cursor, size_t cursor_size)
{
	struct span body = ask_body(a);
	const char *p = body.p, *end = body.p + body.len;
	size_t n = 0;

	keys[0] = cursor[0] = 0;
	while ((p = memmem(p, (size_t)(end - p), "{\"key\":\"", 8)) != NULL) {
		size_t len = strcspn(p + 8, "\"");

		n += (size_t)snprintf(keys + n, keys_size - n, "%s%.*s", n > 0 ? " " : "", (int)len, p + 8);
		p += 8 + len;
	}
	p = memmem(body.p, body.len, "\"cursor\":\"", 10);
	if (p != NULL)
		snprintf(cursor, cursor_size, "%.*s", (int)strcspn(p + 10, "\""), p + 10);
}

static void keys_are(struct asker *a, const char *uri, const char *wanted, int line)
{
	char keys[4096], cursor[4096];

	if (get(a, uri) != 200)
		fail_msg("line %d: %s is %d %.*s", line, uri, a->r.response.status, (int)ask_body(a).len, ask_body(a).p);
	page(a, keys, sizeof(keys), cursor, sizeof(cursor));
	if (strcmp(keys, wanted) != 0)
		fail_msg("line %d: %s gives '%s' and not '%s'", line, uri, keys, wanted);
}
#define expect_keys(a, uri, wanted) keys_are((a), (uri), (wanted), __LINE__)

/* ---- pages ------------------------------------------------------------------------------------------------------------- */

static void test_range__bounds(void **state)
{
	struct asker *a = *state;

	put(a, "a", "1"), put(a, "a%2F1", "2"), put(a, "a%2F2", "3"), put(a, "b", "4"), put(a, "%FF", "5"), put(a, "%FF%FFx", "6");
	expect_keys(a, "/v1/kv?end=c", "a a/1 a/2 b");
	expect_keys(a, "/v1/kv?prefix=a", "a a/1 a/2");
	expect_keys(a, "/v1/kv?prefix=a%2F", "a/1 a/2");
	expect_keys(a, "/v1/kv?prefix=a/1", "a/1");
	expect_keys(a, "/v1/kv?start=a%2F1&end=b", "a/1 a/2");
	expect_keys(a, "/v1/kv?start=a%2F1%00&end=b", "a/2");
	expect_keys(a, "/v1/kv?start=b&end=b", "");
	expect_keys(a, "/v1/kv?start=&end=b", "a a/1 a/2");
	expect_keys(a, "/v1/kv?prefix=c", "");
	expect_keys(a, "/v1/kv?prefix=%FF%FF", "//94");
	expect_keys(a, "/v1/kv?prefix=%FF", "/w== //94");
	expect_keys(a, "/v1/kv?prefix=&limit=1", "a");
	expect_keys(a, "/v1/kv?reverse=true&end=b", "a/2 a/1 a");
	expect_keys(a, "/v1/kv?reverse=1&limit=2&start=a%2F", "//94 /w==");
	expect_keys(a, "/v1/kv?reverse=false&prefix=b", "b");
	assert_int_equal(a->blocked, 1);
}

static void test_range__what_an_entry_looks_like(void **state)
{
	struct asker *a = *state;

	assert_int_equal(ask(a, .method = "PUT", .uri = "/v1/kv?key=%FE&ttl=3000", .route = "/v1/kv", .body = "\xff"), 201);
	put(a, "a", "x\"y");
	assert_int_equal(get(a, "/v1/kv"), 200);
	assert_true(ask_says(a, "{\"items\":[{\"key\":\"a\",\"value\":\"x\\\"y\",\"version\":2},"
	                        "{\"key\":\"/g==\",\"key_encoding\":\"base64\",\"value\":\"/w==\",\"encoding\":\"base64\",\"version\":1,"
	                        "\"expires_at\":"));
	assert_true(ask_says(a, "}],\"version\":2}"));
	assert_string_equal(ask_header(a, "Content-Type"), "application/json");
	assert_string_equal(ask_header(a, "Cache-Control"), "no-store");
	assert_string_equal(ask_header(a, "Vary"), "Accept");
	assert_int_equal(get(a, "/v1/kv?keys_only=1&limit=1"), 200);
	assert_true(ask_says(a, "{\"items\":[{\"key\":\"a\",\"version\":2}],\"version\":2,\"cursor\":\""));
	assert_int_equal(ask(a, .method = "HEAD", .uri = "/v1/kv", .route = "/v1/kv"), 200);
	assert_true(a->r.response.head_only && ask_body(a).len > 0);
	assert_int_equal(erase(a, "/v1/kv?all=true"), 200);
	assert_int_equal(get(a, "/v1/kv"), 200);
	assert_true(span_eq(ask_body(a), "{\"items\":[],\"version\":3}"));
}

/* Pages of every size give the whole, in both directions, also where keys come and go between them. */
static void test_range__pages_join(void **state)
{
	struct asker *a = *state;
	char keys[512], cursor[512], uri[1024];

	fill(a, "a", 23);
	for (int limit = 1; limit < 26; limit++)
		for (int reverse = 0; reverse < 2; reverse++) {
			int next = reverse ? 22 : 0, pages = 0;

			snprintf(uri, sizeof(uri), "/v1/kv?prefix=a&limit=%d&reverse=%d", limit, reverse);
			do {
				char *save = NULL;

				assert_int_equal(get(a, uri), 200);
				page(a, keys, sizeof(keys), cursor, sizeof(cursor));
				for (char *k = strtok_r(keys, " ", &save); k != NULL; k = strtok_r(NULL, " ", &save)) {
					assert_int_equal(atoi(k + 1), next);
					next += reverse ? -1 : 1;
				}
				pages++;
				snprintf(uri, sizeof(uri), "/v1/kv?cursor=%s&limit=%d", cursor, limit);
			} while (cursor[0] != 0);
			assert_int_equal(next, reverse ? -1 : 23);
			assert_int_equal(pages, (23 + limit - 1) / limit);     /* no empty page at the end */
		}
	assert_int_equal(get(a, "/v1/kv?prefix=a&limit=5"), 200);
	page(a, keys, sizeof(keys), cursor, sizeof(cursor));
	assert_int_equal(erase(a, "/v1/kv?key=a004"), 204);           /* where the cursor stands */
	put(a, "a0045", "new");
	snprintf(uri, sizeof(uri), "/v1/kv?cursor=%s&limit=2", cursor);
	expect_keys(a, uri, "a0045 a005");
}

static void test_range__a_cursor_holds_its_range(void **state)
{
	struct asker *a = *state;
	char keys[512], cursor[512], uri[1024];
	static const struct { const char *beside; bool ok; } table[] = {
		{ "", true }, { "&prefix=a", true }, { "&start=a&end=b", true }, { "&limit=1", true }, { "&limit=9", true },
		{ "&reverse=false", true }, { "&keys_only=0", true },
		{ "&prefix=b", false }, { "&prefix=", false }, { "&start=a", false }, { "&start=a&end=c", false }, { "&end=b", false },
		{ "&reverse=true", false }, { "&keys_only=true", false }, { "x", false }, { "&count_only=true", false },
	};

	fill(a, "a", 6);
	assert_int_equal(get(a, "/v1/kv?prefix=a&limit=2"), 200);
	page(a, keys, sizeof(keys), cursor, sizeof(cursor));
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		snprintf(uri, sizeof(uri), "/v1/kv?cursor=%s%s", cursor, table[i].beside);
		if (get(a, uri) != (table[i].ok ? 200 : 400))
			fail_msg("%s: %d", table[i].beside, a->r.response.status);
	}
	assert_int_equal(get(a, "/v1/kv?prefix=a&limit=2&keys_only=1&reverse=1"), 200);
	page(a, keys, sizeof(keys), cursor, sizeof(cursor));
	snprintf(uri, sizeof(uri), "/v1/kv?cursor=%s", cursor);
	expect_keys(a, uri, "a003 a002 a001 a000");
	assert_false(ask_says(a, "value"));
}

static void test_range__a_page_ends_at_its_size(void **state)
{
	struct asker *a = *state;
	char keys[512], cursor[512], big[40000], uri[1024];

	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = 0;
	put(a, "a", big), put(a, "b", big), put(a, "c", big);
	expect_keys(a, "/v1/kv", "a b");                              /* of 100,000 bytes */
	page(a, keys, sizeof(keys), cursor, sizeof(cursor));
	snprintf(uri, sizeof(uri), "/v1/kv?cursor=%s", cursor);
	expect_keys(a, uri, "c");
	a->server.limits.max_page_size = 100;
	expect_keys(a, "/v1/kv", "a");                                /* one is always given */
	expect_keys(a, "/v1/kv?keys_only=true&start=b", "b c");
	a->server.limits.max_page_size = 100000;
}

static void test_range__limits(void **state)
{
	struct asker *a = *state;

	fill(a, "a", 120);
	a->server.limits.max_page_entries = 110;
	assert_int_equal(get(a, "/v1/kv?limit=110"), 200);
	expect_problem(a, get(a, "/v1/kv?limit=111"), 400, "bad-query", "\"limit\":110");
	expect_keys(a, "/v1/kv?limit=1", "a000");
	assert_int_equal(get(a, "/v1/kv"), 200);
	assert_true(ask_says(a, "a099") && !ask_says(a, "a100"));     /* 100 where nobody says how many */
	a->server.limits.max_page_entries = 7;
	assert_int_equal(get(a, "/v1/kv"), 200);
	assert_true(ask_says(a, "a006") && !ask_says(a, "a007"));
	a->server.limits.max_page_entries = 10000;
}

static void test_range__counts(void **state)
{
	struct asker *a = *state;
	char text[64];

	fill(a, "a", 9000);                                           /* more than one turn */
	fill(a, "b", 10);
	assert_int_equal(erase(a, "/v1/kv?key=a000"), 204);
	assert_int_equal(get(a, "/v1/kv?count_only=true"), 200);
	assert_true(ask_says(a, "{\"count\":9009,\"version\":"));
	assert_int_equal(get(a, "/v1/kv?count_only=1&prefix=b"), 200);
	assert_true(ask_says(a, "{\"count\":10,"));
	assert_int_equal(get(a, "/v1/kv?count_only=1&prefix=c"), 200);
	snprintf(text, sizeof(text), "{\"count\":0,\"version\":9011}");
	assert_true(span_eq(ask_body(a), text));
}

static void test_range__malformed(void **state)
{
	static const char *const table[] = {
		"limit=0", "limit=10001", "limit=-1", "limit=x", "limit=", "limit=01", "limit=1.5", "reverse=yes", "reverse=", "reverse=TRUE",
		"keys_only=2", "count_only=on", "prefix=a&start=b", "prefix=a&end=b", "prefix=&end=b", "start=b&end=a", "start=%zz", "end=%4",
		"prefix=%", "key=a&prefix=a", "key=a&limit=1", "key=a&reverse=1", "key=", "all=true", "ttl=5", "x=1", "limit=1&limit=1",
		"cursor=", "cursor=x", "cursor=AQCq0EPVAAFhAAFjAAFj", "cursor=AQCq0EPVAAFhAAFjAAFi%3D", "count_only=1&limit=5",
		"count_only=1&reverse=1", "count_only=1&keys_only=1",
	};
	struct asker *a = *state;
	char uri[256];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		snprintf(uri, sizeof(uri), "/v1/kv?%s", table[i]);
		if (get(a, uri) != 400)
			fail_msg("%s: %d", table[i], a->r.response.status);
		assert_int_equal(a->blocked, 0);                      /* no worker for what is wrong */
	}
	assert_int_equal(get(a, "/v1/kv?cursor=AQCq0EPVAAFhAAFjAAFi"), 200);
	expect_problem(a, ask(a, .method = "GET", .uri = "/v1/kv?prefix=a", .if_none_match = "\"1\""), 400, "bad-condition", NULL);
	expect_problem(a, ask(a, .method = "DELETE", .uri = "/v1/kv?prefix=a", .if_match = "*"), 400, "bad-condition", NULL);
	expect_problem(a, ask(a, .method = "GET", .uri = "/v1/kv/a?limit=1", .route = "/v1/kv/"), 400, "bad-query", NULL);
}

static void test_range__a_bound_is_a_key(void **state)
{
	struct asker *a = *state;
	char uri[8300] = "/v1/kv?prefix=";
	size_t n = strlen(uri);

	memset(uri + n, 'k', 4096);
	assert_int_equal(get(a, uri), 200);
	strcat(uri, "k");
	expect_problem(a, get(a, uri), 400, "bad-query", "\"limit\":4096");
	memcpy(uri + 7, "start==", 7);
	uri[12] = '=', uri[13] = 'k';
	expect_problem(a, get(a, uri), 400, "bad-query", "\"limit\":4096");
}

/* ---- who may ask ------------------------------------------------------------------------------------------------------- */

static void test_range__held_to_a_prefix(void **state)
{
	static const struct { const char *held, *range; bool ok; } table[] = {
		{ "a%2F", "prefix=a%2F", true }, { "a/", "prefix=a/b", true }, { "a/", "start=a/&end=a0", true },
		{ "a/", "start=a/1&end=a/9", true }, { "a/", "start=a/x&end=a0", true },
		{ "a/", "", false }, { "a/", "prefix=", false }, { "a/", "prefix=a", false }, { "a/", "prefix=b/", false },
		{ "a/", "start=a/", false }, { "a/", "end=a0", false }, { "a/", "start=a/&end=a1", false },
		{ "a/", "start=a/&end=a0%00", false }, { "a/", "start=a&end=a/9", false }, { "a/", "start=a/&end=b", false },
		{ "a%FF", "prefix=a%FF", true }, { "a%FF", "start=a%FF1&end=b", true }, { "a%FF", "start=a%FF&end=b0", false },
		{ "%FF", "prefix=%FF", true }, { "%FF", "start=%FFx", true }, { "%FF", "start=a", false }, { "%FF", "", false },
		{ "", "", true },
	};
	struct asker *a = *state;
	char uri[256];

	for (size_t i = 0; i < 2 * sizeof(table) / sizeof(table[0]); i++) {
		const char *method = i & 1 ? "DELETE" : "GET";

		snprintf(uri, sizeof(uri), "/v1/kv?%s", table[i / 2].range);
		(void)ask(a, .method = method, .uri = uri, .route = "/v1/kv", .prefix = table[i / 2].held);
		if (!table[i / 2].ok)
			expect_problem(a, a->r.response.status, 403, "outside-prefix", NULL);
		else if (table[i / 2].held[0] != 0)
			assert_int_equal(a->r.response.status, 200);
	}
	expect_problem(a, ask(a, .method = "GET", .uri = "/v1/kv?prefix=a", .prefix = "%zz"), 500, "misconfigured", NULL);
	/* a cursor that somebody else was given, or made by hand, opens nothing */
	expect_problem(a, ask(a, .method = "GET", .uri = "/v1/kv?cursor=AQCq0EPVAAFhAAFjAAFi", .prefix = "b"), 403, "outside-prefix",
	               NULL);
	expect_problem(a, ask_as(a, ROLE_READ, (struct ask){ .method = "DELETE", .uri = "/v1/kv?prefix=a" }), 403, "forbidden", NULL);
	assert_int_equal(ask_as(a, ROLE_READ, (struct ask){ .method = "GET", .uri = "/v1/kv?prefix=a" }), 200);
}

/* ---- lines ------------------------------------------------------------------------------------------------------------- */

/* Makes the rest of a stream as the server would; all of it in `all`. */
static void lines_rest(struct asker *a, struct bytes *all)
{
	struct request *r = &a->r;
	enum stream_step step = STREAM_MORE;

	bytes_add(all, r->response.body.p, r->response.body.len);
	while (r->stream != NULL && step == STREAM_MORE) {
		bytes_clear(&r->response.body);
		step = r->stream(r);
		assert_true(r->response.body.len <= 300000);          /* a part, not the whole */
		assert_int_equal(r->response.status, 200);
		bytes_add(all, r->response.body.p, r->response.body.len);
	}
	r->stream = NULL;
	assert_false(all->bad);
}

static size_t lines_count(const struct bytes *all)
{
	size_t n = 0;

	for (size_t i = 0; i < all->len; i++)
		n += all->p[i] == '\n';
	return n;
}

static bool lines_end_with(const struct bytes *all, const char *text)
{
	size_t n = strlen(text);

	return all->len >= n && memcmp(all->p + all->len - n, text, n) == 0;
}

static int ask_lines(struct asker *a, const char *uri)
{
	return ask(a, .method = "GET", .uri = uri, .route = "/v1/kv", .accept = LINES);
}

static void test_range__lines(void **state)
{
	struct asker *a = *state;
	struct bytes all = {0};
	char end[128];

	fill(a, "a", 10000);
	assert_int_equal(ask_lines(a, "/v1/kv"), 200);
	assert_string_equal(ask_header(a, "Content-Type"), LINES);
	assert_string_equal(ask_header(a, "Vary"), "Accept");
	assert_true(a->r.response.streamed && a->r.stream != NULL);
	assert_int_equal(a->server.streams, 1);
	lines_rest(a, &all);
	assert_int_equal(lines_count(&all), 10001);
	assert_true(lines_end_with(&all, "\n{\"end\":true,\"count\":10000,\"version\":10000}\n"));
	bytes_clear(&all);
	assert_int_equal(ask_lines(a, "/v1/kv?start=a5&limit=3&reverse=1&keys_only=1"), 200);
	assert_int_equal(a->server.streams, 1);                       /* the one before is gone */
	lines_rest(a, &all);
	bytes_add(&all, "", 1);
	assert_memory_equal(all.p, "{\"key\":\"a9999\",\"version\":10000}\n{\"key\":\"a9998\",\"version\":9999}\n"
	                           "{\"key\":\"a9997\",\"version\":9998}\n{\"end\":true,\"count\":3,\"version\":10000,\"cursor\":\"", 142);
	bytes_clear(&all);
	assert_int_equal(ask_lines(a, "/v1/kv?prefix=zz"), 200);
	lines_rest(a, &all);
	snprintf(end, sizeof(end), "{\"end\":true,\"count\":0,\"version\":10000}\n");
	assert_true(all.len == strlen(end) && lines_end_with(&all, end));
	bytes_clear(&all);
	assert_int_equal(ask_lines(a, "/v1/kv?count_only=1"), 200);
	lines_rest(a, &all);
	assert_true(lines_count(&all) == 1 && lines_end_with(&all, "{\"end\":true,\"count\":10000,\"version\":10000}\n"));
	assert_int_equal(ask(a, .method = "HEAD", .uri = "/v1/kv", .accept = LINES), 200);
	assert_true(a->r.stream == NULL && a->r.response.streamed && ask_body(a).len == 0);
	expect_problem(a, ask_lines(a, "/v1/kv?limit=0"), 400, "bad-query", NULL);
	bytes_fini(&all);
}

static void test_range__lines_are_for_those_who_ask(void **state)
{
	static const struct { const char *accept; bool lines; } table[] = {
		{ LINES, true }, { "APPLICATION/X-NDJSON", true }, { "application/json, " LINES, true }, { LINES ";q=0.5, text/html", true },
		{ LINES "; q=0.9, application/json;q=0.9", true }, { "a/b;q=0," LINES ";v=1;q=0.001", true },
		{ LINES ";q=0", false }, { LINES ";q=0.5, application/json", false }, { LINES ";q=0.000", false }, { LINES ";q=2", false },
		{ "*/*", false }, { "application/*", false }, { "application/x-ndjsonx", false }, { "", false }, { NULL, false },
		{ ",,;q=1,", false }, { LINES ";q=x", false }, { LINES ";q=", true },
	};
	struct asker *a = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_int_equal(ask(a, .method = "GET", .uri = "/v1/kv", .accept = table[i].accept), 200);
		if (a->r.response.streamed != table[i].lines)
			fail_msg("Accept: %s", table[i].accept);
	}
}

static void test_range__lines_end_when_the_server_does(void **state)
{
	struct asker *a = *state;
	struct bytes all = {0};

	fill(a, "a", 9000);
	assert_int_equal(ask_lines(a, "/v1/kv"), 200);
	a->server.stopping = true;
	lines_rest(a, &all);
	assert_true(lines_end_with(&all, "}}\n"));
	assert_non_null(memmem(all.p, all.len, "\n{\"error\":{\"type\":\"urn:siltstone:problem:shutting-down\",", 56));
	assert_true(lines_count(&all) < 9000);
	a->server.stopping = false;
	bytes_fini(&all);
}

/* Another goes on with the connections: what was asked for is done, but for what may take for ever. */
static void test_range__a_handover_refuses_no_page_and_no_delete(void **state)
{
	struct asker *a = *state;

	fill(a, "a", 9000);                                           /* more than one turn */
	fill(a, "b", 10);
	a->server.limits.max_page_size = 1u << 20;
	a->server.stopping = a->server.handing_over = true;
	assert_int_equal(get(a, "/v1/kv?limit=10000&keys_only=1"), 200);
	assert_true(a->blocked > 1 && ask_says(a, "\"b009\""));
	assert_int_equal(get(a, "/v1/kv?count_only=1&prefix=b"), 200);
	assert_true(ask_says(a, "{\"count\":10,"));
	expect_problem(a, get(a, "/v1/kv?count_only=1"), 503, "shutting-down", NULL);
	assert_int_equal(ask_lines(a, "/v1/kv?prefix=b"), 200);
	assert_true(ask_says(a, "{\"end\":true,\"count\":10,"));
	assert_int_equal(erase(a, "/v1/kv?prefix=a"), 200);
	assert_true(ask_says(a, "{\"deleted\":9000,"));
	a->server.handing_over = false;
	expect_problem(a, get(a, "/v1/kv"), 503, "shutting-down", NULL);
	expect_problem(a, erase(a, "/v1/kv?prefix=b"), 503, "shutting-down", NULL);
	a->server.stopping = false;
	assert_int_equal(get(a, "/v1/kv?count_only=1"), 200);
	assert_true(ask_says(a, "{\"count\":10,"));
}

static void test_range__only_so_many_at_once(void **state)
{
	struct asker *a = *state;

	a->server.streams = 1;
	assert_int_equal(ask_lines(a, "/v1/kv"), 200);
	request_reset(&a->r);
	assert_int_equal(a->server.streams, 1);
	a->server.streams = 2;
	expect_problem(a, ask_lines(a, "/v1/kv"), 503, "too-many-streams", "\"limit\":2");
	assert_string_equal(ask_header(a, "Retry-After"), "1");
	assert_int_equal(get(a, "/v1/kv"), 200);
	request_reset(&a->r);
	assert_int_equal(a->server.streams, 2);
	a->server.streams = 0;
}

/* A thousand pages of 8 MiB may be made at once, a turn each: what they hold counts before they are answers. */
static void test_range__a_page_in_the_making_counts(void **state)
{
	struct asker *a = *state;
	uint64_t page_size = a->server.limits.max_page_size, most = a->server.limits.max_answer_bytes;

	fill(a, "a", 9000);
	a->server.limits.max_page_size = 8u << 20;
	assert_int_equal(get(a, "/v1/kv?limit=10000"), 200);
	assert_int_equal(a->server.answer_bytes, 0);
	a->server.limits.max_answer_bytes = 150000;
	expect_problem(a, get(a, "/v1/kv?limit=10000"), 503, "out-of-memory", NULL);
	request_reset(&a->r);
	assert_int_equal(a->server.answer_bytes, 0);
	a->server.answer_bytes = 100000;              /* others' */
	expect_problem(a, get(a, "/v1/kv?limit=5000"), 503, "out-of-memory", NULL);
	request_reset(&a->r);
	assert_int_equal(a->server.answer_bytes, 100000);
	assert_int_equal(get(a, "/v1/kv?limit=100"), 200);
	a->server.answer_bytes = 0;
	a->server.limits.max_page_size = page_size;
	a->server.limits.max_answer_bytes = most;
}

/* ---- deletes ----------------------------------------------------------------------------------------------------------- */

static void test_range__delete(void **state)
{
	struct asker *a = *state;

	fill(a, "a", 30), fill(a, "b", 20), put(a, "c", "1");
	assert_int_equal(erase(a, "/v1/kv?prefix=a"), 200);
	assert_true(span_eq(ask_body(a), "{\"deleted\":30,\"more\":false,\"version\":52}"));
	assert_string_equal(ask_header(a, "Silt-Version"), "52");
	expect_keys(a, "/v1/kv?end=b001", "b000");
	assert_int_equal(erase(a, "/v1/kv?start=b005&end=b007&durability=async"), 200);
	assert_true(span_eq(ask_body(a), "{\"deleted\":2,\"more\":false,\"version\":53}"));
	assert_int_equal(erase(a, "/v1/kv?start=b005&end=b007"), 200);
	assert_true(ask_says(a, "{\"deleted\":0,\"more\":false,\"version\":54}"));
	assert_int_equal(erase(a, "/v1/kv?start=b&end=b"), 200);
	assert_true(ask_says(a, "{\"deleted\":0,\"more\":false,\"version\":54}"));       /* nothing was written */
	assert_int_equal(erase(a, "/v1/kv?end=b003"), 200);
	assert_true(ask_says(a, "{\"deleted\":3,"));
	assert_int_equal(erase(a, "/v1/kv?prefix=&all=1"), 200);
	assert_true(ask_says(a, "{\"deleted\":16,"));
	assert_int_equal(get(a, "/v1/kv"), 200);
	assert_true(ask_says(a, "\"items\":[]"));
}

static void test_range__delete_wants_to_be_meant(void **state)
{
	static const char *const table[] = {
		"", "?prefix=", "?start=", "?start=&end=", "?all=false", "?all=0&prefix=", "?all=yes", "?all=true&prefix=a",
		"?all=1&end=b", "?prefix=a&limit=5", "?prefix=a&reverse=1", "?key=a&prefix=a", "?key=a&all=true", "?prefix=a&start=b",
		"?start=b&end=a", "?durability=never&prefix=a", "?cursor=AQCq0EPVAAFhAAFjAAFi", "?count_only=1&prefix=a",
	};
	struct asker *a = *state;
	char uri[128];

	put(a, "a", "1");
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		snprintf(uri, sizeof(uri), "/v1/kv%s", table[i]);
		if (erase(a, uri) != 400)
			fail_msg("%s: %d", uri, a->r.response.status);
	}
	expect_keys(a, "/v1/kv", "a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_range__bounds),
		TEST(test_range__what_an_entry_looks_like),
		TEST(test_range__pages_join),
		TEST(test_range__a_cursor_holds_its_range),
		TEST(test_range__a_page_ends_at_its_size),
		TEST(test_range__limits),
		TEST(test_range__counts),
		TEST(test_range__malformed),
		TEST(test_range__a_bound_is_a_key),
		TEST(test_range__held_to_a_prefix),
		TEST(test_range__lines),
		TEST(test_range__lines_are_for_those_who_ask),
		TEST(test_range__lines_end_when_the_server_does),
		TEST(test_range__a_handover_refuses_no_page_and_no_delete),
		TEST(test_range__only_so_many_at_once),
		TEST(test_range__a_page_in_the_making_counts),
		TEST(test_range__delete),
		TEST(test_range__delete_wants_to_be_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
