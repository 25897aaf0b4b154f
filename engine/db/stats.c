/* SPDX-License-Identifier: Apache-2.0 */
/* stats.c - the store in numbers; costs a lock and a walk over the tables. */
#include "db/snapshot.h"

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
			out->level_tombstones[l] += level->tables[i]->tombstones;
			out->range_tombstones += level->tables[i]->range_deletes;
		}
		out->tombstones += out->level_tombstones[l];
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

/* Ordered by version, which is nearly by age: one taken again keeps its first one's. */
static void stats_snapshots(struct silt_db *db, uint64_t now_ns, struct silt_stats *out) REQUIRES(db->mu)
{
	out->snapshots = db->snapshot_count;
	out->snapshot_max_age_ms = db->env.opts.snapshot_max_age_ms;
	for (const struct silt_snapshot *s = db->snapshots; s; s = s->next) {
		uint64_t age_ms = now_ns > s->since_ns ? (now_ns - s->since_ns) / 1000000 : 0;

		if (age_ms > out->oldest_snapshot_ms)
			out->oldest_snapshot_ms = age_ms;
		out->snapshots_expired += snapshot_expired(s);
	}
}

static void stats_locked(struct silt_db *db, struct silt_stats *out)
{
	silt_os *os = db->env.os;
	uint64_t number = stats_read(&db->wal_number);

	mutex_lock(&db->mu);
	stats_tables(db->version, out);
	stats_view(db->view, out);
	out->wal_segments = number ? number - db->chain.oldest->number + 1 + (db->next_wal != NULL) : 0;
	out->changes_oldest = chain_reach(&db->chain);
	out->changes_bytes = chain_kept_bytes(&db->chain, db->oldest_wal);
	stats_snapshots(db, os->mono_ns(os), out);
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
		out->filter_false += stats_read(&db->stripes[i].filter_false);
		out->searches += stats_read(&db->stripes[i].searches);
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

static void stats_by_kind(const struct db_counters *c, struct silt_stats *out)
{
	out->wal_write_bytes = stats_read(&c->wal_write);
	for (int l = 0; l < SILT_LEVELS; l++) {
		out->level_compactions[l] = stats_read(&c->level_compactions[l]);
		out->level_read_bytes[l] = stats_read(&c->level_read[l]);
		out->level_write_bytes[l] = stats_read(&c->level_write[l]);
	}
	for (int i = 0; i < SILT_STALLS; i++) {
		out->stalls_by[i] = stats_read(&c->stalls_by[i]);
		out->stall_ns_by[i] = stats_read(&c->stall_ns_by[i]);
	}
}

static double stats_ratio(uint64_t n, uint64_t of)
{
	return of ? (double)n / (double)of : 0;
}

static void stats_amplification(struct silt_stats *out)
{
	uint64_t all = 0, last = 0;

	for (int l = 0; l < SILT_LEVELS; l++) {
		all += out->table_bytes[l];
		if (out->tables[l])
			last = out->table_bytes[l];
	}
	out->write_amplification = stats_ratio(out->wal_write_bytes + out->flush_bytes + out->compaction_write_bytes, out->write_bytes);
	out->read_amplification = stats_ratio(out->searches, out->gets);
	out->space_amplification = stats_ratio(all, last);
}

void silt_stats(silt_db *db, struct silt_stats *out)
{
	struct block_cache_stats cache;
	silt_os *os = db->env.os;

	memset(out, 0, sizeof(*out));
	out->version = stats_read(&db->published);
	out->changes_newest = watch_list_version(&db->feed);
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
	stats_by_kind(&db->count, out);
	stats_amplification(out);
}
