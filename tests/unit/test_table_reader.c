/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_table_reader.c - gets against a naive twin in every shape and setting; what a get may touch; damage anywhere is the right
 * answer or an error, never a wrong value and never an absence.
 */
#include "lib/test.h"

#include <pthread.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/rcu.h"
#include "lib/tablekit.h"
#include "table/footer.h"

static int ask(struct tablekit *k, const char *key, unsigned flags)
{
	return tablekit_ask(k, slice_str(key), UINT64_MAX, flags);
}

/* ---- against the twin ---- */

static void compare(struct tablekit *k, enum tablekit_shape shape, size_t n, const struct table_settings *s, uint64_t *seed)
{
	tablekit_random(k, shape, n, seed);
	tablekit_build(k, s);
	tablekit_check_gets(k);
}

static void test_table_reader__answers_as_the_twin(void **state)
{
	static const struct table_settings settings[] = {
		{ .block_size = 4096, .filter_bits_per_key = 10, .compression = SILT_COMPRESS_LZ4 },
		{ .block_size = 256, .filter_bits_per_key = 0, .compression = SILT_COMPRESS_NONE },
		{ .block_size = 1024, .filter_bits_per_key = 3, .compression = SILT_COMPRESS_ZSTD },
		{ .block_size = 65536, .filter_bits_per_key = 32, .compression = SILT_COMPRESS_NONE },
	};
	uint64_t seed = test_seed(21);
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 8 << 20);
	for (int shape = 0; shape < TABLEKIT_SHAPES; shape++) {
		for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
			compare(&k, (enum tablekit_shape)shape, 1, &settings[i], &seed);
			compare(&k, (enum tablekit_shape)shape, 40, &settings[i], &seed);
			compare(&k, (enum tablekit_shape)shape, 1500 * test_scale(), &settings[i], &seed);
		}
	}
	tablekit_fini(&k);
}

static void test_table_reader__several_partitions(void **state)
{
	uint64_t seed = test_seed(22);
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 16 << 20);
	compare(&k, TABLEKIT_PREFIXED, 8000, &tablekit_small, &seed);
	assert_true(k.meta->size > 400000);                     /* a partition of 16 KiB addresses some 100 KiB of such blocks */
	tablekit_fini(&k);
}

static void test_table_reader__hardly_any_cache(void **state)
{
	uint64_t seed = test_seed(23);
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 4096);                                /* nothing but the smallest blocks fits */
	compare(&k, TABLEKIT_SHORT, 2000, &tablekit_small, &seed);
	block_cache_check(k.cache);
	tablekit_fini(&k);
}

/* ---- what a get touches ---- */

static void test_table_reader__cached_only_never_touches_the_disk(void **state)
{
	uint64_t calls, allocations;
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 1 << 20);
	tablekit_fill(&k, 100);
	tablekit_build(&k, &tablekit_small);
	calls = simdisk_calls(k.disk, SIM_ANY);
	rcu_begin();
	assert_int_equal(ask(&k, "key007", TABLE_CACHED_ONLY), SILT_WOULD_BLOCK);      /* not even open */
	rcu_end();
	assert_int_equal(table_open(k.table), 0);
	calls = simdisk_calls(k.disk, SIM_ANY);
	rcu_begin();
	assert_int_equal(ask(&k, "key007", TABLE_CACHED_ONLY), SILT_WOULD_BLOCK);
	rcu_end();
	assert_int_equal(simdisk_calls(k.disk, SIM_ANY), calls);
	tablekit_check_gets(&k);                                /* warms all of it */
	calls = simdisk_calls(k.disk, SIM_ANY);
	mem_fail_at(UINT64_MAX, false);
	rcu_begin();
	for (size_t i = 0; i < k.count; i++)
		assert_int_equal(tablekit_ask(&k, k.entries[i].key, k.entries[i].version, TABLE_CACHED_ONLY), 0);
	assert_int_equal(ask(&k, "key", TABLE_CACHED_ONLY), SILT_NOTFOUND);
	rcu_end();
	allocations = mem_fail_count();
	mem_fail_at(0, false);
	assert_int_equal(allocations, 0);
	assert_int_equal(simdisk_calls(k.disk, SIM_ANY), calls);
	tablekit_fini(&k);
}

