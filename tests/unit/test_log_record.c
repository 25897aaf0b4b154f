/* SPDX-License-Identifier: Apache-2.0 */
/* test_log_record.c - one record to bytes and back: the worked example, one form a record, nothing believed without its checks. */
#include "lib/test.h"

#include "base/codec.h"
#include "base/hash.h"
#include "log/record.h"

#define SALT UINT64_C(0x0123456789abcdef)

enum { ROOM = 512 };

/* The worked example of record.c. */
static const uint8_t example[40] = {
	0xad, 0x30, 0x93, 0x79, 0x0c, 0x7c, 0x22, 0x61,
	0x05, 0x00, 0x00, 0x00, 0x01, 0x00, 0x29, 0xb5,
	0x07, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x00, 0x00, 0x00,
};

static struct log_record example_record(void)
{
	return (struct log_record){
		.kind = LOG_DATA, .version = 7, .synced_to = LOG_PAGE, .offset = LOG_PAGE, .payload = slice_str("hello"),
	};
}

/* Both checks of a record made anew, as only someone who knows the salt can. */
static void fix(uint8_t *bytes, size_t size, uint64_t offset)
{
	uint8_t head[24];
	uint16_t h;

	memcpy(head, bytes + 8, sizeof(head));
	head[6] = head[7] = 0;
	h = (uint16_t)hash_log(head, sizeof(head), SALT, offset);
	bytes[14] = (uint8_t)h;
	bytes[15] = (uint8_t)(h >> 8);
	codec_put64(bytes, hash_log(bytes + 8, size - 8, SALT, offset));
}

static int decode(const uint8_t *bytes, size_t n, uint64_t offset)
{
	struct log_record r;

	return log_record_decode(slice_of(bytes, n), SALT, offset, &r);
}

static void test_log_record__worked_example(void **state)
{
	struct log_record r = example_record();
	uint8_t bytes[ROOM];

	(void)state;
	assert_int_equal(log_record_encode(bytes, SALT, &r), sizeof(example));
	assert_memory_equal(bytes, example, sizeof(example));
	assert_int_equal(log_record_decode(slice_of(example, sizeof(example)), SALT, LOG_PAGE, &r), 0);
	assert_int_equal(r.kind, LOG_DATA);
	assert_int_equal(r.flags, 0);
	assert_int_equal(r.version, 7);
	assert_int_equal(r.synced_to, LOG_PAGE);
	assert_int_equal(r.offset, LOG_PAGE);
	assert_int_equal(r.end, LOG_PAGE + 40);
	assert_true(slice_eq(r.payload, slice_str("hello")));
}

static void test_log_record__sizes_round_up_to_eight(void **state)
{
	uint8_t bytes[ROOM], payload[64];
	struct log_record r = example_record(), back;

	(void)state;
	memset(payload, 0xee, sizeof(payload));
	for (size_t n = 0; n <= sizeof(payload); n++) {
		memset(bytes, 0xcc, sizeof(bytes));
		r.payload = slice_of(payload, n);
		assert_int_equal(log_record_encode(bytes, SALT, &r), 32 + (n + 7) / 8 * 8);
		assert_int_equal(bytes[log_record_size(n)], 0xcc);
		assert_int_equal(log_record_decode(slice_of(bytes, ROOM), SALT, LOG_PAGE, &back), 0);
		assert_true(slice_eq(back.payload, r.payload));
	}
}

static void test_log_record__every_flipped_bit_is_seen(void **state)
{
	uint8_t bytes[sizeof(example)];

	(void)state;
	for (size_t bit = 0; bit < 8 * sizeof(example); bit++) {
		memcpy(bytes, example, sizeof(example));
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(decode(bytes, sizeof(bytes), LOG_PAGE), SILT_END);
	}
}

static void test_log_record__every_cut_is_seen(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof(example); n++) {
		uint8_t *copy = malloc(n ? n : 1);         /* of exactly this size, for the address sanitizer */

		memcpy(copy, example, n);
		assert_int_equal(decode(copy, n, LOG_PAGE), SILT_END);
		free(copy);
	}
}

static void test_log_record__belongs_to_its_salt_and_offset(void **state)
{
	struct log_record r;

	(void)state;
	assert_int_equal(decode(example, sizeof(example), LOG_PAGE + 8), SILT_END);
	assert_int_equal(decode(example, sizeof(example), LOG_PAGE - 8), SILT_END);
	assert_int_equal(log_record_decode(slice_of(example, sizeof(example)), SALT ^ 1, LOG_PAGE, &r), SILT_END);
}

