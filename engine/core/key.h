/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key.h - the order of entries: by key as slice_cmp(), then newest version first.
 *
 * Prefix    key_prefix() is the first 8 bytes as a big-endian integer, zeros behind a shorter key. Where two prefixes differ
 *           they order their keys, so that a search compares one word and rarely a string. Where they are equal, the first
 *           min(8, both lengths) bytes are: a key of at most 8 bytes is then the start of the other one.
 */
#ifndef CORE_KEY_H
#define CORE_KEY_H

#include "base/slice.h"

enum { KEY_MAX = SILT_KEY_MAX, KEY_PREFIX_BYTES = 8 };

static inline int key_cmp(struct silt_slice a, uint64_t a_version, struct silt_slice b, uint64_t b_version)
{
	int d = slice_cmp(a, b);

	if (d)
		return d;
	return a_version > b_version ? -1 : a_version < b_version;
}

static inline uint64_t key_word(const void *at)
{
	uint64_t v;

	memcpy(&v, at, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	return v;
}

static inline uint64_t key_prefix(struct silt_slice key)
{
	const uint8_t *p = key.data;
	uint64_t v = 0;

	if (key.len >= KEY_PREFIX_BYTES)
		return key_word(p);
	for (size_t i = 0; i < key.len; i++)
		v |= (uint64_t)p[i] << (56 - 8 * i);
	return v;
}

/* slice_cmp() of two keys whose prefixes are at hand. Where those are equal (numbers with zeros before them), a second word often tells. */
static inline int key_cmp_prefixed(uint64_t a_prefix, struct silt_slice a, uint64_t b_prefix, struct silt_slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int d;

	if (a_prefix != b_prefix)
		return a_prefix < b_prefix ? -1 : 1;
	if (n >= 2 * KEY_PREFIX_BYTES) {
		uint64_t x = key_word((const char *)a.data + KEY_PREFIX_BYTES), y = key_word((const char *)b.data + KEY_PREFIX_BYTES);

		if (x != y)
			return x < y ? -1 : 1;
	}
	if (n > KEY_PREFIX_BYTES) {
		d = memcmp((const char *)a.data + KEY_PREFIX_BYTES, (const char *)b.data + KEY_PREFIX_BYTES,
		           n - KEY_PREFIX_BYTES);
		if (d)
			return d;
	}
	return a.len < b.len ? -1 : a.len > b.len;
}

/* slice_eq() of neighbours in key order: those differ at their end, mostly. */
static inline bool key_same(struct silt_slice a, struct silt_slice b)
{
	uint64_t x, y;

	if (a.len != b.len || a.len < KEY_PREFIX_BYTES)
		return slice_eq(a, b);
	memcpy(&x, (const char *)a.data + a.len - KEY_PREFIX_BYTES, KEY_PREFIX_BYTES);
	memcpy(&y, (const char *)b.data + b.len - KEY_PREFIX_BYTES, KEY_PREFIX_BYTES);
	return x == y && memcmp(a.data, b.data, a.len - KEY_PREFIX_BYTES) == 0;
}

#endif
