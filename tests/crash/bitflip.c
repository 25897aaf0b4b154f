/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bitflip.c - one bit turned over at many random places of each kind of file: right answers or an error, never a wrong value,
 * never a silent absence.
 *
 * The store is made on the simulated disk with tables in several levels, a manifest of several edits, and a log whose last
 * group is marked: up to there nothing may be lost either. Then, for each flip, a copy of the disk is damaged,
 * opened and read in every way; what fails must have named the file in a message, and a table's damage must be found by
 * silt_verify() too.
 */
#include "lib/test.h"

#include <inttypes.h>
#include <pthread.h>
#include <time.h>

#include "lib/model.h"
#include "lib/simdisk.h"

enum { KEYS = 1200, FLIPS = 120, NAMES_MAX = 64 };
static const uint64_t now_ms = UINT64_C(1700000000000);

static struct {
	struct model *m;
	struct simdisk *disk;
	uint64_t random;

	pthread_mutex_t mu;               /* guards what follows */
	const char *named;                /* a name to look for in messages of errors */
	bool was_named;
	char message[512];                /* the last error */
} F = { .mu = PTHREAD_MUTEX_INITIALIZER };

static void on_log(void *ctx, enum silt_log_level level, const char *message)
{
	(void)ctx;
	if (level > SILT_LOG_ERROR)
		return;
	pthread_mutex_lock(&F.mu);
	snprintf(F.message, sizeof(F.message), "%s", message);
	if (F.named && strstr(message, F.named))
		F.was_named = true;
	pthread_mutex_unlock(&F.mu);
}

static int open_on(struct simdisk *disk, silt_db **out)
{
	struct silt_options o = simdisk_options(disk);

	o.log = on_log;
	return silt_open("/store", &o, out);
}

/* ---- the store ------------------------------------------------------------------------------------------------------------- */

static void write_some(silt_db *db, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct model_op op = { .key = test_random(&F.random) % F.m->n };
		struct silt_result res = { 0 };
		uint8_t meta[SILT_META_MAX];
		silt_batch *b = NULL;

		if (test_random(&F.random) % 6)
			op.to = model_random_put(&F.random, 0);
		struct silt_put_options opts = { .meta = model_meta(&op.to, meta) };

		model_ok(silt_batch_new(&b), "silt_batch_new");
		model_ok(op.to.there ? silt_batch_put(b, F.m->keys[op.key], model_value(&op.to, F.m->scratch), &opts, 0)
		                     : silt_batch_delete(b, F.m->keys[op.key], 0), "silt_batch_put");
		model_ok(silt_write(db, b, 0, &res), "silt_write");
		model_commit(F.m, res.version, &op, 1);
		silt_result_fini(&res);
		silt_batch_free(b);
	}
}

/* Ends as a power cut that keeps everything would leave it; the log's last group is marked by then. */
static void make_store(void)
{
	struct timespec pause = { .tv_nsec = 200 * 1000 * 1000 };
	struct simdisk *first = simdisk_new(F.random);
	silt_db *db = NULL;

	simdisk_set_clock(first, now_ms);
	model_ok(open_on(first, &db), "silt_open");
	write_some(db, 1500);
	model_ok(silt_compact(db), "silt_compact");
	write_some(db, 600);
	model_ok(silt_flush(db), "silt_flush");
	write_some(db, 150);
	nanosleep(&pause, NULL);          /* the queue is empty: the MARK is appended */
	F.disk = simdisk_crash_copy(first, SIM_KEEP_ALL, 1);
	model_ok(silt_close(db), "silt_close");
	simdisk_free(first);
}

/* ---- reading it all ---------------------------------------------------------------------------------------------------------- */

static bool is_damage(int rc)
{
	return rc == SILT_E_CORRUPT || rc == SILT_E_VERSION;
}

/* How many reads said so. */
static size_t get_all(silt_db *db)
{
	struct silt_buf value = { 0 };
	struct silt_info info;
	size_t damaged = 0;

	for (size_t i = 0; i < F.m->n; i++) {
		int rc = silt_get(db, F.m->keys[i], NULL, 0, &value, &info);

		if (is_damage(rc))
			damaged++;
		else
			model_check_get(F.m, F.m->slots, i, now_ms, rc, (struct silt_slice){ value.data, value.len }, &info);
	}
	silt_buf_free(&value);
	return damaged;
}

/* Up to where it broke, every entry must have been right and none left out. */
static size_t scan_all(silt_db *db, bool forward)
{
	struct silt_iter_options o = { 0 };
	size_t i = forward ? model_next_live(F.m->slots, 0, F.m->n, now_ms) : model_prev_live(F.m->slots, F.m->n - 1, 0, now_ms);
	silt_iter *it = NULL;
	int rc = silt_iter_new(db, &o, &it);

	if (rc == 0)
		rc = forward ? silt_iter_first(it) : silt_iter_last(it);
	for (; rc == 0; rc = forward ? silt_iter_next(it) : silt_iter_prev(it)) {
		if (i == SIZE_MAX)
			model_fail("a scan found more than there is");
		model_check_entry(F.m, F.m->slots, i, it);
		i = forward ? model_next_live(F.m->slots, i + 1, F.m->n, now_ms) : model_prev_live(F.m->slots, i - 1, 0, now_ms);
	}
	silt_iter_close(it);
	if (rc == SILT_END && i != SIZE_MAX)
		model_fail("a scan %s ended before key %zu", forward ? "forward" : "backward", i);
	if (rc != SILT_END && !is_damage(rc))
		model_fail("a scan: %s", silt_strerror(rc));
	return rc != SILT_END;
}

