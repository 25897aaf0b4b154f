/* SPDX-License-Identifier: Apache-2.0 */
/* twin.h - what the rooms of the twin (twin.c) have in common: the store, its model, what is held, and the dice. */
#ifndef TESTS_MODEL_TWIN_H
#define TESTS_MODEL_TWIN_H

#include "lib/test.h"

#include <siltstone.h>
#include <stdatomic.h>
#include <time.h>

#include "lib/model.h"
#include "lib/simdisk.h"

enum { KEYS = 3000, SNAPSHOTS = 3, ITERS = 2, BURST_MAX = 40, BATCH_MAX = 200, CLOCK_GRACE_MS = 50000 };
enum { PINS = 3, MULTI_MAX = 60 };

struct held_snapshot {
	silt_snapshot *snap;
	struct model_slot *slots;         /* as they were */
};
struct held_iter {
	silt_iter *it;
	struct model_slot *slots;
	size_t at, lo, hi;                /* at SIZE_MAX: past an end */
	bool forward;
	uint64_t now_ms;                  /* an iterator has one time */
};

struct held_pin {
	struct silt_pin pin;
	struct model_slot slot;           /* of what is pinned; nothing where it is empty */
};

extern struct twin {
	uint64_t ops, seed, random, op;
	bool sim;
	char *dir;
	silt_db *db;
	struct model *m;
	struct silt_buf value;
	struct held_snapshot snaps[SNAPSHOTS];
	struct held_iter iters[ITERS];
	struct held_pin pins[PINS];
	_Atomic uint64_t now_ms, acked;   /* acked: newest version acknowledged as durable */
	_Atomic uint64_t followed;        /* changes up to here were seen */
	uint64_t ingested;                /* the newest version that no log has */
	_Atomic bool error_expected;
	silt_os posix;                    /* with the driver's clock */

	struct simdisk *disk;
	_Atomic int64_t syncs_left;       /* until the crash; <= 0: none is coming */
	bool armed;                       /* the driver's: from arm_crash() to change_disk(), so that no second crash meets the first
	                                   * one's copy while that is being made in another thread */
	struct simdisk *_Atomic crashed;  /* the copy that a crash left */
	struct simdisk *before;           /* as it was before the opening under way: what to look at when that fails */
	uint64_t crash_seed, crash_acked, crash_followed; /* set before `crashed` */

	uint64_t crashes, crashes_in_open, reopens, read_only, undone, flushes, compactions, conflicts, retries, bursts, ranges, compared, checkpoints, ingests, looks;
	uint64_t adds;
} T;

static inline uint64_t chance(uint64_t n)
{
	return test_random(&T.random) % n;
}

static inline void pause_ms(long ms)
{
	struct timespec t = { 0, ms * 1000000 };

	nanosleep(&t, NULL);
}

/* twin_store.c */
void twin_set_clock(uint64_t now_ms);
void twin_arm_crash(uint64_t within_syncs);
struct silt_options twin_options(void);
void twin_follow(silt_db *db);
void twin_open_store(void);
void twin_close_store(void);
void twin_reopen_after_crash(void);
void twin_reopen(void);
void twin_begin(void);
/* twin_write.c */
silt_batch *twin_new_batch(void);
size_t twin_random_ops(silt_batch *b, struct model_op *ops, size_t n, unsigned flags);
int twin_write_batch(const silt_batch *b, unsigned flags, struct silt_result *res);
void twin_acknowledge(uint64_t version);
struct silt_slice twin_random_bound_near(size_t i, uint8_t *buf);
void twin_op_write(void);
void twin_op_simple(void);
void twin_op_ingest(void);
void twin_op_too_big(void);
void twin_op_range(void);
void twin_op_cut(void);
void twin_op_burst(void);
/* twin_decide.c */
void twin_op_conditional(void);
void twin_op_add(void);
void twin_op_take(void);
/* twin_read.c */
struct silt_slice twin_random_bound(uint8_t *buf);
void twin_iter_close_held(struct held_iter *h);
void twin_op_get(void);
void twin_op_get_pinned(void);
void twin_op_multi_get(void);
void twin_op_approximate(void);
void twin_op_snapshot(void);
void twin_op_iter(void);
/* twin_tend.c */
void twin_op_clock(void);
void twin_op_flush(void);
void twin_op_compact(void);
void twin_op_compact_range(void);
void twin_op_sync(void);
void twin_op_compare(void);
void twin_op_changes(void);
void twin_op_verify(void);
void twin_op_checkpoint(void);
void twin_op_crash(void);

#endif
