/* SPDX-License-Identifier: Apache-2.0 */
/* base64.c - RFC 4648 section 4, padded and strict. */
#include "util/base64.h"

static const char base64_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static char base64_digit(uint32_t group, unsigned shift)
{
	return base64_alphabet[group >> shift & 63];
}

bool base64_encode(struct span in, struct bytes *out)
{
	const unsigned char *p = (const unsigned char *)in.p;
	size_t left = in.len;
	char *to;

	if (in.len == 0)
		return true;
	if (in.len > SIZE_MAX / 4 || !bytes_reserve(out, (in.len + 2) / 3 * 4)) {
		out->bad = true;
		return false;
	}
	to = out->p + out->len;
	for (; left >= 3; left -= 3, p += 3) {
		uint32_t group = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];

		*to++ = base64_digit(group, 18);
		*to++ = base64_digit(group, 12);
		*to++ = base64_digit(group, 6);
		*to++ = base64_digit(group, 0);
	}
	if (left > 0) {
		uint32_t group = (uint32_t)p[0] << 16 | (left == 2 ? (uint32_t)p[1] << 8 : 0);

		*to++ = base64_digit(group, 18);
		*to++ = base64_digit(group, 12);
		*to++ = left == 2 ? base64_digit(group, 6) : '=';
		*to++ = '=';
	}
	out->len = (size_t)(to - out->p);
	return true;
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* '=' only as the last one or two bytes of the whole text. */
static size_t base64_padding(struct span in)
{
	if (in.len == 0 || in.len % 4 != 0 || in.p[in.len - 1] != '=')
		return 0;
	return in.p[in.len - 2] == '=' ? 2 : 1;
}

bool base64_decode(struct span in, struct bytes *out, size_t *bad_at)
{
	size_t digits = in.len - base64_padding(in), start = out->len;
	uint32_t group = 0;
	char *to;

	*bad_at = in.len;
	if (in.len == 0)
		return true;
	if (!bytes_reserve(out, in.len / 4 * 3 + 3))
		return false;
	to = out->p + start;
	for (size_t i = 0; i < digits; i++) {
		int value = base64_value(in.p[i]);

		if (value < 0) {
			*bad_at = i;
			return false;
		}
		group = group << 6 | (uint32_t)value;
		if (i % 4 == 3) {
			*to++ = (char)(group >> 16);
			*to++ = (char)(group >> 8);
			*to++ = (char)group;
			group = 0;
		}
	}
	if (in.len % 4 != 0)
		return false;
	if (digits % 4 != 0) {
		unsigned unused = digits % 4 == 3 ? 2 : 4;   /* bits of the last digit that stand for nothing */

		if (digits % 4 == 1 || (group & ((1u << unused) - 1)) != 0) {
			*bad_at = digits - 1;
			return false;
		}
		if (digits % 4 == 3)
			*to++ = (char)(group >> 10);
		*to++ = (char)(digits % 4 == 3 ? group >> 2 : group >> 4);
	}
	out->len = (size_t)(to - out->p);
	return true;
}
