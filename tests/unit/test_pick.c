/* SPDX-License-Identifier: Apache-2.0 */
/* test_pick.c - what to compact next, as tables of literal levels (lib/versionkit.h); and that asking, doing, asking again ends. */
#include "lib/test.h"

#include <inttypes.h>

#include "base/mem.h"
#include "job/levels.h"
#include "lib/versionkit.h"

enum { NOW = 1000000, GRACE = 60000, DEAD = NOW - GRACE };

/* Base size 1000, ratio 10, tables of 100 bytes, 4 tables in level 0; one reader at 50. */
static const uint64_t published[] = { 50 };
static const struct keep_rules keep_now = { published, 1, NOW, GRACE };

static struct pick_rules rules_small(void)
{
	return (struct pick_rules){ .compaction_trigger = 4, .level_base_size = 1000, .level_ratio = 10, .table_size = 100, .keep = &keep_now };
}

static const char *const pick_reasons[] = {
	[PICK_NONE] = "none",
	[PICK_L0_COUNT] = "level 0 count",
	[PICK_LEVEL_SIZE] = "level size",
	[PICK_TOMBSTONES] = "tombstones",
	[PICK_EXPIRED] = "expired entries",
	[PICK_MANUAL] = "manual",
};

/* "level 0 count 0>6: 4 3 2 1 | 9 bottom", "level size 5>6: 8 move bottom", "tombstones 6=6: 8 bottom", "" = nothing to do */
static const char *pick_text(const struct version *v, const struct pick_rules *r)
{
	static char text[4096];
	struct pick p;
	size_t n;
	int rc = pick_compaction(v, r, &p);

	text[0] = '\0';
	if (rc == SILT_NOTFOUND)
		return text;
	assert_int_equal(rc, 0);
	n = (size_t)snprintf(text, sizeof(text), "%s %d%c%d:", pick_reasons[p.reason], p.level, p.level == p.output_level ? '=' : '>', p.output_level);
	for (size_t i = 0; i < p.input_n; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s %" PRIu64, i == p.upper_n ? " |" : "", p.inputs[i]->number);
	snprintf(text + n, sizeof(text) - n, "%s%s", p.move ? " move" : "", p.bottom ? " bottom" : "");
	pick_fini(&p);
	return text;
}

struct pick_case {
	const char *levels, *picks;
	uint64_t damaged;                 /* 0 = none */
};

static void pick_cases(const struct pick_case *cases, size_t n, const struct pick_rules *rules)
{
	for (size_t i = 0; i < n; i++) {
		struct version *v = versionkit_version(cases[i].levels);
		struct pick_rules r = *rules;
		const char *got;

		r.damaged = &cases[i].damaged;
		r.damaged_count = cases[i].damaged != 0;
		got = pick_text(v, &r);
		if (strcmp(got, cases[i].picks) != 0)
			print_error("%s\n", cases[i].levels);
		assert_string_equal(got, cases[i].picks);
		version_unref(v);
	}
}
#define PICK_CASES(cases, rules) pick_cases(cases, sizeof(cases) / sizeof((cases)[0]), rules)

static void test_pick__level_0_count(void **state)
{
	static const struct pick_case cases[] = {
		{ "", "", 0 },
		{ "L0 1:a-z@1-1 2:a-z@2-2 3:a-z@3-3", "", 0 },
		{ "L0 1:a-z@1-1 2:a-z@2-2 3:a-z@3-3 4:a-z@4-4", "level 0 count 0>6: 4 3 2 1 bottom", 0 },
		{ "L0 1:b-c@1-1 2:b-c@2-2 3:b-c@3-3 4:b-c@4-4 L6 9:a-b@0-0*60 8:c-d@0-0*60 7:e-f@0-0*80", "level 0 count 0>6: 4 3 2 1 | 9 8 bottom", 0 },
		/* more than half as much lies below: as many again are waited for */
		{ "L0 1:a-z@1-1 2:a-z@2-2 3:a-z@3-3 4:a-z@4-4 L6 9:a-z@0-0*201", "", 0 },
		{ "L0 1:a-z@1-1 2:a-z@2-2 3:a-z@3-3 4:a-z@4-4 5:a-z@5-5 6:a-z@6-6 7:a-z@7-7 L6 9:a-z@0-0*900", "", 0 },
		{ "L0 1:a-z@1-1 2:a-z@2-2 3:a-z@3-3 4:a-z@4-4 5:a-z@5-5 6:a-z@6-6 7:a-z@7-7 8:a-z@8-8 L6 9:a-z@0-0*900",
		  "level 0 count 0>6: 8 7 6 5 4 3 2 1 | 9 bottom", 0 },
		/* the range of all inputs counts: a table between two of them comes along */
		{ "L0 1:a-b@1-1 2:y-z@2-2 3:a-b@3-3 4:y-z@4-4 L6 9:m-n@0-0", "level 0 count 0>6: 4 3 2 1 | 9 bottom", 0 },
		/* a level above the base still holds something: level 0 does not pass it by */
		{ "L0 1:a-z@1-1 2:a-z@2-2 3:a-z@3-3 4:a-z@4-4 5:a-z@5-5 6:a-z@6-6 7:a-z@7-7 8:a-z@8-8 9:a-z@9-9 L4 10:a-c@0-0",
		  "level 0 count 0>4: 9 8 7 6 5 4 3 2 1 | 10 bottom", 0 },
		/* the oldest, apart from all others, moves */
		{ "L0 1:a-b@1-1 2:c-d@2-2 3:e-f@3-3 4:g-h@4-4", "level 0 count 0>6: 1 move bottom", 0 },
		{ "L0 1:a-b@1-1 2:c-d@2-2 3:e-f@3-3 4:g-h@4-4 L6 9:b-b@0-0", "level 0 count 0>6: 4 3 2 1 | 9 bottom", 0 },
		{ "L0 1:a-b@1-1 2:c-d@2-2 3:e-f@3-3 4:b-h@4-4", "level 0 count 0>6: 4 3 2 1 bottom", 0 },
		/* but not a crumb, and not what the bottom would shed */
		{ "L0 1:a-b@1-1*5 2:c-d@2-2 3:e-f@3-3 4:g-h@4-4", "level 0 count 0>6: 4 3 2 1 bottom", 0 },
		{ "L0 1:a-b@1-1t1 2:c-d@2-2 3:e-f@3-3 4:g-h@4-4", "level 0 count 0>6: 4 3 2 1 bottom", 0 },
		{ "L0 1:a-b@1-1x1,5 2:c-d@2-2 3:e-f@3-3 4:g-h@4-4", "level 0 count 0>6: 4 3 2 1 bottom", 0 },
	};
	struct pick_rules r = rules_small();

	(void)state;
	PICK_CASES(cases, &r);
}

static void test_pick__no_older_table_is_passed_by(void **state)
{
	static const struct pick_case cases[] = {
		/* the picture in pick.c */
		{ "L0 1:b-k@1-1 2:p-t@2-2 3:a-d@3-3 4:e-z@4-4 5:a-f@5-5", "level 0 count 0>6: 3 1 bottom", 2 },
		{ "L0 1:a-z@1-1 2:a-c@2-2 3:d-e@3-3 4:f-g@4-4", "", 1 },
		{ "L0 1:a-c@1-1 2:b-z@2-2 3:d-e@3-3 4:f-g@4-4", "level 0 count 0>6: 1 bottom", 2 },
		{ "L0 1:a-c@1-1 2:d-z@2-2 3:d-e@3-3 4:f-g@4-4", "level 0 count 0>6: 1 move bottom", 2 },
		/* damage in the base: what does not meet it goes, with all that lies under it */
		{ "L0 1:a-c@1-1 2:x-z@2-2 3:b-d@3-3 4:x-y@4-4 L6 9:m-n@0-0", "level 0 count 0>6: 1 bottom", 9 },
		{ "L0 1:m-n@1-1 2:x-z@2-2 3:m-n@3-3 4:x-y@4-4 L6 9:m-n@0-0", "level 0 count 0>6: 2 bottom", 9 },
		{ "L0 1:m-n@1-1 2:m-z@2-2 3:m-n@3-3 4:l-y@4-4 L6 9:m-n@0-0", "", 9 },
	};
	struct pick_rules r = rules_small();

	(void)state;
	PICK_CASES(cases, &r);
}

static void test_pick__level_sizes(void **state)
{
	static const struct pick_case cases[] = {
		/* L6 2000 => L5 200 => base 5 */
		{ "L5 1:a-b@5-5*200 L6 9:a-z@1-1*2000", "", 0 },
		{ "L5 1:a-b@5-5*150 2:c-d@5-5*60 L6 9:a-b@1-1*1500 8:c-z@1-1*500", "level size 5>6: 2 | 8 bottom", 0 },
		/* least overlap for its own size */
		{ "L5 1:a-b@5-5*100 2:c-d@5-5*200 L6 9:a-b@1-1*900 8:c-z@1-1*1100", "level size 5>6: 2 | 8 bottom", 0 },
		/* nothing below: it moves */
		{ "L5 1:a-b@5-5*100 2:c-d@5-5*200 L6 9:e-f@1-1*2000", "level size 5>6: 1 move bottom", 0 },
		{ "L5 1:a-b@5-5*100t1 2:c-d@5-5*200t1 L6 9:e-f@1-1*2000", "level size 5>6: 1 bottom", 0 },
		/* not bottom: deletes may move */
		{ "L4 1:a-b@5-5*300t1 L6 9:a-f@1-1*2000", "level size 4>5: 1 move", 0 },
		/* above the base a level empties itself, but level 0 comes first when it has twice its trigger */
		{ "L3 1:a-b@5-5*10 L6 9:a-f@1-1*500", "level size 3>4: 1 move", 0 },
		{ "L0 1:a-b@11-11 2:a-b@12-12 3:a-b@13-13 4:a-b@14-14 L3 5:a-b@5-5*10 L6 9:a-f@1-1*500", "level size 3>4: 5 move", 0 },
		/* the last level is never too large */
		{ "L6 9:a-f@1-1*1000000", "", 0 },
		/* damage: above, another table goes; below, what does not meet it */
		{ "L5 1:a-b@5-5*100 2:c-d@5-5*200 L6 9:a-b@1-1*900 8:c-z@1-1*1100", "level size 5>6: 1 | 9 bottom", 2 },
		{ "L5 1:a-b@5-5*100 2:c-d@5-5*200 L6 9:a-b@1-1*900 8:c-z@1-1*1100", "level size 5>6: 1 | 9 bottom", 8 },
		/* the level with the highest score has nothing that can go: the next has its turn */
		{ "L4 1:a-b@6-6*900 L5 2:c-d@5-5*1500 L6 9:e-z@1-1*12000", "level size 5>6: 2 move bottom", 1 },
	};
	struct pick_rules r = rules_small();

	(void)state;
	PICK_CASES(cases, &r);
}

static void test_pick__tombstones(void **state)
{
	static const struct pick_case cases[] = {
		{ "L6 1:a-b@1-1e100t24", "", 0 },
		{ "L6 1:a-b@1-1e100t25", "tombstones 6=6: 1 bottom", 0 },
		{ "L6 1:a-b@1-1e100t100", "", 1 },
		{ "L6 1:a-b@1-51e100t100", "", 0 },                             /* a reader stands at 50 */
		/* nothing below it, wherever it stands; else one level down */
		{ "L6 9:e-f@1-1*2000 L5 1:a-b@5-5e100t25", "tombstones 5=5: 1 bottom", 0 },
		{ "L6 9:a-f@1-1*2000 L5 1:a-b@5-5e100t25", "tombstones 5>6: 1 | 9 bottom", 0 },
		{ "L6 9:a-f@1-1*20000 L4 1:a-b@5-5e100t25", "tombstones 4>5: 1 move", 0 },
		/* level 0 waits until they matter */
		{ "L0 1:a-b@5-5e10t10 L6 9:a-f@1-1e100", "", 0 },
		{ "L0 1:a-b@5-5e30t30 L6 9:a-f@1-1e90", "tombstones 0>6: 1 | 9 bottom", 0 },
		/* range deletes count as one each, and by what lies in their range where there is little else */
		{ "L6 1:a-b@1-1e100d24", "", 0 },
		{ "L6 1:a-b@1-1e0d1", "tombstones 6=6: 1 bottom", 0 },
		{ "L6 1:a-b@1-51e0d1", "", 0 },
		{ "L6 9:a-f@1-1*20000 L4 1:a-b@5-5e0d1", "tombstones 4>5: 1 move", 0 },
		{ "L6 9:a-f@1-1*2000 L5 1:a-b@5-5e0d1", "tombstones 5>6: 1 | 9 bottom", 0 },
		{ "L0 1:a-b@5-5e0d1 L6 9:a-f@1-1e100", "", 0 },
		{ "L0 1:a-g@5-5e0d1 L6 9:b-f@1-1e100", "tombstones 0>6: 1 | 9 bottom", 0 },
		{ "L0 1:a-g@5-5e100d1 L6 9:b-f@1-1e100", "", 0 },
		{ "L0 1:c-d@5-5e0d1 L6 9:a-m@1-1e1000", "", 0 },                 /* about a twelfth */
		{ "L0 1:c-h@5-5e0d1 L6 9:a-m@1-1e1000", "tombstones 0>6: 1 | 9 bottom", 0 },
		{ "L0 1:kc-kh@5-5e0d1 L6 9:ka-km@1-1e1000", "tombstones 0>6: 1 | 9 bottom", 0 },
		{ "L0 1:c-c@5-5e0d1 L6 9:c-c@1-1e1000", "", 0 },
	};
	static const struct pick_case never[] = {
		{ "L6 1:a-b@1-1e100t100", "", 0 },
		{ "L6 1:a-b@1-1e100x100,5", "", 0 },
	};
	struct pick_rules r = rules_small();

	(void)state;
	PICK_CASES(cases, &r);
	r.keep = NULL;
	PICK_CASES(never, &r);
}

static void test_pick__expired(void **state)
{
	static const struct pick_case cases[] = {
		{ "L6 1:a-b@1-1e100x100,939999", "expired entries 6=6: 1 bottom", 0 },
		{ "L6 1:a-b@1-1e100x100,940000", "expired entries 6=6: 1 bottom", 0 },
		{ "L6 1:a-b@1-1e100x100,940001", "", 0 },                       /* in its grace */
		{ "L6 1:a-b@1-1e100x11,939999", "", 0 },                        /* hardly any */
		{ "L6 1:a-b@1-1e100x12,939999", "expired entries 6=6: 1 bottom", 0 },
		{ "L6 1:a-b@1-90e100x100,939999", "expired entries 6=6: 1 bottom", 0 },  /* readers don't matter */
		{ "L6 9:a-f@1-1*2000 L5 1:a-b@5-5e100x100,939999", "expired entries 5>6: 1 | 9 bottom", 0 },
		{ "L6 9:a-f@1-1*20000 L4 1:a-b@5-5e100x100,939999", "expired entries 4>5: 1", 0 },      /* never a move */
		{ "L0 1:a-b@5-5e10x10,939999", "expired entries 0>6: 1 bottom", 0 },
		{ "L0 1:a-b@5-5e10x10,939999 L6 9:a-f@1-1e100", "", 0 },
		/* 4 MiB of tables with an expiry: a second's wait */
		{ "L6 1:a-b@1-1*4194304e100x100,939001", "", 0 },
		{ "L6 1:a-b@1-1*4194304e100x100,938976", "expired entries 6=6: 1 bottom", 0 },
		{ "L6 1:a-b@1-1*4096e100x100,939999 2:c-d@1-1*4194304e100x1,990000", "", 0 },
	};
	struct pick_rules r = rules_small();

	(void)state;
	PICK_CASES(cases, &r);
}

static void test_pick__by_hand(void **state)
{
	static const struct pick_case cases[] = {
		{ "", "", 0 },
		{ "L0 1:a-z@1-5", "manual 0>6: 1 move bottom", 0 },
		{ "L0 1:a-z@1-5 2:a-z@6-9 L6 3:c-d@0-0", "manual 0>6: 2 1 | 3 bottom", 0 },
		{ "L0 1:a-z@1-5 12:a-z@41-42 L6 3:c-d@0-0", "manual 0>6: 1 | 3 bottom", 0 },  /* newer than the request: stays */
		{ "L0 12:a-z@41-42", "", 0 },
		{ "L4 11:a-b@1-5 L5 12:a-c@0-0 L6 14:x-z@0-0*12000", "manual 4>5: 11 | 12 bottom", 0 },
		{ "L5 11:a-b@41-45 12:c-d@40-45 L6 14:a-z@0-0*2000", "manual 5>6: 12 | 14 bottom", 0 },
		{ "L6 14:a-z@0-0*2000", "", 0 },
		/* runs of old neighbours, four tables' bytes at a time */
		{ "L6 1:a-b@0-0 2:c-d@0-0 3:e-f@0-0 4:g-h@0-0 5:i-j@0-0", "manual 6=6: 1 2 3 4 bottom", 0 },
		{ "L6 11:a-b@0-0 2:c-d@0-0 13:e-f@0-0 4:g-h@0-0", "manual 6=6: 2 bottom", 0 },
		{ "L6 1:a-b@0-0*1000 2:c-d@0-0", "manual 6=6: 1 bottom", 0 },
		{ "L6 1:a-b@0-0 2:c-d@0-0", "manual 6=6: 1 bottom", 2 },
		{ "L6 1:a-b@0-0 2:c-d@0-0", "manual 6=6: 2 bottom", 1 },
		/* level 0 over its trigger comes first */
		{ "L0 21:a-z@41-41 22:a-z@42-42 23:a-z@43-43 24:a-z@44-44 L5 1:a-b@1-5", "level size 5>6: 1 move bottom", 0 },
	};
	struct pick_rules r = rules_small();

	(void)state;
	r.manual = true;
	r.manual_before = 10;
	r.manual_version = 40;
	PICK_CASES(cases, &r);
}

static void test_pick__a_manual_run_of_a_range(void **state)
{
	/* [d, g) */
	static const struct pick_case cases[] = {
		{ "L0 1:a-c@1-1 2:g-z@2-2", "", 0 },
		{ "L0 1:a-d@1-1 2:g-z@2-2", "manual 0>6: 1 bottom", 0 },
		{ "L0 1:a-c@1-1 2:f-z@2-2", "manual 0>6: 2 bottom", 0 },
		/* each older one that lies under it, and those under them, but no stranger */
		{ "L0 1:x-z@1-1 2:a-b@2-2 3:m-y@3-3 4:e-n@4-4", "manual 0>6: 4 3 1 bottom", 0 },
		{ "L0 1:x-z@1-1 2:a-b@2-2 3:m-y@3-3 4:e-n@4-4", "", 3 },
		{ "L0 1:a-z@41-41 2:h-i@42-42", "", 0 },       /* newer than the request */
		{ "L4 1:a-c@1-1 2:d-e@1-1 3:g-h@1-1", "manual 4>5: 2 move bottom", 0 },
		{ "L5 1:a-z@5-5 L6 2:a-b@1-1 3:c-d@1-1", "manual 5>6: 1 | 2 3 bottom", 0 },
		{ "L6 1:a-b@0-0 2:c-d@0-0 3:e-f@0-0 4:g-h@0-0", "manual 6=6: 2 3 bottom", 0 },
		{ "L6 1:a-b@0-0 12:c-d@0-0 13:e-f@0-0 4:g-h@0-0", "", 0 },
	};
	struct pick_rules r = rules_small();

	(void)state;
	r.manual = true;
	r.manual_before = 10;
	r.manual_version = 40;
	r.compaction_trigger = 8;
	r.manual_lower = slice_of("d", 1);
	r.manual_upper = slice_of("g", 1);
	PICK_CASES(cases, &r);
}

/* ---- does it end? ------------------------------------------------------------------------------------------------------- */

static bool model_takes(const struct pick *p, const struct table_meta *m)
{
	for (size_t i = 0; i < p->input_n; i++)
		if (p->inputs[i] == m)
			return true;
	return false;
}

/* Rules 1 and 2 of pick.h. */
static void model_check(const struct version *v, const struct pick *p, const struct pick_rules *r)
{
	for (size_t i = 0; i < p->input_n; i++)
		for (size_t d = 0; d < r->damaged_count; d++)
			assert_true(p->inputs[i]->number != r->damaged[d]);
	for (int l = p->level + 1; l < p->output_level; l++)
		assert_int_equal(v->levels[l].n, 0);
	for (size_t i = 0; p->level == 0 && i < v->levels[0].n; i++)
		for (size_t older = i + 1; older < v->levels[0].n; older++)
			if (model_takes(p, v->levels[0].tables[i]) && version_tables_overlap(v->levels[0].tables[i], v->levels[0].tables[older]))
				assert_true(model_takes(p, v->levels[0].tables[older]));
}

/* What a run would do to the metas: one output over the inputs' range, a new number; at the bottom tombstones are gone. */
static struct version *model_run(const struct version *v, const struct pick *p)
{
	struct reporter silent = { 0 };
	struct table_meta *out;
	struct version *next;
	struct edit e;

	edit_init(&e);
	out = table_meta_new(p->inputs[0]->smallest, p->inputs[0]->largest);
	out->min_version = UINT64_MAX;
	for (size_t i = 0; i < p->input_n; i++) {
		const struct table_meta *m = p->inputs[i];
		struct table_meta *wider = table_meta_new(slice_cmp(m->smallest, out->smallest) < 0 ? m->smallest : out->smallest,
		                                          slice_cmp(m->largest, out->largest) > 0 ? m->largest : out->largest);

		wider->size = out->size + m->size;
		wider->entries = out->entries + m->entries;
		wider->tombstones = out->tombstones + m->tombstones;
		wider->min_version = m->min_version < out->min_version ? m->min_version : out->min_version;
		wider->max_version = m->max_version > out->max_version ? m->max_version : out->max_version;
		table_meta_unref(out);
		out = wider;
		assert_int_equal(edit_drop_table(&e, i < p->upper_n ? p->level : p->output_level, m->number), 0);
	}
	out->number = v->next_file;
	if (p->bottom && out->max_version <= published[0]) {
		out->entries -= out->tombstones;
		out->tombstones = 0;
	}
	if (p->move)
		assert_int_equal(edit_add_table(&e, p->output_level, p->inputs[0]), 0);
	else if (out->entries > 0)
		assert_int_equal(edit_add_table(&e, p->output_level, out), 0);
	assert_int_equal(version_apply(v, &e, &silent, &next), 0);
	table_meta_unref(out);
	edit_fini(&e);
	return next;
}

static struct version *model_flush(const struct version *v, uint64_t *seed)
{
	struct reporter silent = { 0 };
	char text[128], first = (char)('a' + test_random(seed) % 20), last = (char)(first + (char)(test_random(seed) % 6));
	unsigned entries = 1 + (unsigned)(test_random(seed) % 40), version = (unsigned)v->last_version + 1;
	struct version *next;

	snprintf(text, sizeof(text), "L0 %u:%c-%c@%u-%u*%ue%ut%u", (unsigned)v->next_file, first, last, version, version + 1, entries * 5, entries,
	         (unsigned)(test_random(seed) % (entries + 1)));
	assert_int_equal(versionkit_apply(v, text, &silent, &next), 0);
	return next;
}

/* Runs picks until there is none; returns how many. */
static unsigned model_settle(struct version **v, const struct pick_rules *r)
{
	unsigned n = 0;
	struct pick p;

	while (pick_compaction(*v, r, &p) == 0) {
		struct version *next;

		model_check(*v, &p, r);
		next = model_run(*v, &p);
		pick_fini(&p);
		version_unref(*v);
		*v = next;
		assert_true(++n < 2000);
	}
	return n;
}

static void test_pick__it_ends_and_the_levels_fit_their_targets(void **state)
{
	uint64_t seed = test_seed(5), targets[SILT_LEVELS];
	struct pick_rules r = rules_small();
	struct version *v = versionkit_version("");

	(void)state;
	for (int round = 0; round < 600; round++) {
		for (uint64_t n = test_random(&seed) % 8; n > 0; n--) {
			struct version *next = model_flush(v, &seed);

			version_unref(v);
			v = next;
		}
		model_settle(&v, &r);
		levels_targets(v, &r, targets);
		assert_true(v->levels[0].n < 2 * r.compaction_trigger);
		for (int l = 1; l < SILT_LEVELS; l++)
			assert_true(v->levels[l].bytes <= targets[l]);
		assert_int_equal(levels_debt(v, &r), 0);
		if (round % 50 == 49) {
			r.manual = true;
			r.manual_before = v->next_file;
			r.manual_version = v->last_version;
			model_settle(&v, &r);
			for (int l = 0; l < SILT_LEVELS - 1; l++)
				assert_int_equal(v->levels[l].n, 0);
			for (size_t i = 0; i < v->levels[SILT_LEVELS - 1].n; i++)
				assert_true(v->levels[SILT_LEVELS - 1].tables[i]->number >= r.manual_before);
			r.manual = false;
		}
	}
	version_unref(v);
}

static void test_pick__damage_here_and_there_stops_nothing_else(void **state)
{
	uint64_t seed = test_seed(6), damaged[3];
	struct pick_rules r = rules_small();
	struct version *v = versionkit_version("");

	(void)state;
	r.damaged = damaged;
	r.damaged_count = 3;
	for (int round = 0; round < 600; round++) {
		struct version *next = model_flush(v, &seed);

		version_unref(v);
		v = next;
		if (round % 10 == 0)
			for (size_t i = 0; i < 3; i++)
				damaged[i] = v->next_file - test_random(&seed) % 10;
		r.manual = round % 50 == 49;
		r.manual_before = v->next_file;
		r.manual_version = v->last_version;
		model_settle(&v, &r);
	}
	version_unref(v);
}

static void test_pick__each_failed_allocation_is_said(void **state)
{
	struct version *v = versionkit_version("L0 1:b-c@1-1 2:b-c@2-2 3:b-c@3-3 4:b-c@4-4 L6 9:a-b@0-0");
	struct pick_rules r = rules_small();
	int rc = SILT_E_NOMEM;
	struct pick p;
	uint64_t n;

	(void)state;
	for (n = 1; rc == SILT_E_NOMEM; n++) {
		mem_fail_at(n, false);
		rc = pick_compaction(v, &r, &p);
		mem_fail_at(0, false);
	}
	assert_int_equal(rc, 0);
	assert_true(n > 3);
	pick_fini(&p);
	version_unref(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pick__a_manual_run_of_a_range),
		cmocka_unit_test(test_pick__level_0_count),
		cmocka_unit_test(test_pick__no_older_table_is_passed_by),
		cmocka_unit_test(test_pick__level_sizes),
		cmocka_unit_test(test_pick__tombstones),
		cmocka_unit_test(test_pick__expired),
		cmocka_unit_test(test_pick__by_hand),
		cmocka_unit_test(test_pick__it_ends_and_the_levels_fit_their_targets),
		cmocka_unit_test(test_pick__damage_here_and_there_stops_nothing_else),
		cmocka_unit_test(test_pick__each_failed_allocation_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
