/* SPDX-License-Identifier: Apache-2.0 */
/* stall.c - admission of writes: a pure judgement, and the bounded wait around it. */
#include "db/stall.h"

#include "db/measure.h"
#include "job/pick.h"

#define STALL_FASTEST 256.0               /* MiB/s: the rate where pacing begins */
#define STALL_SLOWEST 1.0                 /* and where it ends */

uint64_t stall_memtables(const struct silt_options *o)
{
	uint64_t sealed = o->memory / 4 / o->memtable_size;

	return 1 + (sealed < 2 ? 2 : sealed > 8 ? 8 : sealed);
}

const char *stall_name(enum stall_kind k)
{
	switch (k) {
	case STALL_NONE:
		return "";
	case STALL_PACE_FLUSH:
		return "paced: flushes are behind";
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

static double stall_most(double a, double b)
{
	return a > b ? a : b;
}

static uint64_t stall_ns_per_mib(double share)
{
	double left = (1 - share) * (1 - share);

	return share > 0 ? (uint64_t)(1e9 / (STALL_FASTEST * left * left + STALL_SLOWEST)) : 0;
}

enum stall_kind stall_judge(const struct stall_state *s, uint64_t *ns_per_mib)
{
	double level0 = stall_share(s->level0, s->trigger * STALL_L0_SOFT, s->trigger * STALL_L0_HARD);
	double debt = stall_share(s->debt, s->debt_soft, s->debt_soft * 4);
	double memory = stall_share(s->unflushed, s->memory / 2, s->memory);
	double compaction = stall_most(level0, debt);

	*ns_per_mib = stall_ns_per_mib(stall_most(memory, compaction));
	if (s->sealed >= s->memtables)
		return STALL_SEALED;
	if (level0 >= 1)
		return STALL_LEVEL0;
	if (debt >= 1)
		return STALL_DEBT;
	if (*ns_per_mib == 0)
		return STALL_NONE;
	return memory > compaction ? STALL_PACE_FLUSH : STALL_PACE;
}

/* What the running flush has done counts, though the memory is still there. */
static uint64_t stall_unflushed(const struct silt_db *db) REQUIRES(db->mu)
{
	const struct view *v = db->view;
	uint64_t bytes = view_memtable_bytes(v), oldest;

	if (v->sealed_count == 0)
		return bytes;
	oldest = memtable_bytes(v->sealed[v->sealed_count - 1]);
	return bytes - oldest / STALL_FLUSHED * atomic_load_explicit(&db->flush_share, memory_order_relaxed);
}

static enum stall_kind stall_look(struct silt_db *db, uint64_t *ns_per_mib) REQUIRES(db->mu)
{
	const struct silt_options *o = &db->env.opts;
	struct stall_state s = {
		.sealed = db->view->sealed_count,
		.memtables = stall_memtables(o),
		.unflushed = stall_unflushed(db),
		.memory = stall_memtables(o) * o->memtable_size,
		.level0 = version_l0_runs(db->version),
		.trigger = o->compaction_trigger,
		.debt = db->debt,
		.debt_soft = 8 * (o->level_base_size > o->memtable_size * 4 ? o->level_base_size
		                                                            : o->memtable_size * 4),
	};

	return stall_judge(&s, ns_per_mib);
}

static bool stall_is_stop(enum stall_kind kind)
{
	return kind > STALL_PACE;
}

static void stall_say(struct silt_db *db, enum stall_kind kind) REQUIRES(db->mu)
{
	(void)snprintf(db->stall_reason, sizeof(db->stall_reason), "%s", stall_name(kind));
}

static enum silt_stall stall_public(enum stall_kind k)
{
	switch (k) {
	case STALL_NONE:
	case STALL_PACE_FLUSH:
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

/* Waits until nothing stops the group, or the bound is over. */
static int stall_stop(struct silt_db *db, enum stall_kind *kind, uint64_t *ns_per_mib) REQUIRES(db->mu)
{
	uint64_t waited_ms = 0, start = db->env.os->mono_ns(db->env.os);
	enum stall_kind why = *kind;
	int rc = 0;

	while (rc == 0 && stall_is_stop(*kind)) {
		stall_say(db, *kind);
		if (db_fault(db) != 0)
			rc = SILT_E_FAULT;
		else if (db->flush_error == SILT_E_NOSPACE)
			rc = SILT_E_NOSPACE;
		else if (waited_ms >= STALL_BOUND_MS)
			rc = SILT_E_BUSY;
		else if (cond_wait_ms(&db->changed, &db->mu, 50) != 0)
			waited_ms += 50;
		*kind = stall_look(db, ns_per_mib);
	}
	measure_stall(db, stall_public(why), start);
	return rc;
}

/* Sleeps off what this group and those before it owe: on the condition, so that the store's end does not wait. */
static void stall_pace(struct silt_db *db, enum stall_kind kind, uint64_t ns_per_mib, uint64_t bytes) REQUIRES(db->mu)
{
	const uint64_t ms = 1000000, most = STALL_PACE_MAX_MS * ms;
	uint64_t start, slept, owed = db->pace_owed_ns + bytes * ns_per_mib / (1 << 20);

	db->pace_owed_ns = owed < 4 * most ? owed : 4 * most;
	if (owed < ms)
		return;
	stall_say(db, kind);
	start = db->env.os->mono_ns(db->env.os);
	(void)cond_wait_ms(&db->changed, &db->mu, (owed < most ? owed : most) / ms);
	slept = db->env.os->mono_ns(db->env.os) - start;
	db->pace_owed_ns -= slept < db->pace_owed_ns ? slept : db->pace_owed_ns;
	measure_stall(db, SILT_STALL_PACE, start);
}

int stall_wait(struct silt_db *db, size_t records, size_t payload_bytes)
{
	uint64_t ns_per_mib = 0;
	enum stall_kind kind;
	int rc = 0;

	mutex_lock(&db->mu);
	kind = stall_look(db, &ns_per_mib);
	if (stall_is_stop(kind))
		rc = stall_stop(db, &kind, &ns_per_mib);
	if (rc == 0 && kind == STALL_NONE)
		db->pace_owed_ns = 0;
	else if (rc == 0)
		stall_pace(db, kind, ns_per_mib, payload_bytes + records * STALL_RECORD_BYTES);
	if (rc == 0)
		db->stall_reason[0] = '\0';      /* one that was refused left its reason there */
	mutex_unlock(&db->mu);
	return rc;
}
