/* SPDX-License-Identifier: Apache-2.0 */
/* stats.c - the store in numbers; costs a lock and a walk over the tables. */
#include "db/db.h"

static uint64_t stats_read(const _Atomic uint64_t *c)
{
	return atomic_load_explicit(c, memory_order_relaxed);
}

static void stats_tables(const struct version *v, struct silt_stats *out)
{
	for (int l = 0; l < SILT_LEVELS; l++) {
		const struct version_level *level = &v->levels[l];

		out->tables[l] = level->n;
		out->table_bytes[l] = level->bytes;
		for (size_t i = 0; i < level->n; i++) {
			out->table_entries[l] += level->tables[i]->entries;
			out->tombstones += level->tables[i]->tombstones;
			out->range_tombstones += level->tables[i]->range_deletes;
		}
	}
}

static void stats_view(const struct view *v, struct silt_stats *out)
{
	out->memtable_bytes = view_memtable_bytes(v);
	out->sealed_memtables = v->sealed_count;
	out->memtable_entries = v->active ? memtable_entries(v->active) : 0;
	out->memtable_range_deletes = v->active ? memtable_range_deletes(v->active) : 0;
	for (size_t i = 0; i < v->sealed_count; i++) {
		out->memtable_entries += memtable_entries(v->sealed[i]);
		out->memtable_range_deletes += memtable_range_deletes(v->sealed[i]);
	}
}

static void stats_locked(struct silt_db *db, struct silt_stats *out)
{
	silt_os *os = db->env.os;
	uint64_t number = stats_read(&db->wal_number);

	mutex_lock(&db->mu);
	stats_tables(db->version, out);
	stats_view(db->view, out);
	out->wal_segments = number ? number - db->oldest_wal + 1 + (db->next_wal != NULL) + (db->old_wal != 0) : 0;
	out->snapshots = db->snapshot_count;
	if (db->snapshots)
		out->oldest_snapshot_ms = (os->mono_ns(os) - db->snapshots->since_ns) / 1000000;
	out->disk_free_bytes = db->free_bytes;
	memcpy(out->stall_reason, db->stall_reason, sizeof(out->stall_reason));
	mutex_unlock(&db->mu);
}

static void stats_counters(struct silt_db *db, struct silt_stats *out)
{
	const struct db_counters *c = &db->count;

	for (int i = 0; i < DB_STRIPES; i++) {
		out->gets += stats_read(&db->stripes[i].gets);
		out->get_hits += stats_read(&db->stripes[i].hits);
		out->filter_checks += stats_read(&db->stripes[i].filter_checks);
		out->filter_negatives += stats_read(&db->stripes[i].filter_negatives);
	}
	out->writes = stats_read(&c->writes);
	out->write_bytes = stats_read(&c->write_bytes);
	out->groups = stats_read(&c->groups);
	out->syncs = stats_read(&c->syncs);
	out->sync_ns_total = stats_read(&c->sync_ns_total);
	out->sync_ns_max = stats_read(&c->sync_ns_max);
	out->conflicts = stats_read(&c->conflicts);
	out->try_agains = stats_read(&c->try_agains);
	out->flushes = stats_read(&c->flushes);
	out->flush_bytes = stats_read(&c->flush_bytes);
	out->compactions = stats_read(&c->compactions);
	out->compaction_read_bytes = stats_read(&c->compaction_read);
	out->compaction_write_bytes = stats_read(&c->compaction_write);
	out->stalls = stats_read(&c->stalls);
	out->stall_ns = stats_read(&c->stall_ns);
	out->entries_expired = stats_read(&c->expired);
	out->entries_dropped = stats_read(&c->dropped);
}

void silt_stats(silt_db *db, struct silt_stats *out)
{
	struct block_cache_stats cache;
	silt_os *os = db->env.os;

	memset(out, 0, sizeof(*out));
	out->version = stats_read(&db->published);
	out->durable_version = stats_read(&db->durable);
	out->uptime_ms = (os->mono_ns(os) - db->open_ns) / 1000000;
	out->fault = db_fault(db);
	out->wal_bytes = stats_read(&db->wal_end);
	out->iterators = stats_read(&db->iterators);
	out->recovered_entries = db->recovered_entries;
	out->recovery_ms = db->recovery_ms;
	stats_counters(db, out);
	stats_locked(db, out);
	block_cache_stats(db->blocks, &cache);
	out->cache_bytes = cache.bytes;
	out->cache_capacity = cache.capacity;
	out->cache_hits = cache.hits;
	out->cache_misses = cache.misses;
	out->cache_evictions = cache.evictions;
}
