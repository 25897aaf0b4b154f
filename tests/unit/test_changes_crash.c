/* SPDX-License-Identifier: Apache-2.0 */
/* test_changes_crash.c - what is given of the changes after closes and crashes, behind an ingest, of damaged logs, and where something fails. */
#include "lib/changekit.h"

#include <inttypes.h>

#include "base/buf.h"
#include "base/mem.h"
#include "db/db.h"
#include "log/segment.h"

/* ---- over openings and crashes ------------------------------------------------------------------------------------------------ */

static void test_changes__go_on_over_a_clean_end(void **state)
{
	struct dbkit k;

	(void)state;
	changekit_init(&k);
	k.opts.change_log_size = 16 * CHANGEKIT_SEGMENT;
	assert_int_equal(dbkit_open(&k), 0);
	changekit_write(&k, 20, 2000);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(dbkit_close(&k), 0);
		assert_int_equal(dbkit_open(&k), 0);
		assert_int_equal(changekit_oldest(&k), 0);
		changekit_write(&k, 3, 100);
		changekit_expect_all(&k, 0, 23);
	}
	assert_int_equal(silt_flush(k.db), 0);
	assert_int_equal(dbkit_close(&k), 0);
	assert_int_equal(dbkit_open(&k), 0);      /* nothing is replayed: all of it is there for this alone */
	changekit_expect_all(&k, 0, 29);
	changekit_expect_all(&k, 29, 0);
	dbkit_fini(&k);
}

static void test_changes__go_on_over_a_crash(void **state)
{
	silt_changes *c = NULL;
	uint64_t before, after;
	char want[128];
	struct dbkit k;

	(void)state;
	changekit_init(&k);
	k.opts.change_log_size = 16 * CHANGEKIT_SEGMENT;
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "a", "1"), 0);
	assert_int_equal(silt_flush(k.db), 0);
	assert_int_equal(dbkit_put(&k, "b", "2"), 0);
	before = changekit_newest(&k);
	dbkit_crash(&k, SIM_LOSE_ALL, 1);
	assert_int_equal(dbkit_open(&k), 0);
	after = changekit_newest(&k);
	assert_true(after > before + 1000);       /* versions leap */
	assert_string_equal(changekit_since(&k, 0), "1+a=1 2+b=2 ");
	assert_string_equal(changekit_since(&k, before), "");
	assert_int_equal(silt_changes_new(k.db, before, &c), 0);
	assert_string_equal(changekit_read(c), "");
	assert_int_equal(silt_changes_version(c), after);
	assert_int_equal(dbkit_put(&k, "c", "3"), 0);
	snprintf(want, sizeof(want), "%" PRIu64 "+c=3 ", after + 1);
	assert_string_equal(changekit_read(c), want);
	silt_changes_close(c);
	assert_string_equal(changekit_since(&k, before + 500), want);     /* never given: within the leap */
	for (int i = 0; i < 2; i++) {             /* and from a log that was written before */
		assert_int_equal(dbkit_close(&k), 0);
		assert_int_equal(dbkit_open(&k), 0);
		assert_string_equal(changekit_since(&k, before), want);
		assert_string_equal(changekit_since(&k, before + 500), want);
		assert_string_equal(changekit_since(&k, after), want);
	}
	dbkit_fini(&k);
}

/* A copy that is older than its store: whoever saw more of that store than is in the copy must not be told that it goes on from there. */
static void test_changes__end_where_the_versions_were_raised(void **state)
{
	const uint64_t first = 5000000;
	silt_changes *c = NULL;
	struct dbkit k;

	(void)state;
	changekit_init(&k);
	k.opts.change_log_size = 16 * CHANGEKIT_SEGMENT;
	assert_int_equal(dbkit_open(&k), 0);
	changekit_write(&k, 20, 100);
	for (int flushed = 0; flushed < 2; flushed++) {
		k.opts.first_version = first * (uint64_t)(flushed + 1);
		if (flushed)
			assert_int_equal(silt_flush(k.db), 0);
		for (int again = 0; again < 3; again++) {         /* raised; asked for again; not asked for */
			assert_int_equal(dbkit_close(&k), 0);
			assert_int_equal(dbkit_open(&k), 0);
			assert_int_equal(changekit_oldest(&k), first * (uint64_t)(flushed + 1) - 1);
			assert_int_equal(changekit_newest(&k), first * (uint64_t)(flushed + 1) - 1 + 20 * (uint64_t)again);
			assert_int_equal(silt_changes_new(k.db, 20, &c), SILT_E_EXPIRED);
			assert_int_equal(silt_changes_new(k.db, first / 2, &c), SILT_E_EXPIRED);
			assert_string_equal(dbkit_get(&k, "raised") ? dbkit_get(&k, "raised") : "none", flushed ? "yes" : "none");
			changekit_write(&k, 20, 100);
			changekit_expect_all(&k, first * (uint64_t)(flushed + 1) - 1, 20 * (uint64_t)(again + 1));
			k.opts.first_version = again ? 0 : 7;
		}
		assert_int_equal(dbkit_put(&k, "raised", "yes"), 0);
	}
	assert_int_equal(k.last_error[0], '\0');
	dbkit_fini(&k);
}

