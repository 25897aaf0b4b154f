/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch.h - the operations of one commit in their log form, with conditions and reports beside them (those never reach the log).
 *
 * Bytes     payload := count:varint op*
 *           op      := kind:u8 key_len:varint key  (put only: expires_ms:varint meta_len:varint meta value_len:varint value)
 *                    | 3:u8 lower_len:varint lower upper_len:varint upper     range delete; upper empty = to the last key
 *           Keys are distinct: the last operation on a key won when the batch was sealed. A range delete hides older versions only: what
 *           was in it of its own batch, and older, is not in the payload any more, and their order says nothing.
 *           put "a"="1", delete "b":  02  01 01 61 00 00 01 31  02 01 62       delete ["c", "f"):  01  03 01 63 01 66
 */
#ifndef CORE_BATCH_H
#define CORE_BATCH_H

#include "core/entry.h"

struct batch_op {                 /* in the order they were added */
	size_t offset;            /* of the op in `payload` before sealing: where kind stands */
	unsigned flags;           /* SILT_OP_* */
	bool superseded;          /* a later op has its key, or its range */
	bool range;               /* a range delete */
	bool adds;                /* an add: what it puts is decided in commit order */
};

struct batch_add {                /* of an op that adds; borrows from the batch */
	int64_t delta;
	uint64_t expires_ms;      /* this and meta: of a key that it makes */
	struct silt_slice meta;
};

struct batch_sum {                /* what an add puts; meta is borrowed */
	size_t op;
	int64_t value;
	uint64_t expires_ms;
	struct silt_slice meta;
};

struct batch_cond {
	struct silt_slice key;    /* owned by the batch */
	enum silt_cond cond;
	const uint64_t *versions; /* owned by the batch */
	size_t n;
};

struct silt_batch;

/* For the committer. */
size_t batch_op_count(const struct silt_batch *b);
const struct batch_op *batch_ops(const struct silt_batch *b);
struct silt_slice batch_op_key(const struct silt_batch *b, size_t i);
size_t batch_cond_count(const struct silt_batch *b);
const struct batch_cond *batch_conds(const struct silt_batch *b);
bool batch_wants_lookup(const struct silt_batch *b);              /* any condition, report or add */
size_t batch_add_count(const struct silt_batch *b);               /* ops that add and are not superseded */
void batch_read_add(const struct silt_batch *b, size_t i, struct batch_add *out);
int batch_seal(const struct silt_batch *b, struct silt_buf *payload) SILT_MUST_CHECK;   /* the log form, without superseded ops; replaces the buffer */
/* The log form of a batch with adds: sums has one for each add that is not superseded, in the order of their ops. No allocation where the
 * buffer has room for silt_batch_bytes(). */
int batch_seal_sums(const struct silt_batch *b, const struct batch_sum *sums, struct silt_buf *payload) SILT_MUST_CHECK;
int batch_copy(const struct silt_batch *b, struct silt_batch **out) SILT_MUST_CHECK;

#endif
