/* SPDX-License-Identifier: Apache-2.0 */
/* test_cursor.c - integers to bytes and back, and bytes that lie. */
#include "lib/test.h"

#include "base/cursor.h"

static void test_cursor__worked_example(void **state)
{
	/* codec.h: u32le 0x01020304 = 04 03 02 01; varint 300 = ac 02 */
	static const uint8_t bytes[] = { 0x04, 0x03, 0x02, 0x01, 0xac, 0x02 };
	struct cursor c = cursor_of(slice_of(bytes, sizeof(bytes)));
	uint8_t out[sizeof(bytes)];

	(void)state;
	assert_ptr_equal(codec_put_varint(codec_put32(out, 0x01020304), 300), out + sizeof(out));
	assert_memory_equal(out, bytes, sizeof(out));
	assert_int_equal(cursor_u32(&c), 0x01020304);
	assert_int_equal(cursor_varint(&c), 300);
	assert_int_equal(cursor_left(&c), 0);
	assert_false(c.bad);
}

static const uint64_t edges[] = {
	0, 1, 127, 128, 16383, 16384, UINT32_MAX - 1, UINT32_MAX, UINT64_C(1) << 32, UINT64_C(1) << 53, UINT64_C(1) << 63,
	UINT64_MAX - 1, UINT64_MAX,
};

static void check_round_trip(uint64_t v)
{
	uint8_t out[8 + 4 + 1 + VARINT64_MAX];
	uint8_t *end = codec_put64(out, v);
	struct cursor c;

	end = codec_put32(end, (uint32_t)v);
	*end++ = (uint8_t)v;
	end = codec_put_varint(end, v);
	c = cursor_of(slice_of(out, (size_t)(end - out)));
	assert_int_equal(cursor_left(&c), 13 + codec_varint_len(v));
	assert_true(cursor_u64(&c) == v);
	assert_int_equal(cursor_u32(&c), (uint32_t)v);
	assert_int_equal(cursor_u8(&c), (uint8_t)v);
	assert_true(cursor_varint(&c) == v);
	assert_int_equal(cursor_left(&c), 0);
	assert_false(c.bad);
}

static void test_cursor__what_was_put_comes_back(void **state)
{
	uint64_t random = test_seed(11);

	(void)state;
	for (size_t i = 0; i < sizeof(edges) / sizeof(*edges); i++)
		check_round_trip(edges[i]);
	for (int i = 0; i < 10000; i++)
		check_round_trip(test_random(&random) >> (i % 64));
}

static void test_cursor__varint32_is_bad_above_32_bits(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(edges) / sizeof(*edges); i++) {
		uint8_t out[VARINT64_MAX];
		struct cursor c = cursor_of(slice_of(out, (size_t)(codec_put_varint(out, edges[i]) - out)));
		uint32_t v = cursor_varint32(&c);

		assert_int_equal(c.bad, edges[i] > UINT32_MAX);
		assert_int_equal(v, c.bad ? 0 : (uint32_t)edges[i]);
	}
}

