/* SPDX-License-Identifier: Apache-2.0 */
/*
 * group.h - what the leader does with a group: judge, append, sync, insert, publish; in which order group.c says.
 *
 * Rule: reserve, then promise. All memory (memtable, log buffer, reports) is there before the append; after it nothing can fail
 * but the disk, and then nothing is published and the fault is set.
 */
#ifndef DB_GROUP_H
#define DB_GROUP_H

#include "db/commit.h"

/* A group ends where it would pass either; one batch may. GROUP_RECORD: what a record takes in the log beside its payload, and more. */
enum { GROUP_BYTES = 1 << 20, GROUP_RECORDS = 4096, GROUP_RECORD = 64 };

/* Fills each request's result. The leader alone. */
void group_run(struct silt_db *db, struct commit_request *first);
/* Appends a MARK where DATA was synced that none attests; the leader, when the queue ran empty. */
bool group_owes_mark(struct silt_db *db);
void group_mark(struct silt_db *db);

#endif
