/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_table.c - whole tables. The first byte chooses.
 *
 * 'd' damage: a script makes a table and changes bytes of it:
 *           [n flips] [settings] n * [offset:u16le, mask] then entries, 3 bytes each: [key, version and kind, length of the value]
 *           Whatever is read then is right, or an error that says so; what a salvage gives is right, and what it does not give
 *           lies in what it calls lost. Untouched, all of it is there; touched, table_verify() says so.
 *
 * Anything else: the rest is a table's file, and its SHA-256 tree is made right from the leaves up, for else no mutation would ever be
 *           looked at: a table whose writer lied. It is read in every way and printed; where table_verify() finds nothing, a scan
 *           gives each entry in order, as many as there should be, and a get finds each.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "base/hash.h"
#include "base/mem.h"
#include "core/key.h"
#include "db/dump_table.h"
#include "fuzz/memory_file.h"
#include "lib/metaload.h"
#include "table/compress.h"
#include "table/footer.h"
#include "table/table_reader.h"
#include "table/table_salvage.h"
#include "table/table_writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_NUMBER = 7, FUZZ_CACHE_BYTES = 1 << 20, FUZZ_ENTRIES_MAX = 512, FUZZ_FILE_MAX = 64 << 10 };

/* ---- what a script makes ---- */

struct fuzz_twin {
	struct entry entries[FUZZ_ENTRIES_MAX];
	uint8_t keys[FUZZ_ENTRIES_MAX][8];
	size_t n;
};

static const uint8_t fuzz_value[512] = "a value, and zeros behind it";

/* Keys share beginnings, and some are the beginning of others. */
static size_t fuzz_make_key(uint8_t from, uint8_t out[8])
{
	size_t n = 1 + from % 3;

	out[0] = 'a' + (from >> 6);
	out[1] = from >> 3 & 7;
	out[2] = from;
	return n;
}

static int fuzz_order(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return key_cmp(x->key, x->version, y->key, y->version);
}

static void fuzz_make_entries(struct fuzz_twin *t, struct silt_slice script)
{
	const uint8_t *p = script.data;
	size_t kept = 0;

	for (size_t i = 0; i + 3 <= script.len && t->n < FUZZ_ENTRIES_MAX; i += 3) {
		struct entry *e = &t->entries[t->n];

		*e = (struct entry){ .version = 1 + p[i + 1] / 4, .kind = p[i + 1] % 4 ? ENTRY_PUT : ENTRY_DELETE };
		e->key = slice_of(t->keys[t->n], fuzz_make_key(p[i], t->keys[t->n]));
		if (e->kind == ENTRY_PUT)
			e->value = slice_of(fuzz_value, 2u * p[i + 2]);
		t->n++;
	}
	qsort(t->entries, t->n, sizeof(t->entries[0]), fuzz_order);
	for (size_t i = 0; i < t->n; i++)
		if (kept == 0 || fuzz_order(&t->entries[kept - 1], &t->entries[i]) != 0)
			t->entries[kept++] = t->entries[i];
	t->n = kept;
}

static struct table_meta *fuzz_write(struct env *env, const struct fuzz_twin *t, uint8_t settings)
{
	static const enum silt_compression how[] = { SILT_COMPRESS_NONE, SILT_COMPRESS_LZ4, SILT_COMPRESS_ZSTD };
	const struct table_settings s = { .block_size = settings & 1 ? 256 : 4096, .filter_bits_per_key = settings & 2 ? 10 : 0,
		                          .compression = how[settings / 4 % 3] };
	struct table_meta *meta;
	struct table_writer *w;

	CHECK(table_writer_open(env, FUZZ_NUMBER, &s, &w) == 0);
	for (size_t i = 0; i < t->n; i++)
		CHECK(table_writer_add(w, &t->entries[i]) == 0);
	CHECK(table_writer_finish(w, &meta) == 0);
	return meta;
}

static bool fuzz_same(const struct entry *a, const struct entry *b)
{
	return slice_eq(a->key, b->key) && a->version == b->version && a->kind == b->kind && slice_eq(a->value, b->value);
}

static bool fuzz_is_damage(int rc)
{
	return rc == SILT_E_CORRUPT || rc == SILT_E_VERSION;
}

/* ---- every way to read ---- */

