/* SPDX-License-Identifier: Apache-2.0 */
/* json_string.c - what a JSON string means. */
#include "util/json_string.h"

#include <json-c/json.h>
#include <limits.h>
#include <string.h>

bool json_string_is_plain(struct span quoted)
{
	return memchr(quoted.p, '\\', quoted.len) == NULL;
}

static bool json_string_unescape(struct span quoted, struct bytes *out)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *string = NULL;
	bool ok = false;

	if (tokener == NULL || quoted.len > INT_MAX)
		goto out;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	string = json_tokener_parse_ex(tokener, quoted.p, (int)quoted.len);
	if (string == NULL)
		goto out;
	ok = bytes_add(out, json_object_get_string(string), (size_t)json_object_get_string_len(string));
out:
	json_object_put(string);
	if (tokener != NULL)
		json_tokener_free(tokener);
	return ok;
}

bool json_string_decode(struct span quoted, struct bytes *out)
{
	if (!json_string_is_plain(quoted))
		return json_string_unescape(quoted, out);
	return bytes_add(out, quoted.p + 1, quoted.len - 2);
}
