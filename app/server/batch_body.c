/* SPDX-License-Identifier: Apache-2.0 */
/* batch_body.c - what the body of POST /v1/batch says. */
#include "server/batch_body.h"

#include "server/key.h"
#include "server/media_type.h"
#include "server/problem.h"
#include "server/server.h"
#include "server/submit.h"
#include "server/trust.h"
#include "server/ttl.h"
#include "util/base64.h"
#include "util/decimal.h"
#include "util/json_string.h"
#include "util/json_walk.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_VERSION_MAX ((UINT64_C(1) << 53) - 1)

void batch_body_fini(struct batch_body *b)
{
	free(b->conds);
	free(b->ops);
	bytes_fini(&b->text);
}

/* 400 at a place of the body; returns false. */
static bool batch_body_fault(struct request *r, const char *at, const char *detail)
{
	problem_set(r, 400, PROBLEM_BAD_JSON, "%s", detail);
	problem_number(r, "offset", (uint64_t)(at - r->body.p));
	return false;
}

static bool batch_body_no_memory(struct request *r)
{
	problem_store(r, STORE_E_NOMEM, false);
	return false;
}

/* ---- members ----------------------------------------------------------------------------------------------------------- */

enum batch_member { MEMBER_KEY, MEMBER_KEY_ENCODING, MEMBER_VALUE, MEMBER_ENCODING, MEMBER_TTL, MEMBER_TYPE, MEMBER_VERSION,
                    MEMBER_EXPIRES, MEMBERS };
#define MEMBER_BIT(m) (1u << (m))
#define BATCH_OF_KEY  (MEMBER_BIT(MEMBER_KEY) | MEMBER_BIT(MEMBER_KEY_ENCODING))
#define BATCH_OF_COND (BATCH_OF_KEY | MEMBER_BIT(MEMBER_VERSION))
#define BATCH_OF_PUT  (BATCH_OF_KEY | MEMBER_BIT(MEMBER_VALUE) | MEMBER_BIT(MEMBER_ENCODING) | MEMBER_BIT(MEMBER_TTL) | MEMBER_BIT(MEMBER_TYPE) | \
                       MEMBER_BIT(MEMBER_EXPIRES))

struct batch_members {
	struct json_member m[MEMBERS];
	unsigned given;               /* MEMBER_BIT()s */
};

static bool batch_given(const struct batch_members *m, enum batch_member which)
{
	return (m->given & MEMBER_BIT(which)) != 0;
}

/* The members of an object, each one of those allowed. False: answered. */
static bool batch_body_members(struct request *r, const struct json_member *object, unsigned allowed, struct batch_members *out)
{
	static const char *const names[MEMBERS] = { "key", "key_encoding", "value", "encoding", "ttl", "content_type", "version", "expires_at" };
	struct json_walk walk;
	struct json_member m;

	out->given = 0;
	if (object->kind != JSON_OBJECT)
		return batch_body_fault(r, object->value.p, "An object is expected here.");
	walk = json_walk_of(object->value);
	while (json_walk_next(&walk, &m)) {
		unsigned which = 0;

		while (which < MEMBERS && ((allowed & MEMBER_BIT(which)) == 0 || !json_name_is(m.name, names[which])))
			which++;
		if (which == MEMBERS)
			return batch_body_fault(r, m.name.p - 1, "A member that is not known here.");
		out->m[which] = m;
		out->given |= MEMBER_BIT(which);
	}
	if (!batch_given(out, MEMBER_KEY))
		return batch_body_fault(r, object->value.p, "There is no key.");
	return true;
}

/* Is the string in base64? False: answered. */
static bool batch_body_is_base64(struct request *r, const struct batch_members *m, enum batch_member encoding, enum batch_member of,
                                 bool *base64)
{
	const struct span *value = &m->m[encoding].value;

	*base64 = batch_given(m, encoding);
	if (!*base64)
		return true;
	if (m->m[encoding].kind != JSON_STRING || !json_name_is(span_of(value->p + 1, value->len - 2), "base64"))
		return batch_body_fault(r, value->p, "An encoding is \"base64\" or not given.");
	return m->m[of].kind == JSON_STRING || batch_body_fault(r, m->m[of].value.p, "What is base64 must be a string.");
}