/* The twin's newest version of a key at or below another. */
static const struct entry *fuzz_expect(const struct fuzz_twin *t, struct silt_slice key, uint64_t version)
{
	for (size_t i = 0; i < t->n; i++)
		if (slice_eq(t->entries[i].key, key) && t->entries[i].version <= version)
			return &t->entries[i];
	return NULL;
}

static void fuzz_get(struct table *table, const struct fuzz_twin *t, struct silt_slice key, uint64_t version, bool intact)
{
	const struct entry *want = fuzz_expect(t, key, version);
	struct table_hit hit;
	int rc = table_get(table, key, hash_key(key), version, 0, NULL, &hit);

	if (rc == 0)
		CHECK(want && fuzz_same(&hit.entry, want));
	else if (rc == SILT_NOTFOUND)
		CHECK(!want);
	else
		CHECK(fuzz_is_damage(rc) && !intact);
	if (rc == 0)
		table_hit_release(&hit);
}

static void fuzz_scan(struct table *table, const struct fuzz_twin *t, bool forward, bool intact)
{
	struct iter *it;
	size_t seen = 0;
	int rc = table_iter_new(table, TABLE_NO_FILL, &it);

	if (rc < 0) {
		CHECK(!intact);
		return;
	}
	for (rc = forward ? it->ops->first(it) : it->ops->last(it); rc == 0; rc = forward ? iter_next(it) : iter_prev(it), seen++) {
		CHECK(seen < t->n);
		CHECK(fuzz_same(it->cur, &t->entries[forward ? seen : t->n - 1 - seen]));
	}
	CHECK(rc == SILT_END ? seen == t->n : fuzz_is_damage(rc) && !intact);
	iter_close(it);
}

enum { FUZZ_LOST_MAX = 64, FUZZ_KEY_MAX = 8 };

struct fuzz_lost {
	uint8_t from[FUZZ_KEY_MAX], to[FUZZ_KEY_MAX];
	size_t from_len, to_len;
};
struct fuzz_salvage {
	const struct fuzz_twin *t;
	size_t next;                      /* of the twin's entries: given ones come in order */
	bool given[FUZZ_ENTRIES_MAX];
	struct fuzz_lost lost[FUZZ_LOST_MAX];
	size_t n_lost;
};

static int fuzz_salvaged(void *ctx, const struct entry *e)
{
	struct fuzz_salvage *s = ctx;

	while (s->next < s->t->n && !fuzz_same(e, &s->t->entries[s->next]))
		s->next++;
	CHECK(s->next < s->t->n);
	s->given[s->next++] = true;
	return 0;
}

static int fuzz_salvaged_range(void *ctx, const struct tombstone *t)
{
	(void)ctx;
	(void)t;
	__builtin_trap();                          /* there were none */
}

static int fuzz_salvage_lost(void *ctx, struct silt_slice from, struct silt_slice to)
{
	struct fuzz_salvage *s = ctx;
	struct fuzz_lost *l = &s->lost[s->n_lost++];

	CHECK(s->n_lost <= FUZZ_LOST_MAX && from.len <= FUZZ_KEY_MAX && to.len <= FUZZ_KEY_MAX);
	memcpy(l->from, from.data, l->from_len = from.len);
	memcpy(l->to, to.data, l->to_len = to.len);
	return 0;
}

static bool fuzz_is_lost(const struct fuzz_salvage *s, struct silt_slice key)
{
	for (size_t i = 0; i < s->n_lost; i++)
		if (slice_cmp(slice_of(s->lost[i].from, s->lost[i].from_len), key) <= 0 &&
		    slice_cmp(key, slice_of(s->lost[i].to, s->lost[i].to_len)) <= 0)
			return true;
	return false;
}

static void fuzz_salvage(struct env *env, const struct table_meta *meta, const struct fuzz_twin *t, bool intact)
{
	static const struct table_salvage_sink sink = { fuzz_salvaged, fuzz_salvaged_range, fuzz_salvage_lost };
	struct fuzz_salvage s = { .t = t };
	int rc = table_salvage(env, meta, &sink, &s);

	CHECK(rc == 0 || (fuzz_is_damage(rc) && !intact));
	CHECK(!intact || s.n_lost == 0);
	for (size_t i = 0; rc == 0 && i < t->n; i++)
		CHECK(s.given[i] || fuzz_is_lost(&s, t->entries[i].key));
}

