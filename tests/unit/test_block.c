/* SPDX-License-Identifier: Apache-2.0 */
/* test_block.c - block_writer and block_reader: the worked example, random access against a naive twin, hostile bytes. */
#include "lib/test.h"

#include "base/codec.h"
#include "base/hash.h"
#include "base/mem.h"
#include "core/key.h"
#include "table/block_reader.h"
#include "table/block_writer.h"

static struct entry put(const char *key, uint64_t version, const char *value)
{
	return (struct entry){ .key = slice_str(key), .version = version, .kind = ENTRY_PUT, .value = slice_str(value) };
}

static struct entry del(const char *key, uint64_t version)
{
	return (struct entry){ .key = slice_str(key), .version = version, .kind = ENTRY_DELETE };
}

static void add(struct block_writer *w, const struct entry *e)
{
	assert_int_equal(block_writer_add(w, e, hash_key(e->key)), 0);
}

/* A block of these bytes; its load's outcome in *rc. */
static struct block *load(struct silt_slice raw, uint32_t items, int *rc)
{
	struct block *b = block_new(raw.len, block_reader_room(items));

	assert_non_null(b);
	b->items = items;
	memcpy((void *)(uintptr_t)b->bytes.data, raw.data, raw.len);
	*rc = block_reader_load(b);
	return b;
}

static struct block *finish(struct block_writer *w)
{
	struct block *b;
	int rc;

	assert_int_equal(block_writer_finish(w), 0);
	b = load(buf_slice(&w->raw), w->count, &rc);
	assert_int_equal(rc, 0);
	return b;
}

static void test_block__worked_example(void **state)
{
	static const uint8_t want[] = { 7, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 0, 1, 'a', 'b', '1', 1, 2, 1, 3, 2, 'c', '2', '2', 2, 0, 1, 4, 'b' };
	struct entry e[] = { put("ab", 7, "1"), put("abc", 5, "22"), del("b", 9) };
	struct block_writer w = { 0 };
	const uint8_t *tags;

	(void)state;
	for (int i = 0; i < 3; i++)
		add(&w, &e[i]);
	assert_int_equal(block_writer_finish(&w), 0);
	assert_int_equal(w.count, 3);
	assert_int_equal(w.raw.len, sizeof(want) + 3);
	assert_memory_equal(w.raw.data, want, sizeof(want));
	tags = (const uint8_t *)w.raw.data + sizeof(want);
	for (int i = 0; i < 3; i++)
		assert_int_equal(tags[i], hash_key(e[i].key) & 0xff);
	block_writer_fini(&w);
}

static void test_block__expiry_and_metadata_are_flagged(void **state)
{
	static const uint8_t want[] = { 9, 0, 0, 0, 0, 0, 0, 0, 0x19, 0, 1, 0, 1, 0xac, 2, 2, 'k', 'm', 'm', 'v' };
	struct entry e = put("k", 9, "v"), got;
	struct block_writer w = { 0 };
	struct block *b;

	(void)state;
	e.expires_ms = 300;
	e.meta = slice_str("mm");
	add(&w, &e);
	b = finish(&w);
	assert_memory_equal(w.raw.data, want, sizeof(want));
	assert_int_equal(block_reader_get(b, e.key, hash_key(e.key), 9, &got), 0);
	assert_int_equal(got.expires_ms, 300);
	assert_true(slice_eq(got.meta, e.meta) && slice_eq(got.value, e.value));
	block_unpin(b);
	block_writer_fini(&w);
}

/* ---- a naive twin ---------------------------------------------------------------------------------------------------------- */

enum { TWIN_MAX = 3000 };
struct twin {
	char keys[TWIN_MAX][12];
	struct entry e[TWIN_MAX];
	uint32_t n;
};

static int twin_order(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;

	return key_cmp(a->key, a->version, b->key, b->version);
}

static void twin_fill(struct twin *t, uint32_t n, unsigned distinct, uint64_t *seed)
{
	t->n = 0;
	for (uint32_t i = 0; i < n; i++) {
		snprintf(t->keys[i], sizeof(t->keys[i]), "k%x", (unsigned)(test_random(seed) % distinct));
		t->e[i] = test_random(seed) % 3 ? put(t->keys[i], 1 + i, t->keys[i]) : del(t->keys[i], 1 + i);
	}
	t->n = n;
	qsort(t->e, n, sizeof(t->e[0]), twin_order);
}

static uint32_t twin_seek(const struct twin *t, struct silt_slice key, uint64_t version)
{
	uint32_t i = 0;

	while (i < t->n && key_cmp(t->e[i].key, t->e[i].version, key, version) < 0)
		i++;
	return i;
}

