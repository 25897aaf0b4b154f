/* SPDX-License-Identifier: Apache-2.0 */
/* test_judge.c - where a log ends: the rules of recovery, each with what it must refuse and what it must let pass. */
#include "lib/test.h"

#include "base/buf.h"
#include "base/codec.h"
#include "base/mem.h"
#include "lib/logkit.h"
#include "log/scan.h"

enum { CAPACITY = 4 * LOG_PAGE };

struct fixture {
	struct simdisk *disk;
	struct logkit k;
	struct logkit_seen seen;
};

static void begin(struct fixture *f)
{
	memset(&f->seen, 0, sizeof(f->seen));
	f->disk = simdisk_new(1);
	logkit_init(&f->k, f->disk);
}

static void end(struct fixture *f)
{
	simdisk_free(f->disk);
}

static int judge(struct fixture *f, uint64_t first, uint64_t last)
{
	f->k.reports = 0;
	f->k.message[0] = '\0';
	return logkit_judge(&f->k, first, last, &f->seen);
}

/* Damage, said once, with these words. */
static void assert_damage(struct fixture *f, int rc, const char *words)
{
	assert_int_equal(rc, SILT_E_CORRUPT);
	assert_int_equal(f->k.reports, 1);
	if (!strstr(f->k.message, words))
		fail_msg("\"%s\" is not in \"%s\"", words, f->k.message);
	assert_false(f->seen.wrong);
}

static void synced_group(struct log_writer *w, uint64_t from, uint64_t to)
{
	logkit_group(w, from, to);
	assert_int_equal(log_writer_sync(w), 0);
}

static void sealed_segment(struct fixture *f, uint64_t number, uint64_t from, uint64_t to, uint8_t flags)
{
	struct log_writer *w = logkit_create(&f->k, number, CAPACITY);

	if (from <= to)
		synced_group(w, from, to);
	assert_int_equal(log_writer_seal(w, to, flags), 0);
	log_writer_free(w);
}

static void open_segment(struct fixture *f, uint64_t number, uint64_t from, uint64_t to)
{
	struct log_writer *w = logkit_create(&f->k, number, CAPACITY);

	if (from <= to)
		synced_group(w, from, to);
	log_writer_free(w);
}

static void add(struct log_writer *w, enum log_record_kind kind, uint64_t version)
{
	assert_int_equal(log_writer_reserve(w, 1, 0), 0);
	log_writer_add(w, kind, 0, version, slice_of(NULL, 0));
	assert_int_equal(log_writer_append(w), 0);
	assert_int_equal(log_writer_sync(w), 0);
}

/* ---- where it ends ---- */

static void test_judge__no_segments_no_log(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	assert_int_equal(log_judge(&f.k.env, LOG_WAL, NULL, 0, NULL, NULL, NULL, &f.seen.end), 0);
	assert_int_equal(f.seen.end.number, 0);
	end(&f);
}

static void test_judge__empty_segment_ends_at_its_first_page(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	open_segment(&f, 5, 1, 0);
	assert_int_equal(judge(&f, 5, 5), 0);
	assert_int_equal(f.seen.end.number, 5);
	assert_int_equal(f.seen.end.offset, LOG_PAGE);
	assert_int_equal(f.seen.end.synced_to, LOG_PAGE);
	assert_int_equal(f.seen.end.last_version, 0);
	assert_int_equal(f.seen.end.records, 0);
	assert_false(f.seen.end.sealed);
	end(&f);
}

static void test_judge__walks_from_seal_to_next(void **state)
{
	struct log_writer *w;
	uint64_t before, at;
	struct fixture f;

	(void)state;
	begin(&f);
	sealed_segment(&f, 11, 1, 10, 0);
	sealed_segment(&f, 12, 11, 10, 0);         /* only a SEAL */
	w = logkit_create(&f.k, 13, CAPACITY);
	synced_group(w, 11, 13);
	before = log_writer_end(w);
	logkit_group(w, 14, 20);
	at = log_writer_end(w);
	log_writer_free(w);
	assert_int_equal(judge(&f, 11, 13), 0);
	assert_true(logkit_saw(&f.seen, 1, 20));
	assert_int_equal(f.seen.end.number, 13);
	assert_int_equal(f.seen.end.offset, at);
	assert_int_equal(f.seen.end.synced_to, before);
	assert_int_equal(f.seen.end.last_version, 20);
	assert_int_equal(f.seen.end.records, 22);
	assert_false(f.seen.end.sealed);
	assert_int_equal(judge(&f, 13, 13), 0);    /* versions are checked from the first one seen on */
	assert_true(logkit_saw(&f.seen, 11, 20));
	end(&f);
}

