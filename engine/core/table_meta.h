/* SPDX-License-Identifier: Apache-2.0 */
/* table_meta.h - what is known of a table without opening it: made by table/, kept by version/, read by job/ and db/. */
#ifndef CORE_TABLE_META_H
#define CORE_TABLE_META_H

#include "base/digest.h"
#include "base/slice.h"

struct table_meta {
	_Atomic unsigned refs;            /* shared by the versions that hold it; starts at 1 */
	uint64_t number;
	uint64_t size;                    /* bytes of the file */
	uint64_t entries;
	uint64_t tombstones;              /* point deletes among them */
	uint64_t expiring;                /* puts with an expiry among them */
	uint64_t earliest_expiry_ms;      /* 0 = none expires */
	uint64_t range_deletes;           /* beside the entries; 0 = none */
	uint64_t min_version, max_version;/* of entries and range deletes */
	uint64_t assigned;                /* of an ingested table: the version of all its entries, whatever its bytes say; else 0 */
	struct silt_slice smallest, largest;   /* user keys, inclusive, of entries and range deletes; point into the same allocation */
	uint8_t digest[DIGEST_BYTES];     /* of the footer: the root of the table's SHA-256 tree */
};

/* Copies the keys behind the struct; everything else is zero but refs. NULL = out of memory. */
struct table_meta *table_meta_new(struct silt_slice smallest, struct silt_slice largest);
struct table_meta *table_meta_ref(struct table_meta *m);
void table_meta_unref(struct table_meta *m);

#endif
