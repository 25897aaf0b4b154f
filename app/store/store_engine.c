/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_engine.c - the embedded engine as a store: siltstone.h on one side, store.h on the other.
 *
 * Mapping   a content type is the entry's metadata; a store_write is a batch of one operation under its
 *           conditions.
 * Memory    batches and buffers are used again: they lie in a few slots, taken and put back with one atomic
 *           exchange each. Where all are taken, a new one is made; where all are full, it is freed.
 * Threads   any. The engine's callback comes on its commit thread, or inside write() where a condition
 *           fails at once.
 */
#include "store/engine_private.h"

#include "store/engine_metrics.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

int engine_code(int silt_code)
{
	switch (silt_code) {
	case SILT_OK: return STORE_OK;
	case SILT_NOTFOUND: return STORE_NOTFOUND;
	case SILT_CONFLICT: return STORE_CONFLICT;
	case SILT_TRY_AGAIN: return STORE_TRY_AGAIN;
	case SILT_WOULD_BLOCK: return STORE_WOULD_BLOCK;
	case SILT_OVERFLOW: return STORE_OVERFLOW;
	case SILT_NO_COUNTER: return STORE_NO_COUNTER;
	case SILT_E_IO: return STORE_E_IO;
	case SILT_E_CORRUPT: return STORE_E_CORRUPT;
	case SILT_E_NOSPACE: return STORE_E_NOSPACE;
	case SILT_E_NOMEM: return STORE_E_NOMEM;
	case SILT_E_BUSY: return STORE_E_BUSY;
	case SILT_E_TOOBIG: return STORE_E_TOOBIG;
	case SILT_E_FAULT: return STORE_E_FAULT;
	case SILT_E_CLOSED: return STORE_E_CLOSED;
	default: return STORE_E_INTERNAL;
	}
}

/* ---- tools ----------------------------------------------------------------------------------- */

/* Where this thread looks first: threads have stacks far apart, so they mostly meet slots of their own. */
static size_t engine_first_slot(void)
{
	char here;

	return (uintptr_t)&here >> 20;
}

static void engine_tools_free(struct engine_tools *t)
{
	if (t == NULL)
		return;
	silt_batch_free(t->batch);
	free(t);
}

static struct engine_tools *engine_tools_new(void)
{
	struct engine_tools *t = calloc(1, sizeof(*t));

	if (t != NULL && silt_batch_new(&t->batch) < 0) {
		free(t);
		t = NULL;
	}
	return t;
}

struct engine_tools *engine_take(struct store_engine *e)
{
	size_t first = engine_first_slot();

	for (size_t i = 0; i < ENGINE_SLOTS; i++) {
		struct engine_tools *t = atomic_exchange(&e->slot[(first + i) % ENGINE_SLOTS], NULL);

		if (t != NULL)
			return t;
	}
	return engine_tools_new();
}

void engine_put_back(struct store_engine *e, struct engine_tools *t)
{
	size_t first = engine_first_slot();

	silt_batch_clear(t->batch);
	for (size_t i = 0; i < ENGINE_SLOTS; i++) {
		struct engine_tools *none = NULL;

		if (atomic_compare_exchange_strong(&e->slot[(first + i) % ENGINE_SLOTS], &none, t))
			return;
	}
	engine_tools_free(t);
}

/* ---- reading --------------------------------------------------------------------------------- */

void engine_entry(const struct silt_info *info, struct store_entry *out)
{
	out->version = info->version;
	out->expires_ms = info->expires_ms;
	memcpy(out->content_type, info->meta, info->meta_len);
	out->content_type[info->meta_len] = 0;
}

static int engine_get(struct store *s, struct span key, unsigned flags, struct bytes *value,
                      struct store_entry *entry)
{
	struct silt_info info;
	struct silt_pin pin;                       /* from its block into the answer is the only copy */
	int code;

	pin.value = (struct silt_slice){0};
	pin.block = pin.memtable = NULL;
	code = engine_code(silt_get_pinned(engine_of(s)->db, engine_slice(key), NULL,
	                                   (flags & STORE_NO_WAIT) ? SILT_NO_WAIT : 0, &pin, &info));
	if (code == STORE_OK && value != NULL && (flags & STORE_NO_WAIT) && pin.value.len > STORE_INLINE_MAX) {
		code = STORE_WOULD_BLOCK;
	} else if (code == STORE_OK && value != NULL) {
		bytes_clear(value);
		if (!bytes_add(value, pin.value.data, pin.value.len))
			code = STORE_E_NOMEM;
	}
	if (code == STORE_OK)
		engine_entry(&info, entry);
	silt_pin_release(&pin);
	return code;
}

