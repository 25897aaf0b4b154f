/* SPDX-License-Identifier: Apache-2.0 */
/* test_stall.c - what a write waits for: the judgement as a table of cases, and the wait itself, with its reason and its ends. */
#include "lib/test.h"

#include <pthread.h>
#include <time.h>

#include "db/stall.h"
#include "lib/dbkit.h"

static void stall_pause(void)
{
	struct timespec t = { 0, 5 * 1000000 };

	nanosleep(&t, NULL);
}

/* ---- the judgement ------------------------------------------------------------------------------------------------------------ */

static void test_stall__judgement(void **state)
{
	enum { HALF = 58823529, LAST = 1000000000 };      /* ns a MiB: 1 s / (256 * (1 - s)^4 + 1) MiB for s = 1/2 and 1 */
	static const struct {
		struct stall_state s;     /* sealed, memtables, unflushed, memory, level 0, trigger, debt, soft */
		enum stall_kind kind;
		uint64_t ns_per_mib;
	} cases[] = {
		{ { 0, 3, 0, 3000, 0, 4, 0, 1000 }, STALL_NONE, 0 },
		{ { 2, 3, 1500, 3000, 12, 4, 1000, 1000 }, STALL_NONE, 0 },           /* at the soft limits, not beyond */
		{ { 3, 3, 0, 3000, 0, 4, 0, 1000 }, STALL_SEALED, 0 },
		{ { 4, 3, 0, 3000, 0, 4, 0, 1000 }, STALL_SEALED, 0 },
		{ { 2, 3, 2250, 3000, 0, 4, 0, 1000 }, STALL_PACE_FLUSH, HALF },      /* half way from half the memory to all of it */
		{ { 2, 3, 3000, 3000, 0, 4, 0, 1000 }, STALL_PACE_FLUSH, LAST },      /* no stop: a rotation would be the stop */
		{ { 0, 3, 0, 3000, 24, 4, 0, 1000 }, STALL_PACE, HALF },              /* half way from 3 to 9 times the trigger */
		{ { 0, 3, 0, 3000, 18, 4, 0, 1000 }, STALL_PACE, 12195121 },          /* a quarter: 256 * 81 / 256 + 1 = 82 MiB/s */
		{ { 0, 3, 0, 3000, 36, 4, 0, 1000 }, STALL_LEVEL0, LAST },
		{ { 0, 3, 0, 3000, 99, 4, 0, 1000 }, STALL_LEVEL0, LAST },
		{ { 0, 3, 0, 3000, 0, 4, 2500, 1000 }, STALL_PACE, HALF },            /* half way from once to four times soft */
		{ { 0, 3, 0, 3000, 0, 4, 4000, 1000 }, STALL_DEBT, LAST },
		{ { 0, 3, 0, 3000, 18, 4, 2500, 1000 }, STALL_PACE, HALF },           /* the greatest one */
		{ { 0, 3, 0, 3000, 24, 4, 1750, 1000 }, STALL_PACE, HALF },
		{ { 2, 3, 2250, 3000, 18, 4, 1750, 1000 }, STALL_PACE_FLUSH, HALF },
		{ { 0, 3, 0, 3000, 36, 4, 4000, 1000 }, STALL_LEVEL0, LAST },
		{ { 3, 3, 0, 3000, 36, 4, 4000, 1000 }, STALL_SEALED, LAST },         /* what is over soonest */
		{ { 0, 3, 0, 3000, 0, 4, UINT64_MAX, UINT64_MAX / 8 }, STALL_DEBT, LAST },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint64_t ns = 77;

		if (stall_judge(&cases[i].s, &ns) != cases[i].kind || ns != cases[i].ns_per_mib)
			fail_msg("case %zu: %s, %llu ns", i, stall_name(stall_judge(&cases[i].s, &ns)), (unsigned long long)ns);
	}
}

/* Nothing, then from 257 MiB/s down to 1 without a jump: more debt never means a faster rate. */
static void test_stall__pace_is_smooth(void **state)
{
	struct stall_state s = { .memtables = 3, .memory = 3 << 20, .trigger = 4, .debt_soft = 1 << 20 };
	uint64_t before = 0, ns;

	(void)state;
	for (s.debt = 0; s.debt < 5 << 20; s.debt += 1 << 10) {
		enum stall_kind kind = stall_judge(&s, &ns);

		assert_true(ns >= before);
		assert_true(before == 0 ? ns < 4000000 : ns - before <= before / 64 + 1);     /* steps of less than two parts in a hundred */
		assert_true(ns <= 1000000000);
		assert_int_equal(kind, s.debt >= 4 << 20 ? STALL_DEBT : ns ? STALL_PACE : STALL_NONE);
		before = ns;
	}
	assert_int_equal(before, 1000000000);
}

static void test_stall__each_kind_has_a_name_that_fits_the_stats(void **state)
{
	struct silt_stats s;

	(void)state;
	assert_string_equal(stall_name(STALL_NONE), "");
	for (int a = STALL_PACE_FLUSH; a <= STALL_DEBT; a++) {
		assert_true(strlen(stall_name(a)) > 0 && strlen(stall_name(a)) < sizeof(s.stall_reason));
		for (int b = STALL_NONE; b < a; b++)
			assert_string_not_equal(stall_name(a), stall_name(b));
	}
}

