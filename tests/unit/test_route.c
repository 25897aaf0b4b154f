/* SPDX-License-Identifier: Apache-2.0 */
/* test_route.c - what holds for every route before its handler: configuration, host, method, path form,
   role, site, size. */
#include "lib/ask.h"

static const char *const no_capabilities[] = { NULL };

/* Knows no key, and takes no write: whatever reaches it has passed the checks. */
static int none_get(struct store *s, struct span key, unsigned flags, struct bytes *value,
                    struct store_entry *e)
{
	(void)s, (void)key, (void)flags, (void)value, (void)e;
	return STORE_NOTFOUND;
}

static int none_write(struct store *s, const struct store_write *w, unsigned flags, store_done_fn *fn,
                      void *ctx)
{
	(void)s, (void)w, (void)flags, (void)fn, (void)ctx;
	return STORE_E_UNSUPPORTED;
}

static int none_flush(struct store *s, uint64_t *entries)
{
	(void)s;
	*entries = 0;
	return STORE_OK;
}

static int none_ok(struct store *s)
{
	(void)s;
	return STORE_OK;
}

static void none_stats(struct store *s, struct store_stats *out)
{
	(void)s, (void)out;
}

static const struct store_ops none_ops = { .capabilities = no_capabilities,
	                                   .get = none_get,
	                                   .write = none_write,
	                                   .flush = none_flush,
	                                   .compact = none_ok,
	                                   .ready = none_ok,
	                                   .stats = none_stats,
	                                   .close = none_ok };
static struct store none = { .ops = &none_ops };

static int setup(void **state)
{
	*state = ask_open(&none);
	return 0;
}

static int teardown(void **state)
{
	ask_close(*state, false);
	return 0;
}

/* The status where a request gets through to its handler over a store that knows nothing. */
struct reach {
	const char *method, *route, *uri;
	enum request_role least;
	int status;
};

static const struct reach reaches[] = {
	{ "GET", "/get", "/get?key=a", ROLE_READ, 404 }, { "HEAD", "/get", "/get?key=a", ROLE_READ, 404 },
	{ "GET", "/get/", "/get/a", ROLE_READ, 404 },
	{ "POST", "/set", "/set?key=a&value=b", ROLE_WRITE, 501 },
	{ "PUT", "/set", "/set?key=a&value=b", ROLE_WRITE, 501 },
	{ "POST", "/put", "/put?key=a&value=b", ROLE_WRITE, 501 },
	{ "PUT", "/put", "/put?key=a&value=b", ROLE_WRITE, 501 },
	{ "DELETE", "/del", "/del?key=a", ROLE_WRITE, 501 }, { "DELETE", "/del/", "/del/a", ROLE_WRITE, 501 },
	{ "DELETE", "/delete", "/delete?key=a", ROLE_WRITE, 501 },
	{ "DELETE", "/delete/", "/delete/a", ROLE_WRITE, 501 },
	{ "GET", "/v1/kv", "/v1/kv?key=a", ROLE_READ, 404 }, { "HEAD", "/v1/kv/", "/v1/kv/a", ROLE_READ, 404 },
	{ "PUT", "/v1/kv", "/v1/kv?key=a", ROLE_WRITE, 501 }, { "PUT", "/v1/kv/", "/v1/kv/a", ROLE_WRITE, 501 },
	{ "DELETE", "/v1/kv", "/v1/kv?key=a", ROLE_WRITE, 501 },
	{ "DELETE", "/v1/kv/", "/v1/kv/a", ROLE_WRITE, 501 },
	{ "POST", "/v1/kv/", "/v1/kv/a?op=incr", ROLE_WRITE, 501 },
	{ "POST", "/v1/kv", "/v1/kv?key=a&op=incr&by=2", ROLE_WRITE, 501 },
	{ "GET", "/v1/kv", "/v1/kv", ROLE_READ, 501 }, { "HEAD", "/v1/kv", "/v1/kv?prefix=a", ROLE_READ, 501 },
	{ "DELETE", "/v1/kv", "/v1/kv?prefix=a", ROLE_WRITE, 501 },
	{ "POST", "/v1/batch", "/v1/batch", ROLE_READ, 400 },
	{ "GET", "/healthz", "/healthz", ROLE_READ, 200 }, { "GET", "/readyz", "/readyz", ROLE_READ, 200 },
	{ "GET", "/v1/stats", "/v1/stats", ROLE_READ, 200 },
	{ "POST", "/v1/admin/flush", "/v1/admin/flush", ROLE_ADMIN, 200 },
	{ "POST", "/v1/admin/compact", "/v1/admin/compact", ROLE_ADMIN, 200 },
	{ "GET", "/shutdown", "/shutdown", ROLE_ADMIN, 200 },
	{ "POST", "/shutdown", "/shutdown", ROLE_ADMIN, 200 },
};
#define REACHES (sizeof(reaches) / sizeof(reaches[0]))

