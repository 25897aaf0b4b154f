/* SPDX-License-Identifier: Apache-2.0 */
/* test_index.c - partitions and top index: the worked example, separators, the search against a naive one, hostile bytes. */
#include "lib/test.h"

#include "base/mem.h"
#include "core/key.h"
#include "table/index.h"

static struct table_addr addr(uint64_t offset, uint32_t length, uint8_t fill)
{
	struct table_addr a = { .offset = offset, .length = length };

	memset(a.digest, fill, DIGEST_BYTES);
	return a;
}

static struct block *load(struct silt_slice raw, uint32_t items, int *rc)
{
	struct block *b = block_new(raw.len, index_room(items));

	assert_non_null(b);
	b->items = items;
	if (raw.len)
		memcpy((void *)(uintptr_t)b->bytes.data, raw.data, raw.len);
	*rc = index_load(b);
	return b;
}

static void test_index__worked_example(void **state)
{
	struct table_addr a = addr(0, 100, 0x11), b = addr(100, 90, 0x22), got;
	uint8_t want[2 + 2 * (5 + DIGEST_BYTES)] = { 1, 'a' };
	struct index_writer w = { 0 };
	struct silt_buf raw = { 0 };
	struct block *block;
	uint8_t key[8];
	uint64_t version;
	int rc;

	(void)state;
	memcpy(want + 2, (uint8_t[]){ 1, 'b', 0, 0, 100 }, 5);
	memset(want + 7, 0x11, DIGEST_BYTES);
	memcpy(want + 39, (uint8_t[]){ 1, 'c', 9, 0, 90 }, 5);
	memset(want + 44, 0x22, DIGEST_BYTES);
	assert_int_equal(index_writer_add(&w, slice_str("ab"), 0, &a), 0);
	assert_int_equal(index_writer_add(&w, slice_str("ac"), 9, &b), 0);
	assert_int_equal(index_writer_finish(&w, &raw), 0);
	assert_int_equal(raw.len, sizeof(want));
	assert_memory_equal(raw.data, want, sizeof(want));

	block = load(buf_slice(&raw), 2, &rc);
	assert_int_equal(rc, 0);
	index_addr(block, 1, &got);
	assert_int_equal(got.offset, 100);
	assert_int_equal(got.length, 90);
	assert_memory_equal(got.digest, b.digest, DIGEST_BYTES);
	assert_int_equal(index_key(block, 1, key, sizeof(key), &version), 2);
	assert_memory_equal(key, "ac", 2);
	assert_int_equal(version, 9);
	assert_int_equal(index_find(block, slice_str("a"), 1), 0);
	assert_int_equal(index_find(block, slice_str("ab"), 1), 0);
	assert_int_equal(index_find(block, slice_str("ab\x01"), 1), 1);
	assert_int_equal(index_find(block, slice_str("ac"), 9), 1);
	assert_int_equal(index_find(block, slice_str("ac"), 8), 2);
	assert_int_equal(index_find(block, slice_str("b"), 8), 2);
	assert_int_equal(index_find(block, slice_str("A"), 8), 0);
	block_unpin(block);
	index_writer_fini(&w);
	buf_fini(&raw);
}

static void test_index__separators_are_short(void **state)
{
	static const char *const cases[][3] = {              /* last, next, separator */
		{ "ab", "abc", "ab" },    { "ab", "ax", "ab" },      { "abcd", "ax", "ac" },  { "abcd", "acx", "ac" },
		{ "abcde", "ac", "abd" }, { "ab\xff" "de", "ac", "ab\xff" "e" }, { "ab", "b", "ab" }, { "a", "b", "a" },
		{ "abc", "b", "ac" },     { "00000033", "00000034", "00000033" }, { "a\xff\xff", "b", "a\xff\xff" },
		{ "abc", "abd\x01", "abc" }, { "abcx", "abd\x01", "abd" },
	};
	uint8_t out[KEY_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t n = index_separator(slice_str(cases[i][0]), slice_str(cases[i][1]), out);

		if (!slice_eq(slice_of(out, n), slice_str(cases[i][2])))
			fail_msg("%s | %s: %.*s", cases[i][0], cases[i][1], (int)n, out);
	}
}

static void test_index__separators_separate(void **state)
{
	uint64_t seed = test_seed(3);
	uint8_t a[6], b[6], out[KEY_MAX];

	(void)state;
	for (int i = 0; i < 200000; i++) {
		struct silt_slice last = slice_of(a, 1 + test_random(&seed) % 6), next = slice_of(b, 1 + test_random(&seed) % 6);
		struct silt_slice s;

		for (int j = 0; j < 6; j++) {
			a[j] = (uint8_t)(0xfd + test_random(&seed) % 4);         /* fd fe ff 00 */
			b[j] = (uint8_t)(0xfd + test_random(&seed) % 4);
		}
		if (slice_cmp(last, next) >= 0)
			continue;
		s = slice_of(out, index_separator(last, next, out));
		assert_true(slice_cmp(last, s) <= 0 && slice_cmp(s, next) < 0 && s.len <= last.len);
	}
}

/* ---- a naive search --------------------------------------------------------------------------------------------------------- */

enum { TWIN_MAX = 500, TWIN_KEY = 24 };
struct twin_separator {
	struct silt_slice key;
	uint64_t version;
};
struct twin {
	uint8_t keys[TWIN_MAX][TWIN_KEY];
	struct twin_separator e[TWIN_MAX];
};

static int twin_order(const void *x, const void *y)
{
	const struct twin_separator *a = x, *b = y;

	return key_cmp(a->key, a->version, b->key, b->version);
}

