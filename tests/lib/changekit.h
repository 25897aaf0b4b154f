/* SPDX-License-Identifier: Apache-2.0 */
/*
 * changekit.h - what the tests of changes share: a store to write to, and what a reader was given as text.
 *
 * Text      "3+a=1 4-b 5+c=2,-d " is version 3 puts a, 4 deletes b, 5 does two things; "@ms" says an expiry, "[...]" metadata.
 */
#ifndef TESTS_CHANGEKIT_H
#define TESTS_CHANGEKIT_H

#include "lib/test.h"

#include "lib/dbkit.h"

enum { CHANGEKIT_SEGMENT = 256 << 10 };

void changekit_init(struct dbkit *k);                       /* a store whose segments end where the test says, by a flush; not open yet */
/* What there is now; in a buffer that the next call reuses. The reader must come to SILT_END. */
const char *changekit_read(silt_changes *c);
const char *changekit_since(struct dbkit *k, uint64_t since);
uint64_t changekit_oldest(struct dbkit *k);
uint64_t changekit_newest(struct dbkit *k);
uint64_t changekit_kept(struct dbkit *k);                   /* bytes of the segments that changes are read from */
/* Asserts: every version from since + 1 to the newest, one put each whose value is its number; at least `least` of them. */
void changekit_expect_all(struct dbkit *k, uint64_t since, uint64_t least);
/* n puts, each with its version as the value's beginning and `size` bytes long. */
void changekit_write(struct dbkit *k, unsigned n, size_t size);
void changekit_segment(struct dbkit *k);                    /* a segment's worth, flushed */

#endif
