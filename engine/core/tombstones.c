/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tombstones.c - from range deletes that overlap as they like to fragments that do not.
 *
 *      bounds        b    f        k         p          all of them, in order, once: segments between neighbours
 *      segments      | 0  |   1    |    2    |
 *
 * Building  the range deletes are taken newest first, reader by reader. Each paints the segments from its lower to its upper that no newer
 *           one of the same reader painted: `next` leads past the painted (a union-find whose sets are runs of painted
 *           segments), so that each segment is painted once a reader, whatever overlaps. What was painted comes out newest
 *           first by segment; segments that touch and say the same become one fragment.
 * Memory    one allocation: head | fragments | versions | bytes of the bounds.
 * Source    painting runs with a union-find: Gabow and Tarjan, "A Linear-Time Algorithm for a Special Case of Disjoint Set Union",
 *           JCSS 30, 1985 (the interval case, without its tables).
 */
#include "core/tombstones.h"
#include "base/mem.h"
#include "core/key.h"

#include <assert.h>
#include <stdatomic.h>

/* ---- bounds and fragments -------------------------------------------------------------------------------------------- */

struct silt_slice tombstone_last(struct silt_slice upper)
{
#define FF4 "\xff\xff\xff\xff"
#define FF64 FF4 FF4 FF4 FF4 FF4 FF4 FF4 FF4 FF4 FF4 FF4 FF4 FF4 FF4 FF4 FF4
#define FF512 FF64 FF64 FF64 FF64 FF64 FF64 FF64 FF64
	static const char last[] = FF512 FF512 FF512 FF512 FF512 FF512 FF512 FF512;
	const uint8_t *p = upper.data;

	_Static_assert(sizeof(last) - 1 == KEY_MAX, "the last key of all");
	if (upper.len == 0)
		return slice_of(last, KEY_MAX);
	return p[upper.len - 1] == 0 && upper.len > 1 ? slice_of(p, upper.len - 1) : upper;
#undef FF512
#undef FF64
#undef FF4
}

uint64_t tombstone_newest(const struct tombstone *t, uint64_t max_version)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->versions[i] <= max_version)
			return t->versions[i];
	return 0;
}

uint64_t tombstone_above(const struct tombstone *t, uint64_t version)
{
	for (size_t i = t->n; i-- > 0;)
		if (t->versions[i] > version)
			return t->versions[i];
	return 0;
}

/* ---- lists ----------------------------------------------------------------------------------------------------------- */

struct tombstones *tombstones_ref(struct tombstones *l)
{
	atomic_fetch_add_explicit(&l->refs, 1, memory_order_relaxed);
	return l;
}

void tombstones_free(struct tombstones *l)
{
	if (l && atomic_fetch_sub_explicit(&l->refs, 1, memory_order_acq_rel) == 1)
		mem_free(l);
}

size_t tombstones_find(const struct tombstones *l, struct silt_slice key)
{
	size_t lo = 0, hi = l->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (tombstone_below(key, l->at[mid].upper))
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

static const struct tombstone *tombstones_has(const struct tombstones *l, size_t i, struct silt_slice key)
{
	return i < l->n && slice_cmp(l->at[i].lower, key) <= 0 ? &l->at[i] : NULL;
}

const struct tombstone *tombstones_at(const struct tombstones *l, struct silt_slice key)
{
	return l ? tombstones_has(l, tombstones_find(l, key), key) : NULL;
}

uint64_t tombstones_cover(const struct tombstones *l, struct silt_slice key, uint64_t max_version)
{
	const struct tombstone *t = tombstones_at(l, key);

	return t ? tombstone_newest(t, max_version) : 0;
}

/* Is i what tombstones_find() would say? */
static bool tombstones_right(const struct tombstones *l, size_t i, struct silt_slice key)
{
	return (i == l->n || tombstone_below(key, l->at[i].upper)) && (i == 0 || !tombstone_below(key, l->at[i - 1].upper));
}

const struct tombstone *tombstones_seek(struct tombstones_cursor *c, struct silt_slice key)
{
	const struct tombstones *l = c->list;

	if (!l)
		return NULL;
	if (!tombstones_right(l, c->at, key)) {
		if (c->at < l->n && tombstones_right(l, c->at + 1, key))
			c->at++;
		else if (c->at > 0 && tombstones_right(l, c->at - 1, key))
			c->at--;
		else
			c->at = tombstones_find(l, key);
	}
	return tombstones_has(l, c->at, key);
}

static void tombstones_check_one(const struct tombstone *t)
{
	assert(t->lower.len > 0 && t->n > 0 && tombstone_below(t->lower, t->upper));
	for (size_t i = 1; i < t->n; i++)
		assert(t->versions[i - 1] > t->versions[i]);
}

void tombstones_check(const struct tombstones *l)
{
	uint64_t min = UINT64_MAX, max = 0;
	size_t count = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct tombstone *t = &l->at[i];

		tombstones_check_one(t);
		assert(i == 0 || !tombstone_below(t->lower, l->at[i - 1].upper));
		count += t->n;
		min = t->versions[t->n - 1] < min ? t->versions[t->n - 1] : min;
		max = t->versions[0] > max ? t->versions[0] : max;
	}
	assert(l->n > 0 && count == l->count && min == l->min_version && max == l->max_version);
	(void)count;
}

