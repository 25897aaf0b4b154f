/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table_verify.c - a whole table looked through, from the disk and past the cache.
 *
 * What holds of a sound table, beside its digests
 *   (1) the parts follow each other without gaps, so that every byte of the file is under a digest.
 *   (2) entries ascend in key_cmp order over all blocks.
 *   (3) a separator is not before the last entry of its block, and before the first of the next; a partition's own, in the top
 *       index, is that of its last block: else a search between the two would look into the wrong partition.
 *   (4) each entry's tag is that of its key, and the filter does not deny the key: a wrong one would hide an entry.
 *   (5) what the properties count is what there is, entries and range deletes, and the manifest tells the same. (That the fragments
 *       are in order is seen when they are decoded.)
 * A damaged block is reported and the search goes on behind it; the counts of (5) are then left out.
 */
#include "table/table_private.h"
#include "base/buf.h"
#include "base/hash.h"
#include "core/filename.h"
#include "core/key.h"
#include "table/block_reader.h"
#include "table/filter.h"
#include "table/tombstone_block.h"

struct table_verify {
	struct table_file file;
	struct table_root root;
	struct table_ahead ahead;
	struct block *filter;             /* NULL = none, or damaged */
	struct block *index;
	struct table_place at;
	struct properties seen;           /* without the keys */
	struct silt_buf last;             /* key of the entry before */
	uint64_t last_version;
	uint64_t end;                     /* of the part before (1) */
	bool have_last;
	bool begins_right;                /* the smallest key is what entries and range deletes begin with */
	bool damaged;
	uint8_t room[KEY_MAX];
	silt_progress_fn *progress;
	void *ctx;
};

static int table_verify_found(struct table_verify *v, enum table_block_kind kind, const struct table_addr *addr, const char *what)
{
	v->damaged = true;
	return table_file_damage(&v->file, kind, addr, kind == TABLE_DATA || kind == TABLE_INDEX ? &v->at : NULL, what);
}

/* As table_file_fetch(); damage is remembered. */
static int table_verify_fetch(struct table_verify *v, enum table_block_kind kind, const struct table_addr *addr, struct block **out)
{
	const struct table_place *at = kind == TABLE_DATA || kind == TABLE_INDEX ? &v->at : NULL;
	int rc = table_file_fetch(&v->file, kind, addr, at, kind == TABLE_DATA ? &v->ahead : NULL, out);

	if (rc == SILT_E_CORRUPT)
		v->damaged = true;
	return rc;
}

/* A gap is found once: what comes next follows what is behind it. */
static int table_verify_follows(struct table_verify *v, enum table_block_kind kind, const struct table_addr *addr)
{
	bool follows = addr->offset == v->end;

	v->end = addr->offset + addr->length;
	return follows ? 0 : table_verify_found(v, kind, addr, "does not follow the part before it");
}

/* ---- entries --------------------------------------------------------------------------------------------------------- */

static void table_verify_count(struct table_verify *v, const struct entry *e, bool new_key)
{
	struct properties *p = &v->seen;

	p->min_version = p->entries == 0 || e->version < p->min_version ? e->version : p->min_version;
	p->max_version = e->version > p->max_version ? e->version : p->max_version;
	p->entries++;
	p->keys += new_key;
	p->tombstones += e->kind == ENTRY_DELETE;
	p->raw_bytes += e->key.len + e->meta.len + e->value.len;
	if (e->expires_ms == 0)
		return;
	p->expiring++;
	if (p->earliest_expiry_ms == 0 || e->expires_ms < p->earliest_expiry_ms)
		p->earliest_expiry_ms = e->expires_ms;
}

/* Where the range deletes begin and end; empty where there are none. */
static struct silt_slice table_verify_lower(const struct table_verify *v)
{
	const struct tombstones *l = v->root.tombstones;

	return l ? l->at[0].lower : slice_of(NULL, 0);
}

static struct silt_slice table_verify_upper(const struct table_verify *v)
{
	const struct tombstones *l = v->root.tombstones;

	return l ? l->at[l->n - 1].upper : slice_of(NULL, 0);
}

