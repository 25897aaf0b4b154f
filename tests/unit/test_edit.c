/* SPDX-License-Identifier: Apache-2.0 */
/* test_edit.c - the worked example byte for byte, every field there and back, and bytes that want to do harm. */
#include "lib/simfail.h"

#include "base/codec.h"
#include "lib/versionkit.h"
#include "version/edit.h"

/* The worked example of edit.c. */
static const uint8_t example[] = {
	0x02, 0x0b,
	0x04, 0x00, 0x09,
	0x05, 0x06, 0x0a, 0xac, 0x02, 0x03, 0x01, 0x00, 0x00, 0x05, 0x07,
	0x01, 0x61, 0x02, 0x63, 0x63,
	0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f,
	0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f,
};
enum { EXAMPLE_ADD = 5, EXAMPLE_SMALLEST = 16 };   /* offsets in it */

static struct table_meta *edit_example_table(void)
{
	struct table_meta *m = versionkit_table("10:a-cc@5-7*300e3t1");

	for (size_t i = 0; i < sizeof(m->digest); i++)
		m->digest[i] = (uint8_t)i;
	return m;
}

static void edit_example(struct edit *e)
{
	struct table_meta *m = edit_example_table();

	edit_init(e);
	e->has_next_file = true;
	e->next_file = 11;
	assert_int_equal(edit_drop_table(e, 0, 9), 0);
	assert_int_equal(edit_add_table(e, 6, m), 0);
	table_meta_unref(m);
}

static bool edit_same(const struct edit *a, const struct edit *b)
{
	if (a->has_wal_number != b->has_wal_number || a->wal_number != b->wal_number || a->has_next_file != b->has_next_file ||
	    a->next_file != b->next_file || a->has_last_version != b->has_last_version || a->last_version != b->last_version ||
	    a->add_count != b->add_count || a->drop_count != b->drop_count)
		return false;
	for (size_t i = 0; i < a->add_count; i++)
		if (a->adds[i].level != b->adds[i].level || !versionkit_meta_same(a->adds[i].meta, b->adds[i].meta))
			return false;
	for (size_t i = 0; i < a->drop_count; i++)
		if (a->drops[i].level != b->drops[i].level || a->drops[i].number != b->drops[i].number)
			return false;
	return true;
}

static void test_edit__worked_example(void **state)
{
	struct silt_buf bytes = { 0 };
	struct edit e, back;

	(void)state;
	edit_example(&e);
	assert_int_equal(edit_encode(&e, &bytes), 0);
	assert_int_equal(bytes.len, sizeof(example));
	assert_memory_equal(bytes.data, example, sizeof(example));
	assert_int_equal(edit_decode(slice_of(example, sizeof(example)), &back), 0);
	assert_true(edit_same(&e, &back));
	edit_fini(&back);
	edit_fini(&e);
	buf_fini(&bytes);
}

/* Tag 7: the same bytes, and one version for all. */
static void test_edit__an_ingested_table_has_one_version(void **state)
{
	uint8_t bytes[sizeof(example)];
	struct silt_buf again = { 0 };
	struct edit e;

	(void)state;
	memcpy(bytes, example, sizeof(bytes));
	bytes[5] = 0x07;
	assert_int_equal(edit_decode(slice_of(bytes, sizeof(bytes)), &e), SILT_E_CORRUPT);       /* versions 5..7 */
	bytes[14] = 0x07;
	assert_int_equal(edit_decode(slice_of(bytes, sizeof(bytes)), &e), 0);
	assert_int_equal(e.adds[0].meta->assigned, 7);
	assert_int_equal(edit_encode(&e, &again), 0);
	assert_memory_equal(again.data, bytes, sizeof(bytes));
	edit_fini(&e);
	bytes[14] = bytes[15] = 0;
	assert_int_equal(edit_decode(slice_of(bytes, sizeof(bytes)), &e), SILT_E_CORRUPT);
	buf_fini(&again);
}

