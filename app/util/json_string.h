/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_string.h - what a JSON string means. Only for strings that json_check() has accepted.
 *
 * Example   "a\\u002fb" (with its quotes) -> a/b
 */
#ifndef UTIL_JSON_STRING_H
#define UTIL_JSON_STRING_H

#include "util/bytes.h"

/* Is it its own text, nothing escaped? */
bool json_string_is_plain(struct span quoted);
/* Appends what it means, at most as many bytes as it has. False: no memory. */
bool json_string_decode(struct span quoted, struct bytes *out);

#endif