static bool batch_body_base64(struct request *r, struct batch_body *b, const struct json_member *m, struct span *out)
{
	struct bytes sent = {0};
	size_t from = b->text.len, bad_at;
	bool ok = json_string_decode(m->value, &sent);

	if (!ok || !base64_decode(span_of(sent.p, sent.len), &b->text, &bad_at)) {
		bytes_fini(&sent);
		if (!ok || b->text.bad)
			return batch_body_no_memory(r);
		return batch_body_fault(r, m->value.p, "This is not base64 (RFC 4648 section 4, with padding).");
	}
	bytes_fini(&sent);
	*out = span_of(b->text.p + from, b->text.len - from);
	return true;
}

/* The bytes of a string. */
static bool batch_body_string(struct request *r, struct batch_body *b, const struct json_member *m, bool base64, struct span *out)
{
	size_t from = b->text.len;

	if (base64)
		return batch_body_base64(r, b, m, out);
	*out = span_of(m->value.p + 1, m->value.len - 2);
	if (json_string_is_plain(m->value))
		return true;
	if (!json_string_decode(m->value, &b->text))
		return batch_body_no_memory(r);
	*out = span_of(b->text.p + from, b->text.len - from);
	return true;
}

static bool batch_body_key(struct request *r, struct batch_body *b, const struct batch_members *m, struct span *out)
{
	const struct json_member *key = &m->m[MEMBER_KEY];
	bool base64;

	if (key->kind != JSON_STRING)
		return batch_body_fault(r, key->value.p, "The key must be a string.");
	if (!batch_body_is_base64(r, m, MEMBER_KEY_ENCODING, MEMBER_KEY, &base64) || !batch_body_string(r, b, key, base64, out))
		return false;
	if (out->len >= 1 && out->len <= KEY_BYTES_MAX)
		return trust_bytes(r, *out);
	problem_set(r, 400, PROBLEM_BAD_KEY, "A key has %zu bytes; it has 1 to %d.", out->len, KEY_BYTES_MAX);
	problem_number(r, "offset", (uint64_t)(key->value.p - r->body.p));
	problem_number(r, "limit", KEY_BYTES_MAX);
	return false;
}

static bool batch_body_value(struct request *r, struct batch_body *b, const struct batch_members *m, struct span *out)
{
	const struct json_member *value = &m->m[MEMBER_VALUE];
	bool base64;

	if (!batch_given(m, MEMBER_VALUE))
		return batch_body_fault(r, m->m[MEMBER_KEY].value.p, "A put has a value.");
	if (!batch_body_is_base64(r, m, MEMBER_ENCODING, MEMBER_VALUE, &base64))
		return false;
	*out = value->value;                             /* the JSON text that was sent */
	if (value->kind == JSON_STRING && !batch_body_string(r, b, value, base64, out))
		return false;
	return submit_value_size(r, out->len);
}

/* With a NUL behind it, for which the quotes had room. */
static bool batch_body_type(struct request *r, struct batch_body *b, const struct batch_members *m, const char **out)
{
	const struct json_member *type = &m->m[MEMBER_TYPE];
	size_t from = b->text.len;
	const char *text;

	if (!batch_given(m, MEMBER_TYPE))
		return true;
	if (type->kind != JSON_STRING)
		return batch_body_fault(r, type->value.p, "content_type must be a string.");
	if (!json_string_decode(type->value, &b->text) || !bytes_add(&b->text, "", 1))
		return batch_body_no_memory(r);
	text = b->text.p + from;
	if (strlen(text) + 1 != b->text.len - from || !media_type_storable(text))
		return batch_body_fault(r, type->value.p, "A content_type has at most 255 visible ASCII characters.");
	*out = text[0] != 0 ? text : NULL;
	return true;
}

/* ---- conditions and operations ----------------------------------------------------------------------------------------- */

