/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c - lines taken apart, sums, differences, and quantiles by the buckets' bounds, linear within one. */
#include "util/metrics.h"

#include "util/array.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { METRICS_BUCKETS = 64 };

/* ---- reading ---------------------------------------------------------------------------------------------------------------- */

static bool metrics_add(struct metrics *m, struct metrics_sample s)
{
	struct metrics_sample *more = array_grow(m->samples, m->n, &m->room, sizeof(*more));

	if (!more)
		return false;
	m->samples = more;
	m->samples[m->n++] = s;
	return true;
}

/* Where the braces that begin at p end: behind a quoted string a brace is only text. NULL: nowhere. */
static const char *metrics_close(const char *p, const char *end)
{
	bool quoted = false;

	for (; p < end; p++) {
		if (quoted && *p == '\\')
			p++;
		else if (*p == '"')
			quoted = !quoted;
		else if (*p == '}' && !quoted)
			return p;
	}
	return NULL;
}

/* name{labels} value [time] */
static bool metrics_line(struct metrics *m, const char *p, const char *end)
{
	struct metrics_sample s = { 0 };
	const char *at = p;
	char *behind;

	while (at < end && *at != '{' && *at != ' ')
		at++;
	s.name = span_of(p, (size_t)(at - p));
	if (at < end && *at == '{') {
		const char *close = metrics_close(at + 1, end);

		if (!close)
			return false;
		s.labels = span_of(at + 1, (size_t)(close - at - 1));
		at = close + 1;
	}
	if (at >= end || *at != ' ' || s.name.len == 0)
		return false;
	s.value = strtod(at, &behind);
	return behind > at && behind <= end && metrics_add(m, s);
}

bool metrics_parse(struct metrics *m)
{
	const char *p, *end;

	m->n = 0;
	if (!bytes_reserve(&m->text, 1))
		return false;
	p = m->text.p;
	end = p + m->text.len;
	m->text.p[m->text.len] = '\0';          /* strtod() passes over a newline */
	while (p < end) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));

		if (!eol)
			return false;             /* every line ends, also the last */
		if (eol > p && *p != '#' && !metrics_line(m, p, eol))
			return false;
		p = eol + 1;
	}
	return m->n > 0;
}

void metrics_fini(struct metrics *m)
{
	bytes_fini(&m->text);
	free(m->samples);
	*m = (struct metrics){ 0 };
}

/* ---- looking ---------------------------------------------------------------------------------------------------------------- */

static bool metrics_has(struct span text, const char *part)
{
	if (part[0] == '!')
		return !metrics_has(text, part + 1);
	return part[0] == '\0' || memmem(text.p ? text.p : "", text.len, part, strlen(part)) != NULL;
}

double metrics_value(const struct metrics *m, const char *name, const char *labels)
{
	double sum = 0;

	for (size_t i = 0; i < m->n; i++)
		if (span_eq(m->samples[i].name, name) && metrics_has(m->samples[i].labels, labels))
			sum += m->samples[i].value;
	return sum;
}

struct span metrics_label(const struct metrics_sample *s, const char *label)
{
	size_t n = strlen(label);

	for (const char *p = s->labels.p, *end = p ? p + s->labels.len : p; p && p + n + 2 < end; p++) {
		const char *close;

		if ((p > s->labels.p && p[-1] != ',') || memcmp(p, label, n) != 0 || p[n] != '=' || p[n + 1] != '"')
			continue;
		close = memchr(p + n + 2, '"', (size_t)(end - p) - n - 2);
		return close ? span_of(p + n + 2, (size_t)(close - p) - n - 2) : span_of("", 0);
	}
	return span_of("", 0);
}

/* A counter that fell began anew. */
static double metrics_grown(double old, double new)
{
	return new < old ? new : new - old;
}

double metrics_rate(const struct metrics *old, const struct metrics *new, const char *name, const char *labels)
{
	double seconds = new->at_s - old->at_s;

	return seconds > 0 ? metrics_grown(metrics_value(old, name, labels), metrics_value(new, name, labels)) / seconds : 0;
}

struct metrics_bucket {
	double bound, count;          /* the measurements up to it */
};

static int metrics_compare(const void *a, const void *b)
{
	double x = ((const struct metrics_bucket *)a)->bound, y = ((const struct metrics_bucket *)b)->bound;

	return (x > y) - (x < y);
}

/* Each bound once, with the sum of its samples, ascending. */
static size_t metrics_buckets(const struct metrics *m, const char *bucket, const char *labels, struct metrics_bucket *out)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++) {
		const struct metrics_sample *s = &m->samples[i];
		struct span le;
		size_t at = 0;
		double bound;

		if (!span_eq(s->name, bucket) || !metrics_has(s->labels, labels) || !(le = metrics_label(s, "le")).len)
			continue;
		bound = strtod(le.p, NULL);
		while (at < n && out[at].bound != bound)
			at++;
		if (at == METRICS_BUCKETS)
			continue;
		if (at == n)
			out[n++] = (struct metrics_bucket){ .bound = bound };
		out[at].count += s->value;
	}
	qsort(out, n, sizeof(*out), metrics_compare);
	return n;
}

double metrics_quantile(const struct metrics *old, const struct metrics *new, const char *name, const char *labels, double q)
{
	struct metrics_bucket before[METRICS_BUCKETS], now[METRICS_BUCKETS];
	char bucket[128];
	double wanted, below = 0, from = 0;
	size_t b, n;

	if (strlen(name) + sizeof("_bucket") > sizeof(bucket))
		return 0;
	strcpy(stpcpy(bucket, name), "_bucket");
	b = metrics_buckets(old, bucket, labels, before);
	n = metrics_buckets(new, bucket, labels, now);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < b; j++)
			if (before[j].bound == now[i].bound && now[n - 1].count >= before[b - 1].count)
				now[i].count -= before[j].count;
	if (n == 0 || now[n - 1].count <= 0)
		return 0;
	wanted = now[n - 1].count * q;
	for (size_t i = 0; i < n; i++) {
		if (now[i].count >= wanted && isinf(now[i].bound))
			return from;
		if (now[i].count >= wanted)
			return now[i].count > below ? from + (now[i].bound - from) * (wanted - below) / (now[i].count - below) : now[i].bound;
		below = now[i].count;
		from = now[i].bound;
	}
	return from;
}
