/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash.c - XXH3, compiled in: for keys of a few bytes the call into a shared library costs as much as the hash.
 *
 * Source    https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md, XXH3 64 bits; stable since 0.8.0.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/hash.h"

/* Odd, so that no two offsets of a segment give one seed: 2^64 / golden ratio. */
#define HASH_OFFSET_MULTIPLIER UINT64_C(0x9e3779b97f4a7c15)

uint64_t hash_key(struct silt_slice key)
{
	return XXH3_64bits(key.data, key.len);
}

uint64_t hash_log(const void *data, size_t n, uint64_t salt, uint64_t offset)
{
	return XXH3_64bits_withSeed(data, n, salt ^ (offset * HASH_OFFSET_MULTIPLIER));
}
