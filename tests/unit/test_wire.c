/* SPDX-License-Identifier: Apache-2.0 */
/* test_wire.c - FastCGI records: what is whole, what is not, what is refused; and answers cut into records. */
#include "lib/test.h"
#include "lib/fcgi.h"

#include "server/wire.h"

static struct wire_request request;   /* what the last scan said of a whole one */

static struct fcgi_buf wire_get(void)
{
	struct fcgi_buf b = { 0 };

	fcgi_request(&b, "GET", "/get", "/get?key=a", NULL, NULL, 0);
	return b;
}

static void test_wire__whole_request_and_each_of_its_beginnings(void **state)
{
	struct fcgi_buf b = { 0 };

	(void)state;
	fcgi_request(&b, "PUT", "/v1/kv/", "/v1/kv/a", (const char *const[]){ "HTTP_IF_MATCH", "\"7\"", NULL }, "value", 5);
	for (size_t n = 0; n < b.len; n++)
		assert_int_equal(wire_scan(b.p, n, WIRE_WINDOW, &request), WIRE_NEED_MORE);
	assert_int_equal(wire_scan(b.p, b.len, WIRE_WINDOW, &request), WIRE_WHOLE);
	fcgi_free(&b);
}

static void test_wire__a_byte_behind_the_end_is_bad(void **state)
{
	struct fcgi_buf b = wire_get();

	(void)state;
	fcgi_add(&b, "\1", 1);
	assert_int_equal(wire_scan(b.p, b.len, WIRE_WINDOW, &request), WIRE_BAD);
	fcgi_free(&b);
}

static void test_wire__two_requests_at_once_are_bad(void **state)
{
	struct fcgi_buf b = wire_get();

	(void)state;
	fcgi_request(&b, "GET", "/get", "/get?key=b", NULL, NULL, 0);
	assert_int_equal(wire_scan(b.p, b.len, WIRE_WINDOW, &request), WIRE_BAD);
	fcgi_free(&b);
}

/* Each case: a request with one byte changed. */
static void test_wire__wrong_records(void **state)
{
	static const struct {
		const char *what;
		size_t at;
		uint8_t value;
	} cases[] = {
		{ "version 2", 0, 2 },           { "GET_VALUES first", 1, 9 },   { "PARAMS first", 1, 4 },
		{ "request id 0", 3, 0 },        { "BEGIN of 7 bytes", 5, 7 },   { "authorizer", 9, 2 },
		{ "role 256 + 1", 8, 1 },        { "PARAMS of version 0", 16, 0 }, { "BEGIN again", 17, 1 },
		{ "ABORT", 17, 2 },              { "STDIN before PARAMS end", 17, 5 }, { "another request's", 19, 2 },
		{ "unknown type", 17, 77 },      { "DATA", 17, 8 },              { "padding behind BEGIN", 6, 8 },
	};
	struct fcgi_buf b = wire_get();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t was = b.p[cases[i].at];

		b.p[cases[i].at] = cases[i].value;
		print_message("%s\n", cases[i].what);
		assert_int_equal(wire_scan(b.p, b.len, WIRE_WINDOW, &request), WIRE_BAD);
		b.p[cases[i].at] = was;
	}
	assert_int_equal(wire_scan(b.p, b.len, WIRE_WINDOW, &request), WIRE_WHOLE);
	fcgi_free(&b);
}

/* libfcgi does not skip it there. */
static void test_wire__padding_behind_the_end_of_a_stream_is_bad(void **state)
{
	(void)state;
	for (int padded = 0; padded < 3; padded++) {
		struct fcgi_buf b = { 0 };

		fcgi_begin(&b, 1, true);
		fcgi_record(&b, FCGI_PARAMS, 1, "\1\1ab", 4, 4);
		fcgi_record(&b, FCGI_PARAMS, 1, NULL, 0, padded == 1 ? 8 : 0);
		fcgi_record(&b, FCGI_STDIN, 1, "body", 4, 4);
		fcgi_record(&b, FCGI_STDIN, 1, NULL, 0, padded == 2 ? 8 : 0);
		assert_int_equal(wire_scan(b.p, b.len, WIRE_WINDOW, &request), padded == 0 ? WIRE_WHOLE : WIRE_BAD);
		fcgi_free(&b);
	}
}

static enum wire_verdict wire_with_params(const void *params, size_t n, size_t chunk)
{
	struct fcgi_buf b = { 0 };
	enum wire_verdict v;

	fcgi_begin(&b, 1, true);
	fcgi_stream(&b, FCGI_PARAMS, params, n, chunk);
	fcgi_stream(&b, FCGI_STDIN, NULL, 0, 1);
	v = wire_scan(b.p, b.len, WIRE_WINDOW, &request);
	fcgi_free(&b);
	return v;
}

