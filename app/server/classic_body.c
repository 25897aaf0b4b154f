/* SPDX-License-Identifier: Apache-2.0 */
/* classic_body.c - what a classic write says: key, value and ttl, from JSON, from a form body, or from the
   query. */
#include "server/classic_body.h"

#include "server/key.h"
#include "server/media_type.h"
#include "server/problem.h"
#include "server/ttl.h"
#include "util/base64.h"
#include "util/json_check.h"
#include "util/json_string.h"

#include <string.h>
#include <strings.h>

bool body_is_plain(struct request *r)
{
	const char *encoding = r->content_encoding;

	if (encoding != NULL && encoding[0] != 0 && strcasecmp(encoding, "identity") != 0) {
		problem_set(r, 415, PROBLEM_MEDIA_TYPE,
		            "A body is taken as it is: Content-Encoding must be identity.");
		return false;
	}
	if (r->content_range != NULL && r->content_range[0] != 0) {
		problem_set(r, 400, PROBLEM_BAD_HEADER,
		            "A part of a value can't be written: no Content-Range.");
		return false;
	}
	return true;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

/* 400 at a place of the body; returns false. */
static bool classic_body_fault(struct request *r, const char *at, const char *detail)
{
	problem_set(r, 400, PROBLEM_BAD_JSON, "%s", detail);
	problem_number(r, "offset", (uint64_t)(at - r->body.p));
	return false;
}

/* The text of a string member, in the body where it needs no unescaping, else in room. */
static bool classic_body_text(struct request *r, const struct json_member *m, struct bytes *room,
                              struct span *out)
{
	size_t start = room->len;

	*out = span_of(m->value.p + 1, m->value.len - 2);
	if (json_string_is_plain(m->value))
		return true;
	if (!json_string_decode(m->value, room)) {
		problem_store(r, STORE_E_NOMEM, false);
		return false;
	}
	*out = span_of(room->p + start, room->len - start);
	return true;
}

/* The bytes of a string member that may be base64; in the body or in r->scratch, which is this member's
   alone. */
static bool classic_body_bytes(struct request *r, const struct json_member *m, bool base64, struct span *out)
{
	struct bytes decoded = {0};
	size_t bad_at;

	if (!classic_body_text(r, m, &r->scratch, out))
		return false;
	if (!base64)
		return true;
	if (!base64_decode(*out, &decoded, &bad_at)) {
		bool no_memory = decoded.bad;

		bytes_fini(&decoded);
		if (!no_memory)
			return classic_body_fault(r, m->value.p,
			                          "This is not base64 (RFC 4648 section 4, with padding).");
		problem_store(r, STORE_E_NOMEM, false);
		return false;
	}
	bytes_fini(&r->scratch);
	r->scratch = decoded;
	*out = span_of(decoded.p, decoded.len);
	return true;
}

enum classic_member { MEMBER_KEY, MEMBER_VALUE, MEMBER_TTL, MEMBER_KEY_ENCODING, MEMBER_ENCODING, MEMBERS };

/* Which member is where; NULL = not given. False: one is unknown, answered. */
static bool classic_body_members(struct request *r, const struct json_doc *doc,
                                 const struct json_member *found[MEMBERS])
{
	static const char *const names[MEMBERS] = {
		[MEMBER_KEY] = "key",           [MEMBER_VALUE] = "value",
		[MEMBER_TTL] = "ttl",           [MEMBER_KEY_ENCODING] = "key_encoding",
		[MEMBER_ENCODING] = "encoding",
	};

	for (int i = 0; i < MEMBERS; i++)
		found[i] = NULL;
	/* of more than JSON_MEMBERS_MAX different names, one of the first is unknown */
	for (size_t i = 0; i < doc->member_count && i < JSON_MEMBERS_MAX; i++) {
		int which = 0;

		while (which < MEMBERS && !json_name_is(doc->member[i].name, names[which]))
			which++;
		if (which == MEMBERS)
			return classic_body_fault(r, doc->member[i].name.p - 1,
			                          "A member that is none of key, value, ttl, "
			                          "key_encoding, encoding.");
		found[which] = &doc->member[i];
	}
	return true;
}

/* "key_encoding" or "encoding": "base64" or nothing, beside a string. */
static bool classic_body_is_base64(struct request *r, const struct json_member *encoding,
                                   const struct json_member *of, bool *base64)
{
	*base64 = encoding != NULL;
	if (encoding == NULL)
		return true;
	if (encoding->kind != JSON_STRING ||
	    !json_name_is(span_of(encoding->value.p + 1, encoding->value.len - 2), "base64"))
		return classic_body_fault(r, encoding->value.p, "An encoding is \"base64\" or not given.");
	if (of->kind != JSON_STRING)
		return classic_body_fault(r, of->value.p, "What is base64 must be a string.");
	return true;
}

static bool classic_body_json_key(struct request *r, const struct json_member *key,
                                  const struct json_member *encoding)
{
	struct span bytes;
	bool base64;

	if (key->kind != JSON_STRING)
		return classic_body_fault(r, key->value.p, "The key must be a string.");
	if (!classic_body_is_base64(r, encoding, key, &base64) || !classic_body_bytes(r, key, base64, &bytes))
		return false;
	if (!bytes_add(&r->key, bytes.p, bytes.len)) {
		problem_store(r, STORE_E_NOMEM, false);
		return false;
	}
	bytes_clear(&r->scratch);
	return true;
}

static bool classic_body_json_value(struct request *r, const struct json_member *value,
                                    const struct json_member *encoding, struct span *out)
{
	bool base64;

	if (!classic_body_is_base64(r, encoding, value, &base64))
		return false;
	if (value->kind == JSON_STRING)
		return classic_body_bytes(r, value, base64, out);
	*out = value->value;                     /* the JSON text that was sent */
	return true;
}

static bool classic_body_json_faulty(struct request *r, const struct json_doc *doc)
{
	if (doc->no_memory) {
		problem_store(r, STORE_E_NOMEM, false);
		return false;
	}
	problem_set(r, 400, PROBLEM_BAD_JSON, "Not JSON at byte %zu: %s.", doc->error_offset, doc->error);
	problem_number(r, "offset", doc->error_offset);
	return false;
}

static bool classic_body_json(struct request *r, struct classic_write *out)
{
	const struct json_member *m[MEMBERS];
	struct json_doc doc;

	if (!json_check(r->body, &doc))
		return classic_body_json_faulty(r, &doc);
	if (doc.kind != JSON_OBJECT)
		return classic_body_fault(r, r->body.p, "The body must be an object with key and value.");
	if (!classic_body_members(r, &doc, m))
		return false;
	if (m[MEMBER_KEY] == NULL || m[MEMBER_VALUE] == NULL) {
		problem_set(r, 400, PROBLEM_BAD_JSON, "The object must have the members key and value.");
		return false;
	}
	if (!classic_body_json_key(r, m[MEMBER_KEY], m[MEMBER_KEY_ENCODING]) || !key_check(r))
		return false;
	if (m[MEMBER_TTL] != NULL &&
	    (m[MEMBER_TTL]->kind != JSON_NUMBER || !ttl_parse(m[MEMBER_TTL]->value, &out->ttl)))
		return classic_body_fault(r, m[MEMBER_TTL]->value.p,
		                          "ttl must be whole seconds, 1 to 3155760000.");
	return classic_body_json_value(r, m[MEMBER_VALUE], m[MEMBER_ENCODING], &out->value);
}

/* ---- pairs ----------------------------------------------------------------------------------- */

static bool classic_body_pair_fault(struct request *r, const char *detail, size_t offset)
{
	if (r->key.bad || r->scratch.bad) {
		problem_store(r, STORE_E_NOMEM, false);
		return false;
	}
	problem_set(r, 400, r->body.len > 0 ? PROBLEM_BAD_BODY : PROBLEM_BAD_QUERY, "%s", detail);
	problem_number(r, "offset", offset);
	return false;
}

/* key=K&value=V, of the query or of a form body. */
static bool classic_body_pair(struct request *r, const struct query *q, struct classic_write *out)
{
	size_t bad_at = 0;

	if (!query_has(q, QUERY_KEY) || !query_has(q, QUERY_VALUE)) {
		problem_set(r, 400, PROBLEM_BAD_BODY,
		            "Give key and value: as a JSON object, as a form, or as ?key=K&value=V.");
		return false;
	}
	if (!query_decode(q, QUERY_KEY, &r->key, &bad_at) ||
	    !query_decode(q, QUERY_VALUE, &r->scratch, &bad_at))
		return classic_body_pair_fault(r, "Malformed percent-encoding: % stands before two hex digits.",
		                               bad_at);
	if (query_has(q, QUERY_TTL) && !ttl_parse(q->raw[QUERY_TTL], &out->ttl))
		return classic_body_pair_fault(r, "ttl must be whole seconds, 1 to 3155760000.",
		                               (size_t)(q->raw[QUERY_TTL].p - q->text.p));
	out->value = span_of(r->scratch.p, r->scratch.len);
	return key_check(r);
}

static bool classic_body_form(struct request *r, struct classic_write *out)
{
	struct query_error error;
	struct query form;

	if (query_parse(r->body, QUERY_BIT(QUERY_KEY) | QUERY_BIT(QUERY_VALUE) | QUERY_BIT(QUERY_TTL), &form,
	                &error))
		return classic_body_pair(r, &form, out);
	problem_set(r, 400, PROBLEM_BAD_BODY, "The form has %s: '%.*s'.", error.what,
	            (int)(error.name.len < 64 ? error.name.len : 64), error.name.p);
	problem_number(r, "offset", error.offset);
	return false;
}

static bool classic_body_begins_object(struct span body)
{
	size_t i = 0;

	while (i < body.len && memchr(" \t\r\n", body.p[i], 4) != NULL)
		i++;
	return i < body.len && body.p[i] == '{';
}

bool classic_body_read(struct request *r, const struct query *q, struct classic_write *out)
{
	enum media_type type = media_type_of(r->content_type);

	out->value = span_of(NULL, 0);
	out->ttl = 0;
	if (!body_is_plain(r))
		return false;
	if (r->body.len == 0)
		return classic_body_pair(r, q, out);
	if ((q->given & ~QUERY_BIT(QUERY_DURABILITY)) != 0) {
		problem_set(r, 400, PROBLEM_BAD_BODY,
		            "There is a body, so key, value and ttl belong there and not into the query.");
		return false;
	}
	if (type == MEDIA_OTHER) {
		problem_set(r, 415, PROBLEM_MEDIA_TYPE, "The body must be application/json, text/plain or "
		            "application/x-www-form-urlencoded, in UTF-8.");
		return false;
	}
	if (type == MEDIA_FORM && !classic_body_begins_object(r->body))
		return classic_body_form(r, out);
	return classic_body_json(r, out);
}
