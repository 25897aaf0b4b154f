/* SPDX-License-Identifier: Apache-2.0 */
/* target_local.c - a stopped store as a target: the engine opened in this process. */
#include "ctl/target.h"

#include "ctl/owner.h"
#include "ctl/session.h"
#include "ctl/stats_json.h"
#include "ctl/stop.h"

#include <stdlib.h>
#include <sys/statvfs.h>

struct target_local {
	struct target target;         /* first */
	struct session s;
	struct silt_buf value;        /* of the last get */
	struct silt_info info;
	silt_batch *batch;            /* NULL where nothing was written yet */
};

static struct target_local *target_local_of(struct target *t)
{
	return (struct target_local *)t;
}

static struct silt_slice target_local_slice(struct span s)
{
	return (struct silt_slice){ s.p, s.len };
}

static struct span target_local_span(struct silt_slice s)
{
	return span_of(s.data, s.len);
}

/* Empty = no bound. */
static struct silt_slice target_local_bound(struct span s)
{
	return (struct silt_slice){ s.len ? s.p : NULL, s.len };
}

static int target_local_fail(const struct target *t, int rc)
{
	return rc == 0 ? SESSION_OK : session_fail(t->name, rc);
}

static void target_local_info(const struct silt_info *info, struct entry *out)
{
	out->version = info->version;
	out->expires_ms = info->expires_ms;
	out->meta = span_of(info->meta, info->meta_len);
}

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

static int target_local_get(struct target *t, struct span key, struct bytes *value, struct entry *info)
{
	struct target_local *l = target_local_of(t);
	int rc = silt_get(l->s.db, target_local_slice(key), NULL, 0, &l->value, &l->info);

	if (rc == SILT_NOTFOUND)
		return target_absent();
	if (rc != 0)
		return session_fail(t->name, rc);
	bytes_clear(value);
	*info = (struct entry){ .key = key };
	target_local_info(&l->info, info);
	return bytes_add(value, l->value.data, l->value.len) ? SESSION_OK : session_fail(t->name, SILT_E_NOMEM);
}

/* What it is called with for each entry; what the engine says goes to *rc. */
static int target_local_walk(silt_iter *it, const struct target_range *range, target_entry_fn *fn, void *ctx, uint64_t *count, int *rc)
{
	int status = SESSION_OK;

	*count = 0;
	*rc = range->limit ? range->reverse ? silt_iter_last(it) : silt_iter_first(it) : SILT_END;
	for (; *rc == 0; *rc = range->reverse ? silt_iter_prev(it) : silt_iter_next(it)) {
		struct entry e = { .key = target_local_span(silt_iter_key(it)) };
		struct silt_info info;

		silt_iter_info(it, &info);
		target_local_info(&info, &e);
		if (!range->keys_only) {
			e.value = target_local_span(silt_iter_value(it));
			if (!e.value.p)
				e.value.p = "";
		}
		status = fn ? fn(ctx, &e) : SESSION_OK;
		if (status == SESSION_OK && stop_asked())
			status = stop_status();
		if (status != SESSION_OK || ++*count == range->limit)
			break;
	}
	if (*rc == SILT_END)
		*rc = 0;
	return status;
}

static int target_local_scan(struct target *t, const struct target_range *range, target_entry_fn *fn, void *ctx,
                             struct target_scanned *out)
{
	struct silt_iter_options o = {
		.lower = target_local_bound(range->lower), .upper = target_local_bound(range->upper), .flags = SILT_NO_FILL,
	};
	silt_iter *it = NULL;
	int rc, status = SESSION_OK;

	*out = (struct target_scanned){ 0 };
	if (range->nothing)
		return SESSION_OK;
	rc = silt_iter_new(target_local_of(t)->s.db, &o, &it);
	if (rc == 0) {
		out->version = silt_iter_version(it);
		status = target_local_walk(it, range, fn, ctx, &out->count, &rc);
	}
	silt_iter_close(it);
	return rc == 0 ? status : session_fail(t->name, rc);
}

static int target_local_count(struct target *t, const struct target_range *range, struct target_scanned *out)
{
	return target_local_scan(t, range, NULL, NULL, out);
}

static uint64_t target_local_estimate(struct target *t, const struct target_range *range)
{
	struct silt_estimate e;

	if (range->nothing || silt_approximate(target_local_of(t)->s.db, target_local_bound(range->lower),
	                                       target_local_bound(range->upper), &e) != 0)
		return 0;
	return e.entries;
}

static int target_local_stats(struct target *t, struct bytes *out)
{
	struct silt_stats st;
	struct statvfs disk;

	silt_stats(target_local_of(t)->s.db, &st);
	if (statvfs(t->name, &disk) == 0)         /* a store that is only read does not look */
		st.disk_free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
	return stats_json(&st, out) ? SESSION_OK : session_fail(t->name, SILT_E_NOMEM);
}

/* ---- writing ------------------------------------------------------------------------------------------------------------ */

static int target_local_add(silt_db *db, silt_batch *b, const struct target_op *op)
{
	struct silt_put_options o = { .expires_ms = op->entry.expires_ms, .meta = target_local_slice(op->entry.meta) };
	struct silt_slice key = target_local_slice(op->entry.key);

	if (op->entry.ttl_s)
		o.expires_ms = silt_clock_ms(db) + op->entry.ttl_s * 1000;
	return op->remove ? silt_batch_delete(b, key, 0) : silt_batch_put(b, key, target_local_slice(op->entry.value), &o, 0);
}

