/* SPDX-License-Identifier: Apache-2.0 */
/* repair_table.h - the damaged and missing tables of a version, and the tables that take their place. */
#ifndef DB_REPAIR_TABLE_H
#define DB_REPAIR_TABLE_H

#include "db/repair_plan.h"

/*
 * Reads every table. One that is damaged is dropped in the edit; with r->apply what can be read of it stands there as a new
 * table of its level: a part of the old one's entries, so that every invariant that held goes on to.
 */
int repair_tables(struct repair *r) SILT_MUST_CHECK;

#endif
