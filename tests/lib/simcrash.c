/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simcrash.c - one crash: which of the unsynced writes and name operations are found again, and how whole.
 *
 * SIM_MIXED first draws how lucky this crash is (so that there are crashes that lose nearly all, and nearly none), and
 * then decides for each write and operation by itself. A torn write keeps some of its 512-byte units, by file offset:
 *
 *      offset   300       512        1024       1536   1700
 *      write     [##########|##########|##########|#####]        units of its own: 212, 512, 512 and 164 bytes
 *      torn      [..........|##########|..........|#####]        what is lost shows what was there before, or zeros
 *
 * Source    the model is sqlite's test6.c (writes held in memory until synced, then kept, lost or trashed).
 */
#include <stdlib.h>

#include "lib/simnodes.h"

enum { SIMCRASH_UNIT = 512 };

struct simcrash {
	struct simtree *from;
	struct simtree *to;
	enum simdisk_policy policy;
	unsigned luck;                /* of 100: how many are kept */
	uint64_t random;
};

enum simfate { SIM_KEPT, SIM_LOST, SIM_TORN };

static uint64_t simcrash_random(struct simcrash *c, uint64_t below)
{
	c->random ^= c->random >> 12;
	c->random ^= c->random << 25;
	c->random ^= c->random >> 27;
	return (c->random * UINT64_C(0x2545f4914f6cdd1d) >> 11) % below;
}

static enum simfate simcrash_fate(struct simcrash *c, enum simstate state)
{
	if (state == SIM_SYNCED || c->policy == SIM_KEEP_ALL)
		return SIM_KEPT;
	if (c->policy == SIM_LOSE_ALL)
		return SIM_LOST;
	if (simcrash_random(c, 100) < c->luck)
		return SIM_KEPT;
	return simcrash_random(c, 2) ? SIM_LOST : SIM_TORN;
}

/* Which units of a torn write reached the disk: those up to a point, from a point on, or any. */
static void simcrash_tear(struct simcrash *c, struct simimage *img, const struct simwrite *w)
{
	uint64_t shape = simcrash_random(c, 3), cut = w->offset + simcrash_random(c, w->len);
	uint64_t at = w->offset, end = w->offset + w->len, next;
	bool kept;

	for (; at < end; at = next) {
		next = (at / SIMCRASH_UNIT + 1) * SIMCRASH_UNIT;
		if (next > end)
			next = end;
		kept = shape == 0 ? next <= cut : shape == 1 ? at >= cut : simcrash_random(c, 2) != 0;
		if (kept)
			simimage_write(img, at, w->data + (at - w->offset), (size_t)(next - at));
	}
	if (simcrash_random(c, 4) == 0)
		simimage_extend(img, end);    /* the new size arrived, some of the bytes did not */
}

static void simcrash_file(struct simcrash *c, const struct siminode *n, struct siminode *copy)
{
	simimage_copy(&copy->durable, &n->durable);
	for (const struct simwrite *w = n->writes; w; w = w->next) {
		switch (simcrash_fate(c, w->state)) {
		case SIM_KEPT:
			simimage_write(&copy->durable, w->offset, w->data, w->len);
			break;
		case SIM_TORN:
			simcrash_tear(c, &copy->durable, w);
			break;
		case SIM_LOST:
			break;
		}
	}
	simimage_copy(&copy->seen, &copy->durable);
	c->to->used += copy->seen.size;
}

static struct siminode *simcrash_inode(struct simcrash *c, struct siminode *n);

static void simcrash_dir(struct simcrash *c, const struct siminode *n, struct siminode *copy)
{
	struct simentries left = { 0 };
	struct siminode *child;

	for (size_t i = 0; i < n->durable_names.count; i++)
		simentries_put(&left, n->durable_names.list[i].name, n->durable_names.list[i].inode);
	for (const struct simop *op = c->from->ops; op; op = op->next)
		if (op->dir == n && op->kept)
			simentries_apply(&left, op);
	for (size_t i = 0; i < left.count; i++) {
		child = simcrash_inode(c, left.list[i].inode);
		child->links++;
		simentries_put(&copy->names, left.list[i].name, child);
		simentries_put(&copy->durable_names, left.list[i].name, child);
		simtree_unref(child);
	}
	simentries_fini(&left);
}

/* The inode's one copy, by whatever name it is met; returns a reference. */
static struct siminode *simcrash_inode(struct simcrash *c, struct siminode *n)
{
	if (n->copied_in == c->from->crashes)
		return simtree_ref(n->copy);
	n->copied_in = c->from->crashes;
	n->copy = siminode_new(n->is_dir);
	if (n->is_dir)
		simcrash_dir(c, n, n->copy);
	else
		simcrash_file(c, n, n->copy);
	return n->copy;
}

static void simcrash_decide_names(struct simcrash *c)
{
	for (struct simop *op = c->from->ops; op; op = op->next) {
		op->kept = simcrash_fate(c, op->state) == SIM_KEPT;
		if (op->after && !op->after->kept)
			op->kept = false;     /* elders are decided first */
	}
}

struct simtree *simtree_crash(struct simtree *t, enum simdisk_policy policy, uint64_t seed)
{
	static const unsigned luck[] = { 10, 50, 50, 90 };
	struct simcrash c = { .from = t, .to = simtree_new(), .policy = policy, .random = seed * 2 + 1 };

	for (int i = 0; i < 4; i++)
		(void)simcrash_random(&c, 2); /* small seeds differ in few bits */
	c.luck = luck[simcrash_random(&c, 4)];
	t->crashes++;
	simcrash_decide_names(&c);
	simtree_unref(c.to->root);
	c.to->root = simcrash_inode(&c, t->root);
	c.to->root->links = 1;
	return c.to;
}
