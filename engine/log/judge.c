/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judge.c - where a log ends.
 *
 * Recovery, step by step
 *   1. Walk a segment's records up to a SEAL, or to B, where the bytes are no record under its salt.
 *   2. At a SEAL the next segment comes: go to 1. There is none: the log ends here, sealed.
 *   3. At B two questions decide. A yes to either is damage: what stood at B had been synced, and is lost.
 *        Does an intact record behind B claim synced_to > B?     It was encoded after a sync of what stood at B.
 *        Has a later segment any record under its own salt?      Its first byte was written after this segment's SEAL was synced.
 *      Else B is the torn tail. Intact records behind B that claim no more than B are the rest of the group that was torn: never
 *      acknowledged, and not to be used, for what stood before them is gone.
 *
 *           synced          B
 *      | A | B | C |~~bad~~| D: synced_to = B |          torn tail: D was appended with C's group, or before its sync
 *      | A | B | C |~~bad~~| D: synced_to > B |          damage at B
 *
 * The bytes were read through the page cache, which may hold what the disk does not: recover.c.
 */
#include "log/judge.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/filename.h"
#include "log/reader.h"
#include "log/scan.h"
#include "log/segment.h"

struct judge {
	struct env *env;
	enum log_kind kind;
	const uint64_t *numbers;
	size_t n;
	const char *manifest_path;        /* NULL: the numbers are WAL segments */
	log_apply_fn *apply;
	void *ctx;
	uint64_t last_version;            /* 0 = none seen */
	uint64_t records;
	struct log_end end;               /* of the last segment that had a record */
	struct log_end bad;               /* where a walk that failed had come to */
};

/* One segment under judgement. */
struct judge_segment {
	char path[FILENAME_MAX_BYTES];
	struct log_header header;
	struct os_file *file;             /* owned */
	uint64_t offset;                  /* after the last record */
	uint64_t synced_to;               /* the highest claimed */
	uint64_t records;
	bool sealed, clean;
};

static int judge_missing(struct judge *j, uint64_t number)
{
	return report(&j->env->rep, SILT_E_CORRUPT, "%s: log segment %06" PRIu64 " is missing", j->env->dir, number);
}

static int judge_open_manifest(struct judge *j, struct judge_segment *s)
{
	int n = snprintf(s->path, sizeof(s->path), "%s", j->manifest_path);

	if (n < 0 || (size_t)n >= sizeof(s->path))
		return report(&j->env->rep, SILT_E_TOOBIG, "%s: the path is too long", j->manifest_path);
	return segment_open(j->env, j->kind, s->path, false, &s->header, &s->file);
}

static int judge_open_wal(struct judge *j, uint64_t number, struct judge_segment *s)
{
	int rc = filename_wal(j->env->dir, number, false, s->path);

	if (rc < 0)
		return report(&j->env->rep, rc, "%s: the path is too long", j->env->dir);
	rc = segment_open(j->env, j->kind, s->path, false, &s->header, &s->file);
	if (rc == SILT_NOTFOUND)
		return judge_missing(j, number);
	if (rc == 0 && s->header.number != number)
		return report(&j->env->rep, SILT_E_CORRUPT, "%s: offset 0: this is segment %06" PRIu64 " by its header", s->path,
		              s->header.number);
	return rc;
}

/* The i-th segment; judge_close() it also on failure. */
static int judge_open(struct judge *j, size_t i, struct judge_segment *s)
{
	s->file = NULL;
	s->offset = s->synced_to = LOG_PAGE;
	s->records = 0;
	s->sealed = s->clean = false;
	return j->manifest_path ? judge_open_manifest(j, s) : judge_open_wal(j, j->numbers[i], s);
}

static void judge_close(struct judge *j, struct judge_segment *s)
{
	if (s->file)
		(void)j->env->os->close(j->env->os, s->file);
}

/* Does the record have the version that is due? Until a first one was seen (0) any is. */
static bool judge_version_follows(uint64_t last, const struct log_record *r)
{
	if (r->version > SILT_VERSION_MAX)
		return false;
	switch (r->kind) {
	case LOG_DATA:
		return r->version != 0 && (last == 0 || r->version == last + 1);
	case LOG_SKIP:
		return r->version >= last;
	case LOG_MARK:
	case LOG_SEAL:
		break;
	}
	return last == 0 || r->version == last;
}

