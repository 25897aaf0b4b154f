/* SPDX-License-Identifier: Apache-2.0 */
/* test_handle_batch.c - batches over the real engine: order, conditions, what is refused, who may, and one of many at once. */
#include "lib/ask.h"

#include <semaphore.h>

#define ROUTE "/v1/batch"

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

static int batch(struct asker *a, const char *body)
{
	return ask(a, .method = "POST", .uri = ROUTE, .body = body, .type = "application/json");
}

static void answers(struct asker *a, const char *body, const char *wanted, int line)
{
	int got = batch(a, body);

	if (got != 200 || !span_eq(ask_body(a), wanted))
		fail_msg("line %d: %d %.*s is not %s", line, got, (int)ask_body(a).len, ask_body(a).p, wanted);
}
#define expect_batch(a, body, wanted) answers((a), (body), (wanted), __LINE__)

static void test_batch__each_op_finds_what_those_before_it_left(void **state)
{
	struct asker *a = *state;

	expect_batch(a, "{\"ops\":[{\"put\":{\"key\":\"a\",\"value\":\"1\"}},{\"put\":{\"key\":\"b\",\"value\":\"2\"}}]}",
	             "{\"results\":[{},{}],\"version\":1}");
	assert_string_equal(ask_header(a, "Silt-Version"), "1");
	assert_string_equal(ask_header(a, "Content-Type"), "application/json");
	expect_batch(a, "{\"ops\":[{\"get\":{\"key\":\"a\"}},{\"get\":{\"key\":\"c\"}},{\"get\":{\"key\":\"a\"}}]}",
	             "{\"results\":[{\"key\":\"a\",\"value\":\"1\",\"version\":1},null,{\"key\":\"a\",\"value\":\"1\",\"version\":1}],\"version\":1}");
	assert_string_equal(ask_header(a, "Silt-Version"), "");
	expect_batch(a,
	             "{\"ops\":[{\"get\":{\"key\":\"a\"}},{\"put\":{\"key\":\"a\",\"value\":\"x\"}},{\"get\":{\"key\":\"a\"}},"
	             "{\"delete\":{\"key\":\"a\"}},{\"get\":{\"key\":\"a\"}},{\"delete\":{\"key\":\"a\"}},{\"put\":{\"key\":\"a\",\"value\":\"y\"}}]}",
	             "{\"results\":[{\"key\":\"a\",\"value\":\"1\",\"version\":1},{},{\"key\":\"a\",\"value\":\"x\",\"version\":2},"
	             "{\"key\":\"a\",\"value\":\"x\",\"version\":2},null,null,{}],\"version\":2}");
	expect_batch(a, "{\"ops\":[{\"delete\":{\"key\":\"b\"}},{\"delete\":{\"key\":\"nope\"}},{\"get\":{\"key\":\"b\"}},{\"delete\":{\"key\":\"a\"}}]}",
	             "{\"results\":[{\"key\":\"b\",\"value\":\"2\",\"version\":1},null,null,{\"key\":\"a\",\"value\":\"y\",\"version\":2}],\"version\":3}");
	expect_batch(a, "{\"ops\":[{\"get\":{\"key\":\"a\"}},{\"get\":{\"key\":\"b\"}}]}", "{\"results\":[null,null],\"version\":3}");
}