/* Keys that begin alike for `prefix` bytes and then have few letters, zeros among them: many equal words. */
static size_t twin_key(uint8_t *key, size_t prefix, uint64_t *seed)
{
	size_t n = prefix + test_random(seed) % (TWIN_KEY - prefix + 1);

	memset(key, 'p', TWIN_KEY);
	for (size_t i = prefix; i < n; i++)
		key[i] = test_random(seed) % 4 ? 0 : (uint8_t)(test_random(seed) % 2 ? 'q' : 0xff);
	return n ? n : 1;
}

static void twin_run(uint32_t n, size_t prefix, uint64_t *seed)
{
	static struct twin t;
	struct index_writer w = { 0 };
	struct silt_buf raw = { 0 };
	uint8_t probe[TWIN_KEY];
	struct block *b;
	uint64_t offset = 0;
	int rc;

	for (uint32_t i = 0; i < n; i++) {
		t.e[i].key = slice_of(t.keys[i], twin_key(t.keys[i], prefix, seed));
		t.e[i].version = test_random(seed) % 4;
	}
	qsort(t.e, n, sizeof(t.e[0]), twin_order);
	for (uint32_t i = 0; i < n; i++) {
		struct table_addr a = addr(offset + i % 3, 1 + i, (uint8_t)i);

		assert_int_equal(index_writer_add(&w, t.e[i].key, t.e[i].version, &a), 0);
		offset = a.offset + a.length;
	}
	assert_int_equal(index_writer_finish(&w, &raw), 0);
	b = load(buf_slice(&raw), n, &rc);
	assert_int_equal(rc, 0);
	for (int i = 0; i < 500; i++) {
		struct silt_slice key = slice_of(probe, twin_key(probe, prefix, seed));
		uint64_t version = test_random(seed) % 5;
		uint32_t want = 0;

		if (i % 3 == 0)
			key = t.e[test_random(seed) % n].key;
		while (want < n && key_cmp(t.e[want].key, t.e[want].version, key, version) < 0)
			want++;
		assert_int_equal(index_find(b, key, version), want);
	}
	block_unpin(b);
	index_writer_fini(&w);
	buf_fini(&raw);
}

static void test_index__finds_what_the_twin_finds(void **state)
{
	uint64_t seed = test_seed(4);

	(void)state;
	for (uint32_t n = 1; n < 40; n++)
		twin_run(n, n % 20, &seed);
	twin_run(TWIN_MAX, 0, &seed);
	twin_run(TWIN_MAX, 3, &seed);
	twin_run(TWIN_MAX, 16, &seed);
}

/* ---- hostile bytes ----------------------------------------------------------------------------------------------------------- */

static void look_around(const struct block *b)
{
	uint8_t key[KEY_MAX];
	struct table_addr a;
	uint64_t version, end = 0;

	for (uint32_t i = 0; i < b->items; i++) {
		size_t len = index_key(b, i, key, sizeof(key), &version);

		assert_in_range(len, 1, KEY_MAX);
		assert_true(index_find(b, slice_of(key, len), version) <= b->items);
		index_addr(b, i, &a);
		assert_true(a.offset >= end && a.length > 0);
		end = a.offset + a.length;
	}
}

static void test_index__any_flipped_byte_is_refused_or_harmless(void **state)
{
	struct index_writer w = { 0 };
	struct silt_buf raw = { 0 };
	char key[16];
	int rc;

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		struct table_addr a = addr(1000 * i, 900, (uint8_t)i);

		snprintf(key, sizeof(key), "key%u", i * i);
		assert_int_equal(index_writer_add(&w, slice_str(key), i == 3 ? 700 : 0, &a), 0);
	}
	assert_int_equal(index_writer_finish(&w, &raw), 0);
	for (size_t at = 0; at < raw.len; at++) {
		for (unsigned mask = 1; mask < 256; mask++) {
			struct block *b;

			((uint8_t *)raw.data)[at] ^= (uint8_t)mask;
			b = load(buf_slice(&raw), w.count, &rc);
			assert_true(rc == 0 || rc == SILT_E_CORRUPT);
			if (rc == 0)
				look_around(b);
			block_unpin(b);
			((uint8_t *)raw.data)[at] ^= (uint8_t)mask;
		}
		block_unpin(load(slice_of(raw.data, at), w.count, &rc));         /* and cut short */
		assert_int_equal(rc, SILT_E_CORRUPT);
	}
	for (uint32_t items = 0; items < 10; items++) {
		block_unpin(load(buf_slice(&raw), items, &rc));
		assert_int_equal(rc, items == w.count ? 0 : SILT_E_CORRUPT);
	}
	index_writer_fini(&w);
	buf_fini(&raw);
}

static void test_index__without_memory(void **state)
{
	struct table_addr a = addr(0, 1, 0);

	(void)state;
	for (uint64_t n = 1;; n++) {
		struct index_writer w = { 0 };
		struct silt_buf raw = { 0 };
		int rc;

		mem_fail_at(n, false);
		rc = index_writer_add(&w, slice_str("k"), 0, &a);
		if (rc == 0)
			rc = index_writer_finish(&w, &raw);
		mem_fail_at(0, false);
		index_writer_fini(&w);
		buf_fini(&raw);
		assert_true(rc == 0 || rc == SILT_E_NOMEM);
		if (rc == 0)
			break;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_index__worked_example),
		cmocka_unit_test(test_index__separators_are_short),
		cmocka_unit_test(test_index__separators_separate),
		cmocka_unit_test(test_index__finds_what_the_twin_finds),
		cmocka_unit_test(test_index__any_flipped_byte_is_refused_or_harmless),
		cmocka_unit_test(test_index__without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