static void twin_compare(const struct twin *t, const struct block *b, const char *key, uint64_t version)
{
	struct silt_slice k = slice_str(key);
	uint32_t at = twin_seek(t, k, version);
	struct entry got;
	int rc = block_reader_get(b, k, hash_key(k), version, &got);

	assert_int_equal(block_reader_seek(b, k, version), at);
	if (at < t->n && slice_eq(t->e[at].key, k)) {
		assert_int_equal(rc, 0);
		assert_int_equal(got.version, t->e[at].version);
		assert_int_equal(got.kind, t->e[at].kind);
		assert_true(slice_eq(got.value, t->e[at].value));
	} else {
		assert_int_equal(rc, SILT_NOTFOUND);
	}
}

/* Entries from..to of an interval, as far as they go: each as it is by itself. */
static uint32_t check_run(const struct block *b, uint32_t from, uint32_t to)
{
	static struct block_run run;
	uint8_t room[KEY_MAX];
	uint32_t end = block_reader_run(b, from, to, &run);

	block_reader_foretell(b, from, to);
	assert_true(from <= to ? end >= from && end <= to : end <= from && end >= to);
	for (uint32_t i = from < end ? from : end; i <= (from < end ? end : from); i++) {
		const struct entry *got = &run.at[i % BLOCK_RESTART];
		struct entry e;

		block_reader_entry(b, i, room, &e);
		assert_true(slice_eq(got->key, e.key) && slice_eq(got->value, e.value) && slice_eq(got->meta, e.meta));
		assert_true(got->version == e.version && got->kind == e.kind && got->expires_ms == e.expires_ms);
	}
	return end;
}

static void twin_run(uint32_t n, unsigned distinct, uint64_t *seed)
{
	static struct twin t;
	struct block_writer w = { 0 };
	uint8_t room[KEY_MAX];
	struct block *b;
	struct entry got;

	twin_fill(&t, n, distinct, seed);
	for (uint32_t i = 0; i < n; i++)
		add(&w, &t.e[i]);
	b = finish(&w);
	for (uint32_t i = n; i-- > 0;) {                        /* any order will do */
		block_reader_entry(b, i, room, &got);
		assert_true(slice_eq(got.key, t.e[i].key) && got.version == t.e[i].version && slice_eq(got.value, t.e[i].value));
		assert_int_equal(block_reader_tag(b, i), hash_key(got.key) & 0xff);
	}
	for (uint32_t at = 0; at < n; at++) {
		uint32_t begin = at - at % BLOCK_RESTART, end = begin + BLOCK_RESTART < n ? begin + BLOCK_RESTART : n;

		assert_int_equal(check_run(b, at, end - 1), end - 1);
		assert_int_equal(check_run(b, at, begin), begin);
	}
	for (int i = 0; i < 300; i++) {
		char key[12];

		snprintf(key, sizeof(key), "k%x", (unsigned)(test_random(seed) % (distinct + 10)));
		twin_compare(&t, b, key, test_random(seed) % (n + 2));
		twin_compare(&t, b, key, UINT64_MAX);
		key[strlen(key) - 1] = '\0';
		twin_compare(&t, b, key, UINT64_MAX);
	}
	twin_compare(&t, b, "zz", 1);
	block_unpin(b);
	block_writer_fini(&w);
}

/* Sixteen keys that fill the room for keys again and again: runs end where it does, and the next one goes on. */
static void test_block__a_run_ends_where_its_keys_find_no_room(void **state)
{
	static char key[KEY_MAX + 1];
	struct block_writer w = { 0 };
	struct block *b;
	struct entry e;

	(void)state;
	for (size_t len = 300; len <= KEY_MAX; len = 2 * len + 33 > KEY_MAX && len < KEY_MAX ? KEY_MAX : 2 * len + 33) {
		uint32_t at, runs;

		for (int i = 0; i < 20; i++) {
			memset(key, 'k', len);
			key[len - 2] = (char)('a' + i);
			key[len] = '\0';
			e = put(key, 20 - (uint64_t)i, "value");
			add(&w, &e);
		}
		b = finish(&w);
		for (at = 0, runs = 0; at < BLOCK_RESTART; runs++)
			at = check_run(b, at, BLOCK_RESTART - 1) + 1;
		assert_int_equal(runs, (BLOCK_RESTART - 1 + KEY_MAX / len - 1) / (KEY_MAX / len));   /* the restart's key takes none */
		for (at = BLOCK_RESTART, runs = 0; at-- > 0; runs++)
			at = check_run(b, at, 0);
		assert_true(runs >= 2 && runs <= 16);
		block_unpin(b);
		block_writer_reset(&w);
	}
	block_writer_fini(&w);
}

