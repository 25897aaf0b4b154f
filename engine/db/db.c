/* SPDX-License-Identifier: Apache-2.0 */
/* db.c - the sticky fault, the clock that never goes back, and the counters' stripes: what every room of db/ leans on. */
#include "db/db.h"

int db_set_fault(struct silt_db *db, int code, const char *what)
{
	int none = 0;

	if (atomic_compare_exchange_strong(&db->fault, &none, code))
		return report(&db->env.rep, code,
		              "%s failed: writes are refused until the store is opened again, reads go on", what);
	return code;
}

uint64_t db_now_ms(struct silt_db *db)
{
	uint64_t wall = db->env.os->wall_ms(db->env.os);
	uint64_t seen = atomic_load_explicit(&db->clock_ms, memory_order_relaxed);

	while (wall > seen)
		if (atomic_compare_exchange_weak_explicit(&db->clock_ms, &seen, wall, memory_order_relaxed,
		                                          memory_order_relaxed))
			return wall;
	return seen;
}

uint64_t silt_clock_ms(silt_db *db)
{
	return db ? db_now_ms(db) : 0;
}

struct db_stripe *db_stripe(struct silt_db *db)
{
	static _Atomic unsigned next;             /* hands out stripes; no state of a store */
	static _Thread_local unsigned mine;

	if (!mine)
		mine = 1 + atomic_fetch_add_explicit(&next, 1, memory_order_relaxed) % DB_STRIPES;
	return &db->stripes[mine - 1];
}
