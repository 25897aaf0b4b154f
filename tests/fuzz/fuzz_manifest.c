/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_manifest.c - any bytes as the records of a manifest, or of a log segment that is printed: read, refused or called torn.
 *
 *           [how] bytes       how: bit 0 a log segment, not a manifest; bit 1 the records are numbered 1, 2, 3 as they should be;
 *                             bit 2 what follows the last whole record stays, else it is zeros.
 *
 * The header page is made; each record's checks are made right, for else no mutation would pass them. A manifest that is read is a
 * version that holds all its invariants, says of itself an edit that leads to it again, and is the same read twice.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/codec.h"
#include "base/hash.h"
#include "base/mem.h"
#include "db/dump_log.h"
#include "fuzz/memory_file.h"
#include "log/record.h"
#include "log/segment.h"
#include "version/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_AS_WAL = 1, FUZZ_NUMBERED = 2, FUZZ_TAIL = 4, FUZZ_BYTES_MAX = 16 << 10 };

#define FUZZ_SALT UINT64_C(0x5117517e)

static uint64_t fuzz_fix_record(uint8_t *p, size_t left, uint64_t offset, uint64_t number)
{
	uint8_t head[24];
	uint64_t size;
	uint16_t h;

	if (left < LOG_RECORD_HEADER)
		return 0;
	size = log_record_size(codec_get32(p + 8));
	if (size > left)
		return 0;
	if (number)
		codec_put64(p + 16, number);
	memcpy(head, p + 8, sizeof(head));
	memset(head + 6, 0, 2);
	h = (uint16_t)hash_log(head, sizeof(head), FUZZ_SALT, offset);
	p[14] = (uint8_t)h;
	p[15] = (uint8_t)(h >> 8);
	codec_put64(p, hash_log(p + 8, (size_t)size - 8, FUZZ_SALT, offset));
	return size;
}

static void fuzz_make(struct memory_file *m, uint8_t how, struct silt_slice records)
{
	size_t room = (records.len + LOG_PAGE - 1) / LOG_PAGE * LOG_PAGE + LOG_PAGE, at = 0, step;
	uint8_t *bytes = mem_calloc(1, LOG_PAGE + room);
	const struct log_header h = { .kind = how & FUZZ_AS_WAL ? LOG_WAL : LOG_MANIFEST, .number = 1, .salt = FUZZ_SALT,
		                      .capacity = LOG_PAGE + room };
	uint64_t number = 1;

	CHECK(bytes);
	segment_encode_header(&h, bytes);
	if (records.len)
		memcpy(bytes + LOG_PAGE, records.data, records.len);
	for (; at < records.len; at += step) {
		bool data = records.len - at > 12 && bytes[LOG_PAGE + at + 12] == LOG_DATA;

		step = fuzz_fix_record(bytes + LOG_PAGE + at, records.len - at, LOG_PAGE + at,
		                       how & FUZZ_NUMBERED ? data ? number++ : number - 1 : 0);
		if (step == 0)
			break;
	}
	if (!(how & FUZZ_TAIL) && at < records.len)
		memset(bytes + LOG_PAGE + at, 0, room - at);
	memory_init(m, slice_of(bytes, LOG_PAGE + room));
	mem_free(bytes);
}

/* What a version says of itself leads to it again. */
static void fuzz_version(const struct version *v)
{
	static const struct reporter silent;
	struct silt_buf once = { 0 }, twice = { 0 };
	struct version *nothing, *again;
	struct edit e, back;

	CHECK(version_check(v, &silent) == 0);
	CHECK(version_new(&nothing) == 0 && version_to_edit(v, &e) == 0);
	CHECK(version_apply(nothing, &e, &silent, &again) == 0);
	CHECK(again->next_file == v->next_file && again->last_version == v->last_version && again->wal_number == v->wal_number);
	CHECK(version_to_edit(again, &back) == 0);
	CHECK(edit_encode(&e, &once) == 0 && edit_encode(&back, &twice) == 0);
	CHECK(slice_eq(buf_slice(&once), buf_slice(&twice)));
	edit_fini(&e);
	edit_fini(&back);
	buf_fini(&once);
	buf_fini(&twice);
	version_unref(again);
	version_unref(nothing);
}

static void fuzz_manifest(struct env *env)
{
	struct manifest_found found, twice;
	int rc = manifest_read(env, &found);

	CHECK(rc == 0 || rc == SILT_E_CORRUPT || rc == SILT_E_VERSION);
	if (rc != 0)
		return;
	fuzz_version(found.version);
	CHECK(manifest_read(env, &twice) == 0 && twice.torn == found.torn && twice.edits == found.edits);
	version_unref(twice.version);
	version_unref(found.version);
}

static void fuzz_line(void *ctx, const char *line)
{
	(void)ctx;
	for (; *line; line++)
		CHECK((unsigned char)*line >= ' ' && (unsigned char)*line < 0x7f);  /* safe on a terminal */
}

static void fuzz_dump(struct env *env, enum log_kind kind)
{
	struct dump *d = mem_calloc(1, sizeof(*d));
	int rc;

	CHECK(d);
	d->env = *env;
	d->fn = fuzz_line;
	rc = dump_log(d, kind, "file");
	CHECK(rc == 0 || rc == SILT_E_CORRUPT || rc == SILT_E_VERSION);
	mem_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memory_file m;
	struct env env;

	if (size == 0 || size > FUZZ_BYTES_MAX)
		return 0;
	fuzz_make(&m, data[0], slice_of(data + 1, size - 1));
	env = memory_env(&m);
	if (!(data[0] & FUZZ_AS_WAL))
		fuzz_manifest(&env);
	fuzz_dump(&env, data[0] & FUZZ_AS_WAL ? LOG_WAL : LOG_MANIFEST);
	memory_fini(&m);
	return 0;
}
