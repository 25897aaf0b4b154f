/* SPDX-License-Identifier: Apache-2.0 */
/* ttl.h - time to live: whole seconds on the wire, Unix milliseconds in the store. */
#ifndef SERVER_TTL_H
#define SERVER_TTL_H

#include "store/store.h"
#include "util/bytes.h"

#define TTL_SECONDS_MAX UINT64_C(3155760000)     /* a hundred years */
#define TTL_EXPIRES_MAX ((UINT64_C(1) << 53) - 1)

/* "1" to "3155760000". False: not such a number. */
bool ttl_parse(struct span text, uint64_t *seconds);
/* Unix milliseconds, 1 to 2^53 - 1: when an entry ends, said as such. Times that are over are taken, too: it is gone as it is written. */
bool ttl_parse_at(struct span text, uint64_t *expires_ms);
/* When an entry written now with this ttl ends, by the clock that the store goes by; 0 (none) stays 0 (never). */
uint64_t ttl_expires_ms(struct store *store, uint64_t seconds);

#endif
