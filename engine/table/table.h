/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.h - the SST format: kinds, limits, settings. Each part is drawn beside its encoder.
 *
 * Bytes     table  := (data block* index partition)* | filter | range tombstones | top index | properties | footer
 *           A partition follows the data blocks that it addresses, so that a writer keeps only the top index in memory.
 *           Every block is stored packed (compress.h); what addresses a block (offset, length, digest) stands in its
 *           parent. A digest is SHA-256(kind byte || stored bytes): leaf digests in the index, partitions' in the top index,
 *           those of top index, filter, range tombstones and properties in the footer, the footer's in the manifest's edit.
 * Formats   1: without range tombstones, and with at least one entry.  2: with range tombstones; there need be no entries, and then
 *           no top index either. A writer takes the lowest that will do.
 * Example   put "a"@7 = "1", delete "b"@9, no filter:  0 data block  31 partition  78 top index  125 properties  158 footer
 *           350 end. (A test has the bytes.)
 * Rooms     block_writer, block_reader: data blocks.  index: partitions and top.  filter.  properties.  footer.  tombstone_block.  compress: the
 *           stored form of all of them.  table_file: a file, and its blocks fetched and checked.  table_load: footer, top index
 *           and properties of a file.  table_reader, table_iter, table_verify, table_writer: whole tables.  block_cache,
 *           table_cache: what is kept of them.
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
	TABLE_RANGE_TOMBSTONES = 6,
	TABLE_FOOTER = 7,
};

#define TABLE_MAGIC "SILTSST1"            /* 8 bytes, in footer and properties */

enum {
	TABLE_FORMAT = 1,                 /* on disk; a reader refuses all but these two with SILT_E_VERSION */
	TABLE_FORMAT_RANGES = 2,
	TABLE_PARTITION_BYTES = 16 << 10, /* of an index partition, about */
	TABLE_RAW_MAX = SILT_VALUE_MAX + (64 << 20),   /* bytes of any block unpacked: checked before memory is taken for it */
};

struct table_addr {                       /* where a block is stored, and what its stored bytes must hash to */
	uint64_t offset;
	uint32_t length;                  /* 0 = there is none */
	uint8_t digest[DIGEST_BYTES];
};

struct table_settings {
	uint32_t block_size;
	uint32_t filter_bits_per_key;
	enum silt_compression compression;
};

/*
 * An ingested table is written before its place in the commit order is known: its entries, one a key, are stored under
 * TABLE_UNASSIGNED, and the manifest assigns the version that every reader sees (table_meta::assigned).
 */
enum { TABLE_UNASSIGNED = 1 };

enum table_flags {
	TABLE_CACHED_ONLY = 1,            /* SILT_WOULD_BLOCK instead of disk; allowed inside a read section */
	TABLE_NO_FILL = 2,                /* do not enter blocks into the cache; iterators read ahead instead */
	TABLE_WANT_FILTER = 4,            /* beside TABLE_CACHED_ONLY or _NO_WAIT: would also block for a filter that is not cached and has room there */
	TABLE_NO_WAIT = 8,                /* reads what the kernel has in memory; SILT_WOULD_BLOCK for the rest */
};

#endif
