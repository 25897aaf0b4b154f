/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_compact.c - picks carried out: what each reader sees is the same before and after, against the whole history; what can go
 * is gone; outputs are cut as drawn; and nothing is left when anything fails.
 */
#include "lib/test.h"

#include "base/mem.h"
#include "core/filename.h"
#include "lib/jobkit.h"

/* A pick made by hand: all tables of `level` into output_level with all that is there. */
static struct pick pick_all(const struct version *v, int level, int output_level)
{
	const struct version_level *up = &v->levels[level], *low = &v->levels[output_level];
	struct pick p = { .reason = PICK_MANUAL, .level = level, .output_level = output_level, .upper_n = up->n };

	p.input_n = up->n + (level == output_level ? 0 : low->n);
	p.inputs = mem_array(p.input_n, sizeof(*p.inputs));
	assert_non_null(p.inputs);
	for (size_t i = 0; i < p.input_n; i++)
		p.inputs[i] = table_meta_ref(i < up->n ? up->tables[i] : low->tables[i - up->n]);
	return p;
}

static int compact_all(struct jobkit *k, int level, int output_level, struct job_counts *counts)
{
	struct pick p = pick_all(k->version, level, output_level);
	int rc = jobkit_compact(k, &p, counts);

	pick_fini(&p);
	return rc;
}

static void fill(struct jobkit *k, unsigned rounds)
{
	struct job_counts counts;

	for (unsigned r = 0; r < rounds; r++) {
		for (unsigned i = 0; i < JOBKIT_KEYS; i++)
			jobkit_put(k, i, 0);
		assert_int_equal(jobkit_flush(k, &counts), 0);
	}
}

/* ---- the twin ----------------------------------------------------------------------------------------------------------- */

static void twin_write(struct jobkit *k, uint64_t *seed)
{
	unsigned base = (unsigned)(test_random(seed) % JOBKIT_KEYS), span = 1 + (unsigned)(test_random(seed) % JOBKIT_KEYS);

	for (uint64_t n = 1 + test_random(seed) % 60; n > 0; n--) {
		unsigned key = (base + (unsigned)(test_random(seed) % span)) % JOBKIT_KEYS;

		if (test_random(seed) % 24 == 0)
			jobkit_delete_range(k, key, key + 1 + (unsigned)(test_random(seed) % (JOBKIT_KEYS - key)));
		switch (test_random(seed) % 8) {
		case 0:
		case 1:
		case 2:
			jobkit_delete(k, key);
			break;
		case 3:
			jobkit_put(k, key, k->now_ms - 1000 + test_random(seed) % 100000);
			break;
		default:
			jobkit_put(k, key, 0);
		}
	}
}

static void twin_step(struct jobkit *k, uint64_t *seed)
{
	struct pick_rules r;
	struct job_counts counts;
	struct pick p;

	switch (test_random(seed) % 8) {
	case 0:
		jobkit_snapshot(k);
		break;
	case 1:
		jobkit_release(k, test_random(seed) % JOBKIT_READERS);
		break;
	case 2:
		k->now_ms += test_random(seed) % 50000;
		break;
	case 3:
	case 4:
		r = jobkit_rules(k);
		r.manual = test_random(seed) % 16 == 0;
		r.manual_before = k->next_number;
		r.manual_version = k->last_version;
		if (k->reader_count > 0 && pick_compaction(k->version, &r, &p) == 0) {
			assert_int_equal(jobkit_compact(k, &p, &counts), 0);
			pick_fini(&p);
		}
		break;
	default:
		twin_write(k, seed);
		assert_int_equal(jobkit_flush(k, &counts), 0);
	}
}

static void test_compact__every_reader_sees_the_same(void **state)
{
	uint64_t seed = test_seed(2);
	struct jobkit k;

	(void)state;
	jobkit_init(&k);
	for (unsigned step = 0; step < 600 * test_scale(); step++) {
		twin_step(&k, &seed);
		jobkit_check(&k);
		if (step % 100 == 99) {
			jobkit_settle(&k, false);
			jobkit_check(&k);
			assert_int_equal(jobkit_strays(&k), 0);
		}
	}
	jobkit_fini(&k);
}

