/* SPDX-License-Identifier: Apache-2.0 */
/* look.c - members of a server's JSON answer by name. */
#include "ctl/look.h"

#include "util/base64.h"
#include "util/decimal.h"
#include "util/json_string.h"
#include "util/json_walk.h"

#include <string.h>

bool look_object(struct span text, struct span *out)
{
	struct json_doc doc;

	if (!json_check(text, &doc) || doc.kind != JSON_OBJECT)
		return false;
	while (*text.p != '{')
		text = span_of(text.p + 1, text.len - 1);
	while (text.p[text.len - 1] != '}')
		text.len--;
	*out = text;
	return true;
}

bool look_member(struct span object, const char *name, struct json_member *out)
{
	struct json_walk walk = json_walk_of(object);

	while (json_walk_next(&walk, out))
		if (json_name_is(out->name, name))
			return true;
	return false;
}

bool look_in(struct span object, const char *name, struct span *out)
{
	struct json_member m;

	if (!look_member(object, name, &m) || m.kind != JSON_OBJECT)
		return false;
	*out = m.value;
	return true;
}

bool look_number(struct span object, const char *name, uint64_t *out)
{
	struct json_member m;

	return look_member(object, name, &m) && m.kind == JSON_NUMBER && decimal_parse(m.value, UINT64_MAX, out);
}

bool look_text(struct span object, const char *name, struct bytes *out)
{
	struct json_member m;

	return look_member(object, name, &m) && m.kind == JSON_STRING && json_string_decode(m.value, out);
}

bool look_bytes(struct span object, const char *name, const char *encoding, struct bytes *out)
{
	struct bytes text = { 0 };
	struct json_member how;
	size_t bad_at;
	bool ok;

	if (!look_member(object, encoding, &how))
		return look_text(object, name, out);
	ok = span_eq(how.value, "\"base64\"") && look_text(object, name, &text) && base64_decode(span_of(text.p, text.len), out, &bad_at);
	bytes_fini(&text);
	return ok;
}
