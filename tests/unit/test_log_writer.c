/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_log_writer.c - appending: one pwrite and one fdatasync a group, the promise, the poison, what a record may claim, and the
 * room that is kept for the SEAL.
 */
#include "lib/test.h"

#include "base/mem.h"
#include "base/slice.h"
#include "lib/logkit.h"
#include "log/reader.h"

enum { CAPACITY = 4 * LOG_PAGE };

/* Every test starts with a fresh segment 1 on a disk of its own. */
struct fixture {
	struct simdisk *disk;
	struct logkit k;
	struct log_writer *w;
};

static void begin(struct fixture *f)
{
	f->disk = simdisk_new(1);
	logkit_init(&f->k, f->disk);
	f->w = logkit_create(&f->k, 1, CAPACITY);
}

static void end(struct fixture *f)
{
	log_writer_free(f->w);
	simdisk_free(f->disk);
}

/* The i-th record of segment 1; its payload is not for use. */
static struct log_record record_at(struct fixture *f, size_t i)
{
	struct log_header h;
	struct os_file *file;
	struct log_reader *r;
	struct log_record out = { .offset = 0 };

	assert_int_equal(segment_open(&f->k.env, LOG_WAL, logkit_wal(&f->k, 1), false, &h, &file), 0);
	assert_int_equal(log_reader_new(&f->k.env, "1", &h, file, &r), 0);
	do
		assert_int_equal(log_reader_next(r, &out), 0);
	while (i-- > 0);
	log_reader_free(r);
	assert_int_equal(f->k.env.os->close(f->k.env.os, file), 0);
	return out;
}

static void test_log_writer__one_write_and_one_sync_a_group(void **state)
{
	uint64_t writes, syncs;
	struct fixture f;

	(void)state;
	begin(&f);
	writes = simdisk_calls(f.disk, SIM_WRITE);
	syncs = simdisk_calls(f.disk, SIM_DATASYNC);
	for (uint64_t v = 1; v <= 30; v++)
		logkit_add(f.w, v);
	assert_int_equal(simdisk_calls(f.disk, SIM_WRITE), writes);
	assert_int_equal(log_writer_append(f.w), 0);
	assert_int_equal(simdisk_calls(f.disk, SIM_WRITE), writes + 1);
	assert_int_equal(simdisk_calls(f.disk, SIM_DATASYNC), syncs);
	assert_int_equal(log_writer_sync(f.w), 0);
	assert_int_equal(simdisk_calls(f.disk, SIM_DATASYNC), syncs + 1);
	assert_int_equal(log_writer_sync(f.w), 0);         /* nothing new: nothing to ask of the disk */
	assert_int_equal(log_writer_append(f.w), 0);
	assert_int_equal(simdisk_calls(f.disk, SIM_WRITE), writes + 1);
	assert_int_equal(simdisk_calls(f.disk, SIM_DATASYNC), syncs + 1);
	end(&f);
}

/* The promise. */
static void test_log_writer__synced_survives_power_loss(void **state)
{
	struct logkit_seen seen;
	struct fixture f;

	(void)state;
	begin(&f);
	logkit_group(f.w, 1, 5);
	logkit_group(f.w, 6, 9);
	assert_int_equal(log_writer_sync(f.w), 0);
	logkit_group(f.w, 10, 12);
	simdisk_crash(f.disk, SIM_LOSE_ALL, 1);
	log_writer_free(f.w);
	f.w = NULL;
	assert_int_equal(logkit_judge(&f.k, 1, 1, &seen), 0);
	assert_true(logkit_saw(&seen, 1, 9));
	end(&f);
}

/* Rule 1: in the order of time, each record claims what had been synced before it was added. */
static void test_log_writer__claims_what_was_synced_before(void **state)
{
	uint64_t first, second;
	struct fixture f;

	(void)state;
	begin(&f);
	logkit_group(f.w, 1, 1);
	logkit_group(f.w, 2, 2);
	first = log_writer_end(f.w);
	assert_int_equal(log_writer_synced_to(f.w), LOG_PAGE);
	assert_int_equal(log_writer_sync(f.w), 0);
	assert_int_equal(log_writer_synced_to(f.w), first);
	logkit_group(f.w, 3, 4);
	second = log_writer_end(f.w);
	assert_int_equal(log_writer_sync(f.w), 0);
	logkit_group(f.w, 5, 5);
	assert_int_equal(record_at(&f, 0).synced_to, LOG_PAGE);
	assert_int_equal(record_at(&f, 1).synced_to, LOG_PAGE);
	assert_int_equal(record_at(&f, 2).synced_to, first);
	assert_int_equal(record_at(&f, 3).synced_to, first);
	assert_int_equal(record_at(&f, 4).synced_to, second);
	end(&f);
}

