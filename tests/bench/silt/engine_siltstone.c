/* SPDX-License-Identifier: Apache-2.0 */
/* engine_siltstone.c - this engine, through its public header and its shared library, as anybody would use it. */
#include "engines.h"

#include <inttypes.h>
#include <siltstone.h>
#include <stdlib.h>

struct siltstone_store {
	silt_db *db;
	unsigned flags;                  /* of every write */
};

struct siltstone_session {
	struct siltstone_store *store;
	silt_batch *batch;
	struct silt_buf value;
};

static struct silt_slice siltstone_slice(struct bench_bytes b)
{
	return (struct silt_slice){ b.data, b.len };
}

static void siltstone_log(void *ctx, enum silt_log_level level, const char *message)
{
	(void)ctx;
	if (level <= SILT_LOG_WARNING)
		fprintf(stderr, "siltstone: %s\n", message);
}

/* `memory` is one budget for everything: the cache asked for, and as many memtables as a quarter of it may hold. */
static void siltstone_tune(struct silt_options *o, const struct bench_setup *s)
{
	o->memtable_size = s->memtable_bytes;
	o->filter_bits_per_key = s->filter_bits;
	o->memory = s->cache_bytes + bench_memtables(s) * s->memtable_bytes;
	if (!s->compress)
		o->compression = o->compression_bottom = SILT_COMPRESS_NONE;
}

static int siltstone_fail(const char *what, int rc)
{
	fprintf(stderr, "siltstone: %s: %s\n", what, silt_strerror(rc));
	return -1;
}

static int siltstone_open(const struct bench_setup *s, void **store)
{
	struct siltstone_store *e = calloc(1, sizeof(*e));
	struct silt_options o;
	int rc;

	silt_options_init(&o);
	o.log = siltstone_log;
	if (s->tuned)
		siltstone_tune(&o, s);
	rc = silt_open(s->dir, &o, &e->db);
	if (rc != 0)
		return siltstone_fail("open", rc);
	e->flags = s->sync ? 0 : SILT_ASYNC;
	*store = e;
	return 0;
}

static int siltstone_close(void *store)
{
	struct siltstone_store *e = store;
	int rc = silt_close(e->db);

	free(e);
	return rc != 0 ? siltstone_fail("close", rc) : 0;
}

static int siltstone_settle(void *store)
{
	struct siltstone_store *e = store;
	int rc = silt_compact(e->db);

	return rc != 0 ? siltstone_fail("compact", rc) : 0;
}

static int siltstone_enter(void *store, void **session)
{
	struct siltstone_session *t = calloc(1, sizeof(*t));
	int rc;

	t->store = store;
	rc = silt_batch_new(&t->batch);
	if (rc != 0)
		return siltstone_fail("batch", rc);
	*session = t;
	return 0;
}

static void siltstone_leave(void *session)
{
	struct siltstone_session *t = session;

	silt_batch_free(t->batch);
	silt_buf_free(&t->value);
	free(t);
}

static int siltstone_put(void *session, struct bench_bytes key, struct bench_bytes value)
{
	struct siltstone_session *t = session;
	int rc;

	silt_batch_clear(t->batch);
	rc = silt_batch_put(t->batch, siltstone_slice(key), siltstone_slice(value), NULL, 0);
	if (rc == 0)
		rc = silt_write(t->store->db, t->batch, t->store->flags, NULL);
	return rc != 0 ? siltstone_fail("put", rc) : 0;
}

static int siltstone_del(void *session, struct bench_bytes key)
{
	struct siltstone_session *t = session;
	int rc;

	silt_batch_clear(t->batch);
	rc = silt_batch_delete(t->batch, siltstone_slice(key), 0);
	if (rc == 0)
		rc = silt_write(t->store->db, t->batch, t->store->flags, NULL);
	return rc != 0 ? siltstone_fail("delete", rc) : 0;
}

static int siltstone_get(void *session, struct bench_bytes key, struct bench_seen *seen)
{
	struct siltstone_session *t = session;
	int rc = silt_get(t->store->db, siltstone_slice(key), NULL, 0, &t->value, NULL);

	if (rc == SILT_NOTFOUND)
		return 0;
	if (rc != 0)
		return siltstone_fail("get", rc);
	bench_see(seen, t->value.data, t->value.len);
	return 1;
}

static int siltstone_start(silt_iter *it, struct bench_bytes from, bool backwards)
{
	if (from.len == 0)
		return backwards ? silt_iter_last(it) : silt_iter_first(it);
	return backwards ? silt_iter_seek_prev(it, siltstone_slice(from)) : silt_iter_seek(it, siltstone_slice(from));
}

static int siltstone_scan(void *session, struct bench_bytes from, uint64_t n, bool backwards, struct bench_seen *seen)
{
	struct siltstone_session *t = session;
	struct silt_iter_options o = { 0 };
	silt_iter *it;
	int rc = silt_iter_new(t->store->db, &o, &it);

	if (rc != 0)
		return siltstone_fail("iterator", rc);
	rc = siltstone_start(it, from, backwards);
	while (rc == 0) {
		struct silt_slice v = silt_iter_value(it);

		bench_see(seen, v.data, v.len);
		if (--n == 0)
			break;
		rc = backwards ? silt_iter_prev(it) : silt_iter_next(it);
	}
	silt_iter_close(it);
	return rc != 0 && rc != SILT_END ? siltstone_fail("scan", rc) : 0;
}

static void siltstone_tell(void *store, FILE *out)
{
	struct siltstone_store *e = store;
	struct silt_stats s;

	silt_stats(e->db, &s);
	fprintf(out, "siltstone: tables");
	for (unsigned level = 0; level < SILT_LEVELS; level++)
		fprintf(out, " %" PRIu64, s.tables[level]);
	fprintf(out, "; flushed %" PRIu64 " MiB, compactions %" PRIu64 " read %" PRIu64 " wrote %" PRIu64 " MiB; writes %" PRIu64
		" groups %" PRIu64 " syncs %" PRIu64 ", mean %" PRIu64 " us, max %" PRIu64 " us; stalls %" PRIu64 ", %" PRIu64
		" ms (%s); cache %" PRIu64 " of %" PRIu64 " MiB, hits %" PRIu64 ", misses %" PRIu64
		"; filters asked %" PRIu64 ", said no %" PRIu64 "\n",
		s.flush_bytes >> 20, s.compactions, s.compaction_read_bytes >> 20, s.compaction_write_bytes >> 20, s.writes,
		s.groups, s.syncs, s.syncs ? s.sync_ns_total / s.syncs / 1000 : 0, s.sync_ns_max / 1000, s.stalls,
		s.stall_ns / 1000000, s.stall_reason, s.cache_bytes >> 20, s.cache_capacity >> 20, s.cache_hits, s.cache_misses,
		s.filter_checks, s.filter_negatives);
}

const struct bench_engine engine_siltstone = {
	.name = "siltstone", .can = BENCH_DEFAULTS | BENCH_READS,
	.open = siltstone_open, .close = siltstone_close, .settle = siltstone_settle,
	.enter = siltstone_enter, .leave = siltstone_leave,
	.put = siltstone_put, .del = siltstone_del, .get = siltstone_get, .scan = siltstone_scan, .tell = siltstone_tell,
};
