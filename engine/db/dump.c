/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dump.c - one file of a store printed for people, alone and as far as it can be read.
 *
 * A table is known by its magic at the end or by its name, a log by its magic at the beginning or by its name, so that damage
 * at either place is still called by its kind.
 */
#include "base/codec.h"
#include "base/mem.h"
#include "core/filename.h"
#include "db/dump_log.h"
#include "db/dump_table.h"
#include "table/table.h"

/* Messages of the rooms below: who finds damage has said what and where. */
static void dump_message(void *ctx, enum silt_log_level level, const char *message)
{
	struct dump *d = ctx;

	d->damages += level <= SILT_LOG_ERROR;
	dump_line(d, "%s: %s", level <= SILT_LOG_ERROR ? "damage" : "note", message);
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
