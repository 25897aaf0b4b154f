/* SPDX-License-Identifier: Apache-2.0 */
/* test_table_load.c - a table's root from its file; the manifest's word against the table's own; a table known by its file alone. */
#include "lib/test.h"

#include "base/mem.h"
#include "lib/metaload.h"
#include "lib/tablekit.h"

static void build(struct tablekit *k)
{
	struct entry e = { .key = slice_str("kk"), .version = 5, .kind = ENTRY_PUT, .expires_ms = 77 };

	tablekit_init(k, 1 << 20);
	tablekit_put(k, "b", 3, "1");
	tablekit_add(k, &e);
	tablekit_put(k, "mmm", 9, "2");
	tablekit_build(k, &tablekit_small);
}

static bool same_meta(const struct table_meta *a, const struct table_meta *b)
{
	return a->size == b->size && a->entries == b->entries && a->tombstones == b->tombstones && a->expiring == b->expiring &&
	       a->earliest_expiry_ms == b->earliest_expiry_ms && a->min_version == b->min_version &&
	       a->max_version == b->max_version && slice_eq(a->smallest, b->smallest) && slice_eq(a->largest, b->largest) &&
	       memcmp(a->digest, b->digest, DIGEST_BYTES) == 0;
}

static void test_table_load__the_file_alone_tells_its_meta(void **state)
{
	struct table_meta *m;
	struct tablekit k;

	(void)state;
	build(&k);
	assert_int_equal(metaload(&k.kit.env, k.path, &m), 0);
	assert_true(same_meta(m, k.meta));
	assert_int_equal(m->number, 0);
	table_meta_unref(m);
	assert_int_equal(metaload(&k.kit.env, "/db/000013.sst", &m), SILT_E_CORRUPT);
	assert_string_equal(k.kit.message, "/db/000013.sst: the table is missing");
	tablekit_fini(&k);
}

static int check_with(struct tablekit *k, const struct table_root *r, const struct table_file *f, int field)
{
	struct table_meta *m = table_meta_new(field == 8 ? slice_str("a") : k->meta->smallest,
	                                      field == 9 ? slice_str("n") : k->meta->largest);
	int rc;

	assert_non_null(m);
	m->size = k->meta->size + (field == 1);
	m->entries = k->meta->entries + (field == 2);
	m->tombstones = k->meta->tombstones + (field == 3);
	m->expiring = k->meta->expiring + (field == 4);
	m->earliest_expiry_ms = k->meta->earliest_expiry_ms + (field == 5);
	m->min_version = k->meta->min_version - (field == 6);
	m->max_version = k->meta->max_version + (field == 7);
	rc = table_load_check(f, r, m);
	table_meta_unref(m);
	return rc;
}

static void test_table_load__every_field_of_the_manifest_counts(void **state)
{
	struct table_file f;
	struct table_root r;
	struct tablekit k;

	(void)state;
	build(&k);
	assert_int_equal(table_file_open(&k.kit.env, k.path, &f), 0);
	assert_int_equal(table_load_root(&f, k.meta->digest, &r), 0);
	assert_int_equal(check_with(&k, &r, &f, 0), 0);
	assert_int_equal(k.kit.reports, 0);
	for (int field = 1; field <= 9; field++) {
		assert_int_equal(check_with(&k, &r, &f, field), SILT_E_CORRUPT);
		assert_string_equal(k.kit.message, "/db/000012.sst: its properties are not those that the manifest tells");
	}
	assert_int_equal(k.kit.reports, 9);
	table_root_fini(&r);
	table_file_close(&f);
	tablekit_fini(&k);
}

static int load(struct tablekit *k, const uint8_t *want)
{
	struct table_file f;
	struct table_root r;
	int rc;

	assert_int_equal(table_file_open(&k->kit.env, k->path, &f), 0);
	k->kit.reports = 0;
	rc = table_load_root(&f, want, &r);
	assert_int_equal(k->kit.reports, rc != 0);
	if (rc == 0)
		table_root_fini(&r);
	table_file_close(&f);
	return rc;
}

/* Taken at its word: what the root's digests cover is refused, the rest is not looked at. */
static void test_table_load__any_flipped_byte_of_the_root_is_refused(void **state)
{
	struct table_file f;
	struct table_root r;
	struct footer footer;
	struct tablekit k;

	(void)state;
	build(&k);
	assert_int_equal(table_file_open(&k.kit.env, k.path, &f), 0);
	assert_int_equal(table_load_root(&f, NULL, &r), 0);
	footer = r.footer;
	table_root_fini(&r);
	table_file_close(&f);
	for (uint64_t at = 0; at < k.meta->size; at++) {
		bool filter = at >= k.meta->size - FOOTER_BYTES + 44 && at < k.meta->size - FOOTER_BYTES + 88;
		int rc;

		simdisk_flip(k.disk, k.path, at, 1);
		rc = load(&k, NULL);
		if (at < footer.top.offset)
			assert_int_equal(rc, 0);
		else if (!filter)                                /* whose address only a digest from outside vouches for */
			assert_int_equal(rc, at >= k.meta->size - 16 && at < k.meta->size - 12 ?
			                 SILT_E_VERSION : SILT_E_CORRUPT);
		rc = load(&k, k.meta->digest);
		assert_int_equal(rc, at < footer.top.offset ? 0 : SILT_E_CORRUPT);
		simdisk_flip(k.disk, k.path, at, 1);
	}
	tablekit_fini(&k);
}

static void test_table_load__too_short_for_a_table(void **state)
{
	struct table_meta *m;
	struct tablekit k;

	(void)state;
	build(&k);
	assert_int_equal(simdisk_write_file(k.disk, k.path, slice_str("short")), 0);
	assert_int_equal(metaload(&k.kit.env, k.path, &m), SILT_E_CORRUPT);
	assert_string_equal(k.kit.message, "/db/000012.sst: 5 bytes are too few for a table");
	tablekit_fini(&k);
}

static void test_table_load__every_failing_call_is_an_error(void **state)
{
	struct table_meta *m;
	struct tablekit k;
	int rc = -1;

	(void)state;
	build(&k);
	for (uint64_t n = 1; rc != 0; n++) {
		k.kit.reports = 0;
		simdisk_fail_at(k.disk, SIM_ANY, n, SILT_E_IO, false);
		rc = metaload(&k.kit.env, k.path, &m);
		assert_true(rc == 0 || rc == SILT_E_IO);
		assert_int_equal(k.kit.reports, rc != 0);
		assert_true(n < 20);
	}
	simdisk_fail_at(k.disk, SIM_ANY, 0, 0, false);
	table_meta_unref(m);
	rc = -1;
	for (uint64_t n = 1; rc != 0; n++) {
		mem_fail_at(n, false);
		rc = metaload(&k.kit.env, k.path, &m);
		assert_true(rc == 0 || rc == SILT_E_NOMEM);
		assert_true(n < 20);
	}
	mem_fail_at(0, false);
	table_meta_unref(m);
	tablekit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_load__the_file_alone_tells_its_meta),
		cmocka_unit_test(test_table_load__every_field_of_the_manifest_counts),
		cmocka_unit_test(test_table_load__any_flipped_byte_of_the_root_is_refused),
		cmocka_unit_test(test_table_load__too_short_for_a_table),
		cmocka_unit_test(test_table_load__every_failing_call_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
