/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hist.h - a histogram of nanoseconds: 32 buckets a power of two, so that a percentile is right to 3 percent.
 */
#ifndef BENCH_SILT_HIST_H
#define BENCH_SILT_HIST_H

#include <stdint.h>

enum { HIST_BITS = 5, HIST_BUCKETS = (64 - HIST_BITS) << HIST_BITS };

struct hist {
	uint64_t count, max;
	uint64_t bucket[HIST_BUCKETS];
};

static inline unsigned hist_bucket(uint64_t ns)
{
	unsigned shift;

	if (ns < (1u << (HIST_BITS + 1)))
		return (unsigned)ns;
	shift = 63 - HIST_BITS - (unsigned)__builtin_clzll(ns);
	return (shift << HIST_BITS) + (unsigned)(ns >> shift);
}

static inline void hist_add(struct hist *h, uint64_t ns)
{
	unsigned b = hist_bucket(ns);

	h->bucket[b < HIST_BUCKETS ? b : HIST_BUCKETS - 1]++;
	h->count++;
	if (ns > h->max)
		h->max = ns;
}

static inline void hist_merge(struct hist *h, const struct hist *other)
{
	for (unsigned b = 0; b < HIST_BUCKETS; b++)
		h->bucket[b] += other->bucket[b];
	h->count += other->count;
	if (other->max > h->max)
		h->max = other->max;
}

/* The middle of the bucket where the share (0..1) of all is reached. */
static inline uint64_t hist_quantile(const struct hist *h, double share)
{
	uint64_t want = (uint64_t)((double)h->count * share), seen = 0;

	for (unsigned b = 0; b < HIST_BUCKETS; b++) {
		unsigned shift = b < (2u << HIST_BITS) ? 0 : (b >> HIST_BITS) - 1;
		uint64_t low = b < (2u << HIST_BITS) ? b : (uint64_t)(b - (shift << HIST_BITS)) << shift;

		seen += h->bucket[b];
		if (seen > want)
			return low + ((UINT64_C(1) << shift) >> 1);
	}
	return h->max;
}

#endif
