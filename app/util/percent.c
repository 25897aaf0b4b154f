/* SPDX-License-Identifier: Apache-2.0 */
/* percent.c - percent-encoding of URIs, decoded once and strictly. */
#include "util/percent.h"

int percent_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte that "%XX" at in.p[at] means, -1 where it is none. */
static int percent_byte(struct span in, size_t at)
{
	int high, low;

	if (in.len - at < 3)
		return -1;
	high = percent_hex(in.p[at + 1]);
	low = percent_hex(in.p[at + 2]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

bool percent_decode(struct span in, enum percent_rule rule, struct bytes *out, size_t *bad_at)
{
	size_t start = out->len;
	char *to;

	*bad_at = 0;
	if (in.len == 0)
		return true;
	if (!bytes_reserve(out, in.len))     /* decoding never grows */
		return false;
	to = out->p + start;
	for (size_t at = 0; at < in.len; at++) {
		int byte = (unsigned char)in.p[at];

		if (byte == '%') {
			byte = percent_byte(in, at);
			if (byte < 0) {
				*bad_at = at;
				return false;
			}
			at += 2;
		} else if (byte == '+' && rule == PERCENT_FORM) {
			byte = ' ';
		}
		*to++ = (char)byte;
	}
	out->len = (size_t)(to - out->p);
	return true;
}

/* *len = the bytes that encoded means; 1 where key begins with them, 0 where not, -1 malformed. */
static int percent_compare(struct span key, struct span encoded, size_t *len)
{
	bool same = true;
	size_t n = 0;

	for (size_t at = 0; at < encoded.len; at++, n++) {
		int byte = (unsigned char)encoded.p[at];

		if (byte == '%') {
			byte = percent_byte(encoded, at);
			if (byte < 0)
				return -1;
			at += 2;
		}
		same = same && n < key.len && (unsigned char)key.p[n] == byte;
	}
	*len = n;
	return same;
}

int percent_begins(struct span key, struct span encoded)
{
	size_t len;

	return percent_compare(key, encoded, &len);
}

int percent_equals(struct span key, struct span encoded)
{
	size_t len = 0;
	int begins = percent_compare(key, encoded, &len);

	return begins == 1 ? len == key.len : begins;
}
