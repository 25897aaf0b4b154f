/* SPDX-License-Identifier: Apache-2.0 */
/*
 * multi_get.c - many keys at one version: what a single lookup pays once (view, read section, clock, counters) is shared, and the misses of
 * the processor's caches overlap: while one key's line comes, the next key's is asked for.
 *
 *   section  in rounds of MULTI_ROUND keys: their blocks are foretold (table_reader.h), then each is searched for as silt_get() does. A key that is not cached, or whose buffer must grow, is left for later.
 *   later    outside the section, on the same view, referenced: as silt_get() does from the disk.
 *
 * One view for all: a read section ends after each round (writers wait for readers), and from the second round on the view is
 * held by a reference. So all answers are of one version.
 */
#include "base/hash.h"
#include "db/get.h"
#include "db/snapshot.h"

enum {
	MULTI_ROUND = 16,                 /* keys foretold before the first of them is searched for */
	MULTI_PLACES = 6,                 /* tables a key is foretold in */
};

struct multi {
	struct silt_db *db;
	struct view *view;                /* NULL until referenced */
	uint64_t version, now_ms;
	unsigned flags;
	size_t later;                     /* items that wait for the second part */
	uint64_t found;
};

static bool multi_key_ok(struct silt_slice key)
{
	return key.data && key.len && key.len <= SILT_KEY_MAX;
}

/* The value is copied where it fits; else *grow says how much room it wants. */
static int multi_answer(struct multi *m, const struct entry *e, struct silt_lookup *item, size_t *grow)
{
	if (!entry_live(e, e->expires_ms ? m->now_ms : 0))
		return SILT_NOTFOUND;
	if (item->value) {
		if (item->value->cap < e->value.len) {
			*grow = e->value.len;
			return 0;
		}
		buf_push(item->value, e->value.data, e->value.len);
	}
	if (item->info)
		get_fill_info(e, item->info);
	m->found++;
	return 0;
}

static void multi_cached(struct multi *m, struct view *v, struct silt_lookup *item)
{
	struct get_hit hit;
	size_t grow = 0;

	item->code = get_search(m->db, v, item->key, m->version, get_cached_flags(m->flags), &hit);
	if (item->code == 0)
		item->code = multi_answer(m, &hit.entry, item, &grow);
	if (grow)
		item->code = SILT_WOULD_BLOCK;
	if (grow || (item->code == SILT_WOULD_BLOCK && !(m->flags & SILT_CACHED_ONLY))) {
		item->code = SILT_TRY_AGAIN;      /* never seen outside: multi_later() */
		m->later++;
	}
}

/* ---- hints ----------------------------------------------------------------------------------------------------------- */

/* The tables where a key may be, newest first. */
struct multi_places {
	struct table *tables[MULTI_PLACES];
	size_t n;
	uint64_t hash;
	struct table_guess guess;
};

static void multi_places(const struct view *v, struct silt_slice key, struct multi_places *p)
{
	const struct version_level *levels = v->set->version->levels;

	p->n = 0;
	p->hash = hash_key(key);
	for (size_t i = 0; i < levels[0].n && p->n < MULTI_PLACES; i++) {
		const struct table_meta *t = levels[0].tables[i];

		if (slice_cmp(key, t->smallest) >= 0 && slice_cmp(key, t->largest) <= 0)
			p->tables[p->n++] = v->set->tables[0][i];
	}
	for (int l = 1; l < SILT_LEVELS && p->n < MULTI_PLACES; l++) {
		size_t i = levels[l].n ? version_find(&levels[l], key) : 0;

		if (i < levels[l].n)
			p->tables[p->n++] = v->set->tables[l][i];
	}
}

