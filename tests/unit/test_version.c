/* SPDX-License-Identifier: Apache-2.0 */
/* test_version.c - order, searching, and each invariant with an edit that breaks it. Texts are versionkit.h's. */
#include "lib/test.h"

#include "base/mem.h"
#include "lib/versionkit.h"

static void test_version__levels_are_put_in_order(void **state)
{
	static const struct {
		const char *base, *edit, *next;
	} cases[] = {
		{ "", "", "" },
		{ "", "L0 1:a-c@1-2 2:a-c@3-4 3:a-c@5-9", "L0 3 2 1" },
		{ "", "L0 3:d-e@7-7 4:a-b@7-7", "L0 4 3" },                              /* same max_version: by number */
		{ "", "L1 1:p-z@4-4 2:a-c@9-9 3:f-k@7-7", "L1 2 3 1" },
		{ "L1 9:a-c@9-9 7:f-k@7-7 4:p-z@4-4", "L1 -7 12:f-h@7-7 13:i-k@7-7", "L1 9 12 13 4" },
		{ "L0 5:a-z@5-9 4:a-z@1-3 L6 3:a-z@0-0", "L0 -4 L6 -3 6:a-m@0-3 7:n-z@0-3", "L0 5 L6 6 7" },
		{ "L0 5:a-z@5-9", "L0 -5 L3 5:a-z@5-9", "L3 5" },                        /* a move */
		{ "L2 5:a-c@5-9 6:d-f@1-2", "L2 -5 -6", "" },
		{ "L1 1:a-b@1-1", "L1 2:bb-c@1-1", "L1 1 2" },                           /* "b" ends before "bb" */
		{ "L1 1:b-d@1-1", "L1 2:a-a@1-1 3:e-e@1-1", "L1 2 1 3" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char message[1024];
		struct reporter rep = versionkit_reporter(message);
		struct version *base = versionkit_version(cases[i].base), *next;

		assert_int_equal(versionkit_apply(base, cases[i].edit, &rep, &next), 0);
		assert_string_equal(versionkit_text(next), cases[i].next);
		assert_int_equal(version_check(next, &rep), 0);
		version_unref(base);
		version_unref(next);
	}
}

static void test_version__what_breaks_an_invariant_is_refused(void **state)
{
	static const struct {
		const char *base, *edit, *says;
	} cases[] = {
		/* (1) */
		{ "L0 1:a-m@5-9", "L0 2:k-z@8-12", "overlap in keys and versions" },
		{ "L0 1:a-m@5-9", "L0 2:m-z@9-9", "overlap in keys and versions" },
		/* (2) */
		{ "L1 1:a-c@1-1", "L1 2:c-d@1-1", "overlap" },
		{ "L1 1:b-c@1-1 2:d-e@1-1", "L1 3:a-z@1-1", "overlap" },
		{ "L1 1:a-z@1-1", "L1 3:m-n@1-1", "overlap" },
		{ "L1 1:a-c@1-1", "L1 3:a-b@1-1", "overlap" },
		{ "", "L4 1:a-c@1-1 2:b-d@1-1", "overlap" },
		/* (3) */
		{ "L1 1:a-c@5-9", "L2 2:c-d@9-12", "older" },
		{ "L2 1:a-c@5-9", "L1 2:c-d@2-5", "older" },
		{ "L0 1:a-c@5-9", "L6 2:a-a@10-10", "older" },
		{ "L6 1:a-c@5-9", "L0 2:c-c@1-4", "older" },
		{ "L0 2:a-c@5-9 1:a-c@1-4", "L0 -2 L1 2:a-c@5-9", "older" },             /* passes the older one by */
		/* (4) */
		{ "L0 1:a-b@1-1", "L1 1:x-y@1-1", "two places" },
		{ "L0 1:a-b@1-1", "L0 1:x-y@2-2", "two places" },
		{ "", "L0 1:a-b@1-1 L1 1:x-y@1-1", "two places" },
		/* drops */
		{ "L1 1:a-b@1-1", "L1 -2", "not there" },
		{ "L1 1:a-b@1-1", "L2 -1", "not there" },
		{ "L1 1:a-b@1-1", "L1 -1 -1", "not there" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char message[1024];
		struct reporter rep = versionkit_reporter(message);
		struct version *base = versionkit_version(cases[i].base), *next = NULL;

		assert_int_equal(versionkit_apply(base, cases[i].edit, &rep, &next), SILT_E_CORRUPT);
		assert_null(next);
		assert_non_null(strstr(message, cases[i].says));
		version_unref(base);
	}
}

static void test_version__what_only_looks_odd_is_let_be(void **state)
{
	/* Level 1 spans level 2's range and is older: their keys are known to differ only at the ends, and those do. */
	struct version *v = versionkit_version("L1 1:a-z@1-5 L2 2:m-n@20-30");

	(void)state;
	version_unref(v);
	v = versionkit_version("L0 1:a-c@5-9 2:x-z@7-8");        /* versions mixed, keys apart */
	version_unref(v);
}

static void test_version__searching(void **state)
{
	struct version *v = versionkit_version("L2 1:c-e@1-1 2:g-g@1-1 3:i-m@1-1");
	const struct version_level *l = &v->levels[2];
	static const struct {
		const char *key;
		size_t index;
	} finds[] = {
		{ "a", 3 }, { "c", 0 }, { "d", 0 }, { "e", 0 }, { "ea", 3 }, { "g", 1 }, { "ga", 3 }, { "i", 2 }, { "m", 2 }, { "ma", 3 }, { "z", 3 },
	};
	static const struct {
		const char *smallest, *largest;
		size_t first, last;
	} overlaps[] = {
		{ "a", "b", 0, 0 }, { "a", "c", 0, 1 }, { "a", "z", 0, 3 }, { "d", "d", 0, 1 }, { "e", "g", 0, 2 }, { "f", "f", 1, 1 },
		{ "f", "h", 1, 2 }, { "h", "h", 2, 2 }, { "m", "z", 2, 3 }, { "n", "z", 3, 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(finds) / sizeof(finds[0]); i++)
		assert_int_equal(version_find(l, slice_str(finds[i].key)), finds[i].index);
	for (size_t i = 0; i < sizeof(overlaps) / sizeof(overlaps[0]); i++) {
		size_t first, last;

		version_overlap(l, slice_str(overlaps[i].smallest), slice_str(overlaps[i].largest), &first, &last);
		assert_int_equal(first, overlaps[i].first);
		assert_int_equal(last, overlaps[i].last);
	}
	assert_int_equal(version_find(&v->levels[3], slice_str("a")), 0);
	version_unref(v);
}

static void test_version__counters_rise_and_never_fall(void **state)
{
	struct edit e = { .has_wal_number = true, .wal_number = 4, .has_next_file = true, .next_file = 50, .has_last_version = true, .last_version = 60 };
	struct reporter silent = { 0 };
	struct version *nothing, *v, *w;

	(void)state;
	assert_int_equal(version_new(&nothing), 0);
	assert_int_equal(version_apply(nothing, &e, &silent, &v), 0);
	assert_true(v->wal_number == 4 && v->next_file == 50 && v->last_version == 60);
	e.wal_number = 3;
	e.next_file = 49;
	e.last_version = 59;
	assert_int_equal(version_apply(v, &e, &silent, &w), 0);
	assert_true(w->wal_number == 4 && w->next_file == 50 && w->last_version == 60);
	version_unref(v);
	assert_int_equal(versionkit_apply(w, "L0 99:a-b@70-80", &silent, &v), 0);
	assert_true(v->wal_number == 4 && v->next_file == 100 && v->last_version == 80);
	version_unref(v);
	version_unref(w);
	version_unref(nothing);
}

static void test_version__to_edit_and_back_is_the_same(void **state)
{
	struct version *v = versionkit_version("L0 9:a-c@5-7 8:b-d@1-4*2000t5 L3 2:a-z@1-1 L6 3:a-z@0-0*64e9x3,77"), *nothing, *back;
	struct reporter silent = { 0 };
	struct edit e;

	(void)state;
	assert_int_equal(version_new(&nothing), 0);
	assert_int_equal(version_to_edit(v, &e), 0);
	assert_int_equal(version_apply(nothing, &e, &silent, &back), 0);
	assert_true(versionkit_same(v, back));
	assert_int_equal(v->levels[0].bytes, 2100);
	edit_fini(&e);
	version_unref(back);
	version_unref(v);
	version_unref(nothing);
}

static void test_version__tables_live_as_long_as_a_version_holds_them(void **state)
{
	struct reporter silent = { 0 };
	struct version *v = versionkit_version("L0 1:a-c@1-2"), *w;
	struct table_meta *m = v->levels[0].tables[0];

	(void)state;
	assert_int_equal(versionkit_apply(v, "L0 2:a-c@3-4", &silent, &w), 0);
	version_ref(w);
	version_unref(v);
	version_unref(w);
	assert_ptr_equal(w->levels[0].tables[1], m);
	assert_memory_equal(m->smallest.data, "a", 1);
	version_unref(w);
}

/* ---- a twin of plain arrays --------------------------------------------------------------------------------------------- */

enum { TWIN_SLOTS = 40 };

struct twin {
	uint64_t number[SILT_LEVELS][TWIN_SLOTS];       /* of the table of a key range in a level; 0 = none */
	uint64_t next;
};

/* New tables for some neighbouring ranges, each in any level but 0; what was there is dropped, sometimes without successor. */
static void twin_edit(struct twin *t, uint64_t *seed, char *text, size_t room)
{
	size_t at = 0, count = 1 + test_random(seed) % 10, start = test_random(seed) % TWIN_SLOTS;

	for (size_t i = 0; i < count; i++) {
		size_t slot = (start + i) % TWIN_SLOTS;
		int level = 1 + (int)(test_random(seed) % (SILT_LEVELS - 1)), version = SILT_LEVELS - level;
		uint64_t *number = &t->number[level][slot];

		at += (size_t)snprintf(text + at, room - at, " L%d", level);
		if (*number)
			at += (size_t)snprintf(text + at, room - at, " -%d", (int)*number);
		*number = *number && test_random(seed) % 4 == 0 ? 0 : t->next++;
		if (*number)
			at += (size_t)snprintf(text + at, room - at, " %d:%02da-%02db@%d-%d", (int)*number, (int)slot, (int)slot, version, version);
	}
}

static void twin_compare(const struct twin *t, const struct version *v)
{
	for (int l = 1; l < SILT_LEVELS; l++) {
		size_t at = 0;

		for (int s = 0; s < TWIN_SLOTS; s++)
			if (t->number[l][s])
				assert_int_equal(v->levels[l].tables[at++]->number, t->number[l][s]);
		assert_int_equal(at, v->levels[l].n);
	}
}

static void test_version__random_edits_agree_with_a_twin(void **state)
{
	uint64_t seed = test_seed(3);
	struct reporter silent = { 0 };
	struct twin twin = { .next = 1 };
	struct version *v;

	(void)state;
	assert_int_equal(version_new(&v), 0);
	for (int round = 0; round < 1000; round++) {
		struct version *next;
		char text[4096];

		twin_edit(&twin, &seed, text, sizeof(text));
		assert_int_equal(versionkit_apply(v, text, &silent, &next), 0);
		version_unref(v);
		v = next;
		assert_int_equal(version_check(v, &silent), 0);
		twin_compare(&twin, v);
	}
	version_unref(v);
}

static void test_version__each_failed_allocation_leaves_the_base_alone(void **state)
{
	struct reporter silent = { 0 };
	struct version *v = versionkit_version("L0 9:a-c@5-7 L6 3:a-z@0-0"), *next = NULL;
	struct edit e;
	int rc = SILT_E_NOMEM;
	uint64_t n;

	(void)state;
	versionkit_edit("L0 -9 10:d-e@8-9 L5 9:a-c@5-7", &e);
	for (n = 1; rc == SILT_E_NOMEM; n++) {
		mem_fail_at(n, false);
		rc = version_apply(v, &e, &silent, &next);
		mem_fail_at(0, false);
	}
	assert_int_equal(rc, 0);
	assert_true(n > 5);
	assert_string_equal(versionkit_text(v), "L0 9 L6 3");
	assert_string_equal(versionkit_text(next), "L0 10 L5 9 L6 3");
	rc = SILT_E_NOMEM;
	for (n = 1; rc == SILT_E_NOMEM; n++) {
		mem_fail_at(n, false);
		rc = version_check(next, &silent);
		mem_fail_at(0, false);
	}
	assert_int_equal(rc, 0);
	edit_fini(&e);
	version_unref(v);
	version_unref(next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_version__levels_are_put_in_order),
		cmocka_unit_test(test_version__what_breaks_an_invariant_is_refused),
		cmocka_unit_test(test_version__what_only_looks_odd_is_let_be),
		cmocka_unit_test(test_version__searching),
		cmocka_unit_test(test_version__counters_rise_and_never_fall),
		cmocka_unit_test(test_version__to_edit_and_back_is_the_same),
		cmocka_unit_test(test_version__tables_live_as_long_as_a_version_holds_them),
		cmocka_unit_test(test_version__random_edits_agree_with_a_twin),
		cmocka_unit_test(test_version__each_failed_allocation_leaves_the_base_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
