/* SPDX-License-Identifier: Apache-2.0 */
/* test_pinned.c - values read where they lie: small ones copied, large ones kept, whatever the store does meanwhile. */
#include "lib/test.h"

#include "db/db.h"
#include "lib/dbkit.h"
#include "table/block_cache.h"

enum { LARGE = 5000 };

static void pinned_put(struct dbkit *k, const char *key, size_t len, int fill)
{
	uint8_t value[LARGE];

	memset(value, fill, len);
	assert_int_equal(silt_put(k->db, STR(key), (struct silt_slice){ value, len }, NULL), 0);
}

static void pinned_is(const struct silt_pin *pin, size_t len, int fill)
{
	assert_int_equal(pin->value.len, len);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(((const uint8_t *)pin->value.data)[i], fill);
}

static void pinned_begin(struct dbkit *k)
{
	dbkit_init(k);
	k->opts.memtable_size = 1 << 20;
	assert_int_equal(dbkit_open(k), 0);
}

static void test_pinned__small_values_lie_in_the_pin(void **state)
{
	struct silt_pin pin = { 0 };
	struct dbkit k;

	(void)state;
	pinned_begin(&k);
	for (int place = 0; place < 2; place++) {
		pinned_put(&k, "k", SILT_PIN_SMALL, 7 + place);
		pinned_put(&k, "empty", 0, 0);
		if (place)
			assert_int_equal(silt_flush(k.db), 0);
		assert_int_equal(silt_get_pinned(k.db, STR("k"), NULL, 0, &pin, NULL), 0);
		assert_ptr_equal(pin.value.data, pin.small);
		assert_null(pin.block);
		assert_null(pin.memtable);
		pinned_is(&pin, SILT_PIN_SMALL, 7 + place);
		assert_int_equal(silt_get_pinned(k.db, STR("empty"), NULL, 0, &pin, NULL), 0);
		assert_int_equal(pin.value.len, 0);
	}
	silt_pin_release(&pin);
	dbkit_fini(&k);
}

static void test_pinned__a_memtable_outlives_its_flush(void **state)
{
	struct silt_pin pin = { 0 }, after = { 0 };
	struct silt_info info;
	struct dbkit k;

	(void)state;
	pinned_begin(&k);
	pinned_put(&k, "k", LARGE, 1);
	assert_int_equal(silt_get_pinned(k.db, STR("k"), NULL, 0, &pin, &info), 0);
	assert_non_null(pin.memtable);
	assert_null(pin.block);
	assert_true(info.version > 0);
	pinned_put(&k, "k", LARGE, 2);
	assert_int_equal(silt_flush(k.db), 0);
	assert_int_equal(silt_compact(k.db), 0);
	assert_int_equal(silt_get_pinned(k.db, STR("k"), NULL, 0, &after, NULL), 0);
	assert_non_null(after.block);
	pinned_is(&after, LARGE, 2);
	pinned_is(&pin, LARGE, 1);
	silt_pin_release(&pin);
	silt_pin_release(&after);
	dbkit_fini(&k);
}

static void pinned_outlives(unsigned flags)
{
	struct silt_pin pin = { 0 };
	struct dbkit k;

	pinned_begin(&k);
	pinned_put(&k, "k", LARGE, 3);
	assert_int_equal(silt_flush(k.db), 0);
	assert_int_equal(silt_get_pinned(k.db, STR("k"), NULL, flags, &pin, NULL), 0);
	assert_non_null(pin.block);
	assert_int_equal(dbkit_delete(&k, "k"), 0);
	assert_int_equal(silt_compact(k.db), 0);                  /* the table is gone, and its blocks from the cache */
	for (uint64_t table = 1; table < 10; table++)
		block_cache_forget(k.db->blocks, table);
	pinned_is(&pin, LARGE, 3);
	assert_int_equal(silt_get_pinned(k.db, STR("k"), NULL, flags, &pin, NULL), SILT_NOTFOUND);
	assert_null(pin.block);
	assert_int_equal(pin.value.len, 0);
	dbkit_fini(&k);
}

static void test_pinned__a_block_outlives_its_table(void **state)
{
	(void)state;
	pinned_outlives(0);
	pinned_outlives(SILT_NO_FILL);
}