static void test_batch__bytes_types_and_ends(void **state)
{
	struct asker *a = *state;

	expect_batch(a,
	             "{\"ops\":[{\"put\":{\"key\":\"/w==\",\"key_encoding\":\"base64\",\"value\":\"AAH\\/\",\"encoding\":\"base64\"}},"
	             "{\"put\":{\"key\":\"j\",\"value\":{\"a\": [1,\"\\u0041\"]},\"content_type\":\"application/json\",\"ttl\":1000}},"
	             "{\"put\":{\"key\":\"caf\\u00e9\\/\",\"value\":\"\\u0041\\n\"}},{\"put\":{\"key\":\"n\",\"value\":99999999999999999999999}},"
	             "{\"put\":{\"key\":\"e\",\"value\":\"\",\"content_type\":\"\"}}]}",
	             "{\"results\":[{},{},{},{},{}],\"version\":1}");
	assert_int_equal(ask(a, .method = "GET", .uri = "/v1/kv?key=%FF"), 200);
	assert_memory_equal(ask_body(a).p, "\0\1\xff", 3);
	assert_int_equal(ask(a, .method = "GET", .uri = "/v1/kv?key=j"), 200);
	assert_true(span_eq(ask_body(a), "{\"a\": [1,\"\\u0041\"]}"));
	assert_string_equal(ask_header(a, "Content-Type"), "application/json");
	assert_true(ask_header(a, "Silt-Expires-At")[0] != 0);
	assert_int_equal(ask(a, .method = "GET", .uri = "/v1/kv?key=caf%C3%A9/"), 200);
	assert_true(span_eq(ask_body(a), "A\n"));
	assert_int_equal(ask(a, .method = "GET", .uri = "/v1/kv?key=e"), 200);
	assert_string_equal(ask_header(a, "Content-Type"), "application/octet-stream");
	expect_batch(a, "{\"ops\":[{\"get\":{\"key\":\"/w==\",\"key_encoding\":\"base64\"}},{\"get\":{\"key\":\"e\"}},{\"get\":{\"key\":\"n\"}}]}",
	             "{\"results\":[{\"key\":\"/w==\",\"key_encoding\":\"base64\",\"value\":\"AAH/\",\"encoding\":\"base64\",\"version\":1},"
	             "{\"key\":\"e\",\"value\":\"\",\"version\":1},{\"key\":\"n\",\"value\":\"99999999999999999999999\",\"version\":1}],\"version\":1}");
}

static void test_batch__conditions(void **state)
{
	struct asker *a = *state;

	assert_int_equal(batch(a, "{\"if\":[{\"key\":\"a\",\"version\":0}],\"ops\":[{\"put\":{\"key\":\"a\",\"value\":\"1\"}}]}"), 200);
	expect_problem(a, batch(a, "{\"if\":[{\"key\":\"b\",\"version\":0},{\"key\":\"a\",\"version\":0}],\"ops\":[{\"put\":{\"key\":\"b\",\"value\":\"1\"}}]}"),
	               412, "condition-failed", "\"key\":\"a\",\"index\":1,\"version\":1");
	expect_problem(a, batch(a, "{\"if\":[{\"key\":\"b\",\"version\":7}],\"ops\":[{\"put\":{\"key\":\"b\",\"value\":\"1\"}}]}"), 412,
	               "condition-failed", "\"key\":\"b\",\"index\":0,\"version\":0");
	expect_problem(a, batch(a, "{\"if\":[{\"key\":\"a\",\"version\":2}],\"ops\":[{\"get\":{\"key\":\"b\"}}]}"), 412, "condition-failed",
	               "\"key\":\"a\",\"index\":0,\"version\":1");
	expect_batch(a, "{\"if\":[{\"key\":\"a\",\"version\":1},{\"key\":\"b\",\"version\":0}],\"ops\":[{\"get\":{\"key\":\"b\"}}]}",
	             "{\"results\":[null],\"version\":1}");             /* and nothing of what was refused is there */
	expect_batch(a, "{\"ops\":[{\"put\":{\"key\":\"b\",\"value\":\"x\"}},{\"get\":{\"key\":\"a\"}}],\"if\":[{\"key\":\"YQ==\",\"key_encoding\":\"base64\",\"version\":1}]}",
	             "{\"results\":[{},{\"key\":\"a\",\"value\":\"1\",\"version\":1}],\"version\":2}");
	expect_batch(a, "{\"if\":[],\"ops\":[{\"delete\":{\"key\":\"zz\"}}]}", "{\"results\":[null],\"version\":3}");
}