static void test_compact__by_hand_all_that_is_dead_goes(void **state)
{
	uint64_t seed = test_seed(4), tombstones;
	struct jobkit k;

	(void)state;
	jobkit_init(&k);
	for (unsigned step = 0; step < 100; step++)
		twin_step(&k, &seed);
	while (k.reader_count > 1)
		jobkit_release(&k, 0);
	k.now_ms += 1000000;                                    /* all that can expire has */
	jobkit_settle(&k, true);
	jobkit_check(&k);
	assert_int_equal(jobkit_entries(&k, -1, &tombstones), jobkit_entries(&k, SILT_LEVELS - 1, NULL));
	assert_int_equal(tombstones, 0);
	assert_true(jobkit_entries(&k, -1, NULL) <= JOBKIT_KEYS);
	assert_int_equal(jobkit_range_deletes(&k), 0);
	for (size_t i = 0; i < k.version->levels[SILT_LEVELS - 1].n; i++)
		assert_int_equal(k.version->levels[SILT_LEVELS - 1].tables[i]->expiring, 0);
	jobkit_fini(&k);
}

/* ---- what goes without being asked ---------------------------------------------------------------------------------------- */

static void test_compact__a_store_of_deletes_empties_itself(void **state)
{
	struct job_counts counts;
	struct jobkit k;

	(void)state;
	jobkit_init(&k);
	fill(&k, 5);
	jobkit_settle(&k, false);
	for (unsigned i = 0; i < JOBKIT_KEYS; i++)
		jobkit_delete(&k, i);
	assert_int_equal(jobkit_flush(&k, &counts), 0);
	jobkit_settle(&k, false);
	assert_int_equal(jobkit_entries(&k, -1, NULL), 0);
	assert_int_equal(jobkit_strays(&k), 0);
	jobkit_check(&k);
	jobkit_fini(&k);
}

static void test_compact__a_store_of_expired_entries_empties_itself(void **state)
{
	struct job_counts counts;
	struct jobkit k;

	(void)state;
	jobkit_init(&k);
	for (unsigned i = 0; i < JOBKIT_KEYS; i++)
		jobkit_put(&k, i, k.now_ms + 5000);
	assert_int_equal(jobkit_flush(&k, &counts), 0);
	jobkit_settle(&k, false);
	assert_int_equal(jobkit_entries(&k, -1, NULL), JOBKIT_KEYS);
	k.now_ms += 5000 + JOBKIT_GRACE - 1;
	assert_int_equal(jobkit_settle(&k, false), 0);
	k.now_ms += 60000;
	assert_true(jobkit_settle(&k, false) > 0);
	assert_int_equal(jobkit_entries(&k, -1, NULL), 0);
	jobkit_fini(&k);
}

static void test_compact__a_snapshot_holds_and_its_end_lets_go(void **state)
{
	struct job_counts counts;
	struct jobkit k;

	(void)state;
	jobkit_init(&k);
	fill(&k, 1);
	jobkit_snapshot(&k);
	for (unsigned i = 0; i < JOBKIT_KEYS; i++)
		jobkit_delete(&k, i);
	assert_int_equal(jobkit_flush(&k, &counts), 0);
	jobkit_settle(&k, false);
	assert_int_equal(jobkit_settle(&k, true) > 0, true);
	assert_int_equal(jobkit_entries(&k, -1, NULL), 2 * JOBKIT_KEYS);
	assert_int_equal(jobkit_settle(&k, false), 0);           /* nothing to be had: no loop */
	jobkit_check(&k);
	jobkit_release(&k, 0);
	jobkit_settle(&k, false);
	assert_int_equal(jobkit_entries(&k, -1, NULL), 0);
	jobkit_check(&k);
	jobkit_fini(&k);
}

/* ---- outputs ------------------------------------------------------------------------------------------------------------ */

static void test_compact__outputs_are_cut_at_table_size_between_keys(void **state)
{
	struct job_counts counts;
	struct jobkit k;
	const struct version_level *l;

	(void)state;
	jobkit_init(&k);
	for (unsigned r = 0; r < 6; r++) {
		fill(&k, 1);
		jobkit_snapshot(&k);                            /* so that all versions stay */
	}
	assert_int_equal(compact_all(&k, 0, 6, &counts), 0);
	l = &k.version->levels[6];
	assert_int_equal(counts.entries_in, 6 * JOBKIT_KEYS);
	assert_int_equal(counts.entries_out, 6 * JOBKIT_KEYS);
	assert_true(l->n > 10 && counts.bytes_written == l->bytes);
	for (size_t i = 0; i < l->n; i++) {
		assert_int_equal(l->tables[i]->entries % 6, 0);
		assert_true(l->tables[i]->size < 2 * 4096 + 1024);
	}
	jobkit_check(&k);
	jobkit_fini(&k);
}

