/* SPDX-License-Identifier: Apache-2.0 */
/* test_thread.c - mutual exclusion, waiting and waking, and what an engine thread inherits. */
#include "lib/test.h"

#include <signal.h>
#include <unistd.h>

#include "base/thread.h"

struct shared {
	struct mutex mu;
	struct cond changed;
	unsigned count;               /* under mu */
	unsigned turn;                /* under mu */
	unsigned woken;               /* under mu */
};

static void shared_init(struct shared *s)
{
	memset(s, 0, sizeof(*s));
	assert_int_equal(mutex_init(&s->mu), 0);
	assert_int_equal(cond_init(&s->changed), 0);
}

static void shared_fini(struct shared *s)
{
	cond_fini(&s->changed);
	mutex_fini(&s->mu);
}

static void *count_up(void *arg)
{
	struct shared *s = arg;

	for (int i = 0; i < 20000; i++) {
		mutex_lock(&s->mu);
		s->count++;
		mutex_unlock(&s->mu);
	}
	return NULL;
}

static void test_thread__a_mutex_excludes(void **state)
{
	struct shared s;
	pthread_t t[4];

	(void)state;
	shared_init(&s);
	for (int i = 0; i < 4; i++)
		assert_int_equal(thread_start(&t[i], "silt-count", count_up, &s), 0);
	for (int i = 0; i < 4; i++)
		thread_join(t[i]);
	assert_int_equal(s.count, 80000);
	shared_fini(&s);
}

/* Two threads take turns: odd and even. */
static void *take_turns(void *arg)
{
	struct shared *s = arg;

	mutex_lock(&s->mu);
	for (unsigned mine = 1; mine < 1000; mine += 2) {
		while (s->turn != mine)
			cond_wait(&s->changed, &s->mu);
		s->turn++;
		cond_broadcast(&s->changed);
	}
	mutex_unlock(&s->mu);
	return NULL;
}

static void test_thread__a_signal_wakes(void **state)
{
	struct shared s;
	pthread_t t;

	(void)state;
	shared_init(&s);
	assert_int_equal(thread_start(&t, "silt-turns", take_turns, &s), 0);
	mutex_lock(&s.mu);
	for (unsigned mine = 0; mine < 1000; mine += 2) {
		while (s.turn != mine)
			cond_wait(&s.changed, &s.mu);
		s.turn++;
		cond_broadcast(&s.changed);
	}
	mutex_unlock(&s.mu);
	thread_join(t);
	assert_int_equal(s.turn, 1000);
	shared_fini(&s);
}

static void *wait_for_all(void *arg)
{
	struct shared *s = arg;

	mutex_lock(&s->mu);
	s->count++;
	cond_broadcast(&s->changed);
	while (s->turn == 0)
		(void)cond_wait_ms(&s->changed, &s->mu, UINT64_MAX);  /* a century, not the past */
	s->woken++;
	mutex_unlock(&s->mu);
	return NULL;
}

static void test_thread__a_broadcast_wakes_all(void **state)
{
	struct shared s;
	pthread_t t[5];

	(void)state;
	shared_init(&s);
	for (int i = 0; i < 5; i++)
		assert_int_equal(thread_start(&t[i], "silt-all", wait_for_all, &s), 0);
	mutex_lock(&s.mu);
	while (s.count < 5)
		cond_wait(&s.changed, &s.mu);
	s.turn = 1;
	cond_broadcast(&s.changed);
	mutex_unlock(&s.mu);
	for (int i = 0; i < 5; i++)
		thread_join(t[i]);
	assert_int_equal(s.woken, 5);
	shared_fini(&s);
}

static void test_thread__a_wait_ends_in_time(void **state)
{
	struct shared s;
	int rc = 0;

	(void)state;
	shared_init(&s);
	mutex_lock(&s.mu);
	for (int i = 0; i < 100 && rc == 0; i++)      /* 0: woken for no reason */
		rc = cond_wait_ms(&s.changed, &s.mu, 3);
	assert_int_equal(rc, SILT_TRY_AGAIN);
	for (rc = 0; rc == 0;)
		rc = cond_wait_ms(&s.changed, &s.mu, 0);
	assert_int_equal(rc, SILT_TRY_AGAIN);
	mutex_unlock(&s.mu);
	shared_fini(&s);
}

struct inherited {
	sigset_t blocked;
	bool by_name;                 /* is there a /proc, by which another thread is named? */
	char name[16];
};

static void *look_around(void *arg)
{
	struct inherited *in = arg;

	pthread_sigmask(SIG_SETMASK, NULL, &in->blocked);
	for (int i = 0; i < 60000 && in->by_name && strcmp(in->name, "silt-look") != 0; i++) {    /* named from outside, soon */
		pthread_getname_np(pthread_self(), in->name, sizeof(in->name));
		usleep(1000);
	}
	return arg;
}

static void test_thread__takes_no_signals_and_has_a_name(void **state)
{
	struct inherited in = { .by_name = access("/proc/self/task", F_OK) == 0 };
	sigset_t mine;
	pthread_t t;

	(void)state;
	assert_int_equal(thread_start(&t, "silt-look", look_around, &in), 0);
	thread_join(t);
	if (in.by_name)
		assert_string_equal(in.name, "silt-look");
	for (int s = 1; s < 32; s++)
		if (s != SIGKILL && s != SIGSTOP)
			assert_int_equal(sigismember(&in.blocked, s), 1);
	pthread_sigmask(SIG_SETMASK, NULL, &mine);
	assert_int_equal(sigismember(&mine, SIGTERM), 0);     /* ours is as it was */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_thread__a_mutex_excludes),
		cmocka_unit_test(test_thread__a_signal_wakes),
		cmocka_unit_test(test_thread__a_broadcast_wakes_all),
		cmocka_unit_test(test_thread__a_wait_ends_in_time),
		cmocka_unit_test(test_thread__takes_no_signals_and_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
