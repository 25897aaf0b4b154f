/* SPDX-License-Identifier: Apache-2.0 */
/* test_changes.c - what was written after a version, in order: beside writers, after crashes, from damaged logs, and never too much kept. */
#include "lib/test.h"

#include <inttypes.h>
#include <pthread.h>

#include "base/buf.h"
#include "base/mem.h"
#include "db/db.h"
#include "lib/dbkit.h"
#include "log/segment.h"

enum { SEGMENT = 256 << 10 };

/* A store whose segments end where the test says, by a flush. */
static void changes_init(struct dbkit *k)
{
	dbkit_init(k);
	k->opts.memtable_size = 1 << 20;
}

/* ---- a feed as text: "3+a=1 4-b 5+c=2,-d " is version 3 puts a, 4 deletes b, 5 does two things ------------------------------ */

static void changes_print(struct silt_buf *out, const struct silt_change *ch, bool first)
{
	char text[300];
	int n = first ? snprintf(text, sizeof(text), "%" PRIu64, ch->version) : 0;

	n += snprintf(text + n, sizeof(text) - (size_t)n, "%c%.*s", ch->op == SILT_CHANGE_PUT ? '+' : '-', (int)ch->key.len,
	              (const char *)ch->key.data);
	if (ch->op == SILT_CHANGE_PUT)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "=%.*s", (int)(ch->value.len < 40 ? ch->value.len : 40),
		              ch->value.len ? (const char *)ch->value.data : "");
	if (ch->expires_ms)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "@%" PRIu64, ch->expires_ms);
	if (ch->meta.len)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "[%.*s]", (int)ch->meta.len, (const char *)ch->meta.data);
	n += snprintf(text + n, sizeof(text) - (size_t)n, "%s", ch->last ? " " : ",");
	assert_int_equal(buf_append(out, text, (size_t)n), 0);
}

/* What there is now; in a buffer that the next call reuses. The reader must come to SILT_END. */
static const char *changes_read(silt_changes *c)
{
	static struct silt_buf out;
	struct silt_change ch;
	bool first = true;
	int rc;

	silt_buf_free(&out);
	while ((rc = silt_changes_next(c, &ch)) == 0) {
		changes_print(&out, &ch, first);
		first = ch.last;
	}
	assert_int_equal(rc, SILT_END);
	assert_true(first);
	assert_int_equal(buf_append(&out, "", 1), 0);
	return out.data;
}

static const char *changes_since(struct dbkit *k, uint64_t since)
{
	silt_changes *c = NULL;
	const char *text;

	assert_int_equal(silt_changes_new(k->db, since, &c), 0);
	text = changes_read(c);
	silt_changes_close(c);
	return text;
}

static uint64_t changes_oldest(struct dbkit *k)
{
	uint64_t oldest;

	silt_changes_reach(k->db, &oldest, NULL);
	return oldest;
}

static uint64_t changes_newest(struct dbkit *k)
{
	uint64_t newest;

	silt_changes_reach(k->db, NULL, &newest);
	return newest;
}

/* Every version from since + 1 to the newest, one put each whose value is its number; at least `least` of them. */
static void changes_expect_all(struct dbkit *k, uint64_t since, uint64_t least)
{
	uint64_t n = 0, version = since;
	silt_changes *c = NULL;
	struct silt_change ch;
	char text[32];
	int rc;

	rc = silt_changes_new(k->db, since, &c);
	while (rc == 0 && (rc = silt_changes_next(c, &ch)) == 0) {
		version++;
		assert_int_equal(ch.version, version);
		assert_true(ch.last && ch.op == SILT_CHANGE_PUT);
		snprintf(text, sizeof(text), "%" PRIu64 " ", version);
		assert_true(ch.value.len >= strlen(text));
		assert_memory_equal(ch.value.data, text, strlen(text));
		n++;
	}
	if (rc == SILT_E_EXPIRED && changes_oldest(k) > since) {  /* the broom came: what a flush let go of goes behind its answer */
		silt_changes_close(c);
		changes_expect_all(k, changes_oldest(k), least);
		return;
	}
	assert_int_equal(rc, SILT_END);
	assert_int_equal(version, changes_newest(k));
	assert_int_equal(silt_changes_version(c), version);
	assert_true(n >= least);
	silt_changes_close(c);
}

