/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table_file.h - one table's file: a block read from it, checked against its digest, unpacked and made ready to be looked into.
 * All failures are reported here, with file, offset and, where it is known, the range of keys that can't be reached.
 */
#ifndef TABLE_TABLE_FILE_H
#define TABLE_TABLE_FILE_H

#include "core/env.h"
#include "table/index.h"

struct table_file {                       /* [c] after open */
	struct env *env;
	struct os_file *file;
	char *path;
	uint64_t size;
	struct block_cache *cache;        /* for whose memory its blocks are made; NULL = the heap's */
};
int table_file_open(struct env *env, const char *path, struct table_file *out) SILT_MUST_CHECK;   /* a missing file is SILT_E_CORRUPT */
void table_file_close(struct table_file *f);             /* a zeroed one is fine */

/* Where in the index a block is: for messages. */
struct table_place {
	const struct block *top;          /* NULL = unknown, or the block is not below the index */
	uint32_t part;
	const struct block *index;        /* NULL = the block is partition `part` itself */
	uint32_t leaf;
};

/* Bytes read ahead of their use, for those who read in order; begins as {0}. */
struct table_ahead {
	uint8_t *bytes;
	uint64_t offset;
	size_t len;
};
void table_ahead_fini(struct table_ahead *a);

/*
 * Reads, checks, unpacks and loads a block: returned owned, one reference. ahead may be NULL, at may be NULL.
 * 0; SILT_E_CORRUPT, _IO, _NOMEM.
 */
int table_file_fetch(const struct table_file *f, enum table_block_kind kind, const struct table_addr *addr,
                     const struct table_place *at, struct table_ahead *ahead, struct block **out) SILT_MUST_CHECK;
/* The same without waiting for the disk and without taking long: SILT_WOULD_BLOCK where it is not in memory, or large. */
int table_file_fetch_now(const struct table_file *f, enum table_block_kind kind, const struct table_addr *addr,
                         const struct table_place *at, struct block **out) SILT_MUST_CHECK;
/* Reports damage of a block and returns SILT_E_CORRUPT. */
int table_file_damage(const struct table_file *f, enum table_block_kind kind, const struct table_addr *addr,
                      const struct table_place *at, const char *what);
/* Exactly n bytes, or a report. */
int table_file_read(const struct table_file *f, uint64_t offset, void *out, size_t n) SILT_MUST_CHECK;

enum { TABLE_KEY_TEXT = 160 };
/* The first bytes of a key as text: \xNN for what is not printable, "..." for what is left out; into out[TABLE_KEY_TEXT]. */
const char *table_key_text(struct silt_slice key, size_t full_len, char *out);

#endif
