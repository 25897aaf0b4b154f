/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block_reader.c - the other side of block_writer.c, where the bytes are drawn.
 *
 * Rules     (1) block_reader_load() walks the whole block through a cursor and refuses what breaks a bound; nothing else here
 *           checks, and nothing else runs on a block that was not loaded.  (2) loading notes where each entry begins and copies
 *           the tags to it, all behind struct block: a lookup touches those few neighbouring lines, an entry and its restart.
 *           (3) order is not checked here (the digest vouches for it, and table_verify looks): a block out of order gives a
 *           wrong place, never a wrong read.
 */
#include "table/block_reader.h"
#include "base/cursor.h"

enum {
	BLOCK_READER_TAGS_MAX = 512,      /* entries; in larger blocks a binary search beats the scan of the tags */
	BLOCK_READER_FORETELL = 32,       /* lines at once: more wait for each other, and what is in order the processor foresees itself */
	BLOCK_READER_BACK = 64,           /* backwards from value to value it foresees nothing */
	BLOCK_READER_RESTARTS = 8,        /* heads asked for before a search; a block of the default size has fewer */
};

struct block_reader {                     /* block::decoded */
	uint64_t base;
	uint8_t tags[];                   /* rounded up to 8 with zeros; offset:u16[items] of the entries follows */
};

struct block_reader_head {                /* an entry's fields; `tail` is followed by metadata and value */
	const uint8_t *tail;
	uint64_t version, expires_ms;
	uint32_t shared, tail_len, value_len;
	uint8_t flags, meta_len;
};

static size_t block_reader_tag_room(uint32_t items)
{
	return ((size_t)items + 7) & ~(size_t)7;
}

size_t block_reader_room(uint32_t items)
{
	return sizeof(struct block_reader) + block_reader_tag_room(items) + (size_t)items * sizeof(uint16_t);
}

/* block::decoded, without asking the block where it is: one dependent load less on the way of a get. */
static inline struct block_reader *block_reader_of(const struct block *b)
{
	return (struct block_reader *)(uintptr_t)(b + 1);
}

static inline uint16_t *block_reader_offsets(const struct block *b)
{
	return (uint16_t *)(block_reader_of(b)->tags + block_reader_tag_room(b->items));
}

static uint64_t block_reader_unzigzag(uint64_t z, uint64_t base)
{
	return base + ((z >> 1) ^ (0 - (z & 1)));
}

/* ---- loading: everything is hostile ------------------------------------------------------------------------------------- */

static bool block_reader_flags_ok(uint8_t flags)
{
	unsigned kind = flags & BLOCK_ENTRY_KIND;

	if (flags & ~(BLOCK_ENTRY_KIND | BLOCK_ENTRY_EXPIRES | BLOCK_ENTRY_META))
		return false;
	return kind == ENTRY_PUT || flags == ENTRY_DELETE;
}

/* The next entry's fields; c is behind its value then. False where a bound or a rule of block_writer.c is broken. */
static bool block_reader_take(struct cursor *c, uint64_t base, struct block_reader_head *h)
{
	h->flags = cursor_u8(c);
	h->shared = cursor_varint32(c);
	h->tail_len = cursor_varint32(c);
	h->version = block_reader_unzigzag(cursor_varint(c), base);
	h->value_len = (h->flags & BLOCK_ENTRY_KIND) == ENTRY_PUT ? cursor_varint32(c) : 0;
	h->expires_ms = h->flags & BLOCK_ENTRY_EXPIRES ? cursor_varint(c) : 0;
	h->meta_len = h->flags & BLOCK_ENTRY_META ? cursor_u8(c) : 0;
	h->tail = cursor_bytes(c, h->tail_len).data;
	(void)cursor_bytes(c, h->meta_len);
	(void)cursor_bytes(c, h->value_len);
	return !c->bad && block_reader_flags_ok(h->flags) && h->version <= SILT_VERSION_MAX &&
	       !h->expires_ms == !(h->flags & BLOCK_ENTRY_EXPIRES) && !h->meta_len == !(h->flags & BLOCK_ENTRY_META);
}

