/* SPDX-License-Identifier: Apache-2.0 */
/* jobs.h - what a background job of job/ needs of the store: numbers, the stop flag, the rules of the moment; and its clean-up. */
#ifndef DB_JOBS_H
#define DB_JOBS_H

#include "db/db.h"
#include "job/job.h"

/* can_stop: the job is given up when the store closes. End with jobs_end(). */
int jobs_begin(struct silt_db *db, struct job *job, bool can_stop) SILT_MUST_CHECK;
void jobs_end(struct job *job);
/* The tables that an edit adds and that could not be installed; not after a fault. */
void jobs_remove_outputs(struct silt_db *db, const struct edit *e);

void *flusher_thread(void *db);
void *compactor_thread(void *db);

#endif
