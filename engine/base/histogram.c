/* SPDX-License-Identifier: Apache-2.0 */
/* histogram.c - see histogram.h. */
#include "base/histogram.h"

enum { HISTOGRAM_LINEAR = 8, HISTOGRAM_LINEAR_BITS = 3 };

size_t histogram_bucket(uint64_t v)
{
	unsigned e;
	size_t i;

	if (v < HISTOGRAM_LINEAR)
		return (size_t)v;
	e = 63 - (unsigned)__builtin_clzll(v);
	i = (size_t)(e - HISTOGRAM_LINEAR_BITS + 1) * HISTOGRAM_LINEAR + (v >> (e - HISTOGRAM_LINEAR_BITS) & (HISTOGRAM_LINEAR - 1));
	return i < SILT_HISTOGRAM_BUCKETS ? i : SILT_HISTOGRAM_BUCKETS - 1;
}

uint64_t silt_histogram_bound(size_t bucket)
{
	if (bucket >= SILT_HISTOGRAM_BUCKETS)
		return UINT64_MAX;
	if (bucket < HISTOGRAM_LINEAR)
		return bucket;
	return (uint64_t)(HISTOGRAM_LINEAR + bucket % HISTOGRAM_LINEAR) << (bucket / HISTOGRAM_LINEAR - 1);
}

void histogram_add(struct histogram *h, uint64_t v)
{
	uint64_t max = atomic_load_explicit(&h->max, memory_order_relaxed);

	while (v > max && !atomic_compare_exchange_weak_explicit(&h->max, &max, v, memory_order_relaxed, memory_order_relaxed))
		;
	atomic_fetch_add_explicit(&h->sum, v, memory_order_relaxed);
	atomic_fetch_add_explicit(&h->buckets[histogram_bucket(v)], 1, memory_order_relaxed);
}

static void histogram_bump(_Atomic uint64_t *n, uint64_t by)
{
	atomic_store_explicit(n, atomic_load_explicit(n, memory_order_relaxed) + by, memory_order_relaxed);
}

void histogram_add_own(struct histogram *h, uint64_t v)
{
	if (v > atomic_load_explicit(&h->max, memory_order_relaxed))
		atomic_store_explicit(&h->max, v, memory_order_relaxed);
	histogram_bump(&h->sum, v);
	histogram_bump(&h->buckets[histogram_bucket(v)], 1);
}

void histogram_read(const struct histogram *h, struct silt_histogram *out)
{
	uint64_t max = atomic_load_explicit(&h->max, memory_order_relaxed);

	out->sum += atomic_load_explicit(&h->sum, memory_order_relaxed);
	if (max > out->max)
		out->max = max;
	for (size_t i = 0; i < SILT_HISTOGRAM_BUCKETS; i++) {
		uint64_t n = atomic_load_explicit(&h->buckets[i], memory_order_relaxed);

		out->buckets[i] += n;
		out->count += n;
	}
}

uint64_t silt_histogram_quantile(const struct silt_histogram *h, double q)
{
	double wanted = q * (double)h->count;
	uint64_t seen = 0;

	for (size_t i = 0; i < SILT_HISTOGRAM_BUCKETS; i++) {
		seen += h->buckets[i];
		if (h->buckets[i] && (double)seen >= wanted) {
			uint64_t last = silt_histogram_bound(i + 1) - 1;

			return last < h->max ? last : h->max;
		}
	}
	return h->max;
}
