/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader.h - records of a segment in order, from the first to the first bad one. Reads ahead in large pieces.
 * 0 = record; SILT_END = the bytes at log_reader_offset() are no record of this segment (what that means: judge.h); < 0 failure.
 * After a SEAL the bytes mean nothing: the caller stops there.
 */
#ifndef LOG_READER_H
#define LOG_READER_H

#include "log/record.h"

struct log_reader;

int log_reader_new(struct env *env, const char *path, const struct log_header *h, struct os_file *file, /* borrows file */
                   struct log_reader **out) SILT_MUST_CHECK;
void log_reader_free(struct log_reader *r);
int log_reader_next(struct log_reader *r, struct log_record *out) SILT_MUST_CHECK;
uint64_t log_reader_offset(const struct log_reader *r);    /* of the next record */
void log_reader_limit(struct log_reader *r, uint64_t end);   /* to be read no further for now: the writer is at work behind it */
void log_reader_seek(struct log_reader *r, uint64_t offset); /* go on there, where a record begins; forgets what was read ahead */
/* All bytes of the record that log_reader_next() gave last; borrowed as its payload is. */
struct silt_slice log_reader_bytes(const struct log_reader *r, const struct log_record *last);

#endif