/* A record stored as somebody's value, at the very offset it names, is no record: the value's own offset differs. */
static void test_log_record__stored_records_can_not_pose(void **state)
{
	uint8_t inner[ROOM], outer[ROOM];
	struct log_record r = example_record();
	size_t n;

	(void)state;
	r.offset = LOG_PAGE + LOG_RECORD_HEADER;
	n = log_record_encode(inner, SALT ^ 0x55, &r);     /* the client does not know the salt */
	r = example_record();
	r.payload = slice_of(inner, n);
	n = log_record_encode(outer, SALT, &r);
	for (size_t at = 8; at < n; at += 8)
		assert_int_equal(decode(outer + at, n - at, LOG_PAGE + at), SILT_END);
}

static void test_log_record__one_form_only(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		const char *what;
	} cases[] = {
		{ 12, 0, "kind 0" },
		{ 12, 5, "kind 5" },
		{ 12, LOG_SKIP, "a SKIP with payload" },
		{ 12, LOG_MARK, "a MARK with payload" },
		{ 12, LOG_SEAL, "a SEAL with payload" },
		{ 13, 1, "DATA with a flag" },
		{ 24, 1, "synced_to not on a step" },
		{ 25, 0, "synced_to in the header page" },
		{ 25, 0x11, "synced_to beyond the record" },
		{ 31, 0x80, "synced_to huge" },
		{ 37, 1, "padding" },
		{ 39, 0x80, "padding's end" },
	};
	uint8_t bytes[sizeof(example)];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memcpy(bytes, example, sizeof(example));
		bytes[cases[i].at] = cases[i].value;
		fix(bytes, sizeof(bytes), LOG_PAGE);
		if (decode(bytes, sizeof(bytes), LOG_PAGE) != SILT_END)
			fail_msg("%s was taken", cases[i].what);
	}
	memcpy(bytes, example, sizeof(example));
	fix(bytes, sizeof(bytes), LOG_PAGE);
	assert_memory_equal(bytes, example, sizeof(example));      /* fix() itself is right */
}

static void test_log_record__seal_alone_has_flags(void **state)
{
	uint8_t bytes[ROOM];
	struct log_record r = { .kind = LOG_SEAL, .flags = LOG_SEAL_CLEAN, .synced_to = LOG_PAGE, .offset = LOG_PAGE };

	(void)state;
	assert_int_equal(log_record_encode(bytes, SALT, &r), LOG_RECORD_HEADER);
	assert_int_equal(decode(bytes, LOG_RECORD_HEADER, LOG_PAGE), 0);
	r.flags = 2;
	log_record_encode(bytes, SALT, &r);
	assert_int_equal(decode(bytes, LOG_RECORD_HEADER, LOG_PAGE), SILT_END);
	r.kind = LOG_MARK;
	r.flags = LOG_SEAL_CLEAN;
	log_record_encode(bytes, SALT, &r);
	assert_int_equal(decode(bytes, LOG_RECORD_HEADER, LOG_PAGE), SILT_END);
}

/* A damaged length is known before the payload is looked for. */
static void test_log_record__length_is_checked_by_itself(void **state)
{
	uint8_t bytes[sizeof(example)];
	uint64_t size = 0;

	(void)state;
	assert_int_equal(log_record_peek(example, SALT, LOG_PAGE, &size), 0);
	assert_int_equal(size, sizeof(example));
	for (size_t bit = 8 * 8; bit < 12 * 8; bit++) {
		memcpy(bytes, example, sizeof(example));
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(log_record_peek(bytes, SALT, LOG_PAGE, &size), SILT_END);
	}
	memcpy(bytes, example, sizeof(example));
	memset(bytes + 8, 0xff, 4);
	fix(bytes, sizeof(bytes), LOG_PAGE);
	assert_int_equal(log_record_peek(bytes, SALT, LOG_PAGE, &size), 0);
	assert_true(size == UINT64_C(0x100000020));        /* no wrapping at 32 bits */
	assert_int_equal(decode(bytes, sizeof(bytes), LOG_PAGE), SILT_END);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log_record__worked_example),
		cmocka_unit_test(test_log_record__sizes_round_up_to_eight),
		cmocka_unit_test(test_log_record__every_flipped_bit_is_seen),
		cmocka_unit_test(test_log_record__every_cut_is_seen),
		cmocka_unit_test(test_log_record__belongs_to_its_salt_and_offset),
		cmocka_unit_test(test_log_record__stored_records_can_not_pose),
		cmocka_unit_test(test_log_record__one_form_only),
		cmocka_unit_test(test_log_record__seal_alone_has_flags),
		cmocka_unit_test(test_log_record__length_is_checked_by_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
