/* SPDX-License-Identifier: Apache-2.0 */
/* install.c - edits become versions, versions become views. */
#include "db/install.h"

#include "db/publish.h"
#include "job/levels.h"

static void install_take_baton(struct silt_db *db)
{
	mutex_lock(&db->mu);
	while (db->installing)
		cond_wait(&db->changed, &db->mu);
	db->installing = true;
	mutex_unlock(&db->mu);
}

static void install_pass_baton(struct silt_db *db)
{
	mutex_lock(&db->mu);
	db->installing = false;
	cond_broadcast(&db->changed);
	mutex_unlock(&db->mu);
}

/* Room for the numbers that become obsolete: reserved before the manifest is written. */
static int install_reserve(struct silt_db *db, const struct edit *e)
{
	size_t want;
	uint64_t *p;
	int rc = 0;

	mutex_lock(&db->mu);
	want = db->obsolete_count + e->drop_count;
	if (want > db->obsolete_cap) {
		p = mem_resize(db->obsolete, want * 2, sizeof(*p));
		if (p) {
			db->obsolete = p;
			db->obsolete_cap = want * 2;
		} else {
			rc = SILT_E_NOMEM;
		}
	}
	mutex_unlock(&db->mu);
	return rc;
}

static bool install_moves(const struct edit *e, uint64_t number)
{
	for (size_t i = 0; i < e->add_count; i++)
		if (e->adds[i].meta->number == number)
			return true;
	return false;
}

static void install_note_obsolete(struct silt_db *db, const struct edit *e) REQUIRES(db->mu)
{
	for (size_t i = 0; i < e->drop_count; i++)
		if (!install_moves(e, e->drops[i].number))
			db->obsolete[db->obsolete_count++] = e->drops[i].number;
}

void install_reckon(struct silt_db *db)
{
	struct pick_rules r = {
		.compaction_trigger = db->env.opts.compaction_trigger,
		.level_base_size = db->env.opts.level_base_size,
		.level_ratio = db->env.opts.level_ratio,
		.table_size = db->env.opts.table_size,
		.damaged = db->damaged,
		.damaged_count = db->damaged_count,
	};

	db->debt = levels_debt(db->version, &r);
}

/* Under mu nothing allocates: the view was made before. */
static void install_publish(struct silt_db *db, struct edit *e, struct version *next, struct tableset *set, struct view *v,
                            struct memtable *flushed, uint64_t floor)
{
	struct version *old;
	size_t n;

	mutex_lock(&db->mu);
	n = db->view->sealed_count;
	n -= flushed != NULL;                     /* the oldest is the last */
	if (floor > atomic_load(&db->floor))      /* before the view that lost the memtable, or got the tables (decide.c) */
		atomic_store_explicit(&db->floor, floor, memory_order_release);
	view_fill(v, db->view->active, db->view->sealed, n, set);
	old = db->version;
	db->version = version_ref(next);
	install_note_obsolete(db, e);
	install_reckon(db);
	publish_view(db, v);
	mutex_unlock(&db->mu);
	version_unref(old);
}

static int install_with_baton(struct silt_db *db, struct edit *e, struct memtable *flushed, uint64_t floor)
{
	struct version *next = NULL;
	struct tableset *set = NULL;
	struct view *v = NULL;
	int rc = db_fault(db) ? SILT_E_FAULT : install_reserve(db, e);

	if (rc == 0) {
		mutex_lock(&db->mu);
		e->has_next_file = true;
		e->next_file = db->next_file;
		mutex_unlock(&db->mu);
		rc = version_apply(db->version, e, &db->env.rep, &next);
	}
	if (rc == 0)
		rc = tableset_new(db, next, &set);
	if (rc == 0 && !(v = view_new()))
		rc = SILT_E_NOMEM;
	if (rc < 0)
		goto out;
	rc = manifest_append(db->manifest, e, next);
	if (rc < 0) {
		if (rc != SILT_E_NOSPACE)         /* no room for a new manifest: the old one stands: a state, no fault */
			(void)db_set_fault(db, rc, "writing the manifest");
		goto out;
	}
	install_publish(db, e, next, set, v, flushed, floor);
	v = NULL;                                 /* published */
out:
	mem_free(v);
	tableset_unref(set);
	version_unref(next);
	return rc;
}

int install_edit(struct silt_db *db, struct edit *e, struct memtable *flushed)
{
	int rc;

	install_take_baton(db);
	rc = install_with_baton(db, e, flushed, flushed ? memtable_max_version(flushed) : 0);
	install_pass_baton(db);
	return rc;
}

int install_planned(struct silt_db *db, struct edit *e, install_plan_fn *plan, void *ctx, uint64_t floor)
{
	int rc;

	install_take_baton(db);
	rc = plan(ctx, db->version, e);
	if (rc == 0)
		rc = install_with_baton(db, e, NULL, floor);
	install_pass_baton(db);
	return rc;
}
