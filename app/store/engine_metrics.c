/* SPDX-License-Identifier: Apache-2.0 */
/* engine_metrics.c - the embedded engine's numbers in Prometheus' text form. */
#include "store/engine_metrics.h"

#include "util/prometheus.h"

#include <stdio.h>

#define NAME(name) "siltstone_" name
#define COUNT(name, help, value) prometheus_one(out, NAME(name), PROMETHEUS_COUNTER, help, value)
#define GAUGE(name, help, value) prometheus_one(out, NAME(name), PROMETHEUS_GAUGE, help, value)

static void engine_metrics_seconds(struct bytes *out, const char *name, enum prometheus_type type, const char *help, uint64_t ns)
{
	prometheus_family(out, name, type, help);
	prometheus_sample_ns(out, name, NULL, ns);
}

static void engine_metrics_state(struct bytes *out, const struct silt_stats *s)
{
	GAUGE("version", "The newest published version.", s->version);
	GAUGE("durable_version", "The newest version known to be on disk.", s->durable_version);
	GAUGE("fault", "1 where a failed write has stopped all writes.", s->fault != 0);
	GAUGE("write_stalled", "1 while writes wait for flushes or compaction.", s->stall_reason[0] != 0);
	GAUGE("snapshots", "Snapshots held.", s->snapshots);
	engine_metrics_seconds(out, NAME("oldest_snapshot_seconds"), PROMETHEUS_GAUGE, "Age of the oldest snapshot.",
	                       s->oldest_snapshot_ms * 1000000);
	GAUGE("iterators", "Iterators open.", s->iterators);
	GAUGE("changes_oldest_version", "The lowest version that the changes feed reaches back to.", s->changes_oldest);
	GAUGE("changes_kept_bytes", "Log files kept for the changes feed alone.", s->changes_bytes);
	GAUGE("recovered_entries", "Entries replayed from the log by this opening.", s->recovered_entries);
	engine_metrics_seconds(out, NAME("recovery_seconds"), PROMETHEUS_GAUGE, "How long this opening's replay took.",
	                       s->recovery_ms * 1000000);
}

static void engine_metrics_work(struct bytes *out, const struct silt_stats *s)
{
	COUNT("gets_total", "Point lookups.", s->gets);
	COUNT("get_hits_total", "Point lookups that found an entry.", s->get_hits);
	COUNT("writes_total", "Batches written.", s->writes);
	COUNT("write_bytes_total", "Bytes of batches written.", s->write_bytes);
	COUNT("write_groups_total", "Groups that shared one append and one sync.", s->groups);
	COUNT("write_conflicts_total", "Writes refused by a condition.", s->conflicts);
	COUNT("write_retries_total", "Writes whose evidence grew old before their turn.", s->try_agains);
	COUNT("wal_written_bytes_total", "Bytes appended to the log.", s->wal_write_bytes);
	COUNT("wal_syncs_total", "Syncs of the log.", s->syncs);
	GAUGE("wal_segments", "Log files on disk.", s->wal_segments);
	GAUGE("wal_active_bytes", "Bytes in use of the active log file.", s->wal_bytes);
}

static void engine_metrics_memory(struct bytes *out, const struct silt_stats *s)
{
	GAUGE("memtable_bytes", "Bytes of memtables, active and sealed.", s->memtable_bytes);
	GAUGE("memtable_entries", "Entries in memtables.", s->memtable_entries);
	GAUGE("memtables_sealed", "Memtables that wait for their flush.", s->sealed_memtables);
	GAUGE("cache_bytes", "Bytes in the block cache.", s->cache_bytes);
	GAUGE("cache_capacity_bytes", "Room of the block cache.", s->cache_capacity);
	COUNT("cache_hits_total", "Blocks found in the cache.", s->cache_hits);
	COUNT("cache_misses_total", "Blocks read from the disk.", s->cache_misses);
	COUNT("cache_evictions_total", "Blocks dropped for others.", s->cache_evictions);
	COUNT("filter_checks_total", "Questions to tables' filters.", s->filter_checks);
	COUNT("filter_negatives_total", "Those that saved a look into the table.", s->filter_negatives);
	COUNT("filter_false_positives_total", "Tables looked into in vain after a filter's maybe.", s->filter_false);
	COUNT("table_searches_total", "Tables whose blocks a lookup looked into.", s->searches);
}

static void engine_metrics_level(struct bytes *out, const char *name, enum prometheus_type type, const char *help,
                                 const uint64_t *values)
{
	char label[16];

	prometheus_family(out, name, type, help);
	for (int i = 0; i < SILT_LEVELS; i++) {
		snprintf(label, sizeof(label), "level=\"%d\"", i);
		prometheus_sample(out, name, label, values[i]);
	}
}

