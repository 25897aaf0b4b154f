/* SPDX-License-Identifier: Apache-2.0 */
/* table_load.h - a table's root: footer, properties, range deletes and top index, read from the end of its file. */
#ifndef TABLE_TABLE_LOAD_H
#define TABLE_TABLE_LOAD_H

#include "core/table_meta.h"
#include "core/tombstones.h"
#include "table/footer.h"
#include "table/properties.h"
#include "table/table_file.h"

struct table_root {
	struct footer footer;
	uint8_t digest[DIGEST_BYTES];     /* of the footer */
	struct block *top;                /* NULL = no entries */
	struct tombstones *tombstones;    /* NULL = none */
	struct block *described;          /* the properties' bytes */
	struct properties properties;     /* borrows from `described` */
};
/* want: the footer's digest, or NULL to take the file at its word. End with table_root_fini(). */
int table_load_root(const struct table_file *f, const uint8_t *want, struct table_root *out) SILT_MUST_CHECK;
void table_root_fini(struct table_root *r);              /* a zeroed one is fine */
/* What the manifest says of the table against what it says itself: 0, or SILT_E_CORRUPT, reported. */
int table_load_check(const struct table_file *f, const struct table_root *r, const struct table_meta *meta) SILT_MUST_CHECK;

#endif
