/* SPDX-License-Identifier: Apache-2.0 */
/* entry.c - entries as lines of JSON, and back. */
#include "ctl/entry.h"

#include "util/base64.h"
#include "util/decimal.h"
#include "util/json_check.h"
#include "util/json_string.h"
#include "util/json_text.h"

#include <siltstone.h>
#include <string.h>

bool entry_is_type(struct span meta)
{
	for (size_t i = 0; i < meta.len; i++)
		if (meta.p[i] < 0x20 || meta.p[i] > 0x7e)
			return false;
	return meta.len <= SILT_META_MAX;
}

static void entry_print_bytes(struct bytes *out, const char *name, const char *encoding, struct span s)
{
	if (out->len && out->p[out->len - 1] != '{')
		bytes_add(out, ",", 1);
	json_text_bytes(out, name, encoding, s);
}

static void entry_print_number(struct bytes *out, const char *name, uint64_t n)
{
	if (!n)
		return;
	bytes_add(out, ",", 1);
	json_text_number(out, name, n);
}

void entry_print(struct bytes *out, const struct entry *e)
{
	bytes_add(out, "{", 1);
	entry_print_bytes(out, "key", "key_encoding", e->key);
	if (e->value.p)
		entry_print_bytes(out, "value", "encoding", e->value);
	entry_print_number(out, "version", e->version);
	entry_print_number(out, "expires_at", e->expires_ms);
	if (e->meta.len)
		entry_print_bytes(out, entry_is_type(e->meta) ? "content_type" : "meta", "meta_encoding", e->meta);
	bytes_add(out, "}", 1);
}

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

enum entry_member {
	ENTRY_KEY, ENTRY_KEY_ENCODING, ENTRY_VALUE, ENTRY_ENCODING, ENTRY_VERSION, ENTRY_EXPIRES, ENTRY_TYPE, ENTRY_META, ENTRY_META_ENCODING,
	ENTRY_MEMBERS,
};

struct entry_members {
	const struct json_member *m[ENTRY_MEMBERS];      /* NULL = not given */
};

static enum entry_line entry_bad(struct entry_reading *r, struct span line, const char *at, const char *fault)
{
	r->fault = fault;
	r->at = (size_t)(at - line.p);
	return ENTRY_BAD;
}

static bool entry_members(const struct json_doc *doc, struct entry_members *out, const struct json_member **unknown)
{
	static const char *const names[ENTRY_MEMBERS] = {
		"key", "key_encoding", "value", "encoding", "version", "expires_at", "content_type", "meta", "meta_encoding",
	};

	/* of more than JSON_MEMBERS_MAX different names, one of the first is unknown */
	for (size_t i = 0; i < doc->member_count && i < JSON_MEMBERS_MAX; i++) {
		unsigned which = 0;

		while (which < ENTRY_MEMBERS && !json_name_is(doc->member[i].name, names[which]))
			which++;
		if (which == ENTRY_MEMBERS) {
			*unknown = &doc->member[i];
			return false;
		}
		out->m[which] = &doc->member[i];
	}
	return true;
}

/* The bytes of a string member, decoded into r->text, which has room. */
static enum entry_line entry_string(struct entry_reading *r, struct span line, const struct json_member *m,
                                    const struct json_member *encoding, struct span *out)
{
	size_t from = r->text.len, bad_at;
	struct bytes sent = { 0 };
	bool ok;

	if (m->kind != JSON_STRING)
		return entry_bad(r, line, m->value.p, "a string is expected here");
	if (encoding && !span_eq(encoding->value, "\"base64\""))
		return entry_bad(r, line, encoding->value.p, "an encoding is \"base64\" or not given");
	*out = span_of(m->value.p + 1, m->value.len - 2);
	if (!encoding && json_string_is_plain(m->value))
		return ENTRY_ITEM;
	if (!encoding) {
		ok = json_string_decode(m->value, &r->text);
	} else {
		ok = json_string_decode(m->value, &sent) && base64_decode(span_of(sent.p, sent.len), &r->text, &bad_at);
		if (!ok && !sent.bad && !r->text.bad) {
			bytes_fini(&sent);
			return entry_bad(r, line, m->value.p, "this is not base64 (RFC 4648 section 4, with padding)");
		}
		bytes_fini(&sent);
	}
	*out = span_of(r->text.p + from, r->text.len - from);
	return ok ? ENTRY_ITEM : ENTRY_NO_MEMORY;
}

