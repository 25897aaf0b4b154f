/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_cursor.c - any bytes as a page's cursor: refused, or a range with a place in it whose cursor is those very bytes. The first
 * byte chooses: even, the bytes are the text; odd, they are what the text would hold, and the check is put right, so that what lies
 * behind it is reached.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "server/range_cursor.h"
#include "util/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t fuzz_fnv(uint32_t hash, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		hash = (hash ^ (unsigned char)p[i]) * UINT32_C(16777619);
	return hash;
}

static void fuzz_spell(const uint8_t *data, size_t size, struct bytes *out)
{
	struct bytes b = {0};
	uint32_t check;

	bytes_add(&b, data, size);
	if (size >= 6) {
		check = fuzz_fnv(fuzz_fnv(UINT32_C(2166136261), b.p, 2), b.p + 6, size - 6);
		for (unsigned i = 0; i < 4; i++)
			b.p[2 + i] = (char)(check >> (24 - 8 * i));
	}
	base64_encode(span_of(b.p, b.len), out);
	while (out->len > 0 && out->p[out->len - 1] == '=')
		out->len--;
	for (size_t i = 0; i < out->len; i++)
		out->p[i] = (char)(out->p[i] == '+' ? '-' : out->p[i] == '/' ? '_' : out->p[i]);
	bytes_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = {0}, again = {0};
	struct range range = {0};
	bool no_memory;

	if (size < 1)
		return 0;
	if (data[0] & 1)
		fuzz_spell(data + 1, size - 1, &text);
	else
		bytes_add(&text, data + 1, size - 1);
	if (range_cursor_decode(span_of(text.p, text.len), &range, &no_memory)) {
		assert(range.after.len > 0 && range.after.len <= 4096 && range.lower.len <= 4096 && range.upper.len <= 4096);
		range_cursor_encode(&range, span_of(range.after.p, range.after.len), &again);
		assert(again.len == text.len && memcmp(again.p, text.p, text.len) == 0);
	}
	assert(!no_memory);
	range_fini(&range);
	bytes_fini(&text);
	bytes_fini(&again);
	return 0;
}
