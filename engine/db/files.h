/* SPDX-License-Identifier: Apache-2.0 */
/* files.h - what lies in a store's directory, by number. */
#ifndef DB_FILES_H
#define DB_FILES_H

#include "core/env.h"

struct files {
	uint64_t *wals;                   /* ascending */
	size_t wal_count, wal_cap;
	uint64_t largest_table;           /* whole, unfinished or set aside: no number is given twice */
	bool any_table;
};

int files_list(struct env *env, struct files *out) SILT_MUST_CHECK;      /* end with files_fini() in any case */
void files_fini(struct files *f);

#endif
