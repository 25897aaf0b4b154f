/* SPDX-License-Identifier: Apache-2.0 */
/* utf8.h - strict UTF-8 (RFC 3629): shortest form, no surrogates, nothing above U+10FFFF. Decides what is
   text and what is bytes. */
#ifndef UTIL_UTF8_H
#define UTIL_UTF8_H

#include "util/bytes.h"

/* Length of the well-formed sequence that begins at p, of which `left` >= 1 bytes are there: 1 to 4; 0 =
   malformed or cut short. */
size_t utf8_sequence(const char *p, size_t left);
bool utf8_valid(struct span text);

#endif