static void test_judge__sealed_end_stays_the_end_before_empty_segments(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	sealed_segment(&f, 1, 1, 10, LOG_SEAL_CLEAN);
	for (uint64_t last = 1; last <= 3; last++) {
		if (last > 1)
			open_segment(&f, last, 1, 0);
		assert_int_equal(judge(&f, 1, last), 0);
		assert_true(logkit_saw(&f.seen, 1, 10));
		assert_int_equal(f.seen.end.number, 1);
		assert_true(f.seen.end.sealed && f.seen.end.clean);
	}
	sealed_segment(&f, 1, 1, 10, 0);
	assert_int_equal(judge(&f, 1, 3), 0);
	assert_true(f.seen.end.sealed && !f.seen.end.clean);
	open_segment(&f, 2, 11, 11);               /* begun: the clean end is past */
	assert_int_equal(judge(&f, 1, 3), 0);
	assert_int_equal(f.seen.end.number, 2);
	assert_false(f.seen.end.sealed || f.seen.end.clean);
	end(&f);
}

/* Behind a SEAL lie zeros or an earlier life's records; even this life's would mean nothing. */
static void test_judge__nothing_behind_a_seal_matters(void **state)
{
	struct silt_buf bytes = { 0 };
	struct fixture f;

	(void)state;
	begin(&f);
	sealed_segment(&f, 1, 1, 10, 0);
	assert_int_equal(judge(&f, 1, 1), 0);
	logkit_slurp(&f.k, logkit_wal(&f.k, 1), &bytes);
	memset((char *)bytes.data + f.seen.end.offset, 0xa5, bytes.len - f.seen.end.offset);
	logkit_spill(&f.k, logkit_wal(&f.k, 1), buf_slice(&bytes));
	open_segment(&f, 2, 11, 12);
	assert_int_equal(judge(&f, 1, 2), 0);
	assert_true(logkit_saw(&f.seen, 1, 12));
	buf_fini(&bytes);
	end(&f);
}

/* ---- damage or torn: what lies behind B ---- */

/* Three groups, a sync after each of the first two, a MARK or none at the end. A bad record in a synced group that a later record
 * testifies of is damage; the last group is torn. */
static void check_bad_record(bool marked, uint64_t bad, bool damage)
{
	uint64_t starts[10] = { 0 };
	struct log_writer *w;
	struct fixture f;
	char words[64];
	int rc;

	begin(&f);
	w = logkit_create(&f.k, 1, CAPACITY);
	for (uint64_t v = 1; v <= 9; v++) {
		starts[v] = log_writer_end(w);
		logkit_group(w, v, v);
		if (v % 3 == 0 && (v < 9 || marked))
			assert_int_equal(log_writer_sync(w), 0);
	}
	if (marked)
		assert_int_equal(log_writer_mark(w, 9), 0);
	log_writer_free(w);
	logkit_flip(&f.k, logkit_wal(&f.k, 1), starts[bad] + 9, 1);
	rc = judge(&f, 1, 1);
	snprintf(words, sizeof(words), "000001.wal: offset %d: damaged", (int)starts[bad]);
	if (damage) {
		assert_damage(&f, rc, words);
	} else {
		assert_int_equal(rc, 0);
		assert_true(logkit_saw(&f.seen, 1, bad - 1));
		assert_int_equal(f.seen.end.offset, starts[bad]);
		assert_int_equal(f.seen.end.synced_to, bad == 7 ? starts[4] : starts[7]);  /* what a good record claims */
	}
	end(&f);
}

