/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tombstones.h - what range deletes cover: an immutable list of fragments that do not overlap, in key order.
 *
 *      written      [b........................p)@3                    built for one reader at 9:
 *                         [f.......k)@5                               [b..f)@3  [f..k)@5  [k..p)@3
 *                                                                     for readers at 4 and 9: [b..f)@3  [f..k)@5,3  [k..p)@3
 *
 * Bounds    [lower, upper). lower is a key; upper is a key, or empty: to the last key. The smallest key of all is one zero byte.
 * Covers    a range delete hides of each key in its range what is older than it. What has its own version was written behind it in
 *           the same batch, and stays.
 * Readers   a list is built for those who read it (ascending versions; each sees what is at or below its own). Of the range
 *           deletes that a fragment has between two of them, the newest hides all that the others hide: it alone is kept. Those above the last
 *           reader are all kept; without readers all are.
 */
#ifndef CORE_TOMBSTONES_H
#define CORE_TOMBSTONES_H

#include "base/slice.h"

struct tombstone {                        /* one fragment */
	struct silt_slice lower, upper;   /* owned by the list */
	const uint64_t *versions;         /* newest first, distinct; owned by the list */
	size_t n;                         /* at least 1 */
};

struct tombstones {
	_Atomic unsigned refs;            /* begins at 1 */
	size_t n;                         /* fragments */
	size_t count;                     /* versions of all of them */
	size_t bytes;                     /* of the allocation */
	uint64_t min_version, max_version;
	struct tombstone at[];
};

/* ---- bounds ---------------------------------------------------------------------------------------------------------- */

/* Is the key below an upper bound? */
static inline bool tombstone_below(struct silt_slice key, struct silt_slice upper)
{
	return upper.len == 0 || slice_cmp(key, upper) < 0;
}

/* The order of upper bounds; a lower one may stand on either side. */
static inline int tombstone_upper_cmp(struct silt_slice a, struct silt_slice b)
{
	if (a.len == 0 || b.len == 0)
		return (a.len == 0) - (b.len == 0);
	return slice_cmp(a, b);
}

/*
 * A key that no key below `upper` is after: the last of them where that is short to say (before "a\0" it is "a"), else upper itself. A
 * table's largest key by what it deletes: bounds of tables are inclusive, and may be a little wide, the same each time.
 */
struct silt_slice tombstone_last(struct silt_slice upper);

/* ---- one fragment ---------------------------------------------------------------------------------------------------- */

uint64_t tombstone_newest(const struct tombstone *t, uint64_t max_version);   /* at or below; 0 = none */
uint64_t tombstone_above(const struct tombstone *t, uint64_t version);        /* the oldest above; 0 = none */

/* ---- lists ----------------------------------------------------------------------------------------------------------- */

struct tombstones *tombstones_ref(struct tombstones *l);
void tombstones_free(struct tombstones *l);               /* gives a reference back; NULL is fine */
size_t tombstones_find(const struct tombstones *l, struct silt_slice key);    /* the first fragment that ends after key, or n */
/* The fragment that has the key, or NULL. l may be NULL. */
const struct tombstone *tombstones_at(const struct tombstones *l, struct silt_slice key);
/* The newest range delete over the key at or below a version; 0 = none. l may be NULL. */
uint64_t tombstones_cover(const struct tombstones *l, struct silt_slice key, uint64_t max_version);
void tombstones_check(const struct tombstones *l);        /* tests: asserts order and counts */

/* For keys that come in one direction, mostly: looks at the neighbours first. Begins as { list }. */
struct tombstones_cursor {
	const struct tombstones *list;    /* may be NULL */
	size_t at;
};
const struct tombstone *tombstones_seek(struct tombstones_cursor *c, struct silt_slice key);

/* ---- building -------------------------------------------------------------------------------------------------------- */

struct tombstones_raw {
	struct silt_slice lower, upper;   /* borrowed until the list is built */
	uint64_t version;
};
struct tombstones_builder {               /* begins as {0} */
	struct tombstones_raw *raw;
	size_t count, room;
};
int tombstones_add(struct tombstones_builder *b, struct silt_slice lower, struct silt_slice upper, uint64_t version) SILT_MUST_CHECK;
int tombstones_add_list(struct tombstones_builder *b, const struct tombstones *l) SILT_MUST_CHECK;   /* NULL is fine */
/* readers: ascending. *out owns all it holds, and is NULL where nothing was added. The builder is as it was. */
int tombstones_build(const struct tombstones_builder *b, const uint64_t *readers, size_t reader_count,
                     struct tombstones **out) SILT_MUST_CHECK;
void tombstones_builder_fini(struct tombstones_builder *b);

/*
 * Fragments that are in order already, copied one by one: what a decoder needs. bounds = bytes of all bounds at most, versions = of all
 * fragments. The first fragment's lower may not be shared; a lower that is equal to the upper before it is stored once.
 */
struct tombstones *tombstones_new(size_t fragments, size_t versions, size_t bounds);       /* NULL = out of memory */
void tombstones_push(struct tombstones *l, struct silt_slice lower, struct silt_slice upper, const uint64_t *versions, size_t n);

#endif
