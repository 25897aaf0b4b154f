/* SPDX-License-Identifier: Apache-2.0 */
/*
 * range_list.h - a list of a range being made: one walk over one snapshot, printed entry by entry, a turn of a worker at a time, so
 * that neither a long range nor a field of tombstones keeps others waiting.
 *
 * Life      range_list_new() into r->state -> range_list_turn() while it answers TRY_AGAIN -> freed with the request
 * Turn      ends where the walk has spent its steps, or after RANGE_LIST_ITEMS entries, or when `out` has grown by RANGE_LIST_BYTES
 */
#ifndef SERVER_RANGE_LIST_H
#define SERVER_RANGE_LIST_H

#include "server/range.h"

#define RANGE_LIST_DEFAULT 100u       /* entries of a page, where nobody says how many */
#define RANGE_LIST_ITEMS 4096u
#define RANGE_LIST_BYTES (128u << 10)
#define RANGE_LIST_STEPS 16384u

struct range_list {
	struct store *store;          /* [c] */
	struct store_scan *scan;      /* NULL = not begun */
	struct range range;
	uint64_t limit;               /* entries; UINT64_MAX = no limit */
	size_t max_bytes;             /* of out; SIZE_MAX = no limit. One entry is always taken. */
	const char *between, *behind; /* "," and "" of a page, "" and "\n" of lines; NULL = not begun */
	bool lines;                   /* asked for as a stream */
	bool count_only;              /* nothing is printed */
	uint64_t count;               /* entries taken */
	struct bytes last;            /* the key of the last one */
	bool streaming;               /* counted in server->streams */
	uint64_t until_ms;            /* feed_now_ms() at which a stream is over; UINT64_MAX = never */
	struct bytes page;            /* what the turns of a page have printed so far, */
	uint64_t charged;             /* of which so much is counted in server->answer_bytes: many may be made at once */
	struct server *server;        /* [c] */
	bool more;                    /* a limit was met: there is another entry */
};

/* What the query asks for, in a list that r owns from now on; limit is for where it names none. False: answered. */
bool range_list_new(struct request *r, const struct query *q, uint64_t limit, struct range_list **out);

/* Goes on, appending to out: NOTFOUND, all that was asked for is there; TRY_AGAIN, the turn is over; a failure of the store. */
int range_list_turn(struct range_list *list, struct bytes *out);

/* Counts what the page has grown by. False: with all others that are made or read it is more than may be. */
bool range_list_charge(struct range_list *list);
/* Counts it no more: it is given away. */
void range_list_discharge(struct range_list *list);

/* As of which version; 0 where it has not begun. */
uint64_t range_list_version(const struct range_list *list);

/* ,"cursor":"..." where there is more. */
void range_list_cursor(const struct range_list *list, struct bytes *out);

/* Lets the snapshot go; no turn may follow. */
void range_list_end(struct range_list *list);

#endif
