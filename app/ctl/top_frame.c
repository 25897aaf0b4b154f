/* SPDX-License-Identifier: Apache-2.0 */
/* top_frame.c - what an operator looks at first, stands first; what is wrong stands out. */
#include "ctl/top_frame.h"

#include "ctl/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOP_NUMBER = 32, TOP_ROUTES = 6, TOP_LEVELS = 7, TOP_BAR = 30 };

struct top {
	const struct metrics *old, *new;
	struct bytes *out;
	bool colour;
};

/* ---- numbers for people -------------------------------------------------------------------------------------------------------- */

/* What a server says may be anything. */
static uint64_t top_whole(double v)
{
	return v > 0 && v < 1e18 ? (uint64_t)v : 0;
}

static const char *top_count(double v, char out[TOP_NUMBER])
{
	if (v >= 1e9)
		(void)snprintf(out, TOP_NUMBER, "%.1f G", v / 1e9);
	else if (v >= 1e7)
		(void)snprintf(out, TOP_NUMBER, "%.1f M", v / 1e6);
	else if (v >= 1e4)
		(void)snprintf(out, TOP_NUMBER, "%.1f k", v / 1e3);
	else if (v >= 100 || v == (double)top_whole(v))
		(void)snprintf(out, TOP_NUMBER, "%.0f", v);
	else
		(void)snprintf(out, TOP_NUMBER, "%.1f", v);
	return out;
}

/* Seconds; 0 = nothing was measured. */
static const char *top_time(double s, char out[TOP_NUMBER])
{
	if (s <= 0)
		(void)snprintf(out, TOP_NUMBER, "-");
	else if (s < 1e-3)
		(void)snprintf(out, TOP_NUMBER, "%.0f us", s * 1e6);
	else if (s < 1)
		(void)snprintf(out, TOP_NUMBER, s < 0.01 ? "%.2f ms" : "%.0f ms", s * 1e3);
	else
		(void)snprintf(out, TOP_NUMBER, "%.1f s", s);
	return out;
}

static const char *top_share(double part, double rest, char out[TOP_NUMBER])
{
	if (part + rest <= 0)
		(void)snprintf(out, TOP_NUMBER, "-");
	else
		(void)snprintf(out, TOP_NUMBER, "%.1f %%", 100 * part / (part + rest));
	return out;
}

/* What a label says, which may be anything, too: at most so many bytes of it, escaped. */
static void top_label(const struct top *t, struct span s, size_t width)
{
	size_t from = t->out->len;

	text_escape(span_of(s.p, s.len < width ? s.len : width), t->out);
	while (!t->out->bad && t->out->len - from < width)
		bytes_adds(t->out, " ");
}

static double top_rate(const struct top *t, const char *name)
{
	return metrics_rate(t->old, t->new, name, "");
}

static double top_now(const struct top *t, const char *name)
{
	return metrics_value(t->new, name, "");
}

static double top_quantile(const struct top *t, const char *name, double q)
{
	return metrics_quantile(t->old, t->new, name, "!/v1/changes", q);       /* which waits for what it is to tell */
}

static void top_mark(const struct top *t, const char *sequence)
{
	if (t->colour)
		bytes_adds(t->out, sequence);
}

/* Of a table, behind an empty line. */
static void top_head(const struct top *t, const char *words)
{
	bytes_adds(t->out, "\n");
	top_mark(t, "\x1b[1m");
	bytes_adds(t->out, words);
	top_mark(t, "\x1b[m");
	bytes_adds(t->out, "\n");
}

/* ---- the lines ----------------------------------------------------------------------------------------------------------------- */

/* "writes        800/s   p50 1.10 ms   p99 6.20 ms" */
static void top_latency(const struct top *t, const char *word, const char *count, const char *histogram)
{
	char n[TOP_NUMBER], p50[TOP_NUMBER], p99[TOP_NUMBER];

	bytes_addf(t->out, "%-11s %8s/s   p50 %-8s p99 %-8s ", word, top_count(top_rate(t, count), n), top_time(top_quantile(t, histogram, 0.5), p50),
	           top_time(top_quantile(t, histogram, 0.99), p99));
}

static void top_requests(const struct top *t)
{
	char bad[TOP_NUMBER];

	top_latency(t, "requests", "siltstone_http_requests_total", "siltstone_http_request_duration_seconds");
	bytes_addf(t->out, "%.0f connections, %.0f parked, %.0f streams", top_now(t, "siltstone_http_connections"),
	           top_now(t, "siltstone_http_requests_parked"), top_now(t, "siltstone_http_streams"));
	if (metrics_rate(t->old, t->new, "siltstone_http_requests_total", "code=\"5") > 0) {
		top_mark(t, "\x1b[31m");
		bytes_addf(t->out, ", %s/s failed (5xx)", top_count(metrics_rate(t->old, t->new, "siltstone_http_requests_total", "code=\"5"), bad));
		top_mark(t, "\x1b[m");
	}
	bytes_adds(t->out, "\n");
}

