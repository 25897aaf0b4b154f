/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_table_verify.c - sound tables pass, any flipped byte is found; and tables forged with right digests but one thing wrong, as a
 * writer with that mistake would make them: each is found and named.
 */
#include "lib/test.h"

#include "base/hash.h"
#include "base/mem.h"
#include "lib/tablekit.h"
#include "table/block_writer.h"
#include "table/compress.h"
#include "table/filter.h"
#include "table/footer.h"
#include "table/index.h"
#include "table/properties.h"

static const struct table_settings small = { .block_size = 256, .filter_bits_per_key = 10, .compression = SILT_COMPRESS_LZ4 };

static void fill(struct tablekit *k, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		char key[16];

		snprintf(key, sizeof(key), "key%03u", i);
		tablekit_put(k, key, 100, "a value of some length");
		tablekit_put(k, key, 50, "old");
	}
}

/* ---- sound tables ---- */

struct watch {
	uint64_t done, total;
	unsigned calls, stop_after;
};

static int watch(void *ctx, uint64_t done, uint64_t total)
{
	struct watch *w = ctx;

	assert_true(done > w->done && done <= total);
	w->done = done;
	w->total = total;
	return ++w->calls == w->stop_after;
}

static void test_table_verify__sound_tables_pass(void **state)
{
	static const uint32_t filters[] = { 0, 10 };
	static const enum silt_compression hows[] = { SILT_COMPRESS_NONE, SILT_COMPRESS_LZ4, SILT_COMPRESS_ZSTD };
	uint64_t seed = test_seed(41);
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 1 << 20);
	for (int shape = 0; shape < TABLEKIT_SHAPES; shape++) {
		for (size_t i = 0; i < 6; i++) {
			struct table_settings s = { 512, filters[i % 2], hows[i / 2] };

			tablekit_random(&k, (enum tablekit_shape)shape, i == 3 ? 1 : 1500, &seed);
			tablekit_build(&k, &s);
			assert_int_equal(table_verify(k.table, NULL, NULL), 0);
		}
	}
	tablekit_random(&k, TABLEKIT_PREFIXED, 8000, &seed);    /* several partitions */
	tablekit_build(&k, &small);
	assert_int_equal(table_verify(k.table, NULL, NULL), 0);
	assert_int_equal(k.kit.reports, 0);
	tablekit_fini(&k);
}

static void test_table_verify__tells_how_far_it_is_and_stops_when_told(void **state)
{
	struct watch all = { 0 }, some = { .stop_after = 3 };
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 1 << 20);
	fill(&k, 200);
	tablekit_build(&k, &small);
	assert_int_equal(table_verify(k.table, watch, &all), 0);
	assert_true(all.calls > 10);
	assert_int_equal(all.total, k.meta->size);
	assert_int_equal(table_verify(k.table, watch, &some), SILT_END);
	assert_int_equal(some.calls, 3);
	tablekit_fini(&k);
}

/* ---- damage ---- */

static void test_table_verify__any_flipped_byte_is_found(void **state)
{
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 1 << 20);
	fill(&k, 30);
	tablekit_build(&k, &small);
	for (uint64_t at = 0; at < k.meta->size; at++) {
		uint8_t mask = (uint8_t)(1u << at % 8);

		assert_int_equal(simdisk_flip(k.disk, k.path, at, mask), 0);
		k.kit.reports = 0;
		assert_int_equal(table_verify(k.table, NULL, NULL), SILT_E_CORRUPT);
		assert_int_equal(k.kit.reports, 1);
		assert_non_null(strstr(k.kit.message, "/db/000012.sst: "));
		assert_int_equal(simdisk_flip(k.disk, k.path, at, mask), 0);
	}
	assert_int_equal(table_verify(k.table, NULL, NULL), 0);
	tablekit_fini(&k);
}

