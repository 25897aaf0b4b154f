/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_histogram.c - any values, eight bytes each: each lies within its bucket and within 1/8 of its bound; what is read is what was added;
 * quantiles ascend, and are never above the largest.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/codec.h"
#include "base/histogram.h"

#define CHECK(x) ((x) ? (void)0 : __builtin_trap())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_bucket(uint64_t v)
{
	size_t b = histogram_bucket(v);
	uint64_t first, next;

	CHECK(b < SILT_HISTOGRAM_BUCKETS);
	first = silt_histogram_bound(b);
	next = silt_histogram_bound(b + 1);
	CHECK(first <= v && first < next);
	if (b + 1 == SILT_HISTOGRAM_BUCKETS)
		return;                            /* takes all that is larger */
	CHECK(v < next && next - first <= (first < 8 ? 1 : first / 8));
	CHECK(histogram_bucket(first) == b && histogram_bucket(next) == b + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct histogram h;
	static struct silt_histogram out;
	uint64_t sum = 0, max = 0, n = 0, below = 0;

	h = (struct histogram){ 0 };
	out = (struct silt_histogram){ 0 };
	for (; size >= 8; data += 8, size -= 8, n++) {
		uint64_t v = codec_get64(data);

		fuzz_bucket(v);
		(n % 2 ? histogram_add : histogram_add_own)(&h, v);
		sum += v;
		max = v > max ? v : max;
	}
	histogram_read(&h, &out);
	CHECK(out.count == n && out.sum == sum && out.max == max);
	for (int i = 0; i <= 100; i++) {
		uint64_t q = silt_histogram_quantile(&out, i / 100.0);

		CHECK(q >= below && q <= max);
		below = q;
	}
	CHECK(n == 0 || silt_histogram_quantile(&out, 1) == max || histogram_bucket(max) == histogram_bucket(silt_histogram_quantile(&out, 1)));
	return 0;
}
