/* SPDX-License-Identifier: Apache-2.0 */
/* levels.h - what the shape of the levels asks for: targets, scores and debt, a pure function of a version and plain values. */
#ifndef JOB_LEVELS_H
#define JOB_LEVELS_H

#include "job/pick.h"

enum { LEVELS_LAST = SILT_LEVELS - 1 };

/* The numbers of one question, worked out once. */
struct levels_view {
	const struct version *v;
	const struct pick_rules *r;
	int base;                         /* where level 0 goes */
	uint64_t l0_trigger;              /* see Score */
	uint64_t targets[SILT_LEVELS];
};

/* Level targets in bytes; 0 = a level without one. */
void levels_targets(const struct version *v, const struct pick_rules *r, uint64_t targets[SILT_LEVELS]);
struct levels_view levels_view(const struct version *v, const struct pick_rules *r);     /* borrows both */
double levels_score(const struct levels_view *lv, int level);
bool levels_want_work(const struct levels_view *lv, int level);
/* Bytes that must move until nothing is over its trigger. */
uint64_t levels_debt(const struct version *v, const struct pick_rules *r);

#endif
