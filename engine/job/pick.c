/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pick.c - what to compact next.
 *
 * Level 0   takes all that may go: from the oldest on each table that overlaps no older one that stays (rule 1).
 *
 *           newest  [a..f]   [e..z]   [a..d]   [p..t] damaged   [b..k]  oldest
 *                   stays    stays    goes     stays            goes       [e..z] lies above [p..t], and [a..f] above [e..z]
 *
 * Expiry    rewriting a table for each entry that expires would never end. A table waits one second for each 4 MiB that all
 *           tables with an expiry hold, counted from its earliest: each is then written anew so seldom that all of them together
 *           cost 4 MiB a second, and a small store is cleaned at once.
 * Source    least overlap: the overlapping ratio of RocksDB; the rest own.
 */
#include "job/levels.h"

#include "base/mem.h"
#include "core/key.h"

enum {
	PICK_SHARE_TOMBSTONES = 4,        /* a table with 1/4 of tombstones is written anew, or goes down */
	PICK_SHARE_EXPIRING = 8,          /* one with 1/8 of entries that expire is looked at */
	PICK_SHARE_STORE = 4,             /* level 0 goes down when 1/4 of all entries would go by it */
	PICK_MOVE_PART = 8,               /* a table of level 0 smaller than 1/8 of table_size is merged, not moved */
	PICK_RUN_TABLES = 4,              /* a manual run writes the bottom anew in runs of so many tables' bytes */
};
#define PICK_EXPIRY_BYTES_PER_MS 4096u

/* ---- what a table is and where it lies ------------------------------------------------------------------------------- */

static bool pick_excluded(const struct pick_rules *r, const struct table_meta *m)
{
	for (size_t i = 0; i < r->damaged_count; i++)
		if (r->damaged[i] == m->number)
			return true;
	return false;
}

static bool pick_is_bounded(const struct pick_rules *r)
{
	return r->manual_lower.len > 0 || r->manual_upper.len > 0;
}

/* May the table hold a key of the manual run's range? */
static bool pick_in_range(const struct pick_rules *r, const struct table_meta *m)
{
	return slice_cmp(m->largest, r->manual_lower) >= 0 &&
	       (r->manual_upper.len == 0 || slice_cmp(m->smallest, r->manual_upper) < 0);
}

/* Entries that a rewrite turns to deletes. */
static bool pick_has_expired(const struct pick_rules *r, const struct table_meta *m)
{
	return r->keep && m->expiring > 0 && m->earliest_expiry_ms <= keep_expired_to(r->keep);
}

/* Every delete in it is below every reader: at the bottom all of them go. */
static bool pick_settled(const struct pick_rules *r, const struct table_meta *m)
{
	return r->keep && m->max_version <= r->keep->snapshots[0];
}

static bool pick_nothing_below(const struct version *v, int level, struct silt_slice smallest, struct silt_slice largest)
{
	for (int l = level + 1; l < SILT_LEVELS; l++) {
		size_t first, last;

		version_overlap(&v->levels[l], smallest, largest, &first, &last);
		if (first < last)
			return false;
	}
	return true;
}

/* ---- filling in a pick ----------------------------------------------------------------------------------------------- */

static void pick_range(struct table_meta *const *tables, size_t n, struct silt_slice *smallest, struct silt_slice *largest)
{
	*smallest = tables[0]->smallest;
	*largest = tables[0]->largest;
	for (size_t i = 1; i < n; i++) {
		if (slice_cmp(tables[i]->smallest, *smallest) < 0)
			*smallest = tables[i]->smallest;
		if (slice_cmp(tables[i]->largest, *largest) > 0)
			*largest = tables[i]->largest;
	}
}

/*
 * Fills out with upper[0..n) of `level` on their way to output_level, and what lies there in their range.
 * SILT_NOTFOUND: it needs an excluded table. (out stays empty.)
 */
