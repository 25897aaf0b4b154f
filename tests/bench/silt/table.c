/* SPDX-License-Identifier: Apache-2.0 */
/* table.c - see table.h. Markdown, so that it reads as it is and goes into RESULTS.md. */
#include "table.h"

#include <stdlib.h>

static const double table_mib = 1 << 20;

void table_add(struct table *t, const struct cell_row *row, const struct cell_result *r)
{
	struct table_line *l = NULL;

	for (unsigned i = 0; i < t->lines; i++)
		if (t->line[i].row == row)
			l = &t->line[i];
	if (l == NULL) {
		if (t->lines == TABLE_ROWS)
			return;
		l = &t->line[t->lines++];
		l->row = row;
	}
	l->wrong += r->wrong;
	if (!r->ok || l->rounds == TABLE_ROUNDS) {
		l->failed += !r->ok;
		return;
	}
	l->ops[l->rounds] = r->ops_per_second;
	l->cpu[l->rounds] = r->cpu_seconds;
	l->cpu_ns[l->rounds] = r->ops > 0 ? r->cpu_seconds * 1e9 / (double)r->ops : 0;
	l->written[l->rounds] = r->written_bytes;
	l->dirtied[l->rounds] = r->dirtied_bytes;
	l->space[l->rounds] = r->space_bytes;
	l->resident[l->rounds] = r->resident_bytes;
	l->rounds++;
	hist_merge(&l->hist, &r->hist);
}

