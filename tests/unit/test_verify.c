/* SPDX-License-Identifier: Apache-2.0 */
/* test_verify.c - a sound store is said to be sound; each damaged table is found, and the rest looked at all the same. */
#include "lib/test.h"

#include "base/mem.h"
#include "core/filename.h"
#include "lib/jobkit.h"

static void prepare(struct jobkit *k)
{
	struct job_counts counts;

	jobkit_init(k);
	for (unsigned r = 0; r < 6; r++) {
		for (unsigned i = 0; i < JOBKIT_KEYS; i++)
			jobkit_put(k, i, 0);
		assert_int_equal(jobkit_flush(k, &counts), 0);
		if (r == 3)
			jobkit_settle(k, false);
	}
	k->kit.reports = 0;
}

static size_t table_count(const struct version *v)
{
	size_t n = 0;

	for (int l = 0; l < SILT_LEVELS; l++)
		n += v->levels[l].n;
	return n;
}

static struct table_meta *table_at(const struct version *v, size_t i)
{
	int l = 0;

	for (; i >= v->levels[l].n; l++)
		i -= v->levels[l].n;
	return v->levels[l].tables[i];
}

static int verify(struct jobkit *k, silt_progress_fn *progress, void *ctx, struct verify_result *out)
{
	return verify_run(&k->kit.env, k->job.tables, k->version, progress, ctx, out);
}

static void flip(struct jobkit *k, const struct table_meta *m, uint64_t at, uint8_t mask)
{
	char path[FILENAME_MAX_BYTES];

	assert_int_equal(filename_table(k->kit.env.dir, m->number, false, path), 0);
	assert_int_equal(simdisk_flip(k->disk, path, at, mask), 0);
}

static void test_verify__a_sound_store_is_sound(void **state)
{
	struct verify_result r;
	struct jobkit k;

	(void)state;
	prepare(&k);
	assert_int_equal(verify(&k, NULL, NULL, &r), 0);
	assert_int_equal(r.tables, table_count(k.version));
	assert_true(r.tables > 3);
	assert_int_equal(r.entries, jobkit_entries(&k, -1, NULL));
	assert_int_equal(r.damaged, 0);
	assert_int_equal(k.kit.reports, 0);
	jobkit_fini(&k);
}

static void test_verify__an_empty_store_is_sound(void **state)
{
	struct verify_result r;
	struct jobkit k;

	(void)state;
	jobkit_init(&k);
	assert_int_equal(verify(&k, NULL, NULL, &r), 0);
	assert_int_equal(r.tables, 0);
	jobkit_fini(&k);
}

static void test_verify__every_flipped_bit_is_found(void **state)
{
	uint64_t seed = test_seed(9);
	struct jobkit k;

	(void)state;
	prepare(&k);
	for (int round = 0; round < 300; round++) {
		struct table_meta *m = table_at(k.version, test_random(&seed) % table_count(k.version));
		uint64_t at = test_random(&seed) % m->size;
		uint8_t mask = (uint8_t)(1u << test_random(&seed) % 8);
		struct verify_result r;

		flip(&k, m, at, mask);
		assert_int_equal(verify(&k, NULL, NULL, &r), SILT_E_CORRUPT);
		assert_int_equal(r.damaged, 1);
		assert_int_equal(r.tables, table_count(k.version));
		flip(&k, m, at, mask);
	}
	jobkit_fini(&k);
}

static void test_verify__it_goes_on_after_findings(void **state)
{
	size_t tables;
	struct verify_result r;
	struct jobkit k;

	(void)state;
	prepare(&k);
	tables = table_count(k.version);
	for (size_t i = 0; i < tables; i++)
		flip(&k, table_at(k.version, i), 40, 1);
	assert_int_equal(verify(&k, NULL, NULL, &r), SILT_E_CORRUPT);
	assert_int_equal(r.damaged, tables);
	assert_true(k.kit.reports >= tables);
	jobkit_fini(&k);
}

static void test_verify__a_missing_table_is_a_finding(void **state)
{
	char path[FILENAME_MAX_BYTES];
	struct verify_result r;
	struct jobkit k;

	(void)state;
	prepare(&k);
	assert_int_equal(filename_table(k.kit.env.dir, table_at(k.version, 1)->number, false, path), 0);
	assert_int_equal(k.kit.env.os->unlink(k.kit.env.os, path), 0);
	assert_int_equal(verify(&k, NULL, NULL, &r), SILT_E_CORRUPT);
	assert_int_equal(r.damaged, 1);
	assert_non_null(strstr(k.kit.message, path));
	jobkit_fini(&k);
}

struct progress {
	uint64_t last, total;
	unsigned calls, stop_at;
};

static int progress_seen(void *ctx, uint64_t done, uint64_t total)
{
	struct progress *p = ctx;

	assert_true(done >= p->last && done <= total);
	assert_true(p->calls == 0 || total == p->total);
	p->last = done;
	p->total = total;
	return ++p->calls == p->stop_at;
}

static void test_verify__progress_rises_and_can_stop_it(void **state)
{
	struct progress p = { 0 };
	struct verify_result r;
	struct jobkit k;
	unsigned calls;

	(void)state;
	prepare(&k);
	assert_int_equal(verify(&k, progress_seen, &p, &r), 0);
	assert_int_equal(p.last, p.total);
	assert_int_equal(p.total, r.bytes);
	calls = p.calls;
	assert_true(calls >= r.tables);
	for (unsigned n = 1; n <= calls; n++) {
		p = (struct progress){ .stop_at = n };
		assert_int_equal(verify(&k, progress_seen, &p, &r), SILT_END);
		assert_int_equal(p.calls, n);
	}
	jobkit_fini(&k);
}

static void test_verify__failures_are_no_findings(void **state)
{
	struct verify_result r;
	struct jobkit k;
	int rc = SILT_E_NOMEM;

	(void)state;
	prepare(&k);
	simdisk_fail_at(k.disk, SIM_READ, 5, SILT_E_IO, false);
	assert_int_equal(verify(&k, NULL, NULL, &r), SILT_E_IO);
	simdisk_fail_at(k.disk, SIM_READ, 0, 0, false);
	for (uint64_t n = 1; rc == SILT_E_NOMEM; n += n > 30 ? 5 : 1) {
		mem_fail_at(n, false);
		rc = verify(&k, NULL, NULL, &r);
		mem_fail_at(0, false);
	}
	assert_int_equal(rc, 0);
	jobkit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verify__a_sound_store_is_sound),
		cmocka_unit_test(test_verify__an_empty_store_is_sound),
		cmocka_unit_test(test_verify__every_flipped_bit_is_found),
		cmocka_unit_test(test_verify__it_goes_on_after_findings),
		cmocka_unit_test(test_verify__a_missing_table_is_a_finding),
		cmocka_unit_test(test_verify__progress_rises_and_can_stop_it),
		cmocka_unit_test(test_verify__failures_are_no_findings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
