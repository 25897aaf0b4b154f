/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key.h - which key a request means: from the raw path, decoded once, or from ?key=; never from both. A
 * path can't carry every key, since clients and nginx fold dot segments: one that might have been folded is
 * refused, and the answer points to ?key=.
 *
 * Example   /get/a%2Fb -> "a/b"   /get/a//b -> "a//b"   /get/a+b -> "a+b"   /get?key=a+b -> "a b"
 *           /get/a/..%2Fb -> 400
 */
#ifndef SERVER_KEY_H
#define SERVER_KEY_H

#include "server/query.h"
#include "server/request.h"

#define KEY_BYTES_MAX 4096

/* Does this route take its key from the path? ("/get/", not "/get") */
bool key_in_path(const struct request *r);
/* Parses the request's query; parameters that are not allowed here are refused. False: r->response says why. */
bool key_query(struct request *r, unsigned allowed, struct query *q);
/* The key into r->key, checked. False: r->response says why. */
bool key_find(struct request *r, const struct query *q);
/* Checks the key in r->key, wherever it came from: length, and whether this client may touch it. */
bool key_check(struct request *r);
struct span key_span(const struct request *r);

#endif
