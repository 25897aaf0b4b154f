/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cursor.c - the one place where lengths from outside meet a bound.
 *
 * Rules     (1) bad is never cleared.  (2) p only moves over bytes that were checked to be there, so p <= end always.
 *           (3) one integer has one spelling: a varint whose last byte is 0, but for the single byte 00, is bad.
 */
#include "base/cursor.h"

/* The next n bytes, or NULL, and from then on always NULL. */
static const uint8_t *cursor_take(struct cursor *c, size_t n)
{
	const uint8_t *p = c->p;

	if (c->bad || n > cursor_left(c)) {
		c->bad = true;
		return NULL;
	}
	if (n)
		c->p += n;
	return p;
}

struct silt_slice cursor_bytes(struct cursor *c, size_t n)
{
	const uint8_t *p = cursor_take(c, n);

	return p ? slice_of(p, n) : slice_of(NULL, 0);
}

uint8_t cursor_u8(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 1);

	return p ? *p : 0;
}

uint32_t cursor_u32(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 4);

	return p ? codec_get32(p) : 0;
}

uint64_t cursor_u64(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 8);

	return p ? codec_get64(p) : 0;
}

uint64_t cursor_varint(struct cursor *c)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte = cursor_u8(c);

		if (c->bad || (shift == 63 && byte > 1) || (shift && byte == 0))
			break;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return v;
	}
	c->bad = true;
	return 0;
}

uint32_t cursor_varint32(struct cursor *c)
{
	uint64_t v = cursor_varint(c);

	if (v > UINT32_MAX) {
		c->bad = true;
		return 0;
	}
	return (uint32_t)v;
}