enum outcome { RIGHT, REFUSED, PARTLY };

/* A table of a compaction that had not deleted its inputs yet, or not installed its outputs, was swept by the opening. */
static bool is_needed(struct simdisk *disk, const char *path)
{
	struct os_stat st;

	return simdisk_os(disk)->stat(simdisk_os(disk), path, &st) == 0;
}

static enum outcome read_all(struct simdisk *disk, const char *path, bool table)
{
	size_t damaged;
	silt_db *db = NULL;
	int rc = open_on(disk, &db), verified;

	if (is_damage(rc))
		return REFUSED;
	model_ok(rc, "silt_open");
	table = table && is_needed(disk, path);
	verified = silt_verify(db, NULL, NULL);
	damaged = get_all(db) + scan_all(db, true) + scan_all(db, false);
	if (verified != 0 && verified != SILT_E_CORRUPT)
		model_fail("silt_verify: %s", silt_strerror(verified));
	if (table && verified != SILT_E_CORRUPT)
		model_fail("silt_verify did not find it");
	rc = silt_close(db);
	if (rc != 0 && !damaged)
		model_fail("silt_close: %s", silt_strerror(rc));
	return damaged || verified ? PARTLY : RIGHT;
}

/* ---- flips ---------------------------------------------------------------------------------------------------------------------- */

struct names {
	const char *suffix;
	char list[NAMES_MAX][32];
	size_t n;
};

static int note_name(void *ctx, const char *name)
{
	struct names *names = ctx;
	size_t len = strlen(name), suffix = strlen(names->suffix);

	if (len >= suffix && len < 32 && names->n < NAMES_MAX && strcmp(name + len - suffix, names->suffix) == 0)
		snprintf(names->list[names->n++], 32, "%s", name);
	return 0;
}

/* Half of the flips where there are bytes other than zero: most of a log is not written yet. */
static uint64_t random_place(const struct silt_buf *file)
{
	const uint8_t *bytes = file->data;
	uint64_t at = test_random(&F.random) % file->len;

	if (test_random(&F.random) % 4)
		for (int tries = 0; tries < 10000 && bytes[at] == 0; tries++)
			at = test_random(&F.random) % file->len;
	return at;
}

static enum outcome flip_one(const char *name, bool table)
{
	struct simdisk *disk = simdisk_crash_copy(F.disk, SIM_KEEP_ALL, 1);
	struct silt_buf file = { 0 };
	char path[64];
	enum outcome outcome;
	uint64_t at, bit = test_random(&F.random) % 8;

	snprintf(path, sizeof(path), "/store/%s", name);
	model_ok(simdisk_read_file(disk, path, &file), path);
	at = random_place(&file);
	silt_buf_free(&file);
	snprintf(model_context, sizeof(model_context), "bitflip: %s, byte %" PRIu64 ", bit %" PRIu64, name, at, bit);
	model_ok(simdisk_flip(disk, path, at, (uint8_t)(1u << bit)), "simdisk_flip");
	simdisk_set_clock(disk, now_ms);
	F.named = name;
	F.was_named = false;
	F.message[0] = '\0';
	outcome = read_all(disk, path, table);
	if (outcome != RIGHT && !F.was_named)
		model_fail("no error message named the file; the last one was: %s", F.message);
	F.named = NULL;
	simdisk_free(disk);
	return outcome;
}

static void flip_many(const char *suffix, bool table)
{
	static const char *const words[] = { "harmless", "refused at open", "errors for a part" };
	struct names names = { .suffix = suffix };
	silt_os *os = simdisk_os(F.disk);
	size_t count[3] = { 0 };

	model_ok(os->list(os, "/store", note_name, &names), "list");
	if (names.n == 0)
		model_fail("the store has no file that ends in %s", suffix);
	for (unsigned i = 0; i < FLIPS * test_scale(); i++)
		count[flip_one(names.list[test_random(&F.random) % names.n], table)]++;
	printf("bitflip: %zu files *%s:", names.n, suffix);
	for (size_t i = 0; i < 3; i++)
		printf(" %zu %s%s", count[i], words[i], i < 2 ? "," : "\n");
	fflush(stdout);
	if (count[RIGHT] == FLIPS)
		model_fail("no flip in *%s did anything", suffix);
}

int main(void)
{
	silt_db *db = NULL;

	F.random = test_seed(1);
	F.m = model_new(KEYS, F.random);
	snprintf(model_context, sizeof(model_context), "bitflip");
	make_store();
	flip_many(".sst", true);
	flip_many(".wal", false);
	flip_many("MANIFEST", false);
	snprintf(model_context, sizeof(model_context), "bitflip, without a flip");
	model_ok(open_on(F.disk, &db), "silt_open");
	model_check_all(F.m, F.m->slots, db, NULL, now_ms);
	model_ok(silt_close(db), "silt_close");
	simdisk_free(F.disk);
	model_free(F.m);
	return 0;
}
