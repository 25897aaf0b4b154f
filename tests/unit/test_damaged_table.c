/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_damaged_table.c - one table of many is damaged: its range answers with an error and never with something else, the rest is served
 * and written as ever, and nothing is deleted. (A table that is gone, and what a repair makes of both: test_repair.c; bit by bit:
 * tests/crash/bitflip; over HTTP: tests/http/damage.sh.)
 */
#include "lib/test.h"

#include "lib/dbkit.h"

enum { DAMAGED_KEYS = 200 };

struct damaged_store {
	struct dbkit k;
	char path[64];                    /* of the damaged table */
	struct silt_buf bytes;            /* of its file, as it is now */
	bool hit[DAMAGED_KEYS];           /* keys that can't be read */
	size_t hits;
};

static void damaged_key(char out[16], int i)
{
	snprintf(out, 16, "key/%05d", i);
}

/* 2,000 bytes that do not compress, the same for the same key. */
static struct silt_slice damaged_value(int i)
{
	static uint64_t value[250];
	uint64_t random = (uint64_t)i + 1;

	for (size_t n = 0; n < 250; n++)
		value[n] = test_random(&random);
	return (struct silt_slice){ value, sizeof(value) };
}

static int damaged_find(void *ctx, const char *name)
{
	struct damaged_store *d = ctx;
	size_t n = strlen(name);

	if (n < 4 || strcmp(name + n - 4, ".sst") != 0)
		return 0;
	if (d->path[0] == '\0' || strcmp(name, d->path + 3) < 0)          /* the one with the lowest number: not the last in order */
		snprintf(d->path, sizeof(d->path), "db/%.40s", name);
	return 0;
}

static int damaged_get(struct damaged_store *d, int i, struct silt_buf *value)
{
	char key[16];

	damaged_key(key, i);
	return silt_get(d->k.db, STR(key), NULL, 0, value, NULL);
}

/* Several tables below level 0; of one, a byte at `at` is changed (from the end, where it is below 0). */
static void damaged_make(struct damaged_store *d, int64_t at)
{
	struct silt_buf value = { 0 };
	silt_os *os;
	char key[16];

	memset(d, 0, sizeof(*d));
	dbkit_init(&d->k);
	assert_int_equal(dbkit_open(&d->k), 0);
	for (int i = 0; i < DAMAGED_KEYS; i++) {
		damaged_key(key, i);
		assert_int_equal(silt_put(d->k.db, STR(key), damaged_value(i), NULL), 0);
	}
	assert_int_equal(silt_compact(d->k.db), 0);
	assert_int_equal(dbkit_close(&d->k), 0);
	assert_int_equal(dbkit_open(&d->k), 0);           /* sweeps what the compaction left */
	assert_int_equal(dbkit_close(&d->k), 0);
	assert_true(dbkit_files(&d->k, "db", ".sst") > 3);
	os = simdisk_os(d->k.disk);
	assert_int_equal(os->list(os, "db", damaged_find, d), 0);
	assert_int_equal(simdisk_read_file(d->k.disk, d->path, &d->bytes), 0);
	assert_int_equal(simdisk_flip(d->k.disk, d->path, (uint64_t)(at < 0 ? (int64_t)d->bytes.len + at : at), 0x04), 0);
	assert_int_equal(simdisk_read_file(d->k.disk, d->path, &d->bytes), 0);
	assert_int_equal(dbkit_open(&d->k), 0);
	for (int i = 0; i < DAMAGED_KEYS; i++) {
		int rc = damaged_get(d, i, &value);

		assert_true(rc == 0 || rc == SILT_E_CORRUPT);
		d->hit[i] = rc != 0;
		d->hits += d->hit[i];
	}
	silt_buf_free(&value);
}

/* The file is there, and no byte of it was touched. */
static void damaged_stays(struct damaged_store *d)
{
	struct silt_buf now = { 0 };

	assert_int_equal(simdisk_read_file(d->k.disk, d->path, &now), 0);
	assert_true(now.len == d->bytes.len && memcmp(now.data, d->bytes.data, now.len) == 0);
	silt_buf_free(&now);
}

static void damaged_end(struct damaged_store *d)
{
	silt_buf_free(&d->bytes);
	dbkit_fini(&d->k);
}

/* Each key is right or an error, alone and among others; the same keys as ever. */
static void damaged_check(struct damaged_store *d)
{
	struct silt_lookup items[DAMAGED_KEYS];
	struct silt_buf values[DAMAGED_KEYS] = { 0 };
	struct silt_info infos[DAMAGED_KEYS];
	char keys[DAMAGED_KEYS][16];

	for (int i = 0; i < DAMAGED_KEYS; i++) {
		damaged_key(keys[i], i);
		items[i] = (struct silt_lookup){ STR(keys[i]), &values[i], &infos[i], 0 };
	}
	assert_int_equal(silt_multi_get(d->k.db, NULL, 0, items, DAMAGED_KEYS), 0);
	for (int i = 0; i < DAMAGED_KEYS; i++) {
		struct silt_slice want = damaged_value(i);

		assert_int_equal(items[i].code, d->hit[i] ? SILT_E_CORRUPT : 0);
		assert_int_equal(damaged_get(d, i, &values[i]), d->hit[i] ? SILT_E_CORRUPT : 0);
		assert_int_equal(values[i].len, d->hit[i] ? 0 : want.len);
		if (!d->hit[i])
			assert_memory_equal(values[i].data, want.data, want.len);
		silt_buf_free(&values[i]);
	}
}

