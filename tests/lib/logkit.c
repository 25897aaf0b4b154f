/* SPDX-License-Identifier: Apache-2.0 */
/* logkit.c - what the tests of engine/log share. */
#include "lib/logkit.h"

#include <string.h>

#include "base/buf.h"
#include "core/filename.h"

static void logkit_report(void *ctx, enum silt_log_level level, const char *message)
{
	struct logkit *k = ctx;

	(void)level;
	k->reports++;
	snprintf(k->message, sizeof(k->message), "%s", message);
}

void logkit_on(struct logkit *k, struct simdisk *disk)
{
	memset(k, 0, sizeof(*k));
	k->disk = disk;
	k->env.os = disk ? simdisk_os(disk) : os_posix();
	k->env.rep = (struct reporter){ logkit_report, k };
	k->env.dir = "/db";
}

void logkit_init(struct logkit *k, struct simdisk *disk)
{
	logkit_on(k, disk);
	if (!disk) {
		k->dir = test_mkdir();
		k->env.dir = k->dir;
		return;
	}
	assert_int_equal(k->env.os->mkdir(k->env.os, "/db"), 0);
	assert_int_equal(k->env.os->dirsync(k->env.os, "/"), 0);
}

void logkit_fini(struct logkit *k)
{
	if (k->dir)
		test_rmdir(k->dir);
}

const char *logkit_wal(struct logkit *k, uint64_t number)
{
	char *path = k->paths[k->next_path++ % 4];

	assert_int_equal(filename_wal(k->env.dir, number, false, path), 0);
	return path;
}

bool logkit_exists(struct logkit *k, const char *path)
{
	struct os_stat st;

	return k->env.os->stat(k->env.os, path, &st) == 0;
}

void logkit_slurp(struct logkit *k, const char *path, struct silt_buf *out)
{
	struct os_file *f;
	uint64_t size;

	assert_int_equal(k->env.os->open(k->env.os, path, OS_READ, &f), 0);
	assert_int_equal(k->env.os->size(k->env.os, f, &size), 0);
	out->len = 0;
	assert_int_equal(buf_reserve(out, size), 0);
	assert_int_equal(os_read_full(k->env.os, f, 0, out->data, size), 0);
	out->len = size;
	assert_int_equal(k->env.os->close(k->env.os, f), 0);
}

void logkit_spill(struct logkit *k, const char *path, struct silt_slice bytes)
{
	struct os_file *f;

	if (k->disk) {
		assert_int_equal(simdisk_write_file(k->disk, path, bytes), 0);
		return;
	}
	assert_int_equal(k->env.os->open(k->env.os, path, OS_READ | OS_WRITE, &f), 0);
	assert_int_equal(k->env.os->write(k->env.os, f, 0, bytes.data, bytes.len), 0);
	assert_int_equal(k->env.os->close(k->env.os, f), 0);
}

void logkit_flip(struct logkit *k, const char *path, uint64_t offset, uint8_t mask)
{
	struct os_file *f;
	uint8_t byte;

	if (k->disk) {
		assert_int_equal(simdisk_flip(k->disk, path, offset, mask), 0);
		return;
	}
	assert_int_equal(k->env.os->open(k->env.os, path, OS_READ | OS_WRITE, &f), 0);
	assert_int_equal(os_read_full(k->env.os, f, offset, &byte, 1), 0);
	byte ^= mask;
	assert_int_equal(k->env.os->write(k->env.os, f, offset, &byte, 1), 0);
	assert_int_equal(k->env.os->close(k->env.os, f), 0);
}

struct log_writer *logkit_create(struct logkit *k, uint64_t number, uint64_t capacity)
{
	const char *path = logkit_wal(k, number);
	struct log_header h;
	struct os_file *file;
	struct log_writer *w;

	assert_int_equal(segment_create(&k->env, LOG_WAL, path, number, capacity, &h, &file), 0);
	assert_int_equal(log_writer_new(&k->env, path, &h, file, LOG_PAGE, LOG_PAGE, &w), 0);
	return w;
}

struct silt_slice logkit_payload(uint64_t version, uint8_t room[300])
{
	uint64_t state = version * UINT64_C(0x9e3779b97f4a7c15) + 1;
	size_t len = (size_t)(version * 37 % 300);

	for (size_t i = 0; i < len; i++)
		room[i] = (uint8_t)(test_random(&state) >> 32);
	return slice_of(room, len);
}

void logkit_add(struct log_writer *w, uint64_t version)
{
	uint8_t room[300];
	struct silt_slice payload = logkit_payload(version, room);

	assert_int_equal(log_writer_reserve(w, 1, payload.len), 0);
	log_writer_add(w, LOG_DATA, 0, version, payload);
}

void logkit_group(struct log_writer *w, uint64_t from, uint64_t to)
{
	for (uint64_t v = from; v <= to; v++)
		logkit_add(w, v);
	assert_int_equal(log_writer_append(w), 0);
}

static int logkit_see(void *ctx, uint64_t segment, const struct log_record *r)
{
	struct logkit_seen *seen = ctx;
	uint8_t room[300];

	(void)segment;
	if (r->kind == LOG_SKIP) {
		seen->skips++;
		return 0;
	}
	if (!slice_eq(r->payload, logkit_payload(r->version, room)))
		seen->wrong = true;
	assert_true(seen->n < sizeof(seen->versions) / sizeof(seen->versions[0]));
	seen->versions[seen->n++] = r->version;
	return 0;
}

int logkit_judge(struct logkit *k, uint64_t first, uint64_t last, struct logkit_seen *out)
{
	uint64_t numbers[64];
	size_t n = 0;

	assert_true(last - first < 64);
	for (uint64_t number = first; number <= last; number++)
		numbers[n++] = number;
	memset(out, 0, sizeof(*out));
	return log_judge(&k->env, LOG_WAL, numbers, n, NULL, logkit_see, out, &out->end);
}

bool logkit_saw(const struct logkit_seen *seen, uint64_t from, uint64_t to)
{
	if (seen->wrong || seen->n != to + 1 - from)
		return false;
	for (size_t i = 0; i < seen->n; i++)
		if (seen->versions[i] != from + i)
			return false;
	return true;
}
