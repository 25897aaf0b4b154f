/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key.h - the order of entries: by key as slice_cmp(), then newest version first.
 *
 * Prefix    key_prefix() is the first 8 bytes as a big-endian integer, zeros behind a shorter key. Where two prefixes differ
 *           they order their keys, so that a search compares a word or two and rarely a string.
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

static inline uint64_t key_prefix(struct silt_slice key)
{
	const uint8_t *p = key.data;
	uint64_t v = 0;

	if (key.len >= KEY_PREFIX_BYTES) {
		memcpy(&v, p, KEY_PREFIX_BYTES);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		v = __builtin_bswap64(v);
#endif
		return v;
	}
	for (size_t i = 0; i < key.len; i++)
		v |= (uint64_t)p[i] << (56 - 8 * i);
	return v;
}

/* Two prefixes, one behind the other: numbers with zeros before them differ late. */
struct key_head {
	uint64_t high, low;
};

static inline struct key_head key_head(struct silt_slice key)
{
	struct key_head h = { key_prefix(key), 0 };

	if (key.len > KEY_PREFIX_BYTES)
		h.low = key_prefix(slice_of((const char *)key.data + KEY_PREFIX_BYTES, key.len - KEY_PREFIX_BYTES));
	return h;
}

/* What slice_cmp() would say; 0 = only the keys can tell. */
static inline int key_head_cmp(struct key_head a, struct key_head b)
{
	if (a.high != b.high)
		return a.high < b.high ? -1 : 1;
	return a.low < b.low ? -1 : a.low > b.low;
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