static void test_log_writer__records_lie_on_steps_from_the_first_page(void **state)
{
	struct fixture f;
	uint64_t at = LOG_PAGE;

	(void)state;
	begin(&f);
	logkit_group(f.w, 1, 8);
	for (size_t i = 0; i < 8; i++) {
		struct log_record r = record_at(&f, i);

		assert_int_equal(r.offset, at);
		assert_int_equal(r.offset % 8, 0);
		at = r.end;
	}
	assert_int_equal(at, log_writer_end(f.w));
	assert_int_equal(log_writer_number(f.w), 1);
	end(&f);
}

static void check_poisoned(struct log_writer *w, struct simdisk *disk)
{
	uint64_t writes = simdisk_calls(disk, SIM_WRITE), syncs = simdisk_calls(disk, SIM_DATASYNC);

	assert_int_equal(log_writer_reserve(w, 1, 10), SILT_E_FAULT);
	assert_int_equal(log_writer_append(w), SILT_E_FAULT);
	assert_int_equal(log_writer_sync(w), SILT_E_FAULT);
	assert_int_equal(log_writer_mark(w, 2), SILT_E_FAULT);
	assert_int_equal(log_writer_seal(w, 2, 0), SILT_E_FAULT);
	assert_int_equal(simdisk_calls(disk, SIM_WRITE), writes);
	assert_int_equal(simdisk_calls(disk, SIM_DATASYNC), syncs);
}

/* Rule 2. */
static void test_log_writer__failed_append_poisons(void **state)
{
	static const int codes[] = { SILT_E_IO, SILT_E_NOSPACE };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct fixture f;

		begin(&f);
		logkit_group(f.w, 1, 2);
		logkit_add(f.w, 3);
		simdisk_fail_at(f.disk, SIM_WRITE, 1, codes[i], false);
		assert_int_equal(log_writer_append(f.w), codes[i]);
		assert_int_equal(f.k.reports, 1);
		assert_non_null(strstr(f.k.message, "000001.wal"));
		check_poisoned(f.w, f.disk);
		end(&f);
	}
}

static void test_log_writer__failed_sync_poisons(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	logkit_group(f.w, 1, 2);
	simdisk_fail_at(f.disk, SIM_DATASYNC, 1, SILT_E_IO, false);
	assert_int_equal(log_writer_sync(f.w), SILT_E_IO);
	assert_int_equal(f.k.reports, 1);
	assert_int_equal(log_writer_synced_to(f.w), LOG_PAGE);
	check_poisoned(f.w, f.disk);
	end(&f);
}

static void test_log_writer__failed_mark_and_seal_poison(void **state)
{
	(void)state;
	for (int which = 0; which < 3; which++) {
		struct fixture f;

		begin(&f);
		logkit_group(f.w, 1, 2);
		assert_int_equal(log_writer_sync(f.w), 0);
		simdisk_fail_at(f.disk, which == 2 ? SIM_DATASYNC : SIM_WRITE, 1, SILT_E_IO, false);
		assert_int_equal(which == 0 ? log_writer_mark(f.w, 2) : log_writer_seal(f.w, 2, 0), SILT_E_IO);
		check_poisoned(f.w, f.disk);
		end(&f);
	}
}

