/* SPDX-License-Identifier: Apache-2.0 */
/* twin_read.c - the reads: gets of every kind, snapshots, iterators held while the store goes on. */
#include "lib/test.h"

#include <inttypes.h>

#include "model/twin.h"

static struct model_slot *copy_slots(void)
{
	struct model_slot *copy = calloc(T.m->n, sizeof(*copy));

	if (!copy)
		model_fail("out of memory");
	memcpy(copy, T.m->slots, T.m->n * sizeof(*copy));
	return copy;
}

void twin_op_get(void)
{
	static const unsigned ways[] = { SILT_CACHED_ONLY, SILT_NO_FILL, SILT_NO_WAIT, SILT_NO_WAIT | SILT_NO_FILL };
	const struct held_snapshot *h = &T.snaps[chance(SNAPSHOTS)];
	const silt_snapshot *snap = chance(3) ? NULL : h->snap;
	size_t i = chance(8) ? chance(T.m->n) : chance(20);
	unsigned flags = chance(3) ? 0 : ways[chance(4)];
	struct silt_info info;
	int rc;

	rc = silt_get(T.db, T.m->keys[i], snap, flags, &T.value, &info);
	if (rc == SILT_WOULD_BLOCK && flags & (SILT_CACHED_ONLY | SILT_NO_WAIT))
		rc = silt_get(T.db, T.m->keys[i], snap, 0, &T.value, &info);
	model_check_get(T.m, snap ? h->slots : T.m->slots, i, T.now_ms, rc, (struct silt_slice){ T.value.data, T.value.len },
	                &info);
}

void twin_op_get_pinned(void)
{
	const struct held_snapshot *h = &T.snaps[chance(SNAPSHOTS)];
	const silt_snapshot *snap = chance(3) ? NULL : h->snap;
	struct held_pin *p = &T.pins[chance(PINS)];
	size_t i = chance(8) ? chance(T.m->n) : chance(20);
	struct silt_info info;
	int rc;

	/* what was pinned is still what it was, whatever became of its key and of the table that had it */
	if (p->pin.value.len != p->slot.value_len ||
	    (p->slot.value_len && memcmp(p->pin.value.data, model_value(&p->slot, T.m->scratch).data, p->slot.value_len) != 0))
		model_fail("a pinned value changed");
	rc = silt_get_pinned(T.db, T.m->keys[i], snap, chance(2) ? 0 : SILT_NO_FILL, &p->pin, &info);
	model_check_get(T.m, snap ? h->slots : T.m->slots, i, T.now_ms, rc, p->pin.value, &info);
	p->slot = (struct model_slot){ 0 };
	if (rc == 0)
		p->slot = (snap ? h->slots : T.m->slots)[i];
}

void twin_op_multi_get(void)
{
	const struct held_snapshot *h = &T.snaps[chance(SNAPSHOTS)];
	const silt_snapshot *snap = chance(3) ? NULL : h->snap;
	struct silt_lookup items[MULTI_MAX];
	struct silt_buf values[MULTI_MAX] = { 0 };
	struct silt_info infos[MULTI_MAX];
	size_t keys[MULTI_MAX], n = 1 + chance(chance(4) ? 8 : MULTI_MAX);

	for (size_t k = 0; k < n; k++) {
		keys[k] = chance(8) ? chance(T.m->n) : chance(20);
		items[k] = (struct silt_lookup){ T.m->keys[keys[k]], &values[k], &infos[k], 0 };
	}
	model_ok(silt_multi_get(T.db, snap, chance(3) ? 0 : SILT_NO_FILL, items, n), "silt_multi_get");
	for (size_t k = 0; k < n; k++) {
		model_check_get(T.m, snap ? h->slots : T.m->slots, keys[k], T.now_ms, items[k].code,
		                (struct silt_slice){ values[k].data, values[k].len }, &infos[k]);
		silt_buf_free(&values[k]);
	}
}

struct silt_slice twin_random_bound(uint8_t *buf)
{
	return twin_random_bound_near(chance(T.m->n), buf);
}

/* Each live key is stored at least once. */
void twin_op_approximate(void)
{
	uint8_t lower[SILT_KEY_MAX], upper[SILT_KEY_MAX];
	struct silt_slice from = twin_random_bound(lower), to = twin_random_bound(upper);
	struct silt_estimate e;
	uint64_t live = 0;

	model_ok(silt_approximate(T.db, from, to, &e), "silt_approximate");
	for (size_t i = model_find(T.m, from), end = model_find(T.m, to); i < end; i++)
		live += model_live(&T.m->slots[i], T.now_ms);
	if (e.entries < e.entries_low || e.entries > e.entries_high || live > e.entries_high || e.disk_bytes < e.disk_bytes_low ||
	    e.disk_bytes > e.disk_bytes_high)
		model_fail("silt_approximate: %" PRIu64 " in %" PRIu64 "..%" PRIu64 " entries for %" PRIu64 " keys", e.entries, e.entries_low,
		           e.entries_high, live);
}

