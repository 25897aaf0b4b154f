/* SPDX-License-Identifier: Apache-2.0 */
/* twin_write.c - the writes: puts and deletes, batches, ranges, streams, and many at once. */
#include "lib/test.h"

#include <pthread.h>

#include "model/twin.h"

static struct model_op random_op(void)
{
	struct model_op op = { .key = chance(8) ? chance(T.m->n) : chance(20) };
	uint64_t expires = chance(12) ? 0 : T.now_ms + 1 + chance(20000);

	if (chance(4))
		op.to = model_random_put(&T.random, expires);
	return op;
}

silt_batch *twin_new_batch(void)
{
	silt_batch *b = NULL;

	model_ok(silt_batch_new(&b), "silt_batch_new");
	return b;
}

static void add_op(silt_batch *b, const struct model_op *op, unsigned flags)
{
	uint8_t meta[SILT_META_MAX];
	struct silt_put_options opts = { .expires_ms = op->to.expires_ms, .meta = model_meta(&op->to, meta) };

	if (op->to.there)
		model_ok(silt_batch_put(b, T.m->keys[op->key], model_value(&op->to, T.m->scratch), &opts, flags), "silt_batch_put");
	else
		model_ok(silt_batch_delete(b, T.m->keys[op->key], flags), "silt_batch_delete");
}

/* Some distinct, some on one key. */
size_t twin_random_ops(silt_batch *b, struct model_op *ops, size_t n, unsigned flags)
{
	size_t i;

	for (i = 0; i < n && silt_batch_bytes(b) < 40 << 10; i++) {
		ops[i] = random_op();
		if (i && chance(10) == 0)
			ops[i].key = ops[chance(i)].key;
		add_op(b, &ops[i], flags);
	}
	return i;
}

/* A stall past its bound and evidence grown old are answers, not failures: ask again. */
int twin_write_batch(const silt_batch *b, unsigned flags, struct silt_result *res)
{
	int rc = silt_write(T.db, b, flags, res);

	for (int tries = 0; (rc == SILT_E_BUSY || rc == SILT_TRY_AGAIN) && tries < 10000; tries++) {
		T.retries++;
		pause_ms(1);
		rc = silt_write(T.db, b, flags, res);
	}
	return rc;
}

void twin_acknowledge(uint64_t version)
{
	uint64_t old = atomic_load(&T.acked);

	while (old < version && !atomic_compare_exchange_weak(&T.acked, &old, version))
		;
}

void twin_op_write(void)
{
	struct model_op ops[BATCH_MAX];
	struct silt_result res = { 0 };
	silt_batch *b = twin_new_batch();
	unsigned flags = chance(6) ? 0 : SILT_ASYNC;
	size_t n = twin_random_ops(b, ops, chance(4) ? 1 : 1 + chance(chance(10) ? 12 : BATCH_MAX), 0);

	if (silt_batch_count(b) != n)
		model_fail("silt_batch_count: %zu, not %zu", silt_batch_count(b), n);
	model_ok(twin_write_batch(b, flags, &res), "silt_write");
	model_commit(T.m, res.version, ops, n);
	if (flags == 0)
		twin_acknowledge(res.version);
	silt_result_fini(&res);
	silt_batch_free(b);
}

void twin_op_simple(void)
{
	struct model_op op = random_op();
	uint64_t version = 0;
	int rc;

	op.to.expires_ms = 0;
	op.to.meta_len = 0;
	do {
		rc = op.to.there ? silt_put(T.db, T.m->keys[op.key], model_value(&op.to, T.m->scratch), &version)
		                 : silt_delete(T.db, T.m->keys[op.key], &version);
		if (rc == SILT_E_BUSY)
			pause_ms(1);
	} while (rc == SILT_E_BUSY);
	model_ok(rc, "silt_put or silt_delete");
	model_commit(T.m, version, &op, 1);
	twin_acknowledge(version);
}

