/* SPDX-License-Identifier: Apache-2.0 */
/* writer.c - which form an export has. */
#include "ctl/writer.h"

#include "ctl/format.h"
#include "ctl/session.h"

#include <stdio.h>
#include <string.h>

int writer_open(const struct args *a, struct writer **out)
{
	enum format format;
	int status = format_of(a, a->output, &format);

	if (status != SESSION_OK)
		return status;
	if (format != FORMAT_FILES)
		return writer_stream_open(a->output, format == FORMAT_CSV, out);
	if (a->output && strcmp(a->output, "-") != 0)
		return writer_tree_open(a->output, out);
	(void)fprintf(stderr, "siltctl export: --format files needs --output, the directory to make\n");
	return SESSION_USAGE;
}

void writer_close(struct writer *w)
{
	if (w)
		w->ops->close(w);
}
