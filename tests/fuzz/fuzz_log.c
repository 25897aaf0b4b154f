/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_log.c - any bytes as a record, as a header, as a whole log under the judge.
 *
 * The first byte chooses. 'r': the rest is decoded as a record, once as it is and once with both checks made right, for else no
 * mutation would ever pass them. 'h': as a header, in the same two ways. Anything else: the rest is a script that writes up to
 * three segments into memory, four bytes a step:
 *
 *           [what, a, b, c]   what % 8:  0..5 a record of that kind (some are no kinds), b % 16 in its flags' low bits, a bytes long
 *                             6 flip a bit of byte b * 256 + c of the segment   7 the next segment; in the last one: leave a gap
 *           The record's version is the last one + (c % 4), its synced_to by b / 16: the first page, the last record's start or end,
 *           the segment's end, or one step off.
 *
 * Then the log is judged, ended as recovery ends it, and judged again: the same log, sealed.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/codec.h"
#include "base/hash.h"
#include "base/slice.h"
#include "log/judge.h"
#include "log/recover.h"
#include "log/record.h"
#include "log/segment.h"

#define CHECK(x) ((x) ? (void)0 : __builtin_trap())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_SEGMENTS = 3, FUZZ_CAPACITY = 2 * LOG_PAGE, FUZZ_BYTES_MAX = 4096 };

#define FUZZ_SALT UINT64_C(0x5117517e)

/* ---- a disk of three files, in memory ---- */

struct os_file {
	uint8_t bytes[FUZZ_CAPACITY];
};

struct fuzz_disk {
	silt_os os;
	struct os_file files[FUZZ_SEGMENTS];
};

static int fuzz_open(silt_os *os, const char *path, unsigned flags, struct os_file **out)
{
	struct fuzz_disk *d = (struct fuzz_disk *)os;
	char digit = path[strlen(path) - strlen("1.wal")];

	(void)flags;
	CHECK(digit >= '1' && digit < '1' + FUZZ_SEGMENTS);
	*out = &d->files[digit - '1'];
	return 0;
}

static int fuzz_read(silt_os *os, struct os_file *f, uint64_t offset, void *buf, size_t n, size_t *got)
{
	(void)os;
	CHECK(offset <= FUZZ_CAPACITY);
	*got = n < FUZZ_CAPACITY - offset ? n : FUZZ_CAPACITY - (size_t)offset;
	memcpy(buf, f->bytes + offset, *got);
	return 0;
}

static int fuzz_write(silt_os *os, struct os_file *f, uint64_t offset, const void *buf, size_t n)
{
	(void)os;
	CHECK(offset >= LOG_PAGE && offset <= FUZZ_CAPACITY && n <= FUZZ_CAPACITY - offset);
	memcpy(f->bytes + offset, buf, n);
	return 0;
}

static int fuzz_datasync(silt_os *os, struct os_file *f)
{
	(void)os;
	(void)f;
	return 0;
}

static int fuzz_size(silt_os *os, struct os_file *f, uint64_t *out)
{
	(void)os;
	(void)f;
	*out = FUZZ_CAPACITY;
	return 0;
}

static const char *fuzz_error_text(silt_os *os)
{
	(void)os;
	return "";
}

/* ---- single records and headers ---- */

static void fuzz_record(struct silt_slice bytes)
{
	uint8_t again[FUZZ_BYTES_MAX + LOG_RECORD_HEADER + 8];
	struct log_record r;

	if (log_record_decode(bytes, FUZZ_SALT, LOG_PAGE, &r) != 0)
		return;
	CHECK(r.end - r.offset <= bytes.len && r.synced_to <= r.offset);
	CHECK(log_record_encode(again, FUZZ_SALT, &r) == r.end - r.offset);
	CHECK(memcmp(again, bytes.data, r.end - r.offset) == 0);
}

static void fuzz_fix_record(uint8_t *bytes, size_t n)
{
	uint8_t head[24];
	uint64_t size;
	uint16_t h;

	if (n < LOG_RECORD_HEADER)
		return;
	memcpy(head, bytes + 8, sizeof(head));
	memset(head + 6, 0, 2);
	h = (uint16_t)hash_log(head, sizeof(head), FUZZ_SALT, LOG_PAGE);
	bytes[14] = (uint8_t)h;
	bytes[15] = (uint8_t)(h >> 8);
	size = log_record_size(codec_get32(bytes + 8));
	if (size <= n)
		codec_put64(bytes, hash_log(bytes + 8, (size_t)size - 8, FUZZ_SALT, LOG_PAGE));
}

static void fuzz_header(struct silt_slice bytes)
{
	uint8_t again[SEGMENT_HEADER];
	struct log_header h;

	if (segment_decode_header(bytes, &h) != 0)
		return;
	segment_encode_header(&h, again);
	CHECK(memcmp(again, bytes.data, sizeof(again)) == 0);
}

static void fuzz_single(uint8_t what, struct silt_slice bytes)
{
	uint8_t fixed[FUZZ_BYTES_MAX];
	size_t n = bytes.len < sizeof(fixed) ? bytes.len : sizeof(fixed);

	if (n)
		memcpy(fixed, bytes.data, n);
	if (what == 'r') {
		fuzz_record(slice_of(fixed, n));
		fuzz_fix_record(fixed, n);
		fuzz_record(slice_of(fixed, n));
		return;
	}
	fuzz_header(slice_of(fixed, n));
	if (n >= SEGMENT_HEADER)
		codec_put64(fixed + 40, hash_log(fixed, 40, 0, 0));
	fuzz_header(slice_of(fixed, n));
}

/* ---- whole logs ---- */