/* A sorted stream of distinct keys, one that is out of order among them; sometimes given up. */
void twin_op_ingest(void)
{
	static struct model_op ops[KEYS];
	size_t n = 0, every = 1 + chance(60);
	silt_ingest *in = NULL;
	uint64_t version = 0;
	int rc;

	model_ok(silt_ingest_begin(T.db, &in), "silt_ingest_begin");
	for (size_t i = chance(T.m->n); i < T.m->n && n < 400; i += 1 + chance(every)) {
		uint8_t meta[SILT_META_MAX];
		struct silt_put_options opts;
		struct model_op *op = &ops[n++];

		*op = (struct model_op){ .key = i, .to = model_random_put(&T.random, chance(12) ? 0 : T.now_ms + 1 + chance(20000)) };
		opts = (struct silt_put_options){ .expires_ms = op->to.expires_ms, .meta = model_meta(&op->to, meta) };
		model_ok(silt_ingest_add(in, T.m->keys[i], model_value(&op->to, T.m->scratch), &opts), "silt_ingest_add");
		if (silt_ingest_add(in, T.m->keys[chance(i + 1)], T.m->keys[0], NULL) != SILT_E_MISUSE)
			model_fail("silt_ingest_add took a key out of order");
	}
	if (chance(5)) {
		while ((rc = silt_ingest_commit(in, &version)) == SILT_E_BUSY)
			pause_ms(1);
		model_ok(rc, "silt_ingest_commit");
		model_commit(T.m, version, ops, n);
		twin_acknowledge(version);
		T.ingested = version;
		T.ingests++;
	}
	silt_ingest_end(in);
}

void twin_op_too_big(void)
{
	silt_batch *b = twin_new_batch();
	struct model_op op = { .key = chance(T.m->n), .to = { .there = true, .value_len = 50 << 10, .seed = 1 } };

	for (int i = 0; i < 3; i++) {
		add_op(b, &op, 0);
		op.key = (op.key + 1) % T.m->n;
	}
	atomic_store(&T.error_expected, true);
	if (silt_write(T.db, b, 0, NULL) != SILT_E_TOOBIG)
		model_fail("a batch over half of a segment was not refused");
	atomic_store(&T.error_expected, false);
	silt_batch_free(b);
}

/* ---- range deletes ------------------------------------------------------------------------------------------------ */

/* A key of the store, or a stranger close to one. */
struct silt_slice twin_random_bound_near(size_t i, uint8_t *buf)
{
	struct silt_slice key = T.m->keys[i];
	size_t len = key.len;

	memcpy(buf, key.data, len);
	if (chance(3) == 0 && len > 1)
		len -= 1 + chance(len - 1);
	if (chance(3) == 0 && len < SILT_KEY_MAX)
		buf[len++] = (uint8_t)chance(256);
	return (struct silt_slice){ buf, len };
}

/* To the batch, and as a delete of each key in it to ops. Mostly short; now and then from the first or to the last, rarely all. */
static size_t add_range(silt_batch *b, struct model_op *ops)
{
	uint8_t lower_room[SILT_KEY_MAX], upper_room[SILT_KEY_MAX];
	struct silt_slice lower = { 0 }, upper = { 0 };
	size_t i = chance(T.m->n), far = i + chance(chance(8) ? 30 : 400), from, to, n = 0;
	int rc;

	if (far >= T.m->n)
		far = T.m->n - 1;
	if (chance(40) || i > 200)
		lower = twin_random_bound_near(i, lower_room);
	if (chance(40) || far + 200 < T.m->n)
		upper = twin_random_bound_near(far, upper_room);
	from = lower.data ? model_find(T.m, lower) : 0;
	to = upper.data ? model_find(T.m, upper) : T.m->n;
	rc = silt_batch_delete_range(b, lower, upper);
	if (rc == SILT_E_MISUSE && to <= from)
		return 0;                         /* a stranger stands on the other side */
	model_ok(rc, "silt_batch_delete_range");
	for (i = from; i < to; i++)
		ops[n++] = (struct model_op){ .key = i };
	T.ranges++;
	return n;
}

/* Before it, it, behind it; and with luck another one: what is added later wins, of the rest the range delete. */
void twin_op_range(void)
{
	struct model_op *ops = malloc((2 * T.m->n + 24) * sizeof(*ops));
	unsigned flags = chance(6) ? 0 : SILT_ASYNC;
	struct silt_result res = { 0 };
	silt_batch *b = twin_new_batch();
	size_t n = 0;

	if (!ops)
		model_fail("out of memory");
	n += twin_random_ops(b, ops + n, chance(2) ? 0 : chance(8), 0);
	n += add_range(b, ops + n);
	n += twin_random_ops(b, ops + n, chance(2) ? 0 : chance(8), 0);
	if (chance(4) == 0)
		n += add_range(b, ops + n);
	n += twin_random_ops(b, ops + n, chance(3) ? 0 : chance(8), 0);
	if (silt_batch_count(b)) {
		model_ok(twin_write_batch(b, flags, &res), "silt_write of a range delete");
		model_commit(T.m, res.version, ops, n);
		if (flags == 0)
			twin_acknowledge(res.version);
	}
	silt_result_fini(&res);
	silt_batch_free(b);
	free(ops);
}