/* Key lengths, and that an entry shares no more than its restart has. */
static bool block_reader_key_ok(const struct block_reader_head *h, uint32_t i, uint32_t *restart_len)
{
	if (h->shared > KEY_MAX || h->tail_len > KEY_MAX)
		return false;
	if (i % BLOCK_RESTART == 0) {
		*restart_len = h->tail_len;
		return h->shared == 0 && h->tail_len > 0;
	}
	return h->shared <= *restart_len && h->shared + h->tail_len > 0 && h->shared + h->tail_len <= KEY_MAX;
}

/* Only a block of one entry may be larger than an offset can say (block_writer's caller sees to it). */
static int block_reader_load_entries(struct block *b, struct cursor *c)
{
	const uint8_t *raw = b->bytes.data;
	uint64_t base = block_reader_of(b)->base;
	uint16_t *offset = block_reader_offsets(b);
	struct block_reader_head h;
	uint32_t restart_len = 0;

	for (uint32_t i = 0; i < b->items; i++) {
		size_t at = (size_t)(c->p - raw);

		if (at > UINT16_MAX || !block_reader_take(c, base, &h) || !block_reader_key_ok(&h, i, &restart_len))
			return SILT_E_CORRUPT;
		offset[i] = (uint16_t)at;
	}
	return 0;
}

int block_reader_load(struct block *b)
{
	struct block_reader *r = block_reader_of(b);
	struct cursor c = cursor_of(b->bytes);
	struct silt_slice tags;

	if (b->items == 0)
		return SILT_E_CORRUPT;
	r->base = cursor_u64(&c);
	if (block_reader_load_entries(b, &c) < 0)
		return SILT_E_CORRUPT;
	tags = cursor_bytes(&c, b->items);
	if (c.bad || cursor_left(&c) > 0)
		return SILT_E_CORRUPT;
	memset(r->tags, 0, block_reader_tag_room(b->items));
	memcpy(r->tags, tags.data, tags.len);
	return 0;
}

/* ---- reading: everything was checked ------------------------------------------------------------------------------------ */

/* Deltas of versions take up to three bytes mostly: those without a loop. */
static inline const uint8_t *block_reader_varint(const uint8_t *p, uint64_t *out)
{
	uint64_t v = p[0], byte;
	unsigned shift = 21;

	*out = v;
	if (__builtin_expect(v < 0x80, true))
		return p + 1;
	v = (v & 0x7f) | (uint64_t)p[1] << 7;
	*out = v;
	if (p[1] < 0x80)
		return p + 2;
	v = (v & 0x3fff) | (uint64_t)p[2] << 14;
	*out = v;
	if (p[2] < 0x80)
		return p + 3;
	v &= 0x1fffff;
	p += 3;
	do {
		byte = *p++;
		v |= (byte & 0x7f) << shift;
		shift += 7;
	} while (byte >= 0x80);
	*out = v;
	return p;
}

static inline const uint8_t *block_reader_varint32(const uint8_t *p, uint32_t *out)
{
	uint64_t v;

	p = block_reader_varint(p, &v);
	*out = (uint32_t)v;
	return p;
}

/* As block_reader_take(), of a block that was loaded (rule 1). */
__attribute__((always_inline)) static inline void block_reader_head_at(const struct block *b, uint32_t i, struct block_reader_head *h)
{
	const uint8_t *p = (const uint8_t *)b->bytes.data + block_reader_offsets(b)[i];
	uint64_t delta;

	h->flags = *p++;
	p = block_reader_varint32(p, &h->shared);
	p = block_reader_varint32(p, &h->tail_len);
	p = block_reader_varint(p, &delta);
	h->version = block_reader_unzigzag(delta, block_reader_of(b)->base);
	h->value_len = 0;
	h->expires_ms = 0;
	h->meta_len = 0;
	if (h->flags != ENTRY_DELETE)
		p = block_reader_varint32(p, &h->value_len);
	if (h->flags & BLOCK_ENTRY_EXPIRES)
		p = block_reader_varint(p, &h->expires_ms);
	if (h->flags & BLOCK_ENTRY_META)
		h->meta_len = *p++;
	h->tail = p;
}

static inline void block_reader_foretell_head(const struct block *b, uint32_t i)
{
	__builtin_prefetch((const uint8_t *)b->bytes.data + block_reader_offsets(b)[i]);
}