/* A scan of [from, to): ends with an error where it meets what can't be read, and else gives each key. */
static void damaged_scan(struct damaged_store *d, int from, int to)
{
	char lower[16], upper[16], key[16];
	struct silt_iter_options o = { .flags = 0 };
	silt_iter *it;
	int rc, at = from;

	damaged_key(lower, from);
	damaged_key(upper, to);
	o.lower = STR(lower);
	o.upper = STR(upper);
	assert_int_equal(silt_iter_new(d->k.db, &o, &it), 0);
	for (rc = silt_iter_first(it); rc == 0; rc = silt_iter_next(it), at++) {
		damaged_key(key, at);
		assert_false(d->hit[at]);
		assert_memory_equal(silt_iter_key(it).data, key, strlen(key));
	}
	assert_int_equal(rc, at < to ? SILT_E_CORRUPT : SILT_END);
	if (at < to) {
		bool near = false;

		for (int i = from; i < to; i++)           /* an index may say no more than where its table begins */
			near |= d->hit[i];
		assert_true(near);
	}
	silt_iter_close(it);
}

static void damaged_check_scans(struct damaged_store *d)
{
	int first = 0, last = DAMAGED_KEYS - 1;

	damaged_scan(d, 0, DAMAGED_KEYS);
	while (first < DAMAGED_KEYS && !d->hit[first])
		first++;
	while (last >= 0 && !d->hit[last])
		last--;
	if (first > 1)
		damaged_scan(d, 0, first - 1);            /* before it and behind it all is served */
	if (last + 3 < DAMAGED_KEYS)
		damaged_scan(d, last + 2, DAMAGED_KEYS);
}

/* What is asked of the store as a whole, and what runs by itself, leaves the table where it is; so do closes and openings. */
static void damaged_live_on(struct damaged_store *d)
{
	char key[16];

	for (int round = 0; round < 2; round++) {
		assert_int_equal(silt_verify(d->k.db, NULL, NULL), SILT_E_CORRUPT);
		assert_true(dbkit_logged(&d->k, d->path + 3));
		assert_int_equal(silt_compact(d->k.db), SILT_E_CORRUPT);
		for (int i = 0; i < 30; i++) {
			snprintf(key, sizeof(key), "other/%d", i);
			assert_int_equal(dbkit_put(&d->k, key, "served"), 0);
			assert_string_equal(dbkit_get(&d->k, key), "served");
		}
		assert_int_equal(silt_flush(d->k.db), 0);
		damaged_stays(d);
		damaged_check(d);
		if (round == 0)
			assert_int_equal(dbkit_close(&d->k), 0);
		else
			dbkit_crash(&d->k, SIM_LOSE_ALL, 1);
		assert_int_equal(dbkit_open(&d->k), 0);
		damaged_stays(d);
		damaged_check(d);
	}
}

/* A new value of a key that can't be read stands above the damage, and is read; so does a delete. */
static void damaged_write_over(struct damaged_store *d)
{
	struct silt_buf value = { 0 };
	char key[16];
	int i = 0;

	while (i < DAMAGED_KEYS && !d->hit[i])
		i++;
	damaged_key(key, i);
	assert_int_equal(dbkit_put(&d->k, key, "new"), 0);
	assert_string_equal(dbkit_get(&d->k, key), "new");
	assert_int_equal(silt_flush(d->k.db), 0);
	assert_string_equal(dbkit_get(&d->k, key), "new");
	assert_int_equal(dbkit_delete(&d->k, key), 0);
	assert_int_equal(silt_flush(d->k.db), 0);
	(void)!silt_compact(d->k.db);                     /* which must not forget the delete: the old value is below, unread */
	assert_int_equal(damaged_get(d, i, &value), SILT_NOTFOUND);
	damaged_stays(d);
	silt_buf_free(&value);
}

static void damaged_story(int64_t at, size_t at_least, size_t at_most)
{
	struct damaged_store d;

	damaged_make(&d, at);
	assert_in_range(d.hits, at_least, at_most);
	damaged_check(&d);
	damaged_check_scans(&d);
	damaged_live_on(&d);
	if (d.hits)
		damaged_write_over(&d);
	damaged_end(&d);
}

static void test_damaged_table__a_block_is_missing_and_nothing_else(void **state)
{
	(void)state;
	damaged_story(100, 1, 3);
	damaged_story(9000, 1, 3);
}

static void test_damaged_table__a_root_takes_its_range_along(void **state)
{
	(void)state;
	damaged_story(-1, 5, DAMAGED_KEYS / 2);           /* the footer's last byte */
	damaged_story(-250, 5, DAMAGED_KEYS / 2);         /* properties or top index: checked with the root */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damaged_table__a_block_is_missing_and_nothing_else),
		cmocka_unit_test(test_damaged_table__a_root_takes_its_range_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
