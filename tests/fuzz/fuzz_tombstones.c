/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_tombstones.c - a table's range deletes: refused, or a list in order that says the same when it is written anew and read again. */
#include <stddef.h>
#include <stdint.h>

#include "core/key.h"
#include "table/tombstone_block.h"

#define CHECK(x) ((x) ? (void)0 : __builtin_trap())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_same(const struct tombstones *a, const struct tombstones *b)
{
	CHECK(a->n == b->n && a->count == b->count && a->min_version == b->min_version && a->max_version == b->max_version);
	for (size_t i = 0; i < a->n; i++) {
		CHECK(slice_eq(a->at[i].lower, b->at[i].lower) && slice_eq(a->at[i].upper, b->at[i].upper));
		CHECK(a->at[i].n == b->at[i].n && memcmp(a->at[i].versions, b->at[i].versions, a->at[i].n * sizeof(uint64_t)) == 0);
	}
}

/* The rules of the list, without asserts that a build may leave out. */
static void fuzz_in_order(const struct tombstones *l)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct tombstone *t = &l->at[i];

		CHECK(t->lower.len > 0 && t->lower.len <= KEY_MAX && t->upper.len <= KEY_MAX && tombstone_below(t->lower, t->upper));
		CHECK(i == 0 || !tombstone_below(t->lower, l->at[i - 1].upper));
		CHECK(t->n > 0 && t->versions[0] <= SILT_VERSION_MAX && t->versions[t->n - 1] > 0);
		for (size_t j = 1; j < t->n; j++)
			CHECK(t->versions[j - 1] > t->versions[j]);
		CHECK(tombstones_cover(l, t->lower, UINT64_MAX) == t->versions[0]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tombstone_writer w = { 0 };
	struct tombstones *l, *again;

	if (tombstone_block_decode(slice_of(data, size), &l) != 0)
		return 0;
	fuzz_in_order(l);
	for (size_t i = 0; i < l->n; i++)
		CHECK(tombstone_writer_add(&w, &l->at[i]) == 0);
	CHECK(w.raw.len <= size);
	CHECK(tombstone_block_decode(buf_slice(&w.raw), &again) == 0);
	fuzz_same(l, again);
	tombstones_free(l);
	tombstones_free(again);
	tombstone_writer_fini(&w);
	return 0;
}
