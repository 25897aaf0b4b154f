/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logger.h - lines for people, on stderr. One line is one write: lines of two threads never mix.
 * On a terminal "siltstone: warning: text"; elsewhere "<4>text", the prefix that journald and syslog understand.
 */
#ifndef SERVER_LOGGER_H
#define SERVER_LOGGER_H

#include <stdatomic.h>
#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARNING = 4, LOG_LEVEL_NOTICE = 5, LOG_LEVEL_INFO = 6, LOG_LEVEL_DEBUG = 7 };

struct logger {
	int fd;                       /* [c] */
	bool prefixed;                /* [c] "<4>" instead of words */
	_Atomic int level;            /* relaxed: lines above it are dropped */
};

void logger_init(struct logger *l, int fd, int level);
/* Would a line of this level be written? */
bool logger_wants(const struct logger *l, int level);
void logger_set_level(struct logger *l, int level);
/* Any thread. Control characters in the text come out as '?': what a client sent can't forge a line. Long lines are cut. */
void logger_log(struct logger *l, int level, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* "warning"; NULL for a number that is no level. */
const char *logger_level_name(int level);

#endif
