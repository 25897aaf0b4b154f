/* SPDX-License-Identifier: Apache-2.0 */
/*
 * twin.c - the store and its naive twin, driven by the same seeded random operations and compared all the time.
 *
 *      twin [--ops N] [--seed S] [--disk sim|posix]
 *
 * Settings are tiny, so that rotation, flush and compaction happen every few hundred operations. Only siltstone.h is used.
 * Crashes    on the simulated disk: at a random one of the coming sync points, in whichever thread meets it, also during open and
 *            close, the disk is copied as a power cut would leave it. The store goes on undisturbed until the
 *            driver notices, is closed, and opened again on the copy: it must equal the twin at one point of its history, with every
 *            commit that was acknowledged as durable before the copy was made.
 */
#include "lib/test.h"

#include <getopt.h>
#include <inttypes.h>

#include "model/twin.h"

#ifdef __SANITIZE_THREAD__
enum { OPS = 15000 };                     /* each takes ten times as long */
#else
enum { OPS = 60000 };
#endif

struct twin T;

/* Shares of ten thousand. */
static const struct {
	unsigned share;
	void (*run)(void);
} operations[] = {
	{ 2400, twin_op_write }, { 1000, twin_op_simple }, { 1200, twin_op_conditional },
	{ 100, twin_op_burst }, { 2800, twin_op_get }, { 900, twin_op_iter }, { 100, twin_op_snapshot },
	{ 200, twin_op_clock }, { 60, twin_op_sync }, { 20, twin_op_flush }, { 3, twin_op_compact },
	{ 6, twin_op_compact_range }, { 12, twin_op_compare }, { 150, twin_op_range },
	{ 20, twin_op_cut }, { 300, twin_op_get_pinned }, { 100, twin_op_multi_get },
	{ 400, twin_op_add }, { 100, twin_op_take }, { 20, twin_op_approximate }, { 2, twin_op_verify },
	{ 3, twin_op_too_big }, { 6, twin_reopen }, { 4, twin_op_checkpoint }, { 8, twin_op_ingest },
	{ 30, twin_op_changes }, { 12, twin_op_crash },
};

static void step(void)
{
	uint64_t dice = chance(10000);
	size_t i = 0;

	while (i + 1 < sizeof(operations) / sizeof(operations[0]) && dice >= operations[i].share)
		dice -= operations[i++].share;
	operations[i].run();
	if (atomic_load(&T.crashed))
		twin_reopen_after_crash();
}

static void usage(void)
{
	fprintf(stderr, "usage: twin [--ops N] [--seed S] [--disk sim|posix]\n");
	exit(2);
}

static void parse(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "ops", required_argument, NULL, 'o' }, { "seed", required_argument, NULL, 's' },
		{ "disk", required_argument, NULL, 'd' }, { 0 },
	};
	const char *seed = getenv("SILT_SEED");
	int c;

	T.sim = true;
	T.ops = OPS * (uint64_t)test_scale();
	T.seed = seed ? strtoull(seed, NULL, 0) : 1;
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'o')
			T.ops = strtoull(optarg, NULL, 0);
		else if (c == 's')
			T.seed = strtoull(optarg, NULL, 0);
		else if (c == 'd' && (strcmp(optarg, "sim") == 0 || strcmp(optarg, "posix") == 0))
			T.sim = optarg[0] == 's';
		else
			usage();
	}
	if (optind != argc || T.ops == 0 || T.seed == 0)
		usage();
}

static void end(void)
{
	twin_op_compare();
	twin_reopen();
	twin_close_store();
	silt_buf_free(&T.value);
	model_free(T.m);
	if (T.sim) {
		if (T.crashed)
			simdisk_free(T.crashed);
		simdisk_free(T.disk);
		free(T.dir);
	} else {
		test_rmdir(T.dir);
	}
}

int main(int argc, char **argv)
{
	parse(argc, argv);
	printf("twin: %" PRIu64 " operations on the %s disk, seed %" PRIu64 "\n", T.ops, T.sim ? "simulated" : "posix", T.seed);
	fflush(stdout);
	snprintf(model_context, sizeof(model_context), "twin --seed %" PRIu64 ", opening", T.seed);
	twin_begin();
	for (T.op = 1; T.op <= T.ops; T.op++) {
		snprintf(model_context, sizeof(model_context), "twin --seed %" PRIu64 ", operation %" PRIu64, T.seed, T.op);
		step();
	}
	end();
	printf("twin: %" PRIu64 " crashes (%" PRIu64 " while opening), %" PRIu64 " reopens, %" PRIu64 " read-only, %" PRIu64
	       " unacknowledged commits lost; %" PRIu64 " conflicts, %" PRIu64 " bursts, %" PRIu64 " range deletes, %" PRIu64 " retries, %" PRIu64
	       " flushes, %" PRIu64 " compactions and %" PRIu64 " checkpoints asked for, %" PRIu64 " ingests, %" PRIu64 " comparisons in full, %" PRIu64 " looks at the changes: agreed\n",
	       T.crashes, T.crashes_in_open, T.reopens, T.read_only, T.undone, T.conflicts, T.bursts, T.ranges, T.retries, T.flushes,
	       T.compactions, T.checkpoints, T.ingests, T.compared, T.looks);
	printf("twin: %" PRIu64 " adds\n", T.adds);
	return 0;
}
