/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - the defaults and the ranges that siltstone.h promises, each in one table row or line. */
#include "core/options.h"

#include <inttypes.h>
#include <string.h>

#define KIB(n)     ((uint64_t)(n) << 10)
#define MIB(n)     ((uint64_t)(n) << 20)
#define GIB(n)     ((uint64_t)(n) << 30)
#define SECONDS(n) ((uint64_t)(n) * 1000)
#define DAYS(n)    ((uint64_t)(n) * 86400 * 1000)

void silt_options_init(struct silt_options *opts)
{
	*opts = (struct silt_options){
		.create = true,
		.memory = MIB(256),
		.memtable_size = MIB(32),
		.wal_segment_size = MIB(40),
		.filter_bits_per_key = 10,
		.block_size = 4096,
		.table_size = MIB(64),
		.compaction_trigger = 4,
		.compaction_interval_ms = SECONDS(30),
		.level_base_size = MIB(256),
		.level_ratio = 10,
		.compression = SILT_COMPRESS_LZ4,
		.compression_bottom = SILT_COMPRESS_ZSTD,
		.sync_interval_ms = SECONDS(1),
		.max_queue = 65536,
		.min_free_space = MIB(64),
		.change_log_size = 0,
	};
}

struct options_range {
	const char *name;
	size_t offset, width;             /* of the field in struct silt_options */
	uint64_t min, max;
};

#define RANGE(field, min, max) \
	{ #field, offsetof(struct silt_options, field), sizeof(((struct silt_options *)0)->field), (min), (max) }

static const struct options_range options_ranges[] = {
	RANGE(memory, MIB(8), UINT64_MAX),
	RANGE(memtable_size, KIB(64), GIB(1)),
	RANGE(wal_segment_size, KIB(256), GIB(4)),
	RANGE(flush_interval_ms, 0, DAYS(30)),
	RANGE(filter_bits_per_key, 0, 32),
	RANGE(block_size, 1024, 65536),
	RANGE(table_size, KIB(64), GIB(2)),
	RANGE(compaction_trigger, 2, 64),
	RANGE(compaction_interval_ms, SECONDS(1), DAYS(1)),
	RANGE(level_base_size, KIB(256), UINT64_MAX),
	RANGE(level_ratio, 2, 100),
	RANGE(compression, SILT_COMPRESS_NONE, SILT_COMPRESS_ZSTD),
	RANGE(compression_bottom, SILT_COMPRESS_NONE, SILT_COMPRESS_ZSTD),
	RANGE(sync_interval_ms, 1, SECONDS(60)),
	RANGE(max_queue, 1, UINT64_MAX),
	RANGE(change_log_size, 0, GIB(1024)),
	RANGE(first_version, 0, SILT_VERSION_MAX),
};

static uint64_t options_field(const struct silt_options *o, const struct options_range *r)
{
	uint64_t wide;
	uint32_t narrow;

	if (r->width == sizeof(wide)) {
		memcpy(&wide, (const char *)o + r->offset, sizeof(wide));
		return wide;
	}
	memcpy(&narrow, (const char *)o + r->offset, sizeof(narrow));
	return narrow;
}

int options_check(const struct silt_options *o, const struct reporter *rep)
{
	for (size_t i = 0; i < sizeof(options_ranges) / sizeof(options_ranges[0]); i++) {
		const struct options_range *r = &options_ranges[i];
		uint64_t v = options_field(o, r);

		if (v >= r->min && v <= r->max)
			continue;
		if (r->max == UINT64_MAX)
			return report(rep, SILT_E_MISUSE, "option %s: %" PRIu64 " is below %" PRIu64, r->name, v, r->min);
		return report(rep, SILT_E_MISUSE, "option %s: %" PRIu64 " is not in %" PRIu64 "..%" PRIu64, r->name, v,
		              r->min, r->max);
	}
	return 0;
}

void options_fit(struct silt_options *o)
{
	if (o->memtable_size > o->memory / 4)
		o->memtable_size = o->memory / 4;
}
