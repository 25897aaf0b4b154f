/* SPDX-License-Identifier: Apache-2.0 */
/* scan.h - is there an intact record anywhere in a stretch of a segment? What the judge asks of the bytes behind the end. */
#ifndef LOG_SCAN_H
#define LOG_SCAN_H

#include "log/record.h"

/*
 * The first record under the segment's salt, at any 8-byte step from `from` (a multiple of 8) on, that claims synced_to > `beyond`:
 * 0 = its offset; SILT_END = there is none; < 0 failure, reported.
 */
int log_scan(struct env *env, const char *path, const struct log_header *h, struct os_file *file, uint64_t from, uint64_t beyond,
             uint64_t *offset) SILT_MUST_CHECK;

#endif
