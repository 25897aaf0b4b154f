/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_entry.c - a line that siltctl imports, or that a server sends it: what is read, is read again as the same when it is written anew.
 * The first byte says whether a value may be missing.
 */
#include "ctl/entry.c"                /* of siltctl itself, which is no library */

#include <stdint.h>

#define CHECK(x) ((x) ? (void)0 : __builtin_trap())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_entry_same(struct span a, struct span b)
{
	CHECK(a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct entry_reading first = { 0 }, again = { 0 };
	struct bytes line = { 0 };
	enum entry_line what;

	if (size == 0)
		return 0;
	first.keys_only = again.keys_only = data[0] & 1;
	what = entry_read(span_of(data + 1, size - 1), &first);
	CHECK(what != ENTRY_NO_MEMORY);
	CHECK(what != ENTRY_BAD || (first.fault && first.at < size));
	if (what == ENTRY_ITEM) {
		CHECK(first.entry.key.len >= 1 && first.entry.key.len <= SILT_KEY_MAX);
		entry_print(&line, &first.entry);
		CHECK(entry_read(span_of(line.p, line.len), &again) == ENTRY_ITEM);
		fuzz_entry_same(first.entry.key, again.entry.key);
		fuzz_entry_same(first.entry.value, again.entry.value);
		fuzz_entry_same(first.entry.meta, again.entry.meta);
		CHECK(first.entry.version == again.entry.version && first.entry.expires_ms == again.entry.expires_ms);
	}
	bytes_fini(&line);
	bytes_fini(&first.text);
	bytes_fini(&again.text);
	return 0;
}
