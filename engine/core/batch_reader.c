/* SPDX-License-Identifier: Apache-2.0 */
/* batch_reader.c - see batch_reader.h. */
#include "core/batch_reader.h"

#include "core/key.h"
#include "core/tombstones.h"

int batch_reader_init(struct batch_reader *r, struct silt_slice payload)
{
	r->c = cursor_of(payload);
	r->left = cursor_varint(&r->c);
	return r->c.bad ? SILT_E_CORRUPT : 0;
}

static void batch_reader_op(struct cursor *c, struct entry *e)
{
	*e = (struct entry){ .kind = (enum entry_kind)cursor_u8(c) };
	e->key = cursor_bytes(c, cursor_varint32(c));
	if (e->kind == ENTRY_RANGE_DELETE)
		e->value = cursor_bytes(c, cursor_varint32(c));
	if (e->kind != ENTRY_PUT)
		return;
	e->expires_ms = cursor_varint(c);
	e->meta = cursor_bytes(c, cursor_varint32(c));
	e->value = cursor_bytes(c, cursor_varint32(c));
}

static bool batch_reader_kind_ok(const struct entry *e)
{
	if (e->kind == ENTRY_RANGE_DELETE)
		return e->value.len <= KEY_MAX && tombstone_below(e->key, e->value);
	return e->kind == ENTRY_PUT || e->kind == ENTRY_DELETE;
}

int batch_reader_next(struct batch_reader *r, struct entry *out)
{
	struct entry e;

	if (r->left == 0)
		return cursor_left(&r->c) ? SILT_E_CORRUPT : SILT_END;
	batch_reader_op(&r->c, &e);
	if (r->c.bad || !batch_reader_kind_ok(&e) || e.key.len == 0 || e.key.len > KEY_MAX ||
	    e.meta.len > SILT_META_MAX || e.value.len > SILT_VALUE_MAX)
		return SILT_E_CORRUPT;
	r->left--;
	*out = e;
	return 0;
}
