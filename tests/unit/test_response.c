/* SPDX-License-Identifier: Apache-2.0 */
/* test_response.c - an answer being put together, and the header that nobody but us may write. */
#include "lib/test.h"

#include "server/response.h"

static const char response_common[] = "X-Content-Type-Options: nosniff\r\nCross-Origin-Resource-Policy: same-origin\r\n";

static void response_expect(struct response *r, const char *before, const char *after)
{
	struct bytes out = { 0 };
	char expected[1024];

	snprintf(expected, sizeof(expected), "%s%s%s", before, response_common, after);
	assert_true(response_head(r, &out));
	assert_int_equal(out.len, strlen(expected));
	assert_memory_equal(out.p, expected, out.len);
	bytes_fini(&out);
}

static void test_response__status_headers_length_and_a_blank_line(void **state)
{
	struct response r = { .status = 200 };

	(void)state;
	response_header(&r, "Content-Type", "%s", "text/plain");
	response_etag(&r, UINT64_C(9007199254740991));
	bytes_adds(&r.body, "hello");
	response_expect(&r, "Status: 200 OK\r\nContent-Type: text/plain\r\nETag: \"9007199254740991\"\r\n",
	                "Content-Length: 5\r\n\r\n");
	response_fini(&r);
}

static void test_response__an_empty_body_has_a_length_and_204_and_304_have_none(void **state)
{
	struct response r = { .status = 200 };

	(void)state;
	response_expect(&r, "Status: 200 OK\r\n", "Content-Length: 0\r\n\r\n");
	r.status = 204;
	response_expect(&r, "Status: 204 No Content\r\n", "\r\n");
	r.status = 304;
	response_etag(&r, 0);
	response_expect(&r, "Status: 304 Not Modified\r\nETag: \"0\"\r\n", "\r\n");
	response_fini(&r);
}

static void test_response__head_says_the_length_that_get_would_send(void **state)
{
	struct response r = { .status = 200, .head_only = true };

	(void)state;
	bytes_adds(&r.body, "0123456789");
	response_expect(&r, "Status: 200 OK\r\n", "Content-Length: 10\r\n\r\n");
	response_fini(&r);
}

static void response_expect_split(struct response *r)
{
	struct bytes out = { 0 };

	assert_false(response_head(r, &out));
	assert_int_equal(out.len, 0);
	response_reset(r);                                              /* as good as new */
	r->status = 404;
	assert_true(response_head(r, &out));
	response_fini(r);
	bytes_fini(&out);
}

static void test_response__a_value_can_not_begin_another_header(void **state)
{
	static const char *const values[] = { "a\r\nX-Accel-Redirect: /etc", "a\n", "\r", "a\rb" };
	struct response r = { .status = 200 };

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		response_header(&r, "Content-Type", "%s", values[i]);
		response_expect_split(&r);
		r.status = 200;
	}
	response_header(&r, "Content-Type", "a%cb", 0);
	response_expect_split(&r);
}

static void test_response__incomplete_ones_do_not_leave(void **state)
{
	struct bytes out = { 0 };
	struct response r = { 0 };

	(void)state;
	assert_false(response_head(&r, &out));                          /* nobody filled it */
	r.status = 99;
	assert_false(response_head(&r, &out));                          /* nginx makes a 502 of it */
	r.status = 200;
	assert_false(bytes_reserve(&r.body, SIZE_MAX));
	assert_false(response_head(&r, &out));
	bytes_clear(&r.body);
	assert_false(bytes_reserve(&r.headers, SIZE_MAX));
	assert_false(response_head(&r, &out));
	assert_int_equal(out.len, 0);
	response_fini(&r);
	bytes_fini(&out);
}

static void test_response__every_status_has_a_reason(void **state)
{
	static const int statuses[] = { 200, 201, 202, 204, 304, 400, 403, 404, 405, 409, 410, 412, 413, 415, 421, 429, 500, 501, 503, 507 };

	(void)state;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		assert_string_not_equal(response_reason(statuses[i]), "Unknown");
	assert_string_equal(response_reason(299), "Unknown");
}

static void test_response__the_fallback_is_a_whole_answer(void **state)
{
	struct span s = response_fallback();
	const char *body = strstr(s.p, "\r\n\r\n");

	(void)state;
	assert_int_equal(s.len, strlen(s.p));
	assert_memory_equal(s.p, "Status: 500 ", 12);
	assert_non_null(strstr(s.p, response_common));
	assert_non_null(body);
	assert_non_null(strstr(body, "\"outcome\":\"unknown\""));
	assert_int_equal(s.p[s.len - 1], '}');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_response__status_headers_length_and_a_blank_line),
		cmocka_unit_test(test_response__an_empty_body_has_a_length_and_204_and_304_have_none),
		cmocka_unit_test(test_response__head_says_the_length_that_get_would_send),
		cmocka_unit_test(test_response__a_value_can_not_begin_another_header),
		cmocka_unit_test(test_response__incomplete_ones_do_not_leave),
		cmocka_unit_test(test_response__every_status_has_a_reason),
		cmocka_unit_test(test_response__the_fallback_is_a_whole_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
