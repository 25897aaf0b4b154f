/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table_writer.h - builds one table from entries in key_cmp order: NNNNNN.sst.tmp, range-synced while written, then
 * fdatasync, drop from the page cache, rename, directory fsync.
 * Pattern   open; add*; finish -> meta.  abandon at any point instead removes the .tmp.
 */
#ifndef TABLE_TABLE_WRITER_H
#define TABLE_TABLE_WRITER_H

#include "core/env.h"
#include "core/table_meta.h"
#include "core/tombstones.h"
#include "table/table.h"

struct table_writer;

int table_writer_open(struct env *env, uint64_t number, const struct table_settings *s, struct table_writer **out) SILT_MUST_CHECK;
int table_writer_add(struct table_writer *w, const struct entry *e) SILT_MUST_CHECK;   /* copies; out of order = SILT_E_CORRUPT, reported */
/* A fragment of range deletes; in order among themselves, at any time before finish. Copies; out of order = SILT_E_CORRUPT, reported. */
int table_writer_add_range(struct table_writer *w, const struct tombstone *t) SILT_MUST_CHECK;
uint64_t table_writer_bytes(const struct table_writer *w);       /* written or about to be */
uint64_t table_writer_hashes(const struct table_writer *w);      /* bytes held of its keys' hashes */
struct silt_slice table_writer_last_key(const struct table_writer *w);   /* of the entries */
int table_writer_finish(struct table_writer *w, struct table_meta **out) SILT_MUST_CHECK;   /* frees w on success and on failure (then the .tmp is removed) */
void table_writer_abandon(struct table_writer *w);               /* NULL is fine */

#endif
