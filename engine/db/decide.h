/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decide.h - conditions and reports of a batch, judged in commit order.
 *
 * Before it is queued, the caller's thread reads each key that a condition or report asks about: evidence, read at version R.
 * The leader looks into the memory set first, where every write above the floor is; where memory is silent the evidence serves,
 * if R is not below the floor (the highest version that has left memory); else SILT_TRY_AGAIN. (!)
 */
#ifndef DB_DECIDE_H
#define DB_DECIDE_H

#include "core/batch.h"
#include "db/get.h"

struct decide_key {                       /* one a condition, then one a reporting operation, then one an add */
	struct silt_slice key;            /* borrowed from the batch */
	size_t op;                        /* which operation asks; of a condition nothing */
	bool want_value;
	struct get_copy evidence;
};

struct decide {
	struct decide_key *keys;          /* NULL where the batch asks nothing */
	size_t n;
	size_t cond_count;
	size_t report_count;
	size_t add_count;
	struct batch_sum *sums;           /* of the adds, for batch_seal_sums(): filled by decide_judge(), borrows from keys and batch */
	struct decide_owned *owned;       /* room for the reports, made before the commit; NULL where there are none */
};

/* Reads the evidence: 0, SILT_WOULD_BLOCK (with SILT_CACHED_ONLY or _NO_WAIT), < 0. End with decide_fini() in any case. */
int decide_prepare(struct silt_db *db, const struct silt_batch *b, unsigned flags, struct decide *d) SILT_MUST_CHECK;
/* The keys are borrowed from b from now on, a copy of the batch that they came from. */
void decide_borrow(const struct silt_batch *b, struct decide *d);
/* Does a condition fail already against what was read? SILT_CONFLICT with the result filled, or 0. */
int decide_early(const struct silt_batch *b, const struct decide *d, uint64_t now_ms, struct silt_result *res) SILT_MUST_CHECK;
/* The leader's judgement, after the entries of earlier batches of the group are in `active`: 0 (reports filled), SILT_CONFLICT,
 * SILT_OVERFLOW, SILT_NO_COUNTER, SILT_TRY_AGAIN, SILT_E_NOMEM. */
int decide_judge(struct silt_db *db, const struct silt_batch *b, struct decide *d, uint64_t now_ms, struct silt_result *res) SILT_MUST_CHECK;
/* Gives the reports and their memory to the result. */
void decide_hand_over(struct decide *d, struct silt_result *res);
/* Moves the bytes that the reports' values point into to the caller's buffer, replacing what it had; can't fail. */
void decide_give_values(struct silt_result *res, struct silt_buf *out);
void decide_fini(struct decide *d);

#endif
