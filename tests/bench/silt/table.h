/* SPDX-License-Identifier: Apache-2.0 */
/* table.h - results gathered over the rounds, and printed: medians with minimum and maximum, ratios, goals. */
#ifndef BENCH_SILT_TABLE_H
#define BENCH_SILT_TABLE_H

#include "cell.h"

enum { TABLE_ROUNDS = 32, TABLE_ROWS = 16 };

/* All rounds of one row. */
struct table_line {
	const struct cell_row *row;
	unsigned rounds, failed;
	uint64_t wrong;
	double ops[TABLE_ROUNDS], cpu[TABLE_ROUNDS], cpu_ns[TABLE_ROUNDS];        /* cpu_ns: of an operation */
	double written[TABLE_ROUNDS], dirtied[TABLE_ROUNDS], space[TABLE_ROUNDS], resident[TABLE_ROUNDS];
	struct hist hist;
};

/* All rows of one workload. */
struct table {
	const struct work *work;
	unsigned lines;
	struct table_line line[TABLE_ROWS];
};

void table_add(struct table *t, const struct cell_row *row, const struct cell_result *r);
void table_print(struct table *t, FILE *out);
void table_print_goals(struct table *const *t, unsigned n, FILE *out);     /* of the workloads that have some */
bool table_failed(const struct table *t);

#endif
