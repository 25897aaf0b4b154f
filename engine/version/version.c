/* SPDX-License-Identifier: Apache-2.0 */
/*
 * version.c - the next version from the last one and an edit: copy what stays, merge in what comes, look at what came.
 *
 * An edit of a tables on a version of n costs n pointer copies and references, n log a to compare the numbers, and for each
 * added table a search in each level; what was in order before is not looked at again.
 *
 *           base, level 1     [a..c]9   [f..k]7   [p..z]4         (numbers behind the ranges)
 *           edit              drop 1/7, add 1/12 [f..h], add 1/13 [i..k]
 *           next, level 1     [a..c]9   [f..h]12  [i..k]13  [p..z]4
 */
#include "version/version.h"

#include <inttypes.h>
#include <stdatomic.h>

#include "base/mem.h"

int version_new(struct version **out)
{
	struct version *v = mem_calloc(1, sizeof(*v));

	if (!v)
		return SILT_E_NOMEM;
	atomic_init(&v->refs, 1);
	v->next_file = 1;
	v->wal_number = 1;
	*out = v;
	return 0;
}

struct version *version_ref(struct version *v)
{
	atomic_fetch_add_explicit(&v->refs, 1, memory_order_relaxed);
	return v;
}

void version_unref(struct version *v)
{
	if (!v || atomic_fetch_sub_explicit(&v->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (int l = 0; l < SILT_LEVELS; l++) {
		for (size_t i = 0; i < v->levels[l].n; i++)
			table_meta_unref(v->levels[l].tables[i]);
		mem_free(v->levels[l].tables);
	}
	mem_free(v);
}

/* ---- searching ------------------------------------------------------------------------------------------------------- */

size_t version_lower(const struct version_level *l, struct silt_slice key)
{
	size_t lo = 0, hi = l->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (slice_cmp(l->tables[mid]->largest, key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The first table whose smallest key is after key. */
static size_t version_upper(const struct version_level *l, struct silt_slice key)
{
	size_t lo = 0, hi = l->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (slice_cmp(l->tables[mid]->smallest, key) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

size_t version_find(const struct version_level *l, struct silt_slice key)
{
	size_t i = version_lower(l, key);

	return i < l->n && slice_cmp(l->tables[i]->smallest, key) <= 0 ? i : l->n;
}

void version_overlap(const struct version_level *l, struct silt_slice smallest, struct silt_slice largest, size_t *first,
                     size_t *last)
{
	*first = version_lower(l, smallest);
	*last = version_upper(l, largest);
}

size_t version_l0_runs(const struct version *v)
{
	const struct version_level *l = &v->levels[0];
	size_t runs = 0;

	for (size_t i = 0; i < l->n; i++)         /* newest first: what has one version stands together */
		runs += i == 0 || l->tables[i]->assigned == 0 || l->tables[i]->assigned != l->tables[i - 1]->assigned;
	return runs;
}

/* ---- the invariants -------------------------------------------------------------------------------------------------- */

/* Rule 1: b, if it overlaps a in keys, is wholly newer or wholly older. */
static int version_check_l0(const struct version *v, const struct table_meta *a, const struct reporter *rep)
{
	const struct version_level *l = &v->levels[0];

	for (size_t i = 0; i < l->n; i++) {
		const struct table_meta *b = l->tables[i];

		if (a == b || !version_tables_overlap(a, b))
			continue;
		if (a->min_version <= b->max_version && b->min_version <= a->max_version)
			return report(rep, SILT_E_CORRUPT, "version: tables %06" PRIu64 " and %06" PRIu64
			              " of level 0 overlap in keys and versions", a->number, b->number);
	}
	return 0;
}

/* Rule 2, of m with its neighbours. The level is in order by smallest key; that is all the search may lean on. */
static int version_check_disjoint(const struct version *v, int level, const struct table_meta *m, const struct reporter *rep)
{
	const struct version_level *l = &v->levels[level];
	size_t end = version_upper(l, m->smallest);

	for (size_t left = end > 2 ? end - 2 : 0; left < end && left + 1 < l->n; left++) {
		const struct table_meta *a = l->tables[left], *b = l->tables[left + 1];

		if (slice_cmp(a->largest, b->smallest) >= 0)
			return report(rep, SILT_E_CORRUPT, "version: tables %06" PRIu64 " and %06" PRIu64 " of level %d overlap",
			              a->number, b->number, level);
	}
	return 0;
}

static bool version_ends_at(const struct table_meta *m, struct silt_slice key)
{
	return slice_eq(m->smallest, key) || slice_eq(m->largest, key);
}

/* Rule 3, of two tables that both hold a key. */
static int version_check_newer(const struct table_meta *upper, const struct table_meta *lower, const struct reporter *rep)
{
	if (upper->max_version > lower->min_version)
		return 0;
	return report(rep, SILT_E_CORRUPT, "version: table %06" PRIu64 " lies above table %06" PRIu64
	              ", shares a key with it, and is older", upper->number, lower->number);
}

/* Rule 3, of table m that holds key, against the tables of another level that end in key. */
static int version_check_key(const struct version *v, int level, const struct table_meta *m, struct silt_slice key, int other,
                             const struct reporter *rep)
{
	const struct version_level *l = &v->levels[other];
	size_t first = other ? version_find(l, key) : 0, last = other && first < l->n ? first + 1 : l->n;
	int rc = 0;

	for (size_t i = first; rc == 0 && i < last; i++) {
		if (!version_ends_at(l->tables[i], key))
			continue;
		rc = other < level ? version_check_newer(l->tables[i], m, rep) : version_check_newer(m, l->tables[i], rep);
	}
	return rc;
}

static int version_check_levels(const struct version *v, int level, const struct table_meta *m, const struct reporter *rep)
{
	int rc = 0;

	for (int other = 0; rc == 0 && other < SILT_LEVELS; other++) {
		if (other == level)
			continue;
		rc = version_check_key(v, level, m, m->smallest, other, rep);
		if (rc == 0)
			rc = version_check_key(v, level, m, m->largest, other, rep);
	}
	return rc;
}

/* Rules 1, 2 and 3 for one table that stands in a level. */
static int version_check_table(const struct version *v, int level, const struct table_meta *m, const struct reporter *rep)
{
	int rc = level ? version_check_disjoint(v, level, m, rep) : version_check_l0(v, m, rep);

	return rc < 0 ? rc : version_check_levels(v, level, m, rep);
}

static int version_number_cmp(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int version_check_twice(uint64_t number, const struct reporter *rep)
{
	return report(rep, SILT_E_CORRUPT, "version: table %06" PRIu64 " stands in two places", number);
}

/* Every table of v, looked up among n ascending numbers: none may be found twice. `seen` is as long as they are. */
static int version_check_seen(const struct version *v, const uint64_t *numbers, bool *seen, size_t n,
                              const struct reporter *rep)
{
	for (int l = 0; l < SILT_LEVELS; l++) {
		for (size_t i = 0; i < v->levels[l].n; i++) {
			const struct table_meta *m = v->levels[l].tables[i];
			const uint64_t *at = bsearch(&m->number, numbers, n, sizeof(*numbers), version_number_cmp);

			if (at && seen[at - numbers])
				return version_check_twice(*at, rep);
			if (at)
				seen[at - numbers] = true;
		}
	}
	return 0;
}

/* Rule 4, of the tables that came with e. */
static int version_check_numbers(const struct version *v, const struct edit *e, const struct reporter *rep)
{
	uint64_t *numbers = mem_array(e->add_count, sizeof(*numbers));
	bool *seen = mem_calloc(e->add_count, sizeof(*seen));
	int rc = numbers && seen ? 0 : SILT_E_NOMEM;

	for (size_t i = 0; rc == 0 && i < e->add_count; i++)
		numbers[i] = e->adds[i].meta->number;
	if (rc == 0 && e->add_count > 0) {
		qsort(numbers, e->add_count, sizeof(*numbers), version_number_cmp);
		for (size_t i = 1; rc == 0 && i < e->add_count; i++)
			rc = numbers[i - 1] == numbers[i] ? version_check_twice(numbers[i], rep) : 0;
		if (rc == 0)
			rc = version_check_seen(v, numbers, seen, e->add_count, rep);
	}
	mem_free(numbers);
	mem_free(seen);
	return rc;
}

static int version_order_cmp(int level, const struct table_meta *a, const struct table_meta *b)
{
	if (level > 0)
		return slice_cmp(a->smallest, b->smallest);
	if (a->max_version != b->max_version)
		return a->max_version > b->max_version ? -1 : 1;
	return a->number > b->number ? -1 : a->number < b->number;
}

static int version_check_place(const struct version *v, int level, size_t i, const struct reporter *rep)
{
	const struct version_level *l = &v->levels[level];
	const struct table_meta *m = l->tables[i];

	if (i > 0 && version_order_cmp(level, l->tables[i - 1], m) > 0)
		return report(rep, SILT_E_CORRUPT, "version: level %d is out of order at table %06" PRIu64, level, m->number);
	if (m->number >= v->next_file || m->max_version > v->last_version)   /* rule 5 */
		return report(rep, SILT_E_CORRUPT, "version: table %06" PRIu64 " is newer than the version knows", m->number);
	return version_check_table(v, level, m, rep);
}

int version_check(const struct version *v, const struct reporter *rep)
{
	struct edit all;
	int rc = version_to_edit(v, &all);

	if (rc == 0)
		rc = version_check_numbers(v, &all, rep);
	for (int l = 0; l < SILT_LEVELS; l++)
		for (size_t i = 0; rc == 0 && i < v->levels[l].n; i++)
			rc = version_check_place(v, l, i, rep);
	edit_fini(&all);
	return rc;
}

/* ---- applying -------------------------------------------------------------------------------------------------------- */

struct version_step {                     /* an edit put in order */
	struct edit_add *adds;            /* by level, then as the level is ordered */
	struct edit_drop *drops;          /* by level, then number */
	size_t add_count, drop_count;
	size_t add_done, drop_done;       /* used by the levels so far */
};

static int version_add_cmp(const void *a, const void *b)
{
	const struct edit_add *x = a, *y = b;

	if (x->level != y->level)
		return x->level - y->level;
	return version_order_cmp(x->level, x->meta, y->meta);
}

static int version_drop_cmp(const void *a, const void *b)
{
	const struct edit_drop *x = a, *y = b;

	if (x->level != y->level)
		return x->level - y->level;
	return version_number_cmp(&x->number, &y->number);
}

static int version_step_init(struct version_step *s, const struct edit *e)
{
	memset(s, 0, sizeof(*s));
	s->adds = mem_array(e->add_count, sizeof(*s->adds));
	s->drops = mem_array(e->drop_count, sizeof(*s->drops));
	if (!s->adds || !s->drops)
		return SILT_E_NOMEM;
	s->add_count = e->add_count;
	s->drop_count = e->drop_count;
	for (size_t i = 0; i < e->add_count; i++)
		s->adds[i] = e->adds[i];
	for (size_t i = 0; i < e->drop_count; i++)
		s->drops[i] = e->drops[i];
	if (s->add_count)
		qsort(s->adds, s->add_count, sizeof(*s->adds), version_add_cmp);
	if (s->drop_count)
		qsort(s->drops, s->drop_count, sizeof(*s->drops), version_drop_cmp);
	return 0;
}

static void version_step_fini(struct version_step *s)
{
	mem_free(s->adds);
	mem_free(s->drops);
}

static bool version_dropped(struct version_step *s, int level, const struct table_meta *m)
{
	struct edit_drop key = { level, m->number };

	if (s->drop_count == 0 || !bsearch(&key, s->drops, s->drop_count, sizeof(key), version_drop_cmp))
		return false;
	s->drop_done++;
	return true;
}

static void version_push(struct version_level *l, struct table_meta *m)
{
	l->tables[l->n++] = table_meta_ref(m);
	l->bytes += m->size;
}

/* One level: what stays and what comes, merged in order. */
static int version_build_level(const struct version_level *base, int level, struct version_step *s,
                               struct version_level *out)
{
	size_t end = s->add_done;

	while (end < s->add_count && s->adds[end].level == level)
		end++;
	if (base->n + (end - s->add_done) == 0)
		return 0;
	out->tables = mem_array(base->n + (end - s->add_done), sizeof(*out->tables));
	if (!out->tables)
		return SILT_E_NOMEM;
	for (size_t i = 0; i < base->n; i++) {
		if (version_dropped(s, level, base->tables[i]))
			continue;
		while (s->add_done < end && version_order_cmp(level, s->adds[s->add_done].meta, base->tables[i]) < 0)
			version_push(out, s->adds[s->add_done++].meta);
		version_push(out, base->tables[i]);
	}
	while (s->add_done < end)
		version_push(out, s->adds[s->add_done++].meta);
	return 0;
}

/* Every drop was used, and each once. */
static int version_check_drops(const struct version *base, const struct version_step *s, const struct reporter *rep)
{
	for (size_t i = 0; i < s->drop_count; i++) {
		const struct edit_drop *d = &s->drops[i];
		const struct version_level *l = &base->levels[d->level];
		size_t at = 0;

		while (at < l->n && l->tables[at]->number != d->number)
			at++;
		if (at == l->n || (i > 0 && version_drop_cmp(d - 1, d) == 0))
			return report(rep, SILT_E_CORRUPT, "version: an edit drops table %06" PRIu64
			              " of level %d, which is not there", d->number, d->level);
	}
	return 0;
}

static uint64_t version_max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Rule 5. */
static void version_raise(const struct version *base, const struct edit *e, struct version *v)
{
	v->wal_number = e->has_wal_number ? version_max(base->wal_number, e->wal_number) : base->wal_number;
	v->next_file = e->has_next_file ? version_max(base->next_file, e->next_file) : base->next_file;
	v->last_version = e->has_last_version ? version_max(base->last_version, e->last_version) : base->last_version;
	for (size_t i = 0; i < e->add_count; i++) {
		v->next_file = version_max(v->next_file, e->adds[i].meta->number + 1);
		v->last_version = version_max(v->last_version, e->adds[i].meta->max_version);
	}
}

static int version_build(const struct version *base, const struct edit *e, struct version_step *s, const struct reporter *rep,
                         struct version *v)
{
	int rc = 0;

	for (int l = 0; rc == 0 && l < SILT_LEVELS; l++)
		rc = version_build_level(&base->levels[l], l, s, &v->levels[l]);
	if (rc == 0 && s->drop_done != s->drop_count)
		rc = version_check_drops(base, s, rep);
	version_raise(base, e, v);
	if (rc == 0)
		rc = version_check_numbers(v, e, rep);
	for (size_t i = 0; rc == 0 && i < e->add_count; i++)
		rc = version_check_table(v, e->adds[i].level, e->adds[i].meta, rep);
	return rc;
}

int version_apply(const struct version *base, const struct edit *e, const struct reporter *rep, struct version **out)
{
	struct version_step s;
	struct version *v = NULL;
	int rc = version_step_init(&s, e);

	if (rc == 0)
		rc = version_new(&v);
	if (rc == 0)
		rc = version_build(base, e, &s, rep, v);
	if (rc == 0) {
		*out = v;
		v = NULL;
	}
	version_unref(v);
	version_step_fini(&s);
	return rc;
}

int version_to_edit(const struct version *v, struct edit *out)
{
	int rc = 0;

	edit_init(out);
	out->has_wal_number = out->has_next_file = out->has_last_version = true;
	out->wal_number = v->wal_number;
	out->next_file = v->next_file;
	out->last_version = v->last_version;
	for (int l = 0; l < SILT_LEVELS; l++)
		for (size_t i = 0; rc == 0 && i < v->levels[l].n; i++)
			rc = edit_add_table(out, l, v->levels[l].tables[i]);
	if (rc < 0)
		edit_fini(out);
	return rc;
}
