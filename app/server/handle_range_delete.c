/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handle_range_delete.c - DELETE /v1/kv of many keys: one write, whatever is there, and how many keys it removed.
 *
 * Steps     COUNT    in a worker, in turns: the live keys of the range as of a version S, to RANGE_DELETE_COUNTED and one more
 *           WRITE    parked: the delete itself, at version V
 *           CORRECT  in a worker, only where others have written between S and V: by how much that changed the count
 * The count is of what this very write removed, so the reader of S is kept until it is told.
 */
#include "server/handlers.h"

#include "server/answer.h"
#include "server/problem.h"
#include "server/range.h"
#include "server/server.h"
#include "server/submit.h"
#include "util/json_text.h"

#include <stdlib.h>
#include <string.h>

#define RANGE_DELETE_COUNTED 100000u  /* the answer is exact to here */
#define RANGE_DELETE_STEPS   16384u   /* a turn */

struct range_delete {
	struct store *store;          /* [c] */
	struct range range;           /* [c] */
	unsigned flags;               /* [c] of the write */
	struct store_scan *scan;      /* NULL = not begun */
	uint64_t count;               /* as of the scan's version; one above RANGE_DELETE_COUNTED = more than that */
	uint64_t version;             /* of the write; 0 = not done */
};

static void range_delete_free(void *state)
{
	struct range_delete *d = state;

	d->store->ops->scan_close(d->scan);
	range_fini(&d->range);
	free(d);
}

static void range_delete_answer(struct request *r, uint64_t count)
{
	const struct range_delete *d = r->state;
	bool more = count > RANGE_DELETE_COUNTED;
	struct bytes *body = &r->response.body;

	answer_json(r, 200);
	bytes_adds(body, "{");
	json_text_number(body, "deleted", more ? RANGE_DELETE_COUNTED : count);
	bytes_adds(body, more ? ",\"more\":true," : ",\"more\":false,");
	json_text_number(body, "version", d->version);
	bytes_adds(body, "}");
	answer_version(r, d->version);
	answer_finish(r, true);
}

/* ---- asking ------------------------------------------------------------------------------------------------------------ */

/* Something says that no slip of the keyboard is meant: a bound that is one, or all=true. */
static bool range_delete_is_meant(struct request *r, const struct query *q, const struct range *range)
{
	bool bounded = range->lower.len > 0 || range->upper.len > 0, all;

	if (!range_switch(r, q, QUERY_ALL, &all))
		return false;
	if (all && bounded) {
		problem_set(r, 400, PROBLEM_BAD_QUERY, "all=true is for the whole store: it can't stand beside a bound.");
		return false;
	}
	if (all || bounded)
		return true;
	problem_set(r, 400, PROBLEM_BAD_QUERY,
	            "Give the key, a prefix, or start and end; all=true deletes everything there is.");
	return false;
}

static bool range_delete_unconditional(struct request *r)
{
	if (r->if_match == NULL && r->if_none_match == NULL)
		return true;
	problem_set(r, 400, PROBLEM_BAD_CONDITION, "If-Match and If-None-Match are about one key, and this is a range.");
	return false;
}

static bool range_delete_new(struct request *r, const struct query *q)
{
	struct range_delete *d = calloc(1, sizeof(*d));

	if (d == NULL) {
		problem_store(r, STORE_E_NOMEM, false);
		return false;
	}
	d->store = r->server->store;
	if (d->store->ops->delete_range == NULL) {
		free(d);
		problem_store(r, STORE_E_UNSUPPORTED, false);
		return false;
	}
	r->state = d;
	r->state_free = range_delete_free;
	return range_delete_unconditional(r) && range_read(r, q, &d->range) && range_delete_is_meant(r, q, &d->range) &&
	       submit_durability(r, q, &d->flags);
}

/* ---- doing ------------------------------------------------------------------------------------------------------------- */

static struct store_range range_delete_bounds(const struct range_delete *d)
{
	struct store_range bounds = {0};

