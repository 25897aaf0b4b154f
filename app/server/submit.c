/* SPDX-License-Identifier: Apache-2.0 */
/* submit.c - a write on its way: into the store's queue, parked, and back as an answer. */
#include "server/submit.h"

#include "server/answer.h"
#include "server/key.h"
#include "server/problem.h"
#include "server/server.h"
#include "server/ttl.h"
#include "util/percent.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

static bool submit_is_delete(const struct request *r)
{
	return strcmp(r->method, "DELETE") == 0;
}

bool submit_conditions(struct request *r, struct submit_conditions *c, struct store_write *w)
{
	static const struct condition present = { .given = true, .any = true };

	if (!conditions_read(r, &c->conditions))
		return false;
	w->conds = c->cond;
	w->cond_count = 0;
	if (submit_is_delete(r))
		c->cond[w->cond_count++] = condition_store(&present, false);
	if (c->conditions.match.given)
		c->cond[w->cond_count++] = condition_store(&c->conditions.match, false);
	if (c->conditions.none_match.given)
		c->cond[w->cond_count++] = condition_store(&c->conditions.none_match, true);
	return true;
}

bool submit_durability(struct request *r, const struct query *q, unsigned *flags)
{
	*flags = r->server->durability_async ? STORE_ASYNC : 0;
	if (!query_has(q, QUERY_DURABILITY))
		return true;
	if (span_eq(q->raw[QUERY_DURABILITY], "async")) {
		*flags = STORE_ASYNC;
	} else if (span_eq(q->raw[QUERY_DURABILITY], "sync")) {
		*flags = 0;
	} else {
		problem_set(r, 400, PROBLEM_BAD_QUERY, "durability is sync or async.");
		return false;
	}
	return true;
}

bool submit_ttl(struct request *r, const struct query *q, uint64_t *seconds)
{
	*seconds = 0;
	if (!query_has(q, QUERY_TTL) || ttl_parse(q->raw[QUERY_TTL], seconds))
		return true;
	problem_set(r, 400, PROBLEM_BAD_QUERY, "ttl is whole seconds, 1 to %" PRIu64 ".", TTL_SECONDS_MAX);
	return false;
}

bool submit_expires(struct request *r, const struct query *q, uint64_t *expires_ms)
{
	uint64_t seconds;

	if (!submit_ttl(r, q, &seconds))
		return false;
	*expires_ms = ttl_expires_ms(r->server->store, seconds);
	if (!query_has(q, QUERY_EXPIRES_AT))
		return true;
	if (seconds == 0 && ttl_parse_at(q->raw[QUERY_EXPIRES_AT], expires_ms))
		return true;
	problem_set(r, 400, PROBLEM_BAD_QUERY, seconds != 0 ? "ttl and expires_at say the same in two ways: give one." :
	            "expires_at is Unix milliseconds, 1 to 2^53 - 1.");
	return false;
}

bool submit_value_size(struct request *r, size_t len)
{
	uint64_t limit = r->server->limits.max_value_size;

	if (len <= limit)
		return true;
	problem_set(r, 413, PROBLEM_TOO_LARGE, "The value has %zu bytes; max_value_size is %" PRIu64 ".", len,
	            limit);
	problem_number(r, "limit", limit);
	return false;
}

bool submit_room(struct request *r)
{
	struct server *server = r->server;

	if (atomic_load_explicit(&server->parked, memory_order_relaxed) < server->limits.max_parked)
		return true;
	problem_set(r, 503, PROBLEM_TOO_MANY_PARKED, "%" PRIu64 " requests are waiting already.",
	            server->limits.max_parked);
	return false;
}

enum route_result submit_write(struct request *r, struct store_write *w, unsigned flags, store_done_fn *done)
{
	struct store *store = r->server->store;
	bool may_block = r->may_block;
	int code;

	if (!submit_room(r))
		return ROUTE_DONE;
	w->key = key_span(r);
	code = store->ops->write(store, w, flags | (may_block ? 0 : STORE_NO_WAIT), done, r);
	if (code == STORE_OK)
		return ROUTE_PARKED;               /* r is the callback's now */
	if (code == STORE_WOULD_BLOCK && !may_block)
		return ROUTE_BLOCK;
	problem_store(r, code, false);
	return ROUTE_DONE;
}

void submit_finish(struct request *r)
{
	answer_finish(r, true);
	request_complete(r);
}

bool submit_settled(struct request *r, const struct store_outcome *o)
{
	if (o->code == STORE_OK)
		return true;
	if (o->code == STORE_TRY_AGAIN) {
		request_retry(r);
		return false;
	}
	if (o->code != STORE_CONFLICT) {
		problem_store(r, o->code, true);
	} else if (o->current == 0 && submit_is_delete(r)) {
		problem_set(r, 404, PROBLEM_NO_SUCH_KEY, "There is no such key.");
		problem_key(r, key_span(r));
	} else {
		conditions_failed(r, o->current);
	}
	request_complete(r);
	return false;
}
