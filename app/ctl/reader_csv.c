/* SPDX-License-Identifier: Apache-2.0 */
/* reader_csv.c - entries from CSV (csv.h), whose first record names the columns (format.h): key and value, and any of the others. */
#include "ctl/reader.h"

#include "util/csv.h"
#include "ctl/format.h"
#include "ctl/input.h"
#include "ctl/session.h"
#include "util/base64.h"
#include "util/decimal.h"

#include <inttypes.h>
#include <siltstone.h>
#include <stdio.h>
#include <stdlib.h>

struct reader_csv {
	struct reader reader;         /* first */
	uint64_t line;                /* where the record at hand begins */
	uint64_t from;                /* the first line that is given */
	size_t columns;               /* 0 = their names are not read yet */
	enum format_column column[CSV_FIELDS_MAX];
	struct csv_record record;
	struct bytes text;            /* what was base64 */
};

static struct reader_csv *reader_csv_of(struct reader *r)
{
	return (struct reader_csv *)r;
}

static int reader_csv_bad(const struct reader_csv *c, uint64_t line, const char *what, const char *fault)
{
	(void)fprintf(stderr, "siltctl: %s: line %" PRIu64 ", %s: %s\n", c->reader.name, line, what, fault);
	return SESSION_DAMAGED;
}

static int reader_csv_bad_byte(const struct reader_csv *c)
{
	char at[32];

	(void)snprintf(at, sizeof(at), "byte %zu", c->record.fault_column + 1);
	return reader_csv_bad(c, c->line + c->record.fault_line, at, c->record.fault);
}

/* The next record. */
static int reader_csv_record(struct reader_csv *c)
{
	bool ended = false;

	input_take(c->reader.in, c->record.length);
	c->line += c->record.lines;
	c->record.length = c->record.lines = c->record.looked = 0;
	for (;;) {
		struct span s = input_at_hand(c->reader.in);
		enum csv_result result = s.len ? csv_read(s, ended, &c->record) : CSV_MORE;
		int status;

		if (result == CSV_RECORD)
			return SESSION_OK;
		if (result == CSV_BAD)
			return reader_csv_bad_byte(c);
		if (result == CSV_NO_MEMORY)
			return session_fail(c->reader.name, SILT_E_NOMEM);
		if (ended)
			return READER_END;
		if (s.len > INPUT_MAX)
			return reader_csv_bad(c, c->line, "all of it", "it is longer than any entry: is a quote missing?");
		status = input_more(c->reader.in, &ended);
		if (status != SESSION_OK)
			return status;
	}
}

/* ---- the columns -------------------------------------------------------------------------------------------------------- */

static int reader_csv_column(struct reader_csv *c, struct span name)
{
	char what[64];

	(void)snprintf(what, sizeof(what), "column %zu", c->columns + 1);
	for (unsigned i = 0; i < FORMAT_COLUMNS; i++) {
		if (!span_eq(name, format_column_name(i)))
			continue;
		for (size_t before = 0; before < c->columns; before++)
			if (c->column[before] == i)
				return reader_csv_bad(c, c->line, what, "this name was there before");
		c->column[c->columns++] = i;
		return SESSION_OK;
	}
	return reader_csv_bad(c, c->line, what,
	                      "the first line names the columns: key, value, and perhaps key_encoding, encoding, version, expires_at, "
	                      "content_type, content_type_encoding");
}

static bool reader_csv_has(const struct reader_csv *c, enum format_column column)
{
	for (size_t i = 0; i < c->columns; i++)
		if (c->column[i] == column)
			return true;
	return false;
}

static int reader_csv_header(struct reader_csv *c)
{
	int status = input_take_mark(c->reader.in);

	if (status == SESSION_OK)
		status = reader_csv_record(c);
	if (status == READER_END)
		return reader_csv_bad(c, 1, "byte 1", "it is empty: the first line names the columns");
	for (size_t i = 0; status == SESSION_OK && i < c->record.fields; i++)
		status = reader_csv_column(c, c->record.field[i]);
	if (status == SESSION_OK && (!reader_csv_has(c, FORMAT_KEY) || !reader_csv_has(c, FORMAT_VALUE)))
		status = reader_csv_bad(c, 1, "byte 1", "the first line has to name the columns key and value");
	return status;
}

/* ---- an entry ----------------------------------------------------------------------------------------------------------- */

