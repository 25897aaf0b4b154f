/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table_estimate.h - how much of a table lies in a range of keys, by its index alone.
 *
 * Truth     low <= true <= high holds for each number, of point entries (every version counts) and of the file's bytes that belong to them.
 * Bounds    the blocks where lower and upper fall are the only ones in doubt, and of the others each has at least one entry. The
 *           estimate takes half of those two, and entries in proportion to bytes.
 */
#ifndef TABLE_TABLE_ESTIMATE_H
#define TABLE_TABLE_ESTIMATE_H

#include "table/table_reader.h"

struct table_amount {
	uint64_t about, low, high;
};
struct table_estimate {
	struct table_amount entries, bytes;
};

/*
 * lower inclusive, upper exclusive, data NULL = none. A table wholly inside or outside is answered from its meta; else it reads at most two
 * index partitions, through the cache. 0, < 0.
 */
int table_estimate(struct table *t, struct silt_slice lower, struct silt_slice upper, struct table_estimate *out) SILT_MUST_CHECK;

#endif