static int reach(struct asker *a, const struct reach *w, enum request_role role, struct ask q)
{
	a->server.stopping = a->server.flushing_last = false;       /* of the shutdown before */
	q.method = w->method;
	q.route = w->route;
	q.uri = w->uri;
	return ask_as(a, role, q);
}

static void test_route__each_route_and_the_role_it_needs(void **state)
{
	struct asker *a = *state;

	for (size_t i = 0; i < REACHES; i++)
		for (int role = ROLE_READ; role <= ROLE_ADMIN; role++) {
			int got = reach(a, &reaches[i], (enum request_role)role, (struct ask){0});

			if (got != ((enum request_role)role >= reaches[i].least ? reaches[i].status : 403))
				fail_msg("%s %s as %d: %d", reaches[i].method, reaches[i].uri, role, got);
			if (got == 403)
				expect_problem(a, got, 403, "forbidden", "\"detail\":\"This needs the role ");
		}
}

/* ---- other sites ----------------------------------------------------------------------------- */

static const struct site {
	struct ask q;
	bool ok;
} sites[] = {
	{ { .site = "same-origin" }, true }, { { .site = "none" }, true }, { { .site = "cross-site" }, false },
	{ { .site = "same-site" }, false },
	{ { .site = "nonsense" }, false },
	{ { .host = "localhost:8080", .origin = "http://localhost:8080" }, true },
	{ { .host = "localhost:8080", .origin = "http://LOCALHOST:8080" }, true },
	{ { .host = "db.lan", .origin = "https://db.lan" }, true },
	{ { .host = "db.lan:443", .origin = "https://db.lan" }, true },
	{ { .host = "db.lan", .origin = "http://db.lan:80" }, true },
	{ { .host = "db.lan:443", .origin = "http://db.lan" }, false },
	{ { .host = "localhost:8080", .origin = "http://localhost" }, false },
	{ { .host = "localhost:8080", .origin = "http://evil.example" }, false },
	{ { .host = "localhost:8080", .origin = "null" }, false },
	{ { .host = "localhost:8080", .origin = "http://localhost:8080.evil.example" }, false },
	{ { .host = "a", .origin = "file://a" }, false },
	{ { .host = "localhost:8080", .origin = "http://" }, false },
	{ { .origin = "http://localhost" }, false }, { { .origin = "http://" }, false },
	{ { .purpose = "prefetch" }, false }, { { .sec_purpose = "prefetch;prerender" }, false },
	{ { .sec_purpose = "Prefetch" }, false },
	{ { .purpose = "" , .site = "", .origin = "" }, true },
	{ { .site = "same-origin", .purpose = "prefetch" }, false },
	{ { .host = "a", .site = "same-origin", .origin = "http://b" }, false },
};

static void test_route__a_page_elsewhere_changes_nothing(void **state)
{
	struct asker *a = *state;

	for (size_t i = 0; i < REACHES; i++)
		for (size_t k = 0; k < sizeof(sites) / sizeof(sites[0]); k++) {
			bool guarded = reaches[i].least > ROLE_READ;
			int got = reach(a, &reaches[i], ROLE_ADMIN, sites[k].q);

			if (got != (guarded && !sites[k].ok ? 403 : reaches[i].status))
				fail_msg("%s %s, site %zu: %d", reaches[i].method, reaches[i].uri, k, got);
			if (got == 403)
				expect_problem(a, got, 403, "cross-site", NULL);
		}
	assert_true(a->stops > 0);
}

/* ---- hosts ----------------------------------------------------------------------------------- */

