/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block_reader.h - looking into one data block: checked whole when it is loaded, then read without checks.
 *
 * Pattern   b = block_new(raw bytes, block_reader_room(items)); fill b->bytes; block_reader_load(b) once; then the rest, from any
 *           threads, for as long as b is pinned. Entries are named by their ordinal, 0..b->items - 1.
 */
#ifndef TABLE_BLOCK_READER_H
#define TABLE_BLOCK_READER_H

#include "table/block.h"
#include "core/entry.h"
#include "core/key.h"
#include "table/block_writer.h"

enum { BLOCK_RUN_SPARE = 32 };            /* bytes that a short key's copy may write behind it */

/* Neighbouring entries, decoded: of one restart interval, entry i at [i % BLOCK_RESTART]. */
struct block_run {
	struct entry at[BLOCK_RESTART];   /* keys point into the block or to `keys`, all else into the block */
	uint8_t keys[KEY_MAX + BLOCK_RUN_SPARE];
};

size_t block_reader_room(uint32_t items);                /* bytes of `decoded` */
/* b->items says how many entries there must be. 0, or SILT_E_CORRUPT: b may not be looked into. */
int block_reader_load(struct block *b) SILT_MUST_CHECK;

/* The newest version of key at or below max_version: 0 or SILT_NOTFOUND. out->key is the caller's key; the rest borrows from b. */
int block_reader_get(const struct block *b, struct silt_slice key, uint64_t hash, uint64_t max_version, struct entry *out);
/* The first entry at or after (key, version) in key_cmp order, or b->items. */
uint32_t block_reader_seek(const struct block *b, struct silt_slice key, uint64_t version);
/* Entry i; its key is put together in key_room[KEY_MAX] where the block does not hold it in one piece. */
void block_reader_entry(const struct block *b, uint32_t i, uint8_t *key_room, struct entry *out);
/*
 * Entries from..to of one restart interval, either way round, as far as there is room for their keys: at least `from`. The last one decoded
 * is returned. What is in *run elsewhere stays, but for the keys.
 */
uint32_t block_reader_run(const struct block *b, uint32_t from, uint32_t to, struct block_run *run);
/* Asks the processor for what block_reader_run() of these entries will read. */
void block_reader_foretell(const struct block *b, uint32_t from, uint32_t to);
uint8_t block_reader_tag(const struct block *b, uint32_t i);

#endif