struct fuzz_script {
	struct fuzz_disk *disk;
	size_t segment;
	uint64_t offset, last_start;      /* of the next record; of the last */
	uint64_t version;
};

static uint64_t fuzz_salt(size_t segment)
{
	return FUZZ_SALT + segment;
}

static void fuzz_begin_segment(struct fuzz_script *s, size_t segment)
{
	const struct log_header h = {
		.kind = LOG_WAL, .number = segment + 1, .salt = fuzz_salt(segment), .capacity = FUZZ_CAPACITY,
	};

	s->segment = segment;
	s->offset = s->last_start = LOG_PAGE;
	segment_encode_header(&h, s->disk->files[segment].bytes);
}

static uint64_t fuzz_claim(const struct fuzz_script *s, unsigned how)
{
	switch (how) {
	case 0:
		return LOG_PAGE;
	case 1:
		return s->last_start;
	case 2:
		return s->offset;
	case 3:
		return s->last_start + 8;
	case 4:
		return s->offset + 8;
	default:
		return FUZZ_CAPACITY;
	}
}

static void fuzz_add(struct fuzz_script *s, const uint8_t *step)
{
	static const uint8_t payload[256] = { 1, 2, 3 };
	struct log_record r = {
		.kind = (enum log_record_kind)(step[0] % 8), .flags = step[2] % 16, .synced_to = fuzz_claim(s, step[2] / 16),
		.version = s->version + step[3] % 4, .offset = s->offset,
	};

	r.payload = slice_of(payload, r.kind == LOG_DATA || step[1] > 250 ? step[1] : 0);
	if (log_record_size(r.payload.len) > FUZZ_CAPACITY - s->offset)
		return;
	s->last_start = s->offset;
	s->offset += log_record_encode(s->disk->files[s->segment].bytes + s->offset, fuzz_salt(s->segment), &r);
	s->version = r.version;
}

static void fuzz_step(struct fuzz_script *s, const uint8_t *step)
{
	size_t at = (size_t)step[2] << 8 | step[3];

	if (step[0] % 8 < 6)
		fuzz_add(s, step);
	else if (step[0] % 8 == 6)
		s->disk->files[s->segment].bytes[at % FUZZ_CAPACITY] ^= (uint8_t)(1u << step[1] % 8);
	else if (s->segment + 1 < FUZZ_SEGMENTS)
		fuzz_begin_segment(s, s->segment + 1);
	else if (s->offset + 8 < FUZZ_CAPACITY)
		s->offset += 8;
}

struct fuzz_walk {
	uint64_t hash, records;
	struct log_end end;
};

static int fuzz_apply(void *ctx, uint64_t segment, const struct log_record *r)
{
	struct fuzz_walk *w = ctx;

	w->hash = hash_log(r->payload.data, r->payload.len, w->hash + r->version, segment);
	w->records++;
	return 0;
}

static int fuzz_judge(struct env *env, struct fuzz_walk *w)
{
	static const uint64_t numbers[FUZZ_SEGMENTS] = { 1, 2, 3 };
	int rc;

	memset(w, 0, sizeof(*w));
	rc = log_judge(env, LOG_WAL, numbers, FUZZ_SEGMENTS, NULL, fuzz_apply, w, &w->end);
	CHECK(rc == 0 || rc == SILT_E_CORRUPT || rc == SILT_E_VERSION);
	if (rc == 0) {
		CHECK(w->end.number >= 1 && w->end.number <= FUZZ_SEGMENTS);
		CHECK(w->end.offset >= LOG_PAGE && w->end.offset <= FUZZ_CAPACITY && w->end.offset % 8 == 0);
		CHECK(w->end.synced_to >= LOG_PAGE && w->end.synced_to <= w->end.offset);
		CHECK(w->records <= w->end.records);
	}
	return rc;
}

/* Recovery may refuse (a record of this salt claims what no writer claims); what it accepts is the same log afterwards. */
static void fuzz_recover(struct env *env)
{
	char path[] = "/000001.wal";
	struct fuzz_walk before, after;

	if (fuzz_judge(env, &before) != 0)
		return;
	path[strlen("/00000")] = (char)('0' + before.end.number);
	if (log_recover_end(env, path, &before.end) != 0)
		return;
	CHECK(fuzz_judge(env, &after) == 0);
	CHECK(after.end.sealed && after.end.number == before.end.number);
	CHECK(after.end.last_version == before.end.last_version);
	CHECK(after.hash == before.hash && after.records == before.records);
	CHECK(after.end.offset == before.end.offset + (before.end.sealed ? 0 : LOG_RECORD_HEADER));
}

static void fuzz_log(struct silt_slice script)
{
	struct fuzz_disk disk = {
		.os = {
			.open = fuzz_open, .read = fuzz_read, .write = fuzz_write, .datasync = fuzz_datasync, .size = fuzz_size,
			.close = fuzz_datasync, .error_text = fuzz_error_text,
		},
	};
	struct env env = { .os = &disk.os, .dir = "" };
	struct fuzz_script s = { .disk = &disk, .version = 1 };
	const uint8_t *p = script.data;

	for (size_t i = FUZZ_SEGMENTS; i-- > 0;)
		fuzz_begin_segment(&s, i);
	for (size_t at = 0; at + 4 <= script.len && at < FUZZ_BYTES_MAX; at += 4)
		fuzz_step(&s, p + at);
	fuzz_recover(&env);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] == 'r' || data[0] == 'h')
		fuzz_single(data[0], slice_of(data + 1, size - 1));
	else
		fuzz_log(slice_of(data + 1, size - 1));
	return 0;
}
