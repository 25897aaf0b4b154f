/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_log_recover.c - the end of recovery: what was replayed is on the disk afterwards, even where only the page cache had it;
 * and the whole life of a log against a naive twin, with crashes at every sync point.
 */
#include "lib/test.h"

#include "base/buf.h"
#include "base/mem.h"
#include "lib/logkit.h"
#include "log/reader.h"
#include "log/recover.h"

enum { CAPACITY = 4 * LOG_PAGE };

static int recover(struct logkit *k, const struct log_end *end)
{
	return log_recover_end(&k->env, logkit_wal(k, end->number), end);
}

/* Segment 1: versions 1..5 synced, 6..9 appended in two groups and not synced. */
static void write_torn(struct logkit *k)
{
	struct log_writer *w = logkit_create(k, 1, CAPACITY);

	logkit_group(w, 1, 5);
	assert_int_equal(log_writer_sync(w), 0);
	logkit_group(w, 6, 7);
	logkit_group(w, 8, 9);
	log_writer_free(w);
}

static void check_sealed(struct logkit *k, uint64_t from, uint64_t to)
{
	struct logkit_seen seen;

	assert_int_equal(logkit_judge(k, 1, 1, &seen), 0);
	assert_true(logkit_saw(&seen, from, to));
	assert_true(seen.end.sealed);
	assert_false(seen.end.clean);
	assert_int_equal(seen.end.last_version, to);
}

static void check_killed_process(struct logkit *k)
{
	struct logkit_seen seen;

	write_torn(k);
	assert_int_equal(logkit_judge(k, 1, 1, &seen), 0);
	assert_true(logkit_saw(&seen, 1, 9));
	assert_false(seen.end.sealed);
	assert_int_equal(recover(k, &seen.end), 0);
	check_sealed(k, 1, 9);
	assert_int_equal(k->reports, 0);
}

static void test_log_recover__seals_what_a_killed_process_left(void **state)
{
	struct simdisk *disk = simdisk_new(1);
	struct logkit k;

	(void)state;
	logkit_init(&k, disk);
	check_killed_process(&k);
	simdisk_crash(disk, SIM_LOSE_ALL, 1);
	logkit_on(&k, disk);
	check_sealed(&k, 1, 9);
	simdisk_free(disk);
	logkit_init(&k, NULL);
	check_killed_process(&k);
	logkit_fini(&k);
}

static void test_log_recover__seals_an_empty_segment(void **state)
{
	struct simdisk *disk = simdisk_new(1);
	struct logkit_seen seen;
	struct log_writer *w;
	struct logkit k;

	(void)state;
	logkit_init(&k, disk);
	log_writer_free(logkit_create(&k, 1, CAPACITY));
	assert_int_equal(logkit_judge(&k, 1, 1, &seen), 0);
	assert_int_equal(recover(&k, &seen.end), 0);
	check_sealed(&k, 1, 0);
	w = logkit_create(&k, 2, CAPACITY);        /* a SEAL that knows no version stands before any */
	logkit_group(w, 501, 502);
	log_writer_free(w);
	assert_int_equal(logkit_judge(&k, 1, 2, &seen), 0);
	assert_true(logkit_saw(&seen, 501, 502));
	simdisk_free(disk);
}

/* Of a torn group the first record is lost, and what follows it stands just where the SEAL ends. */
static void test_log_recover__seal_hides_the_rest_of_a_torn_group(void **state)
{
	struct simdisk *disk = simdisk_new(1);
	struct logkit_seen seen;
	struct log_writer *w;
	struct logkit k;
	uint64_t at;

	(void)state;
	logkit_init(&k, disk);
	w = logkit_create(&k, 1, CAPACITY);
	logkit_group(w, 1, 5);
	at = log_writer_end(w);
	assert_int_equal(log_writer_reserve(w, 1, 0), 0);
	log_writer_add(w, LOG_SKIP, 0, 5, slice_of(NULL, 0));
	logkit_group(w, 6, 7);
	log_writer_free(w);
	logkit_flip(&k, logkit_wal(&k, 1), at, 1);
	assert_int_equal(logkit_judge(&k, 1, 1, &seen), 0);
	assert_int_equal(seen.end.offset, at);
	assert_int_equal(recover(&k, &seen.end), 0);
	check_sealed(&k, 1, 5);
	simdisk_free(disk);
}

/* ---- the page cache is not to be believed ---- */

/* While `on`, reads of the disk give the bytes of `cache` instead: pages marked clean that never reached the disk. */
static struct lying_cache {
	bool on;
	struct silt_buf cache;
	int (*read)(silt_os *os, struct os_file *f, uint64_t offset, void *buf, size_t n, size_t *got);
} lying;

