/* SPDX-License-Identifier: Apache-2.0 */
/*
 * repair_log.c - the log, cut where it is damaged.
 *
 *      000012.wal   | 7 | 8 | 9 |~~~bad~~~| 12 | 13 | SEAL      000013.wal  | 14 | ...
 *                               cut       can be read, but are no prefix any more: counted, told, lost
 *
 * The versions between the last sound write and the next that can be read (10, 11) are known to be lost; behind the last one that
 * can be read nothing is known, unless a SEAL says that it was the last.
 */
#include <inttypes.h>
#include <stdio.h>

#include "db/repair_log.h"

#include "core/batch_reader.h"
#include "core/filename.h"
#include "db/recover.h"
#include "job/flush.h"
#include "log/reader.h"
#include "log/scan.h"
#include "log/segment.h"
#include "log/writer.h"

enum { REPAIR_LOG_BYTES = 2 * LOG_PAGE };

struct repair_log {
	struct repair *r;
	const uint64_t *numbers;          /* the segments from the oldest needed one on */
	size_t n, contiguous;             /* all of them; before the first gap */
	struct log_end end;               /* where it is cut */
	uint64_t last_version;            /* the highest seen anywhere, sound or lost */
	struct memtable *m;               /* with r->apply: being filled */
	bool insert;                      /* the second walk */
	bool overlaps;                    /* it begins with writes that the tables hold: recovery refuses it (recover.c) */
};

/* ---- the sound beginning ------------------------------------------------------------------------------------------------- */

/* A batch is taken whole or not at all. */
static int repair_log_parses(const struct log_record *rec)
{
	struct batch_reader reader;
	struct entry e;
	int rc = batch_reader_init(&reader, rec->payload);

	while (rc == 0)
		rc = batch_reader_next(&reader, &e);
	return rc == SILT_END ? 0 : SILT_E_CORRUPT;
}

static int repair_log_flush(struct repair_log *l)
{
	struct job_counts counts;
	int rc = flush_run(&l->r->job, l->m, &l->r->edit, &counts);

	memtable_unref(l->m);
	l->m = NULL;
	return rc;
}

static int repair_log_insert(struct repair_log *l, uint64_t segment, const struct log_record *rec)
{
	uint64_t entries = 0;
	int rc = l->m ? 0 : memtable_new(segment, &l->m);

	if (rc == 0)
		rc = recover_insert(&l->r->env, l->m, segment, rec, &entries);
	if (rc == 0 && memtable_used(l->m) >= l->r->env.opts.memtable_size)
		rc = repair_log_flush(l);
	return rc;
}

static int repair_log_take(void *ctx, uint64_t segment, const struct log_record *rec)
{
	struct repair_log *l = ctx;

	if (rec->version > l->last_version)
		l->last_version = rec->version;
	if (rec->kind != LOG_DATA)
		return 0;
	if (repair_log_parses(rec) < 0)
		return report(&l->r->quiet.rep, SILT_E_CORRUPT, "%06" PRIu64 ".wal: offset %" PRIu64 ": the record's batch does not parse",
		              segment, rec->offset);
	if (rec->version <= l->r->found.version->last_version) {
		l->overlaps = true;
		return 0;
	}
	return l->insert ? repair_log_insert(l, segment, rec) : 0;
}

static int repair_log_walk(struct repair_log *l, bool insert)
{
	struct env *env = insert ? &l->r->quiet : &l->r->env;
	int rc;

	l->insert = insert;
	rc = log_judge(env, LOG_WAL, l->numbers, l->contiguous, NULL, repair_log_take, l, &l->end);
	if (insert && rc == SILT_E_CORRUPT)
		rc = 0;
	return rc;
}

/* ---- what is lost behind the cut ------------------------------------------------------------------------------------------- */

struct repair_lost {                      /* of one segment */
	uint64_t writes, operations;
	uint64_t first_version, last_version;
	bool sealed;
};

static void repair_log_count(struct repair_lost *lost, const struct log_record *rec)
{
	struct batch_reader reader;
	struct entry e;

	lost->sealed |= rec->kind == LOG_SEAL;
	if (rec->version > lost->last_version)
		lost->last_version = rec->version;
	if (rec->kind != LOG_DATA)
		return;
	if (lost->writes++ == 0)
		lost->first_version = rec->version;
	if (batch_reader_init(&reader, rec->payload) != 0)
		return;
	while (batch_reader_next(&reader, &e) == 0)
		lost->operations++;
}

