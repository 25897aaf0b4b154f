/* SPDX-License-Identifier: Apache-2.0 */
/* options_keys.c - the table of every key; taking and printing a value is a walk to its kind. */
#include "server/options_keys.h"

#include "server/logger.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define SECOND UINT64_C(1000)
#define DAY (UINT64_C(86400) * SECOND)

static const struct options_choice options_keys_compressions[] = { { "none", 0 }, { "lz4", 1 }, { "zstd", 2 }, { NULL, 0 } };
static const struct options_choice options_keys_durabilities[] = { { "sync", 0 }, { "async", 1 }, { NULL, 0 } };
static const struct options_choice options_keys_levels[] = {
	{ "error", LOG_LEVEL_ERROR }, { "warning", LOG_LEVEL_WARNING }, { "notice", LOG_LEVEL_NOTICE },
	{ "info", LOG_LEVEL_INFO },   { "debug", LOG_LEVEL_DEBUG },     { NULL, 0 },
};

const struct options_key options_keys[OPTIONS_KEYS] = {
#define AT(member) offsetof(struct options, member)
	{ "db", OPTIONS_TEXT, AT(db), "/var/lib/siltstone", 0, 0, NULL, false, "directory of the store" },
	{ "listen", OPTIONS_TEXT, AT(listen), "", 0, 0, NULL, false,
	  "unix:/path of the FastCGI socket; not needed where systemd or spawn-fcgi gives one" },
	{ "listen_mode", OPTIONS_MODE, AT(listen_mode), "0660", 0, 0777, NULL, false, "permissions of that socket" },
	{ "listen_group", OPTIONS_TEXT, AT(listen_group), "", 0, 0, NULL, false, "group of that socket: nginx's; empty = ours" },
	{ "hosts", OPTIONS_TEXT, AT(hosts), "localhost, 127.0.0.1, [::1]", 0, 0, NULL, false,
	  "host names that are ours, without port; a request for another is 421; * = any" },
	{ "memory", OPTIONS_SIZE, AT(memory), "256M", 8 * MIB, 1024 * GIB, NULL, false,
	  "budget for memtables, cache, indexes and filters" },
	{ "memtable_size", OPTIONS_SIZE, AT(memtable_size), "32M", 64 * KIB, GIB, NULL, false,
	  "a memtable of this size is flushed to a table" },
	{ "wal_segment_size", OPTIONS_SIZE, AT(wal_segment_size), "40M", 256 * KIB, 4 * GIB, NULL, false,
	  "one file of the log; a value is at most half of it" },
	{ "flush_interval", OPTIONS_TIME, AT(flush_interval), "0", 0, 30 * DAY, NULL, false,
	  "a memtable this old is flushed; 0 = only by size" },
	{ "filter_bits_per_key", OPTIONS_COUNT, AT(filter_bits_per_key), "10", 0, 32, NULL, false,
	  "bits of bloom filter a key; 0 = none" },
	{ "block_size", OPTIONS_SIZE, AT(block_size), "4K", KIB, 64 * KIB, NULL, false, "a data block before compression" },
	{ "table_size", OPTIONS_SIZE, AT(table_size), "64M", 64 * KIB, 2 * GIB, NULL, false, "a table made by compaction" },
	{ "compaction_trigger", OPTIONS_COUNT, AT(compaction_trigger), "4", 2, 64, NULL, false,
	  "tables in level 0 that start a compaction" },
	{ "compaction_interval", OPTIONS_TIME, AT(compaction_interval), "30s", SECOND, DAY, NULL, false,
	  "look for work at least this often" },
	{ "level_base_size", OPTIONS_SIZE, AT(level_base_size), "256M", 256 * KIB, 1024 * GIB, NULL, false,
	  "the first level below level 0" },
	{ "compression", OPTIONS_CHOICE, AT(compression), "lz4", 0, 0, options_keys_compressions, false, "of the upper levels" },
	{ "compression_bottom", OPTIONS_CHOICE, AT(compression_bottom), "zstd", 0, 0, options_keys_compressions, false,
	  "of the last level" },
	{ "sync_interval", OPTIONS_TIME, AT(sync_interval), "1s", 1, 60 * SECOND, NULL, false,
	  "async writes are on disk after at most this" },
	{ "min_free_space", OPTIONS_SIZE, AT(min_free_space), "64M", 0, 1024 * GIB, NULL, false,
	  "with less free disk writes are refused (507)" },
	{ "change_log_size", OPTIONS_SIZE, AT(change_log_size), "80M", 0, 1024 * GIB, NULL, false,
	  "log kept for /v1/changes beyond what is there anyway, in whole segments" },
	{ "durability", OPTIONS_CHOICE, AT(durability), "sync", 0, 0, options_keys_durabilities, false,
	  "acknowledge writes after fdatasync, or (async) before" },
	{ "reactors", OPTIONS_COUNT, AT(reactors), "0", 0, 64, NULL, false,
	  "threads that serve connections, at most one a core; 0 = 2, or 1 on one core" },
	{ "workers", OPTIONS_COUNT, AT(workers), "4", 1, 256, NULL, false, "threads that may wait for the disk" },
	{ "max_value_size", OPTIONS_SIZE, AT(max_value_size), "16M", 1, 256 * MIB, NULL, false, "larger values are 413" },
	{ "max_request_size", OPTIONS_SIZE, AT(max_request_size), "32M", KIB, GIB, NULL, false, "larger bodies are 413" },
	{ "max_parked", OPTIONS_COUNT, AT(max_parked), "4096", 1, 1000000, NULL, false,
	  "requests that wait for a write, a worker or a change; more are 503" },
	{ "max_wait", OPTIONS_TIME, AT(max_wait), "5s", 10, 600 * SECOND, NULL, false,
	  "where the queue for these threads is longer than this, what comes is 503 at once" },
	{ "max_page_entries", OPTIONS_COUNT, AT(max_page_entries), "10000", 1, 1000000, NULL, false,
	  "entries of a list in one answer; a higher limit= is 400" },
	{ "max_page_size", OPTIONS_SIZE, AT(max_page_size), "8M", 4 * KIB, GIB, NULL, false,
	  "a list's answer ends before this; one entry is always given" },
	{ "max_streams", OPTIONS_COUNT, AT(max_streams), "64", 1, 100000, NULL, false,
	  "lists sent as lines at once; more are 503" },
	{ "max_batch_ops", OPTIONS_COUNT, AT(max_batch_ops), "1000", 1, 100000, NULL, false,
	  "operations, and conditions, of a batch; more are 413" },
	{ "max_answer_memory", OPTIONS_SIZE, AT(max_answer_memory), "512M", MIB, 1024 * GIB, NULL, false,
	  "large answers held at once for those who read them; a read that needs more is 503" },
	{ "max_stream_time", OPTIONS_TIME, AT(max_stream_time), "1h", 0, 30 * DAY, NULL, false,
	  "a list sent as lines ends with an error after this, whoever reads it; 0 = never" },
	{ "transfer_timeout", OPTIONS_TIME, AT(transfer_timeout), "1m", 10, DAY, NULL, false,
	  "for a large body to arrive from nginx, and for whoever reads an answer to take a part of it" },
	{ "request_timeout", OPTIONS_TIME, AT(request_timeout), "5s", 10, 600 * SECOND, NULL, false,
	  "for a request that began to arrive to be whole" },
	{ "log_level", OPTIONS_CHOICE, AT(log_level), "info", 0, 0, options_keys_levels, true, "what is less important is not logged" },
#undef AT
};