/* NULL, or which of the rules is broken. */
static const char *table_verify_entry(struct table_verify *v, const struct entry *e, uint8_t tag)
{
	bool new_key = !v->have_last || !slice_eq(buf_slice(&v->last), e->key);
	uint64_t hash = hash_key(e->key);

	if (!v->have_last)
		v->begins_right = slice_eq(tombstone_block_smallest(e->key, table_verify_lower(v)), v->root.properties.smallest);
	if (v->have_last && key_cmp(buf_slice(&v->last), v->last_version, e->key, e->version) >= 0)
		return "entries out of order";
	if (tag != (uint8_t)hash)
		return "a tag that is not its key's";
	if (v->filter && !filter_may_hold(v->filter->bytes, hash))
		return "a key that the filter denies";
	if (e->version < 1)
		return "an entry without a version";
	table_verify_count(v, e, new_key);
	return NULL;
}

/* key_cmp of an entry with separator i. */
static int table_verify_separator(const struct block *index, uint32_t i, const struct entry *e)
{
	uint8_t key[KEY_MAX];
	uint64_t version;
	size_t len = index_key(index, i, key, sizeof(key), &version);

	return key_cmp(e->key, e->version, slice_of(key, len), version);
}

/* (3) of a block's first entry. */
static const char *table_verify_begin(const struct table_verify *v, const struct entry *e)
{
	int d = 1;

	if (v->at.leaf > 0)
		d = table_verify_separator(v->index, v->at.leaf - 1, e);
	else if (v->at.part > 0)
		d = table_verify_separator(v->root.top, v->at.part - 1, e);
	return d > 0 ? NULL : "begins before the separator of the block before";
}

/* (3) of a block's last entry. */
static const char *table_verify_end(const struct table_verify *v, const struct entry *e)
{
	return table_verify_separator(v->index, v->at.leaf, e) <= 0 ? NULL : "ends behind its separator";
}

static int table_verify_entries(struct table_verify *v, const struct block *b, const char **what)
{
	struct entry e;
	int rc = 0;

	*what = NULL;
	for (uint32_t i = 0; i < b->items && !*what && rc == 0; i++) {
		block_reader_entry(b, i, v->room, &e);
		*what = table_verify_entry(v, &e, block_reader_tag(b, i));
		if (!*what && i == 0)
			*what = table_verify_begin(v, &e);
		if (!*what && i + 1 == b->items)
			*what = table_verify_end(v, &e);
		rc = buf_set(&v->last, e.key);
		v->last_version = e.version;
		v->have_last = true;
	}
	return rc;
}

/* ---- blocks ---------------------------------------------------------------------------------------------------------- */

/* 0 also for what was found: v->damaged says it; < 0 and SILT_END end the search. */
static int table_verify_leaf(struct table_verify *v, uint32_t leaf)
{
	struct table_addr addr;
	struct block *b = NULL;
	const char *what;
	int rc;

	v->at.leaf = leaf;
	index_addr(v->index, leaf, &addr);
	(void)table_verify_follows(v, TABLE_DATA, &addr);
	rc = table_verify_fetch(v, TABLE_DATA, &addr, &b);
	if (rc < 0)
		return rc == SILT_E_CORRUPT ? 0 : rc;
	rc = table_verify_entries(v, b, &what);
	if (rc == 0 && what)
		(void)table_verify_found(v, TABLE_DATA, &addr, what);
	block_unpin(b);
	v->seen.data_blocks++;
	if (rc == 0 && v->progress && v->progress(v->ctx, addr.offset + addr.length, v->file.size) != 0)
		rc = SILT_END;
	return rc;
}

/* (3) of the partition. */
static bool table_verify_part_ends(const struct table_verify *v)
{
	uint8_t key[KEY_MAX], own[KEY_MAX];
	uint64_t version, own_version;
	size_t len = index_key(v->root.top, v->at.part, key, sizeof(key), &version);
	size_t own_len = index_key(v->index, v->index->items - 1, own, sizeof(own), &own_version);

	return key_cmp(slice_of(key, len), version, slice_of(own, own_len), own_version) == 0;
}

static int table_verify_part(struct table_verify *v, uint32_t part)
{
	struct table_addr addr;
	int rc;

	v->at = (struct table_place){ .top = v->root.top, .part = part };
	index_addr(v->root.top, part, &addr);
	rc = table_verify_fetch(v, TABLE_INDEX, &addr, &v->index);
	if (rc < 0) {
		v->end = addr.offset + addr.length;
		return rc == SILT_E_CORRUPT ? 0 : rc;
	}
	v->at.index = v->index;
	for (uint32_t leaf = 0; leaf < v->index->items && rc == 0; leaf++)
		rc = table_verify_leaf(v, leaf);
	v->at.index = NULL;
	if (rc == 0)
		(void)table_verify_follows(v, TABLE_INDEX, &addr);
	if (rc == 0 && !table_verify_part_ends(v))
		(void)table_verify_found(v, TABLE_INDEX, &addr, "its last separator is not its own in the top index");
	block_unpin(v->index);
	v->index = NULL;
	v->seen.partitions++;
	return rc;
}

