/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hidden.h - what range deletes hide from one reader of a view: one list over memtables and tables, and cursors that pass over it.
 *
 * A cursor over a source (a memtable, a table, a level) that meets an entry in a fragment newer than all the source holds there seeks to the
 * fragment's end: whatever lies between is not read. It may still stand on hidden entries, where the source has newer ones among
 * them or fragments come thick: whoever reads asks the list for each entry.
 */
#ifndef DB_HIDDEN_H
#define DB_HIDDEN_H

#include "core/iter.h"
#include "core/tombstones.h"
#include "db/view.h"

/*
 * The newest range deletes at or below version, one a fragment, of what touches [lower, upper), or of more; upper empty = to the last key.
 * *out is a reference, ended by tombstones_free(); NULL = there are none. A list of everything is kept with the view, and given again as
 * long as it is right. Opens tables that have range deletes: 0, SILT_E_CORRUPT, _IO, _NOMEM. Never inside a read section.
 */
int hidden_list(struct view *v, uint64_t version, struct silt_slice lower, struct silt_slice upper, struct tombstones **out) SILT_MUST_CHECK;

static inline bool hidden_entry(struct tombstones_cursor *c, const struct entry *e)
{
	const struct tombstone *t = tombstones_seek(c, e->key);

	return t && t->versions[0] > e->version;
}

/*
 * inner: taken, also on failure. list: borrowed until close. newest: of the source's versions; level: where it is a cursor over a level,
 * whose tables say so one by one, borrowed until close; else NULL. Gives inner itself where nothing can be passed over.
 */
int hidden_iter_new(struct iter *inner, const struct tombstones *list, uint64_t newest, const struct version_level *level,
                    struct iter **out) SILT_MUST_CHECK;

#endif
