/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_text.h - JSON being printed into a buffer. Text is printed as text, anything that is not UTF-8 as
 * base64 with a member that says so; slashes are not escaped. Lack of memory sticks in out->bad: check it
 * once, at the end.
 *
 * Example   json_text_bytes(out, "key", "key_encoding", "a/b")   "key":"a/b"
 *           json_text_bytes(out, "key", "key_encoding", "\xff")  "key":"/w==","key_encoding":"base64"
 */
#ifndef UTIL_JSON_TEXT_H
#define UTIL_JSON_TEXT_H

#include "util/bytes.h"

/* A string with its quotes; s must be UTF-8. */
void json_text_string(struct bytes *out, struct span s);
/* A member that holds any bytes, and the member that names their encoding where it is needed. No comma
   before or after. */
void json_text_bytes(struct bytes *out, const char *name, const char *encoding_name, struct span s);
/* "name":n */
void json_text_number(struct bytes *out, const char *name, uint64_t n);

#endif
