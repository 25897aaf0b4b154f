/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_segment.c - segments as files: the header's worked example; whole under their names at every crash point; recycled only
 * when alone, and never rewritten under the old name.
 */
#include "lib/test.h"

#include "base/buf.h"
#include "base/codec.h"
#include "base/hash.h"
#include "base/mem.h"
#include "lib/logkit.h"

enum { CAPACITY = 5 * LOG_PAGE };

/* The worked example of segment.c. */
static const uint8_t example[SEGMENT_HEADER] = {
	0x53, 0x49, 0x4c, 0x54, 0x4c, 0x4f, 0x47, 0x31,
	0x01, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00,
	0x0c, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01,
	0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00,
	0xb0, 0x7f, 0x06, 0x68, 0xb0, 0x79, 0x06, 0x9e,
};

static void test_segment__worked_example(void **state)
{
	const struct log_header h = {
		.kind = LOG_WAL, .number = 12, .salt = UINT64_C(0x0123456789abcdef), .capacity = 64 << 20,
	};
	struct log_header back;
	uint8_t bytes[SEGMENT_HEADER];

	(void)state;
	segment_encode_header(&h, bytes);
	assert_memory_equal(bytes, example, sizeof(example));
	assert_int_equal(segment_decode_header(slice_of(example, sizeof(example)), &back), 0);
	assert_int_equal(back.kind, LOG_WAL);
	assert_int_equal(back.number, 12);
	assert_true(back.salt == h.salt);
	assert_int_equal(back.capacity, 64 << 20);
}

static void test_segment__every_flipped_bit_of_a_header_is_damage(void **state)
{
	struct log_header h;

	(void)state;
	for (size_t bit = 0; bit < 8 * sizeof(example); bit++) {
		uint8_t bytes[SEGMENT_HEADER];

		memcpy(bytes, example, sizeof(bytes));
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(segment_decode_header(slice_of(bytes, sizeof(bytes)), &h), SILT_E_CORRUPT);
	}
	for (size_t n = 0; n < sizeof(example); n++)
		assert_int_equal(segment_decode_header(slice_of(example, n), &h), SILT_E_CORRUPT);
}

static void test_segment__well_checked_headers_are_not_believed_blindly(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		int rc;
	} cases[] = {
		{ 8, 2, SILT_E_VERSION },          /* a later format */
		{ 12, 0, SILT_E_CORRUPT },         /* no kind */
		{ 12, 3, SILT_E_CORRUPT },
		{ 32, 1, SILT_E_CORRUPT },         /* a capacity of broken pages */
		{ 35, 0, SILT_E_CORRUPT },         /* none at all */
		{ 39, 0x80, SILT_E_CORRUPT },      /* absurd */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t bytes[SEGMENT_HEADER];
		struct log_header h;

		memcpy(bytes, example, sizeof(bytes));
		bytes[cases[i].at] = cases[i].value;
		codec_put64(bytes + 40, hash_log(bytes, 40, 0, 0));
		assert_int_equal(segment_decode_header(slice_of(bytes, sizeof(bytes)), &h), cases[i].rc);
	}
}

static int create(struct logkit *k, uint64_t number, uint64_t capacity, struct log_header *h)
{
	struct os_file *file;
	int rc = segment_create(&k->env, LOG_WAL, logkit_wal(k, number), number, capacity, h, &file);

	if (rc == 0)
		(void)k->env.os->close(k->env.os, file);
	return rc;
}

static int recycle(struct logkit *k, uint64_t from, uint64_t number, uint64_t capacity, struct log_header *h)
{
	struct os_file *file;
	int rc = segment_recycle(&k->env, LOG_WAL, logkit_wal(k, from), logkit_wal(k, number), number, capacity, h, &file);

	if (rc == 0)
		(void)k->env.os->close(k->env.os, file);
	return rc;
}

static int try_open(struct logkit *k, uint64_t number, struct log_header *h)
{
	struct os_file *file;
	int rc = segment_open(&k->env, LOG_WAL, logkit_wal(k, number), false, h, &file);

	if (rc == 0)
		(void)k->env.os->close(k->env.os, file);
	return rc;
}

