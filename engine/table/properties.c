/* SPDX-License-Identifier: Apache-2.0 */
/*
 * properties.c - the table's own description.
 *
 * Bytes     properties := "SILTSST1" | format:varint | entries keys tombstones expiring earliest_expiry_ms min_version max_version
 *                         data_blocks partitions raw_bytes filter_bytes, each a varint | smallest | largest
 *           smallest, largest := len:varint bytes
 *           format 2: range_deletes, a varint, stands before smallest
 * Example   put "a"@7 = "1", delete "b"@9, one block, no filter:
 *           53 49 4c 54 53 53 54 31  01  02 02 01 00 00 07 09  01 01 03 00  01 61  01 62
 */
#include "table/properties.h"
#include "base/cursor.h"
#include "core/key.h"
#include "table/table.h"

enum { PROPERTIES_MAGIC = 8, PROPERTIES_NUMBERS = 15 };

static uint8_t *properties_put_key(uint8_t *p, struct silt_slice key)
{
	p = codec_put_varint(p, key.len);
	memcpy(p, key.data, key.len);
	return p + key.len;
}

int properties_encode(const struct properties *p, struct silt_buf *out)
{
	const uint64_t numbers[] = {
		p->range_deletes ? TABLE_FORMAT_RANGES : TABLE_FORMAT,
		p->entries,     p->keys,        p->tombstones, p->expiring,  p->earliest_expiry_ms,
		p->min_version,     p->max_version, p->data_blocks, p->partitions, p->raw_bytes, p->filter_bytes,
	};
	uint8_t *at;
	int rc;

	out->len = 0;
	rc = buf_reserve(out, PROPERTIES_MAGIC + PROPERTIES_NUMBERS * VARINT64_MAX + p->smallest.len + p->largest.len);
	if (rc < 0)
		return rc;
	at = out->data;
	memcpy(at, TABLE_MAGIC, PROPERTIES_MAGIC);
	at += PROPERTIES_MAGIC;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		at = codec_put_varint(at, numbers[i]);
	if (p->range_deletes)
		at = codec_put_varint(at, p->range_deletes);
	at = properties_put_key(at, p->smallest);
	at = properties_put_key(at, p->largest);
	out->len = (size_t)(at - (uint8_t *)out->data);
	return 0;
}

static bool properties_entries_ok(const struct properties *p)
{
	if (p->entries == 0)
		return p->range_deletes > 0 && (p->keys | p->tombstones | p->expiring | p->earliest_expiry_ms | p->data_blocks |
		                                p->partitions | p->raw_bytes | p->filter_bytes) == 0;
	return p->keys > 0 && p->keys <= p->entries && p->tombstones <= p->entries &&
	       p->expiring <= p->entries - p->tombstones && !p->expiring == !p->earliest_expiry_ms && p->data_blocks > 0 &&
	       p->data_blocks <= p->entries && p->partitions > 0 && p->partitions <= p->data_blocks;
}

static bool properties_ok(const struct properties *p)
{
	return properties_entries_ok(p) && p->min_version <= p->max_version && p->max_version <= SILT_VERSION_MAX &&
	       p->smallest.len > 0 && p->smallest.len <= KEY_MAX && p->largest.len <= KEY_MAX &&
	       slice_cmp(p->smallest, p->largest) <= 0;
}

int properties_decode(struct silt_slice bytes, struct properties *out)
{
	struct cursor c = cursor_of(bytes);
	struct silt_slice magic = cursor_bytes(&c, PROPERTIES_MAGIC);
	uint64_t format = cursor_varint(&c);
	struct properties p;

	if (c.bad || !slice_eq(magic, slice_of(TABLE_MAGIC, PROPERTIES_MAGIC)))
		return SILT_E_CORRUPT;
	if (format != TABLE_FORMAT && format != TABLE_FORMAT_RANGES)
		return SILT_E_VERSION;
	p.entries = cursor_varint(&c);
	p.keys = cursor_varint(&c);
	p.tombstones = cursor_varint(&c);
	p.expiring = cursor_varint(&c);
	p.earliest_expiry_ms = cursor_varint(&c);
	p.min_version = cursor_varint(&c);
	p.max_version = cursor_varint(&c);
	p.data_blocks = cursor_varint(&c);
	p.partitions = cursor_varint(&c);
	p.raw_bytes = cursor_varint(&c);
	p.filter_bytes = cursor_varint(&c);
	p.range_deletes = format == TABLE_FORMAT_RANGES ? cursor_varint(&c) : 0;
	p.smallest = cursor_bytes(&c, cursor_varint(&c));
	p.largest = cursor_bytes(&c, cursor_varint(&c));
	if (c.bad || cursor_left(&c) > 0 || (format == TABLE_FORMAT_RANGES) != (p.range_deletes > 0) || !properties_ok(&p))
		return SILT_E_CORRUPT;
	*out = p;
	return 0;
}

struct table_meta *properties_meta(const struct properties *p, const uint8_t *root)
{
	struct table_meta *m = table_meta_new(p->smallest, p->largest);

	if (!m)
		return NULL;
	m->entries = p->entries;
	m->tombstones = p->tombstones;
	m->expiring = p->expiring;
	m->earliest_expiry_ms = p->earliest_expiry_ms;
	m->min_version = p->min_version;
	m->max_version = p->max_version;
	m->range_deletes = p->range_deletes;
	memcpy(m->digest, root, DIGEST_BYTES);
	return m;
}