/* Crash after crash, a flush at one time, none at another: what was acknowledged comes in order, each once. */
static void test_changes__equal_what_was_written_over_many_crashes(void **state)
{
	static const enum simdisk_policy policies[] = { SIM_LOSE_ALL, SIM_MIXED, SIM_KEEP_ALL };
	uint64_t versions[200], n = 0, at = 0;
	silt_changes *c = NULL;
	struct silt_change ch;
	char text[32];
	struct dbkit k;

	(void)state;
	changekit_init(&k);
	k.opts.change_log_size = 64 * CHANGEKIT_SEGMENT;
	for (unsigned round = 0; round < 20; round++) {
		assert_int_equal(dbkit_open(&k), 0);
		for (unsigned i = 0; i < 10; i++, n++) {
			snprintf(text, sizeof(text), "%" PRIu64, n);
			assert_int_equal(silt_put(k.db, STR("k"), STR(text), &versions[n]), 0);
			if (round % 3 == 1 && i == 4)
				assert_int_equal(silt_flush(k.db), 0);
		}
		if (round % 4 == 3)
			assert_int_equal(dbkit_close(&k), 0);
		else
			dbkit_crash(&k, policies[round % 3], round + 1);
	}
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(silt_changes_new(k.db, 0, &c), 0);
	for (; silt_changes_next(c, &ch) == 0; at++) {
		assert_true(at < n);
		assert_int_equal(ch.version, versions[at]);
		snprintf(text, sizeof(text), "%" PRIu64, at);
		assert_int_equal(ch.value.len, strlen(text));
		assert_memory_equal(ch.value.data, text, ch.value.len);
	}
	assert_int_equal(at, n);
	silt_changes_close(c);
	dbkit_fini(&k);
}

/* ---- what no log has ----------------------------------------------------------------------------------------------------------- */

static uint64_t changes_ingest(struct dbkit *k, const char *key)
{
	silt_ingest *in = NULL;
	uint64_t version;

	assert_int_equal(silt_ingest_begin(k->db, &in), 0);
	assert_int_equal(silt_ingest_add(in, STR(key), STR("from afar"), NULL), 0);
	assert_int_equal(silt_ingest_commit(in, &version), 0);
	silt_ingest_end(in);
	return version;
}

