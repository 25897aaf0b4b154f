/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_rocksdb.c - RocksDB through its C interface.
 * Tuned: filter of the asked bits, hash index in data blocks, dynamic levels, pinned gets, two threads in the background, as many
 * memtables as siltstone has.
 */
#include "engines.h"

#include <rocksdb/c.h>
#include <stdlib.h>

struct rocksdb_store {
	rocksdb_t *db;
	rocksdb_options_t *options;
	rocksdb_block_based_table_options_t *table;
	rocksdb_cache_t *cache;
	rocksdb_writeoptions_t *write;
	rocksdb_readoptions_t *read;
	bool pinned;
};

static int rocksdb_fail(const char *what, char *err)
{
	if (err == NULL)
		return 0;
	fprintf(stderr, "rocksdb: %s: %s\n", what, err);
	rocksdb_free(err);
	return -1;
}

static void rocksdb_tune(struct rocksdb_store *e, const struct bench_setup *s)
{
	e->cache = rocksdb_cache_create_lru(s->cache_bytes);
	rocksdb_block_based_options_set_block_cache(e->table, e->cache);
	rocksdb_block_based_options_set_filter_policy(e->table, rocksdb_filterpolicy_create_bloom_full(s->filter_bits));
	rocksdb_block_based_options_set_data_block_index_type(e->table,
		rocksdb_block_based_table_data_block_index_type_binary_search_and_hash);
	rocksdb_block_based_options_set_data_block_hash_ratio(e->table, 0.75);
	rocksdb_block_based_options_set_format_version(e->table, 5);
	rocksdb_options_set_block_based_table_factory(e->options, e->table);
	rocksdb_options_set_write_buffer_size(e->options, s->memtable_bytes);
	rocksdb_options_set_max_write_buffer_number(e->options, (int)bench_memtables(s));
	rocksdb_options_set_level_compaction_dynamic_level_bytes(e->options, 1);
	rocksdb_options_increase_parallelism(e->options, 2);
	rocksdb_options_set_compression(e->options, s->compress ? rocksdb_lz4_compression : rocksdb_no_compression);
	e->pinned = true;
}

static int rocksdb_engine_open(const struct bench_setup *s, void **store)
{
	struct rocksdb_store *e = calloc(1, sizeof(*e));
	char *err = NULL;

	e->options = rocksdb_options_create();
	e->table = rocksdb_block_based_options_create();
	e->write = rocksdb_writeoptions_create();
	e->read = rocksdb_readoptions_create();
	rocksdb_options_set_create_if_missing(e->options, 1);
	rocksdb_writeoptions_set_sync(e->write, s->sync);
	if (s->tuned)
		rocksdb_tune(e, s);
	e->db = rocksdb_open(e->options, s->dir, &err);
	*store = e;
	return rocksdb_fail("open", err);
}

static int rocksdb_engine_close(void *store)
{
	struct rocksdb_store *e = store;

	rocksdb_close(e->db);
	rocksdb_readoptions_destroy(e->read);
	rocksdb_writeoptions_destroy(e->write);
	rocksdb_options_destroy(e->options);
	rocksdb_block_based_options_destroy(e->table);
	if (e->cache != NULL)
		rocksdb_cache_destroy(e->cache);
	free(e);
	return 0;
}

static int rocksdb_settle(void *store)
{
	struct rocksdb_store *e = store;

	rocksdb_compact_range(e->db, NULL, 0, NULL, 0);
	return 0;
}

static int rocksdb_enter(void *store, void **session)
{
	*session = store;
	return 0;
}

static void rocksdb_leave(void *session)
{
	(void)session;
}

static int rocksdb_engine_put(void *session, struct bench_bytes key, struct bench_bytes value)
{
	struct rocksdb_store *e = session;
	char *err = NULL;

	rocksdb_put(e->db, e->write, key.data, key.len, value.data, value.len, &err);
	return rocksdb_fail("put", err);
}

static int rocksdb_del(void *session, struct bench_bytes key)
{
	struct rocksdb_store *e = session;
	char *err = NULL;

	rocksdb_delete(e->db, e->write, key.data, key.len, &err);
	return rocksdb_fail("delete", err);
}

static int rocksdb_get_copy(struct rocksdb_store *e, struct bench_bytes key, struct bench_seen *seen)
{
	char *err = NULL;
	size_t len;
	char *value = rocksdb_get(e->db, e->read, key.data, key.len, &len, &err);

	if (value == NULL)
		return rocksdb_fail("get", err);
	bench_see(seen, value, len);
	rocksdb_free(value);
	return 1;
}

static int rocksdb_engine_get(void *session, struct bench_bytes key, struct bench_seen *seen)
{
	struct rocksdb_store *e = session;
	rocksdb_pinnableslice_t *pin;
	const char *value;
	char *err = NULL;
	size_t len;

	if (!e->pinned)
		return rocksdb_get_copy(e, key, seen);
	pin = rocksdb_get_pinned(e->db, e->read, key.data, key.len, &err);
	if (pin == NULL)
		return rocksdb_fail("get", err);
	value = rocksdb_pinnableslice_value(pin, &len);
	bench_see(seen, value, len);
	rocksdb_pinnableslice_destroy(pin);
	return 1;
}

static void rocksdb_start(rocksdb_iterator_t *it, struct bench_bytes from, bool backwards)
{
	if (from.len == 0 && backwards)
		rocksdb_iter_seek_to_last(it);
	else if (from.len == 0)
		rocksdb_iter_seek_to_first(it);
	else if (backwards)
		rocksdb_iter_seek_for_prev(it, from.data, from.len);
	else
		rocksdb_iter_seek(it, from.data, from.len);
}

static int rocksdb_scan(void *session, struct bench_bytes from, uint64_t n, bool backwards, struct bench_seen *seen)
{
	struct rocksdb_store *e = session;
	rocksdb_iterator_t *it = rocksdb_create_iterator(e->db, e->read);
	char *err = NULL;

	for (rocksdb_start(it, from, backwards); n > 0 && rocksdb_iter_valid(it); n--) {
		size_t len;
		const char *value = rocksdb_iter_value(it, &len);

		bench_see(seen, value, len);
		if (n == 1)
			break;
		if (backwards)
			rocksdb_iter_prev(it);
		else
			rocksdb_iter_next(it);
	}
	rocksdb_iter_get_error(it, &err);
	rocksdb_iter_destroy(it);
	return rocksdb_fail("scan", err);
}

static void rocksdb_tell(void *store, FILE *out)
{
	struct rocksdb_store *e = store;
	char *text = rocksdb_property_value(e->db, "rocksdb.levelstats");

	fprintf(out, "rocksdb: %s", text ? text : "no statistics\n");
	rocksdb_free(text);
}

const struct bench_engine engine_rocksdb = {
	.name = "rocksdb", .can = BENCH_DEFAULTS | BENCH_READS,
	.open = rocksdb_engine_open, .close = rocksdb_engine_close, .settle = rocksdb_settle,
	.enter = rocksdb_enter, .leave = rocksdb_leave,
	.put = rocksdb_engine_put, .del = rocksdb_del, .get = rocksdb_engine_get, .scan = rocksdb_scan, .tell = rocksdb_tell,
};