/* n puts, each with its version as the value's beginning and `size` bytes long. */
static void changes_write(struct dbkit *k, unsigned n, size_t size)
{
	char *value = mem_calloc(1, size + 1), key[32];
	uint64_t version = k->db->last_version, got;

	assert_non_null(value);
	for (unsigned i = 0; i < n; i++) {
		memset(value, '.', size);
		value[snprintf(value, size, "%" PRIu64 " ", ++version)] = '.';
		snprintf(key, sizeof(key), "key%u", (unsigned)(version % 50));
		assert_int_equal(silt_put(k->db, STR(key), (struct silt_slice){ value, size }, &got), 0);
		assert_int_equal(got, version);
	}
	mem_free(value);
}

/* A segment's worth, flushed. */
static void changes_segment(struct dbkit *k)
{
	changes_write(k, 20, 2000);
	assert_int_equal(silt_flush(k->db), 0);
}

static uint64_t changes_kept(struct dbkit *k)
{
	struct silt_stats s;

	silt_stats(k->db, &s);
	assert_true(s.changes_oldest <= changes_oldest(k));       /* one may be recycled between */
	assert_int_equal(s.changes_newest, changes_newest(k));
	return s.changes_bytes;
}

/* ---- what is given ---------------------------------------------------------------------------------------------------------- */

static void changes_write_batch(struct dbkit *k)
{
	struct silt_put_options o = { .expires_ms = UINT64_C(1) << 42, .meta = STR("text/plain") };
	silt_batch *b = NULL;

	assert_int_equal(silt_batch_new(&b), 0);
	assert_int_equal(silt_batch_put(b, STR("c"), STR("lost"), NULL, 0), 0);
	assert_int_equal(silt_batch_put(b, STR("d"), STR("4"), &o, 0), 0);
	assert_int_equal(silt_batch_delete(b, STR("a"), 0), 0);
	assert_int_equal(silt_batch_put(b, STR("c"), STR(""), NULL, 0), 0);       /* the last one wins */
	assert_int_equal(silt_write(k->db, b, 0, NULL), 0);
	silt_batch_free(b);
}

static void test_changes__are_given_in_commit_order_batches_whole(void **state)
{
	silt_changes *c = NULL;
	struct dbkit k;

	(void)state;
	changes_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_string_equal(changes_since(&k, 0), "");
	assert_int_equal(silt_changes_new(k.db, 0, &c), 0);
	assert_string_equal(changes_read(c), "");
	assert_int_equal(silt_changes_version(c), 0);
	assert_int_equal(dbkit_put(&k, "a", "1"), 0);
	assert_int_equal(dbkit_put(&k, "b", "2"), 0);
	assert_string_equal(changes_read(c), "1+a=1 2+b=2 ");
	assert_string_equal(changes_read(c), "");
	assert_int_equal(silt_changes_version(c), 2);
	changes_write_batch(&k);
	assert_int_equal(dbkit_delete(&k, "b"), 0);
	assert_string_equal(changes_read(c), "3+d=4@4398046511104[text/plain],-a,+c= 4-b ");
	assert_string_equal(changes_since(&k, 0), "1+a=1 2+b=2 3+d=4@4398046511104[text/plain],-a,+c= 4-b ");
	assert_string_equal(changes_since(&k, 3), "4-b ");
	assert_string_equal(changes_since(&k, 4), "");
	silt_changes_close(c);
	dbkit_fini(&k);
}

