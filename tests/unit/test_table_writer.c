/* SPDX-License-Identifier: Apache-2.0 */
/* test_table_writer.c - a whole file byte for byte; what is refused; whole under its final name or not there at all. */
#include "lib/test.h"

#include "base/codec.h"
#include "base/hash.h"
#include "base/mem.h"
#include "core/filename.h"
#include "core/key.h"
#include "lib/metaload.h"
#include "lib/tablekit.h"

static const struct table_settings plain = { .block_size = 4096 };

static void put_number(struct tablekit *k, unsigned i, size_t value_len)
{
	static const char value[100000];
	char key[16];
	struct entry e = { .version = 1 + i, .kind = ENTRY_PUT, .value = slice_of(value, value_len) };

	e.key = slice_of(key, (size_t)snprintf(key, sizeof(key), "key%06u", i));
	tablekit_add(k, &e);
}

static bool exists(struct tablekit *k, bool tmp)
{
	char path[FILENAME_MAX_BYTES];

	assert_int_equal(filename_table(k->kit.env.dir, TABLEKIT_NUMBER, tmp, path), 0);
	return logkit_exists(&k->kit, path);
}

/* ---- bytes ---- */

/* A block and its tail; its digest comes back. */
static uint8_t *expect_block(uint8_t *p, const void *raw, size_t n, uint32_t items, enum table_block_kind kind, uint8_t *digest)
{
	uint8_t *end;

	memcpy(p, raw, n);
	end = codec_put32(codec_put32(p + n, (uint32_t)n), items);
	*end++ = 0;
	assert_int_equal(digest_one((uint8_t)kind, slice_of(p, (size_t)(end - p)), digest), 0);
	return end;
}

/* One item up to "b" at version 0: prefix "b", an empty tail, gap, length, digest. */
static uint8_t *expect_index(uint8_t *p, uint8_t gap, uint8_t length, enum table_block_kind kind, uint8_t *digest)
{
	uint8_t raw[6 + DIGEST_BYTES] = { 1, 'b', 0, 0, gap, length };

	memcpy(raw + 6, digest, DIGEST_BYTES);
	return expect_block(p, raw, sizeof(raw), 1, kind, digest);
}

static uint8_t *expect_addr(uint8_t *p, uint64_t offset, uint32_t length, const uint8_t *digest)
{
	p = codec_put32(codec_put64(p, offset), length);
	memcpy(p, digest, DIGEST_BYTES);
	return p + DIGEST_BYTES;
}

/* The example of table.h: put "a"@7 = "1", delete "b"@9, no filter. Returns the file's length. */
static size_t expect_file(uint8_t *file, uint8_t *footer_digest)
{
	uint8_t data[] = { 7, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 'a', '1', 2, 0, 1, 4, 'b', 0, 0 };
	static const uint8_t props[] = { 'S', 'I', 'L', 'T', 'S', 'S', 'T', '1', 1, 2, 2, 1, 0, 0, 7, 9, 1, 1, 3, 0, 1, 'a', 1, 'b' };
	uint8_t digest[DIGEST_BYTES], described[DIGEST_BYTES], *p = file, *footer;

	data[20] = (uint8_t)hash_key(slice_str("a"));
	data[21] = (uint8_t)hash_key(slice_str("b"));
	p = expect_block(p, data, sizeof(data), 2, TABLE_DATA, digest);
	assert_int_equal(p - file, 31);
	p = expect_index(p, 0, 31, TABLE_INDEX, digest);
	assert_int_equal(p - file, 78);
	p = expect_index(p, 31, 47, TABLE_TOP, digest);
	assert_int_equal(p - file, 125);
	p = expect_block(p, props, sizeof(props), 0, TABLE_PROPERTIES, described);
	assert_int_equal(p - file, 158);
	footer = p;
	memset(footer, 0, FOOTER_BYTES);
	expect_addr(footer, 78, 47, digest);
	expect_addr(footer + 88, 125, 33, described);
	footer[176] = 1;
	memcpy(footer + 184, "SILTSST1", 8);
	assert_int_equal(digest_one(TABLE_FOOTER, slice_of(footer, FOOTER_BYTES), footer_digest), 0);
	return 158 + FOOTER_BYTES;
}

