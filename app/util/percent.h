/* SPDX-License-Identifier: Apache-2.0 */
/*
 * percent.h - percent-encoding of URIs (RFC 3986 section 2.1), decoded once and strictly.
 *
 * Example   path  "a%2Fb+c"  -> "a/b+c"       form  "a%2Fb+c"  -> "a/b c"       "%zz", "%4", "%" -> error at the '%'
 */
#ifndef UTIL_PERCENT_H
#define UTIL_PERCENT_H

#include "util/bytes.h"

enum percent_rule { PERCENT_PATH, PERCENT_FORM /* '+' is a space: queries and form bodies */ };

/* Appends the decoded bytes to out. False: *bad_at is the offset of a '%' without two hex digits, or
   out->bad (no memory). */
bool percent_decode(struct span in, enum percent_rule rule, struct bytes *out, size_t *bad_at);

/* Compare with what `encoded` means in a path, decoding on the fly: 1 yes, 0 no, -1 encoded is malformed. */
int percent_begins(struct span key, struct span encoded);
int percent_equals(struct span key, struct span encoded);

/* Value of a hex digit, -1 for any other byte. */
int percent_hex(char c);

#endif