void twin_op_snapshot(void)
{
	struct held_snapshot *h = &T.snaps[chance(SNAPSHOTS)];

	silt_snapshot_free(h->snap);
	free(h->slots);
	*h = (struct held_snapshot){ 0 };
	if (chance(3) == 0)
		return;
	model_ok(silt_snapshot_new(T.db, &h->snap), "silt_snapshot_new");
	h->slots = copy_slots();
	if (silt_snapshot_version(h->snap) < T.m->last_version)
		model_fail("a snapshot of version %" PRIu64 " after %" PRIu64, silt_snapshot_version(h->snap), T.m->last_version);
}

/* Steps that ran out of budget go on in the direction of the move. */
static int finish_move(silt_iter *it, int rc, bool forward)
{
	while (rc == SILT_TRY_AGAIN)
		rc = forward ? silt_iter_next(it) : silt_iter_prev(it);
	return rc;
}

static void expect_at(struct held_iter *h, int rc, size_t at)
{
	h->at = at;
	if (rc != (at == SIZE_MAX ? SILT_END : 0))
		model_fail("an iterator move: %s, the twin at key %zd", silt_strerror(rc), (ptrdiff_t)at);
	if (rc == 0)
		model_check_entry(T.m, h->slots, at, h->it);
}

static size_t clamp(size_t i, size_t lo, size_t hi)
{
	return i < lo ? lo : i > hi ? hi : i;
}

/* To somewhere: an end, or a key. */
static void iter_place(struct held_iter *h)
{
	uint64_t how = chance(5);
	uint8_t buf[SILT_KEY_MAX];
	struct silt_slice key = twin_random_bound(buf);
	size_t i = clamp(model_find(T.m, key), h->lo, h->hi), at;
	int rc;

	h->forward = how == 0 || how >= 3;
	if (how == 0) {
		rc = silt_iter_first(h->it);
		at = model_next_live(h->slots, h->lo, h->hi, h->now_ms);
	} else if (how == 1) {
		rc = silt_iter_last(h->it);
		at = h->hi > h->lo ? model_prev_live(h->slots, h->hi - 1, h->lo, h->now_ms) : SIZE_MAX;
	} else if (how == 2) {
		rc = silt_iter_seek_prev(h->it, key);
		if (!(i < h->hi && T.m->keys[i].len == key.len && memcmp(T.m->keys[i].data, key.data, key.len) == 0))
			i--;
		at = h->hi > h->lo ? model_prev_live(h->slots, i, h->lo, h->now_ms) : SIZE_MAX;
	} else {
		rc = silt_iter_seek(h->it, key);
		at = model_next_live(h->slots, i, h->hi, h->now_ms);
	}
	expect_at(h, finish_move(h->it, rc, h->forward), at);
}

static void iter_step(struct held_iter *h)
{
	if (chance(12) == 0)
		h->forward = !h->forward;
	if (h->forward)
		expect_at(h, finish_move(h->it, silt_iter_next(h->it), true),
		          model_next_live(h->slots, h->at + 1, h->hi, h->now_ms));
	else
		expect_at(h, finish_move(h->it, silt_iter_prev(h->it), false),
		          model_prev_live(h->slots, h->at - 1, h->lo, h->now_ms));
}

static void iter_open(struct held_iter *h)
{
	const struct held_snapshot *s = &T.snaps[chance(SNAPSHOTS)];
	struct silt_iter_options o = { .snapshot = chance(3) ? NULL : s->snap, .flags = chance(3) ? 0 : SILT_NO_FILL };
	uint8_t lower[SILT_KEY_MAX], upper[SILT_KEY_MAX];

	*h = (struct held_iter){ .lo = 0, .hi = T.m->n, .now_ms = T.now_ms };
	if (chance(3) == 0) {
		o.lower = twin_random_bound(lower);
		h->lo = model_find(T.m, o.lower);
	}
	if (chance(3) == 0) {
		o.upper = twin_random_bound(upper);
		h->hi = model_find(T.m, o.upper);
	}
	if (h->hi < h->lo)
		h->hi = h->lo;
	o.max_steps = chance(4) ? 0 : 1 + chance(30);
	h->slots = copy_slots();
	if (o.snapshot)
		memcpy(h->slots, s->slots, T.m->n * sizeof(*h->slots));
	model_ok(silt_iter_new(T.db, &o, &h->it), "silt_iter_new");
	iter_place(h);
}

void twin_iter_close_held(struct held_iter *h)
{
	silt_iter_close(h->it);
	free(h->slots);
	*h = (struct held_iter){ 0 };
}

/* Opened, moved a little now and then while the store goes on, closed. */
void twin_op_iter(void)
{
	struct held_iter *h = &T.iters[chance(ITERS)];

	if (!h->it)
		iter_open(h);
	else if (chance(8) == 0)
		twin_iter_close_held(h);
	for (uint64_t steps = chance(20); h->it && steps > 0; steps--) {
		if (h->at == SIZE_MAX || chance(15) == 0)
			iter_place(h);
		else
			iter_step(h);
	}
}
