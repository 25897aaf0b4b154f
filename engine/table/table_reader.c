/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table_reader.c - point lookups: filter, top index, partition, data block.
 *
 * A lookup with TABLE_CACHED_ONLY peeks at each of these blocks, inside its caller's read section; without, it pins each and reads
 * what is missing. Both are one path: table_child() gives the block, table_let_go() takes it back.
 *
 * Filter    held by the block cache as one block, and so evictable. A lookup that may not block and does not find it there goes on as
 *           if it had said "maybe"; or, with TABLE_WANT_FILTER, would block, so that its caller asks again and it is read: else a table
 *           whose data blocks are all cached (by a scan) would never get its filter. All filters together take a quarter of the
 *           cache at most: what does not fit is not read, so that a small cache holds data and not filters in turns. It is left
 *           unused where it alone would take more, and where it is damaged or can't be read (that was reported, once).
 * Resident  the top index (45 bytes for each 16 KiB of partitions), range deletes, properties, path and this struct; bounds nothing else.
 */
#include "table/table_private.h"
#include "base/mem.h"
#include "core/filename.h"
#include "table/block_reader.h"
#include "table/filter.h"

#include <stdatomic.h>

/* ---- life ------------------------------------------------------------------------------------------------------------ */

int table_new(struct env *env, struct block_cache *cache, struct table_meta *meta, struct table **out)
{
	struct table *t = mem_calloc(1, sizeof(*t));

	if (!t)
		return SILT_E_NOMEM;
	if (mutex_init(&t->mu) < 0) {
		mem_free(t);
		return SILT_E_NOMEM;
	}
	atomic_init(&t->refs, 1);
	t->env = env;
	t->cache = cache;
	t->meta = table_meta_ref(meta);
	*out = t;
	return 0;
}

struct table *table_ref(struct table *t)
{
	atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
	return t;
}

void table_unref(struct table *t)
{
	if (!t || atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) != 1)
		return;
	if (t->rooted)
		block_cache_leave_root(t->cache, t->root.top);
	table_root_fini(&t->root);
	table_file_close(&t->file);
	table_meta_unref(t->meta);
	mutex_fini(&t->mu);
	mem_free(t);
}

const struct table_meta *table_meta_of(const struct table *t)
{
	return t->meta;
}

/* ---- opening --------------------------------------------------------------------------------------------------------- */

static bool table_filter_usable(const struct table *t)
{
	return t->root.footer.filter.length > 0 && t->root.footer.filter.length <= block_cache_filter_share(t->cache);
}

/* From here on the cache keeps pointers to partitions and filter in the top index. */
static void table_enter_root(struct table *t)
{
	struct block *top = t->root.top;

	if (!top)
		return;
	top->table = t->meta->number;
	top->offset = t->root.footer.top.offset;
	if (t->root.footer.filter.length)
		index_add_child(top, t->root.footer.filter.offset);
	t->rooted = block_cache_enter_root(t->cache, top);
}

/* Fills file and root, or leaves both as they were. */
static int table_open_file(struct table *t)
{
	char path[FILENAME_MAX_BYTES];
	struct table_file f = { 0 };
	struct table_root r = { 0 };
	int rc = filename_table(t->env->dir, t->meta->number, false, path);

	if (rc == 0)
		rc = table_file_open(t->env, path, &f);
	if (rc == 0)
		rc = table_load_root(&f, t->meta->digest, &r);
	if (rc == 0)
		rc = table_load_check(&f, &r, t->meta);
	if (rc < 0) {
		table_root_fini(&r);
		table_file_close(&f);
		return rc;
	}
	t->file = f;
	t->file.cache = t->cache;
	t->root = r;
	table_enter_root(t);
	return 0;
}

/* Under mu. Damage is remembered, so that it is reported once; what may pass (I/O, memory) is tried again. */
static int table_open_locked(struct table *t)
{
	int rc = atomic_load_explicit(&t->state, memory_order_relaxed);

	if (rc != TABLE_CLOSED)
		return rc;
	rc = table_open_file(t);
	if (rc == 0) {
		atomic_store_explicit(&t->filter_off, !table_filter_usable(t), memory_order_relaxed);
		rc = TABLE_OPEN;
	}
	if (rc == TABLE_OPEN || rc == SILT_E_CORRUPT || rc == SILT_E_VERSION)
		atomic_store_explicit(&t->state, rc, memory_order_release);
	return rc;
}

int table_open(struct table *t)
{
	int state = atomic_load_explicit(&t->state, memory_order_acquire);

	if (state == TABLE_CLOSED) {
		mutex_lock(&t->mu);
		state = table_open_locked(t);
		mutex_unlock(&t->mu);
	}
	return state < 0 ? state : 0;
}

/* Open, or why not: with TABLE_CACHED_ONLY and TABLE_NO_WAIT nothing is opened. */
static int table_ready(struct table *t, unsigned flags)
{
	int state = atomic_load_explicit(&t->state, memory_order_acquire);

	if (__builtin_expect(state == TABLE_OPEN, true))
		return 0;
	if (state == TABLE_CLOSED && flags & (TABLE_CACHED_ONLY | TABLE_NO_WAIT))
		return SILT_WOULD_BLOCK;
	return table_open(t);
}

