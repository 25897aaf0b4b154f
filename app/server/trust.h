/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trust.h - who may ask for what, before any handler looks at the request. nginx decides (SILT_ROLE,
 * SILT_PREFIX); here it is held.
 *
 * Host      a name that is not ours is 421: a page may have made its own name point to this machine (DNS
 *           rebinding). A request without Host comes from no browser and passes.
 * Site      what changes anything must not be driven by a page elsewhere, nor by a browser that guesses
 *           what comes next: 403.
 */
#ifndef SERVER_TRUST_H
#define SERVER_TRUST_H

#include "server/request.h"

/* Each: true = go on; false = r->response says no. */
bool trust_host(struct request *r);
bool trust_role(struct request *r, enum request_role needed);
bool trust_site(struct request *r);
/* Is the key (r->key) one that this client may touch? */
bool trust_key(struct request *r);
/* The same of any key, and of all keys of a range (an empty bound is none). */
bool trust_bytes(struct request *r, struct span key);
bool trust_range(struct request *r, struct span lower, struct span upper);

#endif