/* What the kernel has is read, what it has not is for who may wait; either way the answers are the twin's. */
static void test_table_reader__no_wait_reads_what_is_at_hand(void **state)
{
	size_t answered = 0, refused = 0;
	struct tablekit k;
	silt_os *os;

	(void)state;
	tablekit_init(&k, 1 << 20);
	tablekit_fill(&k, 1000);
	tablekit_build(&k, &tablekit_small);
	assert_int_equal(ask(&k, "key007", TABLE_NO_WAIT), SILT_WOULD_BLOCK);          /* not even open */
	assert_int_equal(table_open(k.table), 0);
	for (size_t i = 0; i < k.count; i++) {
		int rc = tablekit_ask(&k, k.entries[i].key, k.entries[i].version, TABLE_NO_WAIT);

		assert_true(rc == 0 || rc == SILT_WOULD_BLOCK);
		answered += rc == 0;
		refused += rc != 0;
	}
	assert_true(answered > 0 && refused > 0);               /* the simulated disk has it at hand three times of four */
	tablekit_reopen(&k);
	assert_int_equal(table_open(k.table), 0);
	os = k.kit.env.os;
	os->read_now = NULL;
	assert_int_equal(ask(&k, "key007", TABLE_NO_WAIT), SILT_WOULD_BLOCK);          /* a seam without it */
	assert_int_equal(ask(&k, "key007", 0), 0);
	assert_int_equal(ask(&k, "key007", TABLE_NO_WAIT), 0);  /* in the cache */
	assert_int_equal(k.kit.reports, 0);
	tablekit_fini(&k);
}

/* A filter that is not there would be asked for; a block that is large, stored or unpacked, is for who may take his time. */
static void test_table_reader__no_wait_takes_no_long_time(void **state)
{
	static const struct table_settings packed = { .block_size = 256, .compression = SILT_COMPRESS_LZ4 };
	static char large[200001], noise[40001];
	uint64_t seed = test_seed(29);
	struct tablekit k;

	(void)state;
	memset(large, 'x', sizeof(large) - 1);
	for (size_t i = 0; i < sizeof(noise) - 1; i++)
		noise[i] = (char)('0' + test_random(&seed) % 64);
	tablekit_init(&k, 1 << 20);
	tablekit_put(&k, "large", 1, large);
	tablekit_put(&k, "noise", 2, noise);
	tablekit_put(&k, "small", 3, "value");
	tablekit_sort(&k);
	tablekit_build(&k, &packed);
	assert_int_equal(table_open(k.table), 0);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(ask(&k, "large", TABLE_NO_WAIT), SILT_WOULD_BLOCK);
		assert_int_equal(ask(&k, "noise", TABLE_NO_WAIT), SILT_WOULD_BLOCK);
	}
	for (int i = 0; i < 20 && ask(&k, "small", TABLE_NO_WAIT) != 0; i++)
		assert_in_range(i, 0, 18);
	assert_int_equal(ask(&k, "large", 0), 0);
	assert_int_equal(ask(&k, "noise", 0), 0);
	assert_int_equal(k.kit.reports, 0);
	tablekit_fini(&k);
}

static void test_table_reader__no_wait_finds_damage(void **state)
{
	struct tablekit k;
	int rc = SILT_WOULD_BLOCK;

	(void)state;
	tablekit_init(&k, 1 << 20);
	tablekit_fill(&k, 10);
	tablekit_build(&k, &tablekit_small);
	assert_int_equal(table_open(k.table), 0);
	assert_int_equal(simdisk_flip(k.disk, k.path, 30, 1), 0);
	for (int i = 0; i < 50 && rc == SILT_WOULD_BLOCK; i++)
		rc = ask(&k, "key000", TABLE_NO_WAIT);
	assert_int_equal(rc, SILT_E_CORRUPT);
	assert_int_equal(k.kit.reports, 1);
	tablekit_fini(&k);
}

