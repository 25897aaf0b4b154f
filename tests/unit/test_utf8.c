/* SPDX-License-Identifier: Apache-2.0 */
/* test_utf8.c - every code point, every two bytes, and what is none. */
#include "lib/test.h"

#include "util/utf8.h"

/* How a code point is spelt, shortest form; surrogates too, which is what must be refused. */
static size_t spell(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 63));
		out[2] = (char)(0x80 | (c & 63));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 63));
	out[2] = (char)(0x80 | (c >> 6 & 63));
	out[3] = (char)(0x80 | (c & 63));
	return 4;
}

static void test_utf8__every_code_point(void **state)
{
	char text[4];

	(void)state;
	for (uint32_t c = 0; c < 0x1fffff; c++) {
		size_t n = spell(c, text);
		bool valid = c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);

		if (utf8_sequence(text, n) != (valid ? n : 0))
			fail_msg("U+%04X", c);
		for (size_t cut = 1; cut < n; cut++)
			assert_int_equal(utf8_sequence(text, cut), 0);
	}
}

/* Every pair of bytes, against the definition. */
static void test_utf8__every_two_bytes(void **state)
{
	(void)state;
	for (int a = 0; a < 256; a++)
		for (int b = 0; b < 256; b++) {
			char text[2] = { (char)a, (char)b };
			bool valid = a < 0x80 ? b < 0x80 : a >= 0xc2 && a <= 0xdf && (b & 0xc0) == 0x80;

			assert_int_equal(utf8_valid(span_of(text, 2)), valid);
		}
}

static void test_utf8__overlong_forms_are_none(void **state)
{
	(void)state;
	assert_false(utf8_valid(span_str("\xc0\xaf")));
	assert_false(utf8_valid(span_str("\xe0\x80\xaf")));
	assert_false(utf8_valid(span_str("\xf0\x80\x80\xaf")));
	assert_false(utf8_valid(span_str("\xfc\x80\x80\x80\x80\xaf")));
	assert_true(utf8_valid(span_of(NULL, 0)));
	assert_true(utf8_valid(span_of("a\0b", 3)));
}

/* The eight-at-once path sees a bad byte wherever it stands. */
static void test_utf8__a_bad_byte_anywhere(void **state)
{
	char text[40];

	(void)state;
	for (size_t at = 0; at < sizeof(text); at++) {
		memset(text, 'x', sizeof(text));
		assert_true(utf8_valid(span_of(text, sizeof(text))));
		text[at] = (char)0x80;
		assert_false(utf8_valid(span_of(text, sizeof(text))));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_utf8__every_code_point),
		cmocka_unit_test(test_utf8__every_two_bytes),
		cmocka_unit_test(test_utf8__overlong_forms_are_none),
		cmocka_unit_test(test_utf8__a_bad_byte_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
