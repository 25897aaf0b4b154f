/* SPDX-License-Identifier: Apache-2.0 */
/* report.h - the message's way sideways: who detects a failure says it here, once, and returns the code that came back. */
#ifndef BASE_REPORT_H
#define BASE_REPORT_H

#include <siltstone.h>

struct reporter {
	silt_log_fn *fn;              /* NULL = silent */
	void *ctx;
};

/* Formats (at most 1023 bytes) at SILT_LOG_ERROR and returns `code` unchanged. */
int report(const struct reporter *r, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same at another level. */
void report_note(const struct reporter *r, enum silt_log_level level, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
