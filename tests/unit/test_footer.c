/* SPDX-License-Identifier: Apache-2.0 */
/* test_footer.c - footer and properties: their worked examples, and what is refused. */
#include "lib/test.h"

#include "base/buf.h"
#include "table/footer.h"
#include "table/properties.h"

static const struct footer sample = {
	.top = { .offset = 0x0102030405, .length = 100, .digest = { 0x11, 0x12 } },
	.filter = { .offset = 500, .length = 65, .digest = { 0x22 } },
	.properties = { .offset = 600, .length = 30, .digest = { 0x33 } },
};
static const uint64_t sample_size = UINT64_C(0x0102030405) + 100 + FOOTER_BYTES;

static int decode(const uint8_t bytes[FOOTER_BYTES], uint64_t file_size, struct footer *out)
{
	return footer_decode(slice_of(bytes, FOOTER_BYTES), file_size, out);
}

static void test_footer__worked_example(void **state)
{
	uint8_t want[FOOTER_BYTES] = { 5, 4, 3, 2, 1, 0, 0, 0, 100, 0, 0, 0, 0x11, 0x12 }, got[FOOTER_BYTES];
	struct footer f;

	(void)state;
	memcpy(want + 44, (uint8_t[]){ 0xf4, 1, 0, 0, 0, 0, 0, 0, 65, 0, 0, 0, 0x22 }, 13);
	memcpy(want + 88, (uint8_t[]){ 0x58, 2, 0, 0, 0, 0, 0, 0, 30, 0, 0, 0, 0x33 }, 13);
	want[176] = 1;
	memcpy(want + 184, "SILTSST1", 8);
	footer_encode(&sample, got);
	assert_memory_equal(got, want, FOOTER_BYTES);
	assert_int_equal(decode(got, sample_size, &f), 0);
	assert_int_equal(f.top.offset, sample.top.offset);
	assert_int_equal(f.filter.length, 65);
	assert_memory_equal(f.properties.digest, sample.properties.digest, DIGEST_BYTES);
}

static void test_footer__parts_lie_within_the_file(void **state)
{
	uint8_t bytes[FOOTER_BYTES];
	struct footer f, out;

	(void)state;
	footer_encode(&sample, bytes);
	assert_int_equal(decode(bytes, sample_size - 1, &out), SILT_E_CORRUPT);
	assert_int_equal(decode(bytes, FOOTER_BYTES - 1, &out), SILT_E_CORRUPT);
	f = sample;
	f.filter.offset = UINT64_MAX - 10;
	footer_encode(&f, bytes);
	assert_int_equal(decode(bytes, sample_size, &out), SILT_E_CORRUPT);
	f = sample;
	f.properties.length = 0;
	footer_encode(&f, bytes);
	assert_int_equal(decode(bytes, sample_size, &out), SILT_E_CORRUPT);
	f = sample;
	memset(&f.filter, 0, sizeof(f.filter));
	footer_encode(&f, bytes);
	assert_int_equal(decode(bytes, sample_size, &out), 0);
	f.filter.digest[3] = 1;                                 /* no filter, and yet a digest */
	footer_encode(&f, bytes);
	assert_int_equal(decode(bytes, sample_size, &out), SILT_E_CORRUPT);
}

static void test_footer__magic_format_and_reserved(void **state)
{
	uint8_t bytes[FOOTER_BYTES];
	struct footer out;

	(void)state;
	for (size_t i = 132; i < FOOTER_BYTES; i++) {
		int want = i >= 176 && i < 180 ? SILT_E_VERSION : SILT_E_CORRUPT;

		footer_encode(&sample, bytes);
		bytes[i] ^= 0x40;
		assert_int_equal(decode(bytes, sample_size, &out), want);
	}
	footer_encode(&sample, bytes);
	assert_int_equal(footer_decode(slice_of(bytes, FOOTER_BYTES - 1), sample_size, &out), SILT_E_CORRUPT);
	assert_int_equal(footer_decode(slice_of(bytes, 0), sample_size, &out), SILT_E_CORRUPT);
}