static bool same(const struct log_header *a, const struct log_header *b)
{
	return a->kind == b->kind && a->number == b->number && a->salt == b->salt && a->capacity == b->capacity;
}

static void tmp_of(struct logkit *k, uint64_t number, char *out, size_t n)
{
	snprintf(out, n, "%s.tmp", logkit_wal(k, number));
}

static bool exists(struct logkit *k, uint64_t number, bool tmp)
{
	char path[256];

	tmp_of(k, number, path, sizeof(path));
	if (!tmp)
		path[strlen(path) - 4] = '\0';
	return logkit_exists(k, path);
}

static void check_created(struct logkit *k)
{
	struct silt_buf bytes = { 0 };
	struct log_header h, back;

	assert_int_equal(create(k, 12, 3 * (1 << 20) + 5 * LOG_PAGE, &h), 0);
	assert_int_equal(try_open(k, 12, &back), 0);
	assert_true(same(&h, &back));
	assert_int_equal(h.number, 12);
	logkit_slurp(k, logkit_wal(k, 12), &bytes);
	assert_int_equal(bytes.len, h.capacity);
	for (size_t i = SEGMENT_HEADER; i < bytes.len; i++)
		if (((const uint8_t *)bytes.data)[i] != 0)
			fail_msg("byte %zu is not zero", i);
	assert_false(exists(k, 12, true));
	assert_int_equal(k->reports, 0);
	buf_fini(&bytes);
}

static void test_segment__create_makes_it_whole(void **state)
{
	struct simdisk *disk = simdisk_new(1);
	struct logkit k;

	(void)state;
	logkit_init(&k, disk);
	check_created(&k);
	logkit_fini(&k);
	simdisk_free(disk);
	logkit_init(&k, NULL);
	check_created(&k);
	logkit_fini(&k);
}

static void test_segment__salts_differ(void **state)
{
	struct log_header a, b;
	struct logkit k;

	(void)state;
	logkit_init(&k, NULL);
	assert_int_equal(create(&k, 1, CAPACITY, &a), 0);
	assert_int_equal(create(&k, 2, CAPACITY, &b), 0);
	assert_true(a.salt != b.salt);
	assert_int_equal(create(&k, 1, CAPACITY, &b), 0);          /* made anew under its name */
	assert_true(a.salt != b.salt);
	logkit_fini(&k);
}

static void test_segment__capacity_is_whole_pages(void **state)
{
	struct log_header h;
	struct logkit k;

	(void)state;
	logkit_init(&k, NULL);
	assert_int_equal(create(&k, 1, 3 * LOG_PAGE + 1, &h), 0);
	assert_int_equal(h.capacity, 4 * LOG_PAGE);
	assert_int_equal(create(&k, 2, 1, &h), 0);
	assert_int_equal(h.capacity, 2 * LOG_PAGE);
	assert_int_equal(try_open(&k, 1, &h), 0);
	assert_int_equal(try_open(&k, 2, &h), 0);
	logkit_fini(&k);
}

static void test_segment__leftover_tmp_goes_first(void **state)
{
	struct simdisk *disk = simdisk_new(2);
	struct log_header h;
	struct logkit k;
	char tmp[256];

	(void)state;
	logkit_init(&k, disk);
	tmp_of(&k, 12, tmp, sizeof(tmp));
	assert_int_equal(simdisk_write_file(disk, tmp, slice_str("half of something")), 0);
	assert_int_equal(create(&k, 12, CAPACITY, &h), 0);
	assert_int_equal(try_open(&k, 12, &h), 0);
	simdisk_free(disk);
}

static void test_segment__full_disk_leaves_nothing(void **state)
{
	struct simdisk *disk = simdisk_new(3);
	struct log_header h;
	struct logkit k;

	(void)state;
	logkit_init(&k, disk);
	assert_int_equal(create(&k, 11, CAPACITY, &h), 0);
	for (uint64_t room = 0; room < CAPACITY; room += LOG_PAGE) {
		simdisk_set_free(disk, room);
		k.reports = 0;
		assert_int_equal(create(&k, 12, CAPACITY, &h), SILT_E_NOSPACE);
		assert_int_equal(k.reports, 1);
		assert_non_null(strstr(k.message, "000012.wal"));
		assert_false(exists(&k, 12, false));
		assert_false(exists(&k, 12, true));
	}
	assert_int_equal(try_open(&k, 11, &h), 0);
	simdisk_set_free(disk, 1 << 20);
	assert_int_equal(create(&k, 12, CAPACITY, &h), 0);
	simdisk_free(disk);
}

