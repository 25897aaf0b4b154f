/* SPDX-License-Identifier: Apache-2.0 */
/* logger.c - lines for people, on stderr. A logger that can't write has nobody to tell: failures are ignored. */
#include "server/logger.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOGGER_LINE_MAX 2048

static const char *const logger_names[] = {
	[LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_WARNING] = "warning", [LOG_LEVEL_NOTICE] = "notice",
	[LOG_LEVEL_INFO] = "info",   [LOG_LEVEL_DEBUG] = "debug",
};

const char *logger_level_name(int level)
{
	return level >= LOG_LEVEL_ERROR && level <= LOG_LEVEL_DEBUG ? logger_names[level] : NULL;
}

void logger_init(struct logger *l, int fd, int level)
{
	l->fd = fd;
	l->prefixed = isatty(fd) == 0;
	atomic_init(&l->level, level);
}

void logger_set_level(struct logger *l, int level)
{
	atomic_store_explicit(&l->level, level, memory_order_relaxed);
}

bool logger_wants(const struct logger *l, int level)
{
	return level <= atomic_load_explicit(&l->level, memory_order_relaxed);
}

static void logger_disarm(char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c < 0x20 || c == 0x7f)
			s[i] = '?';
	}
}

void logger_log(struct logger *l, int level, const char *format, ...)
{
	char line[LOGGER_LINE_MAX];
	size_t head, room;
	va_list args;
	int n;

	if (!logger_wants(l, level) || logger_level_name(level) == NULL)
		return;
	if (l->prefixed)
		head = (size_t)snprintf(line, sizeof(line), "<%d>", level);
	else
		head = (size_t)snprintf(line, sizeof(line), "siltstone: %s: ", logger_level_name(level));
	room = sizeof(line) - head - 1;
	va_start(args, format);
	n = vsnprintf(line + head, room, format, args);
	va_end(args);
	if (n < 0)
		return;
	if ((size_t)n >= room) {
		n = (int)room - 1;
		memcpy(line + head + n - 3, "...", 3);
	}
	logger_disarm(line + head, (size_t)n);
	line[head + (size_t)n] = '\n';
	if (write(l->fd, line, head + (size_t)n + 1) < 0)
		return;
}
