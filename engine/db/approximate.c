/* SPDX-License-Identifier: Apache-2.0 */
/* approximate.c - what a range holds: the sum over memtables and tables of what each says without being read. */
#include "db/get.h"
#include "table/table_estimate.h"

static void approximate_memtable(const struct memtable *m, struct silt_slice lower, struct silt_slice upper, struct silt_estimate *out)
{
	uint64_t all = memtable_entries(m) - memtable_range_deletes(m), low, about = memtable_estimate(m, lower, upper, &low);

	if (all < low)
		all = low;                        /* it grows meanwhile */
	if (about > all)
		about = all;
	out->entries += about;
	out->entries_low += low;
	out->entries_high += about == low ? low : all;
	out->memory_bytes += all ? (uint64_t)((double)memtable_bytes(m) * ((double)about / (double)all)) : 0;
}

static int approximate_tables(const struct tableset *set, struct silt_slice lower, struct silt_slice upper, struct silt_estimate *out)
{
	for (int l = 0; l < SILT_LEVELS; l++) {
		for (size_t i = 0; i < set->version->levels[l].n; i++) {
			struct table_estimate e;
			int rc = table_estimate(set->tables[l][i], lower, upper, &e);

			if (rc < 0)
				return rc;
			out->entries += e.entries.about;
			out->entries_low += e.entries.low;
			out->entries_high += e.entries.high;
			out->disk_bytes += e.bytes.about;
			out->disk_bytes_low += e.bytes.low;
			out->disk_bytes_high += e.bytes.high;
		}
	}
	return 0;
}

int silt_approximate(silt_db *db, struct silt_slice lower, struct silt_slice upper, struct silt_estimate *out)
{
	struct view *v;
	int rc;

	if (!db || !out || (lower.len && !lower.data) || (upper.len && !upper.data))
		return SILT_E_MISUSE;
	*out = (struct silt_estimate){ 0 };
	rcu_begin();
	v = view_ref(rcu_load(db->view));
	rcu_end();
	if (v->active)
		approximate_memtable(v->active, lower, upper, out);
	for (size_t i = 0; i < v->sealed_count; i++)
		approximate_memtable(v->sealed[i], lower, upper, out);
	rc = approximate_tables(v->set, lower, upper, out);
	view_unref(v);
	return rc < 0 ? rc : 0;
}
