/* SPDX-License-Identifier: Apache-2.0 */
/* test_levels.c - targets, scores and debt, as tables of literal levels (lib/versionkit.h). */
#include "lib/test.h"

#include "job/levels.h"
#include "lib/versionkit.h"

/* Base size 1000, ratio 10, tables of 100 bytes, 4 tables in level 0. */
static struct pick_rules rules_small(void)
{
	return (struct pick_rules){ .compaction_trigger = 4, .level_base_size = 1000, .level_ratio = 10, .table_size = 100 };
}

static void test_levels__targets(void **state)
{
	static const struct {
		const char *levels;
		uint64_t targets[SILT_LEVELS];
	} cases[] = {
		{ "", { 0, 0, 0, 0, 0, 0, 1000 } },
		{ "L6 1:a-b@0-0*1000", { 0, 0, 0, 0, 0, 0, 1000 } },
		{ "L6 1:a-b@0-0*1001", { 0, 0, 0, 0, 0, 100, 1001 } },
		{ "L6 1:a-b@0-0*10000", { 0, 0, 0, 0, 0, 1000, 10000 } },
		{ "L6 1:a-b@0-0*10010", { 0, 0, 0, 0, 100, 1001, 10010 } },
		{ "L6 1:a-b@0-0*4000000000", { 0, 40000, 400000, 4000000, 40000000, 400000000, UINT64_C(4000000000) } },
		{ "L5 1:a-b@0-0*9000", { 0, 0, 0, 0, 0, 0, 1000 } },
	};
	struct pick_rules r = rules_small();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct version *v = versionkit_version(cases[i].levels);
		uint64_t targets[SILT_LEVELS];

		levels_targets(v, &r, targets);
		for (int l = 0; l < SILT_LEVELS; l++)
			assert_int_equal(targets[l], cases[i].targets[l]);
		version_unref(v);
	}
}

static void test_levels__debt(void **state)
{
	static const struct {
		const char *levels;
		uint64_t debt;
	} cases[] = {
		{ "", 0 },
		{ "L0 1:a-z@1-1 2:a-z@2-2 3:a-z@3-3", 0 },
		{ "L0 1:a-z@1-1 2:a-z@2-2 3:a-z@3-3 4:a-z@4-4", 100 },          /* one of four is over */
		{ "L0 1:a-z@1-1 2:a-z@2-2 3:a-z@3-3 4:a-z@4-4 5:a-z@5-5", 200 },
		{ "L0 1:a-z@1-1 2:a-z@2-2 3:a-z@3-3 4:a-z@4-4 L6 9:a-z@0-0*160", 140 },  /* and takes along a quarter of the base */
		{ "L0 1:a-z@1-1 2:a-z@2-2 3:a-z@3-3 4:a-z@4-4 L6 9:a-z@0-0*800", 0 },    /* waits for more */
		{ "L0 1:a-z@1-1*50 2:a-z@2-2*50 3:a-z@3-3*50 4:a-z@4-4*50 5:a-z@5-5*50 6:a-z@6-6*50 7:a-z@7-7*50 8:a-z@8-8*50 L6 9:a-z@0-0*800",
		  50 + 100 },
		{ "L5 1:a-b@5-5*200 L6 9:a-z@1-1*2000", 0 },
		{ "L5 1:a-b@5-5*400 L6 9:a-z@1-1*2000", 200 + 1000 },
		{ "L3 1:a-b@5-5*50", 50 + 50 + 50 },                            /* three levels down */
	};
	struct pick_rules r = rules_small();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct version *v = versionkit_version(cases[i].levels);

		assert_int_equal(levels_debt(v, &r), cases[i].debt);
		version_unref(v);
	}
}

static void test_levels__debt_has_no_jumps_within_a_level(void **state)
{
	struct pick_rules r = rules_small();
	uint64_t last = 0;

	(void)state;
	for (unsigned bytes = 200; bytes < 3000; bytes++) {
		char text[128];
		struct version *v;
		uint64_t debt;

		snprintf(text, sizeof(text), "L5 1:a-b@5-5*%u L6 9:a-z@1-1*2000", bytes);
		v = versionkit_version(text);
		debt = levels_debt(v, &r);
		assert_true(debt >= last && debt <= last + 12);
		last = debt;
		version_unref(v);
	}
}

static void test_levels__who_wants_work(void **state)
{
	static const struct {
		const char *levels;
		int level;
		double score;
		bool work;
	} cases[] = {
		{ "", 0, 0, false },
		{ "L0 1:a-z@1-1 2:a-z@2-2 3:a-z@3-3", 0, 0.75, false },
		{ "L0 1:a-z@1-1 2:a-z@2-2 3:a-z@3-3 4:a-z@4-4", 0, 1, true },
		{ "L0 1:a-z@1-1 2:a-z@2-2 3:a-z@3-3 4:a-z@4-4 L6 9:a-z@0-0*200", 0, 1, true },
		{ "L0 1:a-z@1-1 2:a-z@2-2 3:a-z@3-3 4:a-z@4-4 L6 9:a-z@0-0*202", 0, 0.5, false },
		{ "L5 1:a-b@5-5*200 L6 9:a-z@1-1*2000", 5, 1, false },
		{ "L5 1:a-b@5-5*300 L6 9:a-z@1-1*2000", 5, 1.5, true },
		{ "L3 1:a-b@5-5*50", 3, 2, true },                              /* above the base: empties itself */
		{ "L6 9:a-z@1-1*9000", 6, 0, false },
	};
	struct pick_rules r = rules_small();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct version *v = versionkit_version(cases[i].levels);
		struct levels_view lv = levels_view(v, &r);

		assert_true(levels_score(&lv, cases[i].level) == cases[i].score);
		assert_int_equal(levels_want_work(&lv, cases[i].level), cases[i].work);
		version_unref(v);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels__targets),
		cmocka_unit_test(test_levels__debt),
		cmocka_unit_test(test_levels__debt_has_no_jumps_within_a_level),
		cmocka_unit_test(test_levels__who_wants_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
