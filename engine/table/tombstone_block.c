/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tombstone_block.c - fragments to bytes and back.
 *
 * Bytes     block    := fragment+
 *           fragment := lower upper n:varint newest:varint gap:varint[n - 1]
 *           lower    := shared:varint len:varint bytes[len]      shared: how many it begins with of the upper before it (0: the first)
 *           upper    := the same, of its own lower; 00 00 = to the last key, and the last fragment
 *           A gap is what the next version is older by, at least 1.
 * Example   [b..f)@3  [f..k)@5,3:   00 01 62  00 01 66  01 03    01 00  00 01 6b  02 05 02
 * Rules     of what is decoded: lower is a key and below its upper; each lower at or after the upper before it; versions within
 *           1..SILT_VERSION_MAX, descending; all bounds together within TABLE_RAW_MAX.
 */
#include "table/tombstone_block.h"
#include "base/cursor.h"
#include "core/key.h"
#include "table/table.h"

/* ---- writing --------------------------------------------------------------------------------------------------------- */

static void tombstone_writer_varint(struct tombstone_writer *w, uint64_t v)
{
	uint8_t bytes[VARINT64_MAX];

	buf_push(&w->raw, bytes, (size_t)(codec_put_varint(bytes, v) - bytes));
}

static void tombstone_writer_bound(struct tombstone_writer *w, struct silt_slice bound, struct silt_slice before)
{
	const uint8_t *a = bound.data, *b = before.data;
	size_t shared = 0;

	while (shared < bound.len && shared < before.len && a[shared] == b[shared])
		shared++;
	tombstone_writer_varint(w, shared);
	tombstone_writer_varint(w, bound.len - shared);
	buf_push(&w->raw, a + shared, bound.len - shared);
}

static bool tombstone_writer_ok(const struct tombstone_writer *w, const struct tombstone *t)
{
	bool ok = t->lower.len > 0 && t->lower.len <= KEY_MAX && t->upper.len <= KEY_MAX && tombstone_below(t->lower, t->upper) &&
	          t->n > 0 && t->versions[0] <= SILT_VERSION_MAX && t->versions[t->n - 1] > 0;

	for (size_t i = 1; i < t->n && ok; i++)
		ok = t->versions[i] < t->versions[i - 1];
	if (!ok || w->raw.len == 0)
		return ok;
	return !w->ended && slice_cmp(t->lower, buf_slice(&w->upper)) >= 0;
}

/* Room for all of it first: a failure leaves no half of a fragment. */
static int tombstone_writer_reserve(struct tombstone_writer *w, const struct tombstone *t)
{
	int rc = buf_reserve(&w->raw, (5 + t->n) * VARINT64_MAX + t->lower.len + t->upper.len);

	if (rc == 0 && w->raw.len == 0)
		rc = buf_set(&w->lower, t->lower);
	if (rc == 0 && w->upper.cap < KEY_MAX)
		rc = buf_reserve(&w->upper, KEY_MAX - w->upper.len);
	return rc;
}

int tombstone_writer_add(struct tombstone_writer *w, const struct tombstone *t)
{
	uint64_t oldest;
	int rc;

	if (!tombstone_writer_ok(w, t))
		return SILT_E_CORRUPT;
	rc = tombstone_writer_reserve(w, t);
	if (rc < 0)
		return rc;
	oldest = t->versions[t->n - 1];
	w->min_version = w->count == 0 || oldest < w->min_version ? oldest : w->min_version;
	w->max_version = t->versions[0] > w->max_version ? t->versions[0] : w->max_version;
	w->count += t->n;
	tombstone_writer_bound(w, t->lower, buf_slice(&w->upper));
	tombstone_writer_bound(w, t->upper, t->upper.len ? t->lower : slice_of(NULL, 0));
	tombstone_writer_varint(w, t->n);
	tombstone_writer_varint(w, t->versions[0]);
	for (size_t i = 1; i < t->n; i++)
		tombstone_writer_varint(w, t->versions[i - 1] - t->versions[i]);
	w->ended = t->upper.len == 0;
	w->upper.len = 0;
	buf_push(&w->upper, t->upper.data, t->upper.len);
	return 0;
}

void tombstone_writer_fini(struct tombstone_writer *w)
{
	buf_fini(&w->raw);
	buf_fini(&w->lower);
	buf_fini(&w->upper);
}

/* ---- reading --------------------------------------------------------------------------------------------------------- */