/* No reader goes past it as if there were nothing, also none that begins in the log of an earlier opening. */
static void test_changes__end_before_what_was_ingested(void **state)
{
	silt_changes *reading = NULL, *resting = NULL, *c = NULL;
	struct silt_change ch;
	uint64_t version;
	char want[64];
	struct dbkit k;

	(void)state;
	changekit_init(&k);
	k.opts.change_log_size = 64 * CHANGEKIT_SEGMENT;
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "a", "1"), 0);
	assert_int_equal(dbkit_put(&k, "b", "2"), 0);
	assert_int_equal(silt_changes_new(k.db, 0, &reading), 0);
	assert_int_equal(silt_changes_next(reading, &ch), 0);
	assert_int_equal(silt_changes_new(k.db, 1, &resting), 0);
	assert_string_equal(changekit_read(resting), "2+b=2 ");
	version = changes_ingest(&k, "z");
	assert_int_equal(version, 3);
	assert_int_equal(changekit_oldest(&k), 3);
	assert_int_equal(changekit_newest(&k), 3);
	assert_int_equal(silt_changes_wait(k.db, 2, 0), 0);
	assert_int_equal(silt_changes_next(reading, &ch), 0);
	assert_int_equal(ch.version, 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(silt_changes_next(reading, &ch), SILT_E_EXPIRED);
		assert_int_equal(silt_changes_next(resting, &ch), SILT_E_EXPIRED);
		assert_int_equal(silt_changes_new(k.db, 2, &c), SILT_E_EXPIRED);
	}
	silt_changes_close(reading);
	silt_changes_close(resting);
	assert_string_equal(changekit_since(&k, 3), "");
	assert_int_equal(changes_ingest(&k, "y"), 4);             /* with nothing between */
	assert_int_equal(silt_changes_new(k.db, 3, &c), SILT_E_EXPIRED);
	assert_int_equal(dbkit_put(&k, "c", "5"), 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(changekit_oldest(&k), 4);
		assert_string_equal(changekit_since(&k, 4), "5+c=5 ");
		assert_int_equal(silt_changes_new(k.db, 3, &c), SILT_E_EXPIRED);
		if (i < 2)
			assert_int_equal(dbkit_close(&k), 0);
		else
			dbkit_crash(&k, SIM_LOSE_ALL, 1);
		assert_int_equal(dbkit_open(&k), 0);
	}
	version = changes_ingest(&k, "x");                        /* behind the SKIP of an opening */
	assert_int_equal(changekit_oldest(&k), version);
	dbkit_crash(&k, SIM_LOSE_ALL, 1);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(changekit_oldest(&k), version);
	assert_int_equal(silt_changes_new(k.db, version - 1, &c), SILT_E_EXPIRED);
	assert_int_equal(silt_put(k.db, STR("d"), STR("6"), &version), 0);
	snprintf(want, sizeof(want), "%" PRIu64 "+d=6 ", version);
	assert_string_equal(changekit_since(&k, changekit_oldest(&k)), want);
	assert_string_equal(dbkit_get(&k, "x"), "from afar");
	dbkit_fini(&k);
}

/* ---- damage ------------------------------------------------------------------------------------------------------------------- */

/* Six flushed segments, 1 to 6, all kept; closed. */
static void changes_kept_store(struct dbkit *k)
{
	changekit_init(k);
	k->opts.change_log_size = 64 * CHANGEKIT_SEGMENT;
	assert_int_equal(dbkit_open(k), 0);
	for (int i = 0; i < 6; i++)
		changekit_segment(k);
	assert_int_equal(changekit_oldest(k), 0);
	assert_int_equal(dbkit_close(k), 0);
}

static void test_changes__a_kept_segment_never_hinders_an_opening(void **state)
{
	for (int how = 0; how < 5; how++) {
		silt_changes *c = NULL;
		struct dbkit k;

		(void)state;
		changes_kept_store(&k);
		switch (how) {
		case 0:
			dbkit_unlink(&k, "db/000003.wal");
			break;
		case 1:
			assert_int_equal(simdisk_flip(k.disk, "db/000003.wal", 20, 1), 0);        /* header */
			break;
		case 2:
			assert_int_equal(simdisk_flip(k.disk, "db/000003.wal", 4096 + 100, 1), 0);/* first record */
			break;
		case 3:
			assert_int_equal(simdisk_write_file(k.disk, "db/000003.wal", STR("")), 0);
			break;
		default: {
			struct silt_buf other = { 0 };    /* another segment's bytes */

			assert_int_equal(simdisk_read_file(k.disk, "db/000005.wal", &other), 0);
			assert_int_equal(simdisk_write_file(k.disk, "db/000003.wal", buf_slice(&other)), 0);
			silt_buf_free(&other);
		}
		}
		assert_int_equal(dbkit_open(&k), 0);
		assert_int_equal(k.last_error[0], '\0');
		assert_int_equal(dbkit_logged(&k, "000003.wal: can't be read"), how != 0);
		assert_int_equal(changekit_oldest(&k), 60);
		assert_int_equal(silt_changes_new(k.db, 59, &c), SILT_E_EXPIRED);
		changekit_expect_all(&k, 60, 60);
		assert_false(dbkit_exists(&k, "db/000002.wal"));  /* of no use any more */
		changekit_segment(&k);
		changekit_expect_all(&k, 60, 80);
		dbkit_fini(&k);
	}
}

