/* SPDX-License-Identifier: Apache-2.0 */
/*
 * latency.c - buckets by the highest bit and the three below it.
 *
 * Example   0..15 have a bucket each; 16 and 17 share one, 18 and 19 the next; 1000 is in 960..1023
 */
#include "util/latency.h"

#include <time.h>

uint64_t latency_now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static unsigned latency_bucket(uint64_t ns)
{
	unsigned high;

	if (ns < 8)
		return (unsigned)ns;
	high = 63 - (unsigned)__builtin_clzll(ns);
	return (high - 2) * 8 + (unsigned)(ns >> (high - 3) & 7);
}

/* The largest that is in it. */
static uint64_t latency_bound(unsigned bucket)
{
	if (bucket < 8)
		return bucket;
	return ((UINT64_C(8) + bucket % 8 + 1) << (bucket / 8 - 1)) - 1;
}

void latency_add(struct latency *l, uint64_t ns)
{
	l->bucket[latency_bucket(ns)]++;
	l->count++;
	l->most_ns = ns > l->most_ns ? ns : l->most_ns;
}

void latency_merge(struct latency *l, const struct latency *more)
{
	for (unsigned i = 0; i < LATENCY_BUCKETS; i++)
		l->bucket[i] += more->bucket[i];
	l->count += more->count;
	l->most_ns = more->most_ns > l->most_ns ? more->most_ns : l->most_ns;
}

uint64_t latency_quantile(const struct latency *l, double q)
{
	double share = (double)l->count * q;
	uint64_t wanted = (uint64_t)share, seen = 0;

	wanted += wanted == 0 || (double)wanted < share;
	for (unsigned i = 0; i < LATENCY_BUCKETS && l->count > 0; i++) {
		seen += l->bucket[i];
		if (seen >= wanted)
			return latency_bound(i) < l->most_ns ? latency_bound(i) : l->most_ns;
	}
	return l->most_ns;
}
