/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index.c - separators side by side, so that a search compares words and not strings.
 *
 * Bytes     index := prefix_len:varint prefix | item[count]              count stands in the stored form (compress.h)
 *           item  := tail_len:varint tail | version:varint | gap:varint | length:varint | digest[32]
 *           prefix = what all separators here begin with; a separator is prefix | tail. offset of a block = end of the one before
 *           (0 for the first) + gap: blocks can't overlap, and neighbours cost one byte.
 * In memory a word an item: the first 8 bytes of its tail as a big-endian number, shorter ones filled with zeros. If word(a) <
 *           word(b) then a < b; equal words (a tail that goes on, or ends in zeros) are settled by comparing tails.
 * Example   blocks at 0 (100 bytes, digest 11..) up to "ab", and at 100 (90 bytes, digest 22..) up to "ac"@9:
 *           01 61                                      prefix "a"
 *           01 62 00 00 64 11*32                       tail "b", version 0, gap 0, length 100
 *           01 63 09 00 5a 22*32                       tail "c", version 9, gap 0, length 90
 * Source    two levels and separators: LevelDB, RocksDB's partitioned index. Words: own.
 */
#include "table/index.h"
#include "base/cursor.h"
#include "base/mem.h"
#include "core/key.h"

/* ---- writing --------------------------------------------------------------------------------------------------------- */

enum { INDEX_ITEM_HEAD_MAX = VARINT32_MAX + 2 * VARINT64_MAX + VARINT32_MAX };

void index_writer_fini(struct index_writer *w)
{
	buf_fini(&w->keys);
	mem_free(w->items);
	*w = (struct index_writer){ 0 };
}

void index_writer_reset(struct index_writer *w)
{
	w->keys.len = 0;
	w->count = 0;
}

static int index_writer_grow(struct index_writer *w)
{
	uint32_t room = w->room ? w->room * 2 : 64;
	struct index_item *more = mem_resize(w->items, room, sizeof(*more));

	if (!more)
		return SILT_E_NOMEM;
	w->items = more;
	w->room = room;
	return 0;
}

int index_writer_add(struct index_writer *w, struct silt_slice key, uint64_t version, const struct table_addr *addr)
{
	int rc = w->count == w->room ? index_writer_grow(w) : 0;

	if (rc == 0)
		rc = buf_append(&w->keys, key.data, key.len);
	if (rc < 0)
		return rc;
	w->items[w->count++] = (struct index_item){ w->keys.len - key.len, key.len, version, *addr };
	return 0;
}

size_t index_writer_bytes(const struct index_writer *w)
{
	return w->keys.len + (size_t)w->count * (DIGEST_BYTES + 6);
}

static struct silt_slice index_writer_key(const struct index_writer *w, uint32_t i)
{
	return slice_of((const uint8_t *)w->keys.data + w->items[i].key_at, w->items[i].key_len);
}

static size_t index_shared(struct silt_slice a, struct silt_slice b)
{
	const uint8_t *p = a.data, *q = b.data;
	size_t n = a.len < b.len ? a.len : b.len;
	size_t i = 0;

	while (i < n && p[i] == q[i])
		i++;
	return i;
}

/* `end` is where the block before ended. */
static uint64_t index_writer_put(struct silt_buf *raw, struct silt_slice tail, const struct index_item *item, uint64_t end)
{
	uint8_t head[INDEX_ITEM_HEAD_MAX];
	uint8_t *p = codec_put_varint(head, tail.len);

	buf_push(raw, head, (size_t)(p - head));
	buf_push(raw, tail.data, tail.len);
	p = codec_put_varint(head, item->version);
	p = codec_put_varint(p, item->addr.offset - end);
	p = codec_put_varint(p, item->addr.length);
	buf_push(raw, head, (size_t)(p - head));
	buf_push(raw, item->addr.digest, DIGEST_BYTES);
	return item->addr.offset + item->addr.length;
}

int index_writer_finish(const struct index_writer *w, struct silt_buf *raw)
{
	struct silt_slice first = index_writer_key(w, 0);
	size_t prefix = index_shared(first, index_writer_key(w, w->count - 1));
	uint8_t head[VARINT64_MAX];
	uint64_t end = 0;
	int rc;

	raw->len = 0;
	rc = buf_reserve(raw, sizeof(head) + w->keys.len + (size_t)w->count * (INDEX_ITEM_HEAD_MAX + DIGEST_BYTES));
	if (rc < 0)
		return rc;
	buf_push(raw, head, (size_t)(codec_put_varint(head, prefix) - head));
	buf_push(raw, first.data, prefix);
	for (uint32_t i = 0; i < w->count; i++) {
		struct silt_slice key = index_writer_key(w, i);
		struct silt_slice tail = slice_of((const uint8_t *)key.data + prefix, key.len - prefix);

		end = index_writer_put(raw, tail, &w->items[i], end);
	}
	return 0;
}