/* Damage that only a reader meets: a failure to it, and for later ones the reach ends; the store lives on. */
static void test_changes__damage_within_a_segment_ends_the_reach(void **state)
{
	silt_changes *c = NULL, *before = NULL;
	struct silt_change ch;
	uint64_t n = 0;
	struct dbkit k;
	int rc;

	(void)state;
	changes_kept_store(&k);
	assert_int_equal(simdisk_flip(k.disk, "db/000003.wal", 4096 + 5 * 2080 + 300, 1), 0);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(changekit_oldest(&k), 0);
	assert_int_equal(silt_changes_new(k.db, 0, &before), 0);
	assert_int_equal(silt_changes_next(before, &ch), 0);
	assert_int_equal(silt_changes_new(k.db, 0, &c), 0);
	while ((rc = silt_changes_next(c, &ch)) == 0)
		assert_int_equal(ch.version, ++n);
	assert_int_equal(rc, SILT_E_CORRUPT);
	assert_true(n >= 40 && n < 60);
	assert_non_null(strstr(k.last_error, "db/000003.wal: offset "));
	assert_int_equal(silt_changes_next(c, &ch), SILT_E_CORRUPT);
	silt_changes_close(c);
	assert_int_equal(changekit_oldest(&k), 60);
	assert_int_equal(silt_changes_new(k.db, n, &c), SILT_E_EXPIRED);
	while ((rc = silt_changes_next(before, &ch)) == 0)
		;
	assert_true(rc == SILT_E_EXPIRED || rc == SILT_E_CORRUPT);
	silt_changes_close(before);
	changekit_expect_all(&k, 60, 60);
	assert_string_equal(dbkit_get(&k, "key1") ? "there" : "lost", "there");
	assert_int_equal(dbkit_put(&k, "a", "1"), 0);
	dbkit_fini(&k);
}

