/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.h - the SST format: kinds, limits, settings (DESIGN: "SST"). Each part is drawn beside its encoder.
 *
 * Bytes     table  := data block* | filter | index partition* | top index | properties | footer
 *           Every block is stored as bytes | compression:u8; what addresses a block (offset, length, digest) stands in its
 *           parent. A digest is SHA-256(kind byte || stored bytes): leaf digests in the index, partitions' in the top index,
 *           those of top index, filter, range tombstones and properties in the footer, the footer's in the manifest's edit.
 */
#ifndef TABLE_TABLE_H
#define TABLE_TABLE_H

#include "base/digest.h"
#include "core/entry.h"

enum table_block_kind {                   /* on disk, never renumber */
	TABLE_DATA = 1,
	TABLE_INDEX = 2,
	TABLE_TOP = 3,
	TABLE_FILTER = 4,
	TABLE_PROPERTIES = 5,
	TABLE_RANGE_TOMBSTONES = 6,       /* reserved */
	TABLE_FOOTER = 7,
};

struct table_settings {
	uint32_t block_size;
	uint32_t filter_bits_per_key;
	enum silt_compression compression;
};

enum table_flags {
	TABLE_CACHED_ONLY = 1,            /* SILT_WOULD_BLOCK instead of disk; allowed inside a read section */
	TABLE_NO_FILL = 2,                /* do not enter blocks into the cache */
};

#endif