static void top_store(const struct top *t)
{
	double writes = top_rate(t, "siltstone_writes_total"), groups = top_rate(t, "siltstone_write_groups_total");
	double gets = top_rate(t, "siltstone_gets_total"), hits = top_rate(t, "siltstone_get_hits_total");
	char a[TEXT_SIZE], n[TOP_NUMBER];

	top_latency(t, "writes", "siltstone_writes_total", "siltstone_write_duration_seconds");
	bytes_addf(t->out, "%s/s, %s a group, %s conflicts/s\n", text_size(top_whole(top_rate(t, "siltstone_write_bytes_total")), a),
	           groups > 0 ? top_count(writes / groups, n) : "-", top_count(top_rate(t, "siltstone_write_conflicts_total"), (char[TOP_NUMBER]){ 0 }));
	top_latency(t, "gets", "siltstone_gets_total", "siltstone_get_duration_seconds");
	bytes_addf(t->out, "%s found\n", top_share(hits, gets - hits, n));
	top_latency(t, "WAL syncs", "siltstone_wal_syncs_total", "siltstone_wal_sync_duration_seconds");
	bytes_addf(t->out, "%s/s, %.0f segments\n", text_size(top_whole(top_rate(t, "siltstone_wal_written_bytes_total")), a),
	           top_now(t, "siltstone_wal_segments"));
}

static void top_memory(const struct top *t)
{
	char a[TEXT_SIZE], b[TEXT_SIZE], n[TOP_NUMBER], m[TOP_NUMBER];
	double checks = top_rate(t, "siltstone_filter_checks_total"), spared = top_rate(t, "siltstone_filter_negatives_total");

	bytes_addf(t->out, "%-11s %s of %s, %s hits; filters spare %s\n", "cache", text_size(top_whole(top_now(t, "siltstone_cache_bytes")), a),
	           text_size(top_whole(top_now(t, "siltstone_cache_capacity_bytes")), b),
	           top_share(top_rate(t, "siltstone_cache_hits_total"), top_rate(t, "siltstone_cache_misses_total"), n),
	           top_share(spared, checks - spared, m));
	bytes_addf(t->out, "%-11s %s in %s entries, %.0f sealed\n", "memtables", text_size(top_whole(top_now(t, "siltstone_memtable_bytes")), a),
	           top_count(top_now(t, "siltstone_memtable_entries"), n), top_now(t, "siltstone_memtables_sealed"));
	bytes_addf(t->out, "%-11s %s/s read, %s/s written; amplification: write %.1f, read %.1f, space %.2f\n", "compaction",
	           text_size(top_whole(top_rate(t, "siltstone_compaction_read_bytes_total")), a),
	           text_size(top_whole(top_rate(t, "siltstone_compaction_written_bytes_total")), b),
	           top_now(t, "siltstone_write_amplification_ratio"), top_now(t, "siltstone_read_amplification_ratio"),
	           top_now(t, "siltstone_space_amplification_ratio"));
}

/* "stalls      pace 12/s (40 % of the time)"; each reason that writes waited for. */
static void top_stalls(const struct top *t)
{
	bool any = false;
	char n[TOP_NUMBER];

	bytes_addf(t->out, "%-11s ", "stalls");
	for (size_t i = 0; i < t->new->n; i++) {
		const struct metrics_sample *s = &t->new->samples[i];
		struct span reason = metrics_label(s, "reason");
		char label[64];
		double rate;

		if (!span_eq(s->name, "siltstone_write_stalls_total") || reason.len == 0 || reason.len > 32)
			continue;
		(void)snprintf(label, sizeof(label), "reason=\"%.*s\"", (int)reason.len, reason.p);
		rate = metrics_rate(t->old, t->new, "siltstone_write_stalls_total", label);
		if (rate <= 0)
			continue;
		top_mark(t, "\x1b[33m");
		bytes_adds(t->out, any ? "; " : "");
		text_escape(reason, t->out);
		bytes_addf(t->out, " %s/s, %s waiting a second", top_count(rate, n),
		           top_time(metrics_rate(t->old, t->new, "siltstone_write_stall_seconds_total", label), (char[TOP_NUMBER]){ 0 }));
		top_mark(t, "\x1b[m");
		any = true;
	}
	bytes_adds(t->out, any ? "" : "none");
	if (top_now(t, "siltstone_write_stalled") > 0) {
		top_mark(t, "\x1b[31m");
		bytes_adds(t->out, "; writes wait now");
		top_mark(t, "\x1b[m");
	}
	if (top_now(t, "siltstone_fault") > 0) {
		top_mark(t, "\x1b[31m");
		bytes_adds(t->out, "; READ-ONLY: a write to the disk failed, see the server's log");
		top_mark(t, "\x1b[m");
	}
	bytes_adds(t->out, "\n");
}