/* Twice: from the disk, and from the cache. */
static void test_pinned__cached_only_does_not_touch_the_disk(void **state)
{
	struct silt_pin pin = { 0 };
	struct silt_stats s;
	struct dbkit k;

	(void)state;
	pinned_begin(&k);
	pinned_put(&k, "k", LARGE, 3);
	assert_int_equal(silt_flush(k.db), 0);
	assert_int_equal(dbkit_close(&k), 0);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(silt_get_pinned(k.db, STR("k"), NULL, SILT_CACHED_ONLY, &pin, NULL), SILT_WOULD_BLOCK);
	assert_int_equal(pin.value.len, 0);
	silt_stats(k.db, &s);
	assert_int_equal(s.gets, 0);                              /* it is asked again */
	assert_int_equal(silt_get_pinned(k.db, STR("k"), NULL, 0, &pin, NULL), 0);
	pinned_is(&pin, LARGE, 3);
	assert_int_equal(silt_get_pinned(k.db, STR("k"), NULL, SILT_CACHED_ONLY, &pin, NULL), 0);
	pinned_is(&pin, LARGE, 3);
	silt_stats(k.db, &s);
	assert_int_equal(s.gets, 2);
	assert_int_equal(s.get_hits, 2);
	silt_pin_release(&pin);
	silt_pin_release(&pin);                                   /* twice is fine */
	silt_pin_release(NULL);
	dbkit_fini(&k);
}

/* The simulated disk has it at hand three times of four. */
static void test_pinned__no_wait_reads_what_is_at_hand(void **state)
{
	struct silt_pin pin = { 0 };
	struct dbkit k;
	int rc;

	(void)state;
	pinned_begin(&k);
	pinned_put(&k, "a", LARGE, 3);
	pinned_put(&k, "k", LARGE, 4);
	assert_int_equal(silt_flush(k.db), 0);
	assert_int_equal(dbkit_close(&k), 0);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(silt_get_pinned(k.db, STR("k"), NULL, SILT_NO_WAIT, &pin, NULL), SILT_WOULD_BLOCK);
	assert_int_equal(silt_get_pinned(k.db, STR("a"), NULL, 0, &pin, NULL), 0);
	for (int i = 0; i < 100; i++) {
		rc = silt_get_pinned(k.db, STR("k"), NULL, SILT_NO_WAIT, &pin, NULL);
		if (rc == 0)
			break;
		assert_int_equal(rc, SILT_WOULD_BLOCK);
	}
	assert_int_equal(rc, 0);
	pinned_is(&pin, LARGE, 4);
	silt_pin_release(&pin);
	dbkit_fini(&k);
}

static void test_pinned__answers_as_a_get_does(void **state)
{
	struct silt_put_options po = { .expires_ms = UINT64_C(1000) };
	struct silt_pin pin = { 0 };
	silt_snapshot *snap;
	struct dbkit k;
	silt_batch *b;

	(void)state;
	pinned_begin(&k);
	assert_int_equal(silt_snapshot_new(k.db, &snap), 0);
	pinned_put(&k, "k", LARGE, 1);
	assert_int_equal(silt_batch_new(&b), 0);
	assert_int_equal(silt_batch_put(b, STR("old"), STR("v"), &po, 0), 0);
	assert_int_equal(silt_write(k.db, b, 0, NULL), 0);
	silt_batch_free(b);
	simdisk_set_clock(k.disk, 1000);
	assert_int_equal(silt_get_pinned(k.db, STR("old"), NULL, 0, &pin, NULL), SILT_NOTFOUND);
	assert_int_equal(silt_get_pinned(k.db, STR("k"), snap, 0, &pin, NULL), SILT_NOTFOUND);
	assert_int_equal(silt_get_pinned(k.db, STR("k"), NULL, SILT_ASYNC, &pin, NULL), SILT_E_MISUSE);
	assert_int_equal(silt_get_pinned(k.db, STR(""), NULL, 0, &pin, NULL), SILT_E_MISUSE);
	assert_int_equal(silt_get_pinned(k.db, STR("k"), NULL, 0, NULL, NULL), SILT_E_MISUSE);
	assert_int_equal(silt_get_pinned(NULL, STR("k"), NULL, 0, &pin, NULL), SILT_E_MISUSE);
	silt_snapshot_free(snap);
	dbkit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pinned__small_values_lie_in_the_pin),
		cmocka_unit_test(test_pinned__a_memtable_outlives_its_flush),
		cmocka_unit_test(test_pinned__a_block_outlives_its_table),
		cmocka_unit_test(test_pinned__cached_only_does_not_touch_the_disk),
		cmocka_unit_test(test_pinned__no_wait_reads_what_is_at_hand),
		cmocka_unit_test(test_pinned__answers_as_a_get_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
