/* SPDX-License-Identifier: Apache-2.0 */
/* compactor.c - the compaction thread: picks what is due, runs it, installs it, until nothing is left; and manual requests. */
#include "db/install.h"
#include "db/jobs.h"
#include "job/compact.h"

#include <inttypes.h>

enum { COMPACTOR_RETRY_MS = 1000 };

struct compactor_round {                  /* one pick, with what it was made from */
	struct version *version;
	struct job job;
	struct pick pick;
	struct pick_rules rules;
	struct db_running running;
	uint64_t ingests;                 /* before the pick was made */
	uint64_t damaged[DB_DAMAGED_MAX];
};

static void compactor_read_rules(struct silt_db *db, struct compactor_round *r)
{
	const struct silt_options *o = &db->env.opts;

	mutex_lock(&db->mu);
	while (db->ingesting)
		cond_wait(&db->changed, &db->mu);
	r->version = version_ref(db->version);
	r->ingests = db->ingests;
	memcpy(r->damaged, db->damaged, db->damaged_count * sizeof(*r->damaged));
	r->rules = (struct pick_rules){
		.compaction_trigger = o->compaction_trigger,
		.level_base_size = o->level_base_size,
		.level_ratio = o->level_ratio,
		.table_size = o->table_size,
		.keep = &r->job.keep,
		.manual = db->manual_before != 0,
		.manual_before = db->manual_before,
		.manual_version = db->manual_version,
		.damaged = r->damaged,
		.damaged_count = db->damaged_count,
	};
	if (db->manual_before) {                  /* its bounds stay until it is done */
		r->rules.manual_lower = db->manual->lower;
		r->rules.manual_upper = db->manual->upper;
	}
	mutex_unlock(&db->mu);
}

/* False: there are too many, or it is no table that is damaged. */
static bool compactor_note_damage(struct silt_db *db, uint64_t number)
{
	bool noted;

	mutex_lock(&db->mu);
	noted = number && db->damaged_count < DB_DAMAGED_MAX;
	if (noted)
		db->damaged[db->damaged_count++] = number;
	install_reckon(db);
	mutex_unlock(&db->mu);
	if (!noted)
		return false;
	report_note(&db->env.rep, SILT_LOG_ERROR,
	            "table %06" PRIu64 " is damaged: it stays in place and is left out of compaction; "
	            "reads of its range answer with an error", number);
	return true;
}

/* What can't be worked around would be met again every second, each time after reading its inputs. */
static int compactor_give_up(struct silt_db *db)
{
	db->compaction_off = true;
	report_note(&db->env.rep, SILT_LOG_ERROR, "%s: compaction has stopped until the store is opened again: verify it", db->dir);
	return SILT_E_CORRUPT;
}

static void compactor_count(struct silt_db *db, int level, const struct job_counts *c)
{
	db_count(&db->count.level_compactions[level], 1);
	db_count(&db->count.level_read[level], c->bytes_read);
	db_count(&db->count.level_write[level], c->bytes_written);
	db_count(&db->count.compactions, 1);
	db_count(&db->count.compaction_read, c->bytes_read);
	db_count(&db->count.compaction_write, c->bytes_written);
	db_count(&db->count.dropped, c->dropped);
	db_count(&db->count.expired, c->expired);
}

/* From now on nothing is ingested into its way. False: something was, since the pick was made. */
static bool compactor_enter(struct silt_db *db, struct compactor_round *r)
{
	bool stands;

	mutex_lock(&db->mu);
	stands = db->ingests == r->ingests;       /* one that is under way was counted when it began */
	if (stands) {
		r->running.pick = &r->pick;
		r->running.next = db->running;
		db->running = &r->running;
	}
	mutex_unlock(&db->mu);
	return stands;
}

static void compactor_leave(struct silt_db *db, struct compactor_round *r)
{
	struct db_running **link = &db->running;

	mutex_lock(&db->mu);
	while (*link != &r->running)
		link = &(*link)->next;
	*link = r->running.next;
	mutex_unlock(&db->mu);
}

static int compactor_run(struct silt_db *db, struct compactor_round *r)
{
	struct job_counts counts = { 0 };
	struct edit e;
	int rc;

	edit_init(&e);
	rc = compact_run(&r->job, r->version, &r->pick, &e, &counts);
	if (rc == 0) {
		rc = install_edit(db, &e, NULL);
		if (rc < 0)
			jobs_remove_outputs(db, &e);
	}
	if (rc == 0)
		compactor_count(db, r->pick.output_level, &counts);
	if (rc == SILT_E_CORRUPT)                 /* the rest goes on without the damaged one */
		rc = compactor_note_damage(db, counts.damaged_table) ? 0 : compactor_give_up(db);
	edit_fini(&e);
	return rc;
}