static void top_levels(const struct top *t)
{
	double most = 0;

	for (int l = 0; l < TOP_LEVELS; l++) {
		char label[32];
		double bytes;

		(void)snprintf(label, sizeof(label), "level=\"%d\"", l);
		bytes = metrics_value(t->new, "siltstone_table_bytes", label);
		most = bytes > most ? bytes : most;
	}
	top_head(t, "level   tables        size     entries     deletes   compacted/s");
	for (int l = 0; l < TOP_LEVELS; l++) {
		char label[32], size[TEXT_SIZE], merged[TEXT_SIZE], n[TOP_NUMBER], d[TOP_NUMBER];
		double tables, bytes;
		int bar;

		(void)snprintf(label, sizeof(label), "level=\"%d\"", l);
		tables = metrics_value(t->new, "siltstone_tables", label);
		bytes = metrics_value(t->new, "siltstone_table_bytes", label);
		if (tables == 0 && l > 0)
			continue;
		bar = most > 0 ? (int)(top_whole(bytes * TOP_BAR / most) % (TOP_BAR + 1)) : 0;
		bytes_addf(t->out, "%5d %8.0f %11s %11s %11s %11s/s%s%.*s\n", l, tables, text_size(top_whole(bytes), size),
		           top_count(metrics_value(t->new, "siltstone_table_entries", label), n),
		           top_count(metrics_value(t->new, "siltstone_table_tombstones", label), d),
		           text_size(top_whole(metrics_rate(t->old, t->new, "siltstone_compaction_written_bytes_total", label)), merged), bar ? "  " : "", bar,
		           "##############################");
	}
}

struct top_route {
	struct span route, method;
	double rate;
};

static int top_busier(const void *a, const void *b)
{
	double x = ((const struct top_route *)a)->rate, y = ((const struct top_route *)b)->rate;

	return (x < y) - (x > y);
}

/* Those that are asked for most. */
static void top_routes(const struct top *t)
{
	struct top_route routes[128];
	char label[128], n[TOP_NUMBER], p50[TOP_NUMBER], p99[TOP_NUMBER];
	size_t count = 0;

	for (size_t i = 0; i < t->new->n && count < sizeof(routes) / sizeof(routes[0]); i++) {
		const struct metrics_sample *s = &t->new->samples[i];

		if (!span_eq(s->name, "siltstone_http_request_duration_seconds_count"))
			continue;
		routes[count] = (struct top_route){ .route = metrics_label(s, "route"), .method = metrics_label(s, "method") };
		(void)snprintf(label, sizeof(label), "%.*s", (int)s->labels.len, s->labels.p);
		routes[count].rate = metrics_rate(t->old, t->new, "siltstone_http_request_duration_seconds_count", label);
		count += routes[count].rate > 0;
	}
	qsort(routes, count, sizeof(routes[0]), top_busier);
	if (count)
		top_head(t, "request                        a second        p50        p99");
	for (size_t i = 0; i < count && i < TOP_ROUTES; i++) {
		(void)snprintf(label, sizeof(label), "route=\"%.*s\",method=\"%.*s\"", (int)routes[i].route.len, routes[i].route.p,
		               (int)routes[i].method.len, routes[i].method.p);
		top_label(t, routes[i].method, 7);
		bytes_adds(t->out, " ");
		top_label(t, routes[i].route, 22);
		bytes_addf(t->out, " %8s %10s %10s\n", top_count(routes[i].rate, n),
		           top_time(metrics_quantile(t->old, t->new, "siltstone_http_request_duration_seconds", label, 0.5), p50),
		           top_time(metrics_quantile(t->old, t->new, "siltstone_http_request_duration_seconds", label, 0.99), p99));
	}
}

void top_frame_print(struct bytes *out, const struct metrics *old, const struct metrics *new, bool colour)
{
	struct top t = { .old = old, .new = new, .out = out, .colour = colour };
	char disk[TEXT_SIZE], memory[TEXT_SIZE];

	top_requests(&t);
	top_store(&t);
	top_memory(&t);
	top_stalls(&t);
	bytes_addf(out, "%-11s version %.0f; %s memory, %.0f %% of a core; %s disk free\n", "server", top_now(&t, "siltstone_version"),
	           text_size(top_whole(top_now(&t, "process_resident_memory_bytes")), memory), 100 * top_rate(&t, "process_cpu_seconds_total"),
	           text_size(top_whole(top_now(&t, "siltstone_disk_free_bytes")), disk));
	top_levels(&t);
	top_routes(&t);
}

