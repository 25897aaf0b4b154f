/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_block.c - any bytes as a stored block, as a data block: refused, or looked at all over; and where its entries are in order,
 * written anew and asked for each of them.
 *
 * The first byte chooses. 's': the rest is a stored block (compress.h), unpacked and then a data block. Anything else: the next two
 * bytes count the entries, the rest is the raw data block.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/mem.h"
#include "core/key.h"
#include "table/block_reader.h"
#include "table/block_writer.h"
#include "table/compress.h"

#define CHECK(x) ((x) ? (void)0 : __builtin_trap())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_BYTES_MAX = 8192 };                    /* so that offsets of what is written anew fit their 16 bits */

/* NULL where it is refused. */
static struct block *fuzz_load(struct silt_slice raw, uint32_t items)
{
	struct block *b;

	if (raw.len > FUZZ_BYTES_MAX || items > raw.len / BLOCK_ENTRY_MIN)
		return NULL;                       /* as table_file.c bounds them */
	b = block_new(raw.len, block_reader_room(items));
	CHECK(b);
	b->items = items;
	if (raw.len)
		memcpy((void *)(uintptr_t)b->bytes.data, raw.data, raw.len);
	if (block_reader_load(b) == 0)
		return b;
	block_unpin(b);
	return NULL;
}

static void fuzz_touch(struct silt_slice s)
{
	const uint8_t *p = s.data;
	volatile uint8_t sink = 0;

	for (size_t i = 0; i < s.len; i++)
		sink = (uint8_t)(sink + p[i]);
}

/* Reads every byte of every entry and asks for it; true where they are in order. */
static bool fuzz_look(const struct block *b)
{
	uint8_t room[2][KEY_MAX];
	struct entry before = { 0 }, e, got;
	bool ordered = true;

	for (uint32_t i = 0; i < b->items; i++, before = e) {
		block_reader_entry(b, i, room[i % 2], &e);
		CHECK(e.key.len >= 1 && e.key.len <= KEY_MAX && e.version <= SILT_VERSION_MAX);
		CHECK(e.kind == ENTRY_PUT || (e.kind == ENTRY_DELETE && e.value.len == 0 && e.meta.len == 0 && e.expires_ms == 0));
		fuzz_touch(e.key);
		fuzz_touch(e.meta);
		fuzz_touch(e.value);
		(void)block_reader_tag(b, i);
		if (block_reader_get(b, e.key, hash_key(e.key), e.version, &got) == 0)
			CHECK(slice_eq(got.key, e.key) && got.version <= e.version);
		CHECK(block_reader_seek(b, e.key, e.version) <= b->items);
		ordered &= i == 0 || key_cmp(before.key, before.version, e.key, e.version) < 0;
	}
	return ordered;
}

static void fuzz_same(const struct entry *a, const struct entry *b)
{
	CHECK(slice_eq(a->key, b->key) && a->version == b->version && a->kind == b->kind && a->expires_ms == b->expires_ms);
	CHECK(slice_eq(a->meta, b->meta) && slice_eq(a->value, b->value));
}

/* Whole intervals at once, either way: what each entry is by itself. */
static void fuzz_runs(const struct block *b)
{
	static struct block_run run;
	uint8_t room[KEY_MAX];

	for (uint32_t at = 0, last; at < b->items; at = last + 1) {
		uint32_t end = at - at % BLOCK_RESTART + BLOCK_RESTART;
		struct entry e;

		block_reader_foretell(b, at, (end < b->items ? end : b->items) - 1);
		last = block_reader_run(b, at, (end < b->items ? end : b->items) - 1, &run);
		for (uint32_t i = at; i <= last; i++) {
			block_reader_entry(b, i, room, &e);
			fuzz_same(&e, &run.at[i % BLOCK_RESTART]);
		}
		(void)block_reader_run(b, last, last - last % BLOCK_RESTART, &run);
		block_reader_entry(b, last, room, &e);
		fuzz_same(&e, &run.at[last % BLOCK_RESTART]);
	}
}

/* b's entries, in order, in a block of our own making: each is found where it is, by place, by key and by order. */
static void fuzz_again(const struct block *b)
{
	uint8_t room[KEY_MAX], room2[KEY_MAX];
	struct block_writer w = { 0 };
	struct entry e, got;
	struct block *own;

	for (uint32_t i = 0; i < b->items; i++) {
		block_reader_entry(b, i, room, &e);
		CHECK(block_writer_add(&w, &e, hash_key(e.key)) == 0);
	}
	CHECK(block_writer_finish(&w) == 0);
	own = block_new(w.raw.len, block_reader_room(w.count));
	CHECK(own);
	own->items = w.count;
	memcpy((void *)(uintptr_t)own->bytes.data, w.raw.data, w.raw.len);
	CHECK(block_reader_load(own) == 0);
	for (uint32_t i = 0; i < b->items; i++) {
		block_reader_entry(b, i, room, &e);
		block_reader_entry(own, i, room2, &got);
		fuzz_same(&e, &got);
		CHECK(block_reader_get(own, e.key, hash_key(e.key), e.version, &got) == 0);
		fuzz_same(&e, &got);
		CHECK(block_reader_seek(own, e.key, e.version) == i);
	}
	block_unpin(own);
	block_writer_fini(&w);
}

static void fuzz_raw(struct silt_slice raw, uint32_t items)
{
	struct block *b = fuzz_load(raw, items);

	if (!b)
		return;
	fuzz_runs(b);
	if (fuzz_look(b))
		fuzz_again(b);
	block_unpin(b);
}

static void fuzz_stored(struct silt_slice stored)
{
	struct compress_packed p;
	uint8_t *raw;

	if (compress_open(stored, &p) != 0 || p.raw_bytes > FUZZ_BYTES_MAX)
		return;
	raw = mem_alloc(p.raw_bytes);
	CHECK(raw);
	if (compress_unpack(&p, NULL, raw) == 0)
		fuzz_raw(slice_of(raw, p.raw_bytes), p.items);
	mem_free(raw);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 0 && data[0] == 's')
		fuzz_stored(slice_of(data + 1, size - 1));
	else if (size >= 3)
		fuzz_raw(slice_of(data + 3, size - 3), (uint32_t)data[1] | (uint32_t)data[2] << 8);
	return 0;
}
