/* SPDX-License-Identifier: Apache-2.0 */
/* test_options.c - the defaults lie in the ranges, and each range holds at both ends. */
#include "lib/test.h"

#include "core/options.h"

struct heard {
	char text[256];
	int count;
};

static void hear(void *ctx, enum silt_log_level level, const char *message)
{
	struct heard *h = ctx;

	assert_int_equal(level, SILT_LOG_ERROR);
	snprintf(h->text, sizeof(h->text), "%s", message);
	h->count++;
}

static int check(const struct silt_options *o, struct heard *h)
{
	struct reporter rep = { hear, h };

	*h = (struct heard){ .count = 0 };
	return options_check(o, &rep);
}

static void test_options__the_defaults_are_in_range(void **state)
{
	struct silt_options o;
	struct heard h;

	(void)state;
	memset(&o, 0xff, sizeof(o));
	silt_options_init(&o);
	assert_int_equal(check(&o, &h), 0);
	assert_int_equal(h.count, 0);
	assert_true(o.create);
	assert_false(o.read_only);
	assert_int_equal(o.memory, 256 << 20);
	assert_int_equal(o.memtable_size, 32 << 20);
	assert_int_equal(o.wal_segment_size, 40 << 20);
	assert_int_equal(o.flush_interval_ms, 0);
	assert_int_equal(o.filter_bits_per_key, 10);
	assert_int_equal(o.block_size, 4096);
	assert_int_equal(o.table_size, 64 << 20);
	assert_int_equal(o.compaction_trigger, 4);
	assert_int_equal(o.compaction_interval_ms, 30000);
	assert_int_equal(o.level_base_size, 256 << 20);
	assert_int_equal(o.level_ratio, 10);
	assert_int_equal(o.compression, SILT_COMPRESS_LZ4);
	assert_int_equal(o.compression_bottom, SILT_COMPRESS_ZSTD);
	assert_int_equal(o.sync_interval_ms, 1000);
	assert_int_equal(o.snapshot_max_age_ms, 0);
	assert_int_equal(o.max_queue, 65536);
	assert_int_equal(o.min_free_space, 64 << 20);
	assert_null(o.log);
	assert_null(o.os);
}

/* Each bound: the last good value, and the first bad one; the message names option, value and range. */
#define GOOD(field, value) \
	do { \
		silt_options_init(&o); \
		o.field = (value); \
		assert_int_equal(check(&o, &h), 0); \
	} while (0)
#define BAD(field, value, message) \
	do { \
		silt_options_init(&o); \
		o.field = (value); \
		assert_int_equal(check(&o, &h), SILT_E_MISUSE); \
		assert_int_equal(h.count, 1); \
		assert_string_equal(h.text, message); \
	} while (0)

static void test_options__each_range_holds_at_both_ends(void **state)
{
	struct silt_options o;
	struct heard h;

	(void)state;
	GOOD(memory, 8 << 20);
	BAD(memory, (8 << 20) - 1, "option memory: 8388607 is below 8388608");
	GOOD(memory, UINT64_MAX);
	GOOD(memtable_size, 64 << 10);
	BAD(memtable_size, 0, "option memtable_size: 0 is not in 65536..1073741824");
	GOOD(memtable_size, 1 << 30);
	BAD(memtable_size, (1 << 30) + 1, "option memtable_size: 1073741825 is not in 65536..1073741824");
	GOOD(wal_segment_size, 256 << 10);
	BAD(wal_segment_size, 4096, "option wal_segment_size: 4096 is not in 262144..4294967296");
	GOOD(wal_segment_size, UINT64_C(4) << 30);
	GOOD(flush_interval_ms, UINT64_C(30) * 86400000);
	BAD(flush_interval_ms, UINT64_MAX, "option flush_interval_ms: 18446744073709551615 is not in 0..2592000000");
	GOOD(filter_bits_per_key, 0);
	GOOD(filter_bits_per_key, 32);
	BAD(filter_bits_per_key, 33, "option filter_bits_per_key: 33 is not in 0..32");
	GOOD(block_size, 1024);
	GOOD(block_size, 65536);
	BAD(block_size, 1023, "option block_size: 1023 is not in 1024..65536");
	BAD(table_size, 1, "option table_size: 1 is not in 65536..2147483648");
	GOOD(compaction_trigger, 2);
	BAD(compaction_trigger, 1, "option compaction_trigger: 1 is not in 2..64");
	BAD(compaction_interval_ms, 999, "option compaction_interval_ms: 999 is not in 1000..86400000");
	BAD(level_base_size, 0, "option level_base_size: 0 is below 262144");
	BAD(level_ratio, 1, "option level_ratio: 1 is not in 2..100");
	GOOD(compression, SILT_COMPRESS_NONE);
	BAD(compression, (enum silt_compression)3, "option compression: 3 is not in 0..2");
	BAD(compression_bottom, (enum silt_compression)9, "option compression_bottom: 9 is not in 0..2");
	BAD(sync_interval_ms, 0, "option sync_interval_ms: 0 is not in 1..60000");
	BAD(max_queue, 0, "option max_queue: 0 is below 1");
	GOOD(min_free_space, 0);
	GOOD(first_version, SILT_VERSION_MAX);
	BAD(first_version, SILT_VERSION_MAX + 1, "option first_version: 9007199254740992 is not in 0..9007199254740991");
}

static void test_options__says_nothing_without_a_listener(void **state)
{
	struct reporter silent = { NULL, NULL };
	struct silt_options o;

	(void)state;
	silt_options_init(&o);
	o.block_size = 7;
	assert_int_equal(options_check(&o, &silent), SILT_E_MISUSE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options__the_defaults_are_in_range),
		cmocka_unit_test(test_options__each_range_holds_at_both_ends),
		cmocka_unit_test(test_options__says_nothing_without_a_listener),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