/* In a read section: the filters' lines of all keys, then the place in the index of the first table that says maybe, then the block. */
static void multi_foretell(const struct view *v, uint64_t version, const struct silt_lookup *items, size_t n)
{
	struct multi_places places[MULTI_ROUND], *p = places;

	for (size_t i = 0; i < n; i++, p++) {
		p->n = 0;
		if (items[i].code != 0)
			continue;
		multi_places(v, items[i].key, p);
		for (size_t k = 0; k < p->n; k++)
			table_foretell_line(p->tables[k], p->hash);
	}
	p = places;
	for (size_t i = 0; i < n; i++, p++) {
		size_t k = 0;

		while (k < p->n && !table_foretell_place(p->tables[k], items[i].key, p->hash, version, &p->guess))
			k++;
		p->n = k < p->n;
	}
	for (p = places; p < places + n; p++)
		if (p->n)
			table_foretell_block(&p->guess);
}

/* In a read section. */
static void multi_round(struct multi *m, struct view *v, struct silt_lookup *items, size_t n)
{
	multi_foretell(v, m->version, items, n);
	for (size_t i = 0; i < n; i++)
		if (items[i].code == 0)
			multi_cached(m, v, &items[i]);
}

static int multi_from_disk(struct multi *m, struct silt_lookup *item)
{
	unsigned flags = m->flags & SILT_CACHED_ONLY ? TABLE_CACHED_ONLY : m->flags & SILT_NO_FILL ? TABLE_NO_FILL : 0;
	struct get_hit hit;
	size_t grow = 0;
	int rc = get_search(m->db, m->view, item->key, m->version, flags, &hit);

	if (rc != 0)
		return rc;
	rc = multi_answer(m, &hit.entry, item, &grow);
	if (grow) {
		rc = buf_reserve(item->value, grow);
		if (rc == 0)
			rc = multi_answer(m, &hit.entry, item, &grow);
	}
	get_release(&hit);
	return rc;
}

/* A key of its own: a buffer that grows, or blocks that are not in memory. */
static int multi_later(struct multi *m, struct silt_lookup *item)
{
	for (;;) {
		struct get_hit hit;
		size_t grow = 0;
		int rc;

		rcu_begin();
		rc = get_search(m->db, m->view, item->key, m->version, get_cached_flags(m->flags), &hit);
		if (rc == 0)
			rc = multi_answer(m, &hit.entry, item, &grow);
		rcu_end();
		if (rc == SILT_WOULD_BLOCK && !(m->flags & SILT_CACHED_ONLY))
			return multi_from_disk(m, item);
		if (!grow)
			return rc;
		rc = buf_reserve(item->value, grow);
		if (rc < 0)
			return rc;
	}
}

static void multi_run(struct multi *m, struct silt_lookup *items, size_t n, const silt_snapshot *snap)
{
	struct view *v;

	rcu_begin();
	v = get_begin(m->db, &m->version);
	if (snap)
		m->version = snap->version;
	for (size_t i = 0; i < n; i += MULTI_ROUND) {
		if (i) {
			rcu_end();
			rcu_begin();
		}
		multi_round(m, v, items + i, n - i < MULTI_ROUND ? n - i : MULTI_ROUND);
		if (!m->view && (m->later || n - i > MULTI_ROUND))
			m->view = view_ref(v);
	}
	rcu_end();
	for (size_t i = 0; m->later && i < n; i++)
		if (items[i].code == SILT_TRY_AGAIN)
			items[i].code = multi_later(m, &items[i]);
	view_unref(m->view);
}

int silt_multi_get(silt_db *db, const silt_snapshot *snap, unsigned flags, struct silt_lookup *items, size_t n)
{
	struct multi m = { .db = db, .flags = flags };

	if (!db || (n && !items) || (flags & ~(SILT_CACHED_ONLY | SILT_NO_FILL)))
		return SILT_E_MISUSE;
	if (snap && snapshot_expired(snap))
		return SILT_E_EXPIRED;
	for (size_t i = 0; i < n; i++) {
		if (items[i].value)
			items[i].value->len = 0;
		items[i].code = multi_key_ok(items[i].key) ? 0 : SILT_E_MISUSE;
	}
	if (n == 0)
		return 0;
	m.now_ms = db_now_ms(db);
	multi_run(&m, items, n, snap);
	get_count_many(db, n, m.found);
	return 0;
}
