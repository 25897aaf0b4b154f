/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader.c - records of a segment in order.
 *
 * A window of the file lies in `window`; `window_at` is the offset of its first byte. The record in hand is always whole in it:
 *
 *           LOG_PAGE        window_at      offset                               capacity
 *           |...............[ given before | next record ... read ahead ]......|
 */
#include "log/reader.h"

#include <inttypes.h>

#include "base/buf.h"
#include "base/mem.h"

enum { READER_PIECE = 256 << 10 };

struct log_reader {
	struct env *env;
	char *path;
	struct os_file *file;             /* borrowed */
	struct log_header header;
	uint64_t end;                     /* nothing is read from there on */
	uint64_t offset;                  /* of the next record */
	uint64_t window_at;
	struct silt_buf window;
};

int log_reader_new(struct env *env, const char *path, const struct log_header *h, struct os_file *file, struct log_reader **out)
{
	struct log_reader *r = mem_calloc(1, sizeof(*r));

	if (!r)
		return report(&env->rep, SILT_E_NOMEM, "%s: no memory to read it", path);
	r->env = env;
	r->file = file;
	r->header = *h;
	r->end = h->capacity;
	r->offset = LOG_PAGE;
	r->window_at = LOG_PAGE;
	r->path = mem_strdup(path);
	if (!r->path) {
		log_reader_free(r);
		return report(&env->rep, SILT_E_NOMEM, "%s: no memory to read it", path);
	}
	*out = r;
	return 0;
}

void log_reader_free(struct log_reader *r)
{
	if (!r)
		return;
	buf_fini(&r->window);
	mem_free(r->path);
	mem_free(r);
}

uint64_t log_reader_offset(const struct log_reader *r)
{
	return r->offset;
}

void log_reader_limit(struct log_reader *r, uint64_t end)
{
	r->end = end < r->header.capacity ? end : r->header.capacity;
}

void log_reader_seek(struct log_reader *r, uint64_t offset)
{
	r->offset = offset;
	r->window_at = offset;
	r->window.len = 0;
}

/* What the window holds from the next record on. */
static struct silt_slice reader_ahead(const struct log_reader *r)
{
	size_t skip = (size_t)(r->offset - r->window_at);
	const char *data = r->window.data;

	return slice_of(skip ? data + skip : data, r->window.len - skip);       /* before the first read there is none */
}

/* Forgets the records that were given and appends what follows the window, so that `need` bytes lie ahead if the file has them. */
static int reader_fill(struct log_reader *r, uint64_t need)
{
	struct silt_slice ahead = reader_ahead(r);
	uint64_t want = need < READER_PIECE ? READER_PIECE : need;
	size_t got;
	int rc;

	if (want > r->end - r->offset)
		want = r->end - r->offset;
	if (ahead.len)
		memmove(r->window.data, ahead.data, ahead.len);
	r->window.len = ahead.len;
	r->window_at = r->offset;
	if (buf_reserve(&r->window, want - ahead.len) < 0)
		return report(&r->env->rep, SILT_E_NOMEM, "%s: offset %" PRIu64 ": no memory for a record of %" PRIu64 " bytes",
		              r->path, r->offset, need);
	rc = r->env->os->read(r->env->os, r->file, r->offset + ahead.len, (char *)r->window.data + ahead.len, want - ahead.len, &got);
	if (rc < 0)
		return report(&r->env->rep, rc, "%s: offset %" PRIu64 ": read: %s", r->path, r->offset + ahead.len,
		              r->env->os->error_text(r->env->os));
	r->window.len += got;
	return 0;
}

/* Makes `need` bytes lie ahead: 0; SILT_END where the segment has not so many left; < 0. */
static int reader_need(struct log_reader *r, uint64_t need)
{
	int rc;

	if (r->offset > r->end || need > r->end - r->offset)
		return SILT_END;
	if (reader_ahead(r).len >= need)
		return 0;
	rc = reader_fill(r, need);
	if (rc < 0)
		return rc;
	return reader_ahead(r).len >= need ? 0 : SILT_END;
}

int log_reader_next(struct log_reader *r, struct log_record *out)
{
	uint64_t size;
	int rc;

	rc = reader_need(r, LOG_RECORD_HEADER);
	if (rc == 0)
		rc = log_record_peek(reader_ahead(r).data, r->header.salt, r->offset, &size);
	if (rc == 0)
		rc = reader_need(r, size);
	if (rc == 0)
		rc = log_record_decode(reader_ahead(r), r->header.salt, r->offset, out);
	if (rc == 0)
		r->offset = out->end;
	return rc;
}

struct silt_slice log_reader_bytes(const struct log_reader *r, const struct log_record *last)
{
	return slice_of((const char *)r->window.data + (last->offset - r->window_at), (size_t)(last->end - last->offset));
}