static bool batch_body_cond(struct request *r, struct batch_body *b, const struct json_member *element)
{
	struct store_batch_cond *c = &b->conds[b->cond_count++];
	struct batch_members m;

	if (!batch_body_members(r, element, BATCH_OF_COND, &m) || !batch_body_key(r, b, &m, &c->key))
		return false;
	if (!batch_given(&m, MEMBER_VERSION))
		return batch_body_fault(r, element->value.p, "A condition has a version; 0 is for a key that must be absent.");
	return (m.m[MEMBER_VERSION].kind == JSON_NUMBER && decimal_parse(m.m[MEMBER_VERSION].value, BATCH_VERSION_MAX, &c->version)) ||
	       batch_body_fault(r, m.m[MEMBER_VERSION].value.p, "version must be a whole number below 2^53.");
}

static bool batch_body_expires(struct request *r, const struct batch_members *m, struct batch_op *op)
{
	const struct json_member *ttl = &m->m[MEMBER_TTL], *at = &m->m[MEMBER_EXPIRES];

	if (batch_given(m, MEMBER_TTL) && batch_given(m, MEMBER_EXPIRES))
		return batch_body_fault(r, at->value.p, "ttl and expires_at say the same in two ways: give one.");
	if (batch_given(m, MEMBER_TTL) && !(ttl->kind == JSON_NUMBER && ttl_parse(ttl->value, &op->ttl)))
		return batch_body_fault(r, ttl->value.p, "ttl must be whole seconds, 1 to 3155760000.");
	if (batch_given(m, MEMBER_EXPIRES) && !(at->kind == JSON_NUMBER && ttl_parse_at(at->value, &op->expires_ms)))
		return batch_body_fault(r, at->value.p, "expires_at must be Unix milliseconds, 1 to 2^53 - 1.");
	return true;
}

static bool batch_body_put(struct request *r, struct batch_body *b, const struct batch_members *m, struct batch_op *op)
{
	if (!batch_body_value(r, b, m, &op->value) || !batch_body_type(r, b, m, &op->content_type))
		return false;
	return batch_body_expires(r, m, op);
}

/* {"put":{..}}: one member, whose name is what to do. */
static bool batch_body_op(struct request *r, struct batch_body *b, const struct json_member *element)
{
	static const char *const names[] = { [BATCH_PUT] = "put", [BATCH_DELETE] = "delete", [BATCH_GET] = "get" };
	struct batch_op *op = &b->ops[b->op_count++];
	struct json_member what, more;
	struct batch_members m;
	struct json_walk walk;
	unsigned kind = 0;

	if (element->kind != JSON_OBJECT)
		return batch_body_fault(r, element->value.p, "An operation is an object.");
	walk = json_walk_of(element->value);
	if (!json_walk_next(&walk, &what) || json_walk_next(&walk, &more))
		return batch_body_fault(r, element->value.p, "An operation has one member: put, delete or get.");
	while (kind < sizeof(names) / sizeof(names[0]) && !json_name_is(what.name, names[kind]))
		kind++;
	if (kind == sizeof(names) / sizeof(names[0]))
		return batch_body_fault(r, what.name.p - 1, "An operation is put, delete or get.");
	op->kind = (enum batch_kind)kind;
	b->writes += op->kind != BATCH_GET;
	return batch_body_members(r, &what, op->kind == BATCH_PUT ? BATCH_OF_PUT : BATCH_OF_KEY, &m) &&
	       batch_body_key(r, b, &m, &op->key) && (op->kind != BATCH_PUT || batch_body_put(r, b, &m, op));
}

/* How many elements, within the limit. False: answered. */
static bool batch_body_count(struct request *r, const struct json_member *array, const char *name, size_t *n)
{
	uint64_t limit = r->server->limits.max_batch_ops;
	struct json_walk walk;
	struct json_member m;

	*n = 0;
	if (array->kind != JSON_ARRAY)
		return batch_body_fault(r, array->value.p, "if and ops are arrays.");
	for (walk = json_walk_of(array->value); json_walk_next(&walk, &m);)
		++*n;
	if (*n <= limit)
		return true;
	problem_set(r, 413, PROBLEM_TOO_LARGE, "%s has %zu elements; max_batch_ops is %" PRIu64 ".", name, *n, limit);
	problem_number(r, "limit", limit);
	return false;
}

static bool batch_body_each(struct request *r, struct batch_body *b, const struct json_member *array,
                            bool (*take)(struct request *r, struct batch_body *b, const struct json_member *element))
{
	struct json_walk walk = json_walk_of(array->value);
	struct json_member m;

	while (json_walk_next(&walk, &m))
		if (!take(r, b, &m))
			return false;
	return true;
}

