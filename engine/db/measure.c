/* SPDX-License-Identifier: Apache-2.0 */
/* measure.c - clocks around what users wait for, and the histograms that they ask for. */
#include "db/measure.h"

static uint64_t measure_since(struct silt_db *db, uint64_t began_ns)
{
	uint64_t now = db->env.os->mono_ns(db->env.os);

	return now > began_ns ? now - began_ns : 0;
}

void measure_get(struct silt_db *db, struct db_stripe *s, uint64_t began_ns)
{
	histogram_add_own(&db->get_times[s - db->stripes], measure_since(db, began_ns));
}

uint64_t measure_write_begin(struct silt_db *db, unsigned flags)
{
	if (flags & SILT_ASYNC) {
		struct db_stripe *s = db_stripe(db);

		db_bump(&s->async_writes, 1);
		if (atomic_load_explicit(&s->async_writes, memory_order_relaxed) % MEASURE_ASYNC != 1)
			return 0;
	}
	return db->env.os->mono_ns(db->env.os);
}

void measure_write(struct silt_db *db, unsigned flags, uint64_t began_ns)
{
	histogram_add(flags & SILT_ASYNC ? &db->async_times : &db->write_times, measure_since(db, began_ns));
}

void measure_sync(struct silt_db *db, uint64_t began_ns)
{
	uint64_t took = measure_since(db, began_ns);

	histogram_add(&db->sync_times, took);
	db_count(&db->count.syncs, 1);
	db_count(&db->count.sync_ns_total, took);
	if (took > atomic_load_explicit(&db->count.sync_ns_max, memory_order_relaxed))
		atomic_store_explicit(&db->count.sync_ns_max, took, memory_order_relaxed);
}

void measure_stall(struct silt_db *db, enum silt_stall why, uint64_t began_ns)
{
	uint64_t took = measure_since(db, began_ns);

	histogram_add(&db->stall_times, took);
	db_count(&db->count.stalls, 1);
	db_count(&db->count.stall_ns, took);
	db_count(&db->count.stalls_by[why], 1);
	db_count(&db->count.stall_ns_by[why], took);
}

const char *silt_stall_name(enum silt_stall why)
{
	switch (why) {
	case SILT_STALL_PACE:     return "pace";
	case SILT_STALL_MEMTABLE: return "memtable";
	case SILT_STALL_LEVEL0:   return "level0";
	case SILT_STALL_DEBT:     return "debt";
	case SILT_STALL_SEGMENT:  return "segment";
	}
	return "unknown";
}

int silt_histogram(silt_db *db, enum silt_histogram_kind kind, struct silt_histogram *out)
{
	if (!db || !out)
		return SILT_E_MISUSE;
	*out = (struct silt_histogram){ 0 };
	switch (kind) {
	case SILT_HISTOGRAM_GET:
		for (int i = 0; i < DB_STRIPES; i++)
			histogram_read(&db->get_times[i], out);
		return 0;
	case SILT_HISTOGRAM_WRITE:
		histogram_read(&db->write_times, out);
		return 0;
	case SILT_HISTOGRAM_WRITE_ASYNC:
		histogram_read(&db->async_times, out);
		return 0;
	case SILT_HISTOGRAM_SYNC:
		histogram_read(&db->sync_times, out);
		return 0;
	case SILT_HISTOGRAM_STALL:
		histogram_read(&db->stall_times, out);
		return 0;
	}
	return SILT_E_MISUSE;
}
