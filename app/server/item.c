/* SPDX-License-Identifier: Apache-2.0 */
/* item.c - an entry as JSON. */
#include "server/item.h"

#include "util/json_text.h"

void item_print(struct bytes *out, struct span key, const struct span *value, uint64_t version, uint64_t expires_ms)
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
	bytes_add(out, "}", 1);
}
