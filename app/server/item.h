/* SPDX-License-Identifier: Apache-2.0 */
/*
 * item.h - an entry as JSON, in lists, lines and batches.
 *
 * Example   {"key":"a","value":"1","version":7}     {"key":"/w==","key_encoding":"base64","version":9,"expires_at":1700000000000}
 */
#ifndef SERVER_ITEM_H
#define SERVER_ITEM_H

#include "util/bytes.h"

/* value NULL leaves it out, expires_ms 0 its member, as does an empty content_type, or one that only a program that embeds the engine can
   have stored: it has other than visible ASCII characters. Lack of memory sticks in out->bad. */
void item_print(struct bytes *out, struct span key, const struct span *value, uint64_t version, uint64_t expires_ms, struct span content_type);

#endif