int table_tombstones(struct table *t, const struct tombstones **out)
{
	int rc = t->meta->range_deletes ? table_open(t) : 0;

	if (rc < 0)
		return rc;
	*out = t->meta->range_deletes ? t->root.tombstones : NULL;
	return 0;
}

uint64_t table_resident_bytes(const struct table *t)
{
	uint64_t bytes = sizeof(*t);

	if (atomic_load_explicit(&t->state, memory_order_acquire) != TABLE_OPEN)
		return bytes;
	bytes += t->root.top ? t->root.top->charge : 0;
	bytes += t->root.tombstones ? t->root.tombstones->bytes : 0;
	return bytes + t->root.described->charge + strlen(t->file.path) + 1;
}

/* ---- blocks ---------------------------------------------------------------------------------------------------------- */

static inline struct block *table_cached(struct table *t, const struct block *parent, uint32_t i, unsigned flags)
{
	if (flags & TABLE_CACHED_ONLY)
		return block_cache_peek_child(t->cache, parent, t->meta->number, i);
	return block_cache_pin_child(t->cache, parent, t->meta->number, i);
}

static void table_let_go(struct block *b, unsigned flags)
{
	if (!(flags & TABLE_CACHED_ONLY))
		block_unpin(b);
}

struct table_below {                      /* which of a parent's children */
	uint64_t parent;                  /* its offset */
	uint32_t i;
};

static int table_read(struct table *t, enum table_block_kind kind, const struct table_addr *addr, const struct table_below *below,
                      const struct table_place *at, unsigned flags, struct table_ahead *ahead, struct block **out)
{
	int rc = flags & TABLE_NO_WAIT ? table_file_fetch_now(&t->file, kind, addr, at, out)
	                               : table_file_fetch(&t->file, kind, addr, at, ahead, out);

	if (rc != 0)
		return rc;
	block_cache_count(t->cache, false);
	if (!(flags & TABLE_NO_FILL)) {
		(*out)->table = t->meta->number;
		(*out)->offset = addr->offset;
		(*out)->parent = below->parent;
		(*out)->place = below->i;
		block_cache_insert(t->cache, *out);
	}
	return 0;
}

int table_child(struct table *t, enum table_block_kind kind, const struct table_place *at, unsigned flags,
                struct table_ahead *ahead, struct block **out)
{
	const struct block *parent = kind == TABLE_DATA ? at->index : at->top;
	uint32_t i = kind == TABLE_DATA ? at->leaf : at->part;
	struct table_below below;
	struct table_addr addr;

	*out = table_cached(t, parent, i, flags);
	if (*out) {
		if (kind == TABLE_DATA)
			block_cache_count(t->cache, true);
		return 0;
	}
	if (flags & TABLE_CACHED_ONLY)
		return SILT_WOULD_BLOCK;
	index_addr(parent, i, &addr);
	below = (struct table_below){ kind == TABLE_DATA ? index_offset(at->top, at->part) : t->root.footer.top.offset, i };
	return table_read(t, kind, &addr, &below, at, flags, ahead, out);
}

/* ---- point lookup ---------------------------------------------------------------------------------------------------- */

static bool table_filter_has_room(const struct table *t)
{
	return t->root.footer.filter.length <= block_cache_filter_room(t->cache);
}

/* The filter, if it is to be had; without one the answer is "maybe". */
static struct block *table_filter(struct table *t, unsigned flags)
{
	const struct table_below below = { t->root.footer.top.offset, t->root.top->items };
	struct block *b;
	int rc;

	if (atomic_load_explicit(&t->filter_off, memory_order_relaxed))
		return NULL;
	b = table_cached(t, t->root.top, below.i, flags);
	if (b || flags & (TABLE_CACHED_ONLY | TABLE_NO_FILL) || !table_filter_has_room(t))
		return b;
	rc = table_read(t, TABLE_FILTER, &t->root.footer.filter, &below, NULL, flags, NULL, &b);
	if (rc == SILT_E_CORRUPT || rc == SILT_E_IO)
		atomic_store_explicit(&t->filter_off, 1, memory_order_relaxed);
	return rc == 0 ? b : NULL;
}

static bool table_lacks_filter(const struct table *t, unsigned flags)
{
	return flags & TABLE_WANT_FILTER && !atomic_load_explicit(&t->filter_off, memory_order_relaxed) && table_filter_has_room(t);
}

/* 0 = maybe, SILT_NOTFOUND, SILT_WOULD_BLOCK. */
static int table_ask_filter(struct table *t, uint64_t hash, unsigned flags, struct table_counts *counts)
{
	struct block *filter = table_filter(t, flags);
	bool maybe;

	if (!filter)
		return table_lacks_filter(t, flags) ? SILT_WOULD_BLOCK : 0;
	maybe = filter_may_hold(filter->bytes, hash);
	table_let_go(filter, flags);
	if (counts) {
		counts->filter_checks++;
		counts->filter_negatives += !maybe;
	}
	return maybe ? 0 : SILT_NOTFOUND;
}

