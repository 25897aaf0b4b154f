/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output.c - a job's tables, from the first entry to the edit; on failure no file is left (what can't be removed, the sweep
 * at open finds).
 */
#include "job/output.h"

#include <inttypes.h>

#include "base/mem.h"
#include "core/filename.h"
#include "core/key.h"

enum { OUTPUT_HASHES_SHARE = 16 };

void output_init(struct output *o, struct job *job, enum silt_compression compression, struct job_counts *counts)
{
	const struct silt_options *opts = &job->env->opts;

	memset(o, 0, sizeof(*o));
	o->job = job;
	o->counts = counts;
	o->settings = (struct table_settings){ opts->block_size, opts->filter_bits_per_key, compression };
}

static void output_remove(struct env *env, uint64_t number)
{
	char path[FILENAME_MAX_BYTES];

	if (filename_table(env->dir, number, false, path) == 0)
		(void)env->os->unlink(env->os, path);
}

void output_fini(struct output *o)
{
	table_writer_abandon(o->writer);
	for (size_t i = 0; i < o->made_count; i++) {
		output_remove(o->job->env, o->made[i]->number);
		table_meta_unref(o->made[i]);
	}
	mem_free(o->made);
	buf_fini(&o->range_from);
	memset(o, 0, sizeof(*o));
}

static int output_open(struct output *o)
{
	if (o->writer)
		return 0;
	return table_writer_open(o->job->env, o->job->next_number(o->job->ctx), &o->settings, &o->writer);
}

int output_add(struct output *o, const struct entry *e)
{
	int rc = output_open(o);

	if (rc == 0)
		rc = table_writer_add(o->writer, e);
	if (rc == 0)
		o->counts->entries_out++;
	return rc;
}

uint64_t output_bytes(const struct output *o)
{
	return o->writer ? table_writer_bytes(o->writer) : 0;
}

bool output_full(const struct output *o)
{
	const struct silt_options *opts = &o->job->env->opts;

	return o->writer && (table_writer_bytes(o->writer) >= opts->table_size ||
	                     table_writer_hashes(o->writer) >= opts->memory / OUTPUT_HASHES_SHARE);
}

void output_pace(struct output *o)
{
	uint64_t bytes = output_bytes(o);

	if (bytes <= o->paced)
		return;
	if (o->job->pace)
		o->job->pace(o->job->ctx, bytes - o->paced);
	o->paced = bytes;
}

static int output_stop_asked(void *ctx, uint64_t done, uint64_t total)
{
	struct job *job = ctx;

	(void)done;
	(void)total;
	return job->should_stop(job->ctx);
}

/* Reads a finished table back from the disk: only then may a manifest speak of it. */
static int output_verify(struct job *job, struct table_meta *m)
{
	struct table *t = NULL;
	int rc = table_cache_get(job->tables, m, &t);

	if (rc < 0)
		return rc;
	rc = table_verify(t, output_stop_asked, job);
	table_cache_put(job->tables, t);
	return rc == SILT_END ? SILT_E_CLOSED : rc;
}

/* Room for one more, before there is a file to lose. */
static int output_reserve(struct output *o)
{
	size_t room = o->made_room ? 2 * o->made_room : 4;
	struct table_meta **made;

	if (o->made_count < o->made_room)
		return 0;
	made = mem_resize(o->made, room, sizeof(*made));
	if (!made)
		return SILT_E_NOMEM;
	o->made = made;
	o->made_room = room;
	return 0;
}

static int output_finish(struct output *o)
{
	struct table_meta *m;
	int rc = output_reserve(o);

	if (rc < 0)
		return rc;
	rc = table_writer_finish(o->writer, &m);
	o->writer = NULL;
	if (rc < 0)
		return rc;
	o->made[o->made_count++] = m;
	o->counts->bytes_written += m->size;
	if (o->job->pace && m->size > o->paced)
		o->job->pace(o->job->ctx, m->size - o->paced);
	o->paced = 0;
	return output_verify(o->job, m);
}