/* Every intact record from an offset on; between them anything may stand. */
static int repair_log_scan_file(struct env *env, const char *path, const struct log_header *h, struct os_file *file, uint64_t from,
                                struct repair_lost *lost)
{
	struct log_reader *reader;
	struct log_record rec;
	int rc = log_reader_new(env, path, h, file, &reader);

	if (rc < 0)
		return rc;
	while (rc == 0 && !lost->sealed) {
		rc = log_scan(env, path, h, file, from, 0, &from);
		if (rc != 0)
			break;
		log_reader_seek(reader, from);
		while (!lost->sealed && (rc = log_reader_next(reader, &rec)) == 0)
			repair_log_count(lost, &rec);
		from = log_reader_offset(reader) + 8;
		if (rc == SILT_END)
			rc = from < h->capacity ? 0 : SILT_END;
	}
	log_reader_free(reader);
	return rc < 0 ? rc : 0;
}

/* 0; SILT_NOTFOUND: not there; SILT_E_CORRUPT: not even its header can be read. */
static int repair_log_scan(struct repair_log *l, uint64_t number, uint64_t from, struct repair_lost *lost)
{
	char path[FILENAME_MAX_BYTES];
	struct env *env = &l->r->quiet;
	struct os_file *file;
	struct log_header h;
	int rc = filename_wal(env->dir, number, false, path);

	memset(lost, 0, sizeof(*lost));
	if (rc == 0)
		rc = segment_open(env, LOG_WAL, path, false, &h, &file);
	if (rc != 0)
		return rc == SILT_E_IO ? SILT_E_CORRUPT : rc;
	rc = repair_log_scan_file(env, path, &h, file, from < LOG_PAGE ? LOG_PAGE : from, lost);
	(void)env->os->close(env->os, file);
	return rc == SILT_E_IO ? SILT_E_CORRUPT : rc;
}

static void repair_log_add(struct repair_log *l, const struct repair_lost *lost)
{
	l->r->sum.writes_lost += lost->writes;
	if (lost->last_version > l->last_version)
		l->last_version = lost->last_version;
}

static const char *repair_log_text(int rc, const struct repair_lost *lost, char *out, size_t room)
{
	if (rc == SILT_NOTFOUND)
		(void)snprintf(out, room, "it is missing, and what it held is not known");
	else if (rc < 0)
		(void)snprintf(out, room, "what it held can't be read");
	else if (lost->writes)
		(void)snprintf(out, room, "%" PRIu64 " writes (%" PRIu64 " operations) of versions %" PRIu64 " to %" PRIu64
		               " can be read there and are lost with it", lost->writes, lost->operations, lost->first_version,
		               lost->last_version);
	else
		(void)snprintf(out, room, "no whole write can be read there");
	return out;
}

/* The segment of the cut. */
static int repair_log_say_cut(struct repair_log *l)
{
	uint64_t good = l->end.last_version ? l->end.last_version : l->r->found.version->last_version;
	struct repair_lost lost;
	char name[32], text[192];
	struct silt_finding f = { .kind = SILT_FOUND_LOG, .file = name, .offset = l->end.offset, .first_version = good + 1 };
	int rc = repair_log_scan(l, l->end.number, l->end.offset, &lost);

	if (rc < 0 && rc != SILT_E_CORRUPT)
		return rc;
	(void)snprintf(name, sizeof(name), "%06" PRIu64 ".wal", l->end.number);
	repair_log_add(l, &lost);
	f.writes_lost = lost.writes;
	f.last_version = lost.sealed ? lost.last_version : 0;
	repair_say(l->r, &f, "%s: %s %" PRIu64 ": every write after version %" PRIu64 " is lost; %s", name,
	           l->overlaps ? "begins with writes that tables hold; what is new in it ends at offset" : "damaged at offset",
	           l->end.offset, good, repair_log_text(rc, &lost, text, sizeof(text)));
	return 0;
}

/* A segment behind the cut; one without a record was only made ahead. */
static int repair_log_say_behind(struct repair_log *l, uint64_t number)
{
	struct repair_lost lost;
	char name[32], text[192];
	struct silt_finding f = { .kind = SILT_FOUND_SEGMENT, .file = name };
	int rc = repair_log_scan(l, number, LOG_PAGE, &lost);

	if (rc < 0 && rc != SILT_E_CORRUPT)
		return rc;
	if (rc == 0 && lost.last_version == 0)
		return 0;
	(void)snprintf(name, sizeof(name), "%06" PRIu64 ".wal", number);
	repair_log_add(l, &lost);
	f.writes_lost = lost.writes;
	f.first_version = lost.first_version;
	f.last_version = lost.last_version;
	repair_say(l->r, &f, "%s: comes behind the damage: %s", name, repair_log_text(rc, &lost, text, sizeof(text)));
	return 0;
}

