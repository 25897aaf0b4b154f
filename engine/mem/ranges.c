/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ranges.c - lists of fragments that double in size, as the digits of a binary counter.
 *
 *      inserted     1  2  3  4  5  6  7                  each is a list of one: a leaf
 *      lists       [1..4]       [5,6]  [7]               7 = 111b; an 8th is merged with [7], then [5,6], then [1..4]
 *      merged      newer painted over older:   older  [a......k)@1   [p...z)@2
 *                                              newer        [f........r)@3
 *                                              both   [a..f)@1 [f.....r)@3 [r..z)@2
 *
 * Asking    lists newest first, the first that covers wins. One whose versions are all at or below the reader's is asked as it is,
 *           by a binary search: what its newer part hides of its older one is hidden from this reader, too. One that lies
 *           across the reader's version is asked by its two parts, and of these one at most lies across again.
 * Cost      an insert merges its own size 2, 4, 8 .. ever more seldom: n inserts take n log n fragments, however they overlap. Asking
 *           looks into log n lists.
 * Source    Bentley and Saxe, "Decomposable Searching Problems I", J. Algorithms 1(4), 1980.
 */
#include "mem/ranges.h"
#include "core/tombstones.h"

#include <assert.h>
#include <stdatomic.h>

enum { RANGES_CHUNK = 1024, RANGES_LISTS_MAX = 48 };

struct ranges_fragment {
	struct silt_slice lower, upper;   /* of some leaf */
	uint64_t version;
};
struct ranges_list {
	uint64_t oldest, newest;          /* versions in it */
	const struct ranges_list *newer, *older;  /* what it was merged from; NULL in a leaf */
	size_t inserted;                  /* leaves below: a power of two */
	size_t n;
	struct ranges_fragment at[];      /* in order, without overlap; at most 2 * inserted - 1 */
};
struct ranges_set {
	size_t n;
	const struct ranges_list *lists[];/* newest first; sizes ascend */
};

void ranges_init(struct ranges *r)
{
	arena_init(&r->arena, RANGES_CHUNK);
	atomic_init(&r->set, NULL);
	atomic_init(&r->count, 0);
}

void ranges_fini(struct ranges *r)
{
	arena_fini(&r->arena);
}

/* ---- inserting ------------------------------------------------------------------------------------------------------- */

static size_t ranges_list_bytes(size_t fragments)
{
	return sizeof(struct ranges_list) + fragments * sizeof(struct ranges_fragment);
}

/* What insert number `before + 1` takes at most, but for its bounds. */
static size_t ranges_cost(uint64_t before)
{
	size_t bytes = ranges_list_bytes(1) + sizeof(struct ranges_set) + RANGES_LISTS_MAX * sizeof(void *);

	for (size_t inserted = 2; before & 1; before >>= 1, inserted *= 2)
		bytes += ranges_list_bytes(2 * inserted - 1);
	return bytes;
}

int ranges_reserve(struct ranges *r, size_t n, size_t bound_bytes)
{
	uint64_t count = atomic_load_explicit(&r->count, memory_order_relaxed);
	size_t bytes = bound_bytes + n * 8;       /* a leaf's bounds are one piece */

	for (size_t i = 0; i < n; i++)
		bytes += ranges_cost(count + i);
	return arena_reserve(&r->arena, bytes);
}

static void ranges_emit(struct ranges_fragment *out, size_t *n, struct silt_slice lower, struct silt_slice upper, uint64_t version)
{
	if (out)
		out[*n] = (struct ranges_fragment){ lower, upper, version };
	++*n;
}

/* What is left of a list, `from` in fragment j on, begins at or after upper now. */
static void ranges_skip(const struct ranges_list *l, size_t *j, struct silt_slice *from, struct silt_slice upper)
{
	while (*j < l->n && tombstone_upper_cmp(l->at[*j].upper, upper) <= 0)
		if (++*j < l->n)
			*from = l->at[*j].lower;
	if (*j < l->n && slice_cmp(*from, upper) < 0)
		*from = upper;
}

/* Newer over older, as drawn; out NULL only counts. */
static size_t ranges_paint(const struct ranges_list *newer, const struct ranges_list *older, struct ranges_fragment *out)
{
	struct silt_slice from = older->at[0].lower;
	size_t n = 0, i = 0, j = 0;

	while (i < newer->n || j < older->n) {
		const struct ranges_fragment *a = &newer->at[i], *b = &older->at[j];

		if (i < newer->n && (j == older->n || slice_cmp(a->lower, from) <= 0)) {
			ranges_emit(out, &n, a->lower, a->upper, a->version);
			ranges_skip(older, &j, &from, a->upper);
			i++;
		} else if (i == newer->n || tombstone_upper_cmp(b->upper, a->lower) <= 0) {
			ranges_emit(out, &n, from, b->upper, b->version);
			ranges_skip(older, &j, &from, b->upper);
		} else {
			ranges_emit(out, &n, from, a->lower, b->version);
			from = a->lower;
		}
	}
	return n;
}

static const struct ranges_list *ranges_merge(struct ranges *r, const struct ranges_list *newer, const struct ranges_list *older)
{
	size_t n = ranges_paint(newer, older, NULL);
	struct ranges_list *l = arena_take(&r->arena, ranges_list_bytes(n));

	assert(n < 2 * (newer->inserted + older->inserted));
	*l = (struct ranges_list){ older->oldest, newer->newest, newer, older, newer->inserted + older->inserted, n };
	(void)ranges_paint(newer, older, l->at);
	return l;
}

