/* SPDX-License-Identifier: Apache-2.0 */
/* lookup.h - reading one key under the request's conditions, for both dialects. */
#ifndef SERVER_LOOKUP_H
#define SERVER_LOOKUP_H

#include "server/condition.h"
#include "server/request.h"

/* If-Match and If-None-Match of a request. */
struct conditions {
	struct condition match, none_match;
};

/* False: one of them is malformed, r->response says so. */
bool conditions_read(struct request *r, struct conditions *out);
/* 412 with the version that the key has (0 = absent). */
void conditions_failed(struct request *r, uint64_t current);

/*
 * Reads r->key, of a GET or HEAD, into value and e. True: found, and the conditions hold; the answer is the
 * caller's. False: *result is what the handler returns: ROUTE_DONE with 404, 304, 412 or a failure, or
 * ROUTE_BLOCK.
 */
bool lookup_entry(struct request *r, struct bytes *value, struct store_entry *e, enum route_result *result);

#endif