static void test_table_writer__worked_example(void **state)
{
	const struct entry gone = { .key = slice_str("b"), .version = 9, .kind = ENTRY_DELETE };
	uint8_t want[512], digest[DIGEST_BYTES];
	struct silt_buf got = { 0 };
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 1 << 20);
	tablekit_put(&k, "a", 7, "1");
	tablekit_add(&k, &gone);
	tablekit_build(&k, &plain);
	assert_int_equal(simdisk_read_file(k.disk, k.path, &got), 0);
	assert_int_equal(got.len, expect_file(want, digest));
	assert_int_equal(got.len, 350);
	assert_memory_equal(got.data, want, got.len);
	assert_memory_equal(k.meta->digest, digest, DIGEST_BYTES);
	assert_int_equal(k.meta->size, 350);
	tablekit_check_gets(&k);
	silt_buf_free(&got);
	tablekit_fini(&k);
}

static void test_table_writer__meta_tells_what_was_added(void **state)
{
	struct entry e = { .key = slice_str("m"), .version = 40, .kind = ENTRY_PUT, .value = slice_str("v"), .expires_ms = 5000 };
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 1 << 20);
	tablekit_put(&k, "b", 30, "x");
	tablekit_add(&k, &e);
	e.version = 39;
	e.expires_ms = 4000;
	tablekit_add(&k, &e);
	e = (struct entry){ .key = slice_str("z"), .version = 20, .kind = ENTRY_DELETE };
	tablekit_add(&k, &e);
	tablekit_build(&k, &plain);
	assert_int_equal(k.meta->number, TABLEKIT_NUMBER);
	assert_int_equal(k.meta->entries, 4);
	assert_int_equal(k.meta->tombstones, 1);
	assert_int_equal(k.meta->expiring, 2);
	assert_int_equal(k.meta->earliest_expiry_ms, 4000);
	assert_int_equal(k.meta->min_version, 20);
	assert_int_equal(k.meta->max_version, 40);
	assert_true(slice_eq(k.meta->smallest, slice_str("b")) && slice_eq(k.meta->largest, slice_str("z")));
	assert_int_equal(table_verify(k.table, NULL, NULL), 0);
	tablekit_fini(&k);
}

/* What it says while it is open: never more bytes than the file will have, and near them. */
static void test_table_writer__bytes_grow_towards_the_file(void **state)
{
	struct table_writer *w;
	struct table_meta *meta;
	uint64_t before = 0, last;
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 1 << 20);
	for (unsigned i = 0; i < 20000; i++)
		put_number(&k, i, 60);
	assert_int_equal(table_writer_open(&k.kit.env, TABLEKIT_NUMBER, &plain, &w), 0);
	for (size_t i = 0; i < k.count; i++) {
		assert_int_equal(table_writer_add(w, &k.entries[i]), 0);
		assert_true(table_writer_bytes(w) > before);
		before = table_writer_bytes(w);
		assert_true(slice_eq(table_writer_last_key(w), k.entries[i].key));
	}
	last = table_writer_bytes(w);
	assert_int_equal(table_writer_finish(w, &meta), 0);
	assert_true(last < meta->size && meta->size - last < meta->size / 20);
	table_meta_unref(meta);
	tablekit_fini(&k);
}

/* ---- what is refused ---- */

static void test_table_writer__refuses(void **state)
{
	static const char big[KEY_MAX + 1];
	const struct entry sound = { .key = slice_str("m"), .version = 5, .kind = ENTRY_PUT };
	struct entry bad[10];
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		bad[i] = (struct entry){ .key = slice_str("n"), .version = 5, .kind = ENTRY_PUT };
	bad[n++].key = slice_str("l");                          /* before the last one */
	bad[n++].key = slice_str("m");                          /* the same again */
	bad[n].key = slice_str("m");
	bad[n++].version = 6;                                   /* newer versions come first */
	bad[n++].key = slice_of(big, 0);
	bad[n++].key = slice_of(big, KEY_MAX + 1);
	bad[n++].version = 0;
	bad[n++].version = SILT_VERSION_MAX + 1;
	bad[n++].kind = ENTRY_RANGE_DELETE;
	bad[n++].meta = slice_of(big, SILT_META_MAX + 1);
	bad[n++].value = slice_of(big, (size_t)SILT_VALUE_MAX + 1);   /* looked at by its length alone */
	assert_int_equal(n, sizeof(bad) / sizeof(*bad));
	for (size_t i = 0; i < n; i++) {
		struct table_writer *w;
		struct table_meta *meta;
		struct tablekit k;

		tablekit_init(&k, 1 << 20);
		assert_int_equal(table_writer_open(&k.kit.env, TABLEKIT_NUMBER, &plain, &w), 0);
		assert_int_equal(table_writer_add(w, &sound), 0);
		assert_int_equal(table_writer_add(w, &bad[i]), SILT_E_CORRUPT);
		assert_int_equal(k.kit.reports, 1);
		assert_non_null(strstr(k.kit.message, "000012.sst.tmp: refusing "));
		assert_int_equal(table_writer_finish(w, &meta), SILT_E_CORRUPT);   /* not the sound half */
		assert_false(exists(&k, true) || exists(&k, false));
		tablekit_fini(&k);
	}
}