/* ---- filling a list -------------------------------------------------------------------------------------------------- */

struct tombstones *tombstones_new(size_t fragments, size_t versions, size_t bounds)
{
	struct tombstones *l;
	size_t bytes, more;

	assert(fragments > 0 && versions >= fragments);
	if (__builtin_mul_overflow(fragments, sizeof(l->at[0]), &bytes) ||
	    __builtin_mul_overflow(versions, sizeof(uint64_t), &more) || __builtin_add_overflow(bytes, more, &bytes) ||
	    __builtin_add_overflow(bytes, bounds, &bytes) || __builtin_add_overflow(bytes, sizeof(*l), &bytes))
		return NULL;
	l = mem_alloc(bytes);
	if (!l)
		return NULL;
	memset(l, 0, sizeof(*l));
	atomic_init(&l->refs, 1);
	l->bytes = bytes;
	l->min_version = UINT64_MAX;
	/* until the first push: where versions and bytes will go */
	l->at[0].versions = (uint64_t *)(void *)&l->at[fragments];
	l->at[0].lower.data = (uint64_t *)(void *)&l->at[fragments] + versions;
	return l;
}

static struct silt_slice tombstones_copy(uint8_t **p, struct silt_slice s)
{
	uint8_t *at = *p;

	if (s.len)
		memcpy(at, s.data, s.len);
	*p += s.len;
	return slice_of(at, s.len);
}

void tombstones_push(struct tombstones *l, struct silt_slice lower, struct silt_slice upper, const uint64_t *versions, size_t n)
{
	struct tombstone *t = &l->at[l->n], *before = l->n ? t - 1 : NULL;
	uint64_t *to = before ? (uint64_t *)(uintptr_t)before->versions + before->n : (uint64_t *)(uintptr_t)t->versions;
	uint8_t *p = (uint8_t *)(uintptr_t)(before ? before->upper.data : t->lower.data) + (before ? before->upper.len : 0);

	t->lower = before && slice_eq(lower, before->upper) ? before->upper : tombstones_copy(&p, lower);
	t->upper = tombstones_copy(&p, upper);
	memcpy(to, versions, n * sizeof(*to));
	t->versions = to;
	t->n = n;
	l->n++;
	l->count += n;
	l->max_version = versions[0] > l->max_version ? versions[0] : l->max_version;
	l->min_version = versions[n - 1] < l->min_version ? versions[n - 1] : l->min_version;
}

/* ---- building -------------------------------------------------------------------------------------------------------- */

int tombstones_add(struct tombstones_builder *b, struct silt_slice lower, struct silt_slice upper, uint64_t version)
{
	assert(lower.len > 0 && tombstone_below(lower, upper) && version > 0);
	if (b->count == b->room) {
		size_t room = b->room ? b->room * 2 : 8;
		struct tombstones_raw *raw = mem_resize(b->raw, room, sizeof(*raw));

		if (!raw)
			return SILT_E_NOMEM;
		b->raw = raw;
		b->room = room;
	}
	b->raw[b->count++] = (struct tombstones_raw){ lower, upper, version };
	return 0;
}

