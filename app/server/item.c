/* SPDX-License-Identifier: Apache-2.0 */
/* item.c - an entry as JSON. */
#include "server/item.h"

#include "util/json_text.h"

static bool item_is_visible(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < 0x20 || s.p[i] > 0x7e)
			return false;
	return true;
}

void item_print(struct bytes *out, struct span key, const struct span *value, uint64_t version, uint64_t expires_ms, struct span content_type)
{
	bytes_add(out, "{", 1);
	json_text_bytes(out, "key", "key_encoding", key);
	bytes_add(out, ",", 1);
	if (value != NULL) {
		json_text_bytes(out, "value", "encoding", *value);
		bytes_add(out, ",", 1);
	}
	json_text_number(out, "version", version);
	if (expires_ms != 0) {
		bytes_add(out, ",", 1);
		json_text_number(out, "expires_at", expires_ms);
	}
	if (content_type.len > 0 && item_is_visible(content_type)) {
		bytes_adds(out, ",\"content_type\":");
		json_text_string(out, content_type);
	}
	bytes_add(out, "}", 1);
}