static int lying_read(silt_os *os, struct os_file *f, uint64_t offset, void *buf, size_t n, size_t *got)
{
	int rc = lying.read(os, f, offset, buf, n, got);

	if (rc == 0 && lying.on && *got)
		memcpy(buf, (char *)lying.cache.data + offset, *got);
	return rc;
}

/* A log of which the disk has versions 1..5, and the cache 1..9 (and a SEAL, where asked for). */
static void begin_lying(struct simdisk *disk, struct logkit *k, bool sealed)
{
	logkit_init(k, disk);
	if (sealed) {
		struct log_writer *w = logkit_create(k, 1, CAPACITY);

		logkit_group(w, 1, 5);
		assert_int_equal(log_writer_sync(w), 0);
		logkit_group(w, 6, 9);
		simdisk_fail_at(disk, SIM_DATASYNC, 1, SILT_E_IO, false);
		assert_int_equal(log_writer_seal(w, 9, 0), SILT_E_IO);
		log_writer_free(w);
	} else {
		write_torn(k);
	}
	lying.cache = (struct silt_buf){ 0 };
	logkit_slurp(k, logkit_wal(k, 1), &lying.cache);
	simdisk_crash(disk, SIM_LOSE_ALL, 1);
	logkit_on(k, disk);
	lying.read = k->env.os->read;
	lying.on = true;
	k->env.os->read = lying_read;
}

static void end_lying(struct simdisk *disk)
{
	buf_fini(&lying.cache);
	simdisk_free(disk);
}

/* (!) Without writing again in place, 6..9 would be replayed, built upon, and gone. */
static void test_log_recover__what_only_the_cache_had_is_durable_after(void **state)
{
	(void)state;
	for (int sealed = 0; sealed < 2; sealed++) {
		struct simdisk *disk = simdisk_new(1);
		struct logkit_seen seen;
		struct logkit k;

		begin_lying(disk, &k, sealed);
		assert_int_equal(logkit_judge(&k, 1, 1, &seen), 0);
		assert_true(logkit_saw(&seen, 1, 9));
		assert_int_equal(seen.end.sealed, sealed);
		assert_int_equal(recover(&k, &seen.end), 0);
		lying.on = false;
		simdisk_crash(disk, SIM_LOSE_ALL, 1);
		logkit_on(&k, disk);
		check_sealed(&k, 1, 9);
		end_lying(disk);
	}
}

/* Rule 1: between judging and now the cache dropped its pages. The disk's bytes must not be sealed as if they had been replayed. */
static void test_log_recover__refuses_what_has_changed(void **state)
{
	(void)state;
	for (int sealed = 0; sealed < 2; sealed++) {
		struct simdisk *disk = simdisk_new(1);
		struct logkit_seen seen;
		struct logkit k;

		begin_lying(disk, &k, sealed);
		assert_int_equal(logkit_judge(&k, 1, 1, &seen), 0);
		lying.on = false;
		assert_int_equal(recover(&k, &seen.end), SILT_E_CORRUPT);
		assert_non_null(strstr(k.message, "000001.wal: offset"));
		assert_int_equal(logkit_judge(&k, 1, 1, &seen), 0);
		assert_true(logkit_saw(&seen, 1, 5));
		assert_false(seen.end.sealed);
		end_lying(disk);
	}
}

static void test_log_recover__refuses_another_segment(void **state)
{
	struct logkit_seen seen;
	struct logkit k;

	(void)state;
	logkit_init(&k, NULL);
	write_torn(&k);
	assert_int_equal(logkit_judge(&k, 1, 1, &seen), 0);
	log_writer_free(logkit_create(&k, 2, CAPACITY));
	assert_int_equal(log_recover_end(&k.env, logkit_wal(&k, 2), &seen.end), SILT_E_CORRUPT);
	assert_int_equal(log_recover_end(&k.env, logkit_wal(&k, 3), &seen.end), SILT_E_CORRUPT);
	logkit_fini(&k);
}

