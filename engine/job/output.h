/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output.h - the tables that a job writes: opened when the first entry comes, finished, read back from the disk, offered in an
 * edit or removed.
 *
 * Pattern   init; ranges, if there are any; add*, cut between keys as the job likes; end; offer; fini. Whatever was not offered is
 *           removed by fini.
 * Ranges    a list of range deletes is dealt out over the tables: each takes what lies between the ends of the table before and its own,
 *           where fragments are cut. (1) a table that is cut ends right behind its last key, with "\0" added: so both bounds are
 *           short keys, and the next table begins there. Behind a last key that is as long as keys may be no such key is: if a
 *           fragment spans that place the cut waits for the next key.  (2) a piece that `deep` says lies over nothing, of a
 *           version that every reader stands above, is forgotten: all that it covered was in the inputs.
 */
#ifndef JOB_OUTPUT_H
#define JOB_OUTPUT_H

#include "job/job.h"
#include "table/table_writer.h"

struct output {
	struct job *job;                  /* borrowed */
	struct job_counts *counts;        /* borrowed: entries_out, bytes_written */
	struct table_settings settings;
	struct table_writer *writer;      /* NULL between tables */
	uint64_t paced;                   /* bytes of the open table that pace() was told of */
	struct table_meta **made;         /* finished and verified, one reference each */
	size_t made_count, made_room;
	const struct tombstones *ranges;  /* borrowed; NULL = none */
	size_t range_at;                  /* the first fragment not dealt out whole */
	struct silt_buf range_from;       /* where the next table's part begins; empty = from the first key */
	bool (*deep)(void *ctx, struct silt_slice lower, struct silt_slice upper);  /* may an older table hold a key of it? NULL = yes */
	void *deep_ctx;
};

void output_init(struct output *o, struct job *job, enum silt_compression compression, struct job_counts *counts);
void output_fini(struct output *o);
int output_add(struct output *o, const struct entry *e) SILT_MUST_CHECK;
uint64_t output_bytes(const struct output *o);            /* of the open table; 0 = none is open */
/* The open table is as large as tables are, or what its keys' hashes take until its filter is made is a share of the memory budget. */
bool output_full(const struct output *o);
void output_pace(struct output *o);                       /* tells pace() what was written since the last call */
void output_ranges(struct output *o, const struct tombstones *list, bool (*deep)(void *ctx, struct silt_slice lower, struct silt_slice upper),
                   void *ctx);
int output_cut(struct output *o) SILT_MUST_CHECK;         /* finishes and verifies the open table, if any; may wait, see (1) */
int output_end(struct output *o) SILT_MUST_CHECK;         /* the last cut: with all range deletes that are left, if need be a table of them */
/*
 * After output_end(): the entries of all tables add up to counts->entries_out, else SILT_E_CORRUPT. Adds each to the edit; then
 * they are the edit's.
 */
int output_offer(struct output *o, int level, struct edit *edit) SILT_MUST_CHECK;

#endif
