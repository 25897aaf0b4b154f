/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table_file.c - the only way from a table's disk to its readers.
 *
 * Rules     (1) no byte leaves this room before its digest was right: the digest is taken over the stored bytes, before anything
 *           of them is believed.  (2) lengths are bounded by the file before memory is taken for them, and what a block unpacks
 *           to by TABLE_RAW_MAX.
 */
#include <inttypes.h>
#include <stdio.h>                        /* before mem.h poisons a name in it */

#include "table/table_file.h"
#include "base/mem.h"
#include "table/block_cache.h"
#include "table/block_reader.h"
#include "table/block_writer.h"
#include "table/compress.h"
#include "table/filter.h"

enum { TABLE_AHEAD_BYTES = 256 << 10, TABLE_KEY_SHOWN = 32 };
enum { TABLE_NOW_BYTES = 32 << 10, TABLE_NOW_RAW = 64 << 10 };      /* stored and unpacked: a tenth of a millisecond */

/* ---- messages -------------------------------------------------------------------------------------------------------- */

static const char *table_file_kind(enum table_block_kind kind)
{
	static const char *const names[] = {
		[TABLE_DATA] = "data block",   [TABLE_INDEX] = "index partition", [TABLE_TOP] = "top index",
		[TABLE_FILTER] = "filter",     [TABLE_PROPERTIES] = "properties", [TABLE_RANGE_TOMBSTONES] = "range tombstones",
		[TABLE_FOOTER] = "footer",
	};

	return names[kind];
}

const char *table_key_text(struct silt_slice key, size_t full_len, char *out)
{
	const uint8_t *p = key.data;
	size_t shown = key.len < TABLE_KEY_SHOWN ? key.len : TABLE_KEY_SHOWN;
	size_t n = 0;

	out[n++] = '"';
	for (size_t i = 0; i < shown; i++) {
		bool plain = p[i] >= 0x20 && p[i] < 0x7f && p[i] != '"' && p[i] != '\\';

		n += (size_t)snprintf(out + n, TABLE_KEY_TEXT - n, plain ? "%c" : "\\x%02x", p[i]);
	}
	(void)snprintf(out + n, TABLE_KEY_TEXT - n, "\"%s", shown < full_len ? "..." : "");
	return out;
}

static const char *table_file_separator(const struct block *index, uint32_t i, char *out)
{
	uint8_t key[TABLE_KEY_SHOWN];
	uint64_t version;
	size_t len = index_key(index, i, key, sizeof(key), &version);

	return table_key_text(slice_of(key, len < sizeof(key) ? len : sizeof(key)), len, out);
}

/* ", keys after "a" up to "b"", or nothing where the place is unknown; into out[2 * TABLE_KEY_TEXT + 32]. */
static const char *table_file_range(const struct table_place *at, char *out)
{
	char low[TABLE_KEY_TEXT] = "the first", high[TABLE_KEY_TEXT];

	out[0] = '\0';
	if (!at || !at->top)
		return out;
	if (at->index && at->leaf > 0)
		table_file_separator(at->index, at->leaf - 1, low);
	else if (at->part > 0)
		table_file_separator(at->top, at->part - 1, low);
	if (at->index)
		table_file_separator(at->index, at->leaf, high);
	else
		table_file_separator(at->top, at->part, high);
	(void)snprintf(out, 2 * TABLE_KEY_TEXT + 32, ", keys from %s to %s", low, high);
	return out;
}

int table_file_damage(const struct table_file *f, enum table_block_kind kind, const struct table_addr *addr,
                      const struct table_place *at, const char *what)
{
	char range[2 * TABLE_KEY_TEXT + 32];

	return report(&f->env->rep, SILT_E_CORRUPT, "%s: %s at offset %" PRIu64 " (%" PRIu32 " bytes)%s: %s", f->path,
	              table_file_kind(kind), addr->offset, addr->length, table_file_range(at, range), what);
}

/* ---- the file -------------------------------------------------------------------------------------------------------- */

static int table_file_io(const struct table_file *f, int rc, const char *call)
{
	silt_os *os = f->env->os;

	return report(&f->env->rep, rc, "%s: %s: %s", f->path, call, os->error_text(os));
}