/* out holds `last`: cut behind its first byte from `from` on that can be raised by one, and raised; or left whole. */
static size_t index_round_up(struct silt_slice last, size_t from, uint8_t *out)
{
	for (size_t i = from; i + 1 < last.len; i++) {
		if (out[i] < 0xff) {
			out[i]++;
			return i + 1;
		}
	}
	return last.len;
}

size_t index_separator(struct silt_slice last, struct silt_slice next, uint8_t *out)
{
	const uint8_t *a = last.data, *b = next.data;
	size_t same = index_shared(last, next);

	memcpy(out, a, last.len);
	if (same == last.len || same + 1 == last.len)
		return last.len;                 /* "ab" | "abc", "ab" | "ax": nothing shorter lies between */
	if (a[same] + 1 < b[same]) {
		out[same]++;                     /* "abcd" | "ax": "ac" */
		return same + 1;
	}
	if (next.len > same + 1) {
		out[same]++;                     /* "abcd" | "acx": "ac" */
		return same + 1;
	}
	return index_round_up(last, same + 1, out);   /* "abcde" | "ac": "abd" */
}

/* ---- reading --------------------------------------------------------------------------------------------------------- */

/*
 * block::decoded: four arrays side by side, each beginning a line, so that a group's words are a line and what they lead to is another,
 * and both can be asked for at once.
 *     reader | words[items] | children.at[items + 1] | children.offsets[items + 1] | positions[items]
 */
enum { INDEX_GROUP = 8 };

struct index_reader {
	struct block_children children;   /* the blocks; in a top index one more may follow: index_add_child() */
	struct silt_slice prefix;
	uint64_t samples[];               /* [items / INDEX_GROUP]: the last word of each whole group */
};

static size_t index_lines(size_t n, size_t size)
{
	return (n * size + BLOCK_LINE - 1) & ~(size_t)(BLOCK_LINE - 1);
}

static size_t index_words_at(uint32_t items)
{
	return index_lines(sizeof(struct index_reader) + items / INDEX_GROUP * sizeof(uint64_t), 1);
}

size_t index_room(uint32_t items)
{
	return index_words_at(items) + index_lines(items, sizeof(uint64_t)) + index_lines((size_t)items + 1, sizeof(struct block *)) +
	       index_lines((size_t)items + 1, sizeof(uint64_t)) + (size_t)items * sizeof(uint32_t);
}

static inline struct index_reader *index_of(const struct block *b)
{
	return (struct index_reader *)(uintptr_t)(b + 1);
}

static inline uint64_t *index_words(const struct block *b)
{
	return (uint64_t *)((uint8_t *)index_of(b) + index_words_at(b->items));
}

/* Where each item begins in the block's bytes. */
static uint32_t *index_positions(const struct block *b)
{
	return (uint32_t *)((uint8_t *)index_of(b)->children.offsets + index_lines((size_t)b->items + 1, sizeof(uint64_t)));
}

/* The arrays of children, empty. */
static void index_load_children(struct block *b)
{
	struct block_children *c = &index_of(b)->children;

	c->count = b->items;
	c->at = (struct block **)((uint8_t *)index_words(b) + index_lines(b->items, sizeof(uint64_t)));
	c->offsets = (uint64_t *)((uint8_t *)c->at + index_lines((size_t)b->items + 1, sizeof(struct block *)));
	memset(c->at, 0, ((size_t)b->items + 1) * sizeof(*c->at));
	b->children = c;
}

void index_add_child(struct block *b, uint64_t offset)
{
	struct block_children *c = b->children;

	c->offsets[b->items] = offset;
	c->count = b->items + 1;
}

static uint64_t index_word(struct silt_slice tail)
{
	uint8_t bytes[8] = { 0 };

	if (tail.len >= 8)
		memcpy(bytes, tail.data, 8);
	else if (tail.len)
		memcpy(bytes, tail.data, tail.len);
	return __builtin_bswap64(codec_get64(bytes));
}

struct index_fields {
	struct silt_slice tail;
	uint64_t version, gap;
	uint32_t length;
	struct silt_slice digest;
};

static void index_take(struct cursor *c, struct index_fields *f)
{
	f->tail = cursor_bytes(c, cursor_varint(c));
	f->version = cursor_varint(c);
	f->gap = cursor_varint(c);
	f->length = cursor_varint32(c);
	f->digest = cursor_bytes(c, DIGEST_BYTES);
}

static bool index_fields_ok(const struct cursor *c, const struct index_fields *f, size_t prefix, uint64_t end)
{
	return !c->bad && f->length > 0 && f->version <= SILT_VERSION_MAX && prefix <= KEY_MAX && f->tail.len <= KEY_MAX &&
	       prefix + f->tail.len > 0 && prefix + f->tail.len <= KEY_MAX && f->gap <= INT64_MAX - end &&
	       f->length <= INT64_MAX - end - f->gap;
}