/* Whole records, whole segments, and yet some are missing in between. */
static void test_changes__a_hole_in_the_versions_is_damage(void **state)
{
	silt_changes *c = NULL;
	struct log_writer *w = NULL;
	struct os_file *file = NULL;
	struct silt_change ch;
	struct log_header h;
	uint64_t n = 0;
	struct dbkit k;
	int rc;

	(void)state;
	changes_kept_store(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(segment_create(&k.db->env, LOG_WAL, "db/000003.wal", 3, CHANGEKIT_SEGMENT, &h, &file), 0);
	assert_int_equal(log_writer_new(&k.db->env, "db/000003.wal", &h, file, LOG_PAGE, LOG_PAGE, &w), 0);
	assert_int_equal(log_writer_reserve(w, 10, 200), 0);
	for (uint64_t v = 41; v <= 50; v++)
		log_writer_add(w, LOG_DATA, 0, v, (struct silt_slice){ "\1\2\1a", 4 });  /* deletes a */
	assert_int_equal(log_writer_append(w), 0);
	assert_int_equal(log_writer_seal(w, 50, 0), 0);
	log_writer_free(w);
	assert_int_equal(silt_changes_new(k.db, 0, &c), 0);
	while ((rc = silt_changes_next(c, &ch)) == 0)
		assert_int_equal(ch.version, ++n);
	assert_int_equal(rc, SILT_E_CORRUPT);
	assert_int_equal(n, 50);
	assert_non_null(strstr(k.last_error, "db/000004.wal: offset "));
	assert_int_equal(changekit_oldest(&k), 80);
	silt_changes_close(c);
	dbkit_fini(&k);
}

static void test_changes__a_segment_removed_under_an_open_store_is_said(void **state)
{
	silt_changes *c = NULL;
	struct silt_change ch;
	struct dbkit k;

	(void)state;
	changes_kept_store(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(silt_changes_new(k.db, 0, &c), 0);
	dbkit_unlink(&k, "db/000001.wal");
	assert_int_equal(silt_changes_next(c, &ch), SILT_E_CORRUPT);
	assert_non_null(strstr(k.last_error, "db/000001.wal: missing"));
	silt_changes_close(c);
	changekit_expect_all(&k, changekit_oldest(&k), 80);
	dbkit_fini(&k);
}

/* A torn manifest sends orphans to quarantine; what is kept is none. */
static void test_changes__a_torn_manifest_leaves_what_is_kept(void **state)
{
	struct silt_buf bytes = { 0 };
	size_t end;
	struct dbkit k;

	(void)state;
	changes_kept_store(&k);
	assert_int_equal(simdisk_read_file(k.disk, "db/MANIFEST", &bytes), 0);
	for (end = bytes.len; end > 0 && ((uint8_t *)bytes.data)[end - 1] == 0; end--)
		;
	assert_int_equal(simdisk_flip(k.disk, "db/MANIFEST", (end + 7) / 8 * 8 + 16, 0x41), 0);
	silt_buf_free(&bytes);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(changekit_oldest(&k), 0);
	changekit_expect_all(&k, 0, 120);
	dbkit_fini(&k);
}

/* ---- failures ------------------------------------------------------------------------------------------------------------------ */

/* Reads all; asks again where memory or the disk failed. How often that was. */
static unsigned changes_read_failing(struct dbkit *k, uint64_t want)
{
	silt_changes *c = NULL;
	struct silt_change ch;
	unsigned failures = 0;
	uint64_t n = 0;
	int rc;

	while ((rc = silt_changes_new(k->db, 0, &c)) == SILT_E_NOMEM)
		failures++;
	assert_int_equal(rc, 0);
	while ((rc = silt_changes_next(c, &ch)) != SILT_END) {
		if (rc == 0) {
			assert_int_equal(ch.version, ++n);
			continue;
		}
		assert_true(rc == SILT_E_NOMEM || rc == SILT_E_IO);
		failures++;
	}
	assert_int_equal(n, want);
	silt_changes_close(c);
	return failures;
}

static void test_changes__any_failing_allocation_or_call_passes(void **state)
{
	static const enum simdisk_call calls[] = { SIM_OPEN, SIM_READ, SIM_SIZE, SIM_CLOSE };
	struct dbkit k;
	unsigned seen;

	(void)state;
	changes_kept_store(&k);
	assert_int_equal(dbkit_open(&k), 0);
	for (uint64_t n = 1; n < 40; n++) {
		mem_fail_at(n, false);
		seen = changes_read_failing(&k, 120);
		mem_fail_at(0, false);
		assert_true(seen <= 1);       /* the store's own threads may have met it */
	}
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		for (uint64_t n = 1; n < 30; n++) {
			simdisk_fail_at(k.disk, calls[i], n, SILT_E_IO, false);
			seen = changes_read_failing(&k, 120);
			simdisk_fail_at(k.disk, calls[i], 0, 0, false);
			assert_true(seen <= 1);
		}
	}
	assert_int_equal(changekit_oldest(&k), 0);  /* none of it was taken for damage */
	dbkit_fini(&k);
}

/* Writes stopped by a fault: what was published before stays readable, and nothing else is shown. */
static void test_changes__after_a_fault_what_was_published_is_given(void **state)
{
	struct dbkit k;

	(void)state;
	changekit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "a", "1"), 0);
	dbkit_settle(&k);
	simdisk_fail_at(k.disk, SIM_DATASYNC, 1, SILT_E_IO, false);
	assert_int_equal(dbkit_put(&k, "b", "2"), SILT_E_IO);
	assert_int_equal(dbkit_put(&k, "c", "3"), SILT_E_FAULT);
	assert_string_equal(changekit_since(&k, 0), "1+a=1 ");
	assert_int_equal(changekit_newest(&k), 1);
	dbkit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes__go_on_over_a_clean_end),
		cmocka_unit_test(test_changes__go_on_over_a_crash),
		cmocka_unit_test(test_changes__end_where_the_versions_were_raised),
		cmocka_unit_test(test_changes__equal_what_was_written_over_many_crashes),
		cmocka_unit_test(test_changes__end_before_what_was_ingested),
		cmocka_unit_test(test_changes__a_kept_segment_never_hinders_an_opening),
		cmocka_unit_test(test_changes__damage_within_a_segment_ends_the_reach),
		cmocka_unit_test(test_changes__a_hole_in_the_versions_is_damage),
		cmocka_unit_test(test_changes__a_segment_removed_under_an_open_store_is_said),
		cmocka_unit_test(test_changes__a_torn_manifest_leaves_what_is_kept),
		cmocka_unit_test(test_changes__any_failing_allocation_or_call_passes),
		cmocka_unit_test(test_changes__after_a_fault_what_was_published_is_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
