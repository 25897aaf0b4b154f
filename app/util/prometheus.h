/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prometheus.h - Prometheus' text form being printed into a buffer (exposition format 0.0.4). Lack of memory sticks in out->bad: check
 * it once, at the end.
 *
 * Rules     a family's HELP and TYPE stand once, before its samples, which stand together; names have the unit at their end, counters
 *           _total behind it; times are seconds, sizes bytes; labels have few values, and never a client's text.
 *
 * Example   prometheus_family(out, "silt_syncs_total", PROMETHEUS_COUNTER, "Syncs.");
 *           prometheus_sample(out, "silt_syncs_total", "disk=\"a\"", 3)
 *
 *           # HELP silt_syncs_total Syncs.
 *           # TYPE silt_syncs_total counter
 *           silt_syncs_total{disk="a"} 3
 */
#ifndef UTIL_PROMETHEUS_H
#define UTIL_PROMETHEUS_H

#include "util/bytes.h"

#define PROMETHEUS_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum prometheus_type { PROMETHEUS_COUNTER, PROMETHEUS_GAUGE, PROMETHEUS_HISTOGRAM };

void prometheus_family(struct bytes *out, const char *name, enum prometheus_type type, const char *help);
/* labels: as printed between the braces, NULL or "" = none. */
void prometheus_sample(struct bytes *out, const char *name, const char *labels, uint64_t value);
/* Any number; what is none is printed as NaN. */
void prometheus_sample_real(struct bytes *out, const char *name, const char *labels, double value);
/* A time that was counted in nanoseconds, exactly, in seconds. */
void prometheus_sample_ns(struct bytes *out, const char *name, const char *labels, uint64_t ns);
/* Family and its only sample. */
void prometheus_one(struct bytes *out, const char *name, enum prometheus_type type, const char *help, uint64_t value);

/* One series of a histogram of times: n upper bounds (ns, rising), n + 1 counts, each of its bucket alone, the last above all bounds. */
struct prometheus_times {
	size_t n;
	const uint64_t *bounds_ns, *counts;
	uint64_t sum_ns;
};
void prometheus_histogram(struct bytes *out, const char *name, const char *labels, const struct prometheus_times *t);

#endif