static void edit_random(uint64_t *seed, struct edit *e)
{
	edit_init(e);
	e->has_wal_number = test_random(seed) & 1;
	e->wal_number = e->has_wal_number ? test_random(seed) : 0;
	e->has_next_file = test_random(seed) & 1;
	e->next_file = e->has_next_file ? test_random(seed) : 0;
	e->has_last_version = test_random(seed) & 1;
	e->last_version = e->has_last_version ? test_random(seed) >> 11 : 0;
	for (uint64_t n = test_random(seed) % 20; n > 0; n--)
		assert_int_equal(edit_drop_table(e, (int)(test_random(seed) % SILT_LEVELS), test_random(seed) | 1), 0);
	for (uint64_t n = test_random(seed) % 20; n > 0; n--) {
		char key[SILT_KEY_MAX];
		size_t len = 1 + test_random(seed) % sizeof(key);
		struct table_meta *m;

		memset(key, (int)(test_random(seed) & 0xff), sizeof(key));
		m = table_meta_new(slice_of(key, 1 + test_random(seed) % len), slice_of(key, len));
		assert_non_null(m);
		m->number = (test_random(seed) >> 1) | 1;
		m->size = test_random(seed) | 1;
		m->entries = test_random(seed) | 1;
		m->tombstones = m->entries / 2;
		m->expiring = m->entries - m->tombstones;
		m->earliest_expiry_ms = test_random(seed) | 1;
		m->range_deletes = test_random(seed) & 1 ? test_random(seed) : 0;
		m->max_version = test_random(seed) & SILT_VERSION_MAX;
		m->min_version = m->max_version / 3;
		if (test_random(seed) % 4 == 0 && m->max_version)
			m->assigned = m->min_version = m->max_version;
		if (m->assigned)
			m->range_deletes = 0;
		memset(m->digest, (int)(test_random(seed) & 0xff), sizeof(m->digest));
		assert_int_equal(edit_add_table(e, (int)(test_random(seed) % SILT_LEVELS), m), 0);
		table_meta_unref(m);
	}
}

static void test_edit__whatever_it_holds_comes_back(void **state)
{
	uint64_t seed = test_seed(7);
	struct silt_buf bytes = { 0 };

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct edit e, back;

		edit_random(&seed, &e);
		bytes.len = 0;
		assert_int_equal(buf_append(&bytes, "before", 6), 0);
		assert_int_equal(edit_encode(&e, &bytes), 0);
		assert_memory_equal(bytes.data, "before", 6);
		assert_int_equal(edit_decode(slice_of((char *)bytes.data + 6, bytes.len - 6), &back), 0);
		assert_true(edit_same(&e, &back));
		edit_fini(&back);
		edit_fini(&e);
	}
	buf_fini(&bytes);
}

static void test_edit__an_empty_one_is_no_bytes(void **state)
{
	struct silt_buf bytes = { 0 };
	struct edit e, back;

	(void)state;
	edit_init(&e);
	assert_int_equal(edit_encode(&e, &bytes), 0);
	assert_int_equal(bytes.len, 0);
	assert_int_equal(edit_decode(slice_of(NULL, 0), &back), 0);
	assert_true(edit_same(&e, &back));
	buf_fini(&bytes);
}

static int edit_decode_only(const uint8_t *bytes, size_t n)
{
	struct edit e;
	uint8_t *copy = test_malloc(n ? n : 1);         /* of its own length, so that a sanitizer sees a read past it */
	int rc;

	if (n)
		memcpy(copy, bytes, n);
	rc = edit_decode(slice_of(copy, n), &e);
	if (rc < 0)
		assert_true(e.add_count == 0 && e.drop_count == 0 && !e.adds && !e.drops && !e.has_next_file);
	edit_fini(&e);
	test_free(copy);
	return rc;
}

static void test_edit__every_cut_is_refused_or_a_whole_field(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof(example); n++)
		assert_int_equal(edit_decode_only(example, n), n == 0 || n == 2 || n == EXAMPLE_ADD ? 0 : SILT_E_CORRUPT);
}

static void test_edit__no_flipped_bit_crashes_it(void **state)
{
	(void)state;
	for (size_t bit = 0; bit < 8 * sizeof(example); bit++) {
		uint8_t bytes[sizeof(example)];

		memcpy(bytes, example, sizeof(example));
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		(void)edit_decode_only(bytes, sizeof(bytes));
	}
}

/* The example's add with one varint replaced: 0 level, 1 number, 2 size, 3 entries, 4 tombstones, 5 expiring, 6 earliest, 7 and 8
 * versions, 9 and 10 the keys' lengths (the keys stand behind them as they are). */