static void test_changes__misuse_is_refused(void **state)
{
	silt_changes *c = NULL;
	struct dbkit k;

	(void)state;
	changes_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "a", "1"), 0);
	assert_int_equal(silt_changes_new(NULL, 0, &c), SILT_E_MISUSE);
	assert_int_equal(silt_changes_new(k.db, 0, NULL), SILT_E_MISUSE);
	assert_int_equal(silt_changes_new(k.db, 2, &c), SILT_E_MISUSE);           /* the store has not got so far */
	assert_null(c);
	silt_changes_close(NULL);
	dbkit_fini(&k);
	changes_init(&k);
	k.opts.change_log_size = (UINT64_C(1) << 40) + 1;
	assert_int_equal(dbkit_open(&k), SILT_E_MISUSE);
	dbkit_fini(&k);
}

/* In the middle of a batch a reader's version is still the one before it. */
static void test_changes__the_version_moves_with_whole_batches(void **state)
{
	silt_changes *c = NULL;
	struct silt_change ch;
	struct dbkit k;

	(void)state;
	changes_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "a", "1"), 0);
	changes_write_batch(&k);
	assert_int_equal(silt_changes_new(k.db, 1, &c), 0);
	assert_int_equal(silt_changes_version(c), 1);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(silt_changes_next(c, &ch), 0);
		assert_int_equal(ch.version, 2);
		assert_int_equal(ch.last, i == 2);
		assert_int_equal(silt_changes_version(c), i == 2 ? 2 : 1);
	}
	silt_changes_close(c);
	assert_int_equal(silt_changes_new(k.db, 0, &c), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(silt_changes_next(c, &ch), 0);
	silt_changes_close(c);            /* within a batch, its segment held */
	dbkit_fini(&k);
}

static void test_changes__what_is_not_synced_is_not_shown(void **state)
{
	silt_changes *c = NULL;
	struct dbkit k;

	(void)state;
	changes_init(&k);
	k.opts.sync_interval_ms = 60000;
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "a", "1"), 0);
	assert_int_equal(dbkit_put_async(&k, "b", "2"), 0);
	assert_string_equal(changes_since(&k, 0), "1+a=1 ");
	assert_int_equal(silt_changes_new(k.db, 2, &c), 0);       /* published: its writer knows that version */
	assert_string_equal(changes_read(c), "");
	assert_int_equal(silt_changes_version(c), 2);
	assert_int_equal(silt_sync(k.db), 0);
	assert_string_equal(changes_since(&k, 0), "1+a=1 2+b=2 ");
	assert_string_equal(changes_read(c), "");
	assert_int_equal(dbkit_put_async(&k, "c", "3"), 0);
	assert_int_equal(dbkit_put(&k, "d", "4"), 0);             /* its sync covers both */
	assert_string_equal(changes_read(c), "3+c=3 4+d=4 ");
	silt_changes_close(c);
	dbkit_fini(&k);
}

/* Half of a segment in one value, and a store that is only read. */
static void test_changes__large_values_and_a_read_only_store(void **state)
{
	struct dbkit k;

	(void)state;
	changes_init(&k);
	k.opts.change_log_size = 64 * SEGMENT;
	assert_int_equal(dbkit_open(&k), 0);
	changes_write(&k, 12, SEGMENT / 2 - 200);
	changes_write(&k, 12, 100);
	changes_expect_all(&k, 0, 24);
	changes_expect_all(&k, 17, 7);
	assert_int_equal(dbkit_close(&k), 0);
	k.opts.read_only = true;
	assert_int_equal(dbkit_open(&k), 0);
	changes_expect_all(&k, changes_oldest(&k), 12);
	dbkit_fini(&k);
}

/* Places that were noted lead to the right record, whatever the version; also for a reader that rests at each. */
static void test_changes__a_reader_may_begin_after_any_version(void **state)
{
	silt_changes *c = NULL;
	char want[64];
	struct dbkit k;

	(void)state;
	changes_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(silt_changes_new(k.db, 0, &c), 0);
	for (uint64_t v = 1; v <= 240; v++) {
		changes_write(&k, 1, 900);
		if (v % 3)
			continue;
		snprintf(want, sizeof(want), "%" PRIu64 "+", v - 2);
		assert_memory_equal(changes_read(c), want, strlen(want));
	}
	silt_changes_close(c);
	assert_true(k.db->wal_link->place_count >= 3);
	for (uint64_t v = 0; v <= 240; v++)
		changes_expect_all(&k, v, 240 - v);
	dbkit_fini(&k);
}

