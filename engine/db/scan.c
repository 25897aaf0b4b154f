/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan.c - the public iterator: what a reader at one version sees of the merge of everything, between two bounds.
 *
 * The merge yields (key ascending, version descending). Of each key the newest version at or below the iterator's decides.
 *
 *   forward    for each entry: above our version, or of a key already decided: step. Else it decides its key: live -> stand on it.
 *   backward   versions of a key come oldest first: remember the newest so far; when the key changes, that one decides.
 *
 * An entry that a range delete hides decides its key as a delete does. The list of them is made with the merge, for our version and
 * between our bounds; the cursors below the merge pass over what lies in it whole (hidden.h).
 *
 * States   NOWHERE   first, last and seek may follow
 *          AT        stands on `at`; the merge is on that very entry (moved forward) or before its key (moved backward)
 *          BETWEEN   the step budget was spent under way: next or prev in the same direction goes on
 * When the store has a newer view, the next move seeks there anew, at the same version: an iterator holds no old files for long.
 *
 * Runs     The merge has neighbours of its entry at hand (core/iter.h). Within a run nothing is copied: `decided` and `at` point
 *          into it. Before the merge moves on from a run, what is still needed of it is kept (scan_leave_run()): the key; and moved
 *          backward, the entry that was gathered, whose value is copied if small and pinned if not. silt_iter_next() and
 *          silt_iter_prev() first try a step for which nothing but the run must be looked at; the age limit is looked at between runs.
 */
#include "core/key.h"
#include "core/merge.h"
#include "db/get.h"
#include "db/hidden.h"
#include "db/level_iter.h"
#include "db/snapshot.h"

enum scan_state { SCAN_NOWHERE, SCAN_AT, SCAN_BETWEEN };
enum scan_way { SCAN_FORWARD, SCAN_BACKWARD };

struct silt_iter {
	struct silt_db *db;
	struct silt_snapshot snap;        /* registered for the iterator's life */
	struct view *view;
	struct iter *merge;
	struct tombstones *ranges;        /* what range deletes hide of the view; NULL = nothing */
	struct tombstones_cursor hidden;  /* in it */
	unsigned table_flags;
	uint64_t max_steps, now_ms;
	struct silt_buf lower, upper;
	bool has_upper;
	enum scan_state state;
	enum scan_way way;
	const struct entry *at;           /* AT: borrowed from the merge's run, or `kept`; else what has nothing */
	struct silt_slice decided;        /* with have_key: the key stood on, last decided (forward) or being gathered (backward); in the run
	                                   * or in `key`. Without: `key` = where the move began, "" = at the very first or last */
	struct silt_buf key;
	bool have_key;                    /* BETWEEN backward: always, since a budget is one at least */
	bool merge_ended;                 /* moved backward, and the merge has nothing before the key stood on */
	const struct entry *gathered;     /* backward: the newest version so far of `decided`, if that is live; in the run, or `kept` */
	struct entry kept;                /* backward, the run it was in being left: in the buffers or pinned */
	struct silt_buf meta, value;
	struct iter_pin pin;
};

enum { SCAN_COPIED = 1024 };              /* bytes: larger values are pinned instead */

static const struct entry scan_nothing;

/* ---- making ---------------------------------------------------------------------------------------------------------- */

static size_t scan_child_count(const struct view *v)
{
	size_t n = (v->active != NULL) + v->sealed_count + v->set->version->levels[0].n;

	for (int l = 1; l < SILT_LEVELS; l++)
		n += v->set->version->levels[l].n != 0;
	return n;
}

struct scan_children {
	struct iter **at;
	size_t n;
	const struct tombstones *ranges;
};

/* A cursor over a source whose newest version, or whose tables, are told: see hidden_iter_new(). */
static int scan_add(struct scan_children *c, struct iter *it, uint64_t newest, const struct version_level *level)
{
	int rc = hidden_iter_new(it, c->ranges, newest, level, &c->at[c->n]);

	c->n += rc == 0;
	return rc;
}

static int scan_add_memtable(struct scan_children *c, struct memtable *m)
{
	struct iter *it = memtable_iter(m);

	return it ? scan_add(c, it, memtable_max_version(m), NULL) : SILT_E_NOMEM;
}

