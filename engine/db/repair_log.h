/* SPDX-License-Identifier: Apache-2.0 */
/* repair_log.h - a log that recovery refuses: where it ends, what is lost behind that, and what came before made into tables. */
#ifndef DB_REPAIR_LOG_H
#define DB_REPAIR_LOG_H

#include "db/repair_plan.h"

/*
 * A sound log, or one with a torn tail, is left to the next opening. A damaged one: with r->apply its sound beginning becomes tables of
 * level 0, and a fresh segment says up to which version any were given. The old segments are set aside.
 */
int repair_log(struct repair *r) SILT_MUST_CHECK;

#endif
