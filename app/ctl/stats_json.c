/* SPDX-License-Identifier: Apache-2.0 */
/* stats_json.c - the numbers of a stopped store. Counters of work (gets, flushes, ...) are a running process's: they are not here. */
#include "ctl/stats_json.h"

#include "util/json_text.h"

static void stats_json_number(struct bytes *out, const char *name, uint64_t n)
{
	json_text_number(out, name, n);
	bytes_adds(out, ",");
}

static void stats_json_levels(struct bytes *out, const struct silt_stats *st)
{
	bytes_adds(out, "\"levels\":[");
	for (int i = 0; i < SILT_LEVELS; i++) {
		bytes_adds(out, i ? ",{" : "{");
		stats_json_number(out, "tables", st->tables[i]);
		stats_json_number(out, "bytes", st->table_bytes[i]);
		json_text_number(out, "entries", st->table_entries[i]);
		bytes_adds(out, "}");
	}
	bytes_adds(out, "]");
}

bool stats_json(const struct silt_stats *st, struct bytes *out)
{
	uint64_t tables = 0, bytes = 0, entries = 0;

	for (int i = 0; i < SILT_LEVELS; i++) {
		tables += st->tables[i];
		bytes += st->table_bytes[i];
		entries += st->table_entries[i];
	}
	bytes_adds(out, "{");
	stats_json_number(out, "version", st->version);
	stats_json_number(out, "tables", tables);
	stats_json_number(out, "table_bytes", bytes);
	stats_json_number(out, "table_entries", entries);
	stats_json_number(out, "tombstones", st->tombstones);
	stats_json_number(out, "log_entries", st->recovered_entries);
	stats_json_number(out, "recovery_ms", st->recovery_ms);
	stats_json_number(out, "disk_free_bytes", st->disk_free_bytes);
	stats_json_levels(out, st);
	bytes_adds(out, "}\n");
	return !out->bad;
}