static void test_batch__malformed(void **state)
{
	static const struct { const char *body; int status; const char *slug, *piece; } table[] = {
		{ "", 400, "bad-json", "\"offset\":0" }, { "[]", 400, "bad-json", "\"offset\":0" }, { "{}", 400, "bad-json", "ops" },
		{ "{\"ops\":[]}", 400, "bad-json", "\"offset\":7" }, { "{\"ops\":{}}", 400, "bad-json", "\"offset\":7" },
		{ "{\"ops\":[1]}", 400, "bad-json", "\"offset\":8" }, { "{\"ops\":[{}]}", 400, "bad-json", "\"offset\":8" },
		{ "{\"ops\":[{\"get\":{\"key\":\"a\"},\"put\":{\"key\":\"a\",\"value\":\"\"}}]}", 400, "bad-json", "\"offset\":8" },
		{ "{\"ops\":[{\"incr\":{\"key\":\"a\"}}]}", 400, "bad-json", "\"offset\":9" },
		{ "{\"ops\":[{\"get\":\"a\"}]}", 400, "bad-json", "\"offset\":15" }, { "{\"ops\":[{\"get\":{}}]}", 400, "bad-json", "no key" },
		{ "{\"ops\":[{\"get\":{\"key\":7}}]}", 400, "bad-json", "string" }, { "{\"ops\":[{\"get\":{\"key\":\"\"}}]}", 400, "bad-key", "4096" },
		{ "{\"ops\":[{\"get\":{\"key\":\"a\",\"value\":\"x\"}}]}", 400, "bad-json", "\"offset\":26" },
		{ "{\"ops\":[{\"put\":{\"key\":\"a\"}}]}", 400, "bad-json", "value" },
		{ "{\"ops\":[{\"put\":{\"key\":\"a\",\"value\":\"x\",\"ttl\":0}}]}", 400, "bad-json", "ttl" },
		{ "{\"ops\":[{\"put\":{\"key\":\"a\",\"value\":\"x\",\"ttl\":\"5\"}}]}", 400, "bad-json", "ttl" },
		{ "{\"ops\":[{\"put\":{\"key\":\"a\",\"value\":\"x\",\"tll\":5}}]}", 400, "bad-json", "not known" },
		{ "{\"ops\":[{\"put\":{\"key\":\"a\",\"value\":\"x\",\"content_type\":5}}]}", 400, "bad-json", "content_type" },
		{ "{\"ops\":[{\"put\":{\"key\":\"a\",\"value\":\"x\",\"content_type\":\"a\\nb\"}}]}", 400, "bad-json", "content_type" },
		{ "{\"ops\":[{\"put\":{\"key\":\"a\",\"value\":\"x\",\"content_type\":\"a\\u0000b\"}}]}", 400, "bad-json", "content_type" },
		{ "{\"ops\":[{\"put\":{\"key\":\"a\",\"value\":\"%%\",\"encoding\":\"base64\"}}]}", 400, "bad-json", "base64" },
		{ "{\"ops\":[{\"put\":{\"key\":\"a\",\"value\":\"YQ==\",\"encoding\":\"BASE64\"}}]}", 400, "bad-json", "encoding" },
		{ "{\"ops\":[{\"put\":{\"key\":\"a\",\"value\":5,\"encoding\":\"base64\"}}]}", 400, "bad-json", "string" },
		{ "{\"ops\":[{\"get\":{\"key\":\"YQ\",\"key_encoding\":\"base64\"}}]}", 400, "bad-json", "base64" },
		{ "{\"ops\":[{\"get\":{\"key\":\"a\"}}],\"if\":{}}", 400, "bad-json", "arrays" },
		{ "{\"ops\":[{\"get\":{\"key\":\"a\"}}],\"if\":[{\"key\":\"a\"}]}", 400, "bad-json", "version" },
		{ "{\"ops\":[{\"get\":{\"key\":\"a\"}}],\"if\":[{\"key\":\"a\",\"version\":-1}]}", 400, "bad-json", "2^53" },
		{ "{\"ops\":[{\"get\":{\"key\":\"a\"}}],\"if\":[{\"key\":\"a\",\"version\":1.0}]}", 400, "bad-json", "2^53" },
		{ "{\"ops\":[{\"get\":{\"key\":\"a\"}}],\"if\":[{\"key\":\"a\",\"version\":9007199254740992}]}", 400, "bad-json", "2^53" },
		{ "{\"ops\":[{\"get\":{\"key\":\"a\"}}],\"if\":[{\"key\":\"a\",\"version\":\"1\"}]}", 400, "bad-json", "2^53" },
		{ "{\"ops\":[{\"get\":{\"key\":\"a\"}}],\"If\":[]}", 400, "bad-json", "none of" },
		{ "{\"ops\":[{\"get\":{\"key\":\"a\"}}],\"ops\":[]}", 400, "bad-json", "offset" },
		{ "{\"ops\":[{\"get\":{\"key\":\"\\ud800\"}}]}", 400, "bad-json", "offset" },
		{ "{\"ops\":[{\"get\":{\"key\":\"a\"}}]} x", 400, "bad-json", "offset" },
	};
	struct asker *a = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		expect_problem(a, batch(a, table[i].body), table[i].status, table[i].slug, table[i].piece);
	expect_problem(a, ask(a, .method = "POST", .uri = ROUTE, .body = "{}", .type = "image/png"), 415, "unsupported-media-type", NULL);
	expect_problem(a, ask(a, .method = "POST", .uri = ROUTE, .body = "{}", .content_encoding = "gzip"), 415, "unsupported-media-type", NULL);
	expect_problem(a, ask(a, .method = "POST", .uri = ROUTE, .body = "{}", .if_match = "*"), 400, "bad-condition", NULL);
	expect_problem(a, ask(a, .method = "POST", .uri = ROUTE "?x=1", .route = ROUTE, .body = "{}"), 400, "bad-query", NULL);
	expect_problem(a, ask(a, .method = "POST", .uri = ROUTE "?durability=x", .route = ROUTE, .body = "{}"), 400, "bad-query", NULL);
	assert_int_equal(ask(a, .method = "GET", .uri = "/v1/kv"), 200);
	assert_true(ask_says(a, "\"items\":[],\"version\":0"));               /* nothing was written */
}