static int table_order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double table_median(double *v, unsigned n)
{
	if (n == 0)
		return 0;
	qsort(v, n, sizeof(*v), table_order);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static bool table_is_peer(const struct cell_row *row)
{
	return row->engine != bench_engines[0] && row->engine->can & BENCH_READS;
}

/* The best median among the peers whose name begins so. */
static double table_best(struct table *t, const char *name, const char **who)
{
	double best = 0;

	for (unsigned i = 0; i < t->lines; i++) {
		struct table_line *l = &t->line[i];
		double m = table_median(l->ops, l->rounds);

		if (!table_is_peer(l->row) || strncmp(l->row->name, name, strlen(name)) != 0 || m <= best)
			continue;
		best = m;
		if (who != NULL)
			*who = l->row->name;
	}
	return best;
}

/* CPU an operation of the peer that needs the least, over that of this engine: what contention on the machine changes least. */
static double table_cpu_ratio(struct table *t)
{
	double ours = 0, least = 0;

	for (unsigned i = 0; i < t->lines; i++) {
		struct table_line *l = &t->line[i];
		double m = table_median(l->cpu_ns, l->rounds);

		if (strcmp(l->row->name, bench_engines[0]->name) == 0)
			ours = m;
		else if (table_is_peer(l->row) && m > 0 && (least == 0 || m < least))
			least = m;
	}
	return ours > 0 ? least / ours : 0;
}

static double table_of(struct table *t, const char *name)
{
	for (unsigned i = 0; i < t->lines; i++)
		if (strcmp(t->line[i].row->name, name) == 0)
			return table_median(t->line[i].ops, t->line[i].rounds);
	return 0;
}

static void table_print_count(double n, FILE *out)
{
	unsigned long long v = (unsigned long long)(n + 0.5);

	if (v >= 1000000)
		fprintf(out, "%llu,%03llu,%03llu", v / 1000000, v / 1000 % 1000, v % 1000);
	else if (v >= 1000)
		fprintf(out, "%llu,%03llu", v / 1000, v % 1000);
	else
		fprintf(out, "%llu", v);
}

static void table_print_time(uint64_t ns, FILE *out)
{
	double us = (double)ns * 1e-3;

	fprintf(out, us < 10 ? "%.2f | " : us < 100 ? "%.1f | " : "%.0f | ", us);
}

static void table_print_line(struct table_line *l, double best, FILE *out)
{
	double median = table_median(l->ops, l->rounds);

	fprintf(out, "| %s | ", l->row->name);
	if (l->rounds == 0) {
		fprintf(out, "failed | | | | | | | | | | | | |\n");
		return;
	}
	table_print_count(median, out);
	fprintf(out, " | ");
	table_print_count(l->ops[0], out);
	fprintf(out, "..");
	table_print_count(l->ops[l->rounds - 1], out);
	if (best > 0)
		fprintf(out, " | %.2f | ", median / best);
	else
		fprintf(out, " | | ");
	table_print_time(hist_quantile(&l->hist, 0.5), out);
	table_print_time(hist_quantile(&l->hist, 0.99), out);
	table_print_time(hist_quantile(&l->hist, 0.999), out);
	table_print_time(l->hist.max, out);
	fprintf(out, "%.2f | ", table_median(l->cpu, l->rounds));
	table_print_time((uint64_t)(table_median(l->cpu_ns, l->rounds)), out);
	fprintf(out, "%.0f | %.0f | %.0f | %.0f |", table_median(l->written, l->rounds) / table_mib,
		table_median(l->dirtied, l->rounds) / table_mib, table_median(l->space, l->rounds) / table_mib, table_median(l->resident, l->rounds) / table_mib);
	if (l->failed > 0)
		fprintf(out, " %u rounds failed", l->failed);
	if (l->wrong > 0)
		fprintf(out, " %llu WRONG ANSWERS", (unsigned long long)l->wrong);
	fprintf(out, "\n");
}

void table_print(struct table *t, FILE *out)
{
	double best = table_best(t, "", NULL);

	fprintf(out, "\n**%s**: %s\n\n", t->work->name, t->work->what);
	fprintf(out, "| row | ops/s | min..max | of the best peer | p50 us | p99 | p99.9 | max | CPU s | CPU us/op | written MiB | dirtied MiB | space MiB | resident MiB |\n"
		     "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
	for (unsigned i = 0; i < t->lines; i++)
		table_print_line(&t->line[i], best, out);
	fflush(out);
}

static const char *table_reached(double ratio, double goal)
{
	return ratio >= goal ? "reached" : "not";
}

static void table_print_goal(struct table *t, FILE *out)
{
	const struct work_goal *g = &t->work->goal;
	const char *who = "no peer";
	double ours = table_of(t, bench_engines[0]->name), best = table_best(t, "", &who);

	fprintf(out, "| %s | ", t->work->name);
	table_print_count(ours, out);
	fprintf(out, " | %s ", who);
	table_print_count(best, out);
	fprintf(out, " | %.2f | %.2f | ", best > 0 ? ours / best : 0, table_cpu_ratio(t));
	if (g->best > 0 && best > 0)
		fprintf(out, "%.2f %s", g->best, table_reached(ours / best, g->best));
	if (g->first > 0 && best > 0)
		fprintf(out, ", first %.2f %s", g->first, table_reached(ours / best, g->first));
	if (g->rocksdb > 0 && table_best(t, "rocksdb", NULL) > 0) {
		double r = ours / table_best(t, "rocksdb", NULL);

		fprintf(out, ", first %.2f of RocksDB: %.2f %s", g->rocksdb, r, table_reached(r, g->rocksdb));
	}
	fprintf(out, " | ");
	if (g->floor != NULL && table_of(t, g->floor) > 0) {
		double r = ours / table_of(t, g->floor);

		fprintf(out, "%s: %.2f of %.2f %s", g->floor, r, g->of_floor, table_reached(r, g->of_floor));
	}
	fprintf(out, " |\n");
}

void table_print_goals(struct table *const *t, unsigned n, FILE *out)
{
	fprintf(out, "\n| workload | siltstone | best peer | ratio | by CPU an operation | to reach | floor |\n|---|---|---|---|---|---|---|\n");
	for (unsigned i = 0; i < n; i++)
		if (t[i]->work->goal.best > 0 || t[i]->work->goal.floor != NULL)
			table_print_goal(t[i], out);
	fflush(out);
}

bool table_failed(const struct table *t)
{
	for (unsigned i = 0; i < t->lines; i++)
		if (t->line[i].failed > 0 || t->line[i].wrong > 0)
			return true;
	return false;
}