static void fuzz_look(struct env *env, struct table_meta *meta, const struct fuzz_twin *t, bool intact)
{
	struct block_cache *cache;
	struct table *table;
	int rc;

	CHECK(block_cache_new(FUZZ_CACHE_BYTES, &cache) == 0);
	CHECK(table_new(env, cache, meta, &table) == 0);
	for (size_t i = 0; i < t->n; i++) {
		const struct entry *e = &t->entries[i];

		fuzz_get(table, t, e->key, e->version, intact);
		fuzz_get(table, t, e->key, e->version - 1, intact);
	}
	fuzz_get(table, t, slice_of("b\1x", 3), SILT_VERSION_MAX, intact);
	fuzz_scan(table, t, true, intact);
	fuzz_scan(table, t, false, intact);
	rc = table_verify(table, NULL, NULL);
	CHECK(intact ? rc == 0 : fuzz_is_damage(rc));        /* no byte of a table is outside its tree */
	table_unref(table);
	block_cache_free(cache);
	fuzz_salvage(env, meta, t, intact);
}

static void fuzz_damage(const uint8_t *data, size_t size)
{
	static struct fuzz_twin t;
	struct table_meta *meta;
	struct memory_file m;
	struct env env;
	uint8_t *before;
	size_t flips;

	if (size < 2 || size < 2 + 3u * data[0])
		return;
	flips = data[0];
	t.n = 0;
	fuzz_make_entries(&t, slice_of(data + 2 + 3 * flips, size - 2 - 3 * flips));
	if (t.n == 0)
		return;
	memory_init(&m, slice_of(NULL, 0));
	env = memory_env(&m);
	meta = fuzz_write(&env, &t, data[1]);
	before = mem_alloc(m.file.len);
	CHECK(before);
	memcpy(before, m.file.bytes, m.file.len);
	for (const uint8_t *p = data + 2; p < data + 2 + 3 * flips; p += 3)
		m.file.bytes[(p[0] | p[1] << 8) % m.file.len] ^= p[2];
	fuzz_look(&env, meta, &t, memcmp(before, m.file.bytes, m.file.len) == 0);
	mem_free(before);
	table_meta_unref(meta);
	memory_fini(&m);
}

/* ---- a table whose writer lied ---- */

static struct silt_slice fuzz_stored(const struct memory_file *m, const struct table_addr *a)
{
	if (a->offset > m->file.len || a->length > m->file.len - a->offset)
		return (struct silt_slice){ 0 };
	return slice_of(m->file.bytes + a->offset, a->length);
}

/* The digests in an index that is stored as it is, each of what it addresses: partitions below the top, then data blocks. */
static void fuzz_sign_index(struct memory_file *m, struct silt_slice stored, enum table_block_kind below)
{
	struct compress_packed packed;
	uint64_t end = 0;
	struct cursor c;

	if (compress_open(stored, &packed) < 0 || packed.how != SILT_COMPRESS_NONE)
		return;
	c = cursor_of(packed.body);
	(void)cursor_bytes(&c, cursor_varint32(&c));
	while (!c.bad && cursor_left(&c) > 0) {
		struct table_addr a;
		struct silt_slice digest, child;

		(void)cursor_bytes(&c, cursor_varint32(&c));
		(void)cursor_varint(&c);
		a.offset = end + cursor_varint(&c);
		a.length = cursor_varint32(&c);
		digest = cursor_bytes(&c, DIGEST_BYTES);
		child = fuzz_stored(m, &a);
		if (c.bad || child.len == 0)
			return;
		if (below == TABLE_INDEX)
			fuzz_sign_index(m, child, TABLE_DATA);
		CHECK(digest_one((uint8_t)below, child, (uint8_t *)(uintptr_t)digest.data) == 0);
		end = a.offset + a.length;
	}
}

static void fuzz_sign_part(struct memory_file *m, enum table_block_kind kind, struct table_addr *a)
{
	struct silt_slice stored = fuzz_stored(m, a);

	if (kind == TABLE_TOP)
		fuzz_sign_index(m, stored, TABLE_INDEX);
	if (stored.len)
		CHECK(digest_one((uint8_t)kind, stored, a->digest) == 0);
}

