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

enum { SEGMENT_HEADER = 48 };             /* bytes used of the header page */

/*
 * Makes a whole segment at `path` (written at "<path>.tmp" first), with a fresh random salt; returns it open for writing.
 * capacity: bytes, rounded up to whole pages. Replaces what has either name: a segment without records may be made anew so.
 * SILT_E_NOSPACE: the disk is full, the .tmp is gone again, `path` is as it was. After another failure `path` may be the new one.
 */
int segment_create(struct env *env, enum log_kind kind, const char *path, uint64_t number, uint64_t capacity,
                   struct log_header *header, struct os_file **out) SILT_MUST_CHECK;
/*
 * The same from an old segment's file: keeps its bytes, gives it a new header and name. SILT_E_BUSY: it can't be recycled, for it
 * has other links or is not of this capacity; left alone. SILT_NOTFOUND: there is none. Neither is reported. After another failure
 * the old file may be gone.
 */
int segment_recycle(struct env *env, enum log_kind kind, const char *old_path, const char *path, uint64_t number, uint64_t capacity,
                    struct log_header *header, struct os_file **out) SILT_MUST_CHECK;
/* The two halves of segment_create(), for a segment that gets its first records before its name, as a new manifest does:
 * "<path>.tmp" whole and synced; then its name: rename and directory fsync. */
int segment_prepare(struct env *env, enum log_kind kind, const char *path, uint64_t number, uint64_t capacity,
                    struct log_header *header, struct os_file **out) SILT_MUST_CHECK;
int segment_install(struct env *env, const char *path) SILT_MUST_CHECK;

/* Opens and checks header and size. SILT_NOTFOUND (not reported). A bad header is SILT_E_CORRUPT (it was synced before the file
 * got its name), a later format SILT_E_VERSION. */
int segment_open(struct env *env, enum log_kind kind, const char *path, bool writable, struct log_header *header,
                 struct os_file **out) SILT_MUST_CHECK;

/* The header's bytes, pure. Decoding: 0; SILT_E_CORRUPT; SILT_E_VERSION where the format is a later one. */
void segment_encode_header(const struct log_header *h, uint8_t *out);    /* SEGMENT_HEADER bytes */
int segment_decode_header(struct silt_slice bytes, struct log_header *out) SILT_MUST_CHECK;

#endif
