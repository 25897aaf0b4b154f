/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_csv.c - what an import reads of a file that anybody may have written: CSV records, and paths as keys. A record that is read, comes
 * back when it is written anew, and is found as well where its text comes in two pieces; so does a key.
 */
#include "util/csv.h"
#include "util/treename.h"

#include <stdint.h>
#include <string.h>

#define CHECK(x) ((x) ? (void)0 : __builtin_trap())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_csv_again(const struct csv_record *r)
{
	struct csv_record again = { 0 };
	struct bytes line = { 0 };

	for (size_t i = 0; i < r->fields; i++)
		csv_field(&line, r->field[i], i == 0);
	bytes_adds(&line, "\n");
	CHECK(csv_read(span_of(line.p, line.len), false, &again) == CSV_RECORD);
	CHECK(again.fields == r->fields && again.length == line.len);
	for (size_t i = 0; i < r->fields; i++)
		CHECK(again.field[i].len == r->field[i].len && memcmp(again.field[i].p, r->field[i].p, r->field[i].len) == 0);
	bytes_fini(&again.decoded);
	bytes_fini(&line);
}

static void fuzz_csv_pieces(struct span text, const struct csv_record *whole, enum csv_result result)
{
	struct csv_record r = { 0 };
	enum csv_result piece = CSV_MORE;

	if (text.len > 1)
		piece = csv_read(span_of(text.p, text.len / 2), false, &r);
	if (piece == CSV_MORE)
		piece = csv_read(text, true, &r);
	CHECK(piece == result);
	CHECK(result != CSV_RECORD || (r.fields == whole->fields && r.length == whole->length && r.lines == whole->lines));
	bytes_fini(&r.decoded);
}

static void fuzz_csv_records(struct span text)
{
	struct csv_record r = { 0 };

	while (text.len) {
		enum csv_result result = csv_read(text, true, &r);

		CHECK(result == CSV_RECORD || result == CSV_BAD);
		fuzz_csv_pieces(text, &r, result);
		if (result == CSV_BAD)
			break;
		CHECK(r.length >= 1 && r.length <= text.len);
		fuzz_csv_again(&r);
		text = span_of(text.p + r.length, text.len - r.length);
		r.looked = 0;
	}
	bytes_fini(&r.decoded);
}

static void fuzz_csv_key(struct span key)
{
	struct bytes path = { 0 }, flat = { 0 }, back = { 0 };
	size_t bad_at;

	(void)treename_key(key, &back, &bad_at);         /* as a path */
	CHECK(!back.bad);
	bytes_clear(&back);
	CHECK(treename_of(key, &path) && treename_flat(span_of(path.p, path.len), &flat));
	CHECK(memchr(flat.p, 0, flat.len) == NULL);
	CHECK(treename_key(span_of(path.p, path.len), &back, &bad_at));
	CHECK(back.len == key.len && memcmp(back.p, key.p, key.len) == 0);
	bytes_clear(&back);
	CHECK(treename_key(span_of(flat.p, flat.len), &back, &bad_at));
	CHECK(back.len == key.len && memcmp(back.p, key.p, key.len) == 0);
	bytes_fini(&path);
	bytes_fini(&flat);
	bytes_fini(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = { (const char *)data, size };

	if (size > 4096)
		return 0;
	fuzz_csv_records(text);
	if (size > 0)
		fuzz_csv_key(text);
	return 0;
}