static void test_table_reader__the_filter_spares_the_blocks(void **state)
{
	struct table_counts counts = { 0 };
	struct table_hit hit;
	uint64_t reads;
	struct tablekit k;
	char key[16];

	(void)state;
	tablekit_init(&k, 1 << 20);
	tablekit_fill(&k, 1000);
	tablekit_build(&k, &tablekit_small);
	assert_int_equal(ask(&k, "key500", 0), 0);              /* opened, the filter cached, one block */
	reads = simdisk_calls(k.disk, SIM_READ);
	for (unsigned i = 0; i < 1000; i++) {
		struct silt_slice absent = slice_of(key, (size_t)snprintf(key, sizeof(key), "key%03u.", i));

		assert_int_equal(table_get(k.table, absent, hash_key(absent), UINT64_MAX, 0, &counts, &hit), SILT_NOTFOUND);
	}
	assert_int_equal(counts.filter_checks, 1000);
	assert_in_range(counts.filter_negatives, 950, 1000);
	assert_in_range(simdisk_calls(k.disk, SIM_READ) - reads, 0, 2 * (1000 - counts.filter_negatives));
	tablekit_fini(&k);
}

static void test_table_reader__a_filter_too_large_for_the_cache_is_left_unused(void **state)
{
	struct table_counts counts = { 0 };
	struct table_hit hit;
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 4096);                                /* a quarter of it: less than 1000 keys need */
	tablekit_fill(&k, 1000);
	tablekit_build(&k, &tablekit_small);
	assert_int_equal(table_get(k.table, slice_str("key"), hash_key(slice_str("key")), 1, 0, &counts, &hit), SILT_NOTFOUND);
	assert_int_equal(counts.filter_checks, 0);
	tablekit_check_gets(&k);
	tablekit_fini(&k);
}

static void test_table_reader__a_missing_filter_is_worth_asking_again(void **state)
{
	const struct silt_slice absent = slice_str("key500.");
	struct table_counts counts = { 0 };
	struct table_hit hit;
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 1 << 20);
	tablekit_fill(&k, 1000);
	tablekit_build(&k, &tablekit_small);
	tablekit_check_iter(&k, 0);                             /* every data block is cached, the filter is not */
	rcu_begin();
	assert_int_equal(ask(&k, "key500", TABLE_CACHED_ONLY), 0);
	assert_int_equal(ask(&k, "key500.", TABLE_CACHED_ONLY), SILT_NOTFOUND);
	assert_int_equal(ask(&k, "key500", TABLE_CACHED_ONLY | TABLE_WANT_FILTER), SILT_WOULD_BLOCK);
	rcu_end();
	assert_int_equal(ask(&k, "key500", TABLE_NO_FILL), 0);  /* fills nothing */
	rcu_begin();
	assert_int_equal(ask(&k, "key500", TABLE_CACHED_ONLY | TABLE_WANT_FILTER), SILT_WOULD_BLOCK);
	rcu_end();
	assert_int_equal(ask(&k, "key500", 0), 0);
	rcu_begin();
	assert_int_equal(ask(&k, "key500", TABLE_CACHED_ONLY | TABLE_WANT_FILTER), 0);
	assert_int_equal(table_get(k.table, absent, hash_key(absent), UINT64_MAX, TABLE_CACHED_ONLY | TABLE_WANT_FILTER, &counts, &hit),
	                 SILT_NOTFOUND);
	rcu_end();
	assert_int_equal(counts.filter_checks, 1);
	tablekit_fini(&k);
}

/* Else tables whose filters do not fit together would push each other out, and the data with them. */
static void test_table_reader__a_filter_without_room_is_not_read(void **state)
{
	struct table_counts counts = { 0 };
	struct silt_slice key = slice_str("key");
	struct table_hit hit;
	struct block *other;
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 1 << 20);
	tablekit_fill(&k, 1000);
	tablekit_build(&k, &tablekit_small);
	other = block_new((256 << 10) - 1000, 0);
	assert_non_null(other);
	other->kind = TABLE_FILTER;
	other->table = TABLEKIT_NUMBER + 1;
	memset((void *)(uintptr_t)other->bytes.data, 0, other->bytes.len);
	block_cache_insert(k.cache, other);
	block_unpin(other);
	assert_int_equal(table_get(k.table, key, hash_key(key), 1, 0, &counts, &hit), SILT_NOTFOUND);
	assert_int_equal(counts.filter_checks, 0);
	tablekit_check_iter(&k, 0);
	rcu_begin();
	assert_int_equal(ask(&k, "key500", TABLE_CACHED_ONLY | TABLE_WANT_FILTER), 0);
	rcu_end();
	block_cache_forget(k.cache, TABLEKIT_NUMBER + 1);
	rcu_begin();
	assert_int_equal(ask(&k, "key500", TABLE_CACHED_ONLY | TABLE_WANT_FILTER), SILT_WOULD_BLOCK);
	rcu_end();
	assert_int_equal(table_get(k.table, key, hash_key(key), 1, 0, &counts, &hit), SILT_NOTFOUND);
	assert_int_equal(counts.filter_checks, 1);
	tablekit_fini(&k);
}

