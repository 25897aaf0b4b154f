/* SPDX-License-Identifier: Apache-2.0 */
/* dump_lines.h - what a dump of a file prints through: lines, and bytes that are safe on a terminal. */
#ifndef DB_DUMP_LINES_H
#define DB_DUMP_LINES_H

#include "base/buf.h"
#include "core/entry.h"
#include "core/env.h"

enum { DUMP_TEXT = 4 * SILT_KEY_MAX + 16, DUMP_LINE = 2 * DUMP_TEXT, DUMP_VALUE_SHOWN = 48 };

struct dump {
	struct env env;                   /* POSIX; its messages become lines */
	silt_dump_line_fn *fn;
	void *ctx;
	uint64_t damages;                 /* messages of failures so far */
	char text[2][DUMP_TEXT];          /* dump_text() by slot */
	char line[DUMP_LINE];
};

void dump_line(struct dump *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The bytes in quotes, \xNN for what is not printable, at most `shown` of them; in the slot (0 or 1) until it is used again. */
const char *dump_text(struct dump *d, int slot, struct silt_slice s, size_t shown);
void dump_range(struct dump *d, const char *indent, struct silt_slice lower, struct silt_slice upper, uint64_t version);   /* a range delete */
void dump_entry(struct dump *d, const char *indent, const struct entry *e);   /* without a version where that is 0 */

#endif
