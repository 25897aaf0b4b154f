/* SPDX-License-Identifier: Apache-2.0 */
/*
 * levels.c - how much each level may hold, which is over it, and by how much.
 *
 * Targets   from the bottom up: the last level may hold what it holds (at least level_base_size), each level above it a
 *           ratio-th of the next, until one is no larger than level_base_size: that one is the base, where level 0 goes. Levels
 *           above the base have no target and empty themselves. With 256 MiB and ratio 10:
 *
 *             last level holds     base    targets
 *             100 MiB              6       L6 256 MiB                        level 0 merges straight into the last level
 *             1 GiB                5       L5 102 MiB, L6 1 GiB
 *             100 GiB              3       L3 102 MiB, L4 1 GiB, L5 10 GiB, L6 100 GiB
 *
 *           So nine tenths of the data lie in the last level whatever the size, and space spent on the shadowed is bounded.
 *
 * Score     level 0: tables / trigger. That is compaction_trigger where level 0 holds at least twice what the base does, and
 *           twice as many tables where it holds less: they write the base anew, and few tables into a large one cost the
 *           most. Leveled: bytes / target; without a target LEVELS_DRAIN, which level 0 outbids only at that many times its
 *           trigger. Level 0 wants work at 1.0, the others above it; the highest is tried first, and the next where its tables
 *           can't go (pick.h, rule 2).
 * Source    "Dynamic level size" in RocksDB's blog, 2015; the rest own.
 */
#include "job/levels.h"

#include <assert.h>

#define LEVELS_DRAIN 2.0

static uint64_t levels_max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void levels_targets(const struct version *v, const struct pick_rules *r, uint64_t targets[SILT_LEVELS])
{
	uint64_t target = levels_max(v->levels[LEVELS_LAST].bytes, r->level_base_size);

	assert(r->compaction_trigger > 0 && r->level_ratio > 1 && r->level_base_size > 0);
	memset(targets, 0, SILT_LEVELS * sizeof(targets[0]));
	for (int l = LEVELS_LAST; l >= 1; l--) {
		targets[l] = target;
		if (target <= r->level_base_size)
			break;
		target /= r->level_ratio;
	}
}

/* The first level with a target, or the first with a table where that lies higher: level 0 must not pass it by (pick.h, rule 1). */
static int levels_base(const struct version *v, const uint64_t targets[SILT_LEVELS])
{
	int l = 1;

	while (l < LEVELS_LAST && targets[l] == 0 && v->levels[l].n == 0)
		l++;
	return l;
}

static uint64_t levels_l0_trigger(const struct levels_view *lv)
{
	bool patient = lv->v->levels[0].bytes / 2 < lv->v->levels[lv->base].bytes;

	return (uint64_t)lv->r->compaction_trigger * (patient ? 2 : 1);
}

struct levels_view levels_view(const struct version *v, const struct pick_rules *r)
{
	struct levels_view lv = { .v = v, .r = r };

	levels_targets(v, r, lv.targets);
	lv.base = levels_base(v, lv.targets);
	lv.l0_trigger = levels_l0_trigger(&lv);
	return lv;
}

double levels_score(const struct levels_view *lv, int level)
{
	const struct version_level *l = &lv->v->levels[level];

	if (level == 0)
		return (double)l->n / (double)lv->l0_trigger;
	if (level == LEVELS_LAST || l->n == 0)
		return 0;
	return lv->targets[level] ? (double)l->bytes / (double)lv->targets[level] : LEVELS_DRAIN;
}

bool levels_want_work(const struct levels_view *lv, int level)
{
	return level ? levels_score(lv, level) > 1 : levels_score(lv, 0) >= 1;
}

/*
 * Part of level 0 that is over its trigger: grows by a run's share at a time, from nothing to all of it. An ingest of a thousand
 * tables is no reason to slow writers down, though it is work to be done.
 */
static double levels_l0_excess(const struct levels_view *lv)
{
	uint64_t trigger = lv->l0_trigger, runs = version_l0_runs(lv->v);

	return runs < trigger ? 0 : (double)lv->v->levels[0].bytes * (double)(runs + 1 - trigger) / (double)runs;
}

/* What is over flows down; each byte that enters a level takes along what it overlaps there. */
uint64_t levels_debt(const struct version *v, const struct pick_rules *r)
{
	struct levels_view lv = levels_view(v, r);
	double flow = levels_l0_excess(&lv), debt = 0;

	if (flow > 0)
		debt = flow + (double)v->levels[lv.base].bytes * flow / (double)levels_max(v->levels[0].bytes, 1);
	for (int l = lv.base; l < LEVELS_LAST; l++) {
		double bytes = (double)v->levels[l].bytes + flow;

		flow = bytes - (double)lv.targets[l];
		if (flow <= 0)
			return (uint64_t)debt;
		debt += flow + flow / bytes * (double)v->levels[l + 1].bytes;
	}
	return debt < 9e18 ? (uint64_t)debt : UINT64_C(9000000000000000000);
}
