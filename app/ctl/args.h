/* SPDX-License-Identifier: Apache-2.0 */
/* args.h - the command line: every option any command knows, and which of them the command at hand takes. */
#ifndef CTL_ARGS_H
#define CTL_ARGS_H

#include "util/bytes.h"

enum args_option {                    /* bits: given, and allowed */
	ARGS_DB = 1u << 0,
	ARGS_JSON = 1u << 1,
	ARGS_ESCAPED = 1u << 2,
	ARGS_PREFIX = 1u << 3,
	ARGS_START = 1u << 4,
	ARGS_END = 1u << 5,
	ARGS_LIMIT = 1u << 6,
	ARGS_REVERSE = 1u << 7,
	ARGS_KEYS_ONLY = 1u << 8,
	ARGS_HELP = 1u << 9,
	ARGS_VERSION = 1u << 10,
	ARGS_APPLY = 1u << 11,
	ARGS_LIST = 1u << 12,
	ARGS_REMOVE = 1u << 13,
	ARGS_TO = 1u << 14,
	ARGS_COPY = 1u << 15,
};

struct args {
	unsigned given;
	const char *dir;              /* "data" unless said */
	uint64_t limit;
	const char *to;               /* NULL: not said */
	struct bytes prefix, start, end;
	const char *command;          /* NULL: none */
	char **operand;               /* behind the command */
	int operands;
};

/* False: said on stderr what is wrong. End with args_fini() in any case. */
bool args_parse(struct args *a, int argc, char **argv);
/* False: said that the command takes no such option, or not so many operands. */
bool args_allow(const struct args *a, unsigned options, int operands);
/* The operand as a key: as it stands, or with --escaped read back from what scan prints. */
bool args_key(const struct args *a, const char *text, struct bytes *out);
void args_fini(struct args *a);

#endif