static int scan_add_tables(struct scan_children *c, struct view *v, unsigned flags)
{
	const struct version_level *levels = v->set->version->levels;
	struct iter *it;
	int rc = 0;

	for (size_t i = 0; i < levels[0].n && rc == 0; i++) {
		rc = table_iter_new(v->set->tables[0][i], flags, &it);
		if (rc == 0)
			rc = scan_add(c, it, levels[0].tables[i]->max_version, NULL);
	}
	for (int l = 1; l < SILT_LEVELS && rc == 0; l++) {
		if (!levels[l].n)
			continue;
		rc = level_iter_new(v->set, l, flags, &it);
		if (rc == 0)
			rc = scan_add(c, it, 0, &levels[l]);
	}
	return rc;
}

static int scan_merge_new(struct view *v, unsigned flags, const struct tombstones *ranges, struct iter **out)
{
	struct scan_children c = { .at = mem_array(scan_child_count(v) + 1, sizeof(*c.at)), .ranges = ranges };
	int rc = 0;

	if (!c.at)
		return SILT_E_NOMEM;
	if (v->active)
		rc = scan_add_memtable(&c, v->active);
	for (size_t i = 0; i < v->sealed_count && rc == 0; i++)
		rc = scan_add_memtable(&c, v->sealed[i]);
	if (rc == 0)
		rc = scan_add_tables(&c, v, flags);
	if (rc == 0) {
		rc = merge_iter_new(c.at, c.n, out);      /* takes them */
	} else {
		while (c.n)
			iter_close(c.at[--c.n]);
	}
	mem_free(c.at);
	return rc;
}

/* The merge over a view, and what is hidden of it. On failure the iterator is as it was. */
static int scan_look_at(silt_iter *it, struct view *v)
{
	struct tombstones *ranges = NULL;
	struct iter *merge = NULL;
	int rc = hidden_list(v, it->snap.version, buf_slice(&it->lower), buf_slice(&it->upper), &ranges);

	if (rc == 0)
		rc = scan_merge_new(v, it->table_flags, ranges, &merge);
	if (rc < 0) {
		tombstones_free(ranges);
		return rc;
	}
	iter_close(it->merge);
	tombstones_free(it->ranges);
	it->merge = merge;
	it->ranges = ranges;
	it->hidden = (struct tombstones_cursor){ ranges, 0 };
	return 0;
}

static int scan_init(silt_iter *it, const struct silt_iter_options *o)
{
	int rc = buf_set(&it->lower, o->lower);

	it->has_upper = o->upper.data != NULL;
	if (rc == 0)
		rc = buf_set(&it->upper, o->upper);
	it->max_steps = o->max_steps;
	it->table_flags = o->flags & SILT_NO_FILL ? TABLE_NO_FILL : 0;
	it->now_ms = db_now_ms(it->db);
	return rc;
}

int silt_iter_new(silt_db *db, const struct silt_iter_options *opts, silt_iter **out)
{
	static const struct silt_iter_options none;
	const struct silt_iter_options *o = opts ? opts : &none;
	silt_iter *it;
	int rc;

	if (!db || !out || (o->flags & ~SILT_NO_FILL))
		return SILT_E_MISUSE;
	if (o->snapshot && snapshot_expired(o->snapshot))
		return SILT_E_EXPIRED;
	it = mem_calloc(1, sizeof(*it));
	if (!it)
		return SILT_E_NOMEM;
	it->db = db;
	it->at = &scan_nothing;
	db_count(&db->iterators, 1);
	if (o->snapshot)
		snapshot_take_again(&it->snap, o->snapshot, &it->view);
	else
		snapshot_take(db, &it->snap, &it->view);
	rc = scan_init(it, o);
	if (rc == 0)
		rc = scan_look_at(it, it->view);
	if (rc < 0) {
		silt_iter_close(it);
		return rc;
	}
	*out = it;
	return 0;
}