/* Format 2: with range tombstones, and without entries perhaps. */
static void test_footer__range_tombstones(void **state)
{
	uint8_t bytes[FOOTER_BYTES];
	struct footer f = sample, out;

	(void)state;
	f.range_tombstones = (struct table_addr){ .offset = 700, .length = 12, .digest = { 0x44 } };
	footer_encode(&f, bytes);
	assert_int_equal(bytes[176], 2);
	assert_memory_equal(bytes + 132, ((uint8_t[]){ 0xbc, 2, 0, 0, 0, 0, 0, 0, 12, 0, 0, 0, 0x44 }), 13);
	assert_int_equal(decode(bytes, sample_size, &out), 0);
	assert_int_equal(out.range_tombstones.offset, 700);
	assert_int_equal(out.range_tombstones.digest[0], 0x44);
	bytes[176] = 1;                                         /* format 1 has none */
	assert_int_equal(decode(bytes, sample_size, &out), SILT_E_CORRUPT);
	footer_encode(&sample, bytes);
	bytes[176] = 2;                                         /* and format 2 some */
	assert_int_equal(decode(bytes, sample_size, &out), SILT_E_CORRUPT);
	f.range_tombstones.offset = sample_size;
	footer_encode(&f, bytes);
	assert_int_equal(decode(bytes, sample_size, &out), SILT_E_CORRUPT);
	f.range_tombstones.offset = 700;
	memset(&f.top, 0, sizeof(f.top));
	footer_encode(&f, bytes);
	assert_int_equal(decode(bytes, sample_size, &out), SILT_E_CORRUPT);    /* a filter of nothing */
	memset(&f.filter, 0, sizeof(f.filter));
	footer_encode(&f, bytes);
	assert_int_equal(decode(bytes, sample_size, &out), 0);
	assert_int_equal(out.top.length, 0);
	f = sample;
	memset(&f.top, 0, sizeof(f.top));
	footer_encode(&f, bytes);
	assert_int_equal(decode(bytes, sample_size, &out), SILT_E_CORRUPT);
}

/* ---- properties ---------------------------------------------------------------------------------------------------------- */

static const uint8_t example[] = { 'S', 'I', 'L', 'T', 'S', 'S', 'T', '1', 1, 2, 2, 1, 0, 0, 7, 9, 1, 1, 3, 0, 1, 'a', 1, 'b' };

static void test_properties__worked_example(void **state)
{
	struct properties p = { .entries = 2, .keys = 2, .tombstones = 1, .min_version = 7, .max_version = 9, .data_blocks = 1,
		                .partitions = 1, .raw_bytes = 3, .smallest = slice_str("a"), .largest = slice_str("b") }, got;
	struct silt_buf out = { 0 };

	(void)state;
	assert_int_equal(properties_encode(&p, &out), 0);
	assert_int_equal(out.len, sizeof(example));
	assert_memory_equal(out.data, example, sizeof(example));
	assert_int_equal(properties_decode(buf_slice(&out), &got), 0);
	assert_int_equal(got.entries, 2);
	assert_int_equal(got.max_version, 9);
	assert_true(slice_eq(got.largest, p.largest));
	buf_fini(&out);
}

static void test_properties__every_field_survives(void **state)
{
	struct properties p = { 1000, 900, 3, 5, 1234567890123, 17, SILT_VERSION_MAX, 80, 2, UINT64_C(1) << 50, 1 << 20,
		                slice_str("from"), slice_str("to"), 0 }, got;
	struct silt_buf out = { 0 };

	(void)state;
	assert_int_equal(properties_encode(&p, &out), 0);
	assert_int_equal(properties_decode(buf_slice(&out), &got), 0);
	assert_true(slice_eq(got.smallest, p.smallest) && slice_eq(got.largest, p.largest));
	got.smallest = p.smallest;
	got.largest = p.largest;
	assert_memory_equal(&got, &p, sizeof(p));
	buf_fini(&out);
}