char **options_keys_text(const struct options *o, const struct options_key *k)
{
	return (char **)(void *)((uintptr_t)o + k->offset);
}

uint64_t *options_keys_number(const struct options *o, const struct options_key *k)
{
	return (uint64_t *)(void *)((uintptr_t)o + k->offset);
}

int options_keys_fail(char *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(error, OPTIONS_ERROR_MAX, format, args);
	va_end(args);
	return -1;
}

/* ---- values ------------------------------------------------------------------------------------------------------------ */

struct options_keys_unit {
	const char *name;
	uint64_t factor;
};

static const struct options_keys_unit options_keys_size_units[] = {
	{ "G", GIB }, { "M", MIB }, { "K", KIB }, { "", 1 },
};
static const struct options_keys_unit options_keys_time_units[] = {
	{ "d", DAY }, { "h", 3600 * SECOND }, { "m", 60 * SECOND }, { "s", SECOND }, { "ms", 1 },
};
static const struct options_keys_unit options_keys_no_units[] = { { "", 1 } };

/* The units of a kind, largest first. */
static const struct options_keys_unit *options_keys_units(enum options_kind kind, size_t *count)
{
	switch (kind) {
	case OPTIONS_SIZE:
		*count = sizeof(options_keys_size_units) / sizeof(options_keys_size_units[0]);
		return options_keys_size_units;
	case OPTIONS_TIME:
		*count = sizeof(options_keys_time_units) / sizeof(options_keys_time_units[0]);
		return options_keys_time_units;
	default:
		*count = 1;
		return options_keys_no_units;
	}
}

