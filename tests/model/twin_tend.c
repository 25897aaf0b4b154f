/* SPDX-License-Identifier: Apache-2.0 */
/* twin_tend.c - what is done with a store as a whole: clock, flush, compaction, comparison, checkpoint. */
#include "lib/test.h"

#include <inttypes.h>

#include "model/twin.h"

/* What expired after an iterator's own time is kept for it only as long as the grace of compaction. */
void twin_op_clock(void)
{
	uint64_t now = T.now_ms + chance(chance(20) ? 5000 : 120000);

	for (size_t i = 0; i < ITERS; i++)
		if (T.iters[i].it && now - T.iters[i].now_ms > CLOCK_GRACE_MS)
			twin_iter_close_held(&T.iters[i]);
	twin_set_clock(now);
}

void twin_op_flush(void)
{
	uint64_t version = T.m->last_version;

	model_ok(silt_flush(T.db), "silt_flush");
	twin_acknowledge(version);
	T.flushes++;
}

void twin_op_compact(void)
{
	model_ok(silt_compact(T.db), "silt_compact");
	T.compactions++;
}

void twin_op_compact_range(void)
{
	uint8_t lower[SILT_KEY_MAX], upper[SILT_KEY_MAX];
	struct silt_slice from = chance(3) ? twin_random_bound(lower) : (struct silt_slice){ 0 };
	struct silt_slice to = chance(3) ? twin_random_bound(upper) : (struct silt_slice){ 0 };

	model_ok(silt_compact_range(T.db, from, to), "silt_compact_range");
	T.compactions++;
}

void twin_op_sync(void)
{
	uint64_t version = T.m->last_version;

	model_ok(silt_sync(T.db), "silt_sync");
	twin_acknowledge(version);
}

void twin_op_compare(void)
{
	const struct held_snapshot *h = &T.snaps[chance(SNAPSHOTS)];

	model_check_all(T.m, T.m->slots, T.db, NULL, T.now_ms);
	if (h->snap)
		model_check_all(T.m, h->slots, T.db, h->snap, T.now_ms);
	T.compared++;
}

void twin_op_changes(void)
{
	twin_follow(T.db);
}

void twin_op_verify(void)
{
	model_ok(silt_verify(T.db, NULL, NULL), "silt_verify");
}

/* A checkpoint opens as a store that equals the twin, and takes a write of its own. */
void twin_op_checkpoint(void)
{
	struct silt_options o = twin_options();
	char path[512];
	uint64_t version = 0;
	silt_db *copy = NULL;

	int rc = silt_checkpoint(T.db, "twin", &version);

	if (rc == SILT_CONFLICT) {                /* a crash came before it was removed */
		model_ok(silt_checkpoint_remove(T.db, "twin"), "silt_checkpoint_remove");
		rc = silt_checkpoint(T.db, "twin", &version);
	}
	model_ok(rc, "silt_checkpoint");
	twin_acknowledge(T.m->last_version);
	if (version > T.m->last_version)
		model_fail("a checkpoint of version %" PRIu64 " after %" PRIu64, version, T.m->last_version);
	snprintf(path, sizeof(path), "%s/checkpoints/twin", T.dir);
	o.create = false;
	o.read_only = chance(3) == 0;
	model_ok(silt_open(path, &o, &copy), "silt_open of a checkpoint");
	model_check_all(T.m, T.m->slots, copy, NULL, T.now_ms);
	if (!o.read_only)
		model_ok(silt_put(copy, T.m->keys[0], T.m->keys[0], NULL), "silt_put in a checkpoint");
	model_ok(silt_close(copy), "silt_close of a checkpoint");
	model_ok(silt_checkpoint_remove(T.db, "twin"), "silt_checkpoint_remove");
	T.checkpoints++;
}

void twin_op_crash(void)
{
	if (T.sim && !T.armed)
		twin_arm_crash(60);
}
