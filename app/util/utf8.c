/* SPDX-License-Identifier: Apache-2.0 */
/*
 * utf8.c - strict UTF-8.
 *
 * Source    The Unicode Standard, table 3-7: only the second byte has a range of its own, and only after
 *           E0, ED, F0 and F4.
 */
#include "util/utf8.h"

#include <string.h>

static bool utf8_tail(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

size_t utf8_sequence(const char *text, size_t left)
{
	const unsigned char *p = (const unsigned char *)text;
	unsigned char low = 0x80, high = 0xbf;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	if (p[0] < 0xe0)
		return left >= 2 && utf8_tail(p[1]) ? 2 : 0;
	if (p[0] == 0xe0)
		low = 0xa0;              /* below: overlong */
	else if (p[0] == 0xed)
		high = 0x9f;             /* above: surrogates */
	else if (p[0] == 0xf0)
		low = 0x90;              /* below: overlong */
	else if (p[0] == 0xf4)
		high = 0x8f;             /* above: past U+10FFFF */
	if (left < 3 || p[1] < low || p[1] > high || !utf8_tail(p[2]))
		return 0;
	if (p[0] < 0xf0)
		return 3;
	return left >= 4 && utf8_tail(p[3]) ? 4 : 0;
}

bool utf8_valid(struct span text)
{
	size_t at = 0;

	while (at < text.len) {
		uint64_t word;
		size_t n;

		if (text.len - at >= sizeof(word)) {     /* eight at once while they are ASCII: most text is */
			memcpy(&word, text.p + at, sizeof(word));
			if ((word & UINT64_C(0x8080808080808080)) == 0) {
				at += sizeof(word);
				continue;
			}
		}
		n = utf8_sequence(text.p + at, text.len - at);
		if (n == 0)
			return false;
		at += n;
	}
	return true;
}
