/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rotate.h - from segment n and its memtable to n + 1 and an empty one. The leader's.
 *
 * Order (!)   SEAL in n, fdatasync n, and only then the first byte of n + 1. The background made n + 1 whole beforehand.
 */
#ifndef DB_ROTATE_H
#define DB_ROTATE_H

#include "db/db.h"

/* Is it time, for a group of this size to come? Memtable over memtable_size, or the segment full. */
bool rotate_due(const struct silt_db *db, size_t records, size_t payload_bytes);
/* 0; SILT_E_NOSPACE, SILT_E_BUSY (no next segment in time), SILT_E_NOMEM: nothing changed; else the fault is set. */
int rotate_run(struct silt_db *db) SILT_MUST_CHECK;

#endif
