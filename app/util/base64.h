/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base64.h - RFC 4648 section 4: the standard alphabet, padded, strict (no blanks, no missing or early '=',
 * unused bits zero), so that every string of bytes has exactly one spelling.
 *
 * Example   "f" -> "Zg=="   "fo" -> "Zm8="   "foo" -> "Zm9v";   "Zh==" is refused: its last bits are not zero
 */
#ifndef UTIL_BASE64_H
#define UTIL_BASE64_H

#include "util/bytes.h"

/* Both append. Encoding fails for lack of memory only (out->bad). */
bool base64_encode(struct span in, struct bytes *out);
/* False: *bad_at is the offset of the first byte that can't stand there (in.len: it ends too early), or
   out->bad. */
bool base64_decode(struct span in, struct bytes *out, size_t *bad_at);

#endif
