/* SPDX-License-Identifier: Apache-2.0 */
/* block_writer.h - builds one data block after another, in one buffer. The layout is drawn in block_writer.c. */
#ifndef TABLE_BLOCK_WRITER_H
#define TABLE_BLOCK_WRITER_H

#include "base/buf.h"
#include "core/entry.h"

enum {                                    /* on disk, never renumber: the layout of a data block */
	BLOCK_RESTART = 16,               /* every so many entries one has its whole key */
	BLOCK_ENTRY_KIND = 0x07,          /* enum entry_kind, in an entry's flags byte */
	BLOCK_ENTRY_EXPIRES = 0x08,
	BLOCK_ENTRY_META = 0x10,
};
enum { BLOCK_ENTRY_MIN = 4, BLOCK_ENTRY_HEAD_MAX = 48, BLOCK_BASE_BYTES = 8 };

struct block_writer {
	struct silt_buf raw;              /* base version and entries */
	struct silt_buf tags;             /* one byte of hash an entry */
	struct silt_buf restart;          /* key of the last restart */
	uint64_t base;                    /* version of the first entry */
	uint32_t count;
};

void block_writer_fini(struct block_writer *w);                       /* begins as {0} */
/* hash = hash_key(e->key). Order is the caller's affair. On failure the block stays as it was. */
int block_writer_add(struct block_writer *w, const struct entry *e, uint64_t hash) SILT_MUST_CHECK;
size_t block_writer_bytes(const struct block_writer *w);              /* of the raw block if it ended now */
size_t block_writer_cost(const struct entry *e);                      /* at most so many bytes more with e */
int block_writer_finish(struct block_writer *w) SILT_MUST_CHECK;      /* w->raw is whole: w->count items */
void block_writer_reset(struct block_writer *w);

#endif