/* Rule 2: the SEAL must not testify of what it is synced together with. */
static void test_log_recover__seal_claims_no_more_than_before(void **state)
{
	struct logkit_seen seen;
	struct log_header h;
	struct log_record r;
	struct log_reader *reader;
	struct os_file *file;
	struct logkit k;

	(void)state;
	logkit_init(&k, NULL);
	write_torn(&k);
	assert_int_equal(logkit_judge(&k, 1, 1, &seen), 0);
	assert_int_equal(recover(&k, &seen.end), 0);
	assert_int_equal(segment_open(&k.env, LOG_WAL, logkit_wal(&k, 1), false, &h, &file), 0);
	assert_int_equal(log_reader_new(&k.env, "1", &h, file, &reader), 0);
	log_reader_seek(reader, seen.end.offset);
	assert_int_equal(log_reader_next(reader, &r), 0);
	assert_int_equal(r.kind, LOG_SEAL);
	assert_int_equal(r.flags, 0);
	assert_int_equal(r.version, 9);
	assert_int_equal(r.synced_to, seen.end.synced_to);
	log_reader_free(reader);
	assert_int_equal(k.env.os->close(k.env.os, file), 0);
	logkit_fini(&k);
}

static void check_recoverable(void *arg, enum simdisk_call kind, const char *path, bool before)
{
	struct simdisk *disk = arg;

	(void)kind;
	(void)path;
	(void)before;
	for (uint64_t i = 0; i < 200; i++) {
		struct simdisk *copy = simdisk_crash_copy(disk, SIM_MIXED, i + 1);
		struct logkit_seen seen;
		struct logkit k;

		logkit_on(&k, copy);
		if (logkit_judge(&k, 1, 1, &seen) != 0)
			fail_msg("a crash in recovery was taken for damage: %s", k.message);
		assert_true(seen.n >= 5 && seen.n <= 9);
		assert_true(logkit_saw(&seen, 1, seen.n));
		assert_int_equal(recover(&k, &seen.end), 0);
		check_sealed(&k, 1, seen.n);
		simdisk_free(copy);
	}
}

/* (!) A crash in the midst of it, any of its writes kept, lost or torn, is a torn tail once more and never damage. */
static void test_log_recover__can_itself_be_cut_short(void **state)
{
	struct simdisk *disk = simdisk_new(1);
	struct logkit_seen seen;
	struct logkit k;

	(void)state;
	logkit_init(&k, disk);
	write_torn(&k);
	assert_int_equal(logkit_judge(&k, 1, 1, &seen), 0);
	simdisk_on_sync(disk, check_recoverable, disk);
	assert_int_equal(recover(&k, &seen.end), 0);
	simdisk_on_sync(disk, NULL, NULL);
	simdisk_free(disk);
}

/* (!) If it fails, opening fails; and another try goes on from there. */
static void test_log_recover__any_failing_call_is_a_failure(void **state)
{
	bool done = false;

	(void)state;
	for (uint64_t n = 1; !done; n++) {
		struct simdisk *disk = simdisk_new(1);
		struct logkit_seen seen;
		struct logkit k;
		int rc;

		logkit_init(&k, disk);
		write_torn(&k);
		assert_int_equal(logkit_judge(&k, 1, 1, &seen), 0);
		simdisk_fail_at(disk, SIM_ANY, n, SILT_E_IO, true);
		rc = recover(&k, &seen.end);
		simdisk_fail_at(disk, SIM_ANY, 0, 0, false);
		done = rc == 0;
		if (!done) {
			assert_int_equal(rc, SILT_E_IO);
			assert_int_equal(k.reports, 1);
		}
		assert_int_equal(logkit_judge(&k, 1, 1, &seen), 0);
		assert_int_equal(recover(&k, &seen.end), 0);
		check_sealed(&k, 1, 9);
		simdisk_free(disk);
	}
}

static void test_log_recover__no_memory_is_a_code(void **state)
{
	struct logkit_seen seen;
	int rc = SILT_E_NOMEM;
	struct logkit k;

	(void)state;
	logkit_init(&k, NULL);
	write_torn(&k);
	assert_int_equal(logkit_judge(&k, 1, 1, &seen), 0);
	for (uint64_t n = 1; rc != 0; n++) {
		mem_fail_at(n, false);
		rc = recover(&k, &seen.end);
		mem_fail_at(0, false);
		assert_true(rc == 0 || rc == SILT_E_NOMEM);
	}
	check_sealed(&k, 1, 9);
	logkit_fini(&k);
}

static void test_log_recover__writes_large_tails_in_pieces(void **state)
{
	struct simdisk *disk = simdisk_new(1);
	struct logkit_seen seen;
	struct log_writer *w;
	struct logkit k;

	(void)state;
	logkit_init(&k, disk);
	w = logkit_create(&k, 1, 2 << 20);
	for (uint64_t v = 1; v <= 4000; v += 40)
		logkit_group(w, v, v + 39);
	logkit_group(w, 4001, 4001);
	for (uint64_t v = 4002; log_writer_fits(w, 1, 300) && v < 4090; v++)
		logkit_group(w, v, v);
	log_writer_free(w);
	assert_int_equal(logkit_judge(&k, 1, 1, &seen), 0);
	assert_int_equal(recover(&k, &seen.end), 0);
	simdisk_crash(disk, SIM_LOSE_ALL, 1);
	logkit_on(&k, disk);
	check_sealed(&k, 1, seen.end.last_version);
	simdisk_free(disk);
}

