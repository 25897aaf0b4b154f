/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_index.c - two bytes that count the items, and any bytes as an index: refused, or addresses that follow each other and searches
 * that end within it; and where its separators ascend, each is found where it is, also in the same index written anew.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "core/key.h"
#include "table/index.h"

#define CHECK(x) ((x) ? (void)0 : __builtin_trap())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct block *fuzz_load(struct silt_slice raw, uint32_t items)
{
	struct block *b;

	if (items > raw.len / DIGEST_BYTES)
		return NULL;                       /* as table_file.c bounds them */
	b = block_new(raw.len, index_room(items));
	CHECK(b);
	b->items = items;
	if (raw.len)
		memcpy((void *)(uintptr_t)b->bytes.data, raw.data, raw.len);
	if (index_load(b) == 0)
		return b;
	block_unpin(b);
	return NULL;
}

/* Also that a key cut short by its room is the beginning of the whole one. */
static struct silt_slice fuzz_key(const struct block *b, uint32_t i, uint8_t *room, uint64_t *version)
{
	uint8_t begin[5];
	size_t len = index_key(b, i, room, KEY_MAX, version);

	CHECK(len >= 1 && len <= KEY_MAX && *version <= SILT_VERSION_MAX);
	CHECK(index_key(b, i, begin, sizeof(begin), version) == len);
	CHECK(memcmp(begin, room, len < sizeof(begin) ? len : sizeof(begin)) == 0);
	return slice_of(room, len);
}

static bool fuzz_look(const struct block *b)
{
	uint8_t room[2][KEY_MAX];
	struct silt_slice before = { 0 };
	uint64_t end = 0, version, version_before = 0;
	bool ordered = true;

	for (uint32_t i = 0; i < b->items; i++) {
		struct silt_slice key = fuzz_key(b, i, room[i % 2], &version);
		struct table_addr addr;

		index_addr(b, i, &addr);
		CHECK(addr.offset == index_offset(b, i) && addr.offset >= end && addr.length > 0);
		end = addr.offset + addr.length;
		CHECK(index_find(b, key, version) <= b->items);
		CHECK(index_find(b, slice_of(key.data, key.len - 1), version) <= b->items);
		ordered &= i == 0 || key_cmp(before, version_before, key, version) < 0;
		before = key;
		version_before = version;
	}
	return ordered;
}

/* In order: each separator leads to its own block, and what is behind it to the next. */
static void fuzz_finds(const struct block *b)
{
	uint8_t room[KEY_MAX];
	uint64_t version;

	for (uint32_t i = 0; i < b->items; i++) {
		struct silt_slice key = fuzz_key(b, i, room, &version);

		CHECK(index_find(b, key, version) == i);
		if (version > 0)
			CHECK(index_find(b, key, version - 1) == i + 1);
	}
}

static void fuzz_again(const struct block *b)
{
	struct index_writer w = { 0 };
	struct silt_buf raw = { 0 };
	struct table_addr addr, got;
	uint8_t room[KEY_MAX];
	uint64_t version;
	struct block *own;

	for (uint32_t i = 0; i < b->items; i++) {
		struct silt_slice key = fuzz_key(b, i, room, &version);

		index_addr(b, i, &addr);
		CHECK(index_writer_add(&w, key, version, &addr) == 0);
	}
	CHECK(index_writer_finish(&w, &raw) == 0);
	own = fuzz_load(buf_slice(&raw), w.count);
	CHECK(own);
	for (uint32_t i = 0; i < b->items; i++) {
		index_addr(b, i, &addr);
		index_addr(own, i, &got);
		CHECK(addr.offset == got.offset && addr.length == got.length && memcmp(addr.digest, got.digest, DIGEST_BYTES) == 0);
	}
	fuzz_finds(own);
	block_unpin(own);
	index_writer_fini(&w);
	buf_fini(&raw);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct block *b = size < 2 ? NULL : fuzz_load(slice_of(data + 2, size - 2), (uint32_t)data[0] | (uint32_t)data[1] << 8);

	if (!b)
		return 0;
	if (fuzz_look(b)) {
		fuzz_finds(b);
		fuzz_again(b);
	}
	block_unpin(b);
	return 0;
}
