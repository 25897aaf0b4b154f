/* SPDX-License-Identifier: Apache-2.0 */
/* test_digest.c - SHA-256(kind || bytes), pinned to what sha256sum says, from several threads at once. */
#include "lib/test.h"

#include <pthread.h>

#include "base/digest.h"

static void check_digest(uint8_t kind, struct silt_slice bytes, const char *hex)
{
	uint8_t out[DIGEST_BYTES];
	char text[2 * DIGEST_BYTES + 1];

	assert_int_equal(digest_one(kind, bytes, out), 0);
	for (int i = 0; i < DIGEST_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", out[i]);
	assert_string_equal(text, hex);
}

static void test_digest__is_sha256_of_kind_and_bytes(void **state)
{
	uint8_t block[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = (uint8_t)(i * 7 + 1);
	check_digest(0, slice_of(NULL, 0), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
	check_digest(1, slice_str(""), "4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a");
	check_digest(0, slice_str("abc"), "609f6e36d2405585188d5cfd761f407c7cc46a7d3f314c88270469dde315fcd1");
	check_digest(1, slice_str("abc"), "1e18834c426d00e57788444cb3ccd62c771b420c095bb0c4e040a8c122c4570d");
	check_digest(7, slice_of(block, sizeof(block)), "6b9ef548c3d82bdb6655a64adf76c337802cf0f2288ebadd6d5a441091dd2e9d");
}

static void test_digest__the_kind_is_not_the_first_byte(void **state)
{
	uint8_t a[DIGEST_BYTES], b[DIGEST_BYTES];

	(void)state;
	/* a block of one kind can't pose as another, whatever it begins with */
	assert_int_equal(digest_one(1, slice_str("abc"), a), 0);
	assert_int_equal(digest_one(2, slice_str("abc"), b), 0);
	assert_memory_not_equal(a, b, DIGEST_BYTES);
	assert_int_equal(digest_one(1, slice_of("\1abc", 4), b), 0);
	assert_memory_not_equal(a, b, DIGEST_BYTES);
}

static void *digest_often(void *arg)
{
	uint8_t first[DIGEST_BYTES], out[DIGEST_BYTES];
	uintptr_t bad = 0;

	bad |= digest_one(3, slice_str(arg), first) != 0;
	for (int i = 0; i < 2000; i++) {
		bad |= digest_one((uint8_t)i, slice_str("between"), out) != 0;
		bad |= digest_one(3, slice_str(arg), out) != 0 || memcmp(out, first, sizeof(out)) != 0;
	}
	return (void *)bad;
}

static void test_digest__threads_do_not_meet(void **state)
{
	static char names[4][2] = { "a", "b", "c", "d" };
	pthread_t t[4];
	void *bad;

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, digest_often, names[i]), 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(t[i], &bad), 0);
		assert_null(bad);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digest__is_sha256_of_kind_and_bytes),
		cmocka_unit_test(test_digest__the_kind_is_not_the_first_byte),
		cmocka_unit_test(test_digest__threads_do_not_meet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