/* ---- writing --------------------------------------------------------------------------------- */

struct engine_waiter {                        /* one queued write */
	store_done_fn *fn;
	void *ctx;
};

static void engine_report(const struct silt_result *r, struct store_outcome *out)
{
	if (r->report_count == 0)
		return;
	out->sum = r->reports[0].sum;
	if (!r->reports[0].found)
		return;
	out->existed = true;
	engine_entry(&r->reports[0].info, &out->old);
	out->old_value = span_of(r->reports[0].value.data, r->reports[0].value.len);
}

static void engine_done(void *ctx, const struct silt_result *r)
{
	struct engine_waiter waiter = *(struct engine_waiter *)ctx;
	struct store_outcome outcome;

	free(ctx);
	outcome.code = engine_code(r->code);
	outcome.version = r->version;
	outcome.current = r->current;
	outcome.condition = r->condition;
	outcome.existed = false;
	outcome.sum = 0;
	outcome.old_value = span_of(NULL, 0);
	outcome.old.version = outcome.old.expires_ms = 0; /* not all of it: 256 bytes that nobody asked for */
	outcome.old.content_type[0] = 0;
	if (outcome.code == STORE_OK)
		engine_report(r, &outcome);
	waiter.fn(waiter.ctx, &outcome);
}

static int engine_fill(const struct store_write *w, silt_batch *b)
{
	unsigned op_flags = w->want_old_value ? SILT_OP_REPORT_VALUE : w->want_existed ? SILT_OP_REPORT : 0;
	struct silt_put_options opts = { .expires_ms = w->expires_ms };
	int rc = 0;

	for (size_t i = 0; i < w->cond_count && rc == 0; i++)
		rc = silt_batch_require(b, engine_slice(w->key),
		                        w->conds[i].none_match ? SILT_COND_NONE_MATCH : SILT_COND_MATCH,
		                        w->conds[i].versions, w->conds[i].n);
	if (rc != 0)
		return rc;
	if (w->op == STORE_DELETE)
		return silt_batch_delete(b, engine_slice(w->key), op_flags);
	if (w->content_type != NULL)
		opts.meta = engine_slice(span_str(w->content_type));
	if (w->op == STORE_ADD)
		return silt_batch_add(b, engine_slice(w->key), w->delta, &opts, SILT_OP_REPORT);
	return silt_batch_put(b, engine_slice(w->key), engine_slice(w->value), &opts, op_flags);
}

/* Queues t's batch; the engine's code. */
static int engine_submit(struct store_engine *e, struct engine_tools *t, unsigned flags, store_done_fn *fn, void *ctx)
{
	unsigned silt_flags = ((flags & STORE_ASYNC) ? SILT_ASYNC : 0) |
	                      ((flags & STORE_NO_WAIT) ? SILT_NO_WAIT : 0);
	struct engine_waiter *waiter = malloc(sizeof(*waiter));
	int rc;

	if (waiter == NULL)
		return SILT_E_NOMEM;
	*waiter = (struct engine_waiter){ .fn = fn, .ctx = ctx };
	rc = silt_write_async(e->db, t->batch, silt_flags, engine_done, waiter);
	if (rc != 0)
		free(waiter);                    /* else engine_done() does */
	return rc;
}

static int engine_write(struct store *s, const struct store_write *w, unsigned flags, store_done_fn *fn,
                        void *ctx)
{
	struct store_engine *e = engine_of(s);
	struct engine_tools *t = engine_take(e);
	int rc;

	if (t == NULL)
		return STORE_E_NOMEM;
	rc = engine_fill(w, t->batch);
	if (rc == 0)
		rc = engine_submit(e, t, flags, fn, ctx);
	engine_put_back(e, t);
	return engine_code(rc);
}

static int engine_delete_range(struct store *s, const struct store_range *range, unsigned flags, store_done_fn *fn,
                               void *ctx)
{
	struct store_engine *e = engine_of(s);
	struct engine_tools *t = engine_take(e);
	int rc;

	if (t == NULL)
		return STORE_E_NOMEM;
	rc = silt_batch_delete_range(t->batch, engine_slice(range->lower), engine_slice(range->upper));
	if (rc == 0)
		rc = engine_submit(e, t, flags, fn, ctx);
	engine_put_back(e, t);
	return engine_code(rc);
}

/* ---- operations ------------------------------------------------------------------------------ */

static int engine_flush(struct store *s, uint64_t *entries)
{
	struct store_engine *e = engine_of(s);
	struct silt_stats stats;
	int rc;

	silt_stats(e->db, &stats);
	*entries = stats.memtable_entries;
	rc = silt_flush(e->db);
	if (rc == 0)
		rc = silt_sync(e->db);
	return engine_code(rc);
}

