/* SPDX-License-Identifier: Apache-2.0 */
/* write.c - the public way into the commit queue: checks, evidence, and what is asked again. */
#include "db/commit.h"
#include "db/measure.h"

enum { WRITE_TRIES = 100 };               /* of one silt_write() whose evidence keeps growing old: each needs a flush between */

static int write_check(const struct silt_db *db, const struct silt_batch *b, unsigned flags)
{
	if (!db || !b || (flags & ~(SILT_ASYNC | SILT_CACHED_ONLY | SILT_NO_WAIT)))
		return SILT_E_MISUSE;
	if (db->env.opts.read_only)
		return SILT_E_FAULT;
	if (log_record_size(silt_batch_bytes(b)) > db->env.opts.wal_segment_size / LOG_BATCH_SHARE)
		return SILT_E_TOOBIG;
	return db_fault((struct silt_db *)db) ? SILT_E_FAULT : 0;
}

/* Evidence and log form. SILT_CONFLICT: decided already, the result is filled. */
static int write_prepare(struct silt_db *db, const struct silt_batch *b, unsigned flags, struct commit_request *r)
{
	int rc;

	r->kind = COMMIT_WRITE;
	r->flags = flags;
	r->batch = b;
	rc = decide_prepare(db, b, flags, &r->decide);
	if (rc == 0 && r->decide.cond_count)
		rc = decide_early(b, &r->decide, db_now_ms(db), &r->result);
	if (rc == SILT_CONFLICT)
		db_count(&db->count.conflicts, 1);
	if (rc == 0 && batch_add_count(b)) {
		rc = buf_reserve(&r->payload, silt_batch_bytes(b));
		r->payload.len = rc == 0 ? silt_batch_bytes(b) : 0;       /* room; sealed by the leader, who knows the sums */
	} else if (rc == 0 && batch_op_count(b)) {
		rc = batch_seal(b, &r->payload);
	}
	r->result.code = rc;
	return rc;
}

static int write_once(struct silt_db *db, const struct silt_batch *b, unsigned flags, struct silt_result *res)
{
	struct commit_request r = { 0 };
	int rc = write_prepare(db, b, flags, &r);

	if (rc == 0)
		rc = commit_wait(db, &r);
	if (res && (rc == 0 || rc == SILT_CONFLICT || rc == SILT_OVERFLOW || rc == SILT_NO_COUNTER)) {
		*res = r.result;
		memset(&r.result, 0, sizeof(r.result));
	}
	silt_result_fini(&r.result);
	decide_fini(&r.decide);
	buf_fini(&r.payload);
	return rc;
}

int silt_write(silt_db *db, const silt_batch *b, unsigned flags, struct silt_result *res)
{
	int rc = write_check(db, b, flags);
	uint64_t began_ns = rc == 0 ? measure_write_begin(db, flags) : 0;

	for (int i = 0; rc == 0 && i < WRITE_TRIES; i++) {
		rc = write_once(db, b, flags, res);
		if (rc == 0 && began_ns)
			measure_write(db, flags, began_ns);
		if (rc != SILT_TRY_AGAIN)
			return rc;
		rc = 0;
	}
	return rc < 0 ? rc : SILT_E_BUSY;
}

int silt_write_async(silt_db *db, const silt_batch *b, unsigned flags, silt_write_fn *fn, void *ctx)
{
	struct commit_request *r;
	int rc = write_check(db, b, flags);

	if (rc < 0)
		return rc;
	if (!fn)
		return SILT_E_MISUSE;
	r = mem_calloc(1, sizeof(*r));
	if (!r)
		return SILT_E_NOMEM;
	r->fn = fn;
	r->ctx = ctx;
	r->began_ns = measure_write_begin(db, flags);
	rc = write_prepare(db, b, flags, r);
	if (rc == SILT_CONFLICT) {                /* against the published state: answered at once */
		fn(ctx, &r->result);
		commit_request_free(r);
		return 0;
	}
	if (rc == 0 && r->decide.n) {             /* the leader will look at its conditions */
		rc = batch_copy(b, &r->own_batch);
		r->batch = r->own_batch;
		if (rc == 0)
			decide_borrow(r->batch, &r->decide);
	}
	if (rc == 0)
		rc = commit_submit(db, r);
	if (rc != 0)
		commit_request_free(r);
	return rc;
}

