/* SPDX-License-Identifier: Apache-2.0 */
/* test_log_scan.c - an intact record is found at whatever step it stands, across the pieces of the scan; nothing else is. */
#include "lib/test.h"

#include "base/buf.h"
#include "base/mem.h"
#include "lib/logkit.h"
#include "log/record.h"
#include "log/scan.h"

#define SALT UINT64_C(0x5117)

enum { CAPACITY = 3 << 20, PIECE = 1 << 20 };      /* a piece of scan.c */

static const char path[] = "/db/000001.wal";

struct scankit {
	struct simdisk *disk;
	struct logkit kit;
	struct log_header header;
	struct silt_buf bytes;
};

static void scankit_init(struct scankit *k)
{
	memset(k, 0, sizeof(*k));
	k->disk = simdisk_new(1);
	logkit_init(&k->kit, k->disk);
	k->header = (struct log_header){ .kind = LOG_WAL, .number = 1, .salt = SALT, .capacity = CAPACITY };
	assert_int_equal(buf_reserve(&k->bytes, CAPACITY), 0);
	k->bytes.len = CAPACITY;
	memset(k->bytes.data, 0, CAPACITY);
}

static void scankit_fini(struct scankit *k)
{
	buf_fini(&k->bytes);
	logkit_fini(&k->kit);
	simdisk_free(k->disk);
}

static void put(struct scankit *k, uint64_t salt, uint64_t at, size_t payload, uint64_t synced_to)
{
	static const uint8_t zeros[CAPACITY];
	struct log_record r = { .kind = LOG_DATA, .version = 1, .synced_to = synced_to, .offset = at };

	r.payload = slice_of(zeros, payload);
	assert_true(at + log_record_size(payload) <= CAPACITY);
	(void)log_record_encode((uint8_t *)k->bytes.data + at, salt, &r);
}

static int scan(struct scankit *k, uint64_t from, uint64_t beyond, uint64_t *offset)
{
	silt_os *os = k->kit.env.os;
	struct os_file *f;
	int rc;

	assert_int_equal(simdisk_write_file(k->disk, path, buf_slice(&k->bytes)), 0);
	assert_int_equal(os->open(os, path, OS_READ, &f), 0);
	*offset = 0;
	rc = log_scan(&k->kit.env, path, &k->header, f, from, beyond, offset);
	(void)os->close(os, f);
	return rc;
}

static void test_log_scan__zeros_hold_none(void **state)
{
	struct scankit k;
	uint64_t at;

	(void)state;
	scankit_init(&k);
	assert_int_equal(scan(&k, LOG_PAGE, 0, &at), SILT_END);
	assert_int_equal(scan(&k, CAPACITY, 0, &at), SILT_END);
	assert_int_equal(scan(&k, CAPACITY - LOG_RECORD_HEADER + 8, 0, &at), SILT_END);
	scankit_fini(&k);
}

/* Wherever it stands to the edges of the pieces, also where it runs over one or ends the segment. */
static void test_log_scan__finds_a_record_at_every_edge(void **state)
{
	static const size_t payloads[] = { 0, 1, 100, 5000, PIECE + 100 };
	struct scankit k;

	(void)state;
	scankit_init(&k);
	for (size_t i = 0; i < sizeof(payloads) / sizeof(*payloads); i++) {
		size_t size = log_record_size(payloads[i]);
		const uint64_t places[] = {
			LOG_PAGE, LOG_PAGE + 8, LOG_PAGE + PIECE - 40, LOG_PAGE + PIECE - 32, LOG_PAGE + PIECE - 24, LOG_PAGE + PIECE - 8,
			LOG_PAGE + PIECE, LOG_PAGE + PIECE + 8, CAPACITY - size,
		};

		for (size_t p = 0; p < sizeof(places) / sizeof(*places); p++) {
			uint64_t at;

			put(&k, SALT, places[p], payloads[i], LOG_PAGE);
			assert_int_equal(scan(&k, LOG_PAGE, 0, &at), 0);
			assert_int_equal(at, places[p]);
			assert_int_equal(scan(&k, places[p] + 8, 0, &at), SILT_END);
			memset((uint8_t *)k.bytes.data + places[p], 0, size);
		}
	}
	scankit_fini(&k);
}

