/* SPDX-License-Identifier: Apache-2.0 */
/*
 * histogram.h - how often which size, in a fixed room: log-linear buckets, eight to each doubling, so that a value is known to 1/8.
 *
 * Buckets   values 0..7 have one each; from 8 on bucket = 8 * (e - 2) + the three bits below the highest one, e = its position:
 *           8 -> 8, 15 -> 15, 16 and 17 -> 16, 18 and 19 -> 17, 1000 -> 63 (960..1023). The last one takes all that is larger.
 * Writers   histogram_add() from any thread; histogram_add_own() where one thread writes and a lost count does no harm: no
 *           read-modify-write. Readers see each number as it is at some moment.
 * Source    G. Tene's HdrHistogram (the shape), own code.
 */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <siltstone.h>
#include <stdatomic.h>

struct histogram {                        /* zeroed is empty; all relaxed */
	_Atomic uint64_t sum, max;
	_Atomic uint64_t buckets[SILT_HISTOGRAM_BUCKETS];
};

size_t histogram_bucket(uint64_t v);
void histogram_add(struct histogram *h, uint64_t v);
void histogram_add_own(struct histogram *h, uint64_t v);
void histogram_read(const struct histogram *h, struct silt_histogram *out);   /* adds to what is there; begins as {0} */

#endif
