/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csv.h - RFC 4180, both ways: records end with CRLF (or LF, read), fields with , " CR or LF in them stand in quotes, a quote in
 * quotes is doubled. Strict: a quote anywhere else is a fault.
 *
 * Example   a,"b ""c""","d<LF>e"<CRLF>       three fields: a   b "c"   d<LF>e
 */
#ifndef UTIL_CSV_H
#define UTIL_CSV_H

#include "util/bytes.h"

#define CSV_FIELDS_MAX 16

/* Appends a field, with a comma before it where it is not the first of its record. */
void csv_field(struct bytes *out, struct span field, bool first);

enum csv_result { CSV_RECORD, CSV_MORE, CSV_BAD, CSV_NO_MEMORY };

struct csv_record {
	size_t fields;
	struct span field[CSV_FIELDS_MAX];    /* in the text, or in decoded */
	size_t length, lines;         /* bytes of it with its line end; line ends in it */
	const char *fault;            /* of CSV_BAD: static ... */
	size_t fault_line, fault_column;      /* ... and where, from 0 on: line ends before it, bytes before it in its line */
	struct bytes decoded;         /* begin with {0}, end with bytes_fini() */
	size_t looked;                /* after CSV_MORE: where to go on looking for the end. 0 before a new record */
};

/* The record that text begins with, which is not empty. CSV_MORE: its end is not there; `ended` says that nothing more will come. */
enum csv_result csv_read(struct span text, bool ended, struct csv_record *r);

#endif
