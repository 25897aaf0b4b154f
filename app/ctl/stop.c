/* SPDX-License-Identifier: Apache-2.0 */
/* stop.c - a signal handler can reach nothing but statics: those that there are in siltctl, but for secret.c's. */
#include "ctl/stop.h"

#include <signal.h>
#include <stddef.h>
#include <time.h>

enum { STOP_AGAIN_S = 2, STOP_NAP_MS = 100 };

static volatile sig_atomic_t stop_signal, stop_at_s, stop_held_off;

static int stop_now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int)t.tv_sec;
}

/* raise() waits until this has returned, and then meets the default. */
static void stop_note(int number)
{
	if (!stop_signal) {
		stop_at_s = stop_now_s();
		stop_signal = number;
	} else if (stop_now_s() - stop_at_s > STOP_AGAIN_S) {
		(void)signal(number, SIG_DFL);
		(void)raise(number);
	}
}

void stop_begin(void)
{
	struct sigaction note = { .sa_handler = stop_note };
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;

	(void)sigemptyset(&note.sa_mask);
	(void)sigaction(SIGINT, &note, NULL);
	(void)sigaction(SIGTERM, &note, NULL);
	if (sigaction(SIGHUP, NULL, &before) != 0 || before.sa_handler != SIG_IGN)
		(void)sigaction(SIGHUP, &note, NULL);
	(void)sigemptyset(&ignore.sa_mask);
	(void)sigaction(SIGPIPE, &ignore, NULL);
}

int stop_asked(void)
{
	return stop_held_off ? 0 : stop_signal;
}

/* In short naps: a signal that comes between the question and a long one would not end it. */
bool stop_sleep(uint64_t ms)
{
	while (ms > 0 && !stop_asked()) {
		uint64_t nap = ms < STOP_NAP_MS ? ms : STOP_NAP_MS;
		struct timespec t = { .tv_nsec = (long)nap * 1000000 };

		(void)nanosleep(&t, NULL);
		ms -= nap;
	}
	return !stop_asked();
}

void stop_hold_off(bool on)
{
	stop_held_off = on;
}

int stop_status(void)
{
	return 128 + stop_signal;
}
