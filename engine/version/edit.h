/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edit.h - one step from a version to the next, as the manifest stores it; the first record of a manifest is an edit from nothing.
 *
 * Bytes     tagged fields, in any order, each at most once but for the two table tags; unknown tags are SILT_E_VERSION.
 *           Drawn with a worked example in edit.c.
 */
#ifndef VERSION_EDIT_H
#define VERSION_EDIT_H

#include "base/buf.h"
#include "core/table_meta.h"

struct edit_add {
	int level;
	struct table_meta *meta;          /* shared */
};
struct edit_drop {
	int level;
	uint64_t number;
};
struct edit {
	struct edit_add *adds;
	size_t add_count;
	struct edit_drop *drops;
	size_t drop_count;
	bool has_wal_number, has_next_file, has_last_version;
	uint64_t wal_number;              /* the oldest segment still needed */
	uint64_t next_file;               /* numbers below were given to tables or segments */
	uint64_t last_version;            /* at least every version in the tables */
};

void edit_init(struct edit *e);
void edit_fini(struct edit *e);
int edit_add_table(struct edit *e, int level, struct table_meta *meta) SILT_MUST_CHECK;   /* shares meta */
int edit_drop_table(struct edit *e, int level, uint64_t number) SILT_MUST_CHECK;
int edit_encode(const struct edit *e, struct silt_buf *out) SILT_MUST_CHECK;              /* appends */
int edit_decode(struct silt_slice bytes, struct edit *out) SILT_MUST_CHECK;               /* SILT_E_CORRUPT, _VERSION, _NOMEM */

#endif
