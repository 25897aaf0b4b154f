/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handle_batch.c - POST /v1/batch: many operations, all or nothing, with conditions, and what each of them found.
 *
 * READ      in a worker: what gets find, at one snapshot. Only gets: that is all, and the conditions are looked at there, too
 * WRITE     parked: puts and deletes as one write, under the conditions and one more for each key that was read: that it is still so
 *           (somebody was faster: READ again)
 * ANSWER    in a worker: {"results":[..],"version":V}
 */
#include "server/handlers.h"

#include "server/answer.h"
#include "server/batch_body.h"
#include "server/classic_body.h"
#include "server/item.h"
#include "server/key.h"
#include "server/media_type.h"
#include "server/problem.h"
#include "server/server.h"
#include "server/submit.h"
#include "server/trust.h"
#include "server/ttl.h"
#include "util/json_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_TRIES 100               /* READ again so often, then others are asked to go slower */

struct batch_found {                  /* what an op found in the store */
	bool there;
	size_t at, len;               /* its value, in batch.values */
	uint64_t version, expires_ms;
};

struct batch {
	struct batch_body body;
	unsigned flags;               /* of the write */
	unsigned tries;
	struct batch_found *found;    /* one an op */
	struct bytes values;
	uint64_t asked;               /* bytes of values that were asked for, by deletes, too */
	uint64_t version;             /* of the write or the snapshot; 0 = not done */
	bool failed;                  /* a condition did; answered */
};

static void batch_free(void *state)
{
	struct batch *b = state;

	batch_body_fini(&b->body);
	free(b->found);
	bytes_fini(&b->values);
	free(b);
}

/* ---- asking ------------------------------------------------------------------------------------------------------------ */

static bool batch_is_json(struct request *r)
{
	if (!body_is_plain(r))
		return false;
	if (r->if_match != NULL || r->if_none_match != NULL) {
		problem_set(r, 400, PROBLEM_BAD_CONDITION, "The conditions of a batch stand in its body, as \"if\".");
		return false;
	}
	if (media_type_of(r->content_type) != MEDIA_OTHER)
		return true;
	problem_set(r, 415, PROBLEM_MEDIA_TYPE, "The body must be application/json, in UTF-8.");
	return false;
}

static bool batch_too_much(struct request *r)
{
	uint64_t limit = r->server->limits.max_request_size;

	problem_set(r, 413, PROBLEM_TOO_LARGE,
	            "The values that this batch gets and deletes have more than %" PRIu64 " bytes: take fewer at once.", limit);
	problem_number(r, "limit", limit);
	return false;
}

/* What it puts itself and gets back, perhaps a thousand times, counts like what it finds in the store. */
static bool batch_own_values(struct request *r, struct batch *b)
{
	b->asked = 0;
	for (size_t i = 0; i < b->body.op_count; i++) {
		const struct batch_op *op = &b->body.ops[i];

		if (op->kind != BATCH_PUT && op->before != BATCH_NONE && b->body.ops[op->before].kind == BATCH_PUT)
			b->asked += b->body.ops[op->before].value.len;
	}
	return b->asked <= r->server->limits.max_request_size || batch_too_much(r);
}

static bool batch_new(struct request *r)
{
	struct batch *b = calloc(1, sizeof(*b));
	struct query q;

	if (b == NULL) {
		problem_store(r, STORE_E_NOMEM, false);
		return false;
	}
	r->state = b;
	r->state_free = batch_free;
	if (!key_query(r, QUERY_BIT(QUERY_DURABILITY), &q) || !submit_durability(r, &q, &b->flags) || !batch_is_json(r) ||
	    !batch_body_read(r, &b->body))
		return false;
	if (b->body.writes > 0 && (!trust_role(r, ROLE_WRITE) || !trust_site(r)))
		return false;
	if (r->server->store->ops->write_batch == NULL) {
		problem_store(r, STORE_E_UNSUPPORTED, false);
		return false;
	}
	b->found = calloc(b->body.op_count, sizeof(*b->found));
	if (b->found == NULL)
		problem_store(r, STORE_E_NOMEM, false);
	return b->found != NULL;
}

/* ---- answering --------------------------------------------------------------------------------------------------------- */

static void batch_condition_failed(struct request *r, size_t index, uint64_t current)
{
	const struct batch *b = r->state;

	problem_set(r, 412, PROBLEM_CONDITION_FAILED,
	            current == 0 ? "The key is absent, so the condition does not hold: nothing was written."
	                         : "The key has another version than the condition wants: nothing was written.");
	problem_key(r, b->body.conds[index].key);
	problem_number(r, "index", index);
	problem_number(r, "version", current);
}

