/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_memory.c - the one budget is kept: a child process with little memory and ten times as much data writes, reads, scans and compacts, and its
 * peak resident size is looked at. An amount, not a time.
 */
#include "lib/test.h"

#include <siltstone.h>

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__has_feature)
#define MEMORY_HAS(x) __has_feature(x)
#else
#define MEMORY_HAS(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || MEMORY_HAS(address_sanitizer) || MEMORY_HAS(thread_sanitizer)
#define MEMORY_SHADOWED 1                 /* resident bytes are the checker's then */
#else
#define MEMORY_SHADOWED 0
#endif

enum { MEMORY_BEYOND = 64 << 20, MEMORY_READERS = 2, MEMORY_KEY = 24 };

struct memory_case {
	uint64_t memory, bytes;           /* the budget; what is written, keys and values */
	size_t value_min, value_max;
	size_t per_batch;
	unsigned turns;                   /* threads that take turns at writing and reading; 0 = one writes and some read beside it */
	void (*options)(struct silt_options *o);
};

struct memory_run {
	const struct memory_case *c;
	silt_db *db;
	uint64_t keys;
	_Atomic bool done;
	uint8_t noise[128 << 10];         /* values begin somewhere in it: they do not shrink */
};

static uint64_t memory_peak(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[256];
	unsigned long long kib = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmHWM: %llu", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib << 10;
}

static struct silt_slice memory_key(uint64_t i, char *out)
{
	snprintf(out, MEMORY_KEY + 1, "key-%020llu", (unsigned long long)(i * UINT64_C(0x9e3779b97f4a7c15)));
	return (struct silt_slice){ out, MEMORY_KEY };
}

static struct silt_slice memory_value(const struct memory_run *r, uint64_t *random)
{
	const struct memory_case *c = r->c;
	size_t n = c->value_min + test_random(random) % (c->value_max - c->value_min + 1);

	return (struct silt_slice){ r->noise + test_random(random) % (sizeof(r->noise) - n), n };
}

static int memory_write(struct memory_run *r, uint64_t first, uint64_t most)
{
	uint64_t random = first + 7, bytes = 0;
	silt_batch *b = NULL;
	int rc = silt_batch_new(&b);

	for (uint64_t i = first; rc == 0 && bytes < most; i++) {
		char key[MEMORY_KEY + 1];
		struct silt_slice v = memory_value(r, &random);

		rc = silt_batch_put(b, memory_key(i % r->keys, key), v, NULL, 0);
		bytes += MEMORY_KEY + v.len;
		if (rc == 0 && (i + 1) % r->c->per_batch == 0) {
			rc = silt_write(r->db, b, SILT_ASYNC, NULL);
			silt_batch_clear(b);
		}
	}
	silt_batch_free(b);
	return rc;
}

static int memory_scan(struct memory_run *r, uint64_t from, unsigned steps, bool back)
{
	struct silt_iter_options o = { 0 };
	char key[MEMORY_KEY + 1];
	silt_iter *it;
	int rc = silt_iter_new(r->db, &o, &it);

	if (rc != 0)
		return rc;
	rc = back ? silt_iter_seek_prev(it, memory_key(from, key)) : silt_iter_seek(it, memory_key(from, key));
	while (rc == 0 && steps-- > 0)
		rc = back ? silt_iter_prev(it) : silt_iter_next(it);
	silt_iter_close(it);
	return rc == SILT_END ? 0 : rc;
}

static int memory_read_some(struct memory_run *r, uint64_t *random, struct silt_buf *value)
{
	char key[MEMORY_KEY + 1];
	int rc = 0;

	for (int i = 0; i < 64 && (rc == 0 || rc == SILT_NOTFOUND); i++)
		rc = silt_get(r->db, memory_key(test_random(random) % (r->keys + r->keys / 8), key), NULL, 0, value, NULL);
	if (rc < 0)
		return rc;
	return memory_scan(r, test_random(random) % r->keys, 200, test_random(random) % 2);
}

static void *memory_reader(void *arg)
{
	struct memory_run *r = arg;
	struct silt_buf value = { 0 };
	uint64_t random = (uint64_t)(uintptr_t)&value | 1;
	int rc = 0;

	while (rc == 0 && !atomic_load(&r->done))
		rc = memory_read_some(r, &random, &value);
	silt_buf_free(&value);
	return rc == 0 ? NULL : r;
}

/* Writes beside readers, then compaction beside them, then everything once more through the cache. */
static int memory_work(struct memory_run *r)
{
	pthread_t readers[MEMORY_READERS];
	int rc;

	for (int i = 0; i < MEMORY_READERS; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, memory_reader, r), 0);
	rc = memory_write(r, 0, r->c->bytes * test_scale());
	if (rc == 0)
		rc = silt_compact(r->db);
	if (rc == 0)
		rc = memory_scan(r, 0, UINT32_MAX, false);
	atomic_store(&r->done, true);
	for (int i = 0; i < MEMORY_READERS; i++) {
		void *failed;

		pthread_join(readers[i], &failed);
		rc = rc == 0 && failed ? SILT_E_IO : rc;
	}
	return rc;
}

/* Each thread keeps the heap's arena that it has, and with it what it once freed. */
struct memory_turn {
	struct memory_run *r;
	pthread_barrier_t *round;
	unsigned mine;
	int rc;
};

