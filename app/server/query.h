/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query.h - the parameters of a query or form body, each at most once and only those that the route knows:
 * a typing error must not make a key permanent.
 *
 * Grammar   query := "" | pair ("&" pair)*      pair := name "=" value
 *           both percent-encoded; '+' in a value is a space
 * Refused   unknown or repeated names, a pair without '=', an empty pair ("a=1&&b=2"), a '%' without two
 *           hex digits in a name (in a value when it is decoded).
 */
#ifndef SERVER_QUERY_H
#define SERVER_QUERY_H

#include "util/bytes.h"

enum query_name {
	QUERY_KEY, QUERY_VALUE, QUERY_TTL, QUERY_DURABILITY, QUERY_OP, QUERY_BY,
	QUERY_PREFIX, QUERY_START, QUERY_END, QUERY_LIMIT, QUERY_REVERSE,
	QUERY_KEYS_ONLY, QUERY_COUNT_ONLY, QUERY_CURSOR, QUERY_ALL,
	QUERY_SINCE, QUERY_TIMEOUT, QUERY_NAME, QUERY_CONTENT_TYPE, QUERY_EXPIRES_AT,
	QUERY_NAMES,
};
#define QUERY_BIT(name) (1u << (name))

struct query {
	unsigned given;                       /* QUERY_BIT()s */
	struct span text;                     /* all of it */
	struct span raw[QUERY_NAMES];         /* values, not decoded; of those given */
};

struct query_error {
	const char *what;                     /* static, for people */
	struct span name;                     /* of the parameter, as sent */
	size_t offset;                        /* in the text */
};

/* out borrows text. */
bool query_parse(struct span text, unsigned allowed, struct query *out, struct query_error *error);
static inline bool query_has(const struct query *q, enum query_name name)
{
	return (q->given & QUERY_BIT(name)) != 0;
}
/* Appends a given parameter's value, decoded. False: *bad_at is the offset of the fault in q->text, or
   out->bad. */
bool query_decode(const struct query *q, enum query_name name, struct bytes *out, size_t *bad_at);

#endif
