/* SPDX-License-Identifier: Apache-2.0 */
/* table_salvage.h - what can still be read of a damaged table, and between which keys it can't. */
#ifndef TABLE_TABLE_SALVAGE_H
#define TABLE_TABLE_SALVAGE_H

#include "core/env.h"
#include "core/table_meta.h"
#include "core/tombstones.h"
#include "core/entry.h"

struct table_salvage_sink {               /* each returns 0, or < 0, which ends the walk */
	int (*entry)(void *ctx, const struct entry *e);          /* in key_cmp order, under the version that readers see */
	int (*range)(void *ctx, const struct tombstone *t);      /* all of them before the first entry */
	/* Entries between two that were given, or before the first or behind the last, can't be read: their keys are at or after
	 * `from`, and none is after `to`. Neighbouring blocks come as one. */
	int (*lost)(void *ctx, struct silt_slice from, struct silt_slice to);
};

/*
 * Reads the table of meta in env->dir, from the disk, block by block; what fails its check or can't be read is left out. A damaged
 * filter loses nothing.
 * 0; SILT_E_CORRUPT: its root is damaged or the file is missing, nothing of it can be read (nothing was called); what the sink
 * returned; SILT_E_NOMEM. Damage is reported through env as it is met.
 */
int table_salvage(struct env *env, const struct table_meta *meta, const struct table_salvage_sink *sink, void *ctx) SILT_MUST_CHECK;

#endif