static void test_table_verify__reads_the_disk_and_not_the_cache(void **state)
{
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 1 << 20);
	fill(&k, 30);
	tablekit_build(&k, &small);
	tablekit_check_gets(&k);                                /* every block is cached now */
	assert_int_equal(simdisk_flip(k.disk, k.path, 10, 1), 0);
	assert_int_equal(table_verify(k.table, NULL, NULL), SILT_E_CORRUPT);
	tablekit_check_gets(&k);                                /* and still right */
	tablekit_fini(&k);
}

static void test_table_verify__goes_on_behind_what_it_found(void **state)
{
	struct watch all = { 0 }, damaged = { 0 };
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 1 << 20);
	fill(&k, 200);
	tablekit_build(&k, &small);
	assert_int_equal(table_verify(k.table, watch, &all), 0);
	simdisk_flip(k.disk, k.path, 5, 1);
	simdisk_flip(k.disk, k.path, 2000, 1);
	assert_int_equal(table_verify(k.table, watch, &damaged), SILT_E_CORRUPT);
	assert_int_equal(k.kit.reports, 2);
	assert_int_equal(damaged.calls, all.calls - 2);
	tablekit_fini(&k);
}

static void test_table_verify__a_file_longer_than_told_is_refused(void **state)
{
	struct silt_buf bytes = { 0 };
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 1 << 20);
	fill(&k, 30);
	tablekit_build(&k, &small);
	assert_int_equal(simdisk_read_file(k.disk, k.path, &bytes), 0);
	assert_int_equal(buf_append(&bytes, "x", 1), 0);
	assert_int_equal(simdisk_write_file(k.disk, k.path, buf_slice(&bytes)), 0);
	assert_int_equal(table_verify(k.table, NULL, NULL), SILT_E_CORRUPT);
	silt_buf_free(&bytes);
	tablekit_fini(&k);
}

/* ---- forgeries: every digest right, one thing wrong ---- */

enum flaw {
	SOUND, ORDER_IN_BLOCK, ORDER_BETWEEN_BLOCKS, SAME_TWICE, NO_VERSION, TAG, FILTER_DENIES, SEPARATOR_EARLY, SEPARATOR_LATE,
	PART_SEPARATOR_EARLY, PART_SEPARATOR_LATE, GAP_BETWEEN_BLOCKS, GAP_BEFORE_PART, GAP_BEFORE_FILTER, GAP_BEFORE_TOP,
	GAP_BEFORE_PROPERTIES, GAP_BEFORE_FOOTER, COUNT_ENTRIES, COUNT_KEYS, COUNT_TOMBSTONES, COUNT_EXPIRING, COUNT_VERSIONS,
	COUNT_BLOCKS, COUNT_PARTITIONS, COUNT_RAW, COUNT_FILTER, SMALLEST, LARGEST,
};

struct forge {
	struct tablekit *k;
	enum flaw flaw;
	struct silt_buf file, raw;
	struct block_writer block;
	struct index_writer part, top;
	struct filter_writer filter;
	struct footer footer;
	struct properties props;
};

static void forge_gap(struct forge *f, enum flaw flaw)
{
	if (f->flaw == flaw)
		assert_int_equal(buf_append(&f->file, "gap", 3), 0);
}

static void forge_store(struct forge *f, enum table_block_kind kind, struct silt_buf *raw, uint32_t items, struct table_addr *addr)
{
	struct compress c;
	struct silt_slice stored;

	compress_init(&c, SILT_COMPRESS_NONE);
	assert_int_equal(compress_pack(&c, raw, items, &stored), 0);
	assert_int_equal(digest_one((uint8_t)kind, stored, addr->digest), 0);
	addr->offset = f->file.len;
	addr->length = (uint32_t)stored.len;
	assert_int_equal(buf_append(&f->file, stored.data, stored.len), 0);
	compress_fini(&c);
}

