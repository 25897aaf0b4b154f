/* SPDX-License-Identifier: Apache-2.0 */
/* test_range_cursor.c - cursors of pages: what they hold, byte for byte, and that nothing else is taken for one. */
#include "lib/test.h"

#include "server/range_cursor.h"

static struct range range_of(const char *lower, const char *upper, bool reverse, bool keys_only)
{
	struct range r = { .reverse = reverse, .keys_only = keys_only };

	assert_true(bytes_adds(&r.lower, lower) && bytes_adds(&r.upper, upper));
	return r;
}

static void encode(struct range r, const char *after, char *out, size_t size)
{
	struct bytes text = {0};

	range_cursor_encode(&r, span_str(after), &text);
	assert_false(text.bad);
	snprintf(out, size, "%.*s", (int)text.len, text.p);
	bytes_fini(&text);
	range_fini(&r);
}

static bool decodes(struct span text)
{
	struct range r = {0};
	bool no_memory, ok = range_cursor_decode(text, &r, &no_memory);

	assert_false(no_memory);
	range_fini(&r);
	return ok;
}

static void test_range_cursor__worked_example(void **state)
{
	char text[64];

	(void)state;
	encode(range_of("a", "c", false, false), "b", text, sizeof(text));
	assert_string_equal(text, "AQCq0EPVAAFhAAFjAAFi");
	assert_true(decodes(span_str(text)));
}

static void test_range_cursor__comes_back_as_it_was(void **state)
{
	static const struct { const char *lower, *upper, *after; } table[] = {
		{ "", "", "x" }, { "a", "", "a" }, { "", "\xff", "\xfe\xff\xff" }, { "a/", "a0", "a/b c?&" }, { "k", "l", "kkkkkkkkk" },
	};

	(void)state;
	for (size_t i = 0; i < 4 * sizeof(table) / sizeof(table[0]); i++) {
		struct range r = {0};
		char text[128];
		bool no_memory;

		encode(range_of(table[i / 4].lower, table[i / 4].upper, i & 1, i & 2), table[i / 4].after, text, sizeof(text));
		assert_int_equal(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), strlen(text));
		assert_true(range_cursor_decode(span_str(text), &r, &no_memory));
		assert_true(span_eq(span_of(r.lower.p, r.lower.len), table[i / 4].lower));
		assert_true(span_eq(span_of(r.upper.p, r.upper.len), table[i / 4].upper));
		assert_true(span_eq(span_of(r.after.p, r.after.len), table[i / 4].after));
		assert_int_equal(r.reverse, i & 1);
		assert_int_equal(r.keys_only, (i & 2) != 0);
		range_fini(&r);
	}
}

static void test_range_cursor__the_longest_keys(void **state)
{
	struct range r = {0}, back = {0};
	struct bytes text = {0};
	char key[4096];
	bool no_memory;

	(void)state;
	memset(key, 'k', sizeof(key));
	assert_true(bytes_add(&r.lower, key, sizeof(key)) && bytes_add(&r.upper, key, sizeof(key)));
	r.upper.p[4095] = 'z';
	key[4095] = 'l';
	range_cursor_encode(&r, span_of(key, sizeof(key)), &text);
	assert_true(range_cursor_decode(span_of(text.p, text.len), &back, &no_memory));
	assert_memory_equal(back.after.p, key, sizeof(key));
	range_fini(&back);
	bytes_add(&r.lower, "x", 1);                          /* a bound of 4,097 bytes is nobody's */
	bytes_clear(&text);
	range_cursor_encode(&r, span_of(key, sizeof(key)), &text);
	assert_false(decodes(span_of(text.p, text.len)));
	range_fini(&r);
	bytes_fini(&text);
}

/* Each change of one character, each cut, and each character more. */
static void test_range_cursor__nothing_else_is_one(void **state)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=%. \x80";
	char text[64], changed[80];
	size_t n;

	(void)state;
	encode(range_of("a", "c", true, true), "b", text, sizeof(text));
	n = strlen(text);
	for (size_t i = 0; i < n; i++) {
		assert_false(decodes(span_of(text, i)));
		for (size_t j = 0; j < sizeof(alphabet) - 1; j++) {
			snprintf(changed, sizeof(changed), "%s", text);
			changed[i] = alphabet[j];
			assert_int_equal(decodes(span_of(changed, n)), changed[i] == text[i]);
		}
	}
	for (size_t j = 0; j < sizeof(alphabet) - 1; j++) {
		snprintf(changed, sizeof(changed), "%s%c", text, alphabet[j]);
		assert_false(decodes(span_str(changed)));
	}
	assert_false(decodes(span_of("", 0)));
}

/* Well made, and of no page that we could have given. */
static void test_range_cursor__a_place_outside_its_range_is_refused(void **state)
{
	static const struct { const char *lower, *upper, *after; bool ok; } table[] = {
		{ "b", "d", "a", false }, { "b", "d", "b", true }, { "b", "d", "c", true }, { "b", "d", "d", false }, { "b", "d", "e", false },
		{ "b", "d", "", false }, { "", "", "", false }, { "d", "b", "c", false }, { "b", "", "a", false }, { "b", "", "\xff", true },
		{ "", "d", "c\xff", true }, { "b", "b", "b", false },
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		encode(range_of(table[i].lower, table[i].upper, false, false), table[i].after, text, sizeof(text));
		assert_int_equal(decodes(span_str(text)), table[i].ok);
	}
}

static void test_range_prefix_end__is_the_least_key_above_all_of_them(void **state)
{
	static const struct { const char *prefix, *end; } table[] = {
		{ "", "" }, { "a", "b" }, { "a/", "a0" }, { "a\xff", "b" }, { "a\xff\xff", "b" }, { "\xff", "" }, { "\xff\xff", "" },
		{ "\xfe", "\xff" }, { "a\x7f", "a\x80" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct bytes out = {0};

		assert_true(range_prefix_end(span_str(table[i].prefix), &out));
		assert_true(span_eq(span_of(out.p, out.len), table[i].end));
		bytes_fini(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_range_cursor__worked_example),
		cmocka_unit_test(test_range_cursor__comes_back_as_it_was),
		cmocka_unit_test(test_range_cursor__the_longest_keys),
		cmocka_unit_test(test_range_cursor__nothing_else_is_one),
		cmocka_unit_test(test_range_cursor__a_place_outside_its_range_is_refused),
		cmocka_unit_test(test_range_prefix_end__is_the_least_key_above_all_of_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
