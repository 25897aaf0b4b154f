/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_query.c - any bytes as a query: refused with a place in it, or split into raw values that lie in it,
 * hold no '&', and are found again in any other order. The first two bytes choose which parameters are
 * allowed.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "server/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_value(const struct query *q, enum query_name name)
{
	struct span raw = q->raw[name];
	struct bytes out = {0};
	size_t bad_at;

	assert(raw.p > q->text.p && raw.p + raw.len <= q->text.p + q->text.len);
	assert(raw.p[-1] == '=' && (raw.len == 0 || memchr(raw.p, '&', raw.len) == NULL));
	if (query_decode(q, name, &out, &bad_at))
		assert(out.len <= raw.len);
	else
		assert(out.bad || q->text.p[bad_at] == '%');
	bytes_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct query_error error;
	struct query q;
	unsigned allowed;

	if (size < 2)
		return 0;
	allowed = (data[0] | (unsigned)data[1] << 8) & (QUERY_BIT(QUERY_NAMES) - 1);
	if (!query_parse(span_of(data + 2, size - 2), allowed, &q, &error)) {
		assert(error.what != NULL && error.offset <= size - 2 &&
		       error.offset + error.name.len <= size - 2);
		return 0;
	}
	assert((q.given & ~allowed) == 0);
	for (unsigned i = 0; i < QUERY_NAMES; i++)
		if (query_has(&q, (enum query_name)i))
			fuzz_value(&q, (enum query_name)i);
	return 0;
}