static bool batch_body_conds(struct request *r, struct batch_body *b, const struct json_member *array)
{
	size_t n;

	if (!batch_body_count(r, array, "if", &n))
		return false;
	b->conds = calloc(n + 1, sizeof(*b->conds));
	if (b->conds == NULL)
		return batch_body_no_memory(r);
	return batch_body_each(r, b, array, batch_body_cond);
}

static bool batch_body_ops(struct request *r, struct batch_body *b, const struct json_member *array)
{
	size_t n;

	if (!batch_body_count(r, array, "ops", &n))
		return false;
	if (n == 0)
		return batch_body_fault(r, array->value.p, "There is nothing to do: ops has at least one operation.");
	b->ops = calloc(n, sizeof(*b->ops));
	if (b->ops == NULL)
		return batch_body_no_memory(r);
	return batch_body_each(r, b, array, batch_body_op);
}

/* ---- order ------------------------------------------------------------------------------------------------------------- */

static int batch_body_compare(const void *a, const void *b, void *ops)
{
	size_t i = *(const size_t *)a, j = *(const size_t *)b;
	struct span x = ((const struct batch_op *)ops)[i].key, y = ((const struct batch_op *)ops)[j].key;
	int order = x.len == y.len ? memcmp(x.p, y.p, x.len) : x.len < y.len ? -1 : 1;

	return order != 0 ? order : (i > j) - (i < j);
}

/* Fills `before` of each op: side by side by key, those of a key in their order. */
static bool batch_body_order(struct request *r, struct batch_body *b)
{
	size_t *by_key = calloc(b->op_count, sizeof(*by_key)), last = BATCH_NONE;

	if (by_key == NULL)
		return batch_body_no_memory(r);
	for (size_t i = 0; i < b->op_count; i++)
		by_key[i] = i;
	qsort_r(by_key, b->op_count, sizeof(*by_key), batch_body_compare, b->ops);
	for (size_t i = 0; i < b->op_count; i++) {
		struct batch_op *op = &b->ops[by_key[i]];
		const struct span *left = i > 0 ? &b->ops[by_key[i - 1]].key : NULL;

		if (left == NULL || left->len != op->key.len || memcmp(left->p, op->key.p, left->len) != 0)
			last = BATCH_NONE;
		op->before = last;
		if (op->kind != BATCH_GET)
			last = by_key[i];
	}
	free(by_key);
	return true;
}

/* ---- all of it --------------------------------------------------------------------------------------------------------- */

static bool batch_body_whole(struct request *r, struct batch_body *b, const struct json_doc *doc)
{
	const struct json_member *ops = NULL, *conds = NULL;

	if (doc->kind != JSON_OBJECT)
		return batch_body_fault(r, r->body.p, "The body must be an object with ops.");
	/* of more than JSON_MEMBERS_MAX different names, one of the first is unknown */
	for (size_t i = 0; i < doc->member_count && i < JSON_MEMBERS_MAX; i++) {
		const struct json_member *m = &doc->member[i];

		if (json_name_is(m->name, "ops"))
			ops = m;
		else if (json_name_is(m->name, "if"))
			conds = m;
		else
			return batch_body_fault(r, m->name.p - 1, "A member that is none of if and ops.");
	}
	if (ops == NULL)
		return batch_body_fault(r, r->body.p, "The object must have the member ops.");
	return (conds == NULL || batch_body_conds(r, b, conds)) && batch_body_ops(r, b, ops) && batch_body_order(r, b);
}

bool batch_body_read(struct request *r, struct batch_body *out)
{
	struct json_doc doc;

	if (!json_check(r->body, &doc)) {
		if (doc.no_memory)
			return batch_body_no_memory(r);
		problem_set(r, 400, PROBLEM_BAD_JSON, "Not JSON at byte %zu: %s.", doc.error_offset, doc.error);
		problem_number(r, "offset", doc.error_offset);
		return false;
	}
	if (!bytes_reserve(&out->text, r->body.len + 1))
		return batch_body_no_memory(r);
	return batch_body_whole(r, out, &doc);
}