static void test_log_scan__the_first_that_claims_enough(void **state)
{
	struct scankit k;
	uint64_t at;

	(void)state;
	scankit_init(&k);
	put(&k, SALT, 8192, 10, 5000);
	put(&k, SALT, 9000, 10, 8200);
	put(&k, SALT, 10000, 10, 9000);
	assert_int_equal(scan(&k, 8192, 4999, &at), 0);
	assert_int_equal(at, 8192);
	assert_int_equal(scan(&k, 8192, 5000, &at), 0);         /* beyond, not up to */
	assert_int_equal(at, 9000);
	assert_int_equal(scan(&k, 8192, 8999, &at), 0);
	assert_int_equal(at, 10000);
	assert_int_equal(scan(&k, 8192, 9000, &at), SILT_END);
	scankit_fini(&k);
}

static void test_log_scan__no_other_salt_no_other_place_no_flipped_bit(void **state)
{
	struct scankit k;
	uint64_t at;

	(void)state;
	scankit_init(&k);
	put(&k, SALT + 1, 8192, 10, 8000);
	assert_int_equal(scan(&k, LOG_PAGE, 0, &at), SILT_END);
	put(&k, SALT, 8192, 10, 8000);
	memmove((uint8_t *)k.bytes.data + 16384, (uint8_t *)k.bytes.data + 8192, 48);
	memset((uint8_t *)k.bytes.data + 8192, 0, 48);          /* the same bytes elsewhere */
	assert_int_equal(scan(&k, LOG_PAGE, 0, &at), SILT_END);
	memset((uint8_t *)k.bytes.data + 16384, 0, 48);
	for (unsigned bit = 0; bit < 48 * 8; bit += 5) {
		put(&k, SALT, 8192, 10, 8000);
		((uint8_t *)k.bytes.data)[8192 + bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(scan(&k, 8192, 0, &at), SILT_END);
	}
	scankit_fini(&k);
}

static void test_log_scan__failures_are_said(void **state)
{
	struct os_file *f;
	struct scankit k;
	silt_os *os;
	uint64_t at;
	int rc = -1;

	(void)state;
	scankit_init(&k);
	os = k.kit.env.os;
	put(&k, SALT, LOG_PAGE + PIECE - 8, 5000, LOG_PAGE);
	for (uint64_t n = 1; rc != 0; n++) {
		simdisk_fail_at(k.disk, SIM_READ, n, SILT_E_IO, false);
		k.kit.reports = 0;
		rc = scan(&k, LOG_PAGE, 0, &at);
		assert_true(rc == 0 || rc == SILT_E_IO);
		assert_int_equal(k.kit.reports, rc != 0);
		assert_true(rc == 0 || strstr(k.kit.message, "/db/000001.wal: offset "));
		assert_true(n < 10);
	}
	simdisk_fail_at(k.disk, SIM_READ, 0, 0, false);
	assert_int_equal(at, LOG_PAGE + PIECE - 8);
	assert_int_equal(os->open(os, path, OS_READ, &f), 0);
	for (uint64_t n = 1; n <= 2; n++) {                     /* the piece; the candidate that runs past it */
		mem_fail_at(n, false);
		assert_int_equal(log_scan(&k.kit.env, path, &k.header, f, LOG_PAGE, 0, &at), SILT_E_NOMEM);
	}
	mem_fail_at(0, false);
	(void)os->close(os, f);
	scankit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log_scan__zeros_hold_none),
		cmocka_unit_test(test_log_scan__finds_a_record_at_every_edge),
		cmocka_unit_test(test_log_scan__the_first_that_claims_enough),
		cmocka_unit_test(test_log_scan__no_other_salt_no_other_place_no_flipped_bit),
		cmocka_unit_test(test_log_scan__failures_are_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
