/* SPDX-License-Identifier: Apache-2.0 */
/* level_iter.h - the tables of one leveled level, end to end, as one cursor; a table is opened when the cursor reaches it. */
#ifndef DB_LEVEL_ITER_H
#define DB_LEVEL_ITER_H

#include "db/view.h"

/* Borrows the set: it must outlive the cursor. */
int level_iter_new(struct tableset *set, int level, unsigned table_flags, struct iter **out) SILT_MUST_CHECK;

#endif
