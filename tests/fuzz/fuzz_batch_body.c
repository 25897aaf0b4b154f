/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_batch_body.c - any bytes as the body of a batch: answered with 4xx, or operations whose keys and values lie in the body or in
 * what was decoded of it, with counts within the limits and an order of each key that a naive search finds as well.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "server/batch_body.h"
#include "server/server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_lies_in(const struct request *r, const struct batch_body *b, struct span s)
{
	assert((s.p >= r->body.p && s.p + s.len <= r->body.p + r->body.len) ||
	       (s.p >= b->text.p && s.p + s.len <= b->text.p + b->text.len));
}

static size_t fuzz_before(const struct batch_body *b, size_t i)
{
	struct span key = b->ops[i].key;

	while (i-- > 0)
		if (b->ops[i].kind != BATCH_GET && b->ops[i].key.len == key.len && memcmp(b->ops[i].key.p, key.p, key.len) == 0)
			return i;
	return BATCH_NONE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct server server;
	struct batch_body b = {0};
	struct request r = { .server = &server, .body = span_of(data, size) };
	size_t writes = 0;

	server.limits.max_batch_ops = 8;
	server.limits.max_value_size = 64;
	if (batch_body_read(&r, &b)) {
		assert(r.response.status == 0);
		assert(b.op_count >= 1 && b.op_count <= 8 && b.cond_count <= 8);
		for (size_t i = 0; i < b.cond_count; i++) {
			fuzz_lies_in(&r, &b, b.conds[i].key);
			assert(b.conds[i].key.len >= 1 && b.conds[i].key.len <= 4096 && b.conds[i].version < UINT64_C(1) << 53);
		}
		for (size_t i = 0; i < b.op_count; i++) {
			const struct batch_op *op = &b.ops[i];

			fuzz_lies_in(&r, &b, op->key);
			assert(op->key.len >= 1 && op->key.len <= 4096 && op->before == fuzz_before(&b, i));
			if (op->kind == BATCH_PUT) {
				fuzz_lies_in(&r, &b, op->value);
				assert(op->value.len <= 64 && op->ttl <= 3155760000 && (op->content_type == NULL || op->content_type[0] != 0));
			}
			writes += op->kind != BATCH_GET;
		}
		assert(writes == b.writes);
	} else {
		assert(r.response.status == 400 || r.response.status == 413);
	}
	batch_body_fini(&b);
	request_fini(&r);
	return 0;
}
