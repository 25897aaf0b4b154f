/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ingest.c - tables made beside the store, and the moment when they become part of it.
 *
 *   add      -> job/ingest: tables, synced and read back, that no manifest names: a crash leaves orphans for the sweep
 *   commit   -> silt_flush, so that little is left for the leader to wait for
 *            -> as the leader, between two groups: memory is emptied into level 0; the version V is given, and said in the log by a
 *               SKIP; the tables are placed (job/ingest.h) and installed: one edit, one sync; V is published
 *
 * Why memory is empty at V (!): a reader asks memtables before tables, so what is older than the tables must lie below them; and
 * recovery finds no write at or below V in the log, which is how it tells an old log beside a newer manifest (recover.c).
 * The floor (!) is V before the view shows the tables: evidence that was read below V says nothing of them (decide.h).
 * The SKIP is synced before the tables are named: it is what tells a reader of changes, whenever, that there is more than the log has.
 */
#include "core/filename.h"
#include "db/commit.h"
#include "db/feed.h"
#include "db/install.h"
#include "db/jobs.h"
#include "db/ops.h"
#include "db/rotate.h"
#include "job/ingest.h"

enum { INGEST_RUNNING_MAX = 64 };

struct silt_ingest {
	struct silt_db *db;
	struct job job;
	struct ingest_run run;
	uint64_t version;                 /* given by the leader; 0 = not yet */
	int rc;                           /* the failure that ended it */
	bool committed;
};

int silt_ingest_begin(silt_db *db, silt_ingest **out)
{
	struct silt_ingest *in;
	int rc;

	if (!db || !out)
		return SILT_E_MISUSE;
	if (db->env.opts.read_only || db_fault(db) != 0)
		return SILT_E_FAULT;
	in = mem_calloc(1, sizeof(*in));
	if (!in)
		return SILT_E_NOMEM;
	in->db = db;
	rc = jobs_begin(db, &in->job, true);
	if (rc < 0) {
		mem_free(in);
		return rc;
	}
	ingest_run_init(&in->run, &in->job);
	*out = in;
	return 0;
}

static int ingest_check(const struct silt_ingest *in, struct silt_slice key, struct silt_slice value,
                        const struct silt_put_options *opts)
{
	if (!in || !key.data || key.len == 0 || (value.len && !value.data) || (opts && opts->meta.len && !opts->meta.data))
		return SILT_E_MISUSE;
	if (key.len > SILT_KEY_MAX || value.len > SILT_VALUE_MAX || (opts && opts->meta.len > SILT_META_MAX))
		return SILT_E_TOOBIG;
	if (in->committed)
		return SILT_E_MISUSE;
	return in->rc;
}

int silt_ingest_add(silt_ingest *in, struct silt_slice key, struct silt_slice value, const struct silt_put_options *opts)
{
	struct entry e = { .key = key, .kind = ENTRY_PUT, .value = value };
	int rc = ingest_check(in, key, value, opts);

	if (rc < 0)
		return rc;
	if (db_fault(in->db) != 0)
		return SILT_E_FAULT;
	if (atomic_load_explicit(&in->db->low_space, memory_order_relaxed))
		return SILT_E_NOSPACE;    /* the reserve is for flushes and compactions */
	if (opts) {
		e.expires_ms = opts->expires_ms;
		e.meta = opts->meta;
	}
	rc = ingest_run_add(&in->run, &e);
	if (rc < 0 && rc != SILT_E_MISUSE)
		in->rc = rc;
	return rc;
}

/* ---- the leader's part -------------------------------------------------------------------------------------------------- */

/* Everything that was written is in tables, and the segment has room for whatever group comes next. */
static int ingest_empty_memory(struct silt_db *db)
{
	int rc = 0;

	if (memtable_entries(db->active) || !log_writer_fits(db->wal, 1, db->env.opts.wal_segment_size / LOG_BATCH_SHARE))
		rc = rotate_run(db);
	if (rc < 0)
		return rc;
	ops_forget_flush_error(db);
	return ops_wait_flushed(db, log_writer_number(db->wal));
}

static int ingest_give_version(struct silt_db *db, uint64_t *version)
{
	int rc = log_writer_reserve(db->wal, 1, 0);

	if (rc < 0)
		return rc;
	if (db->last_version >= SILT_VERSION_MAX)
		return SILT_E_TOOBIG;
	*version = ++db->last_version;
	log_writer_add(db->wal, LOG_SKIP, LOG_SKIP_UNLOGGED, *version, slice_of(NULL, 0));
	rc = log_writer_append(db->wal);
	if (rc == 0)
		rc = log_writer_sync(db->wal);
	if (rc < 0)
		return db_set_fault(db, rc, "appending to the log");
	atomic_store_explicit(&db->wal_end, log_writer_end(db->wal), memory_order_relaxed);
	return 0;
}

