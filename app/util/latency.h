/* SPDX-License-Identifier: Apache-2.0 */
/* latency.h - how long things took: counted in buckets an eighth wide, so that any number of them fits. */
#ifndef UTIL_LATENCY_H
#define UTIL_LATENCY_H

#include <stdint.h>

enum { LATENCY_BUCKETS = 62 * 8 };

struct latency {                      /* starts from {0} */
	uint64_t count, most_ns;
	uint64_t bucket[LATENCY_BUCKETS];
};

uint64_t latency_now_ns(void);
void latency_add(struct latency *l, uint64_t ns);
void latency_merge(struct latency *l, const struct latency *more);
/* What a share q of them did not exceed, rounded up to the end of its bucket, but not beyond the longest; 0 of none. */
uint64_t latency_quantile(const struct latency *l, double q);

#endif
