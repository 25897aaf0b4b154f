/* SPDX-License-Identifier: Apache-2.0 */
/* engine_leveldb.c - LevelDB through its C interface. Tuned: filter, cache and write buffer as asked, room for every table's handle. */
#include "engines.h"

#include <leveldb/c.h>
#include <stdlib.h>

struct leveldb_store {
	leveldb_t *db;
	leveldb_options_t *options;
	leveldb_cache_t *cache;
	leveldb_filterpolicy_t *filter;
	leveldb_writeoptions_t *write;
	leveldb_readoptions_t *read;
};

static int leveldb_fail(const char *what, char *err)
{
	if (err == NULL)
		return 0;
	fprintf(stderr, "leveldb: %s: %s\n", what, err);
	leveldb_free(err);
	return -1;
}

static void leveldb_tune(struct leveldb_store *e, const struct bench_setup *s)
{
	e->cache = leveldb_cache_create_lru(s->cache_bytes);
	e->filter = leveldb_filterpolicy_create_bloom((int)s->filter_bits);
	leveldb_options_set_cache(e->options, e->cache);
	leveldb_options_set_filter_policy(e->options, e->filter);
	leveldb_options_set_write_buffer_size(e->options, s->memtable_bytes);
	leveldb_options_set_max_open_files(e->options, 10000);
	leveldb_options_set_compression(e->options, s->compress ? leveldb_snappy_compression : leveldb_no_compression);
}

static int leveldb_engine_open(const struct bench_setup *s, void **store)
{
	struct leveldb_store *e = calloc(1, sizeof(*e));
	char *err = NULL;

	e->options = leveldb_options_create();
	e->write = leveldb_writeoptions_create();
	e->read = leveldb_readoptions_create();
	leveldb_options_set_create_if_missing(e->options, 1);
	leveldb_writeoptions_set_sync(e->write, s->sync);
	if (s->tuned)
		leveldb_tune(e, s);
	e->db = leveldb_open(e->options, s->dir, &err);
	*store = e;
	return leveldb_fail("open", err);
}

static int leveldb_engine_close(void *store)
{
	struct leveldb_store *e = store;

	leveldb_close(e->db);
	leveldb_readoptions_destroy(e->read);
	leveldb_writeoptions_destroy(e->write);
	leveldb_options_destroy(e->options);
	if (e->filter != NULL)
		leveldb_filterpolicy_destroy(e->filter);
	if (e->cache != NULL)
		leveldb_cache_destroy(e->cache);
	free(e);
	return 0;
}

static int leveldb_settle(void *store)
{
	struct leveldb_store *e = store;

	leveldb_compact_range(e->db, NULL, 0, NULL, 0);
	return 0;
}

static int leveldb_enter(void *store, void **session)
{
	*session = store;
	return 0;
}

static void leveldb_leave(void *session)
{
	(void)session;
}

static int leveldb_engine_put(void *session, struct bench_bytes key, struct bench_bytes value)
{
	struct leveldb_store *e = session;
	char *err = NULL;

	leveldb_put(e->db, e->write, key.data, key.len, value.data, value.len, &err);
	return leveldb_fail("put", err);
}

static int leveldb_del(void *session, struct bench_bytes key)
{
	struct leveldb_store *e = session;
	char *err = NULL;

	leveldb_delete(e->db, e->write, key.data, key.len, &err);
	return leveldb_fail("delete", err);
}

static int leveldb_engine_get(void *session, struct bench_bytes key, struct bench_seen *seen)
{
	struct leveldb_store *e = session;
	char *err = NULL;
	size_t len;
	char *value = leveldb_get(e->db, e->read, key.data, key.len, &len, &err);

	if (value == NULL)
		return leveldb_fail("get", err);
	bench_see(seen, value, len);
	leveldb_free(value);
	return 1;
}

/* There is no seek to the last entry at or before a key: it is the one before the first after it, unless that is the key. */
static void leveldb_start_back(leveldb_iterator_t *it, struct bench_bytes from)
{
	size_t len;
	const char *key;

	leveldb_iter_seek(it, from.data, from.len);
	if (!leveldb_iter_valid(it)) {
		leveldb_iter_seek_to_last(it);
		return;
	}
	key = leveldb_iter_key(it, &len);
	if (len != from.len || memcmp(key, from.data, len) != 0)
		leveldb_iter_prev(it);
}

static void leveldb_start(leveldb_iterator_t *it, struct bench_bytes from, bool backwards)
{
	if (from.len == 0 && backwards)
		leveldb_iter_seek_to_last(it);
	else if (from.len == 0)
		leveldb_iter_seek_to_first(it);
	else if (backwards)
		leveldb_start_back(it, from);
	else
		leveldb_iter_seek(it, from.data, from.len);
}

static int leveldb_scan(void *session, struct bench_bytes from, uint64_t n, bool backwards, struct bench_seen *seen)
{
	struct leveldb_store *e = session;
	leveldb_iterator_t *it = leveldb_create_iterator(e->db, e->read);
	char *err = NULL;

	for (leveldb_start(it, from, backwards); n > 0 && leveldb_iter_valid(it); n--) {
		size_t len;
		const char *value = leveldb_iter_value(it, &len);

		bench_see(seen, value, len);
		if (n == 1)
			break;
		if (backwards)
			leveldb_iter_prev(it);
		else
			leveldb_iter_next(it);
	}
	leveldb_iter_get_error(it, &err);
	leveldb_iter_destroy(it);
	return leveldb_fail("scan", err);
}

static void leveldb_tell(void *store, FILE *out)
{
	struct leveldb_store *e = store;
	char *text = leveldb_property_value(e->db, "leveldb.stats");

	fprintf(out, "leveldb: %s", text ? text : "no statistics\n");
	leveldb_free(text);
}

const struct bench_engine engine_leveldb = {
	.name = "leveldb", .can = BENCH_DEFAULTS | BENCH_READS,
	.open = leveldb_engine_open, .close = leveldb_engine_close, .settle = leveldb_settle,
	.enter = leveldb_enter, .leave = leveldb_leave,
	.put = leveldb_engine_put, .del = leveldb_del, .get = leveldb_engine_get, .scan = leveldb_scan, .tell = leveldb_tell,
};
