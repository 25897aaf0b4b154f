/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - what the responder is told. One table holds every key; parsing, printing and help are walks over it. */
#include "server/options.h"

#include "server/logger.h"

#include <errno.h>
#include <getopt.h>
#include <ini.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define SECOND UINT64_C(1000)
#define DAY (UINT64_C(86400) * SECOND)

enum options_kind { OPTIONS_TEXT, OPTIONS_SIZE, OPTIONS_TIME, OPTIONS_COUNT, OPTIONS_MODE, OPTIONS_CHOICE };

struct options_choice {
	const char *name;             /* NULL ends */
	uint64_t value;
};

static const struct options_choice options_compressions[] = { { "none", 0 }, { "lz4", 1 }, { "zstd", 2 }, { NULL, 0 } };
static const struct options_choice options_durabilities[] = { { "sync", 0 }, { "async", 1 }, { NULL, 0 } };
static const struct options_choice options_levels[] = {
	{ "error", LOG_LEVEL_ERROR }, { "warning", LOG_LEVEL_WARNING }, { "notice", LOG_LEVEL_NOTICE },
	{ "info", LOG_LEVEL_INFO },   { "debug", LOG_LEVEL_DEBUG },     { NULL, 0 },
};

static const struct options_key {
	const char *name;
	enum options_kind kind;
	size_t offset;
	const char *fallback;         /* the default, as people write it */
	uint64_t min, max;            /* of sizes, times, counts */
	const struct options_choice *choices;
	bool live;                    /* SIGHUP can change it */
	const char *help;
} options_keys[] = {
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
	{ "wal_segment_size", OPTIONS_SIZE, AT(wal_segment_size), "80M", 256 * KIB, 4 * GIB, NULL, false,
	  "one file of the log; a value is at most a quarter of it" },
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
	{ "compression", OPTIONS_CHOICE, AT(compression), "lz4", 0, 0, options_compressions, false, "of the upper levels" },
	{ "compression_bottom", OPTIONS_CHOICE, AT(compression_bottom), "zstd", 0, 0, options_compressions, false,
	  "of the last level" },
	{ "sync_interval", OPTIONS_TIME, AT(sync_interval), "1s", 1, 60 * SECOND, NULL, false,
	  "async writes are on disk after at most this" },
	{ "min_free_space", OPTIONS_SIZE, AT(min_free_space), "64M", 0, 1024 * GIB, NULL, false,
	  "with less free disk writes are refused (507)" },
	{ "change_log_size", OPTIONS_SIZE, AT(change_log_size), "80M", 0, 1024 * GIB, NULL, false,
	  "log kept for /v1/changes beyond what is there anyway, in whole segments" },
	{ "durability", OPTIONS_CHOICE, AT(durability), "sync", 0, 0, options_durabilities, false,
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
	{ "request_timeout", OPTIONS_TIME, AT(request_timeout), "5s", 10, 600 * SECOND, NULL, false,
	  "for a request that began to arrive to be whole" },
	{ "log_level", OPTIONS_CHOICE, AT(log_level), "info", 0, 0, options_levels, true, "what is less important is not logged" },
#undef AT
};

#define OPTIONS_COUNT_OF_KEYS (sizeof(options_keys) / sizeof(options_keys[0]))

static char **options_text(const struct options *o, const struct options_key *k)
{
	return (char **)(void *)((uintptr_t)o + k->offset);
}

static uint64_t *options_number(const struct options *o, const struct options_key *k)
{
	return (uint64_t *)(void *)((uintptr_t)o + k->offset);
}

static int options_fail(char *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int options_fail(char *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(error, OPTIONS_ERROR_MAX, format, args);
	va_end(args);
	return -1;
}

/* ---- values ------------------------------------------------------------------------------------------------------------ */

struct options_unit {
	const char *name;
	uint64_t factor;
};

static const struct options_unit options_size_units[] = {
	{ "G", GIB }, { "M", MIB }, { "K", KIB }, { "", 1 },
};
static const struct options_unit options_time_units[] = {
	{ "d", DAY }, { "h", 3600 * SECOND }, { "m", 60 * SECOND }, { "s", SECOND }, { "ms", 1 },
};
static const struct options_unit options_no_units[] = { { "", 1 } };

/* The units of a kind, largest first. */
static const struct options_unit *options_units(enum options_kind kind, size_t *count)
{
	switch (kind) {
	case OPTIONS_SIZE:
		*count = sizeof(options_size_units) / sizeof(options_size_units[0]);
		return options_size_units;
	case OPTIONS_TIME:
		*count = sizeof(options_time_units) / sizeof(options_time_units[0]);
		return options_time_units;
	default:
		*count = 1;
		return options_no_units;
	}
}

/* Digits in this base, then a unit. */
static bool options_scan(const char *text, enum options_kind kind, uint64_t *out)
{
	size_t count;
	const struct options_unit *units = options_units(kind, &count);
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

/* The shortest exact form: 67108864 -> 64M. */
static void options_format(const struct options_key *k, uint64_t n, char *out, size_t size)
{
	size_t count;
	const struct options_unit *units = options_units(k->kind, &count);

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

static int options_set_choice(const struct options_key *k, const char *value, uint64_t *out, char *error)
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
	return options_fail(error, "%s: '%s' is none of %s", k->name, value, names);
}

static const char *options_kind_example(enum options_kind kind)
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

static int options_set_number(const struct options_key *k, const char *value, uint64_t *out, char *error)
{
	char low[32], high[32];
	uint64_t n;

	if (!options_scan(value, k->kind, &n))
		return options_fail(error, "%s: '%s' is not %s", k->name, value, options_kind_example(k->kind));
	if (n < k->min || n > k->max) {
		options_format(k, k->min, low, sizeof(low));
		options_format(k, k->max, high, sizeof(high));
		return options_fail(error, "%s: %s is not between %s and %s", k->name, value, low, high);
	}
	*out = n;
	return 0;
}

static int options_set_text(const struct options_key *k, const char *value, char **out, char *error)
{
	char *copy = strdup(value);

	if (copy == NULL)
		return options_fail(error, "%s: out of memory", k->name);
	free(*out);
	*out = copy;
	return 0;
}

static int options_set(struct options *o, const struct options_key *k, const char *value, char *error)
{
	switch (k->kind) {
	case OPTIONS_TEXT:
		return options_set_text(k, value, options_text(o, k), error);
	case OPTIONS_CHOICE:
		return options_set_choice(k, value, options_number(o, k), error);
	default:
		return options_set_number(k, value, options_number(o, k), error);
	}
}

static const struct options_key *options_find(const char *name)
{
	for (size_t i = 0; i < OPTIONS_COUNT_OF_KEYS; i++) {
		if (strcmp(options_keys[i].name, name) == 0)
			return &options_keys[i];
	}
	return NULL;
}

/* ---- the file ---------------------------------------------------------------------------------------------------------- */

struct options_reader {
	struct options *o;
	FILE *file;
	const char *name;
	int line;
	int bad_line;                 /* of the first error; 0 = none */
	uint64_t seen;                /* a bit a key */
	char *error;
};

_Static_assert(OPTIONS_COUNT_OF_KEYS <= 64, "options_reader.seen has a bit for each key");

static void options_reader_fail(struct options_reader *r, const char *what, const char *name)
{
	if (r->bad_line != 0)
		return;
	r->bad_line = r->line;
	(void)options_fail(r->error, "%s:%d: %s '%.64s'", r->name, r->line, what, name);
}

/* For inih: one line. It hands over no line numbers, and takes an indented line for more of the value before; so the lines are
   counted, and their indentation dropped, here. */
static char *options_reader_line(char *buffer, int size, void *reader)
{
	struct options_reader *r = reader;
	char *line = fgets(buffer, size, r->file);
	size_t len, blank;

	if (line == NULL)
		return NULL;
	r->line++;
	len = strlen(line);
	if (len + 1 == (size_t)size && line[len - 1] != '\n' && !feof(r->file)) {
		options_reader_fail(r, "line too long, beginning with", line);
		line[0] = '\0';
		return line;
	}
	blank = strspn(line, " \t");
	memmove(line, line + blank, len - blank + 1);
	return line;
}

static int options_reader_take(void *reader, const char *section, const char *name, const char *value)
{
	struct options_reader *r = reader;
	const struct options_key *k = options_find(name);
	char why[OPTIONS_ERROR_MAX];
	uint64_t bit;

	if (r->bad_line != 0)
		return 0;
	if (section[0] != '\0' && strcmp(section, "siltstone") != 0) {
		options_reader_fail(r, "unknown section", section);
		return 0;
	}
	if (k == NULL) {
		options_reader_fail(r, "unknown key", name);
		return 0;
	}
	bit = UINT64_C(1) << (k - options_keys);
	if (r->seen & bit) {
		options_reader_fail(r, "repeated key", name);
		return 0;
	}
	r->seen |= bit;
	if (options_set(r->o, k, value, why) < 0) {
		r->bad_line = r->line;
		(void)options_fail(r->error, "%s:%d: %.400s", r->name, r->line, why);
		return 0;
	}
	return 1;
}

static int options_read_file(struct options *o, const char *name, char *error)
{
	struct options_reader r = { .o = o, .name = name, .error = error };
	int rc;

	r.file = fopen(name, "re");
	if (r.file == NULL)
		return options_fail(error, "%s: %s", name, strerror(errno));
	rc = ini_parse_stream(options_reader_line, &r, options_reader_take, &r);
	if (ferror(r.file) && r.bad_line == 0)
		rc = options_fail(error, "%s: %s", name, strerror(errno));
	else if (rc > 0 && (r.bad_line == 0 || rc < r.bad_line))
		rc = options_fail(error, "%s:%d: not 'key = value'", name, rc);
	else if (r.bad_line != 0)
		rc = -1;
	else if (rc < 0)
		rc = options_fail(error, "%s: out of memory", name);
	(void)fclose(r.file);
	return rc;
}

/* ---- flags ------------------------------------------------------------------------------------------------------------- */

enum { OPTIONS_FLAG_CONFIG = 1000, OPTIONS_FLAG_CHECK, OPTIONS_FLAG_VERSION, OPTIONS_FLAG_HELP };
#define OPTIONS_EXTRA_FLAGS 4
#define OPTIONS_NAME_MAX 32

struct options_flags {                /* for getopt_long(): every key with dashes, and four more */
	struct option list[OPTIONS_COUNT_OF_KEYS + OPTIONS_EXTRA_FLAGS + 1];
	char names[OPTIONS_COUNT_OF_KEYS][OPTIONS_NAME_MAX];
};

static void options_flag_name(const char *key, char *out)
{
	(void)snprintf(out, OPTIONS_NAME_MAX, "%s", key);
	for (; *out != '\0'; out++) {
		if (*out == '_')
			*out = '-';
	}
}

static void options_flags_init(struct options_flags *f)
{
	struct option extra[OPTIONS_EXTRA_FLAGS] = {
		{ "config", required_argument, NULL, OPTIONS_FLAG_CONFIG },
		{ "check-config", no_argument, NULL, OPTIONS_FLAG_CHECK },
		{ "version", no_argument, NULL, OPTIONS_FLAG_VERSION },
		{ "help", no_argument, NULL, OPTIONS_FLAG_HELP },
	};

	memset(f, 0, sizeof(*f));
	for (size_t i = 0; i < OPTIONS_COUNT_OF_KEYS; i++) {
		options_flag_name(options_keys[i].name, f->names[i]);
		f->list[i] = (struct option){ f->names[i], required_argument, NULL, (int)i };
	}
	memcpy(&f->list[OPTIONS_COUNT_OF_KEYS], extra, sizeof(extra));
}

static int options_set_flag(struct options *o, const struct options_key *k, const char *value, char *error)
{
	char why[OPTIONS_ERROR_MAX], flag[OPTIONS_NAME_MAX];

	if (options_set(o, k, value, why) == 0)
		return 0;
	options_flag_name(k->name, flag);
	return options_fail(error, "--%s%.400s", flag, why + strlen(k->name));      /* which `why` begins with */
}

/* One walk over argv. With keys false only those flags that are no keys, since the file's name must be known first. */
static int options_walk_flags(struct options *o, int argc, char *const *argv, bool keys, char *error)
{
	struct options_flags f;
	int c;

	options_flags_init(&f);
	optind = 0;                                                /* GNU: begin anew */
	opterr = 0;
	while ((c = getopt_long(argc, argv, "+:", f.list, NULL)) != -1) {
		int rc = 0;

		if (c == '?')
			return options_fail(error, "unknown option '%s'", argv[optind - 1]);
		if (c == ':')
			return options_fail(error, "option '%s' needs a value", argv[optind - 1]);
		if (c == OPTIONS_FLAG_CONFIG && !keys) {
			free(o->config);
			o->config = strdup(optarg);
			rc = o->config == NULL ? options_fail(error, "out of memory") : 0;
		} else if (c > OPTIONS_FLAG_CONFIG) {
			o->action = (enum options_action)(c - OPTIONS_FLAG_CHECK + OPTIONS_CHECK);
		} else if (c < OPTIONS_FLAG_CONFIG && keys) {
			rc = options_set_flag(o, &options_keys[c], optarg, error);
		}
		if (rc < 0)
			return rc;
	}
	if (optind < argc)
		return options_fail(error, "'%s' is no option", argv[optind]);
	return 0;
}

/* ---- loading ----------------------------------------------------------------------------------------------------------- */

static int options_defaults(struct options *o, char *error)
{
	int rc = 0;

	for (size_t i = 0; i < OPTIONS_COUNT_OF_KEYS && rc == 0; i++)
		rc = options_set(o, &options_keys[i], options_keys[i].fallback, error);
	return rc;
}

/* "a, b c" -> { "a", "b", "c", NULL } */
static int options_split_hosts(struct options *o, char *error)
{
	static const char blanks[] = ", \t";
	size_t n = 0;

	if (strcmp(o->hosts, "*") == 0)
		return 0;
	/* at most every second byte begins a name */
	o->host_list = calloc(strlen(o->hosts) / 2 + 2, sizeof(*o->host_list));
	if (o->host_list == NULL)
		return options_fail(error, "out of memory");
	for (const char *p = o->hosts + strspn(o->hosts, blanks); *p != '\0'; p += strspn(p, blanks)) {
		size_t len = strcspn(p, blanks);

		o->host_list[n] = strndup(p, len);
		if (o->host_list[n++] == NULL)
			return options_fail(error, "out of memory");
		p += len;
	}
	if (n == 0)
		return options_fail(error, "hosts: empty would refuse every request; * = any host");
	return 0;
}

static int options_check(struct options *o, char *error)
{
	if (o->db[0] == '\0')
		return options_fail(error, "db: the directory of the store must not be empty");
	if (o->max_request_size < o->max_value_size)
		return options_fail(error, "max_request_size: smaller than max_value_size");
	return options_split_hosts(o, error);
}

int options_load(struct options *o, int argc, char *const *argv, char *error)
{
	int rc;

	memset(o, 0, sizeof(*o));
	rc = options_defaults(o, error);
	if (rc == 0)
		rc = options_walk_flags(o, argc, argv, false, error);
	if (rc == 0 && (o->action == OPTIONS_VERSION || o->action == OPTIONS_HELP))
		return 0;
	if (rc == 0 && o->config != NULL)
		rc = options_read_file(o, o->config, error);
	if (rc == 0)
		rc = options_walk_flags(o, argc, argv, true, error);
	if (rc == 0)
		rc = options_check(o, error);
	return rc;
}

void options_fini(struct options *o)
{
	for (size_t i = 0; i < OPTIONS_COUNT_OF_KEYS; i++) {
		if (options_keys[i].kind == OPTIONS_TEXT)
			free(*options_text(o, &options_keys[i]));
	}
	for (size_t i = 0; o->host_list != NULL && o->host_list[i] != NULL; i++)
		free(o->host_list[i]);
	free(o->host_list);
	free(o->config);
	memset(o, 0, sizeof(*o));
}

/* ---- printing ---------------------------------------------------------------------------------------------------------- */

static void options_value(const struct options *o, const struct options_key *k, char *out, size_t size)
{
	if (k->kind == OPTIONS_TEXT)
		(void)snprintf(out, size, "%s", *options_text(o, k));
	else
		options_format(k, *options_number(o, k), out, size);
}

void options_print(const struct options *o, FILE *out)
{
	char value[4096];

	for (size_t i = 0; i < OPTIONS_COUNT_OF_KEYS; i++) {
		options_value(o, &options_keys[i], value, sizeof(value));
		(void)fprintf(out, "%s = %s\n", options_keys[i].name, value);
	}
}

static void options_help_range(const struct options_key *k, FILE *out)
{
	char low[32], high[32];

	if (k->kind == OPTIONS_CHOICE) {
		for (const struct options_choice *c = k->choices; c->name != NULL; c++)
			(void)fprintf(out, "%s%s", c == k->choices ? "; " : ", ", c->name);
	} else if (k->kind != OPTIONS_TEXT && k->kind != OPTIONS_MODE) {
		options_format(k, k->min, low, sizeof(low));
		options_format(k, k->max, high, sizeof(high));
		(void)fprintf(out, "; %s to %s", low, high);
	}
}

void options_help(FILE *out)
{
	static const char *const operands[] = {
		[OPTIONS_TEXT] = "TEXT", [OPTIONS_SIZE] = "SIZE", [OPTIONS_TIME] = "TIME",
		[OPTIONS_COUNT] = "N",   [OPTIONS_MODE] = "MODE", [OPTIONS_CHOICE] = "WORD",
	};
	char flag[OPTIONS_NAME_MAX];

	(void)fputs("usage: siltstone [--config FILE] [--db DIRECTORY] [--listen unix:/PATH] [OPTION VALUE]...\n\n"
	            "Serves a durable key-value store over FastCGI; nginx stands in front.\n\n"
	            "  --config FILE      read \"key = value\" lines: every option below, with _ for -\n"
	            "  --check-config     say what would be used, and whether it is right; serve nothing\n"
	            "  --version          say which version this is\n"
	            "  --help             say this\n\n"
	            "Sizes are 4096, 64K, 64M, 2G; times 250ms, 30s, 5m, 12h, 7d. Flags override the file.\n\n", out);
	for (size_t i = 0; i < OPTIONS_COUNT_OF_KEYS; i++) {
		const struct options_key *k = &options_keys[i];

		options_flag_name(k->name, flag);
		(void)fprintf(out, "  --%s %s\n      %s", flag, operands[k->kind], k->help);
		options_help_range(k, out);
		(void)fprintf(out, " (default %s)\n", k->fallback[0] == '\0' ? "none" : k->fallback);
	}
	(void)fputs("\nThe socket: systemd's, else standard input where it listens, else --listen.\n"
	            "SIGTERM, SIGINT: finish what is in flight, close, exit 0. A second one: exit at once, 1.\n"
	            "SIGHUP: read the configuration again; log_level changes, the rest needs a restart.\n", out);
}

void options_diff(const struct options *a, const struct options *b, void (*changed)(void *ctx, const char *key, bool live), void *ctx)
{
	for (size_t i = 0; i < OPTIONS_COUNT_OF_KEYS; i++) {
		const struct options_key *k = &options_keys[i];
		bool same = k->kind == OPTIONS_TEXT ? strcmp(*options_text(a, k), *options_text(b, k)) == 0
		                                    : *options_number(a, k) == *options_number(b, k);

		if (!same)
			changed(ctx, k->name, k->live);
	}
}
