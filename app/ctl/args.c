/* SPDX-License-Identifier: Apache-2.0 */
/* args.c - getopt_long once for all commands: an option may stand before or behind its command. One table says what each is. */
#include "ctl/args.h"

#include "ctl/text.h"
#include "util/decimal.h"

#include <getopt.h>
#include <inttypes.h>
#include <siltstone.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum args_kind { ARGS_FLAG, ARGS_TEXT, ARGS_NUMBER, ARGS_KEY };

struct args_option {
	const char *name;
	uint64_t bit;
	enum args_kind kind;
	size_t at;                    /* in struct args: a const char *, a uint64_t, a struct bytes */
	uint64_t least, most;         /* of a number */
};

static const struct args_option args_options[] = {
	{ "db", ARGS_DB, ARGS_TEXT, offsetof(struct args, dir), 0, 0 },
	{ "url", ARGS_URL, ARGS_TEXT, offsetof(struct args, url), 0, 0 },
	{ "user", ARGS_USER, ARGS_TEXT, offsetof(struct args, user), 0, 0 },
	{ "cacert", ARGS_CACERT, ARGS_TEXT, offsetof(struct args, cacert), 0, 0 },
	{ "timeout", ARGS_TIMEOUT, ARGS_NUMBER, offsetof(struct args, timeout_s), 1, 86400 },
	{ "json", ARGS_JSON, ARGS_FLAG, 0, 0, 0 },
	{ "escaped", ARGS_ESCAPED, ARGS_FLAG, 0, 0, 0 },
	{ "prefix", ARGS_PREFIX, ARGS_KEY, offsetof(struct args, prefix), 0, 0 },
	{ "start", ARGS_START, ARGS_KEY, offsetof(struct args, start), 0, 0 },
	{ "end", ARGS_END, ARGS_KEY, offsetof(struct args, end), 0, 0 },
	{ "limit", ARGS_LIMIT, ARGS_NUMBER, offsetof(struct args, limit), 0, UINT64_MAX },
	{ "reverse", ARGS_REVERSE, ARGS_FLAG, 0, 0, 0 },
	{ "keys-only", ARGS_KEYS_ONLY, ARGS_FLAG, 0, 0, 0 },
	{ "help", ARGS_HELP, ARGS_FLAG, 0, 0, 0 },
	{ "version", ARGS_VERSION, ARGS_FLAG, 0, 0, 0 },
	{ "apply", ARGS_APPLY, ARGS_FLAG, 0, 0, 0 },
	{ "list", ARGS_LIST, ARGS_FLAG, 0, 0, 0 },
	{ "remove", ARGS_REMOVE, ARGS_FLAG, 0, 0, 0 },
	{ "to", ARGS_TO, ARGS_TEXT, offsetof(struct args, to), 0, 0 },
	{ "copy", ARGS_COPY, ARGS_FLAG, 0, 0, 0 },
	{ "ttl", ARGS_TTL, ARGS_NUMBER, offsetof(struct args, ttl_s), 1, 3155760000 },
	{ "content-type", ARGS_CONTENT_TYPE, ARGS_TEXT, offsetof(struct args, content_type), 0, 0 },
	{ "if-match", ARGS_IF_MATCH, ARGS_TEXT, offsetof(struct args, if_match), 0, 0 },
	{ "if-none-match", ARGS_IF_NONE_MATCH, ARGS_TEXT, offsetof(struct args, if_none_match), 0, 0 },
	{ "file", ARGS_FILE, ARGS_TEXT, offsetof(struct args, file), 0, 0 },
	{ "yes", ARGS_YES, ARGS_FLAG, 0, 0, 0 },
	{ "create", ARGS_CREATE, ARGS_FLAG, 0, 0, 0 },
	{ "keep", ARGS_KEEP, ARGS_NUMBER, offsetof(struct args, keep), 1, 100000 },
	{ "verify", ARGS_VERIFY, ARGS_FLAG, 0, 0, 0 },
	{ "full", ARGS_FULL, ARGS_FLAG, 0, 0, 0 },
	{ "quick", ARGS_QUICK, ARGS_FLAG, 0, 0, 0 },
	{ "format", ARGS_FORMAT, ARGS_TEXT, offsetof(struct args, format), 0, 0 },
	{ "output", ARGS_OUTPUT, ARGS_TEXT, offsetof(struct args, output), 0, 0 },
	{ "from-line", ARGS_FROM_LINE, ARGS_NUMBER, offsetof(struct args, from_line), 1, UINT64_MAX },
	{ "from-file", ARGS_FROM_FILE, ARGS_TEXT, offsetof(struct args, from_file), 0, 0 },
	{ "no-end", ARGS_NO_END, ARGS_FLAG, 0, 0, 0 },
	{ "literal", ARGS_LITERAL, ARGS_FLAG, 0, 0, 0 },
	{ "since", ARGS_SINCE, ARGS_NUMBER, offsetof(struct args, since), 0, SILT_VERSION_MAX },
	{ "once", ARGS_ONCE, ARGS_FLAG, 0, 0, 0 },
	{ "interval", ARGS_INTERVAL, ARGS_NUMBER, offsetof(struct args, interval_s), 1, 3600 },
	{ "connections", ARGS_CONNECTIONS, ARGS_NUMBER, offsetof(struct args, connections), 1, 1000 },
	{ "seconds", ARGS_SECONDS, ARGS_NUMBER, offsetof(struct args, seconds), 1, 86400 },
	{ "size", ARGS_SIZE, ARGS_NUMBER, offsetof(struct args, size), 0, 1 << 20 },
};
#define ARGS_OPTIONS (sizeof(args_options) / sizeof(args_options[0]))

