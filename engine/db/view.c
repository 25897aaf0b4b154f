/* SPDX-License-Identifier: Apache-2.0 */
/* view.c - making, sharing and ending views and table sets (rules in view.h). */
#include "db/view.h"

#include "db/db.h"

static void tableset_link(struct tableset *s)
{
	struct silt_db *db = s->db;

	mutex_lock(&db->mu);
	s->next_live = db->live_sets;
	if (s->next_live)
		s->next_live->prev_live = s;
	db->live_sets = s;
	mutex_unlock(&db->mu);
}

static void tableset_unlink(struct tableset *s)
{
	struct silt_db *db = s->db;

	mutex_lock(&db->mu);
	if (s->prev_live)
		s->prev_live->next_live = s->next_live;
	else
		db->live_sets = s->next_live;
	if (s->next_live)
		s->next_live->prev_live = s->prev_live;
	cond_broadcast(&db->changed);     /* gc.c may delete what only this set held */
	mutex_unlock(&db->mu);
}

static void tableset_release(struct tableset *s)
{
	for (int l = 0; l < SILT_LEVELS; l++) {
		for (size_t i = 0; s->tables[l] && i < s->version->levels[l].n; i++)
			if (s->tables[l][i])
				table_cache_put(s->db->tables, s->tables[l][i]);
		mem_free(s->tables[l]);
	}
	version_unref(s->version);
	mem_free(s);
}

static int tableset_open_level(struct tableset *s, int l)
{
	struct version_level *level = &s->version->levels[l];
	int rc;

	if (!level->n)
		return 0;
	s->tables[l] = mem_calloc(level->n, sizeof(*s->tables[l]));
	if (!s->tables[l])
		return SILT_E_NOMEM;
	for (size_t i = 0; i < level->n; i++) {
		rc = table_cache_get(s->db->tables, level->tables[i], &s->tables[l][i]);
		if (rc < 0)
			return rc;
		s->range_tables += level->tables[i]->range_deletes != 0;
	}
	return 0;
}

int tableset_new(struct silt_db *db, struct version *v, struct tableset **out)
{
	struct tableset *s = mem_calloc(1, sizeof(*s));
	int rc = 0;

	if (!s)
		return SILT_E_NOMEM;
	atomic_init(&s->refs, 1);
	s->db = db;
	s->version = version_ref(v);
	for (int l = 0; l < SILT_LEVELS && rc == 0; l++)
		rc = tableset_open_level(s, l);
	if (rc < 0) {
		tableset_release(s);
		return rc;
	}
	tableset_link(s);
	*out = s;
	return 0;
}

struct tableset *tableset_ref(struct tableset *s)
{
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

void tableset_unref(struct tableset *s)
{
	if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
		return;
	tableset_unlink(s);
	tableset_release(s);
}

struct view *view_new(void)
{
	struct view *v = mem_calloc(1, sizeof(*v));

	if (v)
		atomic_init(&v->refs, 1);
	return v;
}

void view_fill(struct view *v, struct memtable *active, struct memtable *const *sealed, size_t n,
               struct tableset *set)
{
	v->active = active ? memtable_ref(active) : NULL;
	v->sealed_count = n;
	for (size_t i = 0; i < n; i++)
		v->sealed[i] = memtable_ref(sealed[i]);
	v->set = tableset_ref(set);
}

struct view *view_ref(struct view *v)
{
	atomic_fetch_add_explicit(&v->refs, 1, memory_order_relaxed);
	return v;
}

void view_unref(struct view *v)
{
	if (!v || atomic_fetch_sub_explicit(&v->refs, 1, memory_order_acq_rel) != 1)
		return;
	memtable_unref(v->active);
	for (size_t i = 0; i < v->sealed_count; i++)
		memtable_unref(v->sealed[i]);
	tableset_unref(v->set);
	tombstones_free(v->hidden.list);
	mem_free(v);
}

uint64_t view_memtable_bytes(const struct view *v)
{
	uint64_t n = v->active ? memtable_bytes(v->active) : 0;

	for (size_t i = 0; i < v->sealed_count; i++)
		n += memtable_bytes(v->sealed[i]);
	return n;
}
