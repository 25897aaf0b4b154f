/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edit.c - edits in memory, to bytes and back.
 *
 * Bytes     edit  := field* ; every integer is a varint (base/codec.h)
 *           field := 1 wal_number                     at most once
 *                  | 2 next_file                      at most once
 *                  | 3 last_version                   at most once
 *                  | 4 level number                   drop
 *                  | 5 level number size entries tombstones expiring earliest_expiry_ms min_version max_version
 *                      smallest_len smallest largest_len largest digest[32]          add
 *                  | 6 range_deletes, then as behind a 5                              add, of a table with range deletes
 *                  | 7 as 5, with min_version = max_version: ingested; the version is every entry's       add
 *
 *           table 9 leaves level 0, table 10 ("a".."cc": 300 bytes, 3 entries, one of them a delete, versions 5..7, digest
 *           00 01 .. 1f) enters level 6, and 11 is the next number:
 *             02 0b                                     next_file 11
 *             04 00 09                                  drop level 0, number 9
 *             05 06 0a ac 02 03 01 00 00 05 07          add level 6, number 10, 300 bytes, 3 entries, 1 delete, 5..7
 *                01 61 02 63 63 00 01 02 .. 1f          "a", "cc", digest
 * Source    own; tags as in protocol buffers, without their wire types.
 */
#include "version/edit.h"

#include "base/cursor.h"
#include "base/mem.h"
#include "core/key.h"

enum edit_tag {                           /* on disk, never renumber */
	EDIT_WAL_NUMBER = 1,
	EDIT_NEXT_FILE = 2,
	EDIT_LAST_VERSION = 3,
	EDIT_DROP = 4,
	EDIT_ADD = 5,
	EDIT_ADD_RANGES = 6,
	EDIT_ADD_INGESTED = 7,
};

enum { EDIT_ADD_NUMBERS = 13 };           /* varints of an add at most, its tag and key lengths included */

void edit_init(struct edit *e)
{
	memset(e, 0, sizeof(*e));
}

void edit_fini(struct edit *e)
{
	for (size_t i = 0; i < e->add_count; i++)
		table_meta_unref(e->adds[i].meta);
	mem_free(e->adds);
	mem_free(e->drops);
	edit_init(e);
}

/* Room for one more of `size` bytes in an array; doubles. */
static int edit_grow(void **array, size_t count, size_t *room, size_t size)
{
	size_t more = *room ? *room * 2 : 4;
	void *p;

	if (count < *room)
		return 0;
	p = mem_resize(*array, more, size);
	if (!p)
		return SILT_E_NOMEM;
	*array = p;
	*room = more;
	return 0;
}

int edit_add_table(struct edit *e, int level, struct table_meta *meta)
{
	void *adds = e->adds;
	int rc = edit_grow(&adds, e->add_count, &e->add_room, sizeof(*e->adds));

	e->adds = adds;
	if (rc < 0)
		return rc;
	e->adds[e->add_count++] = (struct edit_add){ level, table_meta_ref(meta) };
	return 0;
}

int edit_drop_table(struct edit *e, int level, uint64_t number)
{
	void *drops = e->drops;
	int rc = edit_grow(&drops, e->drop_count, &e->drop_room, sizeof(*e->drops));

	e->drops = drops;
	if (rc < 0)
		return rc;
	e->drops[e->drop_count++] = (struct edit_drop){ level, number };
	return 0;
}

/* ---- to bytes -------------------------------------------------------------------------------------------------------- */

static uint8_t *edit_put_number(uint8_t *p, enum edit_tag tag, uint64_t number)
{
	return codec_put_varint(codec_put_varint(p, tag), number);
}

static uint8_t *edit_put_bytes(uint8_t *p, const void *bytes, size_t n)
{
	memcpy(p, bytes, n);
	return p + n;
}

