/* SPDX-License-Identifier: Apache-2.0 */
/* repair_table.c - one table after the other: sound, or what is left of it. */
#include <inttypes.h>
#include <stdio.h>

#include "db/repair_table.h"

#include "core/filename.h"
#include "table/table_file.h"
#include "table/table_salvage.h"
#include "table/table_writer.h"

struct repair_table {
	struct repair *r;
	int level;
	struct table_meta *meta;
	char name[32];
	struct table_writer *writer;      /* NULL: nothing to write yet, or never */
	uint64_t saved, ranges;
};

/* ---- what is left goes into a new one ------------------------------------------------------------------------------------ */

static int repair_table_open_writer(struct repair_table *t)
{
	const struct silt_options *o = &t->r->env.opts;
	struct table_settings s = { o->block_size, o->filter_bits_per_key,
		                    t->level == SILT_LEVELS - 1 ? o->compression_bottom : o->compression };

	if (t->writer || !t->r->apply)
		return 0;
	return table_writer_open(&t->r->env, t->r->job.next_number(t->r->job.ctx), &s, &t->writer);
}

static int repair_table_entry(void *ctx, const struct entry *e)
{
	struct repair_table *t = ctx;
	int rc = repair_table_open_writer(t);

	t->saved++;
	return rc == 0 && t->writer ? table_writer_add(t->writer, e) : rc;
}

static int repair_table_range(void *ctx, const struct tombstone *range)
{
	struct repair_table *t = ctx;
	int rc = repair_table_open_writer(t);

	t->ranges++;
	return rc == 0 && t->writer ? table_writer_add_range(t->writer, range) : rc;
}

static int repair_table_lost(void *ctx, struct silt_slice from, struct silt_slice to)
{
	struct repair_table *t = ctx;
	struct silt_finding f = { .kind = SILT_FOUND_RANGE, .file = t->name, .level = t->level, .lower = from, .upper = to };
	char lower[TABLE_KEY_TEXT], upper[TABLE_KEY_TEXT];

	repair_say(t->r, &f, "%s: can't be read from %s to %s: older versions of these keys may be seen again", t->name,
	           table_key_text(from, from.len, lower), table_key_text(to, to.len, upper));
	return 0;
}

/* The new table is read back before the edit speaks of it. */
static int repair_table_finish(struct repair_table *t, struct table_meta **out)
{
	struct table *made = NULL;
	struct table_meta *m = NULL;
	int rc;

	*out = NULL;
	if (!t->writer)
		return 0;
	rc = table_writer_finish(t->writer, &m);
	t->writer = NULL;
	if (rc < 0)
		return rc;
	rc = edit_add_table(&t->r->edit, t->level, m);    /* from here on it is removed with the edit's */
	*out = m;
	table_meta_unref(m);
	if (rc == 0)
		rc = table_cache_get(t->r->tables, m, &made);
	if (rc == 0) {
		rc = table_verify(made, NULL, NULL);
		table_cache_put(t->r->tables, made);
	}
	return rc;
}

/* ---- telling ---------------------------------------------------------------------------------------------------------------- */

static void repair_table_say_gone(struct repair_table *t, const char *how)
{
	const struct table_meta *m = t->meta;
	struct silt_finding f = {
		.kind = SILT_FOUND_TABLE_GONE, .file = t->name, .level = t->level, .entries_lost = m->entries,
		.first_version = m->min_version, .last_version = m->max_version, .lower = m->smallest, .upper = m->largest,
	};
	char lower[TABLE_KEY_TEXT], upper[TABLE_KEY_TEXT];

	t->r->sum.entries_lost += m->entries;
	repair_say(t->r, &f, "%s, level %d: %s: all %" PRIu64 " entries and %" PRIu64 " range deletes are lost, of keys from %s to %s, versions %"
	           PRIu64 " to %" PRIu64 "; older versions of these keys may be seen again", t->name, t->level, how, m->entries,
	           m->range_deletes, table_key_text(m->smallest, m->smallest.len, lower),
	           table_key_text(m->largest, m->largest.len, upper), m->min_version, m->max_version);
}