static int memory_take_turn(struct memory_run *r, unsigned turn)
{
	uint64_t random = turn + 1;
	struct silt_buf value = { 0 };
	int rc = memory_write(r, r->keys / r->c->turns * turn, r->c->bytes * test_scale() / r->c->turns);

	for (uint64_t i = 0; rc == 0 && i < r->keys / 16 / r->c->turns; i++)
		rc = memory_read_some(r, &random, &value);
	silt_buf_free(&value);
	return rc;
}

static void *memory_turn(void *arg)
{
	struct memory_turn *t = arg;

	for (unsigned turn = 0; turn < t->r->c->turns; turn++) {
		if (turn == t->mine)
			t->rc = memory_take_turn(t->r, turn);
		pthread_barrier_wait(t->round);
	}
	return NULL;
}

static int memory_take_turns(struct memory_run *r)
{
	enum { MOST = 16 };
	struct memory_turn turns[MOST];
	pthread_t threads[MOST];
	pthread_barrier_t round;
	int rc = 0;

	assert_true(r->c->turns <= MOST);
	pthread_barrier_init(&round, NULL, r->c->turns);
	for (unsigned i = 0; i < r->c->turns; i++) {
		turns[i] = (struct memory_turn){ r, &round, i, 0 };
		assert_int_equal(pthread_create(&threads[i], NULL, memory_turn, &turns[i]), 0);
	}
	for (unsigned i = 0; i < r->c->turns; i++) {
		pthread_join(threads[i], NULL);
		rc = rc == 0 ? turns[i].rc : rc;
	}
	pthread_barrier_destroy(&round);
	return rc;
}

static void memory_log(void *ctx, enum silt_log_level level, const char *message)
{
	(void)ctx;
	if (level <= SILT_LOG_WARNING)
		fprintf(stderr, "%s\n", message);
}

static int memory_child(const struct memory_case *c, const char *dir, uint64_t *peak)
{
	struct memory_run *r = calloc(1, sizeof(*r));
	uint64_t random = 1;
	struct silt_options o;
	int rc;

	silt_options_init(&o);
	o.memory = c->memory * test_scale();
	o.log = memory_log;
	if (c->options)
		c->options(&o);
	for (size_t i = 0; i < sizeof(r->noise); i++)
		r->noise[i] = (uint8_t)(test_random(&random) >> 32);
	r->c = c;
	r->keys = c->bytes * test_scale() / (MEMORY_KEY + (c->value_min + c->value_max) / 2);
	rc = silt_open(dir, &o, &r->db);
	if (rc == 0) {
		rc = c->turns ? memory_take_turns(r) : memory_work(r);
		silt_close(r->db);
	}
	*peak = memory_peak();
	free(r);
	return rc;
}

/* In a process of its own, whose peak is nobody else's. */
static uint64_t memory_measure(const struct memory_case *c)
{
	struct { uint64_t peak; int rc; } got = { 0, -1 };
	char *dir = test_mkdir();
	int pipes[2];
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		got.rc = memory_child(c, dir, &got.peak);
		_exit(write(pipes[1], &got, sizeof(got)) == sizeof(got) ? 0 : 1);
	}
	close(pipes[1]);
	assert_int_equal(read(pipes[0], &got, sizeof(got)), sizeof(got));
	close(pipes[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	test_rmdir(dir);
	assert_int_equal(got.rc, 0);
	print_message("%llu MiB of data, a budget of %llu MiB: peak %llu MiB\n", (unsigned long long)c->bytes * test_scale() >> 20,
	              (unsigned long long)c->memory * test_scale() >> 20, (unsigned long long)got.peak >> 20);
	return got.peak;
}

static void memory_check(const struct memory_case *c)
{
	uint64_t peak = memory_measure(c);

	if (!MEMORY_SHADOWED)
		assert_in_range(peak, 1, c->memory * test_scale() + MEMORY_BEYOND);
}

static void memory_small_tables(struct silt_options *o)
{
	o->table_size = 1 << 20;          /* so that a compaction of all has many inputs */
	o->level_base_size = 4 << 20;
}

static void test_memory__budget_is_kept(void **state)
{
	const struct memory_case c = { .memory = 8 << 20, .bytes = 80 << 20, .value_min = 64, .value_max = 2000, .per_batch = 16,
		                       .options = memory_small_tables };

	(void)state;
	memory_check(&c);
}

static void test_memory__large_values_are_within_the_budget(void **state)
{
	const struct memory_case c = { .memory = 8 << 20, .bytes = 80 << 20, .value_min = 60000, .value_max = 70000, .per_batch = 1 };

	(void)state;
	memory_check(&c);
}

static void test_memory__small_values_are_within_the_budget(void **state)
{
	const struct memory_case c = { .memory = 8 << 20, .bytes = 12 << 20, .value_min = 1, .value_max = 16, .per_batch = 256 };

	(void)state;
	memory_check(&c);
}

static void test_memory__threads_that_take_turns_keep_to_it(void **state)
{
	const struct memory_case c = { .memory = 32 << 20, .bytes = 64 << 20, .value_min = 64, .value_max = 2000, .per_batch = 16, .turns = 8 };

	(void)state;
	memory_check(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory__budget_is_kept),
		cmocka_unit_test(test_memory__large_values_are_within_the_budget),
		cmocka_unit_test(test_memory__small_values_are_within_the_budget),
		cmocka_unit_test(test_memory__threads_that_take_turns_keep_to_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
