/* SPDX-License-Identifier: Apache-2.0 */
/* test_submit.c - writes over a store that says what the test wants: what its codes mean to a client, and
   what it is asked. */
#include "lib/ask.h"

struct fake {
	struct store store;
	int write_code, done_code;            /* of write(); of its outcome */
	int blocks, try_agains;               /* the next so many: WOULD_BLOCK; TRY_AGAIN in the outcome */
	int get_code, flush_code, compact_code, ready_code;
	bool later;                           /* the outcome comes from another thread */
	int writes;                           /* calls of write() */
	unsigned flags;                       /* of the last one */
	bool want_existed, want_old_value;
	size_t cond_count;
	struct store_outcome outcome;
	pthread_t thread;
	store_done_fn *fn;
	void *ctx;
};

static struct fake *fake_of(struct store *s)
{
	return (struct fake *)s;
}

static int fake_get(struct store *s, struct span key, unsigned flags, struct bytes *value,
                    struct store_entry *e)
{
	struct fake *f = fake_of(s);

	(void)key, (void)value, (void)e;
	if (f->blocks > 0 && (flags & STORE_NO_WAIT) != 0) {
		f->blocks--;
		return STORE_WOULD_BLOCK;
	}
	return f->get_code;
}

static void *fake_done(void *arg)
{
	struct fake *f = arg;

	f->fn(f->ctx, &f->outcome);
	return NULL;
}

static int fake_write(struct store *s, const struct store_write *w, unsigned flags, store_done_fn *fn,
                      void *ctx)
{
	struct fake *f = fake_of(s);

	f->writes++;
	f->flags = flags;
	f->want_existed = w->want_existed;
	f->want_old_value = w->want_old_value;
	f->cond_count = w->cond_count;
	if (f->blocks > 0 && (flags & STORE_NO_WAIT) != 0) {
		f->blocks--;
		return STORE_WOULD_BLOCK;
	}
	if (f->write_code != STORE_OK)
		return f->write_code;
	f->fn = fn;
	f->ctx = ctx;
	f->outcome.code = f->try_agains > 0 ? STORE_TRY_AGAIN : f->done_code;
	f->try_agains -= f->try_agains > 0;
	if (!f->later) {
		fake_done(f);
	} else {
		if (f->thread != 0)
			pthread_join(f->thread, NULL);
		assert_int_equal(pthread_create(&f->thread, NULL, fake_done, f), 0);
	}
	return STORE_OK;
}

static int fake_flush(struct store *s, uint64_t *entries)
{
	*entries = 5;
	return fake_of(s)->flush_code;
}

static int fake_compact(struct store *s)
{
	return fake_of(s)->compact_code;
}

static int fake_ready(struct store *s)
{
	return fake_of(s)->ready_code;
}

static void fake_stats(struct store *s, struct store_stats *out)
{
	(void)s;
	out->n = 1;
	strcpy(out->item[0].name, "tables");
	out->item[0].value = 3;
	strcpy(out->fault, "a \"fault\"");
}

static const char *const fake_capabilities[] = { "one", "two", NULL };
static const struct store_ops fake_ops = { .capabilities = fake_capabilities,
	                                   .get = fake_get,
	                                   .write = fake_write,
	                                   .flush = fake_flush,
	                                   .compact = fake_compact,
	                                   .ready = fake_ready,
	                                   .stats = fake_stats };

static int setup(void **state)
{
	struct fake *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->store.ops = &fake_ops;
	f->outcome.version = 42;
	*state = ask_open(&f->store);
	return 0;
}

static int teardown(void **state)
{
	struct asker *a = *state;
	struct fake *f = fake_of(a->server.store);

	if (f->thread != 0)
		pthread_join(f->thread, NULL);
	ask_close(a, false);
	free(f);
	return 0;
}

#define FAKE(a) fake_of((a)->server.store)

static int put(struct asker *a)
{
	return ask(a, .method = "PUT", .uri = "/v1/kv?key=a", .body = "v");
}

/* What each failure means, and whether it leaves the outcome open where it comes after the write was queued. */
static const struct { int code, status; const char *slug, *retry_after; } failures[] = {
	{ STORE_E_NOSPACE, 507, "disk-full", "" }, { STORE_E_BUSY, 503, "write-stall", "1" },
	{ STORE_E_FAULT, 503, "read-only", "60" },
	{ STORE_E_CLOSED, 503, "shutting-down", "2" }, { STORE_E_NOMEM, 503, "out-of-memory", "1" },
	{ STORE_E_TOOBIG, 413, "too-large", "" },
	{ STORE_E_CORRUPT, 500, "damaged", "" }, { STORE_E_IO, 500, "io-error", "" },
	{ STORE_E_UNSUPPORTED, 501, "not-implemented", "" },
	{ STORE_E_INTERNAL, 500, "internal", "" }, { -99, 500, "internal", "" },
};
#define FAILURES (sizeof(failures) / sizeof(failures[0]))