static int pick_fill(const struct levels_view *lv, enum pick_reason reason, int level, int output_level,
                     struct table_meta *const *upper, size_t n, struct pick *out)
{
	const struct version_level *below = &lv->v->levels[output_level];
	struct silt_slice smallest, largest;
	size_t first = 0, last = 0;
	struct table_meta **inputs;

	pick_range(upper, n, &smallest, &largest);
	if (level != output_level)
		version_overlap(below, smallest, largest, &first, &last);
	for (size_t i = first; i < last; i++)
		if (pick_excluded(lv->r, below->tables[i]))
			return SILT_NOTFOUND;
	inputs = mem_array(n + (last - first), sizeof(*inputs));
	if (!inputs)
		return SILT_E_NOMEM;
	*out = (struct pick){ reason, level, output_level, inputs, n, n + (last - first), false, false };
	for (size_t i = 0; i < n; i++)
		inputs[i] = table_meta_ref(upper[i]);
	for (size_t i = first; i < last; i++)
		inputs[n + i - first] = table_meta_ref(below->tables[i]);
	pick_range(inputs, out->input_n, &smallest, &largest);
	out->bottom = pick_nothing_below(lv->v, output_level, smallest, largest);
	return 0;
}

void pick_fini(struct pick *p)
{
	for (size_t i = 0; i < p->input_n; i++)
		table_meta_unref(p->inputs[i]);
	mem_free(p->inputs);
	memset(p, 0, sizeof(*p));
}

/* A lone table moves as it is, unless writing it anew would shed something. */
static bool pick_moves(const struct levels_view *lv, const struct pick *p)
{
	const struct table_meta *m = p->inputs[0];

	if (p->input_n != 1 || p->level == p->output_level)
		return false;
	return !pick_has_expired(lv->r, m) && !(p->bottom && (m->tombstones > 0 || m->range_deletes > 0));
}

/* ---- level 0 --------------------------------------------------------------------------------------------------------- */

/* Does the table at i overlap one of those behind it (older) whose mark is `mark`? */
static bool pick_l0_over(const struct version_level *l, const bool *taken, size_t i, bool mark)
{
	for (size_t j = i + 1; j < l->n; j++)
		if (taken[j] == mark && version_tables_overlap(l->tables[i], l->tables[j]))
			return true;
	return false;
}

/* Takes what may go of the tables with entries at or below a version: the newer lie in front and stay. */
static size_t pick_l0_take_all(const struct levels_view *lv, uint64_t to_version, bool *taken)
{
	const struct version_level *l = &lv->v->levels[0];
	size_t n = 0;

	for (size_t i = l->n; i-- > 0;) {
		const struct table_meta *m = l->tables[i];

		taken[i] = m->min_version <= to_version && !pick_excluded(lv->r, m) && !pick_l0_over(l, taken, i, false);
		n += taken[i];
	}
	return n;
}

/* Takes one table and each older one that it, or one so taken, overlaps. 0 where an excluded one is among them. */
static size_t pick_l0_take_one(const struct levels_view *lv, size_t seed, bool *taken)
{
	const struct version_level *l = &lv->v->levels[0];
	size_t n = 0;

	memset(taken, 0, l->n * sizeof(*taken));
	taken[seed] = true;
	for (size_t i = seed; i < l->n; i++) {
		for (size_t j = seed; !taken[i] && j < i; j++)
			taken[i] = taken[j] && version_tables_overlap(l->tables[i], l->tables[j]);
		if (taken[i] && pick_excluded(lv->r, l->tables[i]))
			return 0;
		n += taken[i];
	}
	return n;
}

static int pick_l0_fill(const struct levels_view *lv, enum pick_reason reason, const bool *taken, size_t n, struct pick *out)
{
	const struct version_level *l = &lv->v->levels[0];
	struct table_meta **upper = mem_array(n, sizeof(*upper));
	size_t at = 0;
	int rc;

	if (!upper)
		return SILT_E_NOMEM;
	for (size_t i = 0; i < l->n; i++)
		if (taken[i])
			upper[at++] = l->tables[i];
	rc = pick_fill(lv, reason, 0, lv->base, upper, n, out);
	mem_free(upper);
	return rc;
}

