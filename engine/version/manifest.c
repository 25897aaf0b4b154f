/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest.c - which version the directory holds, through every crash.
 *
 * Bytes     one segment of log/ (kind 2), made whole at MANIFEST.tmp:
 *
 *           header page | DATA 1: edit from nothing | MARK | DATA 2: edit | MARK | DATA 3 ... | zeros
 *                       |- synced, then renamed ----|
 *
 *           Records are numbered 1, 2, 3 in their version field, so that a lost one shows. DATA 1 was synced before the file had
 *           its name: a manifest that can't show it is damaged. Each later edit is followed by an unsynced MARK that says that
 *           it was synced: damage to it is then no torn tail.
 *           Zeros reach from the last record to the end of the file. Anything else there is what a crash left of an edit that nobody
 *           was told of: a torn tail.
 * Rolling   when an edit does not fit, or MANIFEST_EDITS came: reading costs a pass over all tables for each edit.
 * Rules     manifest.h
 */
#include "version/manifest.h"

#include <inttypes.h>

#include "base/mem.h"
#include "core/filename.h"
#include "log/judge.h"
#include "log/segment.h"
#include "log/writer.h"

enum {
	MANIFEST_CAPACITY = 256 << 10,    /* bytes at least */
	MANIFEST_GROWTH = 4,              /* room, in edits from nothing */
	MANIFEST_EDITS = 1024,
	MANIFEST_NUMBER = 1,              /* in the segment's header: there is one at a time */
	MANIFEST_PIECE = 64 << 10,
};

struct manifest {
	struct env *env;
	struct log_writer *writer;        /* NULL: poisoned */
	uint64_t edits;                   /* the version of the last record */
	struct silt_buf bytes;            /* of an edit, reused */
};

static int manifest_path(struct env *env, bool tmp, char *out)
{
	if (filename_in(env->dir, tmp ? "MANIFEST.tmp" : "MANIFEST", out) < 0)
		return report(&env->rep, SILT_E_TOOBIG, "%s: the path is too long", env->dir);
	return 0;
}

/* ---- writing --------------------------------------------------------------------------------------------------------- */

/* Appends what m->bytes holds as the next record, synced; then a MARK. */
static int manifest_put(struct manifest *m, struct log_writer *w, uint64_t number)
{
	int rc = log_writer_reserve(w, 1, m->bytes.len);

	if (rc < 0)
		return rc;
	log_writer_add(w, LOG_DATA, 0, number, buf_slice(&m->bytes));
	rc = log_writer_append(w);
	if (rc == 0)
		rc = log_writer_sync(w);
	if (rc == 0)
		rc = log_writer_mark(w, number);
	return rc;
}

static int manifest_encode(struct manifest *m, const struct edit *e)
{
	m->bytes.len = 0;
	if (edit_encode(e, &m->bytes) == 0)
		return 0;
	return report(&m->env->rep, SILT_E_NOMEM, "MANIFEST: no memory for an edit");
}

static int manifest_encode_all(struct manifest *m, const struct version *v)
{
	struct edit e;
	int rc = version_to_edit(v, &e);

	if (rc < 0)
		return report(&m->env->rep, rc, "MANIFEST: no memory for an edit from nothing");
	rc = manifest_encode(m, &e);
	edit_fini(&e);
	return rc;
}

/* MANIFEST.tmp with the edit in m->bytes as its first record, whole and synced but for its name. */
static int manifest_prepare(struct manifest *m, const char *path, const char *tmp, struct log_writer **out)
{
	uint64_t wanted = LOG_PAGE + MANIFEST_GROWTH * (uint64_t)log_record_size(m->bytes.len);
	struct log_writer *w;
	struct log_header h;
	struct os_file *file;
	int rc;

	if (wanted < MANIFEST_CAPACITY)
		wanted = MANIFEST_CAPACITY;
	rc = segment_prepare(m->env, LOG_MANIFEST, path, MANIFEST_NUMBER, wanted, &h, &file);
	if (rc < 0)
		return rc;
	rc = log_writer_new(m->env, path, &h, file, LOG_PAGE, LOG_PAGE, &w);
	if (rc == 0) {
		rc = log_writer_fits(w, 1, m->bytes.len) ? manifest_put(m, w, 1) : SILT_E_TOOBIG;
		if (rc == 0) {
			*out = w;
			return 0;
		}
		log_writer_free(w);
	}
	(void)m->env->os->unlink(m->env->os, tmp);
	return rc;
}

static void manifest_poison(struct manifest *m)
{
	log_writer_free(m->writer);
	m->writer = NULL;
}

/* A full disk is harmless only where nothing of the edit was written (some file systems need room to overwrite, too). */
static int manifest_in_doubt(int rc)
{
	return rc == SILT_E_NOSPACE ? SILT_E_IO : rc;
}

/* A fresh manifest that says v takes the place of what there is (rules 3 and 4). */
static int manifest_roll(struct manifest *m, const struct version *v)
{
	char path[FILENAME_MAX_BYTES], tmp[FILENAME_MAX_BYTES];
	struct log_writer *w = NULL;
	int rc = manifest_path(m->env, false, path);

	if (rc == 0)
		rc = manifest_path(m->env, true, tmp);
	if (rc == 0)
		rc = manifest_encode_all(m, v);
	if (rc == 0)
		rc = manifest_prepare(m, path, tmp, &w);
	if (rc < 0)
		return rc;
	manifest_poison(m);             /* until it is clear which one is on the disk */
	rc = segment_install(m->env, path);
	if (rc < 0) {
		log_writer_free(w);
		return manifest_in_doubt(rc);
	}
	m->writer = w;
	m->edits = 1;
	return 0;
}

