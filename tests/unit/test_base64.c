/* SPDX-License-Identifier: Apache-2.0 */
/* test_base64.c - both ways, and one spelling for each value alone. */
#include "lib/test.h"

#include "util/base64.h"

/* RFC 4648 section 10, and the bytes of the alphabet's ends. */
static const struct { const char *plain; size_t len; const char *text; } table[] = {
	{ "", 0, "" }, { "f", 1, "Zg==" }, { "fo", 2, "Zm8=" }, { "foo", 3, "Zm9v" }, { "foob", 4, "Zm9vYg==" },
	{ "fooba", 5, "Zm9vYmE=" },
	{ "foobar", 6, "Zm9vYmFy" }, { "\0", 1, "AA==" }, { "\xff\xfe", 2, "//4=" },
	{ "\xfb\xf0\0", 3, "+/AA" },
};

static const struct { const char *text; size_t bad_at; } refused[] = {
	{ "Z", 1 }, { "Zg", 2 }, { "Zg=", 2 }, { "Zm8", 3 }, { "Zh==", 1 }, { "Zm9=", 2 }, { "Z===", 1 },
	{ "====", 0 }, { "=", 0 },
	{ "Zg==Zg==", 2 }, { "Zm9v Zm9v", 4 }, { "Zm9v\n", 4 }, { "Zm-_", 2 }, { "Zm9v=", 4 }, { "Z=g=", 1 },
	{ "Zg==\n", 2 }, { "\xff===", 0 },
	{ "Zm9vZ", 5 }, { "AAAA====", 4 }, { "A\0==", 1 },
};

static void test_base64__both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct bytes text = {0}, plain = {0};
		size_t bad_at;

		assert_true(base64_encode(span_of(table[i].plain, table[i].len), &text));
		assert_true(span_eq(span_of(text.p, text.len), table[i].text));
		assert_true(base64_decode(span_str(table[i].text), &plain, &bad_at));
		assert_int_equal(plain.len, table[i].len);
		if (plain.len > 0)
			assert_memory_equal(plain.p, table[i].plain, plain.len);
		bytes_fini(&text);
		bytes_fini(&plain);
	}
}

static void test_base64__one_spelling_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct bytes out = {0};
		size_t bad_at;

		if (base64_decode(i == sizeof(refused) / sizeof(refused[0]) - 1 ? span_of("A\0==", 4)
		                                                                : span_str(refused[i].text),
		                  &out, &bad_at))
			fail_msg("taken: %s", refused[i].text);
		if (bad_at != refused[i].bad_at)
			fail_msg("%s: at %zu, not %zu", refused[i].text, bad_at, refused[i].bad_at);
		assert_int_equal(out.len, 0);
		bytes_fini(&out);
	}
}

/* Whatever decodes encodes to the same text: the seeded strings are close to base64, so that many do. */
static void test_base64__what_decodes_encodes_back(void **state)
{
	static const char letters[] = "ABab01+/==";
	uint64_t seed = test_seed(7);
	int taken = 0;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct bytes out = {0}, back = {0};
		char text[12];
		size_t n = test_random(&seed) % sizeof(text), bad_at;

		for (size_t k = 0; k < n; k++)
			text[k] = letters[test_random(&seed) % (k + 2 < n ? 8 : 10)];
		if (base64_decode(span_of(text, n), &out, &bad_at)) {
			taken++;
			assert_true(base64_encode(span_of(out.p, out.len), &back));
			assert_int_equal(back.len, n);
			if (n > 0)
				assert_memory_equal(back.p, text, n);
		} else {
			assert_in_range(bad_at, 0, n);
		}
		bytes_fini(&out);
		bytes_fini(&back);
	}
	assert_in_range(taken, 1000, 19000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base64__both_ways),
		cmocka_unit_test(test_base64__one_spelling_only),
		cmocka_unit_test(test_base64__what_decodes_encodes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
