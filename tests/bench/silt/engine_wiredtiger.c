/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_wiredtiger.c - WiredTiger with its log on. Sync: each commit waits for the log's fsync; async: for its write into the page cache
 * (method=none), which its own default does not even do. Tuned: cache as asked (zero_fill of log files made its durable puts slower here).
 */
#include "engines.h"

#include <stdlib.h>
#include <wiredtiger.h>

enum { WT_OPEN_TEXT = 512 };

struct wiredtiger_store {
	WT_CONNECTION *conn;
};

struct wiredtiger_session {
	WT_SESSION *session;
	WT_CURSOR *cursor;
};

static const char wiredtiger_table[] = "table:bench";

static int wiredtiger_fail(const char *what, int rc)
{
	fprintf(stderr, "wiredtiger: %s: %s\n", what, wiredtiger_strerror(rc));
	return -1;
}

static int wiredtiger_create(struct wiredtiger_store *e)
{
	WT_SESSION *session;
	int rc = e->conn->open_session(e->conn, NULL, NULL, &session);

	if (rc == 0)
		rc = session->create(session, wiredtiger_table, "key_format=u,value_format=u");
	return rc == 0 ? session->close(session, NULL) : rc;
}

static int wiredtiger_engine_open(const struct bench_setup *s, void **store)
{
	struct wiredtiger_store *e = calloc(1, sizeof(*e));
	char tuned[WT_OPEN_TEXT / 2] = "", config[WT_OPEN_TEXT];
	int rc;

	if (s->tuned)
		snprintf(tuned, sizeof(tuned), ",cache_size=%lluM", (unsigned long long)(s->cache_bytes >> 20));
	snprintf(config, sizeof(config), "create,session_max=256,log=(enabled=true),transaction_sync=(enabled=true,method=%s)%s",
		 s->sync ? "fsync" : "none", tuned);
	rc = wiredtiger_open(s->dir, NULL, config, &e->conn);
	if (rc == 0)
		rc = wiredtiger_create(e);
	*store = e;
	return rc != 0 ? wiredtiger_fail("open", rc) : 0;
}

static int wiredtiger_close(void *store)
{
	struct wiredtiger_store *e = store;
	int rc = e->conn->close(e->conn, NULL);

	free(e);
	return rc != 0 ? wiredtiger_fail("close", rc) : 0;
}

static int wiredtiger_settle(void *store)
{
	struct wiredtiger_store *e = store;
	WT_SESSION *session;
	int rc = e->conn->open_session(e->conn, NULL, NULL, &session);

	if (rc == 0)
		rc = session->checkpoint(session, NULL);
	if (rc == 0)
		rc = session->close(session, NULL);
	return rc != 0 ? wiredtiger_fail("checkpoint", rc) : 0;
}

static int wiredtiger_enter(void *store, void **session)
{
	struct wiredtiger_store *e = store;
	struct wiredtiger_session *t = calloc(1, sizeof(*t));
	int rc = e->conn->open_session(e->conn, NULL, NULL, &t->session);

	if (rc == 0)
		rc = t->session->open_cursor(t->session, wiredtiger_table, NULL, NULL, &t->cursor);
	*session = t;
	return rc != 0 ? wiredtiger_fail("session", rc) : 0;
}

static void wiredtiger_leave(void *session)
{
	struct wiredtiger_session *t = session;

	t->session->close(t->session, NULL);
	free(t);
}

static void wiredtiger_key(WT_CURSOR *c, struct bench_bytes key)
{
	WT_ITEM k = { .data = key.data, .size = key.len };

	c->set_key(c, &k);
}

static int wiredtiger_put(void *session, struct bench_bytes key, struct bench_bytes value)
{
	struct wiredtiger_session *t = session;
	WT_ITEM v = { .data = value.data, .size = value.len };
	int rc;

	do {
		wiredtiger_key(t->cursor, key);
		t->cursor->set_value(t->cursor, &v);
		rc = t->cursor->insert(t->cursor);
	} while (rc == WT_ROLLBACK);
	return rc != 0 ? wiredtiger_fail("put", rc) : 0;
}

static int wiredtiger_del(void *session, struct bench_bytes key)
{
	struct wiredtiger_session *t = session;
	int rc;

	do {
		wiredtiger_key(t->cursor, key);
		rc = t->cursor->remove(t->cursor);
	} while (rc == WT_ROLLBACK);
	t->cursor->reset(t->cursor);
	return rc != 0 && rc != WT_NOTFOUND ? wiredtiger_fail("delete", rc) : 0;
}

static int wiredtiger_get(void *session, struct bench_bytes key, struct bench_seen *seen)
{
	struct wiredtiger_session *t = session;
	WT_ITEM v;
	int rc;

	wiredtiger_key(t->cursor, key);
	rc = t->cursor->search(t->cursor);
	if (rc == 0)
		rc = t->cursor->get_value(t->cursor, &v);
	if (rc == 0)
		bench_see(seen, v.data, v.size);
	t->cursor->reset(t->cursor);
	if (rc != 0 && rc != WT_NOTFOUND)
		return wiredtiger_fail("get", rc);
	return rc == 0;
}

static int wiredtiger_move(WT_CURSOR *c, bool backwards)
{
	return backwards ? c->prev(c) : c->next(c);
}

static int wiredtiger_start(WT_CURSOR *c, struct bench_bytes from, bool backwards)
{
	int rc, side;

	if (from.len == 0)
		return wiredtiger_move(c, backwards);
	wiredtiger_key(c, from);
	rc = c->search_near(c, &side);
	if (rc == 0 && (backwards ? side > 0 : side < 0))
		rc = wiredtiger_move(c, backwards);
	return rc;
}

static int wiredtiger_scan(void *session, struct bench_bytes from, uint64_t n, bool backwards, struct bench_seen *seen)
{
	struct wiredtiger_session *t = session;
	WT_CURSOR *c = t->cursor;
	int rc;

	c->reset(c);
	rc = wiredtiger_start(c, from, backwards);
	while (rc == 0) {
		WT_ITEM v;

		c->get_value(c, &v);
		bench_see(seen, v.data, v.size);
		if (--n == 0)
			break;
		rc = wiredtiger_move(c, backwards);
	}
	c->reset(c);
	return rc != 0 && rc != WT_NOTFOUND ? wiredtiger_fail("scan", rc) : 0;
}

const struct bench_engine engine_wiredtiger = {
	.name = "wiredtiger", .can = BENCH_DEFAULTS | BENCH_READS,
	.open = wiredtiger_engine_open, .close = wiredtiger_close, .settle = wiredtiger_settle,
	.enter = wiredtiger_enter, .leave = wiredtiger_leave,
	.put = wiredtiger_put, .del = wiredtiger_del, .get = wiredtiger_get, .scan = wiredtiger_scan,
};
