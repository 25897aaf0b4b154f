/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flush.c - a sealed memtable, newest version first, through keep into one table.
 *
 * Deletes stay: what they hide may lie in any level. What goes is what a newer version of the same memtable hides from every
 * reader or a range delete does; an expired put becomes a delete. Range deletes are reduced to what their readers need, and stay.
 */
#include "job/flush.h"

#include <inttypes.h>

#include "job/output.h"

enum { FLUSH_LOOK_EVERY = 256, FLUSH_LARGE = 16 << 10 };     /* entries between looks at what the store wants; a value that is looked up from */

static int flush_entry(struct output *o, struct keep *k, const struct entry *e)
{
	struct entry out = *e;
	enum keep_verdict verdict;
	int rc = keep_decide(k, e, false, &verdict);

	if (rc < 0 || verdict == KEEP_NOT)
		return rc;
	if (verdict == KEEP_AS_DELETE)
		out = (struct entry){ .key = e->key, .version = e->version, .kind = ENTRY_DELETE };
	return output_add(o, &out);
}

static int flush_entries(struct output *o, struct iter *it, struct keep *k, uint64_t total)
{
	struct job *job = o->job;
	int rc;

	for (rc = it->ops->first(it); rc == 0; rc = iter_next(it)) {
		rc = flush_entry(o, k, it->cur);
		if (rc < 0)
			return rc;
		if (++o->counts->entries_in % FLUSH_LOOK_EVERY && it->cur->value.len < FLUSH_LARGE)
			continue;
		if (job->should_stop(job->ctx))
			return SILT_E_CLOSED;
		output_pace(o);
		if (job->progress)
			job->progress(job->ctx, o->counts->entries_in, total);
	}
	return rc == SILT_END ? output_end(o) : rc;
}

/* Nothing came in that neither went out nor was let go on purpose. */
static int flush_check(const struct output *o, const struct keep *k, uint64_t expected)
{
	const struct job_counts *c = o->counts;

	if (c->entries_in == expected && c->entries_in == c->entries_out + k->dropped)
		return 0;
	return report(&o->job->env->rep, SILT_E_CORRUPT, "flush: of %" PRIu64 " entries %" PRIu64 " were read, %" PRIu64
	              " written, %" PRIu64 " dropped", expected, c->entries_in, c->entries_out, k->dropped);
}

static int flush_add_range(void *ctx, struct silt_slice lower, struct silt_slice upper, uint64_t version)
{
	return tombstones_add(ctx, lower, upper, version);
}

static int flush_ranges(const struct job *job, const struct memtable *m, struct tombstones **out)
{
	struct tombstones_builder b = { 0 };
	int rc = memtable_ranges(m, UINT64_MAX, true, flush_add_range, &b);

	if (rc == 0)
		rc = tombstones_build(&b, job->keep.snapshots, job->keep.snapshot_count, out);
	tombstones_builder_fini(&b);
	return rc;
}

int flush_run(struct job *job, struct memtable *m, struct edit *edit, struct job_counts *counts)
{
	uint64_t entries = memtable_entries(m) - memtable_range_deletes(m);
	struct tombstones *ranges = NULL;
	struct output o;
	struct keep k;
	struct iter *it;
	int rc;

	memset(counts, 0, sizeof(*counts));
	output_init(&o, job, job->env->opts.compression, counts);
	keep_init(&k, &job->keep);
	it = memtable_iter(m);
	rc = it ? flush_ranges(job, m, &ranges) : SILT_E_NOMEM;
	k.ranges.list = ranges;
	output_ranges(&o, ranges, NULL, NULL);
	if (rc == 0)
		rc = flush_entries(&o, it, &k, entries);
	if (rc == 0)
		rc = flush_check(&o, &k, entries);
	if (rc == 0)
		rc = output_offer(&o, 0, edit);
	counts->dropped = k.dropped;
	counts->expired = k.expired;
	iter_close(it);
	keep_fini(&k);
	output_fini(&o);
	tombstones_free(ranges);
	return rc;
}
