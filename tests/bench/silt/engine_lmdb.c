/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_lmdb.c - LMDB: a write transaction a put, a renewed read transaction a get or scan, so that each sees the newest state as the others do.
 * It has no cache, memtable or filter to set: the page cache serves it, whatever its size. Tuned: MDB_WRITEMAP. Async: MDB_NOSYNC, where a
 * commit is in the page cache when it returns.
 */
#include "engines.h"

#include <lmdb.h>
#include <stdlib.h>

struct lmdb_store {
	MDB_env *env;
	MDB_dbi dbi;
};

struct lmdb_session {
	struct lmdb_store *store;
	MDB_txn *read;                   /* reset between uses */
	MDB_cursor *cursor;              /* of read */
};

static int lmdb_fail(const char *what, int rc)
{
	fprintf(stderr, "lmdb: %s: %s\n", what, mdb_strerror(rc));
	return -1;
}

static int lmdb_open_dbi(struct lmdb_store *e)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(e->env, NULL, 0, &txn);

	if (rc == 0)
		rc = mdb_dbi_open(txn, NULL, 0, &e->dbi);
	return rc == 0 ? mdb_txn_commit(txn) : rc;
}

static int lmdb_open(const struct bench_setup *s, void **store)
{
	struct lmdb_store *e = calloc(1, sizeof(*e));
	unsigned flags = MDB_NOTLS | (s->sync ? 0 : MDB_NOSYNC) | (s->tuned ? MDB_WRITEMAP : 0);
	int rc = mdb_env_create(&e->env);

	if (rc == 0)
		rc = mdb_env_set_mapsize(e->env, (s->data_bytes * 4 + (1u << 30)) & ~(size_t)4095);
	if (rc == 0)
		rc = mdb_env_set_maxreaders(e->env, 256);
	if (rc == 0)
		rc = mdb_env_open(e->env, s->dir, flags, 0644);
	if (rc == 0)
		rc = lmdb_open_dbi(e);
	*store = e;
	return rc != 0 ? lmdb_fail("open", rc) : 0;
}

static int lmdb_close(void *store)
{
	struct lmdb_store *e = store;

	mdb_env_close(e->env);
	free(e);
	return 0;
}

static int lmdb_settle(void *store)
{
	struct lmdb_store *e = store;
	int rc = mdb_env_sync(e->env, 1);

	return rc != 0 ? lmdb_fail("sync", rc) : 0;
}

static int lmdb_enter(void *store, void **session)
{
	struct lmdb_session *t = calloc(1, sizeof(*t));
	int rc;

	t->store = store;
	rc = mdb_txn_begin(t->store->env, NULL, MDB_RDONLY, &t->read);
	if (rc == 0)
		rc = mdb_cursor_open(t->read, t->store->dbi, &t->cursor);
	if (rc != 0)
		return lmdb_fail("reader", rc);
	mdb_txn_reset(t->read);
	*session = t;
	return 0;
}

static void lmdb_leave(void *session)
{
	struct lmdb_session *t = session;

	mdb_cursor_close(t->cursor);
	mdb_txn_abort(t->read);
	free(t);
}

static int lmdb_put(void *session, struct bench_bytes key, struct bench_bytes value)
{
	struct lmdb_session *t = session;
	MDB_val k = { key.len, (void *)(uintptr_t)key.data }, v = { value.len, (void *)(uintptr_t)value.data };
	MDB_txn *txn;
	int rc = mdb_txn_begin(t->store->env, NULL, 0, &txn);

	if (rc != 0)
		return lmdb_fail("writer", rc);
	rc = mdb_put(txn, t->store->dbi, &k, &v, 0);
	if (rc != 0) {
		mdb_txn_abort(txn);
		return lmdb_fail("put", rc);
	}
	rc = mdb_txn_commit(txn);
	return rc != 0 ? lmdb_fail("commit", rc) : 0;
}

static int lmdb_del(void *session, struct bench_bytes key)
{
	struct lmdb_session *t = session;
	MDB_val k = { key.len, (void *)(uintptr_t)key.data };
	MDB_txn *txn;
	int rc = mdb_txn_begin(t->store->env, NULL, 0, &txn);

	if (rc != 0)
		return lmdb_fail("writer", rc);
	rc = mdb_del(txn, t->store->dbi, &k, NULL);
	if (rc != 0 && rc != MDB_NOTFOUND) {
		mdb_txn_abort(txn);
		return lmdb_fail("delete", rc);
	}
	rc = mdb_txn_commit(txn);
	return rc != 0 ? lmdb_fail("commit", rc) : 0;
}

static int lmdb_get(void *session, struct bench_bytes key, struct bench_seen *seen)
{
	struct lmdb_session *t = session;
	MDB_val k = { key.len, (void *)(uintptr_t)key.data }, v;
	int rc = mdb_txn_renew(t->read);

	if (rc != 0)
		return lmdb_fail("renew", rc);
	rc = mdb_get(t->read, t->store->dbi, &k, &v);
	if (rc == 0)
		bench_see(seen, v.mv_data, v.mv_size);
	mdb_txn_reset(t->read);
	if (rc != 0 && rc != MDB_NOTFOUND)
		return lmdb_fail("get", rc);
	return rc == 0;
}

/* The last entry at or before a key is the one before the first after it, unless that is the key. */
static int lmdb_start_back(MDB_cursor *c, struct bench_bytes from, MDB_val *k, MDB_val *v)
{
	int rc = mdb_cursor_get(c, k, v, MDB_SET_RANGE);

	if (rc == MDB_NOTFOUND)
		return mdb_cursor_get(c, k, v, MDB_LAST);
	if (rc == 0 && (k->mv_size != from.len || memcmp(k->mv_data, from.data, from.len) != 0))
		return mdb_cursor_get(c, k, v, MDB_PREV);
	return rc;
}

static int lmdb_start(MDB_cursor *c, struct bench_bytes from, bool backwards, MDB_val *k, MDB_val *v)
{
	if (from.len == 0)
		return mdb_cursor_get(c, k, v, backwards ? MDB_LAST : MDB_FIRST);
	*k = (MDB_val){ from.len, (void *)(uintptr_t)from.data };
	return backwards ? lmdb_start_back(c, from, k, v) : mdb_cursor_get(c, k, v, MDB_SET_RANGE);
}

static int lmdb_scan(void *session, struct bench_bytes from, uint64_t n, bool backwards, struct bench_seen *seen)
{
	struct lmdb_session *t = session;
	MDB_val k, v;
	int rc = mdb_txn_renew(t->read);

	if (rc == 0)
		rc = mdb_cursor_renew(t->read, t->cursor);
	if (rc == 0)
		rc = lmdb_start(t->cursor, from, backwards, &k, &v);
	while (rc == 0) {
		bench_see(seen, v.mv_data, v.mv_size);
		if (--n == 0)
			break;
		rc = mdb_cursor_get(t->cursor, &k, &v, backwards ? MDB_PREV : MDB_NEXT);
	}
	mdb_txn_reset(t->read);
	return rc != 0 && rc != MDB_NOTFOUND ? lmdb_fail("scan", rc) : 0;
}

const struct bench_engine engine_lmdb = {
	.name = "lmdb", .can = BENCH_DEFAULTS | BENCH_READS,
	.open = lmdb_open, .close = lmdb_close, .settle = lmdb_settle,
	.enter = lmdb_enter, .leave = lmdb_leave,
	.put = lmdb_put, .del = lmdb_del, .get = lmdb_get, .scan = lmdb_scan,
};
