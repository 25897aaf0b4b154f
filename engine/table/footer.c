/* SPDX-License-Identifier: Apache-2.0 */
/*
 * footer.c - the root of a table's SHA-256 tree.
 *
 * Bytes     footer := addr(top) | addr(filter) | addr(properties) | addr(range tombstones) | format:u32le | 0:u32le | "SILTSST1"
 *           addr   := offset:u64le | length:u32le | digest[32]               all zero = no such part
 *             0  44  88  132   addresses             range tombstones: none in format 1, some in format 2, where top may be none
 *           176  format        180  zero        184  magic        192  end of file
 * Rules     (1) the magic stands last, where a reader that knows nothing looks first.  (2) everything after the format may change
 *           place with another format, so it is looked at before the rest.  (3) the digest of these 192 bytes stands in the
 *           manifest: no checksum of their own.
 */
#include "table/footer.h"
#include "base/cursor.h"

enum { FOOTER_ADDR = 8 + 4 + DIGEST_BYTES, FOOTER_FORMAT_AT = 4 * FOOTER_ADDR, FOOTER_MAGIC_AT = FOOTER_FORMAT_AT + 8 };
_Static_assert(FOOTER_MAGIC_AT + 8 == FOOTER_BYTES, "the drawing above");

static uint8_t *footer_put_addr(uint8_t *p, const struct table_addr *a)
{
	p = codec_put64(p, a->offset);
	p = codec_put32(p, a->length);
	memcpy(p, a->digest, DIGEST_BYTES);
	return p + DIGEST_BYTES;
}

void footer_encode(const struct footer *f, uint8_t out[FOOTER_BYTES])
{
	uint8_t *p = footer_put_addr(out, &f->top);

	p = footer_put_addr(p, &f->filter);
	p = footer_put_addr(p, &f->properties);
	p = footer_put_addr(p, &f->range_tombstones);
	p = codec_put32(p, f->range_tombstones.length ? TABLE_FORMAT_RANGES : TABLE_FORMAT);
	p = codec_put32(p, 0);
	memcpy(p, TABLE_MAGIC, 8);
}

static void footer_take_addr(struct cursor *c, struct table_addr *a)
{
	struct silt_slice digest;

	a->offset = cursor_u64(c);
	a->length = cursor_u32(c);
	digest = cursor_bytes(c, DIGEST_BYTES);
	if (digest.data)
		memcpy(a->digest, digest.data, DIGEST_BYTES);
}

static bool footer_is_zero(const struct table_addr *a)
{
	unsigned any = a->offset != 0 || a->length != 0;

	for (int i = 0; i < DIGEST_BYTES; i++)
		any |= a->digest[i];
	return any == 0;
}

static bool footer_fits(const struct table_addr *a, uint64_t body)
{
	return a->length > 0 && a->offset <= body && a->length <= body - a->offset;
}

static bool footer_fits_or_none(const struct table_addr *a, uint64_t body)
{
	return footer_is_zero(a) || footer_fits(a, body);
}

static bool footer_ok(const struct footer *f, uint32_t format, uint64_t body)
{
	if (!footer_fits(&f->properties, body) || !footer_fits_or_none(&f->filter, body))
		return false;
	if (format == TABLE_FORMAT)
		return footer_fits(&f->top, body) && footer_is_zero(&f->range_tombstones);
	return footer_fits_or_none(&f->top, body) && footer_fits(&f->range_tombstones, body) &&
	       (f->top.length > 0 || f->filter.length == 0);
}

int footer_decode(struct silt_slice bytes, uint64_t file_size, struct footer *out)
{
	struct cursor c = cursor_of(bytes);
	const uint8_t *p = bytes.data;
	struct footer f;
	uint32_t format;

	if (bytes.len != FOOTER_BYTES || file_size < FOOTER_BYTES || memcmp(p + FOOTER_MAGIC_AT, TABLE_MAGIC, 8) != 0)
		return SILT_E_CORRUPT;
	format = codec_get32(p + FOOTER_FORMAT_AT);
	if (format != TABLE_FORMAT && format != TABLE_FORMAT_RANGES)
		return SILT_E_VERSION;   /* rule 2 */
	footer_take_addr(&c, &f.top);
	footer_take_addr(&c, &f.filter);
	footer_take_addr(&c, &f.properties);
	footer_take_addr(&c, &f.range_tombstones);
	if (codec_get32(p + FOOTER_FORMAT_AT + 4) != 0 || !footer_ok(&f, format, file_size - FOOTER_BYTES))
		return SILT_E_CORRUPT;
	*out = f;
	return 0;
}