static void test_table_reader__no_fill_leaves_the_cache_alone(void **state)
{
	struct block_cache_stats stats;
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 1 << 20);
	tablekit_fill(&k, 100);
	tablekit_build(&k, &tablekit_small);
	for (size_t i = 0; i < k.count; i++)
		assert_int_equal(tablekit_ask(&k, k.entries[i].key, k.entries[i].version, TABLE_NO_FILL), 0);
	block_cache_stats(k.cache, &stats);
	assert_int_equal(stats.bytes, 0);
	tablekit_fini(&k);
}

static void test_table_reader__a_hit_outlives_cache_and_table(void **state)
{
	struct silt_slice key = slice_str("key042");
	struct table_hit hit;
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 1 << 20);
	tablekit_fill(&k, 100);
	tablekit_build(&k, &tablekit_small);
	assert_int_equal(table_get(k.table, key, hash_key(key), UINT64_MAX, 0, NULL, &hit), 0);
	assert_non_null(hit.pin);
	block_cache_forget(k.cache, TABLEKIT_NUMBER);
	table_unref(k.table);
	k.table = NULL;
	block_cache_free(k.cache);
	k.cache = NULL;
	assert_true(tablekit_same(&hit.entry, tablekit_get(&k, key, UINT64_MAX)));
	table_hit_release(&hit);
	assert_null(hit.pin);
	tablekit_fini(&k);
}

static void test_table_reader__says_what_it_holds(void **state)
{
	uint64_t closed;
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 1 << 20);
	tablekit_fill(&k, 1000);
	tablekit_build(&k, &tablekit_small);
	closed = table_resident_bytes(k.table);
	assert_int_equal(table_open(k.table), 0);
	assert_in_range(table_resident_bytes(k.table) - closed, 200, 4096);
	assert_ptr_equal(table_meta_of(k.table), k.meta);
	tablekit_fini(&k);
}

/* ---- damage ---- */

/* Every entry of a damaged table is right or an error, and what was never there is not found or an error. */
static unsigned damaged_gets(struct tablekit *k)
{
	unsigned errors = 0;

	for (size_t i = 0; i < k->count; i++) {
		int rc = tablekit_ask(k, k->entries[i].key, k->entries[i].version, 0);

		assert_true(rc == 0 || rc == SILT_E_CORRUPT);
		errors += rc != 0;
	}
	if (ask(k, "key", 0) != SILT_NOTFOUND)                  /* before all; behind all; between */
		errors++;
	if (ask(k, "key0035", 0) != SILT_NOTFOUND)
		errors++;
	assert_true(ask(k, "zzz", 0) != 0);
	return errors;
}

static void test_table_reader__any_flipped_byte_is_the_right_answer_or_an_error(void **state)
{
	static const struct table_settings packed = { .block_size = 256, .filter_bits_per_key = 10, .compression = SILT_COMPRESS_LZ4 };
	unsigned silent = 0;
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 1 << 20);
	tablekit_fill(&k, 24);
	tablekit_build(&k, &packed);
	for (uint64_t at = 0; at < k.meta->size; at++) {
		uint8_t mask = (uint8_t)(1u << at % 8);
		unsigned errors;

		assert_int_equal(simdisk_flip(k.disk, k.path, at, mask), 0);
		tablekit_reopen(&k);
		k.kit.reports = 0;
		errors = damaged_gets(&k);
		assert_true(k.kit.reports > 0);                 /* also a filter's, which is no error */
		assert_non_null(strstr(k.kit.message, "/db/000012.sst: "));
		assert_non_null(strstr(k.kit.message, "at offset "));
		silent += errors == 0;
		assert_int_equal(simdisk_flip(k.disk, k.path, at, mask), 0);
	}
	assert_int_equal(silent, 64 + 1 + 9);           /* the filter's line, its probes, its tail */
	tablekit_reopen(&k);
	tablekit_check_gets(&k);
	tablekit_fini(&k);
}