static void test_judge__what_later_records_testify_is_damage(void **state)
{
	(void)state;
	for (uint64_t bad = 1; bad <= 6; bad++)
		check_bad_record(false, bad, true);
}

static void test_judge__rest_of_a_torn_group_is_no_testimony(void **state)
{
	(void)state;
	for (uint64_t bad = 7; bad <= 9; bad++)
		check_bad_record(false, bad, false);
}

/* The last group was synced, and a MARK says so. */
static void test_judge__mark_testifies_of_the_last_group(void **state)
{
	(void)state;
	for (uint64_t bad = 1; bad <= 9; bad++)
		check_bad_record(true, bad, true);
}

/* The testimony may lie anywhere behind, on any step, across the pieces in which it is looked for. */
static void test_judge__testimony_is_found_at_every_step(void **state)
{
	static const uint64_t behinds[] = { 0, 8, 4096, (1 << 20) - 72, (1 << 20) - 64, (1 << 20) - 56, (1 << 20) - 48, (1 << 20) - 40,
		(1 << 20) - 32, (1 << 20) - 24, (1 << 20) - 16, (1 << 20) - 8, 1 << 20, (2 << 20) - 32, (3 << 20) - 4096 };

	(void)state;
	for (size_t i = 0; i < sizeof(behinds) / sizeof(behinds[0]); i++) {
		struct silt_buf bytes = { 0 };
		struct log_writer *w;
		struct fixture f;
		struct log_header h;
		struct os_file *file;

		begin(&f);
		w = logkit_create(&f.k, 1, 4 << 20);
		synced_group(w, 1, 3);
		log_writer_free(w);
		assert_int_equal(judge(&f, 1, 1), 0);
		assert_int_equal(segment_open(&f.k.env, LOG_WAL, logkit_wal(&f.k, 1), true, &h, &file), 0);
		assert_int_equal(log_writer_new(&f.k.env, "w", &h, file, f.seen.end.offset + 8 + behinds[i],
		                                f.seen.end.offset + 8, &w), 0);
		logkit_group(w, 9, 9);             /* claims 8 bytes more than are good */
		log_writer_free(w);
		assert_damage(&f, judge(&f, 1, 1), "damaged, not torn");
		buf_fini(&bytes);
		end(&f);
	}
}

/* ---- damage or torn: later segments ---- */

static void test_judge__unsealed_before_empty_segments_is_torn(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	open_segment(&f, 1, 1, 10);
	open_segment(&f, 2, 1, 0);
	open_segment(&f, 3, 1, 0);
	assert_int_equal(judge(&f, 1, 3), 0);
	assert_true(logkit_saw(&f.seen, 1, 10));
	assert_int_equal(f.seen.end.number, 1);
	end(&f);
}

static void test_judge__unsealed_before_records_is_damage(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	open_segment(&f, 1, 1, 10);
	open_segment(&f, 2, 11, 12);
	assert_damage(&f, judge(&f, 1, 2), "000001.wal: offset ");
	open_segment(&f, 2, 1, 0);
	open_segment(&f, 3, 11, 12);
	assert_damage(&f, judge(&f, 1, 3), "000003.wal has a record");
	end(&f);
}

/* The next segment's first record is lost too, its second is there: it still testifies that this one was sealed. */
static void test_judge__any_record_of_a_later_segment_testifies(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	open_segment(&f, 1, 1, 10);
	open_segment(&f, 2, 11, 12);
	logkit_flip(&f.k, logkit_wal(&f.k, 2), LOG_PAGE + 8, 1);
	assert_damage(&f, judge(&f, 1, 2), "000002.wal has a record");
	end(&f);
}

static void test_judge__damaged_seal_before_records_is_damage(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	sealed_segment(&f, 1, 1, 10, 0);
	assert_int_equal(judge(&f, 1, 1), 0);
	logkit_flip(&f.k, logkit_wal(&f.k, 1), f.seen.end.offset - 1, 0x40);
	open_segment(&f, 2, 11, 12);
	assert_damage(&f, judge(&f, 1, 2), "damaged, not torn");
	end(&f);
}

