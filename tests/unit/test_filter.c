/* SPDX-License-Identifier: Apache-2.0 */
/* test_filter.c - the blocked bloom filter: its bytes, never a false "no", few false "maybe", hostile sizes. */
#include "lib/test.h"

#include "base/hash.h"
#include "base/mem.h"
#include "table/filter.h"

static uint64_t hash_of(uint64_t i)
{
	return hash_key(slice_of(&i, sizeof(i)));
}

static void build(size_t keys, uint32_t bits, struct silt_buf *out)
{
	struct filter_writer w = { 0 };

	for (size_t i = 0; i < keys; i++)
		assert_int_equal(filter_writer_add(&w, hash_of(i)), 0);
	assert_int_equal(filter_writer_finish(&w, bits, out), 0);
	assert_int_equal(filter_check(buf_slice(out)), 0);
	filter_writer_fini(&w);
}

static void test_filter__worked_example(void **state)
{
	static const unsigned bits[] = { 0, 316, 454, 230, 107, 445 };
	const uint64_t hash = UINT64_C(0x8000000000000001);
	uint8_t want[FILTER_LINE + 1] = { 0 };
	struct filter_writer w = { 0 };
	struct silt_buf got = { 0 };

	(void)state;
	for (int i = 0; i < 6; i++)
		want[bits[i] / 8] |= (uint8_t)(1u << bits[i] % 8);
	want[FILTER_LINE] = 6;
	assert_int_equal(filter_writer_add(&w, hash), 0);
	assert_int_equal(filter_writer_finish(&w, 10, &got), 0);
	assert_int_equal(got.len, sizeof(want));
	assert_memory_equal(got.data, want, sizeof(want));
	assert_true(filter_may_hold(buf_slice(&got), hash));
	assert_false(filter_may_hold(buf_slice(&got), hash + 1));
	filter_writer_fini(&w);
	buf_fini(&got);
}

static void test_filter__never_denies_a_key(void **state)
{
	struct silt_buf f = { 0 };

	(void)state;
	for (uint32_t bits = 1; bits <= FILTER_BITS_MAX; bits++) {
		for (size_t keys = 1; keys < 3000; keys = keys * 3 + 1) {
			build(keys, bits, &f);
			assert_int_equal(f.len, (keys * bits + 511) / 512 * FILTER_LINE + 1);
			for (size_t i = 0; i < keys; i++)
				assert_true(filter_may_hold(buf_slice(&f), hash_of(i)));
		}
	}
	buf_fini(&f);
}

/* Of 10,000 keys that are not there, how many pass? */
static unsigned false_per_10000(size_t keys, uint32_t bits)
{
	struct silt_buf f = { 0 };
	unsigned passed = 0;

	build(keys, bits, &f);
	for (uint64_t i = 0; i < 10000; i++)
		passed += filter_may_hold(buf_slice(&f), hash_of(UINT64_C(1) << 40 | i));
	buf_fini(&f);
	return passed;
}

static void test_filter__false_positives_are_few(void **state)
{
	(void)state;
	assert_in_range(false_per_10000(100000, 10), 10, 150);
	assert_in_range(false_per_10000(100000, 5), 100, 1200);
	assert_in_range(false_per_10000(100000, 16), 0, 40);
	assert_in_range(false_per_10000(100000, 20), 0, 20);
	assert_in_range(false_per_10000(100000, 1), 1000, 9000);
}

static void test_filter__strange_bytes_are_refused(void **state)
{
	uint8_t bytes[3 * FILTER_LINE] = { 0 };

	(void)state;
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		if (n > 0)
			bytes[n - 1] = 6;
		assert_int_equal(filter_check(slice_of(bytes, n)), n > FILTER_LINE && n % FILTER_LINE == 1 ? 0 : SILT_E_CORRUPT);
	}
	for (unsigned probes = 0; probes < 256; probes++) {
		bytes[FILTER_LINE] = (uint8_t)probes;
		assert_int_equal(filter_check(slice_of(bytes, FILTER_LINE + 1)), probes >= 1 && probes <= 24 ? 0 : SILT_E_CORRUPT);
	}
}

static void test_filter__without_memory_nothing_is_lost(void **state)
{
	struct filter_writer w = { 0 };
	struct silt_buf f = { 0 };

	(void)state;
	for (uint64_t i = 0; i < 1024; i++)
		assert_int_equal(filter_writer_add(&w, hash_of(i)), 0);
	mem_fail_at(1, false);
	assert_int_equal(filter_writer_add(&w, hash_of(1024)), SILT_E_NOMEM);
	mem_fail_at(1, false);
	assert_int_equal(filter_writer_finish(&w, 10, &f), SILT_E_NOMEM);
	mem_fail_at(0, false);
	assert_int_equal(filter_writer_add(&w, hash_of(1024)), 0);
	assert_int_equal(filter_writer_finish(&w, 10, &f), 0);
	for (uint64_t i = 0; i <= 1024; i++)
		assert_true(filter_may_hold(buf_slice(&f), hash_of(i)));
	filter_writer_fini(&w);
	buf_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filter__worked_example),
		cmocka_unit_test(test_filter__never_denies_a_key),
		cmocka_unit_test(test_filter__false_positives_are_few),
		cmocka_unit_test(test_filter__strange_bytes_are_refused),
		cmocka_unit_test(test_filter__without_memory_nothing_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