/* The data block where (key, version) belongs: 0, SILT_NOTFOUND, SILT_WOULD_BLOCK, < 0. */
static int table_descend(struct table *t, struct silt_slice key, uint64_t version, unsigned flags, struct block **out)
{
	struct table_place at = { .top = t->root.top };
	struct block *index;
	int rc;

	at.part = index_find(at.top, key, version);
	if (at.part == at.top->items)
		return SILT_NOTFOUND;
	rc = table_child(t, TABLE_INDEX, &at, flags, NULL, &index);
	if (rc != 0)
		return rc;
	at.index = index;
	at.leaf = index_find(index, key, version);
	/* the last separator of a partition is that of the partition, so there always is one */
	if (__builtin_expect(at.leaf == index->items, false)) {
		at.leaf--;
		rc = report(&t->env->rep, SILT_E_CORRUPT, "%s: partition %u ends before its separator", t->file.path, at.part);
	} else {
		rc = table_child(t, TABLE_DATA, &at, flags, NULL, out);
	}
	table_let_go(index, flags);
	return rc;
}

/* Among the entries. */
static int table_find(struct table *t, struct silt_slice key, uint64_t hash, uint64_t max_version, unsigned flags,
                      struct table_counts *counts, struct table_hit *hit)
{
	uint64_t checks = counts ? counts->filter_checks : 0;
	struct block *b;
	int rc;

	if (!t->root.top)
		return SILT_NOTFOUND;
	rc = table_ask_filter(t, hash, flags, counts);
	if (rc != 0)
		return rc;
	max_version = table_stored_version(t, max_version);
	rc = table_descend(t, key, max_version, flags, &b);
	if (rc != 0)
		return rc;
	rc = block_reader_get(b, key, hash, max_version, &hit->entry);
	if (counts) {
		counts->searches++;
		counts->filter_false += rc == SILT_NOTFOUND && counts->filter_checks != checks;   /* also one that has only newer versions */
	}
	if (rc != 0) {
		table_let_go(b, flags);
		return rc;
	}
	table_assign(t, &hit->entry);
	hit->block = b;
	hit->pin = flags & TABLE_CACHED_ONLY ? NULL : b;
	return 0;
}

/* Among entries and range deletes. A damaged block is an error even so: what it held may be newer. */
static int table_find_covered(struct table *t, struct silt_slice key, uint64_t hash, uint64_t max_version, unsigned flags,
                              struct table_counts *counts, struct table_hit *hit)
{
	uint64_t cover = tombstones_cover(t->root.tombstones, key, max_version);
	int rc = table_find(t, key, hash, max_version, flags, counts, hit);

	if (cover == 0 || rc < 0 || rc == SILT_WOULD_BLOCK || (rc == 0 && hit->entry.version >= cover))
		return rc;
	if (rc == 0)
		table_hit_release(hit);
	hit->entry = (struct entry){ .key = key, .version = cover, .kind = ENTRY_DELETE };
	hit->block = hit->pin = NULL;
	return 0;
}

int table_get(struct table *t, struct silt_slice key, uint64_t hash, uint64_t max_version, unsigned flags,
              struct table_counts *counts, struct table_hit *hit)
{
	int rc = table_ready(t, flags);

	if (rc != 0)
		return rc;
	if (__builtin_expect(t->root.tombstones != NULL, false))
		return table_find_covered(t, key, hash, max_version, flags, counts, hit);
	return table_find(t, key, hash, max_version, flags, counts, hit);
}

void table_hit_release(struct table_hit *hit)
{
	block_unpin(hit->pin);
	hit->pin = NULL;
}

/* ---- hints ----------------------------------------------------------------------------------------------------------- */

static struct block *table_peek_filter(struct table *t)
{
	if (atomic_load_explicit(&t->state, memory_order_acquire) != TABLE_OPEN || !t->root.top)
		return NULL;
	return table_filter(t, TABLE_CACHED_ONLY);
}

void table_foretell_line(struct table *t, uint64_t hash)
{
	const struct block *filter = table_peek_filter(t);

	if (filter)
		filter_foretell(filter->bytes, hash);
}

bool table_foretell_place(struct table *t, struct silt_slice key, uint64_t hash, uint64_t version, struct table_guess *out)
{
	const struct block *filter = table_peek_filter(t), *index;
	uint32_t part, leaf;

	if (!filter || !filter_may_hold(filter->bytes, hash))
		return false;
	version = table_stored_version(t, version);
	part = index_find(t->root.top, key, version);
	if (part == t->root.top->items)
		return false;
	index = block_cache_peek_child(t->cache, t->root.top, t->meta->number, part);
	if (!index)
		return false;
	leaf = index_find(index, key, version);
	if (leaf == index->items)
		return false;
	*out = (struct table_guess){ index, leaf };
	return true;
}

void table_foretell_block(const struct table_guess *g)
{
	block_foretell_child(g->index, g->leaf);
}
