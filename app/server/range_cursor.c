/* SPDX-License-Identifier: Apache-2.0 */
/* range_cursor.c - the cursor that a page ends with. */
#include "server/range_cursor.h"

#include "server/key.h"
#include "util/base64.h"

#include <string.h>

#define CURSOR_FORMAT    1
#define CURSOR_REVERSE   1u
#define CURSOR_KEYS_ONLY 2u
#define CURSOR_CHECK_AT  2u
#define CURSOR_KEYS_AT   6u
#define CURSOR_BYTES_MAX (CURSOR_KEYS_AT + 3u * (2u + KEY_BYTES_MAX))

static uint32_t cursor_fnv(uint32_t hash, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		hash = (hash ^ (unsigned char)p[i]) * UINT32_C(16777619);
	return hash;
}

static uint32_t cursor_check(struct span bytes)
{
	uint32_t hash = cursor_fnv(UINT32_C(2166136261), bytes.p, CURSOR_CHECK_AT);

	return cursor_fnv(hash, bytes.p + CURSOR_KEYS_AT, bytes.len - CURSOR_KEYS_AT);
}

/* ---- out --------------------------------------------------------------------------------------------------------------- */

static void cursor_put_key(struct bytes *out, struct span key)
{
	char length[2] = { (char)(key.len >> 8), (char)key.len };

	bytes_add(out, length, 2);
	bytes_add(out, key.p, key.len);
}

static void cursor_put_check(struct bytes *b)
{
	uint32_t check = cursor_check(span_of(b->p, b->len));

	for (unsigned i = 0; i < 4; i++)
		b->p[CURSOR_CHECK_AT + i] = (char)(check >> (24 - 8 * i));
}

void range_cursor_encode(const struct range *range, struct span after, struct bytes *out)
{
	unsigned flags = (range->reverse ? CURSOR_REVERSE : 0) | (range->keys_only ? CURSOR_KEYS_ONLY : 0);
	char head[CURSOR_KEYS_AT] = { CURSOR_FORMAT, (char)flags };
	struct bytes b = {0};
	size_t from = out->len;

	bytes_add(&b, head, sizeof(head));
	cursor_put_key(&b, span_of(range->lower.p, range->lower.len));
	cursor_put_key(&b, span_of(range->upper.p, range->upper.len));
	cursor_put_key(&b, after);
	if (b.bad) {
		out->bad = true;
	} else {
		cursor_put_check(&b);
		base64_encode(span_of(b.p, b.len), out);
	}
	bytes_fini(&b);
	while (out->len > from && out->p[out->len - 1] == '=')
		out->len--;
	for (size_t i = from; i < out->len; i++)
		out->p[i] = (char)(out->p[i] == '+' ? '-' : out->p[i] == '/' ? '_' : out->p[i]);
}

/* ---- in ---------------------------------------------------------------------------------------------------------------- */

/* base64url without padding, as the other alphabet with it. False: a byte of neither. */
static bool cursor_respell(struct span text, struct bytes *out)
{
	if (!bytes_add(out, text.p, text.len))
		return false;
	for (size_t i = 0; i < out->len; i++) {
		char c = out->p[i];

		if (c == '+' || c == '/' || c == '=')
			return false;
		out->p[i] = (char)(c == '-' ? '+' : c == '_' ? '/' : c);
	}
	while (out->len % 4 != 0)
		bytes_add(out, "=", 1);
	return !out->bad;
}

/* Takes a key off the front of *left. False: there is none. */
static bool cursor_take_key(struct span *left, struct bytes *out)
{
	size_t n;

	if (left->len < 2)
		return false;
	n = (size_t)(unsigned char)left->p[0] << 8 | (unsigned char)left->p[1];
	if (n > KEY_BYTES_MAX || n > left->len - 2 || !bytes_add(out, left->p + 2, n))
		return false;
	*left = span_of(left->p + 2 + n, left->len - 2 - n);
	return true;
}

static bool cursor_below(const struct bytes *a, const struct bytes *b)
{
	size_t n = a->len < b->len ? a->len : b->len;
	int order = n > 0 ? memcmp(a->p, b->p, n) : 0;

	return order != 0 ? order < 0 : a->len < b->len;
}

static bool cursor_parse(struct span bytes, struct range *range)
{
	struct span left = { bytes.p + CURSOR_KEYS_AT, bytes.len - CURSOR_KEYS_AT };
	uint32_t check = 0;
	unsigned flags;

	for (unsigned i = 0; i < 4; i++)
		check = check << 8 | (unsigned char)bytes.p[CURSOR_CHECK_AT + i];
	flags = (unsigned char)bytes.p[1];
	if (bytes.p[0] != CURSOR_FORMAT || (flags & ~(CURSOR_REVERSE | CURSOR_KEYS_ONLY)) != 0 || check != cursor_check(bytes))
		return false;
	range->reverse = (flags & CURSOR_REVERSE) != 0;
	range->keys_only = (flags & CURSOR_KEYS_ONLY) != 0;
	if (!cursor_take_key(&left, &range->lower) || !cursor_take_key(&left, &range->upper) ||
	    !cursor_take_key(&left, &range->after) || left.len > 0)
		return false;
	return range->after.len > 0 && !cursor_below(&range->after, &range->lower) &&
	       (range->upper.len == 0 || cursor_below(&range->after, &range->upper));
}

bool range_cursor_decode(struct span text, struct range *range, bool *no_memory)
{
	struct bytes spelled = {0}, bytes = {0};
	size_t bad_at;
	bool ok = false;

	if (text.len <= (CURSOR_BYTES_MAX + 2) / 3 * 4 && cursor_respell(text, &spelled) &&
	    base64_decode(span_of(spelled.p, spelled.len), &bytes, &bad_at) && bytes.len >= CURSOR_KEYS_AT)
		ok = cursor_parse(span_of(bytes.p, bytes.len), range);
	*no_memory = spelled.bad || bytes.bad || range->lower.bad || range->upper.bad || range->after.bad;
	bytes_fini(&spelled);
	bytes_fini(&bytes);
	return ok && !*no_memory;
}