static void repair_table_say_damaged(struct repair_table *t, const struct table_meta *made)
{
	const struct table_meta *m = t->meta;
	uint64_t lost = m->entries > t->saved ? m->entries - t->saved : 0;
	struct silt_finding f = {
		.kind = SILT_FOUND_TABLE, .file = t->name, .level = t->level, .entries_saved = t->saved, .entries_lost = lost,
		.first_version = m->min_version, .last_version = m->max_version, .lower = m->smallest, .upper = m->largest,
	};
	char into[48] = "";

	t->r->sum.entries_saved += t->saved;
	t->r->sum.entries_lost += lost;
	if (made)
		(void)snprintf(into, sizeof(into), " and are now in %06" PRIu64 ".sst", made->number);
	repair_say(t->r, &f, "%s, level %d: damaged: of %" PRIu64 " entries %" PRIu64 " are lost; %" PRIu64 " can be read%s", t->name,
	           t->level, m->entries, lost, t->saved, into);
}

/* ---- one table ---------------------------------------------------------------------------------------------------------------- */

static int repair_table_drop(struct repair_table *t, bool there)
{
	int rc = edit_drop_table(&t->r->edit, t->level, t->meta->number);

	t->r->sum.tables_damaged++;
	return rc == 0 && there ? repair_set_aside(t->r, t->name) : rc;
}

static int repair_table_salvage(struct repair_table *t)
{
	static const struct table_salvage_sink sink = { repair_table_entry, repair_table_range, repair_table_lost };
	struct table_meta *made = NULL;
	int rc = table_salvage(&t->r->quiet, t->meta, &sink, t);

	if (rc == SILT_E_CORRUPT && t->saved == 0 && t->ranges == 0) {
		repair_table_say_gone(t, "can't be read");
		return repair_table_drop(t, true);
	}
	if (rc == 0)
		rc = repair_table_finish(t, &made);
	table_writer_abandon(t->writer);
	if (rc < 0)
		return rc;
	repair_table_say_damaged(t, made);
	return repair_table_drop(t, true);
}

/* A table's progress as the whole's. */
static int repair_table_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct repair *r = ctx;
	const struct silt_options *o = &r->env.opts;

	(void)total;
	return o->progress ? o->progress(o->progress_ctx, r->done + done, r->total) : 0;
}

/* 0 = sound; SILT_E_CORRUPT: not; what the disk refuses to read is damage, too. */
static int repair_table_look(struct repair *r, struct table_meta *m)
{
	struct table *t = NULL;
	int rc = table_cache_get(r->tables, m, &t);

	if (rc < 0)
		return rc;
	rc = table_verify(t, repair_table_progress, r);
	table_cache_put(r->tables, t);
	return rc == SILT_E_IO ? SILT_E_CORRUPT : rc;
}

static int repair_table(struct repair *r, int level, struct table_meta *m)
{
	struct repair_table t = { .r = r, .level = level, .meta = m };
	char path[FILENAME_MAX_BYTES];
	struct os_stat st;
	int rc;

	(void)snprintf(t.name, sizeof(t.name), "%06" PRIu64 ".sst", m->number);
	rc = filename_table(r->env.dir, m->number, false, path);
	if (rc == 0)
		rc = r->env.os->stat(r->env.os, path, &st);
	if (rc == SILT_NOTFOUND) {
		repair_table_say_gone(&t, "missing");
		return repair_table_drop(&t, false);
	}
	if (rc < 0)
		return report(&r->env.rep, rc, "%s: %s", path, r->env.os->error_text(r->env.os));
	rc = repair_table_look(r, m);
	return rc == SILT_E_CORRUPT ? repair_table_salvage(&t) : rc;
}

int repair_tables(struct repair *r)
{
	const struct version *v = r->found.version;
	int rc = 0;

	for (int l = 0; l < SILT_LEVELS; l++)
		r->total += v->levels[l].bytes;
	for (int l = 0; l < SILT_LEVELS; l++)
		for (size_t i = 0; rc == 0 && i < v->levels[l].n; i++) {
			rc = repair_table(r, l, v->levels[l].tables[i]);
			r->done += v->levels[l].tables[i]->size;
			if (rc == 0 && repair_table_progress(r, 0, 0) != 0)
				rc = SILT_END;
		}
	return rc;
}
