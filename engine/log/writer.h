/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.h - appending records to a segment: encode into a group buffer, one pwrite, one fdatasync.
 *
 * Promise   when log_writer_sync() returns 0, every record appended before it survives power loss.
 * Rules     (1) bytes below synced_to never change.  (2) after one failed append or sync the writer is poisoned: every later
 *           call returns SILT_E_FAULT.  (3) reserve, then promise: log_writer_add() after log_writer_reserve() can't fail.
 *           (4) room for a SEAL is always kept: what log_writer_fits() allowed can be sealed.
 * Threads   one at a time (WAL: the commit leader; manifest: its owner).
 *
 * One group log_writer_fits(n, bytes), log_writer_reserve(n, bytes), log_writer_add() n times, log_writer_append(), log_writer_sync().
 */
#ifndef LOG_WRITER_H
#define LOG_WRITER_H

#include "log/log.h"

struct log_writer;

/* Takes the file (also on failure: closed). Goes on at `offset` (LOG_PAGE for a fresh one), of which `synced_to` is synced. */
int log_writer_new(struct env *env, const char *path, const struct log_header *h, struct os_file *file,
                   uint64_t offset, uint64_t synced_to, struct log_writer **out) SILT_MUST_CHECK;
void log_writer_free(struct log_writer *w);                /* closes the file; nothing is written */
int log_writer_reserve(struct log_writer *w, size_t records, size_t payload_bytes) SILT_MUST_CHECK; /* buffer room: 0, SILT_E_NOMEM, SILT_E_FAULT */
bool log_writer_fits(const struct log_writer *w, size_t records, size_t payload_bytes);  /* in the segment, with room for MARK and SEAL after */
void log_writer_add(struct log_writer *w, enum log_record_kind kind, uint8_t flags, uint64_t version, struct silt_slice payload);
int log_writer_append(struct log_writer *w) SILT_MUST_CHECK;        /* one pwrite of all that was added; poisons on failure */
int log_writer_sync(struct log_writer *w) SILT_MUST_CHECK;          /* fdatasync; moves synced_to; poisons on failure */
/* Appends a MARK; not synced. Nothing is written (0) where it would claim no more than the records before it do, so a MARK
 * after each sync that left the queue empty comes to rest by itself; nor where only the SEAL's room is left. */
int log_writer_mark(struct log_writer *w, uint64_t version) SILT_MUST_CHECK;
int log_writer_seal(struct log_writer *w, uint64_t version, uint8_t flags) SILT_MUST_CHECK; /* appends SEAL, syncs; then only free */
uint64_t log_writer_end(const struct log_writer *w);       /* offset after the last appended record */
uint64_t log_writer_synced_to(const struct log_writer *w);
uint64_t log_writer_number(const struct log_writer *w);
uint64_t log_writer_capacity(const struct log_writer *w);   /* of its file */

#endif
