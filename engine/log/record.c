/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record.c - one record to bytes and back.
 *
 * Bytes     the format is in log.h; a DATA record of version 7 with payload "hello", at offset 4096 of a segment with salt
 *           0x0123456789abcdef of which nothing but the header page is synced, takes 40 bytes:
 *             ad 30 93 79 0c 7c 22 61  check
 *             05 00 00 00              length: the payload's 5 bytes
 *             01                       kind: DATA
 *             00                       flags
 *             29 b5                    head
 *             07 00 00 00 00 00 00 00  version
 *             00 10 00 00 00 00 00 00  synced_to: 4096
 *             68 65 6c 6c 6f 00 00 00  "hello", padded to 8
 * Rules     (1) stored bytes can't pose as a record: both checks are seeded with the segment's secret salt and the offset.
 *           (2) one record has one form: padding is zeros, only DATA has a payload, only SKIP and SEAL have a flag, one each.
 */
#include "log/record.h"

#include "base/codec.h"
#include "base/hash.h"

enum {                            /* where the fields stand */
	RECORD_LENGTH = 8,
	RECORD_KIND = 12,
	RECORD_FLAGS = 13,
	RECORD_HEAD = 14,
	RECORD_VERSION = 16,
	RECORD_SYNCED_TO = 24,
	RECORD_HEAD_BYTES = LOG_RECORD_HEADER - RECORD_LENGTH,
};

static uint16_t record_head(const uint8_t *record, uint64_t salt, uint64_t offset)
{
	uint8_t bytes[RECORD_HEAD_BYTES];

	memcpy(bytes, record + RECORD_LENGTH, sizeof(bytes));
	memset(bytes + RECORD_HEAD - RECORD_LENGTH, 0, sizeof(uint16_t));
	return (uint16_t)hash_log(bytes, sizeof(bytes), salt, offset);
}

static uint64_t record_check(const uint8_t *record, size_t size, uint64_t salt, uint64_t offset)
{
	return hash_log(record + RECORD_LENGTH, size - RECORD_LENGTH, salt, offset);
}

size_t log_record_encode(uint8_t *dst, uint64_t salt, const struct log_record *r)
{
	size_t size = log_record_size(r->payload.len);
	uint8_t *p = dst + RECORD_LENGTH;
	uint16_t head;

	p = codec_put32(p, (uint32_t)r->payload.len);
	*p++ = (uint8_t)r->kind;
	*p++ = r->flags;
	*p++ = 0;
	*p++ = 0;
	p = codec_put64(p, r->version);
	p = codec_put64(p, r->synced_to);
	if (r->payload.len)
		memcpy(p, r->payload.data, r->payload.len);
	memset(p + r->payload.len, 0, size - LOG_RECORD_HEADER - r->payload.len);
	head = record_head(dst, salt, r->offset);
	dst[RECORD_HEAD] = (uint8_t)head;
	dst[RECORD_HEAD + 1] = (uint8_t)(head >> 8);
	codec_put64(dst, record_check(dst, size, salt, r->offset));
	return size;
}

/* What can be said of a header without hashing. The scan asks this of every 8 bytes of a segment. */
static bool record_plausible(const uint8_t *head, uint64_t offset)
{
	uint64_t word = codec_get64(head + RECORD_LENGTH), synced_to = codec_get64(head + RECORD_SYNCED_TO);
	uint32_t length = (uint32_t)word;
	uint8_t kind = (uint8_t)(word >> 32), flags = (uint8_t)(word >> 40);

	if (kind < LOG_DATA || kind > LOG_SEAL)
		return false;
	if (flags & ~(kind == LOG_SEAL ? LOG_SEAL_CLEAN : kind == LOG_SKIP ? LOG_SKIP_UNLOGGED : 0))
		return false;
	if (kind != LOG_DATA && length != 0)
		return false;
	return synced_to >= LOG_PAGE && synced_to <= offset && synced_to % 8 == 0;
}

int log_record_peek(const uint8_t *head, uint64_t salt, uint64_t offset, uint64_t *size)
{
	if (!record_plausible(head, offset))
		return SILT_END;
	if (record_head(head, salt, offset) != (head[RECORD_HEAD] | head[RECORD_HEAD + 1] << 8))
		return SILT_END;
	*size = log_record_size(codec_get32(head + RECORD_LENGTH));
	return 0;
}

static bool record_padding_is_zero(const uint8_t *record, size_t from, size_t size)
{
	for (size_t i = from; i < size; i++)
		if (record[i] != 0)
			return false;
	return true;
}

int log_record_decode(struct silt_slice bytes, uint64_t salt, uint64_t offset, struct log_record *out)
{
	const uint8_t *p = bytes.data;
	uint64_t size;
	size_t length;

	if (bytes.len < LOG_RECORD_HEADER || log_record_peek(p, salt, offset, &size) != 0 || size > bytes.len)
		return SILT_END;
	if (record_check(p, size, salt, offset) != codec_get64(p))
		return SILT_END;
	length = codec_get32(p + RECORD_LENGTH);
	if (!record_padding_is_zero(p, LOG_RECORD_HEADER + length, size))
		return SILT_END;
	*out = (struct log_record){
		.kind = (enum log_record_kind)p[RECORD_KIND],
		.flags = p[RECORD_FLAGS],
		.version = codec_get64(p + RECORD_VERSION),
		.synced_to = codec_get64(p + RECORD_SYNCED_TO),
		.offset = offset,
		.end = offset + size,
		.payload = slice_of(p + LOG_RECORD_HEADER, length),
	};
	return 0;
}