void silt_iter_close(silt_iter *it)
{
	if (!it)
		return;
	iter_close(it->merge);
	iter_unpin(&it->pin);
	tombstones_free(it->ranges);
	view_unref(it->view);
	snapshot_drop(&it->snap);
	buf_fini(&it->lower);
	buf_fini(&it->upper);
	buf_fini(&it->key);
	buf_fini(&it->meta);
	buf_fini(&it->value);
	db_count(&it->db->iterators, (uint64_t)-1);
	mem_free(it);
}

/* ---- leaving a run ------------------------------------------------------------------------------------------------------- */

static int scan_keep_key(silt_iter *it)
{
	int rc = 0;

	if (it->have_key && it->decided.data != it->key.data)
		rc = buf_set(&it->key, it->decided);
	if (rc == 0 && it->have_key)
		it->decided = buf_slice(&it->key);
	return rc;
}

/* What was gathered is the merge's own entry, or behind it in the run: both have the same source. */
static int scan_keep_gathered(silt_iter *it)
{
	const struct entry *e = it->gathered;
	int rc = 0;

	iter_unpin(&it->pin);
	it->kept = *e;
	if (e->value.len > SCAN_COPIED) {
		it->merge->ops->pin(it->merge, &it->pin);
	} else {
		rc = buf_set(&it->value, e->value);
		if (rc == 0)
			rc = buf_set(&it->meta, e->meta);
		it->kept.value = buf_slice(&it->value);
		it->kept.meta = buf_slice(&it->meta);
	}
	it->kept.key = it->decided;
	it->gathered = &it->kept;
	return rc;
}

static int scan_leave_run(silt_iter *it)
{
	int rc = scan_keep_key(it);

	if (rc == 0 && it->gathered && it->gathered != &it->kept)
		rc = scan_keep_gathered(it);
	return rc;
}

static int scan_step_forward(silt_iter *it)
{
	int rc = 0;

	if (it->merge->cur == it->merge->last)
		rc = scan_leave_run(it);
	return rc < 0 ? rc : iter_next(it->merge);
}

static int scan_step_backward(silt_iter *it)
{
	int rc = 0;

	if (it->merge->cur == it->merge->first)
		rc = scan_leave_run(it);
	return rc < 0 ? rc : iter_prev(it->merge);
}

/* ---- keeping up with the store ------------------------------------------------------------------------------------------ */

/* Is there a newer view? Then the merge is made anew over it; *fresh says that it stands nowhere. */
static int scan_refresh(silt_iter *it, bool *fresh)
{
	struct view *v;
	int rc;

	*fresh = false;
	if (snapshot_expired(&it->snap))
		return SILT_E_EXPIRED;
	if (rcu_load(it->db->view) == it->view)
		return 0;
	rc = scan_keep_key(it);
	if (rc < 0)
		return rc;
	mutex_lock(&it->db->mu);
	v = view_ref(it->db->view);
	mutex_unlock(&it->db->mu);
	rc = scan_look_at(it, v);
	if (rc < 0) {
		view_unref(v);
		return rc;
	}
	view_unref(it->view);
	it->view = v;
	it->gathered = NULL;
	*fresh = true;
	return 0;
}

/* ---- what decides -------------------------------------------------------------------------------------------------------- */

static bool scan_past_upper(const silt_iter *it, struct silt_slice key)
{
	return it->has_upper && slice_cmp(key, buf_slice(&it->upper)) >= 0;
}

static bool scan_before_lower(const silt_iter *it, struct silt_slice key)
{
	return slice_cmp(key, buf_slice(&it->lower)) < 0;
}

static int scan_end(silt_iter *it, int rc)
{
	it->state = SCAN_NOWHERE;
	it->at = &scan_nothing;
	return rc;
}

static int scan_pause(silt_iter *it)
{
	it->state = SCAN_BETWEEN;
	it->at = &scan_nothing;
	return SILT_TRY_AGAIN;
}

static int scan_stand(silt_iter *it, const struct entry *e)
{
	it->at = e;
	it->state = SCAN_AT;
	return 0;
}

static bool scan_live(silt_iter *it, const struct entry *e)
{
	return entry_live(e, it->now_ms) && !hidden_entry(&it->hidden, e);
}

