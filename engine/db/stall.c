/* SPDX-License-Identifier: Apache-2.0 */
/* stall.c - admission of writes: a pure judgement, and the bounded wait around it. */
#include "db/stall.h"

#include "db/measure.h"
#include "job/pick.h"

uint64_t stall_sealed_limit(const struct silt_options *o)
{
	uint64_t n = o->memory / 4 / o->memtable_size;

	return n < 2 ? 2 : n > 8 ? 8 : n;
}

const char *stall_name(enum stall_kind k)
{
	switch (k) {
	case STALL_NONE:
		return "";
	case STALL_PACE:
		return "paced: compaction is behind";
	case STALL_SEALED:
		return "waiting for a memtable's flush";
	case STALL_LEVEL0:
		return "waiting for compaction of level 0";
	case STALL_DEBT:
		return "waiting for compaction";
	}
	return "";
}

/* How far x is from lo to hi, 0..1. */
static double stall_share(uint64_t x, uint64_t lo, uint64_t hi)
{
	if (x <= lo)
		return 0;
	return x >= hi ? 1 : (double)(x - lo) / (double)(hi - lo);
}

enum stall_kind stall_judge(const struct stall_state *s, uint64_t *pace_ns)
{
	double level0 = stall_share(s->level0, s->trigger * STALL_L0_SOFT, s->trigger * STALL_L0_HARD);
	double debt = stall_share(s->debt, s->debt_soft, s->debt_soft * 4);
	double most = level0 > debt ? level0 : debt;

	*pace_ns = (uint64_t)(most * STALL_PACE_MAX_MS * 1e6);
	if (s->sealed >= s->sealed_limit)
		return STALL_SEALED;
	if (level0 >= 1)
		return STALL_LEVEL0;
	if (debt >= 1)
		return STALL_DEBT;
	return *pace_ns ? STALL_PACE : STALL_NONE;
}

static enum stall_kind stall_look(struct silt_db *db, uint64_t *pace_ns) REQUIRES(db->mu)
{
	const struct silt_options *o = &db->env.opts;
	struct stall_state s = {
		.sealed = db->view->sealed_count,
		.sealed_limit = stall_sealed_limit(o),
		.level0 = version_l0_runs(db->version),
		.trigger = o->compaction_trigger,
		.debt = db->debt,
		.debt_soft = 8 * (o->level_base_size > o->memtable_size * 4 ? o->level_base_size
		                                                            : o->memtable_size * 4),
	};

	return stall_judge(&s, pace_ns);
}

static void stall_say(struct silt_db *db, enum stall_kind kind) REQUIRES(db->mu)
{
	(void)snprintf(db->stall_reason, sizeof(db->stall_reason), "%s", stall_name(kind));
}

/* Waits until nothing stops the group, or the bound is over. */
static int stall_stop(struct silt_db *db, enum stall_kind *kind, uint64_t *pace_ns) REQUIRES(db->mu)
{
	uint64_t waited_ms = 0;

	while (*kind > STALL_PACE) {
		stall_say(db, *kind);
		if (db_fault(db) != 0)
			return SILT_E_FAULT;
		if (db->flush_error == SILT_E_NOSPACE)
			return SILT_E_NOSPACE;
		if (waited_ms >= STALL_BOUND_MS)
			return SILT_E_BUSY;
		if (cond_wait_ms(&db->changed, &db->mu, 50) != 0)
			waited_ms += 50;
		*kind = stall_look(db, pace_ns);
	}
	return 0;
}

/* The delay of a paced group: on the condition, so that a finished compaction ends it. */
static void stall_pace(struct silt_db *db, uint64_t ns) REQUIRES(db->mu)
{
	stall_say(db, STALL_PACE);
	(void)cond_wait_ms(&db->changed, &db->mu, ns / 1000000 + 1);
}

static enum silt_stall stall_public(enum stall_kind k)
{
	switch (k) {
	case STALL_NONE:
	case STALL_PACE:
		break;
	case STALL_SEALED:
		return SILT_STALL_MEMTABLE;
	case STALL_LEVEL0:
		return SILT_STALL_LEVEL0;
	case STALL_DEBT:
		return SILT_STALL_DEBT;
	}
	return SILT_STALL_PACE;
}

int stall_wait(struct silt_db *db)
{
	silt_os *os = db->env.os;
	uint64_t pace_ns = 0, start;
	enum stall_kind kind, why;
	int rc = 0;

	mutex_lock(&db->mu);
	why = kind = stall_look(db, &pace_ns);
	if (kind != STALL_NONE) {
		start = os->mono_ns(os);
		rc = stall_stop(db, &kind, &pace_ns);
		if (rc == 0 && kind == STALL_PACE)
			stall_pace(db, pace_ns);
		measure_stall(db, stall_public(why), start);
	}
	if (rc == 0)
		db->stall_reason[0] = '\0';      /* one that was refused left its reason there */
	mutex_unlock(&db->mu);
	return rc;
}
