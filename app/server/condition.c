/* SPDX-License-Identifier: Apache-2.0 */
/* condition.c - If-Match and If-None-Match: what they say, and whether it holds. */
#include "server/condition.h"

#include "util/decimal.h"

static const char *condition_blanks(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

/* The version that a tag's inside means. */
static uint64_t condition_version(struct span inside)
{
	uint64_t version;

	if (!decimal_parse(inside, CONDITION_FOREIGN - 1, &version) || version == 0)
		return CONDITION_FOREIGN;
	return version;
}

/* One tag at p; returns behind it, NULL where there is none. */
static const char *condition_tag(const char *p, struct condition *out)
{
	const char *start;

	if (p[0] == 'W' && p[1] == '/')
		p += 2;
	if (*p != '"')
		return NULL;
	start = ++p;
	while (*p != 0 && *p != '"') {
		if ((unsigned char)*p <= 0x20 || *p == 0x7f)
			return NULL;
		p++;
	}
	if (*p != '"' || out->n == CONDITION_TAGS_MAX)
		return NULL;
	out->versions[out->n++] = condition_version(span_of(start, (size_t)(p - start)));
	return p + 1;
}

static bool condition_list(const char *p, struct condition *out)
{
	for (;;) {
		p = condition_blanks(p);
		if (*p == ',') {
			p++;
			continue;
		}
		if (*p == 0)
			return out->n > 0;
		p = condition_tag(p, out);
		if (p == NULL)
			return false;
		p = condition_blanks(p);
		if (*p != ',' && *p != 0)
			return false;
	}
}

bool condition_parse(const char *header, struct condition *out)
{
	const char *p = condition_blanks(header != NULL ? header : "");

	out->given = header != NULL && header[0] != 0;
	out->any = false;
	out->n = 0;
	if (!out->given)
		return true;
	if (*p == '*' && *condition_blanks(p + 1) == 0) {
		out->any = true;
		return true;
	}
	return condition_list(p, out);
}

bool condition_matches(const struct condition *c, uint64_t version)
{
	if (c->any || version == 0)
		return version != 0;
	for (size_t i = 0; i < c->n; i++)
		if (c->versions[i] == version)
			return true;
	return false;
}

struct store_cond condition_store(const struct condition *c, bool none_match)
{
	return (struct store_cond){ .none_match = none_match, .versions = c->versions, .n = c->any ? 0 : c->n };
}