static void test_table_reader__a_damaged_block_names_its_place_and_keys(void **state)
{
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 1 << 20);
	tablekit_fill(&k, 40);
	tablekit_build(&k, &tablekit_small);
	simdisk_flip(k.disk, k.path, 30, 1);
	tablekit_reopen(&k);
	assert_int_equal(ask(&k, "key000", 0), SILT_E_CORRUPT);
	assert_non_null(strstr(k.kit.message, "/db/000012.sst: data block at offset 0 ("));
	assert_non_null(strstr(k.kit.message, "keys from the first to \"key0"));
	assert_int_equal(ask(&k, "key000", 0), SILT_E_CORRUPT);  /* damage does not enter the cache */
	assert_int_equal(k.kit.reports, 2);
	assert_int_equal(ask(&k, "key039", 0), 0);              /* the rest stays readable */
	tablekit_fini(&k);
}

static void test_table_reader__a_damaged_filter_is_reported_once_and_says_maybe(void **state)
{
	struct silt_buf bytes = { 0 };
	struct footer f;
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 1 << 20);
	tablekit_fill(&k, 100);
	tablekit_build(&k, &tablekit_small);
	assert_int_equal(simdisk_read_file(k.disk, k.path, &bytes), 0);
	assert_int_equal(footer_decode(slice_of((const uint8_t *)bytes.data + bytes.len - FOOTER_BYTES, FOOTER_BYTES), bytes.len, &f), 0);
	silt_buf_free(&bytes);
	assert_int_equal(simdisk_flip(k.disk, k.path, f.filter.offset + 20, 0x10), 0);
	tablekit_check_gets(&k);                                /* one struct table: it gives its filter up */
	assert_int_equal(k.kit.reports, 1);
	assert_non_null(strstr(k.kit.message, "/db/000012.sst: filter at offset "));
	tablekit_fini(&k);
}

static void test_table_reader__a_file_cut_short_is_refused(void **state)
{
	struct silt_buf whole = { 0 };
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 1 << 20);
	tablekit_fill(&k, 10);
	tablekit_build(&k, &tablekit_small);
	assert_int_equal(simdisk_read_file(k.disk, k.path, &whole), 0);
	for (size_t n = 0; n < whole.len; n++) {
		assert_int_equal(simdisk_write_file(k.disk, k.path, slice_of(whole.data, n)), 0);
		tablekit_reopen(&k);
		assert_int_equal(ask(&k, "key001", 0), SILT_E_CORRUPT);
	}
	silt_buf_free(&whole);
	tablekit_fini(&k);
}

static void test_table_reader__another_table_under_its_name_is_refused(void **state)
{
	struct silt_buf other = { 0 };
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 1 << 20);
	tablekit_put(&k, "key001", 7, "of another life");
	tablekit_build(&k, &tablekit_small);
	assert_int_equal(simdisk_read_file(k.disk, k.path, &other), 0);
	tablekit_put(&k, "key002", 7, "newer");
	tablekit_build(&k, &tablekit_small);
	assert_int_equal(simdisk_write_file(k.disk, k.path, buf_slice(&other)), 0);
	tablekit_reopen(&k);
	assert_int_equal(ask(&k, "key001", 0), SILT_E_CORRUPT);
	assert_non_null(strstr(k.kit.message, "its SHA-256 is not the one in the manifest"));
	silt_buf_free(&other);
	tablekit_fini(&k);
}

