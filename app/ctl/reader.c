/* SPDX-License-Identifier: Apache-2.0 */
/* reader.c - which form a source has. */
#include "ctl/reader.h"

#include "ctl/format.h"
#include "ctl/input.h"
#include "ctl/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int reader_open(const struct args *a, struct reader **out)
{
	const char *path = a->operands ? a->operand[0] : "-";
	enum format format;
	int status = format_of(a, path, &format);

	if (status != SESSION_OK)
		return status;
	if (format == FORMAT_FILES && strcmp(path, "-") == 0) {
		(void)fprintf(stderr, "siltctl import: --format files needs a source, the directory that has them\n");
		return SESSION_USAGE;
	}
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

int reader_begin(size_t size, const struct reader_ops *ops, const struct args *a, const char *path, struct reader **out)
{
	struct reader *r = calloc(1, size);
	int status = r ? input_open(path, &r->in) : session_fail(path, SILT_E_NOMEM);

	if (status != SESSION_OK) {
		free(r);
		return status;
	}
	r->ops = ops;
	r->name = input_name(r->in);
	r->next_line = a->from_line ? a->from_line : 1;
	*out = r;
	return SESSION_OK;
}

void reader_progress(const struct reader *r, uint64_t *done, uint64_t *total)
{
	*done = r->in ? input_taken(r->in) : r->read_bytes;
	*total = r->in ? input_size(r->in) : 0;
}

void reader_close(struct reader *r)
{
	struct input *in;

	if (!r)
		return;
	in = r->in;
	r->ops->close(r);
	input_close(in);
}
