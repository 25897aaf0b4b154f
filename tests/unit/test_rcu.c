/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_rcu.c - what a read section reached stays whole until its end. Under address sanitizer a free too early is seen,
 * under thread sanitizer a missing order.
 */
#include "lib/test.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/rcu.h"

enum { READERS = 3, WORDS = 8 };

struct view {
	uint64_t words[WORDS];        /* all the same, never 0 once published */
};

struct shared {
	struct view *current;         /* by rcu_load() and rcu_store() */
	atomic_bool done;
	atomic_uint inside, left;
};

static struct view *view_new(uint64_t value)
{
	struct view *v = malloc(sizeof(*v));

	assert_non_null(v);
	for (int i = 0; i < WORDS; i++)
		v->words[i] = value;
	return v;
}

static void *read_views(void *arg)
{
	struct shared *s = arg;
	uintptr_t bad = 0;
	uint64_t last = 0;

	for (unsigned turn = 1; !atomic_load_explicit(&s->done, memory_order_relaxed); turn++) {
		const struct view *v;

		rcu_begin();
		v = rcu_load(s->current);
		for (int i = 1; i < WORDS; i++)
			bad |= v->words[i] != v->words[0];
		bad |= v->words[0] == 0 || v->words[0] < last;
		last = v->words[0];
		rcu_end();
		if (turn % 64 == 0)
			sched_yield();        /* the writer may have the core that we spin on */
	}
	return (void *)bad;
}

static void test_rcu__readers_see_whole_views(void **state)
{
	struct shared s = { .current = view_new(1) };
	pthread_t t[READERS];
	void *bad;

	(void)state;
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, read_views, &s), 0);
	for (uint64_t value = 2; value < 300; value++) {
		struct view *old = rcu_load(s.current);

		rcu_store(s.current, view_new(value));
		rcu_wait();
		memset(old, 0, sizeof(*old)); /* nobody looks any more */
		free(old);
	}
	atomic_store(&s.done, true);
	for (int i = 0; i < READERS; i++) {
		assert_int_equal(pthread_join(t[i], &bad), 0);
		assert_null(bad);
	}
	free(s.current);
}

static void *stay_a_while(void *arg)
{
	struct shared *s = arg;

	rcu_begin();
	rcu_begin();                  /* sections nest: the outer one counts */
	atomic_fetch_add(&s->inside, 1);
	rcu_end();
	while (!atomic_load(&s->done))
		sched_yield();
	for (int i = 0; i < 100000; i++)
		atomic_thread_fence(memory_order_seq_cst);
	atomic_fetch_add(&s->left, 1);
	rcu_end();
	return NULL;
}

static void test_rcu__wait_outlasts_sections_that_had_begun(void **state)
{
	(void)state;
	for (int round = 0; round < 5; round++) {
		struct shared s = { 0 };
		pthread_t t[READERS];

		for (int i = 0; i < READERS; i++)
			assert_int_equal(pthread_create(&t[i], NULL, stay_a_while, &s), 0);
		while (atomic_load(&s.inside) < READERS)
			sched_yield();
		atomic_store(&s.done, true);
		rcu_wait();
		assert_int_equal(atomic_load(&s.left), READERS);
		for (int i = 0; i < READERS; i++)
			assert_int_equal(pthread_join(t[i], NULL), 0);
	}
}

static void test_rcu__waits_without_readers(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++)
		rcu_wait();
	rcu_begin();
	rcu_end();
	rcu_wait();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rcu__readers_see_whole_views),
		cmocka_unit_test(test_rcu__wait_outlasts_sections_that_had_begun),
		cmocka_unit_test(test_rcu__waits_without_readers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