/* The oldest table alone, if it can move: nothing in level 0 or in the base overlaps it, and it is worth being a table. */
static int pick_l0_move(const struct levels_view *lv, enum pick_reason reason, uint64_t to_version, struct pick *out)
{
	const struct version_level *l = &lv->v->levels[0];
	struct table_meta *oldest = l->tables[l->n - 1];
	int rc;

	if (pick_excluded(lv->r, oldest) || oldest->min_version > to_version)
		return SILT_NOTFOUND;
	if (oldest->size < lv->r->table_size / PICK_MOVE_PART)
		return SILT_NOTFOUND;
	for (size_t i = 0; i + 1 < l->n; i++)
		if (version_tables_overlap(l->tables[i], oldest))
			return SILT_NOTFOUND;
	rc = pick_fill(lv, reason, 0, lv->base, &oldest, 1, out);
	if (rc != 0)
		return rc;
	out->move = pick_moves(lv, out);
	if (out->move)
		return 0;
	pick_fini(out);
	return SILT_NOTFOUND;
}

/* All of it; or, where that meets an excluded table in the base, the first that can go, from the oldest on. */
static int pick_l0_merge(const struct levels_view *lv, enum pick_reason reason, uint64_t to_version, bool *taken,
                         struct pick *out)
{
	const struct version_level *l = &lv->v->levels[0];
	size_t n = pick_l0_take_all(lv, to_version, taken);
	int rc = n ? pick_l0_fill(lv, reason, taken, n, out) : SILT_NOTFOUND;

	for (size_t seed = l->n; n > 0 && rc == SILT_NOTFOUND && seed-- > 0;) {
		size_t some = l->tables[seed]->min_version <= to_version ? pick_l0_take_one(lv, seed, taken) : 0;

		if (some)
			rc = pick_l0_fill(lv, reason, taken, some, out);
	}
	return rc;
}

static int pick_l0(const struct levels_view *lv, enum pick_reason reason, uint64_t to_version, struct pick *out)
{
	const struct version_level *l = &lv->v->levels[0];
	bool *taken;
	int rc;

	if (l->n == 0)
		return SILT_NOTFOUND;
	rc = pick_l0_move(lv, reason, to_version, out);
	if (rc != SILT_NOTFOUND)
		return rc;
	taken = mem_calloc(l->n, sizeof(*taken));
	if (!taken)
		return SILT_E_NOMEM;
	rc = pick_l0_merge(lv, reason, to_version, taken, out);
	mem_free(taken);
	return rc;
}

/* ---- leveled levels -------------------------------------------------------------------------------------------------- */

/* Bytes in the next level that a table would take along, a byte of its own; < 0: one of them is excluded. */
static double pick_overlap_ratio(const struct levels_view *lv, int level, const struct table_meta *m)
{
	const struct version_level *below = &lv->v->levels[level + 1];
	size_t first, last;
	double bytes = 0;

	version_overlap(below, m->smallest, m->largest, &first, &last);
	for (size_t i = first; i < last; i++) {
		if (pick_excluded(lv->r, below->tables[i]))
			return -1;
		bytes += (double)below->tables[i]->size;
	}
	return bytes / (double)(m->size ? m->size : 1);
}