/* ---- the naive twin: a log's whole life ---- */

enum { TWIN_GIVEN = 4096, TWIN_JUMP = 1000, TWIN_SEGMENTS = 3, TWIN_CAPACITY = 3 * LOG_PAGE };

struct twin {
	struct simdisk *disk;
	struct logkit k;
	struct log_writer *w;
	uint64_t random;
	uint64_t first, number;           /* segments in use */
	uint64_t given[TWIN_GIVEN];       /* versions that were appended, in order, from segment `first` on */
	uint64_t in[TWIN_GIVEN];          /* and their segments */
	size_t n, acked;                  /* so many; so many of them synced */
	uint64_t last;                    /* the last version given, or skipped to */
	uint64_t crashes, rotations, recycles;
};

/* What a disk holds, against the twin: all that was acknowledged, and a prefix of what was given. */
static void twin_compare(const struct twin *t, struct logkit *k, struct logkit_seen *seen)
{
	uint64_t numbers[64];
	size_t n = 0;
	int rc;

	for (uint64_t number = t->first; number <= t->number + 3; number++)
		if (logkit_exists(k, logkit_wal(k, number)))
			numbers[n++] = number;
	assert_true(n > 0 && numbers[0] == t->first);
	rc = logkit_judge(k, t->first, numbers[n - 1], seen);
	if (rc != 0)
		fail_msg("segments %d to %d: %s", (int)t->first, (int)numbers[n - 1], k->message);
	assert_false(seen->wrong);
	if (seen->n < t->acked || seen->n > t->n)
		fail_msg("%zu versions where %zu were acknowledged and %zu given", seen->n, t->acked, t->n);
	for (size_t i = 0; i < seen->n; i++)
		assert_int_equal(seen->versions[i], t->given[i]);
}

static void twin_crash_copies(void *arg, enum simdisk_call kind, const char *path, bool before)
{
	static const enum simdisk_policy policies[] = { SIM_LOSE_ALL, SIM_KEEP_ALL, SIM_MIXED };
	struct twin *t = arg;

	(void)kind;
	(void)path;
	(void)before;
	for (size_t i = 0; i < 3; i++) {
		struct simdisk *copy = simdisk_crash_copy(t->disk, policies[i], test_random(&t->random));
		struct logkit_seen seen;
		struct logkit k;

		logkit_on(&k, copy);
		twin_compare(t, &k, &seen);
		simdisk_free(copy);
	}
}

static void twin_begin_segment(struct twin *t)
{
	t->w = logkit_create(&t->k, ++t->number, TWIN_CAPACITY);
}

/* Nobody needs the oldest segment any more (the manifest would have said so); returns its number. */
static uint64_t twin_forget_oldest(struct twin *t)
{
	uint64_t old = t->first++;
	size_t gone = 0;

	while (gone < t->n && t->in[gone] == old)
		gone++;
	memmove(t->given, t->given + gone, (t->n - gone) * sizeof(t->given[0]));
	memmove(t->in, t->in + gone, (t->n - gone) * sizeof(t->in[0]));
	t->n -= gone;
	t->acked -= gone;
	return old;
}

static void twin_recycle_segment(struct twin *t)
{
	uint64_t old = twin_forget_oldest(t);
	struct os_file *file;
	struct log_header h;

	t->number++;
	assert_int_equal(segment_recycle(&t->k.env, LOG_WAL, logkit_wal(&t->k, old), logkit_wal(&t->k, t->number), t->number,
	                                 TWIN_CAPACITY, &h, &file), 0);
	assert_int_equal(log_writer_new(&t->k.env, logkit_wal(&t->k, t->number), &h, file, LOG_PAGE, LOG_PAGE, &t->w), 0);
	t->recycles++;
}

static void twin_seal(struct twin *t, uint8_t flags)
{
	assert_int_equal(log_writer_seal(t->w, t->last, flags), 0);
	t->acked = t->n;
	log_writer_free(t->w);
	t->w = NULL;
}

static void twin_rotate(struct twin *t)
{
	twin_seal(t, 0);
	t->rotations++;
	if (t->number - t->first >= TWIN_SEGMENTS)
		twin_recycle_segment(t);
	else
		twin_begin_segment(t);
}

