/* SPDX-License-Identifier: Apache-2.0 */
/*
 * suite.c - see suite.h. Rounds are interleaved: a workload runs on each row once, then on each again, beginning with another row, so that
 * what else the machine does falls on all alike.
 */
#include "suite.h"

#include <stdlib.h>
#include <time.h>

#define SUITE_ISSUE "fillsync1 fillsync8 fillsync32 fillrandom readrandom1 readrandom2 readzipf2 readmissing scan100 scan100back"
#define SUITE_SHORT "fillrandom readrandom1 readmissing scan100 scan100back"
#define MIB(n) ((uint64_t)(n) << 20)

static const struct suite_part suite_quick[] = {
	{ .title = "200,000 keys of 16 bytes, values of 100, all cached", .workloads = SUITE_ISSUE, .count = 200000, .seconds = 0.3 },
	{ 0 },
};

static const struct suite_part suite_table[] = {
	{ .title = "1,000,000 keys of 16 bytes, values of 100, all cached", .workloads = SUITE_ISSUE, .count = 1000000, .defaults = true },
	{ 0 },
};

static const struct suite_part suite_whole[] = {
	{ .title = "1,000,000 keys of 16 bytes, values of 100, all cached", .workloads = "*", .count = 1000000, .defaults = true },
	{ .title = "ten times the cache", .workloads = "readrandom1 readzipf2 readmissing scan100 scan100back overwrite ycsb-a ycsb-e",
	  .count = 3000000, .cache_bytes = MIB(32) },
	{ .title = "values of 16 bytes", .workloads = SUITE_SHORT, .count = 1000000, .value_size = 16 },
	{ .title = "values of 1 KiB", .workloads = SUITE_SHORT, .count = 200000, .value_size = 1024 },
	{ .title = "values of 16 KiB", .workloads = SUITE_SHORT, .count = 20000, .value_size = 16384 },
	{ .title = "values of 64 KiB", .workloads = SUITE_SHORT, .count = 5000, .value_size = 65536 },
	{ .title = "keys of 12 bytes", .workloads = SUITE_SHORT, .count = 1000000, .key_length = 12 },
	{ .title = "keys of 24 bytes", .workloads = SUITE_SHORT, .count = 1000000, .key_length = 24 },
	{ .title = "keys of 40 bytes", .workloads = SUITE_SHORT, .count = 1000000, .key_length = 40 },
	{ .title = "keys of 49 to 72 bytes with long common prefixes", .workloads = SUITE_SHORT, .count = 1000000, .key_length = -1 },
	{ .title = "100,000 keys", .workloads = SUITE_ISSUE, .count = 100000 },
	{ .title = "10,000,000 keys", .workloads = SUITE_ISSUE, .count = 10000000, .cache_bytes = MIB(8192) },
	{ 0 },
};

static const struct suite_part suite_sustained[] = {
	{ .title = "ten minutes of overwriting at full speed", .workloads = "sustained", .count = 1000000, .cache_bytes = MIB(32), .seconds = 600 },
	{ 0 },
};

static const struct suite_part suite_own[] = {
	{ .title = "as the options say", .workloads = "*" },
	{ 0 },
};

const struct suite suites[] = {
	{ "quick", suite_quick, "the issue's table, small, in two minutes" },
	{ "table", suite_table, "the issue's table" },
	{ "whole", suite_whole, "every workload, size of key and value, of store and cache: hours" },
	{ "sustained", suite_sustained, "ten minutes of overwriting on each row" },
	{ "own", suite_own, "one store as the options say" },
	{ 0 },
};

/* ---- rows -------------------------------------------------------------------------------------------------------------------------- */