static void test_compact__outputs_end_where_the_level_below_is_cut(void **state)
{
	struct job_counts counts;
	struct jobkit k;
	size_t aligned = 0;

	(void)state;
	jobkit_init(&k);
	k.kit.env.opts.table_size = 1500;
	fill(&k, 1);
	assert_int_equal(compact_all(&k, 0, 6, &counts), 0);
	k.kit.env.opts.table_size = 2 * 4096;
	fill(&k, 1);
	assert_int_equal(compact_all(&k, 0, 5, &counts), 0);
	assert_true(k.version->levels[5].n > 1 && k.version->levels[6].n > 4);
	for (size_t i = 0; i + 1 < k.version->levels[5].n; i++)
		for (size_t j = 0; j < k.version->levels[6].n; j++)
			aligned += slice_eq(k.version->levels[5].tables[i]->largest, k.version->levels[6].tables[j]->largest);
	assert_int_equal(aligned, k.version->levels[5].n - 1);
	jobkit_check(&k);
	jobkit_fini(&k);
}

static void test_compact__an_output_meets_ten_tables_below_at_most(void **state)
{
	struct job_counts counts;
	struct jobkit k;

	(void)state;
	jobkit_init(&k);
	k.kit.env.opts.table_size = 600;
	k.kit.env.opts.block_size = 1024;
	fill(&k, 1);
	assert_int_equal(compact_all(&k, 0, 6, &counts), 0);    /* about a table for each key or two */
	for (unsigned i = 0; i < JOBKIT_KEYS; i += 16)
		jobkit_delete(&k, i);
	assert_int_equal(jobkit_flush(&k, &counts), 0);
	assert_int_equal(compact_all(&k, 0, 5, &counts), 0);
	assert_true(k.version->levels[5].n > 1);
	for (size_t i = 0; i < k.version->levels[5].n; i++) {
		const struct table_meta *m = k.version->levels[5].tables[i];
		size_t first, last;
		uint64_t bytes = 0;

		version_overlap(&k.version->levels[6], m->smallest, m->largest, &first, &last);
		for (; first < last; first++)
			bytes += k.version->levels[6].tables[first]->size;
		assert_true(bytes < 12 * 600 + 2048);
	}
	jobkit_check(&k);
	jobkit_fini(&k);
}

static void test_compact__a_move_changes_the_level_alone(void **state)
{
	struct job_counts counts;
	struct table_meta *m;
	struct jobkit k;
	struct pick p;

	(void)state;
	jobkit_init(&k);
	fill(&k, 1);
	m = k.version->levels[0].tables[0];
	p = pick_all(k.version, 0, 3);
	p.move = true;
	assert_int_equal(jobkit_compact(&k, &p, &counts), 0);
	pick_fini(&p);
	assert_ptr_equal(k.version->levels[3].tables[0], m);
	assert_int_equal(k.version->levels[0].n, 0);
	assert_int_equal(counts.bytes_read + counts.bytes_written + counts.entries_in, 0);
	jobkit_check(&k);
	jobkit_fini(&k);
}

/* Bytes of level 5 after a merge into it, over an empty or a covered level 6. */
static uint64_t compact_packed(enum silt_compression upper, enum silt_compression bottom, bool covered)
{
	struct job_counts counts;
	struct jobkit k;
	uint64_t bytes;

	jobkit_init(&k);
	k.kit.env.opts.compression = upper;
	k.kit.env.opts.compression_bottom = bottom;
	fill(&k, 1);
	if (covered)
		assert_int_equal(compact_all(&k, 0, 6, &counts), 0);
	fill(&k, 1);
	assert_int_equal(compact_all(&k, 0, 5, &counts), 0);
	bytes = k.version->levels[5].bytes;
	jobkit_check(&k);
	jobkit_fini(&k);
	return bytes;
}

