/* SPDX-License-Identifier: Apache-2.0 */
/*
 * digest.h - SHA-256 through OpenSSL's EVP.
 *
 * digest_one(kind, bytes) = SHA-256(kind byte || bytes): the kind byte keeps a block of one kind from posing as another.
 * Threads   any; each has a context of its own, made at its first digest.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/slice.h"

enum { DIGEST_BYTES = 32 };

int digest_one(uint8_t kind, struct silt_slice bytes, uint8_t out[DIGEST_BYTES]) SILT_MUST_CHECK;   /* 0 or SILT_E_NOMEM */

#endif