/* n operations, and as many conditions as said. */
static int many(struct asker *a, size_t n, size_t conds)
{
	struct bytes body = {0};
	int got;

	bytes_adds(&body, "{\"if\":[");
	for (size_t i = 0; i < conds; i++)
		bytes_addf(&body, "%s{\"key\":\"none%zu\",\"version\":0}", i > 0 ? "," : "", i);
	bytes_adds(&body, "],\"ops\":[");
	for (size_t i = 0; i < n; i++)
		bytes_addf(&body, "%s{\"put\":{\"key\":\"k%zu\",\"value\":\"v\"}}", i > 0 ? "," : "", i);
	bytes_adds(&body, "]}");
	got = ask(a, .method = "POST", .uri = ROUTE, .body = body.p, .body_len = body.len);
	bytes_fini(&body);
	return got;
}

static void test_batch__limits(void **state)
{
	struct asker *a = *state;
	char *big = malloc(400000);

	assert_non_null(big);
	assert_int_equal(many(a, 20, 20), 200);
	expect_problem(a, many(a, 21, 0), 413, "too-large", "\"limit\":20");
	expect_problem(a, many(a, 1, 21), 413, "too-large", "\"limit\":20");
	for (size_t n = 300000; n <= 300001; n++) {
		int head = sprintf(big, "{\"ops\":[{\"put\":{\"key\":\"big\",\"value\":\"");

		memset(big + head, 'x', n);
		strcpy(big + head + n, "\"}}]}");
		if (n == 300000)
			assert_int_equal(batch(a, big), 200);
		else
			expect_problem(a, batch(a, big), 413, "too-large", "\"limit\":300000");
	}
	/* what is asked for is limited as what is sent: three times 300,000 are there, the limit is 900,000 */
	assert_int_equal(batch(a, "{\"ops\":[{\"get\":{\"key\":\"big\"}},{\"get\":{\"key\":\"big\"}},{\"get\":{\"key\":\"big\"}}]}"), 200);
	expect_problem(a, batch(a, "{\"ops\":[{\"get\":{\"key\":\"big\"}},{\"get\":{\"key\":\"big\"}},{\"get\":{\"key\":\"big\"}},{\"delete\":{\"key\":\"k1\"}}]}"),
	               413, "too-large", "\"limit\":900000");
	assert_int_equal(ask(a, .method = "GET", .uri = "/v1/kv?key=k1"), 200);
	/* also where it is what the batch itself puts: 300,000 got back three times, and a fourth time */
	strcpy(big, "{\"ops\":[{\"put\":{\"key\":\"own\",\"value\":\"");
	memset(big + strlen(big), 'x', 300000 + 1);
	strcpy(strchr(big, 'x') + 300000, "\"}},{\"get\":{\"key\":\"own\"}},{\"get\":{\"key\":\"own\"}},{\"get\":{\"key\":\"own\"}}]}");
	assert_int_equal(batch(a, big), 200);
	strcpy(big + strlen(big) - 2, ",{\"delete\":{\"key\":\"own\"}}]}");
	expect_problem(a, batch(a, big), 413, "too-large", "\"limit\":900000");
	memset(big, 'k', 5000);
	memcpy(big, "{\"ops\":[{\"get\":{\"key\":\"", 23);
	strcpy(big + 23 + 4096, "\"}}]}");
	assert_int_equal(batch(a, big), 200);
	strcpy(big + 23 + 4096, "k\"}}]}");
	expect_problem(a, batch(a, big), 400, "bad-key", "\"limit\":4096");
	free(big);
}

