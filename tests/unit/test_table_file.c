/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_table_file.c - blocks fetched one by one: what a message says, the window read ahead, and contents that lie under a digest
 * that is right.
 */
#include "lib/test.h"

#include "base/codec.h"
#include "base/mem.h"
#include "lib/tablekit.h"
#include "table/block_reader.h"
#include "table/compress.h"
#include "table/table_file.h"

struct filekit {
	struct simdisk *disk;
	struct logkit kit;
	struct silt_buf bytes;            /* of the file, until it is opened */
	struct table_file f;
};

static const char path[] = "/db/000012.sst";

static void filekit_init(struct filekit *k)
{
	memset(k, 0, sizeof(*k));
	k->disk = simdisk_new(1);
	logkit_init(&k->kit, k->disk);
}

static void filekit_open(struct filekit *k)
{
	table_file_close(&k->f);
	assert_int_equal(simdisk_write_file(k->disk, path, buf_slice(&k->bytes)), 0);
	assert_int_equal(table_file_open(&k->kit.env, path, &k->f), 0);
}

static void filekit_fini(struct filekit *k)
{
	table_file_close(&k->f);
	buf_fini(&k->bytes);
	logkit_fini(&k->kit);
	simdisk_free(k->disk);
}

/* Appends stored bytes; where they are and what they hash to. */
static void filekit_add(struct filekit *k, enum table_block_kind kind, struct silt_slice stored, struct table_addr *addr)
{
	addr->offset = k->bytes.len;
	addr->length = (uint32_t)stored.len;
	assert_int_equal(digest_one((uint8_t)kind, stored, addr->digest), 0);
	assert_int_equal(buf_append(&k->bytes, stored.data, stored.len), 0);
}

/* A data block of one put of `value_len` bytes under a key of one letter, stored as it is. */
static void filekit_add_block(struct filekit *k, char key, uint32_t value_len, struct table_addr *addr)
{
	uint8_t *stored = mem_calloc(1, value_len + 64), *p = stored;

	assert_non_null(stored);
	p = codec_put64(p, 7);
	*p++ = ENTRY_PUT;
	*p++ = 0;
	*p++ = 1;
	*p++ = 0;
	p = codec_put_varint(p, value_len);
	*p++ = (uint8_t)key;
	memset(p, key, value_len);
	p += value_len;
	*p++ = 0;                                               /* its tag: nobody asks for it here */
	p = codec_put32(codec_put32(p, (uint32_t)(p - stored)), 1);
	*p++ = SILT_COMPRESS_NONE;
	filekit_add(k, TABLE_DATA, slice_of(stored, (size_t)(p - stored)), addr);
	mem_free(stored);
}

/* ---- messages ---- */

