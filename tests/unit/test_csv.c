/* SPDX-License-Identifier: Apache-2.0 */
/* test_csv.c - records read, whole and in pieces, and written; what is wrong has its place. */
#include "lib/test.h"

#include "util/csv.h"

struct table {
	const char *text;
	size_t fields, length, lines;
	const char *field[4];
};

static const struct table table[] = {
	{ "a,\"b \"\"c\"\"\",\"d\ne\"\r\n", 3, 19, 2, { "a", "b \"c\"", "d\ne" } },          /* csv.h's example */
	{ "a\n", 1, 2, 1, { "a" } },
	{ "a\r\nb", 1, 3, 1, { "a" } },
	{ "a", 1, 1, 0, { "a" } },
	{ "\n", 1, 1, 1, { "" } },
	{ ",\n", 2, 2, 1, { "", "" } },
	{ "\"\"\n", 1, 3, 1, { "" } },
	{ "\"\"\"\"\n", 1, 5, 1, { "\"" } },
	{ "\",\",x\n", 2, 6, 1, { ",", "x" } },
	{ "\"a\r\nb\",c\r\nd", 2, 10, 2, { "a\r\nb", "c" } },
	{ "a\rb,c\n", 2, 6, 1, { "a\rb", "c" } },
	{ "\"a\"", 1, 3, 0, { "a" } },
	{ " a , b \n", 2, 8, 1, { " a ", " b " } },
};

static void check(const struct csv_record *r, const struct table *t)
{
	assert_int_equal(r->fields, t->fields);
	assert_int_equal(r->length, t->length);
	assert_int_equal(r->lines, t->lines);
	for (size_t i = 0; i < t->fields; i++)
		assert_true(span_eq(r->field[i], t->field[i]));
}

static void test_csv__records_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct csv_record r = { 0 };

		assert_int_equal(csv_read(span_str(table[i].text), true, &r), CSV_RECORD);
		check(&r, &table[i]);
		bytes_fini(&r.decoded);
	}
}

/* The end of a record is found wherever the text was cut before, and once only. */
static void test_csv__a_record_may_come_in_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct csv_record r = { 0 };
		size_t n = 1;

		while (n <= table[i].length && csv_read(span_of(table[i].text, n), false, &r) == CSV_MORE)
			n++;
		if (n > table[i].length)
			assert_int_equal(csv_read(span_of(table[i].text, table[i].length), true, &r), CSV_RECORD);
		check(&r, &table[i]);
		bytes_fini(&r.decoded);
	}
}

static void test_csv__what_is_wrong_has_its_place(void **state)
{
	static const struct {
		const char *text;
		size_t line, column;
	} bad[] = {
		{ "a,b\"c\n", 0, 3 },
		{ "a,\"b\"c\n", 0, 5 },
		{ "\"a\"\"", 0, 0 },
		{ "a,\"b\nc", 0, 2 },
		{ "\"x\ny\",z\"\n", 1, 4 },
		{ "\"a\"\rb\n", 0, 4 },
		{ "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17\n", 0, 39 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct csv_record r = { 0 };

		assert_int_equal(csv_read(span_str(bad[i].text), true, &r), CSV_BAD);
		assert_int_equal(r.fault_line, bad[i].line);
		assert_int_equal(r.fault_column, bad[i].column);
		assert_non_null(r.fault);
		bytes_fini(&r.decoded);
	}
}

static void test_csv__a_stray_quote_is_found_before_the_end_is(void **state)
{
	struct csv_record r = { 0 };

	(void)state;
	assert_int_equal(csv_read(span_str("a\"b"), false, &r), CSV_BAD);
	assert_int_equal(r.fault_column, 1);
	bytes_fini(&r.decoded);
}

static void test_csv__what_is_written_is_read(void **state)
{
	static const char *const fields[] = { "", "a", "a,b", "\"", "\"\"", "x\r\ny", "\n", "\r", "a\"b,\"", " " };

	(void)state;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		for (size_t j = 0; j < sizeof(fields) / sizeof(fields[0]); j++) {
			struct csv_record r = { 0 };
			struct bytes line = { 0 };

			csv_field(&line, span_str(fields[i]), true);
			csv_field(&line, span_str(fields[j]), false);
			bytes_adds(&line, "\r\n");
			assert_int_equal(csv_read(span_of(line.p, line.len), false, &r), CSV_RECORD);
			assert_int_equal(r.fields, 2);
			assert_int_equal(r.length, line.len);
			assert_true(span_eq(r.field[0], fields[i]));
			assert_true(span_eq(r.field[1], fields[j]));
			bytes_fini(&line);
			bytes_fini(&r.decoded);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_csv__records_are_read),
		cmocka_unit_test(test_csv__a_record_may_come_in_pieces),
		cmocka_unit_test(test_csv__what_is_wrong_has_its_place),
		cmocka_unit_test(test_csv__a_stray_quote_is_found_before_the_end_is),
		cmocka_unit_test(test_csv__what_is_written_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