static uint8_t *edit_put_key(uint8_t *p, struct silt_slice key)
{
	return edit_put_bytes(codec_put_varint(p, key.len), key.data, key.len);
}

static int edit_encode_head(const struct edit *e, struct silt_buf *out)
{
	uint8_t bytes[3 * 2 * VARINT64_MAX], *p = bytes;

	if (e->has_wal_number)
		p = edit_put_number(p, EDIT_WAL_NUMBER, e->wal_number);
	if (e->has_next_file)
		p = edit_put_number(p, EDIT_NEXT_FILE, e->next_file);
	if (e->has_last_version)
		p = edit_put_number(p, EDIT_LAST_VERSION, e->last_version);
	return buf_append(out, bytes, (size_t)(p - bytes));
}

static int edit_encode_drop(const struct edit_drop *d, struct silt_buf *out)
{
	uint8_t bytes[3 * VARINT64_MAX], *p;

	p = edit_put_number(bytes, EDIT_DROP, (uint64_t)d->level);
	p = codec_put_varint(p, d->number);
	return buf_append(out, bytes, (size_t)(p - bytes));
}

static int edit_encode_add(const struct edit_add *a, struct silt_buf *out)
{
	const struct table_meta *m = a->meta;
	uint8_t *start, *p;

	if (buf_reserve(out, EDIT_ADD_NUMBERS * VARINT64_MAX + m->smallest.len + m->largest.len + DIGEST_BYTES) < 0)
		return SILT_E_NOMEM;
	start = (uint8_t *)out->data + out->len;
	if (m->range_deletes)
		p = codec_put_varint(edit_put_number(start, EDIT_ADD_RANGES, m->range_deletes), (uint64_t)a->level);
	else
		p = edit_put_number(start, m->assigned ? EDIT_ADD_INGESTED : EDIT_ADD, (uint64_t)a->level);
	p = codec_put_varint(p, m->number);
	p = codec_put_varint(p, m->size);
	p = codec_put_varint(p, m->entries);
	p = codec_put_varint(p, m->tombstones);
	p = codec_put_varint(p, m->expiring);
	p = codec_put_varint(p, m->earliest_expiry_ms);
	p = codec_put_varint(p, m->min_version);
	p = codec_put_varint(p, m->max_version);
	p = edit_put_key(p, m->smallest);
	p = edit_put_key(p, m->largest);
	p = edit_put_bytes(p, m->digest, DIGEST_BYTES);
	out->len += (size_t)(p - start);
	return 0;
}

int edit_encode(const struct edit *e, struct silt_buf *out)
{
	size_t before = out->len;
	int rc = edit_encode_head(e, out);

	for (size_t i = 0; rc == 0 && i < e->drop_count; i++)
		rc = edit_encode_drop(&e->drops[i], out);
	for (size_t i = 0; rc == 0 && i < e->add_count; i++)
		rc = edit_encode_add(&e->adds[i], out);
	if (rc < 0)
		out->len = before;
	return rc;
}

/* ---- from bytes ------------------------------------------------------------------------------------------------------ */

static int edit_decode_number(struct cursor *c, bool *has, uint64_t *number)
{
	if (*has)
		return SILT_E_CORRUPT;
	*has = true;
	*number = cursor_varint(c);
	return c->bad ? SILT_E_CORRUPT : 0;
}

static int edit_decode_drop(struct cursor *c, struct edit *e)
{
	uint64_t level = cursor_varint(c), number = cursor_varint(c);

	if (c->bad || level >= SILT_LEVELS || number == 0)
		return SILT_E_CORRUPT;
	return edit_drop_table(e, (int)level, number);
}

static struct silt_slice edit_decode_key(struct cursor *c)
{
	uint64_t len = cursor_varint(c);

	if (len == 0 || len > KEY_MAX)
		c->bad = true;
	return cursor_bytes(c, c->bad ? 0 : (size_t)len);
}

