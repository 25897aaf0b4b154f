/* SPDX-License-Identifier: Apache-2.0 */
/* format.h - the forms that an export can have. */
#ifndef CTL_FORMAT_H
#define CTL_FORMAT_H

#include "ctl/args.h"

enum format { FORMAT_LINES, FORMAT_CSV, FORMAT_FILES };

/* The columns of FORMAT_CSV, in the order in which export writes them. */
enum format_column {
	FORMAT_KEY, FORMAT_KEY_ENCODING, FORMAT_VALUE, FORMAT_ENCODING, FORMAT_VERSION, FORMAT_EXPIRES, FORMAT_TYPE, FORMAT_TYPE_ENCODING,
	FORMAT_COLUMNS,
};
const char *format_column_name(enum format_column column);

/* --format; without it "x.csv" is CSV, a directory files, all else lines. An exit status. */
int format_of(const struct args *a, const char *path, enum format *out);

#endif
