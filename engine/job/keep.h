/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keep.h - may an entry be forgotten? A pure decision over entries in key_cmp order (newest version of a key first).
 *
 * Rules     (1) readers stand at each version in `snapshots` (ascending; the published version is the last): an entry is visible
 *           to a reader at S if it is the newest of its key at or below S; entries above the published version are always kept.
 *           (2) an entry visible to no reader, with a newer one of its key at or below the published version, is dropped.
 *           (3) an expired put (expires_ms + grace <= now) becomes a delete of its version; expiry ignores snapshots.
 *           (4) a delete at or below every snapshot, that is the oldest left of its key here, is dropped when `bottom` says
 *           that nothing older of its key lies below.
 *           (5) an entry under a newer range delete of the list is dropped by rule 2, as if that were a delete of its key.
 *           Each is drawn as a timeline in keep.c.
 */
#ifndef JOB_KEEP_H
#define JOB_KEEP_H

#include "core/entry.h"
#include "core/tombstones.h"

struct keep_rules {
	const uint64_t *snapshots;        /* ascending, distinct; the last is the published version; at least one */
	size_t snapshot_count;
	uint64_t now_ms, grace_ms;
};
struct keep {                             /* state between entries of one run */
	struct keep_rules rules;
	struct silt_buf key;              /* the key being looked at */
	bool have_key;
	struct tombstones_cursor ranges;  /* (5) begins without a list; a borrowed one may be set, built for the rules' snapshots */
	size_t stratum;                   /* the snapshot stratum of the last kept or seen version of this key */
	uint64_t dropped, expired;        /* verdicts KEEP_NOT; expired puts among what readers see, dropped or made deletes */
};
enum keep_verdict { KEEP_AS_IS = 0, KEEP_AS_DELETE = 1, KEEP_NOT = 2 };

void keep_init(struct keep *k, const struct keep_rules *rules);
void keep_fini(struct keep *k);
/* bottom: nothing of this key lies below the output. verdict out; 0 or SILT_E_NOMEM. */
int keep_decide(struct keep *k, const struct entry *e, bool bottom, enum keep_verdict *verdict) SILT_MUST_CHECK;
/* A put that ends no later than this is expired past its grace; 0 = none is. */
static inline uint64_t keep_expired_to(const struct keep_rules *r)
{
	return r->now_ms > r->grace_ms ? r->now_ms - r->grace_ms : 0;
}

#endif
