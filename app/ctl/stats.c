/* SPDX-License-Identifier: Apache-2.0 */
/* stats.c - a store in numbers: of a stopped one what is in it, of a running one how it works as well. */
#include "ctl/commands.h"
#include "ctl/look.h"
#include "ctl/session.h"
#include "ctl/target.h"
#include "ctl/text.h"
#include "util/json_walk.h"

#include <inttypes.h>
#include <stdio.h>

static uint64_t stats_number(struct span object, const char *name)
{
	uint64_t n = 0;

	(void)look_number(object, name, &n);
	return n;
}

static bool stats_has(struct span object, const char *name)
{
	struct json_member m;

	return look_member(object, name, &m);
}

static void stats_print_levels(struct span object)
{
	struct json_member levels, level;
	struct json_walk walk;
	char size[TEXT_SIZE];

	if (!look_member(object, "levels", &levels) || levels.kind != JSON_ARRAY)
		return;
	walk = json_walk_of(levels.value);
	for (int i = 0; json_walk_next(&walk, &level); i++)
		if (stats_number(level.value, "tables"))
			(void)printf("  level %d         %" PRIu64 ", %s, %" PRIu64 " entries\n", i, stats_number(level.value, "tables"),
			             text_size(stats_number(level.value, "bytes"), size), stats_number(level.value, "entries"));
}

static void stats_print_text(struct span object, const char *name, const char *title)
{
	struct bytes text = { 0 };

	if (look_text(object, name, &text) && text.len) {
		(void)printf("%-17s ", title);
		text_show(stdout, span_of(text.p, text.len));
		(void)putchar('\n');
	}
	bytes_fini(&text);
}

/* What only a running server has. */
static void stats_print_work(struct span object)
{
	uint64_t uptime_s = stats_number(object, "uptime_s");
	char size[TEXT_SIZE];

	(void)printf("in memory         %" PRIu64 " entries, %s\n", stats_number(object, "memtable_entries"),
	             text_size(stats_number(object, "memtable_bytes"), size));
	(void)printf("log               %" PRIu64 " segments, %s\n", stats_number(object, "wal_segments"),
	             text_size(stats_number(object, "wal_bytes"), size));
	(void)printf("running for       %" PRIu64 " d %02" PRIu64 ":%02" PRIu64 ":%02" PRIu64 ", %" PRIu64 " requests, %" PRIu64 " waiting\n",
	             uptime_s / 86400, uptime_s / 3600 % 24, uptime_s / 60 % 60, uptime_s % 60, stats_number(object, "requests"),
	             stats_number(object, "parked"));
	(void)printf("gets              %" PRIu64 ", %" PRIu64 " found\n", stats_number(object, "gets"), stats_number(object, "get_hits"));
	(void)printf("writes            %" PRIu64 ", %s, in %" PRIu64 " syncs\n", stats_number(object, "writes"),
	             text_size(stats_number(object, "write_bytes"), size), stats_number(object, "syncs"));
	(void)printf("flushes           %" PRIu64 "\n", stats_number(object, "flushes"));
	(void)printf("compactions       %" PRIu64 "\n", stats_number(object, "compactions"));
	stats_print_text(object, "stall_reason", "writes wait for");
	stats_print_text(object, "fault", "WRITES REFUSED");
}

static void stats_print(struct span object)
{
	char size[TEXT_SIZE];

	(void)printf("newest version    %" PRIu64 "\n", stats_number(object, "version"));
	(void)printf("tables            %" PRIu64 ", %s, %" PRIu64 " entries, %" PRIu64 " of them deletes\n", stats_number(object, "tables"),
	             text_size(stats_number(object, "table_bytes"), size), stats_number(object, "table_entries"),
	             stats_number(object, "tombstones"));
	stats_print_levels(object);
	if (stats_has(object, "uptime_s"))
		stats_print_work(object);
	else
		(void)printf("in the log only   %" PRIu64 " entries, replayed in %" PRIu64 " ms\n", stats_number(object, "log_entries"),
		             stats_number(object, "recovery_ms"));
	if (stats_number(object, "disk_free_bytes"))
		(void)printf("disk free         %s\n", text_size(stats_number(object, "disk_free_bytes"), size));
}

int stats_command(const struct args *a)
{
	struct bytes json = { 0 };
	struct target *t = NULL;
	struct span object;
	int status = SESSION_USAGE;

	if (args_allow(a, ARGS_TARGET | ARGS_JSON, 0))
		status = target_open(a, TARGET_READ, &t);
	if (status == SESSION_OK)
		status = t->ops->stats(t, &json);
	if (status == SESSION_OK && !look_object(span_of(json.p, json.len), &object)) {
		(void)fprintf(stderr, "siltctl: %s: an answer that no Siltstone gives: look at --url\n", t->name);
		status = SESSION_FAILED;
	} else if (status == SESSION_OK && (a->given & ARGS_JSON)) {
		status = session_print(span_of(json.p, json.len));
	} else if (status == SESSION_OK) {
		stats_print(object);
	}
	target_close(t);
	bytes_fini(&json);
	return status;
}