static void fuzz_sign(struct memory_file *m)
{
	struct footer f;
	uint8_t *at;

	if (m->file.len < FOOTER_BYTES)
		return;
	at = m->file.bytes + m->file.len - FOOTER_BYTES;
	if (footer_decode(slice_of(at, FOOTER_BYTES), m->file.len, &f) != 0)
		return;
	fuzz_sign_part(m, TABLE_TOP, &f.top);
	fuzz_sign_part(m, TABLE_FILTER, &f.filter);
	fuzz_sign_part(m, TABLE_PROPERTIES, &f.properties);
	fuzz_sign_part(m, TABLE_RANGE_TOMBSTONES, &f.range_tombstones);
	footer_encode(&f, at);
}

/* What verify found nothing wrong with: every entry of it in order, as many as it says, each found by a get. */
static void fuzz_sound(struct table *table, const struct table_meta *meta)
{
	struct silt_buf last = { 0 };
	uint64_t seen = 0, version = 0;
	struct iter *it;
	int rc;

	CHECK(table_iter_new(table, TABLE_NO_FILL, &it) == 0);
	for (rc = it->ops->first(it); rc == 0; rc = iter_next(it), seen++) {
		struct table_hit hit;

		CHECK(seen == 0 || key_cmp(buf_slice(&last), version, it->cur->key, it->cur->version) < 0);
		CHECK(buf_set(&last, it->cur->key) == 0);
		version = it->cur->version;
		CHECK(table_get(table, it->cur->key, hash_key(it->cur->key), version, 0, NULL, &hit) == 0);
		if (hit.entry.version == version)
			CHECK(hit.entry.kind == ENTRY_DELETE || slice_eq(hit.entry.value, it->cur->value));
		table_hit_release(&hit);
	}
	CHECK(rc == SILT_END && seen == meta->entries);
	it->ops->close(it);
	buf_fini(&last);
}

static int fuzz_any_entry(void *ctx, const struct entry *e)
{
	(void)ctx;
	CHECK(e->key.len >= 1 && e->key.len <= KEY_MAX);
	return 0;
}

static int fuzz_any_range(void *ctx, const struct tombstone *t)
{
	(void)ctx;
	(void)t;
	return 0;
}

static int fuzz_any_lost(void *ctx, struct silt_slice from, struct silt_slice to)
{
	(void)ctx;
	(void)from;
	(void)to;
	return 0;
}

static void fuzz_line(void *ctx, const char *line)
{
	(void)ctx;
	for (; *line; line++)
		CHECK((unsigned char)*line >= ' ' && (unsigned char)*line < 0x7f);
}

static void fuzz_print(const struct env *env)
{
	struct dump *d = mem_calloc(1, sizeof(*d));

	CHECK(d);
	d->env = *env;
	d->fn = fuzz_line;
	(void)!dump_table(d, "file");
	mem_free(d);
}

static void fuzz_use(struct env *env, struct table_meta *meta)
{
	static const struct table_salvage_sink sink = { fuzz_any_entry, fuzz_any_range, fuzz_any_lost };
	struct block_cache *cache;
	struct table *table;
	struct table_hit hit;
	struct iter *it;
	int rc;

	CHECK(block_cache_new(FUZZ_CACHE_BYTES, &cache) == 0);
	CHECK(table_new(env, cache, meta, &table) == 0);
	if (table_get(table, meta->smallest, hash_key(meta->smallest), SILT_VERSION_MAX, 0, NULL, &hit) == 0)
		table_hit_release(&hit);
	if (table_iter_new(table, 0, &it) == 0) {
		rc = it->ops->seek(it, meta->largest, SILT_VERSION_MAX);
		for (uint64_t n = 0; rc == 0 && n < 10000; n++)
			rc = iter_prev(it);
		it->ops->close(it);
	}
	if (table_verify(table, NULL, NULL) == 0)
		fuzz_sound(table, meta);
	table_unref(table);
	block_cache_free(cache);
	(void)!table_salvage(env, meta, &sink, NULL);
}

static void fuzz_lies(struct silt_slice bytes)
{
	struct table_meta *meta;
	struct memory_file m;
	struct env env;

	memory_init(&m, bytes);
	fuzz_sign(&m);
	env = memory_env(&m);
	fuzz_print(&env);
	if (metaload(&env, "file", &meta) == 0) {
		meta->number = FUZZ_NUMBER;
		fuzz_use(&env, meta);
		table_meta_unref(meta);
	}
	memory_fini(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || size > FUZZ_FILE_MAX)
		return 0;
	if (data[0] == 'd')
		fuzz_damage(data + 1, size - 1);
	else
		fuzz_lies(slice_of(data + 1, size - 1));
	return 0;
}
