/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compress.h - the stored form of every block: packed one by one, unpacked within bounds that are checked first.
 *
 * Bytes     stored := body | raw_bytes:u32le | items:u32le | compression:u8
 *           body is the raw block (compression 0), one LZ4 block (1) or one zstd frame (2). items = the entries in it, which a
 *           reader needs to know before it unpacks. A body is only compressed where that saves at least 1/8.
 *           The raw block "abc" of 2 items:  61 62 63  03 00 00 00  02 00 00 00  00
 */
#ifndef TABLE_COMPRESS_H
#define TABLE_COMPRESS_H

#include "base/buf.h"
#include "base/codec.h"
#include "table/unpackers.h"

enum { COMPRESS_TAIL_BYTES = 9 };

/* One a writer: its contexts are reused from block to block. */
struct compress {
	enum silt_compression how;        /* [c] */
	struct silt_buf stored;
	void *zstd;                       /* ZSTD_CCtx, made at the first use */
};

void compress_init(struct compress *c, enum silt_compression how);
void compress_fini(struct compress *c);
/* Where the block stays as it is, the tail is appended to raw itself. *out borrows from raw or c until either is used again. */
int compress_pack(struct compress *c, struct silt_buf *raw, uint32_t items, struct silt_slice *out) SILT_MUST_CHECK;

struct compress_packed {                  /* a stored block, its tail taken off */
	struct silt_slice body;
	uint32_t raw_bytes;               /* <= TABLE_RAW_MAX */
	uint32_t items;
	enum silt_compression how;
};
int compress_open(struct silt_slice stored, struct compress_packed *out) SILT_MUST_CHECK;   /* 0 or SILT_E_CORRUPT */
/* Fills raw_bytes; 0, SILT_E_CORRUPT, _NOMEM. u may be NULL. */
int compress_unpack(const struct compress_packed *p, struct unpackers *u, void *raw) SILT_MUST_CHECK;

#endif