static void test_compact__the_last_level_has_its_own_compression(void **state)
{
	(void)state;
	assert_true(compact_packed(SILT_COMPRESS_NONE, SILT_COMPRESS_ZSTD, false) < compact_packed(SILT_COMPRESS_ZSTD, SILT_COMPRESS_NONE, false));
	assert_true(compact_packed(SILT_COMPRESS_ZSTD, SILT_COMPRESS_NONE, true) < compact_packed(SILT_COMPRESS_NONE, SILT_COMPRESS_ZSTD, true));
}

/* ---- range deletes ------------------------------------------------------------------------------------------------------ */

/* Level 6 in several tables, and over them a range delete that takes keys from..to - 1. */
static void range_over(struct jobkit *k, unsigned from, unsigned to)
{
	struct job_counts counts;

	jobkit_init(k);
	fill(k, 1);
	assert_int_equal(compact_all(k, 0, 6, &counts), 0);
	assert_true(k->version->levels[6].n >= 3);
	jobkit_delete_range(k, from, to);
	assert_int_equal(jobkit_flush(k, &counts), 0);
	assert_int_equal(k->version->levels[0].n, 1);
	assert_int_equal(jobkit_entries(k, 0, NULL), 0);
	jobkit_check(k);
}

static void test_compact__what_a_range_delete_hides_whole_is_not_read(void **state)
{
	struct job_counts counts;
	struct jobkit k;
	uint64_t bytes;

	(void)state;
	range_over(&k, 0, JOBKIT_KEYS);
	assert_int_equal(compact_all(&k, 0, 6, &counts), 0);
	assert_int_equal(counts.entries_in, 0);
	assert_int_equal(counts.dropped, JOBKIT_KEYS);
	assert_int_equal(jobkit_entries(&k, -1, NULL) + jobkit_range_deletes(&k), 0);
	assert_int_equal(k.version->levels[6].n, 0);
	assert_int_equal(jobkit_strays(&k), 0);
	jobkit_check(&k);
	jobkit_fini(&k);
	range_over(&k, 1, JOBKIT_KEYS - 1);                     /* but for the first and the last table */
	bytes = k.version->levels[6].tables[0]->size + k.version->levels[6].tables[k.version->levels[6].n - 1]->size;
	bytes += k.version->levels[0].tables[0]->size;
	assert_int_equal(compact_all(&k, 0, 6, &counts), 0);
	assert_int_equal(counts.bytes_read, bytes);
	assert_int_equal(counts.dropped, JOBKIT_KEYS - 2);
	assert_int_equal(jobkit_entries(&k, -1, NULL), 2);
	assert_int_equal(jobkit_range_deletes(&k), 0);
	jobkit_check(&k);
	jobkit_fini(&k);
}

/* Where a reader below it still sees what it hides, all is read and kept, and it too. */
static void test_compact__a_reader_below_a_range_delete(void **state)
{
	struct job_counts counts;
	struct jobkit k;

	(void)state;
	jobkit_init(&k);
	fill(&k, 1);
	jobkit_snapshot(&k);
	jobkit_delete_range(&k, 8, 40);
	assert_int_equal(jobkit_flush(&k, &counts), 0);
	assert_int_equal(compact_all(&k, 0, 6, &counts), 0);
	assert_int_equal(counts.dropped, 0);
	assert_true(jobkit_range_deletes(&k) > 1);              /* in pieces, one a table */
	for (size_t i = 0; i < k.version->levels[6].n; i++) {
		const struct table_meta *m = k.version->levels[6].tables[i];

		assert_true(m->smallest.len <= 9 && m->largest.len <= 9);
	}
	jobkit_check(&k);
	jobkit_release(&k, 0);
	jobkit_settle(&k, true);
	assert_int_equal(jobkit_range_deletes(&k), 0);
	assert_int_equal(jobkit_entries(&k, -1, NULL), JOBKIT_KEYS - 32);
	jobkit_check(&k);
	jobkit_fini(&k);
}

