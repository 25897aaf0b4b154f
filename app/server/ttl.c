/* SPDX-License-Identifier: Apache-2.0 */
/* ttl.c - time to live: whole seconds on the wire, Unix milliseconds in the store. */
#include "server/ttl.h"

#include "util/decimal.h"

#include <time.h>

bool ttl_parse(struct span text, uint64_t *seconds)
{
	uint64_t n;

	if (!decimal_parse(text, TTL_SECONDS_MAX, &n) || n == 0)
		return false;
	*seconds = n;
	return true;
}

bool ttl_parse_at(struct span text, uint64_t *expires_ms)
{
	uint64_t n;

	if (!decimal_parse(text, TTL_EXPIRES_MAX, &n) || n == 0)
		return false;
	*expires_ms = n;
	return true;
}

uint64_t ttl_expires_ms(struct store *store, uint64_t seconds)
{
	struct timespec now;

	if (seconds == 0)
		return 0;
	if (store->ops->clock_ms != NULL)
		return store->ops->clock_ms(store) + seconds * 1000;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 + seconds * 1000;
}
