/* SPDX-License-Identifier: Apache-2.0 */
/* record.h - one record to bytes and back: pure functions, for the writer, the reader and the scan. Format: log.h. */
#ifndef LOG_RECORD_H
#define LOG_RECORD_H

#include "log/log.h"

/* Writes r (kind, flags, version, synced_to, offset, payload) at dst, which has room for log_record_size(); returns that size. */
size_t log_record_encode(uint8_t *dst, uint64_t salt, const struct log_record *r);

/* Do these LOG_RECORD_HEADER bytes begin a record of this salt at this offset? 0 with its whole size, or SILT_END. The payload is
 * not looked at: a record may still fail log_record_decode(). */
int log_record_peek(const uint8_t *head, uint64_t salt, uint64_t offset, uint64_t *size) SILT_MUST_CHECK;

/* Decodes the record that begins `bytes`: 0, or SILT_END where they are no whole record of this salt at this offset. */
int log_record_decode(struct silt_slice bytes, uint64_t salt, uint64_t offset, struct log_record *out) SILT_MUST_CHECK;

#endif