/* ---- what is kept ----------------------------------------------------------------------------------------------------------- */

static void test_changes__without_a_change_log_what_is_there_is_given(void **state)
{
	silt_changes *c = NULL;
	struct dbkit k;

	(void)state;
	changes_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(changes_oldest(&k), 0);
	for (int i = 0; i < 6; i++)
		changes_segment(&k);
	assert_true(changes_oldest(&k) > 0);
	assert_int_equal(silt_changes_new(k.db, 0, &c), SILT_E_EXPIRED);
	assert_int_equal(silt_changes_new(k.db, changes_oldest(&k) - 1, &c), SILT_E_EXPIRED);
	changes_expect_all(&k, changes_oldest(&k), 0);
	changes_write(&k, 5, 100);
	changes_expect_all(&k, changes_oldest(&k), 5);
	assert_true(changes_kept(&k) <= SEGMENT);
	assert_true(dbkit_files(&k, "db", ".wal") <= 3);
	dbkit_fini(&k);
}

/* The promise both ways: no less than change_log_size in whole segments, no more than that and the one to recycle. */
static void test_changes__change_log_size_is_kept_to(void **state)
{
	uint64_t flushed_at[40], newest;
	struct dbkit k;

	(void)state;
	changes_init(&k);
	k.opts.change_log_size = 5 * SEGMENT + SEGMENT / 2;
	assert_int_equal(dbkit_open(&k), 0);
	for (int i = 0; i < 40; i++) {
		if (i % 13 == 12) {
			assert_int_equal(dbkit_close(&k), 0);
			assert_int_equal(dbkit_open(&k), 0);
		}
		flushed_at[i] = k.db->last_version;
		changes_segment(&k);
		assert_true(changes_kept(&k) <= 6 * SEGMENT);
		assert_true(dbkit_files(&k, "db", ".wal") <= 5 + 1 + 2);
		if (i >= 5)               /* an opening may have left a segment with nothing in it */
			assert_true(changes_oldest(&k) <= flushed_at[i - 3]);
		changes_expect_all(&k, changes_oldest(&k), i < 5 ? 20 * (unsigned)(i + 1) : 80);
	}
	newest = changes_newest(&k);
	assert_int_equal(dbkit_close(&k), 0);
	k.opts.change_log_size = SEGMENT;         /* less of it from now on */
	assert_int_equal(dbkit_open(&k), 0);
	assert_true(changes_kept(&k) <= 2 * SEGMENT);
	assert_true(dbkit_files(&k, "db", ".wal") <= 4);
	assert_true(changes_oldest(&k) <= newest);        /* what is left may be a segment with nothing in it */
	changes_expect_all(&k, changes_oldest(&k), 0);
	dbkit_fini(&k);
}

/* Beside a reader that stands still its segment is neither recycled nor its bytes lost; what comes after it may be gone. */
static void test_changes__a_slow_reader_ends_its_segment_and_has_expired(void **state)
{
	silt_changes *slow = NULL, *resting = NULL;
	struct silt_change ch;
	uint64_t n = 1;
	struct dbkit k;
	int rc;

	(void)state;
	changes_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	changes_write(&k, 20, 2000);
	assert_int_equal(silt_changes_new(k.db, 0, &slow), 0);
	assert_int_equal(silt_changes_new(k.db, 0, &resting), 0);
	assert_int_equal(silt_changes_next(slow, &ch), 0);
	(void)changes_read(resting);
	for (int i = 0; i < 12; i++)
		changes_segment(&k);
	for (; (rc = silt_changes_next(slow, &ch)) == 0; n++) {
		char text[32];

		assert_int_equal(ch.version, n + 1);
		snprintf(text, sizeof(text), "%" PRIu64 " ", ch.version);
		assert_memory_equal(ch.value.data, text, strlen(text));
	}
	assert_int_equal(rc, SILT_E_EXPIRED);
	assert_true(n >= 20 && n <= 60);
	assert_int_equal(silt_changes_version(slow), n);
	assert_int_equal(silt_changes_next(slow, &ch), SILT_E_EXPIRED);
	assert_int_equal(silt_changes_next(resting, &ch), SILT_E_EXPIRED);
	assert_int_equal(silt_changes_version(resting), 20);
	silt_changes_close(slow);
	silt_changes_close(resting);
	assert_int_equal(k.last_error[0], '\0');
	dbkit_fini(&k);
}