static void test_properties__nonsense_is_refused(void **state)
{
	static const struct {
		size_t at;
		uint8_t byte;
		int want;
	} cases[] = {
		{ 0, 's', SILT_E_CORRUPT },  { 8, 3, SILT_E_VERSION },   { 9, 0, SILT_E_CORRUPT },   { 10, 3, SILT_E_CORRUPT },
		{ 11, 3, SILT_E_CORRUPT },   { 12, 1, SILT_E_CORRUPT },  { 13, 1, SILT_E_CORRUPT },  { 14, 10, SILT_E_CORRUPT },
		{ 16, 0, SILT_E_CORRUPT },   { 16, 3, SILT_E_CORRUPT },  { 17, 2, SILT_E_CORRUPT },  { 20, 0, SILT_E_CORRUPT },
		{ 21, 'c', SILT_E_CORRUPT }, { 22, 2, SILT_E_CORRUPT },  { 22, 0, SILT_E_CORRUPT },
	};
	uint8_t bytes[sizeof(example)];
	struct properties out;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		memcpy(bytes, example, sizeof(bytes));
		bytes[cases[i].at] = cases[i].byte;
		if (properties_decode(slice_of(bytes, sizeof(bytes)), &out) != cases[i].want)
			fail_msg("byte %zu = %u", cases[i].at, cases[i].byte);
	}
	for (size_t n = 0; n < sizeof(example); n++)
		assert_int_equal(properties_decode(slice_of(example, n), &out), SILT_E_CORRUPT);
}

static void test_properties__range_deletes(void **state)
{
	static const uint8_t only[] = { 'S', 'I', 'L', 'T', 'S', 'S', 'T', '1', 2, 0, 0, 0, 0, 0, 7, 9, 0, 0, 0, 0, 3, 1, 'a', 1, 'b' };
	struct properties p = { .min_version = 7, .max_version = 9, .smallest = slice_str("a"), .largest = slice_str("b"),
		                .range_deletes = 3 }, got;
	struct silt_buf out = { 0 };
	uint8_t bytes[sizeof(only)];

	(void)state;
	assert_int_equal(properties_encode(&p, &out), 0);
	assert_int_equal(out.len, sizeof(only));
	assert_memory_equal(out.data, only, sizeof(only));
	assert_int_equal(properties_decode(buf_slice(&out), &got), 0);
	assert_int_equal(got.range_deletes, 3);
	assert_int_equal(got.entries, 0);
	for (size_t i = 10; i < 20; i++) {                      /* nothing is counted of what is not there */
		if (i == 14 || i == 15)
			continue;
		memcpy(bytes, only, sizeof(bytes));
		bytes[i] = 1;
		assert_int_equal(properties_decode(slice_of(bytes, sizeof(bytes)), &got), SILT_E_CORRUPT);
	}
	memcpy(bytes, only, sizeof(bytes));
	bytes[20] = 0;
	assert_int_equal(properties_decode(slice_of(bytes, sizeof(bytes)), &got), SILT_E_CORRUPT);
	p = (struct properties){ 2, 2, 1, 0, 0, 7, 9, 1, 1, 3, 0, slice_str("a"), slice_str("b"), 300 };
	assert_int_equal(properties_encode(&p, &out), 0);
	assert_int_equal(properties_decode(buf_slice(&out), &got), 0);
	assert_int_equal(got.range_deletes, 300);
	assert_int_equal(got.entries, 2);
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_footer__worked_example),
		cmocka_unit_test(test_footer__parts_lie_within_the_file),
		cmocka_unit_test(test_footer__magic_format_and_reserved),
		cmocka_unit_test(test_footer__range_tombstones),
		cmocka_unit_test(test_properties__range_deletes),
		cmocka_unit_test(test_properties__worked_example),
		cmocka_unit_test(test_properties__every_field_survives),
		cmocka_unit_test(test_properties__nonsense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
