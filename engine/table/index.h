/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index.h - which block holds a key: the one format of index partitions and of the top index over them.
 *
 * Separator (key, version) of a block: at or after its last entry and before the first of the next, in key_cmp order. So the block
 *           to look into for a target is the first whose separator is not before it, and no entry of that key at or below that
 *           version stands in a later one, also where the versions of a key fill several blocks.
 * The bytes are drawn in index.c.
 */
#ifndef TABLE_INDEX_H
#define TABLE_INDEX_H

#include "base/buf.h"
#include "table/block.h"
#include "table/table.h"

/* ---- writing --------------------------------------------------------------------------------------------------------- */

struct index_item {                       /* of a writer */
	size_t key_at, key_len;           /* in `keys` */
	uint64_t version;
	struct table_addr addr;
};
struct index_writer {
	struct silt_buf keys;
	struct index_item *items;
	uint32_t count, room;
};

void index_writer_fini(struct index_writer *w);                /* begins as {0} */
/* In order of both separators and offsets. */
int index_writer_add(struct index_writer *w, struct silt_slice key, uint64_t version, const struct table_addr *addr) SILT_MUST_CHECK;
size_t index_writer_bytes(const struct index_writer *w);       /* of the block, about */
int index_writer_finish(const struct index_writer *w, struct silt_buf *raw) SILT_MUST_CHECK;   /* replaces *raw; w->count items */
void index_writer_reset(struct index_writer *w);

/*
 * The shortest separator key between two different keys, last < next: into out[KEY_MAX], its length is returned. Its version is 0:
 * it stands after every version of `last`.
 */
size_t index_separator(struct silt_slice last, struct silt_slice next, uint8_t *out);

/* ---- reading --------------------------------------------------------------------------------------------------------- */

size_t index_room(uint32_t items);                             /* bytes of block::decoded */
int index_load(struct block *b) SILT_MUST_CHECK;               /* as block_reader_load(): 0 or SILT_E_CORRUPT */
void index_add_child(struct block *b, uint64_t offset);        /* a block beside those with separators, as b->children's last; once, after loading */
uint32_t index_find(const struct block *b, struct silt_slice key, uint64_t version);   /* b->items where it is behind all */
uint64_t index_offset(const struct block *b, uint32_t i);
void index_addr(const struct block *b, uint32_t i, struct table_addr *out);
/* Separator i: at most `room` bytes of its key into out; its full length is returned. */
size_t index_key(const struct block *b, uint32_t i, uint8_t *out, size_t room, uint64_t *version);

#endif