/* Rule 3: once reserved, nothing more is asked of the heap, down to the SEAL. */
static void test_log_writer__after_reserve_memory_is_not_needed(void **state)
{
	struct logkit_seen seen;
	uint8_t room[300];
	struct fixture f;

	(void)state;
	begin(&f);
	assert_int_equal(log_writer_reserve(f.w, 10, 10 * 300), 0);
	mem_fail_at(1, true);
	for (uint64_t v = 1; v <= 10; v++)
		log_writer_add(f.w, LOG_DATA, 0, v, logkit_payload(v, room));
	assert_int_equal(log_writer_reserve(f.w, 1, 1 << 20), SILT_E_NOMEM);
	assert_int_equal(log_writer_reserve(f.w, SIZE_MAX / 8, 1), SILT_E_NOMEM);
	mem_fail_at(0, false);
	assert_int_equal(log_writer_append(f.w), 0);
	assert_int_equal(log_writer_sync(f.w), 0);
	assert_int_equal(log_writer_mark(f.w, 10), 0);
	assert_int_equal(log_writer_seal(f.w, 10, LOG_SEAL_CLEAN), 0);
	assert_int_equal(logkit_judge(&f.k, 1, 1, &seen), 0);
	assert_true(logkit_saw(&seen, 1, 10));
	assert_true(seen.end.sealed && seen.end.clean);
	end(&f);
}

static void test_log_writer__new_without_memory_closes_the_file(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	for (uint64_t n = 1; n <= 2; n++) {
		uint64_t closes = simdisk_calls(f.disk, SIM_CLOSE);
		struct log_writer *w = NULL;
		struct os_file *file;
		struct log_header h;

		assert_int_equal(segment_open(&f.k.env, LOG_WAL, logkit_wal(&f.k, 1), true, &h, &file), 0);
		mem_fail_at(n, false);
		assert_int_equal(log_writer_new(&f.k.env, "1", &h, file, LOG_PAGE, LOG_PAGE, &w), SILT_E_NOMEM);
		mem_fail_at(0, false);
		assert_null(w);
		assert_int_equal(simdisk_calls(f.disk, SIM_CLOSE), closes + 1);
	}
	end(&f);
}

/* Rule 4: what fits can be marked and sealed, and the file does not grow by it. */
static void test_log_writer__full_segment_can_be_sealed(void **state)
{
	(void)state;
	for (size_t payload = 0; payload < 64; payload++) {
		static const uint8_t zeros[64];
		struct log_end end_of;
		struct logkit_seen seen;
		uint64_t v = 0, size;
		struct os_file *file;
		struct log_header h;
		struct fixture f;

		begin(&f);
		while (log_writer_fits(f.w, 1, payload)) {
			assert_int_equal(log_writer_reserve(f.w, 1, payload), 0);
			log_writer_add(f.w, LOG_DATA, 0, ++v, slice_of(zeros, payload));
			if (v % 7 == 0)
				assert_int_equal(log_writer_append(f.w), 0);
		}
		assert_int_equal(log_writer_append(f.w), 0);
		assert_true(CAPACITY - log_writer_end(f.w) >= 2 * LOG_RECORD_HEADER);
		assert_int_equal(log_writer_sync(f.w), 0);
		assert_int_equal(log_writer_mark(f.w, v), 0);
		assert_int_equal(log_writer_mark(f.w, v), 0);
		assert_int_equal(log_writer_sync(f.w), 0);
		assert_int_equal(log_writer_mark(f.w, v), 0);
		assert_int_equal(log_writer_seal(f.w, v, 0), 0);
		assert_true(log_writer_end(f.w) <= CAPACITY);
		assert_int_equal(logkit_judge(&f.k, 1, 1, &seen), 0);
		end_of = seen.end;
		assert_true(end_of.sealed);
		assert_int_equal(end_of.last_version, v);
		assert_int_equal(end_of.records, v + 2);
		assert_int_equal(segment_open(&f.k.env, LOG_WAL, logkit_wal(&f.k, 1), false, &h, &file), 0);
		assert_int_equal(f.k.env.os->size(f.k.env.os, file, &size), 0);
		assert_int_equal(size, CAPACITY);
		assert_int_equal(f.k.env.os->close(f.k.env.os, file), 0);
		end(&f);
	}
}

static void test_log_writer__fits_does_not_wrap(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	assert_true(log_writer_fits(f.w, 1, CAPACITY / 4));
	assert_false(log_writer_fits(f.w, 1, CAPACITY));
	assert_false(log_writer_fits(f.w, 1, SIZE_MAX));
	assert_false(log_writer_fits(f.w, SIZE_MAX, 1));
	assert_false(log_writer_fits(f.w, SIZE_MAX / LOG_RECORD_HEADER, 100));
	assert_false(log_writer_fits(f.w, 1, SIZE_MAX - 16));
	end(&f);
}

