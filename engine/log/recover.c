/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recover.c - the end of recovery.
 *
 * Recovery reads through the page cache. After a failed fdatasync, or a kill of the process alone, the cache holds records that the
 * disk does not: marked clean, they would never be written. Replayed they become visible, versions are given after them, and the
 * next power loss takes them away from under those. So:
 *
 *           LOG_PAGE     synced_to                       B
 *           |- on disk --|- perhaps only in the cache ---|- torn, zeros, or the records of an earlier life -
 *                        |- checked and written again ---|SEAL|   one fdatasync
 *
 * Rules     (1) what is written again is checked again: between judging and now the cache may have dropped a page, and the disk's
 *           older bytes must not be made durable where a replayed record stood.
 *           (2) the SEAL claims the old synced_to, not B: cut short, it must not testify that what stands before it was synced.
 *           (3) a SEAL that was read is no proof that it is on the disk: it is written again like the rest.
 */
#include "log/recover.h"

#include <inttypes.h>

#include "base/buf.h"
#include "log/reader.h"
#include "log/segment.h"
#include "log/writer.h"

enum { RECOVER_PIECE = 1 << 20 };

struct recover {
	struct env *env;
	const char *path;
	const struct log_end *end;
	struct os_file *file;             /* borrowed */
	struct silt_buf piece;            /* checked, to be written at `at` */
	uint64_t at;
};

static int recover_changed(struct recover *c, uint64_t offset)
{
	return report(&c->env->rep, SILT_E_CORRUPT, "%s: offset %" PRIu64 ": what was replayed is not there any more", c->path, offset);
}

static int recover_write_piece(struct recover *c)
{
	int rc = c->env->os->write(c->env->os, c->file, c->at, c->piece.data, c->piece.len);

	if (rc < 0)
		return report(&c->env->rep, rc, "%s: offset %" PRIu64 ": writing again: %s", c->path, c->at,
		              c->env->os->error_text(c->env->os));
	c->at += c->piece.len;
	c->piece.len = 0;
	return 0;
}

/* Takes the next record (rule 1), and writes when a piece is full. */
static int recover_record(struct recover *c, struct log_reader *reader)
{
	struct silt_slice bytes;
	struct log_record r;
	int rc = log_reader_next(reader, &r);

	if (rc < 0)
		return rc;
	if (rc == SILT_END || r.end > c->end->offset)
		return recover_changed(c, log_reader_offset(reader));
	bytes = log_reader_bytes(reader, &r);
	if (buf_append(&c->piece, bytes.data, bytes.len) < 0)
		return report(&c->env->rep, SILT_E_NOMEM, "%s: no memory to write it again", c->path);
	return c->piece.len >= RECOVER_PIECE ? recover_write_piece(c) : 0;
}

static int recover_rewrite(struct recover *c, const struct log_header *h)
{
	struct log_reader *reader;
	int rc = log_reader_new(c->env, c->path, h, c->file, &reader);

	if (rc < 0)
		return rc;
	log_reader_seek(reader, c->at);
	while (rc == 0 && log_reader_offset(reader) < c->end->offset)
		rc = recover_record(c, reader);
	if (rc == 0 && c->piece.len)
		rc = recover_write_piece(c);
	log_reader_free(reader);
	buf_fini(&c->piece);
	return rc;
}

/* A SEAL at B by a writer that goes on there (rule 2); its sync covers what was written again. Takes the file. */
static int recover_seal(struct recover *c, const struct log_header *h)
{
	struct log_writer *w;
	int rc = log_writer_new(c->env, c->path, h, c->file, c->end->offset, c->end->synced_to, &w);

	if (rc < 0)
		return rc;
	rc = log_writer_seal(w, c->end->last_version, 0);
	log_writer_free(w);
	return rc;
}

/* Takes the file. */
static int recover_sync(struct recover *c)
{
	int rc = c->env->os->datasync(c->env->os, c->file);

	if (rc < 0)
		rc = report(&c->env->rep, rc, "%s: fdatasync: %s", c->path, c->env->os->error_text(c->env->os));
	(void)c->env->os->close(c->env->os, c->file);
	return rc;
}

int log_recover_end(struct env *env, const char *path, const struct log_end *end)
{
	struct recover c = { .env = env, .path = path, .end = end, .at = end->synced_to };
	struct log_header h;
	int rc = segment_open(env, LOG_WAL, path, true, &h, &c.file);

	if (rc == SILT_NOTFOUND)
		return report(&env->rep, SILT_E_CORRUPT, "%s: the segment is not there any more", path);
	if (rc < 0)
		return rc;
	if (h.number != end->number || end->offset > h.capacity - (end->sealed ? 0 : LOG_RECORD_HEADER))
		rc = recover_changed(&c, 0);
	if (rc == 0)
		rc = recover_rewrite(&c, &h);
	if (rc < 0) {
		(void)env->os->close(env->os, c.file);
		return rc;
	}
	return end->sealed ? recover_sync(&c) : recover_seal(&c, &h);
}