static void test_cursor__a_lie_is_bad_for_good(void **state)
{
	static const struct {
		const char *why;
		size_t n;
		uint8_t bytes[12];
	} cases[] = {
		{ "nothing", 0, { 0 } },
		{ "cut", 1, { 0x80 } },
		{ "cut later", 9, { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
		{ "zero in two bytes", 2, { 0x80, 0x00 } },
		{ "one in two bytes", 2, { 0x81, 0x00 } },
		{ "65 bits", 10, { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02 } },
		{ "more than ten bytes", 11, { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01 } },
		{ "a tenth zero", 10, { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct cursor c = cursor_of(slice_of(cases[i].bytes, cases[i].n));

		if (cursor_varint(&c) != 0 || !c.bad)
			fail_msg("%s was taken", cases[i].why);
		/* everything after is zeros, even where bytes are left */
		c.p = cases[i].bytes;
		c.end = cases[i].bytes + sizeof(cases[i].bytes);
		assert_int_equal(cursor_u8(&c), 0);
		assert_int_equal(cursor_u32(&c), 0);
		assert_true(cursor_u64(&c) == 0);
		assert_int_equal(cursor_varint32(&c), 0);
		assert_int_equal(cursor_bytes(&c, 1).len, 0);
		assert_int_equal(cursor_bytes(&c, 0).len, 0);
		assert_ptr_equal(c.p, cases[i].bytes);
		assert_true(c.bad);
	}
}

static void test_cursor__lengths_past_the_end_are_bad(void **state)
{
	static const size_t lengths[] = { 6, 7, 1u << 20, SIZE_MAX / 2, SIZE_MAX - 1, SIZE_MAX };
	struct silt_slice five = slice_str("hello");

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		struct cursor c = cursor_of(five);
		struct silt_slice s = cursor_bytes(&c, lengths[i]);

		assert_true(c.bad);
		assert_null(s.data);
		assert_int_equal(s.len, 0);
	}
	for (size_t n = 0; n <= 5; n++) {
		struct cursor c = cursor_of(five);
		struct silt_slice s = cursor_bytes(&c, n);

		assert_false(c.bad);
		assert_ptr_equal(s.data, five.data);
		assert_int_equal(s.len, n);
		assert_int_equal(cursor_left(&c), 5 - n);
	}
}

static void test_cursor__fixed_widths_need_all_their_bytes(void **state)
{
	static const uint8_t ff[8] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	(void)state;
	for (size_t n = 0; n <= 8; n++) {
		struct cursor a = cursor_of(slice_of(ff, n)), b = a, c = a;

		assert_true(cursor_u64(&a) == (n >= 8 ? UINT64_MAX : 0));
		assert_int_equal(cursor_u32(&b), n >= 4 ? UINT32_MAX : 0);
		assert_int_equal(cursor_u8(&c), n >= 1 ? 0xff : 0);
		assert_int_equal(a.bad, n < 8);
		assert_int_equal(b.bad, n < 4);
		assert_int_equal(c.bad, n < 1);
	}
}

static void test_cursor__of_nothing(void **state)
{
	struct cursor c = cursor_of(slice_of(NULL, 0));

	(void)state;
	assert_int_equal(cursor_left(&c), 0);
	assert_int_equal(cursor_bytes(&c, 0).len, 0);
	assert_false(c.bad);
	assert_int_equal(cursor_u8(&c), 0);
	assert_true(c.bad);
}

/* Random bytes read in random ways: never outside, and once bad always bad. (Address sanitizer watches the heap block.) */
static void test_cursor__random_bytes_stay_inside(void **state)
{
	uint64_t random = test_seed(13);

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t n = test_random(&random) % 40;
		uint8_t *bytes = malloc(n + 1);
		struct cursor c;
		bool was_bad = false;

		for (size_t i = 0; i < n; i++)
			bytes[i] = (uint8_t)(test_random(&random) >> 32);
		c = cursor_of(slice_of(bytes, n));
		for (int i = 0; i < 12; i++) {
			switch (test_random(&random) % 5) {
			case 0: (void)cursor_u8(&c); break;
			case 1: (void)cursor_u32(&c); break;
			case 2: (void)cursor_u64(&c); break;
			case 3: (void)cursor_varint32(&c); break;
			default: (void)cursor_bytes(&c, (size_t)cursor_varint(&c)); break;
			}
			assert_true(c.p >= bytes && c.p <= c.end && c.end == bytes + n);
			assert_false(was_bad && !c.bad);
			was_bad = c.bad;
		}
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cursor__worked_example),
		cmocka_unit_test(test_cursor__what_was_put_comes_back),
		cmocka_unit_test(test_cursor__varint32_is_bad_above_32_bits),
		cmocka_unit_test(test_cursor__a_lie_is_bad_for_good),
		cmocka_unit_test(test_cursor__lengths_past_the_end_are_bad),
		cmocka_unit_test(test_cursor__fixed_widths_need_all_their_bytes),
		cmocka_unit_test(test_cursor__of_nothing),
		cmocka_unit_test(test_cursor__random_bytes_stay_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