/* Each call fails in turn: an error, said once, and never half a segment under the name. */
static void test_segment__any_failing_call_leaves_no_half(void **state)
{
	bool done = false;

	(void)state;
	for (uint64_t n = 1; !done; n++) {
		struct simdisk *disk = simdisk_new(n);
		struct log_header h;
		struct logkit k;
		int rc;

		logkit_init(&k, disk);
		simdisk_fail_at(disk, SIM_ANY, n, SILT_E_IO, true);
		rc = create(&k, 12, CAPACITY, &h);
		simdisk_fail_at(disk, SIM_ANY, 0, 0, false);
		done = rc == 0;
		if (!done) {
			assert_int_equal(rc, SILT_E_IO);
			assert_int_equal(k.reports, 1);
		}
		rc = try_open(&k, 12, &h);
		assert_true(rc == 0 || rc == SILT_NOTFOUND);
		assert_int_equal(create(&k, 12, CAPACITY, &h), 0);
		simdisk_free(disk);
	}
}

static void test_segment__no_memory_is_a_code(void **state)
{
	struct log_header h;
	struct logkit k;
	uint64_t n = 1;
	int rc;

	(void)state;
	logkit_init(&k, NULL);
	for (;; n++) {
		mem_fail_at(n, false);
		rc = create(&k, 12, CAPACITY, &h);
		mem_fail_at(0, false);
		if (rc == 0)
			break;
		assert_int_equal(rc, SILT_E_NOMEM);
		assert_false(exists(&k, 12, false));
		assert_false(exists(&k, 12, true));
	}
	assert_true(n > 1);
	logkit_fini(&k);
}

/* ---- crash points: after each is `check` called on what a crash there may leave, three ways ---- */

struct crash_points {
	struct simdisk *disk;
	void (*check)(struct logkit *k, void *ctx);
	void *ctx;
	unsigned points;
};

static void crash_point(void *arg, enum simdisk_call kind, const char *path, bool before)
{
	static const enum simdisk_policy policies[] = { SIM_LOSE_ALL, SIM_KEEP_ALL, SIM_MIXED };
	struct crash_points *c = arg;

	(void)kind;
	(void)path;
	(void)before;
	c->points++;
	for (uint64_t i = 0; i < 20; i++) {
		struct simdisk *copy = simdisk_crash_copy(c->disk, policies[i < 2 ? i : 2], i * 7919 + c->points);
		struct logkit k;

		logkit_on(&k, copy);
		c->check(&k, c->ctx);
		simdisk_free(copy);
	}
}

static void check_whole_or_absent(struct logkit *k, void *ctx)
{
	struct log_header h;
	int rc = try_open(k, 12, &h);

	(void)ctx;
	if (rc != 0 && rc != SILT_NOTFOUND)
		fail_msg("a segment under its name that is not whole: %s", k->message);
	if (rc == 0)
		assert_int_equal(h.number, 12);
}

/* Rule 1. */
static void test_segment__at_every_crash_point_whole_or_absent(void **state)
{
	struct simdisk *disk = simdisk_new(4);
	struct crash_points c = { disk, check_whole_or_absent, NULL, 0 };
	struct log_header h;
	struct logkit k;

	(void)state;
	logkit_init(&k, disk);
	simdisk_on_sync(disk, crash_point, &c);
	assert_int_equal(create(&k, 12, CAPACITY, &h), 0);
	simdisk_on_sync(disk, NULL, NULL);
	assert_int_equal(c.points, 6);             /* before and after: fdatasync, rename, directory fsync */
	simdisk_crash(disk, SIM_LOSE_ALL, 1);      /* and once it is made, it stays */
	logkit_on(&k, disk);
	assert_int_equal(try_open(&k, 12, &h), 0);
	simdisk_free(disk);
}

