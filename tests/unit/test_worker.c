/* SPDX-License-Identifier: Apache-2.0 */
/* test_worker.c - a queue with threads behind it: everything that was taken is run once, also at the end. */
#include "lib/test.h"

#include "server/worker.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <unistd.h>

struct job {
	struct worker_job job;        /* first */
	atomic_uint runs;
};

static sem_t worker_gate, worker_inside;
static atomic_uint worker_total;

static void worker_count(struct worker_job *j)
{
	atomic_fetch_add(&((struct job *)(void *)j)->runs, 1);
	atomic_fetch_add(&worker_total, 1);
}

static void worker_wait(struct worker_job *j)
{
	sem_post(&worker_inside);
	while (sem_wait(&worker_gate) < 0)
		;
	worker_count(j);
}

static void test_worker__everything_taken_is_run_once(void **state)
{
	static struct job jobs[2000];
	struct worker_pool p;

	(void)state;
	atomic_store(&worker_total, 0);
	assert_int_equal(worker_init(&p, "test", 4, sizeof(jobs) / sizeof(jobs[0])), 0);
	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
		jobs[i].job.run = worker_count;
		assert_true(worker_submit(&p, &jobs[i].job));
	}
	worker_fini(&p);                                                /* also what still waited */
	assert_int_equal(atomic_load(&worker_total), sizeof(jobs) / sizeof(jobs[0]));
	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++)
		assert_int_equal(atomic_load(&jobs[i].runs), 1);
}

/* One thread, held by the first job until worker_gate is posted for it, and for each job after it. */
static void worker_begin_held(struct worker_pool *p, struct job *jobs, size_t n, size_t capacity, uint64_t max_wait_ms)
{
	alarm(300);
	atomic_store(&worker_total, 0);
	assert_int_equal(sem_init(&worker_gate, 0, 0), 0);
	assert_int_equal(sem_init(&worker_inside, 0, 0), 0);
	assert_int_equal(worker_init(p, "test", 1, capacity), 0);
	p->max_wait_ms = max_wait_ms;
	for (size_t i = 0; i < n; i++)
		jobs[i].job.run = worker_wait;
	assert_true(worker_submit(p, &jobs[0].job));
	while (sem_wait(&worker_inside) < 0)                            /* it is out of the queue */
		;
}

static void test_worker__a_full_queue_refuses_and_has_room_again(void **state)
{
	static struct job jobs[5];
	struct worker_pool p;

	(void)state;
	worker_begin_held(&p, jobs, sizeof(jobs) / sizeof(jobs[0]), 2, 0);
	assert_true(worker_submit(&p, &jobs[1].job));
	assert_true(worker_submit(&p, &jobs[2].job));
	assert_false(worker_submit(&p, &jobs[3].job));
	sem_post(&worker_gate);
	while (sem_wait(&worker_inside) < 0)
		;
	assert_true(worker_submit(&p, &jobs[4].job));
	for (int i = 0; i < 3; i++)
		sem_post(&worker_gate);
	worker_fini(&p);
	assert_int_equal(atomic_load(&worker_total), 4);
	assert_int_equal(atomic_load(&jobs[3].runs), 0);
	alarm(0);
}

static void test_worker__ending_nothing_is_fine(void **state)
{
	struct worker_pool p = { 0 };

	(void)state;
	worker_fini(&p);
	assert_int_equal(worker_init(&p, "test", 3, 1), 0);
	worker_fini(&p);
	worker_fini(&p);
}

/* A bound in time: the first in the queue has waited, so that who comes now is refused; what was let in before is put back all the same. */
static void test_worker__a_late_queue_refuses(void **state)
{
	static struct job jobs[4];
	struct worker_pool p;

	(void)state;
	worker_begin_held(&p, jobs, sizeof(jobs) / sizeof(jobs[0]), 100, 1);
	usleep(20000);
	assert_true(worker_submit(&p, &jobs[1].job));                   /* nobody waits: no queue is late */
	usleep(20000);
	assert_false(worker_submit(&p, &jobs[2].job));
	worker_requeue(&p, &jobs[3].job);
	for (int i = 0; i < 3; i++)
		sem_post(&worker_gate);
	worker_fini(&p);
	assert_int_equal(atomic_load(&worker_total), 3);
	assert_int_equal(atomic_load(&jobs[2].runs), 0);
	alarm(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_worker__everything_taken_is_run_once),
		cmocka_unit_test(test_worker__a_full_queue_refuses_and_has_room_again),
		cmocka_unit_test(test_worker__a_late_queue_refuses),
		cmocka_unit_test(test_worker__ending_nothing_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
