/* SPDX-License-Identifier: Apache-2.0 */
/*
 * group.c - one group, from judgement to publication.
 *
 *   several requests   admit -> for each write: judge, reserve, insert, encode -> one pwrite, one fdatasync -> publish
 *   one write alone    admit -> judge, reserve, look for its place, encode -> one pwrite, one fdatasync -> insert -> publish
 *
 * Of several the later are judged by what the earlier inserted, so their entries are in the memtable before they are in the log. By a write
 * alone nobody is judged: it is inserted once it is stored, and the memory of its place comes meanwhile.
 * Readers stop at `published`, so nobody sees an entry before its group is published. If the append or the sync fails it never is:
 * the fault is set, and a memtable, which may hold some of the group's entries, is not flushed after a fault. (!)
 */
#include "db/group.h"

#include "core/batch_reader.h"
#include "db/feed.h"
#include "db/measure.h"
#include "db/rotate.h"
#include "db/stall.h"

struct group {
	struct commit_request *first;
	size_t records, payload_bytes;
	uint64_t late;                    /* version of a write alone, which is inserted once it is stored; 0 = inserted when judged */
	uint64_t now_ms;                  /* 0 = not asked yet */
	uint64_t appended;                /* DATA records added */
	bool writes;                      /* not only requests to sync */
	bool wants_sync;                  /* a request that waits for durability is in it */
};

static void group_fail(struct commit_request *r, int code)
{
	for (; r; r = r->next)
		r->result.code = code;
}

static void group_measure(struct group *g)
{
	for (struct commit_request *r = g->first; r; r = r->next) {
		g->writes |= r->kind == COMMIT_WRITE;
		g->records += r->payload.len != 0;
		g->payload_bytes += r->payload.len;
		g->wants_sync |= r->kind == COMMIT_SYNC || !(r->flags & SILT_ASYNC);
	}
}

/* ---- admission: everything that may refuse, before anything is changed ---------------------------------------------- */

static int group_admit(struct silt_db *db, struct group *g)
{
	int rc = stall_wait(db, g->records, g->payload_bytes);

	if (rc == 0 && rotate_due(db, g->records, g->payload_bytes))
		rc = rotate_run(db);
	if (rc == 0)
		rc = log_writer_reserve(db->wal, g->records, g->payload_bytes);
	return rc;
}

/* ---- one write -------------------------------------------------------------------------------------------------------- */

static int group_reserve_entries(struct silt_db *db, const struct commit_request *r)
{
	struct batch_reader reader;
	struct entry e;
	size_t cost = 0, ranges = 0, bounds = 0;
	int rc = batch_reader_init(&reader, buf_slice(&r->payload));

	while (rc == 0 && (rc = batch_reader_next(&reader, &e)) == 0) {
		cost += memtable_cost(&e);
		ranges += e.kind == ENTRY_RANGE_DELETE;
		bounds += e.kind == ENTRY_RANGE_DELETE ? e.key.len + e.value.len : 0;
	}
	if (rc == SILT_END)
		rc = memtable_reserve(db->active, cost);
	return rc == 0 ? memtable_reserve_ranges(db->active, ranges, bounds) : rc;
}

/* Can't fail: reserved, and the payload was encoded by us. */
static void group_insert(struct silt_db *db, const struct commit_request *r, uint64_t version)
{
	struct batch_reader reader;
	struct entry e;

	if (batch_reader_init(&reader, buf_slice(&r->payload)) != 0)
		return;
	while (batch_reader_next(&reader, &e) == 0) {
		e.version = version;
		memtable_insert(db->active, &e);
	}
}

/* Where nobody behind it is to be judged by what it inserts, the log is written while the memory of its place comes. */
static void group_insert_late(struct silt_db *db, struct group *g, uint64_t version)
{
	struct batch_reader reader;
	struct entry e;

	g->late = version;
	if (batch_reader_init(&reader, buf_slice(&g->first->payload)) != 0 || batch_reader_next(&reader, &e) != 0)
		return;
	e.version = version;
	memtable_expect(db->active, &e);
}

/* Only deletes? (The payload of one with sums is not written yet.) */
static bool group_shrinks(const struct commit_request *r)
{
	struct batch_reader reader;
	struct entry e;

	if (r->decide.add_count || batch_reader_init(&reader, buf_slice(&r->payload)) != 0)
		return false;
	while (batch_reader_next(&reader, &e) == 0)
		if (e.kind == ENTRY_PUT)
			return false;
	return true;
}

/* The disk's reserve is for flushes and compactions; deletes help them. */
static bool group_no_room(struct silt_db *db, const struct commit_request *r)
{
	return r->payload.len && atomic_load_explicit(&db->low_space, memory_order_relaxed) && !group_shrinks(r);
}

/* The group's one time, once somebody asks. */
static uint64_t group_now(struct silt_db *db, struct group *g)
{
	if (!g->now_ms)
		g->now_ms = db_now_ms(db);
	return g->now_ms;
}

/* What was only room so far (write.c) becomes the payload. */
static int group_seal_sums(struct group *g, struct commit_request *r)
{
	size_t room = r->payload.len;
	int rc = batch_seal_sums(r->batch, r->decide.sums, &r->payload);

	g->payload_bytes -= room - r->payload.len;
	return rc;
}

