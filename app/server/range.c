/* SPDX-License-Identifier: Apache-2.0 */
/* range.c - which keys a request about many means. */
#include "server/range.h"

#include "server/key.h"
#include "server/problem.h"
#include "server/range_cursor.h"
#include "server/trust.h"

#include <string.h>

static const char *const range_names[QUERY_NAMES] = {
	[QUERY_PREFIX] = "prefix", [QUERY_START] = "start", [QUERY_END] = "end",
	[QUERY_REVERSE] = "reverse", [QUERY_KEYS_ONLY] = "keys_only", [QUERY_COUNT_ONLY] = "count_only",
	[QUERY_ALL] = "all", [QUERY_CONTENT_TYPE] = "content_type",
};

static struct span range_span(const struct bytes *b)
{
	return span_of(b->p, b->len);
}

void range_fini(struct range *range)
{
	bytes_fini(&range->lower);
	bytes_fini(&range->upper);
	bytes_fini(&range->after);
}

bool range_prefix_end(struct span prefix, struct bytes *out)
{
	while (prefix.len > 0 && (unsigned char)prefix.p[prefix.len - 1] == 0xff)
		prefix.len--;
	if (!bytes_add(out, prefix.p, prefix.len))
		return false;
	if (prefix.len > 0)
		out->p[out->len - 1]++;
	return true;
}

bool range_switch(struct request *r, const struct query *q, enum query_name name, bool *on)
{
	*on = false;
	if (!query_has(q, name))
		return true;
	*on = span_eq(q->raw[name], "true") || span_eq(q->raw[name], "1");
	if (*on || span_eq(q->raw[name], "false") || span_eq(q->raw[name], "0"))
		return true;
	problem_set(r, 400, PROBLEM_BAD_QUERY, "%s is true or false.", range_names[name]);
	return false;
}

/* ---- bounds ------------------------------------------------------------------------------------------------------------ */

static bool range_no_memory(struct request *r)
{
	problem_store(r, STORE_E_NOMEM, false);
	return false;
}

static bool range_bound(struct request *r, const struct query *q, enum query_name name, struct bytes *out)
{
	size_t bad_at;

	if (!query_has(q, name))
		return true;
	if (!query_decode(q, name, out, &bad_at)) {
		if (out->bad)
			return range_no_memory(r);
		problem_set(r, 400, PROBLEM_BAD_QUERY, "Malformed percent-encoding in %s: a %% must stand before two hex digits.",
		            range_names[name]);
		problem_number(r, "offset", bad_at);
		return false;
	}
	if (out->len <= KEY_BYTES_MAX)
		return true;
	problem_set(r, 400, PROBLEM_BAD_QUERY, "%s has %zu bytes; a key has at most %d.", range_names[name], out->len,
	            KEY_BYTES_MAX);
	problem_number(r, "limit", KEY_BYTES_MAX);
	return false;
}

static bool range_bounds(struct request *r, const struct query *q, struct range *out)
{
	if (query_has(q, QUERY_PREFIX) && (query_has(q, QUERY_START) || query_has(q, QUERY_END))) {
		problem_set(r, 400, PROBLEM_BAD_QUERY, "prefix is a range of its own: it can't stand beside start or end.");
		return false;
	}
	if (query_has(q, QUERY_PREFIX)) {
		if (!range_bound(r, q, QUERY_PREFIX, &out->lower))
			return false;
		return range_prefix_end(range_span(&out->lower), &out->upper) || range_no_memory(r);
	}
	if (!range_bound(r, q, QUERY_START, &out->lower) || !range_bound(r, q, QUERY_END, &out->upper))
		return false;
	if (out->upper.len == 0 || span_order(range_span(&out->lower), range_span(&out->upper)) <= 0)
		return true;
	problem_set(r, 400, PROBLEM_BAD_QUERY,
	            "start lies above end: start is the lowest key, also where reverse is asked for.");
	return false;
}

/* ---- cursors ----------------------------------------------------------------------------------------------------------- */

static bool range_same(const struct bytes *a, const struct bytes *b)
{
	return span_order(range_span(a), range_span(b)) == 0;
}

/* What is said beside the cursor is what the cursor says. */
static bool range_agrees(const struct query *q, const struct range *said, const struct range *cursor)
{
	if ((q->given & RANGE_BOUNDS) != 0 &&
	    !(range_same(&said->lower, &cursor->lower) && range_same(&said->upper, &cursor->upper)))
		return false;
	return (!query_has(q, QUERY_REVERSE) || said->reverse == cursor->reverse) &&
	       (!query_has(q, QUERY_KEYS_ONLY) || said->keys_only == cursor->keys_only);
}

static bool range_cursor(struct request *r, const struct query *q, struct range *said)
{
	struct range cursor = {0};
	bool no_memory, ok = range_cursor_decode(q->raw[QUERY_CURSOR], &cursor, &no_memory);

	if (no_memory) {
		(void)range_no_memory(r);
	} else if (!ok) {
		problem_set(r, 400, PROBLEM_BAD_QUERY,
		            "This cursor is none of ours, or not whole: take the one of the page before, as it is.");
	} else if (!range_agrees(q, said, &cursor)) {
		ok = false;
		problem_set(r, 400, PROBLEM_BAD_QUERY,
		            "The cursor is of another range: leave the range out, or give the same as for the page before.");
	}
	if (!ok) {
		range_fini(&cursor);
		return false;
	}
	range_fini(said);
	*said = cursor;
	return true;
}

/* ---- all of it --------------------------------------------------------------------------------------------------------- */

bool range_read(struct request *r, const struct query *q, struct range *out)
{
	if (!range_bounds(r, q, out) || !range_switch(r, q, QUERY_REVERSE, &out->reverse) ||
	    !range_switch(r, q, QUERY_KEYS_ONLY, &out->keys_only))
		return false;
	if (query_has(q, QUERY_CURSOR) && !range_cursor(r, q, out))
		return false;
	if (!range_switch(r, q, QUERY_CONTENT_TYPE, &out->types))
		return false;
	return trust_range(r, range_span(&out->lower), range_span(&out->upper));
}

/* NULL where a bound is none, for the store. */
static struct span range_limit(const struct bytes *b)
{
	return b->len > 0 ? range_span(b) : span_of(NULL, 0);
}

int range_open(const struct range *range, struct store *store, uint64_t max_steps, struct store_scan **out)
{
	struct store_range left = { range_limit(&range->lower), range_limit(&range->upper) };

	if (range->after.len > 0 && range->reverse)
		left.upper = range_span(&range->after);
	else if (range->after.len > 0)
		left.lower = range_span(&range->after);      /* itself it is passed over by range_next() */
	if (store->ops->scan_open == NULL)
		return STORE_E_UNSUPPORTED;
	return store->ops->scan_open(store, &left, range->reverse, max_steps, out);
}

int range_next(const struct range *range, struct store *store, struct store_scan *scan, struct store_item *item)
{
	int code = store->ops->scan_next(scan, item);

	if (code == STORE_OK && range->after.len > 0 && span_order(item->key, range_span(&range->after)) == 0)
		code = store->ops->scan_next(scan, item);
	return code;
}
