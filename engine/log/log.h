/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h - the one log format, of WAL and manifest. Encoders, each with a worked example: segment.c (the header),
 * record.c (records).
 *
 * Bytes     segment := header page (4096) | record* ; a file already written once, so that a sync carries no metadata.
 *           header  := magic "SILTLOG1" | format:u32le | kind:u32le (1 WAL, 2 manifest) | number:u64le | salt:u64le |
 *                      capacity:u64le | check:u64le (XXH3 of the bytes before it, seed 0) | zeros
 *           record  := check:u64le | length:u32le (of payload) | kind:u8 | flags:u8 | head:u16le | version:u64le |
 *                      synced_to:u64le | payload | zeros to a multiple of 8
 *           check     = XXH3(all bytes after it, padding included; salt, offset)
 *           head      = the low 16 bits of XXH3(the header's 24 bytes after check, head itself as 0; salt, offset): a length is
 *                       not believed before this holds. Without it a client could store a segment full of bytes that look like
 *                       headers of huge records, and the scan for lost ones (judge.h) would hash each to its end: for hours.
 *           synced_to = the offset up to which this segment was known synced before this record was encoded; at most the
 *                       record's own offset.
 *           Every record but the SEAL leaves room for a SEAL behind it.
 */
#ifndef LOG_LOG_H
#define LOG_LOG_H

#include "core/env.h"

enum {
	LOG_PAGE = 4096,
	LOG_RECORD_HEADER = 32,
	LOG_BATCH_SHARE = 2,              /* a batch is at most half a segment: so it fits into one that holds no entries yet, whatever else it holds */
};

enum log_kind { LOG_WAL = 1, LOG_MANIFEST = 2 };            /* on disk, never renumber */

enum log_record_kind {                                      /* on disk, never renumber */
	LOG_DATA = 1,             /* payload: a batch, or an edit */
	LOG_SKIP = 2,             /* versions jump: the next DATA has version + 1; no payload */
	LOG_MARK = 3,             /* only synced_to matters; version = last given, 0 = none yet */
	LOG_SEAL = 4,             /* nothing follows in this segment; version as MARK; flags LOG_SEAL_CLEAN at an orderly close */
};
enum { LOG_SEAL_CLEAN = 1 };                                /* on disk */
enum { LOG_SKIP_UNLOGGED = 1 };   /* on disk; of a SKIP: something was written under its version, and is in tables alone */

struct log_header {
	enum log_kind kind;
	uint64_t number;
	uint64_t salt;
	uint64_t capacity;        /* bytes of the file, header included */
};

struct log_record {
	enum log_record_kind kind;
	uint8_t flags;
	uint64_t version;
	uint64_t synced_to;
	uint64_t offset, end;     /* of the record in its segment */
	struct silt_slice payload;/* borrowed from the reader until its next move */
};

static inline size_t log_record_size(size_t payload)
{
	return (LOG_RECORD_HEADER + payload + 7) & ~(size_t)7;
}

#endif
