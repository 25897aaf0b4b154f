/* SPDX-License-Identifier: Apache-2.0 */
/* csv.c - two passes over a record: where it ends, which can be far away, then its fields. */
#include "util/csv.h"

#include <string.h>

void csv_field(struct bytes *out, struct span field, bool first)
{
	bool quoted = false;

	for (size_t i = 0; i < field.len && !quoted; i++)
		quoted = field.p[i] == ',' || field.p[i] == '"' || field.p[i] == '\r' || field.p[i] == '\n';
	if (!first)
		bytes_add(out, ",", 1);
	if (!quoted) {
		bytes_add(out, field.p, field.len);
		return;
	}
	bytes_add(out, "\"", 1);
	while (field.len) {
		const char *quote = memchr(field.p, '"', field.len);
		size_t n = quote ? (size_t)(quote - field.p) + 1 : field.len;

		bytes_add(out, field.p, n);
		if (quote)
			bytes_add(out, "\"", 1);
		field = span_of(field.p + n, field.len - n);
	}
	bytes_add(out, "\"", 1);
}

static enum csv_result csv_bad(struct csv_record *r, struct span text, const char *at, const char *fault)
{
	const char *line = text.p;

	r->fault = fault;
	r->fault_line = 0;
	for (const char *p = text.p; p < at; p++) {
		if (*p == '\n') {
			r->fault_line++;
			line = p + 1;
		}
	}
	r->fault_column = (size_t)(at - line);
	return CSV_BAD;
}

enum csv_state { CSV_BEGINS, CSV_PLAIN, CSV_QUOTED, CSV_CLOSED };

static enum csv_state csv_step(enum csv_state state, char c)
{
	switch (state) {
	case CSV_QUOTED:
		return c == '"' ? CSV_CLOSED : CSV_QUOTED;
	case CSV_CLOSED:
		if (c == '"')
			return CSV_QUOTED;               /* it was one of two */
		return c == ',' ? CSV_BEGINS : CSV_CLOSED;
	case CSV_BEGINS:
		if (c == '"')
			return CSV_QUOTED;
		/* fallthrough */
	default:
		return c == ',' ? CSV_BEGINS : CSV_PLAIN;
	}
}

/* A line end that is in no quotes, or where the quotes are wrong: what comes behind that is not worth reading. r->looked keeps where
   it was, and in its lowest bits the state there. */
static bool csv_find_end(struct span text, struct csv_record *r)
{
	enum csv_state state = r->looked & 3;
	size_t i = r->looked >> 2;

	for (; i < text.len; i++) {
		if (text.p[i] == '\n' && state != CSV_QUOTED)
			break;
		if ((state == CSV_PLAIN && text.p[i] == '"') || (state == CSV_CLOSED && !memchr("\",\r", text.p[i], 3)))
			break;
		state = csv_step(state, text.p[i]);
	}
	r->looked = i << 2 | state;
	return i < text.len;
}

/* p stands behind the opening quote; *end behind the closing one. */
static bool csv_quoted(const char *p, const char *stop, struct csv_record *r, struct span *out, const char **end)
{
	size_t from = r->decoded.len;

	for (;;) {
		const char *quote = memchr(p, '"', (size_t)(stop - p));

		if (!quote)
			return false;
		bytes_add(&r->decoded, p, (size_t)(quote - p));
		p = quote + 1;
		if (p == stop || *p != '"')
			break;
		bytes_add(&r->decoded, p++, 1);
	}
	*out = span_of(r->decoded.p + from, r->decoded.len - from);
	*end = p;
	return true;
}

static enum csv_result csv_fields(struct span text, const char *stop, struct csv_record *r)
{
	const char *p = text.p;

	for (r->fields = 0;; p++) {
		struct span field;

		if (r->fields == CSV_FIELDS_MAX)
			return csv_bad(r, text, p, "there are more fields than any column is known for");
		if (p < stop && *p == '"') {
			if (!csv_quoted(p + 1, stop, r, &field, &p))
				return csv_bad(r, text, p, "the quote that begins here is not closed");
			if (p < stop && *p != ',')
				return csv_bad(r, text, p, "a comma or the end of the line is expected behind the closing quote");
		} else {
			const char *comma = memchr(p, ',', (size_t)(stop - p));

			field = span_of(p, (size_t)((comma ? comma : stop) - p));
			p = field.p + field.len;
		}
		r->field[r->fields++] = field;
		if (p == stop)
			return r->decoded.bad ? CSV_NO_MEMORY : CSV_RECORD;
	}
}

enum csv_result csv_read(struct span text, bool ended, struct csv_record *r)
{
	bool found = csv_find_end(text, r);
	const char *stop;
	size_t end = r->looked >> 2;

	if (!found && !ended)
		return CSV_MORE;
	if (found && text.p[end] != '\n')
		return csv_bad(r, text, text.p + end, text.p[end] == '"' ? "a quote in a field that does not begin with one"
		                                                        : "a comma or the end of the line is expected behind the closing quote");
	r->looked = 0;
	r->length = end + found;
	r->lines = 0;
	for (size_t i = 0; i < r->length; i++)
		r->lines += text.p[i] == '\n';
	stop = text.p + end;
	if (found && stop > text.p && stop[-1] == '\r')
		stop--;
	bytes_clear(&r->decoded);
	if (!bytes_reserve(&r->decoded, r->length + 1))      /* so that fields stay where they are */
		return CSV_NO_MEMORY;
	return csv_fields(text, stop, r);
}