static const char *args_name(uint64_t bit)
{
	for (size_t i = 0; i < ARGS_OPTIONS; i++)
		if (args_options[i].bit == bit)
			return args_options[i].name;
	return "?";
}

bool args_key(const struct args *a, const char *text, struct bytes *out)
{
	size_t bad_at;

	if (!(a->given & ARGS_ESCAPED))
		return bytes_adds(out, text);
	if (text_unescape(span_str(text), out, &bad_at))
		return true;
	(void)fprintf(stderr, "siltctl: \"%s\": no escape that scan prints, at byte %zu\n", text, bad_at);
	return false;
}

static bool args_number(const struct args_option *o, const char *text, uint64_t *out)
{
	if (decimal_parse(span_str(text), o->most, out) && *out >= o->least)
		return true;
	(void)fprintf(stderr, "siltctl: --%s: \"%s\" is not a whole number", o->name, text);
	if (o->least || o->most < UINT64_MAX)
		(void)fprintf(stderr, " from %" PRIu64 " to %" PRIu64, o->least, o->most);
	(void)fputc('\n', stderr);
	return false;
}

/* Keys wait in text[] until it is known whether --escaped is given. */
static bool args_take(struct args *a, const struct args_option *o, const char **text)
{
	a->given |= o->bit;
	switch (o->kind) {
	case ARGS_TEXT:
		*(const char **)((char *)a + o->at) = optarg;
		return true;
	case ARGS_NUMBER:
		return args_number(o, optarg, (uint64_t *)(void *)((char *)a + o->at));
	case ARGS_KEY:
		text[o - args_options] = optarg;
		return true;
	default:
		return true;
	}
}

static bool args_keys(struct args *a, const char *const *text)
{
	for (size_t i = 0; i < ARGS_OPTIONS; i++)
		if (text[i] && !args_key(a, text[i], (struct bytes *)(void *)((char *)a + args_options[i].at)))
			return false;
	return true;
}

static bool args_fit(const struct args *a)
{
	uint64_t odd = a->given & (ARGS_USER | ARGS_CACERT | ARGS_TIMEOUT);

	if (!*a->dir)
		(void)fprintf(stderr, "siltctl: --db: \"\" names no directory\n");
	else if ((a->given & ARGS_CREATE) && a->url)
		(void)fprintf(stderr, "siltctl: --create means nothing with --url: a server has its store\n");
	else if ((a->given & ARGS_DB) && a->url)
		(void)fprintf(stderr, "siltctl: --db and --url: one of them, a stopped store or a running server\n");
	else if (odd && !a->url)
		(void)fprintf(stderr, "siltctl: --%s means nothing without --url\n", args_name(odd & -odd));
	else
		return true;
	return false;
}

bool args_parse(struct args *a, int argc, char **argv)
{
	struct option longs[ARGS_OPTIONS + 1] = { 0 };
	const char *text[ARGS_OPTIONS] = { 0 };
	int option, at;

	*a = (struct args){ .dir = "data" };
	for (size_t i = 0; i < ARGS_OPTIONS; i++) {
		longs[i].name = args_options[i].name;
		longs[i].has_arg = args_options[i].kind == ARGS_FLAG ? no_argument : required_argument;
	}
	while ((option = getopt_long(argc, argv, "", longs, &at)) != -1)
		if (option != 0 || !args_take(a, &args_options[at], text))
			return false;                    /* getopt_long or args_take said it */
	if (!args_keys(a, text) || !args_fit(a))
		return false;
	if (optind < argc) {
		a->command = argv[optind];
		a->operand = argv + optind + 1;
		a->operands = argc - optind - 1;
	}
	return true;
}

bool args_allow_some(const struct args *a, uint64_t options, int least, int most)
{
	uint64_t odd = a->given & ~options;

	if (odd)
		(void)fprintf(stderr, "siltctl %s: takes no --%s\n", a->command, args_name(odd & -odd));
	else if (a->operands < least)
		(void)fprintf(stderr, "siltctl %s: what it needs is missing: see siltctl --help\n", a->command);
	else if (a->operands > most)
		(void)fprintf(stderr, "siltctl %s: too many words behind it\n", a->command);
	else
		return true;
	return false;
}

bool args_allow(const struct args *a, uint64_t options, int operands)
{
	return args_allow_some(a, options, operands, operands);
}

void args_fini(struct args *a)
{
	bytes_fini(&a->prefix);
	bytes_fini(&a->start);
	bytes_fini(&a->end);
}
