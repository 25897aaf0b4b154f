/* SPDX-License-Identifier: Apache-2.0 */
/* export.c - the entries of one snapshot, as lines of JSON, as CSV, or as files. */
#include "ctl/commands.h"
#include "ctl/progress.h"
#include "ctl/session.h"
#include "ctl/stop.h"
#include "ctl/target.h"
#include "ctl/text.h"
#include "ctl/writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { EXPORT_TELL_EVERY = 256 };     /* entries */

struct export {
	const struct args *args;
	struct writer *writer;
	struct progress progress;
	uint64_t count, estimate;
};

static int export_entry(void *ctx, const struct entry *e)
{
	struct export *x = ctx;
	int status = x->writer->ops->entry(x->writer, e);

	if (status == SESSION_OK && ++x->count % EXPORT_TELL_EVERY == 0)
		(void)progress_tell(&x->progress, x->count, x->count <= x->estimate ? x->estimate : 0);
	return status;
}

/* Where the data does not go. */
static void export_begin_progress(struct export *x)
{
	progress_begin(&x->progress, "export");
	x->progress.unit = PROGRESS_ENTRIES;
	x->progress.silent = x->writer->is_stdout || (x->args->given & ARGS_JSON);
	if (x->writer->is_stdout && isatty(STDOUT_FILENO))
		x->progress.terminal = false;
}

static void export_sum_up(const struct export *x, const struct target_scanned *all)
{
	FILE *f = x->writer->is_stdout ? stderr : stdout;
	uint64_t took_ms = progress_ms(&x->progress);
	char size[TEXT_SIZE];

	if (x->args->given & ARGS_JSON)
		(void)fprintf(f, "{\"exported\":%" PRIu64 ",\"version\":%" PRIu64 ",\"bytes\":%" PRIu64 "}\n", all->count, all->version,
		              x->writer->bytes);
	else
		(void)fprintf(f, "export: %" PRIu64 " entries of version %" PRIu64 ", %s in %s, %" PRIu64 ".%01" PRIu64 " s\n", all->count,
		              all->version, text_size(x->writer->bytes, size), x->writer->name, took_ms / 1000, took_ms % 1000 / 100);
}

static void export_failed(const struct export *x)
{
	if (x->writer->is_stream)
		(void)fprintf(stderr, "siltctl export: it ended after %" PRIu64 " entries: what was written is not all; run it again\n", x->count);
	else
		(void)fprintf(stderr, "siltctl export: it ended after %" PRIu64 " entries: nothing was left in %s, nor changed; run it again\n",
		              x->count, x->writer->name);
}

static int export_run(struct export *x, struct target *t, const struct target_range *range)
{
	struct target_scanned all;
	int status;

	export_begin_progress(x);
	if (x->progress.terminal || !x->progress.silent)
		x->estimate = t->ops->estimate(t, range);
	status = t->ops->scan(t, range, export_entry, x, &all);
	if (status == SESSION_OK)
		status = x->writer->ops->commit(x->writer, &all);
	progress_clear(&x->progress);
	if (status == SESSION_OK)
		export_sum_up(x, &all);
	else if (status != SESSION_UNWANTED)
		export_failed(x);
	return status;
}

int export_command(const struct args *a)
{
	struct export x = { .args = a };
	struct bytes behind = { 0 };
	struct target_range range;
	struct target *t = NULL;
	int status = SESSION_USAGE;

	stop_begin();
	if (args_allow(a, ARGS_TARGET | ARGS_RANGE | ARGS_FORMAT | ARGS_OUTPUT | ARGS_JSON, 0))
		status = target_range(a, &behind, &range);
	if (status == SESSION_OK)
		status = target_open(a, TARGET_READ, &t);
	if (status == SESSION_OK)
		status = writer_open(a, &x.writer);
	if (status == SESSION_OK)
		status = export_run(&x, t, &range);
	writer_close(x.writer);
	target_close(t);
	bytes_fini(&behind);
	return status;
}
