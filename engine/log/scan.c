/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan.c - looks for an intact record at every 8-byte step of a stretch of a segment.
 *
 * Behind the end of a log lie zeros, or (recycled) the records of earlier lives under other salts. Each step costs a few compares;
 * a record of another life costs a hash of its 24 header bytes; only one in 65536 of those passes, and has its payload hashed.
 * That bound holds whatever a client has stored there (log.h: `head`).
 */
#include "log/scan.h"

#include <inttypes.h>

#include "base/buf.h"
#include "base/mem.h"

enum { SCAN_PIECE = 1 << 20 };

struct scan {
	struct env *env;
	const char *path;
	const struct log_header *header;
	struct os_file *file;             /* borrowed */
	struct silt_buf piece;            /* the bytes under the scan */
	struct silt_buf whole;            /* a candidate that runs past them */
};

static int scan_read(struct scan *s, uint64_t offset, size_t n, struct silt_buf *out)
{
	int rc;

	out->len = 0;
	if (buf_reserve(out, n) < 0)
		return report(&s->env->rep, SILT_E_NOMEM, "%s: no memory to look for records", s->path);
	rc = os_read_full(s->env->os, s->file, offset, out->data, n);
	if (rc < 0)
		return report(&s->env->rep, rc, "%s: offset %" PRIu64 ": read: %s", s->path, offset,
		              s->env->os->error_text(s->env->os));
	out->len = n;
	return 0;
}

/* Is there a record at `at`, of `size` bytes by its header? It begins `bytes`. 0, SILT_END, < 0. */
static int scan_try(struct scan *s, struct silt_slice bytes, uint64_t at, uint64_t size, struct log_record *out)
{
	int rc;

	if (size > s->header->capacity - at)
		return SILT_END;
	if (size > bytes.len) {
		rc = scan_read(s, at, (size_t)size, &s->whole);
		if (rc < 0)
			return rc;
		bytes = buf_slice(&s->whole);
	}
	return log_record_decode(bytes, s->header->salt, at, out);
}

/* The same question for the steps of the piece, which lies at `at`. */
static int scan_piece(struct scan *s, uint64_t at, uint64_t beyond, uint64_t *offset)
{
	const uint8_t *bytes = s->piece.data;
	struct log_record r;
	uint64_t size;
	int rc;

	for (size_t i = 0; i + LOG_RECORD_HEADER <= s->piece.len; i += 8) {
		if (log_record_peek(bytes + i, s->header->salt, at + i, &size) != 0)
			continue;
		rc = scan_try(s, slice_of(bytes + i, s->piece.len - i), at + i, size, &r);
		if (rc < 0)
			return rc;
		if (rc == 0 && r.synced_to > beyond) {
			*offset = at + i;
			return 0;
		}
	}
	return SILT_END;
}

int log_scan(struct env *env, const char *path, const struct log_header *h, struct os_file *file, uint64_t from, uint64_t beyond,
             uint64_t *offset)
{
	struct scan s = { .env = env, .path = path, .header = h, .file = file };
	int rc = SILT_END;

	/* pieces overlap by all of a header but its last step, so that each step is taken once */
	for (uint64_t at = from; rc == SILT_END && at + LOG_RECORD_HEADER <= h->capacity; at += SCAN_PIECE) {
		size_t n = SCAN_PIECE + LOG_RECORD_HEADER - 8;

		if (n > h->capacity - at)
			n = (size_t)(h->capacity - at);
		rc = scan_read(&s, at, n, &s.piece);
		if (rc == 0)
			rc = scan_piece(&s, at, beyond, offset);
	}
	buf_fini(&s.piece);
	buf_fini(&s.whole);
	return rc;
}
