/* SPDX-License-Identifier: Apache-2.0 */
/* test_request.c - from FastCGI parameters to what handlers see. */
#include "lib/test.h"

#include "server/request.h"

static struct request request_of(const char *const *params)
{
	struct request r = { 0 };

	request_fill(&r, (char *const *)(uintptr_t)params);
	return r;
}

static void test_request__every_parameter_has_its_field(void **state)
{
	static const char *const params[] = {
		"REQUEST_METHOD=PUT", "SCRIPT_NAME=/v1/kv/", "REQUEST_URI=/v1/kv/a%2Fb?ttl=5&x=?", "CONTENT_TYPE=text/plain",
		"CONTENT_LENGTH=5", "HTTP_IF_MATCH=\"7\"", "HTTP_IF_NONE_MATCH=*", "HTTP_PREFER=return=representation",
		"HTTP_ACCEPT=a/b", "HTTP_CONTENT_ENCODING=gzip", "HTTP_CONTENT_RANGE=bytes 1-2/3", "HTTP_HOST=localhost:8080",
		"HTTP_ORIGIN=http://localhost:8080", "HTTP_SEC_FETCH_SITE=same-origin", "HTTP_PURPOSE=p", "HTTP_SEC_PURPOSE=q",
		"REQUEST_ID=abc", "SILT_PREFIX=user/", "SILT_ROLE=admin", "SERVER_SOFTWARE=nginx", "NOEQUALS", NULL,
	};
	struct request r = request_of(params);

	(void)state;
	assert_string_equal(r.method, "PUT");
	assert_string_equal(r.route, "/v1/kv/");
	assert_true(span_eq(r.path, "/v1/kv/a%2Fb"));
	assert_true(span_eq(r.query, "ttl=5&x=?"));
	assert_string_equal(r.content_type, "text/plain");
	assert_string_equal(r.content_length, "5");
	assert_string_equal(r.if_match, "\"7\"");
	assert_string_equal(r.if_none_match, "*");
	assert_string_equal(r.prefer, "return=representation");
	assert_string_equal(r.accept, "a/b");
	assert_string_equal(r.content_encoding, "gzip");
	assert_string_equal(r.content_range, "bytes 1-2/3");
	assert_string_equal(r.host, "localhost:8080");
	assert_string_equal(r.origin, "http://localhost:8080");
	assert_string_equal(r.sec_fetch_site, "same-origin");
	assert_string_equal(r.purpose, "p");
	assert_string_equal(r.sec_purpose, "q");
	assert_string_equal(r.id, "abc");
	assert_string_equal(r.key_prefix, "user/");
	assert_int_equal(r.role, ROLE_ADMIN);
	request_fini(&r);
}

static void test_request__empty_is_absent(void **state)
{
	static const char *const params[] = {
		"SCRIPT_NAME=", "HTTP_IF_MATCH=", "CONTENT_LENGTH=", "SILT_PREFIX=", "SILT_ROLE=", "REQUEST_URI=/a?", NULL,
	};
	struct request r = request_of(params);

	(void)state;
	assert_null(r.route);
	assert_null(r.if_match);
	assert_null(r.content_length);
	assert_null(r.key_prefix);
	assert_int_equal(r.role, ROLE_READ);
	assert_true(span_eq(r.path, "/a"));
	assert_non_null(r.query.p);                                     /* there is a '?', with nothing behind it */
	assert_int_equal(r.query.len, 0);
	request_fini(&r);
}

static void test_request__roles_that_we_do_not_know_may_read(void **state)
{
	static const struct {
		const char *param;
		enum request_role role;
	} cases[] = {
		{ "SILT_ROLE=read", ROLE_READ }, { "SILT_ROLE=write", ROLE_WRITE }, { "SILT_ROLE=admin", ROLE_ADMIN },
		{ "SILT_ROLE=Admin", ROLE_READ }, { "SILT_ROLE=admin ", ROLE_READ }, { "SILT_ROL=admin", ROLE_READ },
		{ "silt_role=admin", ROLE_READ }, { "HTTP_SILT_ROLE=admin", ROLE_READ },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *const params[] = { cases[i].param, NULL };
		struct request r = request_of(params);

		assert_int_equal(r.role, cases[i].role);
		request_fini(&r);
	}
}

static void test_request__twice_means_neither(void **state)
{
	static const char *const roles[] = { "SCRIPT_NAME=/get", "SILT_ROLE=read", "SILT_ROLE=admin", NULL };
	static const char *const empty[] = { "SCRIPT_NAME=/get", "SILT_PREFIX=", "SILT_PREFIX=user/", NULL };
	static const char *const other[] = { "SCRIPT_NAME=/get", "SERVER_NAME=a", "SERVER_NAME=b", NULL };
	struct request r = request_of(roles);

	(void)state;
	assert_null(r.route);
	assert_int_equal(r.role, ROLE_READ);
	request_fini(&r);
	r = request_of(empty);
	assert_null(r.route);
	request_fini(&r);
	r = request_of(other);                                          /* not ours */
	assert_string_equal(r.route, "/get");
	request_fini(&r);
}

static unsigned request_freed;

static void request_count_free(void *state)
{
	free(state);
	request_freed++;
}

static void test_request__reset_forgets_and_keeps_small_buffers(void **state)
{
	static const char *const params[] = { "SCRIPT_NAME=/get", "HTTP_IF_MATCH=*", "SILT_ROLE=admin", NULL };
	struct request r = request_of(params);
	char *small;

	(void)state;
	r.state = malloc(10);
	r.state_free = request_count_free;
	r.may_block = r.body_too_large = true;
	r.body = span_str("x");
	r.response.status = 200;
	assert_true(bytes_reserve(&r.key, 100));
	small = r.key.p;
	assert_true(bytes_reserve(&r.scratch, 1u << 20));
	request_reset(&r);
	assert_int_equal(request_freed, 1);
	assert_null(r.state);
	assert_null(r.route);
	assert_null(r.if_match);
	assert_int_equal(r.role, ROLE_READ);
	assert_false(r.may_block || r.body_too_large);
	assert_int_equal(r.body.len, 0);
	assert_int_equal(r.response.status, 0);
	assert_ptr_equal(r.key.p, small);
	assert_null(r.scratch.p);
	request_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request__every_parameter_has_its_field),
		cmocka_unit_test(test_request__empty_is_absent),
		cmocka_unit_test(test_request__roles_that_we_do_not_know_may_read),
		cmocka_unit_test(test_request__twice_means_neither),
		cmocka_unit_test(test_request__reset_forgets_and_keeps_small_buffers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
