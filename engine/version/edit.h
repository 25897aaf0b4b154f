/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edit.h - one step from a version to the next, as the manifest stores it; the first record of a manifest is an edit
 * from nothing.
 *
 * Bytes     tagged fields, in any order, each at most once but for the two table tags; unknown tags are SILT_E_VERSION.
 *           Drawn with a worked example in edit.c.
 * Rules     (1) a drop names the level the table is in now, an add the level it will be in: a table that only moves is dropped
 *           from one level and added to another in the same edit.  (2) what edit_decode() gives is in range field by field
 *           (levels, key lengths, smallest <= largest, counts within counts, versions); how tables fit together is version.h's.
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
	size_t add_room, drop_room;       /* private: allocated */
};

void edit_init(struct edit *e);
void edit_fini(struct edit *e);
int edit_add_table(struct edit *e, int level, struct table_meta *meta) SILT_MUST_CHECK;   /* shares meta */
int edit_drop_table(struct edit *e, int level, uint64_t number) SILT_MUST_CHECK;
int edit_encode(const struct edit *e, struct silt_buf *out) SILT_MUST_CHECK;              /* appends */
/* Fills *out, to be ended with edit_fini(); on SILT_E_CORRUPT, _VERSION, _NOMEM it is empty.
 * Reports nothing: the caller knows the place. */
int edit_decode(struct silt_slice bytes, struct edit *out) SILT_MUST_CHECK;

#endif