static void test_table_reader__a_missing_file_is_damage_said_once(void **state)
{
	silt_os *os;
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 1 << 20);
	tablekit_fill(&k, 10);
	tablekit_build(&k, &tablekit_small);
	os = k.kit.env.os;
	assert_int_equal(os->unlink(os, k.path), 0);
	assert_int_equal(ask(&k, "key001", 0), SILT_E_CORRUPT);
	assert_string_equal(k.kit.message, "/db/000012.sst: the table is missing");
	assert_int_equal(ask(&k, "key001", 0), SILT_E_CORRUPT);
	assert_int_equal(table_open(k.table), SILT_E_CORRUPT);
	assert_int_equal(k.kit.reports, 1);
	rcu_begin();
	assert_int_equal(ask(&k, "key001", TABLE_CACHED_ONLY), SILT_E_CORRUPT);   /* never WOULD_BLOCK for good */
	rcu_end();
	tablekit_fini(&k);
}

/* ---- what may pass ---- */

static void test_table_reader__every_failing_read_is_an_error_and_passes(void **state)
{
	struct tablekit k;
	int rc = -1;

	(void)state;
	tablekit_init(&k, 1 << 20);
	tablekit_fill(&k, 100);
	tablekit_build(&k, &tablekit_small);
	for (uint64_t n = 1; rc != 0; n++) {
		tablekit_reopen(&k);
		k.kit.reports = 0;
		simdisk_fail_at(k.disk, SIM_ANY, n, SILT_E_IO, false);
		rc = ask(&k, "key050", 0);
		simdisk_fail_at(k.disk, SIM_ANY, 0, 0, false);
		assert_true(rc == 0 || rc == SILT_E_IO);
		assert_true(rc == 0 || k.kit.reports == 1);
		assert_true(n < 20);
		if (rc == 0 && k.kit.reports == 1) {            /* the filter's read: not an error, but said */
			assert_non_null(strstr(k.kit.message, "/db/000012.sst: "));
			rc = -1;
		}
		tablekit_check_gets(&k);                        /* nothing of it stays */
	}
	tablekit_fini(&k);
}

static void test_table_reader__without_memory_it_is_an_error_and_passes(void **state)
{
	struct tablekit k;
	bool failed = true;

	(void)state;
	tablekit_init(&k, 1 << 20);
	tablekit_fill(&k, 100);
	tablekit_build(&k, &tablekit_small);
	for (uint64_t n = 1; failed; n++) {
		int rc;

		tablekit_reopen(&k);
		mem_fail_at(n, false);
		rc = ask(&k, "key050", 0);
		failed = mem_fail_count() >= n;
		mem_fail_at(0, false);
		assert_true(rc == 0 || rc == SILT_E_NOMEM);
		assert_true(failed || rc == 0);
		assert_true(n < 50);
		tablekit_check_gets(&k);
	}
	tablekit_fini(&k);
}

/* ---- threads ---- */

enum { THREADS = 4, ROUNDS = 20 };

static void *read_all(void *ctx)
{
	struct tablekit *k = ctx;
	unsigned wrong = 0;

	for (int round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < k->count; i++) {
			const struct entry *e = &k->entries[i];
			unsigned flags = (i + (size_t)round) % 3 == 0 ? TABLE_CACHED_ONLY : 0;
			struct table_hit hit;
			int rc;

			if (flags)
				rcu_begin();
			rc = table_get(k->table, e->key, hash_key(e->key), e->version, flags, NULL, &hit);
			wrong += rc == 0 ? !tablekit_same(&hit.entry, e) : rc != SILT_WOULD_BLOCK || !flags;
			if (rc == 0)
				table_hit_release(&hit);
			if (flags)
				rcu_end();
		}
	}
	return (void *)(uintptr_t)wrong;
}

/* All meet a closed table, and a cache that holds a part of it. */
static void test_table_reader__many_threads_at_once(void **state)
{
	pthread_t threads[THREADS];
	struct tablekit k;

	(void)state;
	tablekit_init(&k, 32 << 10);
	tablekit_fill(&k, 300);
	tablekit_sort(&k);
	tablekit_build(&k, &tablekit_small);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_all, &k), 0);
	for (int i = 0; i < THREADS; i++) {
		void *wrong;

		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_int_equal((uintptr_t)wrong, 0);
	}
	assert_int_equal(simdisk_calls(k.disk, SIM_OPEN), 2);   /* the writer's, and one opener's */
	block_cache_check(k.cache);
	tablekit_fini(&k);
}

