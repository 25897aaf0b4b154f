/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ingest.h - a sorted stream becomes tables that no version names yet, and where each of them belongs once it is known when.
 *
 * Rules     (1) one entry a key, keys strictly ascending; all are stored under TABLE_UNASSIGNED, for the version comes last.
 *           (2) a table goes to the deepest level that has nothing of its range, and neither has any level above: there it is the
 *           newest of its keys for every reader (version.h, rules 1 to 3). Where level 0 itself has something, to level 0.
 *           (3) not into the gap that a running compaction's outputs may come to span.
 */
#ifndef JOB_INGEST_H
#define JOB_INGEST_H

#include "job/output.h"
#include "job/pick.h"

struct ingest_run {
	struct job *job;                  /* borrowed */
	struct job_counts counts;
	struct output out;
	struct silt_buf last;             /* the key before */
};

void ingest_run_init(struct ingest_run *r, struct job *job);
void ingest_run_fini(struct ingest_run *r);      /* removes the tables that were not taken */
/* 0; SILT_E_MISUSE: the key is not above the one before, nothing changed; after another failure only ingest_run_fini() may follow. */
int ingest_run_add(struct ingest_run *r, const struct entry *e) SILT_MUST_CHECK;
/* Finishes and verifies the last table: r->out.made are all of them, in the order of their keys. */
int ingest_run_finish(struct ingest_run *r) SILT_MUST_CHECK;

/* Rules 2 and 3, pure: the level for a table of [smallest, largest]. */
int ingest_level(const struct version *v, const struct pick *const *running, size_t n, struct silt_slice smallest,
                 struct silt_slice largest);

#endif
