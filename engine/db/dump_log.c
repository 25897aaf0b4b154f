/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dump_log.c - a log segment or a manifest, record by record.
 *
 * Its end is judged as recovery does within one segment: a record behind the end that was written after it was synced means
 * damage; else it is the end of what was written, or a torn tail.
 */
#include "db/dump_log.h"

#include <inttypes.h>

#include "core/batch_reader.h"
#include "log/reader.h"
#include "log/scan.h"
#include "log/segment.h"
#include "version/edit.h"

static const char *dump_record_kind(enum log_record_kind kind)
{
	static const char *const names[] = { "?", "DATA", "SKIP", "MARK", "SEAL" };

	return kind <= LOG_SEAL ? names[kind] : names[0];
}

static int dump_batch(struct dump *d, const struct log_record *r)
{
	struct batch_reader reader;
	struct entry e;
	int rc = batch_reader_init(&reader, r->payload);

	while (rc == 0 && (rc = batch_reader_next(&reader, &e)) == 0)
		dump_entry(d, "    ", &e);
	if (rc == SILT_END)
		return 0;
	return report(&d->env.rep, rc, "offset %" PRIu64 ": the batch does not parse", r->offset);
}

static void dump_meta(struct dump *d, int level, const struct table_meta *m)
{
	dump_line(d, "    add to level %d: %06" PRIu64 ".sst, %" PRIu64 " bytes, %" PRIu64 " entries, %" PRIu64
	          " deletes, %" PRIu64 " range deletes, versions %" PRIu64 " to %" PRIu64 ", %s to %s", level, m->number, m->size,
	          m->entries, m->tombstones, m->range_deletes, m->min_version, m->max_version, dump_text(d, 0, m->smallest, 64), dump_text(d, 1, m->largest, 64));
}

static int dump_edit(struct dump *d, const struct log_record *r)
{
	struct edit e;
	int rc = edit_decode(r->payload, &e);

	if (rc < 0)
		return report(&d->env.rep, rc, "offset %" PRIu64 ": the edit does not parse", r->offset);
	if (e.has_wal_number)
		dump_line(d, "    oldest log segment needed: %06" PRIu64, e.wal_number);
	if (e.has_next_file)
		dump_line(d, "    next file number: %" PRIu64, e.next_file);
	if (e.has_last_version)
		dump_line(d, "    tables hold versions up to %" PRIu64, e.last_version);
	for (size_t i = 0; i < e.drop_count; i++)
		dump_line(d, "    drop from level %d: %06" PRIu64 ".sst", e.drops[i].level, e.drops[i].number);
	for (size_t i = 0; i < e.add_count; i++)
		dump_meta(d, e.adds[i].level, e.adds[i].meta);
	edit_fini(&e);
	return 0;
}

static const char *dump_record_flags(const struct log_record *r)
{
	if (r->kind == LOG_SEAL && (r->flags & LOG_SEAL_CLEAN))
		return ", orderly close";
	return r->kind == LOG_SKIP && (r->flags & LOG_SKIP_UNLOGGED) ? ", written to tables alone" : "";
}

static int dump_record(struct dump *d, enum log_kind kind, const struct log_record *r)
{
	dump_line(d, "%" PRIu64 ": %s, version %" PRIu64 ", synced to %" PRIu64 ", payload of %zu bytes%s", r->offset,
	          dump_record_kind(r->kind), r->version, r->synced_to, r->payload.len, dump_record_flags(r));
	if (r->kind != LOG_DATA)
		return 0;
	return kind == LOG_WAL ? dump_batch(d, r) : dump_edit(d, r);
}

/* Nothing readable at `at`, and no SEAL before it. */
static int dump_end(struct dump *d, const char *path, const struct log_header *h, struct os_file *file, uint64_t at)
{
	uint64_t witness = 0;
	int rc = at + 8 < h->capacity ? log_scan(&d->env, path, h, file, at + 8, at, &witness) : SILT_END;

	if (rc < 0)
		return rc;
	if (rc == 0)
		return report(&d->env.rep, SILT_E_CORRUPT, "offset %" PRIu64 ": damaged, not torn: the record at %" PRIu64
		              " was written after it was synced", at, witness);
	dump_line(d, "end: offset %" PRIu64 ": no record follows: the end of what was written, or a torn tail", at);
	return 0;
}

static int dump_records(struct dump *d, const char *path, const struct log_header *h, struct os_file *file)
{
	struct log_reader *reader = NULL;
	struct log_record r;
	bool sealed = false;
	int rc = log_reader_new(&d->env, path, h, file, &reader);

	if (rc < 0)
		return rc;
	while (!sealed && (rc = log_reader_next(reader, &r)) == 0 && (rc = dump_record(d, h->kind, &r)) == 0)
		sealed = r.kind == LOG_SEAL;
	if (sealed)
		dump_line(d, "end: offset %" PRIu64 ": sealed", log_reader_offset(reader));
	else if (rc == SILT_END)
		rc = dump_end(d, path, h, file, log_reader_offset(reader));
	log_reader_free(reader);
	return rc;
}

int dump_log(struct dump *d, enum log_kind kind, const char *path)
{
	struct os_file *file = NULL;
	struct log_header h;
	int rc = segment_open(&d->env, kind, path, false, &h, &file);

	if (rc != 0)
		return rc;
	dump_line(d, "%s: %s, number %" PRIu64 ", salt %016" PRIx64 ", %" PRIu64 " bytes", path,
	          kind == LOG_WAL ? "log segment" : "manifest", h.number, h.salt, h.capacity);
	rc = dump_records(d, path, &h, file);
	(void)d->env.os->close(d->env.os, file);  /* only read */
	return rc;
}