/* The whole key of the restart that entry i shares bytes with. */
static inline struct silt_slice block_reader_restart(const struct block *b, uint32_t i)
{
	struct block_reader_head h;

	block_reader_head_at(b, i & ~(uint32_t)(BLOCK_RESTART - 1), &h);
	return slice_of(h.tail, h.tail_len);
}

static inline void block_reader_fill(const struct block_reader_head *h, struct silt_slice key, struct entry *out)
{
	const uint8_t *meta = h->tail + h->tail_len;

	out->key = key;
	out->version = h->version;
	out->kind = h->flags & BLOCK_ENTRY_KIND;
	out->expires_ms = h->expires_ms;
	out->meta = slice_of(meta, h->meta_len);
	out->value = slice_of(meta + h->meta_len, h->value_len);
}

void block_reader_entry(const struct block *b, uint32_t i, uint8_t *key_room, struct entry *out)
{
	struct block_reader_head h;

	block_reader_head_at(b, i, &h);
	if (h.shared == 0) {
		block_reader_fill(&h, slice_of(h.tail, h.tail_len), out);
		return;
	}
	memcpy(key_room, block_reader_restart(b, i).data, h.shared);
	memcpy(key_room + h.shared, h.tail, h.tail_len);
	block_reader_fill(&h, slice_of(key_room, h.shared + h.tail_len), out);
}

/* Copies n bytes, and where `end` says that there are as many, BLOCK_RUN_SPARE: most keys are short, and a call costs more than that. */
static inline void block_reader_copy(uint8_t *to, const uint8_t *from, size_t n, const uint8_t *end)
{
	if (__builtin_expect(n <= BLOCK_RUN_SPARE && end - from >= BLOCK_RUN_SPARE, true))
		memcpy(to, from, BLOCK_RUN_SPARE);
	else
		memcpy(to, from, n);
}

uint32_t block_reader_run(const struct block *b, uint32_t from, uint32_t to, struct block_run *run)
{
	const uint8_t *end = (const uint8_t *)b->bytes.data + b->bytes.len, *restart = block_reader_restart(b, from).data;
	uint8_t *room = run->keys;
	struct block_reader_head h;
	uint32_t step = from <= to ? 1 : UINT32_MAX, last = from;

	for (uint32_t i = from;; i += step) {
		const uint8_t *key;

		block_reader_head_at(b, i, &h);
		key = h.tail;
		if (h.shared > 0) {
			if (h.shared + h.tail_len > (size_t)(run->keys + KEY_MAX - room))
				break;
			key = room;
			block_reader_copy(room, restart, h.shared, end);
			block_reader_copy(room + h.shared, h.tail, h.tail_len, end);
			room += h.shared + h.tail_len;
		}
		block_reader_fill(&h, slice_of(key, h.shared + h.tail_len), &run->at[i % BLOCK_RESTART]);
		last = i;
		if (i == to)
			break;
	}
	return last;
}

uint8_t block_reader_tag(const struct block *b, uint32_t i)
{
	return block_reader_of(b)->tags[i];
}

/* key_cmp of entry i with (key, version). */
static int block_reader_cmp(const struct block *b, uint32_t i, struct silt_slice key, uint64_t version)
{
	struct block_reader_head h;
	size_t n;
	int d;

	block_reader_head_at(b, i, &h);
	n = h.shared < key.len ? h.shared : key.len;
	d = n ? memcmp(block_reader_restart(b, i).data, key.data, n) : 0;
	if (d == 0)
		d = n < h.shared ? 1 : key_cmp(slice_of(h.tail, h.tail_len), h.version,
		                               slice_of((const uint8_t *)key.data + n, key.len - n), version);
	return d;
}

