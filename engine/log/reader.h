/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader.h - records of a segment in order, from the first to the first bad one. Reads ahead in large pieces.
 * 0 = record; SILT_END = the bytes at log_reader_offset() are no record of this segment (what that means: judge.h); < 0 failure.
 */
#ifndef LOG_READER_H
#define LOG_READER_H

#include "log/log.h"

struct log_reader;

int log_reader_new(struct env *env, const char *path, const struct log_header *h, struct os_file *file, /* borrows file */
                   struct log_reader **out) SILT_MUST_CHECK;
void log_reader_free(struct log_reader *r);
int log_reader_next(struct log_reader *r, struct log_record *out) SILT_MUST_CHECK;
uint64_t log_reader_offset(const struct log_reader *r);    /* of the next record */

/* Decodes one record at bytes (pure): 0, or SILT_END where they are no record of this salt at this offset. */
int log_record_decode(struct silt_slice bytes, uint64_t salt, uint64_t offset, struct log_record *out) SILT_MUST_CHECK;

#endif