/* What an op found: what the op before it left, or what was in the store. */
static void batch_print_found(struct bytes *out, const struct batch *b, size_t i)
{
	const struct batch_op *op = &b->body.ops[i];
	const struct batch_found *f = &b->found[i];

	if (op->before != BATCH_NONE && b->body.ops[op->before].kind == BATCH_PUT) {
		const struct batch_op *put = &b->body.ops[op->before];

		item_print(out, op->key, &put->value, b->version, b->found[op->before].expires_ms, span_of(NULL, 0));
	} else if (op->before == BATCH_NONE && f->there) {
		struct span value = f->len > 0 ? span_of(b->values.p + f->at, f->len) : span_of("", 0);

		item_print(out, op->key, &value, f->version, f->expires_ms, span_of(NULL, 0));
	} else {
		bytes_adds(out, "null");
	}
}

static void batch_answer(struct request *r)
{
	const struct batch *b = r->state;
	struct bytes *body = &r->response.body;

	answer_json(r, 200);
	bytes_adds(body, "{\"results\":[");
	if (b->values.bad)
		body->bad = true;
	for (size_t i = 0; i < b->body.op_count && !body->bad; i++) {
		if (i > 0)
			bytes_add(body, ",", 1);
		if (b->body.ops[i].kind == BATCH_PUT)
			bytes_adds(body, "{}");
		else
			batch_print_found(body, b, i);
	}
	bytes_adds(body, "],");
	json_text_number(body, "version", b->version);
	bytes_adds(body, "}");
	if (b->body.writes > 0)
		answer_version(r, b->version);
	answer_finish(r, b->body.writes > 0);
}

/* ---- READ -------------------------------------------------------------------------------------------------------------- */

/* Is op i one that the store has to be asked for? */
static bool batch_reads(const struct batch *b, size_t i)
{
	return b->body.ops[i].kind != BATCH_PUT && b->body.ops[i].before == BATCH_NONE;
}

struct batch_reading {
	struct request *r;
	size_t *op;                   /* of each key asked for; those of conditions come first, and have none */
	size_t conds;
};

static void batch_store_value(struct batch *b, size_t i, struct span value, const struct store_entry *e)
{
	struct batch_found *f = &b->found[i];

	f->there = true;
	f->version = e->version;
	f->expires_ms = e->expires_ms;
	f->at = b->values.len;
	f->len = value.len;
	bytes_add(&b->values, value.p, value.len);
}

/* The answer can't be larger than a request. Deletes are looked at for that alone: what they remove the write itself will say. */
static bool batch_got(void *ctx, size_t index, int code, struct span value, const struct store_entry *e)
{
	struct batch_reading *reading = ctx;
	struct request *r = reading->r;
	struct batch *b = r->state;
	uint64_t limit = r->server->limits.max_request_size;

	if (index < reading->conds) {
		uint64_t version = code == STORE_OK ? e->version : 0;

		b->failed = version != b->body.conds[index].version;
		if (b->failed)
			batch_condition_failed(r, index, version);
		return !b->failed;
	}
	if (code != STORE_OK)
		return true;
	b->asked += value.len;
	if (b->asked > limit) {
		b->failed = true;
		return batch_too_much(r);
	}
	if (b->body.ops[reading->op[index - reading->conds]].kind == BATCH_GET)
		batch_store_value(b, reading->op[index - reading->conds], value, e);
	return true;
}

/* False: answered. */
static bool batch_read(struct request *r, uint64_t *version)
{
	struct batch *b = r->state;
	struct store *store = r->server->store;
	size_t n = 0, conds = b->body.writes == 0 ? b->body.cond_count : 0;
	struct span *keys = calloc(conds + b->body.op_count, sizeof(*keys));
	struct batch_reading reading = { .r = r, .conds = conds, .op = calloc(b->body.op_count, sizeof(size_t)) };
	int code = STORE_E_NOMEM;

	if (keys == NULL || reading.op == NULL)
		goto out;
	memset(b->found, 0, b->body.op_count * sizeof(*b->found));
	bytes_clear(&b->values);
	if (!batch_own_values(r, b)) {
		b->failed = true;
		goto out;
	}
	for (size_t i = 0; i < conds; i++)
		keys[i] = b->body.conds[i].key;
	for (size_t i = 0; i < b->body.op_count; i++)
		if (batch_reads(b, i)) {
			reading.op[n] = i;
			keys[conds + n++] = b->body.ops[i].key;
		}
	*version = 0;
	code = conds + n == 0 ? STORE_OK : store->ops->get_many(store, keys, conds + n, batch_got, &reading, version);
	if (code == STORE_OK && b->values.bad)
		code = STORE_E_NOMEM;
out:
	free(keys);
	free(reading.op);
	if (code != STORE_OK && !b->failed)
		problem_store(r, code, false);
	return code == STORE_OK && !b->failed;
}

