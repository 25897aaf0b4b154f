/* SPDX-License-Identifier: Apache-2.0 */
/* jobs.c - the store's side of struct job, and starting and ending the threads that run jobs. */
#include "db/jobs.h"

#include "core/filename.h"
#include "db/snapshot.h"
#include "db/worker.h"

static uint64_t jobs_next_number(void *ctx)
{
	struct silt_db *db = ctx;
	uint64_t n;

	mutex_lock(&db->mu);
	n = db->next_file++;
	mutex_unlock(&db->mu);
	return n;
}

static bool jobs_should_stop(void *ctx)
{
	struct silt_db *db = ctx;
	bool stop;

	mutex_lock(&db->mu);
	stop = db->stop;
	mutex_unlock(&db->mu);
	return stop || db_fault(db) != 0;
}

static bool jobs_never_stop(void *ctx)
{
	return db_fault(ctx) != 0;
}

int jobs_begin(struct silt_db *db, struct job *job, bool can_stop)
{
	memset(job, 0, sizeof(*job));
	job->env = &db->env;
	job->tables = db->tables;
	job->next_number = jobs_next_number;
	job->should_stop = can_stop ? jobs_should_stop : jobs_never_stop;
	job->ctx = db;
	return snapshot_rules(db, &job->keep);
}

void jobs_end(struct job *job)
{
	mem_free((uint64_t *)job->keep.snapshots);
}

static bool jobs_is_moved(const struct edit *e, uint64_t number)
{
	for (size_t i = 0; i < e->drop_count; i++)
		if (e->drops[i].number == number)
			return true;
	return false;
}

void jobs_remove_outputs(struct silt_db *db, const struct edit *e)
{
	char path[FILENAME_MAX_BYTES];

	for (size_t i = 0; i < e->add_count && db_fault(db) == 0; i++) {
		uint64_t number = e->adds[i].meta->number;

		if (!jobs_is_moved(e, number) && filename_table(db->dir, number, false, path) == 0)
			(void)db->env.os->unlink(db->env.os, path);       /* else the next open sweeps it */
	}
}

int worker_start(struct silt_db *db)
{
	int rc = thread_start(&db->flush_thread, "silt-flush", flusher_thread, db);

	if (rc < 0)
		return rc;
	rc = thread_start(&db->compact_thread, "silt-compact", compactor_thread, db);
	if (rc < 0) {
		mutex_lock(&db->mu);
		db->stop = true;
		cond_broadcast(&db->changed);
		mutex_unlock(&db->mu);
		thread_join(db->flush_thread);
	}
	return rc;
}

void worker_end(struct silt_db *db)
{
	mutex_lock(&db->mu);
	db->stop = true;
	cond_broadcast(&db->changed);
	mutex_unlock(&db->mu);
	thread_join(db->flush_thread);
	thread_join(db->compact_thread);
}