static void test_table_writer__after_a_failure_nothing_goes_on(void **state)
{
	const struct entry a = { .key = slice_str("a"), .version = 5, .kind = ENTRY_PUT };
	const struct entry b = { .key = slice_str("b"), .version = 5, .kind = ENTRY_PUT };
	struct table_writer *w;
	struct table_meta *meta;
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 1 << 20);
	assert_int_equal(table_writer_open(&k.kit.env, TABLEKIT_NUMBER, &plain, &w), 0);
	assert_int_equal(table_writer_add(w, &b), 0);
	assert_int_equal(table_writer_add(w, &a), SILT_E_CORRUPT);
	assert_int_equal(table_writer_add(w, &b), SILT_E_CORRUPT);
	assert_int_equal(table_writer_finish(w, &meta), SILT_E_CORRUPT);
	assert_int_equal(k.kit.reports, 1);
	tablekit_fini(&k);
}

static void test_table_writer__without_entries_there_is_no_table(void **state)
{
	struct table_writer *w;
	struct table_meta *meta;
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 1 << 20);
	assert_int_equal(table_writer_open(&k.kit.env, TABLEKIT_NUMBER, &plain, &w), 0);
	assert_int_equal(table_writer_finish(w, &meta), SILT_E_MISUSE);
	assert_false(exists(&k, true) || exists(&k, false));
	tablekit_fini(&k);
}

/* ---- files ---- */

static void test_table_writer__tmp_until_it_is_whole(void **state)
{
	struct table_writer *w;
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 1 << 20);
	for (unsigned i = 0; i < 3000; i++)
		put_number(&k, i, 300);                         /* more than one piece of output */
	assert_int_equal(table_writer_open(&k.kit.env, TABLEKIT_NUMBER, &plain, &w), 0);
	for (size_t i = 0; i < k.count; i++)
		assert_int_equal(table_writer_add(w, &k.entries[i]), 0);
	assert_true(exists(&k, true) && !exists(&k, false));
	table_writer_abandon(w);
	assert_false(exists(&k, true) || exists(&k, false));
	table_writer_abandon(NULL);
	tablekit_build(&k, &plain);
	assert_true(!exists(&k, true) && exists(&k, false));
	tablekit_fini(&k);
}

static void test_table_writer__a_tmp_left_by_a_crash_is_replaced(void **state)
{
	char tmp[FILENAME_MAX_BYTES];
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 1 << 20);
	assert_int_equal(filename_table(k.kit.env.dir, TABLEKIT_NUMBER, true, tmp), 0);
	assert_int_equal(simdisk_write_file(k.disk, tmp, slice_of(tmp, sizeof(tmp))), 0);
	tablekit_put(&k, "a", 7, "1");
	tablekit_build(&k, &plain);
	assert_int_equal(k.meta->size, 350 - 6);                /* the example without its delete, and nothing of what was there */
	assert_int_equal(table_verify(k.table, NULL, NULL), 0);
	assert_false(exists(&k, true));
	tablekit_fini(&k);
}

/* Under its final name there is never less than the whole table, wherever the power goes. */
struct crash_points {
	struct tablekit *k;
	unsigned seen, whole;
};

static void crash_here(void *ctx, enum simdisk_call kind, const char *path, bool before)
{
	struct crash_points *c = ctx;

	(void)kind;
	(void)path;
	(void)before;
	for (uint64_t seed = 0; seed < 8; seed++) {
		enum simdisk_policy policy = seed == 0 ? SIM_LOSE_ALL : seed == 1 ? SIM_KEEP_ALL : SIM_MIXED;
		struct simdisk *copy = simdisk_crash_copy(c->k->disk, policy, seed);
		struct silt_buf bytes = { 0 };
		struct table_meta *meta;
		struct logkit kit;

		logkit_on(&kit, copy);
		if (simdisk_read_file(copy, c->k->path, &bytes) == 0) {
			assert_int_equal(metaload(&kit.env, c->k->path, &meta), 0);
			assert_int_equal(meta->entries, c->k->count);
			table_meta_unref(meta);
			c->whole++;
		}
		silt_buf_free(&bytes);
		simdisk_free(copy);
	}
	c->seen++;
}