static void test_wire__pairs_end_where_params_end(void **state)
{
	static const struct {
		const char *p;
		size_t n;
		enum wire_verdict verdict;
	} cases[] = {
		{ "", 0, WIRE_WHOLE },
		{ "\1\2abb", 5, WIRE_WHOLE },
		{ "\0\0", 2, WIRE_WHOLE },
		{ "\1\2abb\1\0c", 8, WIRE_WHOLE },
		{ "\1\2ab", 4, WIRE_BAD },                              /* a value cut short */
		{ "\1\2abb\1", 6, WIRE_BAD },                           /* a length without its partner */
		{ "\1\x80\0\0\1ab", 7, WIRE_WHOLE },                    /* a length of four bytes */
		{ "\1\x80\0\0", 4, WIRE_BAD },
		{ "\1\xff\xff\xff\xff""a", 6, WIRE_BAD },               /* 2 GiB that libfcgi would allocate */
		{ "\1\x80\1\0\1""a", 6, WIRE_BAD },                     /* one more than nginx can send */
		{ "\1\3aa\0b", 6, WIRE_BAD },                           /* a NUL would hide the rest */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t chunk = 1; chunk <= 9; chunk++)              /* however it is cut into records */
			assert_int_equal(wire_with_params(cases[i].p, cases[i].n, chunk), cases[i].verdict);
	}
}

/* However the two streams are cut into records: names, values (of both forms of a length, and none) and the body are put together again. */
static void test_wire__what_a_whole_request_holds(void **state)
{
	static const char *const pairs[][2] = { { "A", "1" }, { "EMPTY", "" }, { "", "nameless" }, { "LONG", NULL }, { "", "" }, { "Z", "last" } };
	enum { PAIRS = sizeof(pairs) / sizeof(pairs[0]), LONG = 300 };
	struct fcgi_buf params = { 0 };
	char value[LONG + 1];

	(void)state;
	memset(value, 'v', LONG);
	value[LONG] = '\0';
	for (size_t i = 0; i < PAIRS; i++) {
		const char *v = pairs[i][1] != NULL ? pairs[i][1] : value;

		fcgi_pair(&params, pairs[i][0], v, strlen(v));
	}
	for (size_t chunk = 1; chunk < 500; chunk += chunk < 20 ? 1 : 97) {
		struct fcgi_buf b = { 0 };
		struct wire_params walk;
		struct wire_param p;
		char *joined, body[5];

		fcgi_begin(&b, 1, chunk % 2 == 0);
		fcgi_stream(&b, FCGI_PARAMS, params.p, params.len, chunk);
		fcgi_stream(&b, FCGI_STDIN, "b\0dy!", 5, chunk);
		assert_int_equal(wire_scan(b.p, b.len, WIRE_WINDOW, &request), WIRE_WHOLE);
		assert_int_equal(request.id, 1);
		assert_int_equal(request.keep, chunk % 2 == 0);
		assert_int_equal(request.params, params.len);
		assert_int_equal(request.body, 5);
		wire_join(b.p, WIRE_STDIN, body);
		assert_memory_equal(body, "b\0dy!", 5);
		joined = malloc(request.params + 1);
		assert_non_null(joined);
		wire_join(b.p, WIRE_PARAMS, joined);
		wire_params_begin(&walk, joined, request.params);
		for (size_t i = 0; i < PAIRS; i++) {
			assert_true(wire_params_next(&walk, &p));
			assert_int_equal(p.name_len, strlen(pairs[i][0]));
			assert_memory_equal(p.name, pairs[i][0], p.name_len);
			assert_string_equal(p.value, pairs[i][1] != NULL ? pairs[i][1] : value);
		}
		assert_false(wire_params_next(&walk, &p));
		free(joined);
		fcgi_free(&b);
	}
	fcgi_free(&params);
}