/* ---- lists --------------------------------------------------------------------------------------------------------------------- */

void top_frame_heads(struct bytes *out)
{
	bytes_adds(out, "time     requests/s      p99  writes/s      p99    gets/s      p99   syncs/s      p99  cache  stalls/s  tables        size\n");
}

void top_frame_line(struct bytes *out, const struct metrics *old, const struct metrics *new, const char *time)
{
	struct top t = { .old = old, .new = new, .out = out };
	char n[5][TOP_NUMBER], p[4][TOP_NUMBER], share[TOP_NUMBER], size[TEXT_SIZE];

	top_share(top_rate(&t, "siltstone_cache_hits_total"), top_rate(&t, "siltstone_cache_misses_total"), share);
	bytes_addf(out, "%s %10s %8s %9s %8s %9s %8s %9s %8s %6.*s %9s %7.0f %11s\n", time,
	           top_count(top_rate(&t, "siltstone_http_requests_total"), n[0]),
	           top_time(top_quantile(&t, "siltstone_http_request_duration_seconds", 0.99), p[0]),
	           top_count(top_rate(&t, "siltstone_writes_total"), n[1]), top_time(top_quantile(&t, "siltstone_write_duration_seconds", 0.99), p[1]),
	           top_count(top_rate(&t, "siltstone_gets_total"), n[2]), top_time(top_quantile(&t, "siltstone_get_duration_seconds", 0.99), p[2]),
	           top_count(top_rate(&t, "siltstone_wal_syncs_total"), n[3]),
	           top_time(top_quantile(&t, "siltstone_wal_sync_duration_seconds", 0.99), p[3]), (int)strcspn(share, " "), share,
	           top_count(top_rate(&t, "siltstone_write_stalls_total"), n[4]), top_now(&t, "siltstone_tables"),
	           text_size(top_whole(top_now(&t, "siltstone_table_bytes")), size));
}

/* JSON has no number for what is none; whole ones keep all their digits. */
static void top_json_number(struct bytes *out, const char *name, double value)
{
	bytes_addf(out, "\"%s\":", name);
	if (!isfinite(value))
		bytes_adds(out, "null");
	else if (value == floor(value) && fabs(value) < 1e18)
		bytes_addf(out, "%.0f", value);
	else
		bytes_addf(out, "%.9g", value);
}

static void top_json(struct bytes *out, const char *name, double value)
{
	bytes_adds(out, ",");
	top_json_number(out, name, value);
}

static void top_json_latency(const struct top *t, const char *name, const char *count, const char *histogram)
{
	bytes_addf(t->out, ",\"%s\":{", name);
	top_json_number(t->out, "per_second", top_rate(t, count));
	top_json(t->out, "p50_s", top_quantile(t, histogram, 0.5));
	top_json(t->out, "p99_s", top_quantile(t, histogram, 0.99));
	bytes_adds(t->out, "}");
}

void top_frame_json(struct bytes *out, const struct metrics *old, const struct metrics *new, const char *time)
{
	struct top t = { .old = old, .new = new, .out = out };

	bytes_addf(out, "{\"time\":\"%s\",\"seconds\":%.3f", time, new->at_s - old->at_s);
	top_json_latency(&t, "requests", "siltstone_http_requests_total", "siltstone_http_request_duration_seconds");
	top_json_latency(&t, "writes", "siltstone_writes_total", "siltstone_write_duration_seconds");
	top_json_latency(&t, "gets", "siltstone_gets_total", "siltstone_get_duration_seconds");
	top_json_latency(&t, "wal_syncs", "siltstone_wal_syncs_total", "siltstone_wal_sync_duration_seconds");
	top_json(out, "cache_hits_per_second", top_rate(&t, "siltstone_cache_hits_total"));
	top_json(out, "cache_misses_per_second", top_rate(&t, "siltstone_cache_misses_total"));
	top_json(out, "stalls_per_second", top_rate(&t, "siltstone_write_stalls_total"));
	top_json(out, "tables", top_now(&t, "siltstone_tables"));
	top_json(out, "table_bytes", top_now(&t, "siltstone_table_bytes"));
	top_json(out, "disk_free_bytes", top_now(&t, "siltstone_disk_free_bytes"));
	top_json(out, "version", top_now(&t, "siltstone_version"));
	bytes_adds(out, "}\n");
}
