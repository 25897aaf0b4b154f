/* SPDX-License-Identifier: Apache-2.0 */
/* test_hash.c - both hashes reach the disk: every length class of XXH3 is pinned to values of libxxhash 0.8.1. */
#include "lib/test.h"

#include "base/hash.h"

static const uint64_t salt = UINT64_C(0x0123456789abcdef);

static void pattern(uint8_t bytes[300])
{
	for (int i = 0; i < 300; i++)
		bytes[i] = (uint8_t)(i * 7 + 1);
}

static void test_hash__keys_are_xxh3_without_seed(void **state)
{
	(void)state;
	assert_true(hash_key(slice_str("")) == UINT64_C(0x2d06800538d394c2));
	assert_true(hash_key(slice_of(NULL, 0)) == UINT64_C(0x2d06800538d394c2));
	assert_true(hash_key(slice_str("a")) == UINT64_C(0xe6c632b61e964e1f));
	assert_true(hash_key(slice_str("abc")) == UINT64_C(0x78af5f94892f3950));
	assert_true(hash_key(slice_str("siltstone")) == UINT64_C(0xe4f406f548873481));
}

static void test_hash__every_length_class_is_pinned(void **state)
{
	/* of bytes 1, 8, 15, ...: XXH3; and seeded with salt ^ 4096 * 0x9e3779b97f4a7c15 */
	static const struct {
		size_t n;
		uint64_t key, log;
	} cases[] = {
		{ 1, UINT64_C(0xe12ef9d2eb86ceeb), UINT64_C(0xb725b9d18eb91a53) },
		{ 3, UINT64_C(0x5c83885a0fb5d516), UINT64_C(0x348e14121b443b7e) },
		{ 4, UINT64_C(0x244f36de481e7522), UINT64_C(0xabd178dba5aeb90c) },
		{ 8, UINT64_C(0x96cc97a6768fd7a9), UINT64_C(0x73103c7640b4dfd6) },
		{ 9, UINT64_C(0x4781d83b8e99d495), UINT64_C(0x3825d1dec4e15eea) },
		{ 16, UINT64_C(0x913bd4a8038027a7), UINT64_C(0x7d28319c59d8a355) },
		{ 17, UINT64_C(0x2bf6f66973a6179d), UINT64_C(0x6179f966e2949e2d) },
		{ 128, UINT64_C(0xc4399c7829d0628f), UINT64_C(0x1ecf3896e7798b27) },
		{ 129, UINT64_C(0x8433489056750b32), UINT64_C(0x58c6730d2fc2ada4) },
		{ 240, UINT64_C(0x3c0bb96864e543a1), UINT64_C(0x0f3f6d638df02f31) },
		{ 241, UINT64_C(0xbff7215089202d8f), UINT64_C(0xc2ce0231be6f2c99) },
		{ 300, UINT64_C(0x935960848d04785c), UINT64_C(0xfb23a5ae528cc6db) },
	};
	uint8_t bytes[300];

	(void)state;
	pattern(bytes);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_true(hash_key(slice_of(bytes, cases[i].n)) == cases[i].key);
		assert_true(hash_log(bytes, cases[i].n, salt, 4096) == cases[i].log);
	}
}

static void test_hash__log_bytes_hash_by_place_and_segment(void **state)
{
	uint8_t bytes[300];
	uint64_t here;

	(void)state;
	pattern(bytes);
	here = hash_log(bytes, 300, salt, 4096);
	assert_true(here == hash_log(bytes, 300, salt, 4096));
	assert_true(here != hash_log(bytes, 300, salt, 4104));
	assert_true(here != hash_log(bytes, 300, salt + 1, 4096));
	assert_true(here != hash_log(bytes, 299, salt, 4096));
	assert_true(hash_log(bytes, 300, 0, 0) == hash_key(slice_of(bytes, 300)));
	for (int bit = 0; bit < 300 * 8; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_true(here != hash_log(bytes, 300, salt, 4096));
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void test_hash__place_in_memory_does_not_matter(void **state)
{
	uint8_t bytes[300], shifted[300 + 16];

	(void)state;
	pattern(bytes);
	for (size_t shift = 0; shift < 16; shift++) {
		memcpy(shifted + shift, bytes, 300);
		for (size_t n = 0; n <= 300; n++)
			assert_true(hash_key(slice_of(bytes, n)) == hash_key(slice_of(shifted + shift, n)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash__keys_are_xxh3_without_seed),
		cmocka_unit_test(test_hash__every_length_class_is_pinned),
		cmocka_unit_test(test_hash__log_bytes_hash_by_place_and_segment),
		cmocka_unit_test(test_hash__place_in_memory_does_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