/* Lengths that nobody has scanned lead nowhere. */
static void test_wire__a_walk_stays_inside(void **state)
{
	static const struct {
		const char *p;
		size_t n;
	} cases[] = { { "", 0 }, { "\1", 1 }, { "\1\2a", 3 }, { "\x80\0\0", 3 }, { "\xff\xff\xff\xff\1", 5 }, { "\0\xff\xff\xff\xff", 5 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *p = malloc(cases[i].n + 1);                       /* so that a sanitizer sees a step too far */
		struct wire_params walk;
		struct wire_param out;

		assert_non_null(p);
		memcpy(p, cases[i].p, cases[i].n);
		wire_params_begin(&walk, p, cases[i].n);
		assert_false(wire_params_next(&walk, &out));
		free(p);
	}
}

static void test_wire__what_can_not_fit_the_window_is_large(void **state)
{
	static const uint8_t body[40000];
	struct fcgi_buf b = { 0 };
	size_t said_at = 0;

	(void)state;
	fcgi_request(&b, "PUT", "/v1/kv/", "/v1/kv/a", NULL, body, sizeof(body));
	for (size_t n = 0; n <= WIRE_WINDOW && n < b.len; n++) {
		enum wire_verdict v = wire_scan(b.p, n, WIRE_WINDOW, &request);

		if (v == WIRE_LARGE && said_at == 0)
			said_at = n;
		assert_int_equal(v, said_at > 0 ? WIRE_LARGE : WIRE_NEED_MORE);
	}
	assert_true(said_at > 0 && said_at < 300);                      /* as soon as the header of its body was seen */
	fcgi_free(&b);
}

/* Bodies around the window's edge: whole up to its last byte. */
static void test_wire__the_windows_edge(void **state)
{
	static const uint8_t body[WIRE_WINDOW];

	(void)state;
	for (size_t n = WIRE_WINDOW - 400; n < WIRE_WINDOW; n++) {
		struct fcgi_buf b = { 0 };
		size_t seen;

		fcgi_request(&b, "PUT", "/v1/kv/", "/v1/kv/a", NULL, body, n);
		seen = b.len < WIRE_WINDOW ? b.len : WIRE_WINDOW;
		assert_int_equal(wire_scan(b.p, seen, WIRE_WINDOW, &request), b.len <= WIRE_WINDOW ? WIRE_WHOLE : WIRE_LARGE);
		fcgi_free(&b);
	}
}

static void test_wire__params_larger_than_the_window_are_large(void **state)
{
	static char uri[20000];
	struct fcgi_buf b = { 0 };

	(void)state;
	memset(uri, 'a', sizeof(uri) - 1);
	fcgi_request(&b, "GET", "/get/", uri, NULL, NULL, 0);
	assert_int_equal(wire_scan(b.p, WIRE_WINDOW, WIRE_WINDOW, &request), WIRE_LARGE);
	fcgi_free(&b);
}

/* A twin that gathers the streams first and judges afterwards; it must agree on every damaged request that fits the window. */
static enum wire_verdict wire_twin(const uint8_t *p, size_t n)
{
	struct fcgi_buf params = { 0 };
	int want = FCGI_BEGIN, id = 0;
	size_t at = 0;
	enum wire_verdict v = WIRE_BAD;

	while (want != 0) {
		size_t len, pad;
		int type;

		if (n - at < 8) {
			v = WIRE_NEED_MORE;
			break;
		}
		type = p[at + 1];
		len = (size_t)(p[at + 4] << 8 | p[at + 5]);
		pad = p[at + 6];
		if (p[at] != 1 || (p[at + 2] << 8 | p[at + 3]) == 0 || type != want ||
		    (want != FCGI_BEGIN && (p[at + 2] << 8 | p[at + 3]) != id) || (want == FCGI_BEGIN && len != 8))
			break;
		if (pad > 0 && (len == 0 || want == FCGI_BEGIN))
			break;
		if (want == FCGI_BEGIN && n - at >= 10 && (p[at + 8] != 0 || p[at + 9] != 1))
			break;
		if (want == FCGI_PARAMS)
			fcgi_add(&params, p + at + 8, len < n - at - 8 ? len : n - at - 8);
		id = p[at + 2] << 8 | p[at + 3];
		if (8 + len + pad > n - at) {
			v = 8 + len + pad > WIRE_WINDOW - at ? WIRE_LARGE : WIRE_NEED_MORE;
			break;
		}
		at += 8 + len + pad;
		if (want == FCGI_BEGIN)
			want = FCGI_PARAMS;
		else if (len == 0)
			want = want == FCGI_PARAMS ? FCGI_STDIN : 0;
	}
	if (want == 0)
		v = at == n ? WIRE_WHOLE : WIRE_BAD;
	/* the pairs, as far as they came */
	for (size_t i = 0; i < params.len && v != WIRE_BAD;) {
		size_t length[2] = { 0 };
		int k;

		for (k = 0; k < 2 && i < params.len; k++) {
			length[k] = params.p[i++];
			if (length[k] >= 128) {
				if (params.len - i < 3)
					goto cut;
				length[k] = (length[k] & 127) << 24 | (size_t)params.p[i] << 16 | (size_t)params.p[i + 1] << 8 |
				            params.p[i + 2];
				i += 3;
			}
			if (length[k] > WIRE_PARAM_MAX)
				v = WIRE_BAD;
		}
		if (k < 2)
			goto cut;
		for (size_t j = i; j < i + length[0] + length[1] && j < params.len; j++)
			if (params.p[j] == 0)
				v = WIRE_BAD;
		if (length[0] + length[1] > params.len - i)
			goto cut;
		i += length[0] + length[1];
		continue;
cut:
		if (want == FCGI_STDIN || want == 0)
			v = WIRE_BAD;
		break;
	}
	fcgi_free(&params);
	return v;
}

static void test_wire__agrees_with_a_naive_twin_on_damaged_requests(void **state)
{
	uint64_t seed = test_seed(20261121);
	unsigned seen[4] = { 0 };

	(void)state;
	for (unsigned round = 0; round < 20000 * test_scale(); round++) {
		static uint8_t body[200];
		struct fcgi_buf b = { 0 };
		size_t n;
		enum wire_verdict v;

		fcgi_request(&b, "PUT", "/v1/kv/", "/v1/kv/a", (const char *const[]){ "HTTP_HOST", "localhost", NULL }, body,
		             test_random(&seed) % sizeof(body));
		for (uint64_t flips = test_random(&seed) % 3; flips > 0; flips--)
			b.p[test_random(&seed) % b.len] = (uint8_t)test_random(&seed);
		n = test_random(&seed) % 2 == 0 ? b.len : test_random(&seed) % (b.len + 1);
		v = wire_scan(b.p, n, WIRE_WINDOW, &request);
		assert_int_equal(v, wire_twin(b.p, n));
		seen[v]++;
		fcgi_free(&b);
	}
	assert_true(seen[WIRE_WHOLE] > 0 && seen[WIRE_BAD] > 0 && seen[WIRE_NEED_MORE] > 0);
}

/* ---- answers ----------------------------------------------------------------------------------------------------------- */

/* All of an answer's bytes, taken `step` at a time as a slow socket would. */
static struct fcgi_buf wire_gather(const struct wire_answer *a, size_t step)
{
	uint64_t size = wire_answer_size(a);
	struct fcgi_buf out = { 0 };

	while (out.len < size) {
		struct iovec iov[WIRE_IOV_MAX];
		struct wire_scratch scratch;
		size_t count = wire_answer_iov(a, out.len, &scratch, iov);
		size_t taken = 0;

		assert_in_range(count, 1, WIRE_IOV_MAX);
		for (size_t i = 0; i < count && taken < step; i++) {
			size_t part = iov[i].iov_len < step - taken ? iov[i].iov_len : step - taken;

			assert_true(iov[i].iov_len > 0);
			fcgi_add(&out, iov[i].iov_base, part);
			taken += part;
		}
	}
	assert_int_equal(out.len, size);
	return out;
}

static void test_wire__the_worked_example(void **state)
{
	static const char expected[] = "\1\6\0\1\0\xc\4\0S: 200\r\n\r\nhi\0\0\0\0\1\6\0\1\0\0\0\0\1\3\0\1\0\x8\0\0\0\0\0\0\0\0\0\0";
	struct wire_answer a = { .id = 1, .head = span_str("S: 200\r\n\r\n"), .body = span_str("hi") };

	(void)state;
	for (size_t step = 1; step < 60; step++) {
		struct fcgi_buf b = wire_gather(&a, step);

		assert_int_equal(b.len, sizeof(expected) - 1);
		assert_memory_equal(b.p, expected, b.len);
		fcgi_free(&b);
	}
}

/* Takes the records apart again and compares with head ++ body. */
static void wire_check(const struct wire_answer *a, const struct fcgi_buf *b)
{
	struct fcgi_buf content = { 0 };
	size_t at = 0;

	for (;;) {
		const uint8_t *h = b->p + at;
		size_t n = (size_t)(h[4] << 8 | h[5]);

		assert_true(at + 8 <= b->len);
		assert_int_equal(h[2] << 8 | h[3], a->id);
		at += 8 + n + h[6];
		assert_int_equal(at % 8, 0);
		if (h[1] == FCGI_END)
			break;
		assert_int_equal(h[1], FCGI_STDOUT);
		fcgi_add(&content, h + 8, n);
	}
	assert_int_equal(at, b->len);
	assert_int_equal(content.len, a->head.len + a->body.len);
	assert_memory_equal(content.p, a->head.p, a->head.len);
	if (a->body.len > 0)
		assert_memory_equal(content.p + a->head.len, a->body.p, a->body.len);
	fcgi_free(&content);
}

static void test_wire__answers_of_every_awkward_size(void **state)
{
	static const size_t bodies[] = { 0, 1, 7, 8, 65518, 65519, 65526, 65527, 65528, 65529, 131050, 131056, 131057, 1200000 };
	static const size_t steps[] = { 1000003, 65536, 4099, 65536 * 16 + 8 };
	uint8_t *body = malloc(1200000);
	uint64_t seed = 7;

	(void)state;
	assert_non_null(body);
	for (size_t i = 0; i < 1200000; i++)
		body[i] = (uint8_t)test_random(&seed);
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct wire_answer a = { .id = 513, .head = span_str("Status: 200 OK\r\n\r\n"), .body = span_of(body, bodies[i]) };

		for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++) {
			struct fcgi_buf b = wire_gather(&a, steps[s]);

			wire_check(&a, &b);
			fcgi_free(&b);
		}
	}
	free(body);
}

