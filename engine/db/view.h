/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view.h - what a reader sees: the memtables, and the tables of one version with their handles. Immutable once published.
 *
 *   db->view --> view { active, sealed[newest first], tables --> tableset { version, one struct table a table_meta } }
 *
 * Rules     (1) a view is published by rcu_store() under db->mu and replaced there.  (2) a reader in a read section uses it
 *           without a reference, or takes one there to use it after.  (3) the store's own reference is given back only after
 *           rcu_wait(): so inside a section refs >= 1.  (4) the last unref frees; never inside a section, never under db->mu.
 *           (5) a table's file is deleted only when no tableset holds it (gc.c).
 */
#ifndef DB_VIEW_H
#define DB_VIEW_H

#include <stdatomic.h>

#include "mem/memtable.h"
#include "table/table_cache.h"
#include "version/version.h"

enum { VIEW_SEALED_MAX = 64 };            /* recovery may fill some; writers stall far below */

struct silt_db;

struct tableset {
	_Atomic unsigned refs;
	struct silt_db *db;
	struct version *version;
	struct table **tables[SILT_LEVELS];   /* parallel to version->levels[].tables */
	size_t range_tables;                  /* [c] those that have range deletes */
	struct tableset *next_live, *prev_live;   /* linked by silt_db::live_sets, under db->mu */
};

struct view_hidden {                          /* the last whole list of what range deletes hide, for iterators to share */
	struct tombstones *list;              /* a reference; NULL = none was made */
	uint64_t version;                     /* of the reader it was made for */
	bool all;                             /* the view had no newer range delete then */
};

struct view {
	_Atomic unsigned refs;
	struct memtable *active;              /* NULL in a read-only store */
	size_t sealed_count;
	struct memtable *sealed[VIEW_SEALED_MAX];   /* newest first */
	struct tableset *set;
	struct view_hidden hidden;            /* under db->mu; hidden.h */
	struct view *next_retired;            /* linked by silt_db::retired, under db->mu */
};

int tableset_new(struct silt_db *db, struct version *v, struct tableset **out) SILT_MUST_CHECK;  /* shares v */
struct tableset *tableset_ref(struct tableset *s);
void tableset_unref(struct tableset *s);

struct view *view_new(void);                             /* empty, refs 1; NULL = out of memory */
/* Fills an empty view; everything is shared. */
void view_fill(struct view *v, struct memtable *active, struct memtable *const *sealed, size_t n, struct tableset *set);
struct view *view_ref(struct view *v);
void view_unref(struct view *v);                         /* NULL is fine */
uint64_t view_memtable_bytes(const struct view *v);

#endif