static int engine_compact(struct store *s)
{
	int rc = silt_compact(engine_of(s)->db);

	return rc == SILT_END ? STORE_E_CLOSED : engine_code(rc);
}

static void engine_compact_cancel(struct store *s)
{
	silt_compact_cancel(engine_of(s)->db);
}

static int engine_ready(struct store *s)
{
	struct store_engine *e = engine_of(s);
	struct silt_stats stats;

	silt_stats(e->db, &stats);
	if (stats.fault != 0)
		return STORE_E_FAULT;
	return stats.disk_free_bytes < e->min_free_space ? STORE_E_NOSPACE : STORE_OK;
}

static void engine_stat(struct store_stats *out, const char *name, uint64_t value)
{
	size_t room = sizeof(out->item[0].name);

	if (out->n == sizeof(out->item) / sizeof(out->item[0]) || strlen(name) >= room)
		return;
	strcpy(out->item[out->n].name, name);
	out->item[out->n++].value = value;
}

/* Printed by the names that they have in struct silt_stats, those of the levels between the two. */
struct engine_number {
	const char *name;
	size_t at;                            /* of a uint64_t */
};
#define NUMBER(field) { #field, _Generic(((struct silt_stats *)NULL)->field, uint64_t: offsetof(struct silt_stats, field)) }

static const struct engine_number engine_numbers_memory[] = {
	NUMBER(version), NUMBER(durable_version), NUMBER(memtable_bytes), NUMBER(memtable_entries),
	NUMBER(sealed_memtables), NUMBER(cache_bytes), NUMBER(cache_capacity), NUMBER(cache_hits),
	NUMBER(cache_misses), NUMBER(cache_evictions), NUMBER(filter_checks), NUMBER(filter_negatives),
	NUMBER(snapshots), NUMBER(oldest_snapshot_ms), NUMBER(iterators),
};

static const struct engine_number engine_numbers_work[] = {
	NUMBER(wal_segments), NUMBER(wal_bytes), NUMBER(disk_free_bytes), NUMBER(flushes),
	NUMBER(flush_bytes), NUMBER(compactions), NUMBER(compaction_read_bytes),
	NUMBER(compaction_write_bytes), NUMBER(entries_expired), NUMBER(entries_dropped),
	NUMBER(recovered_entries), NUMBER(recovery_ms),
	NUMBER(gets), NUMBER(get_hits), NUMBER(writes), NUMBER(write_bytes), NUMBER(groups),
	NUMBER(syncs), NUMBER(sync_ns_total), NUMBER(sync_ns_max), NUMBER(conflicts),
	NUMBER(try_agains), NUMBER(stalls), NUMBER(stall_ns),
};

static void engine_stats_numbers(const struct silt_stats *s, const struct engine_number *numbers, size_t n, struct store_stats *out)
{
	for (size_t i = 0; i < n; i++)
		engine_stat(out, numbers[i].name, *(const uint64_t *)(const void *)((const char *)s + numbers[i].at));
}

/* "tables" is the sum, "tables_l0" and on the levels that hold any. */
static void engine_stats_levels(const struct silt_stats *s, struct store_stats *out)
{
	uint64_t tables = 0, bytes = 0, entries = 0;
	char name[] = "tables_l0";

	for (int i = 0; i < SILT_LEVELS; i++) {
		tables += s->tables[i];
		bytes += s->table_bytes[i];
		entries += s->table_entries[i];
	}
	engine_stat(out, "tables", tables);
	engine_stat(out, "table_bytes", bytes);
	engine_stat(out, "table_entries", entries);
	engine_stat(out, "tombstones", s->tombstones);
	for (int i = 0; i < SILT_LEVELS; i++) {
		name[sizeof(name) - 2] = (char)('0' + i);
		if (s->tables[i] > 0)
			engine_stat(out, name, s->tables[i]);
	}
}

static void engine_stats(struct store *s, struct store_stats *out)
{
	struct silt_stats stats;

	silt_stats(engine_of(s)->db, &stats);
	out->n = 0;
	engine_stats_numbers(&stats, engine_numbers_memory, sizeof(engine_numbers_memory) / sizeof(engine_numbers_memory[0]), out);
	engine_stats_levels(&stats, out);
	engine_stats_numbers(&stats, engine_numbers_work, sizeof(engine_numbers_work) / sizeof(engine_numbers_work[0]), out);
	memcpy(out->stall_reason, stats.stall_reason, sizeof(out->stall_reason));
	out->fault[0] = 0;
	if (stats.fault != 0)
		strcpy(out->fault, store_strerror(engine_code(stats.fault)));      /* ours are short */
}

