/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer_stream.c - entries as lines of JSON (entry.h) with their last line, or as CSV (csv.h) with the names of its columns (format.h).
 * In CSV what is no UTF-8, or has control bytes that no table shows, is base64.
 */
#include "ctl/writer.h"

#include "util/csv.h"
#include "ctl/format.h"
#include "ctl/outfile.h"
#include "ctl/session.h"
#include "util/base64.h"
#include "util/utf8.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct writer_stream {
	struct writer writer;         /* first */
	struct outfile *output;
	bool csv;
	struct bytes line, text;
};

static struct writer_stream *writer_stream_of(struct writer *w)
{
	return (struct writer_stream *)w;
}

static bool writer_stream_is_plain(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (((unsigned char)s.p[i] < 0x20 && !memchr("\t\r\n", s.p[i], 3)) || s.p[i] == 0x7f)
			return false;
	return utf8_valid(s);
}

/* Two fields: the bytes and their encoding. */
static void writer_stream_bytes(struct writer_stream *w, struct span s, bool first)
{
	if (writer_stream_is_plain(s)) {
		csv_field(&w->line, s, first);
		csv_field(&w->line, span_of("", 0), false);
		return;
	}
	bytes_clear(&w->text);
	base64_encode(s, &w->text);
	csv_field(&w->line, span_of(w->text.p, w->text.len), first);
	csv_field(&w->line, span_str("base64"), false);
	w->line.bad |= w->text.bad;
}

static void writer_stream_number(struct writer_stream *w, uint64_t n)
{
	bytes_add(&w->line, ",", 1);
	if (n)
		bytes_addf(&w->line, "%" PRIu64, n);
}

static void writer_stream_csv(struct writer_stream *w, const struct entry *e)
{
	writer_stream_bytes(w, e->key, true);
	writer_stream_bytes(w, e->value, false);
	writer_stream_number(w, e->version);
	writer_stream_number(w, e->expires_ms);
	writer_stream_bytes(w, e->meta, false);
	bytes_adds(&w->line, "\r\n");
}

static int writer_stream_put(struct writer_stream *w)
{
	int status = w->line.bad ? session_fail(w->writer.name, SILT_E_NOMEM) : outfile_write(w->output, span_of(w->line.p, w->line.len));

	w->writer.bytes = outfile_bytes(w->output);
	return status;
}

static int writer_stream_entry(struct writer *writer, const struct entry *e)
{
	struct writer_stream *w = writer_stream_of(writer);

	bytes_clear(&w->line);
	if (w->csv) {
		writer_stream_csv(w, e);
	} else {
		entry_print(&w->line, e);
		bytes_add(&w->line, "\n", 1);
	}
	return writer_stream_put(w);
}

static int writer_stream_columns(struct writer_stream *w)
{
	bytes_clear(&w->line);
	for (unsigned i = 0; i < FORMAT_COLUMNS; i++)
		csv_field(&w->line, span_str(format_column_name(i)), i == 0);
	bytes_adds(&w->line, "\r\n");
	return writer_stream_put(w);
}

static int writer_stream_commit(struct writer *writer, const struct target_scanned *all)
{
	struct writer_stream *w = writer_stream_of(writer);
	int status = SESSION_OK;

	if (!w->csv) {
		bytes_clear(&w->line);
		bytes_addf(&w->line, "{\"end\":true,\"count\":%" PRIu64 ",\"version\":%" PRIu64 "}\n", all->count, all->version);
		status = writer_stream_put(w);
	}
	return status == SESSION_OK ? outfile_commit(w->output) : status;
}

static void writer_stream_close(struct writer *writer)
{
	struct writer_stream *w = writer_stream_of(writer);

	outfile_close(w->output);
	bytes_fini(&w->line);
	bytes_fini(&w->text);
	free(w);
}

static const struct writer_ops writer_stream_ops = {
	.entry = writer_stream_entry, .commit = writer_stream_commit, .close = writer_stream_close,
};

int writer_stream_open(const char *path, bool csv, struct writer **out)
{
	struct writer_stream *w = calloc(1, sizeof(*w));
	int status = w ? outfile_open(path, &w->output) : session_fail("--output", SILT_E_NOMEM);

	if (status != SESSION_OK) {
		free(w);
		return status;
	}
	w->writer = (struct writer){
		.ops = &writer_stream_ops, .name = outfile_name(w->output), .is_stdout = !path || strcmp(path, "-") == 0,
		.is_stream = outfile_is_stream(w->output),
	};
	w->csv = csv;
	status = csv ? writer_stream_columns(w) : SESSION_OK;
	if (status != SESSION_OK) {
		writer_stream_close(&w->writer);
		return status;
	}
	*out = &w->writer;
	return SESSION_OK;
}
