/* SPDX-License-Identifier: Apache-2.0 */
/* stats.c - what is in the store, as numbers. Counters of work (gets, flushes, ...) are a running process's: it has them in GET /v1/stats. */
#include "ctl/commands.h"
#include "ctl/session.h"
#include "ctl/text.h"
#include "util/json_text.h"

#include <inttypes.h>
#include <stdio.h>

struct stats_sum {
	uint64_t tables, bytes, entries;
};

static struct stats_sum stats_of_tables(const struct silt_stats *st)
{
	struct stats_sum sum = { 0 };

	for (int i = 0; i < SILT_LEVELS; i++) {
		sum.tables += st->tables[i];
		sum.bytes += st->table_bytes[i];
		sum.entries += st->table_entries[i];
	}
	return sum;
}

static void stats_number(struct bytes *out, const char *name, uint64_t n)
{
	json_text_number(out, name, n);
	bytes_adds(out, ",");
}

static void stats_json_levels(struct bytes *out, const struct silt_stats *st)
{
	bytes_adds(out, "\"levels\":[");
	for (int i = 0; i < SILT_LEVELS; i++) {
		bytes_adds(out, i ? ",{" : "{");
		stats_number(out, "tables", st->tables[i]);
		stats_number(out, "bytes", st->table_bytes[i]);
		json_text_number(out, "entries", st->table_entries[i]);
		bytes_adds(out, "}");
	}
	bytes_adds(out, "]");
}

static int stats_print_json(const struct silt_stats *st)
{
	struct stats_sum sum = stats_of_tables(st);
	struct bytes out = { 0 };
	int status = SESSION_OK;

	bytes_adds(&out, "{");
	stats_number(&out, "version", st->version);
	stats_number(&out, "tables", sum.tables);
	stats_number(&out, "table_bytes", sum.bytes);
	stats_number(&out, "table_entries", sum.entries);
	stats_number(&out, "tombstones", st->tombstones);
	stats_number(&out, "log_entries", st->recovered_entries);
	stats_number(&out, "recovery_ms", st->recovery_ms);
	stats_number(&out, "disk_free_bytes", st->disk_free_bytes);
	stats_json_levels(&out, st);
	bytes_adds(&out, "}\n");
	if (out.bad)
		status = session_fail("stats", SILT_E_NOMEM);
	else
		(void)fwrite(out.p, 1, out.len, stdout);
	bytes_fini(&out);
	return status;
}

static void stats_print(const struct silt_stats *st)
{
	struct stats_sum sum = stats_of_tables(st);
	char size[TEXT_SIZE];

	(void)printf("newest version    %" PRIu64 "\n", st->version);
	(void)printf("tables            %" PRIu64 ", %s, %" PRIu64 " entries, %" PRIu64 " of them deletes\n", sum.tables,
	             text_size(sum.bytes, size), sum.entries, st->tombstones);
	for (int i = 0; i < SILT_LEVELS; i++)
		if (st->tables[i])
			(void)printf("  level %d         %" PRIu64 ", %s, %" PRIu64 " entries\n", i, st->tables[i],
			             text_size(st->table_bytes[i], size), st->table_entries[i]);
	(void)printf("in the log only   %" PRIu64 " entries, replayed in %" PRIu64 " ms\n", st->recovered_entries, st->recovery_ms);
	if (st->disk_free_bytes)
		(void)printf("disk free         %s\n", text_size(st->disk_free_bytes, size));
}

int stats_command(const struct args *a)
{
	struct silt_stats st;
	struct session s;
	int status;

	if (!args_allow(a, ARGS_DB | ARGS_JSON, 0))
		return SESSION_USAGE;
	status = session_open(&s, a);
	if (status != SESSION_OK)
		return status;
	silt_stats(s.db, &st);
	if (a->given & ARGS_JSON)
		status = stats_print_json(&st);
	else
		stats_print(&st);
	session_close(&s);
	return status;
}
