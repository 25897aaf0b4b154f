/* SPDX-License-Identifier: Apache-2.0 */
/* rotate.c - sealing a segment with its memtable and going on in the next. */
#include "db/rotate.h"

#include "db/measure.h"
#include "db/publish.h"
#include "db/stall.h"

bool rotate_due(const struct silt_db *db, size_t records, size_t payload_bytes)
{
	if (!memtable_entries(db->active))
		return false;             /* an empty segment takes any batch: a quarter of it at most */
	return memtable_bytes(db->active) >= db->env.opts.memtable_size ||
	       !log_writer_fits(db->wal, records, payload_bytes);
}

/* Waits a bounded time for the segment that the background makes. */
static int rotate_take_next(struct silt_db *db, struct log_writer **out)
{
	uint64_t waited_ms = 0, start = 0;
	int rc = 0;

	mutex_lock(&db->mu);
	if (!db->next_wal)
		start = db->env.os->mono_ns(db->env.os);
	if (db->view->sealed_count + 1 >= VIEW_SEALED_MAX)
		rc = SILT_E_BUSY;         /* flushes fail, and somebody asks for more of them */
	while (!db->next_wal && rc == 0) {
		if (db->next_wal_error)
			rc = db->next_wal_error;
		else if (waited_ms >= STALL_BOUND_MS)
			rc = SILT_E_BUSY;
		else if (cond_wait_ms(&db->changed, &db->mu, 100) != 0)
			waited_ms += 100;
	}
	if (rc == 0) {
		*out = db->next_wal;
		db->next_wal = NULL;
		db->rotating = true;      /* no other segment of its number is made meanwhile */
	}
	mutex_unlock(&db->mu);
	if (start)
		measure_stall(db, SILT_STALL_SEGMENT, start);
	return rc;
}

static void rotate_give_back(struct silt_db *db, struct log_writer *w)
{
	mutex_lock(&db->mu);
	db->next_wal = w;
	db->rotating = false;
	mutex_unlock(&db->mu);
}

/* The new view: the active memtable becomes the newest sealed one. */
static void rotate_publish(struct silt_db *db, struct view *next, struct memtable *fresh)
{
	struct memtable *sealed[VIEW_SEALED_MAX];
	size_t n;

	mutex_lock(&db->mu);
	n = db->view->sealed_count;
	sealed[0] = db->active;
	memcpy(sealed + 1, db->view->sealed, n * sizeof(*sealed));
	view_fill(next, fresh, sealed, n + 1, db->view->set);
	publish_view(db, next);
	db->active_since_ns = db->env.os->mono_ns(db->env.os);
	mutex_unlock(&db->mu);
}

/* The new segment is the active one: the background may make the one after it. */
static void rotate_done(struct silt_db *db)
{
	atomic_store_explicit(&db->wal_number, log_writer_number(db->wal), memory_order_relaxed);
	atomic_store_explicit(&db->wal_end, log_writer_end(db->wal), memory_order_relaxed);
	mutex_lock(&db->mu);
	db->rotating = false;
	cond_broadcast(&db->changed);
	mutex_unlock(&db->mu);
}

int rotate_run(struct silt_db *db)
{
	struct log_writer *wal = NULL;
	struct memtable *fresh = NULL;
	struct view *next = NULL;
	uint64_t start;
	int rc = rotate_take_next(db, &wal);

	if (rc < 0)
		return rc;
	next = view_new();
	rc = next ? memtable_new(log_writer_number(wal), &fresh) : SILT_E_NOMEM;
	if (rc < 0) {
		rotate_give_back(db, wal);
		mem_free(next);
		return rc;
	}
	start = db->env.os->mono_ns(db->env.os);
	rc = log_writer_seal(db->wal, db->last_version, 0);
	if (rc < 0) {
		rotate_give_back(db, wal);
		mem_free(next);
		memtable_unref(fresh);
		return db_set_fault(db, rc, "sealing the log segment");
	}
	measure_sync(db, start);
	atomic_store_explicit(&db->wal_unsynced_ns, 0, memory_order_relaxed);
	atomic_store_explicit(&db->durable, db->last_version, memory_order_relaxed);
	rotate_publish(db, next, fresh);
	memtable_unref(db->active);
	db->active = fresh;
	log_writer_free(db->wal);
	db->wal = wal;
	db->wal_unmarked = false;
	rotate_done(db);
	return 0;
}