static void forge_entry(struct forge *f, const char *key, uint64_t version, bool put)
{
	struct entry e = { .key = slice_str(key), .version = version, .kind = put ? ENTRY_PUT : ENTRY_DELETE };
	uint64_t hash = hash_key(e.key);

	if (put)
		e.value = slice_str("v");
	if (f->flaw != FILTER_DENIES || key[0] != 'd')
		assert_int_equal(filter_writer_add(&f->filter, hash), 0);
	assert_int_equal(block_writer_add(&f->block, &e, f->flaw == TAG && key[0] == 'd' ? hash + 1 : hash), 0);
}

static void forge_block(struct forge *f, const char *separator, uint64_t version)
{
	struct table_addr addr;

	assert_int_equal(block_writer_finish(&f->block), 0);
	forge_store(f, TABLE_DATA, &f->block.raw, f->block.count, &addr);
	block_writer_reset(&f->block);
	assert_int_equal(index_writer_add(&f->part, slice_str(separator), version, &addr), 0);
}

static void forge_part(struct forge *f, const char *separator, uint64_t version)
{
	struct table_addr addr;

	assert_int_equal(index_writer_finish(&f->part, &f->raw), 0);
	forge_store(f, TABLE_INDEX, &f->raw, f->part.count, &addr);
	index_writer_reset(&f->part);
	assert_int_equal(index_writer_add(&f->top, slice_str(separator), version, &addr), 0);
}

/* Two partitions: blocks (b, c) up to "c" and (d@9, d@8) up to "e", and (g, h) up to "h". */
static void forge_blocks(struct forge *f)
{
	enum flaw flaw = f->flaw;

	forge_entry(f, flaw == ORDER_IN_BLOCK ? "cc" : "b", 3, true);
	forge_entry(f, "c", flaw == NO_VERSION ? 0 : 4, false);
	forge_block(f, flaw == SEPARATOR_EARLY ? "bb" : flaw == SEPARATOR_LATE ? "d" : "c", 0);
	forge_gap(f, GAP_BETWEEN_BLOCKS);
	forge_entry(f, flaw == ORDER_BETWEEN_BLOCKS ? "bb" : "d", 9, true);
	forge_entry(f, "d", flaw == SAME_TWICE ? 9 : 8, true);
	forge_block(f, flaw == PART_SEPARATOR_LATE ? "g" : "e", 0);
	forge_gap(f, GAP_BEFORE_PART);
	forge_part(f, flaw == PART_SEPARATOR_EARLY ? "d" : flaw == PART_SEPARATOR_LATE ? "g" : "e", 0);
	forge_entry(f, "g", 5, true);
	forge_entry(f, "h", 6, true);
	forge_block(f, "h", 0);
	forge_part(f, "h", 0);
}

static void forge_properties(struct forge *f)
{
	f->props = (struct properties){
		.entries = 6, .keys = 5, .tombstones = 1, .min_version = 3, .max_version = 9, .data_blocks = 3, .partitions = 2,
		.raw_bytes = 11, .filter_bytes = 65, .smallest = slice_str("b"), .largest = slice_str("h"),
	};
	f->props.entries += f->flaw == COUNT_ENTRIES;
	f->props.keys -= f->flaw == COUNT_KEYS;
	f->props.tombstones -= f->flaw == COUNT_TOMBSTONES;
	f->props.expiring += f->flaw == COUNT_EXPIRING;
	f->props.earliest_expiry_ms += f->flaw == COUNT_EXPIRING;
	f->props.min_version += f->flaw == COUNT_VERSIONS;
	f->props.data_blocks -= f->flaw == COUNT_BLOCKS;
	f->props.partitions += f->flaw == COUNT_PARTITIONS;
	f->props.raw_bytes += f->flaw == COUNT_RAW;
	f->props.filter_bytes -= f->flaw == COUNT_FILTER;
	if (f->flaw == SMALLEST)
		f->props.smallest = slice_str("c");             /* what a search would never get to */
	if (f->flaw == LARGEST)
		f->props.largest = slice_str("i");
	assert_int_equal(properties_encode(&f->props, &f->raw), 0);
	forge_store(f, TABLE_PROPERTIES, &f->raw, 0, &f->footer.properties);
}

