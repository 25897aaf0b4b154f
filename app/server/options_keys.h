/* SPDX-License-Identifier: Apache-2.0 */
/* options_keys.h - every key that the responder can be told, with unit, range and default; of options.c alone. */
#ifndef SERVER_OPTIONS_KEYS_H
#define SERVER_OPTIONS_KEYS_H

#include "server/options.h"

enum options_kind { OPTIONS_TEXT, OPTIONS_SIZE, OPTIONS_TIME, OPTIONS_COUNT, OPTIONS_MODE, OPTIONS_CHOICE };

struct options_choice {
	const char *name;             /* NULL ends */
	uint64_t value;
};

struct options_key {
	const char *name;
	enum options_kind kind;
	size_t offset;
	const char *fallback;         /* the default, as people write it */
	uint64_t min, max;            /* of sizes, times, counts */
	const struct options_choice *choices;
	bool live;                    /* SIGHUP can change it */
	const char *help;
};

#define OPTIONS_KEYS 36u               /* a row more does not compile, one less has no name, which no test survives */
extern const struct options_key options_keys[OPTIONS_KEYS];

/* By its name in the file; NULL = there is none. */
const struct options_key *options_keys_find(const char *name);
/* Where its value is. */
char **options_keys_text(const struct options *o, const struct options_key *k);
uint64_t *options_keys_number(const struct options *o, const struct options_key *k);
/* Takes what people write. 0, or -1 with a message that begins with the key's name. */
int options_keys_set(struct options *o, const struct options_key *k, const char *value, char *error);
/* The shortest exact form: 67108864 -> 64M. */
void options_keys_format(const struct options_key *k, uint64_t n, char *out, size_t size);
/* Words error; -1. */
int options_keys_fail(char *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
