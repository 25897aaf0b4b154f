/* SPDX-License-Identifier: Apache-2.0 */
/*
 * segment.c - segments as files: made whole, recycled, opened.
 *
 * Bytes     header := magic "SILTLOG1" | format:u32le | kind:u32le | number:u64le | salt:u64le | capacity:u64le | check:u64le
 *           WAL segment 12 of 64 MiB with salt 0x0123456789abcdef:
 *             53 49 4c 54 4c 4f 47 31  "SILTLOG1"
 *             01 00 00 00              format
 *             01 00 00 00              kind: WAL
 *             0c 00 00 00 00 00 00 00  number
 *             ef cd ab 89 67 45 23 01  salt
 *             00 00 00 04 00 00 00 00  capacity
 *             b0 7f 06 68 b0 79 06 9e  check: XXH3 of the 40 bytes before, seed 0
 *
 * How a segment comes to its name; a crash between any two lines leaves a .tmp, which nothing refers to, or a whole segment:
 *
 *           create:   zeros and header to PATH.tmp, fdatasync    | rename to PATH, directory fsync
 *           recycle:  rename OLD to PATH.tmp, directory fsync,
 *                     header to PATH.tmp, fdatasync              | rename to PATH, directory fsync
 *
 *           Were an old segment's header rewritten under its old name, a crash could leave 000012.wal with the header of 20, and
 *           that is damage. Were it rewritten while a checkpoint links it, the checkpoint's log would be gone.
 *
 * Rules     segment.h. A file of another size than wanted is not recycled: that happens only when the option was changed, and
 *           extending a file (a metadata journal entry, an allocation) is what recycling is there to avoid.
 */
#include "log/segment.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/cursor.h"
#include "base/hash.h"
#include "base/mem.h"
#include "core/filename.h"

enum { SEGMENT_FORMAT = 1, SEGMENT_PIECE = 64 << 10, SEGMENT_SYNC = 1 << 20 };

static const char segment_magic[8] = { 'S', 'I', 'L', 'T', 'L', 'O', 'G', '1' };

void segment_encode_header(const struct log_header *h, uint8_t *out)
{
	uint8_t *p = out;

	memcpy(p, segment_magic, sizeof(segment_magic));
	p = codec_put32(p + sizeof(segment_magic), SEGMENT_FORMAT);
	p = codec_put32(p, (uint32_t)h->kind);
	p = codec_put64(p, h->number);
	p = codec_put64(p, h->salt);
	p = codec_put64(p, h->capacity);
	codec_put64(p, hash_log(out, (size_t)(p - out), 0, 0));
}

static bool segment_capacity_ok(uint64_t capacity)
{
	return capacity % LOG_PAGE == 0 && capacity >= 2 * LOG_PAGE && capacity <= INT64_MAX;
}

/* Whole pages, two at least. */
static uint64_t segment_capacity(uint64_t wanted)
{
	uint64_t pages = wanted / LOG_PAGE + (wanted % LOG_PAGE != 0);

	return (pages < 2 ? 2 : pages) * LOG_PAGE;
}

int segment_decode_header(struct silt_slice bytes, struct log_header *out)
{
	struct cursor c = cursor_of(bytes);
	struct silt_slice magic = cursor_bytes(&c, sizeof(segment_magic));
	uint32_t format = cursor_u32(&c), kind = cursor_u32(&c);
	struct log_header h;
	uint64_t check;

	h.number = cursor_u64(&c);
	h.salt = cursor_u64(&c);
	h.capacity = cursor_u64(&c);
	check = cursor_u64(&c);
	if (c.bad || !slice_eq(magic, slice_of(segment_magic, sizeof(segment_magic))))
		return SILT_E_CORRUPT;
	if (check != hash_log(bytes.data, SEGMENT_HEADER - sizeof(check), 0, 0))
		return SILT_E_CORRUPT;
	if (format != SEGMENT_FORMAT)
		return SILT_E_VERSION;
	if ((kind != LOG_WAL && kind != LOG_MANIFEST) || !segment_capacity_ok(h.capacity))
		return SILT_E_CORRUPT;
	h.kind = (enum log_kind)kind;
	*out = h;
	return 0;
}

static int segment_failed(struct env *env, int rc, const char *path, const char *what)
{
	return report(&env->rep, rc, "%s: %s: %s", path, what, env->os->error_text(env->os));
}

static int segment_tmp_path(struct env *env, const char *path, char *out)
{
	int n = snprintf(out, FILENAME_MAX_BYTES, "%s.tmp", path);

	if (n < 0 || n >= FILENAME_MAX_BYTES)
		return report(&env->rep, SILT_E_TOOBIG, "%s: the path is too long", path);
	return 0;
}

