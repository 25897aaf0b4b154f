/* SPDX-License-Identifier: Apache-2.0 */
/* handle_classic.c - the classic dialect: /get, /set and /put, /del and /delete, JSON in, JSON out. */
#include "server/handlers.h"

#include "server/answer.h"
#include "server/classic_body.h"
#include "server/key.h"
#include "server/lookup.h"
#include "server/server.h"
#include "server/submit.h"
#include "server/ttl.h"
#include "util/json_text.h"

/* What a write may say in its query. */
#define CLASSIC_SET (QUERY_BIT(QUERY_KEY) | QUERY_BIT(QUERY_VALUE) | QUERY_BIT(QUERY_TTL))

/* {"key":K,"value":V,"version":N}; value NULL leaves it out. */
static void classic_print(struct request *r, const struct span *value, uint64_t version)
{
	struct bytes *body = &r->response.body;

	answer_json(r, 200);
	bytes_add(body, "{", 1);
	json_text_bytes(body, "key", "key_encoding", key_span(r));
	if (value != NULL) {
		bytes_add(body, ",", 1);
		json_text_bytes(body, "value", "encoding", *value);
	}
	bytes_add(body, ",", 1);
	json_text_number(body, "version", version);
	bytes_add(body, "}", 1);
}

enum route_result handle_classic_get(struct request *r)
{
	enum route_result result;
	struct store_entry e;
	struct span value;
	struct query q;

	if (!key_query(r, QUERY_BIT(QUERY_KEY), &q) || !key_find(r, &q))
		return ROUTE_DONE;
	if (!lookup_entry(r, &r->scratch, &e, &result))
		return result;
	value = span_of(r->scratch.p, r->scratch.len);
	classic_print(r, &value, e.version);
	response_etag(&r->response, e.version);
	answer_finish(r, false);
	return ROUTE_DONE;
}

static void classic_set_done(void *ctx, const struct store_outcome *o)
{
	struct request *r = ctx;

	if (!submit_settled(r, o))
		return;
	classic_print(r, NULL, o->version);
	answer_version(r, o->version);
	submit_finish(r);
}

enum route_result handle_classic_set(struct request *r)
{
	struct store_write w = { .op = STORE_PUT };
	struct submit_conditions conditions;
	struct classic_write said;
	struct query q;
	unsigned flags;

	if (r->body.len > STORE_INLINE_MAX && !r->may_block)
		return ROUTE_BLOCK;                        /* to be checked and copied */
	if (!key_query(r, CLASSIC_SET | QUERY_BIT(QUERY_DURABILITY), &q) ||
	    !classic_body_read(r, &q, &said) || !submit_value_size(r, said.value.len) ||
	    !submit_durability(r, &q, &flags) || !submit_conditions(r, &conditions, &w))
		return ROUTE_DONE;
	w.value = said.value;
	w.expires_ms = ttl_expires_ms(r->server->store, said.ttl);
	return submit_write(r, &w, flags, classic_set_done);
}

static void classic_delete_done(void *ctx, const struct store_outcome *o)
{
	struct request *r = ctx;

	if (!submit_settled(r, o))
		return;
	classic_print(r, &o->old_value, o->version);
	answer_version(r, o->version);
	submit_finish(r);
}

enum route_result handle_classic_delete(struct request *r)
{
	struct store_write w = { .op = STORE_DELETE, .want_old_value = true };
	struct submit_conditions conditions;
	struct query q;
	unsigned flags;

	if (!key_query(r, QUERY_BIT(QUERY_KEY) | QUERY_BIT(QUERY_DURABILITY), &q) || !key_find(r, &q) ||
	    !submit_durability(r, &q, &flags) || !submit_conditions(r, &conditions, &w))
		return ROUTE_DONE;
	return submit_write(r, &w, flags, classic_delete_done);
}