/* A MARK says what the records before it do not; a second one would say nothing. */
static void test_log_writer__mark_says_it_once(void **state)
{
	struct log_record r;
	struct fixture f;
	uint64_t end_at;

	(void)state;
	begin(&f);
	assert_int_equal(log_writer_mark(f.w, 0), 0);      /* nothing to claim */
	assert_int_equal(log_writer_end(f.w), LOG_PAGE);
	logkit_group(f.w, 1, 3);
	end_at = log_writer_end(f.w);
	assert_int_equal(log_writer_mark(f.w, 3), 0);      /* nothing synced yet */
	assert_int_equal(log_writer_end(f.w), end_at);
	assert_int_equal(log_writer_sync(f.w), 0);
	assert_int_equal(log_writer_mark(f.w, 3), 0);
	r = record_at(&f, 3);
	assert_int_equal(r.kind, LOG_MARK);
	assert_int_equal(r.version, 3);
	assert_int_equal(r.synced_to, end_at);
	assert_int_equal(log_writer_end(f.w), end_at + LOG_RECORD_HEADER);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(log_writer_mark(f.w, 3), 0);
		assert_int_equal(log_writer_sync(f.w), 0);
	}
	assert_int_equal(log_writer_end(f.w), end_at + LOG_RECORD_HEADER);
	logkit_group(f.w, 4, 4);
	assert_int_equal(log_writer_sync(f.w), 0);
	assert_int_equal(log_writer_mark(f.w, 4), 0);
	assert_int_equal(record_at(&f, 5).kind, LOG_MARK);
	end(&f);
}

static void test_log_writer__large_groups_go_whole_and_are_not_kept(void **state)
{
	struct simdisk *disk = simdisk_new(1);
	const size_t n = 3 << 20;
	uint8_t *big = mem_calloc(1, n);
	struct log_writer *w;
	struct log_record r;
	struct log_reader *reader;
	struct os_file *file;
	struct log_header h;
	struct logkit k;

	(void)state;
	assert_non_null(big);
	big[n - 1] = 7;
	logkit_init(&k, disk);
	w = logkit_create(&k, 1, 8 << 20);
	assert_int_equal(log_writer_reserve(w, 1, n), 0);
	log_writer_add(w, LOG_DATA, 0, 1, slice_of(big, n));
	assert_int_equal(log_writer_append(w), 0);
	assert_int_equal(log_writer_sync(w), 0);
	mem_fail_at(1, true);
	assert_int_equal(log_writer_reserve(w, 1, 10), SILT_E_NOMEM);      /* the buffer went */
	mem_fail_at(0, false);
	assert_int_equal(segment_open(&k.env, LOG_WAL, logkit_wal(&k, 1), false, &h, &file), 0);
	assert_int_equal(log_reader_new(&k.env, "1", &h, file, &reader), 0);
	assert_int_equal(log_reader_next(reader, &r), 0);
	assert_true(slice_eq(r.payload, slice_of(big, n)));
	assert_int_equal(log_reader_next(reader, &r), SILT_END);
	log_reader_free(reader);
	assert_int_equal(k.env.os->close(k.env.os, file), 0);
	log_writer_free(w);
	mem_free(big);
	simdisk_free(disk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log_writer__one_write_and_one_sync_a_group),
		cmocka_unit_test(test_log_writer__synced_survives_power_loss),
		cmocka_unit_test(test_log_writer__claims_what_was_synced_before),
		cmocka_unit_test(test_log_writer__records_lie_on_steps_from_the_first_page),
		cmocka_unit_test(test_log_writer__failed_append_poisons),
		cmocka_unit_test(test_log_writer__failed_sync_poisons),
		cmocka_unit_test(test_log_writer__failed_mark_and_seal_poison),
		cmocka_unit_test(test_log_writer__after_reserve_memory_is_not_needed),
		cmocka_unit_test(test_log_writer__new_without_memory_closes_the_file),
		cmocka_unit_test(test_log_writer__full_segment_can_be_sealed),
		cmocka_unit_test(test_log_writer__fits_does_not_wrap),
		cmocka_unit_test(test_log_writer__mark_says_it_once),
		cmocka_unit_test(test_log_writer__large_groups_go_whole_and_are_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
