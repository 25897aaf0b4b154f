/* SPDX-License-Identifier: Apache-2.0 */
/* job.h - what flush and compaction have in common: where file numbers come from, whether to stop, what to count. */
#ifndef JOB_JOB_H
#define JOB_JOB_H

#include "core/env.h"
#include "job/keep.h"
#include "table/table_cache.h"
#include "version/edit.h"
#include "version/version.h"

struct job {
	struct env *env;
	struct table_cache *tables;
	uint64_t (*next_number)(void *ctx);      /* a fresh file number */
	bool (*should_stop)(void *ctx);          /* closing: the job ends with SILT_E_CLOSED and removes its outputs */
	void (*pace)(void *ctx, uint64_t bytes); /* after so many bytes written; may sleep; NULL = none */
	void (*progress)(void *ctx, uint64_t done, uint64_t total);      /* entries of a flush, now and then; NULL = none */
	void *ctx;
	struct keep_rules keep;
};
struct job_counts {
	uint64_t bytes_read, bytes_written, entries_in, entries_out, dropped, expired;
	uint64_t damaged_table;                  /* of a run that ended with SILT_E_CORRUPT: the input that is, or 0 */
};

#endif
