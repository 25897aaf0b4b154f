/* SPDX-License-Identifier: Apache-2.0 */
/* ops.c - flush, compact and verify on request: each asks the thread whose work it is, and waits. */
#include "db/ops.h"

#include "db/commit.h"
#include "db/publish.h"
#include "job/verify.h"

int ops_wait_flushed(struct silt_db *db, uint64_t number)
{
	int rc = 0;

	mutex_lock(&db->mu);
	for (;;) {
		size_t n = db->view->sealed_count;

		if (n == 0 || memtable_wal_number(db->view->sealed[n - 1]) >= number)
			break;
		rc = db_fault(db) ? SILT_E_FAULT : db->stop ? SILT_E_CLOSED : db->flush_error;
		if (rc < 0)
			break;
		cond_wait(&db->changed, &db->mu);
	}
	mutex_unlock(&db->mu);
	return rc < 0 ? rc : 0;
}

void ops_forget_flush_error(struct silt_db *db)
{
	mutex_lock(&db->mu);
	db->flush_error = 0;
	mutex_unlock(&db->mu);
}

int silt_flush(silt_db *db)
{
	struct commit_request r = { .kind = COMMIT_ROTATE };
	int rc;

	if (!db || db->env.opts.read_only)
		return SILT_E_MISUSE;
	ops_forget_flush_error(db);
	rc = commit_wait(db, &r);
	return rc < 0 ? rc : ops_wait_flushed(db, atomic_load(&db->wal_number));
}

/* At the end of what is asked, and waits for its turn to be over. */
static int ops_ask_compaction(struct silt_db *db, struct db_manual *m)
{
	struct db_manual **end = &db->manual;

	mutex_lock(&db->mu);
	if (db->stop) {
		mutex_unlock(&db->mu);
		return SILT_E_CLOSED;
	}
	while (*end)
		end = &(*end)->next;
	*end = m;
	cond_broadcast(&db->changed);
	while (!m->done)
		cond_wait(&db->changed, &db->mu);
	mutex_unlock(&db->mu);
	return m->rc;
}

int silt_compact(silt_db *db)
{
	return silt_compact_range(db, slice_of(NULL, 0), slice_of(NULL, 0));
}

int silt_compact_range(silt_db *db, struct silt_slice lower, struct silt_slice upper)
{
	struct db_manual m = { .lower = lower, .upper = upper };
	int rc;

	if (lower.len > SILT_KEY_MAX || upper.len > SILT_KEY_MAX || (lower.len && !lower.data) || (upper.len && !upper.data))
		return SILT_E_MISUSE;
	rc = silt_flush(db);
	if (rc < 0 || (upper.len && slice_cmp(lower, upper) >= 0))
		return rc;
	return ops_ask_compaction(db, &m);
}

/* The compaction thread answers them, when it has nothing of theirs in hand. */
void silt_compact_cancel(silt_db *db)
{
	if (!db)
		return;
	mutex_lock(&db->mu);
	if (db->manual) {
		db->manual_cancelled = true;
		cond_broadcast(&db->changed);
	}
	mutex_unlock(&db->mu);
}

int silt_verify(silt_db *db, silt_progress_fn *progress, void *ctx)
{
	struct verify_result result;
	struct view *v;
	int rc;

	if (!db)
		return SILT_E_MISUSE;
	rcu_begin();
	v = view_ref(rcu_load(db->view));
	rcu_end();
	rc = verify_run(&db->env, db->tables, v->set->version, progress, ctx, &result);
	view_unref(v);
	return rc;
}
