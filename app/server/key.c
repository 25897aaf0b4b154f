/* SPDX-License-Identifier: Apache-2.0 */
/* key.c - which key a request means. */
#include "server/key.h"

#include "server/problem.h"
#include "server/trust.h"
#include "util/percent.h"

#include <string.h>

struct span key_span(const struct request *r)
{
	return span_of(r->key.p, r->key.len);
}

bool key_in_path(const struct request *r)
{
	size_t n = strlen(r->route);

	return n > 1 && r->route[n - 1] == '/';
}

bool key_query(struct request *r, unsigned allowed, struct query *q)
{
	struct query_error error;

	if (query_parse(r->query, allowed, q, &error))
		return true;
	problem_set(r, 400, PROBLEM_BAD_QUERY, "The query has %s: '%.*s'.", error.what,
	            (int)(error.name.len < 64 ? error.name.len : 64), error.name.p);
	problem_number(r, "offset", error.offset);
	return false;
}

static bool key_malformed(struct request *r, const char *where, size_t offset)
{
	if (r->key.bad) {
		problem_store(r, STORE_E_NOMEM, false);
		return false;
	}
	problem_set(r, 400, PROBLEM_BAD_KEY,
	            "Malformed percent-encoding in the %s: a %% must stand before two hex digits "
	            "(a percent sign itself is %%25).",
	            where);
	problem_number(r, "offset", offset);
	return false;
}

/* Is there a segment "." or ".."? It may have been "%2e%2e" or stand between "%2F"s: nginx decodes before
   it folds. */
static bool key_has_dot_segment(struct span key)
{
	size_t start = 0;

	for (size_t i = 0; i <= key.len; i++) {
		size_t n = i - start;

		if (i < key.len && key.p[i] != '/')
			continue;
		if ((n == 1 || n == 2) && key.p[start] == '.' && key.p[i - 1] == '.')
			return true;
		start = i + 1;
	}
	return false;
}

static bool key_from_path(struct request *r)
{
	size_t n = strlen(r->route), bad_at;
	struct span rest = { r->path.p + n, r->path.len - n }; /* route.c: the path begins with the route */

	if (!percent_decode(rest, PERCENT_PATH, &r->key, &bad_at))
		return key_malformed(r, "path", n + bad_at);
	if (!key_has_dot_segment(key_span(r)))
		return true;
	problem_set(r, 400, PROBLEM_BAD_KEY,
	            "A path with a segment . or .. may be folded on its way here: give such a key as ?key= "
	            "instead.");
	return false;
}

bool key_check(struct request *r)
{
	if (r->key.len == 0) {
		problem_set(r, 400, PROBLEM_BAD_KEY, "The key is empty; a key has 1 to %d bytes.",
		            KEY_BYTES_MAX);
		return false;
	}
	if (r->key.len > KEY_BYTES_MAX) {
		problem_set(r, 400, PROBLEM_BAD_KEY, "The key has %zu bytes; a key has 1 to %d.", r->key.len,
		            KEY_BYTES_MAX);
		problem_number(r, "limit", KEY_BYTES_MAX);
		return false;
	}
	return trust_key(r);
}

bool key_find(struct request *r, const struct query *q)
{
	size_t bad_at;

	if (key_in_path(r)) {
		if (query_has(q, QUERY_KEY)) {
			problem_set(r, 400, PROBLEM_BAD_KEY,
			            "The key is given twice, in the path and as ?key=.");
			return false;
		}
		return key_from_path(r) && key_check(r);
	}
	if (!query_has(q, QUERY_KEY)) {
		problem_set(r, 400, PROBLEM_BAD_KEY, "There is no key: give it as ?key= or behind %s/.",
		            r->route);
		return false;
	}
	if (!query_decode(q, QUERY_KEY, &r->key, &bad_at))
		return key_malformed(r, "query", bad_at);
	return key_check(r);
}