static void group_write(struct silt_db *db, struct group *g, struct commit_request *r)
{
	int rc = group_no_room(db, r) ? SILT_E_NOSPACE : 0;

	if (rc == 0 && r->decide.n)
		rc = decide_judge(db, r->batch, &r->decide, group_now(db, g), &r->result);
	if (rc == 0 && r->decide.add_count)
		rc = group_seal_sums(g, r);
	if (rc == 0 && r->payload.len)
		rc = db->last_version < SILT_VERSION_MAX ? group_reserve_entries(db, r) : SILT_E_TOOBIG;
	r->result.code = rc;
	if (rc == SILT_CONFLICT)
		db_count(&db->count.conflicts, 1);
	if (rc == SILT_TRY_AGAIN)
		db_count(&db->count.try_agains, 1);
	if (rc != 0)
		return;
	if (r->payload.len) {
		uint64_t version = ++db->last_version;

		if (g->first->next)
			group_insert(db, r, version);
		else
			group_insert_late(db, g, version);
		log_writer_add(db->wal, LOG_DATA, 0, version, buf_slice(&r->payload));
		g->appended++;
	}
	r->result.version = db->last_version;
	decide_hand_over(&r->decide, &r->result);
}

/* ---- durable, visible ---------------------------------------------------------------------------------------------------- */

static int group_sync(struct silt_db *db)
{
	silt_os *os = db->env.os;
	uint64_t start = os->mono_ns(os);
	int rc = log_writer_sync(db->wal);

	if (rc < 0)
		return db_set_fault(db, rc, "syncing the log");
	measure_sync(db, start);
	atomic_store_explicit(&db->wal_unsynced_ns, 0, memory_order_relaxed);
	atomic_store_explicit(&db->durable, db->last_version, memory_order_relaxed);
	return 0;
}

static void group_note_unsynced(struct silt_db *db)
{
	uint64_t none = 0;

	if (atomic_load_explicit(&db->wal_unsynced_ns, memory_order_relaxed) == 0)
		atomic_compare_exchange_strong(&db->wal_unsynced_ns, &none, db->env.os->mono_ns(db->env.os));
}

static int group_store(struct silt_db *db, struct group *g)
{
	uint64_t before = log_writer_end(db->wal);
	int rc = 0;

	if (g->appended) {
		rc = log_writer_append(db->wal);
		if (rc < 0)
			return db_set_fault(db, rc, "appending to the log");
		db_count(&db->count.wal_write, log_writer_end(db->wal) - before);
		atomic_store_explicit(&db->wal_end, log_writer_end(db->wal), memory_order_relaxed);
		feed_note(db);
		group_note_unsynced(db);
		db->wal_unmarked = true;
	}
	if (g->wants_sync && log_writer_end(db->wal) > log_writer_synced_to(db->wal))
		rc = group_sync(db);
	if (rc == 0 && g->late)
		group_insert(db, g->first, g->late);
	if (rc == 0 && g->appended)
		atomic_store_explicit(&db->published, db->last_version, memory_order_release);
	if (rc == 0 && g->wants_sync)
		feed_advance(db);
	return rc;
}

static void group_run_writes(struct silt_db *db, struct group *g)
{
	int rc = group_admit(db, g);

	if (rc < 0) {
		group_fail(g->first, rc);
		return;
	}
	for (struct commit_request *r = g->first; r; r = r->next)
		if (r->kind == COMMIT_WRITE)
			group_write(db, g, r);
	rc = group_store(db, g);
	if (rc < 0) {
		group_fail(g->first, rc);     /* conflicts too: what they saw may not be durable */
		return;
	}
	db_count(&db->count.groups, 1);
	db_count(&db->count.writes, g->appended);
	db_count(&db->count.write_bytes, g->payload_bytes);
}

void group_run(struct silt_db *db, struct commit_request *first)
{
	struct group g = { .first = first };

	if (db_fault(db) != 0) {
		group_fail(first, SILT_E_FAULT);
		return;
	}
	if (first->kind == COMMIT_ROTATE) {
		first->result.code = memtable_entries(db->active) ? rotate_run(db) : 0;
		return;
	}
	if (first->kind == COMMIT_ALONE) {
		first->result.code = first->alone(db, first->ctx);
		return;
	}
	group_measure(&g);
	if (g.writes)
		group_run_writes(db, &g);
	else
		group_fail(first, group_store(db, &g));       /* no admission */
}

bool group_owes_mark(struct silt_db *db)
{
	return db->wal_unmarked && log_writer_synced_to(db->wal) == log_writer_end(db->wal) && db_fault(db) == 0;
}

void group_mark(struct silt_db *db)
{
	if (!group_owes_mark(db))
		return;
	db->wal_unmarked = false;
	if (log_writer_mark(db->wal, db->last_version) < 0) {
		(void)db_set_fault(db, SILT_E_IO, "marking the log");
		return;
	}
	atomic_store_explicit(&db->wal_end, log_writer_end(db->wal), memory_order_relaxed);
	group_note_unsynced(db);          /* synced within sync_interval, with whatever comes */
}