/* The table with the least overlap below of those with entries at or below a version goes one level down. */
static int pick_level(const struct levels_view *lv, enum pick_reason reason, int level, uint64_t to_version, struct pick *out)
{
	const struct version_level *l = &lv->v->levels[level];
	struct table_meta *best = NULL;
	double best_ratio = 0;
	int rc;

	for (size_t i = 0; i < l->n; i++) {
		struct table_meta *m = l->tables[i];
		double ratio;

		if (m->min_version > to_version || pick_excluded(lv->r, m) || (reason == PICK_MANUAL && !pick_in_range(lv->r, m)))
			continue;
		ratio = pick_overlap_ratio(lv, level, m);
		if (ratio >= 0 && (!best || ratio < best_ratio)) {
			best = m;
			best_ratio = ratio;
		}
	}
	if (!best)
		return SILT_NOTFOUND;
	rc = pick_fill(lv, reason, level, level + 1, &best, 1, out);
	if (rc == 0)
		out->move = pick_moves(lv, out);
	return rc;
}

/* The highest score first; what is excluded there lets the next have its turn. */
static int pick_by_score(const struct levels_view *lv, int from_level, struct pick *out)
{
	bool tried[SILT_LEVELS] = { false };

	for (;;) {
		int best = -1, rc;

		for (int l = from_level; l < LEVELS_LAST; l++)
			if (!tried[l] && levels_want_work(lv, l) && (best < 0 || levels_score(lv, l) > levels_score(lv, best)))
				best = l;
		if (best < 0)
			return SILT_NOTFOUND;
		if (best == 0)
			rc = pick_l0(lv, PICK_L0_COUNT, UINT64_MAX, out);
		else
			rc = pick_level(lv, PICK_LEVEL_SIZE, best, UINT64_MAX, out);
		if (rc != SILT_NOTFOUND)
			return rc;
		tried[best] = true;
	}
}

/* ---- tombstones and expiry ------------------------------------------------------------------------------------------- */

/* When the earliest expiry must have passed by now: see "Expiry" above. 0 = no table has one. */
static uint64_t pick_expiry_line(const struct levels_view *lv)
{
	uint64_t bytes = 0, now = keep_expired_to(lv->r->keep), wait;

	for (int l = 0; l < SILT_LEVELS; l++)
		for (size_t i = 0; i < lv->v->levels[l].n; i++)
			if (lv->v->levels[l].tables[i]->expiring > 0)
				bytes += lv->v->levels[l].tables[i]->size;
	wait = bytes / PICK_EXPIRY_BYTES_PER_MS;
	return now > wait ? now - wait : 0;
}

static bool pick_wants_expiry(const struct table_meta *m, uint64_t line)
{
	return m->expiring > 0 && m->earliest_expiry_ms <= line && m->expiring >= m->entries / PICK_SHARE_EXPIRING;
}

/* In place, where nothing older lies below; else one level down. */
static int pick_table(const struct levels_view *lv, enum pick_reason reason, int level, struct table_meta *m, bool in_place,
                      struct pick *out)
{
	int rc = pick_fill(lv, reason, level, in_place ? level : level + 1, &m, 1, out);

	if (rc == 0)
		out->move = pick_moves(lv, out);
	return rc;
}

/* A range delete counts as one here: a table of little else goes down soon, with whatever they hide. */
static bool pick_is_dead(const struct table_meta *m)
{
	uint64_t dead = m->tombstones + m->range_deletes;

	return dead > 0 && dead >= m->entries / PICK_SHARE_TOMBSTONES;
}

/* Where a key stands between two others, about: by the 8 bytes behind what those two share. */
static double pick_place(struct silt_slice key, struct silt_slice from, struct silt_slice to)
{
	const char *a = from.data, *b = to.data;
	size_t shared = 0;
	double low, high, at;

	if (slice_cmp(key, from) <= 0)
		return 0;
	if (slice_cmp(key, to) >= 0)
		return 1;
	while (shared < from.len && shared < to.len && a[shared] == b[shared])
		shared++;
	low = (double)key_prefix(slice_of(a + shared, from.len - shared));
	high = (double)key_prefix(slice_of(b + shared, to.len - shared));
	at = (double)key_prefix(slice_of((const char *)key.data + shared, key.len - shared));     /* it shares as much */
	return high > low && at > low ? (at - low) / (high - low) : 0;
}

