/* SPDX-License-Identifier: Apache-2.0 */
/* reader.c - which form a source has. */
#include "ctl/reader.h"

#include "ctl/format.h"
#include "ctl/session.h"

#include <stdio.h>

int reader_open(const struct args *a, struct reader **out)
{
	const char *path = a->operands ? a->operand[0] : "-";
	enum format format;
	int status = format_of(a, path, &format);

	if (status != SESSION_OK)
		return status;
	if (a->given & (format == FORMAT_FILES ? ARGS_FROM_LINE : ARGS_FROM_FILE)) {
		(void)fprintf(stderr, "siltctl import: %s\n", format == FORMAT_FILES ? "files have no lines: --from-file says where to go on"
		                                                                     : "lines are no files: --from-line says where to go on");
		return SESSION_USAGE;
	}
	if (format != FORMAT_FILES && (a->given & (ARGS_CONTENT_TYPE | ARGS_LITERAL))) {
		(void)fprintf(stderr, "siltctl import: --content-type and --literal are for --format files\n");
		return SESSION_USAGE;
	}
	return format == FORMAT_FILES ? reader_tree_open(a, path, out) :
	       format == FORMAT_CSV ? reader_csv_open(a, path, out) : reader_lines_open(a, path, out);
}

void reader_close(struct reader *r)
{
	if (r)
		r->ops->close(r);
}