/* ---- recycling ---- */

static void fill(struct logkit *k, uint64_t number)
{
	struct log_writer *w = logkit_create(k, number, CAPACITY);

	logkit_group(w, 1, 20);
	assert_int_equal(log_writer_sync(w), 0);
	log_writer_free(w);
}

static void check_recycled(struct logkit *k)
{
	struct silt_buf before = { 0 }, after = { 0 };
	struct log_header old, h, back;

	fill(k, 12);
	assert_int_equal(try_open(k, 12, &old), 0);
	logkit_slurp(k, logkit_wal(k, 12), &before);
	assert_int_equal(recycle(k, 12, 20, CAPACITY, &h), 0);
	assert_false(exists(k, 12, false));
	assert_false(exists(k, 20, true));
	assert_int_equal(try_open(k, 20, &back), 0);
	assert_true(same(&h, &back));
	assert_int_equal(back.number, 20);
	assert_true(back.salt != old.salt);
	logkit_slurp(k, logkit_wal(k, 20), &after);
	assert_int_equal(after.len, before.len);
	assert_memory_equal((char *)after.data + LOG_PAGE, (char *)before.data + LOG_PAGE, before.len - LOG_PAGE);
	buf_fini(&before);
	buf_fini(&after);
}

static void test_segment__recycle_gives_old_bytes_a_new_header_and_name(void **state)
{
	struct simdisk *disk = simdisk_new(5);
	struct logkit k;

	(void)state;
	logkit_init(&k, disk);
	check_recycled(&k);
	simdisk_free(disk);
	logkit_init(&k, NULL);
	check_recycled(&k);
	logkit_fini(&k);
}

/* The records of a segment's earlier life are none of its own. */
static void test_segment__recycled_is_empty(void **state)
{
	struct logkit_seen seen;
	struct log_header h;
	struct logkit k;

	(void)state;
	logkit_init(&k, NULL);
	fill(&k, 12);
	assert_int_equal(logkit_judge(&k, 12, 12, &seen), 0);
	assert_true(logkit_saw(&seen, 1, 20));
	assert_int_equal(recycle(&k, 12, 20, CAPACITY, &h), 0);
	assert_int_equal(logkit_judge(&k, 20, 20, &seen), 0);
	assert_true(logkit_saw(&seen, 1, 0));
	assert_int_equal(seen.end.offset, LOG_PAGE);
	logkit_fini(&k);
}

/* Rule 2: a checkpoint may hold the file too. */
static void check_linked(struct logkit *k)
{
	struct silt_buf before = { 0 }, after = { 0 };
	struct log_header h;
	char other[256];

	fill(k, 12);
	snprintf(other, sizeof(other), "%s/kept", k->env.dir);
	assert_int_equal(k->env.os->link(k->env.os, logkit_wal(k, 12), other), 0);
	logkit_slurp(k, other, &before);
	assert_int_equal(recycle(k, 12, 20, CAPACITY, &h), SILT_E_BUSY);
	assert_true(exists(k, 12, false));
	assert_false(exists(k, 20, false));
	assert_false(exists(k, 20, true));
	logkit_slurp(k, other, &after);
	assert_int_equal(before.len, after.len);
	assert_memory_equal(before.data, after.data, before.len);
	assert_int_equal(k->reports, 0);
	assert_int_equal(k->env.os->unlink(k->env.os, other), 0);
	assert_int_equal(recycle(k, 12, 20, CAPACITY, &h), 0);
	buf_fini(&before);
	buf_fini(&after);
}

static void test_segment__with_a_second_link_is_left_alone(void **state)
{
	struct simdisk *disk = simdisk_new(6);
	struct logkit k;

	(void)state;
	logkit_init(&k, disk);
	check_linked(&k);
	simdisk_free(disk);
	logkit_init(&k, NULL);
	check_linked(&k);
	logkit_fini(&k);
}