static int target_local_batch(struct target_local *l)
{
	if (!l->batch)
		return silt_batch_new(&l->batch);
	silt_batch_clear(l->batch);
	return 0;
}

static int target_local_write(struct target *t, const struct target_op *ops, size_t n, uint64_t *version)
{
	struct target_local *l = target_local_of(t);
	struct silt_result result = { 0 };
	int rc = target_local_batch(l);

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = target_local_add(l->s.db, l->batch, &ops[i]);
	if (rc == 0)
		rc = silt_write(l->s.db, l->batch, 0, &result);
	*version = result.version;
	silt_result_fini(&result);
	return target_local_fail(t, rc);
}

static int target_local_one(struct target *t, const struct target_op *op, const struct target_cond *conds, size_t n, uint64_t *version,
                            uint64_t *current)
{
	struct target_local *l = target_local_of(t);
	struct silt_result result = { 0 };
	int rc = target_local_batch(l);

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = silt_batch_require(l->batch, target_local_slice(op->entry.key), conds[i].none_match ? SILT_COND_NONE_MATCH : SILT_COND_MATCH,
		                        &conds[i].version, conds[i].version ? 1 : 0);
	if (rc == 0)
		rc = target_local_add(l->s.db, l->batch, op);
	if (rc == 0)
		rc = silt_write(l->s.db, l->batch, 0, &result);
	*version = result.version;
	*current = result.current;
	silt_result_fini(&result);
	return rc;
}

static int target_local_put(struct target *t, const struct entry *e, const struct target_cond *conds, size_t n, uint64_t *version)
{
	struct target_op op = { .entry = *e };
	uint64_t current;
	int rc = target_local_one(t, &op, conds, n, version, &current);

	return rc == SILT_CONFLICT ? target_conflict(current) : target_local_fail(t, rc);
}

static int target_local_remove(struct target *t, struct span key, const struct target_cond *conds, size_t n, uint64_t *version)
{
	struct target_op op = { .remove = true, .entry = { .key = key } };
	struct target_cond all[3] = { { .version = 0 } };     /* it is there: asked first */
	uint64_t current;
	int rc;

	for (size_t i = 0; i < n && i < 2; i++)
		all[i + 1] = conds[i];
	rc = target_local_one(t, &op, all, n + 1, version, &current);
	if (rc == SILT_CONFLICT)
		return current ? target_conflict(current) : target_absent();
	return target_local_fail(t, rc);
}

static int target_local_remove_range(struct target *t, const struct target_range *range, uint64_t *deleted, bool *more, uint64_t *version)
{
	struct target_scanned counted;
	int status = target_local_count(t, range, &counted);

	*deleted = counted.count;
	*more = false;
	*version = counted.version;
	if (status != SESSION_OK || range->nothing)
		return status;
	return target_local_fail(t, silt_delete_range(target_local_of(t)->s.db, target_local_bound(range->lower),
	                                              target_local_bound(range->upper), version));
}

/* ---- operations --------------------------------------------------------------------------------------------------------- */

static int target_local_flush(struct target *t)
{
	return target_local_fail(t, silt_flush(target_local_of(t)->s.db));
}

static int target_local_compact(struct target *t)
{
	return target_local_fail(t, silt_compact(target_local_of(t)->s.db));
}

static int target_local_verify(struct target *t, struct progress *p, struct target_verified *out)
{
	struct target_local *l = target_local_of(t);
	struct silt_stats stats;
	int rc;

	l->s.progress = *p;                      /* which makes way for what the engine says */
	rc = silt_verify(l->s.db, session_progress, &l->s);
	progress_clear(&l->s.progress);
	silt_stats(l->s.db, &stats);
	*out = (struct target_verified){ .log_entries = stats.recovered_entries, .findings = atomic_load(&l->s.findings) };
	for (int i = 0; i < SILT_LEVELS; i++) {
		out->tables += stats.tables[i];
		out->entries += stats.table_entries[i];
		out->bytes += stats.table_bytes[i];
	}
	return rc == SILT_END && stop_asked() ? stop_status() : target_local_fail(t, rc);
}

/* ---- opening ------------------------------------------------------------------------------------------------------------ */

static void target_local_close(struct target *t)
{
	struct target_local *l = target_local_of(t);

	silt_batch_free(l->batch);
	session_close(&l->s);
	owner_leave();
	silt_buf_free(&l->value);
	free(l);
}

static const struct target_ops target_local_ops = {
	.get = target_local_get, .put = target_local_put, .remove = target_local_remove, .write = target_local_write,
	.remove_range = target_local_remove_range, .scan = target_local_scan, .count = target_local_count, .estimate = target_local_estimate,
	.stats = target_local_stats, .flush = target_local_flush, .compact = target_local_compact, .verify = target_local_verify,
	.close = target_local_close,
};

int target_local_open(const struct args *a, enum target_mode mode, struct target **out)
{
	struct target_local *l = calloc(1, sizeof(*l));
	int status;

	if (!l)
		return session_fail(a->dir, SILT_E_NOMEM);
	l->target = (struct target){ .ops = &target_local_ops, .name = a->dir, .local = true };
	if (mode == TARGET_READ)
		status = session_open(&l->s, a);
	else
		status = owner_enter(a->dir) ? session_open_to_write(&l->s, a) : SESSION_UNREADABLE;
	if (status != SESSION_OK) {
		owner_leave();
		free(l);
		return status;
	}
	*out = &l->target;
	return SESSION_OK;
}