/* Entries in tables below level 0 that lie in the range of m, about: what its range deletes may hide, where m holds little else. */
static uint64_t pick_may_hide(const struct levels_view *lv, const struct table_meta *m)
{
	uint64_t entries = 0;

	if (m->range_deletes == 0 || m->range_deletes < m->entries / PICK_SHARE_TOMBSTONES)
		return 0;
	for (int l = 1; l < SILT_LEVELS; l++) {
		const struct version_level *below = &lv->v->levels[l];
		size_t first, last;

		version_overlap(below, m->smallest, m->largest, &first, &last);
		for (size_t i = first; i < last; i++) {
			const struct table_meta *t = below->tables[i];
			double share = pick_place(m->largest, t->smallest, t->largest) - pick_place(m->smallest, t->smallest, t->largest);

			entries += share > 0 ? (uint64_t)((double)t->entries * share) : 0;
		}
	}
	return entries;
}

static int pick_tombstones_of(const struct levels_view *lv, int level, struct table_meta *m, struct pick *out)
{
	bool in_place;

	if (!pick_is_dead(m))
		return SILT_NOTFOUND;
	in_place = pick_nothing_below(lv->v, level, m->smallest, m->largest);
	if (in_place && !pick_settled(lv->r, m))
		return SILT_NOTFOUND;
	return pick_table(lv, PICK_TOMBSTONES, level, m, in_place, out);
}

static int pick_expired_of(const struct levels_view *lv, int level, struct table_meta *m, uint64_t line, struct pick *out)
{
	if (!pick_wants_expiry(m, line))
		return SILT_NOTFOUND;
	return pick_table(lv, PICK_EXPIRED, level, m, pick_nothing_below(lv->v, level, m->smallest, m->largest), out);
}

static int pick_dead(const struct levels_view *lv, enum pick_reason reason, uint64_t line, struct pick *out)
{
	for (int l = LEVELS_LAST; l >= 1; l--) {
		for (size_t i = 0; i < lv->v->levels[l].n; i++) {
			struct table_meta *m = lv->v->levels[l].tables[i];
			int rc;

			if (pick_excluded(lv->r, m))
				continue;
			if (reason == PICK_EXPIRED)
				rc = pick_expired_of(lv, l, m, line, out);
			else
				rc = pick_tombstones_of(lv, l, m, out);
			if (rc != SILT_NOTFOUND)
				return rc;
		}
	}
	return SILT_NOTFOUND;
}

/* Level 0 waits for its trigger, unless the dead in it are a good part of all there is. */
static int pick_dead_l0(const struct levels_view *lv, enum pick_reason reason, uint64_t line, struct pick *out)
{
	uint64_t dead = 0, all = 0;

	for (size_t i = 0; i < lv->v->levels[0].n; i++) {
		const struct table_meta *m = lv->v->levels[0].tables[i];

		if (reason == PICK_TOMBSTONES)
			dead += m->tombstones + m->range_deletes + pick_may_hide(lv, m);
		else if (pick_wants_expiry(m, line))
			dead += m->expiring;
	}
	for (int l = 0; l < SILT_LEVELS; l++)
		for (size_t i = 0; i < lv->v->levels[l].n; i++)
			all += lv->v->levels[l].tables[i]->entries;
	return dead > 0 && dead >= all / PICK_SHARE_STORE ? pick_l0(lv, reason, UINT64_MAX, out) : SILT_NOTFOUND;
}

