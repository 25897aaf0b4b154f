/* SPDX-License-Identifier: Apache-2.0 */
/* ops.h - waiting for a flush that was asked for. */
#ifndef DB_OPS_H
#define DB_OPS_H

#include "db/db.h"

/* The memtables that were sealed up to segment `number` are flushed: 0; or can't be: < 0. Forget db->flush_error before. */
int ops_wait_flushed(struct silt_db *db, uint64_t number) SILT_MUST_CHECK;
void ops_forget_flush_error(struct silt_db *db);          /* of an earlier try; the next has its own */

#endif
