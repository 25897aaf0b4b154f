/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import.c - entries from lines of JSON, from CSV or from files, written in batches.
 *
 * Promise   Entries are written in the order of the source, and each batch whole. However it ends, all before the place that is said was
 *           imported and nothing behind it, but for a batch that a server went away over: that one begins at the place that is said, and
 *           importing it once more does no harm.
 * Memory    one batch, or one value that is larger
 */
#include "ctl/commands.h"
#include "ctl/progress.h"
#include "ctl/reader.h"
#include "ctl/session.h"
#include "ctl/stop.h"
#include "ctl/target.h"
#include "ctl/text.h"
#include "util/json_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IMPORT_ALONE (TARGET_BATCH_BYTES / 2)        /* a value this large is a batch of its own */
enum { IMPORT_KEY_SHOWN = 120 };

struct import_op {                    /* one of the batch: where its bytes are in `text` */
	size_t key_at, key_len, value_at, value_len, meta_at, meta_len;
	uint64_t expires_ms;
	uint64_t line;
	size_t path_at;               /* of a tree; NUL-ended; never 0, where the key is */
};

struct import {
	const struct args *args;
	struct reader *reader;
	struct target *target;
	struct import_op op[TARGET_BATCH_OPS];
	struct target_op out[TARGET_BATCH_OPS];
	size_t n;
	struct bytes text;            /* what the batch's entries have */
	uint64_t imported, expired;
	struct bytes last_key;        /* of the last that was imported */
	uint64_t from_line;           /* where to go on, 0 = not by lines; ... */
	struct bytes from_path;       /* ... of a tree; NUL-ended */
	struct progress progress;
};

static int import_no_memory(const struct import *im)
{
	return session_fail(im->reader->name, SILT_E_NOMEM);
}

/* ---- where to go on ----------------------------------------------------------------------------------------------------- */

static void import_at(struct import *im, uint64_t line, const char *path)
{
	im->from_line = line;
	bytes_clear(&im->from_path);
	if (path)
		bytes_add(&im->from_path, path, strlen(path) + 1);
}

/* Behind what the reader gave last. A file is imported once more. */
static void import_behind(struct import *im)
{
	import_at(im, im->reader->next_line, im->reader->place.path);
}

static void import_at_op(struct import *im, const struct import_op *op)
{
	import_at(im, op->line, op->path_at ? im->text.p + op->path_at : NULL);
}

static void import_done(struct import *im, struct span key, size_t n)
{
	im->imported += n;
	bytes_clear(&im->last_key);
	bytes_add(&im->last_key, key.p, key.len);
}

/* ---- batches ------------------------------------------------------------------------------------------------------------ */

static void import_op_of(const struct import *im, const struct import_op *from, struct target_op *to)
{
	*to = (struct target_op){ .entry = {
		.key = span_of(im->text.p + from->key_at, from->key_len), .value = span_of(im->text.p + from->value_at, from->value_len),
		.meta = span_of(im->text.p + from->meta_at, from->meta_len), .expires_ms = from->expires_ms,
	} };
}

/* A batch that was refused, and of which nothing was written, entry by entry: to know which one it is. */
static int import_one_by_one(struct import *im)
{
	uint64_t version;
	int status = SESSION_OK;

	for (size_t i = 0; i < im->n && status == SESSION_OK; i++) {
		import_at_op(im, &im->op[i]);
		status = stop_asked() ? stop_status() : im->target->ops->write(im->target, &im->out[i], 1, &version);
		if (status == SESSION_OK)
			import_done(im, im->out[i].entry.key, 1);
	}
	return status;
}

static int import_flush(struct import *im)
{
	uint64_t version;
	int status;

	if (im->n == 0)
		return SESSION_OK;
	for (size_t i = 0; i < im->n; i++)
		import_op_of(im, &im->op[i], &im->out[i]);
	import_at_op(im, &im->op[0]);
	status = im->target->ops->write(im->target, im->out, im->n, &version);
	if (status == SESSION_OK)
		import_done(im, im->out[im->n - 1].entry.key, im->n);
	else if (status == SESSION_FAILED && im->n > 1)
		status = import_one_by_one(im);
	im->n = 0;
	bytes_clear(&im->text);
	if (status == SESSION_OK)
		import_behind(im);
	return status;
}

static size_t import_keep(struct import *im, struct span s)
{
	size_t at = im->text.len;

	bytes_add(&im->text, s.p, s.len);
	return at;
}

static int import_add(struct import *im, const struct reader_item *item)
{
	struct import_op *op = &im->op[im->n];

	*op = (struct import_op){
		.key_at = import_keep(im, item->entry.key), .key_len = item->entry.key.len,
		.value_at = import_keep(im, item->entry.value), .value_len = item->entry.value.len,
		.meta_at = import_keep(im, item->entry.meta), .meta_len = item->entry.meta.len,
		.expires_ms = item->entry.expires_ms, .line = item->place.line,
	};
	if (item->place.path)
		op->path_at = import_keep(im, span_of(item->place.path, strlen(item->place.path) + 1));
	if (im->text.bad)
		return import_no_memory(im);
	im->n++;
	return im->n == TARGET_BATCH_OPS || im->text.len >= TARGET_BATCH_BYTES ? import_flush(im) : SESSION_OK;
}

/* A large one, not copied. */
static int import_alone(struct import *im, const struct reader_item *item)
{
	struct target_op op = { .entry = item->entry };
	int status = import_flush(im);
	uint64_t version;

	if (status != SESSION_OK)
		return status;
	import_at(im, item->place.line, item->place.path);
	status = im->target->ops->write(im->target, &op, 1, &version);
	if (status == SESSION_OK) {
		import_done(im, item->entry.key, 1);
		import_behind(im);
	}
	return status;
}