/* ---- range deletes --------------------------------------------------------------------------------------------------- */

void output_ranges(struct output *o, const struct tombstones *list, bool (*deep)(void *ctx, struct silt_slice lower, struct silt_slice upper),
                   void *ctx)
{
	o->ranges = list;
	o->deep = deep;
	o->deep_ctx = ctx;
}

/* Rule 2 of "Ranges": of what lies over nothing only the versions above the oldest reader are left. */
static int output_piece(struct output *o, const struct tombstone *t, struct silt_slice lower, struct silt_slice upper)
{
	struct tombstone piece = { lower, upper, t->versions, t->n };
	int rc;

	if (o->deep && !o->deep(o->deep_ctx, lower, upper))
		while (piece.n > 0 && piece.versions[piece.n - 1] <= o->job->keep.snapshots[0])
			piece.n--;
	if (piece.n == 0)
		return 0;
	rc = output_open(o);
	return rc < 0 ? rc : table_writer_add_range(o->writer, &piece);
}

/* What is left of the list below upto; empty = all of it. */
static int output_deal(struct output *o, struct silt_slice upto)
{
	int rc = 0;

	for (; o->ranges && o->range_at < o->ranges->n && rc == 0; o->range_at++) {
		const struct tombstone *t = &o->ranges->at[o->range_at];
		struct silt_slice from = buf_slice(&o->range_from);
		struct silt_slice lower = slice_cmp(t->lower, from) >= 0 ? t->lower : from;

		if (!tombstone_below(lower, upto))
			break;
		if (tombstone_upper_cmp(t->upper, upto) <= 0) {
			rc = output_piece(o, t, lower, t->upper);
			continue;
		}
		rc = output_piece(o, t, lower, upto);
		break;
	}
	return rc == 0 ? buf_set(&o->range_from, upto) : rc;
}

/* Rule 1 of "Ranges": right behind the last key, into out[KEY_MAX]; empty = the cut must wait. */
static struct silt_slice output_cut_at(const struct output *o, uint8_t *out)
{
	struct silt_slice last = table_writer_last_key(o->writer);

	memcpy(out, last.data, last.len);
	if (last.len == KEY_MAX)          /* where nothing spans the place, what ends at it or before it is all there is */
		return slice_of(out, tombstones_at(o->ranges, last) ? 0 : last.len);
	out[last.len] = 0;
	return slice_of(out, last.len + 1);
}

int output_cut(struct output *o)
{
	uint8_t key[KEY_MAX];
	struct silt_slice at;
	int rc;

	if (!o->writer)
		return 0;
	if (o->ranges && o->range_at < o->ranges->n) {
		at = output_cut_at(o, key);
		if (at.len == 0)
			return 0;
		rc = output_deal(o, at);
		if (rc < 0)
			return rc;
	}
	return output_finish(o);
}

int output_end(struct output *o)
{
	int rc = output_deal(o, slice_of(NULL, 0));

	return rc == 0 && o->writer ? output_finish(o) : rc;
}

int output_offer(struct output *o, int level, struct edit *edit)
{
	uint64_t entries = 0;
	size_t before = edit->add_count;
	int rc = 0;

	for (size_t i = 0; i < o->made_count; i++)
		entries += o->made[i]->entries;
	if (entries != o->counts->entries_out)
		return report(&o->job->env->rep, SILT_E_CORRUPT, "job: %" PRIu64 " entries were written, and the tables hold %"
		              PRIu64, o->counts->entries_out, entries);
	for (size_t i = 0; rc == 0 && i < o->made_count; i++)
		rc = edit_add_table(edit, level, o->made[i]);
	if (rc < 0) {
		while (edit->add_count > before)
			table_meta_unref(edit->adds[--edit->add_count].meta);
		return rc;
	}
	while (o->made_count > 0)
		table_meta_unref(o->made[--o->made_count]);
	return 0;
}
