/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nth_failure.c - one scenario, replayed with its n-th allocation failing, for n = 1, 2, ... until a run asks for fewer; then the
 * same with the n-th disk call of each kind failing, with SILT_E_IO and SILT_E_NOSPACE, once and for good.
 *
 * Whatever fails comes back as a code, nothing crashes or leaks (run it under the sanitizers), and when the failures are over
 * the store opens and holds every acknowledged write, and beyond it no more than the one write whose outcome was not known.
 */
#include "lib/test.h"

#include <inttypes.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/model.h"
#include "lib/simdisk.h"
#include "lib/simfail.h"

enum { KEYS = 40, HANG_SECONDS = 300 };
static const uint64_t now_ms = UINT64_C(1700000000000);

/* A write that failed may be there or not, as the next version; one that only met an earlier fault is not. */
struct doubt {
	bool any, deep;                   /* deep: the disk said no */
	struct model_op ops[4];
	size_t n;
};

static struct {
	struct model *m;
	struct simdisk *disk;
	silt_db *db;
	uint64_t random, acked;
	struct doubt doubt;
	char last_error[256];
} S;

static void on_log(void *ctx, enum silt_log_level level, const char *message)
{
	(void)ctx;
	if (level <= SILT_LOG_ERROR && getenv("SILT_VERBOSE"))
		fprintf(stderr, "engine: %s\n", message);
}

static int open_store(silt_db **out)
{
	struct silt_options o = simdisk_options(S.disk);

	o.change_log_size = 1 << 20;
	o.log = on_log;
	return silt_open("/store", &o, out);
}

/* Only codes that the header knows; a failure is a failure. */
static int expect_code(int rc, const char *what)
{
	switch (rc) {
	case SILT_E_IO:
	case SILT_E_NOSPACE:
	case SILT_E_NOMEM:
	case SILT_E_FAULT:
	case SILT_E_BUSY:
		return rc;
	default:
		if (rc < 0)
			model_fail("%s: %s", what, silt_strerror(rc));
		return rc;
	}
}

static void note_failed_write(int rc, const struct model_op *ops, size_t n)
{
	bool deep = rc == SILT_E_IO || rc == SILT_E_NOSPACE;

	if (rc == SILT_E_FAULT || rc == SILT_E_BUSY || (S.doubt.any && S.doubt.deep))
		return;
	S.doubt = (struct doubt){ .any = true, .deep = deep, .n = n };
	memcpy(S.doubt.ops, ops, n * sizeof(*ops));
}

static int fill_batch(silt_batch *b, struct model_op *ops, size_t n, uint32_t value_len)
{
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++) {
		struct silt_slice key;

		ops[i] = (struct model_op){ .key = test_random(&S.random) % S.m->n };
		key = S.m->keys[ops[i].key];
		if (test_random(&S.random) % 5)
			ops[i].to = (struct model_slot){ .there = true, .value_len = value_len, .seed = (uint32_t)S.random };
		rc = ops[i].to.there ? silt_batch_put(b, key, model_value(&ops[i].to, S.m->scratch), NULL, SILT_OP_REPORT_VALUE)
		                     : silt_batch_delete(b, key, 0);
	}
	return rc;
}

static int fill_range(silt_batch *b, struct model_op *ops, size_t n)
{
	size_t from = test_random(&S.random) % (S.m->n - n);

	for (size_t i = 0; i < n; i++)
		ops[i] = (struct model_op){ .key = from + i };
	return silt_batch_delete_range(b, S.m->keys[from], S.m->keys[from + n]);
}

/* value_len 0: a range delete of n keys. */
static void write_one(size_t n, uint32_t value_len)
{
	struct silt_result res = { 0 };
	struct model_op ops[4];
	silt_batch *b = NULL;
	int rc = silt_batch_new(&b);

	if (rc == 0)
		rc = value_len ? fill_batch(b, ops, n, value_len) : fill_range(b, ops, n);
	if (expect_code(rc, "silt_batch_put") == 0) {
		rc = silt_write(S.db, b, 0, &res);
		if (expect_code(rc, "silt_write") == 0) {
			model_commit(S.m, res.version, ops, n);
			S.acked = res.version;
			S.doubt.any = false;
		} else if (rc < 0) {
			note_failed_write(rc, ops, n);
		} else {
			model_fail("silt_write: %d", rc);
		}
	}
	silt_result_fini(&res);
	silt_batch_free(b);
}

