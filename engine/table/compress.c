/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compress.c - none, LZ4 and zstd behind one pair of calls.
 *
 * The tail stands behind the body because raw blocks are built in place: packing one without compression copies nothing.
 * Source    liblz4 (lz4.h, block format), libzstd (zstd.h, single frames). Both are safe against hostile input when told both lengths.
 */
#include "table/compress.h"
#include "table/table.h"

#include <lz4.h>
#include <zstd.h>
#include <zstd_errors.h>

/* Blocks of 4 KiB gain 2 to 3 % in size from level 3, for twice the time. */
#define COMPRESS_ZSTD_LEVEL 1

void compress_init(struct compress *c, enum silt_compression how)
{
	*c = (struct compress){ .how = how };
}

void compress_fini(struct compress *c)
{
	buf_fini(&c->stored);
	ZSTD_freeCCtx(c->zstd);           /* NULL is fine there */
	c->zstd = NULL;
}

static int compress_add_tail(struct silt_buf *b, size_t raw_bytes, uint32_t items, enum silt_compression how)
{
	uint8_t tail[COMPRESS_TAIL_BYTES];

	codec_put32(codec_put32(tail, (uint32_t)raw_bytes), items);
	tail[COMPRESS_TAIL_BYTES - 1] = (uint8_t)how;
	return buf_append(b, tail, sizeof(tail));
}

/* Into c->stored, at most `room` bytes of it. 0 with *n = 0 where it does not fit: then the block is not worth it. */
static int compress_lz4(struct compress *c, struct silt_slice raw, size_t room, size_t *n)
{
	int got = LZ4_compress_default(raw.data, c->stored.data, (int)raw.len, (int)room);

	*n = got > 0 ? (size_t)got : 0;
	return 0;
}

static int compress_zstd(struct compress *c, struct silt_slice raw, size_t room, size_t *n)
{
	size_t got;

	if (!c->zstd)
		c->zstd = ZSTD_createCCtx();
	if (!c->zstd)
		return SILT_E_NOMEM;
	got = ZSTD_compressCCtx(c->zstd, c->stored.data, room, raw.data, raw.len, COMPRESS_ZSTD_LEVEL);
	if (ZSTD_isError(got) && ZSTD_getErrorCode(got) == ZSTD_error_memory_allocation)
		return SILT_E_NOMEM;
	*n = ZSTD_isError(got) ? 0 : got;
	return 0;
}

/* 0 with c->stored.len = 0 where compression saves less than 1/8. */
static int compress_try(struct compress *c, struct silt_slice raw)
{
	size_t room = raw.len - raw.len / 8;
	size_t n = 0;
	int rc;

	c->stored.len = 0;
	if (c->how == SILT_COMPRESS_NONE || raw.len == 0)
		return 0;
	rc = buf_reserve(&c->stored, room);
	if (rc < 0)
		return rc;
	rc = c->how == SILT_COMPRESS_LZ4 ? compress_lz4(c, raw, room, &n) : compress_zstd(c, raw, room, &n);
	c->stored.len = n;
	return rc;
}

int compress_pack(struct compress *c, struct silt_buf *raw, uint32_t items, struct silt_slice *out)
{
	struct silt_buf *b = &c->stored;
	int rc;

	if (raw->len > TABLE_RAW_MAX)
		return SILT_E_TOOBIG;
	rc = compress_try(c, buf_slice(raw));
	if (rc < 0)
		return rc;
	if (b->len == 0)
		b = raw;
	rc = compress_add_tail(b, raw->len, items, b == raw ? SILT_COMPRESS_NONE : c->how);
	if (rc < 0)
		return rc;
	*out = buf_slice(b);
	return 0;
}

int compress_open(struct silt_slice stored, struct compress_packed *out)
{
	struct compress_packed p;
	const uint8_t *tail;

	if (stored.len < COMPRESS_TAIL_BYTES)
		return SILT_E_CORRUPT;
	p.body = slice_of(stored.data, stored.len - COMPRESS_TAIL_BYTES);
	tail = (const uint8_t *)stored.data + p.body.len;
	p.raw_bytes = codec_get32(tail);
	p.items = codec_get32(tail + 4);
	if (tail[8] > SILT_COMPRESS_ZSTD || p.raw_bytes > TABLE_RAW_MAX)
		return SILT_E_CORRUPT;
	p.how = tail[8];
	if (p.how == SILT_COMPRESS_NONE ? p.body.len != p.raw_bytes : p.body.len >= p.raw_bytes)
		return SILT_E_CORRUPT;
	*out = p;
	return 0;
}

static int compress_unlz4(const struct compress_packed *p, void *raw)
{
	int got = LZ4_decompress_safe(p->body.data, raw, (int)p->body.len, (int)p->raw_bytes);

	return got >= 0 && (uint32_t)got == p->raw_bytes ? 0 : SILT_E_CORRUPT;
}

static int compress_unzstd(const struct compress_packed *p, struct unpackers *u, void *raw)
{
	void *context = unpackers_take(u);
	size_t got;

	if (!context)
		return SILT_E_NOMEM;
	got = ZSTD_decompressDCtx(context, raw, p->raw_bytes, p->body.data, p->body.len);
	unpackers_give(u, context);
	if (ZSTD_isError(got) && ZSTD_getErrorCode(got) == ZSTD_error_memory_allocation)
		return SILT_E_NOMEM;
	return got == p->raw_bytes ? 0 : SILT_E_CORRUPT;
}

int compress_unpack(const struct compress_packed *p, struct unpackers *u, void *raw)
{
	switch (p->how) {
	case SILT_COMPRESS_LZ4:
		return compress_unlz4(p, raw);
	case SILT_COMPRESS_ZSTD:
		return compress_unzstd(p, u, raw);
	default:
		if (p->raw_bytes)
			memcpy(raw, p->body.data, p->raw_bytes);
		return 0;
	}
}