static int reader_csv_field_bad(const struct reader_csv *c, enum format_column column, const char *fault)
{
	char what[64];

	(void)snprintf(what, sizeof(what), "field %s", format_column_name(column));
	return reader_csv_bad(c, c->line, what, fault);
}

/* The bytes of a column that has one for its encoding beside it. */
static int reader_csv_bytes(struct reader_csv *c, const struct span *field, enum format_column column, enum format_column encoding,
                            struct span *out)
{
	size_t from = c->text.len, bad_at;

	*out = field[column];
	if (!out->p)
		out->p = "";
	if (field[encoding].len == 0)
		return SESSION_OK;
	if (!span_eq(field[encoding], "base64"))
		return reader_csv_field_bad(c, encoding, "an encoding is base64, or empty");
	if (!base64_decode(field[column], &c->text, &bad_at))
		return c->text.bad ? session_fail(c->reader.name, SILT_E_NOMEM)
		                   : reader_csv_field_bad(c, column, "this is not base64 (RFC 4648 section 4, with padding)");
	*out = span_of(c->text.p + from, c->text.len - from);
	return SESSION_OK;
}

static int reader_csv_number(struct reader_csv *c, const struct span *field, enum format_column column, uint64_t *out)
{
	*out = 0;
	if (field[column].len == 0 || decimal_parse(field[column], SILT_VERSION_MAX, out))
		return SESSION_OK;
	return reader_csv_field_bad(c, column, "a whole number below 2^53 is expected here");
}

static int reader_csv_entry(struct reader_csv *c, struct entry *out)
{
	struct span field[FORMAT_COLUMNS] = { { NULL, 0 } };
	int status;

	if (c->record.fields != c->columns)
		return reader_csv_bad(c, c->line, "all of it", "it has another number of fields than the first line");
	for (size_t i = 0; i < c->columns; i++)
		field[c->column[i]] = c->record.field[i];
	bytes_clear(&c->text);
	if (!bytes_reserve(&c->text, c->record.length + 1))      /* so that what is in it stays where it is */
		return session_fail(c->reader.name, SILT_E_NOMEM);
	status = reader_csv_bytes(c, field, FORMAT_KEY, FORMAT_KEY_ENCODING, &out->key);
	if (status == SESSION_OK && (out->key.len < 1 || out->key.len > SILT_KEY_MAX))
		status = reader_csv_field_bad(c, FORMAT_KEY, "a key has 1 to 4096 bytes");
	if (status == SESSION_OK)
		status = reader_csv_bytes(c, field, FORMAT_VALUE, FORMAT_ENCODING, &out->value);
	if (status == SESSION_OK)
		status = reader_csv_bytes(c, field, FORMAT_TYPE, FORMAT_TYPE_ENCODING, &out->meta);
	if (status == SESSION_OK && (out->meta.len > SILT_META_MAX || (field[FORMAT_TYPE_ENCODING].len == 0 && !entry_is_type(out->meta))))
		status = reader_csv_field_bad(c, FORMAT_TYPE, "a content type has at most 255 visible ASCII characters");
	if (status == SESSION_OK)
		status = reader_csv_number(c, field, FORMAT_VERSION, &out->version);
	return status == SESSION_OK ? reader_csv_number(c, field, FORMAT_EXPIRES, &out->expires_ms) : status;
}

static int reader_csv_next(struct reader *r, struct reader_item *out)
{
	struct reader_csv *c = reader_csv_of(r);
	int status;

	if (c->columns == 0 && (status = reader_csv_header(c)) != SESSION_OK)
		return status;
	do {
		status = reader_csv_record(c);
		r->place.line = c->line;
		r->next_line = c->line + c->record.lines;
		if (status != SESSION_OK)
			return status;
	} while (c->line < c->from || (c->record.fields == 1 && c->record.field[0].len == 0));   /* a blank line */
	*out = (struct reader_item){ .place = r->place };
	return reader_csv_entry(c, &out->entry);
}

static void reader_csv_close(struct reader *r)
{
	struct reader_csv *c = reader_csv_of(r);

	bytes_fini(&c->record.decoded);
	bytes_fini(&c->text);
	free(c);
}

static const struct reader_ops reader_csv_ops = { .next = reader_csv_next, .close = reader_csv_close };

int reader_csv_open(const struct args *a, const char *path, struct reader **out)
{
	int status = reader_begin(sizeof(struct reader_csv), &reader_csv_ops, a, path, out);

	if (status == SESSION_OK) {
		reader_csv_of(*out)->line = 1;
		reader_csv_of(*out)->from = a->from_line;
	}
	return status;
}
