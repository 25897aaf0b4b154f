/* SPDX-License-Identifier: Apache-2.0 */
/* decimal.c - whole numbers as people send them. */
#include "util/decimal.h"

bool decimal_parse(struct span text, uint64_t max, uint64_t *out)
{
	uint64_t n = 0;

	if (text.len == 0 || (text.len > 1 && text.p[0] == '0'))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		unsigned digit = (unsigned)(unsigned char)text.p[i] - '0';

		if (digit > 9 || n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	if (n > max)
		return false;
	*out = n;
	return true;
}

bool decimal_parse_signed(struct span text, int64_t *out)
{
	bool negative = text.len > 0 && text.p[0] == '-';
	uint64_t n;

	if (negative)
		text = span_of(text.p + 1, text.len - 1);
	if (!decimal_parse(text, negative ? UINT64_C(1) << 63 : INT64_MAX, &n))
		return false;
	*out = negative ? (int64_t)(0 - n) : (int64_t)n;
	return true;
}