static int repair_log_say(struct repair_log *l)
{
	int rc = repair_log_say_cut(l);

	for (size_t i = 0; rc == 0 && i < l->n; i++)
		if (l->numbers[i] > l->end.number)
			rc = repair_log_say_behind(l, l->numbers[i]);
	return rc;
}

/* ---- doing --------------------------------------------------------------------------------------------------------------------- */

/* SKIP, synced, no SEAL: an unclean end, after which versions jump. */
static int repair_log_write_skip(struct repair *r, const char *path, uint64_t number, uint64_t version)
{
	struct os_file *file = NULL;
	struct log_writer *w = NULL;
	struct log_header h;
	int rc = segment_create(&r->env, LOG_WAL, path, number, REPAIR_LOG_BYTES, &h, &file);

	if (rc == 0)
		rc = log_writer_new(&r->env, path, &h, file, LOG_PAGE, LOG_PAGE, &w);
	if (rc == 0)
		rc = log_writer_reserve(w, 1, 0);
	if (rc == 0) {
		log_writer_add(w, LOG_SKIP, 0, version, slice_of(NULL, 0));
		rc = log_writer_append(w);
	}
	if (rc == 0)
		rc = log_writer_sync(w);
	log_writer_free(w);
	return rc;
}

static int repair_log_begin_anew(struct repair_log *l)
{
	struct repair *r = l->r;
	uint64_t number = l->end.number;
	char path[FILENAME_MAX_BYTES];
	int rc;

	for (size_t i = 0; i < r->files.wal_count; i++)
		number = r->files.wals[i] > number ? r->files.wals[i] : number;
	number++;
	rc = filename_wal(r->env.dir, number, false, path);
	if (rc == 0)
		r->new_log = number;
	if (rc == 0)
		rc = repair_log_write_skip(r, path, number, l->last_version);
	r->edit.has_wal_number = true;
	r->edit.wal_number = number;
	return rc;
}

static int repair_log_set_aside(struct repair_log *l)
{
	char name[32];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < l->n; i++) {
		(void)snprintf(name, sizeof(name), "%06" PRIu64 ".wal", l->numbers[i]);
		rc = repair_set_aside(l->r, name);
	}
	return rc;
}

static int repair_log_cut(struct repair_log *l)
{
	int rc = repair_log_say(l);

	if (rc < 0 || !l->r->apply)
		return rc;
	if (l->contiguous)
		rc = repair_log_walk(l, true);
	if (rc == 0 && l->m)
		rc = repair_log_flush(l);
	if (rc == 0)
		rc = repair_log_begin_anew(l);
	if (rc == 0)
		rc = repair_log_set_aside(l);
	memtable_unref(l->m);
	return rc;
}

/* Is it as recovery wants it? 0, or SILT_E_CORRUPT with l->end set. */
static int repair_log_judge(struct repair_log *l, uint64_t needed)
{
	int rc;

	if (l->n == 0 || l->numbers[0] != needed) {
		l->end = (struct log_end){ .number = needed, .offset = 0 };
		return SILT_E_CORRUPT;
	}
	while (l->contiguous < l->n && l->numbers[l->contiguous] == needed + l->contiguous)
		l->contiguous++;
	rc = repair_log_walk(l, false);
	if (rc == 0 && l->contiguous < l->n) {    /* the next one is missing, and later ones are there */
		uint64_t last = l->end.last_version;

		l->end = (struct log_end){ .number = needed + l->contiguous, .last_version = last };
		return SILT_E_CORRUPT;
	}
	return rc == 0 && l->overlaps ? SILT_E_CORRUPT : rc;
}

int repair_log(struct repair *r)
{
	uint64_t needed = r->found.version->wal_number;
	struct repair_log l = { .r = r, .last_version = r->found.version->last_version };
	size_t first = 0;
	int rc;

	while (first < r->files.wal_count && r->files.wals[first] < needed)
		first++;
	l.numbers = r->files.wals + first;
	l.n = r->files.wal_count - first;
	rc = repair_log_judge(&l, needed);
	return rc == SILT_E_CORRUPT ? repair_log_cut(&l) : rc;
}
