/* SPDX-License-Identifier: Apache-2.0 */
/*
 * segment.h - segments as files: made whole under .tmp, given their name by rename and directory fsync; recycled; opened.
 *
 * Rules     (1) a segment has its final name only after header and zeros are synced.  (2) recycling: the caller proved that
 *           it is flushed, old, unread; here: only with one link; renamed to .tmp, directory synced, and only then rewritten.
 */
#ifndef LOG_SEGMENT_H
#define LOG_SEGMENT_H

#include "log/log.h"

/* Makes a whole segment at `path` (written at "<path>.tmp" first), with a fresh random salt; returns it open for writing. */
int segment_create(struct env *env, enum log_kind kind, const char *path, uint64_t number, uint64_t capacity,
                   struct log_header *header, struct os_file **out) SILT_MUST_CHECK;
/* The same from an old segment's file: keeps its bytes, gives it a new header and name. SILT_E_BUSY: it has other links; left alone. */
int segment_recycle(struct env *env, enum log_kind kind, const char *old_path, const char *path, uint64_t number, uint64_t capacity,
                    struct log_header *header, struct os_file **out) SILT_MUST_CHECK;
/* Opens and checks the header. A bad header is SILT_E_CORRUPT (it was synced before the file got its name). */
int segment_open(struct env *env, enum log_kind kind, const char *path, bool writable, struct log_header *header,
                 struct os_file **out) SILT_MUST_CHECK;

#endif
