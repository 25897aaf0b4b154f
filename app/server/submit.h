/* SPDX-License-Identifier: Apache-2.0 */
/*
 * submit.h - a write on its way: from a handler into the store's queue, parked, and back from the store's
 * thread as an answer.
 *
 * Flow      handler -> submit_write() -> ROUTE_PARKED ... the store's thread calls done(r, outcome) ->
 *           submit_settled() -> the handler's part fills the answer -> submit_finish() -> the reactor sends
 *           it.
 * Threads   once submit_write() has returned ROUTE_PARKED (and even before) the request belongs to the
 *           callback.
 */
#ifndef SERVER_SUBMIT_H
#define SERVER_SUBMIT_H

#include "server/lookup.h"
#include "server/query.h"
#include "server/request.h"

/* Room for what submit_conditions() makes. */
struct submit_conditions {
	struct conditions conditions;
	struct store_cond cond[3];
};

/*
 * The request's conditions into w, and for a DELETE one more: the key must be there. False: malformed,
 * answered. c must live until submit_write() returns.
 */
bool submit_conditions(struct request *r, struct submit_conditions *c, struct store_write *w);

/* ?durability=: STORE_ASYNC or 0 into flags, else the server's default. False: neither async nor sync,
   answered. */
bool submit_durability(struct request *r, const struct query *q, unsigned *flags);

/* ?ttl= of q into *seconds, 0 where it is not given. False: answered. */
bool submit_ttl(struct request *r, const struct query *q, uint64_t *seconds);

/* ?ttl= or ?expires_at= of q, but not both, as Unix milliseconds; 0 where neither is given. False: answered. */
bool submit_expires(struct request *r, const struct query *q, uint64_t *expires_ms);

/* Are this many bytes of value allowed? False: answered. */
bool submit_value_size(struct request *r, size_t len);

/* May one more request wait? False: answered. */
bool submit_room(struct request *r);

/* w->key is set here. Parks the request, sends it to a worker, or answers with the reason why not. */
enum route_result submit_write(struct request *r, struct store_write *w, unsigned flags, store_done_fn *done);

/* In done(): true where the write succeeded, and the answer is the handler's; else the request is answered,
   or tried again. */
bool submit_settled(struct request *r, const struct store_outcome *o);

/* The answer is filled: hand the request back. */
void submit_finish(struct request *r);

#endif
