/* SPDX-License-Identifier: Apache-2.0 */
/* rotate.c - sealing a segment with its memtable and going on in the next. */
#include "db/rotate.h"

#include "db/feed.h"
#include "db/measure.h"
#include "db/publish.h"
#include "db/stall.h"

bool rotate_due(const struct silt_db *db, size_t records, size_t payload_bytes)
{
	if (!memtable_entries(db->active))
		return false;             /* a segment without entries takes any batch: LOG_BATCH_SHARE */
	return memtable_used(db->active) >= db->env.opts.memtable_size ||
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

/* Everything that comes next, made before anything changes. */
struct rotate_next {
	struct log_writer *wal;
	struct memtable *fresh;
	struct view *view;
	struct chain_segment *link;
};

static int rotate_prepare(struct silt_db *db, struct rotate_next *n)
{
	n->view = view_new();
	n->link = feed_prepare(db, n->wal);
	return n->view && n->link ? memtable_new(log_writer_number(n->wal), &n->fresh) : SILT_E_NOMEM;
}

static void rotate_abandon(struct silt_db *db, struct rotate_next *n)
{
	mutex_lock(&db->mu);
	db->next_wal = n->wal;
	db->rotating = false;
	chain_unref(n->link);
	mutex_unlock(&db->mu);
	mem_free(n->view);
	memtable_unref(n->fresh);
}

/* The new view: the active memtable becomes the newest sealed one. */
static void rotate_publish(struct silt_db *db, struct rotate_next *next)
{
	struct memtable *sealed[VIEW_SEALED_MAX];
	size_t n;

	mutex_lock(&db->mu);
	n = db->view->sealed_count;
	sealed[0] = db->active;
	memcpy(sealed + 1, db->view->sealed, n * sizeof(*sealed));
	view_fill(next->view, next->fresh, sealed, n + 1, db->view->set);
	publish_view(db, next->view);
	feed_switch(db, next->link);
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
	struct rotate_next next = { 0 };
	uint64_t start;
	int rc = rotate_take_next(db, &next.wal);

	if (rc < 0)
		return rc;
	rc = rotate_prepare(db, &next);
	if (rc < 0) {
		rotate_abandon(db, &next);
		return rc;
	}
	start = db->env.os->mono_ns(db->env.os);
	rc = log_writer_seal(db->wal, db->last_version, 0);
	if (rc < 0) {
		rotate_abandon(db, &next);
		return db_set_fault(db, rc, "sealing the log segment");
	}
	measure_sync(db, start);
	atomic_store_explicit(&db->wal_unsynced_ns, 0, memory_order_relaxed);
	atomic_store_explicit(&db->durable, db->last_version, memory_order_relaxed);
	feed_advance(db);
	rotate_publish(db, &next);
	memtable_unref(db->active);
	db->active = next.fresh;
	log_writer_free(db->wal);
	db->wal = next.wal;
	db->wal_unmarked = false;
	rotate_done(db);
	return 0;
}