static bool suite_wanted(const char *const *names, const char *name)
{
	for (unsigned i = 0; i < SUITE_NAMES && names[i] != NULL; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return names[0] == NULL;
}

static unsigned suite_rows(const struct suite_choice *c, bool defaults, struct cell_row *rows)
{
	unsigned n = 0;

	for (unsigned i = 0; bench_engines[i] != NULL; i++) {
		const struct bench_engine *e = bench_engines[i];

		for (int plain = 0; plain <= (e->can & BENCH_DEFAULTS ? 1 : 0); plain++) {
			struct cell_row *r = &rows[n];

			*r = (struct cell_row){ .engine = e, .tuned = !plain };
			snprintf(r->name, sizeof(r->name), "%s%s", e->name, plain ? "-defaults" : "");
			n += suite_wanted(c->engines, r->name) && (!plain || defaults || c->engines[0] != NULL) && n + 1 < TABLE_ROWS;
		}
	}
	return n;
}

static bool suite_fits(const struct cell_row *r, const struct work *w)
{
	if (r->engine->can & BENCH_READS)
		return true;
	return w->flags & WORK_FLOOR && (w->threads == 1 || !(r->engine->can & BENCH_ONE_THREAD));
}

/* ---- a part -------------------------------------------------------------------------------------------------------------------------- */

struct suite_bench {
	const struct suite_choice *choice;
	const struct suite_part *part;
	struct keys keys;
	struct cell_plan plan;           /* but for row and work */
	struct cell_row rows[TABLE_ROWS];
	bool loaded[TABLE_ROWS];
	unsigned row_count;
	struct table *tables[SUITE_NAMES];
	unsigned table_count;
};

static uint64_t suite_or(uint64_t own, uint64_t otherwise)
{
	return own ? own : otherwise;
}

static int suite_begin(struct suite_bench *b)
{
	const struct suite_choice *c = b->choice;
	const struct suite_part *p = b->part;
	int length = p->key_length ? p->key_length : c->base.key_length;

	if (keys_init(&b->keys, suite_or(p->count, c->base.count), length < 0 ? 0 : (unsigned)length,
		      suite_or(p->value_size, c->base.value_size)) < 0)
		return -1;
	b->plan = (struct cell_plan){ .keys = &b->keys, .setup = c->setup, .dir = c->dir, .tell = c->tell };
	b->plan.setup.cache_bytes = suite_or(p->cache_bytes, c->base.cache_bytes);
	b->plan.setup.data_bytes = b->keys.count * (b->keys.value_size + 64);
	b->plan.seconds = c->seconds > 0 ? c->seconds : p->seconds > 0 ? p->seconds : c->base.seconds;
	b->plan.warm_seconds = b->plan.seconds / 4 < 1 ? b->plan.seconds / 4 : 1;
	b->row_count = suite_rows(c, p->defaults, b->rows);
	return 0;
}

static int suite_cell(struct suite_bench *b, struct table *t, unsigned row, unsigned round)
{
	struct cell_result *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return -1;
	b->plan.row = &b->rows[row];
	b->plan.work = t->work;
	if (!(t->work->flags & WORK_FRESH) && !b->loaded[row]) {
		fprintf(stderr, "loading %s\n", b->rows[row].name);
		b->loaded[row] = true;
		if (cell_load(&b->plan) < 0)
			fprintf(stderr, "%s: loading failed\n", b->rows[row].name);
	}
	cell_run(&b->plan, r);
	table_add(t, &b->rows[row], r);
	fprintf(stderr, "round %u %-16s %-20s %10.0f/s%s\n", round + 1, t->work->name, b->rows[row].name, r->ops_per_second,
		!r->ok ? " failed" : r->wrong ? " WRONG ANSWERS" : "");
	free(r);
	return 0;
}

static int suite_work(struct suite_bench *b, const struct work *w, FILE *out)
{
	struct table *t = calloc(1, sizeof(*t));

	if (t == NULL || b->table_count == SUITE_NAMES) {
		free(t);
		return -1;
	}
	t->work = w;
	b->tables[b->table_count++] = t;
	for (unsigned round = 0; round < b->choice->rounds; round++)
		for (unsigned i = 0; i < b->row_count; i++) {
			unsigned row = (i + round) % b->row_count;

			if (suite_fits(&b->rows[row], w) && suite_cell(b, t, row, round) < 0)
				return -1;
		}
	table_print(t, out);
	return table_failed(t) ? -1 : 0;
}

static bool suite_has(const struct suite_bench *b, const struct work *w)
{
	const char *at = b->part->workloads;
	size_t n = strlen(w->name);

	if (b->choice->workloads[0] != NULL)
		return suite_wanted(b->choice->workloads, w->name);
	if (strcmp(at, "*") == 0)
		return strcmp(w->name, "sustained") != 0;
	while ((at = strstr(at, w->name)) != NULL) {
		if ((at == b->part->workloads || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
			return true;
		at += n;
	}
	return false;
}

static int suite_part(struct suite_bench *b, FILE *out)
{
	int rc = 0;

	fprintf(out, "\n## %s\n\n%llu keys, values of %zu bytes, cache %llu MiB, memtable %llu MiB, filter %u bits a key, compression %s; "
		     "%u rounds, %.2f s a timed cell\n", b->part->title, (unsigned long long)b->keys.count, b->keys.value_size,
		(unsigned long long)b->plan.setup.cache_bytes >> 20, (unsigned long long)b->plan.setup.memtable_bytes >> 20,
		b->plan.setup.filter_bits, b->plan.setup.compress ? "on" : "off", b->choice->rounds, b->plan.seconds);
	for (const struct work *w = works; w->name != NULL; w++)
		if (suite_has(b, w))
			rc |= suite_work(b, w, out);
	table_print_goals(b->tables, b->table_count, out);
	for (unsigned i = 0; i < b->row_count; i++) {
		b->plan.row = &b->rows[i];
		cell_unload(&b->plan);
	}
	for (unsigned i = 0; i < b->table_count; i++)
		free(b->tables[i]);
	keys_fini(&b->keys);
	return rc;
}

int suite_run(const struct suite *s, const struct suite_choice *c, FILE *out)
{
	int rc = 0;

	for (const struct suite_part *p = s->parts; p->title != NULL; p++) {
		struct suite_bench b = { .choice = c, .part = p };

		rc |= suite_begin(&b) < 0 ? -1 : suite_part(&b, out);
	}
	return rc;
}

int suite_prove(const struct suite_choice *c, FILE *out)
{
	struct suite_bench b = { .choice = c, .part = &suite_table[0] };
	int rc = 0;

	if (suite_begin(&b) < 0)
		return -1;
	b.plan.work = work_find("fillrandom");
	for (unsigned i = 0; i < b.row_count; i++) {
		uint64_t acknowledged = 0, found = 0;
		int lost;

		if (!(b.rows[i].engine->can & BENCH_READS))
			continue;
		b.plan.row = &b.rows[i];
		lost = cell_prove_kill(&b.plan, &acknowledged, &found);
		fprintf(out, "%s - kill -9, %s: %llu async puts acknowledged, %llu found\n", lost ? "not ok" : "ok", b.rows[i].name,
			(unsigned long long)acknowledged, (unsigned long long)found);
		rc |= lost;
	}
	keys_fini(&b.keys);
	return rc;
}