/* A socket may take any number of bytes: every position around every joint goes on rightly. */
static void test_wire__any_position_goes_on_where_it_stood(void **state)
{
	static uint8_t body[131060];
	struct wire_answer a = { .id = 1, .head = span_str("Status: 200 OK\r\n\r\n"), .body = span_of(body, sizeof(body)) };
	struct fcgi_buf all;

	(void)state;
	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t)(i * 31 >> 3);
	all = wire_gather(&a, 1u << 20);
	for (size_t pos = 0; pos < all.len; pos += pos % 65536 < 65000 && pos % 65536 > 40 ? 501 : 1) {
		struct iovec iov[WIRE_IOV_MAX];
		struct wire_scratch scratch;
		size_t count = wire_answer_iov(&a, pos, &scratch, iov), at = pos;

		for (size_t i = 0; i < count; i++) {
			assert_true(at + iov[i].iov_len <= all.len);
			assert_memory_equal(iov[i].iov_base, all.p + at, iov[i].iov_len);
			at += iov[i].iov_len;
		}
		assert_int_equal(at, all.len);
	}
	fcgi_free(&all);
}

/* Parts of a stream join: all but the last are its bytes alone, and no part of none is anything. */
static void test_wire__an_open_part_has_no_end(void **state)
{
	struct wire_answer whole = { .id = 3, .head = span_str("S: 200\r\n\r\n"), .body = span_str("hello") };
	struct wire_answer part = whole, none = { .id = 3, .open = true };
	struct wire_scratch scratch;
	struct iovec iov[WIRE_IOV_MAX];
	struct fcgi_buf all, open;

	(void)state;
	part.open = true;
	all = wire_gather(&whole, 1u << 20);
	open = wire_gather(&part, 1u << 20);
	assert_int_equal(wire_answer_size(&part), open.len);
	assert_int_equal(open.len, all.len - 3 * WIRE_HEADER);
	assert_memory_equal(open.p, all.p, open.len);
	assert_int_equal(wire_answer_size(&none), 0);
	assert_int_equal(wire_answer_iov(&none, 0, &scratch, iov), 0);
	for (size_t pos = 0; pos <= open.len; pos++) {
		size_t count = wire_answer_iov(&part, pos, &scratch, iov), at = pos;

		for (size_t i = 0; i < count; i++) {
			assert_memory_equal(iov[i].iov_base, open.p + at, iov[i].iov_len);
			at += iov[i].iov_len;
		}
		assert_int_equal(at, open.len);
	}
	fcgi_free(&all);
	fcgi_free(&open);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wire__whole_request_and_each_of_its_beginnings),
		cmocka_unit_test(test_wire__a_byte_behind_the_end_is_bad),
		cmocka_unit_test(test_wire__two_requests_at_once_are_bad),
		cmocka_unit_test(test_wire__wrong_records),
		cmocka_unit_test(test_wire__padding_behind_the_end_of_a_stream_is_bad),
		cmocka_unit_test(test_wire__pairs_end_where_params_end),
		cmocka_unit_test(test_wire__what_a_whole_request_holds),
		cmocka_unit_test(test_wire__a_walk_stays_inside),
		cmocka_unit_test(test_wire__what_can_not_fit_the_window_is_large),
		cmocka_unit_test(test_wire__the_windows_edge),
		cmocka_unit_test(test_wire__params_larger_than_the_window_are_large),
		cmocka_unit_test(test_wire__agrees_with_a_naive_twin_on_damaged_requests),
		cmocka_unit_test(test_wire__the_worked_example),
		cmocka_unit_test(test_wire__answers_of_every_awkward_size),
		cmocka_unit_test(test_wire__any_position_goes_on_where_it_stood),
		cmocka_unit_test(test_wire__an_open_part_has_no_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