/* One of the keys counts from time to time, others are no numbers. */
static void add_one(size_t key)
{
	struct model_op op = { .key = key };
	int want = model_add(&S.m->slots[key], 7, now_ms, &op.to), rc;
	uint64_t version = 0;
	int64_t sum = 0;

	rc = expect_code(silt_add(S.db, S.m->keys[key], 7, &sum, &version), "silt_add");
	if (rc < 0) {
		if (want == 0)
			note_failed_write(rc, &op, 1);
		return;
	}
	if (rc != want || (rc == 0 && sum != op.to.number))
		model_fail("silt_add: %s, not %s", silt_strerror(rc), silt_strerror(want));
	if (rc != 0)
		return;
	model_commit(S.m, version, &op, 1);
	S.acked = version;
	S.doubt.any = false;
}

/* A read gives the right answer or a failure. */
static void read_some(void)
{
	struct silt_buf value = { 0 };
	struct silt_info info;

	for (size_t i = 0; i < S.m->n; i += 3) {
		int rc = expect_code(silt_get(S.db, S.m->keys[i], NULL, 0, &value, &info), "silt_get");

		if (rc >= 0)
			model_check_get(S.m, S.m->slots, i, now_ms, rc, (struct silt_slice){ value.data, value.len }, &info);
		else if (value.len)
			model_fail("a failed get left a value");
	}
	silt_buf_free(&value);
}

static void read_many(void)
{
	struct silt_lookup items[KEYS];
	struct silt_buf values[KEYS] = { 0 };
	struct silt_info infos[KEYS];
	struct silt_pin pin = { 0 };

	for (size_t i = 0; i < KEYS; i++)
		items[i] = (struct silt_lookup){ S.m->keys[i], &values[i], &infos[i], 0 };
	if (silt_multi_get(S.db, NULL, SILT_NO_FILL, items, KEYS) != 0)
		model_fail("silt_multi_get");
	for (size_t i = 0; i < KEYS; i++) {
		if (expect_code(items[i].code, "silt_multi_get") >= 0)
			model_check_get(S.m, S.m->slots, i, now_ms, items[i].code, (struct silt_slice){ values[i].data, values[i].len },
			                &infos[i]);
		silt_buf_free(&values[i]);
	}
	for (size_t i = 0; i < S.m->n; i += 5) {
		int rc = expect_code(silt_get_pinned(S.db, S.m->keys[i], NULL, SILT_NO_FILL, &pin, &infos[0]), "silt_get_pinned");

		if (rc >= 0)
			model_check_get(S.m, S.m->slots, i, now_ms, rc, pin.value, &infos[0]);
		else if (pin.value.len)
			model_fail("a failed silt_get_pinned left a value");
	}
	silt_pin_release(&pin);
}

static void estimate_some(void)
{
	struct silt_estimate e;

	if (expect_code(silt_approximate(S.db, S.m->keys[5], S.m->keys[30], &e), "silt_approximate") == 0 && e.entries_low > e.entries_high)
		model_fail("silt_approximate");
}

static void scan_some(void)
{
	struct silt_iter_options o = { .max_steps = 1000 };
	silt_iter *it = NULL;
	size_t i = model_next_live(S.m->slots, 0, S.m->n, now_ms);
	int rc;

	if (expect_code(silt_iter_new(S.db, &o, &it), "silt_iter_new") < 0)
		return;
	for (rc = silt_iter_first(it); rc == 0; rc = silt_iter_next(it)) {
		if (i == SIZE_MAX)
			model_fail("a scan found more than there is");
		model_check_entry(S.m, S.m->slots, i, it);
		i = model_next_live(S.m->slots, i + 1, S.m->n, now_ms);
	}
	if (expect_code(rc, "silt_iter_next") == SILT_END && i != SIZE_MAX)
		model_fail("a scan ended before key %zu", i);
	silt_iter_close(it);
}

/* In order, or a failure. */
static void follow_some(void)
{
	silt_changes *c = NULL;
	struct silt_change ch;
	uint64_t version = 0;
	int rc;

	silt_changes_reach(S.db, &version, NULL);
	rc = silt_changes_new(S.db, version, &c);
	while (expect_code(rc, "changes") == 0 && (rc = silt_changes_next(c, &ch)) == 0) {
		if (ch.version < version)
			model_fail("changes go back from %" PRIu64 " to %" PRIu64, version, ch.version);
		version = ch.version;
	}
	silt_changes_close(c);
}

