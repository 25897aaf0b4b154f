/* SPDX-License-Identifier: Apache-2.0 */
/* entry.h - one version of one key, as it travels through every room. All slices are borrowed from whoever gave it. */
#ifndef CORE_ENTRY_H
#define CORE_ENTRY_H

#include "base/slice.h"

enum entry_kind {                         /* on disk, never renumber */
	ENTRY_PUT = 1,
	ENTRY_DELETE = 2,
	ENTRY_RANGE_DELETE = 3,           /* [key, value), value empty: to the last key; in batches, logs and on the way into a memtable only */
};

struct entry {
	struct silt_slice key;
	uint64_t version;
	enum entry_kind kind;
	uint64_t expires_ms;              /* 0 = never; only of a put */
	struct silt_slice meta;           /* <= SILT_META_MAX; only of a put */
	struct silt_slice value;          /* of a put; of a range delete its upper bound */
};

/* Is it there for a reader at this time? */
static inline bool entry_live(const struct entry *e, uint64_t now_ms)
{
	return e->kind == ENTRY_PUT && (e->expires_ms == 0 || e->expires_ms > now_ms);
}

#endif
