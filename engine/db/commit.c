/* SPDX-License-Identifier: Apache-2.0 */
/* commit.c - the queue: who leads, who waits, who is told. */
#include "db/commit.h"

#include "db/group.h"
#include "db/measure.h"

enum { COMMIT_QUEUE_SHARE = 8 };          /* of the memory budget: what the queued asynchronous writes may hold */

int commit_init(struct silt_db *db)
{
	db->queue_tail = &db->queue_head;
	wake_init(&db->commit_wake);
	return mutex_init(&db->queue_mu);
}

void commit_fini(struct silt_db *db)
{
	mutex_fini(&db->queue_mu);
	wake_fini(&db->commit_wake);
}

void commit_request_free(struct commit_request *r)
{
	if (!r)
		return;
	silt_batch_free(r->own_batch);
	buf_fini(&r->payload);
	decide_fini(&r->decide);
	silt_result_fini(&r->result);
	mem_free(r);
}

/* ---- leading ------------------------------------------------------------------------------------------------------- */

static bool commit_goes_alone(const struct commit_request *r)
{
	return r->kind == COMMIT_ROTATE || r->kind == COMMIT_ALONE;
}

/* Bytes that wait on the store's account: who waits for the answer holds his own. */
static uint64_t commit_held(const struct commit_request *r)
{
	return r->waits ? 0 : r->payload.len;
}

/* One that waits alone may be as large as it likes. */
static bool commit_is_full(const struct silt_db *db, const struct commit_request *r) REQUIRES(db->queue_mu)
{
	uint64_t more = commit_held(r), most = db->env.opts.memory / COMMIT_QUEUE_SHARE;

	return db->queue_count >= db->env.opts.max_queue || (more && db->queue_bytes && db->queue_bytes + more > most);
}

/* As a batch, a group fits into a fresh segment whatever else is in it (rotate.c). */
static uint64_t commit_group_bytes(const struct silt_db *db)
{
	uint64_t quarter = db->env.opts.wal_segment_size / 4;

	return quarter < GROUP_BYTES ? quarter : GROUP_BYTES;
}

/* Takes what is queued, up to a group's bounds. */
static struct commit_request *commit_take_group(struct silt_db *db) REQUIRES(db->queue_mu)
{
	struct commit_request *first = db->queue_head, *last = NULL, *r;
	size_t records = 0, bytes = 0, most = commit_group_bytes(db);

	for (r = first; r; r = r->next) {
		bytes += r->payload.len + GROUP_RECORD;
		if (last && (commit_goes_alone(r) || bytes > most || records >= GROUP_RECORDS))
			break;
		records++;
		last = r;
		if (commit_goes_alone(r))
			break;
	}
	if (!last)
		return NULL;
	db->queue_head = last->next;
	if (!db->queue_head) {
		db->queue_tail = &db->queue_head;
		db->queue_turn++;
	}
	last->next = NULL;
	db->queue_count -= records;
	for (r = first; r; r = r->next)
		db->queue_bytes -= commit_held(r);
	return first;
}

/* A waiting request may be gone once it was told. Returns the gate that it waits at, if it does. */
static struct gate *commit_tell(struct commit_request *r, int what)
{
	struct gate *gate = r->first ? NULL : r->gate;

	atomic_store_explicit(&r->told, what, memory_order_release);
	if (!gate)
		wake_post(&r->wake);      /* it did not look before */
	return gate;
}

static void commit_complete(struct silt_db *db, struct commit_request *r)
{
	if (r->began_ns && r->result.code == 0)
		measure_write(db, r->flags, r->began_ns);
	if (r->fn)
		r->fn(r->ctx, &r->result);
	commit_request_free(r);
}

/* Those who wait first: their gate is one, as they were queued in one turn. */
static void commit_complete_all(struct silt_db *db, struct commit_request *r, const struct commit_request *self)
{
	struct commit_request *next, *rest = NULL, **rest_tail = &rest;
	struct gate *gate = NULL, *at;

	for (; r; r = next) {
		next = r->next;
		if (r == self)
			continue;         /* returns from commit_wait() by itself */
		if (r->waits) {
			at = commit_tell(r, COMMIT_DONE);
			gate = at ? at : gate;
		} else {
			*rest_tail = r;
			rest_tail = &r->next;
		}
	}
	*rest_tail = NULL;
	if (gate)
		gate_open(gate);
	for (r = rest; r; r = next) {
		next = r->next;
		commit_complete(db, r);
	}
}

/* Nobody is queued: leadership ends. Somebody is: chooses who leads next. True = the caller itself goes on. */
static bool commit_hand_on(struct silt_db *db, const struct commit_request *self) REQUIRES(db->queue_mu)
{
	struct commit_request *head = db->queue_head;
	struct gate *gate;

	if (!head) {
		db->leading = false;
		if (db->commit_stop)
			wake_post(&db->commit_wake);
		return false;
	}
	if (head->waits) {
		gate = commit_tell(head, COMMIT_LEAD);
		if (gate)
			gate_open(gate);  /* what a group's bounds left over: it did not come first */
		return false;
	}
	if (!self)
		return true;              /* the commit thread */
	db->commit_lead = true;
	wake_post(&db->commit_wake);
	return false;
}

