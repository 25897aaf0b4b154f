/* SPDX-License-Identifier: Apache-2.0 */
/* handle_kv.c - the v1 dialect on one key: /v1/kv/{key} and /v1/kv?key=, bytes in, bytes out. */
#include "server/handlers.h"

#include "server/answer.h"
#include "server/classic_body.h"
#include "server/key.h"
#include "server/lookup.h"
#include "server/media_type.h"
#include "server/problem.h"
#include "server/range.h"
#include "server/server.h"
#include "server/submit.h"
#include "server/ttl.h"
#include "util/decimal.h"
#include "util/json_text.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#define KV_OPERATION (QUERY_BIT(QUERY_OP) | QUERY_BIT(QUERY_BY))

/* Parses the query where the route may also mean a range. False: answered. */
static bool kv_query(struct request *r, unsigned allowed, unsigned range, struct query *q)
{
	if (key_in_path(r))
		range = 0;
	if (!key_query(r, QUERY_BIT(QUERY_KEY) | allowed | range, q))
		return false;
	if (!query_has(q, QUERY_KEY) || (q->given & range) == 0)
		return true;
	problem_set(r, 400, PROBLEM_BAD_QUERY,
	            "key names one entry; it can't stand beside what names a range.");
	return false;
}

static bool kv_is_range(const struct request *r, const struct query *q)
{
	return !key_in_path(r) && !query_has(q, QUERY_KEY);
}

enum route_result handle_kv_get(struct request *r)
{
	enum route_result result = ROUTE_DONE;
	struct store_entry e;
	struct query q;

	if (!kv_query(r, 0, RANGE_LIST, &q))
		return ROUTE_DONE;
	if (kv_is_range(r, &q))
		return handle_range_list(r, &q);
	if (!key_find(r, &q) || !lookup_entry(r, &r->response.body, &e, &result))
		return result;
	answer_value(r, &e);
	answer_finish(r, false);
	return ROUTE_DONE;
}

static void kv_put_done(void *ctx, const struct store_outcome *o)
{
	struct request *r = ctx;

	if (!submit_settled(r, o))
		return;
	answer_empty(r, o->existed ? 204 : 201);
	response_etag(&r->response, o->version);
	answer_version(r, o->version);
	submit_finish(r);
}

/* The type to keep with a value; curl's form type means that none was meant. NULL = none. */
static bool kv_content_type(struct request *r, const char **out)
{
	enum media_type type = media_type_of(r->content_type);

	*out = type == MEDIA_NONE || type == MEDIA_FORM ? NULL : r->content_type;
	if (*out == NULL || media_type_storable(*out))
		return true;
	problem_set(r, 400, PROBLEM_BAD_HEADER, "A Content-Type has at most %d visible ASCII characters.",
	            MEDIA_TYPE_BYTES_MAX);
	problem_number(r, "limit", MEDIA_TYPE_BYTES_MAX);
	return false;
}

enum route_result handle_kv_put(struct request *r)
{
	struct store_write w = { .op = STORE_PUT, .value = r->body, .want_existed = true };
	struct submit_conditions conditions;
	struct query q;
	unsigned flags;

	if (!key_query(r, QUERY_BIT(QUERY_KEY) | QUERY_BIT(QUERY_TTL) | QUERY_BIT(QUERY_EXPIRES_AT) | QUERY_BIT(QUERY_DURABILITY), &q) ||
	    !key_find(r, &q) || !body_is_plain(r) || !submit_value_size(r, r->body.len) ||
	    !kv_content_type(r, &w.content_type) || !submit_expires(r, &q, &w.expires_ms) ||
	    !submit_durability(r, &q, &flags) || !submit_conditions(r, &conditions, &w))
		return ROUTE_DONE;
	if (r->body.len > STORE_INLINE_MAX && !r->may_block)
		return ROUTE_BLOCK;                        /* it will be copied */
	return submit_write(r, &w, flags, kv_put_done);
}

/* Prefer (RFC 7240): is there a return=representation in the list? The first of the name counts. */
static bool kv_prefers_representation(const char *prefer)
{
	const char *p = prefer != NULL ? prefer : "";

	while (*p != 0) {
		size_t n;

		p += strspn(p, " \t,");
		n = strcspn(p, ",");
		if (n >= 7 && strncasecmp(p, "return=", 7) == 0) {
			p += 7;
			if (*p == '"')
				p++;
			n = strcspn(p, ",;\" \t");
			return n == strlen("representation") && strncasecmp(p, "representation", n) == 0;
		}
		p += n;
	}
	return false;
}