int tombstones_add_list(struct tombstones_builder *b, const struct tombstones *l)
{
	int rc = 0;

	for (size_t i = 0; l && i < l->n; i++)
		for (size_t j = 0; j < l->at[i].n && rc == 0; j++)
			rc = tombstones_add(b, l->at[i].lower, l->at[i].upper, l->at[i].versions[j]);
	return rc;
}

void tombstones_builder_fini(struct tombstones_builder *b)
{
	mem_free(b->raw);
	*b = (struct tombstones_builder){ 0 };
}

struct tombstones_mark {                  /* a segment painted */
	size_t segment;
	uint64_t version;
};
struct tombstones_work {
	struct tombstones_raw *raw;       /* newest first */
	size_t raw_count;
	struct silt_slice *bounds;        /* in order, distinct */
	size_t bound_count;
	size_t *next;                     /* by segment: itself, or one behind it; the last bound's stands for the end */
	struct tombstones_mark *marks;    /* newest first */
	size_t mark_count, mark_room;
	size_t *first;                    /* by segment: its first version in `versions`; one more behind the last */
	uint64_t *versions;               /* by segment, newest first */
};

static void tombstones_work_fini(struct tombstones_work *w)
{
	mem_free(w->raw);
	mem_free(w->bounds);
	mem_free(w->next);
	mem_free(w->marks);
	mem_free(w->first);
	mem_free(w->versions);
}

static int tombstones_newer(const void *x, const void *y)
{
	const struct tombstones_raw *a = x, *b = y;

	return a->version > b->version ? -1 : a->version < b->version;
}

static int tombstones_bound_cmp(const void *x, const void *y)
{
	return tombstone_upper_cmp(*(const struct silt_slice *)x, *(const struct silt_slice *)y);
}

static int tombstones_work_init(struct tombstones_work *w, const struct tombstones_builder *b)
{
	size_t n = b->count, kept = 0;

	w->raw = mem_array(n, sizeof(*w->raw));
	w->bounds = n <= SIZE_MAX / 2 ? mem_array(2 * n, sizeof(*w->bounds)) : NULL;
	if (!w->raw || !w->bounds)
		return SILT_E_NOMEM;
	w->raw_count = n;
	memcpy(w->raw, b->raw, n * sizeof(*w->raw));
	qsort(w->raw, n, sizeof(*w->raw), tombstones_newer);
	for (size_t i = 0; i < n; i++) {
		w->bounds[2 * i] = b->raw[i].lower;
		w->bounds[2 * i + 1] = b->raw[i].upper;
	}
	qsort(w->bounds, 2 * n, sizeof(*w->bounds), tombstones_bound_cmp);
	for (size_t i = 0; i < 2 * n; i++)
		if (kept == 0 || tombstones_bound_cmp(&w->bounds[kept - 1], &w->bounds[i]) != 0)
			w->bounds[kept++] = w->bounds[i];
	w->bound_count = kept;
	w->next = mem_array(kept, sizeof(*w->next));
	w->first = mem_calloc(kept + 1, sizeof(*w->first));
	return w->next && w->first ? 0 : SILT_E_NOMEM;
}