/* Among lo..hi-1: the first entry at or after (key, version), or hi. */
static uint32_t block_reader_search(const struct block *b, uint32_t lo, uint32_t hi, struct silt_slice key, uint64_t version)
{
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (block_reader_cmp(b, mid, key, version) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* How many restarts are before (key, version); the first counts as one. */
static uint32_t block_reader_search_restarts(const struct block *b, struct silt_slice key, uint64_t version)
{
	uint32_t lo = 1, hi = (b->items + BLOCK_RESTART - 1) / BLOCK_RESTART;

	for (uint32_t i = lo; i < hi && hi <= BLOCK_READER_RESTARTS; i++)
		block_reader_foretell_head(b, i * BLOCK_RESTART);
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (block_reader_cmp(b, mid * BLOCK_RESTART, key, version) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/*
 * First the restarts, then the interval behind the last one that is before the target. Both times all heads that may be looked at are
 * asked for at once: a cold block costs the search two waits, where halving all entries would wait at every step.
 */
uint32_t block_reader_seek(const struct block *b, struct silt_slice key, uint64_t version)
{
	uint32_t n = block_reader_search_restarts(b, key, version);
	uint32_t lo = (n - 1) * BLOCK_RESTART, hi = n * BLOCK_RESTART < b->items ? n * BLOCK_RESTART : b->items;

	for (uint32_t i = lo; i < hi; i++)
		block_reader_foretell_head(b, i);
	return block_reader_search(b, lo, hi, key, version);
}

void block_reader_foretell(const struct block *b, uint32_t from, uint32_t to)
{
	const uint16_t *offset = block_reader_offsets(b);
	const uint8_t *bytes = b->bytes.data;
	size_t lo, hi, lines;

	if (from <= to) {
		lines = (size_t)(offset[to] - offset[from]) / BLOCK_LINE + 1;
		for (size_t i = 0; i < lines && i < BLOCK_READER_FORETELL; i++)
			__builtin_prefetch(bytes + offset[from] + i * BLOCK_LINE);
		return;
	}
	lo = offset[to];
	hi = from + 1 < b->items ? offset[from + 1] : b->bytes.len;
	lines = (hi - lo) / BLOCK_LINE;
	for (size_t i = 0; i <= lines && i < BLOCK_READER_BACK; i++)
		__builtin_prefetch(bytes + lo + (lines - i) * BLOCK_LINE);
}

/* Is entry i a version of key that a reader at max_version sees? Then *h is filled. Its own bytes first: they are at hand. */
static inline bool block_reader_match(const struct block *b, uint32_t i, struct silt_slice key, uint64_t max_version,
                                      struct block_reader_head *h)
{
	const uint8_t *k = key.data;

	block_reader_head_at(b, i, h);
	return h->shared + h->tail_len == key.len && h->version <= max_version &&
	       memcmp(h->tail, k + h->shared, h->tail_len) == 0 &&
	       (h->shared == 0 || memcmp(block_reader_restart(b, i).data, k, h->shared) == 0);
}

static int block_reader_get_by_order(const struct block *b, struct silt_slice key, uint64_t max_version, struct entry *out)
{
	struct block_reader_head h;
	uint32_t i = block_reader_seek(b, key, max_version);

	if (i == b->items || !block_reader_match(b, i, key, max_version, &h))
		return SILT_NOTFOUND;
	block_reader_fill(&h, key, out);
	return 0;
}

/*
 * High bits of the bytes of x that are zero. A byte above a zero byte may be marked too (the borrow runs on): the caller looks at
 * the entry anyway. None is missed.
 */
static inline uint64_t block_reader_zero_bytes(uint64_t x)
{
	return (x - UINT64_C(0x0101010101010101)) & ~x & UINT64_C(0x8080808080808080);
}

int block_reader_get(const struct block *b, struct silt_slice key, uint64_t hash, uint64_t max_version, struct entry *out)
{
	const struct block_reader *r = block_reader_of(b);
	uint64_t wanted = (hash & 0xff) * UINT64_C(0x0101010101010101);
	struct block_reader_head h;

	if (b->items > BLOCK_READER_TAGS_MAX)
		return block_reader_get_by_order(b, key, max_version, out);
	for (uint32_t at = 0; at < b->items; at += 8) {
		uint64_t hits = block_reader_zero_bytes(codec_get64(r->tags + at) ^ wanted);

		for (; hits; hits &= hits - 1) {
			uint32_t i = at + (uint32_t)__builtin_ctzll(hits) / 8;

			if (i < b->items && block_reader_match(b, i, key, max_version, &h)) {
				block_reader_fill(&h, key, out);
				return 0;
			}
		}
	}
	return SILT_NOTFOUND;
}
