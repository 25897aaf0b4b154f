/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter.h - a blocked bloom filter: all bits of a key in one 64-byte line, from the one 64-bit hash that everything uses.
 * The bytes are drawn in filter.c.
 */
#ifndef TABLE_FILTER_H
#define TABLE_FILTER_H

#include "base/buf.h"

enum { FILTER_LINE = 64, FILTER_BITS_MAX = 32 };

/* Keeps the hash of each distinct key, 8 bytes a key, until the size is known. */
struct filter_writer {
	uint64_t *hashes;
	size_t count, room;
};
void filter_writer_fini(struct filter_writer *w);                             /* begins as {0} */
int filter_writer_add(struct filter_writer *w, uint64_t hash) SILT_MUST_CHECK;
/* Replaces *out by the filter's bytes; bits_per_key 1..FILTER_BITS_MAX, at least one key. */
int filter_writer_finish(const struct filter_writer *w, uint32_t bits_per_key, struct silt_buf *out) SILT_MUST_CHECK;

int filter_check(struct silt_slice filter) SILT_MUST_CHECK;                   /* once, before filter_may_hold(): 0 or SILT_E_CORRUPT */
void filter_foretell(struct silt_slice filter, uint64_t hash);                /* asks the processor for the line that filter_may_hold() looks into */
bool filter_may_hold(struct silt_slice filter, uint64_t hash);                /* false = certainly not */

#endif
