/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table_salvage.c - the walk of table_verify.c, that goes on where it can.
 *
 *           separators      ..d]        ..k]        ..p]        ..z]
 *           data blocks   | a..d |   |~~~~~~|    |~~~~~~|     | q..z |          lost: from "d" to "p", one call
 *
 * A block that the disk does not give back (SILT_E_IO) is lost as one that fails its digest. Entries that a sound block holds out of order
 * can't be: they are left out, and what is missing shows in the count.
 */
#include "table/table_salvage.h"

#include "base/buf.h"
#include "core/filename.h"
#include "core/key.h"
#include "table/block_reader.h"
#include "table/table_load.h"

struct table_salvage {
	struct table_file file;
	struct table_root root;
	const struct table_meta *meta;
	const struct table_salvage_sink *sink;
	void *ctx;
	struct silt_buf passed;           /* the separator of what was passed last; before the first the smallest key */
	struct silt_buf lost_from;
	bool losing;
	struct silt_buf last;             /* key of the last entry given */
	uint64_t last_version;
	uint8_t room[KEY_MAX];
};

/* ---- what is lost ------------------------------------------------------------------------------------------------------ */

static int table_salvage_lose(struct table_salvage *s)
{
	if (s->losing)
		return 0;
	s->losing = true;
	return buf_set(&s->lost_from, buf_slice(&s->passed));
}

static int table_salvage_found_again(struct table_salvage *s)
{
	if (!s->losing)
		return 0;
	s->losing = false;
	return s->sink->lost(s->ctx, buf_slice(&s->lost_from), buf_slice(&s->passed));
}

/* Moves behind item i of an index. */
static int table_salvage_pass(struct table_salvage *s, const struct block *index, uint32_t i)
{
	uint8_t key[KEY_MAX];
	uint64_t version;
	size_t len = index_key(index, i, key, sizeof(key), &version);

	return buf_set(&s->passed, slice_of(key, len < sizeof(key) ? len : sizeof(key)));
}

static bool table_salvage_is_damage(int rc)
{
	return rc == SILT_E_CORRUPT || rc == SILT_E_IO;
}

/* ---- what is there ------------------------------------------------------------------------------------------------------- */

static int table_salvage_give(struct table_salvage *s, struct entry *e)
{
	int rc;

	if (s->last.len && key_cmp(buf_slice(&s->last), s->last_version, e->key, e->version) >= 0)
		return 0;
	rc = buf_set(&s->last, e->key);
	if (rc < 0)
		return rc;
	s->last_version = e->version;
	if (s->meta->assigned)
		e->version = s->meta->assigned;
	return s->sink->entry(s->ctx, e);
}

static int table_salvage_entries(struct table_salvage *s, const struct block *b)
{
	int rc = table_salvage_found_again(s);

	for (uint32_t i = 0; rc == 0 && i < b->items; i++) {
		struct entry e;

		block_reader_entry(b, i, s->room, &e);
		rc = table_salvage_give(s, &e);
	}
	return rc;
}

static int table_salvage_leaf(struct table_salvage *s, const struct table_place *at)
{
	struct table_addr addr;
	struct block *b;
	int rc;

	index_addr(at->index, at->leaf, &addr);
	rc = table_file_fetch(&s->file, TABLE_DATA, &addr, at, NULL, &b);        /* no window: one bad sector would take it all */
	if (rc == 0) {
		rc = table_salvage_entries(s, b);
		block_unpin(b);
	} else if (table_salvage_is_damage(rc)) {
		rc = table_salvage_lose(s);
	}
	return rc == 0 ? table_salvage_pass(s, at->index, at->leaf) : rc;
}

static int table_salvage_part(struct table_salvage *s, uint32_t part)
{
	struct table_place at = { .top = s->root.top, .part = part };
	struct table_addr addr;
	struct block *index;
	int rc;

	index_addr(at.top, part, &addr);
	rc = table_file_fetch(&s->file, TABLE_INDEX, &addr, &at, NULL, &index);
	if (table_salvage_is_damage(rc)) {
		rc = table_salvage_lose(s);
		return rc == 0 ? table_salvage_pass(s, at.top, part) : rc;
	}
	if (rc < 0)
		return rc;
	at.index = index;
	for (at.leaf = 0; rc == 0 && at.leaf < index->items; at.leaf++)
		rc = table_salvage_leaf(s, &at);
	block_unpin(index);
	return rc;
}

static int table_salvage_ranges(struct table_salvage *s)
{
	const struct tombstones *l = s->root.tombstones;
	int rc = 0;

	for (size_t i = 0; l && rc == 0 && i < l->n; i++)
		rc = s->sink->range(s->ctx, &l->at[i]);
	return rc;
}

static int table_salvage_walk(struct table_salvage *s)
{
	uint32_t parts = s->root.top ? s->root.top->items : 0;
	int rc = buf_set(&s->passed, s->meta->smallest);

	if (rc == 0)
		rc = table_salvage_ranges(s);
	for (uint32_t part = 0; rc == 0 && part < parts; part++)
		rc = table_salvage_part(s, part);
	if (rc == 0 && s->losing)
		rc = buf_set(&s->passed, s->meta->largest);
	return rc == 0 ? table_salvage_found_again(s) : rc;
}

static int table_salvage_open(struct table_salvage *s, struct env *env)
{
	char path[FILENAME_MAX_BYTES];
	int rc = filename_table(env->dir, s->meta->number, false, path);

	if (rc == 0)
		rc = table_file_open(env, path, &s->file);
	if (rc < 0)
		return rc == SILT_E_IO ? SILT_E_CORRUPT : rc;
	env->os->drop_cache(env->os, s->file.file);
	rc = table_load_root(&s->file, s->meta->digest, &s->root);
	if (rc == 0)
		rc = table_load_check(&s->file, &s->root, s->meta);
	return table_salvage_is_damage(rc) ? SILT_E_CORRUPT : rc;
}

int table_salvage(struct env *env, const struct table_meta *meta, const struct table_salvage_sink *sink, void *ctx)
{
	struct table_salvage s = { .meta = meta, .sink = sink, .ctx = ctx };
	int rc = table_salvage_open(&s, env);

	if (rc == 0)
		rc = table_salvage_walk(&s);
	table_root_fini(&s.root);
	table_file_close(&s.file);
	buf_fini(&s.passed);
	buf_fini(&s.lost_from);
	buf_fini(&s.last);
	return rc;
}