static void use_store(void)
{
	silt_snapshot *snap = NULL;

	for (int i = 0; i < 8; i++)
		write_one(1 + (size_t)i % 3, i == 5 ? 0 : 300);
	(void)expect_code(silt_flush(S.db), "silt_flush");
	if (expect_code(silt_snapshot_new(S.db, &snap), "silt_snapshot_new") == 0)
		silt_snapshot_free(snap);
	for (size_t i = 0; i < 4; i++)
		add_one(i / 2);
	for (int i = 0; i < 4; i++)
		write_one(2, i == 2 ? 0 : 9000);
	(void)expect_code(silt_flush(S.db), "silt_flush");
	(void)expect_code(silt_compact(S.db), "silt_compact");
	for (int i = 0; i < 3; i++)
		write_one(2, 100);
	follow_some();
	read_some();
	read_many();
	estimate_some();
	scan_some();
	(void)expect_code(silt_verify(S.db, NULL, NULL), "silt_verify");
}

static void scenario(void)
{
	for (int round = 0; round < 2; round++) {
		S.db = NULL;
		if (expect_code(open_store(&S.db), "silt_open") < 0) {
			if (S.db)
				model_fail("a failed silt_open gave a handle");
			return;
		}
		/* an opening may meet what an earlier failure left in doubt: settle that first, as recovery did */
		if (S.doubt.any)
			return;
		if (round == 0)
			use_store();
		else
			write_one(1, 50);
		(void)expect_code(silt_close(S.db), "silt_close");
		S.db = NULL;
	}
}

/* ---- one run ---------------------------------------------------------------------------------------------------------------- */

/* A hang is a failure too. */
static void on_alarm(int sig)
{
	static const char hung[] = ": it hung\n";

	(void)sig;
	(void)!write(2, model_context, strlen(model_context));
	(void)!write(2, hung, sizeof(hung) - 1);
	_exit(1);
}

static void begin(uint64_t seed)
{
	S.m = model_new(KEYS, seed);
	S.random = seed;
	S.acked = 0;
	S.doubt.any = false;
	S.disk = simdisk_new(seed);
	simdisk_set_clock(S.disk, now_ms);
	signal(SIGALRM, on_alarm);
	alarm(HANG_SECONDS);
}

/* The failures are over: everything acknowledged must be there. */
static void judge(void)
{
	uint64_t version = 0, since;
	int rc;

	if (S.db && (rc = silt_close(S.db)) < 0)
		(void)expect_code(rc, "silt_close");
	rc = open_store(&S.db);
	if (rc != 0)
		model_fail("opening when the failures are over: %s", silt_strerror(rc));
	if (S.doubt.any)
		model_commit(S.m, S.m->last_version + 1, S.doubt.ops, S.doubt.n);
	model_settle(S.m, S.db, S.acked, now_ms);
	silt_changes_reach(S.db, &since, NULL);
	rc = model_check_changes(S.m, S.db, &since, now_ms);
	if (rc != 0)
		model_fail("the changes when the failures are over: %s", silt_strerror(rc));
	rc = silt_put(S.db, S.m->keys[0], S.m->keys[0], &version);
	if (rc != 0 || version <= S.acked)
		model_fail("writing when the failures are over: %s, version %" PRIu64, silt_strerror(rc), version);
	rc = silt_close(S.db);
	if (rc != 0)
		model_fail("closing when the failures are over: %s", silt_strerror(rc));
	simdisk_free(S.disk);
	model_free(S.m);
	alarm(0);
}

/* ---- all runs ----------------------------------------------------------------------------------------------------------------- */

/* What fails in a run: an allocation, or a disk call of a kind. */
struct plan {
	const char *what;
	enum simdisk_call kind;           /* or SIMFAIL_MEMORY */
	int code;
	bool sticky;
	uint64_t runs;                /* begun */
	uint64_t n;                   /* of the newest one */
	bool enough;                  /* a run asked for fewer than its n */
	unsigned running;             /* of its runs */
};

/* True when the scenario asked for fewer than n. */
static bool run(const struct plan *p, uint64_t seed, uint64_t n)
{
	struct simfail f;
	uint64_t asked;

	snprintf(model_context, sizeof(model_context), "nth_failure: %s %" PRIu64 " fails with %s%s", p->what, n,
	         silt_strerror(p->code), p->sticky ? ", and all after it" : "");
	begin(seed);
	f = simfail_begin(S.disk, p->kind, n, p->code, p->sticky);
	scenario();
	asked = simfail_end(&f);
	judge();
	return asked < n;
}

/*
 * Each run is a process, because failing allocations are the whole process's, and because most of a run's time is the
 * engine waiting to try again: several go on beside each other, of whatever plan is next.
 */