int table_file_open(struct env *env, const char *path, struct table_file *out)
{
	struct table_file f = { .env = env };
	int rc;

	f.path = mem_strdup(path);
	if (!f.path)
		return SILT_E_NOMEM;
	rc = env->os->open(env->os, path, OS_READ, &f.file);
	if (rc == SILT_NOTFOUND)
		rc = report(&env->rep, SILT_E_CORRUPT, "%s: the table is missing", path);
	else if (rc < 0)
		rc = table_file_io(&f, rc, "open");
	if (rc < 0)
		goto out;
	rc = env->os->size(env->os, f.file, &f.size);
	if (rc < 0) {
		rc = table_file_io(&f, rc, "size");
		goto out;
	}
	*out = f;
	return 0;
out:
	table_file_close(&f);
	return rc;
}

void table_file_close(struct table_file *f)
{
	if (f->file)
		(void)f->env->os->close(f->env->os, f->file);   /* only read: nothing can be lost */
	mem_free(f->path);
	*f = (struct table_file){ 0 };
}

int table_file_read(const struct table_file *f, uint64_t offset, void *out, size_t n)
{
	silt_os *os = f->env->os;
	int rc = os_read_full(os, f->file, offset, out, n);

	if (rc == SILT_E_CORRUPT)
		return report(&f->env->rep, rc, "%s: ends before offset %" PRIu64, f->path, offset + n);
	return rc < 0 ? table_file_io(f, rc, "read") : 0;
}

/* ---- stored bytes ---------------------------------------------------------------------------------------------------- */

void table_ahead_fini(struct table_ahead *a)
{
	mem_free(a->bytes);
	*a = (struct table_ahead){ 0 };
}

/* Fills the window from offset on; what it held is gone. */
static int table_ahead_fill(const struct table_file *f, struct table_ahead *a, uint64_t offset)
{
	uint64_t left = f->size - offset;
	size_t n = left < TABLE_AHEAD_BYTES ? (size_t)left : TABLE_AHEAD_BYTES;
	int rc;

	if (!a->bytes)
		a->bytes = mem_alloc(TABLE_AHEAD_BYTES);
	if (!a->bytes)
		return SILT_E_NOMEM;
	a->len = 0;
	rc = table_file_read(f, offset, a->bytes, n);
	if (rc < 0)
		return rc;
	a->offset = offset;
	a->len = n;
	return 0;
}

static bool table_ahead_has(const struct table_ahead *a, const struct table_addr *addr)
{
	return addr->offset >= a->offset && addr->offset - a->offset <= a->len &&
	       addr->length <= a->len - (size_t)(addr->offset - a->offset);
}

/* The stored bytes of a block that lies within the file: from the window where it serves, else in *own, which the caller frees. */
static int table_file_stored(const struct table_file *f, const struct table_addr *addr, struct table_ahead *ahead, uint8_t **own,
                             struct silt_slice *out)
{
	int rc;

	if (ahead && addr->length <= TABLE_AHEAD_BYTES) {
		rc = table_ahead_has(ahead, addr) ? 0 : table_ahead_fill(f, ahead, addr->offset);
		if (rc < 0)
			return rc;
		*out = slice_of(ahead->bytes + (addr->offset - ahead->offset), addr->length);
		return 0;
	}
	*own = mem_alloc(addr->length);
	if (!*own)
		return SILT_E_NOMEM;
	*out = slice_of(*own, addr->length);
	return table_file_read(f, addr->offset, *own, addr->length);
}

/* ---- blocks ---------------------------------------------------------------------------------------------------------- */

/* The most items that so many bytes can be: before memory is taken for what is decoded of them. */
static uint32_t table_file_items_max(enum table_block_kind kind, uint32_t raw_bytes)
{
	switch (kind) {
	case TABLE_DATA:
		return raw_bytes / BLOCK_ENTRY_MIN;
	case TABLE_INDEX:
	case TABLE_TOP:
		return raw_bytes / DIGEST_BYTES;
	default:
		return 0;
	}
}

