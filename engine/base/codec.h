/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec.h - integers to bytes: little-endian fixed widths and LEB128 varints.
 *
 * Bytes     u32le 0x01020304 = 04 03 02 01;  varint 300 = ac 02 (7 bits a byte, low first, high bit = more follows)
 * Writers take a pointer with enough room and return the byte after. Readers are base/cursor.h.
 */
#ifndef BASE_CODEC_H
#define BASE_CODEC_H

#include <stdint.h>

enum { VARINT32_MAX = 5, VARINT64_MAX = 10 };

static inline uint8_t *codec_put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (8 * i));
	return p + 4;
}

static inline uint8_t *codec_put64(uint8_t *p, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> (8 * i));
	return p + 8;
}

static inline uint32_t codec_get32(const void *src)
{
	const uint8_t *p = src;

	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t codec_get64(const void *src)
{
	const uint8_t *p = src;

	return (uint64_t)codec_get32(p) | (uint64_t)codec_get32(p + 4) << 32;
}

static inline uint8_t *codec_put_varint(uint8_t *p, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*p++ = (uint8_t)(v | 0x80);
	*p++ = (uint8_t)v;
	return p;
}

static inline int codec_varint_len(uint64_t v)
{
	int n = 1;

	for (; v >= 0x80; v >>= 7)
		n++;
	return n;
}

#endif