static bool scan_is_decided(const silt_iter *it, const struct entry *e)
{
	return it->have_key && key_same(e->key, it->decided);
}

static void scan_decide(silt_iter *it, const struct entry *e)
{
	it->decided = e->key;
	it->have_key = true;
}

/* ---- forward ------------------------------------------------------------------------------------------------------------- */

/* rc: of the move that brought the merge where it is. */
static int scan_settle_forward(silt_iter *it, int rc)
{
	uint64_t steps = 0;

	it->way = SCAN_FORWARD;
	it->merge_ended = false;
	it->gathered = NULL;
	for (; rc == 0; rc = scan_step_forward(it)) {
		const struct entry *e = it->merge->cur;

		if (scan_past_upper(it, e->key))
			return scan_end(it, SILT_END);
		if (it->max_steps && ++steps > it->max_steps)
			return scan_pause(it);
		if (e->version > it->snap.version || scan_is_decided(it, e))
			continue;
		scan_decide(it, e);
		if (scan_live(it, e))
			return scan_stand(it, e);
	}
	return scan_end(it, rc);
}

/* ---- backward ------------------------------------------------------------------------------------------------------------- */

static int scan_yield_gathered(silt_iter *it)
{
	const struct entry *e = it->gathered;

	it->gathered = NULL;
	return scan_stand(it, e);
}

static int scan_settle_backward(silt_iter *it, int rc)
{
	uint64_t steps = 0;

	it->way = SCAN_BACKWARD;
	it->merge_ended = false;
	for (; rc == 0; rc = scan_step_backward(it)) {
		const struct entry *e = it->merge->cur;
		bool same = scan_is_decided(it, e);

		if (!same && it->gathered)
			return scan_yield_gathered(it);
		if (scan_before_lower(it, e->key))
			return scan_end(it, SILT_END);
		if (it->max_steps && ++steps > it->max_steps)
			return scan_pause(it);
		if (!same)
			scan_decide(it, e);
		if (e->version <= it->snap.version)
			it->gathered = scan_live(it, e) ? e : NULL;
	}
	if (rc == SILT_END && it->gathered) {
		it->merge_ended = true;
		return scan_yield_gathered(it);
	}
	return scan_end(it, rc);
}

/* ---- steps inside a run --------------------------------------------------------------------------------------------------- */

/* Can the step be made with what the run says? Range deletes and a newer view want more than that. */
static inline bool scan_runs(const silt_iter *it, enum scan_way way)
{
	return it->state == SCAN_AT && it->way == way && !it->ranges && rcu_load(it->db->view) == it->view;
}

/* Does e decide its key, and is it live? Its neighbour in the order is known to have another key. */
static inline bool scan_plain(const silt_iter *it, const struct entry *e)
{
	return e->version <= it->snap.version && entry_live(e, it->now_ms);
}

/* The entry stood on is the merge's: so the next one decides, if it has another key. */
static bool scan_run_forward(silt_iter *it)
{
	const struct entry *e = it->merge->cur;

	if (!scan_runs(it, SCAN_FORWARD) || e == it->merge->last)
		return false;
	e++;
	if (key_same(e->key, it->decided) || !scan_plain(it, e) || scan_past_upper(it, e->key))
		return false;
	it->merge->cur = e;
	it->decided = e->key;
	it->at = e;
	return true;
}

/* The merge's entry is before the key stood on: it decides, if the one before it has another key. */
static bool scan_run_backward(silt_iter *it)
{
	const struct entry *e = it->merge->cur;

	if (!scan_runs(it, SCAN_BACKWARD) || it->merge_ended || e == it->merge->first)
		return false;
	if (key_same(e->key, e[-1].key) || !scan_plain(it, e) || scan_before_lower(it, e->key))
		return false;
	it->merge->cur = e - 1;
	it->decided = e->key;
	it->at = e;
	return true;
}

/* ---- moves ------------------------------------------------------------------------------------------------------------------ */

