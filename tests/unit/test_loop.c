/* SPDX-License-Identifier: Apache-2.0 */
/* test_loop.c - events, letters and timers of one thread. */
#include "lib/test.h"

#include "server/loop.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <unistd.h>

struct counted {
	struct loop_source source;    /* first */
	unsigned ready;
	uint32_t events;
};

static void loop_count_ready(struct loop_source *s, uint32_t events)
{
	struct counted *c = (struct counted *)(void *)s;

	c->ready++;
	c->events |= events;
}

static void test_loop__a_ready_source_is_told_once_an_edge(void **state)
{
	struct counted c = { .source.ready = loop_count_ready };
	struct loop l;
	int fds[2];

	(void)state;
	assert_int_equal(loop_init(&l, 1000, 1000), 0);
	assert_int_equal(pipe(fds), 0);
	c.source.fd = fds[0];
	assert_int_equal(loop_add(&l, &c.source, EPOLLIN | EPOLLET), 0);
	loop_turn(&l, 0);
	assert_int_equal(c.ready, 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	loop_turn(&l, 0);
	loop_turn(&l, 0);
	assert_int_equal(c.ready, 1);                                   /* nobody read it, and it does not spin */
	loop_change(&l, &c.source, EPOLLIN | EPOLLET);
	loop_turn(&l, 0);
	assert_int_equal(c.ready, 2);                                   /* told again */
	loop_remove(&l, &c.source);
	assert_int_equal(write(fds[1], "x", 1), 1);
	loop_turn(&l, 0);
	assert_int_equal(c.ready, 2);
	close(fds[0]);
	close(fds[1]);
	loop_fini(&l);
}

/* ---- timers ------------------------------------------------------------------------------------------------------------ */

static struct loop_timer *loop_fired[8];
static size_t loop_fired_count;

static void loop_note_fired(struct loop_timer *t)
{
	loop_fired[loop_fired_count++] = t;
}

static void test_loop__timers_fire_in_order_and_only_when_armed(void **state)
{
	struct loop_timer t[4] = { { .fire = loop_note_fired }, { .fire = loop_note_fired }, { .fire = loop_note_fired },
		                   { .fire = loop_note_fired } };
	struct loop l;

	(void)state;
	loop_fired_count = 0;
	assert_int_equal(loop_init(&l, 20, 1u << 30), 0);
	loop_arm(&l, &t[0], LOOP_REQUEST);
	loop_arm(&l, &t[1], LOOP_REQUEST);
	loop_arm(&l, &t[2], LOOP_REQUEST);
	loop_arm(&l, &t[3], LOOP_TRANSFER);
	loop_arm(&l, &t[0], LOOP_REQUEST);                              /* again: behind the others now */
	loop_disarm(&t[1]);
	loop_disarm(&t[1]);                                             /* twice is fine */
	while (loop_fired_count < 2)
		loop_turn(&l, -1);                                      /* sleeps no longer than the next deadline */
	assert_ptr_equal(loop_fired[0], &t[2]);
	assert_ptr_equal(loop_fired[1], &t[0]);
	loop_turn(&l, 0);
	assert_int_equal(loop_fired_count, 2);
	loop_disarm(&t[3]);
	loop_fini(&l);
}

/* ---- letters ----------------------------------------------------------------------------------------------------------- */

#define LOOP_POSTERS 4
#define LOOP_LETTERS 5000

struct numbered {
	struct loop_letter letter;    /* first */
	unsigned poster, number;
};

static struct numbered loop_letters[LOOP_POSTERS][LOOP_LETTERS];
static unsigned loop_next[LOOP_POSTERS], loop_delivered;
static struct loop loop_shared;

static void loop_on_numbered(struct loop_letter *m)
{
	struct numbered *n = (struct numbered *)(void *)m;

	assert_int_equal(n->number, loop_next[n->poster]);              /* each poster's in its order, none lost, none twice */
	loop_next[n->poster]++;
	loop_delivered++;
}

static void *loop_poster(void *arg)
{
	struct numbered *mine = arg;

	for (unsigned i = 0; i < LOOP_LETTERS; i++)
		loop_post(&loop_shared, &mine[i].letter);
	return NULL;
}

static void test_loop__no_letter_is_lost_or_left_lying(void **state)
{
	pthread_t threads[LOOP_POSTERS];

	(void)state;
	alarm(300);
	assert_int_equal(loop_init(&loop_shared, 1000, 1000), 0);
	for (unsigned p = 0; p < LOOP_POSTERS; p++) {
		for (unsigned i = 0; i < LOOP_LETTERS; i++)
			loop_letters[p][i] = (struct numbered){ .letter.deliver = loop_on_numbered, .poster = p, .number = i };
		assert_int_equal(pthread_create(&threads[p], NULL, loop_poster, loop_letters[p]), 0);
	}
	while (loop_delivered < LOOP_POSTERS * LOOP_LETTERS)
		loop_turn(&loop_shared, -1);                            /* a letter without a wake-up would hang here */
	for (unsigned p = 0; p < LOOP_POSTERS; p++)
		assert_int_equal(pthread_join(threads[p], NULL), 0);
	loop_fini(&loop_shared);
	alarm(0);
}

/* Rule 1: what a letter frees may have had an event in the same turn. */
static struct loop_letter loop_freer;
static struct counted *loop_victim;

static void loop_free_victim(struct loop_letter *m)
{
	(void)m;
	assert_int_equal(loop_victim->ready, 1);
	close(loop_victim->source.fd);
	free(loop_victim);
	loop_victim = NULL;
}

static void test_loop__letters_come_after_all_events(void **state)
{
	struct loop l;
	int fds[2];

	(void)state;
	assert_int_equal(loop_init(&l, 1000, 1000), 0);
	assert_int_equal(pipe(fds), 0);
	loop_victim = calloc(1, sizeof(*loop_victim));
	assert_non_null(loop_victim);
	loop_victim->source = (struct loop_source){ .fd = fds[0], .ready = loop_count_ready };
	assert_int_equal(loop_add(&l, &loop_victim->source, EPOLLIN), 0);
	loop_freer.deliver = loop_free_victim;
	loop_post(&l, &loop_freer);                                     /* its eventfd is ready first */
	assert_int_equal(write(fds[1], "x", 1), 1);
	loop_turn(&l, -1);
	assert_null(loop_victim);
	close(fds[1]);
	loop_fini(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loop__a_ready_source_is_told_once_an_edge),
		cmocka_unit_test(test_loop__timers_fire_in_order_and_only_when_armed),
		cmocka_unit_test(test_loop__no_letter_is_lost_or_left_lying),
		cmocka_unit_test(test_loop__letters_come_after_all_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
