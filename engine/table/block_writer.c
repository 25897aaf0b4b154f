/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block_writer.c - a data block: entries in key_cmp order, prefix-compressed, with one byte of hash each.
 *
 * Bytes     block := base:u64le | entry[count] | tag:u8[count]          count stands in the stored form (compress.h)
 *           entry := flags:u8 | shared:varint | tail_len:varint | delta:varint | (put: value_len:varint)
 *                    | (flags & 8: expires_ms:varint) | (flags & 16: meta_len:u8) | tail | meta | value
 *           flags = entry_kind | 8 has expiry | 16 has metadata; expiry is never 0 and metadata never empty when flagged.
 *           delta = zigzag(version - base), base = the first entry's version: neighbours in time take two or three bytes.
 *           tag   = low byte of hash_key(key).
 * Restarts  every 16th entry has shared = 0 and so its whole key; the entries up to the next share bytes with that one, not
 *           with their neighbour. So any entry is read by itself, from its restart and its own bytes, in any order.
 * Tags      a point lookup scans them eight at a time and looks only at entries whose tag is right: a false one is met once in
 *           256 entries. Against buckets that name an entry: no collisions to fall back from, no limit of 253 entries, and a byte
 *           an entry instead of four thirds.
 * Example   put "ab"@7 = "1", put "abc"@5 = "22", delete "b"@9:
 *           07 00 00 00 00 00 00 00                    base
 *           01 00 02 00 01  61 62  31                  put, shared 0, tail 2, delta 0, value 1: "ab" "1"
 *           01 02 01 03 02  63  32 32                  put, shared 2, tail 1, delta -2, value 2: "c" "22"
 *           02 00 01 04  62                            delete, shared 0, tail 1, delta +2: "b"
 *           t0 t1 t2
 * Source    restarts: LevelDB's block_builder, sharing with the restart instead of the neighbour: own. Tags: the control bytes of
 *           Abseil's Swiss tables (Kulukundis, CppCon 2017).
 */
#include "table/block_writer.h"
#include "base/codec.h"

void block_writer_fini(struct block_writer *w)
{
	buf_fini(&w->raw);
	buf_fini(&w->tags);
	buf_fini(&w->restart);
	block_writer_reset(w);
}

void block_writer_reset(struct block_writer *w)
{
	w->raw.len = 0;
	w->tags.len = 0;
	w->restart.len = 0;
	w->count = 0;
}

static size_t block_writer_shared(const struct block_writer *w, struct silt_slice key)
{
	const uint8_t *a = w->restart.data, *b = key.data;
	size_t n = w->restart.len < key.len ? w->restart.len : key.len;
	size_t i = 0;

	while (i < n && a[i] == b[i])
		i++;
	return i;
}

static uint8_t block_writer_flags(const struct entry *e)
{
	unsigned flags = (unsigned)e->kind;

	if (e->kind == ENTRY_PUT && e->expires_ms)
		flags |= BLOCK_ENTRY_EXPIRES;
	if (e->kind == ENTRY_PUT && e->meta.len)
		flags |= BLOCK_ENTRY_META;
	return (uint8_t)flags;
}

static uint64_t block_writer_zigzag(uint64_t version, uint64_t base)
{
	int64_t d = (int64_t)(version - base);

	return d < 0 ? ~((uint64_t)d << 1) : (uint64_t)d << 1;
}

static uint8_t *block_writer_head(uint8_t *p, const struct entry *e, uint64_t base, size_t shared)
{
	uint8_t flags = block_writer_flags(e);

	*p++ = flags;
	p = codec_put_varint(p, shared);
	p = codec_put_varint(p, e->key.len - shared);
	p = codec_put_varint(p, block_writer_zigzag(e->version, base));
	if (e->kind == ENTRY_PUT)
		p = codec_put_varint(p, e->value.len);
	if (flags & BLOCK_ENTRY_EXPIRES)
		p = codec_put_varint(p, e->expires_ms);
	if (flags & BLOCK_ENTRY_META)
		*p++ = (uint8_t)e->meta.len;
	return p;
}

size_t block_writer_cost(const struct entry *e)
{
	return BLOCK_ENTRY_HEAD_MAX + e->key.len + e->meta.len + e->value.len + 1;
}

static int block_writer_reserve(struct block_writer *w, const struct entry *e)
{
	int rc = buf_reserve(&w->raw, BLOCK_BASE_BYTES + block_writer_cost(e));

	if (rc == 0)
		rc = buf_reserve(&w->tags, 1);
	if (rc == 0 && w->count % BLOCK_RESTART == 0)
		rc = buf_set(&w->restart, e->key);
	return rc;
}

int block_writer_add(struct block_writer *w, const struct entry *e, uint64_t hash)
{
	uint8_t head[BLOCK_ENTRY_HEAD_MAX];
	uint8_t tag = (uint8_t)hash;
	size_t shared;
	int rc;

	rc = block_writer_reserve(w, e);
	if (rc < 0)
		return rc;
	if (w->count == 0) {
		w->base = e->version;
		codec_put64(head, w->base);
		buf_push(&w->raw, head, BLOCK_BASE_BYTES);
	}
	shared = w->count % BLOCK_RESTART == 0 ? 0 : block_writer_shared(w, e->key);
	buf_push(&w->raw, head, (size_t)(block_writer_head(head, e, w->base, shared) - head));
	buf_push(&w->raw, (const uint8_t *)e->key.data + shared, e->key.len - shared);
	if (e->kind == ENTRY_PUT) {
		buf_push(&w->raw, e->meta.data, e->meta.len);
		buf_push(&w->raw, e->value.data, e->value.len);
	}
	buf_push(&w->tags, &tag, 1);
	w->count++;
	return 0;
}

size_t block_writer_bytes(const struct block_writer *w)
{
	return w->raw.len + w->tags.len;
}

int block_writer_finish(struct block_writer *w)
{
	return buf_append(&w->raw, w->tags.data, w->tags.len);
}