/* The files of segments that somebody reads are not what the next ones are made of. */
static void test_changes__what_is_read_is_not_recycled(void **state)
{
	silt_changes *c[10] = { NULL };
	struct silt_change ch;
	struct dbkit k;

	(void)state;
	changes_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	for (int i = 0; i < 10; i++) {
		uint64_t from = k.db->last_version;

		changes_write(&k, 20, 2000);
		assert_int_equal(silt_changes_new(k.db, from, &c[i]), 0);
		assert_int_equal(silt_changes_next(c[i], &ch), 0);
		assert_int_equal(silt_flush(k.db), 0);
	}
	for (int i = 0; i < 10; i++) {
		for (uint64_t v = 20 * (uint64_t)i + 2; v <= 20 * (uint64_t)i + 20; v++) {
			char text[32];

			assert_int_equal(silt_changes_next(c[i], &ch), 0);
			assert_int_equal(ch.version, v);
			snprintf(text, sizeof(text), "%" PRIu64 " ", v);
			assert_memory_equal(ch.value.data, text, strlen(text));
		}
		silt_changes_close(c[i]);
	}
	dbkit_fini(&k);
}

/* ---- over openings and crashes ------------------------------------------------------------------------------------------------ */

static void test_changes__go_on_over_a_clean_end(void **state)
{
	struct dbkit k;

	(void)state;
	changes_init(&k);
	k.opts.change_log_size = 16 * SEGMENT;
	assert_int_equal(dbkit_open(&k), 0);
	changes_write(&k, 20, 2000);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(dbkit_close(&k), 0);
		assert_int_equal(dbkit_open(&k), 0);
		assert_int_equal(changes_oldest(&k), 0);
		changes_write(&k, 3, 100);
		changes_expect_all(&k, 0, 23);
	}
	assert_int_equal(silt_flush(k.db), 0);
	assert_int_equal(dbkit_close(&k), 0);
	assert_int_equal(dbkit_open(&k), 0);      /* nothing is replayed: all of it is there for this alone */
	changes_expect_all(&k, 0, 29);
	changes_expect_all(&k, 29, 0);
	dbkit_fini(&k);
}

