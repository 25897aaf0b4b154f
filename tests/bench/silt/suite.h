/* SPDX-License-Identifier: Apache-2.0 */
/*
 * suite.h - what a run consists of: parts, each a size of store and a list of workloads, run over all rows in rounds.
 */
#ifndef BENCH_SILT_SUITE_H
#define BENCH_SILT_SUITE_H

#include "table.h"

enum { SUITE_NAMES = 32 };

/* One store's shape, and what is run on it. Zero or NULL means: as the command line says. */
struct suite_part {
	const char *title;
	const char *workloads;           /* names with spaces between, in their order; "*" = all that are not long */
	uint64_t count;
	size_t value_size;
	int key_length;                  /* -1 = mixed */
	uint64_t cache_bytes;
	double seconds;
	bool defaults;                   /* also the rows of defaults */
};

struct suite {
	const char *name;
	const struct suite_part *parts;  /* a NULL title ends them */
	const char *what;
};

/* From the command line. */
struct suite_choice {
	struct suite_part base;
	struct bench_setup setup;
	unsigned rounds;
	double seconds;                  /* 0 = the part's */
	const char *dir;
	const char *engines[SUITE_NAMES];       /* rows by name; none = all */
	const char *workloads[SUITE_NAMES];
	bool tell;
};

extern const struct suite suites[];      /* a NULL name ends it */

int suite_run(const struct suite *s, const struct suite_choice *c, FILE *out);    /* -1: a cell failed or answered wrongly */
int suite_prove(const struct suite_choice *c, FILE *out);                         /* -1: an async put was lost to kill -9 */

#endif
