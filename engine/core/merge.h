/* SPDX-License-Identifier: Apache-2.0 */
/*
 * merge.h - many sorted cursors as one, both ways. A broken child breaks the merge (it never falls through to another).
 * Turning round seeks every other child, so that none is skipped or seen twice.
 */
#ifndef CORE_MERGE_H
#define CORE_MERGE_H

#include "core/iter.h"

/* Takes the children (also on failure: then they are closed). n may be 0: always SILT_END. */
int merge_iter_new(struct iter **children, size_t n, struct iter **out) SILT_MUST_CHECK;

#endif