/* Where each table goes. Under mu: a compaction that gives up takes its pick along. */
static void ingest_find_levels(const struct silt_ingest *in, const struct version *v, int *levels) REQUIRES(in->db->mu)
{
	const struct pick *running[INGEST_RUNNING_MAX];
	const struct db_running *r = in->db->running;
	size_t n = 0;

	for (; r && n < INGEST_RUNNING_MAX; r = r->next)
		running[n++] = r->pick;
	for (size_t i = 0; i < in->run.out.made_count; i++) {
		const struct table_meta *m = in->run.out.made[i];

		levels[i] = r ? 0 : ingest_level(v, running, n, m->smallest, m->largest);
	}
}

/* With the baton. */
static int ingest_plan(void *ctx, const struct version *v, struct edit *e)
{
	struct silt_ingest *in = ctx;
	size_t n = in->run.out.made_count;
	int *levels = mem_array(n, sizeof(*levels));
	int rc = levels ? 0 : SILT_E_NOMEM;

	if (rc == 0) {
		mutex_lock(&in->db->mu);
		ingest_find_levels(in, v, levels);
		mutex_unlock(&in->db->mu);
	}
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct table_meta *m = in->run.out.made[i];

		m->assigned = m->min_version = m->max_version = in->version;
		rc = edit_add_table(e, levels[i], m);
	}
	mem_free(levels);
	return rc;
}

/* No compaction begins between the look at those that run and the view that shows the tables. */
static void ingest_hold_compaction(struct silt_db *db, bool hold)
{
	mutex_lock(&db->mu);
	db->ingesting = hold;
	db->ingests += hold;
	cond_broadcast(&db->changed);
	mutex_unlock(&db->mu);
}

static int ingest_install(struct silt_db *db, struct silt_ingest *in)
{
	struct edit e;
	int rc;

	edit_init(&e);
	e.has_wal_number = true;
	e.wal_number = log_writer_number(db->wal);
	e.has_last_version = true;
	e.last_version = in->version;
	ingest_hold_compaction(db, true);
	rc = install_planned(db, &e, ingest_plan, in, in->version);
	ingest_hold_compaction(db, false);
	edit_fini(&e);
	return rc;
}

static int ingest_alone(struct silt_db *db, void *ctx)
{
	struct silt_ingest *in = ctx;
	int rc = ingest_empty_memory(db);

	if (rc == 0)
		rc = ingest_give_version(db, &in->version);
	if (rc == 0)
		rc = ingest_install(db, in);
	if (rc < 0)
		return rc;
	atomic_store_explicit(&db->durable, in->version, memory_order_relaxed);
	atomic_store_explicit(&db->published, in->version, memory_order_release);
	feed_cut(db, in->version);
	return 0;
}

/* ---- commit, end --------------------------------------------------------------------------------------------------------- */

/* They are the version's now. */
static void ingest_let_go(struct silt_ingest *in)
{
	struct output *o = &in->run.out;

	while (o->made_count > 0)
		table_meta_unref(o->made[--o->made_count]);
}

static void ingest_wake_compactor(struct silt_db *db)
{
	mutex_lock(&db->mu);
	db->compact_asked = true;
	cond_broadcast(&db->changed);
	mutex_unlock(&db->mu);
}

static int ingest_commit(struct silt_ingest *in)
{
	struct commit_request r = { .kind = COMMIT_ALONE, .alone = ingest_alone, .ctx = in };
	struct silt_db *db = in->db;
	int rc = ingest_run_finish(&in->run);

	if (rc < 0) {
		in->rc = rc;
		return rc;
	}
	if (in->run.out.made_count == 0) {
		in->version = atomic_load_explicit(&db->published, memory_order_acquire);
		return 0;
	}
	rc = silt_flush(db);
	if (rc == 0)
		rc = commit_wait(db, &r);
	if (rc == 0)
		ingest_wake_compactor(db);
	return rc;
}

int silt_ingest_commit(silt_ingest *in, uint64_t *version)
{
	int rc;

	if (!in || in->committed)
		return SILT_E_MISUSE;
	if (in->rc < 0)
		return in->rc;
	rc = ingest_commit(in);
	if (rc < 0)
		return rc;
	in->committed = true;
	ingest_let_go(in);
	if (version)
		*version = in->version;
	return 0;
}

void silt_ingest_end(silt_ingest *in)
{
	if (!in)
		return;
	if (db_fault(in->db) != 0)
		ingest_let_go(in);        /* a manifest in doubt may name them: the next open knows */
	ingest_run_fini(&in->run);
	jobs_end(&in->job);
	mem_free(in);
}