int manifest_create(struct env *env, const struct version *v, struct manifest **out)
{
	struct manifest *m = mem_calloc(1, sizeof(*m));
	int rc;

	if (!m)
		return report(&env->rep, SILT_E_NOMEM, "MANIFEST: no memory");
	m->env = env;
	rc = manifest_roll(m, v);
	if (rc < 0) {
		manifest_close(m);
		return rc;
	}
	*out = m;
	return 0;
}

int manifest_append(struct manifest *m, const struct edit *e, const struct version *next)
{
	int rc;

	if (!m->writer)
		return SILT_E_FAULT;
	rc = manifest_encode(m, e);
	if (rc < 0)
		return rc;
	if (m->edits >= MANIFEST_EDITS || !log_writer_fits(m->writer, 1, m->bytes.len))
		return manifest_roll(m, next);
	rc = manifest_put(m, m->writer, m->edits + 1);
	if (rc == 0)
		m->edits++;
	if (rc < 0 && rc != SILT_E_NOMEM)       /* rule 2; no memory is met before anything is written */
		manifest_poison(m);
	return manifest_in_doubt(rc);
}

void manifest_close(struct manifest *m)
{
	if (!m)
		return;
	log_writer_free(m->writer);
	buf_fini(&m->bytes);
	mem_free(m);
}

uint64_t manifest_bytes(const struct manifest *m)
{
	return m->writer ? log_writer_end(m->writer) : 0;
}

/* ---- reading --------------------------------------------------------------------------------------------------------- */

struct manifest_reading {
	struct env *env;
	const char *path;
	struct version *version;          /* so far */
	uint64_t edits;
};

static int manifest_step(struct manifest_reading *r, const struct edit *e)
{
	struct version *next;
	int rc = version_apply(r->version, e, &r->env->rep, &next);

	if (rc < 0)
		return rc;
	version_unref(r->version);
	r->version = next;
	return 0;
}

static int manifest_apply(void *ctx, uint64_t segment, const struct log_record *record)
{
	struct manifest_reading *r = ctx;
	struct edit e;
	int rc;

	(void)segment;
	if (record->kind != LOG_DATA || record->version != r->edits + 1)
		return report(&r->env->rep, SILT_E_CORRUPT, "%s: offset %" PRIu64 ": edit %" PRIu64 " was due", r->path,
		              record->offset, r->edits + 1);
	rc = edit_decode(record->payload, &e);
	if (rc < 0)
		return report(&r->env->rep, rc, "%s: offset %" PRIu64 ": %s", r->path, record->offset,
		              rc == SILT_E_VERSION ? "an edit of a later format" : rc == SILT_E_NOMEM ? "no memory" : "no edit");
	rc = manifest_step(r, &e);
	edit_fini(&e);
	if (rc < 0)
		return report(&r->env->rep, rc, "%s: offset %" PRIu64 ": the edit can't be applied", r->path, record->offset);
	r->edits++;
	return 0;
}

/* Is there anything but zeros from an offset on? */
static int manifest_scan_tail(struct env *env, const char *path, struct os_file *file, uint64_t offset, bool *torn)
{
	uint8_t *piece = mem_alloc(MANIFEST_PIECE);
	size_t got = MANIFEST_PIECE;
	int rc = 0;

	if (!piece)
		return report(&env->rep, SILT_E_NOMEM, "%s: no memory", path);
	*torn = false;
	for (; rc == 0 && got == MANIFEST_PIECE && !*torn; offset += got) {
		rc = env->os->read(env->os, file, offset, piece, MANIFEST_PIECE, &got);
		for (size_t i = 0; rc == 0 && i < got && !*torn; i++)
			*torn = piece[i] != 0;
	}
	mem_free(piece);
	return rc < 0 ? report(&env->rep, rc, "%s: offset %" PRIu64 ": %s", path, offset, env->os->error_text(env->os)) : 0;
}

static int manifest_tail(struct env *env, const char *path, uint64_t offset, bool *torn)
{
	struct log_header h;
	struct os_file *file;
	int rc = segment_open(env, LOG_MANIFEST, path, false, &h, &file);

	if (rc == SILT_NOTFOUND)
		rc = report(&env->rep, SILT_E_IO, "%s: gone while it was read", path);
	if (rc < 0)
		return rc;
	rc = manifest_scan_tail(env, path, file, offset, torn);
	(void)env->os->close(env->os, file);
	return rc;
}

int manifest_read(struct env *env, struct manifest_found *out)
{
	char path[FILENAME_MAX_BYTES];
	struct manifest_reading r = { .env = env, .path = path };
	struct log_end end;
	bool torn = false;
	int rc = manifest_path(env, false, path);

	if (rc == 0 && version_new(&r.version) < 0)
		rc = report(&env->rep, SILT_E_NOMEM, "%s: no memory", path);
	if (rc == 0)
		rc = log_judge(env, LOG_MANIFEST, NULL, 0, path, manifest_apply, &r, &end);
	if (rc == 0 && r.edits == 0)
		rc = report(&env->rep, SILT_E_CORRUPT, "%s: offset %u: the first edit is damaged", path, (unsigned)LOG_PAGE);
	if (rc == 0)
		rc = manifest_tail(env, path, end.offset, &torn);
	if (rc == 0) {
		*out = (struct manifest_found){ r.version, torn, r.edits };
		r.version = NULL;
	}
	version_unref(r.version);
	return rc;
}