int index_load(struct block *b)
{
	struct index_reader *r = index_of(b);
	struct cursor c = cursor_of(b->bytes);
	uint64_t *words = index_words(b);
	struct index_fields f;
	uint64_t end = 0;
	uint32_t *at;

	if (b->items == 0 || b->bytes.len > UINT32_MAX)
		return SILT_E_CORRUPT;
	index_load_children(b);
	at = index_positions(b);
	r->prefix = cursor_bytes(&c, cursor_varint(&c));
	for (uint32_t i = 0; i < b->items; i++) {
		at[i] = (uint32_t)(c.p - (const uint8_t *)b->bytes.data);
		index_take(&c, &f);
		if (!index_fields_ok(&c, &f, r->prefix.len, end))
			return SILT_E_CORRUPT;
		words[i] = index_word(f.tail);
		r->children.offsets[i] = end + f.gap;
		if (i % INDEX_GROUP == INDEX_GROUP - 1)
			r->samples[i / INDEX_GROUP] = words[i];
		end += f.gap + f.length;
	}
	return cursor_left(&c) == 0 ? 0 : SILT_E_CORRUPT;
}

static void index_fields_at(const struct block *b, uint32_t i, struct index_fields *f)
{
	size_t at = index_positions(b)[i];
	struct cursor c = cursor_of(slice_of((const uint8_t *)b->bytes.data + at, b->bytes.len - at));

	index_take(&c, f);
}

/* How many of n ascending words are below w. A mask: of a conditional gcc makes a branch, mispredicted half the time. */
static uint32_t index_count_below(const uint64_t *words, uint32_t n, uint64_t w)
{
	const uint64_t *at = words;

	if (n == 0)
		return 0;
	while (n > 1) {
		uint32_t half = n / 2;

		at += half & (0 - (size_t)(at[half - 1] < w));
		n -= half;
	}
	return (uint32_t)(at - words) + (*at < w);
}

/*
 * The first separator whose word is >= w, or b->items. The samples fill few lines, of which block_expect() asks for the first together with
 * the block's header; they lead to one group: two or three waits where a binary search over all words has one a step.
 */
static uint32_t index_lower(const struct block *b, uint64_t w)
{
	const uint64_t *words = index_words(b);
	uint32_t i = index_count_below(index_of(b)->samples, b->items / INDEX_GROUP, w) * INDEX_GROUP;
	uint32_t end = b->items - i < INDEX_GROUP ? b->items : i + INDEX_GROUP;
	uint32_t lower = i;

	__builtin_prefetch(&index_of(b)->children.at[i]);
	for (; i < end; i++)
		lower += words[i] < w;
	return lower;
}

/* Among lo..hi-1, whose words are that of tail: the first whose separator is not before (tail, version), or hi. */
static uint32_t index_settle(const struct block *b, uint32_t lo, uint32_t hi, struct silt_slice tail, uint64_t version)
{
	struct index_fields f;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		index_fields_at(b, mid, &f);
		if (key_cmp(f.tail, f.version, tail, version) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

uint32_t index_find(const struct block *b, struct silt_slice key, uint64_t version)
{
	const struct index_reader *r = index_of(b);
	size_t n = r->prefix.len < key.len ? r->prefix.len : key.len;
	int d = n ? memcmp(key.data, r->prefix.data, n) : 0;
	struct silt_slice tail;
	uint32_t lo, hi;
	uint64_t w;

	if (d != 0)
		return d < 0 ? 0 : b->items;
	if (key.len < r->prefix.len)
		return 0;
	tail = slice_of((const uint8_t *)key.data + n, key.len - n);
	w = index_word(tail);
	lo = index_lower(b, w);
	if (lo == b->items || index_words(b)[lo] != w)
		return lo;
	hi = w == UINT64_MAX ? b->items : index_lower(b, w + 1);
	return index_settle(b, lo, hi, tail, version);
}

uint64_t index_offset(const struct block *b, uint32_t i)
{
	return index_of(b)->children.offsets[i];
}

void index_addr(const struct block *b, uint32_t i, struct table_addr *out)
{
	struct index_fields f;

	index_fields_at(b, i, &f);
	out->offset = index_offset(b, i);
	out->length = f.length;
	memcpy(out->digest, f.digest.data, DIGEST_BYTES);
}

size_t index_key(const struct block *b, uint32_t i, uint8_t *out, size_t room, uint64_t *version)
{
	struct silt_slice prefix = index_of(b)->prefix;
	size_t n = prefix.len < room ? prefix.len : room;
	struct index_fields f;

	index_fields_at(b, i, &f);
	if (n)
		memcpy(out, prefix.data, n);
	if (room > n && f.tail.len)
		memcpy(out + n, f.tail.data, f.tail.len < room - n ? f.tail.len : room - n);
	*version = f.version;
	return prefix.len + f.tail.len;
}
