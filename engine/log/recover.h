/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recover.h - the end of recovery: what was replayed is made durable before anything is built on it (README.md, "Opening after a crash", 5).
 *
 * Opening a store: log_judge() over the segments, log_recover_end() on the last one, then a new segment end->number + 1 made by
 * segment_create(). Into that one a SKIP must be synced before the first version is given, to last + the jump after an unclean
 * end, to last after a clean one: only then does log_end.clean say that no version was given after it.
 */
#ifndef LOG_RECOVER_H
#define LOG_RECOVER_H

#include "log/judge.h"

/*
 * Writes again in place what lies between end->synced_to and end->offset, appends a SEAL at end->offset (where the segment has
 * none), and syncs. end is log_judge()'s, path the file of segment end->number. If it fails, opening must fail.
 * 0; SILT_E_CORRUPT: the bytes are no longer those that were judged; SILT_E_IO, _NOSPACE, _NOMEM.
 */
int log_recover_end(struct env *env, const char *path, const struct log_end *end) SILT_MUST_CHECK;

#endif
