/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_batch.c - any bytes as a batch's log form: refused, or operations that make the same batch again. Where keys come twice or
 * a range delete comes behind its keys, which no writer does, the last one counts.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/batch.h"
#include "core/batch_reader.h"
#include "core/key.h"

#define CHECK(x) ((x) ? (void)0 : __builtin_trap())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_add(silt_batch *b, const struct entry *e)
{
	struct silt_put_options opts = { .expires_ms = e->expires_ms, .meta = e->meta };

	CHECK(e->key.len >= 1 && e->key.len <= KEY_MAX && e->version == 0);
	if (e->kind == ENTRY_RANGE_DELETE) {
		CHECK(e->value.len <= KEY_MAX);
		CHECK(silt_batch_delete_range(b, e->key, e->value.len ? e->value : slice_of(NULL, 0)) == 0);
		return;
	}
	if (e->kind == ENTRY_PUT)
		CHECK(silt_batch_put(b, e->key, e->value, &opts, 0) == 0);
	else
		CHECK(silt_batch_delete(b, e->key, 0) == 0);
}

/* The whole payload into b: 0, or SILT_E_CORRUPT. */
static int fuzz_read(struct silt_slice payload, silt_batch *b)
{
	struct batch_reader r;
	struct entry e;
	int rc = batch_reader_init(&r, payload);

	while (rc == 0) {
		rc = batch_reader_next(&r, &e);
		if (rc == 0)
			fuzz_add(b, &e);
	}
	CHECK(rc == SILT_END || rc == SILT_E_CORRUPT);
	return rc == SILT_END ? 0 : rc;
}

static void fuzz_compare(struct silt_slice payload, const silt_batch *b, silt_batch *again)
{
	struct silt_buf once = { 0 }, twice = { 0 };

	CHECK(batch_seal(b, &once) == 0);
	CHECK(once.len == silt_batch_bytes(b) && once.len <= payload.len);
	CHECK(fuzz_read(buf_slice(&once), again) == 0);
	CHECK(batch_seal(again, &twice) == 0);
	CHECK(slice_eq(buf_slice(&once), buf_slice(&twice)));      /* no key stands twice in what a batch seals */
	if (silt_batch_count(again) == silt_batch_count(b))
		CHECK(slice_eq(buf_slice(&once), payload));
	buf_fini(&once);
	buf_fini(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct silt_slice payload = slice_of(data, size);
	silt_batch *b, *again;

	CHECK(silt_batch_new(&b) == 0 && silt_batch_new(&again) == 0);
	if (fuzz_read(payload, b) == 0)
		fuzz_compare(payload, b, again);
	silt_batch_free(b);
	silt_batch_free(again);
	return 0;
}