static void test_changes__go_on_over_a_crash(void **state)
{
	silt_changes *c = NULL;
	uint64_t before, after;
	char want[128];
	struct dbkit k;

	(void)state;
	changes_init(&k);
	k.opts.change_log_size = 16 * SEGMENT;
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "a", "1"), 0);
	assert_int_equal(silt_flush(k.db), 0);
	assert_int_equal(dbkit_put(&k, "b", "2"), 0);
	before = changes_newest(&k);
	dbkit_crash(&k, SIM_LOSE_ALL, 1);
	assert_int_equal(dbkit_open(&k), 0);
	after = changes_newest(&k);
	assert_true(after > before + 1000);       /* versions leap */
	assert_string_equal(changes_since(&k, 0), "1+a=1 2+b=2 ");
	assert_string_equal(changes_since(&k, before), "");
	assert_int_equal(silt_changes_new(k.db, before, &c), 0);
	assert_string_equal(changes_read(c), "");
	assert_int_equal(silt_changes_version(c), after);
	assert_int_equal(dbkit_put(&k, "c", "3"), 0);
	snprintf(want, sizeof(want), "%" PRIu64 "+c=3 ", after + 1);
	assert_string_equal(changes_read(c), want);
	silt_changes_close(c);
	assert_string_equal(changes_since(&k, before + 500), want);       /* never given: within the leap */
	for (int i = 0; i < 2; i++) {             /* and from a log that was written before */
		assert_int_equal(dbkit_close(&k), 0);
		assert_int_equal(dbkit_open(&k), 0);
		assert_string_equal(changes_since(&k, before), want);
		assert_string_equal(changes_since(&k, before + 500), want);
		assert_string_equal(changes_since(&k, after), want);
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
	changes_init(&k);
	k.opts.change_log_size = 16 * SEGMENT;
	assert_int_equal(dbkit_open(&k), 0);
	changes_write(&k, 20, 100);
	for (int flushed = 0; flushed < 2; flushed++) {
		k.opts.first_version = first * (uint64_t)(flushed + 1);
		if (flushed)
			assert_int_equal(silt_flush(k.db), 0);
		for (int again = 0; again < 3; again++) {         /* raised; asked for again; not asked for */
			assert_int_equal(dbkit_close(&k), 0);
			assert_int_equal(dbkit_open(&k), 0);
			assert_int_equal(changes_oldest(&k), first * (uint64_t)(flushed + 1) - 1);
			assert_int_equal(changes_newest(&k), first * (uint64_t)(flushed + 1) - 1 + 20 * (uint64_t)again);
			assert_int_equal(silt_changes_new(k.db, 20, &c), SILT_E_EXPIRED);
			assert_int_equal(silt_changes_new(k.db, first / 2, &c), SILT_E_EXPIRED);
			assert_string_equal(dbkit_get(&k, "raised") ? dbkit_get(&k, "raised") : "none", flushed ? "yes" : "none");
			changes_write(&k, 20, 100);
			changes_expect_all(&k, first * (uint64_t)(flushed + 1) - 1, 20 * (uint64_t)(again + 1));
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
	changes_init(&k);
	k.opts.change_log_size = 64 * SEGMENT;
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
	changes_init(&k);
	k.opts.change_log_size = 64 * SEGMENT;
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "a", "1"), 0);
	assert_int_equal(dbkit_put(&k, "b", "2"), 0);
	assert_int_equal(silt_changes_new(k.db, 0, &reading), 0);
	assert_int_equal(silt_changes_next(reading, &ch), 0);
	assert_int_equal(silt_changes_new(k.db, 1, &resting), 0);
	assert_string_equal(changes_read(resting), "2+b=2 ");
	version = changes_ingest(&k, "z");
	assert_int_equal(version, 3);
	assert_int_equal(changes_oldest(&k), 3);
	assert_int_equal(changes_newest(&k), 3);
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
	assert_string_equal(changes_since(&k, 3), "");
	assert_int_equal(changes_ingest(&k, "y"), 4);             /* with nothing between */
	assert_int_equal(silt_changes_new(k.db, 3, &c), SILT_E_EXPIRED);
	assert_int_equal(dbkit_put(&k, "c", "5"), 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(changes_oldest(&k), 4);
		assert_string_equal(changes_since(&k, 4), "5+c=5 ");
		assert_int_equal(silt_changes_new(k.db, 3, &c), SILT_E_EXPIRED);
		if (i < 2)
			assert_int_equal(dbkit_close(&k), 0);
		else
			dbkit_crash(&k, SIM_LOSE_ALL, 1);
		assert_int_equal(dbkit_open(&k), 0);
	}
	version = changes_ingest(&k, "x");                        /* behind the SKIP of an opening */
	assert_int_equal(changes_oldest(&k), version);
	dbkit_crash(&k, SIM_LOSE_ALL, 1);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(changes_oldest(&k), version);
	assert_int_equal(silt_changes_new(k.db, version - 1, &c), SILT_E_EXPIRED);
	assert_int_equal(silt_put(k.db, STR("d"), STR("6"), &version), 0);
	snprintf(want, sizeof(want), "%" PRIu64 "+d=6 ", version);
	assert_string_equal(changes_since(&k, changes_oldest(&k)), want);
	assert_string_equal(dbkit_get(&k, "x"), "from afar");
	dbkit_fini(&k);
}