/* Above a level that it reaches into it stays; above nothing it goes. */
static void test_compact__a_range_delete_goes_where_nothing_lies_below(void **state)
{
	struct job_counts counts;
	struct jobkit k;

	(void)state;
	range_over(&k, 10, 30);
	assert_int_equal(compact_all(&k, 0, 5, &counts), 0);
	assert_int_equal(jobkit_range_deletes(&k), 1);
	assert_int_equal(k.version->levels[5].tables[0]->entries, 0);
	jobkit_check(&k);
	assert_int_equal(compact_all(&k, 5, 6, &counts), 0);
	assert_int_equal(jobkit_range_deletes(&k), 0);
	assert_int_equal(jobkit_entries(&k, -1, NULL), JOBKIT_KEYS - 20);
	jobkit_check(&k);
	jobkit_fini(&k);
	jobkit_init(&k);
	jobkit_delete_range(&k, 10, 30);
	assert_int_equal(jobkit_flush(&k, &counts), 0);
	assert_int_equal(compact_all(&k, 0, 4, &counts), 0);
	assert_int_equal(jobkit_range_deletes(&k), 0);
	jobkit_fini(&k);
}

/* It is asked for by itself: a table of a range delete over what it hides goes down at once. */
static void test_compact__space_comes_back_unasked(void **state)
{
	struct jobkit k;

	(void)state;
	range_over(&k, 3, 60);
	assert_true(jobkit_settle(&k, false) > 0);
	assert_int_equal(jobkit_range_deletes(&k), 0);
	assert_int_equal(jobkit_entries(&k, -1, NULL), 3 + JOBKIT_KEYS - 60);
	jobkit_check(&k);
	jobkit_fini(&k);
}

/* ---- failures ----------------------------------------------------------------------------------------------------------- */

/* Four tables in level 0 over six in level 6. */
static void prepare(struct jobkit *k)
{
	struct job_counts counts;

	jobkit_init(k);
	fill(k, 2);
	jobkit_snapshot(k);
	assert_int_equal(compact_all(k, 0, 6, &counts), 0);
	fill(k, 3);
	for (unsigned i = 0; i < JOBKIT_KEYS; i += 3)
		jobkit_delete(k, i);
	jobkit_delete_range(k, 20, 33);
	assert_int_equal(jobkit_flush(k, &counts), 0);
}

static uint64_t compact_failing(uint64_t n, int code, unsigned *failed)
{
	struct job_counts counts;
	struct jobkit k;
	uint64_t calls;
	int rc;

	prepare(&k);
	calls = simdisk_calls(k.disk, SIM_ANY);
	k.kit.reports = 0;
	simdisk_fail_at(k.disk, SIM_ANY, n, code, false);
	rc = compact_all(&k, 0, 6, &counts);
	simdisk_fail_at(k.disk, SIM_ANY, 0, 0, false);
	calls = simdisk_calls(k.disk, SIM_ANY) - calls;
	if (rc < 0) {
		++*failed;
		assert_int_equal(rc, code);
		assert_int_equal(counts.damaged_table, 0);
		assert_int_equal(jobkit_strays(&k), 0);
		assert_true(k.kit.reports > 0);
		jobkit_check(&k);
		assert_int_equal(compact_all(&k, 0, 6, &counts), 0);
	}
	jobkit_check(&k);
	jobkit_fini(&k);
	return calls;
}

static void test_compact__the_nth_call_fails_and_nothing_is_left(void **state)
{
	unsigned failed = 0;
	uint64_t calls = compact_failing(0, 0, &failed);

	(void)state;
	for (uint64_t n = 1; n <= calls; n++)
		compact_failing(n, n % 2 ? SILT_E_IO : SILT_E_NOSPACE, &failed);
	assert_true(failed > 40);
}

static void test_compact__the_nth_allocation_fails_and_nothing_is_left(void **state)
{
	int rc = SILT_E_NOMEM;
	uint64_t n, step = 1;

	(void)state;
	for (n = 1; rc == SILT_E_NOMEM; n += step) {
		struct job_counts counts;
		struct jobkit k;
		struct edit e;
		struct pick p;

		prepare(&k);
		edit_init(&e);
		p = pick_all(k.version, 0, 6);
		mem_fail_at(n, false);
		rc = compact_run(&k.job, k.version, &p, &e, &counts);
		mem_fail_at(0, false);
		if (rc < 0) {
			assert_int_equal(rc, SILT_E_NOMEM);
			assert_int_equal(e.add_count + e.drop_count, 0);
			assert_int_equal(jobkit_strays(&k), 0);
			jobkit_check(&k);
		}
		if (n > 60)
			step = 7;
		edit_fini(&e);
		pick_fini(&p);
		jobkit_fini(&k);
	}
	assert_int_equal(rc, 0);
	assert_true(n > 20);
}

