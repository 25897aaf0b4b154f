/* SPDX-License-Identifier: Apache-2.0 */
/* engine_batch.c - many keys at once: written as one batch of the engine, read at one of its snapshots. */
#include "store/engine_private.h"

#include <stdlib.h>
#include <string.h>

/* ---- writing ----------------------------------------------------------------------------------------------------------- */

struct engine_batch_waiter {                  /* one queued batch */
	store_batch_done_fn *fn;
	void *ctx;
	size_t wanted;
	struct store_old old[];               /* as many as wanted */
};

static void engine_batch_old(const struct silt_report *from, struct store_old *to)
{
	to->op = from->op;
	to->found = from->found;
	if (!from->found)
		return;
	engine_entry(&from->info, &to->entry);
	to->value = span_of(from->value.data, from->value.len);
}

static void engine_batch_done(void *ctx, const struct silt_result *r)
{
	struct engine_batch_waiter *w = ctx;
	struct store_batch_outcome o = {
		.code = engine_code(r->code), .version = r->version, .current = r->current, .condition = r->condition, .old = w->old,
	};

	if (o.code == STORE_OK)
		for (; o.old_count < r->report_count && o.old_count < w->wanted; o.old_count++)
			engine_batch_old(&r->reports[o.old_count], &w->old[o.old_count]);
	w->fn(w->ctx, &o);
	free(w);
}

static int engine_batch_fill(const struct store_batch *b, silt_batch *to)
{
	int rc = 0;

	for (size_t i = 0; i < b->cond_count && rc == 0; i++) {
		const struct store_batch_cond *c = &b->conds[i];

		rc = silt_batch_require(to, engine_slice(c->key), c->version == 0 ? SILT_COND_NONE_MATCH : SILT_COND_MATCH, &c->version,
		                        c->version == 0 ? 0 : 1);
	}
	for (size_t i = 0; i < b->op_count && rc == 0; i++) {
		const struct store_batch_op *o = &b->ops[i];
		struct silt_put_options opts = { .expires_ms = o->expires_ms };
		unsigned flags = o->want_old ? SILT_OP_REPORT_VALUE : 0;

		if (o->content_type != NULL)
			opts.meta = engine_slice(span_str(o->content_type));
		rc = o->op == STORE_DELETE ? silt_batch_delete(to, engine_slice(o->key), flags)
		                           : silt_batch_put(to, engine_slice(o->key), engine_slice(o->value), &opts, flags);
	}
	return rc;
}

int engine_write_batch(struct store *s, const struct store_batch *b, unsigned flags, store_batch_done_fn *fn, void *ctx)
{
	/* Of ten thousand operations each may ask for a block: those that are not in the cache are for a thread that may take its time. */
	unsigned silt_flags = ((flags & STORE_ASYNC) ? SILT_ASYNC : 0) | ((flags & STORE_NO_WAIT) ? SILT_CACHED_ONLY : 0);
	struct store_engine *e = engine_of(s);
	struct engine_batch_waiter *w = NULL;
	struct engine_tools *t;
	size_t wanted = 0;
	int rc = SILT_E_NOMEM;

	for (size_t i = 0; i < b->op_count; i++)
		wanted += b->ops[i].want_old;
	t = engine_take(e);
	w = calloc(1, sizeof(*w) + wanted * sizeof(w->old[0]));
	if (t == NULL || w == NULL)
		goto out;
	w->fn = fn;
	w->ctx = ctx;
	w->wanted = wanted;
	rc = engine_batch_fill(b, t->batch);
	if (rc == 0)
		rc = silt_write_async(e->db, t->batch, silt_flags, engine_batch_done, w);
	if (rc == 0)
		w = NULL;                        /* engine_batch_done() frees it */
out:
	free(w);
	if (t != NULL)
		engine_put_back(e, t);
	return engine_code(rc);
}

/* ---- reading ----------------------------------------------------------------------------------------------------------- */

int engine_get_many(struct store *s, const struct span *keys, size_t n, store_got_fn *fn, void *ctx, uint64_t *version)
{
	struct store_engine *e = engine_of(s);
	silt_snapshot *snap;
	struct silt_pin pin = {0};
	bool more = true;
	int code = engine_code(silt_snapshot_new(e->db, &snap));

	if (code != STORE_OK)
		return code;
	*version = silt_snapshot_version(snap);
	for (size_t i = 0; i < n && more && code == STORE_OK; i++) {
		struct store_entry entry = {0};
		struct silt_info info;

		code = engine_code(silt_get_pinned(e->db, engine_slice(keys[i]), snap, 0, &pin, &info));
		if (code == STORE_OK)
			engine_entry(&info, &entry);
		if (code == STORE_OK || code == STORE_NOTFOUND) {
			more = fn(ctx, i, code, span_of(pin.value.data, pin.value.len), &entry);
			code = STORE_OK;
		}
	}
	silt_pin_release(&pin);
	silt_snapshot_free(snap);
	return code;
}