static void test_batch__who_may(void **state)
{
	static const char get[] = "{\"ops\":[{\"get\":{\"key\":\"a/1\"}}]}", put[] = "{\"ops\":[{\"put\":{\"key\":\"a/1\",\"value\":\"\"}}]}",
	                  cond[] = "{\"if\":[{\"key\":\"b\",\"version\":0}],\"ops\":[{\"get\":{\"key\":\"a/1\"}}]}",
	                  mixed[] = "{\"ops\":[{\"put\":{\"key\":\"a/2\",\"value\":\"\"}},{\"delete\":{\"key\":\"b\"}}]}";
	struct asker *a = *state;

	assert_int_equal(ask_as(a, ROLE_READ, (struct ask){ .method = "POST", .uri = ROUTE, .body = get }), 200);
	expect_problem(a, ask_as(a, ROLE_READ, (struct ask){ .method = "POST", .uri = ROUTE, .body = put }), 403, "forbidden", "write");
	assert_int_equal(ask_as(a, ROLE_WRITE, (struct ask){ .method = "POST", .uri = ROUTE, .body = put }), 200);
	expect_problem(a, ask(a, .method = "POST", .uri = ROUTE, .body = put, .site = "cross-site"), 403, "cross-site", NULL);
	assert_int_equal(ask(a, .method = "POST", .uri = ROUTE, .body = put, .prefix = "a%2F"), 200);
	expect_problem(a, ask(a, .method = "POST", .uri = ROUTE, .body = cond, .prefix = "a/"), 403, "outside-prefix", NULL);
	expect_problem(a, ask(a, .method = "POST", .uri = ROUTE, .body = mixed, .prefix = "a/"), 403, "outside-prefix", NULL);
	assert_int_equal(ask(a, .method = "GET", .uri = "/v1/kv?key=a/2"), 404);
	expect_problem(a, ask(a, .method = "GET", .uri = ROUTE), 405, "method-not-allowed", NULL);
}

/* ---- many at once ------------------------------------------------------------------------------------------------------- */

#define CLIENTS 6
#define ROUNDS  60

struct client {
	struct asker a;
	pthread_t thread;
	unsigned refused;
};

/* Moves one from a to b, where both are read and written in one batch under a condition on what was read; else tries again. */
static void move_one(struct client *c)
{
	char body[256], *end;
	unsigned long left, right, va;

	for (;;) {
		struct span answer;

		assert_int_equal(batch(&c->a, "{\"ops\":[{\"get\":{\"key\":\"left\"}},{\"get\":{\"key\":\"right\"}}]}"), 200);
		answer = ask_body(&c->a);
		end = memmem(answer.p, answer.len, "\"value\":\"", 9);
		left = strtoul(end + 9, &end, 10);
		va = strtoul(end + 12, &end, 10);
		end = memmem(end, (size_t)(answer.p + answer.len - end), "\"value\":\"", 9);
		right = strtoul(end + 9, &end, 10);
		assert_int_equal(left + right, 1000);                 /* one snapshot */
		/* right is read in the batch itself, too: that alone must make it wait for nobody and lose nothing */
		snprintf(body, sizeof(body),
		         "{\"if\":[{\"key\":\"left\",\"version\":%lu}],\"ops\":[{\"get\":{\"key\":\"right\"}},{\"put\":{\"key\":\"left\",\"value\":\"%lu\"}},"
		         "{\"put\":{\"key\":\"right\",\"value\":\"%lu\"}}]}",
		         va, left - 1, right + 1);
		if (batch(&c->a, body) == 200)
			break;
		assert_int_equal(c->a.r.response.status, 412);
		c->refused++;
	}
	snprintf(body, sizeof(body), "{\"results\":[{\"key\":\"right\",\"value\":\"%lu\"", right);
	assert_memory_equal(ask_body(&c->a).p, body, strlen(body));
}

static void *client_main(void *arg)
{
	for (unsigned i = 0; i < ROUNDS; i++)
		move_one(arg);
	return NULL;
}

