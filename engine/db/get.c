/* SPDX-License-Identifier: Apache-2.0 */
/* get.c - the point read. A cached one stays in one read section: no lock, no allocation, no system call. */
#include "db/get.h"

#include "base/hash.h"
#include "db/measure.h"
#include "db/snapshot.h"

struct view *get_begin(struct silt_db *db, uint64_t *version)
{
	struct view *v = rcu_load(db->view), *again;

	for (;; v = again) {
		*version = atomic_load_explicit(&db->published, memory_order_acquire);
		again = rcu_load(db->view);
		if (again == v)           /* not reused while we are in a read section */
			return v;
	}
}

void get_fill_info(const struct entry *e, struct silt_info *out)
{
	out->version = e->version;
	out->expires_ms = e->expires_ms;
	out->meta_len = (uint8_t)e->meta.len;
	if (e->meta.len)
		memcpy(out->meta, e->meta.data, e->meta.len);
}

void get_release(struct get_hit *hit)
{
	table_hit_release(&hit->table);
}

/* The memtable that answers, or NULL. */
static struct memtable *get_in_memory(struct view *v, struct silt_slice key, uint64_t version, struct entry *out)
{
	if (v->active && memtable_get(v->active, key, version, out) == 0)
		return v->active;
	for (size_t i = 0; i < v->sealed_count; i++)
		if (memtable_get(v->sealed[i], key, version, out) == 0)
			return v->sealed[i];
	return NULL;
}

static bool get_may_hold(const struct table_meta *m, struct silt_slice key, uint64_t version)
{
	return m->min_version <= version && slice_cmp(key, m->smallest) >= 0 && slice_cmp(key, m->largest) <= 0;
}

static int get_in_tables(struct view *v, struct silt_slice key, uint64_t version, unsigned flags,
                         struct table_counts *counts, struct table_hit *hit)
{
	const struct version_level *levels = v->set->version->levels;
	uint64_t hash = hash_key(key);
	int rc;

	for (size_t i = 0; i < levels[0].n; i++) {
		if (!get_may_hold(levels[0].tables[i], key, version))
			continue;
		rc = table_get(v->set->tables[0][i], key, hash, version, flags, counts, hit);
		if (rc != SILT_NOTFOUND)
			return rc;
	}
	for (int l = 1; l < SILT_LEVELS; l++) {
		size_t i = levels[l].n ? version_find(&levels[l], key) : 0;

		if (i >= levels[l].n || !get_may_hold(levels[l].tables[i], key, version))
			continue;
		rc = table_get(v->set->tables[l][i], key, hash, version, flags, counts, hit);
		if (rc != SILT_NOTFOUND)
			return rc;
	}
	return SILT_NOTFOUND;
}

static void get_count_tables(struct silt_db *db, const struct table_counts *counts)
{
	struct db_stripe *s = db_stripe(db);

	db_bump(&s->searches, counts->searches);
	if (!counts->filter_checks)
		return;
	db_bump(&s->filter_checks, counts->filter_checks);
	db_bump(&s->filter_negatives, counts->filter_negatives);
	if (counts->filter_false)
		db_bump(&s->filter_false, counts->filter_false);
}

int get_search(struct silt_db *db, struct view *v, struct silt_slice key, uint64_t version, unsigned table_flags,
               struct get_hit *hit)
{
	struct table_counts counts = { 0 };
	int rc;

	hit->table.pin = NULL;
	hit->memtable = get_in_memory(v, key, version, &hit->entry);
	if (hit->memtable)
		return 0;
	rc = get_in_tables(v, key, version, table_flags, &counts, &hit->table);
	get_count_tables(db, &counts);
	if (rc == 0)
		hit->entry = hit->table.entry;
	else
		hit->table.pin = NULL;
	return rc;
}

/* ---- silt_get ------------------------------------------------------------------------------------------------------- */

struct get_request {
	struct silt_db *db;
	struct silt_slice key;
	const silt_snapshot *snap;
	unsigned flags;
	struct silt_buf *value;
	struct silt_info *info;
};

/* What a hit means for the caller. The value is copied if it fits; else *grow says how much room it wants. */
static int get_answer(const struct get_request *r, const struct entry *e, size_t *grow)
{
	if (e->kind != ENTRY_PUT)
		return SILT_NOTFOUND;
	if (e->expires_ms && !entry_live(e, db_now_ms(r->db)))
		return SILT_NOTFOUND;
	if (r->value) {
		if (r->value->cap < e->value.len) {
			*grow = e->value.len;
			return 0;
		}
		if (e->value.len)
			memcpy(r->value->data, e->value.data, e->value.len);
		r->value->len = e->value.len;
	}
	if (r->info)
		get_fill_info(e, r->info);
	return 0;
}

