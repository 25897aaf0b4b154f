/* SPDX-License-Identifier: Apache-2.0 */
/* dump_log.h - a log segment or a manifest as lines. */
#ifndef DB_DUMP_LOG_H
#define DB_DUMP_LOG_H

#include "db/dump_lines.h"
#include "log/log.h"

/* 0 or what silt_dump() returns. */
int dump_log(struct dump *d, enum log_kind kind, const char *path) SILT_MUST_CHECK;

#endif
