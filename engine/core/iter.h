/* SPDX-License-Identifier: Apache-2.0 */
/*
 * iter.h - the one shape of an internal cursor: over a memtable, a table, a level, a merge of them. It yields every version.
 *
 * Moves return 0 (stands on `cur`), SILT_END (past either end; then only first, last and seek may follow) or < 0 (broken;
 * then the same). `cur` is borrowed until the next move or close. Order is core/key.h's.
 */
#ifndef CORE_ITER_H
#define CORE_ITER_H

#include "core/entry.h"

struct iter;
struct iter_ops {
	int (*first)(struct iter *it);
	int (*last)(struct iter *it);
	int (*seek)(struct iter *it, struct silt_slice key, uint64_t version);  /* first entry at or after (key, version) in key_cmp order */
	int (*next)(struct iter *it);
	int (*prev)(struct iter *it);
	void (*close)(struct iter *it);                                         /* frees it */
};

struct iter {                     /* embedded first in each kind */
	const struct iter_ops *ops;
	struct entry cur;
};

static inline void iter_close(struct iter *it)
{
	if (it)
		it->ops->close(it);
}

#endif
