/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_filter.c - the first byte b chooses. 0: the rest is a filter, refused or asked for hashes of all kinds. Else: the rest are hashes,
 * 8 bytes each, made into a filter of b bits a key that denies none of them.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/codec.h"
#include "table/filter.h"

#define CHECK(x) ((x) ? (void)0 : __builtin_trap())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_read(struct silt_slice filter)
{
	if (filter_check(filter) != 0)
		return;
	for (uint64_t i = 0; i < 64; i++)          /* the first line, the last one, and between */
		(void)filter_may_hold(filter, (i << 58) | (0 - (i & 1)) >> 6);
	(void)filter_may_hold(filter, UINT64_MAX);
}

static void fuzz_build(uint32_t bits, struct silt_slice hashes)
{
	const uint8_t *p = hashes.data;
	struct filter_writer w = { 0 };
	struct silt_buf out = { 0 };

	for (size_t at = 0; at + 8 <= hashes.len; at += 8)
		CHECK(filter_writer_add(&w, codec_get64(p + at)) == 0);
	CHECK(filter_writer_finish(&w, bits, &out) == 0);
	CHECK(filter_check(buf_slice(&out)) == 0);
	for (size_t at = 0; at + 8 <= hashes.len; at += 8)
		CHECK(filter_may_hold(buf_slice(&out), codec_get64(p + at)));
	filter_writer_fini(&w);
	buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 0 && data[0] == 0)
		fuzz_read(slice_of(data + 1, size - 1));
	else if (size >= 9 && data[0] <= FILTER_BITS_MAX)
		fuzz_build(data[0], slice_of(data + 1, size - 1));
	return 0;
}
