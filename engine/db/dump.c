/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dump.c - one file of a store printed for people, alone and as far as it can be read.
 *
 * A table is known by its magic at the end or by its name, a log by its magic at the beginning or by its name, so that damage
 * at either place is still called by its kind. A log's end is judged as recovery does within one segment: a record behind
 * the end that was written after it was synced means damage; else it is the end of what was written, or a torn tail.
 */
#include "db/dump.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "core/batch.h"
#include "core/filename.h"
#include "log/reader.h"
#include "log/scan.h"
#include "log/segment.h"
#include "table/table.h"
#include "version/edit.h"

/* ---- lines --------------------------------------------------------------------------------------------------------------- */

void dump_line(struct dump *d, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(d->line, sizeof(d->line), format, args);
	va_end(args);
	d->fn(d->ctx, d->line);
}

const char *dump_text(struct dump *d, int slot, struct silt_slice s, size_t shown)
{
	static const char hex[] = "0123456789abcdef";
	const uint8_t *p = s.data;
	char *out = d->text[slot];
	size_t n = 0;

	out[n++] = '"';
	for (size_t i = 0; i < s.len && i < shown; i++) {
		if (p[i] >= 0x20 && p[i] < 0x7f && p[i] != '"' && p[i] != '\\') {
			out[n++] = (char)p[i];
			continue;
		}
		out[n++] = '\\';
		out[n++] = 'x';
		out[n++] = hex[p[i] >> 4];
		out[n++] = hex[p[i] & 15];
	}
	memcpy(out + n, s.len > shown ? "\"..." : "\"", s.len > shown ? 5 : 2);
	return out;
}

void dump_entry(struct dump *d, const char *indent, const struct entry *e)
{
	char more[640] = "", version[32] = "";
	size_t n = 0;

	if (e->version)
		(void)snprintf(version, sizeof(version), " version %" PRIu64, e->version);
	if (e->kind == ENTRY_DELETE) {
		dump_line(d, "%sdelete %s%s", indent, dump_text(d, 0, e->key, SILT_KEY_MAX), version);
		return;
	}
	if (e->expires_ms)
		n += (size_t)snprintf(more, sizeof(more), " expires %" PRIu64, e->expires_ms);
	if (e->meta.len)
		(void)snprintf(more + n, sizeof(more) - n, " meta %s", dump_text(d, 1, e->meta, 128));
	dump_line(d, "%sput %s%s%s value of %zu bytes %s", indent, dump_text(d, 0, e->key, SILT_KEY_MAX), version, more,
	          e->value.len, dump_text(d, 1, e->value, DUMP_VALUE_SHOWN));
}

/* Messages of the rooms below: who finds damage has said what and where. */
static void dump_message(void *ctx, enum silt_log_level level, const char *message)
{
	struct dump *d = ctx;

	d->damages += level <= SILT_LOG_ERROR;
	dump_line(d, "%s: %s", level <= SILT_LOG_ERROR ? "damage" : "note", message);
}

/* ---- logs ------------------------------------------------------------------------------------------------------------------ */

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
	          " deletes, versions %" PRIu64 " to %" PRIu64 ", %s to %s", level, m->number, m->size, m->entries, m->tombstones,
	          m->min_version, m->max_version, dump_text(d, 0, m->smallest, 64), dump_text(d, 1, m->largest, 64));
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

static int dump_record(struct dump *d, enum log_kind kind, const struct log_record *r)
{
	dump_line(d, "%" PRIu64 ": %s, version %" PRIu64 ", synced to %" PRIu64 ", payload of %zu bytes%s", r->offset,
	          dump_record_kind(r->kind), r->version, r->synced_to, r->payload.len,
	          r->kind == LOG_SEAL && (r->flags & LOG_SEAL_CLEAN) ? ", orderly close" : "");
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

static int dump_log(struct dump *d, enum log_kind kind, const char *path)
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

/* ---- which kind it is ------------------------------------------------------------------------------------------------------- */

enum dump_kind { DUMP_UNKNOWN, DUMP_TABLE, DUMP_WAL, DUMP_MANIFEST };

static const char *dump_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The first bytes as a log's header has them: its kind is behind magic and format. */
static enum dump_kind dump_kind_of_head(const uint8_t head[16])
{
	if (memcmp(head, "SILTLOG1", 8) != 0)
		return DUMP_UNKNOWN;
	return codec_get32(head + 12) == LOG_MANIFEST ? DUMP_MANIFEST : DUMP_WAL;
}

static enum dump_kind dump_kind_of_name(const char *path)
{
	uint64_t number;

	switch (filename_parse(dump_base_name(path), &number)) {
	case FILE_TABLE:
		return DUMP_TABLE;
	case FILE_WAL:
		return DUMP_WAL;
	case FILE_MANIFEST:
		return DUMP_MANIFEST;
	default:
		return DUMP_UNKNOWN;
	}
}

/* By what stands in it, else by its name. */
static int dump_look(struct dump *d, const char *path, enum dump_kind *kind)
{
	silt_os *os = d->env.os;
	struct os_file *file = NULL;
	uint8_t head[16] = { 0 }, tail[256] = { 0 };
	uint64_t size = 0;
	size_t got = 0;
	int rc = os->open(os, path, OS_READ, &file);

	if (rc == 0)
		rc = os->size(os, file, &size);
	if (rc == 0)
		rc = os->read(os, file, 0, head, sizeof(head), &got);
	if (rc == 0)
		rc = os->read(os, file, size > sizeof(tail) ? size - sizeof(tail) : 0, tail, sizeof(tail), &got);
	if (rc != 0)
		dump_line(d, "%s: %s", path, os->error_text(os));
	if (file)
		(void)os->close(os, file);
	if (rc != 0)
		return rc;
	*kind = dump_kind_of_head(head);
	if (*kind == DUMP_UNKNOWN && memmem(tail, got, TABLE_MAGIC, sizeof(TABLE_MAGIC) - 1))
		*kind = DUMP_TABLE;
	if (*kind == DUMP_UNKNOWN)
		*kind = dump_kind_of_name(path);
	return 0;
}

static int dump_file(struct dump *d, const char *path)
{
	enum dump_kind kind = DUMP_UNKNOWN;
	int rc = dump_look(d, path, &kind);

	if (rc != 0)
		return rc;
	switch (kind) {
	case DUMP_TABLE:
		return dump_table(d, path);
	case DUMP_WAL:
		return dump_log(d, LOG_WAL, path);
	case DUMP_MANIFEST:
		return dump_log(d, LOG_MANIFEST, path);
	case DUMP_UNKNOWN:
		break;
	}
	dump_line(d, "%s: neither a table nor a log segment nor a manifest", path);
	return SILT_E_MISUSE;
}

int silt_dump(const char *path, silt_dump_line_fn *fn, void *ctx)
{
	struct dump *d;
	int rc;

	if (!path || !fn)
		return SILT_E_MISUSE;
	d = mem_calloc(1, sizeof(*d));
	if (!d)
		return SILT_E_NOMEM;
	d->env = (struct env){ .os = os_posix(), .rep = { dump_message, d }, .dir = "." };
	silt_options_init(&d->env.opts);
	d->fn = fn;
	d->ctx = ctx;
	rc = dump_file(d, path);
	mem_free(d);
	return rc;
}
