/* SPDX-License-Identifier: Apache-2.0 */
/* answer.h - what answers of several routes have in common: their first headers, entries as JSON and as
   bytes. */
#ifndef SERVER_ANSWER_H
#define SERVER_ANSWER_H

#include "server/request.h"

/* Status, application/json and no-store; the body is the caller's to print. */
void answer_json(struct request *r, int status);
/* Status and no-store, no body. */
void answer_empty(struct request *r, int status);
/* The headers of a value as it was stored: type, sandbox, no-cache, ETag, expiry. The body is the caller's. */
void answer_value(struct request *r, const struct store_entry *e);
/* Silt-Version: N, on the answer to every write; which from then on is one. */
void answer_version(struct request *r, uint64_t version);
/* Call last: an answer that memory was short for becomes a 503, or a 500 where it was to say that a write
   is done. */
void answer_finish(struct request *r, bool written);

#endif