static enum entry_line entry_number(struct entry_reading *r, struct span line, const struct json_member *m, uint64_t *out)
{
	if (!m || (m->kind == JSON_NUMBER && decimal_parse(m->value, SILT_VERSION_MAX, out)))
		return ENTRY_ITEM;
	return entry_bad(r, line, m->value.p, "a whole number below 2^53 is expected here");
}

static enum entry_line entry_meta(struct entry_reading *r, struct span line, const struct entry_members *m)
{
	const struct json_member *meta = m->m[ENTRY_META] ? m->m[ENTRY_META] : m->m[ENTRY_TYPE];
	enum entry_line what;

	if (!meta)
		return ENTRY_ITEM;
	what = entry_string(r, line, meta, m->m[ENTRY_META] ? m->m[ENTRY_META_ENCODING] : NULL, &r->entry.meta);
	if (what == ENTRY_ITEM && m->m[ENTRY_META] && r->entry.meta.len > SILT_META_MAX)
		return entry_bad(r, line, meta->value.p, "it has more than 255 bytes");
	if (what == ENTRY_ITEM && !m->m[ENTRY_META] && !entry_is_type(r->entry.meta))
		return entry_bad(r, line, meta->value.p, "a content_type has at most 255 visible ASCII characters");
	return what;
}

static enum entry_line entry_item(struct entry_reading *r, struct span line, const struct entry_members *m)
{
	const struct json_member *key = m->m[ENTRY_KEY], *value = m->m[ENTRY_VALUE];
	enum entry_line what;

	r->entry = (struct entry){ 0 };
	if (!key)
		return entry_bad(r, line, line.p, "there is no key");
	if (!value && !r->keys_only)
		return entry_bad(r, line, line.p, "there is no value: was this exported without values?");
	what = entry_string(r, line, key, m->m[ENTRY_KEY_ENCODING], &r->entry.key);
	if (what == ENTRY_ITEM && (r->entry.key.len < 1 || r->entry.key.len > SILT_KEY_MAX))
		what = entry_bad(r, line, key->value.p, "a key has 1 to 4096 bytes");
	if (what == ENTRY_ITEM && value && value->kind != JSON_STRING && !m->m[ENTRY_ENCODING])
		r->entry.value = value->value;           /* the JSON text that it is */
	else if (what == ENTRY_ITEM && value)
		what = entry_string(r, line, value, m->m[ENTRY_ENCODING], &r->entry.value);
	if (what == ENTRY_ITEM)
		what = entry_meta(r, line, m);
	if (what == ENTRY_ITEM)
		what = entry_number(r, line, m->m[ENTRY_VERSION], &r->entry.version);
	return what == ENTRY_ITEM ? entry_number(r, line, m->m[ENTRY_EXPIRES], &r->entry.expires_ms) : what;
}

static enum entry_line entry_last(struct entry_reading *r, struct span line, const struct json_doc *doc)
{
	r->count = r->version = 0;
	for (size_t i = 0; i < doc->member_count && i < JSON_MEMBERS_MAX; i++) {
		const struct json_member *m = &doc->member[i];
		bool ok = json_name_is(m->name, "end") ? span_eq(m->value, "true") :
		          json_name_is(m->name, "count") ? decimal_parse(m->value, UINT64_MAX, &r->count) :
		          json_name_is(m->name, "version") ? decimal_parse(m->value, UINT64_MAX, &r->version) : json_name_is(m->name, "cursor");

		if (!ok)
			return entry_bad(r, line, m->value.p, "this does not stand in a last line");
	}
	return ENTRY_LAST;
}

enum entry_line entry_read(struct span line, struct entry_reading *r)
{
	struct entry_members members = { 0 };
	const struct json_member *unknown;
	struct json_doc doc;

	bytes_clear(&r->text);
	if (!json_check(line, &doc))
		return doc.no_memory ? ENTRY_NO_MEMORY : entry_bad(r, line, line.p + doc.error_offset, doc.error);
	if (doc.kind != JSON_OBJECT || doc.member_count == 0)
		return entry_bad(r, line, line.p, "an object with a key and a value is expected here");
	if (json_name_is(doc.member[0].name, "end"))
		return entry_last(r, line, &doc);
	if (json_name_is(doc.member[0].name, "error")) {
		r->error = doc.member[0].value;
		return ENTRY_ERROR;
	}
	if (!entry_members(&doc, &members, &unknown))
		return entry_bad(r, line, unknown->name.p - 1, "a member that no entry has");
	if (!bytes_reserve(&r->text, line.len + 1))
		return ENTRY_NO_MEMORY;
	return entry_item(r, line, &members);
}