static void test_table_writer__whole_or_not_there_at_any_crash(void **state)
{
	struct crash_points c = { 0 };
	struct simdisk *after;
	struct tablekit k;
	struct logkit kit;

	(void)state;
	tablekit_init(&k, 1 << 20);
	for (unsigned i = 0; i < 3000; i++)
		put_number(&k, i, 300);
	c.k = &k;
	simdisk_on_sync(k.disk, crash_here, &c);
	assert_int_equal(tablekit_write(&k, &plain), 0);
	simdisk_on_sync(k.disk, NULL, NULL);
	assert_int_equal(c.seen, 6);                            /* before and after fdatasync, rename, fsync of the directory */
	assert_true(c.whole > 0 && c.whole < 8 * c.seen);
	after = simdisk_crash_copy(k.disk, SIM_LOSE_ALL, 1);    /* the promise: nothing is lost now */
	logkit_on(&kit, after);
	assert_true(logkit_exists(&kit, k.path));
	simdisk_free(after);
	tablekit_fini(&k);
}

/* ---- failures ---- */

static const struct table_settings all_rooms = { .block_size = 512, .filter_bits_per_key = 10, .compression = SILT_COMPRESS_LZ4 };

static void test_table_writer__every_disk_call_that_fails_leaves_nothing(void **state)
{
	static const int codes[] = { SILT_E_IO, SILT_E_NOSPACE };
	struct tablekit k;
	int rc = -1;

	(void)state;
	tablekit_init(&k, 1 << 20);
	for (unsigned i = 0; i < 2500; i++)
		put_number(&k, i, 300);
	for (uint64_t n = 1; rc != 0; n++) {
		for (int c = 0; c < 2; c++) {
			unsigned reports = k.kit.reports;

			simdisk_fail_at(k.disk, SIM_ANY, n, codes[c], false);
			rc = tablekit_write(&k, &plain);
			simdisk_fail_at(k.disk, SIM_ANY, 0, 0, false);
			if (rc == 0)
				break;
			assert_int_equal(rc, codes[c]);
			assert_int_equal(k.kit.reports, reports + 1);
			assert_non_null(strstr(k.kit.message, "000012.sst.tmp: "));
			assert_false(exists(&k, true) || exists(&k, false));
		}
		assert_true(n < 100);
	}
	tablekit_reopen(&k);
	assert_int_equal(table_verify(k.table, NULL, NULL), 0);
	tablekit_fini(&k);
}

static void test_table_writer__a_disk_that_is_full(void **state)
{
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 1 << 20);
	for (unsigned i = 0; i < 2500; i++)
		put_number(&k, i, 300);
	simdisk_set_free(k.disk, 600000);                       /* the first piece fits */
	assert_int_equal(tablekit_write(&k, &plain), SILT_E_NOSPACE);
	assert_int_equal(k.kit.reports, 1);
	assert_false(exists(&k, true) || exists(&k, false));
	simdisk_set_free(k.disk, UINT64_MAX);
	tablekit_build(&k, &plain);
	assert_int_equal(table_verify(k.table, NULL, NULL), 0);
	tablekit_fini(&k);
}

static void test_table_writer__every_allocation_that_fails_leaves_nothing(void **state)
{
	struct tablekit k;
	int rc = -1;

	(void)state;
	tablekit_init(&k, 1 << 20);
	for (unsigned i = 0; i < 1500; i++)
		put_number(&k, i, i % 200 ? 20 : 2000);
	for (uint64_t n = 1; rc != 0; n++) {
		mem_fail_at(n, false);
		rc = tablekit_write(&k, &all_rooms);
		mem_fail_at(0, false);
		assert_true(rc == 0 || rc == SILT_E_NOMEM);
		assert_true(rc == 0 || (!exists(&k, true) && !exists(&k, false)));
		assert_true(n < 1000);
	}
	tablekit_reopen(&k);
	assert_int_equal(table_verify(k.table, NULL, NULL), 0);
	tablekit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_writer__worked_example),
		cmocka_unit_test(test_table_writer__meta_tells_what_was_added),
		cmocka_unit_test(test_table_writer__bytes_grow_towards_the_file),
		cmocka_unit_test(test_table_writer__refuses),
		cmocka_unit_test(test_table_writer__after_a_failure_nothing_goes_on),
		cmocka_unit_test(test_table_writer__without_entries_there_is_no_table),
		cmocka_unit_test(test_table_writer__tmp_until_it_is_whole),
		cmocka_unit_test(test_table_writer__a_tmp_left_by_a_crash_is_replaced),
		cmocka_unit_test(test_table_writer__whole_or_not_there_at_any_crash),
		cmocka_unit_test(test_table_writer__every_disk_call_that_fails_leaves_nothing),
		cmocka_unit_test(test_table_writer__a_disk_that_is_full),
		cmocka_unit_test(test_table_writer__every_allocation_that_fails_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