static void test_table_file__keys_as_text(void **state)
{
	static const struct {
		const char *key;
		size_t len, full;
		const char *text;
	} cases[] = {
		{ "abc", 3, 3, "\"abc\"" },
		{ "", 0, 0, "\"\"" },
		{ "a\"b\\c", 5, 5, "\"a\\x22b\\x5cc\"" },
		{ "a\0\xff\n", 4, 4, "\"a\\x00\\xff\\x0a\"" },
		{ "0123456789abcdef0123456789abcdef", 32, 32, "\"0123456789abcdef0123456789abcdef\"" },
		{ "0123456789abcdef0123456789abcdefg", 33, 33, "\"0123456789abcdef0123456789abcdef\"..." },
		{ "0123456789abcdef0123456789abcdef", 32, 4000, "\"0123456789abcdef0123456789abcdef\"..." },
	};
	char out[TABLE_KEY_TEXT], all[TABLE_KEY_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(table_key_text(slice_of(cases[i].key, cases[i].len), cases[i].full, out), cases[i].text);
	memset(all, 0xff, sizeof(all));                         /* the longest text there can be */
	assert_int_equal(strlen(table_key_text(slice_of(all, sizeof(all)), sizeof(all), out)), 1 + 4 * 32 + 1 + 3);
}

static void test_table_file__opening_says_what_failed(void **state)
{
	struct table_file f = { 0 };
	struct filekit k;

	(void)state;
	filekit_init(&k);
	assert_int_equal(table_file_open(&k.kit.env, path, &f), SILT_E_CORRUPT);
	assert_string_equal(k.kit.message, "/db/000012.sst: the table is missing");
	assert_int_equal(simdisk_write_file(k.disk, path, slice_str("x")), 0);
	simdisk_fail_at(k.disk, SIM_OPEN, 1, SILT_E_IO, false);
	assert_int_equal(table_file_open(&k.kit.env, path, &f), SILT_E_IO);
	assert_non_null(strstr(k.kit.message, "/db/000012.sst: open: "));
	simdisk_fail_at(k.disk, SIM_SIZE, 1, SILT_E_IO, false);
	assert_int_equal(table_file_open(&k.kit.env, path, &f), SILT_E_IO);
	assert_non_null(strstr(k.kit.message, "/db/000012.sst: size: "));
	mem_fail_at(1, false);
	assert_int_equal(table_file_open(&k.kit.env, path, &f), SILT_E_NOMEM);
	mem_fail_at(0, false);
	assert_int_equal(simdisk_calls(k.disk, SIM_CLOSE), 1);  /* the one that was open */
	assert_null(f.path);                                    /* untouched on failure */
	table_file_close(&f);                                   /* a zeroed one is fine */
	filekit_fini(&k);
}

static void test_table_file__reads_exactly_or_says_so(void **state)
{
	struct filekit k;
	char room[8];

	(void)state;
	filekit_init(&k);
	assert_int_equal(buf_append(&k.bytes, "0123456789", 10), 0);
	filekit_open(&k);
	assert_int_equal(table_file_read(&k.f, 2, room, 8), 0);
	assert_memory_equal(room, "23456789", 8);
	assert_int_equal(table_file_read(&k.f, 3, room, 8), SILT_E_CORRUPT);
	assert_string_equal(k.kit.message, "/db/000012.sst: ends before offset 11");
	simdisk_fail_at(k.disk, SIM_READ, 1, SILT_E_IO, false);
	assert_int_equal(table_file_read(&k.f, 2, room, 8), SILT_E_IO);
	assert_non_null(strstr(k.kit.message, "/db/000012.sst: read: "));
	filekit_fini(&k);
}

/* ---- blocks ---- */

static void test_table_file__a_block_comes_out_as_it_went_in(void **state)
{
	struct table_addr a, b;
	struct block *block;
	struct filekit k;
	struct entry e;

	(void)state;
	filekit_init(&k);
	filekit_add_block(&k, 'a', 100, &a);
	filekit_add_block(&k, 'b', 0, &b);
	filekit_open(&k);
	assert_int_equal(table_file_fetch(&k.f, TABLE_DATA, &a, NULL, NULL, &block), 0);
	assert_int_equal(block->items, 1);
	assert_int_equal(block->kind, TABLE_DATA);
	block_reader_entry(block, 0, NULL, &e);
	assert_true(slice_eq(e.key, slice_str("a")) && e.value.len == 100 && e.version == 7);
	block_unpin(block);
	assert_int_equal(table_file_fetch(&k.f, TABLE_DATA, &b, NULL, NULL, &block), 0);
	block_unpin(block);
	filekit_fini(&k);
}

static void test_table_file__place_and_digest_come_first(void **state)
{
	struct table_addr a, wrong;
	struct block *block;
	struct filekit k;

	(void)state;
	filekit_init(&k);
	filekit_add_block(&k, 'a', 100, &a);
	filekit_open(&k);
	wrong = a;
	wrong.offset = 1;
	assert_int_equal(table_file_fetch(&k.f, TABLE_DATA, &wrong, NULL, NULL, &block), SILT_E_CORRUPT);
	assert_string_equal(k.kit.message, "/db/000012.sst: data block at offset 1 (124 bytes): lies beyond the end of the file");
	wrong.offset = UINT64_MAX;
	assert_int_equal(table_file_fetch(&k.f, TABLE_DATA, &wrong, NULL, NULL, &block), SILT_E_CORRUPT);
	assert_non_null(strstr(k.kit.message, "lies beyond the end of the file"));     /* no sum that runs over */
	wrong = a;
	wrong.length = UINT32_MAX;
	assert_int_equal(table_file_fetch(&k.f, TABLE_DATA, &wrong, NULL, NULL, &block), SILT_E_CORRUPT);
	wrong = a;
	wrong.digest[31] ^= 1;
	assert_int_equal(table_file_fetch(&k.f, TABLE_DATA, &wrong, NULL, NULL, &block), SILT_E_CORRUPT);
	assert_string_equal(k.kit.message, "/db/000012.sst: data block at offset 0 (124 bytes): its SHA-256 is not the one in its parent");
	assert_int_equal(table_file_fetch(&k.f, TABLE_INDEX, &a, NULL, NULL, &block), SILT_E_CORRUPT);   /* of another kind */
	assert_non_null(strstr(k.kit.message, "index partition at offset 0 (124 bytes): its SHA-256"));
	filekit_fini(&k);
}

/* Bytes that nobody meant as a block, under a digest that is right; and a length that would take all memory. */
static void test_table_file__right_digests_over_nonsense(void **state)
{
	static const enum table_block_kind kinds[] = { TABLE_DATA, TABLE_INDEX, TABLE_TOP, TABLE_FILTER };
	uint64_t seed = test_seed(61);
	struct filekit k;

	(void)state;
	filekit_init(&k);
	for (int i = 0; i < 160; i++) {
		uint8_t bytes[200];
		size_t n = test_random(&seed) % sizeof(bytes);
		struct table_addr addr;
		struct block *block;
		int rc;

		for (size_t j = 0; j < n; j++)
			bytes[j] = (uint8_t)(test_random(&seed) >> 32);
		if (n >= COMPRESS_TAIL_BYTES && i % 4) {        /* a tail that is believed, or asks for the most there is */
			uint32_t raw = i % 4 == 1 ? (uint32_t)n - COMPRESS_TAIL_BYTES : TABLE_RAW_MAX;

			codec_put32(bytes + n - 9, raw);
			codec_put32(bytes + n - 5, i % 8 < 4 ? 1 + (uint32_t)(test_random(&seed) % 10) : UINT32_MAX);
			bytes[n - 1] = (uint8_t)(i % 4 - 1);
		}
		k.bytes.len = 0;
		filekit_add(&k, kinds[i / 4 % 4], slice_of(bytes, n), &addr);
		filekit_open(&k);
		k.kit.reports = 0;
		rc = table_file_fetch(&k.f, kinds[i / 4 % 4], &addr, NULL, NULL, &block);
		if (rc == 0) {
			block_unpin(block);                     /* chance made a sound one: fine */
			continue;
		}
		assert_int_equal(rc, SILT_E_CORRUPT);
		assert_int_equal(k.kit.reports, 1);
		assert_non_null(strstr(k.kit.message, "its digest is right and its contents are not"));
	}
	filekit_fini(&k);
}

static void test_table_file__items_are_bounded_before_memory_is_taken(void **state)
{
	uint8_t stored[COMPRESS_TAIL_BYTES + 16] = { 0 };
	struct table_addr addr;
	struct block *block;
	struct filekit k;

	(void)state;
	filekit_init(&k);
	codec_put32(stored + 16, 16);
	codec_put32(stored + 20, 5);                            /* 16 bytes are 4 entries at most */
	filekit_add(&k, TABLE_DATA, slice_of(stored, sizeof(stored)), &addr);
	filekit_open(&k);
	mem_fail_at(2, false);                                  /* after the stored bytes, nothing is asked for */
	assert_int_equal(table_file_fetch(&k.f, TABLE_DATA, &addr, NULL, NULL, &block), SILT_E_CORRUPT);
	mem_fail_at(0, false);
	filekit_fini(&k);
}

/* ---- reading ahead ---- */

static void test_table_file__a_window_serves_what_lies_in_it(void **state)
{
	enum { BLOCKS = 600 };
	static struct table_addr at[BLOCKS];
	struct table_ahead ahead = { 0 };
	struct block *block;
	struct filekit k;
	uint64_t before;

	(void)state;
	filekit_init(&k);
	for (int i = 0; i < BLOCKS; i++)                        /* 600 KiB; one in 100 is larger than a window */
		filekit_add_block(&k, (char)('a' + i % 26), i % 100 == 99 ? 300 << 10 : 1000, &at[i]);
	filekit_open(&k);
	before = simdisk_calls(k.disk, SIM_READ);
	for (int i = 0; i < BLOCKS; i++) {
		struct entry e;

		assert_int_equal(table_file_fetch(&k.f, TABLE_DATA, &at[i], NULL, &ahead, &block), 0);
		block_reader_entry(block, 0, NULL, &e);
		assert_int_equal(*(const char *)e.key.data, 'a' + i % 26);
		block_unpin(block);
	}
	assert_in_range(simdisk_calls(k.disk, SIM_READ) - before, 8, 20);
	before = simdisk_calls(k.disk, SIM_READ);
	for (int i = BLOCKS - 2; i > BLOCKS - 10; i--) {        /* back, but within the window */
		assert_int_equal(table_file_fetch(&k.f, TABLE_DATA, &at[i], NULL, &ahead, &block), 0);
		block_unpin(block);
	}
	assert_in_range(simdisk_calls(k.disk, SIM_READ) - before, 0, 1);
	table_ahead_fini(&ahead);
	filekit_fini(&k);
}

static void test_table_file__a_window_that_failed_is_not_believed(void **state)
{
	struct table_ahead ahead = { 0 };
	struct table_addr a, b;
	struct block *block;
	struct filekit k;

	(void)state;
	filekit_init(&k);
	filekit_add_block(&k, 'a', 200 << 10, &a);
	filekit_add_block(&k, 'b', 200 << 10, &b);
	filekit_open(&k);
	assert_int_equal(table_file_fetch(&k.f, TABLE_DATA, &a, NULL, &ahead, &block), 0);
	block_unpin(block);
	simdisk_fail_at(k.disk, SIM_READ, 1, SILT_E_IO, false);
	assert_int_equal(table_file_fetch(&k.f, TABLE_DATA, &b, NULL, &ahead, &block), SILT_E_IO);
	memset(ahead.bytes, 0xee, 1000);                        /* a read may have begun before it failed */
	assert_int_equal(table_file_fetch(&k.f, TABLE_DATA, &a, NULL, &ahead, &block), 0);   /* read anew */
	block_unpin(block);
	assert_int_equal(table_file_fetch(&k.f, TABLE_DATA, &b, NULL, &ahead, &block), 0);
	block_unpin(block);
	table_ahead_fini(&ahead);
	filekit_fini(&k);
}

static void test_table_file__without_memory(void **state)
{
	struct table_addr a;
	struct block *block;
	struct filekit k;

	(void)state;
	filekit_init(&k);
	filekit_add_block(&k, 'a', 100, &a);
	filekit_open(&k);
	for (int with_ahead = 0; with_ahead < 2; with_ahead++) {
		for (uint64_t n = 1;; n++) {
			struct table_ahead ahead = { 0 };
			int rc;

			mem_fail_at(n, false);
			rc = table_file_fetch(&k.f, TABLE_DATA, &a, NULL, with_ahead ? &ahead : NULL, &block);
			mem_fail_at(0, false);
			table_ahead_fini(&ahead);
			if (rc == 0)
				break;
			assert_int_equal(rc, SILT_E_NOMEM);
			assert_true(n < 5);
		}
		block_unpin(block);
	}
	filekit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_file__keys_as_text),
		cmocka_unit_test(test_table_file__opening_says_what_failed),
		cmocka_unit_test(test_table_file__reads_exactly_or_says_so),
		cmocka_unit_test(test_table_file__a_block_comes_out_as_it_went_in),
		cmocka_unit_test(test_table_file__place_and_digest_come_first),
		cmocka_unit_test(test_table_file__right_digests_over_nonsense),
		cmocka_unit_test(test_table_file__items_are_bounded_before_memory_is_taken),
		cmocka_unit_test(test_table_file__a_window_serves_what_lies_in_it),
		cmocka_unit_test(test_table_file__a_window_that_failed_is_not_believed),
		cmocka_unit_test(test_table_file__without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
