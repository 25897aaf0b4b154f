/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_log_reader.c - reading: every record once and in order whatever lies behind the last one; the first bad record is the end;
 * no cut and no flipped bit ever gives a wrong record.
 */
#include "lib/test.h"

#include "base/buf.h"
#include "base/codec.h"
#include "base/mem.h"
#include "lib/logkit.h"
#include "log/reader.h"

enum { CAPACITY = 4 * LOG_PAGE };

struct opened {
	struct logkit *k;
	struct log_header h;
	struct os_file *file;
	struct log_reader *r;
};

static void open_reader(struct logkit *k, struct opened *o)
{
	o->k = k;
	assert_int_equal(segment_open(&k->env, LOG_WAL, logkit_wal(k, 1), false, &o->h, &o->file), 0);
	assert_int_equal(log_reader_new(&k->env, logkit_wal(k, 1), &o->h, o->file, &o->r), 0);
}

static void close_reader(struct opened *o)
{
	log_reader_free(o->r);
	assert_int_equal(o->k->env.os->close(o->k->env.os, o->file), 0);
}

/* Reads to the end: how many records, each checked to be the version due with its own payload. */
static uint64_t read_all(struct logkit *k, uint64_t *end)
{
	struct opened o;
	struct log_record r;
	uint8_t room[300];
	uint64_t n = 0;
	int rc;

	open_reader(k, &o);
	while ((rc = log_reader_next(o.r, &r)) == 0) {
		assert_int_equal(r.version, ++n);
		assert_true(slice_eq(r.payload, logkit_payload(n, room)));
	}
	assert_int_equal(rc, SILT_END);
	assert_int_equal(log_reader_next(o.r, &r), SILT_END);      /* and stays there */
	if (end)
		*end = log_reader_offset(o.r);
	close_reader(&o);
	return n;
}

static void write_versions(struct logkit *k, uint64_t capacity, uint64_t n, uint64_t *ends)
{
	struct log_writer *w = logkit_create(k, 1, capacity);

	for (uint64_t v = 1; v <= n; v++) {
		logkit_group(w, v, v);
		if (ends)
			ends[v] = log_writer_end(w);
	}
	assert_int_equal(log_writer_sync(w), 0);
	log_writer_free(w);
}

static void test_log_reader__gives_what_was_written(void **state)
{
	uint64_t ends[4097], end;
	struct logkit k;

	(void)state;
	logkit_init(&k, NULL);
	write_versions(&k, 2 << 20, 4096, ends);           /* several pieces of read-ahead */
	assert_int_equal(read_all(&k, &end), 4096);
	assert_int_equal(end, ends[4096]);
	logkit_fini(&k);
}

static void test_log_reader__empty_segment_is_at_its_end(void **state)
{
	uint64_t end;
	struct logkit k;

	(void)state;
	logkit_init(&k, NULL);
	write_versions(&k, CAPACITY, 0, NULL);
	assert_int_equal(read_all(&k, &end), 0);
	assert_int_equal(end, LOG_PAGE);
	logkit_fini(&k);
}

static void test_log_reader__reads_up_to_the_last_byte(void **state)
{
	static const uint8_t zeros[2 * LOG_PAGE];
	struct log_writer *w;
	struct log_record r;
	struct opened o;
	struct logkit k;
	size_t fill;

	(void)state;
	logkit_init(&k, NULL);
	w = logkit_create(&k, 1, 2 * LOG_PAGE);
	fill = LOG_PAGE - 3 * LOG_RECORD_HEADER;
	assert_int_equal(log_writer_reserve(w, 1, fill), 0);
	log_writer_add(w, LOG_DATA, 0, 1, slice_of(zeros, fill));
	assert_int_equal(log_writer_append(w), 0);
	assert_int_equal(log_writer_sync(w), 0);
	assert_int_equal(log_writer_mark(w, 1), 0);
	assert_int_equal(log_writer_seal(w, 1, 0), 0);
	assert_int_equal(log_writer_end(w), 2 * LOG_PAGE);
	log_writer_free(w);
	open_reader(&k, &o);
	for (int i = 0; i < 3; i++)
		assert_int_equal(log_reader_next(o.r, &r), 0);
	assert_int_equal(r.kind, LOG_SEAL);
	assert_int_equal(log_reader_next(o.r, &r), SILT_END);
	close_reader(&o);
	logkit_fini(&k);
}

