/* SPDX-License-Identifier: Apache-2.0 */
/* json_walk.c - stepping through the elements of an array or the members of an object. */
#include "util/json_walk.h"

#include <string.h>

struct json_walk json_walk_of(struct span value)
{
	return (struct json_walk){
		.p = value.p + 1, .end = value.p + value.len - 1, .object = value.p[0] == '{',
	};
}

/* Past blanks, and commas or colons. */
static const char *json_walk_gap(const char *p, const char *end)
{
	while (p < end && memchr(" \t\r\n,:", *p, 6) != NULL)
		p++;
	return p;
}

/* p is at the opening quote. */
static const char *json_walk_string(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
		p += *p == '\\';
	return p < end ? p + 1 : end;
}

static const char *json_walk_brackets(const char *p, const char *end)
{
	size_t depth = 0;

	while (p < end) {
		if (*p == '"') {
			p = json_walk_string(p, end);
			continue;
		}
		depth += *p == '[' || *p == '{';
		depth -= *p == ']' || *p == '}';
		p++;
		if (depth == 0)
			break;
	}
	return p;
}

static const char *json_walk_plain(const char *p, const char *end)
{
	while (p < end && memchr(" \t\r\n,", *p, 5) == NULL)
		p++;
	return p;
}

bool json_walk_next(struct json_walk *w, struct json_member *m)
{
	const char *from, *p = json_walk_gap(w->p, w->end);

	m->name = span_of(NULL, 0);
	if (p < w->end && w->object) {
		from = p;
		p = json_walk_string(p, w->end);
		m->name = span_of(from + 1, (size_t)(p - from) - 2);
		p = json_walk_gap(p, w->end);
	}
	if (p >= w->end)
		return false;
	from = p;
	m->kind = json_kind_of(*p);
	if (m->kind == JSON_STRING)
		p = json_walk_string(p, w->end);
	else if (m->kind == JSON_ARRAY || m->kind == JSON_OBJECT)
		p = json_walk_brackets(p, w->end);
	else
		p = json_walk_plain(p, w->end);
	m->value = span_of(from, (size_t)(p - from));
	w->p = p;
	return true;
}
