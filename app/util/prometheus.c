/* SPDX-License-Identifier: Apache-2.0 */
/* prometheus.c - Prometheus' text form being printed into a buffer. */
#include "util/prometheus.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void prometheus_family(struct bytes *out, const char *name, enum prometheus_type type, const char *help)
{
	static const char *const types[] = {
		[PROMETHEUS_COUNTER] = "counter", [PROMETHEUS_GAUGE] = "gauge", [PROMETHEUS_HISTOGRAM] = "histogram",
	};

	bytes_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, types[type]);
}

static bool prometheus_given(const char *labels)
{
	return labels != NULL && labels[0] != 0;
}

static void prometheus_name(struct bytes *out, const char *name, const char *labels)
{
	bytes_adds(out, name);
	if (prometheus_given(labels))
		bytes_addf(out, "{%s}", labels);
	bytes_add(out, " ", 1);
}

/* 1500000000 -> "1.5", without the rounding that a double would bring. */
static void prometheus_seconds(struct bytes *out, uint64_t ns)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%" PRIu64 ".%09" PRIu64, ns / 1000000000, ns % 1000000000);

	while (text[n - 1] == '0')
		n--;
	if (text[n - 1] == '.')
		n--;
	bytes_add(out, text, (size_t)n);
}

void prometheus_sample(struct bytes *out, const char *name, const char *labels, uint64_t value)
{
	prometheus_name(out, name, labels);
	bytes_addf(out, "%" PRIu64 "\n", value);
}

void prometheus_sample_real(struct bytes *out, const char *name, const char *labels, double value)
{
	prometheus_name(out, name, labels);
	if (isfinite(value))
		bytes_addf(out, "%.9g\n", value);
	else
		bytes_adds(out, "NaN\n");
}

void prometheus_sample_ns(struct bytes *out, const char *name, const char *labels, uint64_t ns)
{
	prometheus_name(out, name, labels);
	prometheus_seconds(out, ns);
	bytes_add(out, "\n", 1);
}

void prometheus_one(struct bytes *out, const char *name, enum prometheus_type type, const char *help, uint64_t value)
{
	prometheus_family(out, name, type, help);
	prometheus_sample(out, name, NULL, value);
}

static void prometheus_bucket(struct bytes *out, const char *name, const char *labels, const uint64_t *bound, uint64_t below)
{
	bool given = prometheus_given(labels);

	bytes_addf(out, "%s_bucket{%s%sle=\"", name, given ? labels : "", given ? "," : "");
	if (bound != NULL)
		prometheus_seconds(out, *bound);
	else
		bytes_adds(out, "+Inf");
	bytes_addf(out, "\"} %" PRIu64 "\n", below);
}

/* The count is the sum of what was printed, not a number of its own: all of it may be counted up meanwhile. */
void prometheus_histogram(struct bytes *out, const char *name, const char *labels, const struct prometheus_times *t)
{
	bool given = prometheus_given(labels);
	const char *open = given ? "{" : "", *shut = given ? "}" : "";
	uint64_t below = 0;

	for (size_t i = 0; i < t->n; i++) {
		below += t->counts[i];
		prometheus_bucket(out, name, labels, &t->bounds_ns[i], below);
	}
	below += t->counts[t->n];
	prometheus_bucket(out, name, labels, NULL, below);
	bytes_addf(out, "%s_sum%s%s%s ", name, open, given ? labels : "", shut);
	prometheus_seconds(out, t->sum_ns);
	bytes_addf(out, "\n%s_count%s%s%s %" PRIu64 "\n", name, open, given ? labels : "", shut, below);
}