static void test_submit__what_a_failure_means(void **state)
{
	static const char unknown[] = "\"outcome\":\"unknown\"";
	struct asker *a = *state;

	for (size_t i = 0; i < FAILURES; i++) {
		FAKE(a)->write_code = failures[i].code;
		expect_problem(a, put(a), failures[i].status, failures[i].slug, NULL);
		assert_string_equal(ask_header(a, "Retry-After"), failures[i].retry_after);
		assert_false(ask_says(a, unknown));
		FAKE(a)->write_code = STORE_OK;
		for (int later = 0; later < 2; later++) {
			FAKE(a)->later = later;
			FAKE(a)->done_code = failures[i].code;
			expect_problem(a, put(a), failures[i].status, failures[i].slug, NULL);
			assert_int_equal(ask_says(a, unknown), failures[i].status == 500);
			assert_int_equal(a->completed, 1);
		}
		FAKE(a)->get_code = failures[i].code;
		expect_problem(a, ask(a, .method = "GET", .uri = "/get?key=a"), failures[i].status,
		               failures[i].slug, NULL);
		assert_false(ask_says(a, unknown));
	}
}

static void test_submit__what_would_block_goes_to_a_worker(void **state)
{
	struct asker *a = *state;

	FAKE(a)->blocks = 1;
	assert_int_equal(put(a), 201);
	assert_int_equal(a->blocked, 1);
	assert_int_equal(FAKE(a)->writes, 2);
	assert_int_equal(FAKE(a)->flags & STORE_NO_WAIT, 0);
	FAKE(a)->blocks = 1;
	FAKE(a)->get_code = STORE_NOTFOUND;
	expect_problem(a, ask(a, .method = "GET", .uri = "/v1/kv?key=a"), 404, "no-such-key", NULL);
	assert_int_equal(a->blocked, 1);
	assert_int_equal(put(a), 201);
	assert_int_equal(a->blocked, 0);
	assert_int_equal(FAKE(a)->flags & STORE_NO_WAIT, STORE_NO_WAIT);
}

static void test_submit__old_evidence_is_tried_again_in_a_worker(void **state)
{
	struct asker *a = *state;

	for (int later = 0; later < 2; later++) {
		FAKE(a)->later = later;
		FAKE(a)->try_agains = 3;
		FAKE(a)->writes = 0;
		assert_int_equal(put(a), 201);
		assert_int_equal(FAKE(a)->writes, 4);
		assert_string_equal(ask_header(a, "ETag"), "\"42\"");
	}
}

static void test_submit__durability_is_asked_for_or_configured(void **state)
{
	struct asker *a = *state;

	for (int async = 0; async < 2; async++) {
		a->server.durability_async = async;
		put(a);
		assert_int_equal(FAKE(a)->flags & STORE_ASYNC, async ? STORE_ASYNC : 0);
		assert_int_equal(ask(a, .method = "PUT", .uri = "/v1/kv?key=a&durability=async"), 201);
		assert_int_equal(FAKE(a)->flags & STORE_ASYNC, STORE_ASYNC);
		assert_int_equal(ask(a, .method = "POST", .uri = "/set?key=a&value=b&durability=sync"), 200);
		assert_int_equal(FAKE(a)->flags & STORE_ASYNC, 0);
	}
	FAKE(a)->outcome.existed = true;
	assert_int_equal(ask(a, .method = "DELETE", .uri = "/v1/kv?key=a&durability=async"), 204);
	assert_int_equal(FAKE(a)->flags & STORE_ASYNC, STORE_ASYNC);
	FAKE(a)->writes = 0;
	expect_problem(a, ask(a, .method = "DELETE", .uri = "/del?key=a&durability=1"), 400, "bad-query",
	               "durability");
	assert_int_equal(FAKE(a)->writes, 0);
}

