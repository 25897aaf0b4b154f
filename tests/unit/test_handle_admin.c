/* SPDX-License-Identifier: Apache-2.0 */
/* test_handle_admin.c - jobs over HTTP where the server ends: nobody is promised what will not be done. */
#include "lib/ask.h"

#include <semaphore.h>
#include <unistd.h>

static sem_t slow_inside;

/* Until it is told to stop. */
static int slow_verify(struct store *s, store_progress_fn *fn, void *ctx)
{
	(void)s;
	sem_post(&slow_inside);
	while (fn(ctx, 1, 10))
		usleep(1000);
	return STORE_E_CLOSED;
}

static const struct store_ops slow_ops = { .verify = slow_verify };
static struct store slow_store = { .ops = &slow_ops };

/* As a drain does it. */
static void *end_of(void *asker)
{
	struct asker *a = asker;

	while (sem_wait(&slow_inside) < 0)
		;
	a->server.stopping = true;
	joblist_end(a->server.jobs);
	return NULL;
}

static void test_admin__who_waits_for_a_job_at_the_end_is_told(void **state)
{
	struct asker *a = ask_open(&slow_store);
	pthread_t ender;

	(void)state;
	assert_int_equal(sem_init(&slow_inside, 0, 0), 0);
	assert_int_equal(pthread_create(&ender, NULL, end_of, a), 0);
	expect_problem(a, ask(a, .method = "POST", .uri = "/v1/admin/verify"), 503, "shutting-down", NULL);
	assert_string_equal(ask_header(a, "Retry-After"), "2");
	assert_string_equal(ask_header(a, "Location"), "");
	assert_int_equal(pthread_join(ender, NULL), 0);
	a->server.handing_over = true;                /* others are served, but no job is begun */
	expect_problem(a, ask(a, .method = "POST", .uri = "/v1/admin/compact"), 503, "shutting-down", NULL);
	ask_close(a, false);
	sem_destroy(&slow_inside);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_admin__who_waits_for_a_job_at_the_end_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
