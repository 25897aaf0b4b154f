/* SPDX-License-Identifier: Apache-2.0 */
/* sha256.h - a digest of bytes, and as 64 hexadecimal digits. */
#ifndef UTIL_SHA256_H
#define UTIL_SHA256_H

#include "util/bytes.h"

enum { SHA256_BYTES = 32, SHA256_HEX = 2 * SHA256_BYTES + 1 };

/* False: no memory. */
bool sha256_of(struct span in, unsigned char out[SHA256_BYTES]);
/* With its NUL; returns out. */
const char *sha256_hex(const unsigned char digest[SHA256_BYTES], char out[SHA256_HEX]);
bool sha256_unhex(struct span text, unsigned char out[SHA256_BYTES]);

#endif
