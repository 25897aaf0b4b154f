/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics.h - one reading of GET /metrics (Prometheus' text form), and what two of them say about the time between.
 *
 * Example   siltstone_tables{level="3"} 12      metrics_value(m, "siltstone_tables", "level=\"3\"") -> 12
 *           counters and histograms are asked for as a difference; what a restart set back to 0 counts from there
 */
#ifndef UTIL_METRICS_H
#define UTIL_METRICS_H

#include "util/bytes.h"

struct metrics_sample {
	struct span name, labels;     /* labels without the braces; both borrow the text */
	double value;
};

struct metrics {
	struct bytes text;            /* the caller fills it, then asks for metrics_parse() */
	struct metrics_sample *samples;
	size_t n, room;
	double at_s;                  /* when it was read; any clock */
};

/* False: this is no such text, or there is no memory. */
bool metrics_parse(struct metrics *m);
void metrics_fini(struct metrics *m);

/* Here and below `labels` is a part that a sample's labels have, or behind a "!" have not.
   The sum of all samples of a name that are so. 0 where there are none. */
double metrics_value(const struct metrics *m, const char *name, const char *labels);
/* A label's value; empty where it has none. */
struct span metrics_label(const struct metrics_sample *s, const char *label);
/* By how much a counter grew a second. */
double metrics_rate(const struct metrics *old, const struct metrics *new, const char *name, const char *labels);
/* Of a histogram's measurements between the two, the bound that a share q of them did not exceed, in its unit; 0 where there were none.
   Beyond the last bound it is that bound. */
double metrics_quantile(const struct metrics *old, const struct metrics *new, const char *name, const char *labels, double q);

#endif
