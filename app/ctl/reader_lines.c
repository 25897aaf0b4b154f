/* SPDX-License-Identifier: Apache-2.0 */
/* reader_lines.c - entries from lines of JSON (entry.h), as export and GET /v1/kv with Accept: application/x-ndjson give them. */
#include "ctl/reader.h"

#include "ctl/input.h"
#include "ctl/look.h"
#include "ctl/session.h"
#include "ctl/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader_lines {
	struct reader reader;         /* first */
	uint64_t line;                /* the last that was read */
	uint64_t from;                /* the first that is given */
	uint64_t entries;             /* seen, those before `from` too */
	size_t used;                  /* of what is at hand: the last line, to be taken before the next is read */
	bool no_end;                  /* --no-end: a last line is not expected */
	bool ended;                   /* it was seen */
	struct entry_reading reading;
};

static struct reader_lines *reader_lines_of(struct reader *r)
{
	return (struct reader_lines *)r;
}

static int reader_lines_bad(const struct reader_lines *l, const char *fault, size_t at)
{
	(void)fprintf(stderr, "siltctl: %s: line %" PRIu64 ", byte %zu: %s\n", l->reader.name, l->line, at + 1, fault);
	return SESSION_DAMAGED;
}

/* The next line, without its end. A last one that has no newline counts where anything is in it. */
static int reader_lines_line(struct reader_lines *l, struct span *out)
{
	bool ended = false;
	size_t looked = 0;

	input_take(l->reader.in, l->used);
	l->used = 0;
	for (;;) {
		struct span s = input_at_hand(l->reader.in);
		const char *eol = s.len > looked ? memchr(s.p + looked, '\n', s.len - looked) : NULL;
		int status;

		if (eol || (ended && s.len)) {
			*out = span_of(s.p, eol ? (size_t)(eol - s.p) : s.len);
			l->used = out->len + (eol != NULL);
			l->line++;
			return SESSION_OK;
		}
		if (ended)
			return READER_END;
		if (s.len > INPUT_MAX) {
			l->line++;
			return reader_lines_bad(l, "it is longer than any entry", s.len);
		}
		looked = s.len;
		status = input_more(l->reader.in, &ended);
		if (status != SESSION_OK)
			return status;
	}
}

static bool reader_lines_blank(struct span line)
{
	for (size_t i = 0; i < line.len; i++)
		if (!memchr(" \t\r", line.p[i], 3))
			return false;
	return true;
}

static int reader_lines_broken(struct reader_lines *l)
{
	struct bytes text = { 0 };
	struct span object;

	if (look_object(l->reading.error, &object))
		(void)look_text(object, "detail", &text);
	(void)fprintf(stderr, "siltctl: %s: line %" PRIu64 ": the export broke off here: ", l->reader.name, l->line);
	text_show(stderr, span_of(text.p, text.len));
	(void)fputc('\n', stderr);
	bytes_fini(&text);
	return SESSION_DAMAGED;
}

static int reader_lines_last(struct reader_lines *l)
{
	if (l->reading.count != l->entries) {
		(void)fprintf(stderr, "siltctl: %s: line %" PRIu64 ": it was to be %" PRIu64 " entries, and there are %" PRIu64
		              ": lines are missing or too many\n", l->reader.name, l->line, l->reading.count, l->entries);
		return SESSION_DAMAGED;
	}
	l->ended = true;
	return SESSION_OK;
}

static int reader_lines_no_more(const struct reader_lines *l)
{
	if (l->ended || l->no_end)
		return READER_END;
	(void)fprintf(stderr, "siltctl: %s: it ends with line %" PRIu64 " and without {\"end\":true,...}: an export that ends so was cut short; "
	              "if it is none, say --no-end\n", l->reader.name, l->line);
	return SESSION_DAMAGED;
}

/* One line; SESSION_OK with *given = false where it is no entry to be given. */
static int reader_lines_take(struct reader_lines *l, struct span line, bool *given)
{
	*given = false;
	if (reader_lines_blank(line))
		return SESSION_OK;
	if (l->ended)
		return reader_lines_bad(l, "something stands behind the last line", 0);
	if (l->line < l->from) {
		l->entries++;
		return SESSION_OK;
	}
	switch (entry_read(line, &l->reading)) {
	case ENTRY_ITEM:
		l->entries++;
		*given = true;
		return SESSION_OK;
	case ENTRY_LAST:
		return reader_lines_last(l);
	case ENTRY_ERROR:
		return reader_lines_broken(l);
	case ENTRY_BAD:
		return reader_lines_bad(l, l->reading.fault, l->reading.at);
	default:
		return session_fail(l->reader.name, SILT_E_NOMEM);
	}
}

static int reader_lines_next(struct reader *r, struct reader_item *out)
{
	struct reader_lines *l = reader_lines_of(r);
	bool given = false;
	struct span line;
	int status;

	do {
		status = l->line == 0 ? input_take_mark(r->in) : SESSION_OK;
		if (status == SESSION_OK)
			status = reader_lines_line(l, &line);
		r->place.line = l->line + (status == READER_END);
		r->next_line = l->line + 1;
		if (status == READER_END)
			return reader_lines_no_more(l);
		if (status == SESSION_OK)
			status = reader_lines_take(l, line, &given);
	} while (status == SESSION_OK && !given);
	if (status == SESSION_OK)
		*out = (struct reader_item){ .entry = l->reading.entry, .place = r->place };
	return status;
}

static void reader_lines_close(struct reader *r)
{
	struct reader_lines *l = reader_lines_of(r);

	bytes_fini(&l->reading.text);
	free(l);
}

static const struct reader_ops reader_lines_ops = { .next = reader_lines_next, .close = reader_lines_close };

int reader_lines_open(const struct args *a, const char *path, struct reader **out)
{
	int status = reader_begin(sizeof(struct reader_lines), &reader_lines_ops, a, path, out);

	if (status == SESSION_OK) {
		reader_lines_of(*out)->from = a->from_line;
		reader_lines_of(*out)->no_end = a->given & ARGS_NO_END;
	}
	return status;
}
