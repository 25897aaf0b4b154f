/* SPDX-License-Identifier: Apache-2.0 */
/*
 * siltbench.c - this engine beside its peers: the same workloads, durability, cache, memtable and filter, in interleaved rounds, each cell in
 * a process of its own. What comes out is a table; its status tells of wrong answers and failed calls, never of time.
 *
 *   siltbench                           the table, small        (make bench-quick)
 *   siltbench --suite whole             everything                      (make bench)
 *   siltbench --prove                   whether async puts survive kill -9, in the configuration that is timed
 *   siltbench --suite own --engine siltstone --workload readrandom1 --rounds 1 --tell      one cell, e.g. under perf record
 *
 * The floors are silt/: engine.h (what an engine is) < keys, hist < work < cell < table < suite.
 */
#include "silt/suite.h"

#include <getopt.h>
#include <stdlib.h>
#include <sys/statfs.h>
#include <unistd.h>

static const struct option siltbench_options[] = {
	{ "suite", required_argument, NULL, 's' },   { "keys", required_argument, NULL, 'n' },
	{ "value", required_argument, NULL, 'v' },   { "key-size", required_argument, NULL, 'k' },
	{ "cache", required_argument, NULL, 'c' },   { "memtable", required_argument, NULL, 'm' },
	{ "filter", required_argument, NULL, 'f' },  { "compress", no_argument, NULL, 'z' },
	{ "seconds", required_argument, NULL, 't' }, { "rounds", required_argument, NULL, 'r' },
	{ "engine", required_argument, NULL, 'e' },  { "workload", required_argument, NULL, 'w' },
	{ "dir", required_argument, NULL, 'd' },     { "tell", no_argument, NULL, 'T' },
	{ "prove", no_argument, NULL, 'P' },         { "help", no_argument, NULL, 'h' },
	{ 0 },
};

static void siltbench_help(FILE *out)
{
	fprintf(out, "siltbench [--suite NAME] [--engine ROW]... [--workload NAME]... [--rounds N] [--seconds S] [--dir DIR] [--tell]\n"
		     "          [--keys N] [--value BYTES] [--key-size 12..64|mixed] [--cache MIB] [--memtable MIB] [--filter BITS] [--compress]\n"
		     "siltbench --prove [--engine ROW]...\n\nsuites\n");
	for (const struct suite *s = suites; s->name != NULL; s++)
		fprintf(out, "  %-18s%s\n", s->name, s->what);
	fprintf(out, "\nengines (and NAME-defaults)\n ");
	for (unsigned i = 0; bench_engines[i] != NULL; i++)
		fprintf(out, " %s", bench_engines[i]->name);
	fprintf(out, "\n\nworkloads\n");
	for (const struct work *w = works; w->name != NULL; w++)
		fprintf(out, "  %-18s%s\n", w->name, w->what);
}

static int siltbench_add(const char **names, const char *name)
{
	for (unsigned i = 0; i + 1 < SUITE_NAMES; i++)
		if (names[i] == NULL) {
			names[i] = name;
			return 0;
		}
	return -1;
}

/* One option that has a number, or a name of something. -1 = out of range. */
static int siltbench_set(struct suite_choice *c, int letter, const char *text)
{
	uint64_t n = strtoull(text, NULL, 10);

	switch (letter) {
	case 'n':
		c->base.count = n;
		return n >= 1000 ? 0 : -1;
	case 'v':
		c->base.value_size = n;
		return n > 0 && n <= 16 << 20 ? 0 : -1;
	case 'k':
		c->base.key_length = strcmp(text, "mixed") == 0 ? -1 : (int)n;
		return c->base.key_length < 0 || (n >= 12 && n <= 64) ? 0 : -1;
	case 'c':
		c->base.cache_bytes = n << 20;
		return n > 0 ? 0 : -1;
	case 'm':
		c->setup.memtable_bytes = n << 20;
		return n > 0 ? 0 : -1;
	case 'f':
		c->setup.filter_bits = (unsigned)n;
		return 0;
	case 't':
		c->seconds = atof(text);
		return c->seconds > 0 ? 0 : -1;
	case 'r':
		c->rounds = (unsigned)n;
		return n > 0 && n <= TABLE_ROUNDS ? 0 : -1;
	case 'e':
		return siltbench_add(c->engines, text);
	case 'w':
		return work_find(text) == NULL ? -1 : siltbench_add(c->workloads, text);
	default:
		return -1;
	}
}

static const struct suite *siltbench_suite(const char *name)
{
	for (const struct suite *s = suites; s->name != NULL; s++)
		if (strcmp(s->name, name) == 0)
			return s;
	return NULL;
}

/* A directory of our own where none was named; a warning where syncs mean nothing. */
static const char *siltbench_dir(const char *under, char *path, size_t size)
{
	const long tmpfs = 0x01021994;
	struct statfs fs;

	if (under == NULL)
		under = getenv("TMPDIR") ? getenv("TMPDIR") : "/var/tmp";
	snprintf(path, size, "%s/siltbench.XXXXXX", under);
	if (mkdtemp(path) == NULL)
		return NULL;
	if (statfs(path, &fs) == 0 && (long)fs.f_type == tmpfs)
		fprintf(stderr, "siltbench: %s is in memory, so durable puts cost nothing: name a disk with --dir\n", path);
	return path;
}

int main(int argc, char **argv)
{
	struct suite_choice c = {
		.base = { .count = 1000000, .value_size = 100, .key_length = 16, .cache_bytes = 1 << 30, .seconds = 2 },
		.setup = { .memtable_bytes = 32 << 20, .filter_bits = 10 },
		.rounds = 3,
	};
	const struct suite *suite = siltbench_suite("quick");
	const char *under = NULL;
	char path[4096];
	bool prove = false;
	int letter, rc;

	while ((letter = getopt_long(argc, argv, "", siltbench_options, NULL)) >= 0) {
		if (letter == 'T')
			c.tell = true;
		else if (letter == 'P')
			prove = true;
		else if (letter == 'z')
			c.setup.compress = true;
		else if (letter == 'd')
			under = optarg;
		else if (letter == 's')
			suite = siltbench_suite(optarg);
		else if (letter == 'h' || letter == '?' || siltbench_set(&c, letter, optarg) < 0) {
			siltbench_help(letter == 'h' ? stdout : stderr);
			return letter == 'h' ? 0 : 2;
		}
	}
	if (suite == NULL || optind != argc) {
		siltbench_help(stderr);
		return 2;
	}
	c.dir = siltbench_dir(under, path, sizeof(path));
	if (c.dir == NULL) {
		perror("siltbench: cannot make a directory");
		return 1;
	}
	rc = prove ? suite_prove(&c, stdout) : suite_run(suite, &c, stdout);
	rmdir(path);
	return rc < 0 ? 1 : 0;
}
