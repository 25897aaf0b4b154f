/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output.h - the tables that a job writes: opened when the first entry comes, finished, read back from the disk, offered in an
 * edit or removed.
 *
 * Pattern   init; add*, cut between keys as the job likes; finish; offer; fini. Whatever was not offered is removed by fini.
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
};

void output_init(struct output *o, struct job *job, enum silt_compression compression, struct job_counts *counts);
void output_fini(struct output *o);
int output_add(struct output *o, const struct entry *e) SILT_MUST_CHECK;
uint64_t output_bytes(const struct output *o);            /* of the open table; 0 = none is open */
void output_pace(struct output *o);                       /* tells pace() what was written since the last call */
int output_cut(struct output *o) SILT_MUST_CHECK;         /* finishes and verifies the open table, if any */
/*
 * After output_cut(): the entries of all tables add up to counts->entries_out, else SILT_E_CORRUPT. Adds each to the edit; then
 * they are the edit's.
 */
int output_offer(struct output *o, int level, struct edit *edit) SILT_MUST_CHECK;

#endif