static int judge_record(struct judge *j, struct judge_segment *s, const struct log_record *r)
{
	uint64_t before = j->last_version;
	int rc = 0;

	if (!judge_version_follows(j->last_version, r))
		return report(&j->env->rep, SILT_E_CORRUPT, "%s: offset %" PRIu64 ": version %" PRIu64 " does not follow %" PRIu64,
		              s->path, r->offset, r->version, j->last_version);
	j->last_version = r->version;
	j->records++;
	s->records++;
	s->offset = r->end;
	if (r->synced_to > s->synced_to)
		s->synced_to = r->synced_to;
	if (r->kind == LOG_SEAL) {
		s->sealed = true;
		s->clean = r->flags & LOG_SEAL_CLEAN;
	}
	if (r->kind == LOG_DATA || r->kind == LOG_SKIP)
		rc = j->apply(j->ctx, s->header.number, r);
	if (rc < 0) {                             /* what is not taken is no part of what came before */
		j->last_version = before;
		s->offset = r->offset;
	}
	return rc;
}

/* Step 1. */
static int judge_walk(struct judge *j, struct judge_segment *s)
{
	struct log_reader *reader;
	struct log_record r;
	int rc = log_reader_new(j->env, s->path, &s->header, s->file, &reader);

	if (rc < 0)
		return rc;
	while (!s->sealed) {
		rc = log_reader_next(reader, &r);
		if (rc == 0)
			rc = judge_record(j, s, &r);
		if (rc < 0 || rc == SILT_END)
			break;
	}
	log_reader_free(reader);
	return rc < 0 ? rc : 0;
}

/* Step 3, the first question. */
static int judge_behind(struct judge *j, struct judge_segment *s)
{
	uint64_t witness;
	int rc = log_scan(j->env, s->path, &s->header, s->file, s->offset + 8, s->offset, &witness);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	return report(&j->env->rep, SILT_E_CORRUPT,
	              "%s: offset %" PRIu64 ": damaged, not torn: the record at %" PRIu64 " was written after it was synced", s->path,
	              s->offset, witness);
}

/* Step 3, the second question, of one later segment. */
static int judge_later(struct judge *j, const struct judge_segment *s, size_t i)
{
	struct judge_segment later;
	uint64_t witness;
	int rc = judge_open(j, i, &later);

	if (rc == 0)
		rc = log_scan(j->env, later.path, &later.header, later.file, LOG_PAGE, 0, &witness);
	if (rc == 0)
		rc = report(&j->env->rep, SILT_E_CORRUPT,
		            "%s: offset %" PRIu64 ": damaged, not torn: %s has a record (at %" PRIu64 "), so this segment was sealed",
		            s->path, s->offset, later.path, witness);
	judge_close(j, &later);
	return rc < 0 ? rc : 0;
}

/* The log ends in this segment, unless a later one has records. */
static void judge_keep(struct judge *j, const struct judge_segment *s)
{
	if (s->records == 0 && j->end.number != 0)
		return;
	j->end = (struct log_end){
		.number = s->header.number, .offset = s->offset, .synced_to = s->synced_to, .sealed = s->sealed, .clean = s->clean,
	};
}

/* All steps for the i-th segment; sealed = go on with the next. */
static int judge_segment(struct judge *j, size_t i, bool *sealed)
{
	struct judge_segment s;
	int rc = judge_open(j, i, &s);

	if (rc == 0)
		rc = judge_walk(j, &s);
	if (rc == 0 && !s.sealed)
		rc = judge_behind(j, &s);
	for (size_t later = i + 1; rc == 0 && !s.sealed && later < j->n; later++)
		rc = judge_later(j, &s, later);
	if (rc == 0) {
		judge_keep(j, &s);
		*sealed = s.sealed;
	} else {
		j->bad = (struct log_end){ .number = j->manifest_path ? 0 : j->numbers[i], .offset = s.offset };
	}
	judge_close(j, &s);
	return rc;
}

static int judge_contiguous(struct judge *j)
{
	for (size_t i = 1; i < j->n; i++)
		if (j->numbers[i] != j->numbers[i - 1] + 1)
			return judge_missing(j, j->numbers[i - 1] + 1);
	return 0;
}

int log_judge(struct env *env, enum log_kind kind, const uint64_t *numbers, size_t n, const char *manifest_path,
              log_apply_fn *apply, void *ctx, struct log_end *end)
{
	struct judge j = {
		.env = env, .kind = kind, .numbers = numbers, .n = manifest_path ? 1 : n, .manifest_path = manifest_path,
		.apply = apply, .ctx = ctx,
	};
	bool sealed = true;
	int rc = manifest_path ? 0 : judge_contiguous(&j);

	for (size_t i = 0; rc == 0 && sealed && i < j.n; i++)
		rc = judge_segment(&j, i, &sealed);
	if (rc == SILT_E_CORRUPT) {
		j.bad.last_version = j.last_version;
		*end = j.bad;
	}
	if (rc != 0)
		return rc;
	j.end.last_version = j.last_version;
	j.end.records = j.records;
	*end = j.end;
	return 0;
}