static void engine_metrics_tables(struct bytes *out, const struct silt_stats *s)
{
	engine_metrics_level(out, NAME("tables"), PROMETHEUS_GAUGE, "Tables.", s->tables);
	engine_metrics_level(out, NAME("table_bytes"), PROMETHEUS_GAUGE, "Bytes of tables.", s->table_bytes);
	engine_metrics_level(out, NAME("table_entries"), PROMETHEUS_GAUGE, "Entries in tables, dead ones too.", s->table_entries);
	engine_metrics_level(out, NAME("table_tombstones"), PROMETHEUS_GAUGE, "Deletes in tables.", s->level_tombstones);
	GAUGE("table_range_tombstones", "Pieces of range deletes in tables.", s->range_tombstones);
	engine_metrics_level(out, NAME("compactions_total"), PROMETHEUS_COUNTER,
	                     "Compactions by the level they wrote to; level 0: flushes.", s->level_compactions);
	engine_metrics_level(out, NAME("compaction_read_bytes_total"), PROMETHEUS_COUNTER, "Bytes read by compactions.",
	                     s->level_read_bytes);
	engine_metrics_level(out, NAME("compaction_written_bytes_total"), PROMETHEUS_COUNTER,
	                     "Bytes written by compactions; level 0: by flushes.", s->level_write_bytes);
	COUNT("entries_expired_total", "Entries found expired by flush and compaction.", s->entries_expired);
	COUNT("entries_dropped_total", "Entries dropped by flush and compaction.", s->entries_dropped);
	GAUGE("disk_free_bytes", "Free space of the store's disk.", s->disk_free_bytes);
}

static void engine_metrics_amplification(struct bytes *out, const char *name, const char *help, double value)
{
	prometheus_family(out, name, PROMETHEUS_GAUGE, help);
	prometheus_sample_real(out, name, NULL, value);
}

static void engine_metrics_stalls(struct bytes *out, const struct silt_stats *s)
{
	char label[48];

	prometheus_family(out, NAME("write_stalls_total"), PROMETHEUS_COUNTER, "Waits of write groups, by what they began with.");
	for (int i = 0; i < SILT_STALLS; i++) {
		snprintf(label, sizeof(label), "reason=\"%s\"", silt_stall_name((enum silt_stall)i));
		prometheus_sample(out, NAME("write_stalls_total"), label, s->stalls_by[i]);
	}
	prometheus_family(out, NAME("write_stall_seconds_total"), PROMETHEUS_COUNTER, "How long write groups waited.");
	for (int i = 0; i < SILT_STALLS; i++) {
		snprintf(label, sizeof(label), "reason=\"%s\"", silt_stall_name((enum silt_stall)i));
		prometheus_sample_ns(out, NAME("write_stall_seconds_total"), label, s->stall_ns_by[i]);
	}
}

/* ---- histograms -------------------------------------------------------------------------------------------------------------- */

#define ENGINE_METRICS_BOUNDS_MAX 32

struct engine_metrics_times {
	enum silt_histogram_kind kind;
	const char *name, *help;
	unsigned from, to;            /* bounds are 2^from .. 2^to ns: ends of the engine's own buckets, so that no count is guessed */
};

static const struct engine_metrics_times engine_metrics_all_times[] = {
	{ SILT_HISTOGRAM_GET, NAME("get_duration_seconds"), "Point lookups inside the engine; a sample of them.", 8, 30 },
	{ SILT_HISTOGRAM_WRITE, NAME("write_duration_seconds"), "Writes inside the engine until durable.", 14, 34 },
	{ SILT_HISTOGRAM_WRITE_ASYNC, NAME("write_async_duration_seconds"),
	  "Writes that did not wait for the disk; a sample of them.", 10, 30 },
	{ SILT_HISTOGRAM_SYNC, NAME("wal_sync_duration_seconds"), "Syncs of the log.", 14, 34 },
	{ SILT_HISTOGRAM_STALL, NAME("write_stall_duration_seconds"), "Waits of write groups before they began.", 14, 36 },
};

static void engine_metrics_histogram(struct bytes *out, const struct engine_metrics_times *t, const struct silt_histogram *h)
{
	uint64_t bounds[ENGINE_METRICS_BOUNDS_MAX], counts[ENGINE_METRICS_BOUNDS_MAX + 1] = { 0 };
	size_t n = 0, at = 0;

	for (unsigned power = t->from; power <= t->to; power++)
		bounds[n++] = UINT64_C(1) << power;
	for (size_t i = 0; i < SILT_HISTOGRAM_BUCKETS; i++) {
		while (at < n && silt_histogram_bound(i) >= bounds[at])
			at++;
		counts[at] += h->buckets[i];
	}
	prometheus_family(out, t->name, PROMETHEUS_HISTOGRAM, t->help);
	prometheus_histogram(out, t->name, NULL,
	                     &(struct prometheus_times){ .n = n, .bounds_ns = bounds, .counts = counts, .sum_ns = h->sum });
}

void engine_metrics(silt_db *db, struct bytes *out)
{
	struct silt_histogram h;
	struct silt_stats s;

	silt_stats(db, &s);
	engine_metrics_state(out, &s);
	engine_metrics_work(out, &s);
	engine_metrics_memory(out, &s);
	engine_metrics_tables(out, &s);
	engine_metrics_stalls(out, &s);
	engine_metrics_amplification(out, NAME("write_amplification_ratio"),
	                             "Bytes of log, flushes and compactions over bytes written.", s.write_amplification);
	engine_metrics_amplification(out, NAME("read_amplification_ratio"), "Tables looked into over lookups.", s.read_amplification);
	engine_metrics_amplification(out, NAME("space_amplification_ratio"),
	                             "Bytes of all tables over those of the last level.", s.space_amplification);
	for (size_t i = 0; i < sizeof(engine_metrics_all_times) / sizeof(engine_metrics_all_times[0]); i++)
		if (silt_histogram(db, engine_metrics_all_times[i].kind, &h) == 0)
			engine_metrics_histogram(out, &engine_metrics_all_times[i], &h);
}