/* Power fails in the middle of the last group, at each byte; behind the cut: zeros, ones, an older life's records. */
static void test_log_reader__torn_tail_is_end_not_error(void **state)
{
	uint64_t ends[25], end;
	struct silt_buf bytes = { 0 }, old = { 0 }, cut = { 0 };
	struct simdisk *disk = simdisk_new(1);
	struct logkit k;

	(void)state;
	logkit_init(&k, disk);
	write_versions(&k, CAPACITY, 60, NULL);
	logkit_slurp(&k, logkit_wal(&k, 1), &old);
	write_versions(&k, CAPACITY, 24, ends);
	logkit_slurp(&k, logkit_wal(&k, 1), &bytes);
	for (uint64_t at = ends[20]; at <= ends[24]; at++) {
		uint64_t whole = 20;

		while (whole < 24 && ends[whole + 1] <= at)
			whole++;
		for (int behind = 0; behind < 3; behind++) {
			uint64_t n;

			assert_int_equal(buf_set(&cut, buf_slice(&bytes)), 0);
			memset((char *)cut.data + at, behind == 1 ? 0xff : 0, cut.len - at);
			if (behind == 2)
				memcpy((char *)cut.data + at, (char *)old.data + at, cut.len - at);
			logkit_spill(&k, logkit_wal(&k, 1), buf_slice(&cut));
			n = read_all(&k, &end);
			/* the last bytes of a record may be zeros anyhow, so that the cut changed nothing */
			assert_true(n == whole || (n == whole + 1 && memcmp((char *)cut.data + ends[whole],
			            (char *)bytes.data + ends[whole], ends[n] - ends[whole]) == 0));
			assert_int_equal(end, ends[n]);
		}
	}
	buf_fini(&bytes);
	buf_fini(&old);
	buf_fini(&cut);
	simdisk_free(disk);
}

/* Every bit of a small log: the records before it are given, the one that has it is not. */
static void test_log_reader__no_flipped_bit_gives_a_wrong_record(void **state)
{
	uint64_t ends[9] = { LOG_PAGE }, n = 0;
	struct simdisk *disk = simdisk_new(1);
	struct logkit k;

	(void)state;
	logkit_init(&k, disk);
	write_versions(&k, 2 * LOG_PAGE, 8, ends);
	for (uint64_t bit = 8 * LOG_PAGE; bit < 8 * ends[8]; bit++) {
		uint64_t end;

		while (ends[n + 1] <= bit / 8)
			n++;
		logkit_flip(&k, logkit_wal(&k, 1), bit / 8, (uint8_t)(1u << bit % 8));
		assert_int_equal(read_all(&k, &end), n);
		assert_int_equal(end, ends[n]);
		logkit_flip(&k, logkit_wal(&k, 1), bit / 8, (uint8_t)(1u << bit % 8));
	}
	assert_int_equal(read_all(&k, NULL), 8);
	simdisk_free(disk);
}

/* A record of another life, put where it once stood, is not this life's; nor is one of this life at another place. */
static void test_log_reader__records_of_other_lives_are_none(void **state)
{
	struct silt_buf first = { 0 }, second = { 0 };
	struct simdisk *disk = simdisk_new(1);
	struct logkit k;

	(void)state;
	logkit_init(&k, disk);
	write_versions(&k, CAPACITY, 10, NULL);
	logkit_slurp(&k, logkit_wal(&k, 1), &first);
	write_versions(&k, CAPACITY, 10, NULL);
	logkit_slurp(&k, logkit_wal(&k, 1), &second);
	memcpy((char *)second.data + LOG_PAGE, (char *)first.data + LOG_PAGE, second.len - LOG_PAGE);
	logkit_spill(&k, logkit_wal(&k, 1), buf_slice(&second));
	assert_int_equal(read_all(&k, NULL), 0);
	memmove((char *)first.data + LOG_PAGE, (char *)first.data + LOG_PAGE + 72, first.len - LOG_PAGE - 72);
	logkit_spill(&k, logkit_wal(&k, 1), buf_slice(&first));
	assert_int_equal(read_all(&k, NULL), 0);
	buf_fini(&first);
	buf_fini(&second);
	simdisk_free(disk);
}

