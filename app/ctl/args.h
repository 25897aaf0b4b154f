/* SPDX-License-Identifier: Apache-2.0 */
/* args.h - the command line: every option any command knows, and which of them the command at hand takes. */
#ifndef CTL_ARGS_H
#define CTL_ARGS_H

#include "util/bytes.h"

#define ARGS_BIT(n) (UINT64_C(1) << (n))      /* given, and allowed */
#define ARGS_DB            ARGS_BIT(0)
#define ARGS_JSON          ARGS_BIT(1)
#define ARGS_ESCAPED       ARGS_BIT(2)
#define ARGS_PREFIX        ARGS_BIT(3)
#define ARGS_START         ARGS_BIT(4)
#define ARGS_END           ARGS_BIT(5)
#define ARGS_LIMIT         ARGS_BIT(6)
#define ARGS_REVERSE       ARGS_BIT(7)
#define ARGS_KEYS_ONLY     ARGS_BIT(8)
#define ARGS_HELP          ARGS_BIT(9)
#define ARGS_VERSION       ARGS_BIT(10)
#define ARGS_APPLY         ARGS_BIT(11)
#define ARGS_LIST          ARGS_BIT(12)
#define ARGS_REMOVE        ARGS_BIT(13)
#define ARGS_TO            ARGS_BIT(14)
#define ARGS_COPY          ARGS_BIT(15)
#define ARGS_URL           ARGS_BIT(16)
#define ARGS_USER          ARGS_BIT(17)
#define ARGS_CACERT        ARGS_BIT(18)
#define ARGS_TIMEOUT       ARGS_BIT(19)
#define ARGS_TTL           ARGS_BIT(20)
#define ARGS_CONTENT_TYPE  ARGS_BIT(21)
#define ARGS_IF_MATCH      ARGS_BIT(22)
#define ARGS_IF_NONE_MATCH ARGS_BIT(23)
#define ARGS_FILE          ARGS_BIT(24)
#define ARGS_YES           ARGS_BIT(25)
#define ARGS_CREATE        ARGS_BIT(26)
#define ARGS_FORMAT        ARGS_BIT(27)
#define ARGS_OUTPUT        ARGS_BIT(28)
#define ARGS_FROM_LINE     ARGS_BIT(29)
#define ARGS_FROM_FILE     ARGS_BIT(30)
#define ARGS_NO_END        ARGS_BIT(31)
#define ARGS_LITERAL       ARGS_BIT(32)
#define ARGS_KEEP          ARGS_BIT(40)
#define ARGS_VERIFY        ARGS_BIT(41)
#define ARGS_FULL          ARGS_BIT(42)
#define ARGS_QUICK         ARGS_BIT(43)
#define ARGS_SINCE         ARGS_BIT(44)
#define ARGS_ONCE          ARGS_BIT(45)
#define ARGS_INTERVAL      ARGS_BIT(46)
#define ARGS_CONNECTIONS   ARGS_BIT(47)
#define ARGS_SECONDS       ARGS_BIT(48)
#define ARGS_SIZE          ARGS_BIT(49)

#define ARGS_TARGET (ARGS_DB | ARGS_URL | ARGS_USER | ARGS_CACERT | ARGS_TIMEOUT)
#define ARGS_RANGE  (ARGS_ESCAPED | ARGS_PREFIX | ARGS_START | ARGS_END)

struct args {
	uint64_t given;
	const char *dir;              /* "data" unless said */
	const char *url, *user, *cacert;      /* of these and the texts below: NULL = not said */
	const char *to;
	const char *content_type, *file;
	const char *if_match, *if_none_match;
	const char *format, *output, *from_file;
	uint64_t limit, timeout_s, ttl_s, from_line;
	uint64_t keep, since, interval_s, connections, seconds, size;
	struct bytes prefix, start, end;
	const char *command;          /* NULL: none */
	char **operand;               /* behind the command */
	int operands;
};

/* False: said on stderr what is wrong. End with args_fini() in any case. */
bool args_parse(struct args *a, int argc, char **argv);
/* False: said that the command takes no such option, or not so many operands. */
bool args_allow(const struct args *a, uint64_t options, int operands);
bool args_allow_some(const struct args *a, uint64_t options, int least, int most);
/* The operand as a key: as it stands, or with --escaped read back from what scan prints. */
bool args_key(const struct args *a, const char *text, struct bytes *out);
void args_fini(struct args *a);

#endif
