/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash.h - the two quick hashes, both XXH3 (64 bits): one of a key, for every filter and hash index; one of log bytes.
 * Both reach the disk: never change them within a format version.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/slice.h"

uint64_t hash_key(struct silt_slice key);
uint64_t hash_log(const void *data, size_t n, uint64_t salt, uint64_t offset);   /* seed = salt ^ (offset * odd constant) */

#endif