static size_t table_file_room(enum table_block_kind kind, uint32_t items)
{
	switch (kind) {
	case TABLE_DATA:
		return block_reader_room(items);
	case TABLE_INDEX:
	case TABLE_TOP:
		return index_room(items);
	default:
		return 0;
	}
}

static int table_file_load(enum table_block_kind kind, struct block *b)
{
	switch (kind) {
	case TABLE_DATA:
		return block_reader_load(b);
	case TABLE_INDEX:
	case TABLE_TOP:
		return index_load(b);
	case TABLE_FILTER:
		return filter_check(b->bytes);
	default:
		return 0;
	}
}

/* Stored bytes whose digest was right -> a block; SILT_WOULD_BLOCK where it would be larger than raw_max. */
static int table_file_unpack(struct block_cache *cache, enum table_block_kind kind, struct silt_slice stored, uint32_t raw_max,
                             struct block **out)
{
	struct compress_packed packed;
	struct block *b;
	int rc = compress_open(stored, &packed);

	if (rc < 0)
		return rc;
	if (packed.raw_bytes > raw_max)
		return SILT_WOULD_BLOCK;
	if (packed.items > table_file_items_max(kind, packed.raw_bytes))
		return SILT_E_CORRUPT;
	b = block_cache_new_block(cache, packed.raw_bytes, table_file_room(kind, packed.items));
	if (!b)
		return SILT_E_NOMEM;
	b->kind = (uint8_t)kind;
	b->items = packed.items;
	rc = compress_unpack(&packed, block_cache_unpackers(cache), (void *)(uintptr_t)b->bytes.data);
	if (rc == 0)
		rc = table_file_load(kind, b);
	if (rc < 0) {
		block_unpin(b);
		return rc;
	}
	*out = b;
	return 0;
}

static bool table_file_holds(const struct table_file *f, const struct table_addr *addr)
{
	return addr->offset <= f->size && addr->length <= f->size - addr->offset;
}

static int table_file_check(const struct table_file *f, enum table_block_kind kind, const struct table_addr *addr,
                            const struct table_place *at, struct silt_slice stored, uint32_t raw_max, struct block **out)
{
	uint8_t digest[DIGEST_BYTES];
	int rc = digest_one((uint8_t)kind, stored, digest);

	if (rc < 0)
		return rc;
	if (memcmp(digest, addr->digest, DIGEST_BYTES) != 0)                    /* rule 1 */
		return table_file_damage(f, kind, addr, at, "its SHA-256 is not the one in its parent");
	rc = table_file_unpack(f->cache, kind, stored, raw_max, out);
	if (rc == SILT_E_CORRUPT)
		rc = table_file_damage(f, kind, addr, at, "its digest is right and its contents are not");
	return rc;
}

int table_file_fetch(const struct table_file *f, enum table_block_kind kind, const struct table_addr *addr,
                     const struct table_place *at, struct table_ahead *ahead, struct block **out)
{
	struct silt_slice stored;
	uint8_t *own = NULL;
	int rc;

	if (!table_file_holds(f, addr))                                         /* rule 2 */
		return table_file_damage(f, kind, addr, at, "lies beyond the end of the file");
	rc = table_file_stored(f, addr, ahead, &own, &stored);
	if (rc == 0)
		rc = table_file_check(f, kind, addr, at, stored, UINT32_MAX, out);
	mem_free(own);
	return rc;
}

int table_file_fetch_now(const struct table_file *f, enum table_block_kind kind, const struct table_addr *addr,
                         const struct table_place *at, struct block **out)
{
	silt_os *os = f->env->os;
	uint8_t *own;
	int rc = SILT_WOULD_BLOCK;

	if (!os->read_now || addr->length > TABLE_NOW_BYTES || !table_file_holds(f, addr))
		return SILT_WOULD_BLOCK;                                        /* what is wrong is told to who may wait */
	own = mem_alloc(addr->length);
	if (!own)
		return SILT_E_NOMEM;
	if (os->read_now(os, f->file, addr->offset, own, addr->length))
		rc = table_file_check(f, kind, addr, at, slice_of(own, addr->length), TABLE_NOW_RAW, out);
	mem_free(own);
	return rc;
}
