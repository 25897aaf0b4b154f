/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chain.h - which log segments there are, oldest to newest, from the one that a reader of changes may begin in to the active one:
 * a list, no I/O.
 *
 *           kept for changes               needed by recovery                  active
 *      | 7 | 8 | 9 |                      | 10 | 11 |                         | 12 |
 *       oldest                             `needed`: the manifest's wal_number  newest
 *
 * Rules     (1) numbers are contiguous; bases never fall.  (2) a segment is recycled only from here, by chain_pop_spare(), and that
 *           gives only one that nobody reads; a reader takes its reference while the segment is linked. (!)
 *           (3) what is kept is counted in whole files: at most keep_bytes, and one more that becomes the next segment.
 * Threads   under db->mu, but for the leader's chain_note() and chain_advance().
 */
#ifndef DB_CHAIN_H
#define DB_CHAIN_H

#include <siltstone.h>

#include <stdatomic.h>

/* A record begins at `offset`, and before it stands all up to `version` that this segment has. */
struct chain_place {
	uint64_t version, offset;
};

struct chain_segment {
	uint64_t number;                  /* [c] */
	uint64_t base;                    /* [m] no change above it is logged before this segment */
	uint64_t size;                    /* [c] of the file */
	unsigned refs;                    /* [m] the chain's own, and one a reader */
	struct chain_segment *older, *newer;      /* [m] linked by chain */
	_Atomic uint64_t end;             /* [a] bytes before it are whole, synced and visible: released by the leader */
	struct chain_place *places;       /* [m] ascending; NULL = none are noted, or not any more */
	uint64_t place_step;              /* [c] one each so many bytes */
	uint64_t place_cap;               /* [c] */
	_Atomic uint64_t place_count;     /* [a] released by the leader, behind the place itself */
};

struct chain {
	struct chain_segment *oldest, *newest;
	struct chain_segment *placed;     /* the oldest that has places */
	unsigned placed_count;            /* places are kept of few: they cost memory, and readers begin near the end mostly */
	uint64_t broken;                  /* the newest segment that was found unreadable: changes reach back no further; 0 = none */
};

/* Not linked yet. `noted`: places will be noted in it. NULL: no memory. */
struct chain_segment *chain_segment_new(uint64_t number, uint64_t base, uint64_t size, bool noted);
void chain_append(struct chain *c, struct chain_segment *s);      /* takes it: the newest now */
void chain_prepend(struct chain *c, struct chain_segment *s);     /* takes it: the oldest now */
void chain_unref(struct chain_segment *s);                        /* NULL is fine */
void chain_fini(struct chain *c);

/* The leader's: appended is all up to `version`, before `offset`; bytes before `end` may be read. */
void chain_note(struct chain_segment *s, uint64_t version, uint64_t offset);
void chain_advance(struct chain_segment *s, uint64_t end);
/* The last noted place that is not behind `version`; the segment's beginning where none is. */
struct chain_place chain_place_of(const struct chain_segment *s, uint64_t version);

/* Readable ones only, borrowed: of this number; the newest with all changes after `version` in it or behind it; NULL: none. */
struct chain_segment *chain_get(const struct chain *c, uint64_t number);
struct chain_segment *chain_find(const struct chain *c, uint64_t version);
uint64_t chain_reach(const struct chain *c);              /* the lowest version that chain_find() has a segment for */
void chain_break(struct chain *c, uint64_t number);       /* it can't be read: none up to it is given any more */

uint64_t chain_kept_bytes(const struct chain *c, uint64_t needed);
/* Unlinks the oldest one and hands on the chain's reference: rule 3's surplus, beyond the one to recycle; that one. NULL: none. */
struct chain_segment *chain_pop_surplus(struct chain *c, uint64_t needed, uint64_t keep_bytes);
struct chain_segment *chain_pop_spare(struct chain *c, uint64_t needed, uint64_t keep_bytes);

#endif
