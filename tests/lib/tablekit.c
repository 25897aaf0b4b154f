/* SPDX-License-Identifier: Apache-2.0 */
/* tablekit.c - a table and its naive twin. */
#include "lib/tablekit.h"

#include "base/hash.h"
#include "base/mem.h"
#include "core/filename.h"
#include "core/key.h"

#define KIT_CHARS "abcdefghijklmnopqrstuvwxyz"

void tablekit_init(struct tablekit *k, uint64_t cache_bytes)
{
	memset(k, 0, sizeof(*k));
	k->disk = simdisk_new(1);
	assert_non_null(k->disk);
	logkit_init(&k->kit, k->disk);
	assert_int_equal(block_cache_new(cache_bytes, &k->cache), 0);
	assert_int_equal(filename_table(k->kit.env.dir, TABLEKIT_NUMBER, false, k->path), 0);
}

static void tablekit_clear(struct tablekit *k)
{
	for (size_t i = 0; i < k->count; i++)
		mem_free((void *)(uintptr_t)k->entries[i].key.data);
	k->count = 0;
}

void tablekit_fini(struct tablekit *k)
{
	tablekit_clear(k);
	mem_free(k->entries);
	tombstones_free(k->ranges);
	table_unref(k->table);
	table_meta_unref(k->meta);
	block_cache_free(k->cache);
	logkit_fini(&k->kit);
	simdisk_free(k->disk);
}

/* ---- the twin -------------------------------------------------------------------------------------------------------- */

static struct silt_slice tablekit_copy(uint8_t **p, struct silt_slice s)
{
	uint8_t *at = *p;

	if (s.len)
		memcpy(at, s.data, s.len);
	*p += s.len;
	return slice_of(at, s.len);
}

void tablekit_add(struct tablekit *k, const struct entry *e)
{
	uint8_t *p = mem_alloc(e->key.len + e->meta.len + e->value.len);
	struct entry *to;

	assert_non_null(p);
	if (k->count == k->room) {
		k->room = k->room ? k->room * 2 : 64;
		k->entries = mem_resize(k->entries, k->room, sizeof(*k->entries));
		assert_non_null(k->entries);
	}
	to = &k->entries[k->count++];
	*to = *e;
	to->key = tablekit_copy(&p, e->key);
	to->meta = tablekit_copy(&p, e->meta);
	to->value = tablekit_copy(&p, e->value);
}

void tablekit_put(struct tablekit *k, const char *key, uint64_t version, const char *value)
{
	struct entry e = { .key = slice_str(key), .version = version, .kind = ENTRY_PUT, .value = slice_str(value) };

	tablekit_add(k, &e);
}

void tablekit_fill(struct tablekit *k, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		char key[16], value[32];
		struct entry gone = { .version = 200, .kind = ENTRY_DELETE };

		snprintf(key, sizeof(key), "key%03u", i);
		snprintf(value, sizeof(value), "the value of %u", i);
		gone.key = slice_str(key);
		if (i % 10 == 3)
			tablekit_add(k, &gone);
		tablekit_put(k, key, 100, value);
		tablekit_put(k, key, 50, "old");
	}
}

void tablekit_ranges(struct tablekit *k, const char *text, const uint64_t *readers, size_t n)
{
	struct tombstones_builder b = { 0 };
	size_t len = strlen(text);

	for (const char *p = text; p < text + len; p += 6)
		assert_int_equal(tombstones_add(&b, slice_of(p, 1), slice_of(p + 2, p[2] != '*'), (uint64_t)(p[4] - '0')), 0);
	tombstones_free(k->ranges);
	assert_int_equal(tombstones_build(&b, readers, n, &k->ranges), 0);
	tombstones_builder_fini(&b);
}

static int tablekit_order(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;

	return key_cmp(a->key, a->version, b->key, b->version);
}

void tablekit_sort(struct tablekit *k)
{
	size_t kept = 0;

	qsort(k->entries, k->count, sizeof(*k->entries), tablekit_order);
	for (size_t i = 0; i < k->count; i++) {
		if (kept > 0 && tablekit_order(&k->entries[kept - 1], &k->entries[i]) == 0)
			mem_free((void *)(uintptr_t)k->entries[i].key.data);
		else
			k->entries[kept++] = k->entries[i];
	}
	k->count = kept;
}