/* ---- damage ------------------------------------------------------------------------------------------------------------------- */

/* Six flushed segments, 1 to 6, all kept; closed. */
static void changes_kept_store(struct dbkit *k)
{
	changes_init(k);
	k->opts.change_log_size = 64 * SEGMENT;
	assert_int_equal(dbkit_open(k), 0);
	for (int i = 0; i < 6; i++)
		changes_segment(k);
	assert_int_equal(changes_oldest(k), 0);
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
		assert_int_equal(changes_oldest(&k), 60);
		assert_int_equal(silt_changes_new(k.db, 59, &c), SILT_E_EXPIRED);
		changes_expect_all(&k, 60, 60);
		assert_false(dbkit_exists(&k, "db/000002.wal"));  /* of no use any more */
		changes_segment(&k);
		changes_expect_all(&k, 60, 80);
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
	assert_int_equal(changes_oldest(&k), 0);
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
	assert_int_equal(changes_oldest(&k), 60);
	assert_int_equal(silt_changes_new(k.db, n, &c), SILT_E_EXPIRED);
	while ((rc = silt_changes_next(before, &ch)) == 0)
		;
	assert_true(rc == SILT_E_EXPIRED || rc == SILT_E_CORRUPT);
	silt_changes_close(before);
	changes_expect_all(&k, 60, 60);
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
	assert_int_equal(segment_create(&k.db->env, LOG_WAL, "db/000003.wal", 3, SEGMENT, &h, &file), 0);
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
	assert_int_equal(changes_oldest(&k), 80);
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
	changes_expect_all(&k, changes_oldest(&k), 80);
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
	assert_int_equal(changes_oldest(&k), 0);
	changes_expect_all(&k, 0, 120);
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
	assert_int_equal(changes_oldest(&k), 0);  /* none of it was taken for damage */
	dbkit_fini(&k);
}

/* Writes stopped by a fault: what was published before stays readable, and nothing else is shown. */
static void test_changes__after_a_fault_what_was_published_is_given(void **state)
{
	struct dbkit k;

	(void)state;
	changes_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	assert_int_equal(dbkit_put(&k, "a", "1"), 0);
	dbkit_settle(&k);
	simdisk_fail_at(k.disk, SIM_DATASYNC, 1, SILT_E_IO, false);
	assert_int_equal(dbkit_put(&k, "b", "2"), SILT_E_IO);
	assert_int_equal(dbkit_put(&k, "c", "3"), SILT_E_FAULT);
	assert_string_equal(changes_since(&k, 0), "1+a=1 ");
	assert_int_equal(changes_newest(&k), 1);
	dbkit_fini(&k);
}

/* ---- beside writers ------------------------------------------------------------------------------------------------------------ */

enum { WRITERS = 3, READERS = 3, PER_WRITER = 400 };

static struct {
	silt_db *db;
	_Atomic unsigned writing;
} R;

/* What a thread has to complain about. */
static void *changes_said(const char *text)
{
	return (void *)(uintptr_t)text;
}

static void *changes_writer(void *arg)
{
	char key[32], value[600];

	for (unsigned i = 0; i < PER_WRITER; i++) {
		snprintf(key, sizeof(key), "w%u", (unsigned)(uintptr_t)arg);
		memset(value, 'v', sizeof(value));
		snprintf(value, sizeof(value), "%u", i);
		if (silt_put(R.db, STR(key), (struct silt_slice){ value, sizeof(value) }, NULL) != 0)
			return changes_said("a write failed");
	}
	atomic_fetch_sub(&R.writing, 1);
	return NULL;
}

