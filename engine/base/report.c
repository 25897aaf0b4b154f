/* SPDX-License-Identifier: Apache-2.0 */
/* report.c - formatting on the stack, so that a message needs no memory just when there is none. */
#include "base/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum { REPORT_MAX = 1024 };               /* with the final NUL; longer messages are cut */

static void report_send(const struct reporter *r, enum silt_log_level level, const char *format, va_list args)
{
	int saved_errno = errno;
	char text[REPORT_MAX];

	if (vsnprintf(text, sizeof(text), format, args) < 0)
		text[0] = '\0';
	r->fn(r->ctx, level, text);
	errno = saved_errno;
}

int report(const struct reporter *r, int code, const char *format, ...)
{
	va_list args;

	if (!r || !r->fn)
		return code;
	va_start(args, format);
	report_send(r, SILT_LOG_ERROR, format, args);
	va_end(args);
	return code;
}

void report_note(const struct reporter *r, enum silt_log_level level, const char *format, ...)
{
	va_list args;

	if (!r || !r->fn)
		return;
	va_start(args, format);
	report_send(r, level, format, args);
	va_end(args);
}
