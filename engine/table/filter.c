/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter.c - which keys a table certainly does not have.
 *
 * Bytes     filter := line[n] | probes:u8          line = 64 bytes; n >= 1; probes 1..24
 *           line of a key = (high half of its hash * n) >> 32.
 *           bit of probe i = the top 9 bits of (low half * 0x9e3779b9^i mod 2^32); bit b is bit b % 8 of byte b / 8.
 * Size      n = keys * bits / 512, rounded up; probes = 0.6 bits: fewer than the 0.69 of a plain bloom filter, because lines fill
 *           unevenly and the full ones answer for most false positives. 10 bits: 6 probes, about 1 %.
 * Example   one key of hash 0x80000000_00000001, 10 bits: n = 1, 6 probes; the products are 00000001 9e3779b9 e35e67b1 734297e9
 *           35fbe861 deb7c719; their bits 0 316 454 230 107 445. (A test has the bytes.)
 * Source    Putze, Sanders, Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", 2007; the stepping by one
 *           multiplication is that of RocksDB's FastLocalBloom.
 */
#include "table/filter.h"
#include "base/mem.h"

#define FILTER_STEP UINT32_C(0x9e3779b9)
enum { FILTER_PROBES_MAX = 24 };

void filter_writer_fini(struct filter_writer *w)
{
	mem_free(w->hashes);
	*w = (struct filter_writer){ 0 };
}

int filter_writer_add(struct filter_writer *w, uint64_t hash)
{
	if (w->count == w->room) {
		size_t room = w->room ? w->room * 2 : 1024;
		uint64_t *more = mem_resize(w->hashes, room, sizeof(*more));

		if (!more)
			return SILT_E_NOMEM;
		w->hashes = more;
		w->room = room;
	}
	w->hashes[w->count++] = hash;
	return 0;
}

static size_t filter_line(uint64_t hash, size_t lines)
{
	return (size_t)(((hash >> 32) * lines) >> 32);
}

static void filter_set(uint8_t *line, uint64_t hash, unsigned probes)
{
	uint32_t x = (uint32_t)hash;

	for (unsigned i = 0; i < probes; i++, x *= FILTER_STEP)
		line[x >> 26] |= (uint8_t)(1u << (x >> 23 & 7));
}

static unsigned filter_probes(uint32_t bits_per_key)
{
	unsigned n = (bits_per_key * 3 + 2) / 5;

	return n < 1 ? 1 : n > FILTER_PROBES_MAX ? FILTER_PROBES_MAX : n;
}

int filter_writer_finish(const struct filter_writer *w, uint32_t bits_per_key, struct silt_buf *out)
{
	unsigned probes = filter_probes(bits_per_key);
	size_t lines = (w->count * bits_per_key + 511) / 512;
	uint8_t *bytes;
	int rc;

	out->len = 0;
	rc = buf_reserve(out, lines * FILTER_LINE + 1);
	if (rc < 0)
		return rc;
	bytes = out->data;
	memset(bytes, 0, lines * FILTER_LINE);
	for (size_t i = 0; i < w->count; i++)
		filter_set(bytes + filter_line(w->hashes[i], lines) * FILTER_LINE, w->hashes[i], probes);
	bytes[lines * FILTER_LINE] = (uint8_t)probes;
	out->len = lines * FILTER_LINE + 1;
	return 0;
}

int filter_check(struct silt_slice filter)
{
	const uint8_t *bytes = filter.data;

	if (filter.len <= FILTER_LINE || filter.len % FILTER_LINE != 1)
		return SILT_E_CORRUPT;
	if (bytes[filter.len - 1] < 1 || bytes[filter.len - 1] > FILTER_PROBES_MAX)
		return SILT_E_CORRUPT;
	return 0;
}

void filter_foretell(struct silt_slice filter, uint64_t hash)
{
	__builtin_prefetch((const uint8_t *)filter.data + filter_line(hash, filter.len / FILTER_LINE) * FILTER_LINE);
}

bool filter_may_hold(struct silt_slice filter, uint64_t hash)
{
	const uint8_t *bytes = filter.data;
	const uint8_t *line = bytes + filter_line(hash, filter.len / FILTER_LINE) * FILTER_LINE;
	uint32_t x = (uint32_t)hash;

	for (unsigned left = bytes[filter.len - 1]; left > 0; left--, x *= FILTER_STEP)
		if (!(line[x >> 26] >> (x >> 23 & 7) & 1))
			return false;
	return true;
}