static void test_segment__of_another_size_or_absent_is_left_alone(void **state)
{
	struct log_header h;
	struct logkit k;

	(void)state;
	logkit_init(&k, NULL);
	fill(&k, 12);
	assert_int_equal(recycle(&k, 12, 20, CAPACITY + LOG_PAGE, &h), SILT_E_BUSY);
	assert_int_equal(recycle(&k, 12, 20, CAPACITY - LOG_PAGE, &h), SILT_E_BUSY);
	assert_int_equal(try_open(&k, 12, &h), 0);
	assert_int_equal(h.number, 12);
	assert_int_equal(recycle(&k, 11, 20, CAPACITY, &h), SILT_NOTFOUND);
	assert_int_equal(k.reports, 0);
	logkit_fini(&k);
}

struct recycle_seen {
	bool old_there, old_gone;
};

/* Rule 2: whatever has the old name is the old segment, whatever has the new name is the new one; neither is half. */
static void check_recycle_crash(struct logkit *k, void *ctx)
{
	struct recycle_seen *seen = ctx;
	struct logkit_seen log;
	struct log_header h;
	int rc = try_open(k, 12, &h);

	if (rc != 0 && rc != SILT_NOTFOUND)
		fail_msg("the old segment was rewritten under its name: %s", k->message);
	seen->old_there |= rc == 0;
	seen->old_gone |= rc == SILT_NOTFOUND;
	if (rc == 0) {
		assert_int_equal(h.number, 12);
		assert_int_equal(logkit_judge(k, 12, 12, &log), 0);
		assert_true(logkit_saw(&log, 1, 20));
	}
	rc = try_open(k, 20, &h);
	if (rc != 0 && rc != SILT_NOTFOUND)
		fail_msg("the new segment is not whole: %s", k->message);
	if (rc == 0) {
		assert_int_equal(h.number, 20);
		assert_int_equal(logkit_judge(k, 20, 20, &log), 0);
		assert_true(logkit_saw(&log, 1, 0));
	}
}

static void test_segment__recycled_at_every_crash_point_old_or_new(void **state)
{
	struct simdisk *disk = simdisk_new(7);
	struct recycle_seen seen = { false, false };
	struct crash_points c = { disk, check_recycle_crash, &seen, 0 };
	struct log_header h;
	struct logkit k;

	(void)state;
	logkit_init(&k, disk);
	fill(&k, 12);
	simdisk_on_sync(disk, crash_point, &c);
	assert_int_equal(recycle(&k, 12, 20, CAPACITY, &h), 0);
	simdisk_on_sync(disk, NULL, NULL);
	assert_int_equal(c.points, 10);
	assert_true(seen.old_there && seen.old_gone);
	simdisk_crash(disk, SIM_LOSE_ALL, 1);
	logkit_on(&k, disk);
	assert_int_equal(try_open(&k, 12, &h), SILT_NOTFOUND);
	assert_int_equal(try_open(&k, 20, &h), 0);
	simdisk_free(disk);
}

static void test_segment__failing_recycle_leaves_old_or_nothing(void **state)
{
	bool done = false;

	(void)state;
	for (uint64_t n = 1; !done; n++) {
		struct simdisk *disk = simdisk_new(n);
		struct log_header h;
		struct logkit k;
		int rc;

		logkit_init(&k, disk);
		fill(&k, 12);
		simdisk_fail_at(disk, SIM_ANY, n, SILT_E_IO, true);
		rc = recycle(&k, 12, 20, CAPACITY, &h);
		simdisk_fail_at(disk, SIM_ANY, 0, 0, false);
		done = rc == 0;
		if (!done)
			assert_int_equal(k.reports, 1);
		check_recycle_crash(&k, &(struct recycle_seen){ false, false });
		simdisk_free(disk);
	}
}

/* ---- opening ---- */