/* Leads: one group for a caller (self), as many as come for the commit thread (self NULL). The first may be taken already. */
static void commit_lead(struct silt_db *db, struct commit_request *group, const struct commit_request *self)
{
	bool go_on = true, mark;

	while (go_on) {
		if (!group) {
			mutex_lock(&db->queue_mu);
			group = commit_take_group(db);
			mutex_unlock(&db->queue_mu);
		}
		group_run(db, group);
		mark = group_owes_mark(db);

		mutex_lock(&db->queue_mu);
		mark &= !db->queue_head;
		if (!mark)
			go_on = commit_hand_on(db, self);
		mutex_unlock(&db->queue_mu);
		commit_complete_all(db, group, self);
		group = NULL;
		if (!mark)
			continue;
		group_mark(db);           /* still the leader: nobody else writes */

		mutex_lock(&db->queue_mu);
		go_on = commit_hand_on(db, self);
		mutex_unlock(&db->queue_mu);
	}
}

/* ---- entering ------------------------------------------------------------------------------------------------------ */

/* 0 = queued; *group: a waiting caller was made leader, of this group. */
static int commit_enqueue(struct silt_db *db, struct commit_request *r, struct commit_request **group)
{
	int rc = 0;

	*group = NULL;
	mutex_lock(&db->queue_mu);
	if (db->closed) {
		rc = SILT_E_CLOSED;
	} else if (r->kind == COMMIT_WRITE && commit_is_full(db, r)) {
		rc = SILT_E_BUSY;
	} else {
		r->next = NULL;
		r->first = !db->queue_head;
		r->gate = &db->queue_gates[db->queue_turn & 1];
		*db->queue_tail = r;
		db->queue_tail = &r->next;
		db->queue_count++;
		db->queue_bytes += commit_held(r);
		if (!db->leading) {
			db->leading = true;
			if (r->waits) {
				*group = commit_take_group(db);
			} else {
				db->commit_lead = true;
				wake_post(&db->commit_wake);
			}
		}
	}
	mutex_unlock(&db->queue_mu);
	return rc;
}

/* Returns what it was told. */
static int commit_sleep(struct commit_request *r)
{
	int told;

	if (r->first)
		wake_wait(&r->wake);
	for (;;) {
		uint32_t seen = gate_seen(r->gate);

		told = atomic_load_explicit(&r->told, memory_order_acquire);
		if (told != COMMIT_QUEUED)
			return told;
		gate_wait(r->gate, seen);
	}
}

int commit_wait(struct silt_db *db, struct commit_request *r)
{
	struct commit_request *group;
	int rc;

	r->waits = true;
	atomic_init(&r->told, COMMIT_QUEUED);
	wake_init(&r->wake);
	rc = commit_enqueue(db, r, &group);
	if (rc == 0) {
		if (group || commit_sleep(r) == COMMIT_LEAD)
			commit_lead(db, group, r);
		rc = r->result.code;
	}
	wake_fini(&r->wake);
	return rc;
}

int commit_submit(struct silt_db *db, struct commit_request *r)
{
	struct commit_request *group;

	r->waits = false;
	return commit_enqueue(db, r, &group);
}

void commit_kick(struct silt_db *db, enum commit_kind kind)
{
	struct commit_request *r = mem_calloc(1, sizeof(*r));

	if (!r)
		return;                   /* the next tick tries again */
	r->kind = kind;
	if (commit_submit(db, r) < 0)
		commit_request_free(r);
}

/* ---- the commit thread ---------------------------------------------------------------------------------------------- */

/* Appended, and not synced for most of sync_interval? */
static bool commit_sync_due(struct silt_db *db)
{
	uint64_t since = atomic_load_explicit(&db->wal_unsynced_ns, memory_order_relaxed);
	uint64_t wait_ns = db->env.opts.sync_interval_ms * 1000000u / 4 * 3;

	return since && db_fault(db) == 0 && db->env.os->mono_ns(db->env.os) - since >= wait_ns;
}

static void *commit_thread(void *arg)
{
	struct silt_db *db = arg;
	uint64_t tick_ms = db->env.opts.sync_interval_ms / 4 ? db->env.opts.sync_interval_ms / 4 : 1;
	bool stop = false;

	while (!stop) {
		bool lead;

		if (!wake_wait_ms(&db->commit_wake, tick_ms) && commit_sync_due(db))
			commit_kick(db, COMMIT_SYNC);
		mutex_lock(&db->queue_mu);
		lead = db->commit_lead;
		db->commit_lead = false;
		mutex_unlock(&db->queue_mu);
		if (lead)
			commit_lead(db, NULL, NULL);
		mutex_lock(&db->queue_mu);
		stop = db->commit_stop && !db->leading;
		mutex_unlock(&db->queue_mu);
	}
	return NULL;
}

int commit_start(struct silt_db *db)
{
	return thread_start(&db->commit_thread, "silt-commit", commit_thread, db);
}

void commit_end(struct silt_db *db)
{
	mutex_lock(&db->queue_mu);
	db->closed = true;
	db->commit_stop = true;
	wake_post(&db->commit_wake);
	mutex_unlock(&db->queue_mu);
	thread_join(db->commit_thread);
}
