/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dump_table.c - a table printed from its footer down, block by block; what is damaged is named and passed over.
 * The file is taken at its word where the manifest would have vouched for it: the footer's digest.
 */
#include "db/dump_table.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "core/key.h"
#include "table/block_reader.h"
#include "table/filter.h"
#include "table/table_load.h"

struct dump_table {
	struct dump *d;
	struct table_file file;
	struct table_root root;
	struct table_ahead ahead;
	uint64_t entries;
	uint8_t key[KEY_MAX];
};

static void dump_addr(struct dump *d, const char *what, const struct table_addr *a)
{
	char digest[2 * DIGEST_BYTES + 1];

	for (int i = 0; i < DIGEST_BYTES; i++)
		(void)snprintf(digest + 2 * i, 3, "%02x", a->digest[i]);
	dump_line(d, "  %s: offset %" PRIu64 ", %" PRIu32 " bytes, sha256 %s", what, a->offset, a->length, digest);
}

static void dump_root(struct dump_table *t)
{
	const struct footer *f = &t->root.footer;
	const struct properties *p = &t->root.properties;
	struct dump *d = t->d;

	dump_line(d, "%s: table, %" PRIu64 " bytes", t->file.path, t->file.size);
	if (f->top.length)
		dump_addr(d, "top index", &f->top);
	if (f->filter.length)
		dump_addr(d, "filter", &f->filter);
	if (f->range_tombstones.length)
		dump_addr(d, "range tombstones", &f->range_tombstones);
	dump_addr(d, "properties", &f->properties);
	dump_line(d, "  %" PRIu64 " entries of %" PRIu64 " keys, %" PRIu64 " deletes, %" PRIu64 " that expire (the first at %" PRIu64
	          ")", p->entries, p->keys, p->tombstones, p->expiring, p->earliest_expiry_ms);
	if (p->range_deletes)
		dump_line(d, "  %" PRIu64 " range deletes in %zu fragments", p->range_deletes, t->root.tombstones->n);
	dump_line(d, "  versions %" PRIu64 " to %" PRIu64 ", keys %s to %s", p->min_version, p->max_version,
	          dump_text(d, 0, p->smallest, KEY_MAX), dump_text(d, 1, p->largest, KEY_MAX));
	dump_line(d, "  %" PRIu64 " data blocks in %" PRIu64 " partitions, %" PRIu64 " bytes before compression, filter of %" PRIu64
	          " bytes", p->data_blocks, p->partitions, p->raw_bytes, p->filter_bytes);
}

static int dump_block(struct dump_table *t, const struct table_place *at)
{
	struct table_addr addr;
	struct block *b = NULL;
	struct entry e;
	int rc;

	index_addr(at->index, at->leaf, &addr);
	rc = table_file_fetch(&t->file, TABLE_DATA, &addr, at, &t->ahead, &b);
	if (rc < 0)
		return rc;
	dump_line(t->d, "  block %" PRIu32 ".%" PRIu32 ": offset %" PRIu64 ", %" PRIu32 " bytes, %" PRIu32 " entries", at->part,
	          at->leaf, addr.offset, addr.length, b->items);
	for (uint32_t i = 0; i < b->items; i++) {
		block_reader_entry(b, i, t->key, &e);
		dump_entry(t->d, "    ", &e);
	}
	t->entries += b->items;
	block_unpin(b);
	return 0;
}

static int dump_partition(struct dump_table *t, uint32_t part)
{
	struct table_place at = { .top = t->root.top, .part = part };
	struct table_addr addr;
	struct block *index = NULL;
	int rc;

	index_addr(at.top, part, &addr);
	rc = table_file_fetch(&t->file, TABLE_INDEX, &addr, &at, NULL, &index);
	if (rc < 0)
		return rc;
	dump_line(t->d, "  partition %" PRIu32 ": offset %" PRIu64 ", %" PRIu32 " bytes, %" PRIu32 " blocks", part, addr.offset,
	          addr.length, index->items);
	at.index = index;
	for (at.leaf = 0; at.leaf < index->items && (rc == 0 || rc == SILT_E_CORRUPT); at.leaf++)
		rc = dump_block(t, &at);
	block_unpin(index);
	return rc == SILT_E_CORRUPT ? 0 : rc;
}

static int dump_filter(struct dump_table *t)
{
	struct block *b = NULL;
	int rc = 0;

	if (t->root.footer.filter.length)
		rc = table_file_fetch(&t->file, TABLE_FILTER, &t->root.footer.filter, NULL, NULL, &b);
	block_unpin(b);
	return rc == SILT_E_CORRUPT ? 0 : rc;
}

static void dump_tombstones(struct dump_table *t)
{
	const struct tombstones *l = t->root.tombstones;

	for (size_t i = 0; l && i < l->n; i++)
		for (size_t j = 0; j < l->at[i].n; j++)
			dump_range(t->d, "    ", l->at[i].lower, l->at[i].upper, l->at[i].versions[j]);
}

static int dump_parts(struct dump_table *t)
{
	uint32_t parts = t->root.top ? t->root.top->items : 0;
	int rc = dump_filter(t);

	dump_tombstones(t);

	for (uint32_t part = 0; part < parts && rc == 0; part++) {
		rc = dump_partition(t, part);
		if (rc == SILT_E_CORRUPT)
			rc = 0;
	}
	if (rc < 0)
		return rc;
	if (t->d->damages == 0) {
		dump_line(t->d, "end: all %" PRIu64 " entries read", t->entries);
		return 0;
	}
	dump_line(t->d, "damaged: %" PRIu64 " parts can't be read; %" PRIu64 " of %" PRIu64 " entries can", t->d->damages, t->entries,
	          t->root.properties.entries);
	return SILT_E_CORRUPT;
}

int dump_table(struct dump *d, const char *path)
{
	struct dump_table *t = mem_calloc(1, sizeof(*t));
	int rc;

	if (!t)
		return SILT_E_NOMEM;
	t->d = d;
	rc = table_file_open(&d->env, path, &t->file);
	if (rc == 0)
		rc = table_load_root(&t->file, NULL, &t->root);
	if (rc == 0) {
		dump_root(t);
		rc = dump_parts(t);
	}
	table_ahead_fini(&t->ahead);
	table_root_fini(&t->root);
	table_file_close(&t->file);
	mem_free(t);
	return rc;
}