/* What an ingest wrote: version 1 in its bytes, 50 for every reader. */
static void test_table_reader__an_assigned_version_is_every_entrys(void **state)
{
	struct table_settings s = { 1024, 10, SILT_COMPRESS_NONE };
	struct silt_slice key = slice_str("key050");
	struct tablekit k;
	struct table_hit hit;
	struct iter *it;

	(void)state;
	tablekit_init(&k, 1 << 20);
	for (int i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "key%03d", i);
		tablekit_put(&k, name, TABLE_UNASSIGNED, "value");
	}
	tablekit_sort(&k);
	assert_int_equal(tablekit_write(&k, &s), 0);
	k.meta->assigned = k.meta->min_version = k.meta->max_version = 50;
	tablekit_reopen(&k);
	assert_int_equal(table_get(k.table, key, hash_key(key), 49, 0, NULL, &hit), SILT_NOTFOUND);
	for (uint64_t at = 50; at < 53; at++) {
		assert_int_equal(table_get(k.table, key, hash_key(key), at == 52 ? UINT64_MAX : at, 0, NULL, &hit), 0);
		assert_int_equal(hit.entry.version, 50);
		table_hit_release(&hit);
	}
	assert_int_equal(table_iter_new(k.table, 0, &it), 0);
	assert_int_equal(it->ops->seek(it, key, 50), 0);
	assert_true(slice_eq(it->cur->key, key) && it->cur->version == 50);
	assert_int_equal(it->ops->seek(it, key, UINT64_MAX), 0);
	assert_true(slice_eq(it->cur->key, key));
	assert_int_equal(it->ops->seek(it, key, 49), 0);         /* behind the entry of version 50 */
	assert_true(slice_eq(it->cur->key, slice_str("key051")) && it->cur->version == 50);
	assert_int_equal(iter_prev(it), 0);
	assert_true(slice_eq(it->cur->key, key) && it->cur->version == 50);
	iter_close(it);
	assert_int_equal(table_verify(k.table, NULL, NULL), 0);

	k.meta->max_version = 51;         /* the manifest contradicts itself */
	tablekit_reopen(&k);
	assert_int_equal(table_open(k.table), SILT_E_CORRUPT);
	tablekit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_reader__an_assigned_version_is_every_entrys),
		cmocka_unit_test(test_table_reader__answers_as_the_twin),
		cmocka_unit_test(test_table_reader__several_partitions),
		cmocka_unit_test(test_table_reader__hardly_any_cache),
		cmocka_unit_test(test_table_reader__cached_only_never_touches_the_disk),
		cmocka_unit_test(test_table_reader__no_wait_reads_what_is_at_hand),
		cmocka_unit_test(test_table_reader__no_wait_takes_no_long_time),
		cmocka_unit_test(test_table_reader__no_wait_finds_damage),
		cmocka_unit_test(test_table_reader__the_filter_spares_the_blocks),
		cmocka_unit_test(test_table_reader__a_filter_too_large_for_the_cache_is_left_unused),
		cmocka_unit_test(test_table_reader__a_missing_filter_is_worth_asking_again),
		cmocka_unit_test(test_table_reader__a_filter_without_room_is_not_read),
		cmocka_unit_test(test_table_reader__no_fill_leaves_the_cache_alone),
		cmocka_unit_test(test_table_reader__a_hit_outlives_cache_and_table),
		cmocka_unit_test(test_table_reader__says_what_it_holds),
		cmocka_unit_test(test_table_reader__any_flipped_byte_is_the_right_answer_or_an_error),
		cmocka_unit_test(test_table_reader__a_damaged_block_names_its_place_and_keys),
		cmocka_unit_test(test_table_reader__a_damaged_filter_is_reported_once_and_says_maybe),
		cmocka_unit_test(test_table_reader__a_file_cut_short_is_refused),
		cmocka_unit_test(test_table_reader__another_table_under_its_name_is_refused),
		cmocka_unit_test(test_table_reader__a_missing_file_is_damage_said_once),
		cmocka_unit_test(test_table_reader__every_failing_read_is_an_error_and_passes),
		cmocka_unit_test(test_table_reader__without_memory_it_is_an_error_and_passes),
		cmocka_unit_test(test_table_reader__many_threads_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