static size_t tablekit_key(enum tablekit_shape shape, uint64_t *seed, uint8_t *key)
{
	uint64_t r = test_random(seed);
	size_t len;

	switch (shape) {
	case TABLEKIT_SHORT:
		len = 1 + r % 4;
		for (size_t i = 0; i < len; i++)
			key[i] = (uint8_t)KIT_CHARS[test_random(seed) % 26];
		return len;
	case TABLEKIT_PREFIXED:
		return (size_t)snprintf((char *)key, 64, "user/of/the/same/house/%08u", (unsigned)(r % 100000));
	case TABLEKIT_BINARY:                            /* zeros and 0xff, and keys that are prefixes of others */
		len = 1 + r % 12;
		for (size_t i = 0; i < len; i++)
			key[i] = (uint8_t)(test_random(seed) % 3 ? 0 : 0xff);
		return len;
	case TABLEKIT_LONG:
		len = r % 2 ? KEY_MAX : 4000 + r % 96;
		memset(key, 'k', len);
		for (size_t i = 1; i < 9; i++)
			key[len - i] = (uint8_t)KIT_CHARS[test_random(seed) % 3];
		return len;
	default:
		key[0] = (uint8_t)KIT_CHARS[r % 3];
		return 1;
	}
}

void tablekit_random(struct tablekit *k, enum tablekit_shape shape, size_t n, uint64_t *seed)
{
	static uint8_t key[KEY_MAX], value[3000], meta[SILT_META_MAX];

	tablekit_clear(k);
	for (size_t i = 0; i < n; i++) {
		struct entry e = { .version = 1 + test_random(seed) % 1000, .kind = ENTRY_DELETE };

		e.key = slice_of(key, tablekit_key(shape, seed, key));
		if (test_random(seed) % 50 == 0)
			e.version = SILT_VERSION_MAX - e.version;
		if (test_random(seed) % 4) {
			uint64_t r = test_random(seed);

			e.kind = ENTRY_PUT;
			memset(value, (int)(r & 0xff), sizeof(value));
			e.value = slice_of(value, r % 40 == 0 ? 3000 : r % 100);
			e.meta = slice_of(meta, r / 64 % 5 == 0 ? r % (SILT_META_MAX + 1) : 0);
			e.expires_ms = r / 512 % 5 == 0 ? 1 + (r >> 20) : 0;
			memset(meta, (int)(r >> 8 & 0xff), sizeof(meta));
		}
		tablekit_add(k, &e);
	}
	tablekit_sort(k);
}

/* ---- the table ------------------------------------------------------------------------------------------------------- */

const struct table_settings tablekit_small = { .block_size = 256, .filter_bits_per_key = 10 };

int tablekit_write(struct tablekit *k, const struct table_settings *s)
{
	struct table_writer *w;
	struct table_meta *meta;
	int rc = table_writer_open(&k->kit.env, TABLEKIT_NUMBER, s, &w);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < k->count && rc == 0; i++)
		rc = table_writer_add(w, &k->entries[i]);
	for (size_t i = 0; k->ranges && i < k->ranges->n && rc == 0; i++)
		rc = table_writer_add_range(w, &k->ranges->at[i]);
	if (rc < 0) {
		table_writer_abandon(w);
		return rc;
	}
	rc = table_writer_finish(w, &meta);
	if (rc < 0)
		return rc;
	table_meta_unref(k->meta);
	k->meta = meta;
	return 0;
}

void tablekit_reopen(struct tablekit *k)
{
	struct block_cache_stats stats;

	block_cache_stats(k->cache, &stats);
	table_unref(k->table);
	k->table = NULL;
	block_cache_free(k->cache);
	k->cache = NULL;
	assert_int_equal(block_cache_new(stats.capacity, &k->cache), 0);
	assert_int_equal(table_new(&k->kit.env, k->cache, k->meta, &k->table), 0);
}

void tablekit_build(struct tablekit *k, const struct table_settings *s)
{
	int rc = tablekit_write(k, s);

	if (rc != 0)
		fail_msg("tablekit_write: %d %s", rc, k->kit.message);
	tablekit_reopen(k);
}

/* ---- the comparison -------------------------------------------------------------------------------------------------- */