/* Syncs the directory that holds `path`. */
static int segment_dirsync(struct env *env, const char *path)
{
	char dir[FILENAME_MAX_BYTES];
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;
	int rc;

	if (n >= sizeof(dir))
		return report(&env->rep, SILT_E_TOOBIG, "%s: the path is too long", path);
	memcpy(dir, path, n);
	dir[n] = '\0';
	rc = env->os->dirsync(env->os, n ? dir : slash ? "/" : ".");
	return rc < 0 ? segment_failed(env, rc, path, "sync of its directory") : 0;
}

static int segment_write_header(struct env *env, const char *path, struct os_file *file, const struct log_header *h)
{
	uint8_t page[LOG_PAGE] = { 0 };
	int rc;

	segment_encode_header(h, page);
	rc = env->os->write(env->os, file, 0, page, sizeof(page));
	if (rc == 0)
		rc = env->os->datasync(env->os, file);
	return rc < 0 ? segment_failed(env, rc, path, "header") : 0;
}

/*
 * Zeros from the header page to the end, each MiB on its way to the disk before the next, so that the final sync is short. What one call writes may
 * become one folio of the page cache, and each later append pays for the size of the folio it falls into: so the pieces are small.
 */
static int segment_write_zeros(struct env *env, const char *path, struct os_file *file, uint64_t capacity)
{
	uint8_t *zeros = mem_calloc(1, SEGMENT_PIECE);
	uint64_t synced = LOG_PAGE;
	int rc = 0;

	if (!zeros)
		return report(&env->rep, SILT_E_NOMEM, "%s: no memory", path);
	for (uint64_t at = LOG_PAGE; at < capacity && rc == 0;) {
		size_t n = capacity - at < SEGMENT_PIECE ? (size_t)(capacity - at) : SEGMENT_PIECE;

		rc = env->os->write(env->os, file, at, zeros, n);
		at += n;
		if (rc < 0 || (at - synced < SEGMENT_SYNC && at < capacity))
			continue;
		env->os->range_sync(env->os, file, synced, at - synced);
		synced = at;
	}
	mem_free(zeros);
	return rc < 0 ? segment_failed(env, rc, path, "writing zeros") : 0;
}

static int segment_new_header(struct env *env, enum log_kind kind, const char *path, uint64_t number, uint64_t capacity,
                              struct log_header *out)
{
	struct log_header h = { .kind = kind, .number = number, .salt = 0, .capacity = capacity };
	int rc;

	rc = env->os->random(env->os, &h.salt, sizeof(h.salt));
	if (rc < 0)
		return segment_failed(env, rc, path, "salt");
	*out = h;
	return 0;
}

/* A failed attempt's file: nothing refers to it, and on a full disk its room is needed. */
static void segment_abandon(struct env *env, struct os_file *file, const char *tmp)
{
	if (file)
		(void)env->os->close(env->os, file);
	(void)env->os->unlink(env->os, tmp);
}

/* A new file at tmp; a leftover of an earlier crash goes first. */
static int segment_open_new(struct env *env, const char *tmp, struct os_file **out)
{
	int rc = env->os->unlink(env->os, tmp);

	if (rc < 0)
		return segment_failed(env, rc, tmp, "unlink");
	rc = env->os->open(env->os, tmp, OS_READ | OS_WRITE | OS_CREATE, out);
	return rc < 0 ? segment_failed(env, rc, tmp, "create") : 0;
}

int segment_prepare(struct env *env, enum log_kind kind, const char *path, uint64_t number, uint64_t capacity,
                    struct log_header *header, struct os_file **out)
{
	char tmp[FILENAME_MAX_BYTES];
	struct os_file *file = NULL;
	struct log_header h;
	int rc;

	capacity = segment_capacity(capacity);
	rc = segment_tmp_path(env, path, tmp);
	if (rc == 0)
		rc = segment_new_header(env, kind, path, number, capacity, &h);
	if (rc == 0)
		rc = segment_open_new(env, tmp, &file);
	if (rc < 0)
		return rc;
	rc = segment_write_zeros(env, tmp, file, capacity);
	if (rc == 0)
		rc = segment_write_header(env, tmp, file, &h);
	if (rc < 0) {
		segment_abandon(env, file, tmp);
		return rc;
	}
	*header = h;
	*out = file;
	return 0;
}

int segment_install(struct env *env, const char *path)
{
	char tmp[FILENAME_MAX_BYTES];
	int rc = segment_tmp_path(env, path, tmp);

	if (rc < 0)
		return rc;
	rc = env->os->rename(env->os, tmp, path);
	if (rc != 0) {
		rc = segment_failed(env, rc < 0 ? rc : SILT_E_IO, path, "rename");
		(void)env->os->unlink(env->os, tmp);
		return rc;
	}
	return segment_dirsync(env, path);
}