static int pick_by_death(const struct levels_view *lv, struct pick *out)
{
	uint64_t line;
	int rc;

	if (!lv->r->keep)
		return SILT_NOTFOUND;
	rc = pick_dead(lv, PICK_TOMBSTONES, 0, out);
	if (rc == SILT_NOTFOUND)
		rc = pick_dead_l0(lv, PICK_TOMBSTONES, 0, out);
	if (rc != SILT_NOTFOUND)
		return rc;
	line = pick_expiry_line(lv);
	rc = pick_dead(lv, PICK_EXPIRED, line, out);
	return rc == SILT_NOTFOUND ? pick_dead_l0(lv, PICK_EXPIRED, line, out) : rc;
}

/* ---- by hand --------------------------------------------------------------------------------------------------------- */

/* Of level 0 what has keys of the range, and each older table below it; the oldest first. */
static int pick_l0_range(const struct levels_view *lv, bool *taken, struct pick *out)
{
	const struct version_level *l = &lv->v->levels[0];
	int rc = SILT_NOTFOUND;

	for (size_t seed = l->n; rc == SILT_NOTFOUND && seed-- > 0;) {
		const struct table_meta *m = l->tables[seed];
		size_t n = m->min_version <= lv->r->manual_version && pick_in_range(lv->r, m) ? pick_l0_take_one(lv, seed, taken) : 0;

		if (n)
			rc = pick_l0_fill(lv, PICK_MANUAL, taken, n, out);
	}
	return rc;
}

static int pick_manual_l0(const struct levels_view *lv, struct pick *out)
{
	bool *taken;
	int rc;

	if (!pick_is_bounded(lv->r))
		return pick_l0(lv, PICK_MANUAL, lv->r->manual_version, out);
	taken = mem_calloc(lv->v->levels[0].n, sizeof(*taken));
	if (!taken)
		return SILT_E_NOMEM;
	rc = pick_l0_range(lv, taken, out);
	mem_free(taken);
	return rc;
}

/* A table of the last level that the request has still to write anew. */
static bool pick_wants_bottom(const struct levels_view *lv, const struct table_meta *m)
{
	return m->number < lv->r->manual_before && !pick_excluded(lv->r, m) && pick_in_range(lv->r, m);
}

/* Neighbours of the last level that are older than the request are written anew together, a few tables' worth at a time. */
static int pick_bottom_run(const struct levels_view *lv, struct pick *out)
{
	const struct version_level *l = &lv->v->levels[LEVELS_LAST];
	uint64_t room = lv->r->table_size * PICK_RUN_TABLES, bytes = 0;
	size_t first = 0, last;

	while (first < l->n && !pick_wants_bottom(lv, l->tables[first]))
		first++;
	for (last = first; last < l->n; last++) {
		const struct table_meta *m = l->tables[last];

		if (!pick_wants_bottom(lv, m) || (last > first && m->size > room - bytes))
			break;
		bytes += m->size < room - bytes ? m->size : room - bytes;
	}
	if (first == last)
		return SILT_NOTFOUND;
	return pick_fill(lv, PICK_MANUAL, LEVELS_LAST, LEVELS_LAST, l->tables + first, last - first, out);
}

static int pick_manual(const struct levels_view *lv, struct pick *out)
{
	int rc = pick_manual_l0(lv, out);

	for (int l = 1; rc == SILT_NOTFOUND && l < LEVELS_LAST; l++)
		rc = pick_level(lv, PICK_MANUAL, l, lv->r->manual_version, out);
	return rc == SILT_NOTFOUND ? pick_bottom_run(lv, out) : rc;
}

int pick_compaction(const struct version *v, const struct pick_rules *r, struct pick *out)
{
	struct levels_view lv = levels_view(v, r);
	int rc = SILT_NOTFOUND;

	if (levels_want_work(&lv, 0) || !r->manual)
		rc = pick_by_score(&lv, 0, out);
	if (rc == SILT_NOTFOUND && r->manual)
		rc = pick_manual(&lv, out);
	if (rc == SILT_NOTFOUND && r->manual)
		rc = pick_by_score(&lv, 1, out);
	return rc == SILT_NOTFOUND ? pick_by_death(&lv, out) : rc;
}
