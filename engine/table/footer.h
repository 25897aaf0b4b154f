/* SPDX-License-Identifier: Apache-2.0 */
/* footer.h - the fixed end of a table's file: where its parts are and what they must hash to. The bytes are drawn in footer.c. */
#ifndef TABLE_FOOTER_H
#define TABLE_FOOTER_H

#include "table/table.h"

enum { FOOTER_BYTES = 192 };

struct footer {
	struct table_addr top, filter, properties;   /* filter.length 0 = none; top.length 0 = no entries */
	struct table_addr range_tombstones;          /* length 0 = none: then format 1 */
};

void footer_encode(const struct footer *f, uint8_t out[FOOTER_BYTES]);
/* file_size bounds every part. 0, SILT_E_CORRUPT, SILT_E_VERSION (its magic is ours, its format is not). */
int footer_decode(struct silt_slice bytes, uint64_t file_size, struct footer *out) SILT_MUST_CHECK;

#endif