static void twin_append(struct twin *t)
{
	uint64_t count = 1 + test_random(&t->random) % 6;

	if (!log_writer_fits(t->w, count, count * 300))
		twin_rotate(t);
	for (uint64_t i = 0; i < count; i++) {
		logkit_add(t->w, ++t->last);
		t->in[t->n] = t->number;
		t->given[t->n++] = t->last;
	}
	assert_int_equal(log_writer_append(t->w), 0);
}

/* Opens what is left: judge, end of recovery, a new segment that begins with a SKIP. No version is ever given twice. */
static void twin_reopen(struct twin *t)
{
	uint64_t highest = t->last;
	struct logkit_seen seen;

	logkit_on(&t->k, t->disk);
	twin_compare(t, &t->k, &seen);
	assert_int_equal(recover(&t->k, &seen.end), 0);
	t->n = t->acked = seen.n;
	t->number = seen.end.number;
	t->last = seen.end.last_version + (seen.end.clean ? 0 : TWIN_JUMP);
	assert_true(t->last >= highest);
	twin_begin_segment(t);
	assert_int_equal(log_writer_reserve(t->w, 1, 0), 0);
	log_writer_add(t->w, LOG_SKIP, 0, t->last, slice_of(NULL, 0));
	assert_int_equal(log_writer_append(t->w), 0);
	assert_int_equal(log_writer_sync(t->w), 0);
	while (t->number - t->first >= TWIN_SEGMENTS)
		assert_int_equal(t->k.env.os->unlink(t->k.env.os, logkit_wal(&t->k, twin_forget_oldest(t))), 0);
	assert_int_equal(t->k.env.os->dirsync(t->k.env.os, "/db"), 0);
}

static void twin_crash(struct twin *t)
{
	enum simdisk_policy policy = (enum simdisk_policy)(test_random(&t->random) % 3);

	t->crashes++;
	log_writer_free(t->w);
	t->w = NULL;
	if (test_random(&t->random) % 4)           /* else the process alone dies */
		simdisk_crash(t->disk, policy, test_random(&t->random));
	twin_reopen(t);
}

static void twin_step(struct twin *t)
{
	uint64_t dice = test_random(&t->random) % 100;

	if (dice < 45) {
		twin_append(t);
	} else if (dice < 80) {
		assert_int_equal(log_writer_sync(t->w), 0);
		t->acked = t->n;
	} else if (dice < 90) {
		assert_int_equal(log_writer_mark(t->w, t->last), 0);
	} else if (dice < 94) {
		twin_rotate(t);
	} else if (dice < 96) {                    /* closed and opened in good order */
		twin_seal(t, LOG_SEAL_CLEAN);
		twin_reopen(t);
	} else if (dice < 97) {                    /* the next one stands ready */
		log_writer_free(logkit_create(&t->k, t->number + 1, TWIN_CAPACITY));
	} else {
		twin_crash(t);
	}
}

static void test_log_recover__agrees_with_a_naive_twin(void **state)
{
	uint64_t seed = test_seed(20240611);
	struct twin *t = mem_calloc(1, sizeof(*t));

	(void)state;
	assert_non_null(t);
	t->random = seed | 1;
	t->disk = simdisk_new(seed);
	logkit_init(&t->k, t->disk);
	t->first = 1;
	twin_begin_segment(t);
	simdisk_on_sync(t->disk, twin_crash_copies, t);
	for (unsigned i = 0; i < 800 * test_scale(); i++) {
		twin_step(t);
		assert_true(t->n + 16 < TWIN_GIVEN);
	}
	simdisk_on_sync(t->disk, NULL, NULL);
	assert_true(t->crashes > 0 && t->rotations > 0 && t->recycles > 0);
	log_writer_free(t->w);
	simdisk_free(t->disk);
	mem_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log_recover__seals_what_a_killed_process_left),
		cmocka_unit_test(test_log_recover__seals_an_empty_segment),
		cmocka_unit_test(test_log_recover__seal_hides_the_rest_of_a_torn_group),
		cmocka_unit_test(test_log_recover__what_only_the_cache_had_is_durable_after),
		cmocka_unit_test(test_log_recover__refuses_what_has_changed),
		cmocka_unit_test(test_log_recover__refuses_another_segment),
		cmocka_unit_test(test_log_recover__seal_claims_no_more_than_before),
		cmocka_unit_test(test_log_recover__can_itself_be_cut_short),
		cmocka_unit_test(test_log_recover__any_failing_call_is_a_failure),
		cmocka_unit_test(test_log_recover__no_memory_is_a_code),
		cmocka_unit_test(test_log_recover__writes_large_tails_in_pieces),
		cmocka_unit_test(test_log_recover__agrees_with_a_naive_twin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