/* A classic set pays for no lookup; a delete looks, and is conditional on the key's being there. */
static void test_submit__asks_for_no_more_than_it_needs(void **state)
{
	struct asker *a = *state;

	ask(a, .method = "POST", .uri = "/set?key=a&value=b");
	assert_true(!FAKE(a)->want_existed && !FAKE(a)->want_old_value && FAKE(a)->cond_count == 0);
	put(a);
	assert_true(FAKE(a)->want_existed && !FAKE(a)->want_old_value && FAKE(a)->cond_count == 0);
	ask(a, .method = "DELETE", .uri = "/v1/kv?key=a");
	assert_true(!FAKE(a)->want_old_value && FAKE(a)->cond_count == 1);
	ask(a, .method = "DELETE", .uri = "/v1/kv?key=a", .prefer = "return=representation",
	    .if_match = "\"1\"", .if_none_match = "\"2\"");
	assert_true(FAKE(a)->want_old_value && FAKE(a)->cond_count == 3);
}

static void test_submit__conflicts(void **state)
{
	struct asker *a = *state;

	FAKE(a)->done_code = STORE_CONFLICT;
	FAKE(a)->outcome.current = 9;
	expect_problem(a, put(a), 412, "condition-failed", "\"key\":\"a\",\"version\":9");
	assert_string_equal(ask_header(a, "ETag"), "\"9\"");
	expect_problem(a, ask(a, .method = "DELETE", .uri = "/del?key=a"), 412, "condition-failed",
	               "\"version\":9");
	FAKE(a)->outcome.current = 0;
	expect_problem(a, put(a), 412, "condition-failed", "\"version\":0");
	assert_string_equal(ask_header(a, "ETag"), "");
	expect_problem(a, ask(a, .method = "DELETE", .uri = "/del?key=a"), 404, "no-such-key", "\"key\":\"a\"");
}

static void test_submit__parks_no_more_than_allowed(void **state)
{
	struct asker *a = *state;

	a->server.parked = a->server.limits.max_parked;
	expect_problem(a, put(a), 503, "too-many-parked", NULL);
	assert_string_equal(ask_header(a, "Retry-After"), "1");
	assert_int_equal(FAKE(a)->writes, 0);
	a->server.parked--;
	assert_int_equal(put(a), 201);
}

static void test_submit__operations_that_fail(void **state)
{
	struct asker *a = *state;

	for (size_t i = 0; i < FAILURES; i++) {
		FAKE(a)->flush_code = FAKE(a)->compact_code = failures[i].code;
		expect_problem(a, ask(a, .method = "POST", .uri = "/v1/admin/flush"), failures[i].status,
		               failures[i].slug, NULL);
		expect_problem(a, ask(a, .method = "POST", .uri = "/v1/admin/compact"), failures[i].status,
		               failures[i].slug, NULL);
		expect_problem(a, ask(a, .method = "POST", .uri = "/shutdown"), failures[i].status,
		               failures[i].slug, NULL);
		assert_int_equal(a->stops, 0);
		assert_false(a->server.flushing_last);           /* it goes on serving */
	}
	assert_int_equal(put(a), 201);
	FAKE(a)->flush_code = STORE_OK;
	assert_int_equal(ask(a, .method = "POST", .uri = "/shutdown"), 200);
	assert_true(ask_says(a, "\"flushed_entries\":5,\"tables\":3,"));
	assert_int_equal(a->stops, 1);
}

static void test_submit__readiness_is_200_or_503(void **state)
{
	struct asker *a = *state;

	for (size_t i = 0; i < FAILURES; i++) {
		FAKE(a)->ready_code = failures[i].code;
		assert_int_equal(ask(a, .method = "GET", .uri = "/readyz"), 503);
		assert_true(ask_header(a, "Retry-After")[0] != 0);
		assert_int_equal(ask(a, .method = "GET", .uri = "/healthz"), 200);
	}
	FAKE(a)->ready_code = STORE_E_FAULT;
	expect_problem(a, ask(a, .method = "GET", .uri = "/readyz"), 503, "read-only", NULL);
	FAKE(a)->ready_code = STORE_E_NOSPACE;
	expect_problem(a, ask(a, .method = "GET", .uri = "/readyz"), 503, "disk-full", NULL);
	assert_int_equal(ask(a, .method = "GET", .uri = "/v1/stats"), 200);
	assert_true(ask_says(a, "{\"capabilities\":[\"one\",\"two\"],") && ask_says(a, ",\"tables\":3,") &&
	            ask_says(a, "\"fault\":\"a \\\"fault\\\"\"}"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_submit__what_a_failure_means), T(test_submit__what_would_block_goes_to_a_worker),
		T(test_submit__old_evidence_is_tried_again_in_a_worker),
		T(test_submit__durability_is_asked_for_or_configured),
		T(test_submit__asks_for_no_more_than_it_needs), T(test_submit__conflicts),
		T(test_submit__parks_no_more_than_allowed),
		T(test_submit__operations_that_fail), T(test_submit__readiness_is_200_or_503),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