/* In one read section. On SILT_WOULD_BLOCK *pinned is the view to go on with, referenced. */
static int get_cached(const struct get_request *r, size_t *grow, struct view **pinned, uint64_t *version)
{
	struct get_hit hit;
	struct view *v;
	int rc;

	rcu_begin();
	v = get_begin(r->db, version);
	if (r->snap)
		*version = r->snap->version;
	rc = get_search(r->db, v, r->key, *version, get_cached_flags(r->flags), &hit);
	if (rc == 0)
		rc = get_answer(r, &hit.entry, grow);
	else if (rc == SILT_WOULD_BLOCK && !(r->flags & SILT_CACHED_ONLY))
		*pinned = view_ref(v);
	rcu_end();
	return rc;
}

static int get_from_disk(const struct get_request *r, struct view *v, uint64_t version)
{
	struct get_hit hit;
	size_t grow = 0;
	int rc = get_search(r->db, v, r->key, version, get_disk_flags(r->flags), &hit);

	if (rc == 0) {
		rc = get_answer(r, &hit.entry, &grow);
		if (grow) {
			rc = buf_reserve(r->value, grow);
			if (rc == 0)
				rc = get_answer(r, &hit.entry, &grow);
		}
		get_release(&hit);
	}
	view_unref(v);
	return rc;
}

static int get_run(const struct get_request *r)
{
	for (;;) {
		struct view *pinned = NULL;
		uint64_t version;
		size_t grow = 0;
		int rc = get_cached(r, &grow, &pinned, &version);

		if (pinned)
			return get_from_disk(r, pinned, version);
		if (!grow)
			return rc;
		rc = buf_reserve(r->value, grow);     /* outside the section; then look again */
		if (rc < 0)
			return rc;
	}
}

void get_count_many(struct silt_db *db, uint64_t gets, uint64_t hits)
{
	struct db_stripe *s = db_stripe(db);

	db_bump(&s->gets, gets);
	db_bump(&s->hits, hits);
}

void get_count(struct silt_db *db, struct db_stripe *s, int rc, uint64_t began_ns)
{
	if (rc == SILT_WOULD_BLOCK)
		return;
	db_bump(&s->gets, 1);
	db_bump(&s->hits, rc == 0);
	if (began_ns && rc >= 0)
		measure_get(db, s, began_ns);
}

int silt_get(silt_db *db, struct silt_slice key, const silt_snapshot *snap, unsigned flags, struct silt_buf *value,
             struct silt_info *info)
{
	struct get_request r = { db, key, snap, flags, value, info };
	struct db_stripe *s;
	uint64_t began_ns;
	int rc;

	if (value)
		value->len = 0;
	if (!db || !key.data || key.len == 0 || key.len > SILT_KEY_MAX || (flags & ~(SILT_CACHED_ONLY | SILT_NO_FILL | SILT_NO_WAIT)))
		return SILT_E_MISUSE;
	if (snap && snapshot_expired(snap))
		return SILT_E_EXPIRED;
	s = db_stripe(db);
	began_ns = measure_get_begin(db, s);
	rc = get_run(&r);
	if (value && rc != 0)
		value->len = 0;
	get_count(db, s, rc, began_ns);
	return rc;
}

/* ---- evidence for writers -------------------------------------------------------------------------------------------- */

/* Inside a read section nothing may be allocated: a value that does not fit sets *grow instead. */
static void get_take_copy(const struct entry *e, bool want_value, struct get_copy *out, size_t *grow)
{
	out->found = true;
	out->kind = e->kind;
	get_fill_info(e, &out->info);
	if (!want_value || e->kind != ENTRY_PUT)
		return;
	if (out->value.cap < e->value.len)
		*grow = e->value.len;
	else
		buf_push(&out->value, e->value.data, e->value.len);
}

static int get_copy_from_disk(struct silt_db *db, struct silt_slice key, struct view *v, unsigned flags, bool want_value,
                              struct get_copy *out)
{
	struct get_hit hit;
	size_t grow = 0;
	int rc = get_search(db, v, key, out->read_at, get_disk_flags(flags), &hit);

	if (rc == 0) {
		get_take_copy(&hit.entry, want_value, out, &grow);
		rc = grow ? buf_set(&out->value, hit.entry.value) : 0;
		get_release(&hit);
	}
	view_unref(v);
	return rc == SILT_NOTFOUND ? 0 : rc;
}

int get_copy(struct silt_db *db, struct silt_slice key, unsigned flags, bool want_value, struct get_copy *out)
{
	for (;;) {
		struct view *v, *pinned = NULL;
		struct get_hit hit;
		size_t grow = 0;
		int rc;

		out->found = false;
		out->value.len = 0;
		rcu_begin();
		v = get_begin(db, &out->read_at);
		rc = get_search(db, v, key, out->read_at, get_cached_flags(flags), &hit);
		if (rc == 0)
			get_take_copy(&hit.entry, want_value, out, &grow);
		else if (rc == SILT_WOULD_BLOCK && !(flags & SILT_CACHED_ONLY))
			pinned = view_ref(v);
		rcu_end();
		if (pinned)
			return get_copy_from_disk(db, key, pinned, flags, want_value, out);
		if (!grow)
			return rc == SILT_NOTFOUND ? 0 : rc;
		rc = buf_reserve(&out->value, grow);
		if (rc < 0)
			return rc;
	}
}
