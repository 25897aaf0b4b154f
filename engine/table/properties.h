/* SPDX-License-Identifier: Apache-2.0 */
/* properties.h - what a table says of itself, so that it can be understood without its manifest. The bytes are drawn in properties.c. */
#ifndef TABLE_PROPERTIES_H
#define TABLE_PROPERTIES_H

#include "base/buf.h"
#include "core/table_meta.h"

struct properties {
	uint64_t entries, keys;           /* versions; distinct keys; 0 only beside range deletes */
	uint64_t tombstones, expiring, earliest_expiry_ms;
	uint64_t min_version, max_version;
	uint64_t data_blocks, partitions;
	uint64_t raw_bytes;               /* of keys, metadata and values as they were given */
	uint64_t filter_bytes;
	struct silt_slice smallest, largest;   /* borrowed; of entries and range deletes together, inclusive */
	uint64_t range_deletes;           /* versions of all fragments; 0 = none: then format 1 */
};

int properties_encode(const struct properties *p, struct silt_buf *out) SILT_MUST_CHECK;    /* replaces *out */
/* The keys borrow from bytes. 0, SILT_E_CORRUPT, SILT_E_VERSION. */
int properties_decode(struct silt_slice bytes, struct properties *out) SILT_MUST_CHECK;
/* What a manifest keeps of it: number and size are zero still, and the digest is `root`'s. NULL = out of memory. */
struct table_meta *properties_meta(const struct properties *p, const uint8_t *root);

#endif
