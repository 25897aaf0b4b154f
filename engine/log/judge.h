/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judge.h - where a log ends: torn tail, or damage? (README.md, "Opening after a crash", 4)
 *
 * Numbers of segments are contiguous; versions are contiguous but for SKIP. At a SEAL go on with the next segment. At the first
 * bad record at B with no SEAL: damage, if any later segment has a record under its own salt, or if an intact record under this
 * salt at any 8-byte step after B claims synced_to beyond B; else the torn tail.
 */
#ifndef LOG_JUDGE_H
#define LOG_JUDGE_H

#include "log/log.h"

/*
 * The segment in which the log ends is the last that has a record (the first, where none has): where one is sealed and the next,
 * made ahead, has none, the end is the sealed one. The caller goes on in segment number + 1, and makes that one anew with
 * segment_create() even where it is there: a torn group of this salt may lie in it. It need not remove later ones first (they
 * have no record), and must not: a crash could leave a gap in the numbers.
 */
struct log_end {
	uint64_t number;          /* the segment in which the log ends; 0 = there was none */
	uint64_t offset;          /* B, or the end of the SEAL */
	uint64_t synced_to;       /* the highest that a record of that segment claimed, at least LOG_PAGE */
	uint64_t last_version;    /* 0 = none seen */
	bool sealed, clean;       /* ended in a SEAL; of an orderly close */
	uint64_t records;         /* seen in all segments, of any kind */
};

/* Each DATA and SKIP record, in order; < 0 ends the walk. */
typedef int log_apply_fn(void *ctx, uint64_t segment, const struct log_record *r);

/*
 * Walks the segments numbers[0..n) (contiguous, ascending, their files `dir`/NNNNNN.wal; for a manifest one path given instead).
 * That numbers[0] is the oldest one needed is for the caller to see to. Versions are checked from the first one seen on: DATA
 * has the one before it + 1, SKIP at least the one before it, MARK and SEAL that one.
 * 0 = `end` filled; SILT_E_CORRUPT (reported with file and offset) = damage: number, offset and last_version of `end` say where, and
 * what came before it (everything before was applied; number 0: a segment in the midst is missing); SILT_E_VERSION, _IO, _NOMEM; what apply returned;
 * SILT_NOTFOUND: there is no file at manifest_path.
 */
int log_judge(struct env *env, enum log_kind kind, const uint64_t *numbers, size_t n, const char *manifest_path,
              log_apply_fn *apply, void *ctx, struct log_end *end) SILT_MUST_CHECK;

#endif