	if (d->range.lower.len > 0)
		bounds.lower = span_of(d->range.lower.p, d->range.lower.len);
	if (d->range.upper.len > 0)
		bounds.upper = span_of(d->range.upper.p, d->range.upper.len);
	return bounds;
}

static void range_delete_done(void *ctx, const struct store_outcome *o)
{
	struct request *r = ctx;
	struct range_delete *d = r->state;

	if (o->code != STORE_OK) {
		problem_store(r, o->code, true);
		request_complete(r);
		return;
	}
	d->version = o->version;
	if (d->count <= RANGE_DELETE_COUNTED && d->store->ops->scan_version(d->scan) + 1 != d->version) {
		request_retry(r);
		return;
	}
	range_delete_answer(r, d->count);
	request_complete(r);
}

static enum route_result range_delete_write(struct request *r)
{
	struct range_delete *d = r->state;
	struct store_range bounds = range_delete_bounds(d);
	int code;

	if (!submit_room(r))
		return ROUTE_DONE;
	code = d->store->ops->delete_range(d->store, &bounds, d->flags, range_delete_done, r);
	if (code == STORE_OK)
		return ROUTE_PARKED;                       /* r is the callback's now */
	problem_store(r, code, false);
	return ROUTE_DONE;
}

/* One turn. OK: the count is there; TRY_AGAIN: not yet. */
static int range_delete_count(struct range_delete *d)
{
	struct store_item item;
	int code = STORE_OK;

	if (d->scan == NULL)
		code = range_open(&d->range, d->store, RANGE_DELETE_STEPS, &d->scan);
	for (unsigned i = 0; code == STORE_OK; i++) {
		if (d->count > RANGE_DELETE_COUNTED)
			return STORE_OK;
		if (i == RANGE_DELETE_STEPS)
			return STORE_TRY_AGAIN;
		code = range_next(&d->range, d->store, d->scan, &item);
		d->count += code == STORE_OK;
	}
	return code == STORE_NOTFOUND ? STORE_OK : code;
}

/* Written already. What the count is beyond is lost only where the log that tells it is: then what was counted stands. */
static enum route_result range_delete_correct(struct request *r)
{
	struct range_delete *d = r->state;
	struct store_range bounds = range_delete_bounds(d);
	int64_t change = 0;

	if (d->store->ops->count_change(d->store, &bounds, d->scan, d->version, &change) != STORE_OK)
		change = 0;
	range_delete_answer(r, d->count + (uint64_t)change);
	return ROUTE_DONE;
}

static bool range_delete_is_empty(const struct range *range)
{
	return range->upper.len > 0 && range->upper.len == range->lower.len &&
	       memcmp(range->lower.p, range->upper.p, range->lower.len) == 0;
}

static enum route_result range_delete_turn(struct request *r)
{
	struct range_delete *d = r->state;
	int code;

	if (d->version != 0)
		return range_delete_correct(r);
	if (server_refuses(r->server)) {
		problem_set(r, 503, PROBLEM_SHUTTING_DOWN, "The server is shutting down: nothing was deleted.");
		return ROUTE_DONE;
	}
	code = range_delete_count(d);
	if (code == STORE_TRY_AGAIN) {
		request_retry(r);
		return ROUTE_PARKED;                       /* r is another worker's */
	}
	if (code != STORE_OK) {
		problem_store(r, code, false);
		return ROUTE_DONE;
	}
	if (!range_delete_is_empty(&d->range))
		return range_delete_write(r);
	d->version = d->store->ops->scan_version(d->scan);      /* nothing lies between, so nothing is written */
	range_delete_answer(r, 0);
	return ROUTE_DONE;
}

enum route_result handle_range_delete(struct request *r, const struct query *q)
{
	if (r->state == NULL && !range_delete_new(r, q))
		return ROUTE_DONE;
	return r->may_block ? range_delete_turn(r) : ROUTE_BLOCK;
}