static void test_route__a_host_that_is_not_ours(void **state)
{
	static const char *const ours[] = { "localhost", "127.0.0.1", "::1", "Db.Lan", NULL };
	static const char *const good[] = { "localhost", "localhost:8080", "LOCALHOST:1", "127.0.0.1:8080",
		                            "[::1]",     "[::1]:8080",     "db.lan",      NULL,
		                            "" };
	static const char *const wrong[] = { "evil.example",
		                             "localhost.evil.example",
		                             "evil.example:8080",
		                             "xlocalhost",
		                             "127.0.0.2",
		                             "[::2]:80",
		                             "[::1",
		                             "localhost@evil.example",
		                             ":8080",
		                             "local" };
	struct asker *a = *state;

	a->server.hosts = ours;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(ask(a, .method = "GET", .uri = "/healthz", .host = good[i]), 200);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		expect_problem(a, ask(a, .method = "GET", .uri = "/healthz", .host = wrong[i]), 421,
		               "wrong-host", NULL);
		expect_problem(a, ask(a, .method = "GET", .uri = "/none", .host = wrong[i]), 421,
		               "wrong-host", NULL);
	}
	a->server.hosts = NULL;
	assert_int_equal(ask(a, .method = "GET", .uri = "/healthz", .host = "evil.example"), 200);
}

/* ---- routes, methods, paths ------------------------------------------------------------------ */

static void test_route__what_the_configuration_forgot(void **state)
{
	struct asker *a = *state;

	expect_problem(a, ask(a, .method = "GET", .uri = "/get?key=a", .route = ""), 500, "misconfigured",
	               "SCRIPT_NAME");
	expect_problem(a, ask(a, .uri = "/get?key=a"), 500, "misconfigured", NULL);
	expect_problem(a, ask(a, .method = "GET", .route = "/get"), 500, "misconfigured", NULL);
	a->r.route = NULL;
	assert_int_equal(route_dispatch(&a->r), ROUTE_DONE);
	expect_problem(a, a->r.response.status, 500, "misconfigured", NULL);
}

static void test_route__unknown_routes(void **state)
{
	static const char *const unknown[] = {
		"/",        "/Get",      "/gets",       "/get//",    "/v1",
		"/v1/",     "/v2/kv",    "/v1/admin",   "/metrics/", "/set/",
		"/shutdown/",  "/healthz/"
	};
	struct asker *a = *state;

	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		expect_problem(a, ask(a, .method = "GET", .uri = unknown[i]), 404, "no-such-route", NULL);
}

static void test_route__options_and_405_say_what_is_allowed(void **state)
{
	static const struct { const char *uri, *route, *allow, *not; } table[] = {
		{ "/get?key=a", "/get", "GET, HEAD, OPTIONS", "POST" },
		{ "/get/a", "/get/", "GET, HEAD, OPTIONS", "DELETE" },
		{ "/set", "/set", "POST, PUT, OPTIONS", "GET" },
		{ "/put", "/put", "POST, PUT, OPTIONS", "PATCH" },
		{ "/del?key=a", "/del", "DELETE, OPTIONS", "GET" },
		{ "/delete/a", "/delete/", "DELETE, OPTIONS", "POST" },
		{ "/v1/kv/a", "/v1/kv/", "GET, HEAD, PUT, POST, DELETE, OPTIONS", "PATCH" },
		{ "/v1/kv?key=a", "/v1/kv", "GET, HEAD, PUT, POST, DELETE, OPTIONS", "get" },
		{ "/healthz", "/healthz", "GET, HEAD, OPTIONS", "POST" },
		{ "/v1/stats", "/v1/stats", "GET, HEAD, OPTIONS", "PUT" },
		{ "/v1/admin/flush", "/v1/admin/flush", "POST, OPTIONS", "GET" },
		{ "/v1/admin/compact", "/v1/admin/compact", "POST, OPTIONS", "GET" },
		{ "/shutdown", "/shutdown", "GET, POST, OPTIONS", "HEAD" },
	};
	struct asker *a = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_int_equal(ask_as(a, ROLE_READ,
		                        (struct ask) { .method = "OPTIONS",
		                                       .uri = table[i].uri,
		                                       .route = table[i].route }),
		                 204);
		assert_string_equal(ask_header(a, "Allow"), table[i].allow);
		assert_int_equal(ask_body(a).len, 0);
		expect_problem(a,
		               ask(a, .method = table[i].not, .uri = table[i].uri, .route = table[i].route),
		               405, "method-not-allowed", NULL);
		assert_string_equal(ask_header(a, "Allow"), table[i].allow);
	}
}

