/* SPDX-License-Identifier: Apache-2.0 */
/* test_joblist.c - long work in a thread of its own: its end waited for or not, asked after, refused where too much waits, stopped. */
#include "lib/test.h"

#include "server/joblist.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <unistd.h>

static sem_t slow_inside, slow_gate;

static bool slow_passed(void)
{
	return sem_trywait(&slow_gate) == 0;
}

/* Until the test lets it go, or it is told to stop. */
static int slow_verify(struct store *s, store_progress_fn *fn, void *ctx)
{
	(void)s;
	(void)fn(ctx, 3, 10);
	sem_post(&slow_inside);
	while (!slow_passed()) {
		if (!fn(ctx, 4, 10))
			return STORE_E_CLOSED;
		usleep(1000);
	}
	(void)fn(ctx, 10, 10);
	return STORE_OK;
}

static int quick_checkpoint(struct store *s, const char *name, uint64_t *version)
{
	(void)s;
	*version = 42;
	return strcmp(name, "there") == 0 ? STORE_CONFLICT : STORE_OK;
}

static _Atomic int cancels;

/* Deaf at first, as one that has not begun. */
static int slow_compact(struct store *s)
{
	(void)s;
	sem_post(&slow_inside);
	while (atomic_load(&cancels) < 3)
		usleep(1000);
	return STORE_E_CLOSED;
}

static void slow_compact_cancel(struct store *s)
{
	(void)s;
	atomic_fetch_add(&cancels, 1);
}

static const struct store_ops slow_ops = {
	.verify = slow_verify, .checkpoint = quick_checkpoint, .compact = slow_compact, .compact_cancel = slow_compact_cancel,
};
static struct store slow_store = { .ops = &slow_ops };

static struct joblist *slow_start(void)
{
	struct joblist *j;

	alarm(300);
	assert_int_equal(sem_init(&slow_inside, 0, 0), 0);
	assert_int_equal(sem_init(&slow_gate, 0, 0), 0);
	assert_int_equal(joblist_new(&slow_store, &j), 0);
	return j;
}

static void slow_end(struct joblist *j)
{
	joblist_free(j);
	alarm(0);
}

static void slow_wait(void)
{
	while (sem_wait(&slow_inside) < 0)
		;
}

static void test_joblist__what_is_quick_is_waited_for(void **state)
{
	struct job wanted = { .kind = JOB_CHECKPOINT, .name = "a" }, job;
	struct joblist *j = slow_start();

	(void)state;
	assert_true(joblist_do(j, &wanted, 100000, &job));
	assert_int_equal(job.state, JOB_DONE);
	assert_int_equal(job.code, STORE_OK);
	assert_int_equal(job.version, 42);
	assert_string_equal(joblist_state_name(&job), "done");
	strcpy(wanted.name, "there");
	assert_true(joblist_do(j, &wanted, 100000, &job));
	assert_int_equal(job.code, STORE_CONFLICT);
	assert_string_equal(joblist_state_name(&job), "failed");
	slow_end(j);
}

static void test_joblist__what_is_slow_is_asked_after(void **state)
{
	struct job wanted = { .kind = JOB_VERIFY }, job, all[JOBLIST_KEPT];
	struct joblist *j = slow_start();
	char id[sizeof(job.id)];

	(void)state;
	assert_true(joblist_do(j, &wanted, 0, &job));
	assert_int_not_equal(job.state, JOB_DONE);
	strcpy(id, job.id);
	slow_wait();
	assert_true(joblist_find(j, span_str(id), &job));
	assert_int_equal(job.state, JOB_RUNNING);
	assert_true(job.done >= 3 && job.total == 10 && job.begun_ms > 0 && job.ended_ms == 0);
	sem_post(&slow_gate);
	do
		assert_true(joblist_find(j, span_str(id), &job));
	while (job.state != JOB_DONE);
	assert_true(job.done == 10 && job.ended_ms >= job.begun_ms);
	assert_int_equal(joblist_list(j, all), 1);
	assert_false(joblist_find(j, span_str("none"), &job));
	assert_false(joblist_find(j, span_str(""), &job));
	slow_end(j);
}

static void test_joblist__too_many_are_refused_and_old_ones_forgotten(void **state)
{
	struct job wanted = { .kind = JOB_VERIFY }, job, all[JOBLIST_KEPT];
	struct joblist *j = slow_start();
	char first[sizeof(job.id)];

	(void)state;
	assert_true(joblist_do(j, &wanted, 0, &job));
	strcpy(first, job.id);
	slow_wait();                          /* it runs: the queue is empty */
	for (unsigned i = 0; i < JOBLIST_QUEUE_MAX; i++)
		assert_true(joblist_do(j, &wanted, 0, &job));
	assert_false(joblist_do(j, &wanted, 0, &job));
	for (unsigned i = 0; i <= JOBLIST_QUEUE_MAX; i++)
		sem_post(&slow_gate);
	for (unsigned i = 0; i < JOBLIST_QUEUE_MAX; i++)
		slow_wait();
	wanted.kind = JOB_CHECKPOINT;
	for (unsigned i = 0; i < JOBLIST_KEPT; i++)
		assert_true(joblist_do(j, &wanted, 100000, &job));
	assert_int_equal(joblist_list(j, all), JOBLIST_KEPT);
	assert_false(joblist_find(j, span_str(first), &job));
	for (size_t i = 0; i < JOBLIST_KEPT; i++)
		assert_int_equal(all[i].kind, JOB_CHECKPOINT);
	slow_end(j);
}

static void test_joblist__the_end_stops_what_runs(void **state)
{
	struct job wanted = { .kind = JOB_VERIFY }, job;
	struct joblist *j = slow_start();

	(void)state;
	assert_true(joblist_do(j, &wanted, 0, &job));
	slow_wait();
	assert_true(joblist_do(j, &wanted, 0, &job));
	joblist_end(j);
	assert_false(joblist_do(j, &wanted, 100000, &job));     /* at once */
	slow_end(j);
	joblist_free(NULL);
}

/* A restart takes less than a second: who asks for a job of the one before must not be told of another. */
static void test_joblist__the_end_cancels_a_compaction(void **state)
{
	struct job wanted = { .kind = JOB_COMPACT }, job;
	struct joblist *j = slow_start();

	(void)state;
	assert_true(joblist_do(j, &wanted, 0, &job));
	slow_wait();
	slow_end(j);
	assert_true(atomic_load(&cancels) >= 3);
}

static void test_joblist__ids_are_not_used_again_after_a_restart(void **state)
{
	struct job wanted = { .kind = JOB_CHECKPOINT, .name = "a" }, job;
	char before[sizeof(job.id)] = "";

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct joblist *j = slow_start();

		assert_false(joblist_find(j, span_str(before), &job));
		assert_true(joblist_do(j, &wanted, 100000, &job));
		assert_string_not_equal(job.id, before);
		strcpy(before, job.id);
		slow_end(j);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_joblist__what_is_quick_is_waited_for),
		cmocka_unit_test(test_joblist__what_is_slow_is_asked_after),
		cmocka_unit_test(test_joblist__too_many_are_refused_and_old_ones_forgotten),
		cmocka_unit_test(test_joblist__the_end_stops_what_runs),
		cmocka_unit_test(test_joblist__the_end_cancels_a_compaction),
		cmocka_unit_test(test_joblist__ids_are_not_used_again_after_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
