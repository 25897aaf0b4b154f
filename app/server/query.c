/* SPDX-License-Identifier: Apache-2.0 */
/* query.c - the parameters of a query or form body, each at most once and only those that the route knows. */
#include "server/query.h"

#include "util/percent.h"

#include <string.h>

static const char *const query_names[QUERY_NAMES] = {
	[QUERY_KEY] = "key",
	[QUERY_VALUE] = "value",
	[QUERY_TTL] = "ttl",
	[QUERY_DURABILITY] = "durability",
	[QUERY_OP] = "op",
	[QUERY_BY] = "by",
	[QUERY_PREFIX] = "prefix",
	[QUERY_START] = "start",
	[QUERY_END] = "end",
	[QUERY_LIMIT] = "limit",
	[QUERY_REVERSE] = "reverse",
	[QUERY_KEYS_ONLY] = "keys_only",
	[QUERY_COUNT_ONLY] = "count_only",
	[QUERY_CURSOR] = "cursor",
	[QUERY_ALL] = "all",
	[QUERY_SINCE] = "since",
	[QUERY_TIMEOUT] = "timeout",
	[QUERY_NAME] = "name",
	[QUERY_CONTENT_TYPE] = "content_type",
	[QUERY_EXPIRES_AT] = "expires_at",
};

/* What keeps a pair from being taken; NULL = nothing, and *name is which it is. */
static const char *query_pair_fault(struct span raw_name, bool has_value, unsigned allowed, unsigned given,
                                    unsigned *name)
{
	for (*name = 0; *name < QUERY_NAMES; ++*name) {
		int same;

		if ((allowed & QUERY_BIT(*name)) == 0)
			continue;
		same = percent_equals(span_str(query_names[*name]), raw_name);
		if (same < 0)
			return "malformed percent-encoding";
		if (same > 0)
			break;
	}
	if (*name == QUERY_NAMES)
		return raw_name.len == 0 ? "an empty parameter" : "an unknown parameter";
	if (!has_value)
		return "a parameter without a value";
	return (given & QUERY_BIT(*name)) != 0 ? "a parameter given twice" : NULL;
}

bool query_parse(struct span text, unsigned allowed, struct query *out, struct query_error *error)
{
	size_t at = 0;

	out->given = 0;
	out->text = text;
	while (text.len > 0) {
		const char *p = text.p + at, *end = memchr(p, '&', text.len - at), *equals;
		size_t len = end != NULL ? (size_t)(end - p) : text.len - at;
		struct span raw_name = { p, len };
		unsigned name;

		equals = memchr(p, '=', len);
		if (equals != NULL)
			raw_name.len = (size_t)(equals - p);
		error->what = query_pair_fault(raw_name, equals != NULL, allowed, out->given, &name);
		error->name = raw_name;
		error->offset = at;
		if (error->what != NULL)
			return false;
		out->given |= QUERY_BIT(name);
		out->raw[name] = span_of(equals + 1, len - raw_name.len - 1);
		if (end == NULL)
			break;
		at += len + 1;
	}
	return true;
}

bool query_decode(const struct query *q, enum query_name name, struct bytes *out, size_t *bad_at)
{
	if (percent_decode(q->raw[name], PERCENT_FORM, out, bad_at))
		return true;
	*bad_at += (size_t)(q->raw[name].p - q->text.p);
	return false;
}