static int edit_decode_with(int field, uint64_t value)
{
	uint64_t f[] = { 6, 10, 300, 3, 1, 0, 0, 5, 7, 1, 2 };
	uint8_t bytes[256], *p = bytes;

	f[field] = value;
	*p++ = 5;
	for (int i = 0; i < 9; i++)
		p = codec_put_varint(p, f[i]);
	p = codec_put_varint(p, f[9]);
	*p++ = 'a';
	p = codec_put_varint(p, f[10]);
	*p++ = 'c';
	*p++ = 'c';
	memset(p, 0, 32);
	return edit_decode_only(bytes, (size_t)(p + 32 - bytes));
}

static void test_edit__fields_out_of_range_are_refused(void **state)
{
	static const struct {
		int field;
		uint64_t value;
		int rc;
	} cases[] = {
		{ 0, 0, 0 }, { 0, SILT_LEVELS - 1, 0 }, { 0, SILT_LEVELS, SILT_E_CORRUPT }, { 0, UINT64_MAX, SILT_E_CORRUPT },
		{ 1, 0, SILT_E_CORRUPT }, { 1, UINT64_MAX, SILT_E_CORRUPT }, { 1, UINT64_MAX - 1, 0 },
		{ 2, 0, SILT_E_CORRUPT }, { 3, 0, SILT_E_CORRUPT }, { 3, 1, 0 },
		{ 4, 3, 0 }, { 4, 4, SILT_E_CORRUPT }, { 4, UINT64_MAX, SILT_E_CORRUPT },
		{ 5, 1, SILT_E_CORRUPT /* no earliest */ }, { 5, UINT64_MAX, SILT_E_CORRUPT }, { 6, 9, SILT_E_CORRUPT /* none expires */ },
		{ 7, 7, 0 }, { 7, 8, SILT_E_CORRUPT }, { 8, SILT_VERSION_MAX, 0 }, { 8, SILT_VERSION_MAX + 1, SILT_E_CORRUPT },
		{ 9, 0, SILT_E_CORRUPT }, { 9, SILT_KEY_MAX + 1, SILT_E_CORRUPT }, { 9, UINT64_MAX, SILT_E_CORRUPT },
		{ 10, 0, SILT_E_CORRUPT }, { 10, SILT_KEY_MAX + 1, SILT_E_CORRUPT }, { 10, SILT_KEY_MAX, SILT_E_CORRUPT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(edit_decode_with(cases[i].field, cases[i].value), cases[i].rc);
}

/* "a".."cc" again, with two range deletes: tag 6 and their count, and the rest as it was. Then there need be no entries. */
static void test_edit__range_deletes(void **state)
{
	uint8_t want[sizeof(example) - EXAMPLE_ADD + 1];
	struct table_meta *m = edit_example_table();
	struct silt_buf bytes = { 0 };
	struct edit e, back;

	(void)state;
	memcpy(want + 2, example + EXAMPLE_ADD + 1, sizeof(want) - 2);
	want[0] = 6;
	want[1] = 2;
	edit_init(&e);
	m->range_deletes = 2;
	assert_int_equal(edit_add_table(&e, 6, m), 0);
	assert_int_equal(edit_encode(&e, &bytes), 0);
	assert_int_equal(bytes.len, sizeof(want));
	assert_memory_equal(bytes.data, want, sizeof(want));
	assert_int_equal(edit_decode(buf_slice(&bytes), &back), 0);
	assert_true(edit_same(&e, &back));
	edit_fini(&back);
	m->entries = m->tombstones = 0;
	bytes.len = 0;
	assert_int_equal(edit_encode(&e, &bytes), 0);
	assert_int_equal(edit_decode(buf_slice(&bytes), &back), 0);
	assert_true(edit_same(&e, &back));
	edit_fini(&back);
	edit_fini(&e);
	table_meta_unref(m);
	buf_fini(&bytes);
}

static void test_edit__odd_fields_are_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		int rc;
	} cases[] = {
		{ "\x01\x05\x02\x06\x03\x07", 6, 0 },
		{ "\x03\x07\x01\x05", 4, 0 },                          /* any order */
		{ "\x01\x05\x01\x05", 4, SILT_E_CORRUPT },             /* twice */
		{ "\x02\x05\x02\x06", 4, SILT_E_CORRUPT },
		{ "\x03\x05\x03\x06", 4, SILT_E_CORRUPT },
		{ "\x03\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10, SILT_E_CORRUPT },    /* over SILT_VERSION_MAX */
		{ "\x00", 1, SILT_E_VERSION },
		{ "\x3f\x01", 2, SILT_E_VERSION },
		{ "\x06\x00", 2, SILT_E_CORRUPT },                     /* an add with no range deletes is a 5 */
		{ "\x06\x01", 2, SILT_E_CORRUPT },
		{ "\x01\x05\x3f", 3, SILT_E_VERSION },
		{ "\x81\x00\x05", 3, SILT_E_CORRUPT },                 /* a tag longer than it need be */
		{ "\x04\x00\x00", 3, SILT_E_CORRUPT },                 /* drops number 0 */
		{ "\x04\x07\x01", 3, SILT_E_CORRUPT },                 /* of level 7 */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(edit_decode_only((const uint8_t *)cases[i].bytes, cases[i].n), cases[i].rc);
}

static void test_edit__keys_out_of_order_are_refused(void **state)
{
	uint8_t bytes[sizeof(example)];

	(void)state;
	memcpy(bytes, example, sizeof(example));
	bytes[EXAMPLE_SMALLEST + 1] = 'd';
	assert_int_equal(edit_decode_only(bytes, sizeof(bytes)), SILT_E_CORRUPT);
	bytes[EXAMPLE_SMALLEST + 1] = 'c';
	assert_int_equal(edit_decode_only(bytes, sizeof(bytes)), 0);
}

static void test_edit__random_bytes_do_no_harm(void **state)
{
	uint64_t seed = test_seed(11);

	(void)state;
	for (int round = 0; round < 20000; round++) {
		uint8_t bytes[96];
		size_t n = test_random(&seed) % sizeof(bytes);

		for (size_t i = 0; i < n; i++)
			bytes[i] = (uint8_t)(test_random(&seed) % (round & 1 ? 8 : 256));
		(void)edit_decode_only(bytes, n);
	}
}

static int edit_there_and_back(void)
{
	struct silt_buf bytes = { 0 };
	struct edit e, back;
	struct table_meta *m = NULL;
	int rc = 0;

	edit_init(&e);
	edit_init(&back);
	m = table_meta_new(slice_str("a"), slice_str("b"));
	if (!m)
		return SILT_E_NOMEM;
	m->number = m->size = m->entries = 1;
	for (int i = 0; rc == 0 && i < 6; i++)
		rc = edit_add_table(&e, 1, m);
	for (uint64_t i = 1; rc == 0 && i < 7; i++)
		rc = edit_drop_table(&e, 1, i);
	if (rc == 0)
		rc = edit_encode(&e, &bytes);
	if (rc < 0)
		assert_int_equal(bytes.len, 0);
	if (rc == 0)
		rc = edit_decode(buf_slice(&bytes), &back);
	edit_fini(&back);
	edit_fini(&e);
	table_meta_unref(m);
	buf_fini(&bytes);
	return rc;
}

static void test_edit__each_failed_allocation_is_said_and_leaves_nothing(void **state)
{
	(void)state;
	assert_true(simfail_each_allocation(edit_there_and_back) >= 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edit__worked_example),
		cmocka_unit_test(test_edit__an_ingested_table_has_one_version),
		cmocka_unit_test(test_edit__whatever_it_holds_comes_back),
		cmocka_unit_test(test_edit__an_empty_one_is_no_bytes),
		cmocka_unit_test(test_edit__every_cut_is_refused_or_a_whole_field),
		cmocka_unit_test(test_edit__no_flipped_bit_crashes_it),
		cmocka_unit_test(test_edit__fields_out_of_range_are_refused),
		cmocka_unit_test(test_edit__odd_fields_are_refused),
		cmocka_unit_test(test_edit__range_deletes),
		cmocka_unit_test(test_edit__keys_out_of_order_are_refused),
		cmocka_unit_test(test_edit__random_bytes_do_no_harm),
		cmocka_unit_test(test_edit__each_failed_allocation_is_said_and_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