/* As the writer that made it would tell the manifest. */
static void forge_meta(struct forge *f, const uint8_t *digest)
{
	struct table_meta *m = table_meta_new(f->props.smallest, f->props.largest);

	assert_non_null(m);
	m->number = TABLEKIT_NUMBER;
	m->size = f->file.len;
	m->entries = f->props.entries;
	m->tombstones = f->props.tombstones;
	m->expiring = f->props.expiring;
	m->earliest_expiry_ms = f->props.earliest_expiry_ms;
	m->min_version = f->props.min_version;
	m->max_version = f->props.max_version;
	memcpy(m->digest, digest, DIGEST_BYTES);
	table_meta_unref(f->k->meta);
	f->k->meta = m;
}

static void forge(struct tablekit *k, enum flaw flaw)
{
	struct forge f = { .k = k, .flaw = flaw };
	uint8_t footer[FOOTER_BYTES], digest[DIGEST_BYTES];

	forge_blocks(&f);
	forge_gap(&f, GAP_BEFORE_FILTER);
	assert_int_equal(filter_writer_finish(&f.filter, 32, &f.raw), 0);
	forge_store(&f, TABLE_FILTER, &f.raw, 0, &f.footer.filter);
	forge_gap(&f, GAP_BEFORE_TOP);
	assert_int_equal(index_writer_finish(&f.top, &f.raw), 0);
	forge_store(&f, TABLE_TOP, &f.raw, f.top.count, &f.footer.top);
	forge_gap(&f, GAP_BEFORE_PROPERTIES);
	forge_properties(&f);
	forge_gap(&f, GAP_BEFORE_FOOTER);
	footer_encode(&f.footer, footer);
	assert_int_equal(digest_one(TABLE_FOOTER, slice_of(footer, FOOTER_BYTES), digest), 0);
	assert_int_equal(buf_append(&f.file, footer, FOOTER_BYTES), 0);
	forge_meta(&f, digest);
	assert_int_equal(simdisk_write_file(k->disk, k->path, buf_slice(&f.file)), 0);
	tablekit_reopen(k);
	buf_fini(&f.file);
	buf_fini(&f.raw);
	block_writer_fini(&f.block);
	index_writer_fini(&f.part);
	index_writer_fini(&f.top);
	filter_writer_fini(&f.filter);
}