/* A length that damage made huge must not become an allocation. */
static void test_log_reader__hostile_length_costs_no_memory(void **state)
{
	struct simdisk *disk = simdisk_new(1);
	struct log_record r;
	struct logkit k;
	struct opened o;

	(void)state;
	logkit_init(&k, disk);
	write_versions(&k, 2 << 20, 1, NULL);
	logkit_flip(&k, logkit_wal(&k, 1), LOG_PAGE + 10, 0x10);   /* 1 MiB more */
	open_reader(&k, &o);
	assert_int_equal(log_reader_next(o.r, &r), SILT_END);
	mem_fail_at(1, true);
	assert_int_equal(log_reader_next(o.r, &r), SILT_END);
	mem_fail_at(0, false);
	close_reader(&o);
	simdisk_free(disk);
}

static void test_log_reader__seeks_and_gives_raw_bytes(void **state)
{
	uint64_t ends[6] = { LOG_PAGE };
	struct silt_buf bytes = { 0 };
	struct log_record r;
	struct logkit k;
	struct opened o;

	(void)state;
	logkit_init(&k, NULL);
	write_versions(&k, CAPACITY, 5, ends);
	logkit_slurp(&k, logkit_wal(&k, 1), &bytes);
	open_reader(&k, &o);
	for (int i = 4; i >= 0; i--) {
		struct silt_slice raw;

		log_reader_seek(o.r, ends[i]);
		assert_int_equal(log_reader_next(o.r, &r), 0);
		assert_int_equal(r.version, i + 1);
		raw = log_reader_bytes(o.r, &r);
		assert_true(slice_eq(raw, slice_of((char *)bytes.data + ends[i], ends[i + 1] - ends[i])));
	}
	log_reader_seek(o.r, CAPACITY);
	assert_int_equal(log_reader_next(o.r, &r), SILT_END);
	log_reader_seek(o.r, UINT64_MAX - 7);
	assert_int_equal(log_reader_next(o.r, &r), SILT_END);
	close_reader(&o);
	buf_fini(&bytes);
	logkit_fini(&k);
}

static void test_log_reader__read_failure_is_a_failure(void **state)
{
	struct simdisk *disk = simdisk_new(1);
	struct log_record r;
	struct logkit k;
	struct opened o;

	(void)state;
	logkit_init(&k, disk);
	write_versions(&k, CAPACITY, 5, NULL);
	open_reader(&k, &o);
	simdisk_fail_at(disk, SIM_READ, 1, SILT_E_IO, false);
	assert_int_equal(log_reader_next(o.r, &r), SILT_E_IO);
	assert_int_equal(k.reports, 1);
	assert_non_null(strstr(k.message, "000001.wal: offset 4096"));
	assert_int_equal(log_reader_next(o.r, &r), 0);
	close_reader(&o);
	simdisk_free(disk);
}

static void test_log_reader__no_memory_is_a_code(void **state)
{
	struct log_record r;
	struct logkit k;
	struct opened o;

	(void)state;
	logkit_init(&k, NULL);
	write_versions(&k, CAPACITY, 5, NULL);
	open_reader(&k, &o);
	for (uint64_t n = 1; n <= 2; n++) {
		struct log_reader *other = NULL;

		mem_fail_at(n, false);
		assert_int_equal(log_reader_new(&k.env, "x", &o.h, o.file, &other), SILT_E_NOMEM);
		mem_fail_at(0, false);
		assert_null(other);
	}
	mem_fail_at(1, false);
	assert_int_equal(log_reader_next(o.r, &r), SILT_E_NOMEM);
	mem_fail_at(0, false);
	assert_int_equal(log_reader_next(o.r, &r), 0);
	assert_int_equal(r.version, 1);
	close_reader(&o);
	logkit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log_reader__gives_what_was_written),
		cmocka_unit_test(test_log_reader__empty_segment_is_at_its_end),
		cmocka_unit_test(test_log_reader__reads_up_to_the_last_byte),
		cmocka_unit_test(test_log_reader__torn_tail_is_end_not_error),
		cmocka_unit_test(test_log_reader__no_flipped_bit_gives_a_wrong_record),
		cmocka_unit_test(test_log_reader__records_of_other_lives_are_none),
		cmocka_unit_test(test_log_reader__hostile_length_costs_no_memory),
		cmocka_unit_test(test_log_reader__seeks_and_gives_raw_bytes),
		cmocka_unit_test(test_log_reader__read_failure_is_a_failure),
		cmocka_unit_test(test_log_reader__no_memory_is_a_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
