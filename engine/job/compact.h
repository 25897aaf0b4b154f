/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compact.h - merges the tables of a pick into its output level; outputs are cut between keys, and verified before they
 * are offered.
 *
 * Rules     (1) every entry of the inputs goes out or was dropped, by keep or with an input that range deletes hide whole: counted,
 *           and against the inputs' metas too.
 *           (2) "bottom" is asked for each key anew: nothing older of it may lie in a level below the output.
 */
#ifndef JOB_COMPACT_H
#define JOB_COMPACT_H

#include "job/job.h"
#include "job/pick.h"

/*
 * v: the version the pick was made from (for what lies below). edit: drops the inputs, adds the outputs. On failure no file is
 * left, and the edit is as it was; counts->damaged_table names the input that is damaged, if that is why (SILT_E_CORRUPT).
 */
int compact_run(struct job *job, const struct version *v, const struct pick *p, struct edit *edit,
                struct job_counts *counts) SILT_MUST_CHECK;

#endif