static bool compactor_should_stop(void *ctx)
{
	struct silt_db *db = ctx;
	bool stop;

	mutex_lock(&db->mu);
	stop = db->stop || db->manual_cancelled;
	mutex_unlock(&db->mu);
	return stop || db_fault(db) != 0;
}

/* One pick: 0 = done, more may follow; SILT_NOTFOUND = nothing due; < 0. */
static int compactor_step(struct silt_db *db)
{
	struct compactor_round *r;
	int rc;

	if (db_fault(db) != 0)
		return SILT_E_FAULT;
	if (db->compaction_off)
		return SILT_E_CORRUPT;
	r = mem_calloc(1, sizeof(*r));
	if (!r)
		return SILT_E_NOMEM;
	rc = jobs_begin(db, &r->job, true);
	r->job.should_stop = compactor_should_stop;
	if (rc == 0) {
		compactor_read_rules(db, r);
		rc = pick_compaction(r->version, &r->rules, &r->pick);
		if (rc == 0) {
			if (compactor_enter(db, r)) {
				rc = compactor_run(db, r);
				compactor_leave(db, r);
			}
			pick_fini(&r->pick);
		}
		version_unref(r->version);
		jobs_end(&r->job);
	}
	mem_free(r);
	return rc;
}

/* ---- by hand --------------------------------------------------------------------------------------------------------- */

/* The askers return: the first's, and those that it covered. */
static void compactor_answer(struct silt_db *db, int rc) REQUIRES(db->mu)
{
	struct db_manual *m, **link = &db->manual;
	bool first = true;

	while ((m = *link) != NULL) {
		if (first || m->covered) {
			*link = m->next;
			m->rc = rc;
			m->done = true;
		} else {
			link = &m->next;
		}
		first = false;
	}
	cond_broadcast(&db->changed);
}

/* Whoever asked before the cancelling. The compaction that was given up for it is no failure. */
static int compactor_cancel_manual(struct silt_db *db, int rc) REQUIRES(db->mu)
{
	db->manual_cancelled = false;
	db->manual_before = 0;
	while (db->manual)
		compactor_answer(db, SILT_END);
	return rc == SILT_E_CLOSED ? 0 : rc;
}

/* A manual request is over when nothing is left to pick, or when it can't go on. What the step returned, or what to go on with. */
static int compactor_end_manual(struct silt_db *db, int rc)
{
	mutex_lock(&db->mu);
	if (db->manual_cancelled) {
		rc = compactor_cancel_manual(db, rc);
	} else if (db->manual_before && rc != 0) {
		db->manual_before = 0;
		compactor_answer(db, rc == SILT_NOTFOUND ? (db->damaged_count ? SILT_E_CORRUPT : 0) : rc);
	}
	mutex_unlock(&db->mu);
	return rc;
}

static void compactor_begin_manual(struct silt_db *db) REQUIRES(db->mu)
{
	if (db->manual_before || !db->manual)
		return;
	db->manual_before = db->next_file;
	db->manual_version = atomic_load_explicit(&db->published, memory_order_acquire);
	for (struct db_manual *m = db->manual; m; m = m->next)
		m->covered = db->manual->lower.len == 0 && db->manual->upper.len == 0;
}

/* The store closes: nobody is left waiting. */
static void compactor_refuse_manual(struct silt_db *db)
{
	mutex_lock(&db->mu);
	while (db->manual)
		compactor_answer(db, SILT_E_CLOSED);
	mutex_unlock(&db->mu);
}

/* ---- the thread -------------------------------------------------------------------------------------------------------- */

/* After 0 at once, after an answer until something is asked or the interval is over, after a failure a while. */
static void compactor_sleep(struct silt_db *db, int rc) REQUIRES(db->mu)
{
	silt_os *os = db->env.os;
	uint64_t ms = rc < 0 ? COMPACTOR_RETRY_MS : db->env.opts.compaction_interval_ms;
	uint64_t until = os->mono_ns(os) + ms * 1000000u, now;

	while (!db->stop && (now = os->mono_ns(os)) < until) {
		if (rc > 0 && (db->compact_asked || db->manual))
			return;
		(void)cond_wait_ms(&db->changed, &db->mu, (until - now) / 1000000 + 1);
	}
}

static bool compactor_wait(struct silt_db *db, int rc)
{
	bool stop;

	mutex_lock(&db->mu);
	if (rc != 0)
		compactor_sleep(db, rc);
	db->compact_asked = false;
	compactor_begin_manual(db);
	stop = db->stop;
	mutex_unlock(&db->mu);
	return !stop;
}

void *compactor_thread(void *arg)
{
	struct silt_db *db = arg;
	int rc = 0;                               /* what an earlier life left undone is looked for at once: writers may wait for it */

	while (compactor_wait(db, rc)) {
		rc = compactor_step(db);
		rc = compactor_end_manual(db, rc);
	}
	compactor_refuse_manual(db);
	return NULL;
}