/* Digits in this base, then a unit. */
static bool options_keys_scan(const char *text, enum options_kind kind, uint64_t *out)
{
	size_t count;
	const struct options_keys_unit *units = options_keys_units(kind, &count);
	unsigned base = kind == OPTIONS_MODE ? 8 : 10;
	const char *p = text;
	uint64_t n = 0;

	for (; *p >= '0' && *p < (char)('0' + base); p++) {
		if (n > (UINT64_MAX - 9) / base)
			return false;
		n = n * base + (uint64_t)(*p - '0');
	}
	if (p == text)
		return false;
	if (n == 0 && *p == '\0') {
		*out = 0;
		return true;
	}
	for (size_t i = 0; i < count; i++) {
		if (strcmp(p, units[i].name) != 0)
			continue;
		if (n > UINT64_MAX / units[i].factor)
			return false;
		*out = n * units[i].factor;
		return true;
	}
	return false;
}

void options_keys_format(const struct options_key *k, uint64_t n, char *out, size_t size)
{
	size_t count;
	const struct options_keys_unit *units = options_keys_units(k->kind, &count);

	if (k->kind == OPTIONS_CHOICE) {
		const struct options_choice *c = k->choices;

		while (c->name != NULL && c->value != n)
			c++;
		(void)snprintf(out, size, "%s", c->name == NULL ? "?" : c->name);
		return;
	}
	if (k->kind == OPTIONS_MODE || n == 0) {
		(void)snprintf(out, size, k->kind == OPTIONS_MODE ? "%04llo" : "%llu", (unsigned long long)n);
		return;
	}
	while (n % units->factor != 0)
		units++;
	(void)snprintf(out, size, "%llu%s", (unsigned long long)(n / units->factor), units->name);
}

static int options_keys_set_choice(const struct options_key *k, const char *value, uint64_t *out, char *error)
{
	char names[128] = "";
	size_t len = 0;

	for (const struct options_choice *c = k->choices; c->name != NULL; c++) {
		if (strcmp(c->name, value) == 0) {
			*out = c->value;
			return 0;
		}
		len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", len == 0 ? "" : ", ", c->name);
	}
	return options_keys_fail(error, "%s: '%s' is none of %s", k->name, value, names);
}

static const char *options_keys_kind_example(enum options_kind kind)
{
	switch (kind) {
	case OPTIONS_SIZE:
		return "a size like 4096, 64K, 64M or 2G";
	case OPTIONS_TIME:
		return "a time like 250ms, 30s, 5m, 12h or 7d";
	case OPTIONS_MODE:
		return "permissions like 0660";
	default:
		return "a number";
	}
}

static int options_keys_set_number(const struct options_key *k, const char *value, uint64_t *out, char *error)
{
	char low[32], high[32];
	uint64_t n;

	if (!options_keys_scan(value, k->kind, &n))
		return options_keys_fail(error, "%s: '%s' is not %s", k->name, value, options_keys_kind_example(k->kind));
	if (n < k->min || n > k->max) {
		options_keys_format(k, k->min, low, sizeof(low));
		options_keys_format(k, k->max, high, sizeof(high));
		return options_keys_fail(error, "%s: %s is not between %s and %s", k->name, value, low, high);
	}
	*out = n;
	return 0;
}

static int options_keys_set_text(const struct options_key *k, const char *value, char **out, char *error)
{
	char *copy = strdup(value);

	if (copy == NULL)
		return options_keys_fail(error, "%s: out of memory", k->name);
	free(*out);
	*out = copy;
	return 0;
}

int options_keys_set(struct options *o, const struct options_key *k, const char *value, char *error)
{
	switch (k->kind) {
	case OPTIONS_TEXT:
		return options_keys_set_text(k, value, options_keys_text(o, k), error);
	case OPTIONS_CHOICE:
		return options_keys_set_choice(k, value, options_keys_number(o, k), error);
	default:
		return options_keys_set_number(k, value, options_keys_number(o, k), error);
	}
}

const struct options_key *options_keys_find(const char *name)
{
	for (size_t i = 0; i < OPTIONS_KEYS; i++) {
		if (strcmp(options_keys[i].name, name) == 0)
			return &options_keys[i];
	}
	return NULL;
}