/* Recycled: behind its header the next segment is full of records, of another life. */
static void test_judge__records_of_another_life_do_not_testify(void **state)
{
	struct log_header h;
	struct os_file *file;
	struct fixture f;

	(void)state;
	begin(&f);
	open_segment(&f, 1, 1, 60);
	assert_int_equal(segment_recycle(&f.k.env, LOG_WAL, logkit_wal(&f.k, 1), logkit_wal(&f.k, 3), 3, CAPACITY, &h, &file), 0);
	assert_int_equal(f.k.env.os->close(f.k.env.os, file), 0);
	open_segment(&f, 2, 1, 10);
	assert_int_equal(judge(&f, 2, 3), 0);
	assert_true(logkit_saw(&f.seen, 1, 10));
	assert_int_equal(f.seen.end.number, 2);
	end(&f);
}

/* A torn first group in the segment after a sealed one: the log ends at the SEAL. */
static void test_judge__torn_first_group_is_no_record(void **state)
{
	struct log_writer *w;
	struct fixture f;

	(void)state;
	begin(&f);
	sealed_segment(&f, 1, 1, 10, 0);
	w = logkit_create(&f.k, 2, CAPACITY);
	logkit_group(w, 11, 15);
	log_writer_free(w);
	logkit_flip(&f.k, logkit_wal(&f.k, 2), LOG_PAGE, 1);
	assert_int_equal(judge(&f, 1, 2), 0);
	assert_true(logkit_saw(&f.seen, 1, 10));
	assert_int_equal(f.seen.end.number, 1);
	assert_true(f.seen.end.sealed);
	end(&f);
}

/* ---- numbers ---- */

static void test_judge__gap_in_the_numbers_is_damage(void **state)
{
	static const uint64_t numbers[] = { 12, 14 };
	struct fixture f;

	(void)state;
	begin(&f);
	sealed_segment(&f, 12, 1, 10, 0);
	open_segment(&f, 14, 11, 12);
	assert_damage(&f, log_judge(&f.k.env, LOG_WAL, numbers, 2, NULL, NULL, NULL, &f.seen.end), "segment 000013 is missing");
	assert_damage(&f, judge(&f, 12, 14), "segment 000013 is missing");
	end(&f);
}

static void test_judge__file_of_another_number_is_damage(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	sealed_segment(&f, 1, 1, 10, 0);
	open_segment(&f, 3, 11, 12);
	assert_int_equal(f.k.env.os->rename(f.k.env.os, logkit_wal(&f.k, 3), logkit_wal(&f.k, 2)), 0);
	assert_damage(&f, judge(&f, 1, 2), "000002.wal: offset 0: this is segment 000003");
	end(&f);
}

static void test_judge__bad_header_is_damage_anywhere(void **state)
{
	(void)state;
	for (uint64_t bad = 1; bad <= 3; bad++) {
		struct fixture f;
		char words[32];

		begin(&f);
		sealed_segment(&f, 1, 1, 10, 0);
		open_segment(&f, 2, 11, 12);
		open_segment(&f, 3, 1, 0);         /* made ahead */
		logkit_flip(&f.k, logkit_wal(&f.k, bad), 17, 2);
		snprintf(words, sizeof(words), "00000%d.wal: offset 0", (int)bad);
		assert_damage(&f, judge(&f, 1, 3), words);
		end(&f);
	}
}

/* ---- versions: every record below has good checksums ---- */