static void test_table_verify__forgeries_are_found_and_named(void **state)
{
	static const struct {
		enum flaw flaw;
		const char *where, *what;
	} cases[] = {
		{ ORDER_IN_BLOCK, "data block", "keys from the first to \"c\": entries out of order" },
		{ ORDER_BETWEEN_BLOCKS, "data block", "keys from \"c\" to \"e\": entries out of order" },
		{ SAME_TWICE, "data block", "keys from \"c\" to \"e\": entries out of order" },
		{ NO_VERSION, "data block", "keys from the first to \"c\": an entry without a version" },
		{ TAG, "data block", "keys from \"c\" to \"e\": a tag that is not its key's" },
		{ FILTER_DENIES, "data block", "keys from \"c\" to \"e\": a key that the filter denies" },
		{ SEPARATOR_EARLY, "data block", "keys from the first to \"bb\": ends behind its separator" },
		{ SEPARATOR_LATE, "data block", "keys from \"d\" to \"e\": begins before the separator of the block before" },
		{ PART_SEPARATOR_EARLY, "index partition", "keys from the first to \"d\": its last separator is not its own in the top index" },
		{ PART_SEPARATOR_LATE, "data block", "keys from \"g\" to \"h\": begins before the separator of the block before" },
		{ GAP_BETWEEN_BLOCKS, "data block", "keys from \"c\" to \"e\": does not follow the part before it" },
		{ GAP_BEFORE_PART, "index partition", "keys from the first to \"e\": does not follow the part before it" },
		{ GAP_BEFORE_FILTER, "filter", "): does not follow the part before it" },
		{ GAP_BEFORE_TOP, "top index", "): does not follow the part before it" },
		{ GAP_BEFORE_PROPERTIES, "properties", "): does not follow the part before it" },
		{ GAP_BEFORE_FOOTER, "properties", "): the footer does not follow it" },
		{ COUNT_ENTRIES, "properties", "the entries are not those that it counts" },
		{ COUNT_KEYS, "properties", "the entries are not those that it counts" },
		{ COUNT_TOMBSTONES, "properties", "the entries are not those that it counts" },
		{ COUNT_EXPIRING, "properties", "the entries are not those that it counts" },
		{ COUNT_VERSIONS, "properties", "the entries are not those that it counts" },
		{ COUNT_BLOCKS, "properties", "the entries are not those that it counts" },
		{ COUNT_RAW, "properties", "the entries are not those that it counts" },
		{ COUNT_FILTER, "properties", "the entries are not those that it counts" },
		{ SMALLEST, "properties", "the entries are not those that it counts" },
		{ LARGEST, "properties", "the entries are not those that it counts" },
		{ COUNT_PARTITIONS, "top index", "the properties count other partitions" },
	};
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 1 << 20);
	forge(&k, SOUND);
	assert_int_equal(table_verify(k.table, NULL, NULL), 0);
	assert_int_equal(k.kit.reports, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		forge(&k, cases[i].flaw);
		k.kit.reports = 0;
		assert_int_equal(table_verify(k.table, NULL, NULL), SILT_E_CORRUPT);
		if (!strstr(k.kit.message, cases[i].where) || !strstr(k.kit.message, cases[i].what))
			fail_msg("flaw %d: %s", (int)cases[i].flaw, k.kit.message);
		assert_int_equal(k.kit.reports, 1);
	}
	tablekit_fini(&k);
}

/* ---- what may pass ---- */

static void test_table_verify__every_failing_call_is_an_error(void **state)
{
	struct tablekit k;
	int rc = -1;

	(void)state;
	tablekit_init(&k, 1 << 20);
	fill(&k, 100);
	tablekit_build(&k, &small);
	for (uint64_t n = 1; rc != 0; n++) {
		k.kit.reports = 0;
		simdisk_fail_at(k.disk, SIM_ANY, n, SILT_E_IO, false);
		rc = table_verify(k.table, NULL, NULL);
		simdisk_fail_at(k.disk, SIM_ANY, 0, 0, false);
		assert_true(rc == 0 || rc == SILT_E_IO);        /* never "damaged" */
		assert_int_equal(k.kit.reports, rc != 0);
		assert_true(n < 100);
	}
	for (uint64_t n = 1, failed = 1; failed; n++) {
		mem_fail_at(n, false);
		rc = table_verify(k.table, NULL, NULL);
		failed = mem_fail_count() >= n;
		mem_fail_at(0, false);
		assert_int_equal(rc, failed ? SILT_E_NOMEM : 0);
		assert_true(n < 400);
	}
	tablekit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_verify__sound_tables_pass),
		cmocka_unit_test(test_table_verify__tells_how_far_it_is_and_stops_when_told),
		cmocka_unit_test(test_table_verify__any_flipped_byte_is_found),
		cmocka_unit_test(test_table_verify__reads_the_disk_and_not_the_cache),
		cmocka_unit_test(test_table_verify__goes_on_behind_what_it_found),
		cmocka_unit_test(test_table_verify__a_file_longer_than_told_is_refused),
		cmocka_unit_test(test_table_verify__forgeries_are_found_and_named),
		cmocka_unit_test(test_table_verify__every_failing_call_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
