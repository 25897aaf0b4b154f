/* SPDX-License-Identifier: Apache-2.0 */
/* args.c - getopt_long once for all commands: an option may stand before or behind its command. */
#include "ctl/args.h"

#include "ctl/text.h"
#include "util/decimal.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const struct option args_longs[] = {
	{ "db", required_argument, NULL, ARGS_DB },
	{ "json", no_argument, NULL, ARGS_JSON },
	{ "escaped", no_argument, NULL, ARGS_ESCAPED },
	{ "prefix", required_argument, NULL, ARGS_PREFIX },
	{ "start", required_argument, NULL, ARGS_START },
	{ "end", required_argument, NULL, ARGS_END },
	{ "limit", required_argument, NULL, ARGS_LIMIT },
	{ "reverse", no_argument, NULL, ARGS_REVERSE },
	{ "keys-only", no_argument, NULL, ARGS_KEYS_ONLY },
	{ "help", no_argument, NULL, ARGS_HELP },
	{ "version", no_argument, NULL, ARGS_VERSION },
	{ "apply", no_argument, NULL, ARGS_APPLY },
	{ "list", no_argument, NULL, ARGS_LIST },
	{ "remove", no_argument, NULL, ARGS_REMOVE },
	{ "to", required_argument, NULL, ARGS_TO },
	{ "copy", no_argument, NULL, ARGS_COPY },
	{ NULL, 0, NULL, 0 },
};

static const char *args_name(unsigned option)
{
	for (size_t i = 0; args_longs[i].name; i++)
		if ((unsigned)args_longs[i].val == option)
			return args_longs[i].name;
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

static bool args_limit(struct args *a, const char *text)
{
	if (decimal_parse(span_str(text), UINT64_MAX, &a->limit))
		return true;
	(void)fprintf(stderr, "siltctl: --limit: \"%s\" is not a whole number\n", text);
	return false;
}

/* The texts of --prefix and its like wait until it is known whether --escaped is given. */
struct args_texts {
	const char *prefix, *start, *end;
};

static bool args_take(struct args *a, struct args_texts *t, int option)
{
	a->given |= (unsigned)option;
	switch (option) {
	case ARGS_DB:
		a->dir = optarg;
		return true;
	case ARGS_PREFIX:
		t->prefix = optarg;
		return true;
	case ARGS_START:
		t->start = optarg;
		return true;
	case ARGS_END:
		t->end = optarg;
		return true;
	case ARGS_TO:
		a->to = optarg;
		return true;
	case ARGS_LIMIT:
		return args_limit(a, optarg);
	default:
		return option != '?' && option != ':';    /* getopt_long said it */
	}
}

bool args_parse(struct args *a, int argc, char **argv)
{
	struct args_texts t = { 0 };
	int option;

	*a = (struct args){ .dir = "data" };
	while ((option = getopt_long(argc, argv, "", args_longs, NULL)) != -1)
		if (!args_take(a, &t, option))
			return false;
	if ((t.prefix && !args_key(a, t.prefix, &a->prefix)) || (t.start && !args_key(a, t.start, &a->start)) ||
	    (t.end && !args_key(a, t.end, &a->end)))
		return false;
	if (optind < argc) {
		a->command = argv[optind];
		a->operand = argv + optind + 1;
		a->operands = argc - optind - 1;
	}
	return true;
}

bool args_allow(const struct args *a, unsigned options, int operands)
{
	unsigned odd = a->given & ~options;

	if (odd)
		(void)fprintf(stderr, "siltctl %s: takes no --%s\n", a->command, args_name(odd & -odd));
	else if (a->operands != operands)
		(void)fprintf(stderr, "siltctl %s: %s\n", a->command,
		              a->operands < operands ? "what it needs is missing: see siltctl --help"
		                                     : "too many words behind it");
	return !odd && a->operands == operands;
}

void args_fini(struct args *a)
{
	bytes_fini(&a->prefix);
	bytes_fini(&a->start);
	bytes_fini(&a->end);
}