/* From the first entry at or after (it->key, version), or from the very first. */
static int scan_go_forward(silt_iter *it, uint64_t version)
{
	int rc = scan_keep_key(it);
	struct silt_slice key = buf_slice(&it->key);

	if (rc == 0)
		rc = key.len ? it->merge->ops->seek(it->merge, key, version) : it->merge->ops->first(it->merge);
	return scan_settle_forward(it, rc);
}

/* From the last entry before (it->key, version), or from the very last. */
static int scan_go_backward(silt_iter *it, uint64_t version)
{
	int rc = scan_keep_key(it);
	struct silt_slice key = buf_slice(&it->key);

	if (rc == 0)
		rc = key.len ? it->merge->ops->before(it->merge, key, version) : it->merge->ops->last(it->merge);
	return scan_settle_backward(it, rc);
}

/* `from` may be the key stood on, which goes with the merge's run: so it is copied first. */
static int scan_start(silt_iter *it, struct silt_slice from)
{
	bool fresh;
	int rc;

	it->have_key = false;
	it->gathered = NULL;
	(void)scan_end(it, 0);
	rc = buf_set(&it->key, from);
	return rc < 0 ? rc : scan_refresh(it, &fresh);
}

int silt_iter_seek(silt_iter *it, struct silt_slice key)
{
	int rc = scan_start(it, scan_before_lower(it, key) ? buf_slice(&it->lower) : key);

	return rc < 0 ? rc : scan_go_forward(it, UINT64_MAX);
}

int silt_iter_first(silt_iter *it)
{
	return silt_iter_seek(it, buf_slice(&it->lower));
}

int silt_iter_last(silt_iter *it)
{
	int rc;

	if (it->has_upper && it->upper.len == 0)
		return scan_end(it, SILT_END);    /* nothing is below the empty key */
	rc = scan_start(it, buf_slice(&it->upper));
	return rc < 0 ? rc : scan_go_backward(it, UINT64_MAX);
}

int silt_iter_seek_prev(silt_iter *it, struct silt_slice key)
{
	int rc;

	if (scan_past_upper(it, key))
		return silt_iter_last(it);
	if (key.len == 0)
		return scan_end(it, SILT_END);    /* no key is that small */
	rc = scan_start(it, key);
	return rc < 0 ? rc : scan_go_backward(it, 0);     /* after every version of it: none has version 0 */
}

int silt_iter_next(silt_iter *it)
{
	bool fresh;
	int rc;

	if (scan_run_forward(it))
		return 0;
	if (it->state == SCAN_NOWHERE || (it->state == SCAN_BETWEEN && it->way == SCAN_BACKWARD))
		return SILT_E_MISUSE;
	rc = scan_refresh(it, &fresh);
	if (rc < 0)
		return scan_end(it, rc);
	if (it->way == SCAN_BACKWARD || fresh)
		return scan_go_forward(it, it->have_key ? 0 : UINT64_MAX);
	return scan_settle_forward(it, it->state == SCAN_BETWEEN ? 0 : scan_step_forward(it));
}

int silt_iter_prev(silt_iter *it)
{
	bool fresh;
	int rc;

	if (scan_run_backward(it))
		return 0;
	if (it->state == SCAN_NOWHERE || (it->state == SCAN_BETWEEN && it->way == SCAN_FORWARD))
		return SILT_E_MISUSE;
	rc = scan_refresh(it, &fresh);
	if (rc < 0)
		return scan_end(it, rc);
	if (it->state == SCAN_BETWEEN && fresh)
		return scan_go_backward(it, 0);   /* that key is gathered again, from its oldest version */
	if (it->state == SCAN_AT && (it->way == SCAN_FORWARD || fresh))
		return scan_go_backward(it, UINT64_MAX);
	/* Moved backward: the merge is before the key stood on already. */
	return scan_settle_backward(it, it->merge_ended ? SILT_END : 0);
}

struct silt_slice silt_iter_key(const silt_iter *it)
{
	return it->at->key;
}

struct silt_slice silt_iter_value(const silt_iter *it)
{
	return it->at->value;
}

void silt_iter_info(const silt_iter *it, struct silt_info *out)
{
	get_fill_info(it->at, out);
}

uint64_t silt_iter_version(const silt_iter *it)
{
	return it->snap.version;
}