static void test_block__answers_as_the_twin(void **state)
{
	uint64_t seed = test_seed(11);

	(void)state;
	for (uint32_t n = 1; n < 70; n++)
		twin_run(n, n, &seed);
	twin_run(300, 5, &seed);                                /* long runs of versions */
	twin_run(512, 400, &seed);
	twin_run(513, 400, &seed);                              /* past the scan of the tags */
	twin_run(TWIN_MAX, 2000, &seed);
}

static void test_block__the_writer_begins_anew(void **state)
{
	struct entry a = put("a", 3, "x"), b = put("b", 1000000, "y"), got;
	struct block_writer w = { 0 };
	struct block *block;

	(void)state;
	add(&w, &a);
	assert_true(block_writer_bytes(&w) > 0);
	block_writer_reset(&w);
	assert_int_equal(block_writer_bytes(&w), 0);
	add(&w, &b);
	block = finish(&w);
	assert_int_equal(block->items, 1);
	assert_int_equal(block_reader_get(block, b.key, hash_key(b.key), UINT64_MAX, &got), 0);
	assert_int_equal(got.version, 1000000);
	block_unpin(block);
	block_writer_fini(&w);
}

static void test_block__without_memory_it_stays_as_it_was(void **state)
{
	struct entry a = put("a", 3, "x"), b = put("b", 2, "y"), got;
	char big[100000];
	struct block *block;

	(void)state;
	memset(big, 'b', sizeof(big));
	b.value = slice_of(big, sizeof(big));
	for (uint64_t n = 1;; n++) {
		struct block_writer w = { 0 };
		int rc;

		add(&w, &a);
		mem_fail_at(n, false);
		rc = block_writer_add(&w, &b, hash_key(b.key));
		mem_fail_at(0, false);
		assert_true(rc == 0 || rc == SILT_E_NOMEM);
		assert_int_equal(w.count, rc == 0 ? 2 : 1);
		block = finish(&w);
		assert_int_equal(block_reader_get(block, a.key, hash_key(a.key), 3, &got), 0);
		block_unpin(block);
		block_writer_fini(&w);
		if (rc == 0)
			break;
	}
}

/* ---- hostile bytes ----------------------------------------------------------------------------------------------------------- */

/* All that can be asked of a block that was loaded; a sanitizer watches. */
static void look_around(const struct block *b)
{
	uint8_t room[KEY_MAX];
	struct entry e;
	size_t sum = 0;

	for (uint32_t i = 0; i < b->items; i++) {
		block_reader_entry(b, i, room, &e);
		assert_true(e.key.len >= 1 && e.key.len <= KEY_MAX && e.version <= SILT_VERSION_MAX);
		for (size_t j = 0; j < e.value.len; j++)
			sum += ((const uint8_t *)e.value.data)[j];
		for (size_t j = 0; j < e.meta.len; j++)
			sum += ((const uint8_t *)e.meta.data)[j];
		(void)block_reader_get(b, e.key, hash_key(e.key), e.version, &e);
	}
	(void)block_reader_seek(b, slice_str("m"), 5);
	assert_true(sum < SIZE_MAX);
}

static void sample(struct block_writer *w)
{
	char key[16];

	for (unsigned i = 0; i < 20; i++) {
		struct entry e;

		snprintf(key, sizeof(key), "key%03u", i);
		e = i % 5 == 4 ? del(key, 100 + i) : put(key, 100 + i, "some value");
		if (i % 7 == 1) {
			e.expires_ms = 1000000;
			e.meta = slice_str("text/plain");
		}
		add(w, &e);
	}
	assert_int_equal(block_writer_finish(w), 0);
}

static void test_block__any_flipped_byte_is_refused_or_harmless(void **state)
{
	struct block_writer w = { 0 };
	uint8_t *raw;

	(void)state;
	sample(&w);
	raw = w.raw.data;
	for (size_t i = 0; i < w.raw.len; i++) {
		for (unsigned mask = 1; mask < 256; mask++) {
			struct block *b;
			int rc;

			raw[i] ^= (uint8_t)mask;
			b = load(buf_slice(&w.raw), w.count, &rc);
			assert_true(rc == 0 || rc == SILT_E_CORRUPT);
			if (rc == 0)
				look_around(b);
			block_unpin(b);
			raw[i] ^= (uint8_t)mask;
		}
	}
	block_writer_fini(&w);
}

