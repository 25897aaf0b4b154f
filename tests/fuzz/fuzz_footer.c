/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_footer.c - the first byte chooses. 'p': the rest are a table's properties. Anything else: 8 bytes of a file's size, and a footer.
 * Each is refused, or within its bounds; and written anew it is the same bytes.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/codec.h"
#include "core/key.h"
#include "table/footer.h"
#include "table/properties.h"

#define CHECK(x) ((x) ? (void)0 : __builtin_trap())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_within(const struct table_addr *a, uint64_t file_size)
{
	CHECK(a->offset <= file_size && a->length <= file_size - a->offset && file_size - a->offset - a->length >= FOOTER_BYTES);
}

static void fuzz_footer(uint64_t file_size, struct silt_slice bytes)
{
	uint8_t again[FOOTER_BYTES];
	struct footer f;

	if (footer_decode(bytes, file_size, &f) != 0)
		return;
	CHECK(f.properties.length > 0 && (f.top.length > 0 || f.range_tombstones.length > 0));
	fuzz_within(&f.range_tombstones, file_size);
	fuzz_within(&f.top, file_size);
	fuzz_within(&f.filter, file_size);
	fuzz_within(&f.properties, file_size);
	footer_encode(&f, again);
	CHECK(slice_eq(bytes, slice_of(again, sizeof(again))));
}

static void fuzz_properties(struct silt_slice bytes)
{
	struct silt_buf again = { 0 };
	struct properties p;

	if (properties_decode(bytes, &p) != 0)
		return;
	CHECK((p.keys >= 1 || p.range_deletes >= 1) && p.keys <= p.entries && p.tombstones + p.expiring <= p.entries && p.min_version <= p.max_version);
	CHECK(p.smallest.len >= 1 && p.largest.len <= KEY_MAX && slice_cmp(p.smallest, p.largest) <= 0);
	CHECK(properties_encode(&p, &again) == 0);
	CHECK(slice_eq(bytes, buf_slice(&again)));
	buf_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 0 && data[0] == 'p')
		fuzz_properties(slice_of(data + 1, size - 1));
	else if (size >= 9)
		fuzz_footer(codec_get64(data + 1), slice_of(data + 9, size - 9));
	return 0;
}
