/* SPDX-License-Identifier: Apache-2.0 */
/* compact.h - merges the tables of a pick into its output level; outputs are cut between keys, and verified before they are offered. */
#ifndef JOB_COMPACT_H
#define JOB_COMPACT_H

#include "job/job.h"
#include "job/pick.h"

/* v: the version the pick was made from (for what lies below). edit: drops the inputs, adds the outputs. On failure no file is left. */
int compact_run(struct job *job, const struct version *v, const struct pick *p, struct edit *edit, struct job_counts *counts) SILT_MUST_CHECK;

#endif