static size_t tombstones_bound(const struct tombstones_work *w, struct silt_slice bound)
{
	size_t lo = 0, hi = w->bound_count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (tombstone_upper_cmp(w->bounds[mid], bound) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The first segment from i on that is not painted; the way there is halved. */
static size_t tombstones_unpainted(struct tombstones_work *w, size_t i)
{
	while (w->next[i] != i) {
		w->next[i] = w->next[w->next[i]];
		i = w->next[i];
	}
	return i;
}

static int tombstones_paint(struct tombstones_work *w, const struct tombstones_raw *r)
{
	size_t end = tombstones_bound(w, r->upper);

	for (size_t i = tombstones_unpainted(w, tombstones_bound(w, r->lower)); i < end; i = tombstones_unpainted(w, i)) {
		if (w->mark_count == w->mark_room) {
			size_t room = w->mark_room ? w->mark_room * 2 : w->bound_count;
			struct tombstones_mark *marks = mem_resize(w->marks, room, sizeof(*marks));

			if (!marks)
				return SILT_E_NOMEM;
			w->marks = marks;
			w->mark_room = room;
		}
		w->marks[w->mark_count++] = (struct tombstones_mark){ i, r->version };
		w->next[i] = i + 1;
	}
	return 0;
}

/* Do two neighbours in the order of versions (a newer than b, or as new) show to different readers? */
static bool tombstones_parted(uint64_t a, uint64_t b, const uint64_t *readers, size_t n)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {                 /* the first reader at or above b */
		size_t mid = lo + (hi - lo) / 2;

		if (readers[mid] < b)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo == n ? a != b : readers[lo] < a;
}

static int tombstones_paint_all(struct tombstones_work *w, const uint64_t *readers, size_t reader_count)
{
	int rc = 0;

	for (size_t i = 0; i < w->raw_count && rc == 0; i++) {
		if (i == 0 || tombstones_parted(w->raw[i - 1].version, w->raw[i].version, readers, reader_count))
			for (size_t s = 0; s < w->bound_count; s++)
				w->next[s] = s;
		rc = tombstones_paint(w, &w->raw[i]);
	}
	return rc;
}

/* Marks by segment; a stable count keeps the newest first. */
static int tombstones_gather(struct tombstones_work *w)
{
	w->versions = mem_array(w->mark_count, sizeof(*w->versions));
	if (!w->versions)
		return SILT_E_NOMEM;
	for (size_t i = 0; i < w->mark_count; i++)
		w->first[w->marks[i].segment + 1]++;
	for (size_t s = 0; s < w->bound_count; s++) {
		w->first[s + 1] += w->first[s];
		w->next[s] = w->first[s];         /* from here on: where the next version of s goes */
	}
	for (size_t i = 0; i < w->mark_count; i++)
		w->versions[w->next[w->marks[i].segment]++] = w->marks[i].version;
	return 0;
}

static size_t tombstones_depth(const struct tombstones_work *w, size_t segment)
{
	return w->first[segment + 1] - w->first[segment];
}

static bool tombstones_alike(const struct tombstones_work *w, size_t a, size_t b)
{
	size_t n = tombstones_depth(w, a);

	return n == tombstones_depth(w, b) &&
	       memcmp(w->versions + w->first[a], w->versions + w->first[b], n * sizeof(*w->versions)) == 0;
}

/* The segment behind the fragment that begins with s. */
static size_t tombstones_run(const struct tombstones_work *w, size_t s)
{
	size_t end = s + 1;

	while (end + 1 < w->bound_count && tombstones_alike(w, s, end))
		end++;
	return end;
}

static struct tombstones *tombstones_make(const struct tombstones_work *w)
{
	size_t fragments = 0, versions = 0, bounds = 0;
	struct tombstones *l;

	for (size_t s = 0, end; s + 1 < w->bound_count; s = end) {
		end = tombstones_run(w, s);
		if (tombstones_depth(w, s) == 0)
			continue;
		fragments++;
		versions += tombstones_depth(w, s);
		bounds += w->bounds[s].len + w->bounds[end].len;
	}
	l = tombstones_new(fragments, versions, bounds);
	for (size_t s = 0, end; l && s + 1 < w->bound_count; s = end) {
		end = tombstones_run(w, s);
		if (tombstones_depth(w, s) > 0)
			tombstones_push(l, w->bounds[s], w->bounds[end], w->versions + w->first[s], tombstones_depth(w, s));
	}
	return l;
}

int tombstones_build(const struct tombstones_builder *b, const uint64_t *readers, size_t reader_count, struct tombstones **out)
{
	struct tombstones_work w = { 0 };
	struct tombstones *l = NULL;
	int rc;

	if (b->count == 0) {
		*out = NULL;
		return 0;
	}
	rc = tombstones_work_init(&w, b);
	if (rc == 0)
		rc = tombstones_paint_all(&w, readers, reader_count);
	if (rc == 0)
		rc = tombstones_gather(&w);
	if (rc == 0 && !(l = tombstones_make(&w)))
		rc = SILT_E_NOMEM;
	tombstones_work_fini(&w);
	if (rc == 0)
		*out = l;
	return rc;
}