/* A batch of one operation, which was added to it with rc; takes the batch. */
static int write_one(silt_db *db, silt_batch *b, int rc, uint64_t *version)
{
	struct silt_result res = { 0 };

	if (rc == 0)
		rc = silt_write(db, b, 0, &res);
	if (rc == 0 && version)
		*version = res.version;
	silt_result_fini(&res);
	silt_batch_free(b);
	return rc;
}

int silt_put(silt_db *db, struct silt_slice key, struct silt_slice value, uint64_t *version)
{
	silt_batch *b;
	int rc = silt_batch_new(&b);

	return rc < 0 ? rc : write_one(db, b, silt_batch_put(b, key, value, NULL, 0), version);
}

int silt_delete(silt_db *db, struct silt_slice key, uint64_t *version)
{
	silt_batch *b;
	int rc = silt_batch_new(&b);

	return rc < 0 ? rc : write_one(db, b, silt_batch_delete(b, key, 0), version);
}

int silt_delete_range(silt_db *db, struct silt_slice lower, struct silt_slice upper, uint64_t *version)
{
	silt_batch *b;
	int rc = silt_batch_new(&b);

	return rc < 0 ? rc : write_one(db, b, silt_batch_delete_range(b, lower, upper), version);
}

int silt_add(silt_db *db, struct silt_slice key, int64_t delta, int64_t *sum, uint64_t *version)
{
	struct silt_result res = { 0 };
	silt_batch *b;
	int rc = silt_batch_new(&b);

	if (rc < 0)
		return rc;
	rc = silt_batch_add(b, key, delta, NULL, sum ? SILT_OP_REPORT : 0);
	if (rc == 0)
		rc = silt_write(db, b, 0, &res);
	if (rc == 0 && sum)
		*sum = res.reports[0].sum;
	if (rc == 0 && version)
		*version = res.version;
	silt_result_fini(&res);
	silt_batch_free(b);
	return rc;
}

static int write_take(silt_db *db, const silt_batch *b, struct silt_buf *value, struct silt_info *info, uint64_t *version)
{
	struct silt_result res = { 0 };
	int rc = silt_write(db, b, 0, &res);

	if (rc == 0 && value)
		decide_give_values(&res, value);  /* not copied: it is deleted already, and a copy could fail */
	if (rc == 0 && info)
		*info = res.reports[0].info;
	if (rc == 0 && version)
		*version = res.version;
	silt_result_fini(&res);
	return rc == SILT_CONFLICT ? SILT_NOTFOUND : rc;
}

int silt_take(silt_db *db, struct silt_slice key, struct silt_buf *value, struct silt_info *info, uint64_t *version)
{
	silt_batch *b;
	int rc = silt_batch_new(&b);

	if (value)
		value->len = 0;
	if (rc < 0)
		return rc;
	rc = silt_batch_require(b, key, SILT_COND_MATCH, NULL, 0);
	if (rc == 0)
		rc = silt_batch_delete(b, key, value ? SILT_OP_REPORT_VALUE : SILT_OP_REPORT);
	if (rc == 0)
		rc = write_take(db, b, value, info, version);
	silt_batch_free(b);
	return rc;
}

int silt_sync(silt_db *db)
{
	struct commit_request r = { .kind = COMMIT_SYNC };

	if (!db)
		return SILT_E_MISUSE;
	if (db->env.opts.read_only)
		return 0;
	return commit_wait(db, &r);
}
