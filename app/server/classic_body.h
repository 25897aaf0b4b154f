/* SPDX-License-Identifier: Apache-2.0 */
/*
 * classic_body.h - what a classic write says: key, value and ttl, from JSON, from a form body, or from the
 * query.
 *
 * JSON      {"key":K,"value":V,"ttl":S?,"key_encoding":"base64"?,"encoding":"base64"?}
 *           A value that is no string is stored as the text that was sent. json_check() has seen it before
 *           json-c does.
 * Form      key=K&value=V&ttl=S, under the form type, unless the body begins with {: that is JSON, since
 *           curl's -d says form.
 */
#ifndef SERVER_CLASSIC_BODY_H
#define SERVER_CLASSIC_BODY_H

#include "server/query.h"
#include "server/request.h"

struct classic_write {                        /* the key is in r->key, checked */
	struct span value;                    /* in r->body or r->scratch */
	uint64_t ttl;                         /* seconds; 0 = none */
};

/* May the body be read as it is: not encoded, no part of a whole? False: answered. For every route that
   stores a body. */
bool body_is_plain(struct request *r);

/* False: r->response says why not. */
bool classic_body_read(struct request *r, const struct query *q, struct classic_write *out);

#endif
