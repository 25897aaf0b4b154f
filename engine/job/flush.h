/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flush.h - one sealed memtable becomes one table of level 0 (or none, where nothing is left of it); verified before it is
 * offered.
 */
#ifndef JOB_FLUSH_H
#define JOB_FLUSH_H

#include "job/job.h"
#include "mem/memtable.h"

/* edit: adds the table at level 0; wal_number is the caller's. On failure no file is left, and the edit is as it was. */
int flush_run(struct job *job, struct memtable *m, struct edit *edit, struct job_counts *counts) SILT_MUST_CHECK;

#endif