static void test_batch__many_at_once_lose_nothing(void **state)
{
	static struct client clients[CLIENTS];
	struct asker *a = *state;

	expect_batch(a, "{\"ops\":[{\"put\":{\"key\":\"left\",\"value\":\"1000\"}},{\"put\":{\"key\":\"right\",\"value\":\"0\"}}]}",
	             "{\"results\":[{},{}],\"version\":1}");
	for (size_t i = 0; i < CLIENTS; i++) {
		struct client *c = &clients[i];

		memset(c, 0, sizeof(*c));
		c->a.server = a->server;
		c->a.server.limits.max_parked = 100;
		c->a.r.complete = ask_complete;
		c->a.r.retry = ask_retry;
		pthread_mutex_init(&c->a.mu, NULL);
		pthread_cond_init(&c->a.changed, NULL);
		assert_int_equal(pthread_create(&c->thread, NULL, client_main, c), 0);
	}
	for (size_t i = 0; i < CLIENTS; i++) {
		pthread_join(clients[i].thread, NULL);
		request_fini(&clients[i].a.r);
	}
	assert_int_equal(ask(a, .method = "GET", .uri = "/v1/kv?key=right"), 200);
	assert_true(span_eq(ask_body(a), "360"));
}

static void test_batch__a_handover_refuses_none(void **state)
{
	struct asker *a = *state;

	a->server.stopping = a->server.handing_over = true;
	expect_batch(a, "{\"ops\":[{\"get\":{\"key\":\"a\"}},{\"put\":{\"key\":\"a\",\"value\":\"1\"}}]}", "{\"results\":[null,{}],\"version\":1}");
	a->server.handing_over = false;
	expect_problem(a, batch(a, "{\"ops\":[{\"get\":{\"key\":\"a\"}}]}"), 503, "shutting-down", NULL);
	a->server.stopping = false;
}

/* ---- others that are always faster: the key is written between what a batch reads and its write, so many times --------------------- */

static const struct store_ops *contend_with;
static unsigned contend_left, contend_reads;
static sem_t contend_written;

static void contend_done(void *ctx, const struct store_outcome *o)
{
	(void)ctx;
	assert_int_equal(o->code, STORE_OK);
	sem_post(&contend_written);
}

static int contend_get_many(struct store *s, const struct span *keys, size_t n, store_got_fn *fn, void *ctx, uint64_t *version)
{
	struct store_write w = { .op = STORE_PUT, .key = span_str("k"), .value = span_str("theirs") };
	int code = contend_with->get_many(s, keys, n, fn, ctx, version);

	contend_reads++;
	if (contend_left == 0)
		return code;
	contend_left--;
	assert_int_equal(contend_with->write(s, &w, STORE_ASYNC, contend_done, NULL), STORE_OK);
	while (sem_wait(&contend_written) < 0)
		;
	return code;
}

static void test_batch__who_always_comes_too_late_is_told_so(void **state)
{
	static const char body[] = "{\"ops\":[{\"get\":{\"key\":\"k\"}},{\"put\":{\"key\":\"mine\",\"value\":\"1\"}}]}";
	struct asker *a = *state;
	struct store *s = a->server.store;
	struct store_ops mine = *s->ops;

	assert_int_equal(sem_init(&contend_written, 0, 0), 0);
	contend_with = s->ops;
	mine.get_many = contend_get_many;
	s->ops = &mine;
	contend_left = 1000;
	contend_reads = 0;
	expect_problem(a, batch(a, body), 503, "contended", NULL);
	assert_string_equal(ask_header(a, "Retry-After"), "1");
	assert_int_equal(contend_reads, 100);
	assert_int_equal(ask(a, .method = "GET", .uri = "/v1/kv?key=mine"), 404);
	contend_left = 99;                            /* one try fewer is enough */
	assert_int_equal(batch(a, body), 200);
	assert_true(ask_says(a, "{\"results\":[{\"key\":\"k\",\"value\":\"theirs\",\"version\":"));
	s->ops = contend_with;
	assert_int_equal(ask(a, .method = "GET", .uri = "/v1/kv?key=mine"), 200);
	sem_destroy(&contend_written);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_batch__each_op_finds_what_those_before_it_left),
		TEST(test_batch__bytes_types_and_ends),
		TEST(test_batch__conditions),
		TEST(test_batch__malformed),
		TEST(test_batch__limits),
		TEST(test_batch__who_may),
		TEST(test_batch__many_at_once_lose_nothing),
		TEST(test_batch__a_handover_refuses_none),
		TEST(test_batch__who_always_comes_too_late_is_told_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