/* Each writer's puts come in its order, each once, and versions have no holes. */
static void *changes_follower(void *arg)
{
	unsigned next[WRITERS] = { 0 };
	silt_changes *c = NULL;
	struct silt_change ch;
	uint64_t version = 0;
	const char *said = NULL;

	(void)arg;
	if (silt_changes_new(R.db, 0, &c) != 0)
		return changes_said("silt_changes_new");
	while (!said && version < WRITERS * PER_WRITER) {
		int rc = silt_changes_next(c, &ch);

		if (rc == SILT_END) {
			if (silt_changes_wait(R.db, version, 60000) != 0)
				said = "nothing came for a minute";
		} else if (rc != 0) {
			said = silt_strerror(rc);
		} else if (ch.version != ++version) {
			said = "a version is missing";
		} else if (strtoul(ch.value.data, NULL, 10) != next[((const char *)ch.key.data)[1] - '0']++) {
			said = "out of order";
		}
	}
	silt_changes_close(c);
	return changes_said(said);
}

/* One that comes and goes, at any version that there is. */
static void *changes_visitor(void *arg)
{
	uint64_t random = 88172645463325252u, oldest, newest;
	struct silt_change ch;

	(void)arg;
	while (atomic_load(&R.writing)) {
		silt_changes *c = NULL;
		uint64_t version;
		int rc;

		silt_changes_reach(R.db, &oldest, &newest);
		if (newest < oldest)
			return changes_said("the reach begins behind its end");
		version = oldest + test_random(&random) % (newest - oldest + 1);
		rc = silt_changes_new(R.db, version, &c);
		if (rc == SILT_E_EXPIRED)
			continue;
		for (int i = 0; rc == 0 && i < 30; i++) {
			rc = silt_changes_next(c, &ch);
			if (rc == 0 && ch.version != ++version)
				return changes_said("a visitor misses a version");
		}
		silt_changes_close(c);
		if (rc < 0 && rc != SILT_E_EXPIRED)
			return changes_said(silt_strerror(rc));
	}
	return NULL;
}

static void changes_join(pthread_t t)
{
	void *said;

	assert_int_equal(pthread_join(t, &said), 0);
	if (said)
		fail_msg("%s", (const char *)said);
}

static void test_changes__readers_beside_writers(void **state)
{
	pthread_t t[WRITERS + READERS + 1];
	struct dbkit k;
	int n = 0;

	(void)state;
	dbkit_init(&k);
	k.opts.change_log_size = 64 * SEGMENT;
	assert_int_equal(dbkit_open(&k), 0);
	R.db = k.db;
	R.writing = WRITERS;
	for (uintptr_t i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&t[n++], NULL, i ? changes_follower : changes_visitor, NULL), 0);
	for (uintptr_t i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&t[n++], NULL, changes_writer, (void *)i), 0);
	while (n > 0)
		changes_join(t[--n]);
	dbkit_fini(&k);
}

/* Nothing is kept: readers race with the recycling of what they want to begin in. */
static void test_changes__visitors_beside_recycling(void **state)
{
	pthread_t t[WRITERS + 2];
	struct dbkit k;
	int n = 0;

	(void)state;
	dbkit_init(&k);
	assert_int_equal(dbkit_open(&k), 0);
	R.db = k.db;
	R.writing = WRITERS;
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&t[n++], NULL, changes_visitor, NULL), 0);
	for (uintptr_t i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&t[n++], NULL, changes_writer, (void *)i), 0);
	while (n > 0)
		changes_join(t[--n]);
	dbkit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes__are_given_in_commit_order_batches_whole),
		cmocka_unit_test(test_changes__misuse_is_refused),
		cmocka_unit_test(test_changes__the_version_moves_with_whole_batches),
		cmocka_unit_test(test_changes__what_is_not_synced_is_not_shown),
		cmocka_unit_test(test_changes__large_values_and_a_read_only_store),
		cmocka_unit_test(test_changes__a_reader_may_begin_after_any_version),
		cmocka_unit_test(test_changes__without_a_change_log_what_is_there_is_given),
		cmocka_unit_test(test_changes__change_log_size_is_kept_to),
		cmocka_unit_test(test_changes__a_slow_reader_ends_its_segment_and_has_expired),
		cmocka_unit_test(test_changes__what_is_read_is_not_recycled),
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
		cmocka_unit_test(test_changes__readers_beside_writers),
		cmocka_unit_test(test_changes__visitors_beside_recycling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
