/* SPDX-License-Identifier: Apache-2.0 */
/* test_key.c - the order of entries, and that prefixes and heads tell it where they differ. */
#include "lib/test.h"

#include "core/key.h"

static int sign(int d)
{
	return (d > 0) - (d < 0);
}

static void test_key__prefix_is_big_endian_and_zero_filled(void **state)
{
	static const struct {
		const char *key;
		size_t len;
		uint64_t want;
	} cases[] = {
		{ "", 0, 0 },
		{ "a", 1, UINT64_C(0x6100000000000000) },
		{ "a\0", 2, UINT64_C(0x6100000000000000) },
		{ "abcdefg", 7, UINT64_C(0x6162636465666700) },
		{ "abcdefgh", 8, UINT64_C(0x6162636465666768) },
		{ "abcdefghi", 9, UINT64_C(0x6162636465666768) },
		{ "\xff\xfe\0\x01\x80", 5, UINT64_C(0xfffe000180000000) },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_true(key_prefix(slice_of(cases[i].key, cases[i].len)) == cases[i].want);
}

static void test_key__newer_versions_come_first(void **state)
{
	(void)state;
	assert_int_equal(sign(key_cmp(slice_str("a"), 5, slice_str("a"), 5)), 0);
	assert_int_equal(sign(key_cmp(slice_str("a"), 6, slice_str("a"), 5)), -1);
	assert_int_equal(sign(key_cmp(slice_str("a"), 5, slice_str("a"), SILT_VERSION_MAX)), 1);
	assert_int_equal(sign(key_cmp(slice_str("a"), 1, slice_str("b"), 9)), -1);     /* the key decides first */
	assert_int_equal(sign(key_cmp(slice_str("ab"), 9, slice_str("a"), 1)), 1);
	assert_int_equal(sign(key_cmp(slice_of("a\0", 2), 9, slice_str("a"), 1)), 1);
	assert_int_equal(sign(key_cmp(slice_str("\xff"), 1, slice_str("a"), 1)), 1);   /* bytes have no sign */
}

/* Keys of few letters, many of them zeros, of lengths about a prefix's: ties and beginnings of each other abound. */
static size_t random_key(uint64_t *seed, uint8_t *key)
{
	static const uint8_t letters[] = { 0, 0, 0, 1, 0xff };
	size_t len = test_random(seed) % 20;

	for (size_t i = 0; i < len; i++)
		key[i] = letters[test_random(seed) % sizeof(letters)];
	return len;
}

static void test_key__where_heads_differ_they_are_the_order(void **state)
{
	uint64_t seed = test_seed(3);

	(void)state;
	for (int i = 0; i < 300000; i++) {
		uint8_t room[2][20];
		struct silt_slice a = slice_of(room[0], random_key(&seed, room[0])), b = slice_of(room[1], random_key(&seed, room[1]));
		int want = sign(slice_cmp(a, b)), head = key_head_cmp(key_head(a), key_head(b));

		assert_true(head == 0 || head == want);
		assert_true(want == 0 ? head == 0 : head != 0 || a.len != b.len || a.len > 2 * KEY_PREFIX_BYTES);
		assert_int_equal(key_same(a, b), want == 0);
		assert_int_equal(sign(slice_cmp(b, a)), -want);
		assert_int_equal(slice_eq(a, b), want == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key__prefix_is_big_endian_and_zero_filled),
		cmocka_unit_test(test_key__newer_versions_come_first),
		cmocka_unit_test(test_key__where_heads_differ_they_are_the_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