static void kv_delete_done(void *ctx, const struct store_outcome *o)
{
	struct request *r = ctx;

	if (!submit_settled(r, o))
		return;
	if (kv_prefers_representation(r->prefer)) {
		answer_value(r, &o->old);
		response_header(&r->response, "Preference-Applied", "return=representation");
		bytes_add(&r->response.body, o->old_value.p, o->old_value.len);
	} else {
		answer_empty(r, 204);
	}
	answer_version(r, o->version);
	submit_finish(r);
}

enum route_result handle_kv_delete(struct request *r)
{
	struct store_write w = { .op = STORE_DELETE };
	struct submit_conditions conditions;
	struct query q;
	unsigned flags;

	if (!kv_query(r, QUERY_BIT(QUERY_DURABILITY), RANGE_BOUNDS | QUERY_BIT(QUERY_ALL), &q))
		return ROUTE_DONE;
	if (kv_is_range(r, &q))
		return handle_range_delete(r, &q);
	if (!key_find(r, &q) || !submit_durability(r, &q, &flags) || !submit_conditions(r, &conditions, &w))
		return ROUTE_DONE;
	w.want_old_value = kv_prefers_representation(r->prefer);
	return submit_write(r, &w, flags, kv_delete_done);
}

/* ---- POST: operations on a key ----------------------------------------------------------------------------------------- */

static void kv_incr_fail(struct request *r, const struct store_outcome *o)
{
	if (o->code == STORE_NO_COUNTER)
		problem_set(r, 409, PROBLEM_NO_COUNTER, "What is stored here is no integer of 64 bits in decimal.");
	else
		problem_set(r, 409, PROBLEM_OVERFLOW, "The sum is no integer of 64 bits.");
	problem_key(r, key_span(r));
	problem_number(r, "version", o->current);
	request_complete(r);
}

static void kv_incr_done(void *ctx, const struct store_outcome *o)
{
	struct request *r = ctx;
	struct bytes *body = &r->response.body;

	if (o->code == STORE_NO_COUNTER || o->code == STORE_OVERFLOW) {
		kv_incr_fail(r, o);
		return;
	}
	if (o->code == STORE_CONFLICT && o->current == 0) {
		problem_set(r, 404, PROBLEM_NO_SUCH_KEY, "There is no such key.");
		problem_key(r, key_span(r));
		request_complete(r);
		return;
	}
	if (!submit_settled(r, o))
		return;
	answer_json(r, 200);
	bytes_addf(body, "{\"value\":%" PRId64 ",\"text\":\"%" PRId64 "\",", o->sum, o->sum);
	json_text_number(body, "version", o->version);
	bytes_add(body, "}", 1);
	response_etag(&r->response, o->version);
	answer_version(r, o->version);
	submit_finish(r);
}

/* ?op=incr&by=N, and nothing in the body: who sends one means something else. */
static bool kv_incr_step(struct request *r, const struct query *q, int64_t *by)
{
	*by = 1;
	if (!query_has(q, QUERY_OP) || !span_eq(q->raw[QUERY_OP], "incr"))
		problem_set(r, 400, PROBLEM_BAD_QUERY, "POST needs ?op=incr; a value is written with PUT.");
	else if (query_has(q, QUERY_BY) && !decimal_parse_signed(q->raw[QUERY_BY], by))
		problem_set(r, 400, PROBLEM_BAD_QUERY, "by is a whole number of 64 bits, like 5 or -5.");
	else if (r->body.len > 0)
		problem_set(r, 400, PROBLEM_BAD_BODY, "A step has no body: say how far as ?by=.");
	else
		return true;
	return false;
}

enum route_result handle_kv_post(struct request *r)
{
	struct store_write w = { .op = STORE_ADD, .content_type = "text/plain" };
	struct submit_conditions conditions;
	struct query q;
	unsigned flags;

	if (!key_query(r, QUERY_BIT(QUERY_KEY) | KV_OPERATION | QUERY_BIT(QUERY_DURABILITY), &q) || !key_find(r, &q) ||
	    !kv_incr_step(r, &q, &w.delta) || !submit_durability(r, &q, &flags) || !submit_conditions(r, &conditions, &w))
		return ROUTE_DONE;
	return submit_write(r, &w, flags, kv_incr_done);
}
