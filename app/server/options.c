/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - what the responder is told. options_keys.c has every key; reading the file, the flags, printing and help are walks over it. */
#include "server/options.h"

#include "server/options_keys.h"

#include <errno.h>
#include <getopt.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

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

_Static_assert(OPTIONS_KEYS <= 64, "options_reader.seen has a bit for each key");

static void options_reader_fail(struct options_reader *r, const char *what, const char *name)
{
	if (r->bad_line != 0)
		return;
	r->bad_line = r->line;
	(void)options_keys_fail(r->error, "%s:%d: %s '%.64s'", r->name, r->line, what, name);
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
	const struct options_key *k = options_keys_find(name);
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
	if (options_keys_set(r->o, k, value, why) < 0) {
		r->bad_line = r->line;
		(void)options_keys_fail(r->error, "%s:%d: %.400s", r->name, r->line, why);
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
		return options_keys_fail(error, "%s: %s", name, strerror(errno));
	rc = ini_parse_stream(options_reader_line, &r, options_reader_take, &r);
	if (ferror(r.file) && r.bad_line == 0)
		rc = options_keys_fail(error, "%s: %s", name, strerror(errno));
	else if (rc > 0 && (r.bad_line == 0 || rc < r.bad_line))
		rc = options_keys_fail(error, "%s:%d: not 'key = value'", name, rc);
	else if (r.bad_line != 0)
		rc = -1;
	else if (rc < 0)
		rc = options_keys_fail(error, "%s: out of memory", name);
	(void)fclose(r.file);
	return rc;
}

/* ---- flags ------------------------------------------------------------------------------------------------------------- */

enum { OPTIONS_FLAG_CONFIG = 1000, OPTIONS_FLAG_CHECK, OPTIONS_FLAG_VERSION, OPTIONS_FLAG_HELP };
#define OPTIONS_EXTRA_FLAGS 4
#define OPTIONS_NAME_MAX 32

struct options_flags {                /* for getopt_long(): every key with dashes, and four more */
	struct option list[OPTIONS_KEYS + OPTIONS_EXTRA_FLAGS + 1];
	char names[OPTIONS_KEYS][OPTIONS_NAME_MAX];
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
	for (size_t i = 0; i < OPTIONS_KEYS; i++) {
		options_flag_name(options_keys[i].name, f->names[i]);
		f->list[i] = (struct option){ f->names[i], required_argument, NULL, (int)i };
	}
	memcpy(&f->list[OPTIONS_KEYS], extra, sizeof(extra));
}

static int options_set_flag(struct options *o, const struct options_key *k, const char *value, char *error)
{
	char why[OPTIONS_ERROR_MAX], flag[OPTIONS_NAME_MAX];

	if (options_keys_set(o, k, value, why) == 0)
		return 0;
	options_flag_name(k->name, flag);
	return options_keys_fail(error, "--%s%.400s", flag, why + strlen(k->name));      /* which `why` begins with */
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
			return options_keys_fail(error, "unknown option '%s'", argv[optind - 1]);
		if (c == ':')
			return options_keys_fail(error, "option '%s' needs a value", argv[optind - 1]);
		if (c == OPTIONS_FLAG_CONFIG && !keys) {
			free(o->config);
			o->config = strdup(optarg);
			rc = o->config == NULL ? options_keys_fail(error, "out of memory") : 0;
		} else if (c > OPTIONS_FLAG_CONFIG) {
			o->action = (enum options_action)(c - OPTIONS_FLAG_CHECK + OPTIONS_CHECK);
		} else if (c < OPTIONS_FLAG_CONFIG && keys) {
			rc = options_set_flag(o, &options_keys[c], optarg, error);
		}
		if (rc < 0)
			return rc;
	}
	if (optind < argc)
		return options_keys_fail(error, "'%s' is no option", argv[optind]);
	return 0;
}

/* ---- loading ----------------------------------------------------------------------------------------------------------- */

static int options_defaults(struct options *o, char *error)
{
	int rc = 0;

	for (size_t i = 0; i < OPTIONS_KEYS && rc == 0; i++)
		rc = options_keys_set(o, &options_keys[i], options_keys[i].fallback, error);
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
		return options_keys_fail(error, "out of memory");
	for (const char *p = o->hosts + strspn(o->hosts, blanks); *p != '\0'; p += strspn(p, blanks)) {
		size_t len = strcspn(p, blanks);

		o->host_list[n] = strndup(p, len);
		if (o->host_list[n++] == NULL)
			return options_keys_fail(error, "out of memory");
		p += len;
	}
	if (n == 0)
		return options_keys_fail(error, "hosts: empty would refuse every request; * = any host");
	return 0;
}

static int options_check(struct options *o, char *error)
{
	if (o->db[0] == '\0')
		return options_keys_fail(error, "db: the directory of the store must not be empty");
	if (o->max_request_size < o->max_value_size)
		return options_keys_fail(error, "max_request_size: smaller than max_value_size");
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
	for (size_t i = 0; i < OPTIONS_KEYS; i++) {
		if (options_keys[i].kind == OPTIONS_TEXT)
			free(*options_keys_text(o, &options_keys[i]));
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
		(void)snprintf(out, size, "%s", *options_keys_text(o, k));
	else
		options_keys_format(k, *options_keys_number(o, k), out, size);
}

void options_print(const struct options *o, FILE *out)
{
	char value[4096];

	for (size_t i = 0; i < OPTIONS_KEYS; i++) {
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
		options_keys_format(k, k->min, low, sizeof(low));
		options_keys_format(k, k->max, high, sizeof(high));
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
	for (size_t i = 0; i < OPTIONS_KEYS; i++) {
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
	for (size_t i = 0; i < OPTIONS_KEYS; i++) {
		const struct options_key *k = &options_keys[i];
		bool same = k->kind == OPTIONS_TEXT ? strcmp(*options_keys_text(a, k), *options_keys_text(b, k)) == 0
		                                    : *options_keys_number(a, k) == *options_keys_number(b, k);

		if (!same)
			changed(ctx, k->name, k->live);
	}
}