/* ---- WRITE ------------------------------------------------------------------------------------------------------------- */

static void batch_done(void *ctx, const struct store_batch_outcome *o)
{
	struct request *r = ctx;
	struct batch *b = r->state;

	if (o->code == STORE_TRY_AGAIN || (o->code == STORE_CONFLICT && o->condition >= b->body.cond_count)) {
		request_retry(r);
		return;
	}
	if (o->code != STORE_OK) {
		if (o->code == STORE_CONFLICT)
			batch_condition_failed(r, o->condition, o->current);
		else
			problem_store(r, o->code, true);
		request_complete(r);
		return;
	}
	b->version = o->version;
	for (size_t i = 0, op = 0, old = 0; i < b->body.op_count && old < o->old_count; i++) {
		if (b->body.ops[i].kind == BATCH_GET)
			continue;
		if (o->old[old].op == op && o->old[old].found)
			batch_store_value(b, i, o->old[old].value, &o->old[old].entry);
		old += o->old[old].op == op;
		op++;
	}
	request_retry(r);                                  /* to be printed where it may take long */
}

/* The conditions of the body, then that what was read is still so. */
static size_t batch_conds(const struct batch *b, struct store_batch_cond *out)
{
	size_t n = b->body.cond_count;

	if (n > 0)
		memcpy(out, b->body.conds, n * sizeof(*out));
	for (size_t i = 0; i < b->body.op_count; i++)
		if (b->body.ops[i].kind == BATCH_GET && b->body.ops[i].before == BATCH_NONE)
			out[n++] = (struct store_batch_cond){ b->body.ops[i].key, b->found[i].there ? b->found[i].version : 0 };
	return n;
}

static size_t batch_ops(struct batch *b, struct store *store, struct store_batch_op *out)
{
	size_t n = 0;

	for (size_t i = 0; i < b->body.op_count; i++) {
		const struct batch_op *op = &b->body.ops[i];

		if (op->kind == BATCH_GET)
			continue;
		b->found[i].expires_ms = op->expires_ms ? op->expires_ms : ttl_expires_ms(store, op->ttl);
		out[n++] = (struct store_batch_op){
			.op = op->kind == BATCH_PUT ? STORE_PUT : STORE_DELETE, .key = op->key, .value = op->value,
			.expires_ms = b->found[i].expires_ms, .content_type = op->content_type, .want_old = batch_reads(b, i),
		};
	}
	return n;
}

static enum route_result batch_write(struct request *r)
{
	struct batch *b = r->state;
	struct store *store = r->server->store;
	struct store_batch_cond *conds = calloc(b->body.cond_count + b->body.op_count + 1, sizeof(*conds));
	struct store_batch_op *ops = calloc(b->body.writes, sizeof(*ops));
	int code = STORE_E_NOMEM;

	if (conds != NULL && ops != NULL) {
		struct store_batch w = { .conds = conds, .ops = ops };

		w.cond_count = batch_conds(b, conds);
		w.op_count = batch_ops(b, store, ops);
		code = store->ops->write_batch(store, &w, b->flags, batch_done, r);
	}
	free(conds);
	free(ops);
	if (code == STORE_OK)
		return ROUTE_PARKED;                       /* r is the callback's now */
	problem_store(r, code, false);
	return ROUTE_DONE;
}

/* ---- all of it --------------------------------------------------------------------------------------------------------- */

static enum route_result batch_turn(struct request *r)
{
	struct batch *b = r->state;
	uint64_t version;

	if (b->version != 0) {
		batch_answer(r);
		return ROUTE_DONE;
	}
	if (server_refuses(r->server)) {
		problem_set(r, 503, PROBLEM_SHUTTING_DOWN, "The server is shutting down: nothing was written.");
		return ROUTE_DONE;
	}
	if (b->tries++ == BATCH_TRIES) {
		problem_set(r, 503, PROBLEM_CONTENDED, "Others change what this batch reads all the time: nothing was written.");
		return ROUTE_DONE;
	}
	if (!batch_read(r, &version))
		return ROUTE_DONE;
	if (b->body.writes > 0)
		return submit_room(r) ? batch_write(r) : ROUTE_DONE;
	b->version = version;
	batch_answer(r);
	return ROUTE_DONE;
}

enum route_result handle_batch(struct request *r)
{
	if (!r->may_block)
		return ROUTE_BLOCK;
	if (r->state == NULL && !batch_new(r))
		return ROUTE_DONE;
	return batch_turn(r);
}