static void test_block__a_wrong_length_or_count_is_refused(void **state)
{
	struct block_writer w = { 0 };
	int rc;

	(void)state;
	sample(&w);
	for (size_t n = 0; n < w.raw.len; n++) {
		block_unpin(load(slice_of(w.raw.data, n), w.count, &rc));
		assert_int_equal(rc, SILT_E_CORRUPT);
	}
	for (uint32_t items = 0; items < 60; items++) {
		block_unpin(load(buf_slice(&w.raw), items, &rc));
		assert_int_equal(rc, items == w.count ? 0 : SILT_E_CORRUPT);
	}
	block_writer_fini(&w);
}

static void test_block__what_the_reader_refuses(void **state)
{
	static const struct {
		const char *why;
		uint32_t items;
		uint8_t len;
		uint8_t bytes[24];               /* behind the base 07 00.. */
	} cases[] = {
		{ "sound, for comparison", 1, 6, { 2, 0, 1, 0, 'a', 0 } },
		{ "a restart that shares", 1, 6, { 2, 1, 1, 0, 'a', 0 } },
		{ "a restart without a key", 1, 5, { 2, 0, 0, 0, 0 } },
		{ "kind 0", 1, 6, { 0, 0, 1, 0, 'a', 0 } },
		{ "kind 3", 1, 7, { 3, 0, 1, 0, 0, 'a', 0 } },
		{ "an unknown flag", 1, 7, { 0x21, 0, 1, 0, 0, 'a', 0 } },
		{ "a delete that expires", 1, 7, { 0x0a, 0, 1, 0, 5, 'a', 0 } },
		{ "a delete with metadata", 1, 8, { 0x12, 0, 1, 0, 1, 'a', 'm', 0 } },
		{ "an expiry of 0", 1, 8, { 0x09, 0, 1, 0, 0, 0, 'a', 0 } },
		{ "metadata of 0 bytes", 1, 8, { 0x11, 0, 1, 0, 0, 0, 'a', 0 } },
		{ "a version below 0", 1, 6, { 2, 0, 1, 15, 'a', 0 } },
		{ "a version over the limit", 1, 13, { 2, 0, 1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 'a', 0 } },
		{ "a value over the end", 1, 7, { 1, 0, 1, 0, 9, 'a', 0 } },
		{ "a length not in its shortest form", 1, 7, { 2, 0, 0x81, 0, 0, 'a', 0 } },
		{ "a byte too many", 1, 7, { 2, 0, 1, 0, 'a', 0, 0 } },
		{ "two entries, for comparison", 2, 12, { 2, 0, 1, 0, 'a', 2, 1, 1, 0, 'b', 0, 0 } },
		{ "shared past the restart's key", 2, 12, { 2, 0, 1, 0, 'a', 2, 2, 1, 0, 'b', 0, 0 } },
		{ "an empty key", 2, 11, { 2, 0, 1, 0, 'a', 2, 0, 0, 0, 0, 0 } },
	};
	uint8_t raw[64] = { 7 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		bool sound = strstr(cases[i].why, "comparison") != NULL;
		int rc;

		memcpy(raw + BLOCK_BASE_BYTES, cases[i].bytes, cases[i].len);
		block_unpin(load(slice_of(raw, BLOCK_BASE_BYTES + (size_t)cases[i].len), cases[i].items, &rc));
		if (rc != (sound ? 0 : SILT_E_CORRUPT))
			fail_msg("%s: %d", cases[i].why, rc);
	}
}

static void test_block__two_entries_past_64_kib_are_refused(void **state)
{
	struct block_writer w = { 0 };
	static char big[70000];
	struct entry a = put("a", 1, ""), b = put("b", 1, "");
	int rc;

	(void)state;
	a.value = slice_of(big, sizeof(big));
	add(&w, &a);
	block_unpin(finish(&w));                                /* alone it is fine */
	block_writer_reset(&w);
	add(&w, &a);
	add(&w, &b);
	assert_int_equal(block_writer_finish(&w), 0);
	block_unpin(load(buf_slice(&w.raw), w.count, &rc));
	assert_int_equal(rc, SILT_E_CORRUPT);
	block_writer_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_block__worked_example),
		cmocka_unit_test(test_block__expiry_and_metadata_are_flagged),
		cmocka_unit_test(test_block__answers_as_the_twin),
		cmocka_unit_test(test_block__a_run_ends_where_its_keys_find_no_room),
		cmocka_unit_test(test_block__the_writer_begins_anew),
		cmocka_unit_test(test_block__without_memory_it_stays_as_it_was),
		cmocka_unit_test(test_block__any_flipped_byte_is_refused_or_harmless),
		cmocka_unit_test(test_block__a_wrong_length_or_count_is_refused),
		cmocka_unit_test(test_block__what_the_reader_refuses),
		cmocka_unit_test(test_block__two_entries_past_64_kib_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