static void test_stall__memtables_come_from_a_quarter_of_the_memory(void **state)
{
	static const struct {
		uint64_t memory, memtable, limit;
	} cases[] = {
		{ 256 << 20, 32 << 20, 3 }, { 256 << 20, 16 << 20, 5 }, { 1 << 30, 32 << 20, 9 }, { UINT64_C(8) << 30, 32 << 20, 9 },
		{ 8 << 20, 64 << 10, 9 }, { 8 << 20, 1 << 30, 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct silt_options o = { .memory = cases[i].memory, .memtable_size = cases[i].memtable };

		assert_int_equal(stall_memtables(&o), cases[i].limit);
	}
}

/* ---- the wait --------------------------------------------------------------------------------------------------------------------- */

struct stall_writer {
	struct dbkit *k;
	pthread_t thread;
	int rc;
};

static void *stall_write(void *arg)
{
	struct stall_writer *w = arg;

	w->rc = dbkit_put(w->k, "waits", "v");
	return NULL;
}

/* As many memtables wait for their flush as may, and flushes fail (an output is read back before it is installed). */
static void stall_begin(struct dbkit *k)
{
	struct silt_stats s = { 0 };

	dbkit_init(k);
	k->opts.memtable_size = 2 << 20;          /* a limit of three, the active one with them */
	assert_int_equal(dbkit_open(k), 0);
	simdisk_fail_at(k->disk, SIM_READ, 1, SILT_E_IO, true);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(dbkit_put(k, i ? "b" : "a", "v"), 0);
		assert_int_equal(silt_flush(k->db), SILT_E_IO);
	}
	silt_stats(k->db, &s);
	assert_int_equal(s.sealed_memtables, 3);
	assert_string_equal(s.stall_reason, "");
}

static void stall_start(struct dbkit *k, struct stall_writer *w)
{
	struct silt_stats s;

	*w = (struct stall_writer){ .k = k, .rc = 1000 };
	assert_int_equal(pthread_create(&w->thread, NULL, stall_write, w), 0);
	for (int i = 0; i < 20000; i++) {
		silt_stats(k->db, &s);
		if (s.stall_reason[0])
			break;
		stall_pause();
	}
	assert_string_equal(s.stall_reason, stall_name(STALL_SEALED));
	assert_int_equal(w->rc, 1000);
}

static void test_stall__a_write_waits_for_a_flush_and_goes_on(void **state)
{
	struct stall_writer w;
	struct silt_stats s;
	struct dbkit k;

	(void)state;
	stall_begin(&k);
	stall_start(&k, &w);
	assert_string_equal(dbkit_get(&k, "a"), "v");     /* readers wait for nothing */
	simdisk_fail_at(k.disk, SIM_READ, 0, 0, false);
	assert_int_equal(pthread_join(w.thread, NULL), 0);
	assert_int_equal(w.rc, 0);
	silt_stats(k.db, &s);
	assert_string_equal(s.stall_reason, "");
	assert_int_equal(s.stalls_by[SILT_STALL_MEMTABLE], 1);
	assert_true(s.stall_ns > 0);
	assert_string_equal(dbkit_get(&k, "waits"), "v");
	dbkit_fini(&k);
}

static void test_stall__a_full_disk_ends_it_at_once(void **state)
{
	struct silt_stats s;
	struct dbkit k;
	int rc = 0;

	(void)state;
	stall_begin(&k);
	for (int i = 0; i < 100 && rc != SILT_E_NOSPACE; i++) {   /* a flush of its own may say E_IO in between */
		mutex_lock(&k.db->mu);
		k.db->flush_error = SILT_E_NOSPACE;
		mutex_unlock(&k.db->mu);
		rc = dbkit_put(&k, "c", "refused");
	}
	assert_int_equal(rc, SILT_E_NOSPACE);
	silt_stats(k.db, &s);
	assert_string_equal(s.stall_reason, stall_name(STALL_SEALED));
	assert_int_equal(s.fault, 0);
	assert_null(dbkit_get(&k, "c"));
	simdisk_fail_at(k.disk, SIM_READ, 0, 0, false);
	assert_int_equal(silt_flush(k.db), 0);
	assert_int_equal(dbkit_put(&k, "c", "taken"), 0);
	silt_stats(k.db, &s);
	assert_string_equal(s.stall_reason, "");
	dbkit_fini(&k);
}

static void test_stall__a_fault_ends_it(void **state)
{
	struct stall_writer w;
	struct dbkit k;

	(void)state;
	stall_begin(&k);
	stall_start(&k, &w);
	(void)db_set_fault(k.db, SILT_E_IO, "something else");
	assert_int_equal(pthread_join(w.thread, NULL), 0);
	assert_int_equal(w.rc, SILT_E_FAULT);
	assert_null(dbkit_get(&k, "waits"));
	dbkit_fini(&k);
}

/* What brings no bytes waits for nothing; nor does a close. */
static void test_stall__syncs_do_not_wait(void **state)
{
	struct dbkit k;

	(void)state;
	stall_begin(&k);
	assert_int_equal(silt_sync(k.db), 0);             /* no admission */
	simdisk_fail_at(k.disk, SIM_READ, 0, 0, false);
	assert_int_equal(dbkit_close(&k), 0);
	assert_int_equal(dbkit_open(&k), 0);
	assert_string_equal(dbkit_get(&k, "b"), "v");
	dbkit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stall__judgement),
		cmocka_unit_test(test_stall__pace_is_smooth),
		cmocka_unit_test(test_stall__each_kind_has_a_name_that_fits_the_stats),
		cmocka_unit_test(test_stall__memtables_come_from_a_quarter_of_the_memory),
		cmocka_unit_test(test_stall__a_write_waits_for_a_flush_and_goes_on),
		cmocka_unit_test(test_stall__a_full_disk_ends_it_at_once),
		cmocka_unit_test(test_stall__a_fault_ends_it),
		cmocka_unit_test(test_stall__syncs_do_not_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
