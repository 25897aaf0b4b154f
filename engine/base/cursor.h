/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cursor.h - reading bytes that may be hostile. Failure sticks: read everything, then look at `bad` once, before use.
 * After a failure every read gives zeros and empty slices. Non-minimal varints and those over 64 bits are bad.
 */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include "base/codec.h"
#include "base/slice.h"

struct cursor {
	const uint8_t *p;
	const uint8_t *end;
	bool bad;
};

static inline struct cursor cursor_of(struct silt_slice s)
{
	return (struct cursor){ s.data, s.len ? (const uint8_t *)s.data + s.len : s.data, false };
}

static inline size_t cursor_left(const struct cursor *c)
{
	return (size_t)(c->end - c->p);
}

struct silt_slice cursor_bytes(struct cursor *c, size_t n);
uint64_t cursor_varint(struct cursor *c);
uint32_t cursor_varint32(struct cursor *c);     /* bad above 2^32 - 1 */
uint8_t cursor_u8(struct cursor *c);
uint32_t cursor_u32(struct cursor *c);
uint64_t cursor_u64(struct cursor *c);

#endif
