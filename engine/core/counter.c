/* SPDX-License-Identifier: Apache-2.0 */
/* counter.c - see counter.h. Magnitudes are unsigned: that of the least int64_t is no int64_t. */
#include "core/counter.h"

#define COUNTER_LEAST ((uint64_t)INT64_MAX + 1)      /* magnitude of INT64_MIN */

int counter_parse(struct silt_slice text, int64_t *out)
{
	const char *p = text.data;
	bool negative = text.len > 0 && p[0] == '-';
	uint64_t most = negative ? COUNTER_LEAST : COUNTER_LEAST - 1, v = 0;
	size_t first = negative;

	if (text.len == first || (p[first] == '0' && text.len > first + 1))
		return SILT_NO_COUNTER;
	for (size_t i = first; i < text.len; i++) {
		uint64_t digit = (uint64_t)(unsigned char)p[i] - '0';

		if (digit > 9 || v > (most - digit) / 10)
			return SILT_NO_COUNTER;
		v = v * 10 + digit;
	}
	*out = negative && v ? -(int64_t)(v - 1) - 1 : (int64_t)v;
	return 0;
}

int counter_sum(int64_t a, int64_t b, int64_t *out)
{
	int64_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return SILT_OVERFLOW;
	*out = sum;
	return 0;
}

size_t counter_print(int64_t v, char out[COUNTER_TEXT_MAX])
{
	uint64_t left = v < 0 ? (uint64_t)-(v + 1) + 1 : (uint64_t)v;
	char digits[COUNTER_TEXT_MAX];
	size_t n = 0, len = 0;

	do {
		digits[n++] = (char)('0' + left % 10);
		left /= 10;
	} while (left);
	if (v < 0)
		out[len++] = '-';
	while (n)
		out[len++] = digits[--n];
	return len;
}