static void test_compact__a_damaged_input_is_named_and_stays(void **state)
{
	uint64_t seed = test_seed(8);

	(void)state;
	for (int round = 0; round < 60; round++) {
		struct job_counts counts;
		char path[FILENAME_MAX_BYTES];
		struct table_meta *m;
		struct jobkit k;
		uint64_t at;
		int level, rc;

		prepare(&k);
		level = round % 2 ? 6 : 0;
		m = k.version->levels[level].tables[test_random(&seed) % k.version->levels[level].n];
		at = test_random(&seed) % m->size;
		assert_int_equal(filename_table(k.kit.env.dir, m->number, false, path), 0);
		assert_int_equal(simdisk_flip(k.disk, path, at, (uint8_t)(1u << test_random(&seed) % 8)), 0);
		rc = compact_all(&k, 0, 6, &counts);
		if (rc == 0) {                                  /* a damaged filter is no part of what is merged */
			jobkit_check(&k);
		} else {
			assert_int_equal(rc, SILT_E_CORRUPT);
			assert_int_equal(counts.damaged_table, m->number);
			assert_int_equal(jobkit_strays(&k), 0);
			assert_non_null(strstr(k.kit.message, path));
		}
		jobkit_fini(&k);
	}
}

static void test_compact__asked_to_stop_it_stops(void **state)
{
	struct job_counts counts;
	struct jobkit k;

	(void)state;
	prepare(&k);
	for (uint64_t n = 1; n < 8; n++) {
		k.stop_after = n;
		assert_int_equal(compact_all(&k, 0, 6, &counts), SILT_E_CLOSED);
		assert_int_equal(jobkit_strays(&k), 0);
	}
	k.stop_after = 0;
	k.paced = 0;
	assert_int_equal(compact_all(&k, 0, 6, &counts), 0);
	assert_true(k.paced >= counts.bytes_written);
	jobkit_check(&k);
	jobkit_fini(&k);
}

static void test_compact__an_input_that_lost_entries_is_refused(void **state)
{
	struct job_counts counts;
	struct jobkit k;
	struct pick p;

	(void)state;
	prepare(&k);
	p = pick_all(k.version, 0, 6);
	p.inputs[0]->entries++;                                 /* the manifest says there is one more */
	assert_int_equal(jobkit_compact(&k, &p, &counts), SILT_E_CORRUPT);
	assert_int_equal(jobkit_strays(&k), 0);
	p.inputs[0]->entries--;
	pick_fini(&p);
	jobkit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compact__every_reader_sees_the_same),
		cmocka_unit_test(test_compact__by_hand_all_that_is_dead_goes),
		cmocka_unit_test(test_compact__a_store_of_deletes_empties_itself),
		cmocka_unit_test(test_compact__a_store_of_expired_entries_empties_itself),
		cmocka_unit_test(test_compact__a_snapshot_holds_and_its_end_lets_go),
		cmocka_unit_test(test_compact__outputs_are_cut_at_table_size_between_keys),
		cmocka_unit_test(test_compact__outputs_end_where_the_level_below_is_cut),
		cmocka_unit_test(test_compact__an_output_meets_ten_tables_below_at_most),
		cmocka_unit_test(test_compact__a_move_changes_the_level_alone),
		cmocka_unit_test(test_compact__what_a_range_delete_hides_whole_is_not_read),
		cmocka_unit_test(test_compact__a_reader_below_a_range_delete),
		cmocka_unit_test(test_compact__a_range_delete_goes_where_nothing_lies_below),
		cmocka_unit_test(test_compact__space_comes_back_unasked),
		cmocka_unit_test(test_compact__the_last_level_has_its_own_compression),
		cmocka_unit_test(test_compact__the_nth_call_fails_and_nothing_is_left),
		cmocka_unit_test(test_compact__the_nth_allocation_fails_and_nothing_is_left),
		cmocka_unit_test(test_compact__a_damaged_input_is_named_and_stays),
		cmocka_unit_test(test_compact__asked_to_stop_it_stops),
		cmocka_unit_test(test_compact__an_input_that_lost_entries_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