/* One by one over neighbours, as a queue is cut from its front. */
void twin_op_cut(void)
{
	size_t from = chance(T.m->n - 8), end = from + 2 + chance(6);

	for (size_t to = from + 1; to <= end; to++) {
		struct model_op ops[8];
		uint64_t version = 0;
		int rc;

		do {
			rc = silt_delete_range(T.db, T.m->keys[from], T.m->keys[to], &version);
			if (rc == SILT_E_BUSY)
				pause_ms(1);
		} while (rc == SILT_E_BUSY);
		model_ok(rc, "silt_delete_range");
		for (size_t i = from; i < to; i++)
			ops[i - from] = (struct model_op){ .key = i };
		model_commit(T.m, version, ops, to - from);
		twin_acknowledge(version);
		T.ranges++;
	}
}

/* ---- many in flight ----------------------------------------------------------------------------------------------- */

struct flight {
	struct burst *burst;
	struct model_op ops[8];
	size_t n;
	bool durable;
	int code;
	uint64_t version;
};
static struct burst {
	pthread_mutex_t mu;
	pthread_cond_t landed;
	size_t flying;
	struct flight flights[BURST_MAX];
} B = { .mu = PTHREAD_MUTEX_INITIALIZER, .landed = PTHREAD_COND_INITIALIZER };

static void on_written(void *ctx, const struct silt_result *r)
{
	struct flight *f = ctx;

	if (r->code == 0 && f->durable)
		twin_acknowledge(r->version);
	pthread_mutex_lock(&B.mu);
	f->code = r->code;
	f->version = r->version;
	B.flying--;
	pthread_cond_signal(&B.landed);
	pthread_mutex_unlock(&B.mu);
}

static int flight_cmp(const void *a, const void *b)
{
	const struct flight *f = a, *g = b;

	return (f->version > g->version) - (f->version < g->version);
}

/* Of at most four keys. */
static size_t add_short_range(silt_batch *b, struct model_op *ops)
{
	size_t from = chance(T.m->n - 5), n = 1 + chance(4);

	model_ok(silt_batch_delete_range(b, T.m->keys[from], T.m->keys[from + n]), "silt_batch_delete_range");
	for (size_t i = 0; i < n; i++)
		ops[i] = (struct model_op){ .key = from + i };
	T.ranges++;
	return n;
}

void twin_op_burst(void)
{
	size_t n = 2 + chance(BURST_MAX - 2);

	T.bursts++;
	for (size_t i = 0; i < n; i++) {
		struct flight *f = &B.flights[i];
		silt_batch *b = twin_new_batch();
		int rc;

		*f = (struct flight){ .burst = &B, .durable = chance(5) != 0 };
		f->n = twin_random_ops(b, f->ops, 1 + chance(8), 0);
		if (f->n <= 4 && chance(4) == 0)
			f->n += add_short_range(b, f->ops + f->n);
		pthread_mutex_lock(&B.mu);
		B.flying++;
		pthread_mutex_unlock(&B.mu);
		while ((rc = silt_write_async(T.db, b, f->durable ? 0 : SILT_ASYNC, on_written, f)) == SILT_E_BUSY)
			pause_ms(1);
		model_ok(rc, "silt_write_async");
		silt_batch_free(b);
	}
	pthread_mutex_lock(&B.mu);
	while (B.flying)
		pthread_cond_wait(&B.landed, &B.mu);
	pthread_mutex_unlock(&B.mu);
	qsort(B.flights, n, sizeof(B.flights[0]), flight_cmp);
	for (size_t i = 0; i < n; i++) {
		if (B.flights[i].code == SILT_E_BUSY)
			continue;                 /* refused whole by a stall past its bound */
		model_ok(B.flights[i].code, "an asynchronous write");
		model_commit(T.m, B.flights[i].version, B.flights[i].ops, B.flights[i].n);
	}
}