/* nginx matched the normalised path; the raw one must say the same, or a client gets another route than it
   wrote. */
static void test_route__normalisation_never_turns_one_route_into_another(void **state)
{
	static const struct { const char *method, *route, *uri; } table[] = {
		{ "GET", "/get", "/get/../get?key=a" }, { "GET", "/get", "//get?key=a" },
		{ "GET", "/get", "/%67et?key=a" }, { "GET", "/get", "/./get?key=a" },
		{ "GET", "/get/", "/get%2Fabc" }, { "GET", "/get/", "/x/../get/abc" },
		{ "GET", "/get/", "/get" }, { "GET", "/get/", "//get/abc" },
		{ "DELETE", "/del/", "/get/../del/a" }, { "PUT", "/v1/kv/", "/v1//kv/a" },
		{ "GET", "/shutdown", "/get/..%2fshutdown" }, { "GET", "/healthz", "/healthz/" },
		{ "GET", "/get", "/get#x?key=a" }, { "GET", "/get/", "/get/a#b" },
		{ "GET", "/get", "/get?key=a#b" }, { "GET", "/get", "" "/" },
	};
	struct asker *a = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		expect_problem(
			a, ask(a, .method = table[i].method, .route = table[i].route, .uri = table[i].uri),
			400, "bad-path", "?key=");
	assert_int_equal(a->stops, 0);
}

static void test_route__stopping_answers_503_with_retry_after(void **state)
{
	struct asker *a = *state;

	a->server.stopping = true;
	expect_problem(a, ask(a, .method = "GET", .uri = "/get?key=a"), 503, "shutting-down", NULL);
	assert_string_equal(ask_header(a, "Retry-After"), "2");
	expect_problem(a, ask(a, .method = "GET", .uri = "/readyz"), 503, "shutting-down", NULL);
	expect_problem(a, ask(a, .method = "POST", .uri = "/shutdown"), 503, "shutting-down", NULL);
	assert_int_equal(ask(a, .method = "GET", .uri = "/healthz"), 200);
	a->server.stopping = false;
	a->server.flushing_last = true;
	expect_problem(a, ask(a, .method = "PUT", .uri = "/v1/kv?key=a", .body = "v"), 503, "shutting-down",
	               NULL);
}

static void test_route__a_body_that_was_too_large(void **state)
{
	struct asker *a = *state;

	ask_fill(a, &(struct ask){ .method = "PUT", .uri = "/v1/kv/a", .role = ROLE_WRITE }, "/v1/kv/");
	a->r.body_too_large = true;
	assert_int_equal(route_dispatch(&a->r), ROUTE_DONE);
	expect_problem(a, a->r.response.status, 413, "too-large", "\"limit\":900000");
}

static void test_route__the_id_and_head(void **state)
{
	struct asker *a = *state;

	expect_problem(a, ask(a, .method = "GET", .uri = "/get?key=a", .id = "5f\"1"), 404, "no-such-key",
	               "\"id\":\"5f\\\"1\"");
	assert_false(a->r.response.head_only);
	expect_problem(a, ask(a, .method = "HEAD", .uri = "/get?key=a"), 404, "no-such-key", NULL);
	assert_true(a->r.response.head_only);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_route__each_route_and_the_role_it_needs, setup,
		                                teardown),
		cmocka_unit_test_setup_teardown(test_route__a_page_elsewhere_changes_nothing, setup,
		                                teardown),
		cmocka_unit_test_setup_teardown(test_route__a_host_that_is_not_ours, setup, teardown),
		cmocka_unit_test_setup_teardown(test_route__what_the_configuration_forgot, setup, teardown),
		cmocka_unit_test_setup_teardown(test_route__unknown_routes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_route__options_and_405_say_what_is_allowed, setup,
		                                teardown),
		cmocka_unit_test_setup_teardown(test_route__normalisation_never_turns_one_route_into_another,
		                                setup, teardown),
		cmocka_unit_test_setup_teardown(test_route__stopping_answers_503_with_retry_after, setup,
		                                teardown),
		cmocka_unit_test_setup_teardown(test_route__a_body_that_was_too_large, setup, teardown),
		cmocka_unit_test_setup_teardown(test_route__the_id_and_head, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
