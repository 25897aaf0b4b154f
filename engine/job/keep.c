/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keep.c - the rules, each as a timeline of one key. Versions grow to the right; S marks where a reader stands, the last
 * of them (P) the published version; p a put, x a put that is expired, d a delete; capitals of what is kept.
 *
 * The readers cut the line into strata: a version belongs to the first reader at or after it, the unpublished to none.
 *
 *           versions   1  2  3  4  5  6  7  8  9
 *           readers          S        S     P              strata  [1..3] [4..6] [7..8] [9.. unpublished
 *
 *   (1) (2)  before    p  p     p  p        p  p           5 hides 4 from the reader at 6, 2 hides 1 from the one at 3;
 *            after     .  P     .  P        P  P           9 is not published: it neither hides 8 nor can it go
 *           In each stratum only the newest is seen by its reader. So: an entry goes, if the one before it in key_cmp order (the
 *           next newer of its key) is in the same stratum. That one may have gone itself; it is hidden by the same neighbour.
 *
 *   (3)      before       p     x                          x at 4 is expired for every reader, whenever it stands there; but
 *            after        P     D                          dropped, it would uncover 2 for the reader at 6: it becomes a delete.
 *
 *   (4)      before    p  d                                d at 2 is in the lowest stratum: 1 goes by rule 2, and with it all
 *            after     .  .    (bottom)                    that d hides. Nothing lies below: d hides nothing, and goes.
 *            after     .  D    (not bottom)                else it hides what lies below.
 *
 *            before    p        d                          d at 4 is in a higher stratum than p, which the reader at 3 sees:
 *            after     P        D    (bottom, too)         without d the reader at 6 would see p again.
 *
 *   (5)      before       p  p  r  p                      r at 5 covers 3 and 4, and is in their stratum: they go as if r were a
 *            after        .  .     P                      delete. 6 is newer, and stays. What becomes of r itself is output.c's.
 *
 * A d in a higher stratum with nothing older of its key could go as well; that would take a look ahead, and saves little: it goes
 * when the reader below it has gone.
 * Source    the strata: as in the vinyl write iterator of Tarantool, in own words; expiry: own.
 */
#include "job/keep.h"

#include <assert.h>

#include "base/buf.h"

void keep_init(struct keep *k, const struct keep_rules *rules)
{
	assert(rules->snapshot_count > 0);
	memset(k, 0, sizeof(*k));
	k->rules = *rules;
}

void keep_fini(struct keep *k)
{
	buf_fini(&k->key);
}

/* The first reader at or above a version; snapshot_count = none: it is not published. */
static size_t keep_stratum(const struct keep_rules *r, uint64_t version)
{
	size_t lo = 0, hi = r->snapshot_count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (r->snapshots[mid] < version)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool keep_is_expired(const struct keep_rules *r, const struct entry *e)
{
	return e->kind == ENTRY_PUT && e->expires_ms != 0 && e->expires_ms <= keep_expired_to(r);
}

/* Of an entry that some reader sees. */
static enum keep_verdict keep_seen(struct keep *k, const struct entry *e, size_t stratum, bool bottom)
{
	bool expired = keep_is_expired(&k->rules, e);

	k->expired += expired;
	if (!expired && e->kind != ENTRY_DELETE)
		return KEEP_AS_IS;
	if (bottom && stratum == 0)                     /* rule 4 */
		return KEEP_NOT;
	return expired ? KEEP_AS_DELETE : KEEP_AS_IS;   /* rule 3 */
}

/* Rule 5: the oldest range delete above an entry is the next newer of its key, or a later one is. */
static bool keep_covered(struct keep *k, const struct entry *e, size_t stratum)
{
	const struct tombstone *t = tombstones_seek(&k->ranges, e->key);
	uint64_t above = t ? tombstone_above(t, e->version) : 0;

	return above != 0 && keep_stratum(&k->rules, above) == stratum;
}

int keep_decide(struct keep *k, const struct entry *e, bool bottom, enum keep_verdict *verdict)
{
	size_t stratum = keep_stratum(&k->rules, e->version);
	bool same_key = k->have_key && slice_eq(buf_slice(&k->key), e->key);

	if (!same_key && buf_set(&k->key, e->key) < 0) {
		k->have_key = false;
		return SILT_E_NOMEM;
	}
	if (stratum == k->rules.snapshot_count)
		*verdict = KEEP_AS_IS;                  /* rule 1: not published */
	else if ((same_key && stratum == k->stratum) || keep_covered(k, e, stratum))
		*verdict = KEEP_NOT;                    /* rules 2 and 5 */
	else
		*verdict = keep_seen(k, e, stratum, bottom);
	k->have_key = true;
	k->stratum = stratum;
	k->dropped += *verdict == KEEP_NOT;
	return 0;
}