int segment_create(struct env *env, enum log_kind kind, const char *path, uint64_t number, uint64_t capacity,
                   struct log_header *header, struct os_file **out)
{
	struct os_file *file;
	struct log_header h;
	int rc = segment_prepare(env, kind, path, number, capacity, &h, &file);

	if (rc < 0)
		return rc;
	rc = segment_install(env, path);
	if (rc < 0) {
		(void)env->os->close(env->os, file);
		return rc;
	}
	*header = h;
	*out = file;
	return 0;
}

/* 0: the file at path is alone and of this size. SILT_E_BUSY: it is not. SILT_NOTFOUND. */
static int segment_recyclable(struct env *env, const char *path, uint64_t capacity)
{
	struct os_stat st;
	int rc = env->os->stat(env->os, path, &st);

	if (rc < 0)
		return segment_failed(env, rc, path, "stat");
	if (rc > 0)
		return rc;
	return st.links == 1 && st.size == capacity ? 0 : SILT_E_BUSY;
}

/* From its old name to tmp, for good, before a byte of it changes. */
static int segment_take(struct env *env, const char *old_path, const char *tmp, struct os_file **out)
{
	int rc = env->os->rename(env->os, old_path, tmp);

	if (rc != 0)
		return segment_failed(env, rc < 0 ? rc : SILT_E_IO, old_path, "rename");
	rc = segment_dirsync(env, tmp);
	if (rc < 0)
		return rc;
	rc = env->os->open(env->os, tmp, OS_READ | OS_WRITE, out);
	return rc != 0 ? segment_failed(env, rc < 0 ? rc : SILT_E_IO, tmp, "open") : 0;
}

int segment_recycle(struct env *env, enum log_kind kind, const char *old_path, const char *path, uint64_t number, uint64_t capacity,
                    struct log_header *header, struct os_file **out)
{
	char tmp[FILENAME_MAX_BYTES];
	struct os_file *file = NULL;
	struct log_header h;
	int rc;

	capacity = segment_capacity(capacity);
	rc = segment_tmp_path(env, path, tmp);
	if (rc == 0)
		rc = segment_new_header(env, kind, path, number, capacity, &h);
	if (rc == 0)
		rc = segment_recyclable(env, old_path, capacity);
	if (rc != 0)
		return rc;
	rc = segment_take(env, old_path, tmp, &file);
	if (rc == 0)
		rc = segment_write_header(env, tmp, file, &h);
	if (rc < 0)
		goto out;
	rc = segment_install(env, path);
	if (rc < 0)
		goto out;
	*header = h;
	*out = file;
	return 0;
out:
	segment_abandon(env, file, tmp);
	return rc;
}

/* Reads and checks the header of an open file, and that the file is as long as the header says. */
static int segment_check(struct env *env, enum log_kind kind, const char *path, struct os_file *file, struct log_header *out)
{
	uint8_t bytes[SEGMENT_HEADER];
	struct log_header h;
	uint64_t size;
	size_t got;
	int rc;

	rc = env->os->size(env->os, file, &size);
	if (rc == 0)
		rc = env->os->read(env->os, file, 0, bytes, sizeof(bytes), &got);
	if (rc < 0)
		return segment_failed(env, rc, path, "header");
	rc = segment_decode_header(slice_of(bytes, got), &h);
	if (rc == SILT_E_VERSION)
		return report(&env->rep, rc, "%s: written by a later format of the log", path);
	if (rc < 0)
		return report(&env->rep, rc, "%s: offset 0: the segment's header is damaged", path);
	if (h.kind != kind)
		return report(&env->rep, SILT_E_CORRUPT, "%s: a log of kind %d where kind %d was due", path, h.kind, kind);
	if (size < h.capacity)
		return report(&env->rep, SILT_E_CORRUPT, "%s: cut short: %" PRIu64 " bytes of %" PRIu64, path, size, h.capacity);
	*out = h;
	return 0;
}

int segment_open(struct env *env, enum log_kind kind, const char *path, bool writable, struct log_header *header,
                 struct os_file **out)
{
	struct os_file *file;
	int rc = env->os->open(env->os, path, OS_READ | (writable ? OS_WRITE : 0), &file);

	if (rc == SILT_NOTFOUND)
		return rc;
	if (rc < 0)
		return segment_failed(env, rc, path, "open");
	rc = segment_check(env, kind, path, file, header);
	if (rc < 0) {
		(void)env->os->close(env->os, file);
		return rc;
	}
	*out = file;
	return 0;
}
