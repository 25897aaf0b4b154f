/* SPDX-License-Identifier: Apache-2.0 */
/*
 * range_cursor.h - the cursor that a page ends with: a range and how far it was read, as text for a query.
 *
 * Layout    text   := base64url (RFC 4648 section 5) of bytes, without padding
 *           bytes  := format:1 (= 1) flags:1 check:4 lower:key upper:key after:key
 *           key    := length:2 bytes                                      (numbers are big endian; at most 4,096 bytes)
 *           flags  := 1 reverse | 2 keys only                             check := FNV-1a (32 bits) of all but itself
 * Rules     the check finds what was cut or mistyped, and keeps nobody out: what a cursor says is held to the same rules as what
 *           a query says (range.c). lower <= after, after < upper, after is not empty, nothing follows it; each cursor has one spelling.
 *
 * Example   from "a" to "c", forwards, read as far as "b":
 *           01 00 aad043d5 0001 61 0001 63 0001 62       "AQCq0EPVAAFhAAFjAAFi"
 */
#ifndef SERVER_RANGE_CURSOR_H
#define SERVER_RANGE_CURSOR_H

#include "server/range.h"

/* Appends the cursor behind the key `after` of a range (whose own `after` does not count). Lack of memory sticks in out->bad. */
void range_cursor_encode(const struct range *range, struct span after, struct bytes *out);

/* Into an empty range. False: it is no cursor, or *no_memory; range is to be ended in either case. */
bool range_cursor_decode(struct span text, struct range *range, bool *no_memory);

#endif