static void test_judge__versions_follow_each_other(void **state)
{
	static const struct {
		const char *what;
		struct {
			enum log_record_kind kind;
			uint64_t version;
		} records[6];
		bool damage;
	} cases[] = {
		{ "contiguous", { { LOG_DATA, 7 }, { LOG_DATA, 8 }, { LOG_DATA, 9 } }, false },
		{ "one left out", { { LOG_DATA, 7 }, { LOG_DATA, 9 } }, true },
		{ "one twice", { { LOG_DATA, 7 }, { LOG_DATA, 7 } }, true },
		{ "backwards", { { LOG_DATA, 7 }, { LOG_DATA, 6 } }, true },
		{ "SKIP, then the next", { { LOG_DATA, 7 }, { LOG_SKIP, 100 }, { LOG_DATA, 101 } }, false },
		{ "SKIP, then its own", { { LOG_DATA, 7 }, { LOG_SKIP, 100 }, { LOG_DATA, 100 } }, true },
		{ "SKIP, then as before", { { LOG_DATA, 7 }, { LOG_SKIP, 100 }, { LOG_DATA, 8 } }, true },
		{ "SKIP to where it is", { { LOG_DATA, 7 }, { LOG_SKIP, 7 }, { LOG_DATA, 8 } }, false },
		{ "SKIP backwards", { { LOG_DATA, 7 }, { LOG_SKIP, 6 } }, true },
		{ "SKIP first", { { LOG_SKIP, 100 }, { LOG_DATA, 101 } }, false },
		{ "MARK agrees", { { LOG_DATA, 7 }, { LOG_MARK, 7 }, { LOG_DATA, 8 } }, false },
		{ "MARK is ahead", { { LOG_DATA, 7 }, { LOG_MARK, 8 } }, true },
		{ "MARK is behind", { { LOG_DATA, 7 }, { LOG_MARK, 6 } }, true },
		{ "MARK knows none, there is one", { { LOG_DATA, 7 }, { LOG_MARK, 0 } }, true },
		{ "MARK knows none, there is none", { { LOG_MARK, 0 }, { LOG_DATA, 7 } }, false },
		{ "MARK first", { { LOG_MARK, 7 }, { LOG_DATA, 8 } }, false },
		{ "MARK first, then another", { { LOG_MARK, 7 }, { LOG_DATA, 9 } }, true },
		{ "version 0", { { LOG_DATA, 0 } }, true },
		{ "the last version", { { LOG_DATA, SILT_VERSION_MAX } }, false },
		{ "beyond the last version", { { LOG_DATA, SILT_VERSION_MAX }, { LOG_DATA, SILT_VERSION_MAX + 1 } }, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct log_writer *w;
		struct fixture f;
		int rc;

		begin(&f);
		w = logkit_create(&f.k, 1, CAPACITY);
		for (size_t r = 0; r < 6 && cases[i].records[r].kind != 0; r++)
			add(w, cases[i].records[r].kind, cases[i].records[r].version);
		log_writer_free(w);
		rc = judge(&f, 1, 1);
		if (rc != (cases[i].damage ? SILT_E_CORRUPT : 0))
			fail_msg("%s: %d", cases[i].what, rc);
		if (cases[i].damage)
			assert_non_null(strstr(f.k.message, "does not follow"));
		end(&f);
	}
}

static void test_judge__versions_follow_across_segments(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	sealed_segment(&f, 1, 1, 10, 0);
	open_segment(&f, 2, 12, 13);
	assert_damage(&f, judge(&f, 1, 2), "000002.wal: offset 4096: version 12 does not follow 10");
	assert_true(logkit_saw(&f.seen, 1, 10));
	open_segment(&f, 2, 10, 13);
	assert_damage(&f, judge(&f, 1, 2), "does not follow");
	open_segment(&f, 2, 11, 13);
	assert_int_equal(judge(&f, 1, 2), 0);
	end(&f);
}

static void test_judge__seal_must_agree(void **state)
{
	struct log_writer *w;
	struct fixture f;

	(void)state;
	begin(&f);
	w = logkit_create(&f.k, 1, CAPACITY);
	synced_group(w, 1, 5);
	assert_int_equal(log_writer_seal(w, 6, 0), 0);
	log_writer_free(w);
	assert_damage(&f, judge(&f, 1, 1), "version 6 does not follow 5");
	end(&f);
}

/* ---- manifests, failures ---- */

static int count_records(void *ctx, uint64_t segment, const struct log_record *r)
{
	uint64_t *n = ctx;

	(void)segment;
	(void)r;
	return ++*n == 3 ? SILT_E_NOMEM : 0;
}

static void test_judge__manifest_is_one_file_of_any_number(void **state)
{
	struct log_end at;
	struct log_header h;
	struct os_file *file;
	struct log_writer *w;
	uint64_t n = 0;
	struct fixture f;

	(void)state;
	begin(&f);
	assert_int_equal(log_judge(&f.k.env, LOG_MANIFEST, NULL, 0, "/db/MANIFEST", count_records, &n, &at), SILT_NOTFOUND);
	assert_int_equal(f.k.reports, 0);
	assert_int_equal(segment_create(&f.k.env, LOG_MANIFEST, "/db/MANIFEST", 77, CAPACITY, &h, &file), 0);
	assert_int_equal(log_writer_new(&f.k.env, "/db/MANIFEST", &h, file, LOG_PAGE, LOG_PAGE, &w), 0);
	synced_group(w, 1, 2);
	assert_int_equal(log_judge(&f.k.env, LOG_MANIFEST, NULL, 0, "/db/MANIFEST", count_records, &n, &at), 0);
	assert_int_equal(n, 2);
	assert_int_equal(at.number, 77);
	assert_int_equal(at.offset, log_writer_end(w));
	log_writer_free(w);
	end(&f);
}

static void test_judge__what_apply_returns_comes_back(void **state)
{
	const uint64_t number = 1;
	uint64_t n = 0;
	struct fixture f;

	(void)state;
	begin(&f);
	open_segment(&f, 1, 1, 10);
	assert_int_equal(log_judge(&f.k.env, LOG_WAL, &number, 1, NULL, count_records, &n, &f.seen.end), SILT_E_NOMEM);
	assert_int_equal(n, 3);
	end(&f);
}

static void two_segments(struct fixture *f)
{
	begin(f);
	sealed_segment(f, 1, 1, 10, 0);
	open_segment(f, 2, 11, 20);
	open_segment(f, 3, 1, 0);
}

static void test_judge__any_failing_call_is_a_failure(void **state)
{
	bool done = false;

	(void)state;
	for (uint64_t n = 1; !done; n++) {
		struct fixture f;
		int rc;

		two_segments(&f);
		simdisk_fail_at(f.disk, SIM_ANY, n, SILT_E_IO, true);
		rc = judge(&f, 1, 3);
		done = rc == 0;
		if (rc != 0) {
			assert_int_equal(rc, SILT_E_IO);
			assert_int_equal(f.k.reports, 1);
		} else {
			assert_true(logkit_saw(&f.seen, 1, 20));
		}
		end(&f);
	}
}

static void test_judge__no_memory_is_a_code(void **state)
{
	struct fixture f;
	int rc = SILT_E_NOMEM;

	(void)state;
	two_segments(&f);
	for (uint64_t n = 1; rc != 0; n++) {
		mem_fail_at(n, false);
		rc = judge(&f, 1, 3);
		mem_fail_at(0, false);
		assert_true(rc == 0 || rc == SILT_E_NOMEM);
		assert_int_equal(f.k.reports, rc == 0 ? 0 : 1);
	}
	end(&f);
}

/* ---- everything ---- */

/* Every bit of a small log of two segments: the log as it was, damage by name, or (in the last group alone) a shorter log. */
static void test_judge__every_flipped_bit(void **state)
{
	uint64_t ends[3], last_group;
	struct log_writer *w;
	struct fixture f;

	(void)state;
	begin(&f);
	w = logkit_create(&f.k, 1, 2 * LOG_PAGE);
	synced_group(w, 1, 2);
	logkit_group(w, 3, 3);
	assert_int_equal(log_writer_seal(w, 3, 0), 0);
	ends[1] = log_writer_end(w);
	log_writer_free(w);
	w = logkit_create(&f.k, 2, 2 * LOG_PAGE);
	synced_group(w, 4, 5);
	last_group = log_writer_end(w);
	synced_group(w, 6, 7);
	ends[2] = log_writer_end(w);
	log_writer_free(w);
	for (uint64_t number = 1; number <= 2; number++) {
		for (uint64_t at = 0; at < ends[number] + 64; at++) {
			uint8_t mask = (uint8_t)(1u << (at * 5 + number) % 8);
			int rc;

			logkit_flip(&f.k, logkit_wal(&f.k, number), at, mask);
			rc = judge(&f, 1, 2);
			if (rc == 0 && number == 2 && at >= last_group && at < ends[2]) {
				assert_true(logkit_saw(&f.seen, 1, 5) || logkit_saw(&f.seen, 1, 6));
			} else if (rc == 0) {
				assert_true(logkit_saw(&f.seen, 1, 7));
				assert_true(at < LOG_PAGE ? at >= SEGMENT_HEADER : at >= ends[number]);
			} else {
				assert_damage(&f, rc, number == 1 ? "000001.wal: offset" : "000002.wal: offset");
			}
			logkit_flip(&f.k, logkit_wal(&f.k, number), at, mask);
		}
	}
	end(&f);
}

/* A client stored values full of what looks like headers of huge records, in a life of the segment that is long past. Were each
 * hashed to its claimed end, this would take hours. */
static void test_judge__stored_headers_do_not_slow_the_scan(void **state)
{
	const uint64_t capacity = 16 << 20;
	struct silt_buf bytes = { 0 };
	struct log_writer *w;
	struct fixture f;

	(void)state;
	begin(&f);
	w = logkit_create(&f.k, 1, capacity);
	synced_group(w, 1, 3);
	log_writer_free(w);
	logkit_slurp(&f.k, logkit_wal(&f.k, 1), &bytes);
	for (uint64_t at = 2 * LOG_PAGE; at + LOG_RECORD_HEADER <= capacity; at += LOG_RECORD_HEADER) {
		uint8_t *p = (uint8_t *)bytes.data + at;

		codec_put32(p + 8, (uint32_t)(capacity - at - LOG_RECORD_HEADER));
		p[12] = LOG_DATA;
		p[14] = (uint8_t)(at >> 5);
		p[15] = (uint8_t)(at >> 13);
		codec_put64(p + 16, 4);
		codec_put64(p + 24, at);
	}
	logkit_spill(&f.k, logkit_wal(&f.k, 1), buf_slice(&bytes));
	assert_int_equal(judge(&f, 1, 1), 0);
	assert_true(logkit_saw(&f.seen, 1, 3));
	buf_fini(&bytes);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judge__no_segments_no_log),
		cmocka_unit_test(test_judge__empty_segment_ends_at_its_first_page),
		cmocka_unit_test(test_judge__walks_from_seal_to_next),
		cmocka_unit_test(test_judge__sealed_end_stays_the_end_before_empty_segments),
		cmocka_unit_test(test_judge__nothing_behind_a_seal_matters),
		cmocka_unit_test(test_judge__what_later_records_testify_is_damage),
		cmocka_unit_test(test_judge__rest_of_a_torn_group_is_no_testimony),
		cmocka_unit_test(test_judge__mark_testifies_of_the_last_group),
		cmocka_unit_test(test_judge__testimony_is_found_at_every_step),
		cmocka_unit_test(test_judge__unsealed_before_empty_segments_is_torn),
		cmocka_unit_test(test_judge__unsealed_before_records_is_damage),
		cmocka_unit_test(test_judge__any_record_of_a_later_segment_testifies),
		cmocka_unit_test(test_judge__damaged_seal_before_records_is_damage),
		cmocka_unit_test(test_judge__records_of_another_life_do_not_testify),
		cmocka_unit_test(test_judge__torn_first_group_is_no_record),
		cmocka_unit_test(test_judge__gap_in_the_numbers_is_damage),
		cmocka_unit_test(test_judge__file_of_another_number_is_damage),
		cmocka_unit_test(test_judge__bad_header_is_damage_anywhere),
		cmocka_unit_test(test_judge__versions_follow_each_other),
		cmocka_unit_test(test_judge__versions_follow_across_segments),
		cmocka_unit_test(test_judge__seal_must_agree),
		cmocka_unit_test(test_judge__manifest_is_one_file_of_any_number),
		cmocka_unit_test(test_judge__what_apply_returns_comes_back),
		cmocka_unit_test(test_judge__any_failing_call_is_a_failure),
		cmocka_unit_test(test_judge__no_memory_is_a_code),
		cmocka_unit_test(test_judge__every_flipped_bit),
		cmocka_unit_test(test_judge__stored_headers_do_not_slow_the_scan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