/* Ended by a signal: what is at hand is let go. */
static int import_stopped(struct import *im)
{
	if (im->n > 0)
		import_at_op(im, &im->op[0]);
	return stop_status();
}

/* ---- the whole of it ---------------------------------------------------------------------------------------------------- */

static void import_tell(struct import *im)
{
	uint64_t done, total;

	reader_progress(im->reader, &done, &total);
	im->progress.unit = total ? PROGRESS_BYTES : PROGRESS_ENTRIES;
	(void)progress_tell(&im->progress, total ? done : im->imported, total);
}

static int import_item(struct import *im, const struct reader_item *item)
{
	if (item->entry.expires_ms && item->entry.expires_ms <= target_now_ms()) {
		im->expired++;
		return SESSION_OK;
	}
	return item->entry.value.len >= IMPORT_ALONE ? import_alone(im, item) : import_add(im, item);
}

/* All entries; at the end, also of a source that can't be read any further, what is at hand is written. */
static int import_all(struct import *im)
{
	struct reader_item item;
	int status, flushed;

	for (;;) {
		if (stop_asked())
			return import_stopped(im);
		status = im->reader->ops->next(im->reader, &item);
		if (status != SESSION_OK)
			break;
		status = import_item(im, &item);
		if (status != SESSION_OK)
			return status;
		if (im->n == 0)
			import_tell(im);
	}
	if (stop_asked())
		return import_stopped(im);
	flushed = import_flush(im);
	if (flushed != SESSION_OK)
		return flushed;
	import_at(im, im->reader->place.line, im->reader->place.path);
	return status == READER_END ? SESSION_OK : status;
}

static void import_say_place(const struct import *im)
{
	struct bytes text = { 0 };
	size_t shown;

	(void)fprintf(stderr, "siltctl import: %" PRIu64 " entries were imported", im->imported);
	text_escape(span_of(im->last_key.p, im->last_key.len), &text);
	shown = text.len < IMPORT_KEY_SHOWN ? text.len : IMPORT_KEY_SHOWN;
	while (shown > 0 && shown < text.len && (text.p[shown] & 0xc0) == 0x80)
		shown--;                                 /* not in the middle of a character */
	if (shown)
		(void)fprintf(stderr, ", up to the key %.*s%s", (int)shown, text.p, shown < text.len ? "..." : "");
	bytes_clear(&text);
	if (im->from_path.len) {
		text_escape(span_of(im->from_path.p, im->from_path.len - 1), &text);
		(void)fprintf(stderr, "; go on with --from-file %.*s\n", (int)text.len, text.p);
	} else if (im->from_line) {
		(void)fprintf(stderr, "; go on with --from-line %" PRIu64 "\n", im->from_line);
	} else {
		(void)fprintf(stderr, "; run it again\n");
	}
	bytes_fini(&text);
}

/* The file as --from-file takes it, which is escaped and so UTF-8. */
static void import_print_place(const struct import *im)
{
	struct bytes text = { 0 }, json = { 0 };

	if (im->from_path.len) {
		text_escape(span_of(im->from_path.p, im->from_path.len - 1), &text);
		json_text_string(&json, span_of(text.p, text.len));
		(void)printf(",\"from_file\":%.*s", (int)json.len, json.bad ? "" : json.p);
	} else if (im->from_line) {
		(void)printf(",\"from_line\":%" PRIu64, im->from_line);
	}
	bytes_fini(&text);
	bytes_fini(&json);
}

static void import_sum_up(const struct import *im, bool failed)
{
	uint64_t took_ms = progress_ms(&im->progress);

	if (failed)
		import_say_place(im);
	if (im->args->given & ARGS_JSON) {
		(void)printf("{\"imported\":%" PRIu64 ",\"expired\":%" PRIu64, im->imported, im->expired);
		if (failed)
			import_print_place(im);
		(void)printf("}\n");
	} else if (!failed) {
		(void)printf("import: %" PRIu64 " entries, %" PRIu64 ".%01" PRIu64 " s", im->imported, took_ms / 1000, took_ms % 1000 / 100);
		if (im->expired)
			(void)printf("; %" PRIu64 " more had expired", im->expired);
		(void)printf("\n");
	}
}

static int import_run(struct import *im)
{
	int status;

	progress_begin(&im->progress, "import");
	im->progress.silent = im->args->given & ARGS_JSON;
	import_behind(im);
	status = import_all(im);
	progress_clear(&im->progress);
	import_sum_up(im, status != SESSION_OK);
	return status;
}

int import_command(const struct args *a)
{
	struct import *im;
	int status;

	if (!args_allow_some(a, ARGS_TARGET | ARGS_FORMAT | ARGS_FROM_LINE | ARGS_FROM_FILE | ARGS_NO_END | ARGS_LITERAL | ARGS_CONTENT_TYPE |
	                     ARGS_CREATE | ARGS_JSON, 0, 1))
		return SESSION_USAGE;
	im = calloc(1, sizeof(*im));
	if (!im)
		return session_fail("import", SILT_E_NOMEM);
	im->args = a;
	stop_begin();
	status = reader_open(a, &im->reader);
	if (status == SESSION_OK)
		status = target_open(a, TARGET_WRITE, &im->target);
	if (status == SESSION_OK)
		status = import_run(im);
	target_close(im->target);
	reader_close(im->reader);
	bytes_fini(&im->text);
	bytes_fini(&im->last_key);
	bytes_fini(&im->from_path);
	free(im);
	return status;
}
