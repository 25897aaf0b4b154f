/* SPDX-License-Identifier: Apache-2.0 */
/* verify.h - every table of a version, from the disk: digests, order, counts, ranges; goes on after a finding. */
#ifndef JOB_VERIFY_H
#define JOB_VERIFY_H

#include "core/env.h"
#include "table/table_cache.h"
#include "version/version.h"

struct verify_result {
	uint64_t tables, damaged, bytes, entries;
};
/* 0 = all sound; SILT_E_CORRUPT = findings, each reported; SILT_END = stopped by progress; others < 0. */
int verify_run(struct env *env, struct table_cache *tables, const struct version *v, silt_progress_fn *progress, void *ctx,
               struct verify_result *out) SILT_MUST_CHECK;

#endif
