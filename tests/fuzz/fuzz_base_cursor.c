/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_base_cursor.c - a script of reads and the bytes that it reads, through a cursor and through a plain twin of it.
 *
 *           [n] [n bytes: the reads, what % 6: u8, u32, u64, varint, varint32, bytes (what / 6 of them)] the bytes
 *
 * Both agree on every value, on what is left and on when it is bad; and what was bad stays bad and gives nothing more.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"

#define CHECK(x) ((x) ? (void)0 : __builtin_trap())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz_twin {
	const uint8_t *bytes;
	size_t at, n;
	bool bad;
};

static uint64_t fuzz_fixed(struct fuzz_twin *t, size_t n)
{
	uint64_t v = 0;

	t->bad = t->bad || n > t->n - t->at;
	for (size_t i = 0; i < n && !t->bad; i++)
		v |= (uint64_t)t->bytes[t->at + i] << 8 * i;
	t->at += t->bad ? 0 : n;
	return v;
}

/* Seven bits a byte, the low ones first, no byte more than it takes, nothing above `max`. */
static uint64_t fuzz_varint(struct fuzz_twin *t, uint64_t max)
{
	unsigned __int128 v = 0;
	size_t at = t->at;

	for (unsigned shift = 0; !t->bad; shift += 7) {
		if (at == t->n || shift > 63) {
			t->bad = true;
			break;
		}
		v |= (unsigned __int128)(t->bytes[at] & 0x7f) << shift;
		if (t->bytes[at++] & 0x80)
			continue;
		t->bad = v > max || (shift > 0 && t->bytes[at - 1] == 0);
		break;
	}
	if (t->bad)
		return 0;
	t->at = at;
	return (uint64_t)v;
}

static void fuzz_bytes(struct cursor *c, struct fuzz_twin *t, size_t n)
{
	struct silt_slice s = cursor_bytes(c, n);

	t->bad = t->bad || n > t->n - t->at;
	CHECK(t->bad ? s.len == 0 : s.len == n && (n == 0 || s.data == t->bytes + t->at));
	t->at += t->bad ? 0 : n;
}

static void fuzz_read(struct cursor *c, struct fuzz_twin *t, uint8_t what)
{
	switch (what % 6) {
	case 0:
		CHECK(cursor_u8(c) == fuzz_fixed(t, 1));
		break;
	case 1:
		CHECK(cursor_u32(c) == fuzz_fixed(t, 4));
		break;
	case 2:
		CHECK(cursor_u64(c) == fuzz_fixed(t, 8));
		break;
	case 3:
		CHECK(cursor_varint(c) == fuzz_varint(t, UINT64_MAX));
		break;
	case 4:
		CHECK(cursor_varint32(c) == fuzz_varint(t, UINT32_MAX));
		break;
	default:
		fuzz_bytes(c, t, what == 255 ? SIZE_MAX : what / 6);
	}
	CHECK(c->bad == t->bad);
	CHECK(c->bad || cursor_left(c) == t->n - t->at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t reads = size > 0 ? data[0] : 0;
	struct fuzz_twin t;
	struct cursor c;

	if (size == 0 || reads > size - 1)
		return 0;
	t = (struct fuzz_twin){ .bytes = data + 1 + reads, .n = size - 1 - reads };
	c = cursor_of(slice_of(t.bytes, t.n));
	for (size_t i = 0; i < reads; i++)
		fuzz_read(&c, &t, data[1 + i]);
	return 0;
}
