/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch_body.h - what the body of POST /v1/batch says.
 *
 * Form      {"if":[{"key":K,"version":N}..]?,"ops":[op..]}
 *           op := {"put":{"key":K,"value":V,"ttl":S?|"expires_at":MS?,"content_type":T?}} | {"delete":{"key":K}} | {"get":{"key":K}}
 *           "key_encoding":"base64" beside a key, "encoding":"base64" beside a value; a value that is no string is stored as it was sent
 * Order     operations count one after the other: what one op finds is what those before it left. `before` says which that is.
 * Memory    keys and values lie in the request's body, or decoded in `text`, which never moves: what is decoded is never longer than
 *           what was sent.
 */
#ifndef SERVER_BATCH_BODY_H
#define SERVER_BATCH_BODY_H

#include "server/request.h"

enum batch_kind { BATCH_PUT, BATCH_DELETE, BATCH_GET };
#define BATCH_NONE SIZE_MAX

struct batch_op {
	enum batch_kind kind;
	struct span key, value;
	const char *content_type;     /* NULL = none */
	uint64_t ttl;                 /* seconds; 0 = none */
	uint64_t expires_ms;          /* expires_at; 0 = not said so */
	size_t before;                /* the last put or delete of this key before this op; BATCH_NONE = the store has what it finds */
};

struct batch_body {                   /* start from {0}; end with batch_body_fini() */
	struct store_batch_cond *conds;
	size_t cond_count;
	struct batch_op *ops;
	size_t op_count;
	size_t writes;                /* ops that are no gets */
	struct bytes text;
};

/* Each key is one that this client may touch. False: r->response says why not. */
bool batch_body_read(struct request *r, struct batch_body *out);
void batch_body_fini(struct batch_body *b);

#endif
