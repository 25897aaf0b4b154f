/* SPDX-License-Identifier: Apache-2.0 */
/* dump_table.h - a table as lines. */
#ifndef DB_DUMP_TABLE_H
#define DB_DUMP_TABLE_H

#include "db/dump_lines.h"

/* 0 or what silt_dump() returns. */
int dump_table(struct dump *d, const char *path) SILT_MUST_CHECK;

#endif