static void test_segment__open_names_what_is_wrong(void **state)
{
	struct simdisk *disk = simdisk_new(8);
	struct silt_buf bytes = { 0 };
	struct log_header h;
	struct logkit k;

	(void)state;
	logkit_init(&k, disk);
	assert_int_equal(try_open(&k, 12, &h), SILT_NOTFOUND);
	assert_int_equal(k.reports, 0);
	fill(&k, 12);
	logkit_slurp(&k, logkit_wal(&k, 12), &bytes);
	for (size_t cut = 0; cut < bytes.len; cut += 1021) {
		logkit_spill(&k, logkit_wal(&k, 12), slice_of(bytes.data, cut));
		k.reports = 0;
		assert_int_equal(try_open(&k, 12, &h), SILT_E_CORRUPT);
		assert_int_equal(k.reports, 1);
		assert_non_null(strstr(k.message, "000012.wal"));
	}
	logkit_spill(&k, logkit_wal(&k, 12), buf_slice(&bytes));
	assert_int_equal(try_open(&k, 12, &h), 0);
	logkit_flip(&k, logkit_wal(&k, 12), 20, 4);
	assert_int_equal(try_open(&k, 12, &h), SILT_E_CORRUPT);
	buf_fini(&bytes);
	simdisk_free(disk);
}

static void test_segment__kinds_are_not_mixed_up(void **state)
{
	struct os_file *file;
	struct log_header h;
	struct logkit k;

	(void)state;
	logkit_init(&k, NULL);
	assert_int_equal(segment_create(&k.env, LOG_MANIFEST, logkit_wal(&k, 1), 1, CAPACITY, &h, &file), 0);
	assert_int_equal(k.env.os->close(k.env.os, file), 0);
	assert_int_equal(try_open(&k, 1, &h), SILT_E_CORRUPT);
	assert_int_equal(segment_open(&k.env, LOG_MANIFEST, logkit_wal(&k, 1), true, &h, &file), 0);
	assert_int_equal(k.env.os->close(k.env.os, file), 0);
	logkit_fini(&k);
}

/* A segment that gets its first records before its name. */
static void test_segment__prepared_then_installed(void **state)
{
	struct simdisk *disk = simdisk_new(9);
	struct os_file *file;
	struct log_header h, back;
	struct logkit k;

	(void)state;
	logkit_init(&k, disk);
	assert_int_equal(segment_prepare(&k.env, LOG_WAL, logkit_wal(&k, 12), 12, CAPACITY, &h, &file), 0);
	assert_int_equal(try_open(&k, 12, &back), SILT_NOTFOUND);
	assert_true(exists(&k, 12, true));
	assert_int_equal(segment_install(&k.env, logkit_wal(&k, 12)), 0);
	assert_false(exists(&k, 12, true));
	assert_int_equal(k.env.os->close(k.env.os, file), 0);
	simdisk_crash(disk, SIM_LOSE_ALL, 1);
	logkit_on(&k, disk);
	assert_int_equal(try_open(&k, 12, &back), 0);
	assert_true(back.salt == h.salt);
	simdisk_free(disk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_segment__worked_example),
		cmocka_unit_test(test_segment__every_flipped_bit_of_a_header_is_damage),
		cmocka_unit_test(test_segment__well_checked_headers_are_not_believed_blindly),
		cmocka_unit_test(test_segment__create_makes_it_whole),
		cmocka_unit_test(test_segment__salts_differ),
		cmocka_unit_test(test_segment__capacity_is_whole_pages),
		cmocka_unit_test(test_segment__leftover_tmp_goes_first),
		cmocka_unit_test(test_segment__full_disk_leaves_nothing),
		cmocka_unit_test(test_segment__any_failing_call_leaves_no_half),
		cmocka_unit_test(test_segment__no_memory_is_a_code),
		cmocka_unit_test(test_segment__at_every_crash_point_whole_or_absent),
		cmocka_unit_test(test_segment__recycle_gives_old_bytes_a_new_header_and_name),
		cmocka_unit_test(test_segment__recycled_is_empty),
		cmocka_unit_test(test_segment__with_a_second_link_is_left_alone),
		cmocka_unit_test(test_segment__of_another_size_or_absent_is_left_alone),
		cmocka_unit_test(test_segment__recycled_at_every_crash_point_old_or_new),
		cmocka_unit_test(test_segment__failing_recycle_leaves_old_or_nothing),
		cmocka_unit_test(test_segment__open_names_what_is_wrong),
		cmocka_unit_test(test_segment__kinds_are_not_mixed_up),
		cmocka_unit_test(test_segment__prepared_then_installed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