static const struct ranges_list *ranges_leaf(struct ranges *r, struct silt_slice lower, struct silt_slice upper, uint64_t version)
{
	uint8_t *p = arena_take(&r->arena, lower.len + upper.len);
	struct ranges_list *l = arena_take(&r->arena, ranges_list_bytes(1));

	memcpy(p, lower.data, lower.len);
	if (upper.len)
		memcpy(p + lower.len, upper.data, upper.len);
	*l = (struct ranges_list){ version, version, NULL, NULL, 1, 1 };
	l->at[0] = (struct ranges_fragment){ slice_of(p, lower.len), slice_of(p + lower.len, upper.len), version };
	return l;
}

void ranges_insert(struct ranges *r, struct silt_slice lower, struct silt_slice upper, uint64_t version)
{
	const struct ranges_set *old = atomic_load_explicit(&r->set, memory_order_relaxed);
	const struct ranges_list *l = ranges_leaf(r, lower, upper, version);
	size_t n = old ? old->n : 0, i = 0;
	struct ranges_set *set;

	assert(n == 0 || old->lists[0]->newest <= version);
	for (; i < n && old->lists[i]->inserted == l->inserted; i++)
		l = ranges_merge(r, l, old->lists[i]);
	set = arena_take(&r->arena, sizeof(*set) + (n - i + 1) * sizeof(set->lists[0]));
	set->n = n - i + 1;
	set->lists[0] = l;
	if (n > i)
		memcpy(set->lists + 1, old->lists + i, (n - i) * sizeof(set->lists[0]));
	atomic_store_explicit(&r->set, set, memory_order_release);
	atomic_store_explicit(&r->count, atomic_load_explicit(&r->count, memory_order_relaxed) + 1, memory_order_relaxed);
}

/* ---- asking ---------------------------------------------------------------------------------------------------------- */

static uint64_t ranges_find(const struct ranges_list *l, struct silt_slice key)
{
	size_t lo = 0, hi = l->n;

	while (lo < hi) {                 /* the first that ends after key */
		size_t mid = lo + (hi - lo) / 2;

		if (tombstone_below(key, l->at[mid].upper))
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo < l->n && slice_cmp(l->at[lo].lower, key) <= 0 ? l->at[lo].version : 0;
}

static uint64_t ranges_list_cover(const struct ranges_list *l, struct silt_slice key, uint64_t max_version)
{
	uint64_t version;

	while (l->newest > max_version) {
		if (l->oldest > max_version || !l->newer)
			return 0;
		if (l->newer->oldest <= max_version) {        /* the newer part lies across, or is whole: then the older one is whole */
			version = ranges_list_cover(l->newer, key, max_version);
			return version ? version : ranges_find(l->older, key);
		}
		l = l->older;
	}
	return ranges_find(l, key);
}

uint64_t ranges_cover(const struct ranges *r, struct silt_slice key, uint64_t max_version)
{
	const struct ranges_set *set = atomic_load_explicit(&r->set, memory_order_acquire);
	uint64_t version = 0;

	for (size_t i = 0; set && i < set->n && version == 0; i++)
		version = ranges_list_cover(set->lists[i], key, max_version);
	return version;
}

uint64_t ranges_newest(const struct ranges *r)
{
	const struct ranges_set *set = atomic_load_explicit(&r->set, memory_order_acquire);

	return set ? set->lists[0]->newest : 0;
}

static int ranges_list_each(const struct ranges_list *l, uint64_t max_version, bool all, ranges_fn *fn, void *ctx)
{
	int rc = 0;

	if (l->oldest > max_version)
		return 0;
	if (l->newer && (all || l->newest > max_version)) {
		rc = ranges_list_each(l->newer, max_version, all, fn, ctx);
		return rc == 0 ? ranges_list_each(l->older, max_version, all, fn, ctx) : rc;
	}
	for (size_t i = 0; i < l->n && rc == 0; i++)
		rc = fn(ctx, l->at[i].lower, l->at[i].upper, l->at[i].version);
	return rc;
}

int ranges_each(const struct ranges *r, uint64_t max_version, bool all, ranges_fn *fn, void *ctx)
{
	const struct ranges_set *set = atomic_load_explicit(&r->set, memory_order_acquire);
	int rc = 0;

	for (size_t i = 0; set && i < set->n && rc == 0; i++)
		rc = ranges_list_each(set->lists[i], max_version, all, fn, ctx);
	return rc;
}

static void ranges_check_list(const struct ranges_list *l)
{
	assert(l->n > 0 && l->n < 2 * l->inserted && l->oldest <= l->newest);
	for (size_t i = 0; i < l->n; i++) {
		assert(tombstone_below(l->at[i].lower, l->at[i].upper));
		assert(i == 0 || !tombstone_below(l->at[i].lower, l->at[i - 1].upper));
		assert(l->at[i].version >= l->oldest && l->at[i].version <= l->newest);
	}
	if (!l->newer)
		return;
	assert(l->inserted == l->newer->inserted + l->older->inserted && l->older->newest <= l->newer->oldest);
	ranges_check_list(l->newer);
	ranges_check_list(l->older);
}

void ranges_check(const struct ranges *r)
{
	const struct ranges_set *set = atomic_load_explicit(&r->set, memory_order_acquire);
	uint64_t inserted = 0;

	for (size_t i = 0; set && i < set->n; i++) {
		ranges_check_list(set->lists[i]);
		assert(i == 0 || set->lists[i]->inserted > set->lists[i - 1]->inserted);
		inserted += set->lists[i]->inserted;
	}
	assert(inserted == atomic_load_explicit(&r->count, memory_order_relaxed));
}