/* What a table's numbers promise about each other. */
static bool edit_meta_sane(const struct table_meta *m)
{
	return m->number > 0 && m->number < UINT64_MAX && m->size > 0 && (m->entries > 0 || m->range_deletes > 0) && m->tombstones <= m->entries &&
	       m->expiring <= m->entries - m->tombstones && (m->expiring > 0) == (m->earliest_expiry_ms > 0) &&
	       m->min_version <= m->max_version && m->max_version <= SILT_VERSION_MAX &&
	       slice_cmp(m->smallest, m->largest) <= 0;
}

static int edit_decode_add(struct cursor *c, struct edit *e, uint64_t range_deletes, bool ingested)
{
	uint64_t level = cursor_varint(c);
	struct table_meta got = {
		.range_deletes = range_deletes,
		.number = cursor_varint(c),
	};
	struct table_meta *m;
	struct silt_slice digest;
	int rc;

	got.size = cursor_varint(c);
	got.entries = cursor_varint(c);
	got.tombstones = cursor_varint(c);
	got.expiring = cursor_varint(c);
	got.earliest_expiry_ms = cursor_varint(c);
	got.min_version = cursor_varint(c);
	got.max_version = cursor_varint(c);
	got.smallest = edit_decode_key(c);
	got.largest = edit_decode_key(c);
	digest = cursor_bytes(c, DIGEST_BYTES);
	if (ingested && (got.min_version != got.max_version || got.max_version == 0))
		c->bad = true;
	if (c->bad || level >= SILT_LEVELS || !edit_meta_sane(&got))
		return SILT_E_CORRUPT;
	m = table_meta_new(got.smallest, got.largest);
	if (!m)
		return SILT_E_NOMEM;
	m->number = got.number;
	m->size = got.size;
	m->entries = got.entries;
	m->tombstones = got.tombstones;
	m->expiring = got.expiring;
	m->earliest_expiry_ms = got.earliest_expiry_ms;
	m->min_version = got.min_version;
	m->max_version = got.max_version;
	m->range_deletes = range_deletes;
	m->assigned = ingested ? got.max_version : 0;
	memcpy(m->digest, digest.data, DIGEST_BYTES);
	rc = edit_add_table(e, (int)level, m);
	table_meta_unref(m);
	return rc;
}

static int edit_decode_ranges(struct cursor *c, struct edit *e)
{
	uint64_t range_deletes = cursor_varint(c);

	return c->bad || range_deletes == 0 ? SILT_E_CORRUPT : edit_decode_add(c, e, range_deletes, false);
}

static int edit_decode_field(struct cursor *c, struct edit *e)
{
	uint64_t tag = cursor_varint(c);

	if (c->bad)
		return SILT_E_CORRUPT;
	switch (tag) {
	case EDIT_WAL_NUMBER:
		return edit_decode_number(c, &e->has_wal_number, &e->wal_number);
	case EDIT_NEXT_FILE:
		return edit_decode_number(c, &e->has_next_file, &e->next_file);
	case EDIT_LAST_VERSION:
		return edit_decode_number(c, &e->has_last_version, &e->last_version);
	case EDIT_DROP:
		return edit_decode_drop(c, e);
	case EDIT_ADD:
		return edit_decode_add(c, e, 0, false);
	case EDIT_ADD_RANGES:
		return edit_decode_ranges(c, e);
	case EDIT_ADD_INGESTED:
		return edit_decode_add(c, e, 0, true);
	default:
		return SILT_E_VERSION;
	}
}

int edit_decode(struct silt_slice bytes, struct edit *out)
{
	struct cursor c = cursor_of(bytes);
	int rc = 0;

	edit_init(out);
	while (rc == 0 && cursor_left(&c) > 0)
		rc = edit_decode_field(&c, out);
	if (rc == 0 && out->last_version > SILT_VERSION_MAX)
		rc = SILT_E_CORRUPT;
	if (rc < 0)
		edit_fini(out);
	return rc;
}
