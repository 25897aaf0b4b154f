/* SPDX-License-Identifier: Apache-2.0 */
/* flusher.c - the flush thread: memtables to tables, segments ahead, and the broom. */
#include "db/commit.h"
#include "db/gc.h"
#include "db/install.h"
#include "db/jobs.h"
#include "db/publish.h"
#include "db/segments.h"
#include "db/stall.h"
#include "db/worker.h"
#include "job/flush.h"

enum { FLUSHER_TICK_MS = 1000 };

void worker_look_at_disk(struct silt_db *db)
{
	uint64_t bytes = 0;
	bool low;

	if (db->env.os->free_space(db->env.os, db->dir, &bytes) != 0)
		return;
	low = bytes < db->env.opts.min_free_space;
	if (low != atomic_exchange(&db->low_space, low))
		report_note(&db->env.rep, low ? SILT_LOG_WARNING : SILT_LOG_INFO,
		            low ? "%s: the disk is nearly full: writes are refused until there is room"
		                : "%s: there is room on the disk again: writes are taken",
		            db->dir);
	mutex_lock(&db->mu);
	db->free_bytes = bytes;
	mutex_unlock(&db->mu);
}

/* The oldest sealed memtable, referenced; *next_wal is the first segment needed once it is flushed. */
static struct memtable *flusher_oldest(struct silt_db *db, uint64_t *next_wal)
{
	struct memtable *m = NULL;
	struct view *v;
	size_t n;

	mutex_lock(&db->mu);
	v = db->view;
	n = v->sealed_count;
	if (n && db_fault(db) == 0) {
		m = memtable_ref(v->sealed[n - 1]);
		*next_wal = memtable_wal_number(n > 1 ? v->sealed[n - 2] : v->active);
	}
	mutex_unlock(&db->mu);
	return m;
}

static int flusher_install(struct silt_db *db, struct memtable *m, struct edit *e, uint64_t next_wal)
{
	int rc;

	e->has_wal_number = true;
	e->wal_number = next_wal;
	e->has_last_version = true;
	e->last_version = memtable_max_version(m);
	rc = install_edit(db, e, m);
	if (rc < 0)
		jobs_remove_outputs(db, e);
	else
		segments_trim(db, next_wal);
	return rc;
}

/*
 * Two thirds of a flush; the rest is the sync, and reading it back. A segment that the leader took meanwhile is made here: the next rotation
 * should not have to wait for the flush to end. What failed is tried again by flusher_work().
 */
static void flusher_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct silt_db *db = ctx;
	bool failed;

	atomic_store_explicit(&db->flush_share, (unsigned)(done * STALL_FLUSHED * 2 / 3 / total), memory_order_relaxed);
	mutex_lock(&db->mu);
	failed = db->next_wal_error != 0;
	mutex_unlock(&db->mu);
	if (!failed)
		(void)segments_prepare(db);
}

static int flusher_flush(struct silt_db *db, struct memtable *m, uint64_t next_wal)
{
	struct job_counts counts = { 0 };
	struct job job;
	struct edit e;
	int rc = jobs_begin(db, &job, false);

	if (rc < 0)
		return rc;
	job.progress = flusher_progress;
	edit_init(&e);
	rc = flush_run(&job, m, &e, &counts);
	if (rc == 0)
		rc = flusher_install(db, m, &e, next_wal);
	atomic_store_explicit(&db->flush_share, 0, memory_order_relaxed);
	if (rc == 0) {
		db_count(&db->count.flushes, 1);
		db_count(&db->count.flush_bytes, counts.bytes_written);
		db_count(&db->count.level_compactions[0], 1);
		db_count(&db->count.level_write[0], counts.bytes_written);
		db_count(&db->count.dropped, counts.dropped);
		db_count(&db->count.expired, counts.expired);
	}
	edit_fini(&e);
	jobs_end(&job);
	return rc;
}

/* 0: one is flushed; SILT_NOTFOUND: nothing to flush; < 0: try again later. */
static int flusher_step(struct silt_db *db)
{
	uint64_t next_wal = 0;
	struct memtable *m = flusher_oldest(db, &next_wal);
	int rc;

	if (!m)
		return SILT_NOTFOUND;
	rc = flusher_flush(db, m, next_wal);
	memtable_unref(m);
	mutex_lock(&db->mu);
	db->flush_error = rc;
	db->compact_asked = true;
	cond_broadcast(&db->changed);
	mutex_unlock(&db->mu);
	worker_look_at_disk(db);                  /* a fast writer would be through the reserve before the next tick */
	return rc;
}

static void flusher_tick(struct silt_db *db)
{
	uint64_t interval = db->env.opts.flush_interval_ms, age_ms;

	worker_look_at_disk(db);
	mutex_lock(&db->mu);
	age_ms = (db->env.os->mono_ns(db->env.os) - db->active_since_ns) / 1000000;
	if (interval && age_ms >= interval)
		db->active_since_ns = db->env.os->mono_ns(db->env.os);
	mutex_unlock(&db->mu);
	if (interval && age_ms >= interval)
		commit_kick(db, COMMIT_ROTATE);
}

/* After a failure nothing is tried again before the next tick. */
static bool flusher_has_work(const struct silt_db *db, bool hold) REQUIRES(db->mu)
{
	if (db->retired)
		return true;
	return !hold && db_fault((struct silt_db *)db) == 0 &&
	       (db->view->sealed_count || (!db->next_wal && !db->rotating));
}

/* Sleeps until there may be something to do; false when the store is closing. */
static bool flusher_wait(struct silt_db *db, bool hold)
{
	bool stop;

	mutex_lock(&db->mu);
	if (!db->stop && !flusher_has_work(db, hold))
		(void)cond_wait_ms(&db->changed, &db->mu, FLUSHER_TICK_MS);
	stop = db->stop;
	mutex_unlock(&db->mu);
	return !stop;
}

/* True: something failed. A flush is tried also where no segment can be made: it gives back room, and somebody may wait for it. */
static bool flusher_work(struct silt_db *db)
{
	int prepared = segments_prepare(db), flushed = flusher_step(db);

	return prepared < 0 || flushed < 0;
}

void *flusher_thread(void *arg)
{
	struct silt_db *db = arg;
	silt_os *os = db->env.os;
	uint64_t last_tick = 0;
	bool hold = false;

	do {
		if (os->mono_ns(os) - last_tick >= FLUSHER_TICK_MS * UINT64_C(1000000)) {
			last_tick = os->mono_ns(os);
			hold = false;
			flusher_tick(db);
		}
		publish_reap(db);
		if (!hold)
			hold = flusher_work(db);
		publish_reap(db);
		gc_run(db);
	} while (flusher_wait(db, hold));
	return NULL;
}