static void engine_print_metrics(struct store *s, struct bytes *out)
{
	engine_metrics(engine_of(s)->db, out);
}

static int engine_close(struct store *s)
{
	struct store_engine *e = engine_of(s);
	int rc = silt_close(e->db);

	for (size_t i = 0; i < ENGINE_SLOTS; i++)
		engine_tools_free(atomic_load(&e->slot[i]));
	free(e->dir);
	free(e);
	return engine_code(rc);
}

/* ---- open ------------------------------------------------------------------------------------ */

static uint64_t engine_clock_ms(struct store *s)
{
	return silt_clock_ms(engine_of(s)->db);
}

static const char *const engine_capabilities[] = {
	"conditions", "ttl", "content-type", "return-representation", "durability", "ranges", "ndjson", "range-delete", "counters",
	"batch", "changes", "flush", "compact", "verify", "checkpoint", NULL,
};

static const struct store_ops engine_ops = {
	.capabilities = engine_capabilities,
	.get = engine_get,
	.write = engine_write,
	.write_batch = engine_write_batch,
	.get_many = engine_get_many,
	.delete_range = engine_delete_range,
	.count_change = engine_count_change,
	.scan_open = engine_scan_open,
	.scan_next = engine_scan_next,
	.scan_version = engine_scan_version,
	.scan_close = engine_scan_close,
	.changes_reach = engine_changes_reach,
	.changes_open = engine_changes_open,
	.changes_next = engine_changes_next,
	.changes_version = engine_changes_version,
	.changes_close = engine_changes_close,
	.watch = engine_watch,
	.watch_arm = engine_watch_arm,
	.unwatch = engine_unwatch,
	.clock_ms = engine_clock_ms,
	.flush = engine_flush,
	.compact = engine_compact,
	.compact_cancel = engine_compact_cancel,
	.verify = engine_verify,
	.checkpoint = engine_checkpoint,
	.checkpoint_list = engine_checkpoint_list,
	.checkpoint_remove = engine_checkpoint_remove,
	.checkpoint_path = engine_checkpoint_path,
	.ready = engine_ready,
	.stats = engine_stats,
	.metrics = engine_print_metrics,
	.close = engine_close,
};

static void engine_log(void *ctx, enum silt_log_level level, const char *message)
{
	const struct store_engine *e = ctx;

	if (e->log != NULL)
		e->log(e->log_ctx, (int)level, message);
}

static void engine_size(uint64_t *option, uint64_t given)
{
	if (given != 0)
		*option = given;
}

static void engine_options(const struct store_engine_options *o, struct silt_options *out)
{
	silt_options_init(out);
	engine_size(&out->memory, o->memory);
	engine_size(&out->memtable_size, o->memtable_size);
	engine_size(&out->wal_segment_size, o->wal_segment_size);
	engine_size(&out->flush_interval_ms, o->flush_interval_ms);
	engine_size(&out->table_size, o->table_size);
	engine_size(&out->compaction_interval_ms, o->compaction_interval_ms);
	engine_size(&out->sync_interval_ms, o->sync_interval_ms);
	engine_size(&out->level_base_size, o->level_base_size);
	engine_size(&out->min_free_space, o->min_free_space);
	engine_size(&out->change_log_size, o->change_log_size);
	if (o->filter_bits_per_key >= 0)
		out->filter_bits_per_key = (uint32_t)o->filter_bits_per_key;
	if (o->block_size != 0)
		out->block_size = o->block_size;
	if (o->compaction_trigger != 0)
		out->compaction_trigger = o->compaction_trigger;
	if (o->compression >= 0)
		out->compression = (enum silt_compression)o->compression;
	if (o->compression_bottom >= 0)
		out->compression_bottom = (enum silt_compression)o->compression_bottom;
}

int store_engine_open(const struct store_engine_options *o, struct store **out)
{
	struct store_engine *e = calloc(1, sizeof(*e));
	struct silt_options options;
	int rc;

	if (e == NULL)
		return STORE_E_NOMEM;
	engine_options(o, &options);
	e->store.ops = &engine_ops;
	e->min_free_space = options.min_free_space;
	e->log = o->log;
	e->log_ctx = o->log_ctx;
	options.log = engine_log;
	options.log_ctx = e;
	rc = silt_open(o->dir, &options, &e->db);
	if (rc == 0 && (e->dir = realpath(o->dir, NULL)) == NULL) {
		(void)silt_close(e->db);
		rc = errno == ENOMEM ? SILT_E_NOMEM : SILT_E_IO;
	}
	if (rc < 0) {
		free(e);
		return engine_code(rc);
	}
	*out = &e->store;
	return STORE_OK;
}