struct tombstone_reader {                 /* everything is hostile */
	struct cursor c;
	uint8_t lower[KEY_MAX], upper[KEY_MAX];
	size_t lower_len, upper_len;
	bool ended;
	struct silt_buf versions;         /* of the fragment, as uint64_t */
	size_t fragments, count, bounds;  /* so far */
};

/* Into bound[KEY_MAX]. The length, or SIZE_MAX. */
static size_t tombstone_read_bound(struct cursor *c, uint8_t *bound, const uint8_t *before, size_t before_len)
{
	uint64_t shared = cursor_varint(c), len = cursor_varint(c);
	struct silt_slice tail;

	if (c->bad || shared > before_len || len > KEY_MAX - shared)
		return SIZE_MAX;
	tail = cursor_bytes(c, (size_t)len);
	if (c->bad)
		return SIZE_MAX;
	if (shared)
		memcpy(bound, before, (size_t)shared);
	if (len)
		memcpy(bound + shared, tail.data, (size_t)len);
	return (size_t)(shared + len);
}

static int tombstone_read_versions(struct tombstone_reader *r)
{
	uint64_t n = cursor_varint(&r->c), v;

	if (r->c.bad || n == 0 || n > cursor_left(&r->c))
		return SILT_E_CORRUPT;
	r->versions.len = 0;
	if (buf_reserve(&r->versions, (size_t)n * sizeof(v)) < 0)
		return SILT_E_NOMEM;
	v = cursor_varint(&r->c);
	if (r->c.bad || v == 0 || v > SILT_VERSION_MAX)
		return SILT_E_CORRUPT;
	buf_push(&r->versions, &v, sizeof(v));
	for (uint64_t i = 1; i < n; i++) {
		uint64_t gap = cursor_varint(&r->c);

		if (r->c.bad || gap == 0 || gap >= v)
			return SILT_E_CORRUPT;
		v -= gap;
		buf_push(&r->versions, &v, sizeof(v));
	}
	r->count += (size_t)n;
	return 0;
}

/* Its lower may share with the upper before; that one is kept until then, in `upper`. */
static int tombstone_read(struct tombstone_reader *r)
{
	struct silt_slice before = slice_of(r->upper, r->upper_len), lower, upper;

	r->lower_len = tombstone_read_bound(&r->c, r->lower, r->upper, r->upper_len);
	if (r->lower_len == SIZE_MAX || r->lower_len == 0 || r->ended)
		return SILT_E_CORRUPT;
	lower = slice_of(r->lower, r->lower_len);
	if (r->fragments > 0 && slice_cmp(lower, before) < 0)
		return SILT_E_CORRUPT;
	r->upper_len = tombstone_read_bound(&r->c, r->upper, r->lower, r->lower_len);
	if (r->upper_len == SIZE_MAX)
		return SILT_E_CORRUPT;
	upper = slice_of(r->upper, r->upper_len);
	if (!tombstone_below(lower, upper))
		return SILT_E_CORRUPT;
	r->ended = r->upper_len == 0;
	r->bounds += r->lower_len + r->upper_len;
	r->fragments++;
	if (r->bounds > TABLE_RAW_MAX)
		return SILT_E_CORRUPT;
	return tombstone_read_versions(r);
}

/* Counts; or, with a list, fills it. */
static int tombstone_read_all(struct tombstone_reader *r, struct silt_slice bytes, struct tombstones *l)
{
	int rc = 0;

	r->c = cursor_of(bytes);
	r->upper_len = r->fragments = r->count = r->bounds = 0;
	r->ended = false;
	while (rc == 0 && cursor_left(&r->c) > 0) {
		rc = tombstone_read(r);
		if (rc == 0 && l)
			tombstones_push(l, slice_of(r->lower, r->lower_len), slice_of(r->upper, r->upper_len), r->versions.data,
			                r->versions.len / sizeof(uint64_t));
	}
	return rc == 0 && r->fragments == 0 ? SILT_E_CORRUPT : rc;
}

int tombstone_block_decode(struct silt_slice bytes, struct tombstones **out)
{
	struct tombstone_reader r;
	struct tombstones *l = NULL;
	int rc;

	r.versions = (struct silt_buf){ 0 };
	rc = tombstone_read_all(&r, bytes, NULL);
	if (rc == 0 && !(l = tombstones_new(r.fragments, r.count, r.bounds)))
		rc = SILT_E_NOMEM;
	if (rc == 0)
		rc = tombstone_read_all(&r, bytes, l);
	buf_fini(&r.versions);
	if (rc == 0)
		*out = l;
	else
		tombstones_free(l);
	return rc;
}