/* The parts behind the last partition: they were loaded with the root, here is their place. */
static void table_verify_tail(struct table_verify *v)
{
	const struct footer *f = &v->root.footer;
	int rc = 0;

	if (v->damaged)
		return;
	if (f->filter.length)
		rc = table_verify_follows(v, TABLE_FILTER, &f->filter);
	if (rc == 0 && f->range_tombstones.length)
		rc = table_verify_follows(v, TABLE_RANGE_TOMBSTONES, &f->range_tombstones);
	if (rc == 0 && f->top.length)
		rc = table_verify_follows(v, TABLE_TOP, &f->top);
	if (rc == 0)
		rc = table_verify_follows(v, TABLE_PROPERTIES, &f->properties);
	if (rc == 0 && v->end + FOOTER_BYTES != v->file.size)
		(void)table_verify_found(v, TABLE_PROPERTIES, &f->properties, "the footer does not follow it");
}

/* The range deletes' part in what is seen. */
static void table_verify_ranges(struct table_verify *v)
{
	const struct tombstones *l = v->root.tombstones;
	struct properties *s = &v->seen;

	if (!l)
		return;
	s->min_version = s->entries == 0 || l->min_version < s->min_version ? l->min_version : s->min_version;
	s->max_version = l->max_version > s->max_version ? l->max_version : s->max_version;
	if (!v->have_last)
		v->begins_right = slice_eq(l->at[0].lower, v->root.properties.smallest);
}

/* (5) */
static void table_verify_counts(struct table_verify *v)
{
	const struct properties *p = &v->root.properties, *s = &v->seen;

	if (v->damaged || (v->root.top && !v->have_last))
		return;
	table_verify_ranges(v);
	if (p->entries == s->entries && p->keys == s->keys && p->tombstones == s->tombstones && p->expiring == s->expiring &&
	    p->earliest_expiry_ms == s->earliest_expiry_ms && p->min_version == s->min_version && p->max_version == s->max_version &&
	    p->data_blocks == s->data_blocks && p->partitions == s->partitions && p->raw_bytes == s->raw_bytes &&
	    p->filter_bytes == (v->filter ? v->filter->bytes.len : 0) && v->begins_right &&
	    slice_eq(p->largest, tombstone_block_largest(buf_slice(&v->last), table_verify_lower(v), table_verify_upper(v))))
		return;
	(void)table_verify_found(v, TABLE_PROPERTIES, &v->root.footer.properties, "the entries are not those that it counts");
}

/* A damaged filter is a finding, not an end. */
static int table_verify_filter(struct table_verify *v)
{
	int rc;

	if (v->root.footer.filter.length == 0)
		return 0;
	rc = table_verify_fetch(v, TABLE_FILTER, &v->root.footer.filter, &v->filter);
	return rc == SILT_E_CORRUPT ? 0 : rc;
}

static int table_verify_open(struct table_verify *v, struct table *t)
{
	char path[FILENAME_MAX_BYTES];
	int rc = filename_table(t->env->dir, t->meta->number, false, path);

	if (rc == 0)
		rc = table_file_open(t->env, path, &v->file);
	if (rc < 0)
		return rc;
	t->env->os->drop_cache(t->env->os, v->file.file);
	rc = table_load_root(&v->file, t->meta->digest, &v->root);
	return rc == 0 ? table_load_check(&v->file, &v->root, t->meta) : rc;
}

static void table_verify_fini(struct table_verify *v)
{
	block_unpin(v->filter);
	block_unpin(v->index);
	table_ahead_fini(&v->ahead);
	table_root_fini(&v->root);
	table_file_close(&v->file);
	buf_fini(&v->last);
}

int table_verify(struct table *t, silt_progress_fn *progress, void *ctx)
{
	struct table_verify v = { .progress = progress, .ctx = ctx };
	int rc = table_verify_open(&v, t);

	if (rc == 0)
		rc = table_verify_filter(&v);
	for (uint32_t part = 0; rc == 0 && v.root.top && part < v.root.top->items; part++)
		rc = table_verify_part(&v, part);
	if (rc == 0) {
		table_verify_tail(&v);
		table_verify_counts(&v);
		rc = v.damaged ? SILT_E_CORRUPT : 0;
	}
	table_verify_fini(&v);
	return rc;
}