#ifdef __SANITIZE_ADDRESS__
enum { STRIDE = 3 };                      /* a run takes four times as long there: every third n, from another one each seed */
#else
enum { STRIDE = 1 };
#endif
enum { CHILD_FAILED_AS_PLANNED = 0, CHILD_ENOUGH = 99, AT_ONCE = 32, PLANS_MAX = 64 };

static struct plan plans[PLANS_MAX];
static size_t plan_count;
static struct {
	pid_t pid;                        /* 0 = free */
	struct plan *plan;
} children[AT_ONCE];
static unsigned running;

static void start(struct plan *p, uint64_t seed)
{
	unsigned slot = 0;
	pid_t pid;

	p->n = p->runs++ ? p->n + STRIDE : 1 + seed % STRIDE;
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		model_fail("fork");
	if (pid == 0)
		exit(run(p, seed, p->n) ? CHILD_ENOUGH : CHILD_FAILED_AS_PLANNED);
	while (children[slot].pid)
		slot++;
	children[slot].pid = pid;
	children[slot].plan = p;
	p->running++;
	running++;
}

static void wait_for_one(void)
{
	int status, slot = 0;
	pid_t pid = wait(&status);

	if (pid < 0)
		model_fail("wait");
	while (children[slot].pid != pid)
		slot++;
	children[slot].pid = 0;
	children[slot].plan->running--;
	running--;
	if (WIFSIGNALED(status))
		model_fail("%s: a run ended by signal %d", children[slot].plan->what, WTERMSIG(status));
	if (WEXITSTATUS(status) != CHILD_ENOUGH && WEXITSTATUS(status) != CHILD_FAILED_AS_PLANNED)
		model_fail("%s: a run ended with status %d", children[slot].plan->what, WEXITSTATUS(status));
	children[slot].plan->enough |= WEXITSTATUS(status) == CHILD_ENOUGH;
}

/*
 * The plan that has the fewest runs going: one of few calls should not start dozens in vain before it is known that one was enough.
 * NULL: all have as many as they should, or were enough.
 */
static struct plan *next_plan(void)
{
	struct plan *least = NULL;
	unsigned left = 0;

	for (size_t i = 0; i < plan_count; i++) {
		struct plan *p = &plans[i];

		if (p->enough)
			continue;
		left++;
		if (!least || p->running < least->running)
			least = p;
	}
	return least && least->running < 1 + AT_ONCE / left ? least : NULL;
}

/* n = 1, 2, ... of every plan, until one was enough. */
static void run_all(uint64_t seed)
{
	struct plan *p;

	do {
		while (running < AT_ONCE && (p = next_plan()))
			start(p, seed);
		if (running)
			wait_for_one();
	} while (running || next_plan());
}

static void add_plans(struct plan p)
{
	for (int sticky = 0; sticky < 2; sticky++) {
		p.sticky = sticky;
		plans[plan_count++] = p;
	}
}

int main(void)
{
	static const struct plan calls[] = {
		{ .what = "open", .kind = SIM_OPEN },         { .what = "read", .kind = SIM_READ },
		{ .what = "write", .kind = SIM_WRITE },       { .what = "datasync", .kind = SIM_DATASYNC },
		{ .what = "rename", .kind = SIM_RENAME },     { .what = "unlink", .kind = SIM_UNLINK },
		{ .what = "mkdir", .kind = SIM_MKDIR },       { .what = "stat", .kind = SIM_STAT },
		{ .what = "list", .kind = SIM_LIST },         { .what = "dirsync", .kind = SIM_DIRSYNC },
		{ .what = "lock", .kind = SIM_LOCK },         { .what = "free_space", .kind = SIM_FREE_SPACE },
		{ .what = "size", .kind = SIM_SIZE },         { .what = "random", .kind = SIM_RANDOM },
		{ .what = "close", .kind = SIM_CLOSE },
	};
	uint64_t seed = test_seed(1);

	snprintf(model_context, sizeof(model_context), "nth_failure");
	add_plans((struct plan){ .what = "allocation", .kind = SIMFAIL_MEMORY, .code = SILT_E_NOMEM });
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		struct plan p = calls[i];

		p.code = SILT_E_IO;
		add_plans(p);
		p.code = SILT_E_NOSPACE;
		add_plans(p);
	}
	run_all(seed);
	for (size_t i = 0; i < plan_count; i++)
		printf("nth_failure: %" PRIu64 " runs with a failing %s, %s%s\n", plans[i].runs, plans[i].what,
		       silt_strerror(plans[i].code), plans[i].sticky ? ", and all after it" : "");
	return 0;
}