size_t tablekit_seek(const struct tablekit *k, struct silt_slice key, uint64_t version)
{
	size_t lo = 0, hi = k->count;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (key_cmp(k->entries[mid].key, k->entries[mid].version, key, version) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct entry *tablekit_get(const struct tablekit *k, struct silt_slice key, uint64_t max_version)
{
	size_t i = tablekit_seek(k, key, max_version);

	return i < k->count && slice_eq(k->entries[i].key, key) ? &k->entries[i] : NULL;
}

bool tablekit_same(const struct entry *a, const struct entry *b)
{
	return slice_eq(a->key, b->key) && a->version == b->version && a->kind == b->kind && a->expires_ms == b->expires_ms &&
	       slice_eq(a->meta, b->meta) && slice_eq(a->value, b->value);
}

int tablekit_ask(struct tablekit *k, struct silt_slice key, uint64_t max_version, unsigned flags)
{
	const struct entry *want = tablekit_get(k, key, max_version);
	uint64_t cover = tombstones_cover(k->ranges, key, max_version);
	struct table_hit hit;
	int rc = table_get(k->table, key, hash_key(key), max_version, flags, NULL, &hit);

	if (rc == 0 && cover && (!want || want->version < cover)) {
		assert_int_equal(hit.entry.kind, ENTRY_DELETE);
		assert_int_equal(hit.entry.version, cover);
		assert_true(slice_eq(hit.entry.key, key) && hit.entry.value.len == 0 && hit.pin == NULL);
	} else if (rc == 0) {
		assert_non_null(want);
		assert_true(tablekit_same(&hit.entry, want));
		table_hit_release(&hit);
	} else if (rc == SILT_NOTFOUND) {
		assert_null(want);
		assert_int_equal(cover, 0);
	}
	return rc;
}

static void tablekit_check_key(struct tablekit *k, struct silt_slice key, uint64_t version)
{
	int found = tablekit_get(k, key, version) || tombstones_cover(k->ranges, key, version) ? 0 : SILT_NOTFOUND;

	assert_int_equal(tablekit_ask(k, key, version, 0), found);
}

void tablekit_check_gets(struct tablekit *k)
{
	static uint8_t other[KEY_MAX + 1];

	for (size_t i = 0; i < k->count; i++) {
		const struct entry *e = &k->entries[i];

		tablekit_check_key(k, e->key, e->version);
		tablekit_check_key(k, e->key, e->version - 1);
		tablekit_check_key(k, e->key, e->version + 1);
		tablekit_check_key(k, e->key, UINT64_MAX);
		memcpy(other, e->key.data, e->key.len);
		other[e->key.len] = 0;
		if (e->key.len < KEY_MAX)
			tablekit_check_key(k, slice_of(other, e->key.len + 1), UINT64_MAX);
		if (e->key.len > 1)
			tablekit_check_key(k, slice_of(other, e->key.len - 1), UINT64_MAX);
		other[e->key.len - 1] ^= 1;
		tablekit_check_key(k, slice_of(other, e->key.len), UINT64_MAX);
	}
}

static void tablekit_check_seek(struct tablekit *k, struct iter *it, struct silt_slice key, uint64_t version)
{
	size_t at = tablekit_seek(k, key, version);
	int rc = it->ops->seek(it, key, version);

	assert_int_equal(rc, at < k->count ? 0 : SILT_END);
	if (rc == 0)
		assert_true(tablekit_same(it->cur, &k->entries[at]));
	if (rc == 0 && at > 0) {                             /* and round */
		assert_int_equal(iter_prev(it), 0);
		assert_true(tablekit_same(it->cur, &k->entries[at - 1]));
		assert_int_equal(iter_next(it), 0);
		assert_true(tablekit_same(it->cur, &k->entries[at]));
	}
	rc = it->ops->before(it, key, version);
	assert_int_equal(rc, at > 0 ? 0 : SILT_END);
	if (rc == 0)
		assert_true(tablekit_same(it->cur, &k->entries[at - 1]));
	if (rc == 0 && at < k->count) {
		assert_int_equal(iter_next(it), 0);
		assert_true(tablekit_same(it->cur, &k->entries[at]));
	}
}

void tablekit_check_iter(struct tablekit *k, unsigned flags)
{
	struct iter *it;
	size_t i = 0;
	int rc;

	assert_int_equal(table_iter_new(k->table, flags, &it), 0);
	assert_int_equal(iter_next(it), SILT_END);
	for (rc = it->ops->first(it); rc == 0; rc = iter_next(it))
		assert_true(tablekit_same(it->cur, &k->entries[i++]));
	assert_int_equal(rc, SILT_END);
	assert_int_equal(i, k->count);
	assert_int_equal(iter_prev(it), SILT_END);
	for (rc = it->ops->last(it); rc == 0; rc = iter_prev(it))
		assert_true(tablekit_same(it->cur, &k->entries[--i]));
	assert_int_equal(rc, SILT_END);
	assert_int_equal(i, 0);
	for (i = 0; i < k->count; i++) {
		tablekit_check_seek(k, it, k->entries[i].key, k->entries[i].version);
		tablekit_check_seek(k, it, k->entries[i].key, k->entries[i].version - 1);
		tablekit_check_seek(k, it, k->entries[i].key, UINT64_MAX);
		tablekit_check_seek(k, it, k->entries[i].key, 0);
	}
	iter_close(it);
}
